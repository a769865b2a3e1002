//! Log-gamma, digamma, log-beta and log-sum-exp.

pub use statrs::function::gamma::{digamma, ln_gamma};

/// Logarithm of the beta function.
///
/// # Formula
/// ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b)
///
/// # Domain
/// a > 0, b > 0.
///
/// # Reference
/// Abramowitz & Stegun (1964), equation 6.2.2.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// ln(eᵃ + eᵇ) without overflow, and the share eᵇ / (eᵃ + eᵇ) of the second term.
///
/// # Formula
/// max(a, b) + ln(1 + e^−|a − b|)
///
/// # Domain
/// Any two numbers of which at most one is −∞.
pub fn log_add_exp_with_share(a: f64, b: f64) -> (f64, f64) {
    let small_over_large = (-(a - b).abs()).exp();
    let share_of_smaller = small_over_large / (1.0 + small_over_large);
    let sum = a.max(b) + small_over_large.ln_1p();
    let share_of_b = if b > a {
        1.0 - share_of_smaller
    } else {
        share_of_smaller
    };
    (sum, share_of_b)
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
    fn an_impossible_term_has_no_share() {
        let (sum, share) = log_add_exp_with_share(-3.0, f64::NEG_INFINITY);
        assert_eq!((sum, share), (-3.0, 0.0));
    }

    #[test]
    fn log_beta_of_small_integers() {
        // B(2, 3) = 1!·2!/4! = 1/12 (Abramowitz & Stegun 6.2.2).
        assert!((ln_beta(2.0, 3.0) + 12f64.ln()).abs() < 1e-14);
    }
}
