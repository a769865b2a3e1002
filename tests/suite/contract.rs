//! `[contract]`: what the pipeline expects of its input, and what happens when the input is
//! different.

use std::path::Path;

use crate::bad_input::export;
use crate::support::*;

/// Runs `pipelines/flo.toml` on an export. Returns the exit code, stderr, and the folder with
/// `out`.
fn run(text: &str, settings: &[&str]) -> (i32, String, tempfile::TempDir) {
    let folder = folder();
    let input = folder.path().join("export.csv");
    std::fs::write(&input, text).expect("written");
    let (code, stderr) = started("pipelines/flo.toml", &input, folder.path(), settings);
    (code, stderr, folder)
}

fn started(pipeline: &str, input: &Path, folder: &Path, settings: &[&str]) -> (i32, String) {
    let mut arguments = vec!["run".into(), project(pipeline).into_os_string()];
    arguments.extend(["--input".into(), input.into()]);
    arguments.extend(["--output".into(), folder.join("out").into()]);
    for setting in settings {
        match setting.strip_prefix("--as-of ") {
            Some(date) => arguments.extend(["--as-of".into(), date.into()]),
            None => arguments.extend(["--set".into(), setting.into()]),
        }
    }
    let output = cltv(arguments);
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    (output.status.code().expect("an exit code"), stderr(&output))
}

#[track_caller]
fn refused(text: &str, settings: &[&str], code: i32, words: &[&str]) {
    let (status, stderr, folder) = run(text, settings);
    assert_eq!(status, code, "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not in: {stderr}");
    }
    assert!(!folder.path().join("out").exists(), "something was written");
}

/// 200 valid customers and one with an invalid date: 1 of 201 rows is bad, 0.5 %.
fn with_bad_row() -> String {
    export(200) + "bad,Mobile,Offline,someday,2021-01-01,1.0,1.0,9,9,[]\n"
}

#[test]
fn a_required_column_that_is_missing() {
    let settings = ["contract.required={ order_chanel = \"text\" }"];
    refused(&export(200), &settings, 3, &["\"order_chanel\"", "nearest is \"order_channel\""]);
}

#[test]
fn a_required_column_of_another_type() {
    let settings =
        ["contract.required={ order_channel = \"integer\", last_order_date = \"number\" }"];
    let words = [
        "column \"order_channel\" must be integer",
        "200 of 200 values",
        "\"Mobile\" in row 1 is text",
        "column \"last_order_date\" must be number",
        "\"2021-01-01\" in row 1 is date",
    ];
    refused(&export(200), &settings, 3, &words);
    let dates = ["contract.required={ order_channel = \"date\" }"];
    refused(&export(200), &dates, 3, &["must be date", "Mobile"]);
    let whole = ["contract.required={ customer_value_total_ever_offline = \"integer\" }"];
    refused(&export(200), &whole, 3, &["must be integer", "200 of 200", "in row 1 is number"]);
}

#[test]
fn a_file_that_keeps_the_contract() {
    let settings = [
        "contract.required={ master_id = \"text\", last_order_date = \"date\", \
         order_num_total_ever_online = \"integer\", customer_value_total_ever_online = \"number\" }",
        "contract.max_age_days=30",
        "contract.bad_rows=fail",
        "--as-of 2021-06-01",
    ];
    let (code, stderr, folder) = run(&export(200), &settings);
    assert_eq!(code, 0, "{stderr}");
    let run = json(&folder.path().join("out/run.json"));
    assert_eq!(run["settings"]["contract"]["max_age_days"], 30);
    assert_eq!(number(&run, "/rows/customers"), 200.0);
}

/// A value of the wrong type in a column that no other rule checks.
#[test]
fn a_few_wrong_values_are_bad_rows() {
    let text = export(200).replacen("Offline", "17", 3);
    let text =
        text.replace("Offline", "21") + "id900,x,many,2020-01-01,2021-01-01,1.0,1.0,9,9,[]\n";
    let (code, stderr, folder) = run(&text, &["contract.required.last_order_channel=integer"]);
    assert_eq!(code, 0, "{stderr}");
    let quarantine = parquet(&folder.path().join("out/quarantine.parquet"));
    assert_eq!(texts(&quarantine, "rule"), ["wrong_type"]);
    assert_eq!(texts(&quarantine, "raw_last_order_channel"), ["many"]);
    assert_eq!(numbers(&quarantine, "row_number"), [201.0]);
    let fail = ["contract.required.last_order_channel=integer", "contract.bad_rows=fail"];
    refused(&text, &fail, 3, &["1 of 201 values", "\"many\" in row 201 is text"]);
}

