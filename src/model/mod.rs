//! Statistics on slices: knows the optimiser, not the data frame.
//!
//! # Layout
//! * [`nbd`], [`bg_nbd`], [`mbg_nbd`], [`pareto_nbd`]: when and whether customers order again; one
//!   story, one file. [`family`]: what all of them can say.
//! * [`gamma_gamma`]: what an order is worth.
//! * [`patterns`]: distinct purchase histories, each evaluated once.
//! * [`selected`]: the probability of being in a filtered file. [`channels`]: where the filter asks for
//!   orders in both channels. [`detection`]: signs of a filter.
//! * [`fit`]: maximum likelihood with argmin, the same way for every model.
//! * [`purchases`], [`spend`]: a fit with its verdict; only these can predict. `diagnosis`: the
//!   verdict in words.
//! * [`covariance`], [`bootstrap`]: how exactly parameters are known.
//! * [`mod@predict`]: expected orders, P(alive), average value, discounted lifetime value.
//! * [`company`]: orders and revenue week by week, through `curves`. [`tracking`]: the same of the past, beside what
//!   happened. [`holdout`]: how good a forecast was.
//! * [`migration`], [`outcome`], [`change`]: what became of segments, forecasts and parameters from one
//!   run to the next.
//! * [`futures`]: possible futures, drawn. [`intervals`]: how far forecasts can be off.
//! * For the charts of a report: [`counts`]: how customers are distributed. [`fit_check`]: the fit
//!   beside the data. [`meaning`]: what parameters mean. [`portrait`]: what the model says of one
//!   customer.

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
