//! Customers as plain columns: the types that data frames and models share.
//!
//! # Layout
//! * [`histories`]: purchase histories, what every model is fitted to.
//! * [`predictions`]: what the models predict for each customer.
//! * [`groups`]: groups of customers that forecasts are summed over.
//! * [`holdout`]: orders and value after the calibration.
//! * [`pairs`]: the customers of two runs.

pub mod groups;
pub mod histories;
pub mod holdout;
pub mod pairs;
pub mod predictions;

pub use groups::{Groups, Scope};
pub use histories::{Histories, History, HistoryColumns};
pub use holdout::Holdout;
pub use pairs::{Later, Pairs};
pub use predictions::{CustomerIntervals, Predictions};
