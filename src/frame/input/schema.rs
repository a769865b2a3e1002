//! Names and SQL types of columns, for programs that do not read the file itself.

use polars::prelude::*;

use crate::error::Error;
use crate::frame::input::load::{Described, Wanted, find_files, open};
use crate::settings::Settings;

/// A column's name and SQL type, such as `("cltv", "DOUBLE")`.
pub type Field = (String, &'static str);

/// The columns of a frame.
pub fn of_frame(frame: &DataFrame) -> Vec<Field> {
    let one = |column: &Column| (column.name().to_string(), type_name(column.dtype()));
    frame.columns().iter().map(one).collect()
}

/// The columns that a run reads, with their types in the first input file: all text in a CSV file.
///
/// # Errors
/// [`Error::Input`] when there is no such file; [`Error::Io`] when it cannot be read.
pub fn of_input(settings: &Settings) -> Result<Vec<Field>, Error> {
    let files = find_files(&settings.input.path)?;
    let columns = settings.input_columns();
    let schema = open(&files[0], &Described::from(&settings.input), &Wanted::by(settings))?.schema;
    let one = |name: String| schema.get(&name).map(|dtype| (name, type_name(dtype)));
    Ok(columns.into_iter().filter_map(one).collect())
}

fn type_name(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "UTINYINT",
        DataType::UInt16 => "USMALLINT",
        DataType::UInt32 => "UINTEGER",
        DataType::UInt64 => "UBIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Date => "DATE",
        DataType::Time => "TIME",
        DataType::Datetime(..) => "TIMESTAMP",
        DataType::List(_) => "LIST",
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) => "VARCHAR",
        _ => "OTHER",
    }
}
