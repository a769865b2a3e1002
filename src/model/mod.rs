//! All statistics, on slices of numbers. This module knows the optimiser, not the data frame.
//!
//! # Layout
//! * [`nbd`], [`bg_nbd`], [`mbg_nbd`], [`pareto_nbd`]: whether and when customers order again; one
//!   model per file. [`purchase_model`]: their common interface.
//! * [`gamma_gamma`]: what an order is worth.
//! * [`likelihood`]: maximum likelihood with argmin, and the covariance of the estimates.
//! * [`selection`]: files that hold only some of the customers; the probability of being in one.
//! * [`fit`]: fitted models with diagnoses; only these can predict.
//! * [`forecast`]: expected orders, P(alive) and discounted lifetime value of customers, the
//!   company's forecast, intervals.
//! * [`simulation`]: random draws of what customers do.
//! * [`evaluate`]: forecasts, fits and segments against what happened.
//! * [`charts`]: the numbers behind the charts of a report.

pub mod bg_nbd;
pub mod charts;
pub mod evaluate;
pub mod fit;
pub mod forecast;
pub mod gamma_gamma;
pub mod likelihood;
pub mod mbg_nbd;
pub mod nbd;
pub mod pareto_nbd;
pub mod purchase_model;
pub mod selection;
pub mod simulation;

pub use fit::purchases::{FittedPurchases, fit_purchases};
pub use fit::spend::{FittedSpend, fit_spend};
pub use forecast::predict::predict;
pub use likelihood::patterns::CustomerPatterns;
pub use purchase_model::PurchaseModel;
