//! Log-gamma, digamma and log-sum-exp.

use std::f64::consts::PI;

pub use statrs::function::gamma::{digamma, ln_gamma};

/// From this argument on, the first five terms of Stirling's series are exact to rounding.
const STIRLING_FROM: f64 = 16.0;

/// Logarithm of the rising factorial (Pochhammer symbol), ln Γ(c + x)/Γ(c), exact for large c too.
///
/// The difference of two log-gammas loses its digits when c is large, and the rounding errors
/// would make a parameter that runs to infinity look like a better fit.
///
/// # Formula
/// ln Γ(c + x) − ln Γ(c). For large c, with Stirling's series S:
/// (c − ½)·ln(1 + x/c) + x·ln(c + x) − x + S(c+x) − S(c).
///
/// # Domain
/// c > 0, x ≥ 0.
///
/// # Reference
/// Abramowitz & Stegun (1964), equations 6.1.22 and 6.1.41.
pub fn ln_rising(c: f64, x: f64) -> f64 {
    if c < STIRLING_FROM {
        return ln_gamma(c + x) - ln_gamma(c);
    }
    (c - 0.5) * (x / c).ln_1p() + x * (c + x).ln() - x
        + (stirling_series(c + x) - stirling_series(c))
}

/// S(z) = ln Γ(z) − (z − ½) ln z + z − ½ ln 2π, for z from [`STIRLING_FROM`] on.
fn stirling_series(z: f64) -> f64 {
    let w = 1.0 / (z * z);
    (1.0 / 12.0 + w * (-1.0 / 360.0 + w * (1.0 / 1260.0 + w * (-1.0 / 1680.0 + w / 1188.0)))) / z
}

/// The error of Stirling's formula for ln z!.
///
/// # Formula
/// ln Γ(z+1) − (z + ½) ln z + z − ½ ln 2π
///
/// # Domain
/// z > 0.
///
/// # Reference
/// Abramowitz & Stegun (1964), equation 6.1.41.
pub fn stirling_error(z: f64) -> f64 {
    if z < STIRLING_FROM {
        return ln_gamma(z + 1.0) - (z + 0.5) * z.ln() + z - 0.5 * (2.0 * PI).ln();
    }
    stirling_series(z)
}

/// ψ(c + x) − ψ(c): the derivative of [`ln_rising`] in c, without cancellation for large c.
///
/// # Formula
/// For large c: ln(1 + x/c) + x/(2c(c+x)) − (R(c+x) − R(c)), where R(z) is the asymptotic series
/// of ln z − 1/(2z) − ψ(z).
///
/// # Domain
/// c > 0, x ≥ 0.
///
/// # Reference
/// Abramowitz & Stegun (1964), equation 6.3.18.
pub fn digamma_rise(c: f64, x: f64) -> f64 {
    if c < STIRLING_FROM {
        return digamma(c + x) - digamma(c);
    }
    let rest = |z: f64| {
        let w = 1.0 / (z * z);
        w * (1.0 / 12.0
            + w * (-1.0 / 120.0 + w * (1.0 / 252.0 + w * (-1.0 / 240.0 + w * (1.0 / 132.0)))))
    };
    (x / c).ln_1p() + x / (2.0 * c * (c + x)) - (rest(c + x) - rest(c))
}

/// ln(eᵃ + eᵇ) without overflow (log-sum-exp), and the share eᵇ / (eᵃ + eᵇ) of the second term.
///
/// # Formula
/// max(a, b) + ln(1 + e^−|a − b|)
///
/// # Domain
/// Any two numbers of which at most one is −∞.
pub fn log_add_exp_with_share(a: f64, b: f64) -> (f64, f64) {
    // e^−40 is below the rounding of 1, so the smaller term adds nothing.
    const NOTHING: f64 = 40.0;
    let difference = b - a;
    if difference < -NOTHING {
        return (a, 0.0);
    }
    if difference > NOTHING {
        return (b, 1.0);
    }
    let small_over_large = (-difference.abs()).exp();
    let share_of_smaller = small_over_large / (1.0 + small_over_large);
    let sum = a.max(b) + (1.0 + small_over_large).ln();
    (sum, if difference > 0.0 { 1.0 - share_of_smaller } else { share_of_smaller })
}

/// Logarithm of the logistic function, exact for large |u|.
///
/// # Formula
/// ln(1 / (1 + e^−u)) = −ln(1 + e^−u) = u − ln(1 + eᵘ)
///
/// # Domain
/// Any number.
pub fn ln_logistic(u: f64) -> f64 {
    // The form whose exponential is at most 1, so that nothing overflows.
    if u < 0.0 { u - u.exp().ln_1p() } else { -(-u).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_add_exp_is_exact_where_the_plain_form_overflows() {
        let (sum, share) = log_add_exp_with_share(1000.0, 1000.0);
        // ln(2 e^1000) = 1000 + ln 2.
        assert!((sum - (1000.0 + std::f64::consts::LN_2)).abs() < 1e-12);
        assert_eq!(share, 0.5);
    }

    #[test]
    fn rising_factorials() {
        // mpmath 1.3, 50 digits: loggamma(c+x) - loggamma(c) and digamma(c+x) - digamma(c).
        for (c, x, ln_ratio, digammas) in [
            (15.5, 3.0, 8.406_401_285_761_204, 0.182_265_046_781_175_8),
            (16.5, 3.0, 8.583_331_993_920_282, 0.171_802_971_802_971_8),
            (40.25, 100_000.0, 1_051_643.560_490_100_4, 7.830_686_677_546_634),
            (3.0e10, 7.0, 168.871_242_530_959_97, 2.333_333_333_1e-10),
            (1.0e17, 48.0, 1_878.909_435_883_141_3, 4.8e-16),
        ] {
            assert!((ln_rising(c, x) / ln_ratio - 1.0).abs() < 2e-15, "{c} {x}");
            assert!((digamma_rise(c, x) / digammas - 1.0).abs() < 2e-14, "{c} {x}");
        }
    }

    #[test]
    fn an_impossible_term_has_no_share() {
        let (sum, share) = log_add_exp_with_share(-3.0, f64::NEG_INFINITY);
        assert_eq!((sum, share), (-3.0, 0.0));
    }
}
