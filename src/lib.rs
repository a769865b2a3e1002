//! What each customer of a retailer will be worth, from a customer export or an order log.
//!
//! A run loads the input with lazy Polars, sets bad rows aside, suppresses outliers, summarises
//! each customer (frequency, recency, T, monetary value), fits a model of orders (BG/NBD,
//! MBG/NBD, Pareto/NBD) and one of order values (Gamma-Gamma) with argmin, predicts orders and
//! discounted lifetime value, cuts customers into segments, forecasts the company and writes
//! Parquet, CSV and JSON. An order log can be split to see how good the forecasts are. A fit that
//! the data do not support is reported as such, and a fit to a filtered file is corrected for the
//! filter.
//!
//! # The interface
//! * [`pipeline`]: run a pipeline file, or parts of it. [`settings`]: pipeline files as typed
//!   values.
//! * [`customers`]: purchase histories as plain columns. [`model`]: fit models to them and predict.
//! * [`evaluation`]: calibration and holdout. [`comparison`]: one run against an earlier one.
//! * [`results`]: the results of a run, including run.json. [`error`]: what can go wrong.
//! * [`simulate`]: exports and order logs from known parameters.
//!
//! The feature `cli` is the program `cltv`, `cloud` its access to object stores. Both are on by
//! default; without them the library compiles neither.
//!
//! # Examples
//! BG/NBD, the probability that customers are still there, and what they will order:
//! ```
//! use cltv::customers::{Histories, HistoryColumns};
//! use cltv::model::{CustomerPatterns, fit_purchases};
//! use cltv::settings::Purchases;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Twelve customers, times in weeks.
//! let histories = Histories::new(HistoryColumns {
//!     // Repeat orders.
//!     frequency: vec![0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 6.0, 1.0, 0.0, 2.0, 4.0, 1.0],
//!     // From the first order to the last.
//!     recency: vec![0.0, 0.0, 5.0, 20.0, 30.0, 0.0, 31.0, 2.0, 0.0, 9.0, 33.0, 28.0],
//!     // From the first order to the end of the observation.
//!     age: vec![38.0, 37.0, 38.0, 38.0, 38.0, 35.0, 35.0, 35.0, 34.0, 36.0, 36.0, 33.0],
//!     ..HistoryColumns::default()
//! })?;
//! let customers = CustomerPatterns::of(&histories);
//! let fitted = fit_purchases(&customers.patterns, &Purchases::default(), None)?;
//! for customer in histories.iter() {
//!     // `None` where the model cannot compute them to full accuracy.
//!     let in_half_a_year = fitted.model.expected_orders(customer, 26.0).ok_or("not computed")?;
//!     println!("{:.2} {in_half_a_year:.1}", fitted.model.p_alive(customer));
//! }
//! // What to know about the fit: here, whether so few customers determine the parameters.
//! for finding in &fitted.findings {
//!     println!("{}: {}", finding.code, finding.message);
//! }
//! # Ok(())
//! # }
//! ```
//! A pipeline file, from the input to lifetime values:
//! ```
//! use cltv::settings::{Overrides, load};
//!
//! # fn main() -> Result<(), cltv::error::Error> {
//! let settings = load("pipelines/flo.toml".as_ref(), &Overrides::default())?;
//! let run = cltv::pipeline::analyse(&settings)?;
//! // `None` where the pipeline has no order values.
//! if let Some(worth) = run.profiles.company.total_cltv {
//!     println!("{} customers, worth {worth:.0}", run.scored.height());
//! }
//! for finding in &run.findings {
//!     println!("{}: {}", finding.code, finding.message);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//! The floors of src, from the top. A folder imports only from floors below its own; the test
//! tests/suite/architecture.rs checks it.
//! 1. `cli`: the command line, one file per subcommand.
//! 2. [`evaluation`]: calibration and holdout.
//! 3. [`pipeline`]: the flow, on one page; read this first. [`comparison`]: one run against an
//!    earlier one.
//! 4. `output`: files, written whole or not at all.
//! 5. `run`: what a run found.
//! 6. `model_file`: model.json, a fit that scores later exports. [`simulate`]: simulated customers.
//! 7. `frame`: data frames in Polars. [`model`]: statistics on slices. They meet in [`customers`].
//!    `report`: the page for management; it computes nothing.
//! 8. [`results`]: the results of a run, as plain types.
//! 9. [`settings`]: the pipeline file. [`customers`].
//! 10. `storage`: files, local or in object stores, and whose they are.
//! 11. [`error`]. `progress`: the stage that a run is in.
//! 12. `math`: pure functions. `safe_text`: text from outside, made safe for where it is shown.
//!
//! # Words
//! | word | meaning |
//! |---|---|
//! | frequency, x | repeat orders (orders − 1), or all orders where the pipeline says so |
//! | recency, t_x | time from the first to the last order; not RFM's days since the last order |
//! | T | time from the first order to the observation end |
//! | monetary value, m | mean value per order |
//! | P(alive) | probability that the customer has not left |
//! | selection probability | probability that a customer is in a filtered file |

// Without the program, nobody calls what only its commands need. With it, the compiler finds code
// that nobody calls.
#![cfg_attr(not(feature = "cli"), allow(dead_code))]

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod comparison;
pub mod customers;
pub mod error;
pub mod evaluation;
mod frame;
mod math;
pub mod model;
mod model_file;
mod output;
pub mod pipeline;
mod progress;
mod report;
pub mod results;
mod run;
mod safe_text;
pub mod settings;
pub mod simulate;
mod storage;

/// For the tests of this repository; not part of the interface.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod internal {
    pub use crate::frame::guess::inspect::{Stated, inspect};
    pub use crate::output::folder::kind::OutputKind;
    pub use crate::output::folder::target::Target;
    pub use crate::pipeline::advise::advise;
    pub use crate::report::texts::{Language, Words};
}
