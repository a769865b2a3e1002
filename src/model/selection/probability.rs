//! P(selected): the selection (inclusion) probability of a customer, given T, in a filtered file.
//!
//! A "customer export" often holds only customers who ordered recently and more than once. Those
//! who left are not in it, so a plain fit concludes that nobody leaves. The likelihood of each
//! customer is therefore taken conditionally on being selected, as for truncated data:
//! ℓ(θ) − Σ ln P(selected | T; θ). Forecasts given (x, t_x, T) keep their formulas; only the fit
//! changes.
//!
//! # Reference
//! Conditional likelihood of truncated data: Johnson, Kemp & Kotz (2005), Univariate Discrete
//! Distributions, 3rd edition, section 1.2.9. Each model's file gives its formula for P(selected).

use rayon::prelude::*;

use crate::math::chebyshev::{Interpolant, chebyshev_points};
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::likelihood::patterns::Patterns;
use crate::model::selection::channels::ChannelMix;

/// Half height of the strip in which P(selected) is analytic in ln(1 + c/scale): its singularities
/// have a negative 1 + c/scale, whose logarithm has the imaginary part π.
const STRIP: f64 = std::f64::consts::PI;
/// Smallest ratio of the probabilities at the two ends for which P(selected) is interpolated. The
/// error is relative to the largest value, so that far smaller ones would lose digits.
const COMPARABLE: f64 = 1e-4;

/// The condition for a customer to be in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelectionRule {
    /// W: the last order is at most this long before the observation end; ∞ without a limit.
    pub window: f64,
    /// Whether a repeat order is required of customers with T ≤ W too.
    pub repeat_order: bool,
    /// Whether orders in both of two channels are required, and how orders divide between them.
    pub both_channels: Option<ChannelMix>,
}

/// P(selected | T) where a repeat order is required, with its derivatives in the parameters.
pub trait SelectionProbability: Sync {
    /// The probability, then its derivative in each parameter; not finite where a numerical
    /// method reached its cap.
    fn at(&self, age: f64) -> [f64; 5];
    /// The time constant of P(selected): it changes little while T or T − W changes by less.
    fn scale(&self) -> f64;
}

/// P(at least one repeat order up to T = `age`) at rates λ ~ Gamma(r, α), and its derivatives in r
/// and α.
///
/// # Formula
/// 1 − (α/(α+T))^r
pub(crate) fn p_any_order(r: f64, alpha: f64, age: f64) -> [f64; 3] {
    let ln = (age / alpha).ln_1p();
    let none = (-r * ln).exp();
    let share = if age.is_finite() { age / (alpha + age) } else { 1.0 };
    [-(-r * ln).exp_m1(), ln * none, -r / alpha * share * none]
}

impl SelectionRule {
    /// Requires a repeat order, and the last order within `window`.
    pub fn to(window: f64) -> Self {
        Self { window, repeat_order: true, both_channels: None }
    }

    /// The same selection with every time multiplied by `factor`.
    pub fn in_time_unit(self, factor: f64) -> Self {
        Self { window: self.window * factor, ..self }
    }

    /// The same selection in operational time: its window is that part of it before the end.
    pub(crate) fn in_time(self, time: &OperationalTime) -> Self {
        match time.is_even() || self.window.is_infinite() {
            true => self,
            false => Self { window: time.back(self.window * time.unit_days()), ..self },
        }
    }

    /// Σ ln P(selected | T) over all customers, and its gradient in the parameters.
    ///
    /// Each distinct T is evaluated once. Where there are more of them on one side of the window
    /// than Chebyshev points are needed, P is interpolated in ln(1 + c/scale), with c = T − W for
    /// T > W and c = T otherwise; that is exact to rounding.
    pub fn log_probability(
        &self,
        patterns: &Patterns,
        customers_of_age: &[f64],
        selected: &dyn SelectionProbability,
        parameters: usize,
    ) -> (f64, Vec<f64>) {
        let smooth = self.smooth(&patterns.age, selected);
        let (mut sum, mut slope) = (0.0, vec![0.0; parameters]);
        for (&age, &customers) in patterns.age.iter().zip(customers_of_age) {
            // A sample of the patterns keeps the whole table of T, with values that it has no
            // customers for.
            if customers == 0.0 || self.is_certain(age) {
                continue;
            }
            let [p, slopes @ ..] = self.through(&smooth, age, selected);
            sum += customers * p.ln();
            for (slope, d) in slope.iter_mut().zip(slopes) {
                *slope += customers * d / p;
            }
        }
        (sum, slope)
    }

    /// Whether every customer with this T is in the file.
    fn is_certain(&self, age: f64) -> bool {
        age <= self.window && !self.repeat_order && self.both_channels.is_none()
    }

    /// P(selected | T).
    pub fn probability(&self, age: f64, selected: &dyn SelectionProbability) -> f64 {
        if self.is_certain(age) { 1.0 } else { selected.at(age)[0] }
    }

