//! Numbers behind the charts of a report.

pub mod customer_curves;
pub mod fit_check;
pub mod histograms;
pub mod interpretation;
