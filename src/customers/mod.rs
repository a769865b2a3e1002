//! Where the data frame and the models meet: customers as plain columns, and groups of them.
//!
//! # Layout
//! * [`histories`]: purchase histories, what every model is fitted to.
//! * [`predictions`]: what the models say of each customer.
//! * [`groups`]: whom forecasts are summed over. [`holdout`]: what customers did after the
//!   calibration. [`pairs`]: the customers of two runs.

pub mod groups;
pub mod histories;
pub mod holdout;
pub mod pairs;
pub mod predictions;

pub use groups::{Groups, Scope};
pub use histories::Histories;
pub use holdout::Holdout;
pub use pairs::{Later, Pairs};
pub use predictions::{CustomerIntervals, Predictions};
