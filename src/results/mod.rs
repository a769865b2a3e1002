//! What a run tells, as plain values that can be written and read back.

pub mod advice;
pub mod chart_data;
pub mod facts;
pub mod findings;
pub mod fit;
pub mod forecast;
pub mod migration;
pub mod named_values;
pub mod profiles;
pub mod rows;
pub mod run_document;
pub mod version;
