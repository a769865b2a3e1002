//! The customers of two runs, side by side.

/// Customers of two runs side by side: those of the earlier run in its order, then those who are only
/// in the later one. Every column has a number a customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs {
    /// Position of the segment in the earlier run; the number of segments for who was not there.
    pub from: Vec<usize>,
    /// Position of the segment in the later run; the number of segments for who is not there.
    pub to: Vec<usize>,
    /// Lifetime value in the earlier run; 0 for who was not there.
    pub cltv_before: Vec<f64>,
    /// Lifetime value in the later run; 0 for who is not there.
    pub cltv_after: Vec<f64>,
    /// The history in the later run; none for who is not there.
    pub later: Vec<Option<Later>>,
}

/// What a later run says of a customer's history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Later {
    /// x
    pub frequency: f64,
    /// T
    pub age: f64,
    /// m
    pub monetary_value: f64,
}
