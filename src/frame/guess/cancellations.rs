//! What only the rows of an order log show: which lines are cancellations, and which columns
//! describe the customer rather than the line.

use polars::prelude::*;

use crate::error::Error;
use crate::frame::doubts::Doubt;
use crate::frame::doubts::lines::repeated_totals;
use crate::frame::guess::inspect::{Column, Overview};
use crate::frame::guess::named::{Guess, spoken};
use crate::frame::guess::words::{ColumnWords, Topic, says_cancelled, says_yes};
use crate::frame::input::kinds::ColumnKind;
use crate::frame::input::load::load_whole;
use crate::frame::input::numbers::number;
use crate::frame::input::typed::{Blanks, stripped};
use crate::frame::streamed;
use crate::settings::{Cancelled, Columns, ValueOf};

/// Lines that are read to see which columns are constant within a customer.
const COMPARED: u32 = 1_000_000;
/// Least share of negative lines for a letter that marks cancellations, and of customers with a
/// single value for a column that describes customers.
const NEARLY_ALL: f64 = 0.95;
/// Highest share of cancelled lines: a value on more lines means something else.
const MOST_CANCELLED: f64 = 0.3;
/// Most distinct values of a column that can be a status or describe customers.
const MOST_VALUES: usize = 200;

/// Adds cancellations and columns to keep to the guess of a log.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read.
pub(crate) fn complete(mut guess: Guess, overview: &Overview) -> Result<Guess, Error> {
    let (loaded, _) = load_whole(&overview.path, &overview.stated.described())?;
    let failed = |e| Error::input(&overview.path, crate::frame::input::load::unreadable(&e));
    let by_prefix = prefix(&loaded.frame, &guess, overview).map_err(failed)?;
    let by_status = || status(&loaded.frame, &guess, overview).map_err(failed);
    if guess.cancelled.is_none() {
        guess.cancelled = match by_prefix {
            Some(found) => Some(found),
            None => by_status()?,
        };
        if let Some(Cancelled { prefix, .. }) = &guess.cancelled {
            let reason = match prefix {
                Some(_) => "lines of such orders, and only they, have negative amounts",
                None => "what the values say",
            };
            guess.reasons.push(("cancelled", reason.to_owned()));
        }
    }
    let Columns { order_id, value, .. } = &guess.columns;
    let repeated = repeated_totals(&loaded.frame, order_id.as_deref(), value, guess.value_of);
    if let Some(Doubt::RepeatedTotals { orders, constant, .. }) = repeated.map_err(failed)? {
        guess.value_of = ValueOf::Order;
        let reason = format!("the value is the same on all lines of {constant} of {orders} orders");
        guess.reasons.push(("value_of", reason));
    }
    guess.columns.keep = about_customers(&loaded.frame, &guess, overview).map_err(failed)?;
    (guess.channel, guess.categories) = spoken(&guess.columns.keep);
    let reason = "carried through to the output, from the customer's last day";
    guess.reasons.push(("keep", reason.to_owned()));
    Ok(guess)
}

/// The letter that begins the ids of orders with negative amounts, and of no others.
fn prefix(
    frame: &LazyFrame,
    guess: &Guess,
    overview: &Overview,
) -> PolarsResult<Option<Cancelled>> {
    let Some(order_id) = &guess.columns.order_id else {
        return Ok(None);
    };
    let amount = guess.columns.quantity.iter().chain(&guess.columns.value).next();
    let Some(amount) = amount else {
        return Ok(None);
    };
    let notation = overview.notation(amount);
    let count = |is: Expr| is.fill_null(lit(false)).cast(DataType::UInt64).sum();
    let lines = frame
        .clone()
        .select([
            stripped(order_id).str().slice(lit(0), lit(1)).alias("letter"),
            number(amount, notation, Blanks::TakenOff).alias("amount"),
        ])
        .group_by([col("letter")])
        .agg([
            len().cast(DataType::UInt64).alias("lines"),
            count(col("amount").lt(lit(0.0))).alias("negative"),
        ]);
    let counts = streamed(lines)?;
    let letters = counts.column("letter")?.str()?;
    let lines = counts.column("lines")?.u64()?;
    let negative = counts.column("negative")?.u64()?;
    let all: u64 = lines.iter().flatten().sum();
    let marks = letters.iter().zip(lines.iter().zip(negative.iter())).filter_map(|one| {
        let (Some(letter), (Some(lines), Some(negative))) = one else {
            return None;
        };
        let is_letter = letter.chars().all(char::is_alphabetic) && !letter.is_empty();
        // A letter on half of the lines is how orders are numbered, not a mark.
        let marks = negative as f64 >= NEARLY_ALL * lines as f64 && 2 * lines < all;
        (is_letter && marks).then(|| (lines, letter.to_owned()))
    });
    Ok(marks.max().map(|(_, letter)| Cancelled {
        column: Some(order_id.clone()),
        prefix: Some(letter),
        ..Cancelled::default()
    }))
}

/// The values of a status column that mean a cancelled order.
fn status(
    frame: &LazyFrame,
    guess: &Guess,
    overview: &Overview,
) -> PolarsResult<Option<Cancelled>> {
    if let Some(found) = flag(frame, overview)? {
        return Ok(Some(found));
    }
    let columns = overview.columns.iter().filter(|column| {
        column.kind == ColumnKind::Text
            && column.distinct <= MOST_VALUES
            && ColumnWords::of(&column.name).about_any(&[Topic::Status, Topic::Cancel])
            && guess.columns.order_id.as_ref() != Some(&column.name)
    });
    for column in columns {
        let equals =
            values_that(frame, &column.name, overview.rows, says_cancelled, MOST_CANCELLED)?;
        if !equals.is_empty() {
            let column = Some(column.name.clone());
            return Ok(Some(Cancelled { column, equals, ..Cancelled::default() }));
        }
    }
    Ok(None)
}

