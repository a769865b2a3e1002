//! Intervals: how far forecasts can be off. Those of totals come from random draws of parameters
//! and of every customer's orders; those of single customers from the distribution of their orders.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::customers::predictions::CustomerIntervals;
use crate::customers::{Groups, Scope};
use crate::error::Error;
use crate::math::linear::cholesky;
use crate::model::fit::purchases::FittedPurchases;
use crate::model::fit::spend::FittedSpend;
use crate::model::forecast::periods::{periods, periods_with};
use crate::model::forecast::predict::{Outlook, length};
use crate::model::gamma_gamma::GammaGamma;
use crate::model::likelihood::covariance::Covariance;
use crate::model::purchase_model::PurchaseModel;
use crate::model::simulation::gamma;
use crate::progress;
use crate::results::forecast::{GroupIntervals, Interval, Intervals};
use crate::settings::{Uncertainty, UncertaintyMethod};

/// Most counts for which a distribution of orders is computed.
const MOST_ORDERS: u32 = 1 << 20;

/// Intervals for totals.
///
/// # Formula
/// Each draw takes parameters from their normal approximation on the log scale (or from a weighted
/// refit). Then it draws, for each customer, whether the customer is alive, an order rate and a
/// dropout from their posterior distributions, the orders that follow, and the value of each order
/// from Gamma-Gamma. The ends of an interval are quantiles of the totals over the draws.
///
/// # Errors
/// [`Error::Model`] when there are no parameters to draw.
pub fn total_intervals(
    settings: &Uncertainty,
    purchases: &FittedPurchases,
    spend: &FittedSpend,
    outlook: &Outlook<'_>,
    groups: &Groups,
) -> Result<Intervals, Error> {
    let models = parameter_draws(settings, purchases, outlook)?;
    let values = spend_draws(settings, spend)?;
    // One random stream per draw, so that the draws are the same on any number of cores. Stream 0
    // is for parameters.
    let draws: Vec<Totals> = models
        .par_iter()
        .zip(&values)
        .enumerate()
        .map(|(draw, (model, value))| {
            let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
            rng.set_stream(1 + draw as u64);
            let totals = outlook.draw_totals(model, (value, spend.observed_mean), groups, &mut rng);
            progress::step(models.len());
            totals
        })
        .collect();
    // Observed totals, not interpolated ones: orders stay whole numbers.
    let interval = |of: &dyn Fn(&Totals) -> f64| {
        let mut all: Vec<f64> = draws.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        let tail = (1.0 - settings.level) / 2.0;
        let last = (all.len() - 1) as f64;
        Interval {
            low: all[(tail * last).round() as usize],
            high: all[((1.0 - tail) * last).round() as usize],
        }
    };
    let horizons = &outlook.forecast.horizons;
    let sizes = groups.sizes(outlook.histories.len());
    // Orders are stored group by group, and within a group horizon by horizon.
    let group = |g: usize| {
        let orders = |h: usize| interval(&|totals: &Totals| totals.orders[g * horizons.len() + h]);
        GroupIntervals {
            orders: horizons
                .iter()
                .enumerate()
                .map(|(h, horizon)| (horizon.months, orders(h)))
                .collect(),
            lifetime_value: interval(&|totals: &Totals| totals.lifetime_value[g]),
            alive: interval(&|totals: &Totals| totals.alive[g] / sizes[g].max(1.0)),
        }
    };
    let rows = draws.first().map_or(0, |totals| totals.periods.len());
    let segments =
        groups.names.iter().enumerate().filter(|(_, (scope, _))| *scope == Scope::Segment);
    Ok(Intervals {
        level: settings.level,
        method: settings.method,
        draws: draws.len() as u32,
        spend_parameters_drawn: spend.covariance.is_some(),
        company: group(0),
        segments: segments.map(|(g, _)| group(g)).collect(),
        periods: (0..rows)
            .map(|row| [0, 1].map(|k| interval(&|totals: &Totals| totals.periods[row][k])))
            .collect(),
    })
}

/// One purchase model per draw.
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

