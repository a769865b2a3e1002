//! The flow, top to bottom: load → clean → cap → totals → summary → fit → predict → segment →
//! check → forecast → write. Each step is a function that returns its result; nothing is changed later.
//!
//! # Layout
//! * `prepare`: load, clean, cap, totals, summary. `contract`: what the input must be like.
//! * `models`: fit or take given models, predict. `segments`: CLTV and RFM segments.
//!   `calendar`: the season, the trend and the events that they follow. `calendar_words`: what to say
//!   about them. `gaps`: the times between orders.
//!   `forecast`: the company, week by week, with intervals. `past`: forecasts of the past.
//! * `channels`: files with buyers of both channels only. `selection`: how customers came to be in the file, as stated and as the data show it.
//!   `strays`: customers who contradict it, set aside if they are few.
//!   `window`: its window in days and dates.
//! * `prices`: how prices moved, and in which money the results are.
//! * `previous`: the input against that of the run before. `doubts`: what looks right
//!   and probably is not.
//! * `checks`: the models held against the data.
//! * `notices`: what the reader should know. `remedies`: what may help when a fit fails. `advise`:
//!   what to do about each segment. `charts`: the numbers behind the charts of the report.

pub(crate) mod advise;
pub(crate) mod calendar;
pub(crate) mod calendar_words;
pub(crate) mod channels;
pub(crate) mod charts;
pub(crate) mod checks;
pub(crate) mod contract;
pub(crate) mod doubts;
pub(crate) mod forecast;
pub(crate) mod gaps;
pub(crate) mod models;
pub(crate) mod notices;
pub(crate) mod past;
pub(crate) mod prepare;
pub(crate) mod previous;
pub(crate) mod prices;
pub(crate) mod remedies;
pub(crate) mod segments;
pub(crate) mod selection;
pub(crate) mod strays;
pub(crate) mod window;

use std::path::PathBuf;
use std::thread::JoinHandle;

use crate::error::Error;
use crate::frame::scored::predictions::attach_intervals;
use crate::model::evaluate::missed::Verdict;
use crate::model_file::ModelFileParts;
use crate::output::folder::kind::OutputKind;
use crate::output::folder::target::Target;
use crate::output::write;
use crate::pipeline::channels::both_answers;
use crate::pipeline::charts::compute_chart_data;
use crate::pipeline::checks::check_models;
use crate::pipeline::forecast::forecast_company;
use crate::pipeline::models::{Fit, fit_and_predict};
use crate::pipeline::notices::{Found, collect_findings};
use crate::pipeline::past::since_the_fit;
use crate::pipeline::prepare::{Kept, for_fit, load_and_clean, summarise};
use crate::pipeline::previous::{Previous, compared};
use crate::pipeline::prices::{LearnedFrom, money_since};
use crate::pipeline::remedies::with_remedy;
use crate::pipeline::segments::{Edges, find_edges, segment_customers};
use crate::progress::Clock;
use crate::results::run_document::{Drift, OrdersSince};
use crate::run::calendar_of;
use crate::settings::{PriceSource, Settings, UncertaintyMethod};
use crate::storage::fingerprint::{Fingerprint, lost_thread};

pub use crate::model_file::ModelFile;
pub use crate::output::run_json::Started;
pub use crate::pipeline::prepare::{Prepared, prepare};
pub use crate::run::audit::Audit;
pub use crate::run::{Fitted, Run};

/// Runs a pipeline and writes its files into the folder of its settings: all of them or none, and
/// one run at a time. Returns what was found, and the folder.
///
/// # Errors
/// As [`analyse`]; [`Error::Io`] when the folder cannot be written. Then nothing in it has changed.
pub fn run(settings: &Settings, started: &Started) -> Result<(Run, PathBuf), Error> {
    let target = Target::of(settings, OutputKind::Run)?;
    let run = analyse(settings)?;
    let folder = write(&run, settings, started, &target)?;
    Ok((run, folder))
}

