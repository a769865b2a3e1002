//! Forecasts a customer: expected orders, P(alive), average value, discounted lifetime value.

use super::patterns::Patterns;
use super::purchases::FittedPurchases;
use super::spend::FittedSpend;
use crate::customers::Histories;
use crate::error::Error;
use crate::settings::{Forecast, LifetimeValue, MonthLength, TimeUnit};

/// A value a customer in each vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Probability that the customer has not left.
    pub p_alive: Vec<f64>,
    /// For each horizon: months, expected orders.
    pub orders: Vec<(u32, Vec<f64>)>,
    /// Expected mean value of a future order.
    pub average_value: Vec<f64>,
    /// Discounted value over the lifetime horizon.
    pub lifetime_value: Vec<f64>,
}

/// Predicts every customer; each distinct history once.
///
/// # Formula
/// Lifetime value over months i = 1..n of length w at discount rate d, as in Fader, Hardie & Lee
/// (2005b), Journal of Marketing Research 42(4), in discrete months:
/// `Σᵢ (E[X(i·w)] − E[X((i−1)·w)]) · E[M] / (1+d)^i`
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
pub fn predict(
    purchases: &FittedPurchases,
    spend: &FittedSpend,
    histories: &Histories,
    unit: TimeUnit,
    forecast: &Forecast,
    lifetime: &LifetimeValue,
) -> Result<Predictions, Error> {
    let patterns = Patterns::of(histories);
    let orders_over = |horizon: f64| {
        patterns.spread(|x, t_x, age| {
            purchases.model.expected_orders(horizon, x, t_x, age).unwrap_or(f64::NAN)
        })
    };
    let length = |months: u32, month: MonthLength| f64::from(months) * month.days() / unit.days();
    let orders = forecast
        .horizons
        .iter()
        .map(|h| (h.months, orders_over(length(h.months, forecast.weeks_per_month))))
        .collect();
    let average_value: Vec<f64> = histories
        .spend_count()
        .iter()
        .zip(histories.monetary_value())
        .map(|(count, m)| spend.expected_value(*count, *m))
        .collect();
    let mut lifetime_value = vec![0.0; histories.len()];
    let mut before = vec![0.0; histories.len()];
    let mut discount = 1.0;
    for month in 1..=lifetime.months {
        discount /= 1.0 + lifetime.monthly_discount_rate;
        let until = orders_over(length(month, lifetime.weeks_per_month));
        for i in 0..lifetime_value.len() {
            lifetime_value[i] += (until[i] - before[i]) * average_value[i] * discount;
        }
        before = until;
    }
    let p_alive = patterns.spread(|x, t_x, age| purchases.model.p_alive(x, t_x, age));
    finite(Predictions { p_alive, orders, average_value, lifetime_value })
}

fn finite(predictions: Predictions) -> Result<Predictions, Error> {
    let mut columns = vec![
        ("P(alive)", &predictions.p_alive),
        ("average value", &predictions.average_value),
        ("lifetime value", &predictions.lifetime_value),
    ];
    columns.extend(predictions.orders.iter().map(|(_, orders)| ("expected orders", orders)));
    for (name, values) in columns {
        if let Some(row) = values.iter().position(|v| !(v.is_finite() && *v >= 0.0)) {
            return Err(Error::Model(format!(
                "the {name} of customer row {row} could not be computed ({})",
                values[row]
            )));
        }
    }
    Ok(predictions)
}
