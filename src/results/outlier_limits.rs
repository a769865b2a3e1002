//! The outlier limits of each column, and how many values they changed.

use serde::{Deserialize, Serialize};

/// The limits of one column and how many values they changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutlierLimits {
    /// Input column.
    pub column: String,
    /// Values below are raised to `lower_applied`.
    pub lower: f64,
    /// Values above are lowered to `upper_applied`.
    pub upper: f64,
    /// `lower`, rounded half to even when rounding is on.
    pub lower_applied: f64,
    /// `upper`, rounded half to even when rounding is on.
    pub upper_applied: f64,
    /// Values raised.
    pub raised: usize,
    /// Values lowered.
    pub lowered: usize,
}
