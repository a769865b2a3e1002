//! What the customers of today will order, week by week and month by month: all of them, each
//! segment, each channel. Customers who are acquired later are not in it.

use crate::customers::{Groups, Predictions};
use crate::error::Error;
use crate::model::forecast::cumulative::cumulated;
use crate::model::forecast::periods::periods;
use crate::model::forecast::predict::{Outlook, customer_orders, length};
use crate::model::purchase_model::PurchaseModel;
use crate::results::forecast::{ForecastRow, Interval, Intervals};

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

/// The rows with their intervals of orders and revenue, where there are intervals.
pub fn with_intervals(rows: Vec<ForecastRow>, intervals: Option<&Intervals>) -> Vec<ForecastRow> {
    let Some(intervals) = intervals else {
        return rows;
    };
    let pairs = rows.into_iter().zip(&intervals.periods);
    let with = |(row, [orders, revenue]): (ForecastRow, &[Interval; 2])| ForecastRow {
        orders_interval: Some(*orders),
        revenue_interval: Some(*revenue),
        ..row
    };
    pairs.map(with).collect()
}

/// Each customer's expected orders in the next month.
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
pub fn next_month(model: &PurchaseModel, outlook: &Outlook<'_>) -> Result<Vec<f64>, Error> {
    let month = length(1, outlook.forecast.weeks_per_month, outlook.unit);
    customer_orders(model, outlook.customers, month)
}
