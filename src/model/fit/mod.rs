//! Fitted models with their verdict; only these can predict.

pub mod bootstrap;
pub mod diagnosis;
pub mod family_fit;
pub mod purchases;
pub mod spend;
