//! Polars resumes: predictions join the CLTV frame they were made from, row by row.

use polars::prelude::*;

use super::summary::{FIRST_CHANNEL, SPEND_COUNT};
use crate::columns::{CLTV, EXP_AVERAGE_VALUE, P_ALIVE, expected_orders, interval_columns};
use crate::error::Error;
use crate::model::intervals::CustomerIntervals;
use crate::model::predict::Predictions;
use crate::settings::Settings;

/// The columns of customers.parquet but the segment, kept columns last.
///
/// # Errors
/// [`Error::Engine`] when the lengths differ: a defect of this program.
pub fn attach(
    summary: &DataFrame,
    predictions: Predictions,
    settings: &Settings,
) -> Result<DataFrame, Error> {
    let mut columns = vec![Column::new(P_ALIVE.into(), predictions.p_alive)];
    for (months, orders) in predictions.orders {
        columns.push(Column::new(expected_orders(months).into(), orders));
    }
    columns.push(Column::new(EXP_AVERAGE_VALUE.into(), predictions.average_value));
    columns.push(Column::new(CLTV.into(), predictions.lifetime_value));
    let attached = || -> PolarsResult<DataFrame> {
        let mut frame = summary.drop_many([SPEND_COUNT, FIRST_CHANNEL]);
        frame.hstack_mut(&columns)?;
        kept_last(&frame, settings)
    };
    attached().map_err(Error::engine("join the predictions"))
}

/// Adds the intervals of each horizon to the scored customers, kept columns last.
///
/// # Errors
/// [`Error::Engine`] when the lengths differ: a defect of this program.
pub fn attach_intervals(
    mut scored: DataFrame,
    intervals: Vec<CustomerIntervals>,
    settings: &Settings,
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
        .and_then(|frame| kept_last(frame, settings))
        .map_err(Error::engine("join the intervals"))
}

fn kept_last(frame: &DataFrame, settings: &Settings) -> PolarsResult<DataFrame> {
    let keep = &settings.input.columns.keep;
    let names: Vec<&PlSmallStr> = frame.get_column_names();
    let own = names.iter().filter(|name| !keep.iter().any(|k| k == name.as_str()));
    let order: Vec<PlSmallStr> =
        own.map(|name| (*name).clone()).chain(keep.iter().map(|k| k.as_str().into())).collect();
    frame.select(order)
}
