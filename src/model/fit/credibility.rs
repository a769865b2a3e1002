//! The shrunk mean of order values, where Gamma-Gamma has no fit: Bühlmann and Straub's credibility
//! estimate.
//!
//! The best linear estimate of a customer's mean order value, from n orders of mean m, is
//! (κμ + nm)/(κ + n). κ is the variance of one customer's orders over the variance of the customers'
//! means. Gamma-Gamma's equation 5 is this formula at q = 1 + κp and v = κμ, so the same type
//! predicts.
//!
//! # Reference
//! Bühlmann & Straub (1970), Bulletin of the Swiss Association of Actuaries 70, 111–133; Klugman,
//! Panjer & Willmot (2012), Loss Models, 4th edition, section 19.2.1, for the weighted sum of
//! squares. The variance of one customer's orders is not in the data, only means are; so a second
//! sum of squares, without weights, takes the place of the one within customers.

use crate::model::gamma_gamma::GammaGamma;

/// Variances, as shares of the squared mean, are at least this: constant prices have none.
const LEAST: f64 = 1e-9;
/// With a smaller determinant, the two sums of squares say the same: all have as many orders.
const SAME: f64 = 1e-6;

/// Gamma-Gamma with the moments of these order counts and mean order values.
///
/// Returns `None` when no customer has an order with a value.
///
/// # Formula
/// With N customers and n = Σnᵢ orders, σ² the variance of one customer's orders and τ² that of the
/// customers' means, Var(mᵢ) = τ² + σ²/nᵢ, and so
/// * E Σ(mᵢ − m̄)² = (N − 1)·τ² + (1 − 1/N)·Σ(1/nᵢ)·σ², m̄ the plain mean;
/// * E Σnᵢ(mᵢ − m̃)² = (n − Σnᵢ²/n)·τ² + (N − 1)·σ², m̃ the mean weighted by nᵢ.
///
/// Where all nᵢ are the same, the two say the same; then half of the variance of mᵢ is taken to be
/// that between customers. μ is the mean weighted by nᵢ/(nᵢ + κ). Gamma-Gamma has these moments at
/// p = (μ² + τ²)/σ², q = 2 + μ²/τ², v = μσ²/τ².
pub(crate) fn credibility(counts: &[f64], means: &[f64]) -> Option<GammaGamma> {
    let ordered = counts.iter().zip(means).filter(|(count, _)| **count > 0.0);
    let (n, m): (Vec<f64>, Vec<f64>) = ordered.map(|(n, m)| (*n, *m)).unzip();
    // In units of the largest mean, so that no square overflows.
    let unit = m.iter().copied().fold(0.0, f64::max);
    if unit <= 0.0 || !unit.is_finite() {
        return None;
    }
    let m: Vec<f64> = m.iter().map(|m| m / unit).collect();
    let [within, between] = variances(&n, &m);
    let square = mean(&m, |_| 1.0).powi(2);
    let [within, between] = [within, between].map(|variance| variance.max(LEAST * square));
    let kappa = within / between;
    let mu = mean(&m, |i| n[i] / (n[i] + kappa));
    let square = mu * mu;
    Some(GammaGamma {
        p: (square + between) / within,
        q: 2.0 + square / between,
        v: kappa * mu * unit,
    })
}

/// σ² and τ².
fn variances(n: &[f64], m: &[f64]) -> [f64; 2] {
    let customers = n.len() as f64;
    let orders: f64 = n.iter().sum();
    let (plain, weighted) = (mean(m, |_| 1.0), mean(m, |i| n[i]));
    let squares = |at: f64, weight: &dyn Fn(usize) -> f64| -> f64 {
        m.iter().enumerate().map(|(i, m)| weight(i) * (m - at).powi(2)).sum()
    };
    let (first, second) = (squares(plain, &|_| 1.0), squares(weighted, &|i| n[i]));
    let free = customers - 1.0;
    if free < 1.0 {
        return [0.0; 2];
    }
    let of_within = free / customers * n.iter().map(|n| 1.0 / n).sum::<f64>();
    let of_between = orders - n.iter().map(|n| n * n).sum::<f64>() / orders;
    let determinant = free * free - of_within * of_between;
    if determinant.abs() < SAME * free * free {
        let half = first / free / 2.0;
        return [half * orders / customers, half];
    }
    let between = (free * first - of_within * second) / determinant;
    let within = (free * second - of_between * first) / determinant;
    // A variance below 0 is none: all of it is the other one then.
    match (within < 0.0, between < 0.0) {
        (true, _) => [0.0, first / free],
        (_, true) => [second / free, 0.0],
        _ => [within, between],
    }
}

