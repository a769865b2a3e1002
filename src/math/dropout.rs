//! Expected orders before dropout, averaged over the unknown dropout probability.
//!
//! Take a customer who is alive, orders at a gamma-distributed rate and leaves with probability p
//! after each order. The expected number of further orders is (1 − (1 + pτ)^−s) / p, where s is the
//! shape of the rate's distribution and τ the horizon divided by its rate parameter. BG/NBD needs
//! the mean of this over p ~ Beta(a, b).
//!
//! The published closed form, (a+b−1)/(a−1) · \[1 − … 2F1 …\], contains the Gaussian hypergeometric
//! function 2F1 (hyp2f1). It loses all digits near a = 1, and the third argument of its 2F1 is
//! negative for a + b < 1. Both singularities are removable, and neither occurs here.

use super::beta_mean::beta_rule;

/// At this ratio of the result to its summands, the series has lost four digits of sixteen.
const WORST_CANCELLATION: f64 = 1e-4;
/// The series converges geometrically; beyond this many terms quadrature is cheaper.
const MOST_TERMS: u32 = 2_000;
/// Relative error at which the series ends.
const TOLERANCE: f64 = 1e-14;

/// Mean of (1 − (1 + pτ)^−s) / p over p ~ Beta(a, b).
///
/// Returns `None` when neither method below reaches its tolerance within its cap.
///
/// # Formula
/// With z = τ/(1+τ) and L = ((1−z)^(a−1) − 1)/(a−1), the Euler transformation of the published
/// 2F1 gives, after its factor 1/(a−1) is divided out term by term,
///
/// −(a+b−1)·L − (1−z)^(a−1) · Σₙ≥₁ (a+b−1−s)ₙ (a)ₙ₋₁ / ((a+b)ₙ₋₁ n!) · zⁿ.
///
/// Where the series cancels or converges slowly: double-exponential quadrature.
///
/// # Domain
/// s > 0, a ≥ 0, b > 0, τ ≥ 0; a = 0 means that nobody leaves, with the value s·τ.
///
/// # Reference
/// Fader, Hardie & Lee (2005), Marketing Science 24(2), equation 10 without its factor P(alive);
/// Abramowitz & Stegun 15.3.3 (Euler transformation).
pub fn expected_orders_before_dropout(s: f64, a: f64, b: f64, tau: f64) -> Option<f64> {
    if a == 0.0 || tau == 0.0 {
        return Some(s * tau);
    }
    series(s, a, b, tau).or_else(|| quadrature(s, a, b, tau))
}

/// The series; `None` where it would need too many terms or has cancelled.
fn series(s: f64, a: f64, b: f64, tau: f64) -> Option<f64> {
    let z = tau / (1.0 + tau);
    // 1 − z = 1/(1+τ), which would lose its digits as a difference.
    let ln_one_minus_z = -tau.ln_1p();
    let power = ((a - 1.0) * ln_one_minus_z).exp();
    // L, by e^x − 1: it keeps its digits near a = 1, where numerator and denominator vanish.
    let growth =
        if a == 1.0 { ln_one_minus_z } else { ((a - 1.0) * ln_one_minus_z).exp_m1() / (a - 1.0) };
    let first = a + b - 1.0 - s;
    let mut term = first * z;
    // Terms can differ in sign, so the largest one counts in the verdict on cancellation.
    let (mut sum, mut largest) = (0.0, 0f64);
    for n in 1..MOST_TERMS {
        let n = f64::from(n);
        sum += term;
        largest = largest.max(term.abs());
        let ratio = (first + n) * (a + n - 1.0) / ((a + b + n - 1.0) * (n + 1.0)) * z;
        // The rest is about that of a geometric series in z: the last term over 1 − z.
        if term.abs() <= TOLERANCE * sum.abs() * (1.0 - z) && ratio.abs() < 1.0 {
            let lead = -(a + b - 1.0) * growth;
            let value = lead - power * sum;
            let summands = lead.abs().max(power * largest).max(power * sum.abs());
            return (value.is_finite() && value > WORST_CANCELLATION * summands).then_some(value);
        }
        term *= ratio;
    }
    None
}

/// The mean by quadrature over p.
fn quadrature(s: f64, a: f64, b: f64, tau: f64) -> Option<f64> {
    // By ln(1 + x) and e^x − 1, since 1 − (1 + pτ)^−s loses its digits for small pτ; s·τ is the
    // limit at p = 0.
    let orders = |p: f64| if p > 0.0 { -(-s * (p * tau).ln_1p()).exp_m1() / p } else { s * tau };
    let rule = beta_rule(a, b, |p| [orders(p); 2])?;
    let [value] = rule.mean(|p, _| [orders(p)]).value;
    (value.is_finite() && value >= 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: Option<f64>, expected: f64, tolerance: f64) {
        let value = value.expect("a value");
        assert!((value / expected - 1.0).abs() < tolerance, "{value} is not {expected}");
    }

    /// mpmath 1.3, 50 digits: quad of the beta density times the integrand over
    /// p in [0, 1e-6, 1e-3, 0.1, 0.5, 1], as made by scripts/dropout_reference.py.
    const REFERENCE: &[(f64, f64, f64, f64, f64)] = &include!("dropout_reference.in");

    #[test]
    fn agrees_with_fifty_digits() {
        for &(s, a, b, tau, expected) in REFERENCE {
            close(expected_orders_before_dropout(s, a, b, tau), expected, 1e-10);
        }
    }

    #[test]
    fn quadrature_agrees_with_fifty_digits() {
        for &(s, a, b, tau, expected) in REFERENCE {
            close(quadrature(s, a, b, tau), expected, 1e-10);
        }
    }

    #[test]
    fn without_dropout_the_rate_goes_on() {
        assert_eq!(expected_orders_before_dropout(2.5, 0.0, 1.0, 4.0), Some(10.0));
        close(expected_orders_before_dropout(2.5, 1e-14, 1.0, 4.0), 10.0, 1e-12);
    }
}
