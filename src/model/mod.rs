//! All statistics, on slices of numbers. This module knows the optimiser, not the data frame.
//!
//! # Layout
//! * [`nbd`], [`bg_nbd`], [`mbg_nbd`], [`pareto_nbd`]: whether and when customers order again; one
//!   model per file. [`cnbd`]: regular buyers. `purchase_model`: their common interface.
//! * [`gamma_gamma`]: what an order is worth.
//! * `likelihood`: maximum likelihood with argmin, and the covariance of the estimates.
//! * `selection`: files that hold only some of the customers; the probability of being in one.
//! * `calendar`: seasons, trends and events; the time in which the models run.
//! * `fit`: fitted models with diagnoses; only these can predict.
//! * `forecast`: expected orders, P(alive) and discounted lifetime value of customers, the
//!   company's forecast, intervals.
//! * `simulation`: random draws of what customers do.
//! * `evaluate`: forecasts, fits and segments against what happened.
//! * `checks`: the fitted models held against the data that they were fitted to.
//! * `charts`: the numbers behind the charts of a report.

pub mod bg_nbd;
pub(crate) mod calendar;
pub(crate) mod charts;
pub(crate) mod checks;
pub mod cnbd;
pub(crate) mod evaluate;
pub(crate) mod fit;
pub(crate) mod forecast;
pub mod gamma_gamma;
pub(crate) mod likelihood;
pub mod mbg_nbd;
pub mod nbd;
pub mod pareto_nbd;
pub(crate) mod purchase_model;
pub(crate) mod selection;
pub(crate) mod simulation;
#[cfg(test)]
pub(crate) mod testing;

pub use calendar::operational_time::OperationalTime;
pub use fit::failure::{Failure, Replaced};
pub(crate) use fit::family_check::fit_and_compare;
pub use fit::purchases::{FittedPurchases, SelectionFit, fit_purchases};
pub(crate) use fit::spend::spend_of_all_orders;
pub use fit::spend::{FittedSpend, fit_spend};
pub use fit::steady::SteadyRate;
pub use forecast::intervals::{customer_intervals, total_intervals};
pub use forecast::predict::{Outlook, predict, total_orders};
pub use likelihood::covariance::Covariance;
pub use likelihood::estimate::{Convergence, Parameter};
pub use likelihood::patterns::{CustomerPatterns, Patterns};
pub use purchase_model::PurchaseModel;
pub use selection::channels::ChannelMix;
pub use selection::probability::SelectionRule;
pub use simulation::SimulatedHistory;
