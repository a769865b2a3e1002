//! Customers by frequency, and by time since the last order, against what the fitted model expects.

use crate::math::tail::chi_squared_limit;
use crate::model::checks::SIGNIFICANT;
use crate::results::chart_data::FitBin;

/// Neighbouring bins are put together until each expects at least so many customers.
const LEAST_EXPECTED: f64 = 5.0;
/// Cohen's w, √(χ²/n), below which deviations change no plan, however certain they are: what Cohen
/// (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 7, calls a small effect.
const LEAST_SIZE: f64 = 0.1;

/// Observed and expected customers, compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountFit {
    /// Σ (observed − expected)² / variance.
    pub statistic: f64,
    /// Bins but one.
    pub degrees: f64,
    /// χ² above this is not chance.
    pub limit: f64,
    /// √(χ²/n): how large the deviations are.
    pub size: f64,
    /// The bin that adds most: its lower and upper edge (open: none), observed and expected
    /// customers.
    pub worst: (f64, Option<f64>, f64, f64),
}

impl CountFit {
    /// Whether the deviation is neither chance nor too small to matter.
    pub fn rejected(&self) -> bool {
        self.statistic > self.limit && self.size > LEAST_SIZE
    }
}

/// Compares the bins of a fit chart. Returns `None` with fewer than two bins.
///
/// # Formula
/// Σ (O − E)²/(E + s²), where s² is the variance of the simulation that E comes from. Parameters
/// were estimated from the same customers, so that the reference lies between χ² with (bins − 1) and
/// with (bins − 1 − parameters) degrees (Chernoff & Lehmann 1954, Annals of Mathematical Statistics
/// 25(3)): the first is taken, which rejects less.
pub fn count_fit(bins: &[FitBin]) -> Option<CountFit> {
    let merged = merged(bins);
    let customers: f64 = merged.iter().map(|bin| bin.observed).sum();
    let add = |bin: &Merged| (bin.observed - bin.expected).powi(2) / (bin.expected + bin.variance);
    let worst = merged.iter().max_by(|a, b| add(a).total_cmp(&add(b)))?;
    let degrees = merged.len() as f64 - 1.0;
    if degrees < 1.0 || customers <= 0.0 {
        return None;
    }
    let statistic: f64 = merged.iter().map(add).sum();
    Some(CountFit {
        statistic,
        degrees,
        limit: chi_squared_limit(SIGNIFICANT, degrees),
        size: (statistic / customers).sqrt(),
        worst: (worst.from, worst.to, worst.observed, worst.expected),
    })
}

struct Merged {
    from: f64,
    to: Option<f64>,
    observed: f64,
    expected: f64,
    variance: f64,
}

fn merged(bins: &[FitBin]) -> Vec<Merged> {
    let mut merged: Vec<Merged> = Vec::new();
    for bin in bins {
        let (observed, expected, variance) = (bin.observed as f64, bin.expected, bin.variance);
        match merged.last_mut() {
            // The bin before is still too small: this one joins it.
            Some(last) if last.expected < LEAST_EXPECTED => {
                last.to = bin.to;
                last.observed += observed;
                last.expected += expected;
                last.variance += variance;
            }
            _ => merged.push(Merged { from: bin.from, to: bin.to, observed, expected, variance }),
        }
    }
    // What is left at the end joins the bin before it.
    if merged.len() > 1
        && let Some(rest) = merged.pop_if(|bin| bin.expected < LEAST_EXPECTED)
        && let Some(last) = merged.last_mut()
    {
        last.to = rest.to;
        last.observed += rest.observed;
        last.expected += rest.expected;
        last.variance += rest.variance;
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(from: f64, observed: u64, expected: f64) -> FitBin {
        FitBin { from, to: Some(from + 1.0), observed, expected, variance: 0.0 }
    }

    /// 10²/100 + 10²/50 on one degree; a third bin of 3 expected customers joins the second.
    #[test]
    fn three_bins_by_hand() {
        let bins = [bin(0.0, 110, 100.0), bin(1.0, 40, 47.0), bin(2.0, 0, 3.0)];
        let fit = count_fit(&bins).expect("two bins");
        assert!((fit.statistic - 3.0).abs() < 1e-12, "{fit:?}");
        assert_eq!((fit.degrees, fit.worst), (1.0, (1.0, Some(3.0), 40.0, 50.0)));
        assert!((fit.size - (3.0f64 / 150.0).sqrt()).abs() < 1e-12);
        assert!(!fit.rejected());
        // A hundred times as many customers: certain, and large enough to matter.
        let many = [bin(0.0, 12_000, 10_000.0), bin(1.0, 3_000, 5_000.0)];
        assert!(count_fit(&many).is_some_and(|fit| fit.rejected()));
        // Certain, but too small to matter.
        let small = [bin(0.0, 1_040_000, 1_000_000.0), bin(1.0, 460_000, 500_000.0)];
        let fit = count_fit(&small).expect("two bins");
        assert!(fit.statistic > fit.limit && !fit.rejected(), "{fit:?}");
        assert_eq!(count_fit(&[bin(0.0, 5, 5.0)]), None);
    }

    #[test]
    fn what_is_simulated_is_not_exact() {
        let mut bins = [bin(0.0, 110, 100.0), bin(1.0, 40, 50.0)];
        bins[0].variance = 100.0;
        let fit = count_fit(&bins).expect("two bins");
        assert!((fit.statistic - 2.5).abs() < 1e-12, "{fit:?}");
    }
}
