//! From the export's totals to the CLTV frame: recency, T, frequency, mean spend per order.

use chrono::{Days, NaiveDate};
use polars::prelude::*;

use crate::customers::Histories;
use crate::error::Error;
use crate::frame::rules::export::{FIRST_ORDER, LAST_ORDER, typed_name};
use crate::frame::{collected, day_literal, engine, numbers, one_date};
use crate::settings::columns::{
    CUSTOMER_ID, DAYS_SINCE_LAST_ORDER, FREQUENCY, MONETARY_AVG, age, recency,
};
use crate::settings::{AnalysisDate, FrequencyKind, Settings};

/// Orders over all channels.
pub const ORDERS: &str = "__orders";
/// Spend over all channels.
pub const VALUE: &str = "__value";
/// Orders that the monetary value is the mean of.
pub const SPEND_COUNT: &str = "__spend_count";
/// Orders in the first of two channels.
pub const FIRST_CHANNEL: &str = "__first_channel";

/// The CLTV frame, a row a customer in input order.
pub struct CustomerSummary {
    /// customer_id, frequency, recency, T, monetary value, spend count, days since the last order,
    /// total orders and spend, kept columns.
    pub frame: DataFrame,
    /// Observation end: T is measured to here.
    pub observation_end: NaiveDate,
    /// The last day that the input covers: after the observation end, it is the holdout's.
    pub covered_until: NaiveDate,
    /// First of the first orders.
    pub first_order: NaiveDate,
    /// Last of the last orders.
    pub last_order: NaiveDate,
    /// Customers left out for having fewer than `min_orders` orders.
    pub below_min_orders: usize,
    /// Order lines after the end of the calibration: the holdout.
    pub lines_after_calibration: usize,
}

/// Adds orders and spend over all channels. Limits on single channels leave each customer at
/// least as many orders as it has order dates.
pub fn omnichannel_totals(capped: LazyFrame, settings: &Settings) -> LazyFrame {
    let columns = &settings.input.columns;
    let total = |names: &[String]| {
        names.iter().map(|n| col(typed_name(n))).reduce(|a, b| a + b).unwrap_or(lit(0.0))
    };
    let orders = total(&columns.orders);
    let dates = when(col(FIRST_ORDER).eq(col(LAST_ORDER))).then(lit(1.0)).otherwise(lit(2.0));
    let orders = when(orders.clone().lt(dates.clone())).then(dates).otherwise(orders);
    capped.with_columns([orders.alias(ORDERS), total(&columns.value).alias(VALUE)])
}

/// Summarises each customer as of the analysis date.
///
/// # Errors
/// [`Error::Input`] when fewer than `min_orders` orders is all there is.
pub fn customer_summary(totals: LazyFrame, settings: &Settings) -> Result<CustomerSummary, Error> {
    let last_order = one_date(&totals, col(LAST_ORDER).max())?;
    let observation_end = match settings.summary.analysis_date {
        AnalysisDate::On(date) => date,
        AnalysisDate::AfterLastOrder { days } => last_order
            .checked_add_days(Days::new(u64::from(days)))
            .ok_or_else(|| Error::input(&settings.input.path, "the last order date is too late"))?,
    };
    let counted = match settings.summary.frequency {
        FrequencyKind::Orders => col(ORDERS),
        FrequencyKind::RepeatOrders => col(ORDERS) - lit(1.0),
    };
    let history = History {
        frequency: counted,
        monetary: col(VALUE) / col(ORDERS),
        spend_count: col(ORDERS),
        first_channel: match settings.input.columns.orders.as_slice() {
            [first, _] => Some(col(typed_name(first))),
            _ => None,
        },
    };
    finish(totals, history, observation_end, settings)
}

/// The expressions in which customer exports and order logs differ.
pub(crate) struct History {
    pub frequency: Expr,
    pub monetary: Expr,
    pub spend_count: Expr,
    /// Orders in the first of two channels.
    pub first_channel: Option<Expr>,
}

/// Selects the CLTV frame from rows with first order, last order and [`ORDERS`].
pub(crate) fn finish(
    customers: LazyFrame,
    history: History,
    observation_end: NaiveDate,
    settings: &Settings,
) -> Result<CustomerSummary, Error> {
    let failed = || Error::engine("summarise the customers");
    let engine = engine(settings, Engine::InMemory);
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
    columns.extend(history.first_channel.map(|orders| orders.alias(FIRST_CHANNEL)));
    columns.extend(settings.input.columns.keep.iter().map(|name| col(name.as_str())));
    let min_orders = f64::from(settings.summary.min_orders);
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

/// Polars ends: the columns that the models need.
///
/// # Errors
/// [`Error::Input`] when a customer's numbers are no purchase history.
pub fn to_histories(summary: &CustomerSummary, settings: &Settings) -> Result<Histories, Error> {
    let unit = settings.summary.time_unit;
    let column = |name: &str| numbers(&summary.frame, name);
    let fault = |fault| Error::input(&settings.input.path, fault);
    let histories = Histories::new(
        column(FREQUENCY)?,
        column(&recency(unit))?,
        column(&age(unit))?,
        column(MONETARY_AVG)?,
        column(SPEND_COUNT)?,
    )
    .map_err(fault)?;
    if summary.frame.column(FIRST_CHANNEL).is_err() {
        return Ok(histories);
    }
    histories.with_first_channel(column(FIRST_CHANNEL)?).map_err(fault)
}
