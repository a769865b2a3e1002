//! The price level of a run: given, read from an index, or estimated where that helps; and what the
//! reader should know of it.

use chrono::{Datelike, NaiveDate};
use polars::prelude::LazyFrame;

use crate::customers::OrderPath;
use crate::error::Error;
use crate::frame::input::price_index;
use crate::frame::summary::{CustomerSummary, log};
use crate::model::checks::price_gate::{Gate, TWO_YEARS, past_values, price_gate};
use crate::model::checks::prices::price_trend;
use crate::model::forecast::prices_ahead::PricesAhead;
use crate::model_file::ModelFile;
use crate::results::findings::Finding;
use crate::results::numbers::{decimal, whole};
use crate::results::price_level::{PriceBasis, PriceEstimate, PriceLevel, PriceLevelEntry};
use crate::settings::{FuturePrices, InputKind, PriceSource, Settings};

/// So many customers are enough to see anything that changes a plan.
pub(crate) const SAMPLE: usize = 5_000;
/// Months that an index may end before the observation: it is published later.
const USUAL_DELAY: i32 = 2;
/// Largest factor between two days that is believed.
const MOST: f64 = 1e9;
/// Months of an index that prices go on from.
const YEAR: u32 = 12;

/// What is known of prices, and the orders that it was learned from.
#[derive(Default)]
pub(crate) struct Prices {
    /// The level, or why there is none; `None` where nobody asked.
    pub(crate) entry: Option<PriceLevelEntry>,
    /// Orders of a sample of customers up to the observation end, where they were looked at.
    pub(crate) paths: Option<Vec<OrderPath>>,
}

/// Where a level that the pipeline does not give comes from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum LearnedFrom<'a> {
    /// The orders of this file.
    #[default]
    ThisFile,
    /// The model that scores it; `None` where that knows values as they were paid.
    Model(Option<&'a PriceLevelEntry>),
}

impl<'a> LearnedFrom<'a> {
    fn kept(self) -> Option<&'a PriceLevelEntry> {
        match self {
            Self::ThisFile => None,
            Self::Model(kept) => kept,
        }
    }
}

impl Prices {
    /// The level that values are brought to, if there is one.
    pub(crate) fn level(&self) -> Option<&PriceLevel> {
        self.entry.as_ref()?.level.as_ref()
    }
}

/// The level of a log whose customers are summarised as `plain`, without one.
///
/// # Errors
/// [`Error::Settings`] when the index is no index or does not reach back to the first order.
pub(crate) fn of_log(
    days: &LazyFrame,
    plain: &CustomerSummary,
    from: LearnedFrom<'_>,
    settings: &Settings,
) -> Result<Prices, Error> {
    let (first, end) = (plain.first_order, plain.observation_end);
    if let Some(entry) = given(from.kept(), first, end, settings)? {
        if entry.past.is_some() {
            return Ok(Prices { entry: Some(entry), paths: None });
        }
        let paths = log::sample_of_paths(days, plain, SAMPLE, end)?;
        let entry = with_past(entry, &paths, end.to_epoch_days());
        return Ok(Prices { entry: Some(entry), paths: Some(paths) });
    }
    if !asks(settings) || matches!(from, LearnedFrom::Model(_)) {
        return Ok(Prices::default());
    }
    let span = (end - first).num_days();
    let long = span >= i64::from(TWO_YEARS);
    // A short log is refused without a look at its orders.
    let paths = long.then(|| log::sample_of_paths(days, plain, SAMPLE, end)).transpose()?;
    let sampled = paths.as_deref().unwrap_or_default();
    let gate = price_gate(sampled, first.to_epoch_days(), end.to_epoch_days());
    Ok(Prices { entry: Some(estimated(gate, end, settings)?), paths })
}

/// The level of a customer export, which is given or there is none.
///
/// # Errors
/// As [`of_log`].
pub(crate) fn of_export(
    first: NaiveDate,
    end: NaiveDate,
    from: LearnedFrom<'_>,
    settings: &Settings,
) -> Result<Prices, Error> {
    Ok(Prices { entry: given(from.kept(), first, end, settings)?, paths: None })
}

/// Whether the pipeline wants a level that is estimated.
fn asks(settings: &Settings) -> bool {
    settings.has_money()
        && settings.spend.price_level == PriceSource::Auto
        && settings.input.kind == InputKind::Transactions
}

