//! Checks the values of required columns against the types that the contract sets.

use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{FILE, ROW};
use crate::frame::input::dates;
use crate::frame::input::kinds::kind_of;
use crate::frame::input::numbers::{Notations, Numeric};
use crate::frame::input::typed::{Blanks, is_unusable, stripped};
use crate::frame::streamed;
use crate::settings::{BadRows, ColumnType, Contract, Input};

/// Column: whether a row has a value of another type than the contract requires.
pub(crate) const WRONG_TYPE: &str = "__wrong_type";
/// Share of wrong values from which a column fails under any threshold: it is the wrong column.
const MOST_WRONG: f64 = 0.5;

/// A required column and where its values are of another type.
struct Check<'a> {
    name: &'a str,
    expected: ColumnType,
    wrong: Expr,
}

/// Marks rows with values of the wrong type, for the rule `wrong_type`.
///
/// # Errors
/// [`Error::Input`] when a column has more such values than the contract allows, or dates in no
/// known format; lists all such columns.
pub fn typed(
    raw: LazyFrame,
    files: &[String],
    contract: &Contract,
    input: &Input,
) -> Result<LazyFrame, Error> {
    let schema = raw.clone().collect_schema().map_err(failed())?;
    let (mut checks, mut faults) = all_checks(&raw, &schema, contract, input, Look::AtFirstRows);
    let mut found = counts(&raw, &checks)?;
    // What the first rows say holds only if all the others agree.
    if !faults.is_empty() || found.iter().any(|(_, wrong)| *wrong > 0) {
        (checks, faults) = all_checks(&raw, &schema, contract, input, Look::AtAll);
        found = counts(&raw, &checks)?;
    }
    for (check, (values, wrong)) in checks.iter().zip(found) {
        if wrong > 0 && wrong as f64 >= allowed(contract) * values as f64 {
            faults.push(fault(&raw, check, values, wrong, files)?);
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input { place: input.path.clone(), faults });
    }
    let any = checks.into_iter().map(|check| check.wrong).reduce(Expr::or);
    Ok(any.map_or(raw.clone(), |any| raw.with_column(any.alias(WRONG_TYPE))))
}

/// How many rows decide how a column is written.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    AtFirstRows,
    AtAll,
}

/// A check for each required column, and the faults of those that cannot be checked.
fn all_checks<'a>(
    raw: &LazyFrame,
    schema: &Schema,
    contract: &'a Contract,
    input: &Input,
    look: Look,
) -> (Vec<Check<'a>>, Vec<String>) {
    let (mut checks, mut faults) = (Vec::new(), Vec::new());
    for (name, expected) in &contract.required {
        match wrong(raw, name, *expected, schema.get(name), input, look) {
            Ok(None) => {}
            Ok(Some(wrong)) => checks.push(Check { name, expected: *expected, wrong }),
            Err(fault) => faults.push(fault),
        }
    }
    (checks, faults)
}

/// Whether [`typed`] adds the column [`WRONG_TYPE`].
pub(crate) fn marks(contract: &Contract) -> bool {
    contract.required.values().any(|expected| *expected != ColumnType::Text)
}

fn failed() -> impl FnOnce(PolarsError) -> Error {
    Error::engine("check the types of the required columns")
}

/// The share of wrong values from which a column fails.
fn allowed(contract: &Contract) -> f64 {
    match contract.bad_rows {
        BadRows::Fail => 0.0,
        _ => contract.fail_at.unwrap_or(MOST_WRONG).min(MOST_WRONG),
    }
}

