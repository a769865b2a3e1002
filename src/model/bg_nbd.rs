//! BG/NBD: customers order at their own rate until, after some order, they silently leave.
//!
//! While alive, a customer orders as a Poisson process with rate λ. After each repeat order the
//! customer leaves with probability p. Rates differ between customers as λ ~ Gamma(r, α),
//! dropout probabilities as p ~ Beta(a, b), independently.
//!
//! # Reference
//! Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2),
//! 275–284. Equation numbers below are that paper's.

use std::ops::Range;

use crate::customers::History;
use crate::math::beta_mean::{BetaRule, beta_rule};
use crate::math::dropout::expected_orders_before_dropout;
use crate::math::negative_binomial::probabilities_and_tails;
use crate::math::special::{digamma_rise, ln_rising, log_add_exp_with_share};
use crate::model::likelihood::patterns::Patterns;
use crate::model::selection::channels::InWindow;
use crate::model::selection::probability::{SelectionProbability, SelectionRule, p_any_order};

/// BG/NBD parameters; α is in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BgNbd {
    /// Shape of the order rates.
    pub r: f64,
    /// Rate parameter of the order rates, in time units.
    pub alpha: f64,
    /// First shape of the dropout probabilities.
    pub a: f64,
    /// Second shape of the dropout probabilities.
    pub b: f64,
}

impl BgNbd {
    /// Probability that a customer with history (x, t_x, T) has not left.
    ///
    /// # Formula
    /// 1 / (1 + 1{x>0} · a/(b+x−1) · ((α+T)/(α+t_x))^(r+x)), the power through logarithms.
    ///
    /// # Reference
    /// Fader, Hardie & Lee (2008), note 019, "Computing P(alive) Using the BG/NBD Model", from
    /// equation 6.
    pub fn p_alive(&self, history: History) -> f64 {
        let History { frequency: x, recency: t_x, age } = history;
        if x == 0.0 {
            return 1.0;
        }
        let log_odds_gone = (self.a / (self.b + x - 1.0)).ln()
            + (self.r + x) * ((age - t_x) / (self.alpha + t_x)).ln_1p();
        1.0 / (1.0 + log_odds_gone.exp())
    }

    /// Expected orders in (T, T + horizon] of a customer who is alive at T after x orders.
    ///
    /// Returns `None` when the numerical method reached its cap.
    ///
    /// # Formula
    /// Equation 10 without its last factor P(alive), as the mean of (1 − (1 + pτ)^−(r+x))/p over
    /// p ~ Beta(a, b+x) with τ = t/(α+T). The paper writes it with the Gaussian hypergeometric
    /// function 2F1 (hyp2f1); this is the same number without the singularity at a = 1.
    pub fn orders_if_alive(&self, history: History, horizon: f64) -> Option<f64> {
        let History { frequency: x, age, .. } = history;
        let tau = horizon / (self.alpha + age);
        expected_orders_before_dropout(self.r + x, self.a, self.b + x, tau)
    }

    /// P(n orders in (T, T + horizon]) of a customer who is alive at T after x orders, for each
    /// n of `counts`.
    ///
    /// # Formula
    /// NB(n) · B(a, b+x+n)/B(a, b+x) + 1{n>0} · B(a+1, b+x+n−1)/B(a, b+x) · Σ_{j≥n} NB(j), where
    /// NB is the distribution of the count at rate λ ~ Gamma(r+x, α+T): either n orders and no
    /// dropout, or dropout after the n-th order.
    ///
    /// # Reference
    /// Equation 8, with the posterior distributions of λ and p in place of the prior ones.
    pub fn distribution_if_alive(
        &self,
        history: History,
        horizon: f64,
        counts: Range<u32>,
    ) -> Vec<f64> {
        let History { frequency: x, age, .. } = history;
        let (a, b) = (self.a, self.b + x);
        let tau = horizon / (self.alpha + age);
        let without = probabilities_and_tails(self.r + x, tau, counts.clone());
        cut_by_dropout((a, b), counts, without.into_iter())
    }

