//! Expressions from raw columns, text or typed, to numbers and identifiers.

use polars::prelude::*;

/// A number; null where the text is none. CSV text and numeric Parquet columns alike.
pub fn number(name: &str) -> Expr {
    let plain = col(name).cast(DataType::String).str().strip_chars(lit(NULL));
    plain.cast(DataType::Float64)
}

/// An identifier without surrounding blanks; null where nothing is left.
pub fn identifier(name: &str) -> Expr {
    let text = col(name).cast(DataType::String).str().strip_chars(lit(NULL));
    when(text.clone().eq(lit(""))).then(lit(NULL)).otherwise(text)
}

/// An identifier that a spreadsheet or pandas turned into a decimal number, as 13085.0, without
/// its decimals; any other as it is.
pub fn without_decimals(identifier: Expr) -> Expr {
    let is_decimal = identifier
        .clone()
        .str()
        .ends_with(lit(".0"))
        .and(identifier.clone().cast(DataType::Float64).is_not_null());
    when(is_decimal).then(identifier.clone().str().strip_suffix(lit(".0"))).otherwise(identifier)
}

/// Whether a number is missing, NaN or infinite.
pub fn is_unusable(number: Expr) -> Expr {
    number.is_finite().fill_null(lit(false)).not()
}
