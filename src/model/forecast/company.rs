//! What the customers of today will order, week by week and month by month: all of them, each
//! segment, each channel. Customers who are acquired later are not in it.

use serde::Serialize;

use crate::customers::{Groups, Scope};
use crate::error::Error;
use crate::model::PurchaseModel;
use crate::model::forecast::cumulative::cumulated;
use crate::model::forecast::intervals::Interval;
use crate::model::forecast::predict::{Outlook, Predictions, customer_orders, length};
use crate::settings::{MonthLength, TimeUnit};

/// Weeks that are forecast one by one.
const WEEKS: u32 = 52;
/// Months that are forecast one by one.
const MONTHS: u32 = 12;
/// Months of the cumulated forecasts.
const HORIZONS: [u32; 4] = [1, 3, 6, 12];

/// Length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// One week.
    Week,
    /// One month of `forecast.weeks_per_month`.
    Month,
    /// So many months from the observation end on.
    Horizon,
}

impl Span {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Horizon => "horizon",
        }
    }
}

/// A stretch of the future.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Period {
    /// Its kind.
    pub span: Span,
    /// Which week or month, from 1; months of a horizon.
    pub number: u32,
    /// Days from the observation end to its beginning.
    pub from_day: f64,
    /// Days from the observation end to its end.
    pub to_day: f64,
}

/// The periods of a forecast: weeks, months, horizons.
pub fn periods(month: MonthLength) -> Vec<Period> {
    let each = |span, days: f64, count| {
        (1..=count).map(move |number| Period {
            span,
            number,
            from_day: f64::from(number - 1) * days,
            to_day: f64::from(number) * days,
        })
    };
    let horizon = |&number: &u32| Period {
        span: Span::Horizon,
        number,
        from_day: 0.0,
        to_day: f64::from(number) * month.days(),
    };
    let weeks = each(Span::Week, TimeUnit::Week.days(), WEEKS);
    weeks
        .chain(each(Span::Month, month.days(), MONTHS))
        .chain(HORIZONS.iter().map(horizon))
        .collect()
}

/// Positions among [`periods`] of those that hold a day.
pub fn periods_with(day: f64, month: MonthLength) -> impl Iterator<Item = usize> {
    let number = |length: f64| (day / length).ceil().max(1.0) as usize - 1;
    let (week, month) = (number(TimeUnit::Week.days()), number(month.days()));
    let (weeks, months) = (WEEKS as usize, MONTHS as usize);
    let within = (0..HORIZONS.len()).filter(move |h| month < HORIZONS[*h] as usize);
    let week = (week < weeks).then_some(week);
    let month = (month < months).then_some(weeks + month);
    week.into_iter().chain(month).chain(within.map(move |h| weeks + months + h))
}

/// Orders and revenue of one group in one period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What the group has in common.
    pub scope: Scope,
    /// Its name.
    pub group: String,
    /// When.
    #[serde(flatten)]
    pub period: Period,
    /// Expected orders.
    pub orders: f64,
    /// Their interval, where the pipeline asks for intervals.
    pub orders_interval: Option<Interval>,
    /// Expected revenue, not discounted.
    pub revenue: f64,
    /// Its interval.
    pub revenue_interval: Option<Interval>,
}

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
) -> Result<Vec<Row>, Error> {
    let periods = periods(outlook.forecast.weeks_per_month);
    let ends: Vec<f64> = periods.iter().map(|p| p.to_day / outlook.unit.days()).collect();
    let until = cumulated(model, predictions, next_month, groups, outlook, &ends)?;
    let mut rows = Vec::with_capacity(groups.names.len() * periods.len());
    for (g, (scope, group)) in groups.names.iter().enumerate() {
        for (k, period) in periods.iter().enumerate() {
            let before = if period.from_day > 0.0 { until[k - 1][g] } else { [0.0; 2] };
            rows.push(Row {
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
pub fn with_intervals(rows: &mut [Row], intervals: &[[Interval; 2]]) {
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
