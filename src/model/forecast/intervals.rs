//! Intervals: how far forecasts can be off. Those of totals come from random draws of parameters
//! and of every customer's orders; those of single customers from the distribution of their orders.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::customers::predictions::CustomerIntervals;
use crate::customers::{Groups, History, Scope};
use crate::error::{Error, Remedy};
use crate::math::linear::cholesky;
use crate::math::quantile::nearest_quantile;
use crate::model::calendar::fitted::CalendarFit;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::fit::purchases::FittedPurchases;
use crate::model::fit::spend::FittedSpend;
use crate::model::forecast::model_error::Past;
use crate::model::forecast::periods::{periods, periods_with};
use crate::model::forecast::predict::Outlook;
use crate::model::forecast::prices_ahead::Course;
use crate::model::gamma_gamma::GammaGamma;
use crate::model::likelihood::covariance::Covariance;
use crate::model::purchase_model::PurchaseModel;
use crate::model::simulation::gamma;
use crate::progress;
use crate::results::forecast::{GroupIntervals, Interval, Intervals, ModelError};
use crate::settings::{Horizon, MonthLength, Uncertainty, UncertaintyMethod};

/// Most counts for which a distribution of orders is computed.
const MOST_ORDERS: u32 = 1 << 20;

/// Intervals for totals.
///
/// # Formula
/// Each draw takes parameters from their normal approximation on the log scale (or from a weighted
/// refit). Then it draws, for each customer, whether the customer is alive, an order rate and a
/// dropout from their posterior distributions, the orders that follow, and the value of each order
/// from Gamma-Gamma, at the prices of its day. A calendar that was estimated is drawn as well. The ends
/// of an interval are quantiles of the totals over the draws. Without a model of order values there are
/// no intervals of money.
///
/// # Errors
/// [`Error::Model`] when there are no parameters to draw.
pub fn total_intervals(
    settings: &Uncertainty,
    purchases: &FittedPurchases,
    spend: Option<&FittedSpend>,
    outlook: &Outlook<'_>,
    groups: &Groups,
) -> Result<Intervals, Error> {
    total_intervals_after(settings, purchases, spend, outlook, groups, None)
}

/// As [`total_intervals`]; widened by what forecasts of the past were off by.
///
/// # Formula
/// The totals of each draw are multiplied by e^(τz), with one standard normal z for the orders of all
/// groups and periods and another one for prices; τ as in [`Past::model_error`].
///
/// # Errors
/// As [`total_intervals`].
pub fn total_intervals_after(
    settings: &Uncertainty,
    purchases: &FittedPurchases,
    spend: Option<&FittedSpend>,
    outlook: &Outlook<'_>,
    groups: &Groups,
    past: Option<&Past>,
) -> Result<Intervals, Error> {
    let models = parameter_draws(settings, purchases, outlook)?;
    let values: Vec<Option<Values>> = match spend {
        Some(spend) => valued_draws(settings, spend)?.into_iter().map(Some).collect(),
        None => vec![None; models.len()],
    };
    // One random stream per draw, so that the draws are the same on any number of cores. Stream 0
    // is for parameters.
    let mut totals: Vec<Totals> = models
        .par_iter()
        .zip(&values)
        .enumerate()
        .map(|(draw, (model, value))| {
            let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
            rng.set_stream(1 + draw as u64);
            let totals = outlook.draw_totals(model, value.as_ref(), groups, &mut rng);
            progress::step(models.len());
            totals
        })
        .collect();
    let horizons = outlook.forecast.horizons.iter().enumerate();
    let farthest = horizons.max_by_key(|(_, horizon)| horizon.months).map_or(0, |(h, _)| h);
    let model_error = past.map(|past| {
        let logs: Vec<f64> = totals.iter().map(|t| t.orders[farthest].max(0.5).ln()).collect();
        let mean = totals.iter().map(|t| t.orders[farthest]).sum::<f64>() / totals.len() as f64;
        let error = past.model_error(variance(&logs), mean);
        let money = |value: Option<f64>| value.filter(|_| spend.is_some());
        ModelError { revenue: money(error.revenue), prices: money(error.prices), ..error }
    });
    if let Some(error) = &model_error {
        widen(&mut totals, error, settings.seed);
    }
    let draws = Draws {
        totals,
        level: settings.level,
        horizons: &outlook.forecast.horizons,
        has_money: spend.is_some(),
    };
    let sizes = groups.sizes(outlook.histories.len());
    let segments =
        groups.names.iter().enumerate().filter(|(_, (scope, _))| *scope == Scope::Segment);
    Ok(Intervals {
        level: settings.level,
        method: settings.method,
        draws: draws.totals.len() as u32,
        spend_parameters_drawn: spend
            .is_some_and(|spend| spend.covariance.as_ref().is_some_and(|c| !c.is_flat())),
        company: draws.group(0, sizes[0]),
        segments: segments.map(|(g, _)| draws.group(g, sizes[g])).collect(),
        model_error,
        periods: draws.periods(),
    })
}

