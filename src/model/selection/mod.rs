//! Files that hold only some of the customers: such a selection is stated by the pipeline or
//! detected in the data, and the fit corrects for it by P(selected).
//!
//! # Layout
//! * [`probability`]: the selection probability P(selected), by which the likelihood is divided.
//! * [`channels`]: the same where customers need orders in both of two channels.
//! * [`detection`]: signs of a selection in the data.

pub mod channels;
pub mod detection;
pub mod probability;
