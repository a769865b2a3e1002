//! The rules of a customer export. A row that breaks one is set aside with the rule's name and
//! its raw values; nothing is dropped without being counted.

use chrono::NaiveDate;
use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{CUSTOMER_ID_TYPED, FIRST_ORDER, LAST_ORDER, RULE, typed_name};
use crate::frame::input::dates;
use crate::frame::input::load::unreadable;
use crate::frame::input::numbers::{Notations, numeric_columns};
use crate::frame::input::typed::{Blanks, identifier, is_unusable, without_decimals};
use crate::frame::rules::column_types::{self, WRONG_TYPE};
use crate::frame::rules::judged::{
    Cleaned, Rule, count_by_rule, first_broken, is_sound, none_left, quarantine,
};
use crate::frame::{collected, day_literal, engine, one_date};
use crate::settings::columns::CUSTOMER_ID;
use crate::settings::{AnalysisDate, Settings};

/// Rule that a row breaks when an earlier valid row has the same identifier.
const DUPLICATE: &str = "duplicate_customer_id";

/// Types the columns of a customer export and sets aside the rows that break a rule.
///
/// # Errors
/// [`Error::Input`] when it cannot be read, no date format can be chosen, or no row is valid.
pub fn customers(raw: LazyFrame, files: &[String], settings: &Settings) -> Result<Cleaned, Error> {
    let place = &settings.input.path;
    let engine = engine(&settings.resources, Engine::InMemory);
    let raw = collected(raw, engine).map_err(|e| Error::input(place, unreadable(&e)))?;
    let schema = raw.schema().clone();
    let rows_read = raw.height();
    let raw = raw.lazy();
    let columns = &settings.input.columns;
    let (first, last) = (named(&columns.first_order_date), named(&columns.last_order_date));
    let setting = &settings.input.date_format;
    let format = dates::settle(&raw, &[first, last], setting, place, engine)?;
    let notations = Notations::settle(
        &raw,
        &numeric_columns(&settings.input),
        &settings.input.number_format,
        place,
    )?;
    let date =
        |name: &str| dates::parsed(name, schema.get(name).unwrap_or(&DataType::String), &format);
    let mut typed = vec![
        without_decimals(identifier(&columns.customer_id)).alias(CUSTOMER_ID_TYPED),
        date(first).alias(FIRST_ORDER),
        date(last).alias(LAST_ORDER),
    ];
    typed.extend(
        columns
            .orders
            .iter()
            .chain(&columns.value)
            .map(|name| notations.number(name, Blanks::TakenOff).alias(typed_name(name))),
    );
    let rules = rules(settings);
    let judged = judge(raw.with_columns(typed), &rules, engine)?;
    let names: Vec<&str> = rules.iter().map(|(name, _)| *name).chain([DUPLICATE]).collect();
    split(judged, &names, files, settings, rows_read)
}

fn named(column: &Option<String>) -> &str {
    column.as_deref().unwrap_or_default()
}

fn rules(settings: &Settings) -> Vec<Rule> {
    let columns = &settings.input.columns;
    let typed = |names: &[String]| names.iter().map(|n| col(typed_name(n))).collect::<Vec<_>>();
    let (orders, values) = (typed(&columns.orders), typed(&columns.value));
    let total = |parts: &[Expr]| parts.iter().cloned().reduce(|a, b| a + b).unwrap_or(lit(0.0));
    let any = |conditions: Vec<Expr>| conditions.into_iter().reduce(Expr::or).unwrap_or(lit(false));
    let each =
        |parts: &[Expr], test: fn(Expr) -> Expr| any(parts.iter().cloned().map(test).collect());
    let (first, last) = (col(FIRST_ORDER), col(LAST_ORDER));
    // A row counts under the first rule that it breaks, so the order decides the counts.
    let mut rules = vec![
        ("missing_customer_id", col(CUSTOMER_ID_TYPED).is_null()),
        ("unreadable_date", first.clone().is_null().or(last.clone().is_null())),
        ("first_order_after_last", first.clone().gt(last.clone())),
        ("unreadable_order_count", each(&orders, is_unusable)),
        ("order_count_not_whole", each(&orders, |n| whole(n.clone()).neq(n))),
        ("negative_order_count", each(&orders, |n| n.lt(lit(0.0)))),
        ("no_orders", total(&orders).lt_eq(lit(0.0))),
        ("one_order_on_two_dates", total(&orders).eq(lit(1.0)).and(first.neq(last.clone()))),
        ("unreadable_value", each(&values, is_unusable)),
        ("negative_value", each(&values, |n| n.lt(lit(0.0)))),
        ("no_value", total(&values).lt_eq(lit(0.0))),
    ];
    if let AnalysisDate::On(as_of) = settings.summary.analysis_date {
        rules.insert(3, ("order_after_as_of", last.gt(day_literal(as_of))));
    }
    if column_types::marks(&settings.contract) {
        rules.push(("wrong_type", col(WRONG_TYPE)));
    }
    rules
}

/// A number without its fraction; null beyond the range of whole numbers.
fn whole(number: Expr) -> Expr {
    number.cast(DataType::Int64).cast(DataType::Float64)
}

/// Adds the first rule that each row breaks. Of valid rows with the same identifier, all but the
/// first break [`DUPLICATE`].
fn judge(typed: LazyFrame, rules: &[Rule], engine: Engine) -> Result<LazyFrame, Error> {
    let judged = typed.with_column(first_broken(rules).alias(RULE));
    let again = is_sound().and(key_of_sound().is_first_distinct().not());
    let duplicate = lit(rules.len() as i32 + 1);
    let judged = judged.with_column(when(again).then(duplicate).otherwise(col(RULE)).alias(RULE));
    collected(judged, engine).map(IntoLazy::lazy).map_err(Error::engine("check the rows"))
}

/// The identifier of a valid row, else null: a rejected row must not make a valid one a duplicate.
fn key_of_sound() -> Expr {
    when(is_sound()).then(col(CUSTOMER_ID_TYPED)).otherwise(lit(NULL))
}

/// Splits judged rows into valid rows and quarantine.
fn split(
    judged: LazyFrame,
    rules: &[&str],
    files: &[String],
    settings: &Settings,
    rows_read: usize,
) -> Result<Cleaned, Error> {
    let place = &settings.input.path;
    let failed = || Error::engine("set rejected rows aside");
    let quarantine =
        quarantine(judged.clone(), rules, files, settings).collect().map_err(failed())?;
    let rejected = count_by_rule(&quarantine).map_err(failed())?;
    if rows_read == 0 {
        return Err(Error::input(place, "the file has a header and no rows"));
    }
    if quarantine.height() == rows_read {
        return Err(Error::input(place, none_left(&quarantine, &rejected)));
    }
    let sound = if rejected.is_empty() { judged } else { judged.filter(is_sound()) };
    let valid = sound.with_column(col(CUSTOMER_ID_TYPED).alias(CUSTOMER_ID));
    Ok(Cleaned { valid, quarantine, rejected, rows_read, returns_netted: 0 })
}

/// The date of the last order of all customers.
///
/// # Errors
/// [`Error::Engine`], never for valid rows.
pub fn last_order(valid: &LazyFrame) -> Result<NaiveDate, Error> {
    one_date(valid, col(LAST_ORDER).max())
}
