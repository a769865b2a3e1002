//! What happened between the input and the models, and how long it took.

use polars::prelude::DataFrame;

use crate::frame::rules::judged::Rejected;
use crate::results::named_values::NamedValues;
use crate::results::outlier_limits::OutlierLimits;
use crate::results::price_level::PriceLevelEntry;
use crate::storage::fingerprint::Fingerprint;

/// What happened between the input and the models.
pub struct Audit {
    /// Input files in reading order, as they were after the last of them had been read.
    pub inputs: Vec<Fingerprint>,
    /// The columns that were read, with their types.
    pub columns: NamedValues<String>,
    /// Sum of all orders; `None` where there is no money.
    pub revenue: Option<f64>,
    /// Ninth decile of the customers' mean order values.
    pub order_value: Option<f64>,
    /// Rows read.
    pub rows_read: usize,
    /// Rows set aside, by rule.
    pub rejected: Vec<Rejected>,
    /// Those rows with their raw values.
    pub quarantine: DataFrame,
    /// Outlier limits.
    pub limits: Vec<OutlierLimits>,
    /// Customers left out for too few orders.
    pub below_min_orders: usize,
    /// Lines that lowered what a customer spent on that day.
    pub returns_netted: usize,
    /// Order lines after the end of the calibration.
    pub lines_after_calibration: usize,
    /// How prices moved; `None` where nobody asked.
    pub prices: Option<PriceLevelEntry>,
    /// First order of all.
    pub first_order: chrono::NaiveDate,
    /// Last order of all.
    pub last_order: chrono::NaiveDate,
    /// T is measured to here.
    pub observation_end: chrono::NaiveDate,
    /// Seconds by stage.
    pub timings: Vec<(&'static str, f64)>,
}
