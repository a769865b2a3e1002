//! The exchange of an output folder, whole or not at all.

pub mod hidden;
pub mod kind;
pub mod lock;
pub mod recovery;
pub mod staging;
pub mod target;
