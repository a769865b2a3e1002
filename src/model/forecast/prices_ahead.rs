//! How the values of orders go on after the observation end.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Days per year.
const YEAR: f64 = 365.25;
/// The random stream of the price level; others are for parameters and customers.
const STREAM: u64 = u64::MAX - 2;

/// The prices of the forecast. By default they stay, and nothing about them is uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PricesAhead {
    /// ln of the yearly factor with which they go on; 0 where they stay.
    pub log_yearly: f64,
    /// Whether they go on.
    pub goes_on: bool,
    /// Standard error of ln of the yearly factor; 0 where it is given.
    pub error: f64,
    /// Mean age in years of the orders that were brought to the money of the end by it.
    pub mean_age: f64,
}

impl PricesAhead {
    /// The mean factor of prices between two times in days after the end, over orders that come evenly.
    ///
    /// # Formula
    /// (e^(g·t₂) − e^(g·t₁)) / (g·(t₂ − t₁)), with g = ln(yearly)/365.25; 1 where prices stay.
    pub fn mean_factor(&self, from: f64, to: f64) -> f64 {
        let rate = self.log_yearly / YEAR;
        let width = rate * (to - from);
        if rate == 0.0 {
            1.0
        } else if width.abs() < 1e-9 {
            (rate * from).exp()
        } else {
            (rate * from).exp() * width.exp_m1() / width
        }
    }

    /// One course of prices per draw.
    ///
    /// # Formula
    /// With z standard normal: values in the money of the end are off by e^(z·s·age), because the factor
    /// brought them there; and where prices go on, ln(yearly) + z·s takes the place of ln(yearly).
    pub(crate) fn draws(&self, count: usize, seed: u64) -> Vec<Course> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(STREAM);
        let mut draw = || {
            let z: f64 = if self.error > 0.0 { StandardNormal.sample(&mut rng) } else { 0.0 };
            let own = if self.goes_on { self.log_yearly + z * self.error } else { 0.0 };
            Course { level: (z * self.error * self.mean_age).exp(), rate: own / YEAR }
        };
        (0..count).map(|_| draw()).collect()
    }
}

/// The prices of one draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Course {
    /// Factor of all values.
    level: f64,
    /// ln of the factor of a day.
    rate: f64,
}

impl Course {
    /// The factor of a value so many days after the end.
    pub(crate) fn at(self, day: f64) -> f64 {
        if self.rate == 0.0 { self.level } else { self.level * (self.rate * day).exp() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) -> bool {
        (value / expected - 1.0).abs() < 1e-12
    }

    /// Over a year at +40 %: 0.4 / ln 1.4; over no time, the factor of that moment.
    #[test]
    fn the_mean_of_a_rising_price() {
        let rising = PricesAhead { log_yearly: 1.4f64.ln(), goes_on: true, ..Default::default() };
        assert!(close(rising.mean_factor(0.0, 365.25), 0.4 / 1.4f64.ln()));
        assert!(close(rising.mean_factor(730.5, 730.5), 1.96));
        assert!(close(rising.mean_factor(365.25, 730.5), 1.4 * 0.4 / 1.4f64.ln()));
        assert_eq!(PricesAhead::default().mean_factor(0.0, 99.0), 1.0);
    }

    /// The spread of ln is the error times the age of the orders, and the time ahead where prices go on:
    /// 0.02·1.5 and 0.02·(1.5 + 1), to 10 % with 2,000 draws (its own error is 1.6 %).
    #[test]
    fn the_error_of_the_factor_is_drawn() {
        let ahead =
            PricesAhead { log_yearly: 1.4f64.ln(), goes_on: true, error: 0.02, mean_age: 1.5 };
        let spread = |ahead: PricesAhead, day: f64, middle: f64| {
            let draws = ahead.draws(2_000, 1);
            let squares = draws.iter().map(|course| (course.at(day).ln() - middle).powi(2));
            (squares.sum::<f64>() / 2_000.0).sqrt()
        };
        assert!((spread(ahead, 0.0, 0.0) / 0.03 - 1.0).abs() < 0.1);
        assert!((spread(ahead, 365.25, 1.4f64.ln()) / 0.05 - 1.0).abs() < 0.1);
        let stays = PricesAhead { log_yearly: 0.0, goes_on: false, ..ahead };
        assert!((spread(stays, 365.25, 0.0) / 0.03 - 1.0).abs() < 0.1);
        let known = PricesAhead::default().draws(3, 1);
        assert!(known.iter().all(|course| course.at(500.0) == 1.0));
    }
}