/// The level that is given by the pipeline or kept by the model that scores.
fn given(
    kept: Option<&PriceLevelEntry>,
    first: NaiveDate,
    end: NaiveDate,
    settings: &Settings,
) -> Result<Option<PriceLevelEntry>, Error> {
    let source = &settings.spend.price_level;
    let entry = match (source, kept) {
        _ if !settings.has_money() => return Ok(None),
        (PriceSource::None, _) | (PriceSource::Auto, None) => return Ok(None),
        (PriceSource::Auto | PriceSource::OfModel, Some(kept)) => kept.clone(),
        (PriceSource::OfModel, None) => {
            return Err(Error::Settings {
                place: "spend.price_level".to_owned(),
                faults: vec![
                    "\"model\" is for `cltv score`, where the model keeps a level: write { yearly = 1.4 }, \
                     or the path of an index"
                        .to_owned(),
                ],
            });
        }
        (PriceSource::Yearly(yearly), _) => {
            entry(PriceBasis::Given, Some(PriceLevel::even(*yearly)), None)
        }
        (PriceSource::File(path), _) => of_index(path, first)?,
    };
    believable(&entry, first, end)?;
    goes_on(PriceLevelEntry { money_of: Some(end), ..entry }, end, settings).map(Some)
}

/// Refuses a level by which a value of the past would be beyond all money.
fn believable(entry: &PriceLevelEntry, first: NaiveDate, end: NaiveDate) -> Result<(), Error> {
    let Some(level) = &entry.level else { return Ok(()) };
    let days = level.points.iter().map(|point| point.from).filter(|day| *day <= end).chain([first]);
    let factor = |day: NaiveDate| level.factor(day.to_epoch_days(), end.to_epoch_days());
    let mut all = days.map(|day| (day, factor(day)));
    match all.find(|(_, factor)| !(1.0 / MOST..=MOST).contains(factor)) {
        Some((day, factor)) => Err(Error::Settings {
            place: "spend.price_level".to_owned(),
            faults: vec![format!(
                "a value of {day} would count {factor:.1e} times in the money of {end}: look at the factor \
                 or the levels"
            )],
        }),
        None => Ok(()),
    }
}

fn entry(
    basis: PriceBasis,
    level: Option<PriceLevel>,
    index_until: Option<NaiveDate>,
) -> PriceLevelEntry {
    PriceLevelEntry {
        basis,
        money_of: None,
        level,
        future_prices: FuturePrices::Constant,
        future_yearly: None,
        estimate: None,
        past: None,
        refused: None,
        index_until,
    }
}

/// The index in a file, which must reach back to the first order.
fn of_index(path: &str, first: NaiveDate) -> Result<PriceLevelEntry, Error> {
    let points = price_index::read(path)?;
    let fault = |fault: String| Error::Settings { place: path.to_owned(), faults: vec![fault] };
    let (Some(begin), Some(last)) = (points.first(), points.last()) else {
        return Err(fault("the index has no levels".to_owned()));
    };
    if begin.from > first {
        return Err(fault(format!(
            "the index begins on {}, and the first order is of {first}: add the months before",
            begin.from
        )));
    }
    let until = last.from.with_day(1);
    Ok(entry(PriceBasis::Index, Some(PriceLevel::of_index(points)), until))
}

fn estimated(gate: Gate, end: NaiveDate, settings: &Settings) -> Result<PriceLevelEntry, Error> {
    let Gate { estimate, past, refused } = gate;
    let level = estimate.filter(|_| refused.is_none()).map(|found| PriceLevel::even(found.yearly));
    let used = level.is_some();
    let entry = entry(PriceBasis::Estimated, level, None);
    let entry = PriceLevelEntry { estimate, past, refused, ..entry };
    match used {
        true => goes_on(PriceLevelEntry { money_of: Some(end), ..entry }, end, settings),
        false => Ok(entry),
    }
}

/// The entry with what the pipeline says of future prices.
fn goes_on(
    entry: PriceLevelEntry,
    end: NaiveDate,
    settings: &Settings,
) -> Result<PriceLevelEntry, Error> {
    let future_prices = settings.spend.future_prices;
    let future_yearly = match future_prices {
        FuturePrices::Constant => None,
        FuturePrices::Continue => {
            let yearly = entry.level.as_ref().and_then(|level| level.yearly_at(end));
            let none = || Error::Settings {
                place: "spend.future_prices".to_owned(),
                faults: vec![format!(
                    "prices go on with the factor of the last {YEAR} months of the index, and it has \
                     fewer before {end}: add earlier ones, or write \"constant\""
                )],
            };
            Some(yearly.ok_or_else(none)?)
        }
    };
    Ok(PriceLevelEntry { future_prices, future_yearly, ..entry })
}

/// A given level with what forecasts of the past would have been with it, and with the factor within
/// customers, where the log shows them.
fn with_past(entry: PriceLevelEntry, paths: &[OrderPath], end: i32) -> PriceLevelEntry {
    PriceLevelEntry {
        past: past_values(paths, end, &|_| entry.level.clone()),
        estimate: price_trend(paths, end).map(PriceEstimate::from),
        ..entry
    }
}

