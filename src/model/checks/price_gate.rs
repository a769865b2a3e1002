//! Whether a price level makes forecasts of order values better: forecasts from earlier days of the
//! log, with values as they were paid and with values in the money of that day.

use crate::customers::{OrderDay, OrderPath};
use crate::model::checks::prices::{LEAST_DAYS, PriceTrend, price_trend};
use crate::model::fit::credibility::credibility;
use crate::model::gamma_gamma::GammaGamma;
use crate::results::price_level::{PastValues, PriceEstimate, PriceLevel, PriceRefusal};

/// Days of a log with two whole years, but for leap days.
pub const TWO_YEARS: i32 = 730;
/// Days of the forecasts of the past.
const HALF_YEAR: i32 = 182;
/// Most forecasts of the past.
const MOST: i32 = 5;
/// Fewer orders after a cut say nothing.
const LEAST_ORDERS: f64 = 50.0;

/// The yearly factor of order values, if it is to be used; and what was found on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The factor within customers.
    pub estimate: Option<PriceEstimate>,
    /// Forecasts of the past without it and with it.
    pub past: Option<PastValues>,
    /// Why it is not used; `None` where it is.
    pub refused: Option<PriceRefusal>,
}

impl From<PriceTrend> for PriceEstimate {
    fn from(trend: PriceTrend) -> Self {
        Self {
            yearly: trend.log_yearly.exp(),
            standard_error: trend.error,
            limit: trend.limit,
            mean_age: trend.mean_age,
        }
    }
}

/// Whether the yearly factor of order values within customers is used, in a log that begins on the day
/// `first` and ends on `end` (days since 1970-01-01).
///
/// It is where the log has two whole years, the factor is neither chance nor below 3 % a year, and the
/// forecasts of the past are better with it, each with the factor that was known on its day.
pub fn price_gate(paths: &[OrderPath], first: i32, end: i32) -> Gate {
    let closed = |refused| Gate { estimate: None, past: None, refused: Some(refused) };
    if end - first < TWO_YEARS {
        return closed(PriceRefusal::NeedsTwoYears);
    }
    let Some(trend) = price_trend(paths, end) else { return closed(PriceRefusal::TooFew) };
    let estimate = Some(PriceEstimate::from(trend));
    if !trend.rejected() {
        return Gate { estimate, ..closed(PriceRefusal::NoChange) };
    }
    let known = |cut| price_trend(paths, cut).map(|then| PriceLevel::even(then.log_yearly.exp()));
    let past = past_values(paths, end, &known);
    let refused = match past {
        None => Some(PriceRefusal::TooFew),
        Some(past) if past.corrected >= past.plain => Some(PriceRefusal::NotBetter),
        Some(_) => None,
    };
    Gate { estimate, past, refused }
}

/// Forecasts of the value of orders from earlier days, without a price level and with the one that was
/// `known` on that day.
///
/// Returns `None` when the log is too short for one, or has too few orders.
///
/// # Formula
/// From each of up to five days, half a year apart and with a year of log before it: the value of the
/// orders of the half-year after it, by customers known on the day, against Σ n·E\[M\] over them, n
/// their number of these orders. E\[M\] is the credibility estimate from a customer's mean value so
/// far. Numbers of orders are those that came, so that the error is that of the values alone:
/// ln(actual/forecast), and the root of its mean square over days.
pub fn past_values(
    paths: &[OrderPath],
    end: i32,
    known: &dyn Fn(i32) -> Option<PriceLevel>,
) -> Option<PastValues> {
    let first = paths.iter().filter_map(|path| Some(path.first()?.day)).min()?;
    let cuts = (1..=MOST).map(|k| end - k * HALF_YEAR).take_while(|cut| cut - first >= LEAST_DAYS);
    let errors: Vec<[f64; 2]> = cuts
        .filter_map(|cut| {
            let level = known(cut)?;
            let plain = error(paths, cut, &|_| 1.0)?;
            Some([plain, error(paths, cut, &|day| level.factor(day, cut))?])
        })
        .collect();
    let n = errors.len() as f64;
    let mean = |k: usize| (errors.iter().map(|error| error[k].powi(2)).sum::<f64>() / n).sqrt();
    (n > 0.0).then(|| PastValues { cuts: errors.len() as u32, plain: mean(0), corrected: mean(1) })
}

