//! Quantiles of a sample.

/// The k-th n-quantile of sorted values.
///
/// # Formula
/// With h = (N − 1)·k/n: x⌊h⌋ + (x⌊h⌋₊₁ − x⌊h⌋)·(h − ⌊h⌋), counted from 0.
///
/// # Domain
/// Ascending values, 0 ≤ k ≤ n; the result is 0 without values.
///
/// # Reference
/// Hyndman & Fan (1996), The American Statistician 50(4), definition 7: the default of NumPy and
/// pandas.
pub fn linear_quantile(sorted: &[f64], k: usize, n: usize) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let position = last as f64 * (k as f64 / n as f64);
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    (sorted[above] - sorted[below]) * (position - below as f64) + sorted[below]
}

/// The value that about a `share` of the values does not exceed; always one of them.
///
/// # Formula
/// The value of rank (N − 1)·share, rounded to the nearest rank, counted from 0.
///
/// # Domain
/// 0 ≤ share ≤ 1, any order of the values; the result is 0 without values.
pub fn nearest_quantile(mut values: Vec<f64>, share: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let rank = (last as f64 * share).round() as usize;
    *values.select_nth_unstable_by(rank.min(last), f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_values() {
        // NumPy 1.23.5: np.quantile([8, 1, 4, 2, 3], [0, .5, .9, 1], method="nearest").
        let found =
            [0.0, 0.5, 0.9, 1.0].map(|q| nearest_quantile(vec![8.0, 1.0, 4.0, 2.0, 3.0], q));
        assert_eq!(found, [1.0, 3.0, 8.0, 8.0]);
        assert_eq!(nearest_quantile(Vec::new(), 0.5), 0.0);
    }

    #[test]
    fn as_numpy() {
        // NumPy 1.23.5: np.quantile([1, 2, 4, 8], [0, .25, .5, .75, 1]).
        let sorted = [1.0, 2.0, 4.0, 8.0];
        let found: Vec<f64> = (0..=4).map(|k| linear_quantile(&sorted, k, 4)).collect();
        assert_eq!(found, [1.0, 1.75, 3.0, 5.0, 8.0]);
        assert_eq!(linear_quantile(&[], 1, 4), 0.0);
        assert_eq!(linear_quantile(&[3.0], 1, 4), 3.0);
    }
}
