//! Columns with the topics of their names, and the guess that is made from them.

use crate::frame::guess::inspect::{Column, Overview};
use crate::frame::guess::words::{ColumnWords, Topic};
use crate::frame::input::kinds::ColumnKind;
use crate::settings::{Cancelled, Columns, InputKind, ValueOf};

/// Least share of distinct customer ids in an export; in a log it is lower.
pub(crate) const LEAST_UNIQUE: f64 = 0.9;

/// Most distinct values of a column that can be an attribute of customers.
pub(crate) const MOST_ATTRIBUTES: usize = 50;

/// The guessed description of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// Whether there is one row per customer or one per order line.
    pub kind: InputKind,
    /// Which column is what.
    pub columns: Columns,
    /// Which lines are cancellations.
    pub cancelled: Option<Cancelled>,
    /// Whether the value is that of the order, and stands on one or all of its lines.
    pub value_of: ValueOf,
    /// The column to keep that holds the channel; `None` where a name says so in English.
    pub channel: Option<String>,
    /// The same for categories.
    pub categories: Option<String>,
    /// Reasons for the guess, by key of `[input.columns]` or `cancelled`.
    pub reasons: Vec<(&'static str, String)>,
}

impl Guess {
    /// The reason for the guess of a key; empty if there is none.
    pub fn reason(&self, key: &str) -> &str {
        self.reasons.iter().find(|(known, _)| *known == key).map_or("", |(_, reason)| reason)
    }
}

/// A column with the words of its name.
pub(crate) struct Named<'a> {
    pub(crate) column: &'a Column,
    pub(crate) words: ColumnWords,
}

impl<'a> Named<'a> {
    pub(crate) fn all(overview: &'a Overview) -> Vec<Self> {
        let one = |column: &'a Column| Self { column, words: ColumnWords::of(&column.name) };
        overview.columns.iter().map(one).collect()
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self.column.kind, ColumnKind::Integer | ColumnKind::Number)
    }

    pub(crate) fn is_not_negative(&self) -> bool {
        self.is_number() && self.column.range.is_some_and(|(low, _)| low >= 0.0)
    }

    pub(crate) fn is_code(&self) -> bool {
        matches!(self.column.kind, ColumnKind::Integer | ColumnKind::Text)
    }

    /// Whether the name speaks of money, or the values could be amounts.
    pub(crate) fn could_be_money(&self) -> bool {
        let total = self.words.about(Topic::Total) && !self.words.about(Topic::Count);
        let named = self.words.about_any(&[Topic::Value, Topic::Price]) || total;
        self.column.kind == ColumnKind::Number || (named && !self.is_date())
    }

    pub(crate) fn is_date(&self) -> bool {
        self.column.kind == ColumnKind::Date
    }
}

/// The share of distinct values among the values of a column.
pub(crate) fn uniqueness(column: &Column) -> f64 {
    column.distinct as f64 / (column.distinct + column.repeated).max(1) as f64
}

pub(crate) type Reasons = Vec<(&'static str, String)>;

/// Names of the columns that already have a role.
pub(crate) fn used(columns: &Columns) -> Vec<String> {
    let mut used = vec![columns.customer_id.clone()];
    let single = [
        &columns.first_order_date,
        &columns.last_order_date,
        &columns.order_date,
        &columns.order_id,
        &columns.quantity,
        &columns.unit_price,
    ];
    used.extend(single.into_iter().flatten().cloned());
    used.extend(columns.orders.iter().chain(&columns.value).cloned());
    used
}

/// Channel and categories among the columns to keep. `None` where a column has an English name, by
/// which a run finds it.
pub(crate) fn spoken(keep: &[String]) -> (Option<String>, Option<String>) {
    let one = |topic: Topic, english: &str| {
        let known = keep.iter().any(|name| name.to_lowercase().contains(english));
        let found = keep.iter().find(|name| ColumnWords::of(name).about(topic));
        found.filter(|_| !known).cloned()
    };
    (one(Topic::Channel, "channel"), one(Topic::Category, "categor"))
}
