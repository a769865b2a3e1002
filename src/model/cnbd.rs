//! BG/CNBD-k and MBG/CNBD-k: regular buyers. Customers order at their own rate and at regular
//! intervals until, after some order, they silently leave.
//!
//! While alive, a customer passes stages as a Poisson process with rate λ, and every k-th stage is an
//! order: waits between orders are Erlang-k distributed, with mean k/λ and a relative standard
//! deviation of 1/√k. After each repeat order the customer leaves with probability p; under MBG/CNBD-k
//! after the first order too. Rates differ between customers as λ ~ Gamma(r, α), dropout probabilities
//! as p ~ Beta(a, b), independently. k is the same for all. With k = 1 these are BG/NBD and MBG/NBD.
//!
//! # Assumptions
//! Waits are independent given λ, and no shorter for the first of them. Who has been silent for long
//! has left, or is about to order: P(alive) falls later than under k = 1, and then faster.
//!
//! # Reference
//! Platzer & Reutterer (2016), "Ticking Away the Moments", Marketing Science 35(5), 779–799, for
//! regular intervals; Reutterer, Platzer & Schröder (2021), "Leveraging Purchase Regularity for
//! Predicting Customer Behavior the Easy Way", International Journal of Research in Marketing 38(1),
//! 194–215, for these models. Likelihood and P(alive) are theirs; forecasts here are exact sums, where
//! theirs are approximations.

use std::ops::Range;

use crate::customers::History;
use crate::math::special::{digamma_rise, ln_gamma, ln_rising, log_add_exp_with_share};
use crate::math::stages::{StageTable, Standing, few_stages};
use crate::model::bg_nbd::cut_by_dropout;
use crate::model::likelihood::patterns::Patterns;

/// Parameters of BG/CNBD-k and MBG/CNBD-k; α is in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cnbd {
    /// Shape of the rates of stages.
    pub r: f64,
    /// Rate parameter of the rates of stages, in time units.
    pub alpha: f64,
    /// First shape of the dropout probabilities.
    pub a: f64,
    /// Second shape of the dropout probabilities.
    pub b: f64,
    /// Stages of an order, 1 to 8.
    pub k: u8,
    /// Whether customers can leave after the first order too (MBG/CNBD-k).
    pub from_first: bool,
}

impl Cnbd {
    /// Second shape of the dropout probabilities of those who are alive after x repeat orders.
    pub(crate) fn stayed(&self, x: f64) -> f64 {
        self.b + x + f64::from(u8::from(self.from_first))
    }

    /// Shape of the rates after x repeat orders, each of k stages: s = r + kx.
    pub(crate) fn shape(&self, x: f64) -> f64 {
        self.r + f64::from(self.k) * x
    }

    /// (T − t_x)/(α + T)
    pub(crate) fn silent_share(&self, history: History) -> f64 {
        (history.age - history.recency) / (self.alpha + history.age)
    }

    fn standing(&self, history: History) -> Standing {
        let History { frequency, recency, age } = history;
        Standing {
            shape: self.shape(frequency),
            stages: self.k,
            silent: age - recency,
            scale: self.alpha + age,
        }
    }

    /// Probability that a customer with history (x, t_x, T) has not left.
    ///
    /// # Formula
    /// 1 / (1 + a/(b+x+o−1) · ((α+T)/(α+t_x))^s / A(u)), where o = 1 if customers can leave after the
    /// first order and 0 if not (then 1 for x = 0), s = r + kx, u = (T−t_x)/(α+T), and
    /// A(u) = Σ_{j<k} (s)ⱼ uʲ/j!
    ///
    /// # Reference
    /// Reutterer, Platzer & Schröder (2021), section 3.
    pub fn p_alive(&self, history: History) -> f64 {
        let History { frequency: x, recency: t_x, age } = history;
        if x == 0.0 && !self.from_first {
            return 1.0;
        }
        let s = self.shape(x);
        let log_odds_gone = (self.a / (self.stayed(x) - 1.0)).ln()
            + s * ((age - t_x) / (self.alpha + t_x)).ln_1p()
            - few_stages(s, self.silent_share(history), self.k).ln();
        1.0 / (1.0 + log_odds_gone.exp())
    }

