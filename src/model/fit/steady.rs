//! The Poisson limit of the NBD: every customer orders at the same steady rate.
//!
//! Where order counts vary no more than at one rate, the likelihood of the NBD keeps rising as r and
//! α run to infinity together; only their ratio, the rate, is known then.
//!
//! # Reference
//! Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, 3rd edition, section 5.12.1, for
//! the limit; Jeffreys (1961), Theory of Probability, section 3.2, for the rate after no order.

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::maximise::{Objective, Optimum, minimise};
use crate::model::likelihood::patterns::Patterns;
use crate::model::nbd::Nbd;
use crate::model::selection::probability::SelectionRule;
use crate::model::simulation::gamma;

/// r of the NBD that stands for the limit, at one expected order in the longest T. What it predicts
/// differs from the limit by a share of about 1/r.
const SHAPE: f64 = 1e12;
/// The rate after no order at all is that of half an order: the mean of the posterior distribution
/// under Jeffreys' prior.
const HALF: f64 = 0.5;

/// Drawn rates are at least this share of the estimate.
const LEAST: f64 = 1e-9;

/// One order rate for all customers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SteadyRate {
    /// Repeat orders of a customer per time unit.
    pub rate: f64,
    /// How many orders the rate rests on: the variance of its logarithm is 1 over them.
    pub orders: f64,
    /// Whether nobody ordered again, so that the rate is an assumption.
    pub assumed: bool,
}

impl SteadyRate {
    /// The estimate from all customers, and its log-likelihood. Under a selection both are
    /// conditional on being in the file, unless that likelihood has no maximum.
    ///
    /// # Formula
    /// λ = Σx / ΣT, the maximum of Σx·ln λ − λ·ΣT; with Σx = 0, λ = ½ / ΣT.
    pub(crate) fn of(patterns: &Patterns, selection: Option<&SelectionRule>) -> (Self, f64) {
        let [orders, time] = patterns.sum(|row| {
            let history = patterns.history(row);
            [row.count * history.frequency, row.count * history.age]
        });
        if orders == 0.0 {
            let rate = HALF / time;
            return (Self { rate, orders: HALF, assumed: true }, -HALF);
        }
        let plain = Self { rate: orders / time, orders, assumed: false };
        let conditional = selection.and_then(|rule| plain.given(rule, patterns, [orders, time]));
        conditional.unwrap_or_else(|| (plain, orders * plain.rate.ln() - orders))
    }

    /// The estimate under a selection. Returns `None` when the conditional likelihood has no maximum,
    /// as where everybody ordered exactly as often as the selection asks for.
    ///
    /// # Formula
    /// Σx·ln λ − λ·ΣT − Σ ln P(selected | T; λ)
    fn given(
        self,
        rule: &SelectionRule,
        patterns: &Patterns,
        [orders, time]: [f64; 2],
    ) -> Option<(Self, f64)> {
        let customers_of_age = patterns.customers_of_age();
        let oldest = patterns.oldest();
        let log_likelihood = |theta: &[f64]| {
            let rate = theta[0];
            let nbd = Self { rate, ..self }.nbd(oldest);
            let Some(selected) = nbd.selection_probability(rule, oldest) else {
                return (f64::NAN, vec![f64::NAN]);
            };
            let (given, slope) = rule.log_probability(patterns, &customers_of_age, &selected, 2);
            // At a fixed r, α = r/λ: the slope in λ is −α/λ times that in α.
            let slope = orders / rate - time + slope[1] * nbd.alpha / rate;
            (orders * rate.ln() - rate * time - given, vec![slope])
        };
        let objective = Objective {
            log_likelihood: Box::new(log_likelihood),
            customers: patterns.customers,
            l2_penalty: 0.0,
        };
        let optimum = minimise(&objective, &[vec![self.rate], vec![0.2 * self.rate]])?;
        let rate = optimum.parameters[0];
        let covariance = Covariance::at(&objective, &[rate]).filter(|found| !found.is_flat())?;
        let found = Self { rate, orders: 1.0 / covariance.log_scale[0][0], assumed: false };
        let log_likelihood = -optimum.value * patterns.customers;
        optimum.converged().then_some((found, log_likelihood))
    }

    /// The NBD that stands for the limit, for histories up to `oldest`.
    pub(crate) fn nbd(&self, oldest: f64) -> Nbd {
        let r = SHAPE * (self.rate * oldest).max(1.0);
        Nbd { r, alpha: r / self.rate }
    }

    /// The NBD at a rate that is drawn from its distribution, given the orders that it rests on.
    ///
    /// # Formula
    /// λ ~ Gamma(n, n/λ̂) with n orders: mean λ̂, and a relative variance of 1/n.
    pub(crate) fn drawn(&self, oldest: f64, rng: &mut impl Rng) -> Nbd {
        let rate = gamma(self.orders, self.orders / self.rate, rng);
        // A rate that no order would ever show is as good as 0, whose α is infinite.
        let rate = rate.max(LEAST * self.rate);
        Self { rate, ..*self }.nbd(oldest)
    }

    /// The same in a time unit that is shorter by `factor`.
    pub(crate) fn in_time_unit(self, factor: f64) -> Self {
        Self { rate: self.rate / factor, ..self }
    }
}

