//! From an order log's rows by customer and day to the CLTV frame, the holdout and the orders of
//! each day.

use chrono::NaiveDate;
use polars::prelude::*;
use rustc_hash::FxHashMap;

use crate::customers::{Holdout, OrderDay, OrderPath};
use crate::error::Error;
use crate::frame::columns::{
    DAY, FIRST_ORDER, FIRST_ROW, LAST_ORDER, LINES, ORDERS, PART, REAL_PART, REAL_VALUE,
    REAL_WHOLE, VALUE, WHOLE, money,
};
use crate::frame::summary::prices::with_real_values;
use crate::frame::summary::{CustomerSummary, HistoryExpressions, finish};
use crate::frame::{collected, day_literal, engine, numbers, one_date, streamed};
use crate::results::price_level::PriceLevel;
use crate::settings::columns::{CUSTOMER_ID, age};
use crate::settings::{FrequencyKind, Input, MonetaryKind, Settings, Summary, TimeUnit};

/// Value of the first order.
const FIRST_VALUE: &str = "__first_value";
/// Whether the first order is in the recent period: the end of the calibration.
const IS_NEW: &str = "__is_new";
/// Orders, and value as two integers, after the calibration.
const LATER: [&str; 3] = ["__later_orders", "__later_whole", "__later_part"];
/// The same in the recent period, which is as long as the holdout.
const RECENT: [&str; 3] = ["__recent_orders", "__recent_whole", "__recent_part"];
/// Summarises each customer up to the end of the calibration, or without one of the observation.
/// Customers are in order of first appearance in the log; columns to keep have their last entry. With a
/// price level, the monetary value is in the money of that end.
///
/// # Errors
/// [`Error::Input`] when the calibration holds no order.
pub fn customer_summary(
    days: LazyFrame,
    level: Option<&PriceLevel>,
    settings: &Settings,
) -> Result<CustomerSummary, Error> {
    let log = &settings.transactions;
    let covered_until = match log.observation_end {
        Some(end) => end,
        None => one_date(&days, col(DAY).max())?,
    };
    let end = log.calibration_end.unwrap_or(covered_until);
    let lines_after_calibration = lines_after(&days, end)?;
    let within = days.filter(until(end));
    let within = match level {
        Some(level) => with_real_values(within, level, end)?,
        None => within,
    };
    let customers = per_customer(within, level.is_some(), &settings.input)
        .and_then(|customers| collected(customers, engine(&settings.resources, Engine::Streaming)))
        .map_err(Error::engine("group the orders by customer"))?;
    if customers.height() == 0 {
        return Err(Error::input(
            &settings.input.path,
            format!("no order is on or before {end}, the end of the calibration"),
        ));
    }
    let history = history(&settings.summary, level.is_some());
    let summary = finish(customers.lazy(), history, end, settings)?;
    Ok(CustomerSummary { covered_until, lines_after_calibration, ..summary })
}

/// The end of the calibration, or without one of the observation, to which T is measured.
///
/// # Errors
/// [`Error::Engine`], never for rows by customer and day.
pub fn observation_end(days: &LazyFrame, settings: &Settings) -> Result<NaiveDate, Error> {
    let log = &settings.transactions;
    match log.calibration_end.or(log.observation_end) {
        Some(end) => Ok(end),
        None => one_date(days, col(DAY).max()),
    }
}

/// First and last day with an order.
///
/// # Errors
/// [`Error::Engine`], never for rows by customer and day.
pub fn first_and_last(days: &LazyFrame) -> Result<(NaiveDate, NaiveDate), Error> {
    Ok((one_date(days, col(DAY).min())?, one_date(days, col(DAY).max())?))
}

fn until(end: NaiveDate) -> Expr {
    col(DAY).lt_eq(day_literal(end))
}

fn lines_after(days: &LazyFrame, end: NaiveDate) -> Result<usize, Error> {
    let count = || -> PolarsResult<usize> {
        let lines = col(LINES).cast(DataType::UInt64).sum();
        let later = days.clone().filter(until(end).not()).select([lines]).collect()?;
        Ok(later.column(LINES)?.u64()?.get(0).unwrap_or(0) as usize)
    };
    count().map_err(Error::engine("count the holdout"))
}

/// For each group, the value of `column` in the row where `by` is lowest (or highest).
fn at(extreme: FunctionExpr, column: Expr, by: Expr) -> Expr {
    Expr::Function { input: vec![column, by], function: extreme }
}

/// The value of a customer's first order. Of several on the first day it is the mean, because which
/// came first is not known.
fn first_value(value: &str) -> Expr {
    let each = col(value) / col(ORDERS).cast(DataType::Float64);
    at(FunctionExpr::MinBy, each, col(DAY)).alias(FIRST_VALUE)
}