    /// Expected orders in (T, T + horizon] of a customer with history (x, t_x, T) who is alive at T.
    ///
    /// Returns `None` when the numerical method reached its cap.
    ///
    /// # Formula
    /// Σ_n P(N ≥ n) · Π_{i<n−1} (b'+i)/(a+b'+i) with b' = b+x+o: the n-th order comes if there is time
    /// for it and the customer stayed after each order before it. P(N ≥ n) as in
    /// `Standing::orders`, Σ_j w_j I_{t/(α+T+t)}(nk − j, s + j), where I is the regularised
    /// incomplete beta function. The sum leaves out less than 10⁻¹⁴ of the orders of a customer who
    /// never leaves.
    pub fn orders_if_alive(&self, history: History, horizon: f64) -> Option<f64> {
        let counts = self.standing(history).orders(horizon)?;
        let (a, b) = (self.a, self.stayed(history.frequency));
        // The expected number of orders if there is time for n of them.
        let (mut until, mut stayed, mut sum) = (0.0, 1.0, 0.0);
        for (n, p) in counts.iter().enumerate().skip(1) {
            until += stayed;
            sum += p * until;
            let before = n as f64 - 1.0;
            stayed *= (b + before) / (a + b + before);
        }
        Some(sum)
    }

    /// P(at least one order in (T, T + horizon]) of a customer with history (x, t_x, T) who is alive
    /// at T: the next order comes before any dropout.
    ///
    /// # Formula
    /// 1 − ((α+T)/(α+T+t))^s · A((T−t_x+t)/(α+T+t)) / A((T−t_x)/(α+T))
    pub fn any_order_if_alive(&self, history: History, horizon: f64) -> f64 {
        // Rounding must not make a probability negative.
        (-self.standing(history).ln_no_order(horizon).exp_m1()).max(0.0)
    }

    /// P(n orders in (T, T + horizon]) of a customer with history (x, t_x, T) who is alive at T, for
    /// each n of `counts`; NaN when the numerical method reached its cap.
    ///
    /// # Formula
    /// P(N = n) · g_n + P(N ≥ n) · (g_{n−1} − g_n) for n > 0 with g_n = Π_{i<n} (b'+i)/(a+b'+i): either
    /// n orders and no dropout, or dropout after the n-th order.
    pub fn distribution_if_alive(
        &self,
        history: History,
        horizon: f64,
        counts: Range<u32>,
    ) -> Vec<f64> {
        let Some(mut exactly) = self.standing(history).orders(horizon) else {
            return vec![f64::NAN; counts.len()];
        };
        exactly.resize(exactly.len().max(counts.end as usize), 0.0);
        let mut at_least = exactly.clone();
        (1..at_least.len()).rev().for_each(|n| at_least[n - 1] += at_least[n]);
        let without = counts.clone().map(|n| (exactly[n as usize], at_least[n as usize]));
        cut_by_dropout((self.a, self.stayed(history.frequency)), counts, without)
    }
}

/// The terms of the likelihood that depend on the data by x only.
struct OfFrequency {
    shape: f64,
    /// ln Γ(r+kx)/Γ(r) + ln B(a, b+x+o)/B(a, b+o)
    constant: f64,
    /// ln a/(b+x+o−1); −∞ where the customer cannot have left
    ln_dropout: f64,
    /// 1/(b+x+o−1); 0 where the customer cannot have left
    inverse: f64,
    d_r: f64,
    d_a: f64,
    d_b: f64,
    stages: StageTable,
}

