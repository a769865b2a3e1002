//! The rules of a customer export. A row that breaks one is set aside with the rule's name and
//! its raw values; nothing is dropped without being counted.

use chrono::NaiveDate;
use polars::prelude::*;

use crate::error::Error;
use crate::frame::input::dates;
use crate::frame::input::typed::{Blanks, identifier, is_unusable, number, without_decimals};
use crate::frame::rules::column_types::{self, WRONG_TYPE};
use crate::frame::{FILE, ROW, collected, day_literal, engine, one_date};
use crate::settings::columns::CUSTOMER_ID;
use crate::settings::{AnalysisDate, Settings};

/// Date of the first order, as a date.
pub const FIRST_ORDER: &str = "__first_order";
/// Date of the last order, as a date.
pub const LAST_ORDER: &str = "__last_order";
/// The first rule that a row breaks, counted from 1; 0 for a sound row.
pub(crate) const RULE: &str = "__rule";

/// Rows set aside under one rule.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rejected {
    /// Name of the rule.
    pub rule: String,
    /// How many rows broke it first.
    pub rows: usize,
}

/// Rows that keep the rules and rows that do not.
pub struct Cleaned {
    /// Typed rows.
    pub kept: LazyFrame,
    /// file, row_number, rule, then the raw values as text.
    pub quarantine: DataFrame,
    /// Counts by rule, most rows first.
    pub rejected: Vec<Rejected>,
    /// Rows that were read.
    pub rows_read: usize,
    /// Lines of an order log that lowered what the customer spent on that day.
    pub returns_netted: usize,
}

/// A rule's name and the expression that is true where a row breaks it.
pub(crate) type Rule = (&'static str, Expr);

/// Rule of a row whose identifier stands in an earlier row.
const DUPLICATE: &str = "duplicate_customer_id";

/// Name of the typed copy of an order or value column.
pub fn typed_name(column: &str) -> String {
    format!("__number_{column}")
}

/// Types a customer export and sets aside the rows that break a rule.
///
/// # Errors
/// [`Error::Input`] when it cannot be read, a date format cannot be settled, or no row is left.
pub fn customers(raw: LazyFrame, files: &[String], settings: &Settings) -> Result<Cleaned, Error> {
    let place = &settings.input.path;
    let engine = engine(settings, Engine::InMemory);
    let raw = collected(raw, engine).map_err(|e| Error::input(place, unreadable(&e)))?;
    let schema = raw.schema().clone();
    let rows_read = raw.height();
    let raw = raw.lazy();
    let columns = &settings.input.columns;
    let (first, last) = (named(&columns.first_order_date), named(&columns.last_order_date));
    let setting = &settings.input.date_format;
    let format = dates::settle(&raw, &[first, last], setting, place, engine)?;
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
            .map(|name| number(name, Blanks::TakenOff).alias(typed_name(name))),
    );
    let rules = rules(settings);
    let judged = judge(raw.with_columns(typed), &rules, engine)?;
    let names: Vec<&str> = rules.iter().map(|(name, _)| *name).chain([DUPLICATE]).collect();
    split(judged, &names, files, settings, rows_read)
}

/// Typed copy of the identifier, until rejected rows have been set aside with the raw one.
pub(crate) const CUSTOMER_ID_TYPED: &str = "__customer_id";

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
    if column_types::marks(settings) {
        rules.push(("wrong_type", col(WRONG_TYPE)));
    }
    rules
}

/// A number without its fraction; null beyond the range of whole numbers.
fn whole(number: Expr) -> Expr {
    number.cast(DataType::Int64).cast(DataType::Float64)
}

/// Adds the first rule that each row breaks, and then sets aside all but the first of the sound rows
/// with the same identifier.
fn judge(typed: LazyFrame, rules: &[Rule], engine: Engine) -> Result<LazyFrame, Error> {
    let judged = typed.with_column(first_broken(rules).alias(RULE));
    let again = is_sound().and(key_of_sound().is_first_distinct().not());
    let duplicate = lit(rules.len() as i32 + 1);
    let judged = judged.with_column(when(again).then(duplicate).otherwise(col(RULE)).alias(RULE));
    collected(judged, engine).map(IntoLazy::lazy).map_err(Error::engine("check the rows"))
}

/// Whether a row keeps all rules.
pub(crate) fn is_sound() -> Expr {
    col(RULE).eq(lit(0))
}

/// The identifier of a sound row, null otherwise: rejected rows do not shadow sound ones.
fn key_of_sound() -> Expr {
    when(is_sound()).then(col(CUSTOMER_ID_TYPED)).otherwise(lit(NULL))
}

