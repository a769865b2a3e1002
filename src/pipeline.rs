//! The flow, top to bottom: load → clean → cap → totals → summary → fit → predict → segment.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Instant;

use polars::prelude::{DataFrame, LazyFrame};

use crate::advice::{self, Advice};
use crate::customers::{Groups, Histories};
use crate::error::Error;
use crate::findings::{Finding, Severity};
use crate::fingerprint::{Fingerprint, fingerprint, lost_thread};
use crate::frame::clean::{Cleaned, Rejected};
use crate::frame::load::load;
use crate::frame::outliers::Limits;
use crate::frame::profile::{Profile, Profiles};
use crate::frame::rfm::RfmProfile;
use crate::frame::summary::CustomerSummary;
use crate::frame::{
    self, clean, kept, order_days, outliers, predictions, profile, rfm, segment, summary,
    transactions,
};
use crate::model::detection::Signs;
use crate::model::intervals::{Intervals, of_customers, of_totals};
use crate::model::predict::{Outlook, total_orders};
use crate::model::tracking::{Stretch, Week};
use crate::model::{self, CustomerPatterns, FittedPurchases, FittedSpend, company, tracking};
use crate::settings::{FrequencyKind, InputKind, Settings};
use crate::{contract, remarks, selection};

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
    /// What the reader should know, most serious first.
    pub findings: Vec<Finding>,
    /// What happened to the rows.
    pub audit: Audit,
}

/// What happened between the input and the models.
pub struct Audit {
    /// Input files in reading order, as they were after the last of them had been read.
    pub inputs: Vec<Fingerprint>,
    /// Rows read.
    pub rows_read: usize,
    /// Rows set aside, by rule.
    pub rejected: Vec<Rejected>,
    /// Those rows with their raw values.
    pub quarantine: DataFrame,
    /// Outlier limits.
    pub limits: Vec<Limits>,
    /// Customers left out for too few orders.
    pub below_min_orders: usize,
    /// Lines that lowered what a customer spent on that day.
    pub returns_netted: usize,
    /// Order lines after the end of the calibration.
    pub lines_after_calibration: usize,
    /// First order of all.
    pub first_order: chrono::NaiveDate,
    /// Last order of all.
    pub last_order: chrono::NaiveDate,
    /// T is measured to here.
    pub observation_end: chrono::NaiveDate,
    /// Seconds by stage.
    pub timings: Vec<(&'static str, f64)>,
}

/// The input, cleaned and summarised: what a run knows before it fits anything.
pub struct Look {
    /// Input files in reading order.
    pub files: Vec<PathBuf>,
    /// Rows that keep the rules and rows that do not; the rows themselves went into the summary.
    pub cleaned: Cleaned,
    /// The CLTV frame.
    pub summary: CustomerSummary,
    /// Outlier limits.
    pub limits: Vec<Limits>,
    /// The frame's columns as the models need them.
    pub histories: Histories,
    /// Signs that the file holds only a part of the customers.
    pub signs: Signs,
}

/// Finds the input files, reads and cleans them.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Io`] when it cannot be read.
pub fn read(settings: &Settings, clock: &mut Clock) -> Result<(Vec<PathBuf>, Cleaned), Error> {
    let loaded = load(settings)?;
    let raw = frame::contract::typed(loaded.frame, &loaded.files, settings)?;
    let cleaned = contract::hold(clean_rows(raw, &loaded.files, settings)?, settings)?;
    clock.lap("load and clean");
    Ok((loaded.files, cleaned))
}

/// Reads, cleans and summarises; fits and writes nothing.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Io`] when it cannot be read.
pub fn look(settings: &Settings, clock: &mut Clock) -> Result<Look, Error> {
    let (files, cleaned) = read(settings, clock)?;
    let (summary, limits) = summarise(cleaned.kept.clone(), settings)?;
    let histories = summary::to_histories(&summary, settings)?;
    let signs = selection::signs(settings, &histories, summary.below_min_orders);
    clock.lap("cap and summarise");
    Ok(Look { files, cleaned, summary, limits, histories, signs })
}

/// Runs the analysis; writes nothing.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Model`] when a model cannot be
/// fitted, [`Error::Io`] when the input cannot be read.
pub fn analyse(settings: &Settings) -> Result<Run, Error> {
    let mut clock = Clock::start();
    let look = look(settings, &mut clock)?;
    let inputs = fingerprints(look.files.clone());
    let Look { summary, histories, .. } = &look;
    let selection = selection::stated(settings, histories, summary.observation_end)?;
    let customers = CustomerPatterns::of(histories);
    let (purchases, spend) = rayon::join(
        || model::fit_purchases(&customers.patterns, &settings.purchases, selection),
        || model::fit_spend(histories, &settings.spend),
    );
    let (purchases, spend) = (purchases?, spend?);
    clock.lap("fit orders and order values");
    let outlook = Outlook {
        histories,
        customers: &customers,
        unit: settings.summary.time_unit,
        forecast: &settings.forecast,
        lifetime: &settings.lifetime_value,
    };
    let predicted = model::predict(&purchases, &spend, &outlook)?;
    clock.lap("predict");
    let scored = predictions::attach(&summary.frame, &predicted, settings)?;
    let segment::Segmented { frame, edges } = segment::segment(scored, &settings.segments.labels)?;
    let profiles = profile::profiles(&frame, settings)?;
    let advice = advice::advise(&profiles.segments, &profiles.company, &purchases, settings);
    let groups = kept::groups(&frame, settings, &profiles.member, &profiles.kept)?;
    let rfm = rfm::score(frame, &summary.frame, &profiles.member, settings)?;
    clock.lap("segment and advise");
    let model = &purchases.model;
    let next_month = company::next_month(model, &outlook)?;
    let mut forecast = company::forecast(model, &predicted, &next_month, &groups, &outlook)?;
    let next_month = predictions::highest_customers(&rfm.frame, &next_month, BUSIEST)?;
    let tracking = tracking(&look, &purchases, settings)?;
    clock.lap("forecast the company");
    let (scored, intervals) =
        intervals(rfm.frame, &purchases, &spend, &outlook, &groups, settings)?;
    clock.lap("draw intervals");
    let mut findings = purchases.findings.clone();
    findings
        .extend(intervals.as_ref().and_then(|i| i.as_ref().err()).map(remarks::without_intervals));
    let intervals = intervals.and_then(Result::ok);
    if let Some(intervals) = &intervals {
        company::with_intervals(&mut forecast, &intervals.periods);
    }
    findings.extend(corrected(settings, &purchases, &profiles.company, &outlook));
    let end = summary.observation_end;
    findings.extend(selection::findings(settings, selection, &look.signs, end));
    findings.extend(spend.findings.clone());
    findings.extend(remarks::remarks(settings, &look, &edges));
    findings.sort_by_key(|finding| finding.severity == Severity::Note);
    let audit = Audit::of(look, inputs.join().unwrap_or_else(lost_thread)?, clock.laps);
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
        findings,
        audit,
    })
}

