//! Which rows are counted and which are set aside.

pub mod column_types;
pub mod export;
pub mod judged;
pub mod log;
