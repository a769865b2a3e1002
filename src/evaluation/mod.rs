//! Evaluation on a holdout: load → clean → cut → summary → fit every model → forecast → measure,
//! compared with naive forecasts.
//!
//! # Layout
//! * `fold`: the result. `verdict`: whether the chosen model beats the naive forecasts.
//! * `write`: the files of `cltv evaluate`.

pub(crate) mod fold;
pub(crate) mod verdict;
#[cfg(feature = "cli")]
pub(crate) mod write;

use chrono::{Days, NaiveDate};

use crate::customers::{Histories, Holdout};
use crate::error::Error;
pub use crate::evaluation::fold::{Evaluation, Fold, Method};
use crate::evaluation::verdict::{missed, verdict};
use crate::frame::summary::log::Log;
use crate::frame::summary::prices::in_money_of;
use crate::frame::summary::{log, to_histories};
use crate::model::calendar::fitted::CalendarFit;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::evaluate::holdout::{
    Forecast, GroupAccuracy, accuracy, baselines, by_group, expected,
};
use crate::model::evaluate::missed::Total;
use crate::model::fit::purchases::fit as fit_with;
use crate::model::{self, CustomerPatterns, FittedPurchases, Patterns, Replaced};
use crate::pipeline::calendar::{self, Learned};
use crate::pipeline::gaps::GapsOfRun;
use crate::pipeline::prepare::{CleanInput, load_and_clean};
use crate::pipeline::prices::LearnedFrom;
use crate::pipeline::remedies::with_remedy;
use crate::pipeline::{calendar_words, notices, prices};
use crate::progress::{self, Clock};
use crate::results::findings::{Finding, Severity};
use crate::settings::{
    Family, FuturePrices, InputKind, PurchaseModelName, Purchases, Settings, Summary,
};
use crate::storage::fingerprint::lost_thread;

/// Evaluates on the pipeline's holdout and on `folds` − 1 earlier ones of the same length.
///
/// # Errors
/// [`Error::Settings`] when the pipeline has no order log with a calibration end, or has a
/// `[selection]`; [`Error::Input`] when the log breaks the contract or the holdout has no days;
/// [`Error::Model`] when the model of the pipeline cannot be fitted.
pub fn evaluate(settings: &Settings, folds: u32) -> Result<Evaluation, Error> {
    let cut = splittable(settings)?;
    let CleanInput { source: _held, files, cleaned, .. } =
        load_and_clean(settings, &mut Clock::default())?;
    let (first_order, last_order) = log::first_and_last(&cleaned.valid)?;
    let end = settings.transactions.observation_end.unwrap_or(last_order);
    if end <= cut {
        return Err(Error::input(
            &settings.input.path,
            format!(
                "the log ends on {end}, so there is nothing after the calibration end, {cut}: set \
                 transactions.calibration_end to an earlier date"
            ),
        ));
    }
    let mut findings = notices::of_rows(&cleaned, settings);
    findings.extend(notices::log_ends_early(last_order, end));
    let length = (end - cut).num_days() as u64;
    let mut made: Vec<Fold> = Vec::new();
    for number in 0..folds {
        let back = Days::new(length * u64::from(number));
        progress::stage("evaluate a fold");
        let fold = one_fold(&cleaned.valid, settings, cut - back, end - back);
        match fold.map_err(with_remedy) {
            Ok((fold, its_findings)) => {
                made.push(fold);
                findings.extend(its_findings);
            }
            // The pipeline's own holdout must work; an earlier one may begin before the log does.
            Err(error) if number == 0 => return Err(error),
            Err(error) => {
                findings.push(fewer_folds(folds, number, cut - back, first_order, &error));
                break;
            }
        }
    }
    findings.sort_by_key(|finding| finding.severity == Severity::Note);
    let inputs = files.fingerprints().join().unwrap_or_else(lost_thread)?;
    files.unchanged()?;
    Ok(Evaluation {
        inputs,
        rows_read: cleaned.rows_read,
        rejected: cleaned.rejected,
        folds: made,
        findings,
    })
}

