//! NBD: customers order at their own steady rate and never leave.
//!
//! Each customer orders as a Poisson process with rate λ; rates differ between customers as
//! Gamma(r, α). Nobody drops out. It is the limit of BG/NBD as dropout vanishes (a → 0), and so
//! what a degenerate BG/NBD fit really is.
//!
//! # Reference
//! Ehrenberg (1959), Applied Statistics 8(1); Fader, Hardie & Lee (2005), Marketing Science
//! 24(2), the case p = 0.

use super::patterns::Patterns;
use crate::math::special::{digamma_rise, ln_rising};

/// NBD parameters: λ ~ Gamma(shape r, rate α), α in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nbd {
    /// Shape of the order rates.
    pub r: f64,
    /// Rate parameter of the order rates, in time units.
    pub alpha: f64,
}

impl Nbd {
    /// Expected orders in (T, T + horizon].
    ///
    /// # Formula
    /// (r + x)/(α + T) · t
    pub fn expected_orders(&self, horizon: f64, x: f64, age: f64) -> f64 {
        (self.r + x) / (self.alpha + age) * horizon
    }
}

/// Log-likelihood summed over all customers, and its gradient in (r, α).
///
/// # Formula
/// Γ(r+x) α^r / Γ(r) · (α+T)^−(r+x), as the BG/NBD likelihood without dropout.
pub fn log_likelihood(patterns: &Patterns, parameters: &[f64]) -> (f64, Vec<f64>) {
    let (r, alpha) = (parameters[0], parameters[1]);
    let ln_alpha = alpha.ln();
    let of_x: Vec<(f64, f64)> =
        patterns.frequency.iter().map(|x| (ln_rising(r, *x), digamma_rise(r, *x))).collect();
    let of_age: Vec<f64> = patterns.age.iter().map(|age| (alpha + age).ln()).collect();
    let (mut sum, mut d_r, mut d_alpha) = (0.0, 0.0, 0.0);
    for row in &patterns.rows {
        let (x, _, age) = patterns.numbers(row);
        let (ln_gamma_ratio, digamma_difference) = of_x[row.x as usize];
        let ln_age = of_age[row.age as usize];
        sum += row.count * (ln_gamma_ratio + r * ln_alpha - (r + x) * ln_age);
        d_r += row.count * (digamma_difference + ln_alpha - ln_age);
        d_alpha += row.count * (r / alpha - (r + x) / (alpha + age));
    }
    (sum, vec![d_r, d_alpha])
}
