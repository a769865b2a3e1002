//! The covariance of the estimates: how precisely the parameters are known.

use serde::{Deserialize, Serialize};

use crate::math::linear::{invert_positive_definite, smallest_eigenpair};
use crate::model::likelihood::maximise::Objective;

/// Covariance of ln θ at an unpenalised optimum.
///
/// # Formula
/// The inverse of the observed information, which is n times the matrix of second derivatives, in
/// η = ln θ, of the mean negative log-likelihood (by differences of its analytic gradient). For θ
/// itself the delta method gives Cov(θᵢ, θⱼ) = θᵢ θⱼ Cov(ηᵢ, ηⱼ).
///
/// # Reference
/// Efron & Hinkley (1978), Biometrika 65(3), for observed rather than expected information.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Covariance {
    /// Cov(ηᵢ, ηⱼ).
    pub log_scale: Vec<Vec<f64>>,
    /// Largest over smallest eigenvalue of the information on the log scale.
    pub condition_number: f64,
    /// Unit vector in η along which the likelihood is flattest.
    pub flattest: Vec<f64>,
}

impl Covariance {
    /// The covariance at an optimum θ (not its logarithm).
    ///
    /// Returns `None` under a penalty, or when the information is not positive definite.
    pub fn at(objective: &Objective<'_>, parameters: &[f64]) -> Option<Self> {
        if objective.l2_penalty > 0.0 {
            return None;
        }
        let log_parameters: Vec<f64> = parameters.iter().map(|p| p.ln()).collect();
        let information = objective.hessian(&log_parameters);
        let inverse = invert_positive_definite(&information)?;
        // The largest eigenvalue of a matrix is the reciprocal of the smallest of its inverse.
        let (smallest, flattest) = smallest_eigenpair(&inverse);
        let (inverse_of_largest, _) = smallest_eigenpair(&information);
        let per_customer = |row: &Vec<f64>| row.iter().map(|c| c / objective.customers).collect();
        Some(Self {
            log_scale: inverse.iter().map(per_customer).collect(),
            condition_number: 1.0 / (smallest * inverse_of_largest),
            flattest,
        })
    }

    /// Whether some parameter has a standard error of several times its size: then the likelihood
    /// is flat in some direction, and the normal approximation does not describe it.
    pub fn is_flat(&self) -> bool {
        const SEVERAL: f64 = 3.0;
        self.log_standard_errors().iter().any(|error| *error > SEVERAL)
    }

    /// Standard errors of ln θ, which are the relative standard errors of θ.
    pub fn log_standard_errors(&self) -> Vec<f64> {
        (0..self.log_scale.len()).map(|i| self.log_scale[i][i].sqrt()).collect()
    }
}