fn splittable(settings: &Settings) -> Result<NaiveDate, Error> {
    let mut faults = Vec::new();
    if settings.input.kind != InputKind::Transactions {
        faults.push(
            "one row per customer cannot be split in time: evaluate an order log, input.kind = \
             \"transactions\""
                .to_owned(),
        );
    } else if settings.transactions.calibration_end.is_none() {
        faults.push(
            "transactions.calibration_end is missing: orders after it become the holdout; write \
             --set transactions.calibration_end=2011-06-09"
                .to_owned(),
        );
    }
    if settings.selection.is_some() {
        faults.push(
            "[selection] describes who is in the file at its end, and an earlier cut changes that: \
             remove the section"
                .to_owned(),
        );
    }
    match (settings.transactions.calibration_end, faults.is_empty()) {
        (Some(cut), true) => Ok(cut),
        _ => Err(Error::Settings { place: "evaluate".to_owned(), faults }),
    }
}

fn fewer_folds(
    asked: u32,
    made: u32,
    cut: NaiveDate,
    first_order: NaiveDate,
    error: &Error,
) -> Finding {
    let why = if cut <= first_order {
        format!("the log begins on {first_order}")
    } else {
        format!("cut at {cut}, {error}")
    };
    Finding::note(
        "fewer_folds",
        format!("{made} of {asked} holdouts fit into the log: {why}"),
        "set a later transactions.calibration_end: the holdouts become shorter",
    )
}

fn one_fold(
    days: &polars::prelude::LazyFrame,
    settings: &Settings,
    cut: NaiveDate,
    end: NaiveDate,
) -> Result<(Fold, Vec<Finding>), Error> {
    let mut at_cut = settings.clone();
    at_cut.transactions.calibration_end = Some(cut);
    at_cut.transactions.observation_end = Some(end);
    // Both sides are in the money of the cut, whatever prices do later.
    at_cut.spend.future_prices = FuturePrices::Constant;
    let plain = log::customer_summary(days.clone(), None, &at_cut)?;
    let prices = prices::of_log(days, &plain, LearnedFrom::ThisFile, &at_cut)?;
    let summary = match prices.level() {
        Some(level) => log::customer_summary(days.clone(), Some(level), &at_cut)?,
        None => plain,
    };
    let histories = to_histories(&summary, &at_cut)?;
    let unit = settings.summary.time_unit;
    // What came is held against the forecast in the money of the cut.
    let real = in_money_of(days, prices.level(), cut)?;
    let holdout = log::holdout(&real, &summary, cut, end, unit)?;
    let days_ahead = (end - cut).num_days() as f64;
    let log = Log { days, summary: &summary };
    let has_money = settings.has_money();
    // Without values of repeat orders there is nothing to forecast values from; orders are another
    // matter.
    let spend = has_money.then(|| model::fit_spend(&histories, &settings.spend));
    let (spend, unvalued) = match spend {
        Some(Err(error)) => (None, Some(unvalued(&error))),
        other => (other.transpose()?, None),
    };
    let has_money = has_money && spend.is_some();
    let places = places(log, &histories, &at_cut, days_ahead)?;
    // Only the chosen model has to make a forecast; the failure of another one is a result too.
    let mut attempts = Vec::new();
    for (i, place) in places.iter().enumerate() {
        for (family, fit) in &place.fitted {
            let mut method = method(place.name(*family), fit);
            let made = fit.as_ref().ok().map(|fit| {
                expected(fit, spend.as_ref(), &place.histories, &place.customers, place.horizon)
            });
            // With a calendar a model has a name of its own in every table.
            let name = place.name(*family);
            let made = made.map(|made| made.map(|forecast| Forecast { name, ..forecast }));
            let is_chosen = i + 1 == places.len() && *family == place.chosen;
            match made.transpose() {
                Err(error) if !is_chosen => {
                    method.fault = Some(error.to_string());
                    attempts.push((method, None));
                }
                made => attempts.push((method, made?)),
            }
        }
    }
    for baseline in baselines(&histories, &holdout, days_ahead / unit.days(), has_money) {
        let method = Method { baseline: true, ..method_named(baseline.name) };
        attempts.push((method, Some(baseline)));
    }
    let cohorts = cohorts(&histories, cut, &settings.summary);
    let (methods, groups) = measured(attempts, &histories, &holdout, &cohorts);
    // A run follows the calendar where there is one.
    let place = &places[places.len() - 1];
    let model = place.fitted.iter().find(|(family, _)| *family == place.chosen);
    let model = model.and_then(|(_, fit)| fit.as_ref().ok());
    let actual = holdout.orders.iter().sum();
    let total = model.and_then(|fit| Total::of(fit, &place.customers, place.horizon, actual));
    let fold = Fold {
        calibration_end: cut,
        holdout_end: end,
        chosen: place.name(place.chosen),
        customers: histories.len(),
        orders_interval: total.map(|total| total.interval()),
        price_level: prices.entry.filter(|entry| has_money && entry.level.is_some()),
        methods,
        groups,
    };
    let mut findings = model.map_or(Vec::new(), |model| model.findings.clone());
    if settings.purchases.model == PurchaseModelName::Auto {
        // Each model was fitted by its name here; the pipeline named none.
        findings.retain(|finding| finding.code != "no_dropout_by_choice");
    }
    findings.extend(model.map_or(Vec::new(), |fit| calendar_words::findings(fit, &at_cut)));
    findings.extend(in_money(&fold));
    findings.extend(unvalued);
    findings.extend(spend.map_or(Vec::new(), |spend| spend.findings));
    findings.extend(total.and_then(|total| missed(&fold, &total)));
    findings.extend(verdict(&fold, &holdout));
    Ok((fold, findings))
}

