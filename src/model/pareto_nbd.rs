//! Pareto/NBD: customers order at their own rate until, at some moment, they silently leave.
//!
//! While alive, a customer orders as a Poisson process with rate λ. The lifetime is exponential
//! with rate μ, and does not depend on the orders. Rates differ between customers as
//! λ ~ Gamma(r, α) and μ ~ Gamma(s, β), independently.
//!
//! # Reference
//! Schmittlein, Morrison & Colombo (1987), "Counting Your Customers", Management Science 33(1),
//! 1–24; Fader & Hardie (2005), note 009, "A Note on Deriving the Pareto/NBD Model". Equation
//! numbers below are the note's.

use std::ops::Range;

use rayon::prelude::*;

use crate::customers::History;
use crate::math::negative_binomial::add_probabilities;
use crate::math::power_integral::{PowerIntegral, Powers, gauss_8};
use crate::math::special::{digamma_rise, ln_rising, log_add_exp_with_share};
use crate::model::likelihood::patterns::Patterns;
use crate::model::selection::probability::{SelectionProbability, SelectionRule};

/// Pareto/NBD parameters; α and β are in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParetoNbd {
    /// Shape of the order rates.
    pub r: f64,
    /// Rate parameter of the order rates, in time units.
    pub alpha: f64,
    /// Shape of the death rates.
    pub s: f64,
    /// Rate parameter of the death rates, in time units.
    pub beta: f64,
}

impl ParetoNbd {
    /// The integrand of the likelihood, (α+y)^−(r+x) (β+y)^−(s+1), with its origin moved to t.
    fn powers(&self, x: f64, t: f64) -> Powers {
        Powers { a: self.alpha + t, p: self.r + x, b: self.beta + t, q: self.s + 1.0 }
    }

    /// Probability that a customer with history (x, t_x, T) has not left.
    ///
    /// # Formula
    /// Equation 19, with the integral from which the note derives its two Gaussian hypergeometric
    /// functions 2F1 (hyp2f1):
    /// 1 / (1 + s ∫ (α+y)^−(r+x) (β+y)^−(s+1) dy / ((α+T)^−(r+x) (β+T)^−s)), y from t_x to T.
    pub fn p_alive(&self, history: History) -> f64 {
        let History { frequency: x, recency: t_x, age } = history;
        // Relative to the integrand at t_x, so that a large x cannot make both terms underflow.
        let powers = self.powers(x, t_x);
        let gone = self.s * powers.integral(age - t_x).value;
        let alive = powers.shift(age - t_x).decay * (self.beta + age);
        alive / (alive + gone)
    }

    /// Expected orders in (T, T + horizon] of a customer who is alive at T after x orders.
    ///
    /// # Formula
    /// Equation 22 without its last factor P(alive):
    /// (r+x)(β+T) / ((α+T)(s−1)) · [1 − ((β+T)/(β+T+t))^(s−1)]; at s = 1 its limit,
    /// (r+x)(β+T)/(α+T) · ln((β+T+t)/(β+T)).
    pub fn orders_if_alive(&self, history: History, horizon: f64) -> f64 {
        let History { frequency: x, age, .. } = history;
        let rate = (self.r + x) / (self.alpha + age);
        let length = (horizon / (self.beta + age)).ln_1p();
        // By e^z − 1, which keeps its digits near s = 1.
        let s = self.s - 1.0;
        let lived = if s == 0.0 { length } else { -(-s * length).exp_m1() / s };
        rate * (self.beta + age) * lived
    }

    /// P(at least one order in (T, T + horizon]) of a customer who is alive at T after x orders.
    ///
    /// # Formula
    /// ∫₀ᵗ (r+x)/(α+T) · ((α+T)/(α+T+y))^(r+x+1) · ((β+T)/(β+T+y))^s dy: the next order comes at y,
    /// and the customer is still alive then.
    pub fn any_order_if_alive(&self, history: History, horizon: f64) -> f64 {
        let History { frequency: x, age, .. } = history;
        let (shape, rate) = (self.r + x, self.alpha + age);
        let powers = Powers { a: rate, p: shape + 1.0, b: self.beta + age, q: self.s };
        shape / rate * powers.integral(horizon).value
    }

