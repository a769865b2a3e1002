//! How the parameters of the spend model were found.

use serde::{Deserialize, Serialize};

/// How p, q and v were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpendMethod {
    /// By (penalised) maximum likelihood.
    #[default]
    MaximumLikelihood,
    /// From the variances within and between customers, where that found nothing: the model then
    /// gives the shrunk mean of a customer's order values.
    Credibility,
}