/// Log-likelihood summed over all customers, and its gradient in (r, α, a, b); without the factor of
/// [`ln_gap_factor`], which has no parameter. With a = 0, that is, where nobody leaves, the gradient is
/// one in (r, α).
///
/// # Formula
/// With s = r + kx and o as in [`Cnbd::p_alive`]: alive,
/// B(a, b+x+o)/B(a, b) · Σ_{j<k} (T−t_x)ʲ/j! · Γ(s+j)/Γ(r) · α^r (α+T)^−(s+j); left,
/// B(a+1, b+x+o−1)/B(a, b) · Γ(s)/Γ(r) · α^r (α+t_x)^−s. What both have in common is factored out, so
/// that one log-add-exp per pattern remains:
///
/// Γ(s) α^r/Γ(r) · B(a, b+x+o)/B(a, b) · [(α+T)^−s A(u) + a/(b+x+o−1) · (α+t_x)^−s]
///
/// # Reference
/// Reutterer, Platzer & Schröder (2021), section 3.
pub fn log_likelihood(
    patterns: &Patterns,
    k: u8,
    from_first: bool,
    parameters: &[f64],
) -> (f64, Vec<f64>) {
    let [r, alpha, a, b] = [parameters[0], parameters[1], parameters[2], parameters[3]];
    let model = Cnbd { r, alpha, a, b, k, from_first };
    let of_x: Vec<OfFrequency> =
        patterns.frequency.iter().map(|x| OfFrequency::new(&model, *x)).collect();
    let of_age = of_times(&patterns.age, alpha);
    let of_recency = of_times(&patterns.recency, alpha);
    let [sum, d_r, d_alpha, d_a, d_b] = patterns.sum(|row| {
        let of_x = &of_x[row.x as usize];
        let (age, recency) = (&of_age[row.age as usize], &of_recency[row.t_x as usize]);
        let silent = patterns.age[row.age as usize] - patterns.recency[row.t_x as usize];
        let few = of_x.stages.at(silent * age.inverse);
        let shape = of_x.shape;
        let (bracket, gone) =
            log_add_exp_with_share(few.ln - shape * age.ln, of_x.ln_dropout - shape * recency.ln);
        let alive = 1.0 - gone;
        [
            row.count * (of_x.constant + bracket),
            row.count * (of_x.d_r + alive * (few.by_shape - age.ln) - gone * recency.ln),
            -row.count
                * (alive * (shape + few.passed) * age.inverse + gone * shape * recency.inverse),
            row.count * (of_x.d_a + gone / a),
            row.count * (of_x.d_b - gone * of_x.inverse),
        ]
    });
    let (n, ln_alpha) = (patterns.customers, alpha.ln());
    let mut value = sum + n * r * ln_alpha;
    let mut slope = vec![d_r + n * ln_alpha, d_alpha + n * r / alpha, d_a, d_b];
    if from_first {
        // Everybody who has been seen again, or is alive, stayed after the first order: b/(a+b).
        value -= n * (a / b).ln_1p();
        slope[2] -= n / (a + b);
        slope[3] += n * a / (b * (a + b));
    }
    (value, slope)
}

struct OfTime {
    ln: f64,
    inverse: f64,
}

fn of_times(times: &[f64], alpha: f64) -> Vec<OfTime> {
    times.iter().map(|t| OfTime { ln: (alpha + t).ln(), inverse: 1.0 / (alpha + t) }).collect()
}

impl OfFrequency {
    fn new(model: &Cnbd, x: f64) -> Self {
        let (r, a, kx) = (model.r, model.a, f64::from(model.k) * x);
        let b = model.stayed(0.0);
        let can_leave = x > 0.0 || model.from_first;
        let inverse = if can_leave { 1.0 / (b + x - 1.0) } else { 0.0 };
        let both = digamma_rise(a + b, x);
        let shape = model.shape(x);
        Self {
            shape,
            constant: ln_rising(r, kx) + ln_rising(b, x) - ln_rising(a + b, x),
            ln_dropout: (a * inverse).ln(),
            inverse,
            d_r: digamma_rise(r, kx),
            d_a: -both,
            d_b: digamma_rise(b, x) - both,
            stages: StageTable::new(shape, model.k),
        }
    }
}

/// The logarithm of what the times between orders add to the likelihood, beyond (x, t_x, T): a number
/// of the data alone.
///
/// # Formula
/// (k−1)·Σ ln gap − Σx·ln Γ(k), over all waits between two orders and all repeat orders x.
pub fn ln_gap_factor(k: u8, ln_gaps: f64, repeat_orders: f64) -> f64 {
    let k = f64::from(k);
    (k - 1.0) * ln_gaps - repeat_orders * ln_gamma(k)
}

