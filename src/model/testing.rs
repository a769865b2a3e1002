//! What the unit tests of the models share.

use crate::customers::{Histories, HistoryColumns};
use crate::model::calendar::operational_time::OperationalTime;
use crate::settings::TimeUnit;

/// Calendar time by unit.
pub(crate) fn even(unit: TimeUnit) -> &'static OperationalTime {
    static DAYS: OperationalTime = OperationalTime::even(1.0, 0);
    static WEEKS: OperationalTime = OperationalTime::even(7.0, 0);
    match unit {
        TimeUnit::Day => &DAYS,
        TimeUnit::Week => &WEEKS,
    }
}

/// |value / expected − 1|
pub(crate) fn relative(value: f64, expected: f64) -> f64 {
    (value / expected - 1.0).abs()
}

/// Histories of orders alone, which is all that a model of orders reads.
pub(crate) fn orders_only(frequency: Vec<f64>, recency: Vec<f64>, age: Vec<f64>) -> Histories {
    let columns = HistoryColumns { frequency, recency, age, ..HistoryColumns::default() };
    Histories::new(columns).expect("valid")
}

/// The diagonal matrix with these variances.
pub(crate) fn diagonal(variances: &[f64]) -> Vec<Vec<f64>> {
    let n = variances.len();
    let row = |i| (0..n).map(|j| if i == j { variances[i] } else { 0.0 }).collect();
    (0..n).map(row).collect()
}
