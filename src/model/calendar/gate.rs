//! Whether a season or a trend is taken into the forecast: the log must be long enough, show it
//! beyond chance, and have had better forecasts of its own past with it.
//!
//! # Formula
//! Forecasts of half a year from earlier days, of the customers known there, with model and calendar
//! fitted to the orders up to that day only. They are judged by the deviance of the orders that came,
//! Σ 2(o ln(o/e) − (o − e)) over stretches of 26 days. A part of the calendar is taken where the
//! deviance falls by a tenth or more.
//!
//! # Reference
//! McCullagh & Nelder (1989), Generalized Linear Models, section 2.3 (deviance); Tashman (2000),
//! International Journal of Forecasting 16(4) (rolling origins).

use rayon::prelude::*;

use crate::customers::{History, OrderPath};
use crate::math::tail::chi_squared_beyond;
use crate::model::calendar::estimate::fit_calendar;
use crate::model::calendar::fitted::CalendarFit;
use crate::model::calendar::likelihood::DayPatterns;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::calendar::shape::{SeasonShape, Shape};
use crate::results::calendar::{Gate, NotTaken};
use crate::settings::Family;

/// A season takes two whole years to be told from a trend; a few days may be missing.
pub(crate) const TWO_YEARS: i32 = 2 * 365 - 14;
/// Days of a forecast of the past, and of the stretches in it.
pub(crate) const HORIZON: i32 = 182;
const STRETCH: i32 = 26;
/// Days from one forecast of the past to the one before it, and how many there are at most.
const STEP: i32 = 91;
const MOST: i32 = 5;
/// Days that a fit needs before such a forecast, where the log has no two years before them.
const LEAST_BEFORE: i32 = 350;
/// Fewer forecasts after two whole years are too few: shorter fits are looked at then.
const FEWEST: usize = 2;
/// A pattern that chance shows more often than this is none.
const CHANCE: f64 = 1e-3;
/// What the deviance must fall by.
const GAIN: f64 = 0.1;
/// Of the customers, half must have joined over at least so many days for a trend of their orders to
/// be told from their leaving.
const STAGGERED: i32 = 182;
/// Customers of one frequency whose first days are so close have one forecast, at their mean T.
const AGES: i32 = 14;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// Known factors and events, which are part of every candidate.
    pub(crate) base: Shape,
    /// Seasons to choose from; empty for none.
    pub(crate) seasons: Vec<SeasonShape>,
    /// Whether a season is taken whatever it does for forecasts.
    pub(crate) season_named: bool,
    /// Whether a trend may be taken.
    pub(crate) trend: bool,
    /// Models with which the calendar may be fitted; the better one is used.
    pub(crate) families: Vec<Family>,
    /// Days of a time unit.
    pub(crate) unit_days: f64,
}

/// What is taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decided {
    /// The calendar; even where nothing is taken and nothing is known.
    pub(crate) shape: Shape,
    /// The model it was tried with.
    pub(crate) family: Family,
    /// How it came about.
    pub(crate) gate: Gate,
}

/// Tries seasons and a trend on the orders of some customers up to the day `end`.
///
/// Returns `None` where not even the plain model can be fitted to them.
pub(crate) fn decide(wanted: &Wanted, paths: &[OrderPath], end: i32) -> Option<Decided> {
    let data = DayPatterns::of_paths(paths, end);
    let days = data.end - data.start;
    let (seasons, no_season) = match (wanted.seasons.as_slice(), days < TWO_YEARS) {
        ([], _) => (Vec::new(), Some(NotTaken::NotAsked)),
        (_, true) if !wanted.season_named => (Vec::new(), Some(NotTaken::NeedsTwoYears)),
        (seasons, _) => (seasons.to_vec(), None),
    };
    let no_trend = match wanted.trend {
        false => Some(NotTaken::NotAsked),
        true if days < TWO_YEARS => Some(NotTaken::NeedsTwoYears),
        true if !is_staggered(paths, end) => Some(NotTaken::NotStaggered),
        true => None,
    };
    let base = Shape { reference: end, ..wanted.base.clone() };
    let plain = best_plain(wanted, &data, &base)?;
    let mut trial = Trial { wanted, paths, data: &data, family: plain.family, cuts: Vec::new() };
    let mut gate = Gate { days, ..Gate::default() };
    let season = seasons.into_iter().map(|season| Shape { season, ..base.clone() });
    let season = trial.beyond_chance(season.collect(), &plain, wanted.season_named);
    let trend = match no_trend {
        None => {
            let with = season.as_ref().map_or(&base, |fit| &fit.shape);
            let below = season.as_ref().unwrap_or(&plain);
            let shape = Shape { trend: true, ..with.clone() };
            trial.beyond_chance(vec![shape], below, false)
        }
        Some(_) => None,
    };
    // A season that is asked for is only left out where it has no fit.
    let none = if wanted.season_named { NotTaken::NoFit } else { NotTaken::Chance };
    gate.season = no_season.or(season.is_none().then_some(none));
    gate.trend = no_trend.or(trend.is_none().then_some(NotTaken::Chance));
    if season.is_none() && trend.is_none() && base.columns() == 0 {
        return Some(Decided { shape: base, family: plain.family, gate });
    }
    trial.cuts = cuts(&data);
    let shape = trial.by_forecasts(&base, season.as_ref(), trend.as_ref(), &mut gate);
    Some(Decided { shape, family: plain.family, gate })
}

