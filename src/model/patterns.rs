//! Customers with the same (x, t_x, T) have the same likelihood: each such pattern is evaluated
//! once, and each logarithm or gamma function once per distinct number.

use std::collections::HashMap;
use std::hash::Hash;

use crate::customers::Histories;

/// Distinct (x, t_x, T) with their counts, as indices into tables of distinct numbers.
#[derive(Debug, Clone)]
pub struct Patterns {
    /// Distinct frequencies.
    pub frequency: Vec<f64>,
    /// Distinct recencies.
    pub recency: Vec<f64>,
    /// Distinct ages.
    pub age: Vec<f64>,
    /// The patterns, in order of first appearance.
    pub rows: Vec<Pattern>,
    /// For each customer, the index of its pattern.
    pub of_customer: Vec<u32>,
}

/// One distinct (x, t_x, T).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pattern {
    /// Index into [`Patterns::frequency`].
    pub x: u32,
    /// Index into [`Patterns::recency`].
    pub t_x: u32,
    /// Index into [`Patterns::age`].
    pub age: u32,
    /// Customers with this pattern.
    pub count: f64,
}

impl Patterns {
    /// Collects the patterns of `histories`.
    pub fn of(histories: &Histories) -> Self {
        let (frequency, x) = distinct(histories.frequency().iter().map(|v| v.to_bits()));
        let (recency, t_x) = distinct(histories.recency().iter().map(|v| v.to_bits()));
        let (age, t) = distinct(histories.age().iter().map(|v| v.to_bits()));
        let keys = (0..histories.len()).map(|i| (x[i], t_x[i], t[i]));
        let (unique, of_customer) = distinct(keys);
        let mut rows: Vec<Pattern> =
            unique.into_iter().map(|(x, t_x, age)| Pattern { x, t_x, age, count: 0.0 }).collect();
        for &pattern in &of_customer {
            rows[pattern as usize].count += 1.0;
        }
        let numbers = |bits: Vec<u64>| bits.into_iter().map(f64::from_bits).collect();
        Self {
            frequency: numbers(frequency),
            recency: numbers(recency),
            age: numbers(age),
            rows,
            of_customer,
        }
    }

    /// The same patterns with every time multiplied by `factor`.
    pub fn in_time_unit(&self, factor: f64) -> Self {
        let scaled = |times: &[f64]| times.iter().map(|t| t * factor).collect();
        Self { recency: scaled(&self.recency), age: scaled(&self.age), ..self.clone() }
    }

    /// Number of customers.
    pub fn customers(&self) -> f64 {
        self.of_customer.len() as f64
    }

    /// (x, t_x, T) of a pattern.
    pub fn numbers(&self, row: &Pattern) -> (f64, f64, f64) {
        (self.frequency[row.x as usize], self.recency[row.t_x as usize], self.age[row.age as usize])
    }

    /// `value` of each pattern, computed once and laid out a customer at a time.
    pub fn spread(&self, value: impl Fn(f64, f64, f64) -> f64) -> Vec<f64> {
        let of_pattern: Vec<f64> = self
            .rows
            .iter()
            .map(|row| {
                let (x, t_x, age) = self.numbers(row);
                value(x, t_x, age)
            })
            .collect();
        self.of_customer.iter().map(|&i| of_pattern[i as usize]).collect()
    }
}

/// Distinct keys in order of first appearance, and for each input its key's position.
fn distinct<K: Hash + Eq + Copy>(keys: impl Iterator<Item = K>) -> (Vec<K>, Vec<u32>) {
    let mut position: HashMap<K, u32> = HashMap::new();
    let mut unique = Vec::new();
    let index = keys
        .map(|key| {
            *position.entry(key).or_insert_with(|| {
                unique.push(key);
                (unique.len() - 1) as u32
            })
        })
        .collect();
    (unique, index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_histories_share_a_pattern() {
        let histories = Histories::new(
            vec![1.0, 2.0, 1.0],
            vec![3.0, 3.0, 3.0],
            vec![9.0, 9.0, 9.0],
            vec![5.0; 3],
            vec![1.0; 3],
        )
        .expect("valid");
        let patterns = Patterns::of(&histories);
        assert_eq!(patterns.of_customer, [0, 1, 0]);
        assert_eq!(patterns.rows.iter().map(|r| r.count).collect::<Vec<_>>(), [2.0, 1.0]);
        assert_eq!(patterns.spread(|x, t_x, age| x + t_x + age), [13.0, 14.0, 13.0]);
    }
}
