//! What values are: whole numbers, numbers, dates, lists or text.

use polars::prelude::*;
use serde::Serialize;

use crate::frame::input::dates;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// No values.
    Empty,
    /// Whole numbers.
    Integer,
    /// Numbers, some with a fraction.
    Number,
    /// Dates.
    Date,
    /// Lists such as `[A, B]`.
    List,
    /// Anything else.
    Text,
}

impl ColumnKind {
    /// Its name on the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Date => "date",
            Self::List => "list",
            Self::Text => "text",
        }
    }
}

/// What a single value is.
pub fn kind_of(value: &str) -> ColumnKind {
    match value.trim().parse::<f64>() {
        _ if value.trim().is_empty() => ColumnKind::Empty,
        _ if dates::is_known(value.trim()) => ColumnKind::Date,
        Ok(number) if number.is_finite() && number.fract() == 0.0 => ColumnKind::Integer,
        Ok(number) if number.is_finite() => ColumnKind::Number,
        _ if value.starts_with('[') && value.ends_with(']') => ColumnKind::List,
        _ => ColumnKind::Text,
    }
}

/// Whether the point in a number could separate thousands: it could in 1.234 and 123.456, but not
/// in 0.123 or 1234.567.
pub(crate) fn is_thousands(text: Expr, number: Expr) -> Expr {
    let size = || when(number.clone().lt(lit(0.0))).then(-number.clone()).otherwise(number.clone());
    let point = text.str().slice(lit(-4), lit(1)).eq(lit("."));
    point.and(size().gt_eq(lit(1.0))).and(size().lt(lit(1000.0)))
}

/// Whether a text is a number with a decimal comma, such as 1.234,50.
pub(crate) fn has_decimal_comma(text: &str) -> bool {
    let plain = text.replace('.', "");
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    plain.trim_start_matches('-').split_once(',').is_some_and(|(whole, fraction)| {
        is_digits(whole) && is_digits(fraction) && fraction.len() != 3
    })
}
