//! How far forecasts can be off: totals by drawing parameters and everybody's orders, customers
//! from the distribution of their orders.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::Serialize;

use super::covariance::Covariance;
use super::family::PurchaseModel;
use super::futures::gamma;
use super::gamma_gamma::GammaGamma;
use super::predict::{Outlook, length};
use super::purchases::FittedPurchases;
use super::spend::FittedSpend;
use crate::error::Error;
use crate::math::linear::cholesky;
use crate::settings::{Uncertainty, UncertaintyMethod};

/// Counts of orders that a distribution may need.
const MOST_ORDERS: u32 = 1 << 20;

/// An interval that holds the truth with the level's probability, equal tails.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Intervals for the totals of one group of customers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupIntervals {
    /// For each horizon: months, orders.
    pub orders: Vec<(u32, Interval)>,
    /// Discounted value over the lifetime horizon.
    pub lifetime_value: Interval,
}

/// Intervals for the totals of all customers and of each segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervals {
    /// Probability that an interval holds the truth.
    pub level: f64,
    /// Where the parameters were drawn from.
    pub method: UncertaintyMethod,
    /// Draws of parameters and orders.
    pub draws: u32,
    /// Whether parameters of the order values were drawn too; a penalised fit has none to draw.
    pub spend_parameters_drawn: bool,
    /// All customers.
    pub company: GroupIntervals,
    /// Each segment, lowest first.
    pub segments: Vec<GroupIntervals>,
}

/// What the orders of one customer may come to over one horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerIntervals {
    /// Months of the horizon.
    pub months: u32,
    /// Lower ends.
    pub low: Vec<f64>,
    /// Upper ends.
    pub high: Vec<f64>,
    /// P(at least one order).
    pub any_order: Vec<f64>,
}

/// Intervals for totals.
///
/// # Formula
/// Each draw: parameters from the normal approximation on the log scale (or from a weighted refit),
/// then for each customer alive or not, an order rate and a dropout from their posterior
/// distributions, the orders that follow, and the value of each from Gamma-Gamma. The interval is
/// the quantiles of the totals over draws.
///
/// # Errors
/// [`Error::Model`] when there are no parameters to draw.
pub fn of_totals(
    settings: &Uncertainty,
    purchases: &FittedPurchases,
    spend: &FittedSpend,
    outlook: &Outlook<'_>,
    segment_of: &[usize],
    segments: usize,
) -> Result<Intervals, Error> {
    let models = parameter_draws(settings, purchases, outlook)?;
    let values = spend_draws(settings, spend)?;
    let totals: Vec<Vec<f64>> = models
        .par_iter()
        .zip(&values)
        .enumerate()
        .map(|(draw, (model, value))| {
            let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
            rng.set_stream(1 + draw as u64);
            outlook.draw_totals(model, (value, spend.observed_mean), segment_of, segments, &mut rng)
        })
        .collect();
    let per_group = outlook.forecast.horizons.len() + 1;
    let interval = |of: &dyn Fn(&Vec<f64>) -> f64| {
        let mut all: Vec<f64> = totals.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        let tail = (1.0 - settings.level) / 2.0;
        let last = (all.len() - 1) as f64;
        Interval {
            low: all[(tail * last).round() as usize],
            high: all[((1.0 - tail) * last).round() as usize],
        }
    };
    let group = |sum: &dyn Fn(&Vec<f64>, usize) -> f64| GroupIntervals {
        orders: outlook
            .forecast
            .horizons
            .iter()
            .enumerate()
            .map(|(h, horizon)| (horizon.months, interval(&|t| sum(t, h))))
            .collect(),
        lifetime_value: interval(&|t| sum(t, per_group - 1)),
    };
    Ok(Intervals {
        level: settings.level,
        method: settings.method,
        draws: totals.len() as u32,
        spend_parameters_drawn: spend.covariance.is_some(),
        company: group(&|t, k| (0..segments).map(|s| t[s * per_group + k]).sum()),
        segments: (0..segments).map(|s| group(&|t, k| t[s * per_group + k])).collect(),
    })
}

fn parameter_draws(
    settings: &Uncertainty,
    purchases: &FittedPurchases,
    outlook: &Outlook<'_>,
) -> Result<Vec<PurchaseModel>, Error> {
    if settings.method == UncertaintyMethod::Bootstrap {
        return purchases.refits(&outlook.customers.patterns, settings.draws, settings.seed);
    }
    let covariance = purchases.covariance.as_ref().ok_or_else(|| {
        Error::Model(
            "the purchase model has no standard errors here to draw parameters from".to_owned(),
        )
    })?;
    let family = purchases.model.family();
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let draws = normal_draws(&purchases.model.parameters(), covariance, settings.draws, &mut rng)?;
    Ok(draws.iter().map(|theta| family.model(theta)).collect())
}

fn spend_draws(settings: &Uncertainty, spend: &FittedSpend) -> Result<Vec<GammaGamma>, Error> {
    let GammaGamma { p, q, v } = spend.model;
    let Some(covariance) = &spend.covariance else {
        return Ok(vec![spend.model; settings.draws as usize]);
    };
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    rng.set_stream(u64::MAX);
    let draws = normal_draws(&[p, q, v], covariance, settings.draws, &mut rng)?;
    Ok(draws.iter().map(|t| GammaGamma { p: t[0], q: t[1], v: t[2] }).collect())
}