/// Multiplies the totals of each draw by a random error of the model.
fn widen(totals: &mut [Totals], error: &ModelError, seed: u64) {
    let prices = error.prices.unwrap_or(0.0);
    if error.orders == 0.0 && prices == 0.0 {
        return;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::MAX - 1);
    for one in totals {
        let z: [f64; 2] = [StandardNormal.sample(&mut rng), StandardNormal.sample(&mut rng)];
        let orders = (error.orders * z[0]).exp();
        // Prices move one way.
        let revenue = orders * (prices * z[1].abs()).exp();
        // Orders stay whole numbers.
        one.orders.iter_mut().for_each(|total| *total = (*total * orders).round());
        one.lifetime_value.iter_mut().for_each(|total| *total *= revenue);
        one.periods.iter_mut().for_each(|row| {
            *row = [(row[0] * orders).round(), row[1] * revenue];
        });
    }
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)
}

/// The totals of every draw.
struct Draws<'a> {
    totals: Vec<Totals>,
    level: f64,
    horizons: &'a [Horizon],
    /// Whether orders have values.
    has_money: bool,
}

/// The values of orders in one draw: the model, the mean that is used where it has none, and prices.
type Values = (GammaGamma, f64, Course);

impl Draws<'_> {
    /// The interval of one total: quantiles over the draws, not interpolated, so that orders stay
    /// whole numbers.
    fn interval(&self, of: impl Fn(&Totals) -> f64) -> Interval {
        let all: Vec<f64> = self.totals.iter().map(of).collect();
        let tail = (1.0 - self.level) / 2.0;
        let high = nearest_quantile(all.clone(), 1.0 - tail);
        Interval { low: nearest_quantile(all, tail), high }
    }

    /// The intervals of group `g`, which has this number of `customers`.
    fn group(&self, g: usize, customers: f64) -> GroupIntervals {
        // Orders are stored group by group, and within a group horizon by horizon.
        let first = g * self.horizons.len();
        let horizons = self.horizons.iter().enumerate();
        let orders = horizons
            .map(|(h, horizon)| (horizon.months, self.interval(|totals| totals.orders[first + h])));
        GroupIntervals {
            orders: orders.collect(),
            lifetime_value: self
                .has_money
                .then(|| self.interval(|totals| totals.lifetime_value[g])),
            alive: self.interval(|totals| totals.alive[g] / customers.max(1.0)),
        }
    }

    /// The intervals of orders and revenue of each row of the forecast.
    fn periods(&self) -> Vec<[Interval; 2]> {
        let rows = self.totals.first().map_or(0, |totals| totals.periods.len());
        let of_row = |row: usize| [0, 1].map(|k| self.interval(|totals| totals.periods[row][k]));
        (0..rows).map(of_row).collect()
    }
}

/// The parameters of one draw.
struct Drawn {
    model: PurchaseModel,
    /// The time that the calendar of this draw makes; `None` for that of the forecast.
    time: Option<OperationalTime>,
}

impl Drawn {
    /// The history of customer `i` in the time of this draw.
    fn history(&self, outlook: &Outlook<'_>, i: usize) -> History {
        match &self.time {
            None => outlook.histories.get(i),
            Some(time) => time.history(outlook.observed.get(i)),
        }
    }
}

/// One purchase model per draw, with a calendar where that is uncertain too.
fn parameter_draws(
    settings: &Uncertainty,
    purchases: &FittedPurchases,
    outlook: &Outlook<'_>,
) -> Result<Vec<Drawn>, Error> {
    let calendar =
        purchases.calendar.as_ref().and_then(|fit| Some((fit, fit.covariance.as_ref()?)));
    match calendar.filter(|(fit, _)| fit.family == purchases.model.family()) {
        Some((fit, covariance)) if settings.method == UncertaintyMethod::Normal => {
            calendar_draws(settings, fit, covariance, outlook)
        }
        _ => {
            let models = model_draws(settings, purchases, outlook)?;
            let mut times = calendar.map_or(Ok(Vec::new()), |(fit, covariance)| {
                times_alone(settings, fit, covariance, models.len() as u32, outlook)
            })?;
            times.resize_with(models.len(), || None);
            let pairs = models.into_iter().zip(times);
            Ok(pairs.map(|(model, time)| Drawn { model, time }).collect())
        }
    }
}

