//! Names of columns that frames have only inside the program.

use polars::prelude::*;

/// Position of a row's file in the list of input files.
pub(crate) const FILE: &str = "__file";

/// Number of a row in its file, from 1, not counting the header.
pub(crate) const ROW: &str = "__row";

/// More rows than one file has, so that a single number orders the rows of all files.
pub(crate) const ROWS_OF_A_FILE: u64 = 1 << 40;

/// Date of the first order, as a date.
pub const FIRST_ORDER: &str = "__first_order";

/// Date of the last order, as a date.
pub const LAST_ORDER: &str = "__last_order";

/// Number, from 1, of the first rule that a row breaks; 0 for a valid row.
pub(crate) const RULE: &str = "__rule";

/// Name of the typed copy of an order or value column.
pub fn typed_name(column: &str) -> String {
    format!("__number_{column}")
}

/// Typed copy of the customer id; the raw one is still needed for the quarantine.
pub(crate) const CUSTOMER_ID_TYPED: &str = "__customer_id";

/// Day of a customer's orders, as a date.
pub const DAY: &str = "__day";

/// Whole units of a sum of money, an integer. With [`PART`] the sum is exact.
pub const WHOLE: &str = "__whole";

/// Billionths of a sum of money, an integer; see [`WHOLE`].
pub const PART: &str = "__part";

/// Number of order lines.
pub const LINES: &str = "__lines";

/// Number of order lines with a negative value.
pub const RETURNS: &str = "__returns";

/// Position in the log of the first of these lines, over all files.
pub const FIRST_ROW: &str = "__first_row";

/// Parts of a unit of money: sums are exact to a billionth.
pub const PARTS: f64 = 1e9;

/// Money from its two sums. Multiplies by the reciprocal, because Polars divides one row by a
/// constant but multiplies several by its reciprocal: the last digit would depend on the row count.
pub(crate) fn money(whole: &str, part: &str) -> Expr {
    col(whole).cast(DataType::Float64) + col(part).cast(DataType::Float64) * lit(1.0 / PARTS)
}

/// Value in the money of the observation end, where a price level brings it there.
pub const REAL_VALUE: &str = "__real_value";

/// Whole units of it; see [`WHOLE`].
pub(crate) const REAL_WHOLE: &str = "__real_whole";

/// Billionths of a unit of it; see [`PART`].
pub(crate) const REAL_PART: &str = "__real_part";

/// Orders over all channels.
pub const ORDERS: &str = "__orders";

/// Spend over all channels.
pub const VALUE: &str = "__value";

/// Number of orders that the monetary value is the mean of.
pub const SPEND_COUNT: &str = "__spend_count";

/// Orders in the first of two channels.
pub const FIRST_CHANNEL: &str = "__first_channel";
