//! An order log to the same CLTV frame that a customer export gives.

use chrono::NaiveDate;
use polars::prelude::*;

use super::clean::{
    CUSTOMER_ID_TYPED, Cleaned, FIRST_ORDER, LAST_ORDER, RULE, first_broken, split, unreadable,
};
use super::summary::{CustomerSummary, History, ORDERS, finish};
use super::typed::{identifier, is_unusable, number};
use super::{dates, day_literal, one_date};
use crate::columns::CUSTOMER_ID;
use crate::error::Error;
use crate::settings::{FrequencyKind, MonetaryKind, Settings};

const DAY: &str = "__day";
const LINE_VALUE: &str = "__line_value";
const REPEAT_VALUE: &str = "__repeat_value";
const ALL_VALUE: &str = "__all_value";

/// Types an order log and sets aside the lines that break a rule.
///
/// # Errors
/// [`Error::Input`] when it cannot be read, the date format cannot be settled, or no line is
/// left.
pub fn clean(raw: LazyFrame, files: &[String], settings: &Settings) -> Result<Cleaned, Error> {
    let place = &settings.input.path;
    let raw = raw.collect().map_err(|e| Error::input(place, unreadable(&e)))?;
    let (schema, rows_read) = (raw.schema().clone(), raw.height());
    let raw = raw.lazy();
    let columns = &settings.input.columns;
    let date = columns.order_date.as_deref().unwrap_or_default();
    let format = dates::settle(&raw, &[date], &settings.input.date_format, place)?;
    let dtype = schema.get(date).unwrap_or(&DataType::String);
    let value = match (columns.value.first(), &columns.quantity, &columns.unit_price) {
        (Some(value), ..) => number(value),
        (None, Some(quantity), Some(price)) => number(quantity) * number(price),
        _ => lit(f64::NAN),
    };
    let judged = raw
        .with_columns([
            identifier(&columns.customer_id).alias(CUSTOMER_ID_TYPED),
            dates::parsed(date, dtype, &format).alias(DAY),
            value.alias(LINE_VALUE),
        ])
        .with_column(first_broken(&rules(settings)).alias(RULE))
        .collect()
        .map_err(Error::engine("check the order lines"))?;
    split(judged.lazy(), files, settings, rows_read)
}

fn rules(settings: &Settings) -> Vec<(&'static str, Expr)> {
    let cancelled = settings.transactions.cancelled.as_ref().map_or(lit(false), |cancelled| {
        identifier(&cancelled.column).str().starts_with(lit(cancelled.prefix.as_str()))
    });
    let worthless = if settings.transactions.keep_zero_value {
        col(LINE_VALUE).lt(lit(0.0))
    } else {
        col(LINE_VALUE).lt_eq(lit(0.0))
    };
    let mut rules = vec![
        ("missing_customer_id", col(CUSTOMER_ID_TYPED).is_null()),
        ("cancelled", cancelled),
        ("unreadable_date", col(DAY).is_null()),
        ("unreadable_value", is_unusable(col(LINE_VALUE))),
        ("no_value", worthless),
    ];
    if let Some(end) = settings.transactions.observation_end {
        rules.push(("order_after_observation_end", col(DAY).gt(day_literal(end))));
    }
    rules
}

/// Merges lines into orders and orders into a summary a customer.
///
/// # Errors
/// [`Error::Input`] when the calibration holds no order.
pub fn customer_summary(lines: LazyFrame, settings: &Settings) -> Result<CustomerSummary, Error> {
    let log = &settings.transactions;
    let observation_end = match (log.calibration_end, log.observation_end) {
        (Some(end), _) | (None, Some(end)) => end,
        (None, None) => one_date(&lines, col(DAY).max())?,
    };
    let lines_after_calibration = later_lines(&lines, observation_end)?;
    let lines = lines.filter(col(DAY).lt_eq(day_literal(observation_end)));
    let customers = per_customer(orders(lines, settings), observation_end, settings)?;
    let repeat = col(ORDERS).cast(DataType::Float64) - lit(1.0);
    let frequency = match settings.summary.frequency {
        FrequencyKind::Orders => col(ORDERS),
        FrequencyKind::RepeatOrders => repeat.clone(),
    };
    let (monetary, spend_count) = match settings.summary.monetary_value {
        MonetaryKind::Orders => (col(ALL_VALUE) / col(ORDERS), col(ORDERS)),
        MonetaryKind::RepeatOrders => (
            when(repeat.clone().gt(lit(0.0)))
                .then(col(REPEAT_VALUE) / repeat.clone())
                .otherwise(lit(0.0)),
            repeat,
        ),
    };
    let priced = monetary.clone().gt(lit(0.0));
    let spend_count = when(priced).then(spend_count).otherwise(lit(0.0));
    let history = History { frequency, monetary, spend_count, first_channel: None };
    let summary = finish(customers, history, observation_end, settings)?;
    Ok(CustomerSummary { lines_after_calibration, ..summary })
}

fn later_lines(lines: &LazyFrame, end: NaiveDate) -> Result<usize, Error> {
    let count = || -> PolarsResult<usize> {
        let later = lines.clone().filter(col(DAY).gt(day_literal(end)));
        Ok(later.select([col(DAY)]).collect()?.height())
    };
    count().map_err(Error::engine("count the holdout"))
}

/// One row an order: customer, day, value, kept columns.
fn orders(lines: LazyFrame, settings: &Settings) -> LazyFrame {
    let mut keys = vec![col(CUSTOMER_ID), col(DAY)];
    match &settings.input.columns.order_id {
        _ if settings.transactions.merge_same_day => {}
        Some(order_id) => keys.push(col(order_id.as_str()).alias("__order_id")),
        None => return lines,
    }
    let mut values = vec![col(LINE_VALUE).sum()];
    values.extend(settings.input.columns.keep.iter().map(|name| col(name.as_str()).first()));
    lines.group_by_stable(keys).agg(values)
}

/// One row a customer, in order of first appearance in the log.
fn per_customer(
    orders: LazyFrame,
    observation_end: NaiveDate,
    settings: &Settings,
) -> Result<LazyFrame, Error> {
    let is_first_day = col(DAY).eq(col(DAY).min());
    let first_value = col(LINE_VALUE).filter(is_first_day.clone()).first();
    let repeat_value = col(LINE_VALUE).filter(is_first_day.clone().not()).sum()
        + col(LINE_VALUE).filter(is_first_day).sum()
        - first_value;
    let mut columns = vec![
        col(DAY).min().alias(FIRST_ORDER),
        col(DAY).max().alias(LAST_ORDER),
        len().alias(ORDERS),
        col(LINE_VALUE).sum().alias(ALL_VALUE),
        repeat_value.alias(REPEAT_VALUE),
    ];
    columns.extend(settings.input.columns.keep.iter().map(|name| col(name.as_str()).first()));
    let customers = orders
        .group_by_stable([col(CUSTOMER_ID)])
        .agg(columns)
        .collect()
        .map_err(Error::engine("group the orders by customer"))?;
    if customers.height() == 0 {
        return Err(Error::input(
            &settings.input.path,
            format!("no order is on or before {observation_end}, the end of the calibration"),
        ));
    }
    Ok(customers.lazy())
}
