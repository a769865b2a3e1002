//! Purchase histories, one per customer, as plain columns: what every model is fitted to.

/// One purchase history; times are in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    /// x: orders counted by the purchase model.
    pub frequency: f64,
    /// t_x: time from the first to the last order.
    pub recency: f64,
    /// T: time from the first order to the observation end.
    pub age: f64,
}

impl History {
    /// That of a new customer, on the day of the first order.
    pub const NEW: Self = Self { frequency: 0.0, recency: 0.0, age: 0.0 };
}

/// The columns of purchase histories by name: each has one value per customer. `monetary_value` and
/// `spend_count` may both be empty where only orders are modelled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistoryColumns {
    /// x: orders counted by the purchase model, ≥ 0.
    pub frequency: Vec<f64>,
    /// t_x: time from the first to the last order, 0 ≤ t_x ≤ T.
    pub recency: Vec<f64>,
    /// T: time from the first order to the observation end.
    pub age: Vec<f64>,
    /// m: mean value of `spend_count` orders, > 0 where that is > 0.
    pub monetary_value: Vec<f64>,
    /// Number of orders that `monetary_value` is the mean of, ≥ 0.
    pub spend_count: Vec<f64>,
}

/// Purchase histories of n customers; every column has length n. All times are in the time unit of
/// the settings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histories {
    frequency: Vec<f64>,
    recency: Vec<f64>,
    age: Vec<f64>,
    monetary_value: Vec<f64>,
    spend_count: Vec<f64>,
    first_channel: Option<Vec<f64>>,
}

impl Histories {
    /// Checks the invariants that every model relies on.
    ///
    /// # Errors
    /// The first broken invariant, with the row (from 0) and its values, or that the columns differ
    /// in length.
    pub fn new(columns: HistoryColumns) -> Result<Self, String> {
        let HistoryColumns { frequency, recency, age, mut monetary_value, mut spend_count } =
            columns;
        let n = frequency.len();
        if monetary_value.is_empty() && spend_count.is_empty() {
            (monetary_value, spend_count) = (vec![0.0; n], vec![0.0; n]);
        }
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
                    "customer row {i} is not a valid purchase history: frequency {x}, recency \
                     {t_x}, T {t}, monetary value {m} over {count} orders"
                ));
            }
        }
        Ok(Self { frequency, recency, age, monetary_value, spend_count, first_channel: None })
    }

    /// The same customers with other values of t_x and T, which keep 0 ≤ t_x ≤ T.
    pub(crate) fn in_time(&self, recency: Vec<f64>, age: Vec<f64>) -> Self {
        debug_assert!(recency.len() == self.len() && age.len() == self.len());
        Self { recency, age, ..self.clone() }
    }

    /// The ninth decile of the monetary values. Returns `None` when it is 0: more than nine in ten
    /// customers have none.
    pub fn order_value(&self) -> Option<f64> {
        let mut values = self.monetary_value.clone();
        let position = values.len() * 9 / 10;
        if position >= values.len() {
            return None;
        }
        let value = *values.select_nth_unstable_by(position, f64::total_cmp).1;
        (value > 0.0).then_some(value)
    }

    /// Time from each customer's last order to the observation end, T − t_x.
    pub fn times_since_last_order(&self) -> impl Iterator<Item = f64> + '_ {
        self.age.iter().zip(&self.recency).map(|(age, t_x)| age - t_x)
    }

    /// Adds the number of orders of each customer in the first of two channels.
    ///
    /// # Errors
    /// The first number that is not between 0 and `spend_count`, or a column of another length.
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

    /// Orders in the first of two channels. Returns `None` when the input does not count two.
    pub fn first_channel(&self) -> Option<&[f64]> {
        self.first_channel.as_deref()
    }

    /// Days of first orders (since 1970-01-01, ascending) and the number of customers on each.
    /// `end` is the day of the observation end, `days` the length of the time unit.
    pub fn first_days(&self, end: i32, days: f64) -> Vec<(i32, f64)> {
        let mut counts = std::collections::BTreeMap::new();
        for age in &self.age {
            *counts.entry(end - (age * days).round() as i32).or_insert(0.0) += 1.0;
        }
        counts.into_iter().collect()
    }

    /// The histories, customer by customer.
    pub fn iter(&self) -> impl Iterator<Item = History> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }

    /// The history of customer `i`, from 0.
    ///
    /// # Panics
    /// When there are not that many customers.
    pub fn get(&self, i: usize) -> History {
        History { frequency: self.frequency[i], recency: self.recency[i], age: self.age[i] }
    }

    /// Number of customers.
    pub fn len(&self) -> usize {
        self.frequency.len()
    }

    /// Whether there are no customers.
    pub fn is_empty(&self) -> bool {
        self.frequency.is_empty()
    }

    /// x: number of orders that the purchase model counts.
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
        Histories::new(HistoryColumns {
            frequency: vec![x],
            recency: vec![t_x],
            age: vec![t],
            monetary_value: vec![m],
            spend_count: vec![count],
        })
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
