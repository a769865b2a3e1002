//! Customers as plain columns: the types that data frames and models share.
//!
//! # Layout
//! * `histories`: purchase histories, what every model is fitted to.
//! * `predictions`: what the models predict for each customer.
//! * `groups`: groups of customers that forecasts are summed over.
//! * `holdout`: orders and value after the calibration.
//! * `order_path`: the orders of a customer one by one.
//! * `pairs`: the customers of two runs.

pub(crate) mod groups;
pub(crate) mod histories;
pub(crate) mod holdout;
pub(crate) mod order_path;
pub(crate) mod pairs;
pub(crate) mod predictions;

pub use groups::{Groups, Scope};
pub use histories::{Histories, History, HistoryColumns};
pub(crate) use holdout::Holdout;
pub(crate) use order_path::{OrderDay, OrderPath};
pub(crate) use pairs::{Later, Pairs};
pub use predictions::{CustomerIntervals, ExpectedMoney, Predictions};
