//! The orders of a customer one by one.

/// The orders of one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderDay {
    /// Days since 1970-01-01.
    pub day: i32,
    /// Number of orders, at least 1.
    pub orders: f64,
    /// Their value together.
    pub value: f64,
}

/// A customer's days with orders, ascending and at least one.
pub type OrderPath = Vec<OrderDay>;
