//! Files that hold only customers who ordered in both of two channels.
//!
//! A customer places each order in the first channel with the same probability π, at any time; π
//! differs between customers as Beta(δ, ε). A customer with few orders has rarely ordered in both
//! channels, so such a file lacks the rare buyers. P(selected) then requires, besides a last order
//! in the window, that not all orders went through one channel. Below, an order is "marked" when it
//! goes through one given channel, which has probability z = π or z = 1−π.
//!
//! # Reference
//! Skellam (1948), Journal of the Royal Statistical Society B 10(2), for the beta-binomial; the
//! thinning of a Poisson process as in Ross (2014), Introduction to Probability Models, section
//! 5.3.4.

use std::num::NonZeroUsize;

use gauss_quad::{FiniteAboveNegOneF64, GaussJacobi};

use crate::error::{Error, Remedy};
use crate::math::special::{digamma_rise, ln_rising};
use crate::model::likelihood::maximise::{Objective, Optimum, minimise};
use crate::results::numbers::count;

/// The distribution of π, the first channel's share of a customer's orders: Beta(first, second).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ChannelMix {
    /// δ
    pub first: f64,
    /// ε
    pub second: f64,
}

impl ChannelMix {
    /// Fits the distribution of π to customers who ordered in both channels.
    ///
    /// # Formula
    /// For n orders, of which k in the first channel: the beta-binomial probability of k, divided
    /// by the probability that 0 < k < n.
    ///
    /// # Errors
    /// [`Error::Model`] when a customer has all orders in one channel, or the fit does not
    /// converge.
    pub fn fit(first_channel: &[f64], orders: &[f64]) -> Result<Self, Error> {
        let of_one = |(k, n): &(&f64, &f64)| **k < 1.0 || **k > **n - 1.0;
        let outside = first_channel.iter().zip(orders).filter(of_one).count();
        if outside > 0 {
            let message = format!(
                "the selection says that everybody ordered in both channels, but {} customers \
                 ordered in one only",
                count(outside)
            );
            return Err(Error::model_with(message, Remedy::AnyChannel));
        }
        let counts = counts(first_channel, orders);
        let objective = Objective {
            log_likelihood: Box::new(|theta| log_likelihood(&counts, theta)),
            customers: orders.len() as f64,
            l2_penalty: 0.0,
        };
        let starts = [vec![1.0, 1.0], vec![4.0, 4.0]];
        let optimum =
            minimise(&objective, &starts).filter(Optimum::converged).ok_or_else(|| {
                let message = "the shares of the two channels could not be fitted";
                Error::model_with(message, Remedy::AnyChannel)
            })?;
        Ok(Self { first: optimum.parameters[0], second: optimum.parameters[1] })
    }

    /// Gauss-Jacobi quadrature over π: nodes (π, 1−π, weight), with weights that sum to 1. It gives
    /// P(selected) to nine digits up to T = 100 α.
    ///
    /// Returns `None` when `oldest` is beyond that.
    pub(crate) fn shares(&self, oldest: f64, alpha: f64) -> Option<Vec<(f64, f64, f64)>> {
        const EXACT_TO: f64 = 100.0;
        // Even, because for odd degrees the crate puts a node at π = ½, which is right only for a
        // symmetric rule.
        const POINTS: usize = 48;
        let exponent = |shape: f64| FiniteAboveNegOneF64::new(shape - 1.0);
        let rule = GaussJacobi::new(
            NonZeroUsize::new(POINTS)?,
            exponent(self.second)?,
            exponent(self.first)?,
        );
        let sum: f64 = rule.weights().sum();
        let share = |(x, weight): &(f64, f64)| (0.5 + 0.5 * x, 0.5 - 0.5 * x, weight / sum);
        (oldest <= EXACT_TO * alpha && sum > 0.0).then(|| rule.iter().map(share).collect())
    }
}

/// Distinct (k, n), each with its number of customers.
fn counts(first_channel: &[f64], orders: &[f64]) -> Vec<(f64, f64, f64)> {
    let mut pairs: Vec<(f64, f64)> =
        first_channel.iter().copied().zip(orders.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    pairs.chunk_by(|a, b| a == b).map(|same| (same[0].0, same[0].1, same.len() as f64)).collect()
}

/// Log-likelihood of the channel counts, and its gradient in (δ, ε).
///
/// # Formula
/// (δ)ₖ (ε)ₙ₋ₖ / (δ+ε)ₙ / (1 − P(k = 0) − P(k = n)) with rising factorials (·)ₖ. The binomial
/// coefficient has no parameter and is left out.
fn log_likelihood(counts: &[(f64, f64, f64)], theta: &[f64]) -> (f64, Vec<f64>) {
    let (d, e) = (theta[0], theta[1]);
    let (mut sum, mut slope) = (0.0, [0.0; 2]);
    for &(k, n, customers) in counts {
        let both = digamma_rise(d + e, n);
        let ln_both = ln_rising(d + e, n);
        // P(k = 0) and P(k = n); below, their logarithmic derivatives in δ and ε.
        let (none, all) = ((ln_rising(e, n) - ln_both).exp(), (ln_rising(d, n) - ln_both).exp());
        let mixed = 1.0 - none - all;
        let (none_d, none_e) = (-both, digamma_rise(e, n) - both);
        let (all_d, all_e) = (digamma_rise(d, n) - both, -both);
        sum += customers * (ln_rising(d, k) + ln_rising(e, n - k) - ln_both - mixed.ln());
        slope[0] += customers * (digamma_rise(d, k) - both + (none * none_d + all * all_d) / mixed);
        slope[1] +=
            customers * (digamma_rise(e, n - k) - both + (none * none_e + all * all_e) / mixed);
    }
    (sum, slope.to_vec())
}

/// The orders of a customer with rate λ ~ Gamma(r, α) and dropout probability p. The customer was
/// acquired a time `silent` before a window of length `window` begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InWindow {
    pub r: f64,
    pub alpha: f64,
    pub silent: f64,
    pub window: f64,
}