/// Whether customers joined over a long time: half of them within the middle of it.
fn is_staggered(paths: &[OrderPath], end: i32) -> bool {
    let mut first: Vec<i32> =
        paths.iter().filter_map(|path| Some(path.first()?.day)).filter(|day| *day <= end).collect();
    first.sort_unstable();
    let n = first.len();
    n >= 4 && first[3 * n / 4] - first[n / 4] >= STAGGERED
}

fn best_plain(wanted: &Wanted, data: &DayPatterns, base: &Shape) -> Option<CalendarFit> {
    let fits = wanted.families.par_iter();
    let fits = fits.map(|family| fit_calendar(*family, data, base, wanted.unit_days, None));
    let fits: Vec<CalendarFit> = fits.collect::<Vec<_>>().into_iter().flatten().collect();
    fits.into_iter().min_by(|a, b| a.aic().total_cmp(&b.aic()))
}

/// The last days of the fits behind forecasts of the past, the latest first. A season of which less
/// than two years were seen is uncertain by a year's trend, so such fits count only where there is
/// nothing better.
fn cuts(data: &DayPatterns) -> Vec<i32> {
    let cut = |k: i32| data.end - HORIZON - k * STEP;
    let after = |days: i32| -> Vec<i32> {
        (0..MOST).map(cut).filter(|cut| cut - data.start >= days).collect()
    };
    let whole = after(TWO_YEARS);
    if whole.len() >= FEWEST { whole } else { after(LEAST_BEFORE) }
}

struct Trial<'a> {
    wanted: &'a Wanted,
    paths: &'a [OrderPath],
    data: &'a DayPatterns,
    family: Family,
    cuts: Vec<i32>,
}

/// Orders expected and observed in each stretch after a cut.
type Stretches = Vec<[f64; 2]>;

/// A shape, and forecasts of the past with it.
struct Tried<'a> {
    shape: &'a Shape,
    deviance: f64,
    /// From every cut.
    all: &'a [Stretches],
}

impl Trial<'_> {
    /// Of these shapes the one with the lowest AIC, if it explains more than chance does; a named one
    /// whatever it explains.
    fn beyond_chance(
        &self,
        shapes: Vec<Shape>,
        below: &CalendarFit,
        named: bool,
    ) -> Option<CalendarFit> {
        let fit = |shape: &Shape| {
            let start = Some(below.parameters.as_slice());
            fit_calendar(self.family, self.data, shape, self.wanted.unit_days, start).ok()
        };
        let fits: Vec<Option<CalendarFit>> = shapes.par_iter().map(fit).collect();
        let beyond = |fit: &CalendarFit| {
            let degrees = (fit.coefficients.len() - below.coefficients.len()) as f64;
            let gain = 2.0 * (fit.log_likelihood - below.log_likelihood);
            named || chi_squared_beyond(gain, degrees) < CHANCE
        };
        let fits = fits.into_iter().flatten().filter(beyond);
        fits.min_by(|a, b| a.aic().total_cmp(&b.aic()))
    }

    /// Takes what makes forecasts of the past better.
    fn by_forecasts(
        &self,
        base: &Shape,
        season: Option<&CalendarFit>,
        trend: Option<&CalendarFit>,
        gate: &mut Gate,
    ) -> Shape {
        let season = season.map(|fit| fit.shape.season);
        let shape = |season: Option<SeasonShape>, trend: bool| Shape {
            season: season.unwrap_or_default(),
            trend,
            ..base.clone()
        };
        // The simpler ones first: each must better what was best before it.
        let mut shapes = vec![shape(None, false)];
        shapes.extend(season.map(|_| shape(season, false)));
        shapes.extend(trend.map(|_| shape(None, true)));
        shapes.extend(season.and(trend).map(|_| shape(season, true)));
        let forecasts = self.forecasts(&shapes);
        let tried = shapes.iter().zip(&forecasts).filter(|(_, all)| !all.is_empty());
        let tried: Vec<Tried<'_>> =
            tried.map(|(shape, all)| Tried { shape, deviance: deviance(all), all }).collect();
        for Tried { shape: Shape { season, trend, .. }, deviance, .. } in &tried {
            tracing::debug!(?season, trend, deviance, "forecasts of the past");
        }
        // A season that is asked for is in all that can be chosen.
        let named = season.filter(|_| self.wanted.season_named);
        let can_be = |tried: &&Tried<'_>| named.is_none_or(|season| tried.shape.season == season);
        let best = tried.iter().filter(can_be).reduce(|best, next| {
            if next.deviance < (1.0 - GAIN) * best.deviance { next } else { best }
        });
        let chosen = best.map_or_else(|| shape(named, false), |best| best.shape.clone());
        gate.forecasts = forecasts[0].len() as u32;
        if chosen.season == SeasonShape::None && gate.season.is_none() {
            gate.season = Some(self.why_not(NotTaken::NoBetter));
        }
        if !chosen.trend && gate.trend.is_none() {
            gate.trend = Some(self.why_not(NotTaken::NoBetter));
        }
        if let (Some(plain), Some(best)) = (tried.first(), best) {
            gate.deviance = Some([plain.deviance, best.deviance]);
            gate.errors = Some([plain, best].map(|tried| mean_error(tried.all)));
        }
        gate.totals = best.map_or_else(Vec::new, |best| best.all.iter().map(total).collect());
        chosen
    }

    fn why_not(&self, why: NotTaken) -> NotTaken {
        if self.cuts.is_empty() { NotTaken::NeedsTwoYears } else { why }
    }

    /// The forecasts of each shape, from every cut at which all of them can be fitted.
    fn forecasts(&self, shapes: &[Shape]) -> Vec<Vec<Stretches>> {
        let at = |cut: &i32| -> Option<Vec<Stretches>> {
            shapes.par_iter().map(|shape| self.forecast_from(*cut, shape)).collect()
        };
        let whole: Vec<Vec<Stretches>> = self.cuts.iter().filter_map(at).collect();
        (0..shapes.len()).map(|k| whole.iter().map(|all| all[k].clone()).collect()).collect()
    }

    fn forecast_from(&self, cut: i32, shape: &Shape) -> Option<Stretches> {
        let data = DayPatterns::of_paths(self.paths, cut);
        // The shape stays; the trend is 1 at the cut.
        let shape = Shape { reference: cut, ..shape.clone() };
        let fit = fit_calendar(self.family, &data, &shape, self.wanted.unit_days, None).ok()?;
        let expected = expected_after(&fit, &data, self.wanted.unit_days)?;
        let mut observed = vec![0.0; expected.len()];
        for order in self.paths.iter().filter(|p| p.first().is_some_and(|o| o.day <= cut)).flatten()
        {
            let since = order.day - cut;
            if since > 0 && since <= HORIZON {
                observed[((since - 1) / STRETCH) as usize] += order.orders;
            }
        }
        Some(expected.into_iter().zip(observed).map(|(e, o)| [e, o]).collect())
    }
}

