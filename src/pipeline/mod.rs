//! The flow, top to bottom: load → clean → cap → totals → summary (in `look`) → fit → predict →
//! segment.

pub mod advise;
pub mod audit;
pub mod charts;
pub mod contract;
pub mod notices;
pub mod prepare;

use polars::prelude::DataFrame;

use crate::customers::Groups;
use crate::error::Error;
use crate::frame::scored::profile::Profiles;
use crate::frame::scored::rfm::RfmProfile;
use crate::frame::scored::{kept_columns, predictions, profile, rfm, segment};
use crate::frame::summary::log;
use crate::model::evaluate::tracking;
use crate::model::evaluate::tracking::{Stretch, Week};
use crate::model::forecast::company;
use crate::model::forecast::intervals::{Intervals, of_customers, of_totals};
use crate::model::forecast::predict::{Outlook, total_orders};
use crate::model::selection::probability::Selection;
use crate::model::selection::stated;
use crate::model::{self, CustomerPatterns, FittedPurchases, FittedSpend, Predictions};
use crate::model_file::{Parts, Trained};
use crate::pipeline::advise::Advice;
use crate::pipeline::audit::{Audit, Clock};
use crate::pipeline::prepare::summarised;
use crate::results::chart_data::Figures;
use crate::results::findings::{Finding, Severity};
use crate::settings::{FrequencyKind, InputKind, Settings, UncertaintyMethod};
use crate::storage::fingerprint::lost_thread;
pub use prepare::{Look, Read, look, read};

/// Customers in the list of those who are expected to order most.
const BUSIEST: usize = 10;

/// Everything that a run found out; [`crate::output::write`] makes files of it.
pub struct Run {
    /// Customers with predictions and segment, in input order.
    pub scored: DataFrame,
    /// Rising edges of the segments.
    pub edges: Vec<f64>,
    /// What is to be said of each segment and of all customers.
    pub profiles: Profiles,
    /// A row an RFM segment.
    pub rfm: Vec<RfmProfile>,
    /// What to do about each segment, in their order.
    pub advice: Vec<Advice>,
    /// The model of orders.
    pub purchases: FittedPurchases,
    /// The model of order values.
    pub spend: FittedSpend,
    /// Orders and revenue of the company, its segments and its channels.
    pub forecast: Vec<company::Row>,
    /// Who is expected to order most in the next month, and how much, most first.
    pub next_month: Vec<(String, f64)>,
    /// Repeat orders week by week, expected and actual; an order log only.
    pub tracking: Vec<Week>,
    /// How far totals can be off, where the pipeline asks for it.
    pub intervals: Option<Intervals>,
    /// What the charts of a report show.
    pub figures: Figures,
    /// What the reader should know, most serious first.
    pub findings: Vec<Finding>,
    /// What is kept of the fit, or was given.
    pub trained: Trained,
    /// How the customers differ from those that a given model was fitted to.
    pub drift: Option<Drift>,
    /// What happened to the rows.
    pub audit: Audit,
}

/// What `cltv fit` finds out.
pub struct Fitted {
    /// What is kept of it.
    pub trained: Trained,
    /// What happened to the rows.
    pub audit: Audit,
}

/// How the customers of a new export differ from those that the model was fitted to.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Drift {
    /// Population stability index of each column.
    pub stability_index: Vec<(String, f64)>,
    /// Whether that was beyond the limit, so that models were fitted again.
    pub refitted: bool,
}

/// Runs the analysis; writes nothing.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Model`] when a model cannot be
/// fitted, [`Error::Io`] when the input cannot be read.
pub fn analyse(settings: &Settings) -> Result<Run, Error> {
    let mut clock = Clock::default();
    let look = look(settings, None, &mut clock)?;
    complete(look, None, settings, clock)
}

/// The same with the models, outlier limits and segment edges of an earlier fit, so that exports
/// compare. Where a column's stability index exceeds `refit_if`, models are fitted after all.
///
/// # Errors
/// As [`analyse`].
pub fn score(settings: &Settings, given: &Trained, refit_if: Option<f64>) -> Result<Run, Error> {
    let mut clock = Clock::default();
    let look = look(settings, Some(&given.outlier_limits), &mut clock)?;
    let settings = &moved(settings, given, &look);
    let stability_index = given.stability_index(&look.histories);
    let refitted = refit_if.is_some_and(|most| stability_index.iter().any(|(_, psi)| *psi > most));
    let mut run = match refitted {
        true => {
            let Look { source, files, cleaned, .. } = look;
            let read = Read { source, files, cleaned };
            complete(summarised(read, None, settings, &mut clock)?, None, settings, clock)?
        }
        false => complete(look, Some(given), &without_refits(settings), clock)?,
    };
    let drift = Drift { stability_index, refitted };
    run.findings.splice(..0, notices::drifted(&drift));
    run.drift = Some(drift);
    Ok(run)
}