/// Sizes and hashes of the input, taken while the models are fitted.
fn fingerprints(files: Vec<PathBuf>) -> JoinHandle<Result<Vec<Fingerprint>, Error>> {
    std::thread::spawn(move || files.iter().map(|file| fingerprint(file)).collect())
}

/// Repeat orders week by week, where the model's expectation for a new customer is theirs: the log
/// has all of them, and what the model counts are repeat orders.
fn tracking(
    look: &Look,
    purchases: &FittedPurchases,
    settings: &Settings,
) -> Result<Vec<Week>, Error> {
    let comparable = settings.input.kind == InputKind::Transactions
        && settings.summary.frequency == FrequencyKind::RepeatOrders
        && settings.summary.min_orders == 1
        && settings.selection.is_none();
    if !comparable {
        return Ok(Vec::new());
    }
    let unit = settings.summary.time_unit;
    let (cut, end) = (look.summary.observation_end, look.summary.covered_until);
    let stretch = Stretch { calibration_end: cut.to_epoch_days(), end: end.to_epoch_days() };
    let orders = order_days::orders_by_day(&look.cleaned.kept, cut, end)?;
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
    settings: &Settings,
    purchases: &FittedPurchases,
    company: &Profile,
    outlook: &Outlook<'_>,
) -> Vec<Finding> {
    let (Some(fit), Some(stated)) = (&purchases.selection, &settings.selection) else {
        return Vec::new();
    };
    let ignored = total_orders(&fit.ignored, outlook);
    let orders = &company.expected_orders;
    selection::corrected(stated, company.customers, fit.acquired, &ignored, orders)
}

impl Audit {
    fn of(look: Look, inputs: Vec<Fingerprint>, timings: Vec<(&'static str, f64)>) -> Self {
        let Look { cleaned, summary, limits, .. } = look;
        Self {
            inputs,
            rows_read: cleaned.rows_read,
            rejected: cleaned.rejected,
            quarantine: cleaned.quarantine,
            returns_netted: cleaned.returns_netted,
            limits,
            below_min_orders: summary.below_min_orders,
            lines_after_calibration: summary.lines_after_calibration,
            first_order: summary.first_order,
            last_order: summary.last_order,
            observation_end: summary.observation_end,
            timings,
        }
    }
}

fn clean_rows(raw: LazyFrame, files: &[PathBuf], settings: &Settings) -> Result<Cleaned, Error> {
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    match settings.input.kind {
        InputKind::Customers => clean::customers(raw, &names, settings),
        InputKind::Transactions => transactions::clean(raw, &names, settings),
    }
}

fn summarise(
    kept: LazyFrame,
    settings: &Settings,
) -> Result<(CustomerSummary, Vec<Limits>), Error> {
    match settings.input.kind {
        InputKind::Customers => {
            let (capped, limits) = outliers::cap(kept, settings)?;
            let totals = summary::omnichannel_totals(capped, settings);
            Ok((summary::customer_summary(totals, settings)?, limits))
        }
        InputKind::Transactions => Ok((order_days::customer_summary(kept, settings)?, Vec::new())),
    }
}

/// Seconds by stage: for run.json only, no result depends on it.
pub struct Clock {
    since: Instant,
    laps: Vec<(&'static str, f64)>,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { since: Instant::now(), laps: Vec::new() }
    }

    fn lap(&mut self, stage: &'static str) {
        tracing::debug!(stage, seconds = self.since.elapsed().as_secs_f64(), "stage done");
        self.laps.push((stage, self.since.elapsed().as_secs_f64()));
        self.since = Instant::now();
    }
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
