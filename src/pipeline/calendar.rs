//! The calendar of a run: given factors, and the season and the trend that its log shows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;

use crate::customers::Histories;
use crate::error::Error;
use crate::frame::input::dated_factors::{self, DatedFactor, When};
use crate::frame::summary::CustomerSummary;
use crate::frame::summary::log::Log;
use crate::model::calendar::estimate::fit_calendar;
use crate::model::calendar::fitted::{CalendarFit, first_day, time_of};
use crate::model::calendar::gate::{Decided, TWO_YEARS, Wanted, decide};
use crate::model::calendar::likelihood::DayPatterns;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::calendar::shape::{Index, SeasonShape, Shape, date};
use crate::model::{FittedPurchases, Patterns};
use crate::results::calendar::{Gate, MONTHS, NotTaken};
use crate::settings::{
    Event, Factor, Family, InputKind, PurchaseModelName, Season, SeasonName, Settings, Waves,
};

/// Customers on whom seasons and trends are tried.
const SAMPLE: usize = 10_000;
/// Longest part of the forecast, beside the horizons of the pipeline: 52 weeks, or 12 months.
const YEAR_AHEAD: u32 = 12;

/// What is known of the calendar before the models are fitted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// The factors; `None` where every day counts as 1.
    pub(crate) calendar: Option<CalendarFit>,
    /// How season and trend were decided; `None` where nobody asked.
    pub(crate) gate: Option<Gate>,
}

/// Last day that a run needs factors for.
fn last_day(summary: &CustomerSummary, settings: &Settings) -> i32 {
    let (forecast, lifetime) = (&settings.forecast, &settings.lifetime_value);
    let days = [
        f64::from(forecast.longest().max(YEAR_AHEAD)) * forecast.weeks_per_month.days(),
        f64::from(lifetime.months) * lifetime.weeks_per_month.days(),
        f64::from(YEAR_AHEAD) * 31.0,
    ];
    let ahead = days.into_iter().fold(0.0, f64::max).ceil() as i32;
    let end = summary.observation_end.to_epoch_days() + ahead;
    end.max(summary.covered_until.to_epoch_days())
}

/// Learns the calendar of the input, and reads the factors that are given.
///
/// # Errors
/// [`Error::Settings`] when a file of factors cannot be read.
pub(crate) fn learn(
    log: Log<'_>,
    patterns: &Patterns,
    settings: &Settings,
) -> Result<Learned, Error> {
    let base = known_part(log.summary, settings)?;
    let end = log.summary.observation_end.to_epoch_days();
    let days = end - log.summary.first_order.to_epoch_days();
    if let Some(why) = cannot_estimate(days, settings) {
        let is_log = settings.input.kind == InputKind::Transactions;
        let gate = refused(days, why, settings);
        return Ok(Learned { gate: is_log.then_some(gate), ..Learned::known(&base) });
    }
    let wanted = wanted(base.clone(), settings);
    let no_fit = || {
        let gate = Some(refused(days, NotTaken::NoFit, settings));
        Learned { gate, ..Learned::known(&base) }
    };
    let Some(decided) = decide(&wanted, &log.sample_of_paths(SAMPLE)?, end) else {
        return Ok(no_fit());
    };
    let Decided { shape, family, gate } = decided;
    if shape.columns() == 0 {
        return Ok(Learned { gate: Some(gate), ..Learned::known(&shape) });
    }
    let data = DayPatterns::of(patterns, end, wanted.unit_days, &log.orders_by_day()?);
    let fit = fit_calendar(family, &data, &shape, wanted.unit_days, None);
    Ok(fit.map_or_else(|_| no_fit(), |fit| Learned { calendar: Some(fit), gate: Some(gate) }))
}

/// A gate that lets nothing through, for one reason.
fn refused(days: i32, why: NotTaken, settings: &Settings) -> Gate {
    let calendar = &settings.calendar;
    let of = |asked: bool| Some(if asked { why } else { NotTaken::NotAsked });
    Gate {
        days,
        season: of(calendar.season() != Season::Named(SeasonName::None)),
        trend: of(calendar.wants_trend()),
        ..Gate::default()
    }
}

