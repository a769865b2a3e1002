//! NBD: customers order at their own steady rate and never leave.
//!
//! Each customer orders as a Poisson process with rate λ; rates differ between customers as
//! Gamma(r, α). Nobody drops out. The NBD is the limit of every dropout model as dropout vanishes
//! (a → 0, s → 0), so a degenerate fit of such a model is really this one.
//!
//! # Reference
//! Ehrenberg (1959), Applied Statistics 8(1); Fader, Hardie & Lee (2005), Marketing Science
//! 24(2), the case p = 0.

use std::ops::Range;

use crate::math::negative_binomial::add_probabilities;
use crate::math::special::{digamma_rise, ln_rising};
use crate::model::likelihood::patterns::Patterns;
use crate::model::selection::channels::InWindow;
use crate::model::selection::probability::{SelectionProbability, SelectionRule, p_any_order};

/// NBD parameters: λ ~ Gamma(shape r, rate α), α in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nbd {
    /// Shape of the order rates.
    pub r: f64,
    /// Rate parameter of the order rates, in time units.
    pub alpha: f64,
}

impl Nbd {
    /// Expected orders in (T, T + horizon] of a customer with x orders up to T.
    ///
    /// # Formula
    /// (r + x)/(α + T) · t
    pub fn orders_if_alive(&self, horizon: f64, x: f64, age: f64) -> f64 {
        (self.r + x) / (self.alpha + age) * horizon
    }

    /// P(n orders in (T, T + horizon]) for each n of `counts`.
    ///
    /// # Formula
    /// Negative binomial with shape r+x and τ = t/(α+T).
    pub fn distribution_if_alive(
        &self,
        horizon: f64,
        x: f64,
        age: f64,
        counts: Range<u32>,
    ) -> Vec<f64> {
        let mut all = vec![0.0; counts.len()];
        let tau = horizon / (self.alpha + age);
        add_probabilities(self.r + x, tau, 1.0, counts.start, &mut all);
        all
    }

    /// P(selected | T) for T up to `oldest`.
    ///
    /// Returns `None` when the quadrature over channel shares does not reach that far.
    pub fn selection_probability(
        &self,
        selection: &SelectionRule,
        oldest: f64,
    ) -> Option<NbdSelection> {
        let shares = match selection.both_channels {
            Some(mix) => Some(mix.shares(oldest, self.alpha)?),
            None => None,
        };
        Some(NbdSelection { model: *self, window: selection.window, shares })
    }
}

/// P(selected) under NBD.
pub struct NbdSelection {
    model: Nbd,
    window: f64,
    /// Quadrature over the share π of the first channel: π, 1−π, weight.
    shares: Option<Vec<(f64, f64, f64)>>,
}

impl SelectionProbability for NbdSelection {
    /// # Formula
    /// 1 − (α/(α + min(T, W)))^r, that is, at least one order within the window. With both
    /// channels, minus the probability that all orders went through one.
    fn at(&self, age: f64) -> [f64; 5] {
        let Nbd { r, alpha } = self.model;
        let window = age.min(self.window);
        let orders = InWindow { r, alpha, silent: (age - self.window).max(0.0), window };
        let [p, d_r, d_alpha] = match &self.shares {
            Some(shares) => orders.in_both(shares, 0.0),
            None => p_any_order(r, alpha, window),
        };
        [p, d_r, d_alpha, 0.0, 0.0]
    }

    fn scale(&self) -> f64 {
        self.model.alpha
    }
}

/// Log-likelihood summed over all customers, and its gradient in (r, α).
///
/// # Formula
/// Γ(r+x) α^r / Γ(r) · (α+T)^−(r+x), which is the BG/NBD likelihood without dropout.
pub fn log_likelihood(patterns: &Patterns, parameters: &[f64]) -> (f64, Vec<f64>) {
    let (r, alpha) = (parameters[0], parameters[1]);
    let ln_alpha = alpha.ln();
    let of_x: Vec<(f64, f64)> =
        patterns.frequency.iter().map(|x| (ln_rising(r, *x), digamma_rise(r, *x))).collect();
    let of_age: Vec<(f64, f64)> =
        patterns.age.iter().map(|age| ((alpha + age).ln(), 1.0 / (alpha + age))).collect();
    let [sum, d_r, d_alpha] = patterns.sum(|row| {
        let shape = r + patterns.frequency[row.x as usize];
        let (ln_gamma_ratio, digamma_difference) = of_x[row.x as usize];
        let (ln_age, inverse) = of_age[row.age as usize];
        [
            row.count * (ln_gamma_ratio - shape * ln_age),
            row.count * (digamma_difference - ln_age),
            -row.count * shape * inverse,
        ]
    });
    let n = patterns.customers;
    (sum + n * r * ln_alpha, vec![d_r + n * ln_alpha, d_alpha + n * r / alpha])
}
