//! Results of a run as plain values, which can be written and read back.
//!
//! # Layout
//! * [`findings`]: what to know about the data and the fit. [`facts`]: values of their messages.
//! * [`advice`]: a suggested action for each segment.
//! * [`chart_data`]: the data of the charts, written as figures.json.
//! * [`version`]: version of the file layout, and name of the program.

pub mod advice;
pub mod chart_data;
pub mod facts;
pub mod findings;
pub mod version;
