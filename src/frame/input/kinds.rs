//! What values are: whole numbers, numbers, dates, lists or text.

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
