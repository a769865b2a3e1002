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

/// Whether a number is missing, NaN or infinite.
pub fn is_unusable(number: Expr) -> Expr {
    number.is_finite().fill_null(lit(false)).not()
}
