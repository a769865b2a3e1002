//! Whether the customers without any event are missing from counts, as in a file of those who
//! ordered again.

use crate::model::selection::tolerance::tolerated;

/// The least number of missing customers, and how many more for each that is there.
const LEAST_MISSING: f64 = 10.0;
const MISSING_PER_STRAY: f64 = 4.0;
/// The least share of customers with a count of 1, for an edge to show below them. Where nearly all
/// buy often, few with a count of 0 can be missing, and they do not matter.
const LEAST_AT_EDGE: f64 = 0.05;

/// How many customers have a count of 0, where that is a few and far fewer than there must be in a
/// whole customer base; else `None`.
///
/// # Formula
/// Counts at random moments are Poisson with a mean of each customer's own. For any distribution of
/// the means, by the inequality of Cauchy and Schwarz, n₀ ≥ n₁²/(2·n₂), where n_k is the expected
/// number of customers with the count k. A base in which everybody buys often has no n₁ either.
pub fn missing_zeros(counts: impl Iterator<Item = f64>) -> Option<usize> {
    let (mut all, mut with) = (0, [0_usize; 3]);
    for count in counts {
        all += 1;
        // Counts are whole; outlier limits leave them so.
        if let Some(number) = with.get_mut(count.max(0.0) as usize) {
            *number += 1;
        }
    }
    let [none, one, two] = with;
    if two == 0 {
        return None;
    }
    let least = (one * one) as f64 / (2 * two) as f64;
    let missing = least >= LEAST_MISSING + MISSING_PER_STRAY * none as f64;
    let at_edge = one as f64 >= LEAST_AT_EDGE * all as f64;
    (none <= tolerated(all) && at_edge && missing).then_some(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: [usize; 4]) -> Option<usize> {
        let times = counts.iter().enumerate();
        missing_zeros(times.flat_map(|(count, n)| vec![count as f64; *n]))
    }

    /// By the inequality: 400²/(2·300) = 267 customers at least have no order.
    #[test]
    fn zeros_that_must_be_there_are_missing() {
        assert_eq!(of([0, 400, 300, 500]), Some(0));
        assert_eq!(of([3, 400, 300, 500]), Some(3));
        assert_eq!(of([9, 400, 300, 500]), None);
        assert_eq!(of([300, 400, 300, 500]), None);
    }

    /// 30²/(2·200) = 2.25: so few may be missing by chance. And 4 % with one is no edge.
    #[test]
    fn where_all_buy_often_no_zeros_are_missed() {
        assert_eq!(of([0, 30, 200, 300]), None);
        assert_eq!(of([0, 80, 100, 1_820]), None);
        assert_eq!(of([0, 500, 0, 0]), None);
    }
}
