//! Time that does not run evenly: order rates that all customers share in seasons, trends and events.
//!
//! # Layout
//! * [`operational_time`]: calendar days turned into the time in which the models run.

pub mod operational_time;
