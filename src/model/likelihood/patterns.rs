//! Distinct purchase histories. Customers with the same (x, t_x, T) have the same likelihood, so
//! each such pattern is evaluated once, and each logarithm or gamma function once per distinct x,
//! t_x or T.

use std::hash::Hash;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::customers::{Histories, History};

/// Patterns per parallel task. The size is fixed, so that floating-point sums are the same on any
/// number of cores.
const CHUNK: usize = 16_384;
/// How many distinct numbers a column of times or order counts usually has, for the first
/// allocation.
const FEW: usize = 4_096;

/// Distinct (x, t_x, T) with their weights, as indices into tables of distinct numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Patterns {
    /// Distinct frequencies.
    pub frequency: Vec<f64>,
    /// Distinct recencies.
    pub recency: Vec<f64>,
    /// Distinct values of T.
    pub age: Vec<f64>,
    /// The patterns, in order of first appearance.
    pub rows: Vec<Pattern>,
    /// Sum of the counts.
    pub customers: f64,
    /// Σ ln m over the repeat orders, where times are operational: what the likelihood of the order
    /// days has beside that of the model. `None` in calendar time.
    pub log_factors: Option<f64>,
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

/// Distinct (x, T): given that a customer is alive, expected orders depend on nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// x and T of each.
    pub numbers: Vec<(f64, f64)>,
    /// For each pattern, the index of its pair.
    pub of_pattern: Vec<u32>,
}

/// The patterns, and the pattern of each customer.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerPatterns {
    /// The patterns.
    pub patterns: Patterns,
    /// Their distinct (x, T).
    pub pairs: Pairs,
    /// For each customer, the index of its pattern.
    pub of_customer: Vec<u32>,
}

impl CustomerPatterns {
    /// Collects the patterns of `histories`.
    pub fn of(histories: &Histories) -> Self {
        // By bit pattern, since floats have no hash: equal days and counts have equal bits.
        let bits = |column: &[f64]| distinct(column.iter().map(|v| v.to_bits()), FEW);
        let ((frequency, x), ((recency, t_x), (age, t))) = rayon::join(
            || bits(histories.frequency()),
            || rayon::join(|| bits(histories.recency()), || bits(histories.age())),
        );
        // Columns first, then triples of indices, which are cheaper to hash than three floats.
        // Nearly every customer can have a different pattern, hence the larger reserve.
        let keys = (0..histories.len()).map(|i| (x[i], t_x[i], t[i]));
        let (unique, of_customer) = distinct(keys, histories.len());
        let mut rows: Vec<Pattern> =
            unique.into_iter().map(|(x, t_x, age)| Pattern { x, t_x, age, count: 0.0 }).collect();
        for &pattern in &of_customer {
            rows[pattern as usize].count += 1.0;
        }
        let numbers = |bits: Vec<u64>| bits.into_iter().map(f64::from_bits).collect();
        let customers = histories.len() as f64;
        let patterns = Patterns {
            frequency: numbers(frequency),
            recency: numbers(recency),
            age: numbers(age),
            rows,
            customers,
            log_factors: None,
        };
        let pairs = patterns.pairs();
        Self { patterns, pairs, of_customer }
    }

    /// Expands one value per pattern to one value per customer.
    pub fn gather(&self, of_pattern: &[f64]) -> Vec<f64> {
        self.of_customer.par_iter().with_min_len(CHUNK).map(|&i| of_pattern[i as usize]).collect()
    }
}

impl Patterns {
    /// The same patterns with every time multiplied by `factor`.
    pub fn in_time_unit(&self, factor: f64) -> Self {
        let scaled = |times: &[f64]| times.iter().map(|t| t * factor).collect();
        Self { recency: scaled(&self.recency), age: scaled(&self.age), ..self.clone() }
    }

    /// The same patterns with other weights instead of counts, for a bootstrap.
    pub fn weighted(&self, weight: impl FnMut(&Pattern) -> f64) -> Self {
        let weights: Vec<f64> = self.rows.iter().map(weight).collect();
        let rows = self.rows.iter().zip(&weights).map(|(row, &count)| Pattern { count, ..*row });
        Self { rows: rows.collect(), customers: weights.iter().sum(), ..self.clone() }
    }