/// The times of calendars drawn by themselves, where the model that predicts is not the one that they
/// were estimated with.
fn times_alone(
    settings: &Uncertainty,
    fit: &CalendarFit,
    covariance: &Covariance,
    draws: u32,
    outlook: &Outlook<'_>,
) -> Result<Vec<Option<OperationalTime>>, Error> {
    let k = fit.parameters.len();
    let own = covariance.log_scale[k..].iter().map(|row| row[k..].to_vec()).collect();
    let covariance = Covariance { log_scale: own, ..covariance.clone() };
    let factors: Vec<f64> = fit.coefficients.iter().map(|coefficient| coefficient.exp()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    // Not the stream of the parameters, or the two would move together.
    rng.set_stream(u64::MAX - 2);
    let drawn = normal_draws(&factors, &covariance, draws, &mut rng)?;
    Ok(drawn.iter().map(|factors| Some(drawn_time(fit, factors, outlook))).collect())
}

/// The time of a calendar with other factors e^β.
fn drawn_time(fit: &CalendarFit, factors: &[f64], outlook: &Outlook<'_>) -> OperationalTime {
    let coefficients = factors.iter().map(|factor| factor.ln()).collect();
    let calendar = CalendarFit { coefficients, ..fit.clone() };
    outlook.time.with_factors(|first, last| calendar.factors(first, last))
}

/// Models and calendars drawn together.
fn calendar_draws(
    settings: &Uncertainty,
    fit: &CalendarFit,
    covariance: &Covariance,
    outlook: &Outlook<'_>,
) -> Result<Vec<Drawn>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let factors = fit.coefficients.iter().map(|coefficient| coefficient.exp());
    let estimates: Vec<f64> = fit.parameters.iter().copied().chain(factors).collect();
    let draws = normal_draws(&estimates, covariance, settings.draws, &mut rng)?;
    let one = |drawn: &Vec<f64>| {
        let (theta, factors) = drawn.split_at(fit.parameters.len());
        Drawn { model: fit.family.model(theta), time: Some(drawn_time(fit, factors, outlook)) }
    };
    Ok(draws.par_iter().map(one).collect())
}

fn model_draws(
    settings: &Uncertainty,
    purchases: &FittedPurchases,
    outlook: &Outlook<'_>,
) -> Result<Vec<PurchaseModel>, Error> {
    if settings.method == UncertaintyMethod::Bootstrap {
        return purchases.refits(
            &outlook.customers.patterns,
            outlook.time,
            settings.draws,
            settings.seed,
        );
    }
    if let Some(steady) = purchases.steady {
        let oldest = outlook.customers.patterns.oldest();
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let draw = |_| PurchaseModel::Nbd(steady.drawn(oldest, &mut rng));
        return Ok((0..settings.draws).map(draw).collect());
    }
    let covariance = purchases.covariance.as_ref().ok_or_else(|| {
        Error::model("the purchase model has no standard errors here to draw parameters from")
    })?;
    let family = purchases.model.family();
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let draws = normal_draws(&purchases.model.parameters(), covariance, settings.draws, &mut rng)?;
    Ok(draws.iter().map(|theta| family.model(theta)).collect())
}

/// One spend model and one course of prices per draw.
fn valued_draws(settings: &Uncertainty, spend: &FittedSpend) -> Result<Vec<Values>, Error> {
    let models = spend_draws(settings, spend)?;
    let courses = spend.prices.draws(models.len(), settings.seed);
    Ok(models
        .into_iter()
        .zip(courses)
        .map(|((model, mean), course)| (model, mean, course))
        .collect())
}

/// One spend model per draw; the same for all where there is no covariance to draw from.
fn spend_draws(
    settings: &Uncertainty,
    spend: &FittedSpend,
) -> Result<Vec<(GammaGamma, f64)>, Error> {
    let (GammaGamma { p, q, v }, mean) = (spend.model, spend.observed_mean);
    let Some(covariance) = spend.covariance.as_ref().filter(|c| !c.is_flat()) else {
        return Ok(vec![(spend.model, mean); settings.draws as usize]);
    };
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    // Not the stream of the purchase parameters, or the two would move together.
    rng.set_stream(u64::MAX);
    let draws = normal_draws(&[p, q, v], covariance, settings.draws, &mut rng)?;
    Ok(draws.iter().map(|t| (GammaGamma { p: t[0], q: t[1], v: t[2] }, mean)).collect())
}

