//! Where the data frame and the models meet: one purchase history a customer, as plain columns.

/// Purchase histories of n customers; every column has length n.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histories {
    frequency: Vec<f64>,
    recency: Vec<f64>,
    age: Vec<f64>,
    monetary_value: Vec<f64>,
    spend_count: Vec<f64>,
    first_channel: Option<Vec<f64>>,
}

/// What a group of customers has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Nothing: all of them.
    Total,
    /// Their segment.
    Segment,
    /// Their channel.
    Channel,
}

impl Scope {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Segment => "segment",
            Self::Channel => "channel",
        }
    }
}

/// The groups that a forecast is made for: all customers first, then segments, then channels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Groups {
    /// Scope and name of each.
    pub names: Vec<(Scope, String)>,
    /// For each customer, the index of its segment among `names`; empty without segments.
    pub segment_of: Vec<usize>,
    /// For each customer, the index of its channel among `names`; empty without channels.
    pub channel_of: Vec<usize>,
}

impl Groups {
    /// All customers as the only group.
    pub fn everybody() -> Self {
        Self { names: vec![(Scope::Total, "all".to_owned())], ..Self::default() }
    }

    /// The groups that a customer belongs to.
    pub fn of(&self, customer: usize) -> impl Iterator<Item = usize> {
        let segment = self.segment_of.get(customer).copied();
        let channel = self.channel_of.get(customer).copied();
        [Some(0), segment, channel].into_iter().flatten()
    }

    /// How many of so many customers each group has.
    pub fn sizes(&self, customers: usize) -> Vec<f64> {
        let mut sizes = vec![0.0; self.names.len()];
        (0..customers).flat_map(|customer| self.of(customer)).for_each(|group| sizes[group] += 1.0);
        sizes
    }
}

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

impl Histories {
    /// Checks the invariants that every model relies on.
    ///
    /// * `frequency`: x, orders counted by the purchase model, ≥ 0
    /// * `recency`: t_x, time from the first to the last order, 0 ≤ t_x ≤ T
    /// * `age`: T, time from the first order to the observation end
    /// * `monetary_value`: m, mean value of `spend_count` orders, > 0 where that is > 0
    /// * `spend_count`: orders that `monetary_value` is the mean of, ≥ 0
    ///
    /// # Errors
    /// The first broken invariant, with the row (from 0) and its values.
    pub fn new(
        frequency: Vec<f64>,
        recency: Vec<f64>,
        age: Vec<f64>,
        monetary_value: Vec<f64>,
        spend_count: Vec<f64>,
    ) -> Result<Self, String> {
        let n = frequency.len();
        if [&recency, &age, &monetary_value, &spend_count].iter().any(|c| c.len() != n) {
            return Err("the columns of the purchase histories differ in length".to_owned());
        }
        for i in 0..n {
            let (x, t_x, t) = (frequency[i], recency[i], age[i]);
            let (m, count) = (monetary_value[i], spend_count[i]);
            let finite = [x, t_x, t, m, count].iter().all(|v| v.is_finite());
            let in_order = x >= 0.0 && t_x >= 0.0 && t_x <= t;
            let paid = count >= 0.0 && (count == 0.0 || m > 0.0);
            let gap_needs_orders = t_x == 0.0 || x > 0.0;
            if !(finite && in_order && paid && gap_needs_orders) {
                return Err(format!(
                    "customer row {i} is no purchase history: frequency {x}, recency {t_x}, \
                     T {t}, monetary value {m} over {count} orders"
                ));
            }
        }
        Ok(Self { frequency, recency, age, monetary_value, spend_count, first_channel: None })
    }

    /// The same customers with the number of orders of each in the first of two channels.
    ///
    /// # Errors
    /// The first number that is not between 0 and the customer's orders.
    pub fn with_first_channel(self, orders: Vec<f64>) -> Result<Self, String> {
        if orders.len() != self.len() {
            return Err("the columns of the purchase histories differ in length".to_owned());
        }
        let within = |(k, n): (&f64, &f64)| *k >= 0.0 && k <= n;
        match orders.iter().zip(&self.spend_count).position(|pair| !within(pair)) {
            Some(i) => Err(format!(
                "customer row {i} has {} of {} orders in the first channel",
                orders[i], self.spend_count[i]
            )),
            None => Ok(Self { first_channel: Some(orders), ..self }),
        }
    }

    /// Orders in the first of two channels, where the file counts two.
    pub fn first_channel(&self) -> Option<&[f64]> {
        self.first_channel.as_deref()
    }

    /// First days, rising, in days from 1970, and how many customers each has; T ends with day
    /// `end` and has units of so many `days`.
    pub fn first_days(&self, end: i32, days: f64) -> Vec<(i32, f64)> {
        let mut counts = std::collections::BTreeMap::new();
        for age in &self.age {
            *counts.entry(end - (age * days).round() as i32).or_insert(0.0) += 1.0;
        }
        counts.into_iter().collect()
    }

    /// Number of customers.
    pub fn len(&self) -> usize {
        self.frequency.len()
    }

    /// Whether there are no customers.
    pub fn is_empty(&self) -> bool {
        self.frequency.is_empty()
    }

    /// x: orders counted by the purchase model.
    pub fn frequency(&self) -> &[f64] {
        &self.frequency
    }

    /// t_x: time from the first to the last order.
    pub fn recency(&self) -> &[f64] {
        &self.recency
    }

    /// T: time from the first order to the observation end.
    pub fn age(&self) -> &[f64] {
        &self.age
    }

    /// m: mean value per order, over [`Self::spend_count`] orders.
    pub fn monetary_value(&self) -> &[f64] {
        &self.monetary_value
    }

    /// Number of orders that the monetary value is the mean of.
    pub fn spend_count(&self) -> &[f64] {
        &self.spend_count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(x: f64, t_x: f64, t: f64, m: f64, count: f64) -> Result<Histories, String> {
        Histories::new(vec![x], vec![t_x], vec![t], vec![m], vec![count])
    }

    #[test]
    fn accepts_what_the_models_can_use() {
        assert!(one(0.0, 0.0, 5.0, 0.0, 0.0).is_ok());
        assert!(one(3.0, 5.0, 5.0, 20.0, 4.0).is_ok());
    }

    #[test]
    fn refuses_each_broken_invariant() {
        for broken in [
            one(-1.0, 0.0, 5.0, 1.0, 1.0),
            one(1.0, 6.0, 5.0, 1.0, 1.0),
            one(1.0, f64::NAN, 5.0, 1.0, 1.0),
            one(0.0, 2.0, 5.0, 1.0, 1.0),
            one(1.0, 2.0, 5.0, 0.0, 1.0),
            one(0.0, 0.0, -1.0, 1.0, 1.0),
        ] {
            assert!(broken.is_err());
        }
    }
}