/// The same where only the totals of each customer are known, relative to k = 1.
///
/// # Formula
/// t_x is the sum of kx stages: t_x^(kx−1)/Γ(kx) in place of the product over waits. Divided by the
/// same at k = 1, so that k = 1 keeps its likelihood: Σ (k−1)·x·ln t_x − ln Γ(kx) + ln Γ(x) over
/// customers with x > 0. Orders on the day of the first one have t_x = 0, where the density is 0. As a
/// day is the shortest time that such a file can tell, they count as half a `day`.
pub fn ln_totals_factor(k: u8, patterns: &Patterns, day: f64) -> f64 {
    let k = f64::from(k);
    let [sum] = patterns.sum(|row| {
        let History { frequency: x, recency, .. } = patterns.history(row);
        if x == 0.0 {
            return [0.0];
        }
        let time = recency.max(0.5 * day);
        [row.count * ((k - 1.0) * x * time.ln() - ln_gamma(k * x) + ln_gamma(x))]
    });
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::beta_mean::beta_rule;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::{orders_only, relative};

    const MODEL: Cnbd = Cnbd { r: 0.85, alpha: 1.45, a: 0.79, b: 2.42, k: 3, from_first: true };

    const HISTORIES: [History; 5] = [
        History { frequency: 0.0, recency: 0.0, age: 12.0 },
        History { frequency: 1.0, recency: 5.0, age: 30.0 },
        History { frequency: 4.0, recency: 20.0, age: 26.0 },
        History { frequency: 4.0, recency: 26.0, age: 26.0 },
        History { frequency: 40.0, recency: 50.0, age: 60.0 },
    ];

    fn patterns() -> Patterns {
        let column = |of: fn(&History) -> f64| HISTORIES.iter().map(of).collect();
        let histories =
            orders_only(column(|h| h.frequency), column(|h| h.recency), column(|h| h.age));
        CustomerPatterns::of(&histories).patterns
    }

    /// The likelihood of one customer by quadrature over the rate, with p integrated by beta
    /// functions: ∫ Gamma(λ; r, α) · λ^kx · (P(fewer than k stages in T − t_x)·stays + e^−λt_x·leaves).
    fn by_quadrature(model: &Cnbd, history: History) -> f64 {
        let History { frequency: x, recency: t_x, age } = history;
        let Cnbd { r, alpha, a, b, k, from_first } = *model;
        let o = f64::from(u8::from(from_first));
        let ln_beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
        let stays = (ln_beta(a, b + x + o) - ln_beta(a, b)).exp();
        let can_leave = x > 0.0 || from_first;
        let leaves =
            if can_leave { (ln_beta(a + 1.0, b + x + o - 1.0) - ln_beta(a, b)).exp() } else { 0.0 };
        let steps = 400_000;
        let (low, high) = (-40.0, 8.0);
        let width = (high - low) / f64::from(steps);
        // In ln λ, by the trapezoidal rule, which is exact to rounding for such a density.
        let at = |i: i32| {
            let log: f64 = low + width * f64::from(i);
            let rate = log.exp();
            let kx = f64::from(k) * x;
            let prior = r * alpha.ln() - ln_gamma(r) + (r + kx) * log - alpha * rate;
            let silent = rate * (age - t_x);
            let few: f64 = (0..k)
                .map(|j| (f64::from(j) * silent.ln() - ln_gamma(f64::from(j) + 1.0)).exp())
                .sum();
            let few = if silent == 0.0 { 1.0 } else { few };
            stays * few * (prior - rate * age).exp() + leaves * (prior - rate * t_x).exp()
        };
        (0..=steps).map(at).sum::<f64>() * width
    }

    #[test]
    fn the_likelihood_is_the_integral_over_rates() {
        for k in [2, 3, 8] {
            for from_first in [false, true] {
                let model = Cnbd { k, from_first, ..MODEL };
                for history in HISTORIES {
                    let histories = orders_only(
                        vec![history.frequency],
                        vec![history.recency],
                        vec![history.age],
                    );
                    let one = CustomerPatterns::of(&histories).patterns;
                    let parameters = [model.r, model.alpha, model.a, model.b];
                    let (value, _) = log_likelihood(&one, k, from_first, &parameters);
                    let expected = by_quadrature(&model, history).ln();
                    assert!((value - expected).abs() < 1e-8, "{k} {history:?}: {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn gradient_equals_differences() {
        for k in [2, 5] {
            for from_first in [false, true] {
                let at = [0.85, 1.45, 0.79, 2.42];
                let (_, gradient) = log_likelihood(&patterns(), k, from_first, &at);
                for i in 0..4 {
                    let shifted = |h: f64| {
                        let mut point = at;
                        point[i] += h;
                        log_likelihood(&patterns(), k, from_first, &point).0
                    };
                    let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                    assert!(relative(gradient[i], difference) < 1e-6, "{k} {from_first} {i}");
                }
            }
        }
    }

    /// Expected orders of a customer who is alive, by quadrature over p of what comes at a known p.
    #[test]
    fn expected_orders_by_quadrature_over_dropout() {
        for history in HISTORIES {
            let counts = MODEL.standing(history).orders(26.0).expect("within reach");
            // E = Σ_n P(N = n)·(1 − (1−p)^n)/p at a known p.
            let at = |p: f64| -> f64 {
                let expected = |(n, weight): (usize, &f64)| {
                    let n = n as f64;
                    let until = match p {
                        _ if n == 0.0 => 0.0,
                        _ if p > 0.0 => -(n * (-p).ln_1p()).exp_m1() / p,
                        _ => n,
                    };
                    weight * until
                };
                counts.iter().enumerate().map(expected).sum()
            };
            let b = MODEL.stayed(history.frequency);
            let rule = beta_rule(MODEL.a, b, |p| [at(p); 2]).expect("a rule");
            let [mean] = rule.mean(|p, _| [at(p)]).value;
            let orders = MODEL.orders_if_alive(history, 26.0).expect("within reach");
            assert!(relative(orders, mean) < 1e-9, "{history:?}: {orders} {mean}");
        }
    }

    #[test]
    fn a_distribution_has_the_mean_of_the_forecast() {
        for history in HISTORIES {
            let all = MODEL.distribution_if_alive(history, 26.0, 0..400);
            assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-11, "{history:?}");
            let mean: f64 = all.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            let orders = MODEL.orders_if_alive(history, 26.0).expect("within reach");
            assert!(relative(mean, orders) < 1e-10, "{history:?}: {mean} {orders}");
            let any = MODEL.any_order_if_alive(history, 26.0);
            assert!(relative(1.0 - all[0], any) < 1e-10, "{history:?}");
            let later = MODEL.distribution_if_alive(history, 26.0, 3..6);
            for (n, p) in later.iter().enumerate() {
                assert!(relative(*p, all[n + 3]) < 1e-12, "{history:?} {n}");
            }
            assert!(MODEL.distribution_if_alive(history, 26.0, 2..2).is_empty());
        }
    }

    #[test]
    fn times_between_orders_and_totals_add_a_known_factor() {
        // Two orders after waits of 2 and 3: k = 3 adds (2·3)²/Γ(3)², with totals 5^5/Γ(6) in place of
        // 5/Γ(2).
        let factor = ln_gap_factor(3, 2f64.ln() + 3f64.ln(), 2.0);
        assert!(relative(factor, (36f64 / 4.0).ln()) < 1e-14, "{factor}");
        let patterns =
            CustomerPatterns::of(&orders_only(vec![2.0, 0.0], vec![5.0, 0.0], vec![9.0; 2]));
        let totals = ln_totals_factor(3, &patterns.patterns, 1.0);
        assert!(relative(totals, (5f64.powi(4) / 120.0).ln()) < 1e-13, "{totals}");
        // An order on the first day came after half a day: (½)^1/Γ(2).
        let at_once = CustomerPatterns::of(&orders_only(vec![1.0], vec![0.0], vec![9.0]));
        let totals = ln_totals_factor(2, &at_once.patterns, 1.0);
        assert!(relative(totals, 0.5f64.ln()) < 1e-14, "{totals}");
        let plain = [ln_gap_factor(1, 3.0, 7.0), ln_totals_factor(1, &at_once.patterns, 1.0)];
        assert!(plain.iter().all(|factor| factor.abs() < 1e-14), "{plain:?}");
    }

    #[test]
    fn without_dropout_nobody_has_left() {
        let at = [0.85, 1.45, 0.0, 1.0];
        let (value, slope) = log_likelihood(&patterns(), 3, true, &at);
        let tiny = log_likelihood(&patterns(), 3, true, &[0.85, 1.45, 1e-30, 1.0]);
        assert!(relative(value, tiny.0) < 1e-9, "{value} {}", tiny.0);
        assert!(relative(slope[0], tiny.1[0]) < 1e-9 && relative(slope[1], tiny.1[1]) < 1e-9);
    }
}