/// Draws of parameters from the normal approximation on the log scale.
///
/// # Formula
/// θ·e^(Lz), where z is standard normal and L Lᵀ the covariance of ln θ. On this scale no draw is
/// negative.
///
/// # Errors
/// [`Error::Model`] when the likelihood is flat in some direction.
fn normal_draws(
    estimates: &[f64],
    covariance: &Covariance,
    draws: u32,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<Vec<f64>>, Error> {
    let factor =
        cholesky(&covariance.log_scale).filter(|_| !covariance.is_flat()).ok_or_else(|| {
            Error::model(
                "the likelihood is flat in some direction, where standard errors say nothing about \
             the parameters",
            )
        })?;
    let draw = |_| {
        let z: Vec<f64> = estimates.iter().map(|_| StandardNormal.sample(rng)).collect();
        let moved = |row: &Vec<f64>| row.iter().zip(&z).map(|(l, z)| l * z).sum::<f64>().exp();
        estimates.iter().zip(&factor).map(|(estimate, row)| estimate * moved(row)).collect()
    };
    Ok((0..draws).map(draw).collect())
}

/// The totals of one draw, group by group.
struct Totals {
    /// For each group, orders over each horizon of the pipeline.
    orders: Vec<f64>,
    /// For each group, the discounted value over the lifetime horizon.
    lifetime_value: Vec<f64>,
    /// For each group, the customers who have not left.
    alive: Vec<f64>,
    /// For each group, orders and revenue of each period of the company's forecast.
    periods: Vec<[f64; 2]>,
}

impl Outlook<'_> {
    /// Draws one future of every customer and sums it over groups; without `spend`, orders alone.
    fn draw_totals(
        &self,
        model: &Drawn,
        spend: Option<&Values>,
        groups: &Groups,
        rng: &mut ChaCha8Rng,
    ) -> Totals {
        let month = self.forecast.weeks_per_month;
        let time = model.time.as_ref().unwrap_or(self.time);
        let ahead = |months: u32, month: MonthLength| time.ahead(f64::from(months) * month.days());
        let horizons: Vec<f64> =
            self.forecast.horizons.iter().map(|h| ahead(h.months, month)).collect();
        let valued = self.lifetime.weeks_per_month.days();
        let lifetime = ahead(self.lifetime.months, self.lifetime.weeks_per_month);
        let periods = periods(month);
        // Every future runs as far as the longest of all horizons, and each order then counts in
        // all horizons, periods and groups that contain it: one draw serves them all, so totals of
        // groups add up to those of the company.
        let farthest = periods.iter().map(|p| time.ahead(p.to_day)).fold(lifetime, f64::max);
        let farthest = horizons.iter().copied().fold(farthest, f64::max);
        let rate = 1.0 + self.lifetime.monthly_discount_rate;
        let mut totals = Totals {
            orders: vec![0.0; groups.names.len() * horizons.len()],
            lifetime_value: vec![0.0; groups.names.len()],
            alive: vec![0.0; groups.names.len()],
            periods: vec![[0.0; 2]; groups.names.len() * periods.len()],
        };
        for i in 0..self.histories.len() {
            let Some(mut future) = model.model.draw_future(model.history(self, i), rng) else {
                continue;
            };
            groups.of(i).for_each(|g| totals.alive[g] += 1.0);
            // One ν per customer, so that all orders of a customer share the uncertainty of the
            // mean. It is drawn at the first order, since many customers have none.
            let mut scale = None;
            while let Some(at) = future.next_order(rng).filter(|at| *at <= farthest) {
                let days = time.days_ahead(at);
                let value = spend.map_or(0.0, |spend| {
                    let scale = *scale.get_or_insert_with(|| self.draw_scale(spend, i, rng));
                    gamma(spend.0.p, scale, rng) * spend.2.at(days)
                });
                // Discounting to the end of the month of the order, as in the forecast.
                let discounted =
                    if at <= lifetime { value * rate.powf(-(days / valued).ceil()) } else { 0.0 };
                for g in groups.of(i) {
                    let orders = &mut totals.orders[g * horizons.len()..][..horizons.len()];
                    for (total, horizon) in orders.iter_mut().zip(&horizons) {
                        *total += f64::from(u8::from(at <= *horizon));
                    }
                    totals.lifetime_value[g] += discounted;
                    let rows = &mut totals.periods[g * periods.len()..][..periods.len()];
                    for row in periods_with(days, month) {
                        rows[row][0] += 1.0;
                        rows[row][1] += value;
                    }
                }
            }
        }
        totals
    }

    /// Draws ν of a customer's order values.
    ///
    /// # Formula
    /// The posterior Gamma(q + p·n, v + n·m). Where the mean value does not exist: p over the
    /// observed mean, which gives that mean, as in the forecast.
    fn draw_scale(
        &self,
        (spend, observed_mean, _): &Values,
        i: usize,
        rng: &mut ChaCha8Rng,
    ) -> f64 {
        let (n, m) = (self.histories.spend_count()[i], self.histories.monetary_value()[i]);
        match spend.expected_value(n, m) {
            Some(_) => gamma(spend.q + spend.p * n, spend.v + n * m, rng),
            None => spend.p / observed_mean,
        }
    }
}