#[test]
fn bad_rows_fail_are_dropped_or_kept() {
    let fail = ["contract.bad_rows=fail"];
    let words = ["1 of 201 rows", "1 unreadable_date", "row 201", "\"someday\""];
    refused(&with_bad_row(), &fail, 3, &words);
    for (policy, rows) in [("drop", 0), ("quarantine", 1)] {
        let setting = format!("contract.bad_rows={policy}");
        let (code, stderr, folder) = run(&with_bad_row(), &[&setting]);
        assert_eq!(code, 0, "{stderr}");
        let quarantine = parquet(&folder.path().join("out/quarantine.parquet"));
        assert_eq!(quarantine.height(), rows, "{policy}");
        let run = json(&folder.path().join("out/run.json"));
        assert_eq!(run["rejected"]["unreadable_date"], 1, "{policy}");
        assert_eq!(number(&run, "/rows/kept"), 200.0);
    }
}

/// The severity of the finding about rejected rows.
fn severity(settings: &[&str]) -> String {
    let (code, stderr, folder) = run(&with_bad_row(), settings);
    assert_eq!(code, 0, "{stderr}");
    let run = json(&folder.path().join("out/run.json"));
    let findings = run["warnings"].as_array().expect("a list");
    let found = findings.iter().find(|f| f["code"] == "rows_set_aside").expect("a finding");
    found["severity"].as_str().expect("a text").to_owned()
}

/// The share of bad rows, 1 of 201, is 0.498 %.
#[test]
fn thresholds() {
    assert_eq!(severity(&[]), "warning");
    assert_eq!(severity(&["contract.warn_at=0.004"]), "warning");
    assert_eq!(severity(&["contract.warn_at=0.006"]), "note");
    assert_eq!(severity(&["contract.fail_at=0.006"]), "warning");
    let words = ["1 of 201 rows (0.5 %)", "contract.fail_at is 0.004"];
    refused(&with_bad_row(), &["contract.fail_at=0.004"], 3, &words);
}

/// The newest order of the export is from 2021-05-28.
#[test]
fn an_old_file_is_refused() {
    let most = "contract.max_age_days=3";
    let (code, stderr, _) = run(&export(200), &[most, "--as-of 2021-05-31"]);
    assert_eq!(code, 0, "{stderr}");
    let words = ["2021-05-28", "4 days before 2021-06-01", "max_age_days is 3"];
    refused(&export(200), &[most, "--as-of 2021-06-01"], 3, &words);
    refused(&export(200), &[most], 2, &["--as-of", "summary.analysis_date"]);
}

#[test]
fn the_contract_of_an_order_log() {
    let folder = folder();
    let log = project("data/orders_sample.csv");
    let pipeline = "pipelines/transactions.toml";
    let run = |settings: &[&str]| started(pipeline, &log, folder.path(), settings);
    // 112 of 2,278 lines have no customer (4.9 %). The 23 cancelled lines are not bad rows.
    let (code, stderr) = run(&["contract.fail_at=0.05"]);
    assert_eq!(code, 0, "{stderr}");
    let (code, stderr) = run(&["contract.fail_at=0.049"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("112 of 2,278 rows (4.9 %)"), "{stderr}");
    // The newest order of the log is from 2011-12-08.
    let (code, stderr) = run(&["contract.max_age_days=2", "--as-of 2011-12-11"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("2011-12-08, 3 days before 2011-12-11"), "{stderr}");
    let types =
        "contract.required={ Quantity = \"integer\", InvoiceDate = \"date\", Price = \"number\" }";
    let (code, stderr) = run(&["contract.max_age_days=3", "--as-of 2011-12-11", types]);
    assert_eq!(code, 0, "{stderr}");
    let (code, stderr) =
        run(&["contract.required={ StockCode = \"integer\" }", "contract.unreadable_at=0.2"]);
    assert_eq!(code, 0, "{stderr}");
    // awk -F, '$2 == "85123A" && $1 !~ /^C/ && $7 != ""' data/orders_sample.csv | wc -l
    let rejected = json(&folder.path().join("out/run.json"))["rejected"].clone();
    close("wrong_type", number(&rejected, "/wrong_type"), 348.0, 0.0);
    // Nearly all prices have decimals.
    let (code, stderr) = run(&["contract.required={ Price = \"integer\" }"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("column \"Price\" must be integer"), "{stderr}");
}

#[test]
fn faults_of_the_section_are_reported_together() {
    let settings = ["contract.warn_at=2", "contract.fail_at=0", "contract.bad_rows=fail"];
    refused(&export(200), &settings, 2, &["contract.warn_at 2", "contract.fail_at 0", "\"fail\""]);
    refused(&export(200), &["contract.max_age=3"], 2, &["did you mean max_age_days?"]);
    let order = ["contract.warn_at=0.2", "contract.fail_at=0.1"];
    refused(&export(200), &order, 2, &["before it warns"]);
}
