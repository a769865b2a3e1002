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

use crate::customers::History;
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
    pub fn orders_if_alive(&self, history: History, horizon: f64) -> f64 {
        let History { frequency: x, age, .. } = history;
        (self.r + x) / (self.alpha + age) * horizon
    }

    /// P(n orders in (T, T + horizon]) for each n of `counts`.
    ///
    /// # Formula
    /// Negative binomial with shape r+x and τ = t/(α+T).
    pub fn distribution_if_alive(
        &self,
        history: History,
        horizon: f64,
        counts: Range<u32>,
    ) -> Vec<f64> {
        let History { frequency: x, age, .. } = history;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::selection::channels::ChannelMix;
    use crate::model::testing::{orders_only, relative};

    const MODEL: Nbd = Nbd { r: 0.5, alpha: 2.0 };

    fn patterns() -> Patterns {
        let histories = orders_only(
            vec![3.0, 3.0, 3.0, 0.0, 1.0],
            vec![1.0, 5.0, 5.0, 0.0, 9.0],
            vec![6.0, 6.0, 6.0, 6.0, 14.0],
        );
        CustomerPatterns::of(&histories).patterns
    }

    #[test]
    fn the_log_likelihood_of_five_customers_by_hand() {
        // Negative binomial, P(x) = Γ(r+x)/(Γ(r) x!) (α/(α+T))^r (T/(α+T))^x, times x!/T^x for
        // the order times. P(3 | T 6) = (½·3⁄2·5⁄2)/3! · (¼)^½ · (¾)³, thrice, whenever the
        // last order was; P(0 | 6) = (¼)^½; P(1 | 14) = ½ · (⅛)^½ · ⅞.
        let three: f64 = 1.875 / 6.0 * 0.5 * 0.75f64.powi(3) * 6.0 / 6f64.powi(3);
        let one: f64 = 0.5 * 0.125f64.sqrt() * 0.875 / 14.0;
        let by_hand = 3.0 * three.ln() + 0.5f64.ln() + one.ln();
        let (value, _) = log_likelihood(&patterns(), &[0.5, 2.0]);
        assert!(relative(value, by_hand) < 1e-13, "{value} {by_hand}");
    }

    #[test]
    fn gradient_equals_differences() {
        let at = [0.5, 2.0];
        let (_, gradient) = log_likelihood(&patterns(), &at);
        for i in 0..2 {
            let shifted = |h: f64| {
                let mut point = at;
                point[i] += h;
                log_likelihood(&patterns(), &point).0
            };
            let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!(relative(gradient[i], difference) < 1e-8, "{i}: {} {difference}", gradient[i]);
        }
    }

    #[test]
    fn orders_to_come_by_hand() {
        // After 3 orders in 6: λ ~ Gamma(7⁄2, 8), so 7⁄16 per time unit, 7⁄4 in 4. With τ = 4/8 an
        // order comes before the horizon's end with τ/(1+τ) = ⅓: P(n) = (7⁄2)ₙ/n! (⅓)ⁿ (⅔)^7⁄2.
        assert!(
            relative(
                MODEL.orders_if_alive(History { frequency: 3.0, age: 6.0, ..History::NEW }, 4.0),
                1.75
            ) < 1e-15
        );
        let none = (2.0f64 / 3.0).powf(3.5);
        let by_hand = [none, 3.5 / 3.0 * none, 3.5 * 4.5 / 2.0 / 9.0 * none];
        let all = MODEL.distribution_if_alive(
            History { frequency: 3.0, age: 6.0, ..History::NEW },
            4.0,
            0..200,
        );
        for (n, expected) in by_hand.into_iter().enumerate() {
            assert!(relative(all[n], expected) < 1e-13, "{n}");
        }
        let mean: f64 = all.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
        assert!(relative(mean, 1.75) < 1e-12);
        let later = MODEL.distribution_if_alive(
            History { frequency: 3.0, age: 6.0, ..History::NEW },
            4.0,
            2..3,
        );
        assert!(later.len() == 1 && relative(later[0], by_hand[2]) < 1e-13);
    }

    #[test]
    fn customers_who_ordered_in_the_window_are_selected() {
        // 1 − (α/(α+u))^r over u, the window or the whole age: u = 6 gives 1 − √¼, u = 2 1 − √½.
        let at = |model: Nbd, window: f64, age: f64| {
            let selected = model.selection_probability(&SelectionRule::to(window), 50.0);
            selected.expect("no channels").at(age)
        };
        for (window, age, expected) in [
            (f64::INFINITY, 6.0, 0.5),
            (7.0, 6.0, 0.5),
            (6.0, 40.0, 0.5),
            (2.0, 6.0, 1.0 - 0.5f64.sqrt()),
        ] {
            let [p, d_r, d_alpha, none @ ..] = at(MODEL, window, age);
            assert!(relative(p, expected) < 1e-14, "{window} {age}: {p}");
            let shifted = |r: f64, alpha: f64| {
                at(Nbd { r: MODEL.r + r, alpha: MODEL.alpha + alpha }, window, age)[0]
            };
            let by_r = (shifted(1e-5, 0.0) - shifted(-1e-5, 0.0)) / 2e-5;
            let by_alpha = (shifted(0.0, 1e-5) - shifted(0.0, -1e-5)) / 2e-5;
            assert!(relative(d_r, by_r) < 1e-8, "{d_r} {by_r}");
            assert!(relative(d_alpha, by_alpha) < 1e-8, "{d_alpha} {by_alpha}");
            assert_eq!(none, [0.0; 2]);
        }
    }

    #[test]
    fn selected_by_channels_is_the_direct_sum() {
        // Shares π ~ Beta(1, 1): of n + 1 orders all are in one channel with probability 2/(n+2).
        // Given n repeat orders up to T, none is in the window with probability (c/T)ⁿ.
        let mix = ChannelMix { first: 1.0, second: 1.0 };
        for (window, age) in [(40.0, 14.0), (5.0, 14.0)] {
            let rule = SelectionRule { both_channels: Some(mix), ..SelectionRule::to(window) };
            let before = (age - window).max(0.0) / age;
            let z = age / (2.0 + age);
            let (mut sum, mut term) = (0.0, (1.0 - z).sqrt());
            for n in 0..1_000 {
                let n = f64::from(n);
                sum += term * n / (n + 2.0) * (1.0 - before.powf(n));
                term *= (0.5 + n) / (n + 1.0) * z;
            }
            let at =
                |model: Nbd| model.selection_probability(&rule, age).expect("within reach").at(age);
            let [p, slopes @ ..] = at(MODEL);
            assert!(relative(p, sum) < 1e-9, "{p} {sum}");
            let shifted =
                |r: f64, alpha: f64| at(Nbd { r: MODEL.r + r, alpha: MODEL.alpha + alpha })[0];
            for (k, (r, alpha)) in [(1e-4, 0.0), (0.0, 1e-4)].into_iter().enumerate() {
                let slope = (shifted(r, alpha) - shifted(-r, -alpha)) / 2e-4;
                assert!(relative(slopes[k], slope) < 1e-7, "{} {slope}", slopes[k]);
            }
        }
        // The rule over the shares is exact up to 100 α only.
        let rule = SelectionRule { both_channels: Some(mix), ..SelectionRule::to(40.0) };
        assert!(MODEL.selection_probability(&rule, 200.0).is_some());
        assert!(MODEL.selection_probability(&rule, 201.0).is_none());
    }
}
