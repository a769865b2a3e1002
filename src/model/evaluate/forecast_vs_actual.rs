//! An earlier run's forecast against what its customers have ordered since, by segment.

use serde::Serialize;

use crate::model::evaluate::holdout::Forecast;

/// Expected and actual orders and revenue of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// A segment of the earlier run, or `all`.
    pub segment: String,
    /// Its customers in the earlier run.
    pub customers: usize,
    /// Those of them who are not in the later run; they count as having ordered nothing.
    pub lost: usize,
    /// Σ expected orders.
    pub expected_orders: f64,
    /// Σ actual orders.
    pub actual_orders: f64,
    /// Actual over expected orders; `None` where no orders were expected.
    pub orders_ratio: Option<f64>,
    /// Mean absolute error (MAE) of the orders over customers.
    pub mae: f64,
    /// Σ expected revenue; `None` where there is no money.
    pub expected_revenue: Option<f64>,
    /// Σ actual revenue; `None` where there is no money.
    pub actual_revenue: Option<f64>,
    /// Actual over expected revenue; `None` where none was expected.
    pub revenue_ratio: Option<f64>,
}

/// One row per segment, lowest first, then one for all customers. `member` is the segment of each
/// customer.
pub fn outcomes(
    member: &[usize],
    lost: &[bool],
    labels: &[String],
    expected: &Forecast,
    actual: &Forecast,
) -> Vec<Outcome> {
    let named = labels.iter().map(String::as_str).chain(["all"]);
    let nothing = expected.value.as_ref().map(|_| 0.0);
    let mut outcomes: Vec<Outcome> =
        named.map(|segment| Outcome::of_nobody(segment, nothing)).collect();
    for (i, &segment) in member.iter().enumerate() {
        for group in [segment, labels.len()] {
            let outcome = &mut outcomes[group];
            outcome.customers += 1;
            outcome.lost += usize::from(lost[i]);
            outcome.expected_orders += expected.orders[i];
            outcome.actual_orders += actual.orders[i];
            outcome.mae += (expected.orders[i] - actual.orders[i]).abs();
            let add = |sum: &mut Option<f64>, forecast: &Forecast| {
                *sum = forecast.value.as_ref().map(|value| sum.unwrap_or(0.0) + value[i]);
            };
            add(&mut outcome.expected_revenue, expected);
            add(&mut outcome.actual_revenue, actual);
        }
    }
    outcomes.iter_mut().for_each(Outcome::finish);
    outcomes
}

impl Outcome {
    fn of_nobody(segment: &str, revenue: Option<f64>) -> Self {
        Self {
            segment: segment.to_owned(),
            customers: 0,
            lost: 0,
            expected_orders: 0.0,
            actual_orders: 0.0,
            orders_ratio: None,
            mae: 0.0,
            expected_revenue: revenue,
            actual_revenue: revenue,
            revenue_ratio: None,
        }
    }

    /// Turns sums into means and ratios.
    fn finish(&mut self) {
        let ratio = |actual: f64, expected: f64| (expected > 0.0).then(|| actual / expected);
        self.mae /= self.customers.max(1) as f64;
        self.orders_ratio = ratio(self.actual_orders, self.expected_orders);
        self.revenue_ratio = self
            .actual_revenue
            .zip(self.expected_revenue)
            .and_then(|(actual, expected)| ratio(actual, expected));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_customers_by_hand() {
        let forecast = |name, orders: [f64; 3], value: [f64; 3]| Forecast {
            name,
            orders: orders.to_vec(),
            value: Some(value.to_vec()),
        };
        let expected = forecast("expected", [1.0, 2.0, 1.0], [10.0, 20.0, 30.0]);
        let actual = forecast("actual", [3.0, 0.0, 1.0], [15.0, 0.0, 60.0]);
        let labels = ["low".to_owned(), "empty".to_owned(), "high".to_owned()];
        let found = outcomes(&[0, 0, 2], &[false, true, false], &labels, &expected, &actual);
        let [low, empty, high, all] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((low.customers, low.lost, low.mae), (2, 1, 2.0));
        assert_eq!((low.orders_ratio, low.revenue_ratio), (Some(1.0), Some(0.5)));
        assert_eq!((empty.customers, empty.orders_ratio, empty.mae), (0, None, 0.0));
        assert_eq!(high.revenue_ratio, Some(2.0));
        assert_eq!((all.expected_orders, all.actual_revenue), (4.0, Some(75.0)));
    }
}