/// θ·e^(Lz), L Lᵀ being the covariance on the log scale.
fn normal_draws(
    estimates: &[f64],
    covariance: &Covariance,
    draws: u32,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<Vec<f64>>, Error> {
    let factor =
        cholesky(&covariance.log_scale).filter(|_| !covariance.is_flat()).ok_or_else(|| {
            Error::Model(
            "the likelihood is flat in some direction, where standard errors say nothing about \
             the parameters"
                .to_owned(),
        )
        })?;
    let draw = |_| {
        let z: Vec<f64> = estimates.iter().map(|_| StandardNormal.sample(rng)).collect();
        let moved = |row: &Vec<f64>| row.iter().zip(&z).map(|(l, z)| l * z).sum::<f64>().exp();
        estimates.iter().zip(&factor).map(|(estimate, row)| estimate * moved(row)).collect()
    };
    Ok((0..draws).map(draw).collect())
}

impl Outlook<'_> {
    /// Orders over each horizon and discounted value, a segment, in one possible future.
    fn draw_totals(
        &self,
        model: &PurchaseModel,
        spend: (&GammaGamma, f64),
        segment_of: &[usize],
        segments: usize,
        rng: &mut ChaCha8Rng,
    ) -> Vec<f64> {
        let months = |months| length(months, self.forecast.weeks_per_month, self.unit);
        let horizons: Vec<f64> = self.forecast.horizons.iter().map(|h| months(h.months)).collect();
        let month = length(1, self.lifetime.weeks_per_month, self.unit);
        let valued = month * f64::from(self.lifetime.months);
        let farthest = horizons.iter().copied().fold(valued, f64::max);
        let rate = 1.0 + self.lifetime.monthly_discount_rate;
        let per_group = horizons.len() + 1;
        let mut totals = vec![0.0; segments * per_group];
        for (i, segment) in segment_of.iter().enumerate() {
            let history = (
                self.histories.frequency()[i],
                self.histories.recency()[i],
                self.histories.age()[i],
            );
            let Some(mut future) = model.draw_future(history, rng) else {
                continue;
            };
            let totals = &mut totals[*segment * per_group..][..per_group];
            let mut scale = None;
            while let Some(time) = future.next_order(rng).filter(|time| *time <= farthest) {
                for (total, horizon) in totals.iter_mut().zip(&horizons) {
                    *total += f64::from(u8::from(time <= *horizon));
                }
                if time <= valued {
                    let scale = *scale.get_or_insert_with(|| self.draw_scale(spend, i, rng));
                    let value = gamma(spend.0.p, scale, rng);
                    totals[per_group - 1] += value * rate.powf(-(time / month).ceil());
                }
            }
        }
        totals
    }

    /// ν of a customer's order values, from its posterior Gamma(q + p·n, v + n·m); where the mean
    /// value does not exist, the one that gives the observed mean, as in the forecast.
    fn draw_scale(
        &self,
        (spend, observed_mean): (&GammaGamma, f64),
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

/// Intervals and P(at least one order) of each customer, at the estimates.
///
/// # Formula
/// The smallest counts at which the distribution of orders reaches the two tails' probabilities.
///
/// # Errors
/// [`Error::Model`] when a distribution is too wide to be computed.
pub fn of_customers(
    level: f64,
    model: &PurchaseModel,
    outlook: &Outlook<'_>,
) -> Result<Vec<CustomerIntervals>, Error> {
    let tail = (1.0 - level) / 2.0;
    let patterns = &outlook.customers.patterns;
    let one = |months: u32| {
        let horizon = length(months, outlook.forecast.weeks_per_month, outlook.unit);
        let ends: Option<Vec<[f64; 3]>> = patterns
            .rows
            .par_iter()
            .map(|row| {
                let history = patterns.numbers(row);
                let (x, t_x, age) = history;
                let any = model.any_order_if_alive(horizon, x, age) * model.p_alive(x, t_x, age);
                let [low, high] = order_quantiles(model, horizon, history, [tail, 1.0 - tail])?;
                Some([low, high, any])
            })
            .collect();
        let ends = ends.ok_or_else(|| {
            Error::Model(format!(
                "the distribution of orders over {months} months is too wide for intervals: \
                 remove [uncertainty] or shorten forecast.horizons"
            ))
        })?;
        let column = |k: usize| {
            let of_pattern: Vec<f64> = ends.iter().map(|ends| ends[k]).collect();
            outlook.customers.gather(&of_pattern)
        };
        Ok(CustomerIntervals { months, low: column(0), high: column(1), any_order: column(2) })
    };
    outlook.forecast.horizons.iter().map(|h| one(h.months)).collect()
}

fn order_quantiles(
    model: &PurchaseModel,
    horizon: f64,
    history: (f64, f64, f64),
    [low, high]: [f64; 2],
) -> Option<[f64; 2]> {
    let (x, _, age) = history;
    let mean = model.orders_if_alive(horizon, x, age)?;
    let mut count = (2.0 * mean + 16.0).min(f64::from(MOST_ORDERS)) as u32;
    while count <= MOST_ORDERS {
        let (mut sum, mut first) = (0.0, None);
        for (n, p) in model.distribution(horizon, history, 0..count).into_iter().enumerate() {
            sum += p;
            if sum >= low {
                first.get_or_insert(n);
            }
            if sum >= high {
                return Some([first.unwrap_or(n) as f64, n as f64]);
            }
        }
        count *= 2;
    }
    None
}
