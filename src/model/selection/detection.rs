//! Signs that a file holds only some of the customers.
//!
//! In a file of recent buyers, the time since the last order has an edge: many customers joined
//! early enough for a longer one, many have one just below some time W, and nobody has one above it.
//! In a whole customer base there are always customers who ordered once, long ago.

use crate::customers::Histories;

/// An edge needs a longest time since the last order below this share of the highest T.
const FAR_BELOW: f64 = 0.5;
/// An edge is sharp when the last tenth before it still holds this share of the customers; a
/// natural tail thins out instead.
const LEAST_AT_EDGE: f64 = 0.01;
/// Least share of customers, and least number of them, with a T that allows for a longer time since
/// the last order.
const LEAST_OLDER: f64 = 0.05;
const FEWEST_OLDER: usize = 30;

/// The signs of a selection in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signs {
    /// Longest time since a last order, where the file has a sharp edge there.
    pub window: Option<f64>,
    /// Longest time since a last order.
    pub longest_since_last_order: f64,
    /// Whether everybody ordered more than once.
    pub no_one_time_buyers: bool,
    /// Whether the file counts orders in two channels, and everybody ordered in both.
    pub both_channels: bool,
    /// The highest T.
    pub oldest: f64,
}

/// Looks for the signs.
///
/// `left_out` is the number of customers that the pipeline itself left out for too few orders. If
/// there are any, the file does hold customers with few orders.
pub fn detect(histories: &Histories, orders: &[f64], left_out: usize) -> Signs {
    let longest = histories.times_since_last_order().fold(0.0, f64::max);
    let oldest = histories.age().iter().copied().fold(0.0, f64::max);
    let customers = histories.len() as f64;
    let at_edge =
        histories.times_since_last_order().filter(|time| *time > 0.9 * longest).count() as f64;
    // A tenth beyond the edge, so that customers just above it do not count.
    let older = histories.age().iter().filter(|age| **age > 1.1 * longest).count();
    let edge = longest < FAR_BELOW * oldest
        && at_edge >= LEAST_AT_EDGE * customers
        && older >= FEWEST_OLDER
        && older as f64 >= LEAST_OLDER * customers;
    let in_both = |(first, all): (&f64, &f64)| *first >= 1.0 && *first <= all - 1.0;
    let both_channels = histories.first_channel().is_some_and(|first| {
        left_out == 0 && first.iter().zip(histories.spend_count()).all(in_both)
    });
    Signs {
        window: edge.then_some(longest),
        longest_since_last_order: longest,
        both_channels,
        no_one_time_buyers: left_out == 0 && orders.iter().all(|orders| *orders >= 2.0),
        oldest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::HistoryColumns;

    /// 500 customers with T up to 509 and times since the last order up to `longest`.
    fn signs(longest: f64, orders: f64, old_one_time_buyer: bool) -> Signs {
        let n = 500;
        let age: Vec<f64> = (0..n).map(|i| 10.0 + f64::from(i)).collect();
        let t_x = |(i, age): (usize, &f64)| (age - (i % 50) as f64 / 49.0 * longest).max(0.5);
        let mut recency: Vec<f64> = age.iter().enumerate().map(t_x).collect();
        let mut count = vec![orders; n as usize];
        if old_one_time_buyer {
            (recency[400], count[400]) = (0.0, 1.0);
        }
        let money = vec![20.0; n as usize];
        let histories = Histories::new(HistoryColumns {
            frequency: count.clone(),
            recency,
            age,
            monetary_value: money,
            spend_count: count.clone(),
        });
        detect(&histories.expect("valid"), &count, 0)
    }

    #[test]
    fn a_sharp_edge_far_below_the_oldest_age_is_found() {
        let found = signs(52.0, 3.0, false);
        assert!(found.window.is_some_and(|window| (window - 52.0).abs() < 1e-9), "{found:?}");
        assert!(found.no_one_time_buyers);
        assert!(signs(52.0, 1.0, false).window.is_some());
    }

    #[test]
    fn an_old_one_time_buyer_speaks_against_it() {
        let found = signs(52.0, 3.0, true);
        assert_eq!((found.window, found.no_one_time_buyers), (None, false));
    }

    #[test]
    fn long_silence_speaks_against_it() {
        assert_eq!(signs(480.0, 3.0, false).window, None);
    }
}
