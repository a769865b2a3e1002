//! Order counts over a horizon at gamma-distributed rates: the negative binomial distribution
//! (NBD).

use std::f64::consts::PI;
use std::ops::Range;

use statrs::function::beta::beta_reg;

use super::special::stirling_error;

/// Longest tail that is summed term by term; for longer ones the incomplete beta function is used.
const MOST_TERMS: f64 = 1e6;
/// The sum of a tail ends at a term this small relative to it.
const NEGLIGIBLE: f64 = 1e-18;

/// P(N = n), where N is Poisson with mean λt and λ ~ Gamma(shape, rate); τ = t / rate.
///
/// # Formula
/// Γ(s+n)/(Γ(s) n!) (1−z)^s zⁿ with s = shape, z = τ/(1+τ); by deviances, since large log-gammas
/// would cancel:
/// s/(s+n) · √((s+n)/(2π s n)) · exp(δ(s+n) − δ(s) − δ(n) − D(s, (s+n)(1−z)) − D(n, (s+n)z)),
/// where δ is the error of Stirling's formula and D(x, m) = x ln(x/m) + m − x.
///
/// # Domain
/// shape > 0, τ ≥ 0.
///
/// # Reference
/// Loader (2000), "Fast and Accurate Computation of Binomial Probabilities"; this is s/(s+n) times
/// a binomial probability.
pub fn probability(shape: f64, tau: f64, n: u32) -> f64 {
    let n = f64::from(n);
    if n == 0.0 {
        return (-shape * tau.ln_1p()).exp();
    }
    if tau == 0.0 {
        return 0.0;
    }
    let both = shape + n;
    let ln = stirling_error(both)
        - stirling_error(shape)
        - stirling_error(n)
        - deviance(shape, both / (1.0 + tau))
        - deviance(n, both * (tau / (1.0 + tau)));
    shape / both * (both / (2.0 * PI * shape * n)).sqrt() * ln.exp()
}

/// The deviance x ln(x/m) + m − x; where x ≈ m, so that its terms cancel, by its series in
/// (x−m)/(x+m).
fn deviance(x: f64, m: f64) -> f64 {
    const NEAR: f64 = 0.1;
    let v = (x - m) / (x + m);
    if v.abs() >= NEAR {
        return x * (x / m).ln() + m - x;
    }
    let mut sum = (x - m) * v;
    let mut power = 2.0 * x * v;
    for k in 1..100 {
        power *= v * v;
        let next = sum + power / f64::from(2 * k + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// P(N = n) and P(N ≥ n) for each n of `range`.
///
/// # Formula
/// P(N ≥ n) at the end of the range is the sum of its terms, or, below the mean, 1 minus the sum of
/// the terms below n; neighbouring terms have the ratio P(n+1)/P(n) = (s+n)/(n+1)·z. Within the
/// range, P(N ≥ n) = P(N ≥ n+1) + P(N = n). A tail too long to be summed is the regularised
/// incomplete beta function, P(N ≥ n) = I_z(n, s).
///
/// # Domain
/// shape > 0, τ ≥ 0.
///
/// # Reference
/// Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, 3rd edition, section 5.1;
/// equation 5.30 for the incomplete beta function.
pub fn probabilities_and_tails(shape: f64, tau: f64, range: Range<u32>) -> Vec<(f64, f64)> {
    if range.is_empty() {
        return Vec::new();
    }
    let last = range.end - 1;
    let mut tail = tail(shape, tau, last);
    let mut all: Vec<(f64, f64)> = range
        .rev()
        .map(|n| {
            let term = probability(shape, tau, n);
            if n != last {
                tail += term;
            }
            (term, tail.min(1.0))
        })
        .collect();
    all.reverse();
    all
}

/// P(N ≥ n).
fn tail(shape: f64, tau: f64, n: u32) -> f64 {
    if n == 0 || tau == 0.0 {
        return f64::from(u8::from(n == 0));
    }
    let z = tau / (1.0 + tau);
    // Standard deviation, and 1 + τ as the length over which the terms fall in the far tail.
    let spread = (shape * tau * (1.0 + tau)).sqrt();
    if 40.0 * (spread + 1.0 + tau) > MOST_TERMS {
        return beta_reg(f64::from(n), shape, z);
    }
    let ratio = |n: f64| (shape + n) / (n + 1.0) * z;
    // Sum the smaller side: 1 − sum is exact only where the sum is not close to 1.
    let below_mean = f64::from(n) < shape * tau;
    let mut k = f64::from(if below_mean { n - 1 } else { n });
    let mut term = probability(shape, tau, k as u32);
    let mut sum = term;
    while term > NEGLIGIBLE * sum {
        if below_mean {
            if k == 0.0 {
                break;
            }
            k -= 1.0;
            term /= ratio(k);
        } else {
            term *= ratio(k);
            k += 1.0;
        }
        sum += term;
    }
    if below_mean { 1.0 - sum } else { sum }
}

/// Adds `weight`·P(N = n) to `sum[n − first]`, for each n from `first` on.
///
/// # Formula
/// As [`probability`] for the first term, then P(n+1) = P(n)·(s+n)/(n+1)·z.
pub fn add_probabilities(shape: f64, tau: f64, weight: f64, first: u32, sum: &mut [f64]) {
    // A term that has underflowed to 0 stays 0 in the recursion, though later ones may be large.
    const FAR_FROM_UNDERFLOW: f64 = 1e-280;
    let z = tau / (1.0 + tau);
    let mut term = probability(shape, tau, first);
    for (n, sum) in (first..).zip(sum) {
        if term < FAR_FROM_UNDERFLOW {
            term = probability(shape, tau, n);
        }
        *sum += weight * term;
        term *= (shape + f64::from(n)) / (f64::from(n) + 1.0) * z;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_geometric_distribution() {
        // Shape 1: P(n) = (1−z) zⁿ, P(N ≥ n) = zⁿ.
        for tau in [0.1, 3.0, 400.0, 1e7] {
            let z: f64 = tau / (1.0 + tau);
            for (n, (p, tail)) in (0..30).zip(probabilities_and_tails(1.0, tau, 0..30)) {
                let (p_exact, tail_exact) = (z.powi(n) / (1.0 + tau), z.powi(n));
                assert!((p / p_exact - 1.0).abs() < 1e-12, "{tau} {n}");
                assert!((tail / tail_exact - 1.0).abs() < 1e-12, "{tau} {n}");
            }
        }
    }

    #[test]
    fn large_shapes_do_not_underflow() {
        // A shape of 10⁵ at τ = 1 has P(0) = 2^−100000, and all mass within 10⁵ ± 10⁴.
        let all = probabilities_and_tails(1e5, 1.0, 90_000..110_000);
        let sum: f64 = all.iter().map(|(p, _)| p).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        assert_eq!(probabilities_and_tails(1e5, 1.0, 0..1), [(0.0, 1.0)]);
    }
}
