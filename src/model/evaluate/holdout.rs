//! Holdout: how good a forecast was. Measures of accuracy (MAE, RMSE, wMAPE, Gini), naive forecasts
//! to beat, and comparisons by group.

use serde::Serialize;

use crate::customers::{Histories, Holdout};
use crate::error::Error;
use crate::math::correlation::{correlation, ranks};
use crate::model::fit::purchases::FittedPurchases;
use crate::model::fit::spend::FittedSpend;
use crate::model::forecast::predict::customer_orders;
use crate::model::likelihood::patterns::CustomerPatterns;

/// Frequencies below this are groups of their own; the others are one group.
const FREQUENCIES: u32 = 7;
/// Number of groups by size of the forecast.
const DECILES: usize = 10;
/// Share of the customers in [`Accuracy::top_decile_capture`], as if a campaign reached these.
const TOP: f64 = 0.1;

/// How accurate a forecast was over customers; the formulas are those of [`accuracy`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracy {
    /// Σ actual.
    pub actual: f64,
    /// Σ forecast.
    pub expected: f64,
    /// Relative error of the total; `None` when nothing happened.
    pub bias: Option<f64>,
    /// Mean absolute error (MAE).
    pub mae: f64,
    /// Root mean squared error (RMSE).
    pub rmse: f64,
    /// Weighted mean absolute percentage error (wMAPE); `None` when nothing happened.
    pub wmape: Option<f64>,
    /// Spearman's rank correlation; `None` for a constant forecast or constant actuals.
    pub spearman: Option<f64>,
    /// Normalised Gini coefficient: 1 for a perfect ranking, 0 for a random one; `None` for
    /// constant actuals.
    pub gini: Option<f64>,
    /// Share of the actuals that fell to the tenth of the customers with the highest forecasts;
    /// `None` when nothing happened.
    pub top_decile_capture: Option<f64>,
}

/// Measures the accuracy of a forecast.
///
/// # Formula
/// With forecasts f and actuals a of n customers:
/// * bias: Σ f / Σ a − 1.
/// * MAE: Σ |f − a| / n.
/// * RMSE: √(Σ (f − a)² / n).
/// * wMAPE: Σ |f − a| / Σ a.
/// * Spearman's rank correlation: Pearson's correlation of the ranks of f and of a.
/// * Normalised Gini coefficient: cov(a, rank of f) / cov(a, rank of a).
/// * Top decile capture: Σ a over the n/10 customers with the highest f, divided by Σ a.
///
/// Tied values share the mean of their ranks. Where the boundary of the tenth falls within a tie,
/// each of the tied customers counts in part.
pub fn accuracy(forecast: &[f64], actual: &[f64]) -> Accuracy {
    let n = actual.len().max(1) as f64;
    let (sum_actual, expected): (f64, f64) = (actual.iter().sum(), forecast.iter().sum());
    let [absolute, squared] = errors(forecast, actual);
    let of_actual = |value: f64| (sum_actual > 0.0).then(|| value / sum_actual);
    let (forecast_ranks, actual_ranks) = (ranks(forecast), ranks(actual));
    let perfect = covariance(actual, &actual_ranks);
    Accuracy {
        actual: sum_actual,
        expected,
        bias: of_actual(expected - sum_actual),
        mae: absolute / n,
        rmse: (squared / n).sqrt(),
        wmape: of_actual(absolute),
        spearman: correlation(&forecast_ranks, &actual_ranks),
        gini: (perfect > 0.0).then(|| covariance(actual, &forecast_ranks) / perfect),
        top_decile_capture: of_actual(top_sum(forecast, actual)),
    }
}

/// Σ |error| and Σ error².
fn errors(forecast: &[f64], actual: &[f64]) -> [f64; 2] {
    let pairs = || forecast.iter().zip(actual);
    [pairs().map(|(f, a)| (f - a).abs()).sum(), pairs().map(|(f, a)| (f - a).powi(2)).sum()]
}

/// MAE and RMSE alone, which need no ranks.
///
/// # Formula
/// Σ |f − a| / n and √(Σ (f − a)² / n), as in [`accuracy`].
pub fn mean_errors(forecast: &[f64], actual: &[f64]) -> [f64; 2] {
    let n = actual.len().max(1) as f64;
    let [absolute, squared] = errors(forecast, actual);
    [absolute / n, (squared / n).sqrt()]
}

/// n times the covariance of x and ranks from 0: Σ x·(rank − mean rank).
fn covariance(x: &[f64], ranks: &[f64]) -> f64 {
    let middle = (ranks.len() as f64 - 1.0) / 2.0;
    x.iter().zip(ranks).map(|(x, rank)| x * (rank - middle)).sum()
}

