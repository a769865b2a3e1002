//! The flow, top to bottom: load → clean → cap → totals → summary (in `look`) → fit → predict →
//! segment.

pub mod advise;
pub mod charts;
pub mod contract;
pub mod models;
pub mod notices;
pub mod prepare;

use polars::prelude::DataFrame;

use crate::customers::Groups;
use crate::error::Error;
use crate::frame::scored::rfm::{self, RfmEdges};
use crate::frame::scored::{kept_columns, predictions, profile, segment};
use crate::frame::summary::log;
use crate::model::evaluate::tracking::{self, Stretch};
use crate::model::forecast::company;
use crate::model::forecast::intervals::{of_customers, of_totals};
use crate::model::forecast::predict::Outlook;
use crate::model::{self, CustomerPatterns, FittedPurchases, FittedSpend};
use crate::model_file::{ModelFile, ModelFileParts};
use crate::run::audit::Audit;
use crate::pipeline::models::{Models, is_comparable, models, outlook};
use crate::pipeline::notices::findings;
use crate::pipeline::prepare::summarise_input;
use crate::run::{Fitted, Run};
use crate::progress::Clock;
use crate::results::findings::Finding;
use crate::results::forecast::{Intervals, Week};
use crate::results::run_document::Drift;
use crate::settings::{Settings, UncertaintyMethod};
use crate::storage::fingerprint::lost_thread;

pub use prepare::{CleanInput, Prepared, prepare, read_and_clean};

/// Customers in the list of those who are expected to order most.
const MOST_ORDERS: usize = 10;

/// Runs the analysis; writes nothing.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Model`] when a model cannot be
/// fitted, [`Error::Io`] when the input cannot be read.
pub fn analyse(settings: &Settings) -> Result<Run, Error> {
    let mut clock = Clock::default();
    let prepared = prepare(settings, None, &mut clock)?;
    complete(prepared, None, settings, clock)
}

/// The same with the models, outlier limits and segment edges of an earlier fit, so that exports
/// compare. Where a column's stability index exceeds `refit_if`, models are fitted after all.
///
/// # Errors
/// As [`analyse`].
pub fn score(settings: &Settings, given: &ModelFile, refit_if: Option<f64>) -> Result<Run, Error> {
    let mut clock = Clock::default();
    let prepared = prepare(settings, Some(&given.outlier_limits), &mut clock)?;
    let settings = &moved(settings, given, &prepared);
    let stability_index = given.stability_index(&prepared.histories);
    let refitted = refit_if.is_some_and(|most| stability_index.iter().any(|(_, psi)| *psi > most));
    let mut run = match refitted {
        true => {
            let Prepared { source, files, cleaned, .. } = prepared;
            let read = CleanInput { source, files, cleaned };
            complete(summarise_input(read, None, settings, &mut clock)?, None, settings, clock)?
        }
        false => complete(prepared, Some(given), &without_refits(settings), clock)?,
    };
    let drift = Drift { population_stability_index: stability_index, refitted };
    run.findings.splice(..0, notices::drift_finding(&drift));
    run.drift = Some(drift);
    Ok(run)
}

/// The settings for an export of another day: a window of selection that is named by its first day
/// keeps its length.
fn moved(settings: &Settings, given: &ModelFile, prepared: &Prepared) -> Settings {
    let mut settings = settings.clone();
    let days = prepared.summary.observation_end - given.observation_end;
    if let Some(first) = settings.selection.as_mut().and_then(|s| s.last_order_on_or_after.as_mut())
    {
        *first = first.checked_add_signed(days).unwrap_or(*first);
    }
    settings
}

/// A bootstrap would fit the models to the scored customers: parameters are drawn by the covariance of
/// the given fit instead.
fn without_refits(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    if let Some(uncertainty) = &mut settings.uncertainty {
        uncertainty.method = UncertaintyMethod::Normal;
    }
    settings
}

/// Fits the models, and finds the edges of the segments; writes nothing.
///
/// # Errors
/// As [`analyse`].
pub fn fit(settings: &Settings) -> Result<Fitted, Error> {
    let mut clock = Clock::default();
    let prepared = prepare(settings, None, &mut clock)?;
    clock.enter("fit orders and order values");
    let inputs = prepared.files.fingerprints();
    let customers = CustomerPatterns::of(&prepared.histories);
    let models = models(&prepared, &customers, None, settings)?;
    clock.enter("predict");
    let outlook = outlook(&prepared, &customers, settings);
    let predicted = model::predict(&models.purchases, &models.spend, &outlook)?;
    let edges = segment::edges(&predicted.lifetime_value, settings.segments.labels.len());
    let rfm_edges = rfm::edges_of(&prepared.summary.frame, settings)?;
    let findings = findings(&prepared, &models, &predicted, &outlook, &edges, None, settings);
    let inputs = inputs.join().unwrap_or_else(lost_thread)?;
    prepared.files.unchanged()?;
    let parts = parts(&prepared, &models, edges, rfm_edges, &findings);
    let model_file = ModelFile::of(parts, &inputs, settings);
    Ok(Fitted { model_file, audit: Audit::of(prepared, inputs, clock.laps()) })
}

