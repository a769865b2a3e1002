//! Single customers with all their numbers, for the report.

use polars::prelude::*;

use crate::error::Error;
use crate::frame::{as_text, numbers};
use crate::results::chart_data::CustomerLine;
use crate::settings::Settings;
use crate::settings::columns::{
    CLTV, CLTV_SEGMENT, CUSTOMER_ID, DAYS_SINCE_LAST_ORDER, EXP_AVERAGE_VALUE, EXPECTED_MARGIN,
    FREQUENCY, MONETARY_AVG, P_ALIVE, RFM_SEGMENT, age, expected_orders, recency,
};

/// One line per row of `scored`.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn lines(scored: &DataFrame, settings: &Settings) -> Result<Vec<CustomerLine>, Error> {
    let unit = settings.summary.time_unit;
    // Whole columns first: reading a frame row by row is slow.
    let [x, alive, since_last_order] =
        [FREQUENCY, P_ALIVE, DAYS_SINCE_LAST_ORDER].map(|name| numbers(scored, name));
    let (x, alive, since_last_order) = (x?, alive?, since_last_order?);
    // Amounts, where there is money; a margin, where the pipeline names one.
    let amounts = |name: &str, there: bool| there.then(|| numbers(scored, name)).transpose();
    let has_money = settings.has_money();
    let [m, value, cltv] =
        [MONETARY_AVG, EXP_AVERAGE_VALUE, CLTV].map(|name| amounts(name, has_money));
    let (m, value, cltv) = (m?, value?, cltv?);
    let margin = amounts(EXPECTED_MARGIN, settings.lifetime_value.margin.is_some())?;
    let of = |amounts: &Option<Vec<f64>>, i: usize| amounts.as_ref().map(|amounts| amounts[i]);
    let (t_x, t) = (numbers(scored, &recency(unit))?, numbers(scored, &age(unit))?);
    let orders = settings
        .forecast
        .horizons
        .iter()
        .map(|h| numbers(scored, &expected_orders(h.months)))
        .collect::<Result<Vec<_>, Error>>()?;
    let [id, segment, rfm] =
        [CUSTOMER_ID, CLTV_SEGMENT, RFM_SEGMENT].map(|name| texts(scored, name));
    let (id, segment, rfm) = (id?, segment?, rfm?);
    let keep = settings.input.columns.keep.iter();
    let kept = keep.map(|name| texts(scored, name)).collect::<Result<Vec<_>, Error>>()?;
    let line = |i: usize| CustomerLine {
        customer_id: id[i].clone(),
        segment: segment[i].clone(),
        rfm_segment: rfm[i].clone(),
        frequency: x[i],
        recency: t_x[i],
        age: t[i],
        monetary_avg: of(&m, i),
        days_since_last_order: since_last_order[i],
        p_alive: alive[i],
        expected_orders: orders.iter().map(|orders| orders[i]).collect(),
        exp_average_value: of(&value, i),
        cltv: of(&cltv, i),
        expected_margin: of(&margin, i),
        kept_columns: kept.iter().map(|texts| texts[i].clone()).collect(),
    };
    Ok((0..scored.height()).map(line).collect())
}

/// A column as text, as in the customers table.
fn texts(scored: &DataFrame, name: &str) -> Result<Vec<String>, Error> {
    let texts = || -> PolarsResult<Vec<String>> {
        let dtype = scored.column(name)?.dtype();
        let column = scored.clone().lazy().select([as_text(name, dtype)]).collect()?;
        let texts = column.column(name)?.str()?;
        Ok(texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
    };
    texts().map_err(Error::engine("read a column of texts"))
}
