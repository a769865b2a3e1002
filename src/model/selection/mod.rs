//! Files that hold only some of the customers: such a selection is stated by the pipeline or
//! detected in the data, and the fit corrects for it by P(selected).
//!
//! # Layout
//! * [`probability`]: the selection probability P(selected), by which the likelihood is divided.
//! * [`channels`]: the same where customers need orders in both of two channels.
//! * [`detection`]: signs of a selection in the data: [`edge`] in the time since the last order,
//!   and [`zeros`] that are missing from counts. [`tolerance`]: how many customers may contradict it.

pub mod channels;
pub mod detection;
pub mod edge;
pub mod probability;
pub mod tolerance;
pub mod zeros;