/// One row per customer, in order of first appearance; `priced` days have a real value too.
fn per_customer(days: LazyFrame, priced: bool, input: &Input) -> PolarsResult<LazyFrame> {
    let mut columns = vec![
        col(DAY).min().alias(FIRST_ORDER),
        col(DAY).max().alias(LAST_ORDER),
        col(ORDERS).sum(),
        col(WHOLE).sum(),
        col(PART).sum(),
        first_value(if priced { REAL_VALUE } else { VALUE }),
        col(FIRST_ROW).min(),
    ];
    if priced {
        columns.extend([REAL_WHOLE, REAL_PART].map(|name| col(name).sum()));
    }
    let keep = input.columns.keep.iter();
    columns.extend(keep.map(|name| {
        let known = when(col(name.as_str()).is_not_null()).then(col(DAY)).otherwise(lit(NULL));
        at(FunctionExpr::MaxBy, col(name.as_str()), known)
    }));
    let by_row = SortMultipleOptions::default();
    let customers = days.group_by([col(CUSTOMER_ID)]).agg(columns).sort([FIRST_ROW], by_row);
    let customers = customers.with_column(money(WHOLE, PART).alias(VALUE));
    Ok(match priced {
        true => customers.with_column(money(REAL_WHOLE, REAL_PART).alias(REAL_VALUE)),
        false => customers,
    })
}

/// The part of the CLTV frame that depends on how orders are counted.
fn history(summary: &Summary, priced: bool) -> HistoryExpressions {
    let value = || col(if priced { REAL_VALUE } else { VALUE });
    let orders = || col(ORDERS).cast(DataType::Float64);
    let repeat = || orders() - lit(1.0);
    let frequency = match summary.frequency {
        FrequencyKind::Orders => orders(),
        FrequencyKind::RepeatOrders => repeat(),
    };
    let (monetary, spend_count) = match summary.monetary_value {
        MonetaryKind::Orders => (value() / orders(), orders()),
        MonetaryKind::RepeatOrders => (
            when(repeat().gt(lit(0.0)))
                .then((value() - col(FIRST_VALUE)) / repeat())
                .otherwise(lit(0.0)),
            repeat(),
        ),
    };
    let spend_count = when(monetary.clone().gt(lit(0.0))).then(spend_count).otherwise(lit(0.0));
    HistoryExpressions {
        frequency,
        monetary,
        spend_count,
        has_real_value: priced,
        first_channel: None,
    }
}

/// Orders and value of each customer of the summary after `cut` and up to `end`, and in the recent
/// period, which is as long and ends with `cut`; in the summary's order.
///
/// # Errors
/// [`Error::Engine`], never for rows by customer and day.
pub fn holdout(
    days: &LazyFrame,
    summary: &CustomerSummary,
    cut: NaiveDate,
    end: NaiveDate,
    unit: TimeUnit,
) -> Result<Holdout, Error> {
    let length = end - cut;
    let since = || col(DAY).gt(day_literal(cut - length));
    let later = col(DAY).gt(day_literal(cut));
    let latest = since().and(until(cut));
    let mut columns = vec![first_value(VALUE)];
    for (within, [orders, whole, part]) in [(later, LATER), (latest, RECENT)] {
        for (column, name) in [(ORDERS, orders), (WHOLE, whole), (PART, part)] {
            let inside = col(column).cast(DataType::Int64);
            let or_nothing = when(within.clone()).then(inside).otherwise(lit(0i64));
            columns.push(or_nothing.sum().alias(name));
        }
    }
    // A customer who is new in the recent period has all orders in these days, also the first.
    let within = days.clone().filter(since().and(until(end)));
    let customers = within.group_by([col(CUSTOMER_ID)]).agg(columns);
    let days_of_length = length.num_days() as f64 - 0.5;
    let is_new = col(age(unit)).lt(lit(days_of_length / unit.days())).alias(IS_NEW);
    let ids = summary.frame.clone().lazy().select([col(CUSTOMER_ID), is_new]);
    let mut in_order = JoinArgs::new(JoinType::Left);
    in_order.maintain_order = MaintainOrderJoin::Left;
    let joined = ids.join(customers, [col(CUSTOMER_ID)], [col(CUSTOMER_ID)], in_order);
    let or_nothing = |value: Expr| value.fill_null(lit(0.0));
    let float = |name: &str| or_nothing(col(name).cast(DataType::Float64));
    let joined = joined.select([
        float(LATER[0]).alias("orders"),
        or_nothing(money(LATER[1], LATER[2])).alias("value"),
        (float(RECENT[0]) - float(IS_NEW)).alias("recent_orders"),
        (or_nothing(money(RECENT[1], RECENT[2])) - float(IS_NEW) * float(FIRST_VALUE))
            .alias("recent_value"),
    ]);
    let joined = streamed(joined).map_err(Error::engine("collect the holdout"))?;
    Ok(Holdout {
        orders: numbers(&joined, "orders")?,
        value: numbers(&joined, "value")?,
        recent_orders: numbers(&joined, "recent_orders")?,
        recent_value: numbers(&joined, "recent_value")?,
    })
}

