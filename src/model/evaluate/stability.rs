//! Drift: whether a column is still distributed as it was, by the population stability index (PSI).

use serde::{Deserialize, Serialize};

use crate::math::quantile::linear_quantile;

/// Number of bins; they have equal counts unless values are tied.
const BINS: usize = 10;
/// The share that an empty bin counts as, since the logarithm of 0 is not finite.
const LEAST_SHARE: f64 = 1e-4;

/// A stability index below which, by convention, a population is stable.
pub const STABLE: f64 = 0.1;
/// A stability index above which, by convention, a population has shifted.
pub const SHIFTED: f64 = 0.25;

/// The distribution of a column of numbers, to compare later values with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceDistribution {
    /// Name of the column.
    pub column: String,
    /// Inner edges of the bins, ascending; a value on an edge belongs to the bin below it.
    pub edges: Vec<f64>,
    /// Number of values in each bin; one more than there are edges.
    pub counts: Vec<usize>,
}

impl ReferenceDistribution {
    /// The distribution of `values`: its edges are their deciles, where equal deciles are one edge.
    pub fn of(column: &str, values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut edges: Vec<f64> = match sorted.last() {
            None => Vec::new(),
            Some(highest) => (1..BINS)
                .map(|k| linear_quantile(&sorted, k, BINS))
                .filter(|edge| edge < highest)
                .collect(),
        };
        edges.dedup();
        let counts = counts(&edges, values);
        Self { column: column.to_owned(), edges, counts }
    }

    /// The population stability index (PSI) of other values against these: 0 for the same
    /// distribution. By convention a population is stable below 0.1 and has shifted above 0.25.
    ///
    /// # Formula
    /// Σ (q − p)·ln(q/p) over bins, where p is the share before and q the share now; an empty bin
    /// counts as 0.0001. 0 without values.
    ///
    /// # Reference
    /// Siddiqi (2006), Credit Risk Scorecards, chapter 7 (system stability report).
    pub fn stability_index(&self, values: &[f64]) -> f64 {
        let before: usize = self.counts.iter().sum();
        if values.is_empty() || before == 0 {
            return 0.0;
        }
        let share = |count: usize, all: usize| (count as f64 / all as f64).max(LEAST_SHARE);
        let term = |(then, now): (&usize, &usize)| {
            let (p, q) = (share(*then, before), share(*now, values.len()));
            (q - p) * (q / p).ln()
        };
        self.counts.iter().zip(&counts(&self.edges, values)).map(term).sum()
    }

    /// Whether edges are ascending and every bin has a count.
    pub fn is_sound(&self) -> bool {
        self.counts.len() == self.edges.len() + 1
            && self.edges.windows(2).all(|pair| pair[0] < pair[1])
    }
}

fn counts(edges: &[f64], values: &[f64]) -> Vec<usize> {
    let mut counts = vec![0usize; edges.len() + 1];
    for value in values {
        counts[edges.partition_point(|edge| edge < value)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_of_equal_count() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let distribution = ReferenceDistribution::of("x", &values);
        assert_eq!(distribution.edges.len(), 9);
        assert_eq!(distribution.counts, [10; 10]);
        assert_eq!(distribution.stability_index(&values), 0.0);
        assert!(distribution.is_sound());
    }

    #[test]
    fn a_known_index() {
        // Half below 1 and half above becomes a quarter and three quarters:
        // (.25 − .5)·ln(.25/.5) + (.75 − .5)·ln(.75/.5) = .25·ln 3.
        let before =
            ReferenceDistribution { column: "x".into(), edges: vec![1.0], counts: vec![2, 2] };
        let index = before.stability_index(&[0.0, 2.0, 2.0, 2.0]);
        assert!((index / (0.25 * 3f64.ln()) - 1.0).abs() < 1e-12, "{index}");
    }

    #[test]
    fn a_column_of_one_value_has_one_bin() {
        let distribution = ReferenceDistribution::of("x", &[2.0; 5]);
        assert_eq!((distribution.edges.len(), distribution.counts.as_slice()), (0, &[5][..]));
        assert_eq!(distribution.stability_index(&[1.0, 9.0]), 0.0);
        assert_eq!(ReferenceDistribution::of("x", &[]).stability_index(&[]), 0.0);
    }
}
