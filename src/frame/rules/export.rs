//! The rules of a customer export. A row that breaks one is set aside with the rule's name and
//! its raw values; nothing is dropped without being counted.

use chrono::NaiveDate;
use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{CUSTOMER_ID_TYPED, FIRST_ORDER, LAST_ORDER, RULE, typed_name};
use crate::frame::doubts::Doubt;
use crate::frame::doubts::dates::{Range, outside_stated};
use crate::frame::doubts::ids::{ID, Ids, WEIGHT, one_of};
use crate::frame::input::dates;
use crate::frame::input::load::unreadable;
use crate::frame::input::notation::is_missing;
use crate::frame::input::numbers::{Notations, Numeric, each, numeric_columns};
use crate::frame::input::typed::{Blanks, identifier, is_protected, is_unusable, without_decimals};
use crate::frame::rules::column_types::{self, WRONG_TYPE};
use crate::frame::rules::judged::{
    Cleaned, Rejected, Rule, count_by_rule, first_broken, is_sound, none_left, quarantine,
};
use crate::frame::rules::returns::Moved;
use crate::frame::{collected, day_literal, engine, one_date, query_bool};
use crate::settings::columns::CUSTOMER_ID;
use crate::settings::{AnalysisDate, Columns, Settings};

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
    let date =
        |name: &str| dates::parsed(name, schema.get(name).unwrap_or(&DataType::String), &format);
    let id = columns.customer_id.as_str();
    let protected = is_protected(col(id).cast(DataType::String)).any(true);
    let protected =
        query_bool(&raw, protected, engine).map_err(Error::engine("look at the ids"))?;
    let typed = raw.clone().with_columns([
        without_decimals(identifier(id, protected)).alias(CUSTOMER_ID_TYPED),
        date(first).alias(FIRST_ORDER),
        date(last).alias(LAST_ORDER),
    ]);
    let typed = with_numbers(typed, &raw, settings, engine)?;
    let found = Found::of(&typed, settings)?;
    let rules = rules(settings, &found);
    let judged = judge(typed.lazy(), &rules, engine)?;
    let names: Vec<&str> = rules.iter().map(|(name, _)| *name).chain([DUPLICATE]).collect();
    let cleaned = split(judged, &names, files, settings, rows_read)?;
    let doubts = found.doubts(&cleaned.rejected);
    Ok(Cleaned { doubts, ..cleaned })
}

/// Adds the typed columns of orders and values. What the first rows say about their notation holds if
/// every other value can be read in it too; otherwise the whole columns settle it.
fn with_numbers(
    typed: LazyFrame,
    raw: &LazyFrame,
    settings: &Settings,
    engine: Engine,
) -> Result<DataFrame, Error> {
    let input = &settings.input;
    let (numeric, format) = (numeric_columns(input), &input.number_format);
    let settle = || Notations::settle(raw, &numeric, format, &input.path);
    let read = |notations: &Notations| {
        let number = |column: &Numeric<'_>| {
            notations.number(column.name, Blanks::TakenOff).alias(typed_name(column.name))
        };
        let numbers = numeric.iter().map(number).collect::<Vec<_>>();
        let failed = Error::engine("read the numbers");
        collected(typed.clone().with_columns(numbers), engine).map_err(failed)
    };
    let mut numbers = match Notations::glimpse(raw, &numeric, format) {
        Some(guess) => {
            let numbers = read(&guess)?;
            if all_read(&numbers, &numeric) { numbers } else { read(&settle()?)? }
        }
        None => read(&settle()?)?,
    };
    let nulls = |column: &Numeric<'_>| {
        numbers.column(&typed_name(column.name)).is_ok_and(|values| values.null_count() > 0)
    };
    if numeric.iter().any(nulls) {
        let filled = unused_channels(&input.columns, numbers.schema());
        let failed = Error::engine("fill the channels");
        numbers = collected(numbers.lazy().with_columns(filled), engine).map_err(failed)?;
    }
    Ok(numbers)
}

