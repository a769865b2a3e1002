//! The customers of two finished runs, side by side.

use std::path::Path;

use polars::prelude::*;
use serde::Serialize;

use crate::customers::{Later, Pairs};
use crate::error::{Error, brief};
use crate::frame::input::load::missing_columns;
use crate::frame::input::pages;
use crate::frame::scored::kept_columns;
use crate::frame::{catch_reader_panic, collected, numbers};
use crate::results::profiles::KeptColumn;
use crate::settings::columns::{
    CLTV_SEGMENT, CUSTOMER_ID, EXP_AVERAGE_VALUE, FREQUENCY, MONETARY_AVG, age, recency,
};
use crate::settings::{Input, Segments, Settings};

/// Segment in the earlier run.
pub const SEGMENT_BEFORE: &str = "segment_before";
/// Segment in the later run.
pub const SEGMENT_AFTER: &str = "segment_after";
/// What ranks a customer in the earlier run and in the later one: the names of these columns, with
/// money and without.
pub fn ranking_names(has_money: bool) -> [&'static str; 2] {
    match has_money {
        true => ["cltv_before", "cltv_after"],
        false => ["orders_before", "orders_after"],
    }
}

const FREQUENCY_AFTER: &str = "__frequency_after";
const AGE_AFTER: &str = "__age_after";
const MONETARY_AFTER: &str = "__monetary_after";

/// Reads the customers of a run from its Parquet file: the columns that a comparison needs and the
/// columns to keep, under their names before any renaming.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read, or lacks a column.
pub fn customers(file: &Path, settings: &Settings) -> Result<DataFrame, Error> {
    let place = file.display().to_string();
    catch_reader_panic(&place, || read(file, settings))
}

fn read(file: &Path, settings: &Settings) -> Result<DataFrame, Error> {
    let unreadable =
        |e: PolarsError| Error::input(file.display(), format!("cannot be read: {}", brief(&e)));
    let unit = settings.summary.time_unit;
    let (recency, age) = (recency(unit), age(unit));
    let ranking = settings.ranking_column();
    let mut needed = vec![CUSTOMER_ID, FREQUENCY, &recency, &age, &ranking, CLTV_SEGMENT];
    if settings.has_money() {
        needed.extend([MONETARY_AVG, EXP_AVERAGE_VALUE]);
    }
    needed.extend(settings.input.columns.keep.iter().map(String::as_str));
    let mut scan = pages::scan(file, None).map_err(unreadable)?;
    let schema = scan.collect_schema().map_err(unreadable)?;
    let present: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let renamed: Vec<String> =
        needed.iter().map(|name| written(name, settings).to_owned()).collect();
    let faults = missing_columns(&present, &renamed);
    if !faults.is_empty() {
        return Err(Error::Input { place: file.display().to_string(), faults });
    }
    let column = |name: &&str| col(written(name, settings)).alias(*name);
    let columns: Vec<Expr> = needed.iter().map(column).collect();
    let id = col(CUSTOMER_ID).cast(DataType::String);
    collected(scan.select(columns).with_column(id), Engine::Streaming).map_err(unreadable)
}

/// The name that a column has in the file.
fn written<'a>(name: &'a str, settings: &'a Settings) -> &'a str {
    settings.output.rename.get(name).map_or(name, String::as_str)
}

/// Ids of customers who seem lost, and are among the new ones in another spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Respelled {
    /// With or without leading zeros.
    pub zeros: usize,
    /// In another case.
    pub cases: usize,
}

/// Counts the lost ids of the earlier run that the later one has in another spelling.
///
/// # Errors
/// [`Error::Engine`], never for tables of customers.
pub fn respelled(before: &DataFrame, after: &DataFrame) -> Result<Respelled, Error> {
    let count = |plain: fn(Expr) -> Expr| -> PolarsResult<usize> {
        let only_in = |one: &DataFrame, other: &DataFrame| {
            let ids = |frame: &DataFrame| frame.clone().lazy().select([col(CUSTOMER_ID)]);
            let anti = JoinArgs::new(JoinType::Anti);
            ids(one)
                .join(ids(other), [col(CUSTOMER_ID)], [col(CUSTOMER_ID)], anti)
                .select([plain(col(CUSTOMER_ID))])
        };
        let semi = JoinArgs::new(JoinType::Semi);
        let keys = [col(CUSTOMER_ID)];
        let same = only_in(before, after).join(only_in(after, before), keys.clone(), keys, semi);
        Ok(same.collect()?.height())
    };
    let failed = || Error::engine("compare the ids of the two runs");
    Ok(Respelled {
        zeros: count(|id| id.str().strip_chars_start(lit("0"))).map_err(failed())?,
        cases: count(|id| id.str().to_lowercase()).map_err(failed())?,
    })
}

/// The customers of both runs: id, segments and lifetime values, one row per customer.
pub struct Matched {
    /// Where a run lacks the customer, a word replaces the segment and what ranks is null.
    pub frame: DataFrame,
    /// The same rows as plain columns.
    pub pairs: Pairs,
}

