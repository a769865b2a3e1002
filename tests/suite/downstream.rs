//! What other programs get: pandas, DuckDB and Polars read the same tables, and lineage events
//! follow OpenLineage's specification. `CLTV_PYTHON` names a Python with
//! tests/downstream/requirements.txt installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{cltv, folder, json, project, python, run_ok, stderr};

const SAMPLE: &str = "data/flo_sample.csv";
const ALL_FORMATS: [&str; 4] =
    ["--set", "output.formats=[\"parquet\", \"csv\", \"ipc\"]", "--set", "output.currency=\"TRY\""];

/// Runs a script of tests/.
fn script(script: &str, arguments: &[&Path]) -> Output {
    let output = Command::new(python()).arg(project(script)).args(arguments).output();
    output.expect("CLTV_PYTHON starts")
}

#[track_caller]
fn agrees(output: Output) {
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
#[ignore = "needs CLTV_PYTHON"]
fn every_reader_sees_the_same_customers_in_python() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &ALL_FORMATS);
    agrees(script("tests/downstream/readers.py", &[out.path()]));
}

/// More customers than fit into a row group; calendar months, days and intervals.
#[test]
#[ignore = "needs CLTV_PYTHON"]
fn every_reader_sees_every_row_group_in_python() {
    let out = folder();
    let export = out.path().join("export.csv");
    let text = export.display().to_string();
    let made =
        cltv(["simulate", "customers", "--customers", "70000", "--seed", "5", "--out", &text]);
    assert!(made.status.success(), "{}", stderr(&made));
    let mut more = ALL_FORMATS.to_vec();
    for key in [
        "output.rename={}",
        "summary.min_orders=1",
        "summary.frequency=\"repeat_orders\"",
        "summary.time_unit=\"day\"",
        "purchases.l2_penalty=0",
        "forecast.weeks_per_month=\"calendar\"",
        "uncertainty={draws=100}",
    ] {
        more.extend(["--set", key]);
    }
    run_ok("pipelines/flo.toml", &export, &out.path().join("run"), &more);
    let rows = json(&out.path().join("run/run.json"))["rows"]["customers"].as_u64();
    assert!(rows.is_some_and(|rows| rows > 65_536), "{rows:?} customers are one row group");
    agrees(script("tests/downstream/readers.py", &[&out.path().join("run")]));
}

/// The script of the readers can fail: it notices a table that does not belong to run.json.
#[test]
#[ignore = "needs CLTV_PYTHON"]
fn a_table_of_another_day_is_noticed_in_python() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &ALL_FORMATS);
    let run = out.path().join("run.json");
    let text = std::fs::read_to_string(&run).expect("run.json");
    let other = text.replace("\"as_of\": \"2021-05-31\"", "\"as_of\": \"2021-05-30\"");
    assert_ne!(text, other);
    std::fs::write(&run, other).expect("written");
    let output = script("tests/downstream/readers.py", &[out.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("2021-05-30"), "{}", stderr(&output));
}

#[test]
fn a_kept_column_is_text_with_gaps_and_without() {
    use polars::prelude::*;
    let out = folder();
    let export = |name: &str, gaps: bool| {
        let mut frame = crate::support::csv(&project(SAMPLE));
        let ages = (0..frame.height()).map(|i| (!gaps || i % 3 != 0).then_some(i as i64 % 60));
        let ages = Column::new("age".into(), ages.collect::<Vec<_>>());
        frame.hstack_mut(&[ages]).expect("one more column");
        let path = out.path().join(name);
        let file = std::fs::File::create(&path).expect("created");
        ParquetWriter::new(file).finish(&mut frame).expect("written");
        path
    };
    let keep = ["--set", "input.columns.keep=[\"age\", \"order_channel\"]"];
    let ages = |input: PathBuf| {
        let run = input.with_extension("run");
        run_ok("pipelines/flo.toml", &input, &run, &keep);
        crate::support::parquet(&run.join("customers.parquet"))
            .column("age")
            .expect("the column")
            .clone()
    };
    let (whole, gaps) = (ages(export("whole.parquet", false)), ages(export("gaps.parquet", true)));
    assert_eq!((whole.dtype(), gaps.dtype()), (&DataType::String, &DataType::String));
    assert_eq!((whole.null_count(), gaps.null_count()), (0, 0));
    assert_eq!(whole.str().expect("text").get(0), Some("0"));
    assert_eq!(gaps.str().expect("text").get(0), Some(""));
}

#[test]
fn a_currency_has_three_capital_letters() {
    let refused = cltv(["run", "pipelines/flo.toml", "--set", "output.currency=\"tl\""]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("output.currency \"tl\""), "{}", stderr(&refused));
}

/// The events of a file, in order.
fn events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("an event file");
    assert!(text.ends_with('\n'), "the last line has no line end");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn told(event: &Value) -> (&str, &str) {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).expect("text");
    (text("/eventType"), text("/run/runId"))
}