fn mean(values: &[f64], weight: impl Fn(usize) -> f64) -> f64 {
    let weights = || (0..values.len()).map(&weight);
    weights().zip(values).map(|(w, value)| w * value).sum::<f64>() / weights().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::simulation::gamma;
    use crate::model::testing::relative;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// (κμ + nm)/(κ + n)
    fn shrunk(kappa: f64, mu: f64, n: f64, m: f64) -> f64 {
        (kappa * mu + n * m) / (kappa + n)
    }

    #[test]
    fn two_sums_of_squares_by_hand() {
        // n = 1, 1, 4 and m = 2, 6, 5, in units of 6. Plain: m̄ = 13/3, Σ(m − m̄)² = 26/3;
        // weighted: m̃ = 28/6, Σn(m − m̃)² = 28/3. 2τ² + (2/3)(9/4)σ² = 26/3 and
        // (6 − 18/6)τ² + 2σ² = 28/3: the determinant is 4 − 4.5, so τ² = (52/3 − 14)/(−½) < 0,
        // and everything is σ² = 28/3 / 2.
        let [within, between] = variances(&[1.0, 1.0, 4.0], &[2.0, 6.0, 5.0]);
        assert!(relative(within, 14.0 / 3.0) < 1e-12, "{within}");
        assert_eq!(between, 0.0);
        // n = 1, 1, 4 and m = 2, 6, 0: m̄ = 8/3, Σ = 56/3; m̃ = 8/6, Σn(m − m̃)² = 88/3.
        // τ² = (112/3 − 44)/(−½) = 40/3 and σ² = (176/3 − 56)/(−½) < 0.
        let [within, between] = variances(&[1.0, 1.0, 4.0], &[2.0, 6.0, 0.0]);
        assert_eq!(within, 0.0);
        assert!(relative(between, 28.0 / 3.0) < 1e-12, "{between}");
        // n = 1, 1, 4 and m = 2, 6, 1: m̄ = 3, Σ = 14; m̃ = 2, Σn(m − m̃)² = 20. τ² = (28 − 30)
        // /(−½) = 4 and σ² = (40 − 42)/(−½) = 4.
        let [within, between] = variances(&[1.0, 1.0, 4.0], &[2.0, 6.0, 1.0]);
        assert!(relative(within, 4.0) < 1e-12 && relative(between, 4.0) < 1e-12);
        // κ = 1, so weights ½, ½, ⅘: μ = (1 + 3 + 0.8)/1.8 = 8/3.
        let model = credibility(&[1.0, 1.0, 4.0, 0.0], &[2.0, 6.0, 1.0, 9.0]).expect("values");
        for (n, m) in [(0.0, 0.0), (1.0, 2.0), (4.0, 1.0), (100.0, 7.0)] {
            let value = model.expected_value(n, m).expect("exists");
            assert!(relative(value, shrunk(1.0, 8.0 / 3.0, n, m)) < 1e-12, "{n} {m}: {value}");
        }
    }

    #[test]
    fn the_moments_of_gamma_gamma_come_back() {
        // p = 6, q = 5, v = 20: μ = pv/(q−1) = 30, τ² = μ²/(q−2) = 300, κ = (q−1)/p = ⅔. With
        // 200,000 customers a moment is within some percent, since q = 5 has four moments only.
        let (p, q, v) = (6.0, 5.0, 20.0);
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let n: Vec<f64> = (0..200_000).map(|i| f64::from(1 + i % 6)).collect();
        let m = |n: &f64| {
            let scale = gamma(q, v, &mut rng);
            gamma(p * n, scale, &mut rng) / n
        };
        let m: Vec<f64> = n.iter().map(m).collect();
        let model = credibility(&n, &m).expect("values");
        assert!(relative(model.population_mean().expect("exists"), 30.0) < 0.01, "{model:?}");
        assert!(relative((model.q - 1.0) / model.p, 2.0 / 3.0) < 0.1, "{model:?}");
        assert!(relative(model.q, q) < 0.1 && relative(model.p, p) < 0.1, "{model:?}");
    }

    #[test]
    fn constant_prices_and_single_customers_have_the_mean() {
        for (n, m) in [
            (vec![1.0, 3.0, 9.0], vec![25.0; 3]),
            (vec![2.0; 40], vec![1.0; 40]),
            (vec![5.0], vec![1e200]),
        ] {
            let model = credibility(&n, &m).expect("values");
            for count in [0.0, 1.0, 50.0] {
                let value = model.expected_value(count, m[0]).expect("exists");
                assert!(relative(value, m[0]) < 1e-9, "{value} {count}");
            }
        }
        assert_eq!(credibility(&[0.0, 2.0], &[5.0, 0.0]), None);
        assert_eq!(credibility(&[], &[]), None);
    }

    #[test]
    fn of_equal_counts_half_of_the_variance_is_between_customers() {
        // κ = σ²/τ² = n then, so everybody is half way between the own mean and all: (m + μ)/2.
        let model = credibility(&[4.0; 3], &[10.0, 20.0, 60.0]).expect("values");
        for m in [10.0, 20.0, 60.0] {
            let value = model.expected_value(4.0, m).expect("exists");
            assert!(relative(value, (m + 30.0) / 2.0) < 1e-12, "{m}: {value}");
        }
    }
}
