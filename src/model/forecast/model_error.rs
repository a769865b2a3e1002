//! How far a forecast can be off because the model is wrong: what forecasts of the past were off by,
//! beyond chance and the errors of the parameters.

use crate::math::tail::chi_squared_limit;
use crate::results::forecast::{ModelError, ModelErrorBasis};

/// Relative error (standard deviation of the logarithm) of a total on real order logs beyond what
/// chance explains: the spread of actual over expected orders in blocks of 13 weeks was 0.12 to 0.24
/// on three logs.
const USUAL: f64 = 0.18;
/// What is usual counts as so many forecasts of the past.
const WEIGHT: f64 = 2.0;
/// Quarters with fewer expected orders say nothing.
const LEAST_EXPECTED: f64 = 20.0;
/// Larger errors are never added: beyond them nothing is known.
const LARGEST: f64 = 1.0;
/// With fewer forecasts of the past a log is short.
const FEWEST: usize = 2;
/// Errors of the past that chance explains less often than this are errors of the model.
const UNLIKELY: f64 = 0.05;

/// A forecast of the past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PastForecast {
    /// Orders that it expected.
    pub expected: f64,
    /// Orders that came.
    pub actual: f64,
}

/// What is known of the model's errors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    /// Forecasts over the longest horizon from earlier days, the latest first.
    pub forecasts: Vec<PastForecast>,
    /// Observed and expected orders in past blocks of about a quarter.
    pub quarters: Vec<[f64; 2]>,
    /// Whether the orders contradict the model.
    pub doubted: bool,
    /// What a change of late adds, as a standard deviation of the logarithm: whether it lasts is not
    /// known.
    pub change: f64,
    /// ln of the yearly factor of order values that the forecast does not know, and the years between
    /// the average order and the middle of the forecast; `None` where prices hold.
    pub prices: Option<(f64, f64)>,
}

impl Past {
    /// The error to add to intervals of totals, as a standard deviation of the logarithm.
    ///
    /// `chance` is the variance of the logarithm of a total of `expected` orders by chance and
    /// parameters alone.
    ///
    /// # Formula
    /// With eₖ = ln(actual/expected) and their variance by chance vₖ = chance·expected/expectedₖ:
    /// τ² = max(0, mean(e² − v)). Where the checks hold and Σ e²/v is no more than chance, τ = 0. A
    /// log too short for two such forecasts takes τ² = (Σ (e² − v)⁺ + 2·0.18²)/(n + 2). Where the
    /// orders contradict the model, the spread of its quarters counts too, τ² grows by 1 + 1/n for
    /// the few forecasts that it is estimated from, and a change of late adds its square.
    pub fn model_error(&self, chance: f64, expected: f64) -> ModelError {
        let errors: Vec<(f64, f64)> = self
            .forecasts
            .iter()
            .filter(|past| past.actual > 0.0 && past.expected > 0.0)
            .map(|past| ((past.actual / past.expected).ln(), chance * expected / past.expected))
            .collect();
        let n = errors.len() as f64;
        let excess = errors.iter().map(|(e, v)| e * e - v).sum::<f64>() / n.max(1.0);
        let excess = excess.max(0.0);
        let likelihood: f64 = errors.iter().map(|(e, v)| e * e / v.max(1e-12)).sum();
        let missed = !errors.is_empty() && likelihood > chi_squared_limit(UNLIKELY, n);
        let usual = USUAL * USUAL;
        let (basis, variance) = if self.doubted {
            let few = 1.0 + 1.0 / n.max(1.0);
            let found = excess.max(self.spread_of_quarters()) * few + self.change.powi(2);
            match errors.len() < FEWEST {
                true => (ModelErrorBasis::Short, found.max(usual)),
                false => (ModelErrorBasis::PastErrors, found),
            }
        } else if errors.len() < FEWEST {
            (ModelErrorBasis::Short, (n * excess + WEIGHT * usual) / (n + WEIGHT))
        } else if missed {
            (ModelErrorBasis::PastErrors, excess * (1.0 + 1.0 / n))
        } else {
            (ModelErrorBasis::Held, 0.0)
        };
        let prices = self.prices.map(|(log_yearly, years)| log_yearly * years);
        let prices = prices.map(|log| log.clamp(-LARGEST, LARGEST));
        let orders = variance.sqrt().min(LARGEST);
        ModelError {
            basis,
            orders,
            revenue: Some(orders.hypot(prices.unwrap_or(0.0))),
            prices,
            past_forecasts: errors.len() as u32,
        }
    }