/// In which money a fold is evaluated.
fn in_money(fold: &Fold) -> Option<Finding> {
    let (_, as_of) = fold.price_level.as_ref()?.used()?;
    Some(
        Finding::note(
            "values_in_money_of",
            format!(
                "values of orders from {as_of} on are in the money of that day, as the forecasts are: what \
                 came later is brought back by the price level"
            ),
            "for values as they were paid, set spend.price_level = \"none\"",
        )
        .with("as_of", as_of),
    )
}

fn unvalued(error: &Error) -> Finding {
    Finding::note(
        "values_not_evaluated",
        format!("the values of orders were not evaluated: {error}"),
        "use a later transactions.calibration_end, so that customers have ordered again by then",
    )
}

/// Compares each forecast with what happened, for all customers and group by group.
fn measured(
    attempts: Vec<(Method, Option<Forecast>)>,
    histories: &Histories,
    holdout: &Holdout,
    cohorts: &[String],
) -> (Vec<Method>, Vec<GroupAccuracy>) {
    let mut groups = Vec::new();
    let mut measure = |(method, forecast): (Method, Option<Forecast>)| {
        let Some(forecast) = forecast else {
            return method;
        };
        groups.extend(by_group(&forecast, histories, holdout, cohorts));
        let orders = Some(accuracy(&forecast.orders, &holdout.orders));
        let value = forecast.value.as_ref().map(|value| accuracy(value, &holdout.value));
        Method { orders, value, ..method }
    };
    let methods = attempts.into_iter().map(&mut measure).collect();
    (methods, groups)
}

type Fits = Vec<(Family, Result<FittedPurchases, Error>)>;

/// The customers of a fold in one time, and the models that are fitted to them there.
struct Place {
    histories: Histories,
    customers: CustomerPatterns,
    /// The holdout, in that time.
    horizon: f64,
    /// Whether that time follows a calendar.
    follows_calendar: bool,
    fitted: Fits,
    /// The model that a run would predict with.
    chosen: Family,
}

impl Place {
    fn name(&self, family: Family) -> &'static str {
        if self.follows_calendar { family.name_with_calendar() } else { family.name() }
    }
}

/// Calendar time, and where the orders up to the cut follow a season, a trend or events, the time that
/// these make.
fn places(
    log: Log<'_>,
    observed: &Histories,
    settings: &Settings,
    days_ahead: f64,
) -> Result<Vec<Place>, Error> {
    let customers = CustomerPatterns::of(observed);
    let end = log.summary.observation_end.to_epoch_days();
    let Learned { calendar, gate } = calendar::learn(log, &customers.patterns, settings)?;
    let time = OperationalTime::even(settings.summary.time_unit.days(), end);
    let patterns = &customers.patterns;
    let in_time = |calendar| in_calendar(log, observed, patterns, calendar, settings, days_ahead);
    let in_calendar = match &calendar {
        None => None,
        Some(calendar) => {
            let place = in_time(calendar)?;
            let chosen = place.fitted.iter().find(|(family, _)| *family == place.chosen);
            let chosen = chosen.and_then(|(_, fit)| fit.as_ref().ok());
            // As in a run: what was learnt with another model is learnt again with this one.
            let own = match chosen {
                Some(fit) => calendar::learnt_with(log, patterns, settings, calendar, fit)?,
                None => None,
            };
            let mut place = own.as_ref().map_or(Ok(place), in_time)?;
            for fit in place.fitted.iter_mut().filter_map(|(_, fit)| fit.as_mut().ok()) {
                fit.gate.clone_from(&gate);
            }
            Some(place)
        }
    };
    let plain = place(log, (observed.clone(), customers), &time, settings, days_ahead)?;
    Ok(std::iter::once(plain).chain(in_calendar).collect())
}