/// Number, from 1, of the first rule that a row breaks, else 0. Numbers, not names: there is one
/// for every row.
pub(crate) fn first_broken(rules: &[Rule]) -> Expr {
    let numbers = (1..=rules.len() as i32).rev();
    numbers.zip(rules.iter().rev()).fold(lit(0), |later, (number, (_, broken))| {
        when(broken.clone()).then(lit(number)).otherwise(later)
    })
}

/// Divides judged rows into typed rows and quarantine.
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
    let kept = sound.with_column(col(CUSTOMER_ID_TYPED).alias(CUSTOMER_ID));
    Ok(Cleaned { kept, quarantine, rejected, rows_read, returns_netted: 0 })
}

/// file, row_number, rule and raw values of the rows that break a rule.
pub(crate) fn quarantine(
    judged: LazyFrame,
    rules: &[&str],
    files: &[String],
    settings: &Settings,
) -> LazyFrame {
    let rule_name = rules.iter().zip(1..).fold(lit(NULL), |rest, (name, number)| {
        when(col(RULE).eq(lit(number))).then(lit(*name)).otherwise(rest)
    });
    let file_name = files.iter().enumerate().fold(lit(NULL), |rest, (position, name)| {
        when(col(FILE).eq(lit(position as u32))).then(lit(name.as_str())).otherwise(rest)
    });
    let mut columns = vec![
        file_name.cast(DataType::String).alias("file"),
        col(ROW).alias("row_number"),
        rule_name.cast(DataType::String).alias("rule"),
    ];
    let raw =
        |name: &String| col(name.as_str()).cast(DataType::String).alias(format!("raw_{name}"));
    columns.extend(settings.input_columns().iter().map(raw));
    judged.filter(is_sound().not()).select(columns)
}

/// Most rows first.
pub(crate) fn count_by_rule(quarantine: &DataFrame) -> PolarsResult<Vec<Rejected>> {
    let mut rejected: Vec<Rejected> = Vec::new();
    for rule in quarantine.column("rule")?.str()?.iter().flatten() {
        match rejected.iter_mut().find(|r| r.rule == rule) {
            Some(known) => known.rows += 1,
            None => rejected.push(Rejected { rule: rule.to_owned(), rows: 1 }),
        }
    }
    rejected.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.rule.cmp(&b.rule)));
    Ok(rejected)
}

/// Why nothing is left, with the first row that was set aside.
pub(crate) fn none_left(quarantine: &DataFrame, rejected: &[Rejected]) -> String {
    let counts: Vec<String> = rejected.iter().map(|r| format!("{} {}", r.rows, r.rule)).collect();
    format!(
        "every row breaks a rule ({}); the first: {}. Check [input.columns] and date_format",
        counts.join(", "),
        shown(quarantine, 0)
    )
}

/// The last order of all customers.
///
/// # Errors
/// [`Error::Engine`], never for rows that keep the rules.
pub fn last_order(kept: &LazyFrame) -> Result<NaiveDate, Error> {
    one_date(kept, col(LAST_ORDER).max())
}

/// The first row that was set aside under a rule, in words.
pub(crate) fn first_of(quarantine: &DataFrame, rule: &str) -> String {
    let rules = quarantine.column("rule").and_then(|column| column.str().cloned());
    let position = rules.ok().and_then(|rules| rules.iter().position(|r| r == Some(rule)));
    shown(quarantine, position.unwrap_or(0))
}

/// One row that was set aside, in words.
fn shown(quarantine: &DataFrame, position: usize) -> String {
    quarantine.get(position).map_or(String::new(), |row| {
        let value = |(column, value): (&PlSmallStr, AnyValue<'_>)| {
            let shown: String = value.str_value().chars().take(40).collect();
            format!("{} = {shown:?}", column.trim_start_matches("raw_"))
        };
        let names: Vec<&PlSmallStr> = quarantine.get_column_names();
        names.into_iter().zip(row).skip(1).map(value).collect::<Vec<_>>().join(", ")
    })
}

/// What the reader's message means for the person who made the file.
pub(crate) fn unreadable(error: &PolarsError) -> String {
    let text = error.to_string();
    let hint = if text.contains("utf-8") || text.contains("utf8") {
        ": save the file as UTF-8"
    } else if text.contains("fields") {
        ": a row has more fields than the header; is a text with a separator unquoted?"
    } else {
        ""
    };
    format!("cannot be read: {text}{hint}")
}