/// Joins the customers of two runs by id: those of the earlier run in its order, then those who are
/// only in the later one. `absent` are the words for no segment in the earlier and the later run.
///
/// # Errors
/// [`Error::Engine`] for a segment that is not among the labels: a table of another run.
pub fn matched(
    before: &DataFrame,
    after: &DataFrame,
    settings: &Settings,
    absent: [&str; 2],
) -> Result<Matched, Error> {
    let failed = || Error::engine("match the customers of the two runs");
    let joined = join(before, after, settings).map_err(failed())?;
    let labels = &settings.segments.labels;
    let names = ranking_names(settings.has_money());
    let pairs = pairs(&joined, labels, names).map_err(failed())?;
    let or_absent = |name: &str, word: &str| col(name).fill_null(lit(word));
    let frame = joined
        .lazy()
        .select([
            col(CUSTOMER_ID),
            or_absent(SEGMENT_BEFORE, absent[0]),
            or_absent(SEGMENT_AFTER, absent[1]),
            col(names[0]),
            col(names[1]),
        ])
        .collect()
        .map_err(failed())?;
    Ok(Matched { frame, pairs })
}

fn join(before: &DataFrame, after: &DataFrame, settings: &Settings) -> PolarsResult<DataFrame> {
    let ranking = settings.ranking_column();
    let [was, is] = ranking_names(settings.has_money());
    let earlier = before.clone().lazy().select([
        col(CUSTOMER_ID),
        col(CLTV_SEGMENT).alias(SEGMENT_BEFORE),
        col(ranking.as_str()).alias(was),
    ]);
    let later = after.clone().lazy().select([
        col(CUSTOMER_ID),
        col(CLTV_SEGMENT).alias(SEGMENT_AFTER),
        col(ranking.as_str()).alias(is),
        col(FREQUENCY).alias(FREQUENCY_AFTER),
        col(age(settings.summary.time_unit)).alias(AGE_AFTER),
        match settings.has_money() {
            true => col(MONETARY_AVG).alias(MONETARY_AFTER),
            false => lit(0.0).alias(MONETARY_AFTER),
        },
    ]);
    let mut either = JoinArgs::new(JoinType::Full);
    either.coalesce = JoinCoalesce::CoalesceColumns;
    either.maintain_order = MaintainOrderJoin::LeftRight;
    earlier.join(later, [col(CUSTOMER_ID)], [col(CUSTOMER_ID)], either).collect()
}

fn pairs(joined: &DataFrame, labels: &[String], [was, is]: [&str; 2]) -> PolarsResult<Pairs> {
    let column = |name: &str| -> PolarsResult<Vec<Option<f64>>> {
        Ok(joined.column(name)?.cast(&DataType::Float64)?.f64()?.iter().collect())
    };
    let or_zero = |name: &str| -> PolarsResult<Vec<f64>> {
        Ok(column(name)?.into_iter().map(Option::unwrap_or_default).collect())
    };
    let (frequency, age) = (column(FREQUENCY_AFTER)?, column(AGE_AFTER)?);
    let later = frequency.into_iter().zip(age).zip(column(MONETARY_AFTER)?);
    let later = later.map(|((frequency, age), monetary_value)| {
        Some(Later { frequency: frequency?, age: age?, monetary_value: monetary_value? })
    });
    Ok(Pairs {
        from: positions(joined, SEGMENT_BEFORE, labels)?,
        to: positions(joined, SEGMENT_AFTER, labels)?,
        cltv_before: or_zero(was)?,
        cltv_after: or_zero(is)?,
        later: later.collect(),
    })
}

/// Positions of segments among the labels; the number of labels where there is no segment.
fn positions(joined: &DataFrame, name: &str, labels: &[String]) -> PolarsResult<Vec<usize>> {
    let position = |label: Option<&str>| match label {
        None => Ok(labels.len()),
        Some(label) => labels
            .iter()
            .position(|known| known == label)
            .ok_or_else(|| polars_err!(NoData: "no segment is called {label:?}")),
    };
    joined.column(name)?.str()?.iter().map(position).collect()
}

/// Adds columns with numbers for the first rows, which are the customers of the earlier run; the
/// other rows are null.
///
/// # Errors
/// [`Error::Engine`] when the table already has such a column: a bug in this program.
pub fn with_columns(mut table: DataFrame, columns: &[(&str, &[f64])]) -> Result<DataFrame, Error> {
    let rows = table.height();
    let padded = |(name, values): &(&str, &[f64])| {
        let values = values.iter().copied().map(Some);
        let values: Vec<Option<f64>> = values.chain(std::iter::repeat(None)).take(rows).collect();
        Column::new((*name).into(), values)
    };
    let columns: Vec<Column> = columns.iter().map(padded).collect();
    table.hstack_mut(&columns).map_err(Error::engine("attach what was expected"))?;
    Ok(table)
}

