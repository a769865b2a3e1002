//! All code on data frames, from input files to scored customers. No model is fitted here.
//!
//! # Layout
//! * [`columns`]: names of columns that exist only inside the program.
//! * [`input`]: from files to lazy frames with typed columns.
//! * [`doubts`]: what looks right and probably is not.
//! * [`rules`]: which rows are valid, and which go to the quarantine.
//! * [`summary`]: outlier limits, the CLTV frame with one row per customer, and the holdout.
//! * [`scored`]: predictions joined back, segments, profiles, target lists, two runs compared.
//! * [`guess`]: which column is which in a file that nobody has described.
//! * here: helpers that run queries.

pub mod columns;
pub mod doubts;
#[cfg(feature = "cli")]
pub mod guess;
pub mod input;
pub mod rules;
pub mod scored;
pub mod summary;

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::*;

use crate::error::Error;
use crate::settings::{EngineName, Resources};

/// Runs `reading` and turns a panic of the file reader into an input error at `place`: the file is
/// damaged or of another format, which must not look like a bug in this program.
pub(crate) fn catch_reader_panic<T>(
    place: &str,
    reading: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(reading)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        let said: String = said.chars().take(200).collect();
        Err(Error::input(
            place,
            format!("the reader failed on this file: it is damaged or of another format ({said})"),
        ))
    })
}

/// Keeps Polars' advice to programmers, such as what is deprecated, from stderr; `-v` shows it.
#[cfg(feature = "cli")]
pub(crate) fn keep_advice() {
    polars::error::set_warning_function(|advice, _| tracing::debug!("{advice}"));
}

/// The engine that the pipeline file sets, or `usual` where it leaves the choice.
pub(crate) fn engine(resources: &Resources, usual: Engine) -> Engine {
    match resources.engine {
        EngineName::Auto => usual,
        EngineName::InMemory => Engine::InMemory,
        EngineName::Streaming => Engine::Streaming,
    }
}

/// Runs a query in batches, so that its input is never in memory as a whole.
pub(crate) fn streamed(query: LazyFrame) -> PolarsResult<DataFrame> {
    collected(query, Engine::Streaming)
}

/// Runs a query. Streaming suits a scan; the in-memory engine suits a frame already in memory.
pub(crate) fn collected(query: LazyFrame, engine: Engine) -> PolarsResult<DataFrame> {
    Ok(collected_together(vec![query], engine)?.pop().unwrap_or_default())
}

/// Answers a yes-or-no question about a whole frame: an aggregation to one Boolean.
pub(crate) fn query_bool(frame: &LazyFrame, question: Expr, engine: Engine) -> PolarsResult<bool> {
    let answer = collected(frame.clone().select([question.alias("answer")]), engine)?;
    Ok(answer.column("answer")?.bool()?.get(0).unwrap_or(false))
}

/// Runs several queries over the same input, which is read once.
pub(crate) fn collected_together(
    queries: Vec<LazyFrame>,
    engine: Engine,
) -> PolarsResult<Vec<DataFrame>> {
    let plans = queries.into_iter().map(|query| query.logical_plan).collect();
    LazyFrame::collect_all_with_engine(plans, engine, OptFlags::default())
}

/// A date as a literal. Polars would turn a chrono date into a datetime.
pub(crate) fn day_literal(date: chrono::NaiveDate) -> Expr {
    lit(date.to_epoch_days()).cast(DataType::Date)
}

/// The date that an aggregation such as a minimum returns.
///
/// # Errors
/// [`Error::Engine`] when there is no date; valid rows always have one.
pub(crate) fn one_date(frame: &LazyFrame, date: Expr) -> Result<chrono::NaiveDate, Error> {
    let found = || -> PolarsResult<chrono::NaiveDate> {
        let day = date.cast(DataType::Int32).alias("day");
        let days = frame.clone().select([day]).collect()?;
        let day = days.column("day")?.i32()?.get(0);
        day.and_then(chrono::NaiveDate::from_epoch_days)
            .ok_or_else(|| polars_err!(NoData: "no date within range"))
    };
    found().map_err(Error::engine("find a first or last order"))
}

/// The sum of several columns of numbers, over all rows.
///
/// # Errors
/// [`Error::Engine`] when a column is missing or not numeric: a bug in this program.
pub(crate) fn sum_of(frame: &LazyFrame, columns: &[String]) -> Result<f64, Error> {
    let sums = columns.iter().map(|name| col(name.as_str()).cast(DataType::Float64).sum());
    let sum = || -> PolarsResult<f64> {
        let sums = frame.clone().select(sums.collect::<Vec<_>>()).collect()?;
        sums.columns().iter().map(|column| Ok(column.f64()?.get(0).unwrap_or(0.0))).sum()
    };
    sum().map_err(Error::engine("add up the orders"))
}

/// A column as text; null and NaN become empty.
pub(crate) fn as_text(name: &str, dtype: &DataType) -> Expr {
    let values = match dtype {
        DataType::Float64 | DataType::Float32 => col(name).fill_nan(lit(NULL)),
        _ => col(name),
    };
    values.cast(DataType::String).fill_null(lit(""))
}

/// The values of a column with one number per customer.
///
/// # Errors
/// [`Error::Engine`] when the column is missing, not numeric or has nulls: a bug in this program.
pub fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<f64>, Error> {
    let values = || -> PolarsResult<Vec<f64>> {
        let column = frame.column(name)?.cast(&DataType::Float64)?.rechunk();
        polars_ensure!(column.null_count() == 0, ComputeError: "nulls in column {name}");
        Ok(column.f64()?.cont_slice()?.to_vec())
    };
    values().map_err(Error::engine("read a column of numbers"))
}
