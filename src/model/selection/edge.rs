//! A sharp edge in the time since the last order, beyond which there are strays at most.
//!
//! # Formula
//! The orders of a customer who buys at random moments, at whatever rate, lie evenly between the
//! first order and the end: of x repeat orders in a time T, none is in the last E with probability
//! (1 − E/T)^x, and dropout makes that likelier. So a whole customer base has at least
//! Λ(E) = Σ (1 − E/T)^x customers, over those with T > E, who were silent for longer than E. It
//! does not matter how rates and first days are distributed. Where no more than a few are, though Λ
//! is large, the others were left out of the file.
//!
//! Λ taken at the (k + 1)-th longest silence of a base without dropout is a draw from
//! Gamma(k + 1, 1), which exceeds 8 + 2.5k in one of 3,000 files or fewer.

use rayon::prelude::*;

use crate::customers::Histories;
use crate::model::selection::tolerance::tolerated;

/// The least that Λ must be, and how much it must grow with each stray.
const LEAST_MISSING: f64 = 8.0;
const MISSING_PER_STRAY: f64 = 2.5;
/// The edge is sharp when the last tenth before it holds this many customers, this share of them,
const FEWEST_AT_EDGE: f64 = 10.0;
const LEAST_AT_EDGE: f64 = 0.005;
/// this share of what each of the four tenths before holds on average (a natural tail, also that of
/// customers who buy regularly, thins out instead),
const LEAST_OF_BEFORE: f64 = 0.35;
/// and this many times as many as the tenth beyond.
const TIMES_BEYOND: f64 = 5.0;
/// More than this share at the edge is no edge: everybody last ordered on the same occasion.
const MOST_AT_EDGE: f64 = 0.5;
/// Customers buy at fixed intervals, such as a subscription's, when the mean gap between orders is
/// within this share of the median one for this share of the customers. Then the edge is their
/// interval.
const ALIKE: f64 = 0.5;
const MOST_ALIKE: f64 = 0.9;
/// How many places are looked at, those with the widest gaps in the times since the last order: a
/// file of a million customers may have a thousand strays.
const PLACES: usize = 32;

/// A sharp edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// The longest time since the last order, but for the strays.
    pub window: f64,
    /// The number of customers beyond.
    pub strays: usize,
}

/// Finds the edge. `repeats` are the repeat orders of each customer. Returns `None` when there is no
/// edge.
pub fn edge(histories: &Histories, repeats: &[f64]) -> Option<Edge> {
    let mut silences: Vec<f64> = histories.times_since_last_order().collect();
    silences.sort_unstable_by(|a, b| b.total_cmp(a));
    let evidence = |edge: Edge| {
        let missing = missing(histories, repeats, edge.window);
        (missing - MISSING_PER_STRAY * edge.strays as f64, edge)
    };
    let sharp = places(&silences).into_iter().filter(|edge| is_sharp(&silences, *edge));
    let (evidence, edge) = sharp.map(evidence).max_by(|a, b| a.0.total_cmp(&b.0))?;
    let found = evidence >= LEAST_MISSING && !at_intervals(histories, repeats, edge.window);
    found.then_some(edge)
}

/// The places where an edge may be, with at most the tolerated number of strays beyond.
fn places(silences: &[f64]) -> Vec<Edge> {
    let most = tolerated(silences.len());
    let gap = |edge: &Edge| match edge.strays {
        0 => f64::INFINITY,
        strays => silences[strays - 1] - edge.window,
    };
    let places = silences.iter().take(most + 1).enumerate();
    let mut places: Vec<Edge> = places
        .map(|(strays, window)| Edge { window: *window, strays })
        .filter(|edge| gap(edge) > 0.0)
        .collect();
    places.sort_by(|a, b| gap(b).total_cmp(&gap(a)));
    places.truncate(PLACES);
    places
}

/// Whether the last tenth before an edge holds many customers. `silences` descend.
fn is_sharp(silences: &[f64], edge: Edge) -> bool {
    let beyond = |time: f64| silences.partition_point(|silence| *silence > time);
    let between =
        |from: f64, to: f64| (beyond(from * edge.window) - beyond(to * edge.window)) as f64;
    let all = silences.len() as f64;
    let at_edge = between(0.9, 1.0);
    at_edge >= FEWEST_AT_EDGE.max(LEAST_AT_EDGE * all)
        && at_edge <= MOST_AT_EDGE * all
        && at_edge >= LEAST_OF_BEFORE * between(0.5, 0.9) / 4.0
        && at_edge >= TIMES_BEYOND * between(1.0, 1.1)
}

/// Λ: the least number of customers that a whole base has beyond a time since the last order.
fn missing(histories: &Histories, repeats: &[f64], time: f64) -> f64 {
    let ages = histories.age().par_chunks(4096).zip(repeats.par_chunks(4096));
    let parts: Vec<f64> = ages
        .map(|(ages, repeats)| {
            let older = ages.iter().zip(repeats).filter(|(age, _)| **age > time);
            older.map(|(age, x)| (x * (-time / age).ln_1p()).exp()).sum::<f64>()
        })
        .collect();
    // Added in order, so that the sum does not depend on the number of cores.
    parts.iter().sum()
}

/// Whether nearly all customers with a first order before the edge buy at the same interval.
fn at_intervals(histories: &Histories, repeats: &[f64], time: f64) -> bool {
    let older =
        histories.iter().zip(repeats).filter(|(history, x)| history.age > time && **x > 0.0);
    let mut gaps: Vec<f64> = older.map(|(history, x)| history.recency / x).collect();
    if gaps.is_empty() {
        return false;
    }
    let middle = gaps.len() / 2;
    let median = *gaps.select_nth_unstable_by(middle, f64::total_cmp).1;
    let alike = gaps.iter().filter(|gap| (**gap - median).abs() <= ALIKE * median).count();
    alike as f64 >= MOST_ALIKE * gaps.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::HistoryColumns;

    /// Λ by hand: one customer of T 10 with 2 repeat orders and one of T 5 with none; of those with
    /// a T of 4, none can be silent for longer than 4.
    #[test]
    fn the_missing_are_counted_by_hand() {
        let histories = Histories::new(HistoryColumns {
            frequency: vec![2.0, 0.0, 1.0],
            recency: vec![7.0, 0.0, 1.0],
            age: vec![10.0, 5.0, 4.0],
            ..HistoryColumns::default()
        });
        let missing = missing(&histories.expect("valid"), &[2.0, 0.0, 1.0], 4.0);
        // (1 − 4/10)² + (1 − 4/5)⁰.
        assert!((missing / 1.36 - 1.0).abs() < 1e-12, "{missing}");
    }

    #[test]
    fn places_are_between_different_silences() {
        let mut silences = vec![90.0, 50.0, 50.0];
        silences.extend((0..497).map(|i| 40.0 - 0.01 * f64::from(i)));
        let found: Vec<(f64, usize)> =
            places(&silences).iter().map(|edge| (edge.window, edge.strays)).collect();
        // Without strays, then by the width of the gap beyond: 40 and 10.
        assert_eq!(found, [(90.0, 0), (50.0, 1), (40.0, 3)]);
    }
}
