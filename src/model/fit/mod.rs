//! Fitted models with diagnoses of the fit; only these can predict.
//!
//! # Layout
//! * [`purchases`]: the purchase model's fit, next to the NBD that each dropout model nests.
//! * `candidates`: the models of the family side by side. `choice`: which of them predicts.
//!   `family_check`: whether another one is better than that.
//! * `regular`: models of regular buyers, and which k fits best. `gaps`: the times between orders, which
//!   tell.
//! * `data`: the input of a purchase fit. [`family_fit`]: one model of the family at its optimum.
//!   [`failure`]: why one has none. [`steady`]: the Poisson limit of the NBD.
//! * [`spend`]: the spend model's fit. `credibility`: the shrunk mean of order values, where that
//!   fails.
//! * [`diagnosis`]: what is wrong with a purchase fit, in words. `replacement`: the same where another
//!   model had to take the place of the one that was asked for. `spend_diagnosis`: the same of a
//!   spend fit.
//! * [`bootstrap`]: refits with random weights. `other_selection`: a refit under another selection.

pub mod bootstrap;
pub(crate) mod candidates;
pub(crate) mod choice;
pub(crate) mod credibility;
pub(crate) mod data;
pub mod diagnosis;
pub mod failure;
pub(crate) mod family_check;
pub mod family_fit;
pub(crate) mod gaps;
pub(crate) mod other_selection;
pub mod purchases;
pub(crate) mod regular;
pub(crate) mod replacement;
pub mod spend;
pub(crate) mod spend_diagnosis;
pub mod steady;
