//! Signs that a file holds only the customers who ordered lately.
//!
//! A customer who left is not in such a file, so nobody seems to leave and every fit on it is
//! too optimistic. Two signs together give it away: nobody with one order only, and nobody whose
//! last order is longer ago than some time that is far below the age of the oldest customers.

use crate::customers::Histories;
use crate::findings::Finding;
use crate::settings::TimeUnit;

/// The longest time since a last order is "far below" the oldest age under this share of it.
const FAR_BELOW: f64 = 0.5;
/// An edge is sharp when the last tenth before it still holds this share of the customers; a
/// natural tail thins out instead.
const LEAST_AT_EDGE: f64 = 0.01;

/// Looks for the signs.
///
/// `left_out`: customers that the pipeline itself left out for having too few orders; with any,
/// the file does hold customers with few orders.
pub fn detect(histories: &Histories, left_out: usize, unit: TimeUnit) -> Option<Finding> {
    let fewest = histories.spend_count().iter().copied().fold(f64::INFINITY, f64::min);
    let one_time = histories.frequency().contains(&0.0) || fewest < 2.0 || left_out > 0;
    let gaps = histories.age().iter().zip(histories.recency()).map(|(age, t_x)| age - t_x);
    let longest_gap = gaps.clone().fold(0.0, f64::max);
    let oldest = histories.age().iter().copied().fold(0.0, f64::max);
    let at_edge = gaps.filter(|gap| *gap > 0.9 * longest_gap).count() as f64;
    let sharp = at_edge >= LEAST_AT_EDGE * histories.len() as f64;
    if one_time || !sharp || longest_gap >= FAR_BELOW * oldest {
        return None;
    }
    Some(Finding::warning(
        "selected_customers",
        format!(
            "the file seems to hold only customers who ordered lately: nobody ordered once only, \
             and nobody's last order is more than {longest_gap:.1} {} ago although customers go \
             back {oldest:.0} {}; those who left are not in it, so every forecast is too high",
            unit.plural(),
            unit.plural()
        ),
        "export every customer ever acquired, also those who have not ordered lately",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customers(gap_limit: f64, one_time: bool) -> Histories {
        let n = 500;
        let age: Vec<f64> = (0..n).map(|i| 10.0 + f64::from(i)).collect();
        let recency: Vec<f64> = age
            .iter()
            .enumerate()
            .map(|(i, age)| (age - (i % 50) as f64 / 50.0 * gap_limit).max(0.5))
            .collect();
        let orders = |i: usize| if one_time && i == 7 { 1.0 } else { 3.0 };
        let count: Vec<f64> = (0..n as usize).map(orders).collect();
        Histories::new(count.clone(), recency, age, vec![20.0; n as usize], count).expect("valid")
    }

    #[test]
    fn a_sharp_edge_far_below_the_oldest_age_is_found() {
        let found = detect(&customers(52.0, false), 0, TimeUnit::Week).expect("found");
        assert_eq!(found.code, "selected_customers");
    }

    #[test]
    fn one_time_buyers_speak_against_it() {
        assert_eq!(detect(&customers(52.0, true), 0, TimeUnit::Week), None);
        assert_eq!(detect(&customers(52.0, false), 3, TimeUnit::Week), None);
    }

    #[test]
    fn long_silence_speaks_against_it() {
        assert_eq!(detect(&customers(480.0, false), 0, TimeUnit::Week), None);
    }
}
