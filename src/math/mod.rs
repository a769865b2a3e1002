//! Pure functions on `f64`: no data frames, no optimiser, no settings.
//!
//! # Layout
//! * [`special`]: log-gamma, digamma, log-beta, log-sum-exp.
//! * [`beta_mean`]: means over a dropout probability. [`dropout`]: orders before dropout.
//! * [`power_integral`]: areas under two powers, behind Pareto/NBD.
//! * [`negative_binomial`]: order counts at gamma-distributed rates.
//! * [`correlation`]: correlation and ranks.
//! * [`chebyshev`]: interpolation of smooth functions.
//! * [`quantile`]: quantiles of a sample. [`bins`]: bins of a round width.
//! * [`linear`]: differentiation of gradients and inversion of small symmetric matrices.

pub mod beta_mean;
pub mod bins;
pub mod chebyshev;
pub mod correlation;
pub mod dropout;
pub mod linear;
pub mod negative_binomial;
pub mod power_integral;
pub mod quantile;
pub mod special;
