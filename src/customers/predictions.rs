//! Predictions of the models for each customer.

/// Predictions; every vector has one value per customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// P(alive): probability that the customer has not left.
    pub p_alive: Vec<f64>,
    /// For each horizon: its months and the expected orders.
    pub orders: Vec<(u32, Vec<f64>)>,
    /// Months of the longest horizon, and the orders over it of a customer who has not left.
    pub orders_if_alive: (u32, Vec<f64>),
    /// What the orders are worth; `None` where there is no model of order values.
    pub money: Option<ExpectedMoney>,
}

/// What the orders of each customer are worth; every vector has one value per customer.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedMoney {
    /// Expected mean value of a future order.
    pub average_value: Vec<f64>,
    /// Discounted value of the expected orders over the lifetime horizon.
    pub lifetime_value: Vec<f64>,
    /// The same of a customer who has not left.
    pub lifetime_value_if_alive: Vec<f64>,
    /// ln of the yearly factor of prices after the observation end; 0 where they stay.
    pub log_yearly: f64,
}

impl Predictions {
    /// What ranks the customers: the lifetime value, or where there is no money the expected orders
    /// over the longest horizon.
    pub fn ranking(&self) -> &[f64] {
        match &self.money {
            Some(money) => &money.lifetime_value,
            None => {
                let longest =
                    self.orders.iter().find(|(months, _)| *months == self.orders_if_alive.0);
                longest.map_or(&[], |(_, orders)| orders)
            }
        }
    }

    /// The same of a customer who has not left.
    pub fn ranking_if_alive(&self) -> &[f64] {
        match &self.money {
            Some(money) => &money.lifetime_value_if_alive,
            None => &self.orders_if_alive.1,
        }
    }

    /// Expected mean value of a future order of customer `i`; 0 where there is no money.
    pub(crate) fn average_value(&self, i: usize) -> f64 {
        self.money.as_ref().map_or(0.0, |money| money.average_value[i])
    }
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