/// One spend model per draw; the same for all where there is no covariance to draw from.
fn spend_draws(settings: &Uncertainty, spend: &FittedSpend) -> Result<Vec<GammaGamma>, Error> {
    let GammaGamma { p, q, v } = spend.model;
    let Some(covariance) = &spend.covariance else {
        return Ok(vec![spend.model; settings.draws as usize]);
    };
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    // Not the stream of the purchase parameters, or the two would move together.
    rng.set_stream(u64::MAX);
    let draws = normal_draws(&[p, q, v], covariance, settings.draws, &mut rng)?;
    Ok(draws.iter().map(|t| GammaGamma { p: t[0], q: t[1], v: t[2] }).collect())
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
    /// Draws one future of every customer and sums it over groups. `spend` is the spend model and
    /// the observed mean value.
    fn draw_totals(
        &self,
        model: &PurchaseModel,
        spend: (&GammaGamma, f64),
        groups: &Groups,
        rng: &mut ChaCha8Rng,
    ) -> Totals {
        let month = self.forecast.weeks_per_month;
        let horizons: Vec<f64> =
            self.forecast.horizons.iter().map(|h| length(h.months, month, self.unit)).collect();
        let valued = length(1, self.lifetime.weeks_per_month, self.unit);
        let lifetime = valued * f64::from(self.lifetime.months);
        let periods = periods(month);
        let days = self.unit.days();
        // Every future runs as far as the longest of all horizons, and each order then counts in
        // all horizons, periods and groups that contain it: one draw serves them all, so totals of
        // groups add up to those of the company.
        let farthest = periods.iter().map(|p| p.to_day / days).fold(lifetime, f64::max);
        let farthest = horizons.iter().copied().fold(farthest, f64::max);
        let rate = 1.0 + self.lifetime.monthly_discount_rate;
        let mut totals = Totals {
            orders: vec![0.0; groups.names.len() * horizons.len()],
            lifetime_value: vec![0.0; groups.names.len()],
            alive: vec![0.0; groups.names.len()],
            periods: vec![[0.0; 2]; groups.names.len() * periods.len()],
        };
        for i in 0..self.histories.len() {
            let history = (
                self.histories.frequency()[i],
                self.histories.recency()[i],
                self.histories.age()[i],
            );
            let Some(mut future) = model.draw_future(history, rng) else {
                continue;
            };
            groups.of(i).for_each(|g| totals.alive[g] += 1.0);
            // One ν per customer, so that all orders of a customer share the uncertainty of the
            // mean. It is drawn at the first order, since many customers have none.
            let mut scale = None;
            while let Some(time) = future.next_order(rng).filter(|time| *time <= farthest) {
                let scale = *scale.get_or_insert_with(|| self.draw_scale(spend, i, rng));
                let value = gamma(spend.0.p, scale, rng);
                // Discounting to the end of the month of the order, as in the forecast.
                let discounted =
                    if time <= lifetime { value * rate.powf(-(time / valued).ceil()) } else { 0.0 };
                for g in groups.of(i) {
                    let orders = &mut totals.orders[g * horizons.len()..][..horizons.len()];
                    for (total, horizon) in orders.iter_mut().zip(&horizons) {
                        *total += f64::from(u8::from(time <= *horizon));
                    }
                    totals.lifetime_value[g] += discounted;
                    let rows = &mut totals.periods[g * periods.len()..][..periods.len()];
                    for row in periods_with(time * days, month) {
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

/// Intervals and P(at least one order) of each customer, with the estimates as if they were exact.
///
/// # Formula
/// The ends are the smallest counts n with P(N ≤ n) ≥ (1 − level)/2 and P(N ≤ n) ≥ (1 + level)/2.
///
/// # Errors
/// [`Error::Model`] when a distribution is too wide to be computed.
pub fn customer_intervals(
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

/// Quantiles of the number of orders over a horizon.
///
/// Returns `None` when a numerical method, or the number of counts, reached its cap.
fn order_quantiles(
    model: &PurchaseModel,
    horizon: f64,
    history: (f64, f64, f64),
    [low, high]: [f64; 2],
) -> Option<[f64; 2]> {
    let (x, _, age) = history;
    let mean = model.orders_if_alive(horizon, x, age)?;
    // Enough counts for most customers; doubled where the upper quantile is not among them.
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
