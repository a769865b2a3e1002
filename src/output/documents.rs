//! model.json and figures.json (no clock, no path: the same run gives the same bytes) and run.json.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::model::FittedPurchases;
use crate::model::evaluate::stability::Drift;
use crate::model_file::{ModelFile, not_identified, standard_errors, values};
use crate::pipeline::run::Run;
use crate::results::chart_data::ChartData;
use crate::results::version::{SCHEMA_VERSION, tool};
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
    pub outputs: &'a [Fingerprint],
    /// How long it took.
    pub seconds: f64,
}

/// model.json: the fit, enough to score a new export.
///
/// # Errors
/// [`Error::Io`] never; the signature leaves room for a failed serialisation.
pub fn model(model_file: &ModelFile) -> Result<String, Error> {
    text(model_file)
}

/// figures.json: what the charts of a report show.
///
/// # Errors
/// [`Error::Io`] never; the signature leaves room for a failed serialisation.
pub fn chart_data(charts: &ChartData) -> Result<String, Error> {
    text(charts)
}

/// run.json: what went in, what happened to it, what came out.
///
/// # Errors
/// [`Error::Io`] never; the signature leaves room for a failed serialisation.
pub fn run(
    run: &Run,
    settings: &Settings,
    started: &Started,
    written: &Written<'_>,
) -> Result<String, Error> {
    let audit = &run.audit;
    let rejected: usize = audit.rejected.iter().map(|r| r.rows).sum();
    let timings: Map<String, Value> = audit
        .timings
        .iter()
        .chain([&("write", written.seconds)])
        .map(|(stage, seconds)| ((*stage).to_owned(), json!(seconds)))
        .collect();
    let by_rule: Map<String, Value> =
        audit.rejected.iter().map(|r| (r.rule.clone(), json!(r.rows))).collect();
    text(&json!({
        "schema_version": SCHEMA_VERSION,
        "tool": tool(),
        "started_at": started.at,
        "pipeline": { "name": settings.name, "file": started.pipeline },
        "model": {
            "id": ModelFile::id(written.model.as_bytes()),
            "fitted_until": run.model_file.observation_end.to_string(),
            "given": run.drift.as_ref().is_some_and(|drift| !drift.refitted),
            "drift": run.drift.as_ref().map(drift),
        },
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
        "spend": {
            "model": settings.spend.model,
            "parameters": values(&run.spend.parameters),
            "standard_errors": standard_errors(&run.spend.parameters),
        },
        "company": run.profiles.company,
        "intervals": run.intervals,
        "segments": run.profiles.segments,
        "segment_edges": run.edges,
        "kept_columns": run.profiles.kept_columns,
        "rfm": run.rfm,
        "forecast": run.forecast,
        "next_month": next_month(run),
        "tracking": run.tracking,
        "suggested_actions": run.advice,
        "warnings": run.findings,
        "timings_seconds": timings,
        "settings": settings,
        "outputs": written.outputs,
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

/// Population stability indices by column, and what followed.
fn drift(drift: &Drift) -> Value {
    let by_column: Map<String, Value> =
        drift.stability_index.iter().map(|(name, psi)| (name.clone(), json!(psi))).collect();
    json!({ "population_stability_index": by_column, "refitted": drift.refitted })
}

/// Objects have a key a line, arrays of numbers stand on one line, and so does each object in an
/// array: a covariance matrix and a table stay readable and small.
pub(super) fn text(document: &impl Serialize) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Lines::default());
    document.serialize(&mut serializer).map_err(|e| Error::Io {
        path: "model.json or run.json".into(),
        action: "serialise",
        source: e.into(),
    })?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// See [`text`].
#[derive(Default)]
struct Lines {
    depth: usize,
    arrays: usize,
}

impl Lines {
    fn new_line<W: io::Write + ?Sized>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.arrays += 1;
        writer.write_all(b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.arrays -= 1;
        writer.write_all(b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.arrays == 1 {
            self.new_line(writer)?;
        }
        self.depth += 1;
        writer.write_all(b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.arrays == 0 {
            self.new_line(writer)?;
        }
        writer.write_all(b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        match self.arrays {
            0 => self.new_line(writer),
            _ if first => Ok(()),
            _ => writer.write_all(b" "),
        }
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
