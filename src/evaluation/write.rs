//! Writes the files of `cltv evaluate`: evaluation.csv, evaluation_groups.csv and evaluation.json.

use std::path::PathBuf;

use polars::prelude::*;
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::evaluation::fold::{Evaluation, Fold, Method};
use crate::model::evaluate::holdout::{Accuracy, GroupAccuracy};
use crate::output::files;
use crate::output::folder::target::Target;
use crate::output::formats::csv;
use crate::output::table_columns::TableColumns;
use crate::results::json_text::text;
use crate::results::version::{SCHEMA_VERSION, Tool};
use crate::settings::Settings;

/// Writes the three files; returns the folder.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written; then nothing in it has changed.
pub fn write(
    evaluation: &Evaluation,
    settings: &Settings,
    target: &Target,
) -> Result<PathBuf, Error> {
    let [methods_file, groups_file, json] = files::EVALUATION;
    let staging = target.staging(None)?;
    csv(&staging, methods_file, &methods(evaluation)?)?;
    csv(&staging, groups_file, &groups(evaluation)?)?;
    let by_rule = evaluation.rejected.iter().map(|r| (r.rule.clone(), json!(r.rows)));
    let rejected: Map<String, Value> = by_rule.collect();
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "tool": Tool::this(),
        "pipeline": settings.name,
        "inputs": evaluation.inputs,
        "rows_read": evaluation.rows_read,
        "rejected": rejected,
        "chosen_model": evaluation.folds.first().map(|fold| fold.chosen),
        "folds": evaluation.folds,
        "warnings": evaluation.findings,
        "settings": settings,
    });
    staging.text(json, &text(&document)?)?;
    let inputs: Vec<String> = evaluation.inputs.iter().map(|input| input.file.clone()).collect();
    staging.commit(&inputs)
}

/// One row per model and per naive forecast, fold by fold.
///
/// # Errors
/// [`Error::Engine`], never for a finished evaluation.
pub fn methods(evaluation: &Evaluation) -> Result<DataFrame, Error> {
    let rows: Vec<(&Fold, &Method)> = evaluation
        .folds
        .iter()
        .flat_map(|fold| fold.methods.iter().map(move |method| (fold, method)))
        .collect();
    type Of = fn(&Accuracy) -> Option<f64>;
    let measures: [(&str, Of); 7] = [
        ("bias", |a| a.bias),
        ("mae", |a| Some(a.mae)),
        ("rmse", |a| Some(a.rmse)),
        ("wmape", |a| a.wmape),
        ("spearman", |a| a.spearman),
        ("gini", |a| a.gini),
        ("top_decile_capture", |a| a.top_decile_capture),
    ];
    let mut columns = TableColumns::of(&rows)
        .text("name", |(_, method)| method.name.to_owned())
        .count("customers", |(fold, _)| fold.customers)
        .optional("actual_orders", |(_, m)| Some(m.orders.as_ref()?.actual))
        .optional("expected_orders", |(_, m)| Some(m.orders.as_ref()?.expected));
    for (name, of) in measures {
        columns = columns.optional(name, |(_, m)| of(m.orders.as_ref()?));
    }
    if rows.iter().any(|(_, method)| method.value.is_some()) {
        columns = columns
            .optional("actual_value", |(_, m)| Some(m.value.as_ref()?.actual))
            .optional("expected_value", |(_, m)| Some(m.value.as_ref()?.expected));
        for (name, of) in measures {
            columns = columns.optional(&format!("value_{name}"), |(_, m)| of(m.value.as_ref()?));
        }
    }
    columns
        .text("calibration_end", |(fold, _)| fold.calibration_end.to_string())
        .text("holdout_end", |(fold, _)| fold.holdout_end.to_string())
        .table()
}

fn groups(evaluation: &Evaluation) -> Result<DataFrame, Error> {
    let rows: Vec<(&Fold, &GroupAccuracy)> = evaluation
        .folds
        .iter()
        .flat_map(|fold| fold.groups.iter().map(move |group| (fold, group)))
        .collect();
    let columns = TableColumns::of(&rows)
        .text("name", |(_, group)| group.name.to_owned())
        .text("grouping", |(_, group)| group.grouping.to_owned())
        .text("group", |(_, group)| group.group.clone())
        .count("customers", |(_, group)| group.customers)
        .number("actual_orders", |(_, group)| group.actual_orders)
        .number("expected_orders", |(_, group)| group.expected_orders);
    let columns = match rows.iter().any(|(_, group)| group.actual_value.is_some()) {
        true => columns
            .optional("actual_value", |(_, group)| group.actual_value)
            .optional("expected_value", |(_, group)| group.expected_value),
        false => columns,
    };
    columns
        .text("calibration_end", |(fold, _)| fold.calibration_end.to_string())
        .text("holdout_end", |(fold, _)| fold.holdout_end.to_string())
        .table()
}