/// Whether every entry of the columns has been read as a number.
fn all_read(typed: &DataFrame, numeric: &[Numeric<'_>]) -> bool {
    let nulls = |name: &str| typed.column(name).map_or(0, Column::null_count);
    numeric.iter().all(|column| nulls(&typed_name(column.name)) <= nulls(column.name))
}

/// Orders and values of several columns, with 0 in place of a blank where another column has an
/// entry: the customer never bought in that channel. As many channels must have orders as have
/// values; a blank value in a channel with orders stays unreadable.
fn unused_channels(columns: &Columns, schema: &Schema) -> Vec<Expr> {
    let blank = |name: &String| match schema.get(name) {
        Some(DataType::String) | None => blank_text(name),
        Some(_) => col(name.as_str()).is_null(),
    };
    let number = |name: &String| col(typed_name(name));
    let used = |names: &[String]| {
        let used = names.iter().map(|name| is_positive(number(name)));
        used.map(|used| used.cast(DataType::UInt32)).reduce(|a, b| a + b).unwrap_or(lit(0u32))
    };
    let (orders, value) = (&columns.orders, &columns.value);
    let fit = match orders.len() == value.len() {
        true => used(orders).eq(used(value)),
        false => lit(true),
    };
    let mut filled = Vec::new();
    for names in [orders, value].into_iter().filter(|names| names.len() > 1) {
        let some =
            names.iter().map(|name| blank(name).not()).reduce(Expr::or).unwrap_or(lit(false));
        filled.extend(names.iter().map(|name| {
            let unused = blank(name).and(some.clone()).and(fit.clone());
            when(unused).then(lit(0.0)).otherwise(number(name)).alias(typed_name(name))
        }));
    }
    filled
}

/// Whether a number is above 0; NaN is not.
fn is_positive(number: Expr) -> Expr {
    number.clone().is_finite().and(number.gt(lit(0.0))).fill_null(lit(false))
}

/// Whether a text is blank or a word for a missing value.
fn blank_text(name: &str) -> Expr {
    each(name, DataType::Boolean, |texts| {
        let blank = texts.iter().map(|text| Some(text.is_none_or(is_missing)));
        BooleanChunked::from_iter_options(texts.name().clone(), blank).into_column()
    })
}

/// What ids and dates show.
struct Found {
    ids: Ids,
    range: Option<Range>,
    /// A date outside the range.
    example: NaiveDate,
}

impl Found {
    /// Looks at the ids and dates of all rows.
    ///
    /// # Errors
    /// [`Error::Input`] when the ids have lost their last digits.
    fn of(typed: &DataFrame, settings: &Settings) -> Result<Self, Error> {
        let input = &settings.input;
        let failed = || Error::engine("look at ids and dates");
        let orders =
            input.columns.orders.iter().map(|name| col(typed_name(name)).fill_null(lit(0.0)));
        let orders = orders.reduce(|a, b| a + b).unwrap_or(lit(0.0)).alias(WEIGHT);
        let weights = typed.clone().lazy().select([col(CUSTOMER_ID_TYPED).alias(ID), orders]);
        let all = typed.column(CUSTOMER_ID_TYPED).map_err(failed())?;
        let ids = Ids::of(all, || weights.clone(), weights.clone(), &input.guest_ids);
        let ids = ids.map_err(failed())?;
        ids.check(&input.columns.customer_id).map_err(|fault| Error::input(&input.path, fault))?;
        let dates = || -> PolarsResult<Option<(Range, Option<i32>)>> {
            let stated = [FIRST_ORDER, LAST_ORDER]
                .into_iter()
                .filter_map(|name| outside_stated(col(name), &settings.contract))
                .reduce(Expr::or);
            let believed = match stated {
                Some(outside) => typed.clone().lazy().filter(outside.not()).collect()?,
                None => typed.clone(),
            };
            let both =
                [(believed.column(FIRST_ORDER)?, None), (believed.column(LAST_ORDER)?, None)];
            let Some(range) = Range::of_columns(&both, &settings.contract)? else {
                return Ok(None);
            };
            let outside = |name: &str| {
                when(range.excludes(col(name))).then(col(name)).otherwise(lit(NULL)).max()
            };
            let farthest = [FIRST_ORDER, LAST_ORDER].map(outside);
            let farthest = typed.clone().lazy().select(farthest).collect()?;
            let day = |name: &str| -> PolarsResult<Option<i32>> {
                Ok(farthest.column(name)?.cast(&DataType::Int32)?.i32()?.get(0))
            };
            Ok(Some((range, day(LAST_ORDER)?.or(day(FIRST_ORDER)?))))
        };
        let found = dates().map_err(failed())?;
        let range = found.map(|(range, _)| range);
        let example = found.and_then(|(_, day)| day).and_then(NaiveDate::from_epoch_days);
        let example = example.unwrap_or_default();
        Ok(Self { ids, range, example })
    }

    fn doubts(self, rejected: &[Rejected]) -> Vec<Doubt> {
        let rows = |rule: &str| rejected.iter().find(|r| r.rule == rule).map_or(0, |r| r.rows);
        let mut doubts = self.ids.doubts(rows("guest_id"), rows("total_row"));
        let implausible = rows("implausible_date");
        let range = self.range.filter(|_| implausible > 0);
        doubts.extend(range.map(|range| range.doubt(implausible, self.example)));
        doubts
    }
}

fn named(column: &Option<String>) -> &str {
    column.as_deref().unwrap_or_default()
}

fn rules(settings: &Settings, found: &Found) -> Vec<Rule> {
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
        ("left_out_id", one_of(CUSTOMER_ID_TYPED, &settings.input.guest_ids)),
        ("guest_id", one_of(CUSTOMER_ID_TYPED, &found.ids.guests)),
        ("total_row", one_of(CUSTOMER_ID_TYPED, &found.ids.totals)),
        ("unreadable_date", first.clone().is_null().or(last.clone().is_null())),
    ];
    let contract = &settings.contract;
    let stated = [first.clone(), last.clone()].map(|date| outside_stated(date, contract));
    if let Some(outside) = stated.into_iter().flatten().reduce(Expr::or) {
        rules.push(("date_out_of_range", outside));
    }
    if let Some(range) = found.range {
        let outside = range.excludes(first.clone()).or(range.excludes(last.clone()));
        rules.push(("implausible_date", outside));
    }
    rules.push(("first_order_after_last", first.clone().gt(last.clone())));
    if let AnalysisDate::On(as_of) = settings.summary.analysis_date {
        rules.push(("order_after_as_of", last.clone().gt(day_literal(as_of))));
    }
    rules.extend([
        ("unreadable_order_count", each(&orders, is_unusable)),
        ("order_count_not_whole", each(&orders, |n| whole(n.clone()).neq(n))),
        ("negative_order_count", each(&orders, |n| n.lt(lit(0.0)))),
        ("no_orders", total(&orders).lt_eq(lit(0.0))),
        ("one_order_on_two_dates", total(&orders).eq(lit(1.0)).and(first.neq(last))),
        ("unreadable_value", each(&values, is_unusable)),
        ("negative_value", each(&values, |n| n.lt(lit(0.0)))),
    ]);
    if !columns.value.is_empty() {
        rules.push(("no_value", total(&values).lt_eq(lit(0.0))));
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
        return Err(Error::input(place, none_left(&quarantine, &rejected, &settings.input)));
    }
    let sound = if rejected.is_empty() { judged } else { judged.filter(is_sound()) };
    let valid = sound.with_column(col(CUSTOMER_ID_TYPED).alias(CUSTOMER_ID));
    Ok(Cleaned {
        valid,
        quarantine,
        lines: None,
        rejected,
        rows_read,
        lines_read: rows_read,
        returns_netted: 0,
        doubts: Vec::new(),
        moved: Moved::default(),
    })
}

/// The date of the last order of all customers.
///
/// # Errors
/// [`Error::Engine`], never for valid rows.
pub fn last_order(valid: &LazyFrame) -> Result<NaiveDate, Error> {
    one_date(valid, col(LAST_ORDER).max())
}
