//! Expressions that turn raw columns, text or typed, into texts and identifiers.

use polars::prelude::*;

/// Whether blanks around texts are removed. That takes a tenth of the time needed to read a long
/// log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blanks {
    /// Blanks stay: a number with blanks around it cannot be read.
    Unexpected,
    /// Blanks are removed.
    TakenOff,
}

/// Text, with or without the blanks around it.
pub fn text(name: &str, blanks: Blanks) -> Expr {
    let text = col(name).cast(DataType::String);
    match blanks {
        Blanks::Unexpected => text,
        Blanks::TakenOff => text.str().strip_chars(lit(NULL)),
    }
}

/// Text without surrounding blanks.
pub fn stripped(name: &str) -> Expr {
    text(name, Blanks::TakenOff)
}

/// Whether a text has blanks around it.
pub fn has_blanks(name: &str) -> Expr {
    stripped(name).neq(text(name, Blanks::Unexpected))
}

/// Whether a text is written `="…"`, by which spreadsheets keep it from being changed.
pub fn is_protected(text: Expr) -> Expr {
    text.clone().str().starts_with(lit("=\"")).and(text.str().ends_with(lit("\"")))
}

/// The content of such a text; any other stays as it is.
pub fn without_protection(text: Expr) -> Expr {
    let inner = text.clone().str().strip_prefix(lit("=\"")).str().strip_suffix(lit("\""));
    let inner = inner.str().strip_chars(lit(NULL));
    when(is_protected(text.clone())).then(inner).otherwise(text)
}

/// An identifier without surrounding blanks, and without `="…"` where some are `protected` so; null
/// where nothing is left.
pub fn identifier(name: &str, protected: bool) -> Expr {
    let text = if protected { without_protection(stripped(name)) } else { stripped(name) };
    when(text.clone().eq(lit(""))).then(lit(NULL)).otherwise(text)
}

/// Whether an identifier is a number that a spreadsheet or pandas wrote as a decimal: 13085.0.
pub fn is_decimal(identifier: Expr) -> Expr {
    let ending = identifier.clone().str().ends_with(lit(".0"));
    ending.and(identifier.cast(DataType::Float64).is_not_null())
}

/// Removes the `.0` from such an identifier; any other stays as it is.
pub fn without_decimals(identifier: Expr) -> Expr {
    let plain = identifier.clone().str().strip_suffix(lit(".0"));
    when(is_decimal(identifier.clone())).then(plain).otherwise(identifier)
}

/// Whether a number is missing, NaN or infinite.
pub fn is_unusable(number: Expr) -> Expr {
    number.is_finite().fill_null(lit(false)).not()
}
