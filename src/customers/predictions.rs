//! Predictions of the models for each customer.

/// Predictions; every vector has one value per customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// P(alive): probability that the customer has not left.
    pub p_alive: Vec<f64>,
    /// For each horizon: its months and the expected orders.
    pub orders: Vec<(u32, Vec<f64>)>,
    /// Expected mean value of a future order.
    pub average_value: Vec<f64>,
    /// Discounted value of the expected orders over the lifetime horizon.
    pub lifetime_value: Vec<f64>,
}

/// Intervals of the number of orders over one horizon; every vector has one value per customer.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerIntervals {
    /// Months of the horizon.
    pub months: u32,
    /// Lower ends, in orders.
    pub low: Vec<f64>,
    /// Upper ends, in orders.
    pub high: Vec<f64>,
    /// P(at least one order).
    pub any_order: Vec<f64>,
}
