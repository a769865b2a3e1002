//! model.json (no clock, no path: the same fit gives the same bytes) and run.json.

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::fingerprint::{Fingerprint, sha256};
use crate::model::{FittedPurchases, Parameter};
use crate::pipeline::Run;
use crate::settings::Settings;

/// Version of the layout of the documents and of the customers' columns.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// What only the program's surroundings know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// When the run began, UTC, as 2021-06-01T03:00:00Z.
    pub at: String,
    /// The pipeline file.
    pub pipeline: String,
}

/// model.json: the fit, enough to score a new export.
///
/// # Errors
/// [`Error::Io`] never; the signature leaves room for a failed serialisation.
pub fn model(run: &Run, settings: &Settings) -> Result<String, Error> {
    let (purchases, spend) = (&run.purchases, &run.spend);
    let unit = settings.summary.time_unit;
    text(&json!({
        "schema_version": SCHEMA_VERSION,
        "tool": tool(),
        "pipeline": settings.name,
        "time_unit": unit,
        "observation_end": run.audit.observation_end.to_string(),
        "frequency": settings.summary.frequency,
        "min_orders": settings.summary.min_orders,
        "purchases": {
            "model": purchases.family,
            "requested": purchases.requested,
            "predicts_with": purchases.model.family(),
            "parameters": values(&purchases.parameters),
            "standard_errors": standard_errors(&purchases.parameters),
            "not_identified": not_identified(&purchases.parameters),
            "l2_penalty": settings.purchases.l2_penalty,
            "covariance": purchases.covariance,
            "selection": selection(purchases, settings),
            "comparison": purchases.comparison,
            "log_likelihood": purchases.log_likelihood,
            "log_likelihood_without_dropout": purchases.log_likelihood_without_dropout,
            "customers": purchases.customers,
            "distinct_histories": purchases.patterns,
            "convergence": purchases.convergence,
            "warnings": purchases.findings,
        },
        "spend": {
            "model": settings.spend.model,
            "parameters": values(&spend.parameters),
            "standard_errors": standard_errors(&spend.parameters),
            "covariance": spend.covariance,
            "l2_penalty": settings.spend.l2_penalty,
            "population_mean": spend.model.population_mean(),
            "observed_mean": spend.observed_mean,
            "pearson_frequency_monetary": spend.pearson,
            "spearman_frequency_monetary": spend.spearman,
            "log_likelihood": spend.log_likelihood,
            "customers": spend.customers,
            "convergence": spend.convergence,
            "warnings": spend.findings,
        },
        "outlier_limits": run.audit.limits,
        "forecast": settings.forecast,
        "lifetime_value": settings.lifetime_value,
        "segments": { "labels": settings.segments.labels, "edges": run.edges },
        "warnings": run.findings,
    }))
}

/// Names a fit: the first 12 hexadecimal digits of model.json's SHA-256. The same fit has the same
/// id on every machine.
pub fn model_id(model: &str) -> String {
    let mut id = sha256(model.as_bytes());
    id.truncate(12);
    id
}

/// run.json: what went in, what happened to it, what came out.
///
/// # Errors
/// [`Error::Io`] never; the signature leaves room for a failed serialisation.
pub fn run(
    run: &Run,
    settings: &Settings,
    started: &Started,
    outputs: &[Fingerprint],
) -> Result<String, Error> {
    let audit = &run.audit;
    let rejected: usize = audit.rejected.iter().map(|r| r.rows).sum();
    let timings: Map<String, Value> = audit
        .timings
        .iter()
        .map(|(stage, seconds)| ((*stage).to_owned(), json!(seconds)))
        .collect();
    let by_rule: Map<String, Value> =
        audit.rejected.iter().map(|r| (r.rule.clone(), json!(r.rows))).collect();
    text(&json!({
        "schema_version": SCHEMA_VERSION,
        "tool": tool(),
        "started_at": started.at,
        "pipeline": { "name": settings.name, "file": started.pipeline },
        "inputs": audit.inputs,
        "rows": {
            "read": audit.rows_read,
            "rejected": rejected,
            "kept": audit.rows_read - rejected,
            "below_min_orders": audit.below_min_orders,
            "returns_netted": audit.returns_netted,
            "after_calibration_end": audit.lines_after_calibration,
            "customers": run.scored.height(),
        },
        "rejected": by_rule,
        "outlier_limits": audit.limits,
        "first_order": audit.first_order.to_string(),
        "last_order": audit.last_order.to_string(),
        "as_of": audit.observation_end.to_string(),
        "purchases": {
            "model": run.purchases.family,
            "requested": run.purchases.requested,
            "parameters": values(&run.purchases.parameters),
            "standard_errors": standard_errors(&run.purchases.parameters),
            "comparison": run.purchases.comparison,
            "selection": selection(&run.purchases, settings),
            "not_identified": not_identified(&run.purchases.parameters),
        },
        "spend": { "model": settings.spend.model, "parameters": values(&run.spend.parameters) },
        "company": run.profiles.company,
        "intervals": run.intervals,
        "segments": run.profiles.segments,
        "kept_columns": run.profiles.kept,
        "rfm": run.rfm,
        "forecast": run.forecast,
        "next_month": next_month(run),
        "tracking": run.tracking,
        "suggested_actions": run.advice,
        "warnings": run.findings,
        "timings_seconds": timings,
        "settings": settings,
        "outputs": outputs,
    }))
}

/// What conditioning on being in the file changed; null without a selection.
fn selection(purchases: &FittedPurchases, settings: &Settings) -> Value {
    let Some(fit) = &purchases.selection else {
        return Value::Null;
    };
    let window = fit.selection.window;
    json!({
        "stated": settings.selection,
        "window": window.is_finite().then_some(window),
        "customers_ever_acquired": fit.acquired,
        "ignored_log_likelihood": fit.ignored_log_likelihood,
        "ignored_parameters": fit.ignored.parameters(),
    })
}

/// The customers who are expected to order most in the next month.
fn next_month(run: &Run) -> Vec<Value> {
    let one =
        |(id, orders): &(String, f64)| json!({ "customer_id": id, "expected_orders": orders });
    run.next_month.iter().map(one).collect()
}

pub(super) fn tool() -> Value {
    json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") })
}

fn values(parameters: &[Parameter]) -> Map<String, Value> {
    parameters.iter().map(|p| (p.name.to_owned(), json!(p.value))).collect()
}

fn standard_errors(parameters: &[Parameter]) -> Map<String, Value> {
    parameters.iter().map(|p| (p.name.to_owned(), json!(p.standard_error))).collect()
}

fn not_identified(parameters: &[Parameter]) -> Vec<&'static str> {
    parameters.iter().filter(|p| !p.identified).map(|p| p.name).collect()
}

pub(super) fn text(document: &Value) -> Result<String, Error> {
    let mut text = serde_json::to_string_pretty(document).map_err(|e| Error::Io {
        path: "model.json".into(),
        action: "serialise",
        source: e.into(),
    })?;
    text.push('\n');
    Ok(text)
}
