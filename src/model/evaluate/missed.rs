//! Whether a total of orders that came is further from the forecast than chance and the errors of the
//! parameters explain.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::model::fit::purchases::FittedPurchases;
use crate::model::forecast::predict::expected_orders;
use crate::model::likelihood::patterns::CustomerPatterns;
use crate::model::purchase_model::PurchaseModel;

/// Futures drawn for each distinct history: the variance of a total over hundreds of customers needs
/// no more.
const DRAWS: u32 = 8;
/// More orders are not drawn: nobody has so many by chance.
const MOST_ORDERS: u32 = 100_000;
const SEED: u64 = 7;
/// Relative step of the differences by ln θ.
const STEP: f64 = 1e-3;
/// |z| of a normal distribution that one right forecast in a hundred exceeds, and one in ten.
const RARE: f64 = 2.576;
const UNUSUAL: f64 = 1.645;
/// Smaller errors change no plan, however certain they are.
const LEAST: f64 = 0.05;

/// A forecast of a total against what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    /// Expected orders.
    pub expected: f64,
    /// Orders that came.
    pub actual: f64,
    /// Standard deviation of the difference where the model is right.
    pub error: f64,
}

/// How a forecast did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Within its 90 % interval, or off by too little to matter.
    Held,
    /// Outside of its 90 % interval, as one right forecast in ten.
    Unusual,
    /// Outside of its 99 % interval.
    Missed,
}

impl Total {
    /// The total of the customers over a horizon, forecast by a fitted model.
    ///
    /// Returns `None` when the forecast cannot be computed.
    ///
    /// # Formula
    /// Variance: Σ Var(N) over customers, each from simulated futures, plus gᵀCg, where g is the slope
    /// of the total in ln θ and C the covariance of ln θ (delta method; left out where there is no
    /// covariance).
    pub fn of(
        fitted: &FittedPurchases,
        customers: &CustomerPatterns,
        horizon: f64,
        actual: f64,
    ) -> Option<Self> {
        let expected = total(&fitted.model, customers, horizon)?;
        let chance = chance_variance(&fitted.model, customers, horizon);
        let of_parameters = parameter_variance(fitted, customers, horizon).unwrap_or(0.0);
        Some(Self { expected, actual, error: (chance + of_parameters).sqrt() })
    }

    /// The same with a relative error of the model besides.
    pub fn with_model_error(self, relative: f64) -> Self {
        let more = relative * self.expected;
        Self { error: (self.error.powi(2) + more.powi(2)).sqrt(), ..self }
    }

    /// expected / actual − 1; `None` where nothing came.
    pub fn bias(&self) -> Option<f64> {
        (self.actual > 0.0).then(|| self.expected / self.actual - 1.0)
    }

    /// The ends of the 90 % interval.
    pub fn interval(&self) -> [f64; 2] {
        let half = UNUSUAL * self.error;
        [(self.expected - half).max(0.0), self.expected + half]
    }

    /// How the forecast did.
    pub fn verdict(&self) -> Verdict {
        let off = (self.actual - self.expected).abs();
        if off <= LEAST * self.actual.max(1.0) || off <= UNUSUAL * self.error {
            Verdict::Held
        } else if off <= RARE * self.error {
            Verdict::Unusual
        } else {
            Verdict::Missed
        }
    }
}

/// Expected orders of all customers over a horizon; `None` where they cannot be computed.
pub fn total(model: &PurchaseModel, customers: &CustomerPatterns, horizon: f64) -> Option<f64> {
    let p_alive = customers.patterns.each(|history| model.p_alive(history));
    let orders = expected_orders(model, customers, &p_alive, horizon);
    let rows = customers.patterns.rows.iter().zip(orders);
    let sum: f64 = rows.map(|(row, orders)| row.count * orders).sum();
    sum.is_finite().then_some(sum)
}