    /// About `size` patterns, spread evenly over all, to find a good start cheaply.
    ///
    /// Returns `None` when there are fewer than twice as many patterns, so that a sample saves
    /// nothing.
    pub fn sample(&self, size: usize) -> Option<Self> {
        let every = self.rows.len() / size;
        if every < 2 {
            return None;
        }
        let rows: Vec<Pattern> = self.rows.iter().step_by(every).copied().collect();
        let customers = rows.iter().map(|row| row.count).sum();
        Some(Self { rows, customers, ..self.clone() })
    }

    /// A sample of `most` customers: every k-th of them, in the order of their patterns; and how many
    /// of each pattern it has.
    ///
    /// Returns `None` when there are no more than twice as many patterns, so that a sample saves
    /// little.
    pub fn customers_sampled(&self, most: usize) -> Option<(Self, Vec<f64>)> {
        if self.rows.len() <= 2 * most {
            return None;
        }
        let every = self.customers / most as f64;
        let mut before = 0.0f64;
        let taken = |row: &Pattern| {
            let first = (before / every).ceil();
            before += row.count;
            (before / every).ceil() - first
        };
        let counts: Vec<f64> = self.rows.iter().map(taken).collect();
        let pairs = self.rows.iter().zip(&counts).filter(|(_, count)| **count > 0.0);
        let rows: Vec<Pattern> = pairs.map(|(row, &count)| Pattern { count, ..*row }).collect();
        let customers = rows.iter().map(|row| row.count).sum();
        Some((Self { rows, customers, ..self.clone() }.without_unused(), counts))
    }

    /// The same patterns, with tables that hold only the numbers that occur in them.
    fn without_unused(self) -> Self {
        let (x, frequency) = used(self.rows.iter().map(|row| row.x), &self.frequency);
        let (t_x, recency) = used(self.rows.iter().map(|row| row.t_x), &self.recency);
        let (t, age) = used(self.rows.iter().map(|row| row.age), &self.age);
        let rows = self.rows.iter().enumerate();
        let rows = rows.map(|(i, row)| Pattern { x: x[i], t_x: t_x[i], age: t[i], ..*row });
        Self { rows: rows.collect(), frequency, recency, age, ..self }
    }

    /// The history of a pattern.
    pub fn history(&self, row: &Pattern) -> History {
        History {
            frequency: self.frequency[row.x as usize],
            recency: self.recency[row.t_x as usize],
            age: self.age[row.age as usize],
        }
    }

    /// The highest T.
    pub fn oldest(&self) -> f64 {
        self.age.iter().copied().fold(0.0, f64::max)
    }

    /// Number of customers with each distinct T.
    pub fn customers_of_age(&self) -> Vec<f64> {
        let mut customers = vec![0.0; self.age.len()];
        self.rows.iter().for_each(|row| customers[row.age as usize] += row.count);
        customers
    }

    /// Sums `of` over the patterns, on all cores, but in the same order on any number of cores.
    pub fn sum<const K: usize>(&self, of: impl Fn(&Pattern) -> [f64; K] + Sync) -> [f64; K] {
        let add = |mut sum: [f64; K], term: [f64; K]| {
            sum.iter_mut().zip(term).for_each(|(s, t)| *s += t);
            sum
        };
        let chunk = |rows: &[Pattern]| rows.iter().map(&of).fold([0.0; K], add);
        if self.rows.len() <= CHUNK {
            return chunk(&self.rows);
        }
        // A parallel reduction would add in an order that depends on the scheduler; collecting the
        // parts first keeps their order.
        let parts: Vec<[f64; K]> = self.rows.par_chunks(CHUNK).map(chunk).collect();
        parts.into_iter().fold([0.0; K], add)
    }

    /// One value per pattern, computed on all cores.
    pub fn each(&self, of: impl Fn(History) -> f64 + Sync) -> Vec<f64> {
        let value = |row: &Pattern| of(self.history(row));
        // Smaller tasks than for a sum: one value can cost an integral (Pareto/NBD).
        self.rows.par_iter().with_min_len(CHUNK / 16).map(value).collect()
    }