impl InWindow {
    /// P(last order in the window, every repeat order marked), averaged over λ, and its derivatives
    /// in r and α. An order is marked with probability z.
    ///
    /// # Formula
    /// Let κ = z(1−p), the probability that an order is marked and the customer stays, and
    /// A(u) = (α/(α+u))^r = E e^−λu.
    ///
    /// * Alive at the beginning of the window, all orders so far marked: e^−λc(1−κ).
    /// * In the window, at least one order and all of them marked: H(W) − e^−λW, where
    ///   H(w) = zp/(1−κ) + (1 − zp/(1−κ)) e^−λw(1−κ) solves H' = −λ(1−κ)H + λzp, H(0) = 1.
    ///
    /// The mean of the product over λ is
    /// zp/(1−κ)·A(c(1−κ)) + (1 − zp/(1−κ))·A((c+W)(1−κ)) − A(c(1−κ) + W). At z = 1 it is the
    /// probability of an order in the window.
    pub fn all_marked(&self, z: f64, p: f64) -> [f64; 3] {
        // 1 − κ, the probability that an order is not marked or the customer leaves after it.
        let thinned = 1.0 - z + z * p;
        let ends = if thinned > 0.0 { z * p / thinned } else { 1.0 };
        let until = self.no_event(self.silent * thinned);
        let through = self.no_event((self.silent + self.window) * thinned);
        let none = self.no_event(self.silent * thinned + self.window);
        std::array::from_fn(|k| ends * until[k] + (1.0 - ends) * through[k] - none[k])
    }

    /// P(last order in the window), averaged over λ, and its derivatives in r and α.
    ///
    /// # Formula
    /// E e^(−λpc) (1 − e^(−λW)) = (α/(α+pc))^r · (1 − ((α+pc)/(α+pc+W))^r)
    pub fn in_window(&self, p: f64) -> [f64; 3] {
        // As a product with e^x − 1: the difference of two powers would cancel for a short window.
        let start = p * self.silent;
        let stays = self.no_event(start);
        let none = self.no_event(start + self.window);
        let within = (self.window / (self.alpha + start)).ln_1p();
        [stays[0] * -(-self.r * within).exp_m1(), stays[1] - none[1], stays[2] - none[2]]
    }

    /// (α/(α+u))^r and its derivatives in r and α.
    fn no_event(&self, u: f64) -> [f64; 3] {
        let ln = (u / self.alpha).ln_1p();
        let value = (-self.r * ln).exp();
        [value, -ln * value, self.r / self.alpha * u / (self.alpha + u) * value]
    }

    /// P(last order in the window, orders in both channels), averaged over λ and π, and its
    /// derivatives in r and α.
    ///
    /// # Formula
    /// P(last order in the window) − E(π·P(all marked; z = π) + (1−π)·P(all marked; z = 1−π)),
    /// where the factors π and 1−π are those of the first order.
    pub fn in_both(&self, shares: &[(f64, f64, f64)], p: f64) -> [f64; 3] {
        let mut both = self.in_window(p);
        for &(share, other, weight) in shares {
            let (first, second) = (self.all_marked(share, p), self.all_marked(other, p));
            for k in 0..3 {
                both[k] -= weight * (share * first[k] + other * second[k]);
            }
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradient_equals_differences() {
        let counts = [(1.0, 2.0, 5.0), (3.0, 7.0, 2.0), (6.0, 7.0, 1.0), (1.0, 4.0, 3.0)];
        let at = [1.3, 0.7];
        let (_, gradient) = log_likelihood(&counts, &at);
        for i in 0..2 {
            let shifted = |h: f64| {
                let mut theta = at;
                theta[i] += h;
                log_likelihood(&counts, &theta).0
            };
            let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((gradient[i] / difference - 1.0).abs() < 1e-7, "{i}");
        }
    }

    #[test]
    fn all_orders_marked_is_any_order() {
        // At z = 1 it is E e^−λpc (1 − e^−λW) = (α/(α+pc))^r − (α/(α+pc+W))^r.
        let at = InWindow { r: 0.6, alpha: 21.0, silent: 30.0, window: 13.0 };
        for p in [0.0, 0.1, 1.0] {
            let plain: f64 =
                (21.0f64 / (21.0 + 30.0 * p)).powf(0.6) - (21.0f64 / (34.0 + 30.0 * p)).powf(0.6);
            assert!((at.all_marked(1.0, p)[0] / plain - 1.0).abs() < 1e-13);
        }
    }
}