impl Learned {
    /// Nothing but the known factors of a shape.
    fn known(shape: &Shape) -> Self {
        let known = shape.known_alone();
        let calendar = (!known.is_even()).then(|| CalendarFit::known(known));
        Self { calendar, gate: None }
    }
}

/// The calendar fitted together with the model that predicts, where another one was used to learn it.
///
/// Returns `None` where that is not needed, or has no fit.
///
/// # Errors
/// [`Error::Engine`], never for a prepared input.
pub(crate) fn learnt_with(
    log: Log<'_>,
    patterns: &Patterns,
    settings: &Settings,
    calendar: &CalendarFit,
    fitted: &FittedPurchases,
) -> Result<Option<CalendarFit>, Error> {
    let family = fitted.model.family();
    let known = [Family::Nbd, Family::BgNbd, Family::MbgNbd].contains(&family);
    if calendar.coefficients.is_empty() || calendar.family == family || !known {
        return Ok(None);
    }
    let data = by_days(log, patterns, settings)?;
    let unit = settings.summary.time_unit.days();
    Ok(fit_calendar(family, &data, &calendar.shape, unit, None).ok())
}

/// Σ ln m over the repeat orders of a log; 0 of an export, whose order days are not known.
///
/// # Errors
/// [`Error::Engine`], never for a prepared input.
pub(crate) fn log_factors(
    calendar: &CalendarFit,
    log: Log<'_>,
    patterns: &Patterns,
    settings: &Settings,
) -> Result<f64, Error> {
    match settings.input.kind {
        InputKind::Customers => Ok(0.0),
        InputKind::Transactions => Ok(calendar.log_factors(&by_days(log, patterns, settings)?)),
    }
}

fn by_days(log: Log<'_>, patterns: &Patterns, settings: &Settings) -> Result<DayPatterns, Error> {
    let end = log.summary.observation_end.to_epoch_days();
    let unit = settings.summary.time_unit.days();
    Ok(DayPatterns::of(patterns, end, unit, &log.orders_by_day()?))
}

/// The time in which the models of a run live.
///
/// # Errors
/// [`Error::Settings`] when the calendar has a file of factors without those of some days.
pub(crate) fn time(
    calendar: Option<&CalendarFit>,
    summary: &CustomerSummary,
    histories: &Histories,
    settings: &Settings,
) -> Result<OperationalTime, Error> {
    let end = summary.observation_end.to_epoch_days();
    let unit = settings.summary.time_unit.days();
    let last = last_day(summary, settings);
    if let Some(calendar) = calendar {
        complete(calendar, first_day(histories, unit, end), last, settings)?;
    }
    Ok(time_of(calendar, histories, unit, end, last - end))
}

/// Checks that there is a factor for every day.
fn complete(
    calendar: &CalendarFit,
    first: i32,
    last: i32,
    settings: &Settings,
) -> Result<(), Error> {
    let Some(day) = calendar.missing(first, last) else { return Ok(()) };
    let fault = format!(
        "there is no factor for {}, and one is needed for every day from {} to {}: add it, and where a \
         model is scored, fit that again",
        date(day),
        date(first),
        date(last)
    );
    let place = settings.calendar.index.clone().unwrap_or_else(|| "calendar.index".to_owned());
    Err(Error::Settings { place, faults: vec![fault] })
}

/// Known factors and events.
fn known_part(summary: &CustomerSummary, settings: &Settings) -> Result<Shape, Error> {
    let calendar = &settings.calendar;
    let reference = summary.observation_end.to_epoch_days();
    let (first, end) = (summary.first_order, summary.observation_end);
    let unseen = |event: &&Event| {
        let same = |other: &&Event| other.name.trim() == event.name.trim();
        let mut all = calendar.events.iter().filter(same);
        matches!(event.factor, Factor::Unknown(_)) && !all.any(|e| e.from <= end && first < e.to)
    };
    if let Some(event) = calendar.events.iter().find(unseen) {
        let fault = format!(
            "no day of {:?} is in the log, which has orders from {first} to {end}: give its factor as a \
             number",
            event.name
        );
        return Err(Error::Settings { place: "calendar.events".to_owned(), faults: vec![fault] });
    }
    every_month_was_seen(summary, settings)?;
    let read = |path: &String| index(&dated_factors::read(path)?, path);
    let index = calendar.index.as_ref().map(read).transpose()?;
    let index = index.map(|index| index.with_mean_one(first.to_epoch_days(), reference));
    Ok(Shape { events: calendar.events.clone(), index, reference, ..Shape::default() })
}

