//! The flow, top to bottom: load → clean → cap → totals → summary → fit → predict → segment.

use std::path::PathBuf;
use std::time::Instant;

use polars::prelude::{DataFrame, LazyFrame};

use crate::advice::{self, Advice};
use crate::customers::Histories;
use crate::error::Error;
use crate::findings::{Finding, Severity};
use crate::frame::clean::{Cleaned, Rejected};
use crate::frame::load::load;
use crate::frame::outliers::Limits;
use crate::frame::profile::Profile;
use crate::frame::summary::CustomerSummary;
use crate::frame::{clean, outliers, predictions, profile, segment, summary, transactions};
use crate::model::{self, FittedPurchases, FittedSpend, selection};
use crate::settings::{FrequencyKind, InputKind, Settings};

/// Everything that a run found out; [`crate::output::write`] makes files of it.
pub struct Run {
    /// Customers with predictions and segment, in input order.
    pub scored: DataFrame,
    /// Rising edges of the segments.
    pub edges: Vec<f64>,
    /// A profile a segment, lowest first.
    pub segments: Vec<Profile>,
    /// The profile of all customers.
    pub company: Profile,
    /// What to do about each segment, in their order.
    pub advice: Vec<Advice>,
    /// The model of orders.
    pub purchases: FittedPurchases,
    /// The model of order values.
    pub spend: FittedSpend,
    /// What the reader should know, most serious first.
    pub findings: Vec<Finding>,
    /// What happened to the rows.
    pub audit: Audit,
}

/// What happened between the input and the models.
pub struct Audit {
    /// Input files in reading order.
    pub files: Vec<PathBuf>,
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

/// Runs the analysis; writes nothing.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Model`] when a model cannot be
/// fitted, [`Error::Io`] when the input cannot be read.
pub fn analyse(settings: &Settings) -> Result<Run, Error> {
    let mut clock = Clock::start();
    let loaded = load(settings)?;
    let cleaned = clean_rows(loaded.frame, &loaded.files, settings)?;
    clock.lap("load and clean");
    let (summary, limits) = summarise(cleaned.kept, settings)?;
    let histories = summary::to_histories(&summary, settings)?;
    clock.lap("cap and summarise");
    let purchases = model::fit_purchases(&histories, &settings.purchases)?;
    clock.lap("fit orders");
    let spend = model::fit_spend(&histories, &settings.spend)?;
    clock.lap("fit order values");
    let predicted = model::predict(
        &purchases,
        &spend,
        &histories,
        settings.summary.time_unit,
        &settings.forecast,
        &settings.lifetime_value,
    )?;
    clock.lap("predict");
    let scored = predictions::attach(&summary.frame, predicted, settings)?;
    let scored = segment::segment(scored, &settings.segments.labels)?;
    let (segments, company) = profile::profiles(&scored.frame, settings)?;
    let advice = advice::advise(&segments, &company, &purchases, settings);
    clock.lap("segment and advise");
    let mut findings =
        findings(settings, &cleaned.rejected, &summary, &histories, &purchases, &spend, &scored);
    findings.extend(uncapped(settings, &limits));
    Ok(Run {
        scored: scored.frame,
        edges: scored.edges,
        segments,
        company,
        advice,
        purchases,
        spend,
        findings,
        audit: Audit {
            files: loaded.files,
            rows_read: cleaned.rows_read,
            rejected: cleaned.rejected,
            quarantine: cleaned.quarantine,
            limits,
            below_min_orders: summary.below_min_orders,
            lines_after_calibration: summary.lines_after_calibration,
            first_order: summary.first_order,
            last_order: summary.last_order,
            observation_end: summary.observation_end,
            timings: clock.laps,
        },
    })
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
        InputKind::Transactions => {
            Ok((transactions::customer_summary(kept, settings)?, Vec::new()))
        }
    }
}

fn findings(
    settings: &Settings,
    rejected: &[Rejected],
    summary: &CustomerSummary,
    histories: &Histories,
    purchases: &FittedPurchases,
    spend: &FittedSpend,
    scored: &segment::Segmented,
) -> Vec<Finding> {
    let unit = settings.summary.time_unit;
    let mut findings = purchases.findings.clone();
    findings.extend(selection::detect(histories, summary.below_min_orders, unit));
    findings.extend(spend.findings.clone());
    findings.extend(rejected_rows(rejected));
    findings.extend(truncated(summary, settings));
    findings.extend(assumed_end(summary, settings));
    findings.extend(coinciding_edges(&scored.edges));
    findings.extend(first_order_counted(settings));
    findings.sort_by_key(|finding| finding.severity == Severity::Note);
    findings
}

