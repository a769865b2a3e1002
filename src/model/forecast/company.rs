//! What the customers of today will order, week by week and month by month: all of them, each
//! segment, each channel. Customers who are acquired later are not in it.

use crate::customers::{Groups, Predictions};
use crate::error::Error;
use crate::model::forecast::cumulative::cumulated;
use crate::model::forecast::periods::periods;
use crate::model::forecast::predict::{Outlook, customer_orders, length};
use crate::model::purchase_model::PurchaseModel;
use crate::results::forecast::{ForecastRow, Interval};

/// Forecasts every group over every period, group by group. `next_month` is [`next_month`]'s.
///
/// # Formula
/// Σ P(alive)·E\[X(t)\] over the customers of a group, and the same times E\[M\].
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
pub fn forecast(
    model: &PurchaseModel,
    predictions: &Predictions,
    next_month: &[f64],
    groups: &Groups,
    outlook: &Outlook<'_>,
) -> Result<Vec<ForecastRow>, Error> {
    let periods = periods(outlook.forecast.weeks_per_month);
    let ends: Vec<f64> = periods.iter().map(|p| p.to_day / outlook.unit.days()).collect();
    let until = cumulated(model, predictions, next_month, groups, outlook, &ends)?;
    let mut rows = Vec::with_capacity(groups.names.len() * periods.len());
    for (g, (scope, group)) in groups.names.iter().enumerate() {
        for (k, period) in periods.iter().enumerate() {
            let before = if period.from_day > 0.0 { until[k - 1][g] } else { [0.0; 2] };
            rows.push(ForecastRow {
                scope: *scope,
                group: group.clone(),
                period: *period,
                orders: (until[k][g][0] - before[0]).max(0.0),
                orders_interval: None,
                revenue: (until[k][g][1] - before[1]).max(0.0),
                revenue_interval: None,
            });
        }
    }
    Ok(rows)
}

/// Adds to each row its intervals of orders and revenue.
pub fn with_intervals(rows: &mut [ForecastRow], intervals: &[[Interval; 2]]) {
    for (row, [orders, revenue]) in rows.iter_mut().zip(intervals) {
        (row.orders_interval, row.revenue_interval) = (Some(*orders), Some(*revenue));
    }
}

/// Each customer's expected orders in the next month.
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
pub fn next_month(model: &PurchaseModel, outlook: &Outlook<'_>) -> Result<Vec<f64>, Error> {
    let month = length(1, outlook.forecast.weeks_per_month, outlook.unit);
    customer_orders(model, outlook.customers, month)
}
