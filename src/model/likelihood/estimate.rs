//! Estimated parameters, and how the fit ended.

use serde::{Deserialize, Serialize};

use crate::model::likelihood::maximise::Optimum;

/// One estimated number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Symbol in the paper.
    pub name: &'static str,
    /// Estimate; 0 for a dropout that went to zero.
    pub value: f64,
    /// Square root of the inverse observed information, delta method from the log scale; none
    /// under a penalty, on a boundary or where the information matrix is singular.
    pub standard_error: Option<f64>,
    /// Whether the data determine it.
    pub identified: bool,
}

/// How a fit ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// Whether the gradient vanishes at the estimate.
    pub converged: bool,
    /// Norm of the gradient of the mean negative log-likelihood on the log scale.
    pub gradient_norm: f64,
    /// Iterations of the best start.
    pub iterations: u64,
    /// Starts that were tried.
    pub starts: usize,
    /// Why the solver stopped, in its own words.
    pub termination: String,
}

impl From<&Optimum> for Convergence {
    fn from(optimum: &Optimum) -> Self {
        Self {
            converged: optimum.converged(),
            gradient_norm: optimum.gradient_norm,
            iterations: optimum.iterations,
            starts: optimum.starts,
            termination: optimum.termination.clone(),
        }
    }
}
