//! Polars resumes: predictions join the CLTV frame they were made from, row by row.

use polars::prelude::*;

use super::summary::SPEND_COUNT;
use crate::columns::{CLTV, EXP_AVERAGE_VALUE, P_ALIVE, expected_orders};
use crate::error::Error;
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
    let keep = &settings.input.columns.keep;
    let attached = || -> PolarsResult<DataFrame> {
        let mut frame = summary.drop(SPEND_COUNT)?;
        frame.hstack_mut(&columns)?;
        let kept: Vec<&PlSmallStr> = frame.get_column_names();
        let own = kept.iter().filter(|name| !keep.iter().any(|k| k == name.as_str()));
        let order: Vec<PlSmallStr> = own
            .map(|name| (*name).clone())
            .chain(keep.iter().map(|name| name.as_str().into()))
            .collect();
        frame.select(order)
    };
    attached().map_err(Error::engine("join the predictions"))
}
