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

#[cfg(test)]
mod tests {
    use super::*;

    /// ℓ = −n/2 · (η − m)ᵀA(η − m), whose information on the log scale is nA.
    fn quadratic(a: [[f64; 2]; 2], customers: f64, l2_penalty: f64) -> Objective<'static> {
        let log_likelihood = move |theta: &[f64]| {
            let d = [theta[0].ln() - 0.3, theta[1].ln() + 0.7];
            let slope = a.map(|row| row[0] * d[0] + row[1] * d[1]);
            let value = -customers / 2.0 * (d[0] * slope[0] + d[1] * slope[1]);
            (value, (0..2).map(|i| -customers * slope[i] / theta[i]).collect())
        };
        Objective { log_likelihood: Box::new(log_likelihood), customers, l2_penalty }
    }

    fn at_maximum(objective: &Objective<'_>) -> Option<Covariance> {
        Covariance::at(objective, &[0.3f64.exp(), (-0.7f64).exp()])
    }

    #[test]
    fn of_a_quadratic_it_is_the_inverse_of_the_information() {
        // A = (5 2; 2 2) has the inverse (2 −2; −2 5)/6 and the eigenvalues 6, and 1 along (−1, 2).
        let objective = quadratic([[5.0, 2.0], [2.0, 2.0]], 50.0, 0.0);
        let covariance = at_maximum(&objective).expect("positive definite");
        let expected = [[2.0, -2.0], [-2.0, 5.0]].map(|row| row.map(|c| c / 300.0));
        for (found, expected) in covariance.log_scale.iter().flatten().zip(expected.as_flattened())
        {
            assert!((found / expected - 1.0).abs() < 1e-7, "{found} {expected}");
        }
        assert!((covariance.condition_number / 6.0 - 1.0).abs() < 1e-7);
        let along = [-1.0 / 5f64.sqrt(), 2.0 / 5f64.sqrt()];
        for (found, expected) in covariance.flattest.iter().zip(along) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn the_relative_error_of_a_poisson_rate() {
        // n counts with mean 4: ℓ = n(4 ln θ − θ), −∂²ℓ/∂η² = nθ. At n = 25 the error of ln θ is
        // 1/√100, and that of θ is √(θ/n) = 0.4, as the variance of a Poisson mean implies.
        let log_likelihood = |theta: &[f64]| {
            (25.0 * (4.0 * theta[0].ln() - theta[0]), vec![100.0 / theta[0] - 25.0])
        };
        let objective = Objective {
            log_likelihood: Box::new(log_likelihood),
            customers: 25.0,
            l2_penalty: 0.0,
        };
        let covariance = Covariance::at(&objective, &[4.0]).expect("positive definite");
        let [error] = covariance.log_standard_errors()[..] else { panic!("one parameter") };
        assert!((error / 0.1 - 1.0).abs() < 1e-7, "{error}");
        assert!((error * 4.0 / 0.4 - 1.0).abs() < 1e-7, "{error}");
    }

    #[test]
    fn there_is_none_without_a_strict_maximum_or_under_a_penalty() {
        assert!(at_maximum(&quadratic([[1.0, 0.0], [0.0, 1.0]], 9.0, 0.0)).is_some());
        // A parameter that changes nothing, a saddle, a minimum.
        for a in [[1.0, 0.0], [1.0, -1.0], [-1.0, -1.0]] {
            let objective = quadratic([[a[0], 0.0], [0.0, a[1]]], 9.0, 0.0);
            assert_eq!(at_maximum(&objective), None, "{a:?}");
        }
        assert_eq!(at_maximum(&quadratic([[1.0, 0.0], [0.0, 1.0]], 9.0, 1e-9)), None);
    }

    #[test]
    fn flat_is_an_error_of_more_than_three_times_a_parameter() {
        // One customer: the errors are 1 and √8 = 2.83, then 1 and √10 = 3.16.
        for (variance, flat) in [(8.0, false), (10.0, true)] {
            let objective = quadratic([[1.0, 0.0], [0.0, 1.0 / variance]], 1.0, 0.0);
            let covariance = at_maximum(&objective).expect("positive definite");
            assert_eq!(covariance.is_flat(), flat, "{variance}");
        }
    }
}
