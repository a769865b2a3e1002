//! Forecasts per customer: expected orders, P(alive), average value, and the lifetime value after
//! discounting.

use crate::customers::Histories;
use crate::customers::predictions::Predictions;
use crate::error::Error;
use crate::model::fit::purchases::FittedPurchases;
use crate::model::fit::spend::FittedSpend;
use crate::model::likelihood::patterns::CustomerPatterns;
use crate::model::purchase_model::PurchaseModel;
use crate::settings::{Forecast, LifetimeValue, MonthLength, TimeUnit};

/// The customers of a forecast, and how far it looks ahead.
pub struct Outlook<'a> {
    /// The customers.
    pub histories: &'a Histories,
    /// Their distinct histories.
    pub customers: &'a CustomerPatterns,
    /// Time unit of both.
    pub unit: TimeUnit,
    /// Horizons of the expected orders.
    pub forecast: &'a Forecast,
    /// Horizon and discounting of the lifetime value.
    pub lifetime: &'a LifetimeValue,
}

/// Length of a number of months in a time unit.
pub(crate) fn length(months: u32, month: MonthLength, unit: TimeUnit) -> f64 {
    f64::from(months) * month.days() / unit.days()
}

/// Expected orders over a horizon, one value per pattern; NaN where a numerical method reached its
/// cap. The orders of a customer who is alive do not depend on recency, so they are computed once
/// per distinct (x, T).
pub fn expected_orders(
    model: &PurchaseModel,
    customers: &CustomerPatterns,
    p_alive: &[f64],
    horizon: f64,
) -> Vec<f64> {
    let of_pair = |x, age| model.orders_if_alive(horizon, x, age).unwrap_or(f64::NAN);
    let mut orders = customers.pairs.gather(&customers.pairs.each(of_pair));
    orders.iter_mut().zip(p_alive).for_each(|(orders, alive)| *orders *= alive);
    orders
}

/// Expected orders over a horizon, one value per customer.
///
/// # Errors
/// [`Error::Model`] when one cannot be computed to full accuracy.
pub fn customer_orders(
    model: &PurchaseModel,
    customers: &CustomerPatterns,
    horizon: f64,
) -> Result<Vec<f64>, Error> {
    let p_alive = customers.patterns.each(|x, t_x, age| model.p_alive(x, t_x, age));
    let orders = expected_orders(model, customers, &p_alive, horizon);
    if orders.iter().all(|orders| orders.is_finite()) {
        return Ok(customers.gather(&orders));
    }
    let name = model.family().title();
    Err(Error::Model(format!("orders over {horizon:.1} time units cannot be computed with {name}")))
}

/// Total expected orders of all customers over each horizon, under any model of the family.
pub fn total_orders(model: &PurchaseModel, outlook: &Outlook<'_>) -> Vec<(u32, f64)> {
    let patterns = &outlook.customers.patterns;
    let p_alive = patterns.each(|x, t_x, age| model.p_alive(x, t_x, age));
    let total = |months| {
        let horizon = length(months, outlook.forecast.weeks_per_month, outlook.unit);
        let orders = expected_orders(model, outlook.customers, &p_alive, horizon);
        orders.iter().zip(&patterns.rows).map(|(orders, row)| orders * row.count).sum()
    };
    outlook.forecast.horizons.iter().map(|h| (h.months, total(h.months))).collect()
}

/// Predicts every customer; each distinct history is evaluated once.
///
/// # Formula
/// Lifetime value over months i = 1..n of length w, with discounting at a rate d per month:
/// `Σᵢ (E[X(i·w)] − E[X((i−1)·w)]) · E[M] / (1+d)^i`
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
///
/// # Reference
/// Fader, Hardie & Lee (2005b), Journal of Marketing Research 42(4), here in discrete months.
pub fn predict(
    purchases: &FittedPurchases,
    spend: &FittedSpend,
    outlook: &Outlook<'_>,
) -> Result<Predictions, Error> {
    let Outlook { histories, customers, unit, forecast, lifetime } = outlook;
    let model = &purchases.model;
    let p_alive = customers.patterns.each(|x, t_x, age| model.p_alive(x, t_x, age));
    let orders_over =
        |months, month| expected_orders(model, customers, &p_alive, length(months, month, *unit));
    let orders = forecast
        .horizons
        .iter()
        .map(|h| (h.months, customers.gather(&orders_over(h.months, forecast.weeks_per_month))))
        .collect();
    let average_value: Vec<f64> = histories
        .spend_count()
        .iter()
        .zip(histories.monetary_value())
        .map(|(count, m)| spend.expected_value(*count, *m))
        .collect();
    // Discounted orders per pattern; E[M] differs between customers of one pattern and is
    // multiplied at the end.
    let mut discounted = vec![0.0; p_alive.len()];
    let mut before = discounted.clone();
    let mut discount = 1.0;
    for month in 1..=lifetime.months {
        discount /= 1.0 + lifetime.monthly_discount_rate;
        let until = orders_over(month, lifetime.weeks_per_month);
        for i in 0..discounted.len() {
            discounted[i] += (until[i] - before[i]) * discount;
        }
        before = until;
    }
    let mut lifetime_value = customers.gather(&discounted);
    lifetime_value.iter_mut().zip(&average_value).for_each(|(orders, value)| *orders *= value);
    let p_alive = customers.gather(&p_alive);
    finite(Predictions { p_alive, orders, average_value, lifetime_value })
}

/// Refuses predictions with a value that is negative or not finite.
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