    /// P(n orders in (T, T + horizon]) of a customer who is alive at T after x orders, for each
    /// n of `counts`.
    ///
    /// # Formula
    /// NB(n; t) ((β+T)/(β+T+t))^s + ∫₀ᵗ NB(n; y) s (β+T)^s (β+T+y)^−(s+1) dy, where NB(·; y) is the
    /// distribution of the count over y at rate λ ~ Gamma(r+x, α+T): alive to the end, or gone
    /// after y. The published form is a difference of 2F1 terms (B₁, B₂), one of which needs
    /// r+s+x+1 as its third argument; the integral has neither the difference nor that trap.
    ///
    /// # Reference
    /// Fader & Hardie (2014), note 028, "Deriving the Conditional PMF of the Pareto/NBD Model".
    pub fn distribution_if_alive(
        &self,
        history: History,
        horizon: f64,
        counts: Range<u32>,
    ) -> Vec<f64> {
        let History { frequency: x, age, .. } = history;
        let (rate, beta, s) = (self.alpha + age, self.beta + age, self.s);
        let shape = self.r + x;
        let mut sum = vec![0.0; counts.len()];
        let mut add = |y: f64, weight: f64| {
            add_probabilities(shape, y / rate, weight, counts.start, &mut sum);
        };
        add(horizon, (-s * (horizon / beta).ln_1p()).exp());
        for (start, length) in panels(horizon, shape, rate, beta, s, f64::from(counts.end)) {
            for (node, weight) in gauss_8() {
                let y = start + length * node;
                let density = s / beta * (-(s + 1.0) * (y / beta).ln_1p()).exp();
                add(y, weight * length * density);
            }
        }
        sum
    }

    /// P(selected | T).
    ///
    /// Returns `None` for a selection by both channels, which has not been derived for this model.
    pub fn selection_probability(&self, selection: &SelectionRule) -> Option<ParetoNbdSelection> {
        let known = selection.both_channels.is_none();
        known.then_some(ParetoNbdSelection { model: *self, window: selection.window })
    }
}

/// Panels over (0, t], as start and length, on which eight nodes integrate P(n orders over y) to
/// rounding for n up to `most`. A panel is short relative to its distance to the nearest
/// singularity, and no probability that matters changes by more than a factor e³ within it.
fn panels(horizon: f64, shape: f64, rate: f64, beta: f64, s: f64, most: f64) -> Vec<(f64, f64)> {
    const DECAY: f64 = 3.0;
    /// A probability of e^−NEGLIGIBLE of its peak is negligible.
    const NEGLIGIBLE: f64 = 45.0;
    /// Higher counts get no finer panels, so they are less exact: that bounds the work.
    const MOST_COUNT: f64 = 2_000.0;
    // At least 1: without a count, a panel would have no length and the panels no end.
    let most = most.clamp(1.0, MOST_COUNT);
    // P(n) contains zⁿ with z = y/(rate + y), and is highest at y = rate·n/shape. The highest count
    // has the sharpest rise, so `peak` is ln z where that count is highest.
    let ln_z = |y: f64| -(rate / y).ln_1p();
    let peak = ln_z(horizon.min(rate * most / shape));
    // Up to here zⁿ is negligible for n ≥ 10. For smaller n it is nearly a polynomial in y, of a
    // degree that eight nodes integrate exactly, so one panel is enough.
    let first = rate * (peak - NEGLIGIBLE / 10.0).exp();
    let mut panels = Vec::new();
    let mut y = 0.0;
    while y < horizon {
        // The highest count whose zⁿ is not negligible at y: within a panel it may grow by e^DECAY.
        let matter = (NEGLIGIBLE / (peak - ln_z(y)).max(1e-300)).min(most);
        let by_count =
            if y == 0.0 { first } else { DECAY * y * (1.0 + y / rate) / matter.max(1.0) };
        let by_decay = DECAY / (shape / (rate + y) + (s + 1.0) / (beta + y));
        let length = (horizon - y).min(by_count).min(by_decay).min(0.5 * (rate.min(beta) + y));
        panels.push((y, length));
        // The last panel ends at the horizon exactly, so that rounding adds no further one.
        y = if length >= horizon - y { horizon } else { y + length };
    }
    panels
}

/// P(selected) under Pareto/NBD.
pub struct ParetoNbdSelection {
    model: ParetoNbd,
    window: f64,
}

