//! Statistics on slices: knows the optimiser, not the data frame.
//!
//! # Layout
//! * [`bg_nbd`], [`nbd`]: when and whether customers order again.
//! * [`gamma_gamma`]: what an order is worth.
//! * [`patterns`]: distinct purchase histories, each evaluated once.
//! * [`fit`]: maximum likelihood with argmin, the same way for every model.
//! * [`purchases`], [`spend`]: a fit with its verdict; only these can predict.
//! * [`mod@predict`]: expected orders, P(alive), average value, discounted lifetime value.
//! * [`selection`]: signs that the file holds only a part of the customers.

pub mod bg_nbd;
pub mod fit;
pub mod gamma_gamma;
pub mod nbd;
pub mod patterns;
pub mod predict;
pub mod purchases;
pub mod selection;
pub mod spend;

pub use predict::{Predictions, predict};
pub use purchases::{FittedPurchases, fit_purchases};
pub use spend::{FittedSpend, fit_spend};

use serde::Serialize;

use crate::math::linear::{hessian_from_gradient, invert_positive_definite};
use fit::{Objective, Optimum};

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
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// Whether some parameter has no standard error, or one of several times its size: the
/// likelihood is flat in some direction, or still rising at the edge of the parameter space.
/// Says nothing under a penalty, which has no standard errors.
fn is_flat(parameters: &[f64], errors: &[Option<f64>], l2_penalty: f64) -> bool {
    const SEVERAL: f64 = 3.0;
    let unknown = |(p, error): (&f64, &Option<f64>)| error.is_none_or(|e| e > SEVERAL * p);
    l2_penalty == 0.0 && parameters.iter().zip(errors).any(unknown)
}

/// Standard errors of θ at an unpenalised optimum.
///
/// # Formula
/// n times the Hessian of the mean negative log-likelihood in η = ln θ is the observed
/// information; se(θⱼ) = θⱼ · √(I⁻¹)ⱼⱼ (delta method).
fn standard_errors<F>(objective: &Objective<F>, parameters: &[f64]) -> Vec<Option<f64>>
where
    F: Fn(&[f64]) -> (f64, Vec<f64>),
{
    if objective.l2_penalty > 0.0 {
        return vec![None; parameters.len()];
    }
    let log_parameters: Vec<f64> = parameters.iter().map(|p| p.ln()).collect();
    let hessian = hessian_from_gradient(|eta| objective.evaluate(eta).1, &log_parameters);
    let Some(inverse) = invert_positive_definite(&hessian) else {
        return vec![None; parameters.len()];
    };
    parameters
        .iter()
        .enumerate()
        .map(|(j, p)| Some(p * (inverse[j][j] / objective.customers).sqrt()))
        .collect()
}