/// For each of `ids`, in that order: the days with an order up to `end` (days since 1970-01-01,
/// ascending) and the number of orders on each.
///
/// # Errors
/// [`Error::Engine`], never for rows by customer and day.
pub fn of_customers(
    days: &LazyFrame,
    ids: &[String],
    end: NaiveDate,
) -> Result<Vec<Vec<(i32, f64)>>, Error> {
    let mut found: FxHashMap<&str, Vec<(i32, f64)>> =
        ids.iter().map(|id| (id.as_str(), Vec::new())).collect();
    let mut find = || -> PolarsResult<()> {
        let day = col(DAY).cast(DataType::Int32);
        let orders = col(ORDERS).cast(DataType::Float64);
        let rows = streamed(days.clone().select([col(CUSTOMER_ID), day, orders]))?;
        let (names, days) = (rows.column(CUSTOMER_ID)?.str()?, rows.column(DAY)?.i32()?);
        let orders = rows.column(ORDERS)?.f64()?;
        for ((id, day), orders) in names.iter().zip(days.iter()).zip(orders.iter()) {
            let (Some(id), Some(day), Some(orders)) = (id, day, orders) else { continue };
            if let Some(of_id) = found.get_mut(id).filter(|_| day <= end.to_epoch_days()) {
                of_id.push((day, orders));
            }
        }
        Ok(())
    };
    find().map_err(Error::engine("find the orders of some customers"))?;
    found.values_mut().for_each(|days| days.sort_by_key(|(day, _)| *day));
    Ok(ids.iter().filter_map(|id| found.remove(id.as_str())).collect())
}

fn no_days(id: &str) -> (&str, Vec<i32>) {
    (id, Vec::new())
}

/// The orders of the customers of a summary.
#[derive(Clone, Copy)]
pub struct Log<'a> {
    /// Rows by customer and day.
    pub days: &'a LazyFrame,
    /// The customers.
    pub summary: &'a CustomerSummary,
}

impl Log<'_> {
    /// Days since 1970-01-01 up to the observation end, ascending, and the orders of each.
    ///
    /// # Errors
    /// [`Error::Engine`], never for rows by customer and day.
    pub fn orders_by_day(&self) -> Result<Vec<(i32, f64)>, Error> {
        let end = self.summary.observation_end;
        orders_by_day(self.days, end, end)
    }

    /// The orders of about `size` customers: see [`sample_of_paths`].
    ///
    /// # Errors
    /// [`Error::Engine`], never for rows by customer and day.
    pub fn sample_of_paths(&self, size: usize) -> Result<Vec<OrderPath>, Error> {
        sample_of_paths(self.days, self.summary, size, self.summary.observation_end)
    }

    /// Every two days with orders that follow each other in the life of a customer, sorted. Of the
    /// customers in these `rows` of the summary only, where rows are given.
    ///
    /// # Errors
    /// [`Error::Engine`], never for rows by customer and day.
    pub fn gaps(&self, rows: Option<&[u32]>) -> Result<Vec<(i32, i32)>, Error> {
        let find = || -> PolarsResult<Vec<(i32, i32)>> {
            let ids = self.summary.frame.column(CUSTOMER_ID)?.str()?;
            let mut found: FxHashMap<&str, Vec<i32>> = match rows {
                Some(rows) => {
                    rows.iter().filter_map(|row| ids.get(*row as usize)).map(no_days).collect()
                }
                None => ids.iter().flatten().map(no_days).collect(),
            };
            let day = col(DAY).cast(DataType::Int32);
            let known = self.days.clone().filter(until(self.summary.observation_end));
            let rows = streamed(known.select([col(CUSTOMER_ID), day]))?;
            let (names, days) = (rows.column(CUSTOMER_ID)?.str()?, rows.column(DAY)?.i32()?);
            for (id, day) in names.iter().zip(days.iter()) {
                let (Some(id), Some(day)) = (id, day) else { continue };
                if let Some(of_id) = found.get_mut(id) {
                    of_id.push(day);
                }
            }
            let mut gaps = Vec::new();
            for days in found.values_mut() {
                days.sort_unstable();
                days.dedup();
                gaps.extend(days.windows(2).map(|pair| (pair[0], pair[1])));
            }
            gaps.sort_unstable();
            Ok(gaps)
        };
        find().map_err(Error::engine("find the times between orders"))
    }
}

