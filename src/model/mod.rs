//! Statistics on slices: knows the optimiser, not the data frame.
//!
//! # Layout
//! * [`nbd`], [`bg_nbd`], [`mbg_nbd`], [`pareto_nbd`]: when and whether customers order again; one
//!   story, one file. [`family`]: what all of them can say.
//! * [`gamma_gamma`]: what an order is worth.
//! * [`patterns`]: distinct purchase histories, each evaluated once.
//! * [`kept`]: the probability of being in a filtered file. [`channels`]: where the filter asks for
//!   orders in both channels. [`detection`]: signs of a filter.
//! * [`fit`]: maximum likelihood with argmin, the same way for every model.
//! * [`purchases`], [`spend`]: a fit with its verdict; only these can predict. `diagnosis`: the
//!   verdict in words.
//! * [`covariance`], [`bootstrap`]: how exactly parameters are known.
//! * [`mod@predict`]: expected orders, P(alive), average value, discounted lifetime value.
//! * [`company`]: orders and revenue week by week, through `curves`. [`tracking`]: the same of the past, beside what
//!   happened. [`holdout`]: how good a forecast was.
//! * [`migration`], [`outcome`], [`change`]: what became of segments, forecasts and parameters from one
//!   run to the next.
//! * [`futures`]: possible futures, drawn. [`intervals`]: how far forecasts can be off.
//! * For the charts of a report: [`counts`]: how customers are distributed. [`fit_check`]: the fit
//!   beside the data. [`meaning`]: what parameters mean. [`portrait`]: what the model says of one
//!   customer.

pub mod bg_nbd;
pub mod charts;
pub mod evaluate;
pub mod fit;
pub mod forecast;
pub mod gamma_gamma;
pub mod likelihood;
pub mod mbg_nbd;
pub mod nbd;
pub mod pareto_nbd;
pub mod purchase_model;
pub mod selection;
pub mod simulation;

pub use fit::purchases::{FittedPurchases, fit_purchases};
pub use fit::spend::{FittedSpend, fit_spend};
pub use forecast::predict::{Predictions, predict};
pub use likelihood::patterns::CustomerPatterns;
pub use purchase_model::PurchaseModel;

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
