//! Orders and value of each customer in the holdout.

/// Orders and value of each customer in the holdout and in the last period of the calibration.
/// Every column has one number per customer, in the order of their [`Histories`](super::Histories).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holdout {
    /// Orders in the holdout.
    pub orders: Vec<f64>,
    /// Value of the orders in the holdout.
    pub value: Vec<f64>,
    /// Repeat orders in the last period of the calibration that is as long as the holdout.
    pub recent_orders: Vec<f64>,
    /// Value of these repeat orders.
    pub recent_value: Vec<f64>,
}
