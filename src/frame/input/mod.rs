//! Reads input files into lazy frames with typed columns.
//!
//! # Layout
//! * [`load`]: finds the files, checks their schemas and plans the scan.
//! * [`plain`]: makes text files of any kind plain CSV: packed, workbooks, other encodings, quotes.
//! * [`pages`]: scans a Parquet file after checking its page headers.
//! * [`schema`]: names and SQL types of columns.
//! * [`dates`]: finds the date format of a column and reads its dates. [`date_text`]: dates with
//!   names of months, and dates stored as numbers.
//! * [`numbers`]: finds the notation of a column of numbers and reads it. [`notation`]: one number.
//! * [`dated_factors`]: small files of factors by month or day. [`price_index`]: one of price levels.
//! * [`typed`]: expressions for texts and identifiers. [`letters`]: letters without accents.
//! * [`kinds`]: what values are: numbers, dates, lists or text.

pub mod date_text;
pub mod dated_factors;
pub mod dates;
pub mod kinds;
pub mod letters;
pub mod load;
pub mod notation;
pub mod numbers;
pub mod pages;
pub mod plain;
pub mod price_index;
#[cfg(feature = "cli")]
pub mod schema;
pub mod typed;
