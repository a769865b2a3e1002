//! What each customer of a retailer will be worth, from a customer export or an order log.
//!
//! A run loads the input with lazy Polars, sets bad rows aside, suppresses outliers, summarises
//! each customer (frequency, recency, T, monetary value), fits a model of orders (BG/NBD,
//! MBG/NBD, Pareto/NBD) and one of order values (Gamma-Gamma) with argmin, predicts orders and
//! discounted lifetime value, cuts customers into segments, forecasts the company and writes Parquet,
//! CSV and JSON; an order log can be split to see how good the forecasts are. A fit
//! that the data do not support is reported as what it is, and one to a filtered file is corrected
//! for the filter.
//!
//! # Layout
//! * [`pipeline`]: the flow, on one page; read this first.
//! * [`evaluation`]: proof on a holdout, on one page too. [`comparison`]: one run against an earlier
//!   one.
//! * [`trained`]: model.json, a fit that scores later exports. [`champion`]: which model is in use.
//!   [`drift`]: whether customers are still distributed as they were.
//! * [`settings`]: the pipeline file as typed, checked values.
//! * [`frame`]: all Polars code. [`model`]: all statistics. They meet in [`customers`].
//! * [`math`]: pure functions.
//! * [`contract`]: what the input has to be like. [`draft`]: a pipeline file for an input that nobody
//!   described.
//! * [`selection`]: how customers came to be in the file. [`remarks`]: what else to know.
//! * [`advice`]: what to do about each segment.
//! * [`facts`]: the figures of findings and advice. [`report`]: the same in words, in two languages.
//! * [`figures`]: what the charts of a report show.
//! * [`output`]: files, written whole or not at all.
//! * [`fingerprint`]: size and hash of a file. [`audit`]: what happened to the rows, and when.
//! * [`remote`]: input and output in object stores.
//! * [`progress`]: where a run stands.
//! * [`simulate`]: exports and order logs from known parameters.
//!
//! # Example
//! ```no_run
//! use cltv::settings::{Overrides, load};
//!
//! # fn main() -> Result<(), cltv::error::Error> {
//! let settings = load("pipelines/flo.toml".as_ref(), &Overrides::default())?;
//! let run = cltv::pipeline::analyse(&settings)?;
//! println!("{} customers", run.scored.height());
//! # Ok(())
//! # }
//! ```
//!
//! # Words
//! | word | meaning |
//! |---|---|
//! | frequency, x | repeat orders (orders − 1), or all orders where the pipeline says so |
//! | recency, t_x | time from the first to the last order; not RFM's days since the last order |
//! | T | time from the first order to the observation end |
//! | monetary value, m | mean value per order |
//! | P(alive) | probability that the customer has not left |

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod comparison;
pub mod customers;
pub mod error;
pub mod evaluation;
pub mod frame;
pub mod math;
pub mod model;
pub mod model_file;
pub mod output;
pub mod pipeline;
pub mod progress;
pub mod report;
pub mod results;
pub mod run;
pub mod settings;
pub mod simulate;
pub mod storage;
