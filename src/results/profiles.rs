//! Segments in numbers: value, orders, and what the columns to keep say about them.

use serde::{Deserialize, Serialize};

/// The numbers of one segment, or of all customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Profile {
    /// Label of the segment.
    pub label: String,
    /// Customers.
    pub customers: usize,
    /// Σ cltv; null without money.
    pub total_cltv: Option<f64>,
    /// Mean cltv. This and all other means are 0 for a segment without customers.
    pub mean_cltv: Option<f64>,
    /// Σ cltv, or without money Σ orders over the longest horizon, if none of them had left; null in a
    /// document that is older than this key.
    #[serde(default)]
    pub total_if_alive: Option<f64>,
    /// Mean frequency.
    pub mean_frequency: f64,
    /// Mean recency in time units.
    pub mean_recency: f64,
    /// Mean T in time units.
    pub mean_age: f64,
    /// Mean monetary value of the customers who have one (in an order log, repeat customers); null
    /// without money.
    pub mean_monetary: Option<f64>,
    /// Customers who have a monetary value.
    pub with_value: usize,
    /// Mean P(alive).
    pub mean_p_alive: f64,
    /// Σ expected orders for each horizon: (months, orders).
    pub expected_orders: Vec<(u32, f64)>,
    /// Most used channel and its share of customers.
    pub main_channel: Option<(String, f64)>,
    /// Categories with the share of customers who have each, largest first.
    pub categories: Vec<(String, f64)>,
}

impl Profile {
    /// The longest horizon: its months and Σ expected orders over it.
    pub fn longest_orders(&self) -> (u32, f64) {
        self.expected_orders.iter().copied().max_by_key(|(months, _)| *months).unwrap_or((1, 0.0))
    }

    /// Σ of what ranks the customers: cltv, or expected orders over the longest horizon without money.
    pub fn ranking_total(&self) -> f64 {
        self.total_cltv.unwrap_or_else(|| self.longest_orders().1)
    }

    /// Mean time since the last order, in time units.
    pub fn mean_time_since_last_order(&self) -> f64 {
        self.mean_age - self.mean_recency
    }
}

/// One column to keep, described group by group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeptColumn {
    /// Its name in the input.
    pub column: String,
    /// For each segment, lowest first, and then for all customers.
    pub groups: Vec<Described>,
}

/// A column's description for one group of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Described {
    /// A column of numbers.
    Mean {
        /// The mean; null where no customer has a number.
        mean: Option<f64>,
        /// Customers with a number.
        customers: usize,
    },
    /// A column of categories, or of lists of them: the share of customers who have each entry,
    /// the largest first.
    Shares(Vec<(String, f64)>),
}

impl KeptColumn {
    /// The shares of a group, empty for a column of numbers.
    pub fn shares(&self, group: usize) -> &[(String, f64)] {
        self.entries(group).unwrap_or_default()
    }

    /// The entries of a group with their shares. Returns `None` for a column of numbers.
    pub fn entries(&self, group: usize) -> Option<&[(String, f64)]> {
        match self.groups.get(group) {
            Some(Described::Shares(shares)) => Some(shares),
            _ => None,
        }
    }
}

/// The numbers of one RFM segment; means are 0 for one without customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RfmProfile {
    /// Its name.
    pub segment: String,
    /// Customers.
    pub customers: usize,
    /// Share of all customers, 0 to 1.
    pub share: f64,
    /// Mean days since the last order.
    pub mean_days_since_last_order: f64,
    /// Mean number of orders.
    pub mean_orders: f64,
    /// Mean total spend; null without money.
    pub mean_spend: Option<f64>,
    /// Σ cltv; null without money.
    pub total_cltv: Option<f64>,
    /// Mean cltv; null without money.
    pub mean_cltv: Option<f64>,
    /// Customers by CLTV segment, in the order of `segments.labels`.
    pub by_cltv_segment: Vec<usize>,
}
