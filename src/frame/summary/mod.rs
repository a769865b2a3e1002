//! From rows to the CLTV frame: one row per customer.

pub mod export;
pub mod log;
pub mod outliers;
