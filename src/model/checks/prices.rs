//! Order values over time: whether the same customers pay more every year.

use crate::customers::OrderPath;
use crate::math::tail::chi_squared_limit;
use crate::model::checks::SIGNIFICANT;

/// Days per year.
const YEAR: f64 = 365.25;
/// Fewer customers with values on several days say nothing.
const FEWEST: usize = 50;
/// Slower changes change no plan, however certain they are: a share a year.
const LEAST: f64 = 0.03;

/// The yearly change of order values within customers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriceTrend {
    /// ln of the yearly factor.
    pub log_yearly: f64,
    /// Its standard error.
    pub error: f64,
    /// |log_yearly| above this is not chance.
    pub limit: f64,
    /// Mean age of an order in years, at the end.
    pub mean_age: f64,
}

impl PriceTrend {
    /// Whether the change is neither chance nor too small to matter.
    pub fn rejected(&self) -> bool {
        self.log_yearly.abs() > self.limit.max(LEAST.ln_1p())
    }

    /// 0.2 is +20 % a year.
    pub fn yearly(&self) -> f64 {
        self.log_yearly.exp_m1()
    }
}

/// The yearly change of order values within customers, over orders up to the day `end`.
///
/// Returns `None` where too few customers have orders on several days.
///
/// # Formula
/// ln(value) = c + g·t with an own c for each customer: g = Σ (t − t̄)(y − ȳ) / Σ (t − t̄)², sums over
/// the orders of a customer, then over customers. Its error allows for orders of a customer that
/// depend on each other: √Σ (Σ (t − t̄)(y − ȳ − g(t − t̄)))² / Σ (t − t̄)².
///
/// # Reference
/// Arellano (1987), Oxford Bulletin of Economics and Statistics 49(4) (the error).
pub fn price_trend(paths: &[OrderPath], end: i32) -> Option<PriceTrend> {
    // Of each customer: Σ (t − t̄)(y − ȳ) and Σ (t − t̄)².
    let (mut sums, mut ages, mut orders) = (Vec::new(), 0.0, 0.0);
    for path in paths {
        let paid: Vec<(f64, f64)> = path
            .iter()
            .filter(|order| order.day <= end && order.value > 0.0 && order.orders > 0.0)
            .map(|order| (f64::from(order.day - end) / YEAR, (order.value / order.orders).ln()))
            .collect();
        let n = paid.len() as f64;
        ages -= paid.iter().map(|(t, _)| t).sum::<f64>();
        orders += n;
        if n < 2.0 {
            continue;
        }
        let [t_mean, y_mean] =
            [paid.iter().map(|p| p.0).sum::<f64>() / n, paid.iter().map(|p| p.1).sum::<f64>() / n];
        let both = paid.iter().map(|(t, y)| (t - t_mean) * (y - y_mean)).sum::<f64>();
        sums.push((both, paid.iter().map(|(t, _)| (t - t_mean).powi(2)).sum::<f64>()));
    }
    let time: f64 = sums.iter().map(|(_, square)| square).sum();
    if sums.len() < FEWEST || time <= 0.0 {
        return None;
    }
    let slope = sums.iter().map(|(both, _)| both).sum::<f64>() / time;
    let residual = sums.iter().map(|(both, square)| (both - slope * square).powi(2)).sum::<f64>();
    let error = residual.sqrt() / time;
    let limit = chi_squared_limit(SIGNIFICANT, 1.0).sqrt() * error;
    Some(PriceTrend { log_yearly: slope, error, limit, mean_age: ages / orders.max(1.0) })
}
