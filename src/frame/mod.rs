//! All data-frame code: lazy Polars in, lazy Polars out, no statistics.
//!
//! # Layout
//! * [`load`]: files to one frame with the needed columns; the schema is checked first.
//! * [`schema`]: names and types of columns, for people and other programs.
//! * [`inspect`]: what stands in each column of a file. [`guess`]: which column is what, by name and
//!   content, where nobody said so; `names` knows the words, `marks`
//!   looks at the rows.
//! * `pages`: Parquet files whose headers and footer agree.
//! * [`contract`]: whether values are of the types that the pipeline asks for.
//! * [`dates`]: which date format a column is in.
//! * [`typed`]: expressions from raw text to typed columns.
//! * [`clean`]: rules, counts, quarantine.
//! * [`outliers`]: limits and how many values they changed.
//! * [`summary`]: a customer export to the CLTV frame.
//! * [`transactions`]: an order log to one row a customer and day. [`order_days`]: those to the
//!   CLTV frame, the holdout and the orders of each day.
//! * [`rfm`]: scores of recency, frequency and monetary value, and their segments.
//! * [`predictions`]: predictions joined back. [`lines`]: some of the customers, one by one.
//! * [`segment`]: quantile segments of the lifetime value.
//! * [`profile`]: a row a segment, with what management asks about it. [`kept`]: the same for
//!   every kept column.
//! * [`select`]: target lists from a run's customers. [`compare`]: the customers of two runs.

pub mod columns;
pub mod guess;
pub mod input;
pub mod rules;
pub mod scored;
pub mod summary;

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::*;

use crate::error::Error;
use crate::settings::{EngineName, Settings};

/// What a reading gives. Where the reader itself breaks down, the file is damaged or not what it
/// seems; that must not look like a defect of the run.
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
            format!("the reader broke down over this file, so it is damaged or unknown ({said})"),
        ))
    })
}

/// The engine that the pipeline asks for, else the `usual` one.
pub(crate) fn engine(settings: &Settings, usual: Engine) -> Engine {
    match settings.resources.engine {
        EngineName::Auto => usual,
        EngineName::InMemory => Engine::InMemory,
        EngineName::Streaming => Engine::Streaming,
    }
}

/// Runs a query in morsels, so that its input is never in memory as a whole.
pub(crate) fn streamed(query: LazyFrame) -> PolarsResult<DataFrame> {
    collected(query, Engine::Streaming)
}

/// Runs a query: in morsels for a scan, at once for what is in memory already.
pub(crate) fn collected(query: LazyFrame, engine: Engine) -> PolarsResult<DataFrame> {
    Ok(collected_together(vec![query], engine)?.pop().unwrap_or_default())
}

/// The answer to a yes-or-no question about a whole frame: an aggregation that is never null.
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

/// A date as a literal: Polars takes a chrono date for a datetime.
pub(crate) fn day_literal(date: chrono::NaiveDate) -> Expr {
    lit(date.to_epoch_days()).cast(DataType::Date)
}

/// The one date that an aggregation such as a minimum gives.
///
/// # Errors
/// [`Error::Engine`], never for rows that keep the rules.
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

/// A column as text, blank where it has no value.
pub(crate) fn as_text(name: &str, dtype: &DataType) -> Expr {
    let values = match dtype {
        DataType::Float64 | DataType::Float32 => col(name).fill_nan(lit(NULL)),
        _ => col(name),
    };
    values.cast(DataType::String).fill_null(lit(""))
}

/// The values of a column that holds one number a customer.
///
/// # Errors
/// When the column is missing, not numeric or has nulls: a defect of this program.
pub fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<f64>, Error> {
    let values = || -> PolarsResult<Vec<f64>> {
        let column = frame.column(name)?.cast(&DataType::Float64)?.rechunk();
        polars_ensure!(column.null_count() == 0, ComputeError: "nulls in column {name}");
        Ok(column.f64()?.cont_slice()?.to_vec())
    };
    values().map_err(Error::engine("read a column of numbers"))
}