/// What goes into model.json.
fn parts<'a>(
    prepared: &'a Prepared,
    models: &'a Models,
    edges: Vec<f64>,
    rfm_edges: Option<RfmEdges>,
    findings: &'a [Finding],
) -> ModelFileParts<'a> {
    ModelFileParts {
        rows_read: prepared.cleaned.rows_read,
        summary: &prepared.summary,
        limits: &prepared.limits,
        histories: &prepared.histories,
        purchases: &models.purchases,
        spend: &models.spend,
        edges,
        rfm_edges,
        findings,
    }
}

/// From the CLTV frame to the end.
fn complete(
    prepared: Prepared,
    given: Option<&ModelFile>,
    settings: &Settings,
    mut clock: Clock,
) -> Result<Run, Error> {
    clock.enter("fit orders and order values");
    let inputs = prepared.files.fingerprints();
    let customers = CustomerPatterns::of(&prepared.histories);
    let models = models(&prepared, &customers, given, settings)?;
    let Models { purchases, spend, .. } = &models;
    clock.enter("predict");
    let outlook = outlook(&prepared, &customers, settings);
    let predicted = model::predict(purchases, spend, &outlook)?;
    clock.enter("segment and advise");
    let frame = &prepared.summary.frame;
    let scored = predictions::attach(frame, &predicted, settings)?;
    let given_edges = given.map(|given| given.segments.edges.as_slice());
    let segmented = segment::segment(scored, &settings.segments.labels, given_edges)?;
    let profiles = profile::profiles(&segmented.frame, settings)?;
    let knows_dropout = purchases.knows_dropout();
    let advice = advise::advise(&profiles.segments, &profiles.company, knows_dropout, settings);
    let groups =
        kept_columns::groups(&segmented.frame, settings, &profiles.member, &profiles.kept_columns)?;
    let rfm_edges = given.and_then(|given| given.rfm_edges.as_ref());
    let rfm = rfm::score(segmented.frame, frame, &profiles.member, rfm_edges, settings)?;
    clock.enter("forecast the company");
    let next_month = company::next_month(&purchases.model, &outlook)?;
    let mut forecast =
        company::forecast(&purchases.model, &predicted, &next_month, &groups, &outlook)?;
    let next_month = predictions::highest_customers(&rfm.frame, &next_month, MOST_ORDERS)?;
    let tracking = tracking(&prepared, purchases, settings)?;
    clock.enter("draw intervals");
    let (scored, intervals) = intervals(rfm.frame, purchases, spend, &outlook, &groups, settings)?;
    let without = intervals.as_ref().and_then(|i| i.as_ref().err()).map(notices::without_intervals);
    let edges = segmented.edges;
    let findings = findings(&prepared, &models, &predicted, &outlook, &edges, without, settings);
    let intervals = intervals.and_then(Result::ok);
    if let Some(intervals) = &intervals {
        company::with_intervals(&mut forecast, &intervals.periods);
    }
    clock.enter("figures");
    let chart_data = charts::chart_data(&charts::Source {
        prepared: &prepared,
        models: &models,
        predicted: &predicted,
        outlook: &outlook,
        scored: &scored,
        member: &profiles.member,
        settings,
    })?;
    let inputs = inputs.join().unwrap_or_else(lost_thread)?;
    prepared.files.unchanged()?;
    let model_file = given.cloned().unwrap_or_else(|| {
        let (edges, rfm_edges) = (edges.clone(), rfm.edges);
        let parts = parts(&prepared, &models, edges, rfm_edges, &findings);
        ModelFile::of(parts, &inputs, settings)
    });
    let Models { purchases, spend, .. } = models;
    Ok(Run {
        scored,
        edges,
        profiles,
        rfm: rfm.segments,
        advice,
        purchases,
        spend,
        forecast,
        next_month,
        tracking,
        intervals,
        chart_data,
        findings,
        model_file,
        drift: None,
        audit: Audit::of(prepared, inputs, clock.laps()),
    })
}

/// Repeat orders week by week, where the model's expectation for a new customer is theirs.
fn tracking(
    prepared: &Prepared,
    purchases: &FittedPurchases,
    settings: &Settings,
) -> Result<Vec<Week>, Error> {
    if !is_comparable(settings) {
        return Ok(Vec::new());
    }
    let unit = settings.summary.time_unit;
    let (cut, end) = (prepared.summary.observation_end, prepared.summary.covered_until);
    let stretch = Stretch { calibration_end: cut.to_epoch_days(), end: end.to_epoch_days() };
    let orders = log::orders_by_day(&prepared.cleaned.valid, cut, end)?;
    let acquired = prepared.histories.first_days(stretch.calibration_end, unit.days());
    tracking::track(&purchases.model, unit, &acquired, &orders, stretch)
}

/// Intervals of customers as columns, and those of totals, where the pipeline asks for them. Totals
/// need parameters that can be drawn; without them the rest of the run stands.
fn intervals(
    scored: DataFrame,
    purchases: &FittedPurchases,
    spend: &FittedSpend,
    outlook: &Outlook<'_>,
    groups: &Groups,
    settings: &Settings,
) -> Result<(DataFrame, Option<Result<Intervals, Error>>), Error> {
    let Some(uncertainty) = &settings.uncertainty else {
        return Ok((scored, None));
    };
    let totals = of_totals(uncertainty, purchases, spend, outlook, groups);
    let customers = of_customers(uncertainty.level, &purchases.model, outlook)?;
    Ok((predictions::attach_intervals(scored, customers, settings)?, Some(totals)))
}
