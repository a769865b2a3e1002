//! Writes the files of `cltv compare`: comparison.json, comparison.parquet and
//! comparison_customers.parquet.

use std::path::PathBuf;

use polars::prelude::DataFrame;
use serde_json::{Map, Value, json};

use crate::comparison::Comparison;
use crate::error::Error;
use crate::frame::scored::compare::ranking_names;
use crate::output::files;
use crate::output::folder::target::Target;
use crate::output::formats::parquet;
use crate::output::table_columns::TableColumns;
use crate::results::json_text::text;
use crate::results::version::{SCHEMA_VERSION, Tool};

/// Writes the three files; returns the folder.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written; then nothing in it has changed.
pub fn write(comparison: &Comparison, target: &Target) -> Result<PathBuf, Error> {
    let [json, matrix_file, customers] = files::COMPARISON;
    let staging = target.staging(None)?;
    parquet(&staging, matrix_file, &matrix(comparison)?, &Vec::new())?;
    parquet(&staging, customers, &comparison.customers, &Vec::new())?;
    let mut document = document(comparison);
    document.insert("outputs".to_owned(), json!(staging.written()));
    staging.text(json, &text(&document)?)?;
    staging.commit(&[])
}

/// The migration matrix: one row per pair of segments before and after, also for pairs without
/// customers.
///
/// # Errors
/// [`Error::Engine`], never for a finished comparison.
pub fn matrix(comparison: &Comparison) -> Result<DataFrame, Error> {
    let [before, after] = ranking_names(comparison.has_money());
    TableColumns::of(&comparison.migration_cells())
        .text("from", |cell| cell.from.clone())
        .text("to", |cell| cell.to.clone())
        .count("customers", |cell| cell.customers)
        .number("share", |cell| cell.share)
        .number(before, |cell| cell.cltv_before)
        .number(after, |cell| cell.cltv_after)
        .table()
}

fn document(comparison: &Comparison) -> Map<String, Value> {
    let index = comparison.stability_index.iter();
    let index: Map<String, Value> =
        index.map(|(name, index)| ((*name).to_owned(), json!(index))).collect();
    let mut document = json!({
        "schema_version": SCHEMA_VERSION,
        "tool": Tool::this(),
        "before": comparison.before,
        "after": comparison.after,
        "days": comparison.days,
        "segments": comparison.labels,
        "migration": comparison.migration_cells(),
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
        "oddities": comparison.anomalies,
        "warnings": comparison.findings,
    });
    if !comparison.has_money() {
        in_orders(&mut document);
    }
    match document {
        Value::Object(document) => document,
        _ => Map::new(),
    }
}

/// Gives what ranks customers the name that it has without money.
fn in_orders(value: &mut Value) {
    let names = ranking_names(true).into_iter().zip(ranking_names(false));
    match value {
        Value::Object(entries) => {
            for (with_money, without) in names {
                if let Some(ranking) = entries.remove(with_money) {
                    entries.insert(without.to_owned(), ranking);
                }
            }
            entries.values_mut().for_each(in_orders);
        }
        Value::Array(entries) => entries.iter_mut().for_each(in_orders),
        _ => {}
    }
}
