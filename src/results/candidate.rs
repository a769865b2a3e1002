//! Fitted models, side by side.

use serde::{Deserialize, Serialize};

use crate::settings::Family;

/// One model in the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Candidate {
    /// The model.
    pub model: Family,
    /// Log-likelihood without a penalty; null when the fit did not converge.
    pub log_likelihood: Option<f64>,
    /// Akaike's criterion, 2k − 2ℓ: lower is better.
    pub aic: Option<f64>,
    /// Whether its dropout vanished, so that it is the NBD.
    pub without_dropout: bool,
}
