//! Doubts about what looks right: dates far from the rest, ids that are no customers, ids damaged on
//! the way, lines that stand twice. Each is found by a stated rule and passed on with its numbers.
//!
//! # Layout
//! * [`dates`]: the range of plausible dates.
//! * [`ids`]: ids that are no customers, and ids that were changed on the way.
//! * [`lines`]: what only the lines of a log show: totals repeated on each line, files that overlap.
//! * here: the list of doubts.

pub mod dates;
pub mod ids;
pub mod lines;

use chrono::NaiveDate;

use crate::frame::input::plain::Remark;

/// Something in the input that is probably not what it seems.
#[derive(Debug, Clone, PartialEq)]
pub enum Doubt {
    /// Rows whose dates are far from the rest; they were set aside.
    ImplausibleDates {
        /// Number of rows.
        rows: usize,
        /// One of the dates.
        example: NaiveDate,
        /// First plausible date.
        first: NaiveDate,
        /// Last plausible date.
        last: NaiveDate,
    },
    /// Rows of ids that mean a guest; they were set aside.
    Guests {
        /// Number of rows.
        rows: usize,
        /// The ids.
        ids: Vec<String>,
    },
    /// Rows with sums of other rows; they were set aside.
    Totals {
        /// Number of rows.
        rows: usize,
        /// What stands in place of the id.
        ids: Vec<String>,
    },
    /// One id has far more orders than any other.
    FrequentId {
        /// The id.
        id: String,
        /// Its share of all orders, 0 to 1.
        share: f64,
    },
    /// Ids that differ only in upper and lower case.
    IdsInTwoCases {
        /// Number of ids that another one equals but for the case.
        ids: usize,
    },
    /// Ids with leading zeros that others have without.
    ZerosLost {
        /// Number of such ids.
        ids: usize,
    },
    /// Lines that stand in more than one file.
    FilesOverlap {
        /// Number of lines that another file has too.
        lines: usize,
    },
    /// The value is the same on every line of an order.
    RepeatedTotals {
        /// Column of values.
        column: String,
        /// Orders of several lines that were looked at.
        orders: usize,
        /// Those with a single value.
        constant: usize,
    },
    /// A larger share of the rows than in the run before has no customer.
    MoreWithoutCustomer {
        /// The share before, 0 to 1.
        before: f64,
        /// The share now.
        now: f64,
    },
    /// A column has another type than in the run before.
    TypeChanged {
        /// Its name.
        column: String,
        /// Its type before.
        before: String,
        /// Its type now.
        now: String,
    },
    /// A column that is only kept has a type that is not read, and is empty.
    PassedOver {
        /// Its name.
        column: String,
        /// Its type.
        kind: &'static str,
    },
    /// So many rows of an export were set aside that what is left is a selection.
    SelectedByCleaning {
        /// Rows that were set aside.
        rows: usize,
        /// Their share of all rows, 0 to 1.
        share: f64,
    },
    /// Customers outside the stated selection, so few that they are strays; they were set aside.
    SelectionStrays {
        /// Silent since before the window.
        silent: usize,
        /// With fewer orders.
        few_orders: usize,
        /// With orders in one channel only.
        one_channel: usize,
        /// With several orders, all on the last day.
        last_day: usize,
        /// Number of customers before they were set aside.
        customers: usize,
    },
    /// Something about a file that is not as plain as it should be.
    File {
        /// Its name.
        file: String,
        /// What it is.
        remark: Remark,
    },
    /// Lines without a customer of orders that have one on another line.
    IdsOnFirstLines {
        /// Number of such lines, among the first ones.
        lines: usize,
    },
    /// Amounts in several currencies.
    Currencies {
        /// The column that names them.
        column: String,
        /// Currencies, the most frequent first, with their rows.
        rows: Vec<(String, usize)>,
    },
}