    /// P(selected | T) for T up to `oldest`.
    ///
    /// Returns `None` when the quadrature over p reached its cap, or the one over channel shares
    /// does not reach that far.
    pub fn selection_probability(
        &self,
        selection: &SelectionRule,
        oldest: f64,
    ) -> Option<BgNbdSelection> {
        let window = selection.window;
        let silent = oldest - window;
        let shares = match selection.both_channels {
            Some(mix) => Some(mix.shares(oldest, self.alpha)?),
            None => None,
        };
        // Where nobody is older than the window and channels do not count, dropout has no
        // influence: it can only follow the first repeat order. Otherwise one quadrature serves
        // every T. Its integrand is steepest in p for the oldest customers; a tenth of the time
        // before the window makes sure that flatter ones are exact too.
        let rule = if silent > 0.0 || shares.is_some() {
            let long = [oldest, 0.1 * silent.max(0.0)];
            let probe = |p: f64| long.map(|c| self.orders(c, window.min(oldest)).in_window(p)[0]);
            Some(beta_rule(self.a, self.b, probe)?)
        } else {
            None
        };
        Some(BgNbdSelection { model: *self, window, rule, shares })
    }

    fn orders(&self, silent: f64, window: f64) -> InWindow {
        InWindow { r: self.r, alpha: self.alpha, silent, window }
    }
}

/// The distribution of orders of customers who leave after each with p ~ Beta(a, b): `without` dropout,
/// exactly n orders and at least n have these probabilities, for each n of `counts`.
pub(crate) fn cut_by_dropout(
    (a, b): (f64, f64),
    counts: Range<u32>,
    without: impl Iterator<Item = (f64, f64)>,
) -> Vec<f64> {
    let before = f64::from(counts.start.max(1)) - 1.0;
    // P(no dropout after any of the first n − 1 orders), here for the first n of `counts`.
    let mut stayed = (ln_rising(b, before) - ln_rising(a + b, before)).exp();
    let one = |((exactly, at_least), n): ((f64, f64), u32)| {
        if n == 0 {
            return exactly;
        }
        let n = f64::from(n);
        let left = stayed * a / (a + b + n - 1.0);
        stayed *= (b + n - 1.0) / (a + b + n - 1.0);
        exactly * stayed + left * at_least
    };
    without.zip(counts).map(one).collect()
}

/// P(selected) under BG/NBD.
pub struct BgNbdSelection {
    model: BgNbd,
    window: f64,
    /// Quadrature over the dropout probability.
    rule: Option<BetaRule>,
    /// Quadrature over the share π of the first channel: π, 1−π, weight.
    shares: Option<Vec<(f64, f64, f64)>>,
}

impl SelectionProbability for BgNbdSelection {
    /// # Formula
    /// For c = T − W > 0: E e^(−λpc) (1 − e^(−λW)) = E[(α/(α+pc))^r − (α/(α+pc+W))^r] over
    /// p ~ Beta(a, b), that is, alive at the beginning of the window and at least one order in it.
    /// For T ≤ W: 1 − (α/(α+T))^r. With both channels, minus the probability that all orders went
    /// through one.
    fn at(&self, age: f64) -> [f64; 5] {
        let (silent, window) = ((age - self.window).max(0.0), age.min(self.window));
        let orders = self.model.orders(silent, window);
        let mean = match (&self.rule, &self.shares) {
            (Some(rule), Some(shares)) => rule.mean(|p, _| orders.in_both(shares, p)),
            (Some(rule), None) if silent > 0.0 => rule.mean(|p, _| orders.in_window(p)),
            (None, _) if silent > 0.0 => return [f64::NAN; 5],
            _ => {
                let [p, d_r, d_alpha] = p_any_order(self.model.r, self.model.alpha, age);
                return [p, d_r, d_alpha, 0.0, 0.0];
            }
        };
        let [p, d_r, d_alpha] = mean.value;
        [p, d_r, d_alpha, mean.slope_a, mean.slope_b]
    }

    fn scale(&self) -> f64 {
        self.model.alpha
    }
}

/// The terms of the likelihood that depend on the data by x only; computed once per distinct x.
pub(crate) struct OfFrequency {
    /// r + x
    pub(crate) shape: f64,
    /// ln Γ(r+x)/Γ(r) + ln B(a, b+x)/B(a, b)
    pub(crate) constant: f64,
    /// ln a/(b+x−1), −∞ for x = 0
    pub(crate) ln_dropout: f64,
    /// 1/(b+x−1), 0 for x = 0
    pub(crate) inverse: f64,
    pub(crate) d_r: f64,
    pub(crate) d_a: f64,
    pub(crate) d_b: f64,
}