impl SelectionProbability for ParetoNbdSelection {
    /// # Formula
    /// ∫ r α^r (α+y)^−(r+1) (β/(β+c+y))^s dy for y from 0 to min(W, T), c = max(T − W, 0): the
    /// first order in the window comes at y, and the customer is still alive then.
    fn at(&self, age: f64) -> [f64; 5] {
        let ParetoNbd { r, alpha, s, beta } = self.model;
        let silent = (age - self.window).max(0.0);
        let powers = Powers { a: alpha, p: r + 1.0, b: beta + silent, q: s };
        let area = powers.integral(age.min(self.window));
        let to_window = (silent / beta).ln_1p();
        let p = r / alpha * (-s * to_window).exp() * area.value;
        // The gradient is p times the gradient of ln p, in which the integral and its derivatives
        // only occur as ratios.
        let per_area = |with: f64| with / area.value;
        [
            p,
            p * (1.0 / r - per_area(area.with_ln_a)),
            p * (r / alpha - (r + 1.0) * per_area(area.with_inverse_a)),
            p * (-to_window - per_area(area.with_ln_b)),
            p * s * (1.0 / beta - per_area(area.with_inverse_b)),
        ]
    }

    fn scale(&self) -> f64 {
        self.model.alpha.min(self.model.beta)
    }
}

/// The patterns of one frequency, with the times that occur in them.
struct Group {
    x: f64,
    /// Distinct values of t_x and T, ascending.
    times: Vec<f64>,
    /// Indices of t_x and T into `times`, and the count.
    rows: Vec<(u32, u32, f64)>,
}

/// The data prepared for the Pareto/NBD likelihood.
///
/// A pattern needs the integral from t_x to T. Within one frequency the integrand is the same for
/// all patterns, so the integrals between neighbouring times are computed once and summed from the
/// last time backwards. A pattern then takes the difference of two such sums.
pub struct Likelihood {
    groups: Vec<Group>,
    customers: f64,
}

impl Likelihood {
    /// Groups the patterns by frequency.
    pub fn new(patterns: &Patterns) -> Self {
        let mut rows = patterns.rows.clone();
        rows.sort_by_key(|row| (row.x, row.t_x, row.age));
        let group = |rows: &[crate::model::likelihood::patterns::Pattern]| {
            let histories: Vec<_> = rows.iter().map(|row| patterns.history(row)).collect();
            let mut times: Vec<f64> = histories.iter().flat_map(|h| [h.recency, h.age]).collect();
            times.sort_by(f64::total_cmp);
            times.dedup();
            let place = |t: f64| times.partition_point(|time| *time < t) as u32;
            let placed = rows.iter().zip(&histories);
            let rows = placed.map(|(row, h)| (place(h.recency), place(h.age), row.count)).collect();
            Group { x: histories[0].frequency, rows, times }
        };
        let groups: Vec<Group> = rows
            .chunk_by(|a, b| a.x == b.x)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(group)
            .collect();
        Self { groups, customers: patterns.customers }
    }

    /// Log-likelihood summed over all customers, and its gradient in (r, α, s, β).
    ///
    /// # Formula
    /// Equation 14, with the integral instead of the two 2F1 that the note derives from it; that is
    /// exact and faster:
    /// Γ(r+x) α^r β^s / Γ(r) · [(α+T)^−(r+x) (β+T)^−s + s ∫ (α+y)^−(r+x) (β+y)^−(s+1) dy],
    /// y from t_x to T.
    pub fn evaluate(&self, parameters: &[f64]) -> (f64, Vec<f64>) {
        let [r, alpha, s, beta] = [parameters[0], parameters[1], parameters[2], parameters[3]];
        let model = ParetoNbd { r, alpha, s, beta };
        // In parallel, but added in a fixed order: the same on any number of cores.
        let parts: Vec<[f64; 5]> = self.groups.par_iter().map(|group| group.sum(&model)).collect();
        let mut sum = [0.0; 5];
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(total, term)| *total += term);
        }
        let n = self.customers;
        (
            sum[0] + n * (r * alpha.ln() + s * beta.ln()),
            vec![
                sum[1] + n * alpha.ln(),
                sum[2] + n * r / alpha,
                sum[3] + n * beta.ln(),
                sum[4] + n * s / beta,
            ],
        )
    }
}