/// Cancelled invoices are expected in a log; any other rejected row deserves a look.
fn rejected_rows(rejected: &[Rejected]) -> Option<Finding> {
    let rows: usize = rejected.iter().map(|r| r.rows).sum();
    let rules: Vec<String> = rejected.iter().map(|r| format!("{} {}", r.rows, r.rule)).collect();
    let message = format!("{rows} rows break a rule and were set aside: {}", rules.join(", "));
    let remedy = "look at quarantine.parquet: file, row, rule and raw values";
    if rejected.iter().any(|r| r.rule != "cancelled") {
        Some(Finding::warning("rows_set_aside", message, remedy))
    } else {
        (rows > 0).then(|| Finding::note("rows_set_aside", message, remedy))
    }
}

fn truncated(summary: &CustomerSummary, settings: &Settings) -> Option<Finding> {
    (summary.below_min_orders > 0).then(|| {
        Finding::warning(
            "customers_left_out",
            format!(
                "{} customers with fewer than {} orders were left out of the fit, which takes the \
                 others for typical: order rates come out too high",
                summary.below_min_orders, settings.summary.min_orders
            ),
            "set summary.min_orders = 1 with frequency = \"repeat_orders\"",
        )
    })
}

fn assumed_end(summary: &CustomerSummary, settings: &Settings) -> Option<Finding> {
    let log = &settings.transactions;
    let assumed = settings.input.kind == InputKind::Transactions
        && log.observation_end.is_none()
        && log.calibration_end.is_none();
    assumed.then(|| {
        Finding::note(
            "observation_end_assumed",
            format!("the log is taken to end on its last order date, {}", summary.observation_end),
            "set transactions.observation_end, or --as-of",
        )
    })
}

fn uncapped(settings: &Settings, limits: &[Limits]) -> Option<Finding> {
    let capped = |name: &str| limits.iter().any(|limits| limits.column == name);
    let left: Vec<&str> =
        settings.capped_columns().into_iter().filter(|name| !capped(name)).collect();
    (!left.is_empty()).then(|| {
        Finding::note(
            "column_without_limits",
            format!("so few customers use {} that limits would erase them", left.join(", ")),
            "nothing was capped there; look at its largest values",
        )
    })
}

fn coinciding_edges(edges: &[f64]) -> Option<Finding> {
    edges.windows(2).any(|pair| pair[0] >= pair[1]).then(|| {
        Finding::warning(
            "segment_edges_coincide",
            "many customers have the same cltv, so segments are not of equal size".to_owned(),
            "use fewer segments.labels",
        )
    })
}

fn first_order_counted(settings: &Settings) -> Option<Finding> {
    (settings.summary.frequency == FrequencyKind::Orders).then(|| {
        Finding::note(
            "first_order_counted",
            "frequency counts all orders, as the published FLO solutions do; the models are \
             defined on repeat orders, so the forecast is higher than theory has it"
                .to_owned(),
            "set summary.frequency = \"repeat_orders\"",
        )
    })
}

/// Seconds by stage: for run.json only, no result depends on it.
struct Clock {
    since: Instant,
    laps: Vec<(&'static str, f64)>,
}

impl Clock {
    fn start() -> Self {
        Self { since: Instant::now(), laps: Vec::new() }
    }

    fn lap(&mut self, stage: &'static str) {
        tracing::debug!(stage, seconds = self.since.elapsed().as_secs_f64(), "stage done");
        self.laps.push((stage, self.since.elapsed().as_secs_f64()));
        self.since = Instant::now();
    }
}

/// Refuses a run with a warning, for `--strict`.
///
/// # Errors
/// [`Error::Model`] that lists the warnings.
pub fn refuse_warnings(findings: &[Finding]) -> Result<(), Error> {
    let warnings: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(|finding| format!("\n  - {} ({})", finding.message, finding.code))
        .collect();
    if warnings.is_empty() {
        return Ok(());
    }
    Err(Error::Model(format!(
        "--strict: nothing was written, because of {} warnings:{}",
        warnings.len(),
        warnings.concat()
    )))
}