/// Log-likelihood summed over all customers, and its gradient in (r, α, a, b).
///
/// # Formula
/// Equation 6 with B(a+1, b+x−1) = B(a, b+x)·a/(b+x−1) factored out, so that one log-add-exp per
/// pattern remains:
///
/// Γ(r+x) α^r / Γ(r) · B(a, b+x)/B(a, b) · [(α+T)^−(r+x) + 1{x>0} · a/(b+x−1) · (α+t_x)^−(r+x)]
pub fn log_likelihood(patterns: &Patterns, parameters: &[f64]) -> (f64, Vec<f64>) {
    log_likelihood_over(patterns, parameters, OfFrequency::bg_nbd)
}

/// The common part of the BG/NBD and MBG/NBD likelihoods: the sum over patterns, and its gradient
/// in (r, α, a, b).
pub(crate) fn log_likelihood_over(
    patterns: &Patterns,
    parameters: &[f64],
    of_frequency: impl Fn(f64, f64, f64, f64) -> OfFrequency,
) -> (f64, Vec<f64>) {
    let [r, alpha, a, b] = [parameters[0], parameters[1], parameters[2], parameters[3]];
    let of_x: Vec<OfFrequency> =
        patterns.frequency.iter().map(|x| of_frequency(r, a, b, *x)).collect();
    let of_age = of_times(&patterns.age, alpha);
    let of_recency = of_times(&patterns.recency, alpha);
    let [sum, d_r, d_alpha, d_a, d_b] = patterns.sum(|row| {
        let of_x = &of_x[row.x as usize];
        let (age, recency) = (of_age[row.age as usize], of_recency[row.t_x as usize]);
        let shape = of_x.shape;
        let (bracket, gone) =
            log_add_exp_with_share(-shape * age.ln, of_x.ln_dropout - shape * recency.ln);
        let alive = 1.0 - gone;
        [
            row.count * (of_x.constant + bracket),
            row.count * (of_x.d_r - alive * age.ln - gone * recency.ln),
            -row.count * shape * (alive * age.inverse + gone * recency.inverse),
            row.count * (of_x.d_a + gone / a),
            row.count * (of_x.d_b - gone * of_x.inverse),
        ]
    });
    let (n, ln_alpha) = (patterns.customers, alpha.ln());
    (sum + n * r * ln_alpha, vec![d_r + n * ln_alpha, d_alpha + n * r / alpha, d_a, d_b])
}

/// ln(α + t) and 1/(α + t).
#[derive(Clone, Copy)]
pub(crate) struct OfTime {
    pub(crate) ln: f64,
    pub(crate) inverse: f64,
}

impl OfTime {
    pub(crate) fn of(alpha: f64, time: f64) -> Self {
        Self { ln: (alpha + time).ln(), inverse: 1.0 / (alpha + time) }
    }
}

fn of_times(times: &[f64], alpha: f64) -> Vec<OfTime> {
    times.iter().map(|t| OfTime::of(alpha, *t)).collect()
}

impl OfFrequency {
    /// The terms of a BG/NBD likelihood.
    pub(crate) fn bg_nbd(r: f64, a: f64, b: f64, x: f64) -> Self {
        let inverse = if x > 0.0 { 1.0 / (b + x - 1.0) } else { 0.0 };
        Self::new(r, a, b, x, inverse)
    }

    /// Those of an NBD likelihood: nobody leaves.
    pub(crate) fn nbd(r: f64, x: f64) -> Self {
        Self {
            shape: r + x,
            constant: ln_rising(r, x),
            ln_dropout: f64::NEG_INFINITY,
            inverse: 0.0,
            d_r: digamma_rise(r, x),
            d_a: 0.0,
            d_b: 0.0,
        }
    }