/// ln(actual/forecast) of the value of the orders in the half-year after `cut`, from values that are
/// multiplied by a `factor` of their day. Returns `None` for too few orders.
fn error(paths: &[OrderPath], cut: i32, factor: &dyn Fn(i32) -> f64) -> Option<f64> {
    let (mut counts, mut means, mut later) = (Vec::new(), Vec::new(), Vec::new());
    let mut actual = 0.0f64;
    for path in paths {
        let (before, after): (Vec<&OrderDay>, Vec<&OrderDay>) = path
            .iter()
            .filter(|order| order.day <= cut + HALF_YEAR && order.value > 0.0)
            .partition(|order| order.day <= cut);
        if before.is_empty() {
            continue;
        }
        let orders: f64 = before.iter().map(|order| order.orders).sum();
        let value: f64 = before.iter().map(|order| order.value * factor(order.day)).sum();
        counts.push(orders);
        means.push(value / orders);
        later.push(after.iter().map(|order| order.orders).sum::<f64>());
        actual += after.iter().map(|order| order.value).sum::<f64>();
    }
    let model: GammaGamma = credibility(&counts, &means)?;
    let one = |((n, m), later): ((&f64, &f64), &f64)| Some(later * model.expected_value(*n, *m)?);
    let each = counts.iter().zip(&means).zip(&later).map(one);
    let forecast = each.sum::<Option<f64>>()?;
    let enough = later.iter().sum::<f64>() >= LEAST_ORDERS && forecast > 0.0 && actual > 0.0;
    enough.then(|| (actual / forecast).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: i32 = 1461;

    /// Customers who order every 30 days, at prices that grow by `yearly`; a customer's own level and
    /// a small scatter of the values are fixed by position.
    fn paths(yearly: f64, days: i32) -> Vec<OrderPath> {
        let order = |i: i32, day: i32| OrderDay {
            day,
            orders: 1.0,
            value: f64::from(10 + i % 7)
                * (1.0 + 0.1 * (f64::from((day * 37 + i * 11) % 13) / 6.0 - 1.0))
                * yearly.powf(f64::from(day) / 365.25),
        };
        let path = |i: i32| {
            (END - days + i % 30..=END).step_by(30).map(|day| order(i, day)).collect::<OrderPath>()
        };
        (0..120).map(path).collect()
    }

    #[test]
    fn prices_that_rise_open_the_gate() {
        let found = price_gate(&paths(1.4, END), 0, END);
        let estimate = found.estimate.expect("an estimate");
        assert!((estimate.yearly / 1.4 - 1.0).abs() < 0.01, "{estimate:?}");
        assert_eq!(found.refused, None);
        // Cuts after 551, 733, … days: five of them. Orders of the half-year after a cut are dearer by
        // 1.4^¼ than the money of the cut: ln 1.4 / 4 = 0.084. Means are older by half the log.
        let past = found.past.expect("cuts");
        assert_eq!(past.cuts, 5);
        assert!((past.corrected - 1.4f64.ln() / 4.0).abs() < 0.01, "{past:?}");
        assert!(past.plain > 0.3, "{past:?}");
    }

    #[test]
    fn steady_prices_a_short_log_and_few_customers_leave_it_closed() {
        let closed = |paths: &[OrderPath], first| price_gate(paths, first, END).refused;
        assert_eq!(closed(&paths(1.0, END), 0), Some(PriceRefusal::NoChange));
        assert_eq!(closed(&paths(1.4, 700), END - 700), Some(PriceRefusal::NeedsTwoYears));
        assert_eq!(closed(&paths(1.4, END)[..40], 0), Some(PriceRefusal::TooFew));
    }

    /// Prices that rose by half in the first year and hold since: within customers they rise, but from
    /// the last days on a yearly factor makes forecasts worse.
    #[test]
    fn a_rise_that_is_over_leaves_it_closed() {
        let mut all = paths(1.0, END);
        let orders = all.iter_mut().flatten();
        orders.filter(|order| order.day < 250).for_each(|order| order.value /= 1.5);
        let found = price_gate(&all, 0, END);
        assert!(found.estimate.is_some_and(|estimate| estimate.yearly > 1.05), "{found:?}");
        assert_eq!(found.refused, Some(PriceRefusal::NotBetter), "{found:?}");
    }
}
