//! Fitted models with diagnoses of the fit; only these can predict.
//!
//! # Layout
//! * [`purchases`]: the purchase model's fit, next to the NBD that each dropout model nests.
//! * [`spend`]: the spend model's fit.
//! * [`family_fit`]: one model of the family at its optimum.
//! * [`diagnosis`]: what is wrong with a purchase fit, in words.
//! * [`bootstrap`]: refits with random weights.

pub mod bootstrap;
pub mod diagnosis;
pub mod family_fit;
pub mod purchases;
pub mod spend;