    /// P(selected | T) for many T, interpolated as in [`Self::log_probability`].
    pub fn probabilities(&self, ages: &[f64], selected: &dyn SelectionProbability) -> Vec<f64> {
        let smooth = self.smooth(ages, selected);
        let one = |&age: &f64| match self.is_certain(age) {
            true => 1.0,
            false => self.through(&smooth, age, selected)[0],
        };
        ages.iter().map(one).collect()
    }

    /// Interpolants of P(selected) for T ≤ W and for T > W: two, because the formula changes at
    /// T = W and one interpolant would smooth out the kink.
    fn smooth(
        &self,
        ages: &[f64],
        selected: &dyn SelectionProbability,
    ) -> [Option<Interpolant<5>>; 2] {
        [false, true].map(|old| self.interpolated(ages, old, selected))
    }

    /// P(selected | T) from the interpolant of its side, if there is one.
    fn through(
        &self,
        smooth: &[Option<Interpolant<5>>; 2],
        age: f64,
        selected: &dyn SelectionProbability,
    ) -> [f64; 5] {
        match &smooth[usize::from(age > self.window)] {
            Some(smooth) => smooth.at(self.position(age, selected)),
            None => selected.at(age),
        }
    }

    /// ln(1 + c/scale), with c = T − W for T > W and c = T otherwise. P(selected) is made of powers
    /// like (1 + c/scale)^−r, which are smooth in that logarithm.
    fn position(&self, age: f64, selected: &dyn SelectionProbability) -> f64 {
        let time = if age > self.window { age - self.window } else { age };
        (time / selected.scale()).ln_1p()
    }