/// Intervals and P(at least one order) of each customer, with the estimates as if they were exact.
///
/// # Formula
/// The shortest run of counts that holds at least `level` of the probability; of equally short ones
/// the one that holds most. Most customers order rarely, and counts are whole: an interval with equal
/// tails would hold far more than its level.
///
/// # Errors
/// [`Error::Model`] when a distribution is too wide to be computed.
pub fn customer_intervals(
    level: f64,
    model: &PurchaseModel,
    outlook: &Outlook<'_>,
) -> Result<Vec<CustomerIntervals>, Error> {
    let patterns = &outlook.customers.patterns;
    let one = |months: u32| {
        let horizon = outlook.horizon(months);
        let ends: Option<Vec<[f64; 3]>> = patterns
            .rows
            .par_iter()
            .map(|row| {
                let history = patterns.history(row);
                let any = model.any_order_if_alive(history, horizon) * model.p_alive(history);
                let [low, high] = shortest_interval(model, horizon, history, level)?;
                Some([low, high, any])
            })
            .collect();
        let ends = ends.ok_or_else(|| {
            let message = format!(
                "the distribution of orders over {months} months is too wide for intervals"
            );
            Error::model_with(message, Remedy::ShorterHorizons)
        })?;
        let column = |k: usize| {
            let of_pattern: Vec<f64> = ends.iter().map(|ends| ends[k]).collect();
            outlook.customers.gather(&of_pattern)
        };
        Ok(CustomerIntervals { months, low: column(0), high: column(1), any_order: column(2) })
    };
    outlook.forecast.horizons.iter().map(|h| one(h.months)).collect()
}

/// The shortest run of counts with at least `level` of the probability of the orders over a horizon.
///
/// Returns `None` when a numerical method, or the number of counts, reached its cap.
fn shortest_interval(
    model: &PurchaseModel,
    horizon: f64,
    history: History,
    level: f64,
) -> Option<[f64; 2]> {
    let mean = model.orders_if_alive(history, horizon)?;
    // Counts up to the upper quantile of an interval with equal tails, which is no shorter. That is
    // among these for most customers; otherwise their number is doubled.
    let mut count = (2.0 * mean + 16.0).min(f64::from(MOST_ORDERS)) as u32;
    while count <= MOST_ORDERS {
        let distribution = model.distribution(history, horizon, 0..count);
        let mut sum = 0.0;
        let end = distribution.iter().position(|p| {
            sum += p;
            sum >= 0.5 + 0.5 * level
        });
        if let Some(end) = end {
            return shortest_window(&distribution[..=end], level);
        }
        count *= 2;
    }
    None
}

