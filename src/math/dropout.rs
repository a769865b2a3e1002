//! Orders before dropout, averaged over the unknown dropout probability.
//!
//! A customer who is alive, orders at a gamma-distributed rate and leaves with probability p
//! after each order is expected to order (1 − (1 + pτ)^−s) / p more times, where s is the shape
//! of the rate and τ the horizon in units of its scale. BG/NBD needs the mean of this over
//! p ~ Beta(a, b). The published closed form, (a+b−1)/(a−1) · [1 − … 2F1 …], loses all digits
//! near a = 1 and its third 2F1 argument is negative for a + b < 1; both are removable, and
//! neither occurs here.

use super::special::ln_beta;

/// Below this ratio of result to summands, the series has lost four digits of sixteen.
const WORST_CANCELLATION: f64 = 1e-4;
/// The series converges geometrically; past this many terms quadrature is cheaper.
const MOST_TERMS: u32 = 2_000;
/// Halvings of the quadrature step before giving up.
const MOST_LEVELS: u32 = 12;
const TOLERANCE: f64 = 1e-14;
/// Halving the step of the trapezoidal rule on an analytic integrand doubles the exact digits, so
/// the finer of two sums that agree so far is exact to rounding.
const HALVING_TOLERANCE: f64 = 1e-10;
/// Below this a, most of the beta density is at p → 0.
const MASS_AT_ZERO: f64 = 0.05;
/// e^−TAIL of the density is left beyond the ends of the quadrature.
const TAIL: f64 = 45.0;
/// Half steps out to which those ends may lie; sinh grows by e every two.
const MOST_REACH: u32 = 80;

/// Mean of (1 − (1 + pτ)^−s) / p over p ~ Beta(a, b).
///
/// # Formula
/// With z = τ/(1+τ) and L = ((1−z)^(a−1) − 1)/(a−1), the Euler transformation of the published
/// 2F1 gives, after its factor 1/(a−1) is divided out term by term,
///
/// −(a+b−1)·L − (1−z)^(a−1) · Σₙ≥₁ (a+b−1−s)ₙ (a)ₙ₋₁ / ((a+b)ₙ₋₁ n!) · zⁿ.
///
/// Where that cancels or converges slowly: double-exponential quadrature over the logit of p.
///
/// # Domain
/// s > 0, a ≥ 0, b > 0, τ ≥ 0; a = 0 is "nobody leaves", with the value s·τ.
///
/// # Errors
/// `None` when neither method reaches its tolerance within its cap.
///
/// # Reference
/// Fader, Hardie & Lee (2005), Marketing Science 24(2), equation 10 before P(alive) is
/// multiplied; Abramowitz & Stegun 15.3.3 (Euler transformation).
pub fn expected_orders_before_dropout(s: f64, a: f64, b: f64, tau: f64) -> Option<f64> {
    if a == 0.0 || tau == 0.0 {
        return Some(s * tau);
    }
    series(s, a, b, tau).or_else(|| quadrature(s, a, b, tau))
}

fn series(s: f64, a: f64, b: f64, tau: f64) -> Option<f64> {
    let z = tau / (1.0 + tau);
    let ln_one_minus_z = -tau.ln_1p();
    let power = ((a - 1.0) * ln_one_minus_z).exp();
    let growth =
        if a == 1.0 { ln_one_minus_z } else { ((a - 1.0) * ln_one_minus_z).exp_m1() / (a - 1.0) };
    let first = a + b - 1.0 - s;
    let mut term = first * z;
    let (mut sum, mut largest) = (0.0, 0f64);
    for n in 1..MOST_TERMS {
        let n = f64::from(n);
        sum += term;
        largest = largest.max(term.abs());
        let ratio = (first + n) * (a + n - 1.0) / ((a + b + n - 1.0) * (n + 1.0)) * z;
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

/// Trapezoidal rule after p = logistic(u₀ + w·sinh v), where u₀ and w are centre and width of
/// the beta density in log-odds. For small a nearly all mass is at p → 0, where the integrand is
/// s·τ; the difference to s·τ is integrated there instead.
fn quadrature(s: f64, a: f64, b: f64, tau: f64) -> Option<f64> {
    let from_zero = a < MASS_AT_ZERO;
    let left = if from_zero { 1.0 + a } else { a };
    let ln_norm = ln_beta(a, b);
    let (centre, width) = ((a / b).ln(), (1.0 / left + 1.0 / b).sqrt());
    let logit = |v: f64| centre + width * v.sinh();
    let ln_density = |v: f64| left * ln_logistic(logit(v)) + b * ln_logistic(-logit(v));
    let negligible = |v: f64| ln_density(v).max(ln_density(-v)) + v < ln_density(0.0) - TAIL;
    let farthest = (1..MOST_REACH).map(|k| 0.5 * f64::from(k)).find(|v| negligible(*v))?;
    let integrand = |v: f64| {
        let u = logit(v);
        let (ln_p, ln_q) = (ln_logistic(u), ln_logistic(-u));
        let p = ln_p.exp();
        let orders =
            if p > f64::MIN_POSITIVE { -(-s * (p * tau).ln_1p()).exp_m1() / p } else { s * tau };
        let value = if from_zero { s * tau - orders } else { orders };
        let weight = (a * ln_p + b * ln_q - ln_norm).exp() * width * v.cosh();
        if weight > 0.0 { weight * value } else { 0.0 }
    };
    let mut step = 0.5;
    let mut sum = integrand(0.0) + both_tails(&integrand, step, step, farthest);
    for _ in 0..MOST_LEVELS {
        let before = sum * step;
        sum += both_tails(&integrand, step / 2.0, step, farthest);
        step /= 2.0;
        let integral = sum * step;
        let value = if from_zero { s * tau - integral } else { integral };
        if (integral - before).abs() <= HALVING_TOLERANCE * value.abs() {
            return Some(value);
        }
    }
    None
}

/// ln(1 / (1 + e^−u)).
fn ln_logistic(u: f64) -> f64 {
    if u < 0.0 { u - u.exp().ln_1p() } else { -(-u).exp().ln_1p() }
}

/// Σ f(±(start + k·step)) up to `farthest`.
fn both_tails(f: &impl Fn(f64) -> f64, start: f64, step: f64, farthest: f64) -> f64 {
    let mut sum = 0.0;
    let mut v = start;
    while v < farthest {
        sum += f(v) + f(-v);
        v += step;
    }
    sum
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
