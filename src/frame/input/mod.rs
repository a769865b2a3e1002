//! Reads input files into lazy frames with typed columns.
//!
//! # Layout
//! * [`load`]: finds the files, checks their schemas and plans the scan.
//! * [`pages`]: scans a Parquet file after checking its page headers.
//! * [`schema`]: names and SQL types of columns.
//! * [`dates`]: finds the date format of a column and reads its dates.
//! * [`typed`]: expressions for numbers and identifiers.
//! * [`kinds`]: what values are: numbers, dates, lists or text.

pub mod dates;
pub mod kinds;
pub mod load;
pub mod pages;
#[cfg(feature = "cli")]
pub mod schema;
pub mod typed;