    /// Variance of ln(observed/expected) over quarters, beyond that of Poisson counts.
    fn spread_of_quarters(&self) -> f64 {
        let told: Vec<(f64, f64)> = self
            .quarters
            .iter()
            .filter(|[_, expected]| *expected > LEAST_EXPECTED)
            .map(|[observed, expected]| (((observed + 0.5) / expected).ln(), 1.0 / expected))
            .collect();
        let n = told.len() as f64;
        if told.len() < 2 {
            return 0.0;
        }
        let mean = told.iter().map(|(log, _)| log).sum::<f64>() / n;
        let variance = told.iter().map(|(log, _)| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (variance - told.iter().map(|(_, chance)| chance).sum::<f64>() / n).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(pairs: &[(f64, f64)], doubted: bool) -> Past {
        let one =
            |(actual, expected): &(f64, f64)| PastForecast { actual: *actual, expected: *expected };
        let forecasts = pairs.iter().map(one).collect();
        Past { forecasts, doubted, ..Past::default() }
    }

    fn close(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= 1e-12 + 1e-9 * expected.abs()
    }

    #[test]
    fn a_model_that_held_adds_nothing() {
        let error = past(&[(102.0, 100.0), (99.0, 100.0)], false).model_error(0.01, 100.0);
        assert_eq!((error.basis, error.orders), (ModelErrorBasis::Held, 0.0));
    }

    /// Two forecasts that were off by ±50 %, with 10 % by chance: τ² = ln²1.5 − 0.01, 1.5 times that for
    /// n = 2.
    #[test]
    fn past_errors_beyond_chance_are_added() {
        let pairs = [(150.0, 100.0), (100.0, 150.0)];
        let error = past(&pairs, false).model_error(0.01, 100.0);
        let square = 1.5f64.ln().powi(2);
        let chance = (0.01 + 0.01 * 100.0 / 150.0) / 2.0;
        assert_eq!(error.basis, ModelErrorBasis::PastErrors);
        assert!(close(error.orders.powi(2), 1.5 * (square - chance)), "{error:?}");
    }

    #[test]
    fn a_short_log_takes_what_is_usual() {
        let none = past(&[], false).model_error(0.01, 100.0);
        assert_eq!(none.basis, ModelErrorBasis::Short);
        assert!(close(none.orders, USUAL), "{none:?}");
        // One forecast that was right counts as a third.
        let one = past(&[(100.0, 100.0)], false).model_error(0.01, 100.0);
        assert!(close(one.orders, USUAL * (2.0f64 / 3.0).sqrt()), "{one:?}");
    }

    #[test]
    fn contradicted_models_take_the_spread_of_their_quarters() {
        let mut past = past(&[(100.0, 100.0), (100.0, 100.0)], true);
        past.quarters = vec![[1.2e9, 1e9], [1e9, 1.2e9]];
        let error = past.model_error(0.01, 100.0);
        // Two logarithms at ±ln 1.2: variance 2·ln²1.2, less a little chance; 1.5 times that for n = 2.
        let spread = 2.0 * 1.2f64.ln().powi(2) - (1e-9 + 1e-9 / 1.2) / 2.0;
        assert!(close(error.orders.powi(2), 1.5 * spread), "{error:?}");
    }

    #[test]
    fn prices_widen_revenue_only() {
        let mut past = past(&[(100.0, 100.0), (100.0, 100.0)], false);
        past.prices = Some((0.2, 1.5));
        let error = past.model_error(0.01, 100.0);
        assert_eq!(error.orders, 0.0);
        assert!(close(error.revenue.expect("money"), 0.3), "{error:?}");
    }
}
