//! What became of the customers of an earlier run, as comparison.json and the report show it.

use chrono::NaiveDate;
use serde::Serialize;

use crate::results::findings::Finding;

/// Segment of customers who are only in the later run, and of those who are only in the earlier
/// one.
pub const ABSENT: [&str; 2] = ["new", "lost"];

/// The migration from one run to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The earlier run.
    pub before: RunSize,
    /// The later run.
    pub after: RunSize,
    /// One cell for each segment before and after; [`ABSENT`] counts as a segment.
    pub cells: Vec<MigrationCell>,
    /// What to know about these numbers.
    pub findings: Vec<Finding>,
}

/// One of the two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSize {
    /// Its observation end.
    pub as_of: NaiveDate,
    /// Its customers.
    pub customers: usize,
}

/// Customers who went from one segment to another, or stayed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MigrationCell {
    /// Segment before.
    pub from: String,
    /// Segment after.
    pub to: String,
    /// Which way they went.
    pub way: Direction,
    /// Customers.
    pub customers: usize,
    /// Share of all customers of `from`, 0 to 1.
    pub share: f64,
    /// Σ lifetime value before; 0 for new customers.
    pub cltv_before: f64,
    /// Σ lifetime value after; 0 for lost customers.
    pub cltv_after: f64,
}

/// Which way customers went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To a higher segment.
    Up,
    /// To a lower segment.
    Down,
    /// In the same segment.
    Stayed,
    /// Only in the later run.
    New,
    /// Only in the earlier run.
    Lost,
}