/// The settings for an export of another day: a window of selection that is named by its first day
/// keeps its length.
fn moved(settings: &Settings, given: &Trained, look: &Look) -> Settings {
    let mut settings = settings.clone();
    let days = look.summary.observation_end - given.observation_end;
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
    let look = look(settings, None, &mut clock)?;
    clock.enter("fit orders and order values");
    let inputs = look.files.fingerprints();
    let customers = CustomerPatterns::of(&look.histories);
    let models = models(&look, &customers, None, settings)?;
    clock.enter("predict");
    let outlook = outlook(&look, &customers, settings);
    let predicted = model::predict(&models.purchases, &models.spend, &outlook)?;
    let edges = segment::edges(&predicted.lifetime_value, settings.segments.labels.len());
    let rfm_edges = rfm::edges_of(&look.summary.frame, settings)?;
    let findings = findings(&look, &models, &predicted, &outlook, &edges, None, settings);
    let inputs = inputs.join().unwrap_or_else(lost_thread)?;
    look.files.unchanged()?;
    let parts = Parts { look: &look, models: &models, edges, rfm_edges, findings: &findings };
    let trained = Trained::of(parts, &inputs, settings);
    Ok(Fitted { trained, audit: Audit::of(look, inputs, clock.laps()) })
}

/// The models that predict, and how customers came to be in the file that they were fitted to.
pub struct Models {
    /// The model of orders.
    pub purchases: FittedPurchases,
    /// The model of order values.
    pub spend: FittedSpend,
    /// None for everybody ever acquired.
    pub selection: Option<Selection>,
    /// Whether they were fitted to another export.
    pub given: bool,
}

/// Fits the models, or takes those that are given.
fn models(
    look: &Look,
    customers: &CustomerPatterns,
    given: Option<&Trained>,
    settings: &Settings,
) -> Result<Models, Error> {
    if let Some(given) = given {
        let (purchases, spend) = given.fits()?;
        let selection = purchases.selection.as_ref().map(|fit| fit.selection);
        return Ok(Models { purchases, spend, selection, given: true });
    }
    let histories = &look.histories;
    let selection = stated::stated(settings, histories, look.summary.observation_end)?;
    let (purchases, spend) = rayon::join(
        || model::fit_purchases(&customers.patterns, &settings.purchases, selection),
        || model::fit_spend(histories, &settings.spend),
    );
    Ok(Models { purchases: purchases?, spend: spend?, selection, given: false })
}

fn outlook<'a>(
    look: &'a Look,
    customers: &'a CustomerPatterns,
    settings: &'a Settings,
) -> Outlook<'a> {
    Outlook {
        histories: &look.histories,
        customers,
        unit: settings.summary.time_unit,
        forecast: &settings.forecast,
        lifetime: &settings.lifetime_value,
    }
}

/// From the CLTV frame to the end.
fn complete(
    look: Look,
    given: Option<&Trained>,
    settings: &Settings,
    mut clock: Clock,
) -> Result<Run, Error> {
    clock.enter("fit orders and order values");
    let inputs = look.files.fingerprints();
    let customers = CustomerPatterns::of(&look.histories);
    let models = models(&look, &customers, given, settings)?;
    let Models { purchases, spend, .. } = &models;
    clock.enter("predict");
    let outlook = outlook(&look, &customers, settings);
    let predicted = model::predict(purchases, spend, &outlook)?;
    clock.enter("segment and advise");
    let frame = &look.summary.frame;
    let scored = predictions::attach(frame, &predicted, settings)?;
    let given_edges = given.map(|given| given.segments.edges.as_slice());
    let segmented = segment::segment(scored, &settings.segments.labels, given_edges)?;
    let profiles = profile::profiles(&segmented.frame, settings)?;
    let knows_dropout = purchases.knows_dropout();
    let advice = advise::advise(&profiles.segments, &profiles.company, knows_dropout, settings);
    let groups =
        kept_columns::groups(&segmented.frame, settings, &profiles.member, &profiles.kept)?;
    let rfm_edges = given.and_then(|given| given.rfm_edges.as_ref());
    let rfm = rfm::score(segmented.frame, frame, &profiles.member, rfm_edges, settings)?;
    clock.enter("forecast the company");
    let next_month = company::next_month(&purchases.model, &outlook)?;
    let mut forecast =
        company::forecast(&purchases.model, &predicted, &next_month, &groups, &outlook)?;
    let next_month = predictions::highest_customers(&rfm.frame, &next_month, BUSIEST)?;
    let tracking = tracking(&look, purchases, settings)?;
    clock.enter("draw intervals");
    let (scored, intervals) = intervals(rfm.frame, purchases, spend, &outlook, &groups, settings)?;
    let without = intervals.as_ref().and_then(|i| i.as_ref().err()).map(notices::without_intervals);
    let edges = segmented.edges;
    let findings = findings(&look, &models, &predicted, &outlook, &edges, without, settings);
    let intervals = intervals.and_then(Result::ok);
    if let Some(intervals) = &intervals {
        company::with_intervals(&mut forecast, &intervals.periods);
    }
    clock.enter("figures");
    let figures = charts::figures(&charts::Source {
        look: &look,
        models: &models,
        predicted: &predicted,
        outlook: &outlook,
        scored: &scored,
        member: &profiles.member,
        settings,
    })?;
    let inputs = inputs.join().unwrap_or_else(lost_thread)?;
    look.files.unchanged()?;
    let trained = given.cloned().unwrap_or_else(|| {
        let (edges, rfm_edges) = (edges.clone(), rfm.edges);
        let parts = Parts { look: &look, models: &models, edges, rfm_edges, findings: &findings };
        Trained::of(parts, &inputs, settings)
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
        figures,
        findings,
        trained,
        drift: None,
        audit: Audit::of(look, inputs, clock.laps()),
    })
}

