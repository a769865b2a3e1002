//! Pure functions on `f64`: no data frames, no optimiser, no settings.
//!
//! # Layout
//! * [`special`]: log-gamma, digamma, log-beta, log-sum-exp.
//! * [`beta_mean`]: means over a beta-distributed dropout probability.
//! * [`dropout`]: expected orders before dropout (BG/NBD), without 2F1.
//! * [`power_integral`]: integrals of two powers (Pareto/NBD), without 2F1.
//! * [`negative_binomial`]: order counts at gamma-distributed rates. [`stages`]: orders that take
//!   several stages each.
//! * [`poisson_regression`]: counts against what is expected of each. [`tail`]: probabilities beyond
//!   a value.
//! * [`correlation`]: correlation and ranks.
//! * [`chebyshev`]: interpolation of smooth functions.
//! * [`quantile`]: quantiles of a sample. [`bins`]: bins of a round width.
//! * [`linear`]: Hessians from gradients; inverses and eigenvectors of small symmetric matrices.

pub mod beta_mean;
pub mod bins;
pub mod chebyshev;
pub mod correlation;
pub mod dropout;
pub mod linear;
pub mod negative_binomial;
pub mod poisson_regression;
pub mod power_integral;
pub mod quantile;
pub mod special;
pub mod stages;
pub mod tail;
