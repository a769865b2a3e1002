//! Predictions, one value per customer.

/// A value a customer in each vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Probability that the customer has not left.
    pub p_alive: Vec<f64>,
    /// For each horizon: months, expected orders.
    pub orders: Vec<(u32, Vec<f64>)>,
    /// Expected mean value of a future order.
    pub average_value: Vec<f64>,
    /// Discounted value over the lifetime horizon.
    pub lifetime_value: Vec<f64>,
}

/// What the orders of one customer may come to over one horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerIntervals {
    /// Months of the horizon.
    pub months: u32,
    /// Lower ends.
    pub low: Vec<f64>,
    /// Upper ends.
    pub high: Vec<f64>,
    /// P(at least one order).
    pub any_order: Vec<f64>,
}
