//! Forecasts and fits against what happened.

pub mod forecast_vs_actual;
pub mod holdout;
pub mod migration;
pub mod parameter_change;
pub mod stability;
pub mod tracking;