    fn pairs(&self) -> Pairs {
        let (pairs, of_pattern) = distinct(self.rows.iter().map(|row| (row.x, row.age)), FEW);
        let number = |(x, age): (u32, u32)| (self.frequency[x as usize], self.age[age as usize]);
        Pairs { numbers: pairs.into_iter().map(number).collect(), of_pattern }
    }
}

impl Pairs {
    /// One value per pair, computed on all cores.
    pub fn each(&self, of: impl Fn(f64, f64) -> f64 + Sync) -> Vec<f64> {
        self.numbers.par_iter().with_min_len(256).map(|&(x, age)| of(x, age)).collect()
    }

    /// Expands one value per pair to one value per pattern.
    pub fn gather(&self, of_pair: &[f64]) -> Vec<f64> {
        self.of_pattern.iter().map(|&pair| of_pair[pair as usize]).collect()
    }
}

/// Distinct keys in order of first appearance, and for each input the position of its key. Room for
/// `most` keys is reserved at the start.
fn distinct<K: Hash + Eq + Copy>(keys: impl Iterator<Item = K>, most: usize) -> (Vec<K>, Vec<u32>) {
    let mut position: FxHashMap<K, u32> = FxHashMap::default();
    position.reserve(most);
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

/// For each index the position among those that occur, and the numbers that belong to these.
fn used(indices: impl Iterator<Item = u32>, numbers: &[f64]) -> (Vec<u32>, Vec<f64>) {
    let (unique, positions) = distinct(indices, FEW);
    (positions, unique.into_iter().map(|index| numbers[index as usize]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::orders_only;

    #[test]
    fn a_sample_has_every_kth_customer() {
        // 900 customers alike and 100 that are all different: every tenth is 90 and 10 of them.
        let different = (1..=100).map(f64::from);
        let x: Vec<f64> = vec![0.0; 900].into_iter().chain(different).collect();
        let t_x: Vec<f64> = x.iter().map(|x| 0.1 * x).collect();
        let patterns = CustomerPatterns::of(&orders_only(x, t_x, vec![50.0; 1_000])).patterns;
        assert_eq!(patterns.customers_sampled(100), None);
        let (sample, taken) = patterns.customers_sampled(20).expect("a sample");
        // Of the first pattern 18, and two of the hundred others.
        assert_eq!((taken[0], taken.len(), taken.iter().sum::<f64>()), (18.0, 101, 20.0));
        assert_eq!((sample.customers, sample.rows[0].count, sample.rows.len()), (20.0, 18.0, 3));
        // The tables have no more than what occurs.
        assert_eq!((sample.frequency.len(), sample.recency.len(), sample.age.len()), (3, 3, 1));
        for row in &sample.rows {
            let history = sample.history(row);
            assert!((history.recency - 0.1 * history.frequency).abs() < 1e-12, "{history:?}");
        }
    }

    fn three() -> CustomerPatterns {
        let histories = orders_only(vec![1.0, 2.0, 1.0], vec![3.0, 3.0, 3.0], vec![9.0, 9.0, 9.0]);
        CustomerPatterns::of(&histories)
    }

    #[test]
    fn equal_histories_share_a_pattern() {
        let CustomerPatterns { patterns, of_customer, .. } = three();
        assert_eq!(of_customer, [0, 1, 0]);
        assert_eq!(patterns.rows.iter().map(|r| r.count).collect::<Vec<_>>(), [2.0, 1.0]);
        assert_eq!(patterns.customers_of_age(), [3.0]);
        assert_eq!(patterns.sum(|row| [row.count]), [3.0]);
    }

    #[test]
    fn values_are_gathered_for_each_customer() {
        let customers = three();
        let each = customers.patterns.each(|h| h.frequency + h.recency + h.age);
        assert_eq!(customers.gather(&each), [13.0, 14.0, 13.0]);
        let pairs = customers.pairs.each(|x, age| x * age);
        assert_eq!(customers.gather(&customers.pairs.gather(&pairs)), [9.0, 18.0, 9.0]);
    }
}
