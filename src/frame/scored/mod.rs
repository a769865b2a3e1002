//! What is made of customers who have predictions: segments, profiles, lists and comparisons.
//!
//! # Layout
//! * [`predictions`]: predictions joined to the CLTV frame; the highest values.
//! * [`segment`]: quantile segments of the lifetime value. [`rfm`]: RFM scores and segments.
//! * [`profile`]: one row per segment. [`kept_columns`]: the columns to keep, described by segment.
//! * [`customer_lines`]: single customers with all their numbers, for the report.
//! * [`select`]: target lists from a finished run, by a `condition`. [`compare`]: the customers of two finished runs.

pub mod compare;
#[cfg(feature = "cli")]
mod condition;
pub mod customer_lines;
pub mod kept_columns;
pub mod predictions;
pub mod profile;
pub mod rfm;
pub mod segment;
#[cfg(feature = "cli")]
pub mod select;