/// Customer ids of the given rows.
///
/// # Errors
/// [`Error::Engine`], never for a matched table.
pub fn ids(table: &DataFrame, rows: &[usize]) -> Result<Vec<String>, Error> {
    let ids = table.column(CUSTOMER_ID).and_then(|column| column.str());
    let ids = ids.map_err(Error::engine("name customers"))?;
    Ok(rows.iter().map(|&row| ids.get(row).unwrap_or_default().to_owned()).collect())
}

/// The columns of a purchase history, one number per customer in each.
pub struct PastColumns {
    /// x.
    pub frequency: Vec<f64>,
    /// t_x.
    pub recency: Vec<f64>,
    /// T.
    pub age: Vec<f64>,
    /// m; `None` where there is no money.
    pub monetary: Option<Vec<f64>>,
}

/// The columns of the customers' purchase histories.
///
/// # Errors
/// [`Error::Engine`], never for the customers of a run.
pub fn history(customers: &DataFrame, settings: &Settings) -> Result<PastColumns, Error> {
    let unit = settings.summary.time_unit;
    Ok(PastColumns {
        frequency: numbers(customers, FREQUENCY)?,
        recency: numbers(customers, &recency(unit))?,
        age: numbers(customers, &age(unit))?,
        monetary: settings.has_money().then(|| numbers(customers, MONETARY_AVG)).transpose()?,
    })
}

/// The changes among the entries of a column to keep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeptChange {
    /// The column.
    pub column: String,
    /// `channel`, `categories`, or `other`.
    pub role: &'static str,
    /// Entries that only the later run has, with their share of its customers.
    pub new: Vec<Entry>,
    /// Entries that only the earlier run has, with their share of its customers.
    pub vanished: Vec<Entry>,
    /// Why the entries are not compared; `None` where they are.
    pub not_compared: Option<&'static str>,
}

/// An entry of a column to keep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its text, such as a channel or a category.
    pub entry: String,
    /// Share of the customers who have it, 0 to 1.
    pub share: f64,
}

/// The changes in the columns to keep of both runs, those of the earlier run first.
///
/// # Errors
/// [`Error::Engine`], never for the customers of a run.
pub fn kept_changes(
    [before, after]: [&DataFrame; 2],
    [earlier, later]: [&Settings; 2],
) -> Result<Vec<KeptChange>, Error> {
    let described = |customers: &DataFrame, settings: &Settings| {
        let all = customers.height();
        kept_columns::describe(
            customers,
            &settings.input,
            &settings.segments,
            &vec![0; all],
            &[all],
        )
    };
    let (then, now) = (described(before, earlier)?, described(after, later)?);
    let (was, is) = (&earlier.input.columns.keep, &later.input.columns.keep);
    let columns = was.iter().chain(is.iter().filter(|column| !was.contains(column)));
    Ok(columns
        .map(|column| {
            let role = role(column, &later.input, &later.segments);
            let (then, now) = (find(&then, column), find(&now, column));
            match (was.contains(column), is.contains(column)) {
                (true, false) => unlike(column, role, "only the earlier run keeps it"),
                (false, true) => unlike(column, role, "only the later run keeps it"),
                _ => change(column, role, then, now),
            }
        })
        .collect())
}

fn find<'a>(described: &'a [KeptColumn], column: &str) -> Option<&'a KeptColumn> {
    described.iter().find(|kept| kept.column == column)
}

fn role(column: &str, input: &Input, segments: &Segments) -> &'static str {
    if kept_columns::categories_column(input, segments).as_deref() == Some(column) {
        "categories"
    } else if kept_columns::channel_column(input, segments).as_deref() == Some(column) {
        "channel"
    } else {
        "other"
    }
}

fn unlike(column: &str, role: &'static str, reason: &'static str) -> KeptChange {
    let (new, vanished) = (Vec::new(), Vec::new());
    KeptChange { column: column.to_owned(), role, new, vanished, not_compared: Some(reason) }
}

fn change(
    column: &str,
    role: &'static str,
    then: Option<&KeptColumn>,
    now: Option<&KeptColumn>,
) -> KeptChange {
    /// Position of the group of all customers, after the only segment, which holds everybody.
    const ALL: usize = 1;
    let (Some(then), Some(now)) = (then, now) else {
        return unlike(column, role, "it has too many different entries");
    };
    let (Some(then), Some(now)) = (then.entries(ALL), now.entries(ALL)) else {
        return unlike(column, role, "it holds numbers");
    };
    let without = |of: &[(String, f64)], other: &[(String, f64)]| -> Vec<Entry> {
        let unknown = |(entry, _): &&(String, f64)| other.iter().all(|(known, _)| known != entry);
        let entry = |(entry, share): &(String, f64)| Entry { entry: entry.clone(), share: *share };
        of.iter().filter(unknown).map(entry).collect()
    };
    KeptChange {
        column: column.to_owned(),
        role,
        new: without(now, then),
        vanished: without(then, now),
        not_compared: None,
    }
}