/// Checks that a factor for each month that is asked for can be estimated.
fn every_month_was_seen(summary: &CustomerSummary, settings: &Settings) -> Result<(), Error> {
    let monthly = Season::Named(SeasonName::Monthly);
    let days = summary.first_order.to_epoch_days() + 1..=summary.observation_end.to_epoch_days();
    let seen: BTreeSet<u32> = days.map(|day| date(day).month0()).collect();
    let missing = (0..12).find(|month| !seen.contains(month));
    match missing.filter(|_| settings.calendar.season() == monthly) {
        None => Ok(()),
        Some(month) => {
            let fault = format!(
                "no day of {} is in the log, so it has no factor: write {{ harmonics = 1 }}, or give \
                 calendar.index",
                MONTHS[month as usize]
            );
            Err(Error::Settings { place: "calendar.season".to_owned(), faults: vec![fault] })
        }
    }
}

/// The factors of a file.
fn index(factors: &[DatedFactor], path: &str) -> Result<Index, Error> {
    let mut months = [None; 12];
    let (mut dated, mut days) = (BTreeMap::new(), BTreeMap::new());
    for DatedFactor { when, factor } in factors {
        match *when {
            When::Month(month) => months[month as usize - 1] = Some(*factor),
            When::MonthOf(year, month) => {
                dated.insert(12 * year + month as i32 - 1, *factor);
            }
            When::Day(day) => {
                days.insert(day.to_epoch_days(), *factor);
            }
        }
    }
    if !dated.is_empty() {
        return Ok(Index::Dated(dated));
    }
    if !days.is_empty() {
        return Ok(Index::Days(days));
    }
    if let Some(missing) = months.iter().position(Option::is_none) {
        let fault = format!("there is no factor for month {}: give all twelve", missing + 1);
        return Err(Error::Settings { place: path.to_owned(), faults: vec![fault] });
    }
    Ok(Index::Months(months.map(|factor| factor.unwrap_or(1.0))))
}

/// Why nothing can be estimated from so many days of orders, where that is so.
fn cannot_estimate(days: i32, settings: &Settings) -> Option<NotTaken> {
    let calendar = &settings.calendar;
    let none = calendar.season() == Season::Named(SeasonName::None) && !calendar.wants_trend();
    if settings.input.kind == InputKind::Customers {
        Some(NotTaken::Export)
    } else if none && !calendar.must_estimate() {
        Some(NotTaken::NotAsked)
    } else if settings.selection.is_some() {
        Some(NotTaken::Selected)
    } else if settings.purchases.l2_penalty > 0.0 {
        Some(NotTaken::Penalised)
    } else if settings.purchases.model == PurchaseModelName::ParetoNbd {
        Some(NotTaken::Pareto)
    } else if !settings.is_comparable() {
        Some(NotTaken::NotComparable)
    } else if days < TWO_YEARS && !calendar.must_estimate() {
        // Nothing needs to be tried.
        Some(NotTaken::NeedsTwoYears)
    } else {
        None
    }
}

fn wanted(base: Shape, settings: &Settings) -> Wanted {
    let (seasons, season_named) = match settings.calendar.season() {
        Season::Named(SeasonName::None) => (Vec::new(), false),
        Season::Named(SeasonName::Auto) => {
            (vec![SeasonShape::Waves(2), SeasonShape::Monthly], false)
        }
        Season::Named(SeasonName::Monthly) => (vec![SeasonShape::Monthly], true),
        Season::Waves(Waves { harmonics }) => (vec![SeasonShape::Waves(harmonics)], true),
    };
    let families = match settings.purchases.model {
        PurchaseModelName::Nbd => vec![Family::Nbd],
        PurchaseModelName::BgNbd => vec![Family::BgNbd],
        PurchaseModelName::MbgNbd => vec![Family::MbgNbd],
        _ => vec![Family::BgNbd, Family::MbgNbd],
    };
    Wanted {
        base,
        seasons,
        season_named,
        trend: settings.calendar.wants_trend(),
        families,
        unit_days: settings.summary.time_unit.days(),
    }
}
