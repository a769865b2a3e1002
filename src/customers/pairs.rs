//! The customers of two runs, side by side.

/// Customers of two runs: those of the earlier run in its order, then those who are only in the
/// later one. Every column has one entry per customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs {
    /// Position of the segment in the earlier run; for an absent customer, the number of segments.
    pub from: Vec<usize>,
    /// Position of the segment in the later run; for an absent customer, the number of segments.
    pub to: Vec<usize>,
    /// Lifetime value in the earlier run; 0 for an absent customer.
    pub cltv_before: Vec<f64>,
    /// Lifetime value in the later run; 0 for an absent customer.
    pub cltv_after: Vec<f64>,
    /// The history in the later run; `None` for an absent customer.
    pub later: Vec<Option<Later>>,
}

/// A customer's history in the later run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Later {
    /// x: number of orders that the purchase model counts.
    pub frequency: f64,
    /// T: time from the first order to the observation end.
    pub age: f64,
    /// m: mean value per order.
    pub monetary_value: f64,
}