/// Runs the analysis; writes nothing. The input is held against that of an earlier run of the same
/// pipeline in the output folder, if there is one.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Model`] when a model cannot be
/// fitted, [`Error::Io`] when the input cannot be read.
pub fn analyse(settings: &Settings) -> Result<Run, Error> {
    let mut clock = Clock::default();
    let input = load_and_clean(settings, &mut clock)?; // load → clean
    let input = for_fit(input, settings)?;
    let prepared = summarise(input, Kept::default(), settings, &mut clock)?; // cap → totals → summary
    let prepared = compared(prepared, Previous::in_output(settings), settings)?;
    complete(prepared, None, None, settings, clock)
}

/// Runs the analysis with the models, outlier limits and segment edges of an earlier fit, so that
/// exports can be compared. Where the stability index of a column exceeds `refit_if`, the models
/// are fitted to the new export instead.
///
/// # Errors
/// As [`analyse`]; [`Error::Settings`] when the settings differ from those of the fit in a key on
/// which its parameters, limits or edges depend.
pub fn score(settings: &Settings, given: &ModelFile, refit_if: Option<f64>) -> Result<Run, Error> {
    let place = || "the settings of the score".to_owned();
    given.agrees(settings).map_err(|faults| Error::Settings { place: place(), faults })?;
    let mut clock = Clock::default();
    let input = load_and_clean(settings, &mut clock)?;
    let prices = LearnedFrom::Model(given.price_level());
    let kept = Kept { limits: Some(&given.outlier_limits), prices };
    let prepared = summarise(input, kept, settings, &mut clock)?;
    let prepared = compared(prepared, Some(Previous::of_model(given)), settings)?;
    let prepared = compared(prepared, Previous::in_output(settings), settings)?;
    let settings = &with_window_moved(settings, given, &prepared);
    let money = money_since(given, &prepared.prices, prepared.summary.observation_end);
    let stability_index = given.stability_index(&prepared.histories, money);
    let refitted = refit_if.is_some_and(|most| stability_index.iter().any(|(_, psi)| *psi > most));
    let orders = since_the_fit(&prepared, given, settings)?.map(|total| OrdersSince {
        fitted_until: given.observation_end,
        expected: total.expected,
        interval: total.interval(),
        actual: total.actual,
        missed: total.verdict() == Verdict::Missed,
    });
    let drift = Some(Drift { population_stability_index: stability_index, refitted, orders });
    if refitted {
        let input = for_fit(prepared.input, settings)?;
        // An index stays that of the model; a factor of the log is estimated again.
        let prices = match settings.spend.price_level {
            PriceSource::OfModel => prices,
            _ => LearnedFrom::ThisFile,
        };
        let prepared = summarise(input, Kept { limits: None, prices }, settings, &mut clock)?;
        complete(prepared, None, drift, settings, clock)
    } else {
        complete(prepared, Some(given), drift, &with_normal_draws(settings), clock)
    }
}

/// Fits the models and finds the edges of the segments: the first steps of a run. Writes nothing.
///
/// # Errors
/// As [`analyse`].
pub fn fit(settings: &Settings) -> Result<Fitted, Error> {
    let mut clock = Clock::default();
    let input = for_fit(load_and_clean(settings, &mut clock)?, settings)?;
    let prepared = summarise(input, Kept::default(), settings, &mut clock)?;
    let hashes = prepared.input.files.fingerprints();
    let (fit, edges) = fit_and_find_edges(&prepared, None, settings, &mut clock)?;
    let inputs = verified(hashes, &prepared)?;
    let model_file = to_model_file(&prepared, &fit, &edges, &inputs, settings);
    let calendar = calendar_of(&fit.purchases, prepared.summary.observation_end);
    Ok(Fitted { model_file, calendar, audit: prepared.audit(inputs, clock.laps()) })
}