/// What values of the fit's day are multiplied by to be in the money of these customers; 1 without a
/// price level.
pub(crate) fn money_since(given: &ModelFile, now: &Prices, end: NaiveDate) -> f64 {
    let (from, to) = (given.observation_end, end);
    let level = now.level().filter(|_| given.price_level().is_some());
    level.map_or(1.0, |level| level.factor(from.to_epoch_days(), to.to_epoch_days()))
}

/// The prices of the forecast.
pub(crate) fn ahead(entry: Option<&PriceLevelEntry>) -> PricesAhead {
    let Some(entry) = entry.filter(|entry| entry.level.is_some()) else {
        return PricesAhead::default();
    };
    let [error, mean_age] = entry.error();
    PricesAhead {
        log_yearly: entry.future_yearly.map_or(0.0, f64::ln),
        goes_on: entry.future_yearly.is_some(),
        error,
        mean_age,
    }
}

/// In which money the results are, and what was assumed of prices.
pub(crate) fn findings(
    entry: Option<&PriceLevelEntry>,
    end: NaiveDate,
    settings: &Settings,
) -> Vec<Finding> {
    let Some((entry, as_of)) = entry.and_then(|entry| Some((entry, entry.used()?.1))) else {
        return unknown_ahead(settings).into_iter().collect();
    };
    let all = [Some(corrected(entry, as_of)), goes_on_from(entry, as_of), index_ends(entry, end)];
    all.into_iter().flatten().collect()
}

/// Prices are to go on, and nobody knows how they went.
fn unknown_ahead(settings: &Settings) -> Option<Finding> {
    let asked = settings.has_money() && settings.spend.future_prices == FuturePrices::Continue;
    asked.then(|| {
        Finding::warning(
            "future_prices_unknown",
            "spend.future_prices = \"continue\" has no price level to go on with: revenue stays at the \
             prices of the data"
                .to_owned(),
            "give spend.price_level = { yearly = 1.4 } or a file; run.json says why none was estimated \
             (spend.price_level)",
        )
    })
}

fn corrected(entry: &PriceLevelEntry, as_of: NaiveDate) -> Finding {
    let yearly = entry.level.as_ref().and_then(|level| level.yearly);
    let by = match (yearly, entry.basis) {
        (Some(yearly), PriceBasis::Estimated) => {
            format!(
                "the same customers pay {} times as much for an order every year",
                decimal(yearly)
            )
        }
        (Some(yearly), _) => {
            format!("prices change by a factor of {} a year, as given", decimal(yearly))
        }
        (None, _) => "prices follow the index".to_owned(),
    };
    let helped = entry.past.map_or(String::new(), |past| {
        format!(
            "; forecasts of order values from {} earlier days were off by {} % with it, and by {} % \
             without",
            past.cuts,
            whole(100.0 * past.corrected),
            whole(100.0 * past.plain)
        )
    });
    let variant = match (yearly.is_some(), entry.past.is_some()) {
        (true, true) => "yearly",
        (true, false) => "yearly_untested",
        (false, true) => "index",
        (false, false) => "index_untested",
    };
    let finding = Finding::note(
        "prices_corrected",
        format!("order values are in the money of {as_of}: {by}{helped}"),
        "compare revenue with the prices of that day; spend.price_level = \"none\" takes values as they \
         were paid",
    )
    .with_variant(variant)
    .with("as_of", as_of)
    .maybe("factor", yearly);
    let past = entry.past;
    finding
        .maybe("cuts", past.map(|past| f64::from(past.cuts)))
        .maybe("corrected", past.map(|past| past.corrected))
        .maybe("plain", past.map(|past| past.plain))
}

fn goes_on_from(entry: &PriceLevelEntry, as_of: NaiveDate) -> Option<Finding> {
    let yearly = entry.future_yearly?;
    Some(
        Finding::note(
            "prices_go_on",
            format!(
                "revenue is forecast at prices that go on by a factor of {} a year from {as_of}",
                decimal(yearly)
            ),
            "for revenue in the money of that day, set spend.future_prices = \"constant\"",
        )
        .with("as_of", as_of)
        .with("factor", yearly),
    )
}

/// An index that ends before the observation does.
fn index_ends(entry: &PriceLevelEntry, end: NaiveDate) -> Option<Finding> {
    let until = entry.index_until?;
    let month = |date: NaiveDate| date.year() * 12 + date.month0() as i32;
    let behind = month(end) - month(until);
    if behind <= 0 {
        return None;
    }
    let message = format!(
        "the last level of the price index is of {}, and the observation ends on {end}: that level is \
         taken to hold",
        until.format("%Y-%m")
    );
    let remedy = "add the months since to the index";
    let finding = match behind <= USUAL_DELAY {
        true => Finding::note("price_index_ends", message, remedy),
        false => Finding::warning("price_index_ends", message, remedy),
    };
    Some(finding.with("until", until).with("end", end))
}