/// A run that ends well and two that fail, and the file of their events.
fn three_runs(out: &Path) -> PathBuf {
    let file = out.join("events.ndjson");
    let run = |input: &str, folder: &str, more: &[&str]| {
        let (output, events) = (out.join(folder), file.clone());
        let mut arguments = vec!["run".into(), "pipelines/flo.toml".into(), "--input".into()];
        arguments.extend([input.into(), "--output".into(), output.into_os_string()]);
        arguments.extend(["--openlineage".into(), events.into_os_string()]);
        arguments.extend(more.iter().map(Into::into));
        cltv::<std::ffi::OsString>(arguments).status.code()
    };
    let named = ["--set", "lineage.namespace=\"crm\""];
    assert_eq!(run(SAMPLE, "good", &named), Some(0));
    assert_eq!(run(SAMPLE, "strict", &["--strict"]), Some(4));
    assert_eq!(run("README.csv", "missing", &[]), Some(3));
    file
}

#[test]
#[ignore = "needs CLTV_PYTHON"]
fn events_keep_the_published_specification_in_python() {
    let out = folder();
    agrees(script("tests/openlineage/check.py", &[&three_runs(out.path())]));
}

#[test]
fn lineage_of_a_run_that_ends_well_and_of_two_that_fail() {
    let out = folder();
    let events = events(&three_runs(out.path()));
    let kinds: Vec<&str> = events.iter().map(|event| told(event).0).collect();
    assert_eq!(kinds, ["START", "COMPLETE", "START", "FAIL", "START", "FAIL"]);
    for pair in events.chunks(2) {
        assert_eq!(told(&pair[0]).1, told(&pair[1]).1);
    }
    assert!(told(&events[0]).1 < told(&events[2]).1, "run ids do not rise with time");
    assert_eq!(events[1]["job"]["namespace"], "crm");
    assert_eq!(events[3]["job"]["namespace"], "cltv");
    assert_eq!(events[3]["job"]["name"], "flo");
    complete_agrees_with(&events[1], &json(&out.path().join("good/run.json")));
    let message = |event: &Value| event["run"]["facets"]["errorMessage"]["message"].to_string();
    assert!(message(&events[3]).contains("dropout_not_identified"), "{}", events[3]);
    assert!(message(&events[5]).contains("no such file"), "{}", events[5]);
}

/// The names, rows and sizes in a COMPLETE event are those in run.json.
fn complete_agrees_with(event: &Value, run: &Value) {
    let read = &event["inputs"][0]["inputFacets"]["inputStatistics"];
    assert_eq!(read["rowCount"], run["rows"]["read"]);
    assert_eq!(read["size"], run["inputs"][0]["bytes"]);
    let input = event["inputs"][0]["name"].as_str().expect("a name");
    assert_eq!(Path::new(input), project(SAMPLE));
    assert_eq!(event["inputs"][0]["facets"]["schema"]["fields"][0]["name"], "master_id");
    let outputs = event["outputs"].as_array().expect("outputs");
    let named = |name: &str| {
        let is = |output: &&Value| output["name"].as_str().is_some_and(|n| n.ends_with(name));
        outputs.iter().find(is).unwrap_or_else(|| panic!("no output {name}"))
    };
    for written in run["outputs"].as_array().expect("outputs") {
        let size = &named(written["file"].as_str().expect("a name"))["outputFacets"];
        assert_eq!(size["outputStatistics"]["size"], written["bytes"], "{written}");
    }
    let customers = named("/customers.parquet");
    let rows = &customers["outputFacets"]["outputStatistics"]["rowCount"];
    assert_eq!(rows, &run["rows"]["customers"]);
    let cltv = &customers["facets"]["schema"]["fields"][9];
    assert_eq!((&cltv["name"], &cltv["type"]), (&Value::from("cltv"), &Value::from("DOUBLE")));
    let rejected = &named("/quarantine.parquet")["outputFacets"]["outputStatistics"]["rowCount"];
    assert_eq!(rejected, &run["rows"]["rejected"]);
}

/// The check can fail: it refuses an event without a job and with an invalid run id.
#[test]
#[ignore = "needs CLTV_PYTHON"]
fn a_broken_event_is_noticed_in_python() {
    let out = folder();
    let file = out.path().join("events.ndjson");
    std::fs::write(&file, "{\"eventType\":\"START\",\"run\":{\"runId\":\"7\"}}\n")
        .expect("written");
    let output = script("tests/openlineage/check.py", &[&file]);
    assert_eq!(output.status.code(), Some(1));
    let faults = stderr(&output);
    assert!(faults.contains("job is missing") && faults.contains("runId"), "{faults}");
}

/// A line that a crash cut off stays as it is, and the lines before and after it can be read.
#[test]
fn earlier_lines_stay_as_they_are() {
    let out = folder();
    let file = out.path().join("events.ndjson");
    std::fs::write(&file, "{\"whole\":1}\n{\"cut").expect("written");
    let events = ["--openlineage", &file.display().to_string()];
    run_ok("pipelines/flo.toml", &project(SAMPLE), &out.path().join("run"), &events);
    let text = std::fs::read_to_string(&file).expect("an event file");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["{\"whole\":1}", "{\"cut"]);
    for line in &lines[2..] {
        serde_json::from_str::<Value>(line).expect("an event");
    }
    assert_eq!(lines.len(), 4);
}

#[test]
fn an_event_file_that_cannot_be_written_stops_the_run_before_it_begins() {
    let out = folder();
    let run = out.path().join("run");
    let nowhere = out.path().join("nowhere/events.ndjson").display().to_string();
    let folder = run.display().to_string();
    let output =
        cltv(["run", "pipelines/flo.toml", "--output", &folder, "--openlineage", &nowhere]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("append an OpenLineage event"), "{}", stderr(&output));
    assert!(!run.exists());
}
