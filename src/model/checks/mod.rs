//! The fitted models held against the data that they were fitted to: each check is a statistic with
//! its reference distribution.
//!
//! # Layout
//! * [`intensity`]: what the model expects of a customer from day to day.
//! * [`calendar`]: orders over the calendar: seasons, trends, cohorts, changes.
//! * [`waits`]: the time between orders.
//! * [`counts`]: customers by frequency and by time since the last order.
//! * [`prices`]: order values over time. `price_gate`: whether correcting them helps.

pub(crate) mod calendar;
pub(crate) mod counts;
pub(crate) mod intensity;
pub(crate) mod price_gate;
pub(crate) mod prices;
pub(crate) mod waits;

/// A statistic this unlikely is not chance. A run makes some ten checks, so that about one right
/// model in a hundred is called wrong.
pub(crate) const SIGNIFICANT: f64 = 1e-3;