/// Everything that the reader should know, most serious first.
fn findings(
    look: &Look,
    models: &Models,
    predicted: &Predictions,
    outlook: &Outlook<'_>,
    edges: &[f64],
    without_intervals: Option<Finding>,
    settings: &Settings,
) -> Vec<Finding> {
    let Models { purchases, spend, selection, given } = models;
    let mut findings = purchases.findings.clone();
    findings.extend(without_intervals);
    findings.extend(corrected(purchases, predicted, outlook, settings));
    let end = look.summary.observation_end;
    // A correction belongs to the file of the fit; whether this one is filtered alike changes nothing.
    if !(*given && selection.is_some()) {
        findings.extend(stated::findings(settings, *selection, &look.signs, end));
    }
    findings.extend(spend.findings.clone());
    findings.extend(notices::remarks(settings, look, edges));
    findings.sort_by_key(|finding| finding.severity == Severity::Note);
    findings
}

/// Whether the model's expectations are of the orders in the input: a log has all of them, and what
/// the model counts are repeat orders.
fn is_comparable(settings: &Settings) -> bool {
    settings.input.kind == InputKind::Transactions
        && settings.summary.frequency == FrequencyKind::RepeatOrders
        && settings.summary.min_orders == 1
        && settings.selection.is_none()
}

/// Repeat orders week by week, where the model's expectation for a new customer is theirs.
fn tracking(
    look: &Look,
    purchases: &FittedPurchases,
    settings: &Settings,
) -> Result<Vec<Week>, Error> {
    if !is_comparable(settings) {
        return Ok(Vec::new());
    }
    let unit = settings.summary.time_unit;
    let (cut, end) = (look.summary.observation_end, look.summary.covered_until);
    let stretch = Stretch { calibration_end: cut.to_epoch_days(), end: end.to_epoch_days() };
    let orders = log::orders_by_day(&look.cleaned.kept, cut, end)?;
    let acquired = look.histories.first_days(stretch.calibration_end, unit.days());
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

/// What the selection changed in the forecast.
fn corrected(
    purchases: &FittedPurchases,
    predicted: &Predictions,
    outlook: &Outlook<'_>,
    settings: &Settings,
) -> Vec<Finding> {
    let (Some(fit), Some(stated)) = (&purchases.selection, &settings.selection) else {
        return Vec::new();
    };
    let ignored = total_orders(&fit.ignored, outlook);
    let corrected: Vec<(u32, f64)> =
        predicted.orders.iter().map(|(months, orders)| (*months, orders.iter().sum())).collect();
    stated::corrected(stated, purchases.customers, fit.acquired, &ignored, &corrected)
}

/// Refuses a run with a warning, for `--strict`; `consequence` says what that means.
///
/// # Errors
/// [`Error::Model`] that lists the warnings.
pub fn refuse_warnings(findings: &[Finding], consequence: &str) -> Result<(), Error> {
    let warnings: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(|finding| format!("\n  - {} ({})", finding.message, finding.code))
        .collect();
    if warnings.is_empty() {
        return Ok(());
    }
    Err(Error::Model(format!(
        "--strict: {consequence}, because of {} warnings:{}",
        warnings.len(),
        warnings.concat()
    )))
}
