//! From a customer export to the CLTV frame: frequency, recency, T, mean spend per order.

use chrono::{Days, NaiveDate};
use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{FIRST_ORDER, LAST_ORDER, ORDERS, REAL_VALUE, VALUE, typed_name};
use crate::frame::one_date;
use crate::frame::summary::prices::with_real_spend;
use crate::frame::summary::{CustomerSummary, HistoryExpressions, finish};
use crate::results::price_level::PriceLevel;
use crate::settings::{AnalysisDate, FrequencyKind, Input, Settings};

/// Adds up orders and spend over all channels; without columns of values, each order counts as one,
/// so that the rules are the same, and no money leaves the program. Outlier limits on single channels can lower the
/// orders; a customer still has one order at least, or two where first and last date differ.
pub fn omnichannel_totals(capped: LazyFrame, input: &Input) -> LazyFrame {
    let columns = &input.columns;
    let total = |names: &[String]| {
        names.iter().map(|n| col(typed_name(n))).reduce(|a, b| a + b).unwrap_or(lit(0.0))
    };
    let orders = total(&columns.orders);
    let dates = when(col(FIRST_ORDER).eq(col(LAST_ORDER))).then(lit(1.0)).otherwise(lit(2.0));
    let orders = when(orders.clone().lt(dates.clone())).then(dates).otherwise(orders);
    let value = if columns.value.is_empty() { orders.clone() } else { total(&columns.value) };
    capped.with_columns([orders.alias(ORDERS), value.alias(VALUE)])
}

/// The ninth decile of the customers' mean order values, before outliers are capped. Returns `None`
/// when it is 0.
///
/// # Errors
/// [`Error::Engine`], never for valid rows.
pub fn order_value(valid: &LazyFrame, input: &Input) -> Result<Option<f64>, Error> {
    let total = |names: &[String]| {
        names.iter().map(|name| col(typed_name(name))).reduce(|a, b| a + b).unwrap_or(lit(0.0))
    };
    let value = total(&input.columns.value) / total(&input.columns.orders);
    let values = || -> PolarsResult<Vec<f64>> {
        let values = valid.clone().select([value.alias(VALUE)]).collect()?;
        Ok(values.column(VALUE)?.f64()?.iter().flatten().collect())
    };
    let mut values = values().map_err(Error::engine("look at the order values"))?;
    let position = values.len() * 9 / 10;
    if position >= values.len() {
        return Ok(None);
    }
    let decile = *values.select_nth_unstable_by(position, f64::total_cmp).1;
    Ok((decile > 0.0).then_some(decile))
}

/// The analysis date, to which T is measured.
///
/// # Errors
/// [`Error::Input`] when it is beyond the calendar.
pub fn observation_end(customers: &LazyFrame, settings: &Settings) -> Result<NaiveDate, Error> {
    match settings.summary.analysis_date {
        AnalysisDate::On(date) => Ok(date),
        AnalysisDate::AfterLastOrder { days } => one_date(customers, col(LAST_ORDER).max())?
            .checked_add_days(Days::new(u64::from(days)))
            .ok_or_else(|| Error::input(&settings.input.path, "the last order date is too late")),
    }
}

/// Summarises each customer as of the analysis date; with a price level, the mean value per order is in
/// the money of that date.
///
/// # Errors
/// [`Error::Input`] when no customer has `min_orders` orders.
pub fn customer_summary(
    totals: LazyFrame,
    level: Option<&PriceLevel>,
    settings: &Settings,
) -> Result<CustomerSummary, Error> {
    let observation_end = observation_end(&totals, settings)?;
    let (totals, value) = match level {
        Some(level) => (with_real_spend(totals, level, observation_end)?, REAL_VALUE),
        None => (totals, VALUE),
    };
    let counted = match settings.summary.frequency {
        FrequencyKind::Orders => col(ORDERS),
        FrequencyKind::RepeatOrders => col(ORDERS) - lit(1.0),
    };
    let history = HistoryExpressions {
        frequency: counted,
        monetary: col(value) / col(ORDERS),
        spend_count: col(ORDERS),
        has_real_value: level.is_some(),
        first_channel: match settings.input.columns.orders.as_slice() {
            [first, _] => Some(col(typed_name(first))),
            _ => None,
        },
    };
    finish(totals, history, observation_end, settings)
}
