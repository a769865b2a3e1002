//! From valid rows to the CLTV frame, with one row per customer.
//!
//! # Layout
//! * [`outliers`]: limits for extreme values, and how many values they change.
//! * [`export`]: the CLTV frame of a customer export.
//! * [`log`]: the CLTV frame of an order log, the holdout and the orders of each day.
//! * [`prices`]: order values in the money of one day.
//! * [`statistics`]: the numbers of a file in figures.
//! * here: what both share.

use chrono::NaiveDate;
use polars::prelude::*;

use crate::customers::{Histories, HistoryColumns};
use crate::error::Error;
use crate::frame::columns::{
    FIRST_CHANNEL, FIRST_ORDER, LAST_ORDER, ORDERS, REAL_VALUE, SPEND_COUNT, VALUE,
};
use crate::frame::{collected, day_literal, engine, numbers, one_date};
use crate::settings::Settings;
use crate::settings::columns::{
    CUSTOMER_ID, DAYS_SINCE_LAST_ORDER, FREQUENCY, MONETARY_AVG, age, recency,
};

pub mod export;
pub mod log;
pub mod outliers;
pub mod prices;
pub mod statistics;

/// The CLTV frame, one row per customer in input order, and the dates that it covers.
pub struct CustomerSummary {
    /// customer_id, frequency, recency, T, monetary value, spend count, days since the last order,
    /// total orders and spend, orders in the first of two channels, columns to keep.
    pub frame: DataFrame,
    /// Observation end: T is measured to here.
    pub observation_end: NaiveDate,
    /// Last day that the input covers; with a holdout, it is later than the observation end.
    pub covered_until: NaiveDate,
    /// Date of the earliest first order.
    pub first_order: NaiveDate,
    /// Date of the latest last order.
    pub last_order: NaiveDate,
    /// Customers left out for having fewer than `min_orders` orders.
    pub below_min_orders: usize,
    /// Number of order lines after the end of the calibration.
    pub lines_after_calibration: usize,
}

/// The expressions in which customer exports and order logs differ.
pub(crate) struct HistoryExpressions {
    pub frequency: Expr,
    pub monetary: Expr,
    pub spend_count: Expr,
    /// Whether there is a column [`REAL_VALUE`] to keep.
    pub has_real_value: bool,
    /// Orders in the first of two channels.
    pub first_channel: Option<Expr>,
}

/// Selects the CLTV frame from rows with first order, last order and [`ORDERS`].
pub(crate) fn finish(
    customers: LazyFrame,
    history: HistoryExpressions,
    observation_end: NaiveDate,
    settings: &Settings,
) -> Result<CustomerSummary, Error> {
    let failed = || Error::engine("summarise the customers");
    let engine = engine(&settings.resources, Engine::InMemory);
    let customers = collected(customers, engine).map_err(failed())?;
    let all = customers.height();
    let customers = customers.lazy();
    let unit = settings.summary.time_unit;
    let day = |date: Expr| date.cast(DataType::Int32).cast(DataType::Float64);
    let between = |from: Expr, to: Expr| (day(to) - day(from)) / lit(unit.days());
    let mut columns = vec![
        col(CUSTOMER_ID),
        history.frequency.cast(DataType::Float64).alias(FREQUENCY),
        between(col(FIRST_ORDER), col(LAST_ORDER)).alias(recency(unit)),
        between(col(FIRST_ORDER), day_literal(observation_end)).alias(age(unit)),
        history.monetary.alias(MONETARY_AVG),
        history.spend_count.cast(DataType::Float64).alias(SPEND_COUNT),
    ];
    let since = (day(day_literal(observation_end)) - day(col(LAST_ORDER))).cast(DataType::Int32);
    columns.extend([since.alias(DAYS_SINCE_LAST_ORDER), col(ORDERS), col(VALUE)]);
    columns.extend(history.has_real_value.then(|| col(REAL_VALUE)));
    columns.extend(history.first_channel.map(|orders| orders.alias(FIRST_CHANNEL)));
    columns.extend(settings.input.columns.keep.iter().map(|name| col(name.as_str())));
    let min_orders = f64::from(settings.summary.min_orders);
    // Taken before the filter: these dates describe the input, not the customers that remain.
    let first_order = one_date(&customers, col(FIRST_ORDER).min())?;
    let last_order = one_date(&customers, col(LAST_ORDER).max())?;
    let frame = customers
        .filter(col(ORDERS).cast(DataType::Float64).gt_eq(lit(min_orders)))
        .select(columns)
        .collect()
        .map_err(failed())?;
    if frame.height() == 0 {
        return Err(Error::input(
            &settings.input.path,
            format!("no customer has {min_orders} orders or more: lower summary.min_orders"),
        ));
    }
    let below_min_orders = all - frame.height();
    Ok(CustomerSummary {
        frame,
        observation_end,
        covered_until: observation_end,
        first_order,
        last_order,
        below_min_orders,
        lines_after_calibration: 0,
    })
}

/// The columns that the models need, without Polars.
///
/// # Errors
/// [`Error::Input`] when a customer's numbers are not a valid purchase history.
pub fn to_histories(summary: &CustomerSummary, settings: &Settings) -> Result<Histories, Error> {
    let unit = settings.summary.time_unit;
    let column = |name: &str| numbers(&summary.frame, name);
    let fault = |fault| Error::input(&settings.input.path, fault);
    let histories = Histories::new(HistoryColumns {
        frequency: column(FREQUENCY)?,
        recency: column(&recency(unit))?,
        age: column(&age(unit))?,
        monetary_value: column(MONETARY_AVG)?,
        spend_count: column(SPEND_COUNT)?,
    })
    .map_err(fault)?;
    if summary.frame.column(FIRST_CHANNEL).is_err() {
        return Ok(histories);
    }
    histories.with_first_channel(column(FIRST_CHANNEL)?).map_err(fault)
}