/// Σ actual over the tenth of the customers with the highest forecasts.
fn top_sum(forecast: &[f64], actual: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..forecast.len()).collect();
    order.sort_by(|&a, &b| forecast[b].total_cmp(&forecast[a]));
    let mut room = TOP * forecast.len() as f64;
    let mut sum = 0.0;
    for tied in order.chunk_by(|&a, &b| forecast[a] == forecast[b]) {
        let within = (room / tied.len() as f64).min(1.0);
        sum += within * tied.iter().map(|&i| actual[i]).sum::<f64>();
        room -= tied.len() as f64;
        if room <= 0.0 {
            break;
        }
    }
    sum
}

/// A forecast of orders and of their value, one number per customer in each.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Name in tables.
    pub name: &'static str,
    /// Orders.
    pub orders: Vec<f64>,
    /// Value of the orders; `None` where there is no money.
    pub value: Option<Vec<f64>>,
}

/// The forecast of a fitted model over a holdout of `horizon` time units, under the model's name.
///
/// # Errors
/// [`Error::Model`] when an expectation cannot be computed to full accuracy.
pub fn expected(
    fit: &FittedPurchases,
    spend: Option<&FittedSpend>,
    histories: &Histories,
    customers: &CustomerPatterns,
    horizon: f64,
) -> Result<Forecast, Error> {
    let orders = customer_orders(&fit.model, customers, horizon)?;
    let value = spend.map(|spend| {
        let spent = histories.spend_count().iter().zip(histories.monetary_value());
        let pairs = orders.iter().zip(spent);
        pairs.map(|(n, (count, m))| n * spend.expected_value(*count, *m)).collect()
    });
    Ok(Forecast { name: fit.family.name(), value, orders })
}

/// Baselines: forecasts without a model, over a holdout of `horizon` time units.
///
/// # Formula
/// * `zero`: nobody orders.
/// * `last_period`: the customer's repeat orders in the last `horizon` time units of the
///   calibration, and their value.
/// * `own_rate`: x·horizon/T, times the customer's own monetary value.
/// * `population_rate`: Σx·horizon/ΣT for everybody, times the mean monetary value.
///
/// Without money (`has_money`), they forecast orders alone.
pub fn baselines(
    histories: &Histories,
    holdout: &Holdout,
    horizon: f64,
    has_money: bool,
) -> Vec<Forecast> {
    let n = histories.len();
    let (x, age) = (histories.frequency(), histories.age());
    let own: Vec<f64> =
        x.iter().zip(age).map(|(x, t)| if *t > 0.0 { x * horizon / t } else { 0.0 }).collect();
    let own_value = own.iter().zip(histories.monetary_value()).map(|(rate, m)| rate * m).collect();
    let (orders, time): (f64, f64) = (x.iter().sum(), age.iter().sum());
    let rate = if time > 0.0 { orders * horizon / time } else { 0.0 };
    let valued = || histories.monetary_value().iter().filter(|m| **m > 0.0);
    let mean_value = valued().sum::<f64>() / valued().count().max(1) as f64;
    let forecast = |name, orders: Vec<f64>, value: Vec<f64>| Forecast {
        name,
        orders,
        value: has_money.then_some(value),
    };
    vec![
        forecast("zero", vec![0.0; n], vec![0.0; n]),
        forecast("last_period", holdout.recent_orders.clone(), holdout.recent_value.clone()),
        forecast("own_rate", own, own_value),
        forecast("population_rate", vec![rate; n], vec![rate * mean_value; n]),
    ]
}

/// Forecast and actuals of one group of customers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupAccuracy {
    /// Name of the forecast.
    pub name: &'static str,
    /// `frequency`, `decile` or `cohort`.
    pub grouping: &'static str,
    /// The frequency, decile or cohort.
    pub group: String,
    /// Number of customers.
    pub customers: usize,
    /// Σ orders.
    pub actual_orders: f64,
    /// Σ forecast orders.
    pub expected_orders: f64,
    /// Σ value; `None` where there is no money.
    pub actual_value: Option<f64>,
    /// Σ forecast value.
    pub expected_value: Option<f64>,
}