/// Orders per day up to `end` of the customers acquired up to `cut`: days since 1970-01-01,
/// ascending, and the number of orders on each.
///
/// # Errors
/// [`Error::Engine`], never for rows by customer and day.
pub fn orders_by_day(
    days: &LazyFrame,
    cut: NaiveDate,
    end: NaiveDate,
) -> Result<Vec<(i32, f64)>, Error> {
    let failed = || Error::engine("count the orders of each day");
    let within = days.clone().filter(until(end));
    let known = if cut < end {
        let ids = days.clone().filter(until(cut)).select([col(CUSTOMER_ID)]);
        let semi = JoinArgs::new(JoinType::Semi);
        let later = within.clone().filter(until(cut).not());
        let later = later.join(ids, [col(CUSTOMER_ID)], [col(CUSTOMER_ID)], semi);
        let both =
            [within.filter(until(cut)), later].map(|part| part.select([col(DAY), col(ORDERS)]));
        concat(both, UnionArgs::default()).map_err(failed())?
    } else {
        within
    };
    let counted = || -> PolarsResult<Vec<(i32, f64)>> {
        let day = col(DAY).cast(DataType::Int32);
        let orders = col(ORDERS).cast(DataType::UInt64).sum();
        let counts = streamed(known.group_by([day]).agg([orders]).sort([DAY], Default::default()))?;
        let days = counts.column(DAY)?.i32()?.iter().flatten();
        let orders = counts.column(ORDERS)?.u64()?.iter().flatten();
        Ok(days.zip(orders).map(|(day, orders)| (day, orders as f64)).collect())
    };
    counted().map_err(failed())
}

/// The orders up to `end`, one by one, of about `size` customers of the summary, taken evenly from
/// its first to its last row.
///
/// # Errors
/// [`Error::Engine`], never for rows by customer and day.
pub fn sample_of_paths(
    days: &LazyFrame,
    summary: &CustomerSummary,
    size: usize,
    end: NaiveDate,
) -> Result<Vec<OrderPath>, Error> {
    let every = summary.frame.height().div_ceil(size.max(1)).max(1);
    let find = || -> PolarsResult<Vec<OrderPath>> {
        let ids = summary.frame.column(CUSTOMER_ID)?.gather_every(every, 0)?;
        let ids = DataFrame::new(ids.len(), vec![ids])?;
        let semi = JoinArgs::new(JoinType::Semi);
        let all = days.clone().filter(until(end));
        let sampled = match every {
            1 => all,
            _ => all.join(ids.lazy(), [col(CUSTOMER_ID)], [col(CUSTOMER_ID)], semi),
        };
        let day = col(DAY).cast(DataType::Int32);
        let orders = col(ORDERS).cast(DataType::Float64);
        let rows = streamed(sampled.select([col(CUSTOMER_ID), day, orders, col(VALUE)]))?;
        let mut paths: FxHashMap<&str, OrderPath> = FxHashMap::default();
        let (names, days) = (rows.column(CUSTOMER_ID)?.str()?, rows.column(DAY)?.i32()?);
        let (orders, values) = (rows.column(ORDERS)?.f64()?, rows.column(VALUE)?.f64()?);
        let mut first_seen = Vec::new();
        let rows = names.iter().zip(days.iter()).zip(orders.iter()).zip(values.iter());
        for (((id, day), orders), value) in rows {
            let (Some(id), Some(day), Some(orders)) = (id, day, orders) else { continue };
            let order = OrderDay { day, orders, value: value.unwrap_or(0.0) };
            let path = paths.entry(id).or_insert_with(|| {
                first_seen.push(id);
                Vec::new()
            });
            path.push(order);
        }
        let mut all: Vec<OrderPath> = first_seen.iter().filter_map(|id| paths.remove(id)).collect();
        all.iter_mut().for_each(|path| path.sort_by_key(|order| order.day));
        // The same order whatever the threads did before: sums must not depend on it.
        all.sort_by_cached_key(|path| -> Vec<(i32, u64)> {
            path.iter().map(|order| (order.day, order.value.to_bits())).collect()
        });
        Ok(all)
    };
    find().map_err(Error::engine("find the orders of some customers"))
}