    /// `inverse` is 1/(b+x−1), or 0 where the customer cannot have left.
    pub(crate) fn new(r: f64, a: f64, b: f64, x: f64, inverse: f64) -> Self {
        let both = digamma_rise(a + b, x);
        Self {
            shape: r + x,
            constant: ln_rising(r, x) + ln_rising(b, x) - ln_rising(a + b, x),
            ln_dropout: (a * inverse).ln(),
            inverse,
            d_r: digamma_rise(r, x),
            d_a: -both,
            d_b: digamma_rise(b, x) - both,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::{orders_only, relative};

    /// Fader, Hardie & Lee (2005), section 4: the CDNOW estimates.
    const CDNOW: BgNbd = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
    /// The same to more digits, on which lifetimes 0.11.3 and CLVTools agree.
    const CDNOW_EXACT: BgNbd = BgNbd { r: 0.2425945, alpha: 4.4136019, a: 0.7929199, b: 2.4258881 };

    fn expected(model: &BgNbd, horizon: f64, x: f64, t_x: f64, age: f64) -> f64 {
        let if_alive = model
            .orders_if_alive(History { frequency: x, age, ..History::NEW }, horizon)
            .expect("finite");
        if_alive * model.p_alive(History { frequency: x, recency: t_x, age })
    }

    #[test]
    fn published_customer_1516() {
        // Published for CDNOW, next 52 weeks: 25.757 and .96885 (rounded there).
        let (x, t_x, age) = (26.0, 30.857_142_857, 31.0);
        let orders = expected(&CDNOW_EXACT, 52.0, x, t_x, age);
        assert!(relative(orders, 25.757) < 5e-5, "{orders}");
        assert!(
            relative(CDNOW_EXACT.p_alive(History { frequency: x, recency: t_x, age }), 0.96885)
                < 1e-5
        );
    }

    #[test]
    fn published_spreadsheet_customer() {
        // Fader, Hardie & Lee (2005), note 004: x 2, t_x 30.43, T 38.86, next 39 weeks: 1.226.
        let orders = expected(&CDNOW, 39.0, 2.0, 30.43, 38.86);
        assert!(relative(orders, 1.226) < 5e-4, "{orders}");
    }

    #[test]
    fn new_customer_over_a_year() {
        // Published for CDNOW: 1.4440 over 52 weeks.
        let orders = expected(&CDNOW_EXACT, 52.0, 0.0, 0.0, 0.0);
        assert!(relative(orders, 1.4440) < 5e-5, "{orders}");
    }

    #[test]
    fn published_order_counts() {
        // Published at the paper's estimates: P(X(2) = 10) and P(X(39) = 0); mpmath agrees, by the
        // formulas of scripts/model_reference.py.
        let ten = CDNOW.distribution_if_alive(History::NEW, 2.0, 10..11)[0];
        assert!(relative(ten, 1.07869e-7) < 5e-6, "{ten}");
        let none = CDNOW.distribution_if_alive(History::NEW, 39.0, 0..1)[0];
        assert!(relative(none, 0.57379) < 1e-5, "{none}");
    }

    #[test]
    fn stays_finite_where_the_published_form_does_not() {
        // a + b + x < 1: the published third 2F1 argument is negative. math::dropout checks the
        // value to 50 digits; this test checks that the model returns it.
        let model = BgNbd { r: 0.11, alpha: 2.24, a: 0.31, b: 0.50 };
        let orders = expected(&model, 30.0, 0.0, 0.0, 1.0);
        assert!(relative(orders, 0.564_590_459_140_536_3) < 1e-4, "{orders}");
    }

    #[test]
    fn gradient_equals_differences() {
        let histories = orders_only(
            vec![0.0, 2.0, 26.0, 1.0],
            vec![0.0, 30.43, 30.857, 5.0],
            vec![38.86, 38.86, 31.0, 30.0],
        );
        let patterns = CustomerPatterns::of(&histories).patterns;
        let at = [0.3, 4.0, 0.8, 2.5];
        let (_, gradient) = log_likelihood(&patterns, &at);
        for i in 0..4 {
            let shifted = |h: f64| {
                let mut point = at;
                point[i] += h;
                log_likelihood(&patterns, &point).0
            };
            let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!(relative(gradient[i], difference) < 1e-7, "{i}: {} {difference}", gradient[i]);
        }
    }

    #[test]
    fn without_dropout_it_is_the_nbd() {
        let model = BgNbd { a: 0.0, ..CDNOW };
        assert_eq!(model.p_alive(History { frequency: 5.0, recency: 10.0, age: 38.0 }), 1.0);
        let nbd = crate::model::nbd::Nbd { r: CDNOW.r, alpha: CDNOW.alpha };
        let orders = expected(&model, 39.0, 5.0, 10.0, 38.0);
        assert!(
            relative(
                orders,
                nbd.orders_if_alive(History { frequency: 5.0, age: 38.0, ..History::NEW }, 39.0)
            ) < 1e-14
        );
    }
}
