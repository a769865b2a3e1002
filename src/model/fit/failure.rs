//! Why a model could not be fitted.

use serde::{Deserialize, Serialize};

use crate::model::likelihood::maximise::Optimum;
use crate::settings::Family;

/// Why a model of the family has no fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case", deny_unknown_fields)]
pub enum Failure {
    /// The likelihood keeps rising as a parameter runs to 0 or to infinity.
    Limit {
        /// The parameter.
        parameter: String,
        /// 0 or ∞.
        limit: String,
    },
    /// The gradient does not vanish where the search ended.
    Gradient {
        /// Its norm there.
        norm: f64,
        /// Iterations of the solver.
        iterations: u64,
    },
    /// No start has a finite likelihood.
    Nowhere,
    /// There are fewer distinct histories than a model with dropout needs.
    FewHistories {
        /// Distinct histories.
        histories: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Nobody ordered again, so that nothing is known about dropout.
    NobodyRepeated,
}

/// A model that could not be fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replaced {
    /// The model.
    pub model: Family,
    /// Why.
    pub why: Failure,
}

impl Failure {
    /// The optimum, or why it is none.
    pub(crate) fn unless_converged(
        optimum: Option<Optimum>,
        family: Family,
    ) -> Result<Optimum, Self> {
        let Some(optimum) = optimum else {
            return Err(Self::Nowhere);
        };
        if optimum.converged() {
            return Ok(optimum);
        }
        // Coefficients of the calendar follow the parameters of the model.
        let named = |edge: usize| Some((*family.parameters().get(edge)?, optimum.parameters[edge]));
        let edge = optimum.at_edge().next();
        Err(match edge.and_then(named) {
            Some((name, value)) => Self::Limit {
                parameter: name.to_owned(),
                limit: if value < 1.0 { "0" } else { "∞" }.to_owned(),
            },
            None => Self::Gradient { norm: optimum.gradient_norm, iterations: optimum.iterations },
        })
    }

    /// Why, as the end of a sentence that has named the model.
    pub fn words(&self) -> String {
        match self {
            Self::Limit { parameter, limit } => {
                format!("the likelihood keeps rising as {parameter} → {limit}")
            }
            Self::Gradient { norm, iterations } => {
                format!(
                    "no maximum found: the gradient norm is {norm:.1e} after {iterations} iterations"
                )
            }
            Self::Nowhere => "no point has a finite likelihood".to_owned(),
            Self::FewHistories { histories, needed } => {
                format!("only {histories} distinct histories, at least {needed} are needed")
            }
            Self::NobodyRepeated => "nobody ordered twice".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn optimum(parameters: &[f64], gradient_norm: f64) -> Optimum {
        Optimum {
            parameters: parameters.to_vec(),
            value: 1.0,
            gradient_norm,
            iterations: 17,
            starts: 2,
            termination: "a reason".to_owned(),
        }
    }

    #[test]
    fn only_a_vanishing_gradient_is_a_fit() {
        let why = |optimum, family| match Failure::unless_converged(optimum, family) {
            Err(failure) => failure.words(),
            Ok(optimum) => panic!("{optimum:?}"),
        };
        let fine = optimum(&[1.0, 2.0], 1e-7);
        let same = Failure::unless_converged(Some(fine.clone()), Family::Nbd);
        assert_eq!(same.expect("a fit"), fine);
        let steep = why(Some(optimum(&[1.0, 2.0], 1e-5)), Family::Nbd);
        assert_eq!(steep, "no maximum found: the gradient norm is 1.0e-5 after 17 iterations");
        // A search ends at e^±40.
        let edge = |at: f64| Some(optimum(&[1.0, 2.0, 3.0, at.exp()], 1.0));
        let low = why(edge(-40.0), Family::ParetoNbd);
        assert_eq!(low, "the likelihood keeps rising as beta → 0");
        let high = why(edge(40.0), Family::BgNbd);
        assert_eq!(high, "the likelihood keeps rising as b → ∞");
        assert_eq!(why(None, Family::MbgNbd), "no point has a finite likelihood");
    }
}