/// The place that a calendar makes; `patterns` are those of calendar time.
fn in_calendar(
    log: Log<'_>,
    observed: &Histories,
    patterns: &Patterns,
    calendar: &CalendarFit,
    settings: &Settings,
    days_ahead: f64,
) -> Result<Place, Error> {
    let time = calendar::time(Some(calendar), log.summary, observed, settings)?;
    let histories = time.histories(observed).into_owned();
    let mut moved = CustomerPatterns::of(&histories);
    let factors = calendar::log_factors(calendar, log, patterns, settings)?;
    moved.patterns.log_factors = Some(factors);
    let mut place = place(log, (histories, moved), &time, settings, days_ahead)?;
    place.follows_calendar = true;
    for fit in place.fitted.iter_mut().filter_map(|(_, fit)| fit.as_mut().ok()) {
        *fit = fit.clone().with_calendar(calendar.clone());
    }
    Ok(place)
}

fn place(
    log: Log<'_>,
    (histories, customers): (Histories, CustomerPatterns),
    time: &OperationalTime,
    settings: &Settings,
    days_ahead: f64,
) -> Result<Place, Error> {
    let mut fitted = fit_all(&customers, settings);
    let gaps = GapsOfRun::new(log, &customers, time, settings);
    let chosen = chosen(&customers, &mut fitted, &settings.purchases, &gaps)?;
    let horizon = time.ahead(days_ahead);
    Ok(Place { histories, horizon, follows_calendar: false, fitted, chosen, customers })
}

/// Fits every model that can be fitted in this time, with the pipeline's penalty.
fn fit_all(customers: &CustomerPatterns, settings: &Settings) -> Fits {
    let fit = |family: Family| {
        let purchases = settings.purchases.with_model(family);
        let fitted = model::fit_purchases(&customers.patterns, &purchases, None);
        (family, fitted.map_err(with_remedy).and_then(|fitted| itself(fitted, family)))
    };
    let operational = customers.patterns.log_factors.is_some();
    let possible = |family: &Family| !(operational && *family == Family::ParetoNbd);
    Family::ALL.into_iter().filter(possible).map(fit).collect()
}

/// The fit, unless another model had to take its place: that one is measured by itself.
fn itself(fitted: FittedPurchases, family: Family) -> Result<FittedPurchases, Error> {
    match fitted.replaced.first() {
        Some(Replaced { model, why }) if *model == family => {
            Err(Error::model(format!("{} could not be fitted: {}", model.title(), why.words())))
        }
        _ => Ok(fitted),
    }
}

/// The model that a run on this calibration would predict with. One of regular buyers is put beside
/// the others that were fitted.
fn chosen(
    customers: &CustomerPatterns,
    fitted: &mut Fits,
    purchases: &Purchases,
    gaps: &GapsOfRun<'_>,
) -> Result<Family, Error> {
    let family = match purchases.model.family().filter(|_| !purchases.model.is_regular()) {
        Some(named) => named,
        None => {
            let fit = fit_with(&customers.patterns, purchases, None, &gaps.known(), false)?;
            let family = fit.family;
            if family.stages() > 1 {
                fitted.push((family, Ok(fit)));
            }
            family
        }
    };
    // Where it has no fit, the no-dropout model takes its place.
    match fitted.iter().find(|(fitted, _)| *fitted == family) {
        Some((_, Err(_))) => Ok(Family::Nbd),
        _ => Ok(family),
    }
}

fn method_named(name: &'static str) -> Method {
    Method {
        name,
        baseline: false,
        orders: None,
        value: None,
        log_likelihood: None,
        parameters: Vec::new(),
        fault: None,
    }
}

fn method(name: &'static str, fit: &Result<FittedPurchases, Error>) -> Method {
    match fit {
        Ok(fit) => Method {
            log_likelihood: Some(fit.log_likelihood),
            parameters: fit.parameters.clone(),
            ..method_named(name)
        },
        Err(error) => Method { fault: Some(error.to_string()), ..method_named(name) },
    }
}

/// The month of each customer's first order, as 1997-01.
fn cohorts(histories: &Histories, cut: NaiveDate, summary: &Summary) -> Vec<String> {
    let days = summary.time_unit.days();
    let month = |age: &f64| {
        let first = cut - Days::new((age * days).round() as u64);
        first.format("%Y-%m").to_string()
    };
    histories.age().iter().map(month).collect()
}