/// First and last position of the shortest run with at least `level` of the probability; of equally
/// short ones that with the most. Returns `None` when all together have less.
fn shortest_window(distribution: &[f64], level: f64) -> Option<[f64; 2]> {
    // A sum of rounded probabilities can fall short of the level by a rounding error.
    let level = level - 1e-12;
    let mut best: Option<(usize, f64, [f64; 2])> = None;
    let (mut first, mut held) = (0, 0.0);
    for (last, p) in distribution.iter().enumerate() {
        held += p;
        while held - distribution[first] >= level {
            held -= distribution[first];
            first += 1;
        }
        let length = last - first;
        let better = |(shortest, most, _): &(usize, f64, _)| {
            length < *shortest || length == *shortest && held > *most
        };
        if held >= level && best.as_ref().is_none_or(better) {
            best = Some((length, held, [first as f64, last as f64]));
        }
    }
    best.map(|(_, _, ends)| ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::forecast::predict::tests::{Asked, asked, fitted, valued};
    use crate::model::mbg_nbd::MbgNbd;
    use crate::model::nbd::Nbd;
    use crate::model::testing::diagonal;
    use crate::settings::TimeUnit;

    /// After 2 orders in 6 weeks: λ ~ Gamma(3, 10).
    const NBD: PurchaseModel = PurchaseModel::Nbd(Nbd { r: 1.0, alpha: 4.0 });
    const HISTORY: (f64, f64, f64) = (2.0, 3.0, 6.0);
    /// Parameters that are known all but exactly.
    const EXACT: f64 = 1e-24;
    /// Gamma-Gamma without any spread: each order is worth p·v/q = 10.
    const TENS: [f64; 3] = [1e12, 1e12, 10.0];

    fn alike(history: (f64, f64, f64), customers: usize, horizons: &[u32]) -> Asked {
        let values = vec![(0.0, 0.0); customers];
        asked(&vec![history; customers], &values, horizons, MonthLength::Weeks(4.0))
    }

    fn settings(level: f64, draws: u32) -> Uncertainty {
        Uncertainty { level, method: UncertaintyMethod::Normal, draws, seed: 4 }
    }

    /// P(N = n) up to `most` by the ratio of neighbours, P(0) = (1+τ)^−shape.
    fn negative_binomial(shape: f64, tau: f64, most: usize) -> Vec<f64> {
        let z = tau / (1.0 + tau);
        let mut term = (1.0 + tau).powf(-shape);
        let next = |n| {
            let now = term;
            term *= (shape + n as f64) / (n as f64 + 1.0) * z;
            now
        };
        (0..most).map(next).collect()
    }

    /// The smallest n with P(N ≤ n) ≥ share.
    fn quantile(distribution: &[f64], share: f64) -> f64 {
        let mut sum = 0.0;
        let reached = distribution.iter().position(|p| {
            sum += p;
            sum >= share
        });
        reached.expect("reached") as f64
    }

    /// Standard error of the `share` quantile of a number of draws: √(s(1−s)/draws) over the density.
    fn error(distribution: &[f64], share: f64, draws: u32) -> f64 {
        let at = quantile(distribution, share) as usize;
        (share * (1.0 - share) / f64::from(draws)).sqrt() / distribution[at]
    }

    #[test]
    fn one_future_adds_up_over_periods_groups_and_value() {
        let mut asked = alike(HISTORY, 30, &[1, 2, 3]);
        asked.lifetime.months = 3;
        asked.lifetime.monthly_discount_rate = 1.0;
        let named = |(scope, name): (Scope, &str)| (scope, name.to_owned());
        let groups = Groups {
            names: [
                (Scope::Total, "all"),
                (Scope::Segment, "a"),
                (Scope::Segment, "b"),
                (Scope::Segment, "nobody"),
                (Scope::Channel, "shop"),
            ]
            .map(named)
            .to_vec(),
            segment_of: (0..30).map(|i| 1 + i % 2).collect(),
            channel_of: vec![4; 30],
        };
        let (purchases, spend) =
            (fitted(NBD, Some(diagonal(&[EXACT; 2]))), valued(TENS, 10.0, None));
        let outlook = asked.outlook(TimeUnit::Week);
        let found = total_intervals(&settings(0.9, 1), &purchases, Some(&spend), &outlook, &groups);
        let found = found.expect("intervals");
        let only = |interval: &Interval| {
            assert_eq!(interval.low, interval.high);
            interval.low
        };
        let near = |value: f64, expected: f64| (value - expected).abs() <= 1e-4 * expected;
        let orders: Vec<f64> =
            found.company.orders.iter().map(|(_, orders)| only(orders)).collect();
        assert_eq!(found.company.orders.iter().map(|o| o.0).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(0.0 < orders[0] && orders[0] < orders[1] && orders[1] < orders[2], "{orders:?}");
        // Ten an order, halved with every month that begins.
        let value = 10.0
            * (orders[0] / 2.0 + (orders[1] - orders[0]) / 4.0 + (orders[2] - orders[1]) / 8.0);
        assert!(near(only(&found.company.lifetime_value.expect("money")), value), "{value}");
        // Rows: 52 weeks, 12 months of 4 weeks, 1, 3, 6 and 12 months; a group after the other.
        assert_eq!(found.periods.len(), 5 * 68);
        let row = |i: usize, k: usize| only(&found.periods[i][k]);
        let weeks = |from: usize, to: usize| (from..to).map(|i| row(i, 0)).sum::<f64>();
        assert_eq!([row(52, 0), row(64, 0), weeks(0, 4)], [orders[0]; 3]);
        assert_eq!([row(52, 0) + row(53, 0), weeks(0, 8)], [orders[1]; 2]);
        assert_eq!([row(65, 0), weeks(0, 12)], [orders[2]; 2]);
        assert!((0..68).all(|i| near(row(i, 1), 10.0 * row(i, 0))));
        // Everybody is in one segment and in the only channel.
        assert_eq!(found.segments.len(), 3);
        for (h, total) in orders.iter().enumerate() {
            let parts = [0, 1].map(|s| only(&found.segments[s].orders[h].1));
            assert!(parts.iter().all(|part| *part > 0.0), "{parts:?}");
            assert_eq!(parts.iter().sum::<f64>(), *total);
            assert_eq!(only(&found.segments[2].orders[h].1), 0.0);
        }
        for i in 0..68 {
            assert_eq!(row(68 + i, 0) + row(2 * 68 + i, 0), row(i, 0), "{i}");
            assert_eq!(row(4 * 68 + i, 0), row(i, 0), "{i}");
        }
        assert_eq!(only(&found.company.alive), 1.0);
        assert_eq!(only(&found.segments[2].alive), 0.0);
        assert_eq!((found.draws, found.spend_parameters_drawn), (1, false));
    }

    #[test]
    fn with_known_parameters_a_total_is_negative_binomial() {
        // 40 customers of λ ~ Gamma(3, 10) over 4 weeks: shape 120 and τ = 0.4, mean 48.
        let (asked, draws) = (alike(HISTORY, 40, &[1]), 2_000);
        let outlook = asked.outlook(TimeUnit::Week);
        let (purchases, spend) =
            (fitted(NBD, Some(diagonal(&[EXACT; 2]))), valued(TENS, 10.0, None));
        let exact = negative_binomial(120.0, 0.4, 400);
        let [wide, narrow] = [0.9, 0.5].map(|level: f64| {
            let everybody = Groups::everybody();
            let found = total_intervals(
                &settings(level, draws),
                &purchases,
                Some(&spend),
                &outlook,
                &everybody,
            );
            let orders = found.expect("intervals").company.orders[0].1;
            let tail = (1.0 - level) / 2.0;
            for (end, share) in [(orders.low, tail), (orders.high, 1.0 - tail)] {
                // Four standard errors, and the steps of the counts.
                let error = 4.0 * error(&exact, share, draws) + 0.5;
                let expected = quantile(&exact, share);
                assert!((end - expected).abs() <= error, "{share}: {end} {expected} ±{error}");
            }
            orders
        });
        // Widths: 27 and 11 orders.
        let width = quantile(&exact, 0.95) - quantile(&exact, 0.05);
        assert!(((wide.high - wide.low) / width - 1.0).abs() < 0.15, "{wide:?} {width}");
        assert!(wide.low < narrow.low && narrow.high < wide.high, "{wide:?} {narrow:?}");
    }

    #[test]
    fn unknown_parameters_widen_a_total_as_their_covariance_has_it() {
        // 40 new customers: shape 40 r and τ = 4/α, weighted over (ln r, ln α) by the normal
        // density at (0.04 0.028; 0.028 0.04), whose inverse is (0.04 −0.028; −0.028 0.04)/816e-6.
        let (asked, draws) = (alike((0.0, 0.0, 0.0), 40, &[1]), 2_000);
        let outlook = asked.outlook(TimeUnit::Week);
        let mixture = |covariance: f64| {
            let (mut sum, mut weights) = (vec![0.0; 600], 0.0);
            let determinant = 0.04 * 0.04 - covariance * covariance;
            for i in -24..=24 {
                for j in -24..=24 {
                    let (u, v) = (0.04 * f64::from(i), 0.04 * f64::from(j));
                    let square = 0.04 * (u * u + v * v) - 2.0 * covariance * u * v;
                    let weight = (-0.5 * square / determinant).exp();
                    let all = negative_binomial(40.0 * u.exp(), 4.0 / (4.0 * v.exp()), 600);
                    sum.iter_mut().zip(all).for_each(|(sum, p)| *sum += weight * p);
                    weights += weight;
                }
            }
            sum.iter().map(|p| p / weights).collect::<Vec<f64>>()
        };
        let everybody = Groups::everybody();
        let spend = valued(TENS, 10.0, Some(diagonal(&[EXACT, EXACT, 0.04])));
        let [together, apart] = [0.028, -0.028].map(|covariance| {
            let log_scale = vec![vec![0.04, covariance], vec![covariance, 0.04]];
            let purchases = fitted(NBD, Some(log_scale));
            let found = total_intervals(
                &settings(0.9, draws),
                &purchases,
                Some(&spend),
                &outlook,
                &everybody,
            );
            let found = found.expect("intervals");
            assert!(found.spend_parameters_drawn);
            let orders = found.company.orders[0].1;
            let exact = mixture(covariance);
            for (end, share) in [(orders.low, 0.05), (orders.high, 0.95)] {
                let error = 4.0 * error(&exact, share, draws) + 0.5;
                let expected = quantile(&exact, share);
                assert!((end - expected).abs() <= error, "{share}: {end} {expected} ±{error}");
            }
            // Each order is worth 10·e^0.2z: P(value ≤ v) is the mean of P(orders ≤ v/(10 e^0.2z)).
            let value = found.periods[52][1];
            let below = |value: f64| {
                let (mut sum, mut weights) = (0.0, 0.0);
                for i in -50..=50 {
                    let z = 0.1 * f64::from(i);
                    let most = value / (10.0 * (0.2 * z).exp());
                    let weight = (-0.5 * z * z).exp();
                    sum += weight * exact.iter().take(1 + most as usize).sum::<f64>();
                    weights += weight;
                }
                sum / weights
            };
            // The share of draws below an end is known to √(0.05·0.95/2000) = 0.5 %.
            for (end, share) in [(value.low, 0.05), (value.high, 0.95)] {
                assert!((below(end) - share).abs() < 0.02, "{end}: {} {share}", below(end));
            }
            orders.high - orders.low
        });
        // Where r and α move together the rate r/α is known better.
        assert!(together < 0.7 * apart, "{together} {apart}");
    }

    #[test]
    fn the_share_alive_is_binomial() {
        // Every parameter 1 and one-time buyers of age 1: odds of having left a/b·(2/1)^1 = 2.
        let model = PurchaseModel::MbgNbd(MbgNbd { r: 1.0, alpha: 1.0, a: 1.0, b: 1.0 });
        let (asked, draws) = (alike((0.0, 0.0, 1.0), 90, &[1]), 1_000);
        let (purchases, spend) =
            (fitted(model, Some(diagonal(&[EXACT; 4]))), valued(TENS, 10.0, None));
        let (outlook, everybody) = (asked.outlook(TimeUnit::Week), Groups::everybody());
        let found =
            total_intervals(&settings(0.9, draws), &purchases, Some(&spend), &outlook, &everybody);
        let alive = found.expect("intervals").company.alive;
        // P(n of 90), each from the one before: 23 to 37 are alive.
        let mut term = (2.0f64 / 3.0).powi(90);
        let next = |n| {
            let now = term;
            term *= (90 - n) as f64 / (n as f64 + 1.0) / 2.0;
            now
        };
        let exact: Vec<f64> = (0..=90).map(next).collect();
        for (end, share) in [(alive.low, 0.05), (alive.high, 0.95)] {
            let error = 4.0 * error(&exact, share, draws) + 0.5;
            let expected = quantile(&exact, share);
            assert!((90.0 * end - expected).abs() <= error, "{}: {expected} ±{error}", 90.0 * end);
        }
    }

    #[test]
    fn intervals_of_customers_by_hand() {
        // λ ~ Gamma(1, 2) over 198 weeks, τ = 99: P(N ≤ n) = 1 − 0.99^(n+1). More orders are always
        // less likely, so the shortest interval begins at 0; it reaches 90 % at
        // n + 1 ≥ ln 0.1/ln 0.99 = 229.1, and 40 % at ln 0.6/ln 0.99 = 50.8.
        let nbd = PurchaseModel::Nbd(Nbd { r: 1.0, alpha: 1.0 });
        let mut asked = alike((0.0, 0.0, 1.0), 2, &[6]);
        asked.forecast.weeks_per_month = MonthLength::Weeks(33.0);
        let of = |level: f64, model: &PurchaseModel, asked: &Asked| {
            let found = customer_intervals(level, model, &asked.outlook(TimeUnit::Week));
            let [one] = &found.expect("intervals")[..] else { panic!("one horizon") };
            assert_eq!((one.low[0], one.high[0]), (one.low[1], one.high[1]));
            assert_eq!(one.any_order[0], one.any_order[1]);
            (one.months, one.low[0], one.high[0], one.any_order[0])
        };
        for (level, low, high) in [(0.9, 0.0, 229.0), (0.4, 0.0, 50.0)] {
            let found = of(level, &nbd, &asked);
            assert_eq!((found.0, found.1, found.2), (6, low, high));
            assert!((found.3 / 0.99 - 1.0).abs() < 1e-12, "{}", found.3);
        }
        // MBG/NBD with every parameter 1 is alive with 1/3, as above; then p ~ Beta(1, 2), and over
        // τ = 1 P(0) = ½, P(1) = ¼·⅔ + ⅓·½ = ⅓, P(2) = ⅛·½ + ⅙·¼ = 5/48. In all P(N ≤ n) is
        // 5/6, 17/18 and 0.979.
        let mbg = PurchaseModel::MbgNbd(MbgNbd { r: 1.0, alpha: 1.0, a: 1.0, b: 1.0 });
        asked.forecast.weeks_per_month = MonthLength::Weeks(1.0 / 3.0);
        for (level, high) in [(0.8, 0.0), (0.9, 1.0), (0.95, 2.0)] {
            let found = of(level, &mbg, &asked);
            assert_eq!((found.1, found.2), (0.0, high), "{level}");
            assert!((found.3 * 6.0 - 1.0).abs() < 1e-12, "{}", found.3);
        }
        // A mean of 3·10⁹ orders is beyond what is worked out.
        asked.forecast.weeks_per_month = MonthLength::Weeks(1e9);
        let error =
            customer_intervals(0.9, &nbd, &asked.outlook(TimeUnit::Week)).expect_err("too wide");
        assert!(error.to_string().contains("orders over 6 months is too wide"), "{error}");
    }

    #[test]
    fn the_shortest_window_of_counts() {
        // 0.7 from 1 to 2 and from 2 to 3, 0.75 from 2 to 4: the first two are shorter.
        let counts = [0.1, 0.3, 0.4, 0.3, 0.05];
        assert_eq!(shortest_window(&counts, 0.7), Some([1.0, 2.0]));
        // Of two runs of one count the likelier one.
        assert_eq!(shortest_window(&[0.3, 0.1, 0.6], 0.25), Some([2.0, 2.0]));
        assert_eq!(shortest_window(&[0.3, 0.1], 0.5), None);
    }

    #[test]
    fn without_errors_that_mean_something_nothing_is_drawn() {
        let asked = alike(HISTORY, 3, &[1]);
        let (outlook, everybody) = (asked.outlook(TimeUnit::Week), Groups::everybody());
        let spend = valued(TENS, 10.0, None);
        // None, an error of ln α above 3, and one that is no covariance.
        for (log_scale, reason) in [
            (None, "no standard errors"),
            (Some(diagonal(&[0.1, 9.1])), "flat in some direction"),
            (Some(diagonal(&[0.1, -0.1])), "flat in some direction"),
        ] {
            let purchases = fitted(NBD, log_scale);
            let found =
                total_intervals(&settings(0.9, 9), &purchases, Some(&spend), &outlook, &everybody);
            let error = found.expect_err("nothing to draw from").to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