fn chance_variance(model: &PurchaseModel, customers: &CustomerPatterns, horizon: f64) -> f64 {
    let patterns = &customers.patterns;
    let variance = |(i, row): (usize, &crate::model::likelihood::patterns::Pattern)| {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(i as u64);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..DRAWS {
            let mut orders = 0u32;
            if let Some(mut future) = model.draw_future(patterns.history(row), &mut rng) {
                while orders < MOST_ORDERS
                    && future.next_order(&mut rng).is_some_and(|time| time <= horizon)
                {
                    orders += 1;
                }
            }
            sum += f64::from(orders);
            squares += f64::from(orders).powi(2);
        }
        let n = f64::from(DRAWS);
        row.count * (squares - sum * sum / n) / (n - 1.0)
    };
    // Collected before it is summed: the same on any number of cores.
    let all: Vec<f64> = patterns.rows.par_iter().enumerate().map(variance).collect();
    all.iter().sum()
}

fn parameter_variance(
    fitted: &FittedPurchases,
    customers: &CustomerPatterns,
    horizon: f64,
) -> Option<f64> {
    let covariance = &fitted.covariance.as_ref().filter(|c| !c.is_flat())?.log_scale;
    let (theta, family) = (fitted.model.parameters(), fitted.model.family());
    let slope = |i: usize| -> Option<f64> {
        let at = |sign: f64| {
            let mut moved = theta.clone();
            moved[i] *= (sign * STEP).exp();
            total(&family.model(&moved), customers, horizon)
        };
        Some((at(1.0)? - at(-1.0)?) / (2.0 * STEP))
    };
    let slopes: Vec<f64> = (0..theta.len()).map(slope).collect::<Option<_>>()?;
    let pairs = (0..slopes.len()).flat_map(|i| (0..slopes.len()).map(move |j| (i, j)));
    Some(pairs.map(|(i, j)| slopes[i] * covariance[i][j] * slopes[j]).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::forecast::predict::tests::fitted;
    use crate::model::nbd::Nbd;
    use crate::model::testing::{diagonal, orders_only};

    /// After x orders in T = 6 of an NBD with r 1 and α 4 the orders over τ·10 are negative binomial:
    /// mean (1 + x)τ, variance (1 + x)τ(1 + τ).
    #[test]
    fn the_error_of_a_total_by_hand() {
        let nbd = PurchaseModel::Nbd(Nbd { r: 1.0, alpha: 4.0 });
        let n = 4_000;
        let ages: Vec<f64> = (0..n).map(|i| 6.0 + 1e-9 * f64::from(i)).collect();
        let histories = orders_only(vec![2.0; n as usize], vec![3.0; n as usize], ages);
        let customers = CustomerPatterns::of(&histories);
        let tau = 0.5;
        let known = fitted(nbd, Some(diagonal(&[1e-24; 2])));
        let total = Total::of(&known, &customers, 10.0 * tau, 6_000.0).expect("computed");
        let n = f64::from(n);
        assert!((total.expected / (n * 3.0 * tau) - 1.0).abs() < 1e-6, "{total:?}");
        let exact = (n * 3.0 * tau * (1.0 + tau)).sqrt();
        // A variance from 32,000 draws is known to about 2 %.
        assert!((total.error / exact - 1.0).abs() < 0.05, "{total:?} {exact}");
        // With r unknown by 10 %: the slope of ln r is r·τ a customer.
        let unknown = fitted(nbd, Some(diagonal(&[0.01, 1e-24])));
        let wider = Total::of(&unknown, &customers, 10.0 * tau, 6_000.0).expect("computed");
        let more = wider.error.powi(2) - total.error.powi(2);
        assert!((more / (0.1 * n * tau).powi(2) - 1.0).abs() < 1e-3, "{more}");
    }

    #[test]
    fn only_errors_that_matter_and_are_not_chance_are_missed() {
        let total = |actual, error| Total { expected: 1_000.0, actual, error }.verdict();
        assert_eq!(total(1_040.0, 1.0), Verdict::Held);
        assert_eq!(total(1_200.0, 130.0), Verdict::Held);
        assert_eq!(total(1_200.0, 100.0), Verdict::Unusual);
        assert_eq!(total(1_200.0, 70.0), Verdict::Missed);
        let wide = Total { expected: 1_000.0, actual: 1_200.0, error: 70.0 };
        assert_eq!(wide.with_model_error(0.2).verdict(), Verdict::Held);
    }
}