/// Compares a forecast with the actuals by frequency in the calibration, by decile of the forecast
/// (1 is the lowest), and by cohort (month of the first order).
pub fn by_group(
    forecast: &Forecast,
    histories: &Histories,
    holdout: &Holdout,
    cohorts: &[String],
) -> Vec<GroupAccuracy> {
    let frequency = histories.frequency().iter().map(|x| {
        let x = *x as u32;
        if x < FREQUENCIES { format!("{x}") } else { format!("{FREQUENCIES}+") }
    });
    let frequency: Vec<String> = frequency.collect();
    let mut groups = grouped(forecast, holdout, "frequency", &frequency, String::clone);
    groups.extend(by_decile(forecast, holdout));
    groups.extend(grouped(forecast, holdout, "cohort", cohorts, String::clone));
    groups
}

/// The same by decile of the forecast only, the lowest first.
pub fn by_decile(forecast: &Forecast, holdout: &Holdout) -> Vec<GroupAccuracy> {
    let deciles = deciles(&forecast.orders);
    grouped(forecast, holdout, "decile", &deciles, |decile| format!("{decile:02}"))
}

/// One group per key, in the order of the keys.
fn grouped<K: Ord>(
    forecast: &Forecast,
    holdout: &Holdout,
    grouping: &'static str,
    keys: &[K],
    label: impl Fn(&K) -> String,
) -> Vec<GroupAccuracy> {
    let mut found: std::collections::BTreeMap<&K, GroupAccuracy> = Default::default();
    for (i, key) in keys.iter().enumerate() {
        let group = found.entry(key).or_insert_with(|| GroupAccuracy {
            name: forecast.name,
            grouping,
            group: label(key),
            customers: 0,
            actual_orders: 0.0,
            expected_orders: 0.0,
            actual_value: forecast.value.as_ref().map(|_| 0.0),
            expected_value: forecast.value.as_ref().map(|_| 0.0),
        });
        group.customers += 1;
        group.actual_orders += holdout.orders[i];
        group.expected_orders += forecast.orders[i];
        if let (Some(actual), Some(expected), Some(forecast)) =
            (&mut group.actual_value, &mut group.expected_value, &forecast.value)
        {
            *actual += holdout.value[i];
            *expected += forecast[i];
        }
    }
    found.into_values().collect()
}

/// The decile of each customer by forecast, from 1; ties in the order of the rows.
fn deciles(forecast: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..forecast.len()).collect();
    order.sort_by(|&a, &b| forecast[a].total_cmp(&forecast[b]));
    let mut deciles = vec![0; forecast.len()];
    for (rank, i) in order.into_iter().enumerate() {
        deciles[i] = 1 + rank * DECILES / forecast.len();
    }
    deciles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: Option<f64>, right: f64) -> bool {
        left.is_some_and(|left| (left - right).abs() <= 1e-12 * right.abs().max(1.0))
    }

    /// Ten customers by hand: errors 1, 1 and eight times 0.
    #[test]
    fn measures_by_hand() {
        let actual = [3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let forecast = [2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let found = accuracy(&forecast, &actual);
        assert_eq!((found.actual, found.expected, found.mae), (4.0, 4.0, 0.2));
        assert_eq!(mean_errors(&forecast, &actual), [found.mae, found.rmse]);
        assert!(close(found.bias, 0.0) && close(Some(found.rmse), 0.2f64.sqrt()));
        assert!(close(found.wmape, 0.5));
        // The first two are tied at rank 8.5, where the mean rank is 4.5: 4·4. Ranked by
        // themselves: 3·4.5 + 1·3.5.
        assert!(close(found.gini, 16.0 / 17.0));
        // One of the two tied customers fits into the tenth, so half of their four orders count.
        assert!(close(found.top_decile_capture, 0.5));
    }

    #[test]
    fn a_perfect_and_a_constant_forecast() {
        let actual: Vec<f64> = (0..40).map(f64::from).collect();
        let found = accuracy(&actual, &actual);
        assert!(close(found.gini, 1.0) && close(found.spearman, 1.0));
        assert!(close(found.top_decile_capture, (36.0 + 37.0 + 38.0 + 39.0) / 780.0));
        let constant = accuracy(&[1.0; 40], &actual);
        assert!(close(constant.gini, 0.0) && close(constant.top_decile_capture, 0.1));
        assert_eq!(constant.spearman, None);
        let nothing = accuracy(&[1.0; 40], &[0.0; 40]);
        assert_eq!((nothing.bias, nothing.gini, nothing.wmape), (None, None, None));
    }

    #[test]
    fn deciles_are_of_equal_size() {
        let forecast: Vec<f64> = (0..30).map(|i| f64::from(29 - i)).collect();
        let found = deciles(&forecast);
        assert_eq!((found[0], found[29]), (10, 1));
        assert!((1..=10).all(|d| found.iter().filter(|f| **f == d).count() == 3));
    }
}
