//! Joins predictions to the CLTV frame that they were made from, row by row.

use polars::prelude::*;

use crate::customers::{CustomerIntervals, Predictions};
use crate::error::Error;
use crate::frame::columns::{FIRST_CHANNEL, ORDERS, REAL_VALUE, SPEND_COUNT, VALUE};
use crate::settings::columns::{
    CLTV, CUSTOMER_ID, DAYS_SINCE_LAST_ORDER, EXP_AVERAGE_VALUE, EXPECTED_MARGIN, MONETARY_AVG,
    P_ALIVE, expected_orders, interval_columns,
};
use crate::settings::{Input, Settings};

/// The columns of customers.parquet without segments and scores; columns to keep come last.
///
/// # Errors
/// [`Error::Engine`] when the lengths differ: a bug in this program.
pub fn attach(
    summary: &DataFrame,
    predictions: &Predictions,
    settings: &Settings,
) -> Result<DataFrame, Error> {
    let column = |name: &str, values: &[f64]| Column::new(name.into(), values);
    let mut columns = vec![column(P_ALIVE, &predictions.p_alive)];
    for (months, orders) in &predictions.orders {
        columns.push(column(&expected_orders(*months), orders));
    }
    let mut internal =
        vec![SPEND_COUNT, FIRST_CHANNEL, ORDERS, VALUE, REAL_VALUE, DAYS_SINCE_LAST_ORDER];
    match &predictions.money {
        Some(money) => {
            columns.push(column(EXP_AVERAGE_VALUE, &money.average_value));
            columns.push(column(CLTV, &money.lifetime_value));
            columns.extend(settings.lifetime_value.margin.map(|margin| {
                let margins: Vec<f64> = money.lifetime_value.iter().map(|v| v * margin).collect();
                column(EXPECTED_MARGIN, &margins)
            }));
        }
        None => internal.push(MONETARY_AVG),
    }
    let attached = || -> PolarsResult<DataFrame> {
        let mut frame = summary.drop_many(internal);
        frame.hstack_mut(&columns)?;
        kept_last(&frame, &settings.input)
    };
    attached().map_err(Error::engine("join the predictions"))
}

/// Adds the intervals of each horizon to the scored customers; columns to keep come last.
///
/// # Errors
/// [`Error::Engine`] when the lengths differ: a bug in this program.
pub fn attach_intervals(
    mut scored: DataFrame,
    intervals: Vec<CustomerIntervals>,
    input: &Input,
) -> Result<DataFrame, Error> {
    let mut columns = Vec::new();
    for CustomerIntervals { months, low, high, any_order } in intervals {
        let [any, lower, upper] = interval_columns(months);
        columns.push(Column::new(any.into(), any_order));
        columns.push(Column::new(lower.into(), low));
        columns.push(Column::new(upper.into(), high));
    }
    scored
        .hstack_mut(&columns)
        .and_then(|frame| kept_last(frame, input))
        .map_err(Error::engine("join the intervals"))
}

/// Rows (from 0) of the `count` highest values, the highest first; ties in row order.
pub fn highest(values: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let by_value = |a: &usize, b: &usize| values[*b].total_cmp(&values[*a]).then(a.cmp(b));
    if count < order.len() {
        order.select_nth_unstable_by(count, by_value);
        order.truncate(count);
    }
    order.sort_by(by_value);
    order
}

/// The given rows (from 0) of a frame.
///
/// # Errors
/// [`Error::Engine`] when a row is out of range.
pub fn rows(frame: &DataFrame, rows: &[usize]) -> Result<DataFrame, Error> {
    let rows: IdxCa = rows.iter().map(|&row| Some(row as IdxSize)).collect();
    frame.take(&rows).map_err(Error::engine("take rows"))
}

/// Ids of the customers with the `count` highest of `values`, each with its value.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn highest_customers(
    scored: &DataFrame,
    values: &[f64],
    count: usize,
) -> Result<Vec<(String, f64)>, Error> {
    let order = highest(values, count);
    let found = rows(scored, &order)?;
    let texts = || -> PolarsResult<Vec<String>> {
        let ids = found.column(CUSTOMER_ID)?.cast(&DataType::String)?;
        Ok(ids.str()?.iter().map(|id| id.unwrap_or_default().to_owned()).collect())
    };
    let ids = texts().map_err(Error::engine("name the customers with the highest forecasts"))?;
    Ok(ids.into_iter().zip(order.iter().map(|&row| values[row])).collect())
}

/// The same columns with the columns to keep at the end.
pub(crate) fn kept_last(frame: &DataFrame, input: &Input) -> PolarsResult<DataFrame> {
    let keep = &input.columns.keep;
    let names: Vec<&PlSmallStr> = frame.get_column_names();
    let own = names.iter().filter(|name| !keep.iter().any(|k| k == name.as_str()));
    let order: Vec<PlSmallStr> =
        own.map(|name| (*name).clone()).chain(keep.iter().map(|k| k.as_str().into())).collect();
    frame.select(order)
}