/// From the CLTV frame to the end; with the models of an earlier fit, where they are `given`, and
/// with the drift of the customers since then.
fn complete(
    prepared: Prepared,
    given: Option<&ModelFile>,
    drift: Option<Drift>,
    settings: &Settings,
    mut clock: Clock,
) -> Result<Run, Error> {
    // The input is hashed in the background while the models are fitted.
    let hashes = prepared.input.files.fingerprints();
    let (fit, edges) = fit_and_find_edges(&prepared, given, settings, &mut clock)?; // fit → predict
    let segmented = segment_customers(&prepared, &fit, &edges, settings)?; // segment
    let checked = check_models(&prepared, &fit, settings, &mut clock)?; // check
    let forecast = forecast_company(&prepared, &fit, &checked, &segmented, settings, &mut clock) // forecast
        .map_err(with_remedy)?;
    let channels = both_answers(&prepared, &fit, settings);
    let found = Found {
        checked: &checked.findings,
        fits: checked.fits(),
        channels: channels.as_ref(),
        without_intervals: forecast.without_intervals.as_ref(),
        drift: drift.as_ref(),
    };
    let findings = collect_findings(&prepared, &fit, &edges.cltv, found, settings);
    let chart_data =
        compute_chart_data(&prepared, &fit, checked.fit, &segmented, settings, &mut clock)?;
    let scored = attach_intervals(segmented.frame, forecast.customers, &settings.input)?;
    let inputs = verified(hashes, &prepared)?;
    let model_file =
        given.cloned().unwrap_or_else(|| to_model_file(&prepared, &fit, &edges, &inputs, settings));
    Ok(Run {
        scored,
        edges: edges.cltv,
        profiles: segmented.profiles,
        rfm: segmented.rfm,
        advice: segmented.advice,
        purchases: fit.purchases,
        spend: fit.spend,
        forecast: forecast.periods,
        next_month: forecast.next_month,
        tracking: forecast.tracking,
        intervals: forecast.intervals,
        chart_data,
        findings,
        checks: checked.checks,
        model_file,
        drift,
        audit: prepared.audit(inputs, clock.laps()),
    })
}

/// What a run and a fit have in common once the input is summarised.
fn fit_and_find_edges(
    prepared: &Prepared,
    given: Option<&ModelFile>,
    settings: &Settings,
    clock: &mut Clock,
) -> Result<(Fit, Edges), Error> {
    let fit = fit_and_predict(prepared, given, settings, clock).map_err(with_remedy)?;
    let edges = find_edges(prepared, &fit, given, settings, clock)?;
    Ok((fit, edges))
}

/// The hashes of the input, once it is certain that it did not change while it was read.
fn verified(
    hashes: JoinHandle<Result<Vec<Fingerprint>, Error>>,
    prepared: &Prepared,
) -> Result<Vec<Fingerprint>, Error> {
    let inputs = hashes.join().unwrap_or_else(lost_thread)?;
    prepared.input.files.unchanged()?;
    Ok(inputs)
}

/// What is saved of a fit.
fn to_model_file(
    prepared: &Prepared,
    fit: &Fit,
    edges: &Edges,
    inputs: &[Fingerprint],
    settings: &Settings,
) -> ModelFile {
    // Intervals and drift are of a run, not of the model.
    let findings = collect_findings(prepared, fit, &edges.cltv, Found::default(), settings);
    let parts = ModelFileParts {
        rows_read: prepared.input.cleaned.rows_read,
        summary: &prepared.summary,
        limits: &prepared.limits,
        histories: &prepared.histories,
        purchases: &fit.purchases,
        spend: fit.spend.as_ref(),
        prices: prepared.prices.entry.as_ref(),
        edges: edges.cltv.clone(),
        rfm_edges: edges.rfm.clone(),
        findings: &findings,
    };
    ModelFile::of(parts, inputs, settings)
}

/// The settings for an export of another day: a selection window that is given by its first day
/// keeps its length.
fn with_window_moved(settings: &Settings, given: &ModelFile, prepared: &Prepared) -> Settings {
    let mut settings = settings.clone();
    let days = prepared.summary.observation_end - given.observation_end;
    if let Some(first) = settings.selection.as_mut().and_then(|s| s.last_order_on_or_after.as_mut())
    {
        *first = first.checked_add_signed(days).unwrap_or(*first);
    }
    settings
}

/// The settings with parameters drawn by the covariance of the given fit: a bootstrap would fit the
/// models to the scored customers.
fn with_normal_draws(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    if let Some(uncertainty) = &mut settings.uncertainty {
        uncertainty.method = UncertaintyMethod::Normal;
    }
    settings
}
