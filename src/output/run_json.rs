//! run.json, from what a run found.

use crate::model::FittedPurchases;
use crate::model::likelihood::estimate::Parameter;
use crate::model_file::ModelFile;
use crate::results::named_values::NamedValues;
use crate::results::run_document::{
    ModelEntry, NextMonth, PipelineEntry, PurchasesEntry, RowCounts, RunDocument, SelectionEntry,
    SpendEntry,
};
use crate::results::version::{SCHEMA_VERSION, Tool};
use crate::run::Run;
use crate::run::audit::Audit;
use crate::settings::Settings;
use crate::storage::fingerprint::Fingerprint;

/// What only the program's surroundings know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// When the run began, UTC, as 2021-06-01T03:00:00Z.
    pub at: String,
    /// The pipeline file.
    pub pipeline: String,
}

/// What was written before run.json.
pub struct Written<'a> {
    /// The text of model.json.
    pub model: &'a str,
    /// Every file.
    pub outputs: Vec<Fingerprint>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// run.json: what went in, what happened to it, what came out.
pub fn run(run: &Run, settings: &Settings, started: &Started, written: Written<'_>) -> RunDocument {
    let audit = &run.audit;
    RunDocument {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        started_at: started.at.clone(),
        pipeline: PipelineEntry { name: settings.name.clone(), file: started.pipeline.clone() },
        model: ModelEntry {
            id: ModelFile::id(written.model.as_bytes()),
            fitted_until: run.model_file.observation_end,
            given: run.drift.as_ref().is_some_and(|drift| !drift.refitted),
            drift: run.drift.clone(),
        },
        inputs: audit.inputs.clone(),
        rows: rows(audit, run.scored.height()),
        rejected: audit.rejected.iter().map(|r| (r.rule.as_str(), r.rows)).collect(),
        outlier_limits: audit.limits.clone(),
        first_order: audit.first_order,
        last_order: audit.last_order,
        as_of: audit.observation_end,
        purchases: purchases(&run.purchases, settings),
        calendar: run.calendar(),
        spend: spend(run, settings),
        input_columns: audit.columns.clone(),
        revenue: audit.revenue,
        order_value: audit.order_value,
        company: run.profiles.company.clone(),
        intervals: run.intervals.clone(),
        segments: run.profiles.segments.clone(),
        segment_edges: run.edges.clone(),
        kept_columns: run.profiles.kept_columns.clone(),
        rfm: run.rfm.clone(),
        forecast: run.forecast.clone(),
        next_month: next_month(run),
        tracking: run.tracking.clone(),
        suggested_actions: run.advice.clone(),
        warnings: run.findings.clone(),
        model_checks: run.checks.clone(),
        timings_seconds: timings(audit, written.seconds),
        settings: settings.clone(),
        outputs: written.outputs,
    }
}

fn rows(audit: &Audit, customers: usize) -> RowCounts {
    let rejected: usize = audit.rejected.iter().map(|r| r.rows).sum();
    RowCounts {
        read: audit.rows_read,
        rejected,
        kept: audit.rows_read - rejected,
        below_min_orders: audit.below_min_orders,
        returns_netted: audit.returns_netted,
        after_calibration_end: audit.lines_after_calibration,
        customers,
    }
}

fn purchases(fitted: &FittedPurchases, settings: &Settings) -> PurchasesEntry {
    PurchasesEntry {
        model: fitted.family,
        predicts_with: Some(fitted.model.family()),
        one_rate: fitted.steady.map(|steady| steady.rate),
        requested: fitted.requested,
        k: Some(fitted.family.stages()).filter(|k| *k > 1),
        parameters: Parameter::values(&fitted.parameters),
        standard_errors: Parameter::standard_errors(&fitted.parameters),
        comparison: fitted.comparison.clone(),
        selection: selection(fitted, settings),
        not_identified: Parameter::not_identified(&fitted.parameters),
    }
}

fn spend(run: &Run, settings: &Settings) -> SpendEntry {
    let parameters = run.spend.as_ref().map_or(&[][..], |spend| &spend.parameters);
    SpendEntry {
        model: settings.spend.model,
        method: run.spend.as_ref().map_or_else(Default::default, |spend| spend.method),
        parameters: Parameter::values(parameters),
        standard_errors: Parameter::standard_errors(parameters),
        price_level: run.audit.prices.clone(),
    }
}

/// What conditioning on being in the file changed; `None` without a selection.
fn selection(fitted: &FittedPurchases, settings: &Settings) -> Option<SelectionEntry> {
    let fit = fitted.selection.as_ref()?;
    let window = fit.selection.window;
    Some(SelectionEntry {
        stated: settings.selection.clone(),
        window: window.is_finite().then_some(window),
        customers_ever_acquired: fit.acquired,
        ignored_log_likelihood: fit.ignored_log_likelihood,
        ignored_parameters: fit.ignored.parameters(),
    })
}

/// The customers who are expected to order most in the next month.
fn next_month(run: &Run) -> Vec<NextMonth> {
    let one = |(id, orders): &(String, f64)| NextMonth {
        customer_id: id.clone(),
        expected_orders: *orders,
    };
    run.next_month.iter().map(one).collect()
}

fn timings(audit: &Audit, writing: f64) -> NamedValues<f64> {
    audit.timings.iter().copied().chain([("write", writing)]).collect()
}
