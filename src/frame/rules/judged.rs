//! Valid rows and quarantine: what the rules of exports and of logs share.

use std::cmp::Ordering;

use polars::prelude::*;

use crate::frame::columns::{FILE, ROW, RULE};
use crate::frame::doubts::Doubt;
use crate::frame::rules::returns::Moved;
use crate::settings::{Input, Settings};

/// Rows set aside under one rule.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rejected {
    /// Name of the rule.
    pub rule: String,
    /// Number of rows of which this is the first broken rule.
    pub rows: usize,
}

/// The valid rows of an input and its quarantine.
pub struct Cleaned {
    /// Valid rows with typed columns: one per customer, or for a log one per customer and day.
    pub valid: LazyFrame,
    /// file, row_number, rule, then the raw values as text.
    pub quarantine: DataFrame,
    /// The lines of the customers and days of a log, for a pipeline with `[selection]`; they have
    /// not been read.
    pub lines: Option<LazyFrame>,
    /// Counts by rule, most rows first.
    pub rejected: Vec<Rejected>,
    /// Rows that were read, or orders where the value is that of the order.
    pub rows_read: usize,
    /// Rows of the files.
    pub lines_read: usize,
    /// Order lines with a negative value, netted against the purchases of the day; 0 for an export.
    pub returns_netted: usize,
    /// What is probably not what it seems.
    pub doubts: Vec<Doubt>,
    /// Returns that were taken off earlier purchases.
    pub moved: Moved,
}

/// A rule's name and the expression that is true where a row breaks it.
pub(crate) type Rule = (&'static str, Expr);

/// Whether a row breaks no rule.
pub(crate) fn is_sound() -> Expr {
    col(RULE).eq(lit(0))
}

/// Number, from 1, of the first rule that a row breaks, else 0. Every row has one, and numbers take
/// less memory than names.
pub(crate) fn first_broken(rules: &[Rule]) -> Expr {
    let numbers = (1..=rules.len() as i32).rev();
    numbers.zip(rules.iter().rev()).fold(lit(0), |later, (number, (_, broken))| {
        when(broken.clone()).then(lit(number)).otherwise(later)
    })
}

/// file, row_number, rule and raw values (as text) of the rows that break a rule.
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

/// Number of rows by rule, most first.
pub(crate) fn count_by_rule(quarantine: &DataFrame) -> PolarsResult<Vec<Rejected>> {
    let mut rejected: Vec<Rejected> = Vec::new();
    for rule in quarantine.column("rule")?.str()?.iter().flatten() {
        match rejected.iter_mut().find(|r| r.rule == rule) {
            Some(known) => known.rows += 1,
            None => rejected.push(Rejected { rule: rule.to_owned(), rows: 1 }),
        }
    }
    rejected.sort_by(most_first);
    Ok(rejected)
}

/// The order in which rules are listed: most rows first.
pub(crate) fn most_first(a: &Rejected, b: &Rejected) -> Ordering {
    b.rows.cmp(&a.rows).then_with(|| a.rule.cmp(&b.rule))
}

/// The error text when no row is valid, with the first row that was set aside.
pub(crate) fn none_left(quarantine: &DataFrame, rejected: &[Rejected], input: &Input) -> String {
    let counts: Vec<String> = rejected.iter().map(|r| format!("{} {}", r.rows, r.rule)).collect();
    format!(
        "every row breaks a rule ({}); the first: {}. Check [input.columns], date_format and \
         number_format",
        counts.join(", "),
        shown(quarantine, 0, input)
    )
}

/// The first row that was set aside under a rule: where it is, and the values that break the rule.
pub(crate) fn first_of(quarantine: &DataFrame, rule: &str, input: &Input) -> String {
    let rules = quarantine.column("rule").and_then(|column| column.str().cloned());
    let position = rules.ok().and_then(|rules| rules.iter().position(|r| r == Some(rule)));
    shown(quarantine, position.unwrap_or(0), input)
}

/// One row that was set aside: its number, the rule, and the values that the rule is about. The other
/// values are a customer's data and belong in no message.
fn shown(quarantine: &DataFrame, position: usize, input: &Input) -> String {
    let text = |column: &str| -> String {
        let value = quarantine.column(column).and_then(|column| column.get(position));
        value.map_or(String::new(), |value| value.str_value().chars().take(40).collect())
    };
    let rule = text("rule");
    let values: Vec<String> = columns_of(&rule, input)
        .iter()
        .map(|name| match text(&format!("raw_{name}")) {
            value if value.parse().is_ok_and(|number: f64| !number.is_finite()) => {
                format!("{name} is not finite")
            }
            value => format!("{name} = {value:?}"),
        })
        .collect();
    let values = if values.is_empty() { String::new() } else { format!(", {}", values.join(", ")) };
    format!("row {} ({rule}{values})", text("row_number"))
}

/// The columns that a rule is about.
fn columns_of<'a>(rule: &str, input: &'a Input) -> Vec<&'a str> {
    let columns = &input.columns;
    let dates = [&columns.first_order_date, &columns.last_order_date, &columns.order_date];
    let amounts = [&columns.quantity, &columns.unit_price];
    match rule {
        "unreadable_order_count"
        | "order_count_not_whole"
        | "negative_order_count"
        | "no_orders" => columns.orders.iter().map(String::as_str).collect(),
        "unreadable_value"
        | "negative_value"
        | "no_value"
        | "value_out_of_range"
        | "return"
        | "negative_quantity_and_price" => {
            let amounts = amounts.into_iter().flatten();
            columns.value.iter().chain(amounts).map(String::as_str).collect()
        }
        "unreadable_date"
        | "implausible_date"
        | "first_order_after_last"
        | "order_after_as_of"
        | "order_after_observation_end"
        | "one_order_on_two_dates" => dates.into_iter().flatten().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}