impl Group {
    /// The sum of ln L over the rows of this frequency, without α^r β^s, and its gradient.
    fn sum(&self, model: &ParetoNbd) -> [f64; 5] {
        let to_last = self.to_last(model);
        let (ln_gamma, d_ln_gamma) = (ln_rising(model.r, self.x), digamma_rise(model.r, self.x));
        let logs: Vec<(f64, f64)> =
            self.times.iter().map(|t| ((model.alpha + t).ln(), (model.beta + t).ln())).collect();
        let (shape, s) = (model.r + self.x, model.s);
        let mut sum = [0.0; 5];
        for &(from, to, count) in &self.rows {
            let (from, to) = (from as usize, to as usize);
            let (t_x, age) = (self.times[from], self.times[to]);
            let shift = model.powers(self.x, t_x).shift(age - t_x);
            // The difference may cancel, but does no harm: s times the part beyond T is at most the
            // term of being alive at T, so what is lost is below the rounding of the bracket.
            let area = to_last[from].without(to_last[to], shift);
            let ((ln_a, ln_b), (ln_a_end, ln_b_end)) = (logs[from], logs[to]);
            let (a, b) = (model.alpha + age, model.beta + age);
            // Both terms of the bracket, divided by (α+t_x)^−(r+x) (β+t_x)^−(s+1).
            let (bracket, gone) =
                log_add_exp_with_share(shift.decay.ln() + ln_b_end, (s * area.value).ln());
            let alive = 1.0 - gone;
            let per_area = |with: f64| if gone > 0.0 { gone * with / area.value } else { 0.0 };
            let terms = [
                ln_gamma + bracket - shape * ln_a - (s + 1.0) * ln_b,
                d_ln_gamma - alive * ln_a_end - gone * ln_a - per_area(area.with_ln_a),
                -shape * (alive / a + per_area(area.with_inverse_a)),
                gone / s - alive * ln_b_end - gone * ln_b - per_area(area.with_ln_b),
                -alive * s / b - (s + 1.0) * per_area(area.with_inverse_b),
            ];
            sum.iter_mut().zip(terms).for_each(|(total, term)| *total += count * term);
        }
        sum
    }

    /// For each time, the integral from there to the last time, divided by the integrand there.
    fn to_last(&self, model: &ParetoNbd) -> Vec<PowerIntegral> {
        // Backwards, because each sum counts from its own origin: the later sum is scaled down by
        // the decay of the step, never up, and so cannot overflow.
        let mut sums = vec![PowerIntegral::default(); self.times.len()];
        for i in (0..self.times.len() - 1).rev() {
            let powers = model.powers(self.x, self.times[i]);
            let step = self.times[i + 1] - self.times[i];
            sums[i] = powers.integral(step).followed_by(sums[i + 1], powers.shift(step));
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::relative;

    /// Published for the CDNOW sample, to these digits by CLVTools.
    const CDNOW: ParetoNbd = ParetoNbd { r: 0.55315, alpha: 10.57633, s: 0.60625, beta: 11.6715 };

    #[test]
    fn published_customer_1516() {
        // Published for CDNOW, next 52 weeks: 25.456 and .99787; a new customer: 1.4734.
        let (x, t_x, age) = (26.0, 30.857_142_857, 31.0);
        let alive = CDNOW.p_alive(History { frequency: x, recency: t_x, age });
        assert!(relative(alive, 0.99787) < 5e-6, "{alive}");
        let orders =
            CDNOW.orders_if_alive(History { frequency: x, age, ..History::NEW }, 52.0) * alive;
        assert!(relative(orders, 25.456) < 2e-5, "{orders}");
        let orders = CDNOW.orders_if_alive(History::NEW, 52.0);
        assert!(relative(orders, 1.4734) < 3e-5, "{orders}");
    }

    #[test]
    fn many_orders_stay_finite() {
        // mpmath, 60 digits, by the formulas of scripts/model_reference.py; next 10 weeks. Programs
        // that subtract two 2F1 functions overflow from the first of these to the second.
        let model = ParetoNbd { r: 0.55, alpha: 10.58, s: 0.61, beta: 11.67 };
        for (x, expected) in [(132.0, 6.206_051_8), (133.0, 6.252_872_2)] {
            let orders = model
                .orders_if_alive(History { frequency: x, age: 200.0, ..History::NEW }, 10.0)
                * model.p_alive(History { frequency: x, recency: 200.0, age: 200.0 });
            assert!(relative(orders, expected) < 1e-8, "{orders}");
        }
    }

    #[test]
    fn the_distribution_sums_to_one_and_has_the_expected_mean() {
        for (horizon, x, age) in [(39.0, 0.0, 30.0), (52.0, 26.0, 31.0), (3.0, 140.0, 60.0)] {
            let all = CDNOW.distribution_if_alive(
                History { frequency: x, age, ..History::NEW },
                horizon,
                0..2_000,
            );
            let mean: f64 = all.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            let any =
                CDNOW.any_order_if_alive(History { frequency: x, age, ..History::NEW }, horizon);
            assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(
                relative(
                    mean,
                    CDNOW.orders_if_alive(History { frequency: x, age, ..History::NEW }, horizon)
                ) < 1e-11
            );
            assert!(relative(1.0 - all[0], any) < 1e-11);
        }
    }
}
