//! The time between orders: the model says that the next order can come at any moment. Regular
//! buyers wait longer before the next order than that, and those who buy in bursts wait less.

use crate::customers::OrderPath;
use crate::math::tail::chi_squared_limit;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::checks::SIGNIFICANT;
use crate::model::checks::intensity::walk;
use crate::model::purchase_model::PurchaseModel;

/// Edges of bins of Λ since the last order; the last bin is open. Where the model is right, Λ up to
/// the next order is exponential with mean 1, whatever the customer's rate.
const EDGES: [f64; 5] = [0.0, 0.15, 0.4, 0.9, 1.8];
/// Deviations below this share change no plan, however certain they are.
const LEAST_SHARE: f64 = 0.15;
/// Waits are not looked at where an order is this likely on the next day: a log of days cannot tell
/// how long such waits are, and two orders on one day count as one.
const TOO_SOON: f64 = 0.05;
/// Fewer expected orders in a bin are too few for χ².
const LEAST_EXPECTED: f64 = 10.0;

/// Orders by Λ since the order before.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    /// Observed and expected orders in each bin, soon after the last order first.
    pub bins: Vec<[f64; 2]>,
    /// Σ (observed − expected)²/expected.
    pub statistic: f64,
    /// χ² above this is not chance.
    pub limit: f64,
}

impl Waits {
    /// Whether the deviation is neither chance nor too small to matter.
    pub fn rejected(&self) -> bool {
        let large = |[observed, expected]: &[f64; 2]| {
            *expected > LEAST_EXPECTED && (observed / expected - 1.0).abs() > LEAST_SHARE
        };
        self.statistic > self.limit && self.bins.iter().any(large)
    }

    /// Orders soon after the last one, as a multiple of what the model expects.
    pub fn soon(&self) -> f64 {
        let [observed, expected] =
            self.bins[..2].iter().fold([0.0; 2], |sum, b| [sum[0] + b[0], sum[1] + b[1]]);
        observed / expected
    }
}

/// Orders by time since the order before, against the model. Waits end at `end`.
///
/// Returns `None` where too few orders are expected.
///
/// # Formula
/// Time is measured by Λ, the compensator of [`walk`]. In the bin (l, h] of Λ since the last order,
/// the expected number is the time that customers spent in the bin: Σ |(l, h] ∩ (0, Λ at the next
/// order or the end]|. As the counts are martingales with Poisson variance, Σ (O − E)²/E is χ² with
/// one degree a bin.
pub fn waits(
    model: &PurchaseModel,
    paths: &[OrderPath],
    end: i32,
    time: &OperationalTime,
) -> Option<Waits> {
    let mut bins = vec![[0.0; 2]; EDGES.len()];
    for path in paths {
        walk(model, path, &[], end, time, |step| {
            if step.first_day > TOO_SOON || step.after == step.until {
                return;
            }
            let until = step.waited + step.expected;
            for (i, bin) in bins.iter_mut().enumerate() {
                let high = EDGES.get(i + 1).copied().unwrap_or(f64::INFINITY);
                bin[1] += (until.min(high) - EDGES[i]).max(0.0);
            }
            let at = EDGES.partition_point(|edge| *edge < until).max(1) - 1;
            // Several orders of one day are one event: a log of days has no waits between them.
            bins[at][0] += step.orders.min(1.0);
        });
    }
    if bins.iter().map(|bin| bin[1]).sum::<f64>() < 5.0 * LEAST_EXPECTED {
        return None;
    }
    let told = || bins.iter().filter(|bin| bin[1] > LEAST_EXPECTED);
    let statistic = told().map(|[o, e]| (o - e).powi(2) / e).sum();
    let limit = chi_squared_limit(SIGNIFICANT, told().count() as f64);
    Some(Waits { bins, statistic, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::OrderDay;
    use crate::model::nbd::Nbd;
    use crate::model::testing::even;
    use crate::settings::TimeUnit;

    fn path(days: &[i32]) -> OrderPath {
        days.iter().map(|day| OrderDay { day: *day, orders: 1.0, value: 1.0 }).collect()
    }

    /// With r and α so large that each customer orders once in 100 days, Λ is days/100: 500 customers
    /// who all order after 50 days, and then stay silent for 70.
    #[test]
    fn bins_by_hand() {
        let model = PurchaseModel::Nbd(Nbd { r: 1e9, alpha: 1e11 });
        let paths = vec![path(&[0, 50]); 500];
        let found = waits(&model, &paths, 120, even(TimeUnit::Day)).expect("enough orders");
        // Up to Λ = 0.5 and up to 0.7, in bins that end at 0.15, 0.4, 0.9 and 1.8.
        let expected = [0.3, 0.5, 0.1 + 0.3, 0.0, 0.0].map(|time| 500.0 * time);
        for (bin, expected) in found.bins.iter().zip(expected) {
            assert!((bin[1] - expected).abs() < 1e-4, "{found:?}");
        }
        let observed: Vec<f64> = found.bins.iter().map(|bin| bin[0]).collect();
        assert_eq!(observed, [0.0, 0.0, 500.0, 0.0, 0.0]);
        let statistic = 150.0 + 250.0 + 300.0f64.powi(2) / 200.0;
        assert!((found.statistic / statistic - 1.0).abs() < 1e-6, "{found:?}");
        assert!(found.rejected() && found.soon() == 0.0);
    }

    #[test]
    fn what_a_log_of_days_cannot_tell_is_left_out() {
        // An order every other day: whether two came on one day is not known.
        let model = PurchaseModel::Nbd(Nbd { r: 1e9, alpha: 2e9 });
        assert_eq!(waits(&model, &vec![path(&[0, 2, 4]); 500], 6, even(TimeUnit::Day)), None);
    }
}
