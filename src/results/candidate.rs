//! Fitted models, side by side.

use serde::{Deserialize, Serialize};

use crate::settings::Family;

/// What became of a model in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It predicts, since its AIC is the lowest.
    Best,
    /// It predicts, since the pipeline names it.
    Named,
    /// It predicts, since no model that the pipeline asks for could be fitted.
    InPlace,
    /// Another model predicts.
    Other,
    /// Its dropout vanished, so that it is the NBD.
    Nbd,
    /// It could not be fitted.
    Failed,
}

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
    /// Its mean P(alive) over the customers of the comparison; left out when it was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_alive: Option<f64>,
    /// Customers in the sample that the models are compared on; left out when they are compared on all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<f64>,
    /// What became of it; left out in a run of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