/// An optimum that is known without a search.
pub(crate) fn known_optimum(parameters: Vec<f64>, value: f64) -> Optimum {
    Optimum {
        parameters,
        value,
        gradient_norm: 0.0,
        iterations: 0,
        starts: 0,
        termination: "in closed form".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::History;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::purchase_model::PurchaseModel;
    use crate::model::selection::channels::ChannelMix;
    use crate::model::testing::{orders_only, relative};

    /// Six orders in 40 time units, each customer 10 old.
    fn patterns() -> Patterns {
        let histories =
            orders_only(vec![1.0, 2.0, 1.0, 2.0], vec![5.0, 8.0, 7.0, 9.0], vec![10.0; 4]);
        CustomerPatterns::of(&histories).patterns
    }

    #[test]
    fn the_rate_is_orders_over_time() {
        let (steady, log_likelihood) = SteadyRate::of(&patterns(), None);
        assert_eq!(steady, SteadyRate { rate: 0.15, orders: 6.0, assumed: false });
        // Π λ^x e^−λT.
        let by_hand = 6.0 * 0.15f64.ln() - 0.15 * 40.0;
        assert!(relative(log_likelihood, by_hand) < 1e-14, "{log_likelihood}");
        let nobody = orders_only(vec![0.0; 4], vec![0.0; 4], vec![10.0; 4]);
        let (steady, _) = SteadyRate::of(&CustomerPatterns::of(&nobody).patterns, None);
        // The posterior mean of Gamma(½, 40).
        assert_eq!(steady, SteadyRate { rate: 0.5 / 40.0, orders: 0.5, assumed: true });
    }

    #[test]
    fn under_a_selection_the_rate_is_that_of_a_truncated_poisson() {
        // Everybody ordered once at least: the mean count 3/2 is m/(1 − e^−m), m = 0.8742 by
        // bisection (Johnson, Kemp & Kotz, section 4.10.1).
        let rule = SelectionRule::to(f64::INFINITY);
        let (steady, log_likelihood) = SteadyRate::of(&patterns(), Some(&rule));
        let m = 10.0 * steady.rate;
        assert!(relative(m / -(-m).exp_m1(), 1.5) < 1e-7, "{m}");
        let by_hand = 6.0 * steady.rate.ln() - 4.0 * m - 4.0 * (-(-m).exp_m1()).ln();
        assert!(relative(log_likelihood, by_hand) < 1e-8, "{log_likelihood} {by_hand}");
        // Information of a zero-truncated Poisson in ln m: n·m·(dμ/dm), μ = m/(1 − e^−m).
        let p = -(-m).exp_m1();
        let information = 4.0 * m * (p - m * (-m).exp()) / (p * p);
        assert!(relative(steady.orders, information) < 1e-4, "{} {information}", steady.orders);
        // Exactly one each: the truncated likelihood rises to λ → 0, so the plain rate is taken.
        let once = orders_only(vec![1.0; 4], vec![5.0; 4], vec![10.0; 4]);
        let (steady, _) = SteadyRate::of(&CustomerPatterns::of(&once).patterns, Some(&rule));
        assert!(relative(steady.rate, 0.1) < 1e-12, "{steady:?}");
    }

    #[test]
    fn the_nbd_that_stands_for_it_predicts_as_poisson_does() {
        for (rate, age) in [(1e-6, 5.0), (0.15, 10.0), (3.0, 400.0)] {
            let steady = SteadyRate { rate, orders: 6.0, assumed: false };
            let nbd = steady.nbd(age);
            let model = PurchaseModel::Nbd(nbd);
            for x in [0.0, 1.0, 40.0] {
                let history = History { frequency: x, recency: age / 2.0, age };
                assert_eq!(model.p_alive(history), 1.0);
                let orders = model.expected_orders(history, 13.0).expect("computed");
                // x/r and T/α are what is left of the difference.
                assert!(relative(orders, rate * 13.0) < 1e-8, "{rate} {x}: {orders}");
                let mut term = (-rate * 13.0).exp();
                for (n, p) in model.distribution(history, 13.0, 0..60).into_iter().enumerate() {
                    let negligible = term < 1e-200;
                    let error = relative(p, term);
                    assert!(negligible || error < 1e-7, "{rate} {x} {n}: {p:e} {term:e}");
                    term *= rate * 13.0 / (n + 1) as f64;
                }
            }
            // P(an order within the window), and by channels with shares π ~ Beta(1, 1), of which
            // all orders are in one of the two: the factor of the first order is π or 1 − π.
            let rule = SelectionRule::to(4.0);
            let p = nbd.selection_probability(&rule, age).expect("known");
            let p = crate::model::selection::probability::SelectionProbability::at(&p, age)[0];
            assert!(relative(p, -(-rate * 4.0).exp_m1()) < 1e-7, "{rate}: {p}");
            let mix = ChannelMix { first: 1.0, second: 1.0 };
            let both =
                SelectionRule { both_channels: Some(mix), ..SelectionRule::to(f64::INFINITY) };
            let p = nbd.selection_probability(&both, age).expect("known");
            let p = crate::model::selection::probability::SelectionProbability::at(&p, age)[0];
            // Of n + 1 orders all are in one channel with probability 2/(n+2).
            let (m, mut sum, mut term) = (rate * age, 0.0, (-rate * age).exp());
            for n in 0..3_000u32 {
                sum += term * f64::from(n) / (f64::from(n) + 2.0);
                term *= m / f64::from(n + 1);
            }
            assert!(m > 700.0 || relative(p, sum) < 1e-6, "{rate}: {p} {sum}");
        }
    }
}
