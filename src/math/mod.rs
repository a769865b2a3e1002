//! Pure functions on `f64`: no data frames, no optimiser, no settings.
//!
//! # Layout
//! * [`special`]: log-gamma, digamma, log-beta, log-sum-exp.
//! * [`dropout`]: the integral over the dropout probability behind BG/NBD forecasts.
//! * [`linear`]: differentiation of gradients and inversion of small symmetric matrices.

pub mod dropout;
pub mod linear;
pub mod special;
