//! Fitted models with their verdict; only these can predict.

pub mod bootstrap;
pub mod diagnosis;
pub mod purchases;
pub mod spend;
