//! The numbers behind the charts of a report; their types are in [`crate::results::chart_data`].
//!
//! # Layout
//! * [`histograms`]: how customers are distributed.
//! * [`fit_check`]: customers by frequency and silence, observed and expected under the fit.
//! * [`interpretation`]: what the parameters mean, in quantities that a reader can picture.
//! * [`customer_curves`]: P(alive) and expected orders by frequency and recency, and over time.

pub mod customer_curves;
pub mod fit_check;
pub mod histograms;
pub mod interpretation;
