//! Probabilities beyond a value, and the value beyond which a probability lies.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// P(χ² ≥ value) with `degrees` degrees of freedom; 1 without any degree.
pub fn chi_squared_beyond(value: f64, degrees: f64) -> f64 {
    match ChiSquared::new(degrees) {
        Ok(distribution) => distribution.sf(value.max(0.0)),
        Err(_) => 1.0,
    }
}

/// The value that χ² with `degrees` degrees of freedom exceeds with this probability; 0 without any
/// degree.
pub fn chi_squared_limit(probability: f64, degrees: f64) -> f64 {
    match ChiSquared::new(degrees) {
        Ok(distribution) => distribution.inverse_cdf(1.0 - probability),
        Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Abramowitz & Stegun (1964), table 26.8.
    #[test]
    fn tabulated_points() {
        for (probability, degrees, value) in
            [(0.05, 1.0, 3.84146), (0.001, 5.0, 20.5150), (0.001, 30.0, 59.7031)]
        {
            assert!((chi_squared_limit(probability, degrees) / value - 1.0).abs() < 2e-6);
            assert!((chi_squared_beyond(value, degrees) / probability - 1.0).abs() < 1e-4);
        }
        assert_eq!((chi_squared_beyond(3.0, 0.0), chi_squared_limit(0.1, 0.0)), (1.0, 0.0));
    }
}
