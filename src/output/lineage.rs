//! Builds OpenLineage run events from plain values, without a clock or files. Each event is a
//! `RunEvent` of specification 2-0-2, and each facet names its schema
//! (<https://openlineage.io/docs/spec/object-model>).

use serde_json::{Map, Value, json};

use crate::safe_text::redacted::redacted;

/// Where the schemas are published.
const SPEC: &str = "https://openlineage.io/spec";
/// The program that emits the events, as a package URL.
const PRODUCER: &str =
    concat!("pkg:cargo/", env!("CARGO_PKG_NAME"), "@", env!("CARGO_PKG_VERSION"));
/// Namespace of local files in OpenLineage's naming.
const FILES: &str = "file";

/// One execution of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// UUID, the same in every event of the run.
    pub run_id: String,
    /// Namespace of the job.
    pub namespace: String,
    /// Name of the job.
    pub job: String,
}

/// What is known about a file, or about a folder or glob of files with the same columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dataset {
    /// Absolute path.
    pub path: String,
    /// Names and types of columns; empty when they are not known.
    pub fields: Vec<(String, &'static str)>,
    /// Rows read or written.
    pub rows: Option<u64>,
    /// Size in bytes.
    pub bytes: Option<u64>,
    /// Number of files.
    pub files: Option<u64>,
}

/// The state of an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum State<'a> {
    /// It has started.
    Start,
    /// It succeeded and wrote these datasets.
    Complete(&'a [Dataset]),
    /// It failed with this message and wrote nothing.
    Fail(&'a str),
}

/// One event as JSON; `at` is a time in UTC such as `2021-06-01T03:00:00.000Z`.
pub fn event(execution: &Execution, input: &Dataset, state: &State<'_>, at: &str) -> Value {
    let (kind, outputs, error) = match state {
        State::Start => ("START", &[][..], None),
        State::Complete(outputs) => ("COMPLETE", *outputs, None),
        State::Fail(message) => ("FAIL", &[][..], Some(*message)),
    };
    json!({
        "eventType": kind,
        "eventTime": at,
        "run": { "runId": execution.run_id, "facets": run_facets(error) },
        "job": {
            "namespace": execution.namespace,
            "name": execution.job,
            "facets": { "jobType": facet("2-0-4", "JobTypeJobFacet", json!({
                "processingType": "BATCH",
                "integration": "CLTV",
                "jobType": "COMMAND",
            })) },
        },
        "inputs": [dataset(input, "inputFacets", input_facets(input))],
        "outputs": outputs
            .iter()
            .map(|output| dataset(output, "outputFacets", output_facets(output)))
            .collect::<Vec<_>>(),
        "producer": PRODUCER,
        "schemaURL": format!("{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"),
    })
}

fn run_facets(error: Option<&str>) -> Value {
    let engine = json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
    });
    let engine = facet("1-1-1", "ProcessingEngineRunFacet", engine);
    let mut facets = json!({ "processing_engine": engine });
    if let Some(message) = error {
        let error = json!({ "message": message, "programmingLanguage": "Rust" });
        facets["errorMessage"] = facet("1-0-1", "ErrorMessageRunFacet", error);
    }
    facets
}

fn dataset(dataset: &Dataset, place: &str, facets: Value) -> Value {
    let mut told = json!({ "namespace": FILES, "name": redacted(&dataset.path), place: facets });
    if !dataset.fields.is_empty() {
        let fields: Vec<Value> = (1..)
            .zip(&dataset.fields)
            .map(|(position, (name, kind))| {
                json!({ "name": name, "type": kind, "ordinal_position": position })
            })
            .collect();
        let schema = facet("1-2-0", "SchemaDatasetFacet", json!({ "fields": fields }));
        told["facets"] = json!({ "schema": schema });
    }
    told
}

/// Two facets with the same numbers: older readers show only the second.
fn input_facets(dataset: &Dataset) -> Value {
    if dataset.rows.is_none() {
        return json!({});
    }
    let read = size_and_rows(dataset, "size");
    let mut metrics = size_and_rows(dataset, "bytes");
    metrics["columnMetrics"] = json!({});
    json!({
        "inputStatistics": facet("1-0-0", "InputStatisticsInputDatasetFacet", read),
        "dataQualityMetrics": facet("1-0-3", "DataQualityMetricsInputDatasetFacet", metrics),
    })
}

fn output_facets(dataset: &Dataset) -> Value {
    let written = size_and_rows(dataset, "size");
    json!({ "outputStatistics": facet("1-0-2", "OutputStatisticsOutputDatasetFacet", written) })
}

/// Rows, bytes and files, as far as they are known; `bytes` is the key of the size.
fn size_and_rows(dataset: &Dataset, bytes: &str) -> Value {
    let all = [("rowCount", dataset.rows), (bytes, dataset.bytes), ("fileCount", dataset.files)];
    let known = all.into_iter().filter_map(|(name, n)| n.map(|n| (name.to_owned(), json!(n))));
    Value::Object(known.collect::<Map<_, _>>())
}

fn facet(version: &str, name: &str, mut body: Value) -> Value {
    body["_producer"] = json!(PRODUCER);
    body["_schemaURL"] = json!(format!("{SPEC}/facets/{version}/{name}.json#/$defs/{name}"));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_knows_no_figures_and_a_failure_no_outputs() {
        let execution =
            Execution { run_id: "id".into(), namespace: "cltv".into(), job: "flo".into() };
        let input = Dataset { path: "/data/a.csv".into(), ..Dataset::default() };
        let start = event(&execution, &input, &State::Start, "2021-06-01T03:00:00.000Z");
        assert_eq!(start["inputs"][0]["inputFacets"], json!({}));
        assert_eq!(start["inputs"][0]["facets"], Value::Null);
        let fail = event(&execution, &input, &State::Fail("why"), "2021-06-01T03:00:01.000Z");
        assert_eq!(fail["outputs"], json!([]));
        assert_eq!(fail["run"]["facets"]["errorMessage"]["message"], "why");
    }

    #[test]
    fn figures_that_are_not_known_are_left_out() {
        let output = Dataset { bytes: Some(7), ..Dataset::default() };
        assert_eq!(size_and_rows(&output, "size"), json!({ "size": 7 }));
    }
}
