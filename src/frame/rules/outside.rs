//! Customers whom the stated `[selection]` excludes: found, and set aside where they are strays.

use chrono::{Days, NaiveDate};
use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{DAY, FIRST_ORDER, LAST_ORDER, ORDERS, RULE, typed_name};
use crate::frame::doubts::ids::one_of;
use crate::frame::rules::judged::{
    Cleaned, Rule, count_by_rule, first_broken, is_sound, most_first, quarantine,
};
use crate::frame::rules::log::lines_of;
use crate::frame::summary::export::omnichannel_totals;
use crate::frame::{collected, day_literal, engine, streamed};
use crate::settings::columns::CUSTOMER_ID;
use crate::settings::{BadRows, InputKind, Selection, Settings};

/// What the selection excludes, as rules, in the order in which they are looked at: customers who
/// last ordered before the window, with fewer orders, with orders in one channel only, and with
/// several orders that are all of the last day, which no rate of orders explains.
pub const OUTSIDE: [&str; 4] = [
    "last_order_before_selection",
    "fewer_orders_than_selection",
    "one_channel_only",
    "all_orders_on_last_day",
];

/// The customers whom the stated selection excludes.
pub struct Outside {
    /// Their ids by rule, as in [`OUTSIDE`].
    pub ids: [Vec<String>; 4],
    /// Number of all customers, in the selection or not.
    pub all: usize,
}

/// Finds the customers whom a selection excludes, whose window has `window` days before `end`.
/// Customers that `summary.min_orders` leaves out do not count.
///
/// # Errors
/// [`Error::Engine`], never for valid rows.
pub fn outside(
    cleaned: &Cleaned,
    selection: &Selection,
    window: Option<u64>,
    end: NaiveDate,
    settings: &Settings,
) -> Result<Outside, Error> {
    let find = || -> PolarsResult<Outside> {
        let first_day = window.and_then(|days| end.checked_sub_days(Days::new(days)));
        let rules = rules(selection, first_day, end, settings);
        let least = f64::from(settings.summary.min_orders);
        let judged = customers(cleaned, end, settings)
            .filter(orders().gt_eq(lit(least)))
            .select([col(CUSTOMER_ID), first_broken(&rules).alias(RULE)]);
        let judged = collected(judged, engine(&settings.resources, Engine::Streaming))?;
        let all = judged.height();
        let found = judged.lazy().filter(is_sound().not()).collect()?;
        let mut ids: [Vec<String>; 4] = Default::default();
        let customers = found.column(CUSTOMER_ID)?.str()?.iter();
        for (id, rule) in customers.zip(found.column(RULE)?.i32()?.iter()) {
            let own = rule.and_then(|rule| ids.get_mut(rule as usize - 1));
            if let (Some(id), Some(own)) = (id, own) {
                own.push(id.to_owned());
            }
        }
        Ok(Outside { ids, all })
    };
    find().map_err(Error::engine("look for customers outside the selection"))
}

fn orders() -> Expr {
    col(ORDERS).cast(DataType::Float64)
}

/// One row per customer, with first and last order and the number of orders up to `end`.
fn customers(cleaned: &Cleaned, end: NaiveDate, settings: &Settings) -> LazyFrame {
    let valid = cleaned.valid.clone();
    match settings.input.kind {
        InputKind::Customers => omnichannel_totals(valid, &settings.input),
        InputKind::Transactions => {
            let columns = [
                col(DAY).min().alias(FIRST_ORDER),
                col(DAY).max().alias(LAST_ORDER),
                col(ORDERS).cast(DataType::UInt64).sum(),
            ];
            let until = col(DAY).lt_eq(day_literal(end));
            valid.filter(until).group_by([col(CUSTOMER_ID)]).agg(columns)
        }
    }
}

fn rules(
    selection: &Selection,
    first_day: Option<NaiveDate>,
    end: NaiveDate,
    settings: &Settings,
) -> Vec<Rule> {
    let silent = first_day.map(|day| col(LAST_ORDER).lt(day_literal(day)));
    let few = orders().lt(lit(f64::from(selection.least_orders())));
    let channels = settings.input.columns.orders.iter();
    let unused = channels.map(|name| col(typed_name(name)).lt(lit(1.0))).reduce(Expr::or);
    let one_channel = unused.filter(|_| selection.both_channels);
    let new = col(FIRST_ORDER).eq(day_literal(end)).and(orders().gt(lit(1.0)));
    let rules = [silent, Some(few), one_channel, Some(new)];
    OUTSIDE.into_iter().zip(rules.map(|rule| rule.unwrap_or(lit(false)))).collect()
}

/// Moves the rows of the customers outside to the quarantine.
///
/// # Errors
/// [`Error::Engine`], never for valid rows.
pub fn set_aside(
    cleaned: Cleaned,
    outside: &Outside,
    files: &[String],
    settings: &Settings,
) -> Result<Cleaned, Error> {
    moved(cleaned, outside, files, settings).map_err(Error::engine("set customers aside"))
}

fn moved(
    mut cleaned: Cleaned,
    outside: &Outside,
    files: &[String],
    settings: &Settings,
) -> PolarsResult<Cleaned> {
    let rules: Vec<Rule> = OUTSIDE
        .iter()
        .zip(&outside.ids)
        .map(|(rule, ids)| (*rule, one_of(CUSTOMER_ID, ids)))
        .collect();
    let judged = cleaned.valid.with_column(first_broken(&rules).alias(RULE));
    let judged = collected(judged, engine(&settings.resources, Engine::InMemory))?.lazy();
    let rows = match cleaned.lines.take() {
        Some(lines) => {
            let days = judged.clone().filter(is_sound().not());
            lines_of(lines, days.select([col(CUSTOMER_ID), col(DAY), col(RULE)]))
        }
        // The rows of an export are still there; those of a log have been summed by day.
        None => judged.clone(),
    };
    let aside = streamed(quarantine(rows, &OUTSIDE, files, settings))?;
    cleaned.rejected.extend(count_by_rule(&aside)?);
    cleaned.rejected.sort_by(most_first);
    if settings.contract.bad_rows != BadRows::Drop {
        cleaned.quarantine.vstack_mut(&aside)?;
    }
    cleaned.valid = judged.filter(is_sound()).drop(cols([RULE]));
    Ok(cleaned)
}
