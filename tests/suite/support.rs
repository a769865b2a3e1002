//! Running the program, and reading its output.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use polars::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

/// A pipeline for logs with the columns id, date and value. Keys of `[transactions]` can be
/// appended.
pub const SMALL_LOG: &str = "
[input]
path = \"?\"
kind = \"transactions\"
[input.columns]
customer_id = \"id\"
order_date = \"date\"
value = \"value\"
[transactions]
";

/// The folder of reference data. A test that reads it is ignored by default, and its name ends in
/// `_on_reference_data`.
pub fn reference() -> PathBuf {
    let folder = needed("CLTV_REFERENCE");
    assert!(folder.is_dir(), "CLTV_REFERENCE: no folder {}", folder.display());
    folder
}

/// A Python with tests/downstream/requirements.txt. A test that starts it is ignored by default,
/// and its name ends in `_in_python`.
pub fn python() -> PathBuf {
    needed("CLTV_PYTHON")
}

/// A Chromium. A test that starts it is ignored by default, and its name ends in `_in_a_browser`.
pub fn chromium() -> PathBuf {
    needed("CLTV_CHROMIUM")
}

/// The path that an environment variable names.
fn needed(variable: &str) -> PathBuf {
    let missing = || panic!("{variable} is not set: scripts/test.sh sets it where it can");
    std::env::var_os(variable).map_or_else(missing, PathBuf::from)
}

/// A file of this repository.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Runs the program in the project folder.
pub fn cltv<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cltv"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a pipeline on `input` into `out`, which must succeed.
pub fn run_ok(pipeline: &str, input: &Path, out: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["run".into(), project(pipeline).into_os_string()];
    arguments.extend(["--input".into(), input.into(), "--output".into(), out.into()]);
    arguments.extend(more.iter().map(Into::into));
    let output = cltv(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

pub fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn number(document: &Value, pointer: &str) -> f64 {
    let value = document.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    value.as_f64().unwrap_or_else(|| panic!("{pointer} is {value}"))
}

pub fn parquet(path: &Path) -> DataFrame {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    ParquetReader::new(file).finish().expect("a Parquet file")
}

pub fn csv(path: &Path) -> DataFrame {
    let path = PlRefPath::try_from_path(path).expect("a path");
    LazyCsvReader::new(path).finish().and_then(LazyFrame::collect).expect("a CSV file")
}

pub fn numbers(frame: &DataFrame, column: &str) -> Vec<f64> {
    let column = frame.column(column).and_then(|c| c.cast(&DataType::Float64)).expect("numbers");
    column.f64().expect("numbers").iter().map(|v| v.expect("no nulls")).collect()
}

pub fn texts(frame: &DataFrame, column: &str) -> Vec<String> {
    let column = frame.column(column).expect("a column").clone();
    column.str().expect("text").iter().map(|v| v.expect("no nulls").to_owned()).collect()
}

/// |value / expected − 1| ≤ tolerance, or both 0.
#[track_caller]
pub fn close(what: &str, value: f64, expected: f64, tolerance: f64) {
    let error = if expected == 0.0 { value.abs() } else { (value / expected - 1.0).abs() };
    assert!(error <= tolerance, "{what}: {value} is not {expected} (relative error {error:.2e})");
}