/// Orders of all customers of a fit in each stretch after its end. `None` where a numerical method
/// reached its cap.
fn expected_after(fit: &CalendarFit, data: &DayPatterns, unit_days: f64) -> Option<Vec<f64>> {
    let factors = fit.factors(data.start, data.end + HORIZON);
    let time = OperationalTime::of(unit_days, data.end, data.start, &factors);
    let model = fit.family.model(&fit.parameters);
    let patterns = data.in_time(&time);
    // Of customers alive, those of one frequency and age: how many, and the sum of their T.
    let mut groups: std::collections::BTreeMap<(u32, i32), [f64; 2]> = Default::default();
    for row in &patterns.rows {
        let history = patterns.history(row);
        let alive = row.count * model.p_alive(history);
        let group = groups.entry((row.x, row.age as i32 / AGES)).or_default();
        group[0] += alive;
        group[1] += alive * history.age;
    }
    let ends: Vec<f64> =
        (1..=HORIZON / STRETCH).map(|k| time.ahead(f64::from(k * STRETCH))).collect();
    let mut totals = vec![0.0; ends.len()];
    for ((x, _), [alive, ages]) in groups {
        if alive <= 0.0 {
            continue;
        }
        let history = History {
            frequency: patterns.frequency[x as usize],
            age: ages / alive,
            ..History::NEW
        };
        for (total, end) in totals.iter_mut().zip(&ends) {
            *total += alive * model.orders_if_alive(history, *end)?;
        }
    }
    let mut before = 0.0;
    let each = totals.into_iter().map(|total| {
        let orders = total - before;
        before = total;
        orders
    });
    let each: Vec<f64> = each.collect();
    each.iter().all(|orders| orders.is_finite()).then_some(each)
}

fn deviance(forecasts: &[Stretches]) -> f64 {
    let of = |[expected, observed]: &[f64; 2]| {
        let expected = expected.max(1e-9);
        let log = if *observed > 0.0 { observed * (observed / expected).ln() } else { 0.0 };
        2.0 * (log - (observed - expected))
    };
    forecasts.iter().flatten().map(of).sum()
}

/// Orders expected and observed over a whole forecast.
fn total(stretches: &Stretches) -> [f64; 2] {
    [0, 1].map(|k| stretches.iter().map(|one| one[k]).sum())
}

/// Σ |o − e| / Σ o over all stretches.
fn mean_error(forecasts: &[Stretches]) -> f64 {
    let all = || forecasts.iter().flatten();
    let off: f64 = all().map(|[expected, observed]| (observed - expected).abs()).sum();
    off / all().map(|[_, observed]| observed).sum::<f64>().max(1.0)
}