/// A column named after cancellations that holds yes and no, or the date of each.
fn flag(frame: &LazyFrame, overview: &Overview) -> PolarsResult<Option<Cancelled>> {
    let named = |column: &&Column| ColumnWords::of(&column.name).about(Topic::Cancel);
    for column in overview.columns.iter().filter(named) {
        let name = Some(column.name.clone());
        if column.kind == ColumnKind::Date && column.blank > 0 {
            return Ok(Some(Cancelled { column: name, not_blank: true, ..Cancelled::default() }));
        }
        if column.distinct <= 3 {
            let equals = values_that(frame, &column.name, overview.rows, says_yes, MOST_CANCELLED)?;
            if !equals.is_empty() {
                return Ok(Some(Cancelled { column: name, equals, ..Cancelled::default() }));
            }
        }
    }
    Ok(None)
}

/// The values of a column of a file that have a meaning; empty where more than a share `most` of the
/// lines have them.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read.
pub(crate) fn marked(
    overview: &Overview,
    name: &str,
    means: impl Fn(&str) -> bool,
    most: f64,
) -> Result<Vec<String>, Error> {
    let (loaded, _) = load_whole(&overview.path, &overview.stated.described())?;
    let failed = |e| Error::input(&overview.path, crate::frame::input::load::unreadable(&e));
    values_that(&loaded.frame, name, overview.rows, means, most).map_err(failed)
}

/// The values of a column that have a meaning; empty where too many lines have them.
fn values_that(
    frame: &LazyFrame,
    name: &str,
    rows: usize,
    means: impl Fn(&str) -> bool,
    most: f64,
) -> PolarsResult<Vec<String>> {
    let counts = frame
        .clone()
        .select([stripped(name).alias("value")])
        .group_by([col("value")])
        .agg([len().cast(DataType::UInt64).alias("lines")])
        .sort(["value"], SortMultipleOptions::default());
    let counts = streamed(counts)?;
    let lines = counts.column("lines")?.u64()?;
    let (mut marked, mut equals) = (0, Vec::new());
    for (value, lines) in counts.column("value")?.str()?.iter().zip(lines.iter()) {
        if let (Some(value), Some(lines)) = (value.filter(|v| means(v)), lines) {
            marked += lines;
            equals.push(value.to_owned());
        }
    }
    if marked as f64 > most * rows as f64 {
        equals.clear();
    }
    Ok(equals)
}

/// Columns to keep: channels, categories, and columns with a single value for nearly every customer
/// who has several lines.
fn about_customers(
    frame: &LazyFrame,
    guess: &Guess,
    overview: &Overview,
) -> PolarsResult<Vec<String>> {
    let columns = &guess.columns;
    let status = guess.cancelled.as_ref().and_then(|cancelled| cancelled.column.as_ref());
    let used = [Some(&columns.customer_id), columns.order_id.as_ref(), status];
    let candidates: Vec<&str> = overview
        .columns
        .iter()
        .filter(|column| {
            matches!(column.kind, ColumnKind::Text | ColumnKind::List)
                && (2..=MOST_VALUES).contains(&column.distinct)
                && !used.contains(&Some(&column.name))
                && !columns.value.contains(&column.name)
        })
        .map(|column| column.name.as_str())
        .collect();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let constant = constant(frame, &columns.customer_id, &candidates)?;
    let is_kept = |(name, share): (&&str, f64)| {
        let by_name = ColumnWords::of(name).about_any(&[Topic::Channel, Topic::Category]);
        (by_name || share >= NEARLY_ALL).then(|| (*name).to_owned())
    };
    Ok(candidates.iter().zip(constant).filter_map(is_kept).collect())
}

/// For each column, the share with a single value among customers with several lines.
fn constant(frame: &LazyFrame, id: &str, columns: &[&str]) -> PolarsResult<Vec<f64>> {
    let customer = stripped(id).alias("customer");
    let mut chosen = vec![customer];
    let named = |i: usize| format!("column{i}");
    chosen.extend(columns.iter().enumerate().map(|(i, name)| stripped(name).alias(named(i))));
    let mut counts = vec![len().alias("lines")];
    counts.extend((0..columns.len()).map(|i| col(named(i)).drop_nulls().n_unique()));
    let is_known = col("customer").neq(lit("")).fill_null(lit(false));
    let one = |i: usize| {
        col(named(i))
            .lt_eq(lit(1))
            .cast(DataType::Float64)
            .mean()
            .fill_null(lit(0.0))
            .alias(named(i))
    };
    let shares = frame
        .clone()
        .select(chosen)
        .limit(COMPARED)
        .filter(is_known)
        .group_by([col("customer")])
        .agg(counts)
        .filter(col("lines").gt(lit(1)))
        .select((0..columns.len()).map(one).collect::<Vec<_>>());
    let shares = streamed(shares)?;
    (0..columns.len()).map(|i| Ok(shares.column(&named(i))?.f64()?.get(0).unwrap_or(0.0))).collect()
}
