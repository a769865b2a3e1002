//! Names of the columns that frames have inside the program.

use polars::prelude::*;

/// Position of a row's file in the list of input files.
pub(crate) const FILE: &str = "__file";

/// Number of a row in its file, from 1, header not counted.
pub(crate) const ROW: &str = "__row";

/// Date of the first order, as a date.
pub const FIRST_ORDER: &str = "__first_order";

/// Date of the last order, as a date.
pub const LAST_ORDER: &str = "__last_order";

/// The first rule that a row breaks, counted from 1; 0 for a sound row.
pub(crate) const RULE: &str = "__rule";

/// Name of the typed copy of an order or value column.
pub fn typed_name(column: &str) -> String {
    format!("__number_{column}")
}

/// Typed copy of the identifier, until rejected rows have been set aside with the raw one.
pub(crate) const CUSTOMER_ID_TYPED: &str = "__customer_id";

/// Day of the orders.
pub const DAY: &str = "__day";

/// The value's whole units and its billionths, two sums of integers.
pub const WHOLE: &str = "__whole";

/// See [`WHOLE`].
pub const PART: &str = "__part";

/// Lines of the log.
pub const LINES: &str = "__lines";

/// Lines that lowered the value.
pub const RETURNS: &str = "__returns";

/// Where the first of the lines stands in the log.
pub const FIRST_ROW: &str = "__first_row";

/// Parts of a unit of money that are kept exactly.
pub const PARTS: f64 = 1e9;

/// Money from its two sums. A product, because Polars divides a single row by a constant, but several
/// rows by way of its reciprocal, and the last digit would depend on how many rows there are.
pub(crate) fn money(whole: &str, part: &str) -> Expr {
    col(whole).cast(DataType::Float64) + col(part).cast(DataType::Float64) * lit(1.0 / PARTS)
}

/// Orders over all channels.
pub const ORDERS: &str = "__orders";

/// Spend over all channels.
pub const VALUE: &str = "__value";

/// Orders that the monetary value is the mean of.
pub const SPEND_COUNT: &str = "__spend_count";

/// Orders in the first of two channels.
pub const FIRST_CHANNEL: &str = "__first_channel";
