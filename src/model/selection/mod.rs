//! A file that holds only some of the customers: stated, detected, corrected for.

pub mod channels;
pub mod detection;
pub mod probability;
pub mod stated;
