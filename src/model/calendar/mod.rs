//! Time that does not run evenly: order rates that all customers share in seasons, trends and events.
//!
//! # Layout
//! * [`operational_time`]: calendar days turned into the time in which the models run.
//! * [`shape`]: what the factor of a day is made of.
//! * [`likelihood`]: model and calendar in one likelihood. [`estimate`]: its maximum.
//!   [`fitted`]: a calendar with its coefficients.
//! * [`gate`]: whether a season or a trend is taken. [`described`]: a calendar in months and years.

pub(crate) mod described;
pub(crate) mod estimate;
pub(crate) mod fitted;
pub(crate) mod gate;
pub(crate) mod likelihood;
pub mod operational_time;
pub(crate) mod shape;
