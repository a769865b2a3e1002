//! Evaluation: forecasts against what happened, and one run against an earlier one.
//!
//! # Layout
//! * [`holdout`]: measures of accuracy, naive forecasts to beat, groups of customers.
//! * [`tracking`]: actual and expected repeat orders week by week.
//! * [`forecast_vs_actual`]: an earlier run's forecast against the orders that came since.
//! * [`missed`]: whether a total is further off than chance explains.
//! * [`migration`]: customers who changed segments between two runs.
//! * [`parameter_change`]: how far estimates moved between two fits.
//! * [`stability`]: the population stability index (PSI).

pub mod forecast_vs_actual;
pub mod holdout;
pub mod migration;
pub mod missed;
pub mod parameter_change;
pub mod stability;
pub mod tracking;
