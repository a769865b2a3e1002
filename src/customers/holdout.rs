//! What customers did after the calibration.

/// What customers did after the calibration, and just before its end; every column has a number a
/// customer, in the order of their [`Histories`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holdout {
    /// Orders in the holdout.
    pub orders: Vec<f64>,
    /// Their value.
    pub value: Vec<f64>,
    /// Repeat orders in the last period of the calibration that is as long as the holdout.
    pub recent_orders: Vec<f64>,
    /// Their value.
    pub recent_value: Vec<f64>,
}
