//! An estimated parameter with its standard error, and how a fit ended.

use serde::{Deserialize, Serialize};

use crate::model::likelihood::maximise::Optimum;
use crate::results::named_values::NamedValues;

/// One estimated parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Symbol in the paper.
    pub name: &'static str,
    /// Estimate; 0 where dropout went to zero.
    pub value: f64,
    /// Standard error from the inverse observed information, by the delta method from the log
    /// scale; `None` under a penalty, on a boundary or where the information matrix is singular.
    pub standard_error: Option<f64>,
    /// Whether the data determine the parameter.
    pub identified: bool,
}

impl Parameter {
    /// Estimates by name.
    pub fn values(parameters: &[Self]) -> NamedValues<f64> {
        parameters.iter().map(|p| (p.name, p.value)).collect()
    }

    /// Standard errors by name.
    pub fn standard_errors(parameters: &[Self]) -> NamedValues<Option<f64>> {
        parameters.iter().map(|p| (p.name, p.standard_error)).collect()
    }

    /// Names of the parameters that the data do not determine.
    pub fn not_identified(parameters: &[Self]) -> Vec<String> {
        parameters.iter().filter(|p| !p.identified).map(|p| p.name.to_owned()).collect()
    }
}

/// How a fit ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// Whether the gradient vanishes at the estimate.
    pub converged: bool,
    /// Norm of the gradient of the mean negative log-likelihood on the log scale.
    pub gradient_norm: f64,
    /// Solver iterations from the best start.
    pub iterations: u64,
    /// Number of starts that were tried.
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
