//! Writes the files of `cltv compare`: comparison.json, comparison.parquet and
//! comparison_customers.parquet.

use std::path::PathBuf;

use polars::prelude::DataFrame;
use serde_json::{Map, Value, json};

use crate::comparison::{ABSENT, Comparison};
use crate::error::Error;
use crate::model::evaluate::migration::Flow;
use crate::output::documents::text;
use crate::output::folder::target::Target;
use crate::output::tables::{TableColumns, parquet};
use crate::results::version::{SCHEMA_VERSION, tool};

const DOCUMENT: &str = "comparison.json";
const MATRIX: &str = "comparison.parquet";
const CUSTOMERS: &str = "comparison_customers.parquet";

/// Writes the three files; returns the folder.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written; then nothing in it has changed.
pub fn write(comparison: &Comparison, target: &Target) -> Result<PathBuf, Error> {
    let staging = target.staging(None)?;
    parquet(&staging, MATRIX, &matrix(comparison)?, &Vec::new())?;
    parquet(&staging, CUSTOMERS, &comparison.customers, &Vec::new())?;
    let mut document = document(comparison);
    document.insert("outputs".to_owned(), json!(staging.written()));
    staging.text(DOCUMENT, &text(&document)?)?;
    staging.commit(&[])
}

/// The migration matrix: one row per pair of segments before and after, also for pairs without
/// customers.
///
/// # Errors
/// [`Error::Engine`], never for a finished comparison.
pub fn matrix(comparison: &Comparison) -> Result<DataFrame, Error> {
    TableColumns::of(&comparison.flows)
        .text("from", |flow| ends(comparison, flow)[0].to_owned())
        .text("to", |flow| ends(comparison, flow)[1].to_owned())
        .count("customers", |flow| flow.customers)
        .number("share", |flow| flow.share)
        .number("cltv_before", |flow| flow.cltv_before)
        .number("cltv_after", |flow| flow.cltv_after)
        .table()
}

/// Names of the segments before and after; `new` or `lost` where a run lacks the customers.
pub fn ends<'a>(comparison: &'a Comparison, flow: &Flow) -> [&'a str; 2] {
    let name = |position: usize, absent| {
        comparison.labels.get(position).map_or(absent, |label: &'a String| label.as_str())
    };
    [name(flow.from, ABSENT[0]), name(flow.to, ABSENT[1])]
}

pub(super) fn document(comparison: &Comparison) -> Map<String, Value> {
    let flow = |flow: &Flow| {
        let [from, to] = ends(comparison, flow);
        json!({
            "from": from,
            "to": to,
            "way": flow.way(comparison.labels.len()),
            "customers": flow.customers,
            "share": flow.share,
            "cltv_before": flow.cltv_before,
            "cltv_after": flow.cltv_after,
        })
    };
    let index = comparison.stability_index.iter();
    let index: Map<String, Value> =
        index.map(|(name, index)| ((*name).to_owned(), json!(index))).collect();
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "tool": tool(),
        "before": comparison.before,
        "after": comparison.after,
        "days": comparison.days,
        "segments": comparison.labels,
        "migration": comparison.flows.iter().map(flow).collect::<Vec<_>>(),
        "movements": comparison.movements,
        "gains": comparison.gains,
        "losses": comparison.losses,
        "drift": {
            "population_stability_index": index,
            "kept_columns": comparison.kept_columns,
        },
        "same_model": comparison.same_model,
        "parameters": comparison.parameters,
        "forecast": {
            "outcomes": comparison.outcomes,
            "orders": comparison.orders,
            "revenue": comparison.revenue,
        },
        "anomalies": comparison.anomalies,
        "warnings": comparison.findings,
    });
    match document {
        Value::Object(document) => document,
        _ => Map::new(),
    }
}