/// True in rows with a value of another type. `Ok(None)` for text, because any value is text.
fn wrong(
    raw: &LazyFrame,
    name: &str,
    expected: ColumnType,
    dtype: Option<&DataType>,
    input: &Input,
    look: Look,
) -> Result<Option<Expr>, String> {
    let notations = match expected {
        ColumnType::Number | ColumnType::Integer => notation(raw, name, expected, input, look),
        _ => Notations::default(),
    };
    let number = || notations.number(name, Blanks::TakenOff);
    let unlike = match expected {
        ColumnType::Text => return Ok(None),
        ColumnType::Number => is_unusable(number()),
        ColumnType::Integer => is_unusable(number()).or(number().neq(number().floor())),
        ColumnType::Date => {
            let columns = &input.columns;
            let known = [&columns.first_order_date, &columns.last_order_date, &columns.order_date];
            let is_known = known.iter().any(|column| column.as_deref() == Some(name));
            // `date_format` is about the columns of orders; other dates may be written differently.
            let setting = if is_known { &input.date_format } else { "auto" };
            let settle = || dates::settle(raw, &[name], setting, "", Engine::Streaming);
            let first = || dates::glimpse(raw, &[name], setting);
            let glimpsed = if look == Look::AtAll { None } else { first() };
            let format = glimpsed.map_or_else(settle, Ok);
            let format = format.map_err(|error| match error {
                Error::Input { faults, .. } => {
                    format!("column {name:?} must be date: {}", faults.join("; "))
                }
                other => format!("column {name:?} must be date: {other}"),
            })?;
            let dtype = dtype.unwrap_or(&DataType::String);
            dates::parsed(name, dtype, &format).is_null()
        }
    };
    Ok(Some(is_filled(name).and(unlike).fill_null(lit(false))))
}

/// How the numbers of a column are written. One that cannot be told is read as plain numbers: the
/// check then says what is wrong.
fn notation(
    raw: &LazyFrame,
    name: &str,
    expected: ColumnType,
    input: &Input,
    look: Look,
) -> Notations {
    let columns = [Numeric { name, is_count: expected == ColumnType::Integer }];
    let format = &input.number_format;
    match look {
        Look::AtFirstRows => Notations::glimpse(raw, &columns, format).unwrap_or_default(),
        Look::AtAll => Notations::settle(raw, &columns, format, "").unwrap_or_default(),
    }
}

/// Whether there is a value.
fn is_filled(name: &str) -> Expr {
    stripped(name).neq(lit("")).fill_null(lit(false))
}

/// Number of values and of wrong values in each column.
fn counts(raw: &LazyFrame, checks: &[Check<'_>]) -> Result<Vec<(u64, u64)>, Error> {
    if checks.is_empty() {
        return Ok(Vec::new());
    }
    let count = |is: Expr, name: String| is.cast(DataType::UInt64).sum().alias(name);
    let mut columns = Vec::new();
    for (position, check) in checks.iter().enumerate() {
        columns.push(count(is_filled(check.name), format!("values{position}")));
        columns.push(count(check.wrong.clone(), format!("wrong{position}")));
    }
    let found = || -> PolarsResult<Vec<(u64, u64)>> {
        let sums = streamed(raw.clone().select(columns))?;
        let sum = |name: String| -> PolarsResult<u64> {
            Ok(sums.column(&name)?.u64()?.get(0).unwrap_or(0))
        };
        (0..checks.len())
            .map(|i| Ok((sum(format!("values{i}"))?, sum(format!("wrong{i}"))?)))
            .collect()
    };
    found().map_err(failed())
}

/// The error text: column, expected and found type, an example, and the number of wrong values.
fn fault(
    raw: &LazyFrame,
    check: &Check<'_>,
    values: u64,
    wrong: u64,
    files: &[String],
) -> Result<String, Error> {
    let first = || -> PolarsResult<(String, u64, u32)> {
        let rows = raw.clone().filter(check.wrong.clone()).select([
            col(FILE).cast(DataType::UInt32),
            col(ROW).cast(DataType::UInt64),
            stripped(check.name).alias("value"),
        ]);
        let row = streamed(rows.limit(1))?;
        let value = row.column("value")?.str()?.get(0).unwrap_or_default().to_owned();
        let number = row.column(ROW)?.u64()?.get(0).unwrap_or(0);
        Ok((value, number, row.column(FILE)?.u32()?.get(0).unwrap_or(0)))
    };
    let (value, row, file) = first().map_err(failed())?;
    let shown: String = value.chars().take(40).collect();
    // A single file needs no name: it is the place of the error.
    let place = match files {
        [_] => String::new(),
        _ => files.get(file as usize).map_or(String::new(), |f| format!(" of {f}")),
    };
    Ok(format!(
        "column {:?} must be {}, but {wrong} of {values} values are not: {shown:?} in row {row}{place} \
         is {}; mend the file, or change contract.required",
        check.name,
        check.expected.name(),
        kind_of(&value).name(),
    ))
}
