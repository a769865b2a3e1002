//! The report: what a run found out, for people who decide about customers.

pub mod locale;
pub mod texts;
