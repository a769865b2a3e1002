//! What a run tells, as plain values that can be written and read back.

pub mod advice;
pub mod chart_data;
pub mod facts;
pub mod findings;
pub mod version;