    /// The interpolant of P(selected) for T > W (`old`) or T ≤ W.
    ///
    /// Returns `None` when interpolation would save nothing, or would not be exact.
    fn interpolated(
        &self,
        ages: &[f64],
        old: bool,
        selected: &dyn SelectionProbability,
    ) -> Option<Interpolant<5>> {
        let side = || ages.iter().copied().filter(|age| (*age > self.window) == old);
        let (youngest, oldest) = (side().fold(f64::INFINITY, f64::min), side().fold(0.0, f64::max));
        let (low, high) = (self.position(youngest, selected), self.position(oldest, selected));
        let points = Interpolant::<5>::points_for(f64::EPSILON, high - low, STRIP);
        let ends = || [youngest, oldest].map(|age| selected.at(age)[0]);
        let comparable = |[a, b]: [f64; 2]| a.min(b) > COMPARABLE * a.max(b);
        if self.is_certain(oldest) || side().count() <= points || !comparable(ends()) {
            return None;
        }
        let before = if old { self.window } else { 0.0 };
        // One value that is not finite, and every T is evaluated by itself: an interpolant would
        // spread it over all.
        let at = |position: f64| {
            let values = selected.at(before + selected.scale() * position.exp_m1());
            values.iter().all(|v| v.is_finite()).then_some((position, values))
        };
        let all: Option<Vec<_>> =
            chebyshev_points(low, high, points).into_par_iter().map(at).collect();
        all.map(Interpolant::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::selection::channels::ChannelMix;
    use crate::model::testing::orders_only;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const WINDOW: f64 = 13.0;

    /// P = u/(s+u) · (s/(s+c))^k, u in and c before the window, with its slopes in s and k; counts
    /// how often it is asked.
    struct Known {
        s: f64,
        k: f64,
        asked: AtomicUsize,
    }

    impl SelectionProbability for Known {
        fn at(&self, age: f64) -> [f64; 5] {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let (s, k) = (self.s, self.k);
            let (u, c) = (age.min(WINDOW), (age - WINDOW).max(0.0));
            let p = u / (s + u) * (s / (s + c)).powf(k);
            [p, p * (k / s - k / (s + c) - 1.0 / (s + u)), p * (s / (s + c)).ln(), 0.0, 0.0]
        }

        fn scale(&self) -> f64 {
            self.s
        }
    }

    fn known(s: f64, k: f64) -> Known {
        Known { s, k, asked: AtomicUsize::new(0) }
    }

    /// 800 ages on both sides of the window, every third of them of two customers.
    fn ages() -> Vec<f64> {
        let ages = (1..=800).map(|i| 0.1 * f64::from(i));
        ages.enumerate().flat_map(|(i, age)| vec![age; if i % 3 == 0 { 2 } else { 1 }]).collect()
    }

    fn patterns(ages: &[f64]) -> Patterns {
        let n = ages.len();
        let histories = orders_only(vec![0.0; n], vec![0.0; n], ages.to_vec());
        CustomerPatterns::of(&histories).patterns
    }

    #[test]
    fn any_order_by_hand() {
        // 1 − (2/8)^½ = ½; its slope in r is −½·ln ¼ = ln 2, that in α −¼ · 6/8 · ½.
        let [p, d_r, d_alpha] = p_any_order(0.5, 2.0, 6.0);
        for (found, expected) in [(p, 0.5), (d_r, 2f64.ln()), (d_alpha, -3.0 / 32.0)] {
            assert!((found / expected - 1.0f64).abs() < 1e-14, "{found} {expected}");
        }
        // For a short time it is about r·T/α, without cancellation: less r(r+1)/2·(T/α)².
        let [p, ..] = p_any_order(0.5, 2.0, 2e-9);
        assert!((p / (0.5e-9 - 0.375e-18) - 1.0).abs() < 1e-15, "{p:e}");
    }

    #[test]
    fn the_young_are_certain_where_nothing_but_the_window_is_asked() {
        let selected = known(2.0, 0.5);
        let open = SelectionRule { repeat_order: false, ..SelectionRule::to(WINDOW) };
        let mix = ChannelMix { first: 1.0, second: 1.0 };
        let channels = SelectionRule { both_channels: Some(mix), ..open };
        // u/(s+u) = 11/13 and 13/15, and then (2/(2+3))^½.
        let [young, edge, old] = [11.0 / 13.0, 13.0 / 15.0, 13.0 / 15.0 * 0.4f64.sqrt()];
        for (rule, expected) in [
            (open, [1.0, 1.0, old]),
            (SelectionRule::to(WINDOW), [young, edge, old]),
            (channels, [young, edge, old]),
        ] {
            for (age, expected) in [11.0, 13.0, 16.0].into_iter().zip(expected) {
                let p = rule.probability(age, &selected);
                assert!((p / expected - 1.0).abs() < 1e-14, "{rule:?} {age}: {p}");
            }
            let together = rule.probabilities(&[11.0, 13.0, 16.0], &selected);
            let apart = [11.0, 13.0, 16.0].map(|age| rule.probability(age, &selected));
            assert_eq!(together, apart);
        }
        // Who is certain adds nothing: the sum is that of the two at 16.
        let (sum, _) = open.log_probability(
            &patterns(&[11.0, 13.0, 16.0, 16.0]),
            &[1.0, 1.0, 2.0],
            &selected,
            2,
        );
        assert!((sum / (2.0 * old.ln()) - 1.0).abs() < 1e-14, "{sum}");
    }

    #[test]
    fn an_interpolated_sum_is_the_sum_over_customers() {
        let (ages, rule) = (ages(), SelectionRule::to(WINDOW));
        let patterns = patterns(&ages);
        let customers_of_age = patterns.customers_of_age();
        let direct =
            |s: f64, k: f64| ages.iter().map(|age| known(s, k).at(*age)[0].ln()).sum::<f64>();
        let selected = known(4.0, 0.7);
        let (sum, slope) = rule.log_probability(&patterns, &customers_of_age, &selected, 2);
        let asked = selected.asked.load(Ordering::Relaxed);
        assert!(asked < 200, "asked {asked} times for {} ages", patterns.age.len());
        assert!((sum / direct(4.0, 0.7) - 1.0).abs() < 1e-12, "{sum} {}", direct(4.0, 0.7));
        let by_s = (direct(4.0 + 1e-4, 0.7) - direct(4.0 - 1e-4, 0.7)) / 2e-4;
        let by_k = (direct(4.0, 0.7 + 1e-4) - direct(4.0, 0.7 - 1e-4)) / 2e-4;
        assert_eq!(slope.len(), 2);
        assert!((slope[0] / by_s - 1.0).abs() < 1e-7, "{} {by_s}", slope[0]);
        assert!((slope[1] / by_k - 1.0).abs() < 1e-7, "{} {by_k}", slope[1]);
    }

    #[test]
    fn probabilities_that_are_not_comparable_are_not_interpolated() {
        // The youngest has 1e-7/4, which is less than COMPARABLE times the largest, 13/17.
        let (mut ages, rule) = (ages(), SelectionRule::to(WINDOW));
        ages[0] = 1e-7;
        ages.retain(|age| *age <= WINDOW);
        let direct: Vec<f64> = ages.iter().map(|age| known(4.0, 0.7).at(*age)[0]).collect();
        assert_eq!(rule.probabilities(&ages, &known(4.0, 0.7)), direct);
    }

    #[test]
    fn another_time_unit_has_the_same_customers() {
        let mix = ChannelMix { first: 3.0, second: 2.0 };
        let weeks = SelectionRule { window: WINDOW, repeat_order: false, both_channels: Some(mix) };
        let days = SelectionRule { window: 91.0, ..weeks };
        assert_eq!(weeks.in_time_unit(7.0), days);
        assert_eq!(SelectionRule::to(91.0).window, 91.0);
        assert!(SelectionRule::to(91.0).repeat_order);
    }
}
