//! `cltv check`: what it reports about a file, that it writes nothing, and that no value in a file
//! can control the terminal.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::bad_input::export;
use crate::support::*;

fn written(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("file.csv");
    std::fs::write(&path, text).expect("written");
    path
}

fn check(file: &Path, more: &[&str]) -> (i32, String, String) {
    let arguments = ["check".as_ref(), file.as_os_str()];
    let output = cltv(arguments.into_iter().chain(more.iter().map(std::ffi::OsStr::new)));
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    (output.status.code().expect("an exit code"), text, stderr(&output))
}

fn as_json(file: &Path, more: &[&str]) -> Value {
    let (_, text, stderr) = check(file, &[more, &["--json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text} {stderr}"))
}

/// Four lines, described by hand in the test; the last repeats the first.
const FEW: &str = "id,when,pieces,price,tags,empty\n\
    1,31.12.2020 10:00,2,9.5,[A],\n\
    2,01.02.2021 11:30,1,10,\"[A, B]\",\n\
    2, ,3,-4.25,[],\n\
    1,31.12.2020 10:00,2,9.5,[A],\n";

#[test]
fn every_column_is_described() {
    let folder = folder();
    let found = as_json(&written(&folder, FEW), &[]);
    let column = |position: usize, key: &str| {
        let value = &found["input"]["columns"][position][key];
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    let all = |key: &str| (0..6).map(|position| column(position, key)).collect::<Vec<_>>();
    assert_eq!(all("type"), ["integer", "date", "integer", "number", "list", "empty"]);
    assert_eq!(all("blank"), ["0", "1", "0", "0", "0", "4"]);
    assert_eq!(all("distinct"), ["2", "2", "3", "3", "3", "0"]);
    assert_eq!(all("lowest")[..4], ["1", "2020-12-31", "1", "-4.25"]);
    assert_eq!(all("highest")[..4], ["2", "2021-02-01", "3", "10"]);
    assert_eq!(column(1, "date_format"), "%d.%m.%Y, with a time of day");
    assert_eq!(all("example")[1], "31.12.2020 10:00");
    assert_eq!(found["input"]["rows"], 4);
    assert_eq!(found["input"]["repeated_rows"], 1);
    assert_eq!(found["input"]["first_rows"][2][1], Value::Null);
}

/// 200 valid customers, one of them twice, and one more with an invalid date.
#[test]
fn what_a_run_would_do() {
    let folder = folder();
    let twice = "id7,Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,9,9,[]\n";
    let unread = "id900,Mobile,Offline,someday,2021-01-01,1.0,1.0,9,9,[]\n";
    let file = written(&folder, &format!("{}{twice}{unread}", export(200)));
    let found = as_json(&file, &[]);
    assert_eq!(found["run"]["kind"], "customers");
    assert_eq!(found["run"]["rejected"]["duplicate_customer_id"], 1);
    assert_eq!(found["run"]["rejected"]["unreadable_date"], 1);
    assert_eq!(found["run"]["rows"]["kept"], 200);
    assert_eq!(found["run"]["customers"], 200);
    assert_eq!(found["run"]["possible"], true);
    assert_eq!(found["input"]["columns"][3]["unreadable"], 1);
    let (code, text, _) = check(&file, &[]);
    assert_eq!(code, 0);
    // Long lines are wrapped.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in ["1 values of master_id occur more than once", "200 customers", "first_order_date"]
    {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    let names = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 1, "check wrote something");
}

/// Where every point has three digits after it, nobody can tell, and `check` says so. Of the other
/// columns it shows how their numbers are written.
#[test]
fn points_that_may_stand_for_thousands() {
    let folder = folder();
    let file = written(&folder, &export(200).replace(".25,", ".250,"));
    let (code, text, _) = check(&file, &[]);
    assert_eq!(code, 3);
    assert!(text.contains("can be read in two ways"), "{text}");
    let found = as_json(&file, &[]);
    let fault = found["input"]["columns"][8]["fault"].as_str().expect("a fault");
    assert!(fault.contains("number_format = \"1.234,56\""), "{fault}");
    assert_eq!(found["input"]["columns"][7]["fault"], serde_json::Value::Null);
    let (code, text, _) = check(&file, &["--set", "input.number_format=1234.56"]);
    assert_eq!(code, 0, "{text}");
    let (code, text, _) = check(&written(&folder, &export(200)), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("number 1234.56"), "{text}");
}

/// A model with dropout needs ten distinct histories, but five customers have at most five: a run is
/// possible, with the nearest model that stands.
#[test]
fn too_little_data() {
    let folder = folder();
    let file = written(&folder, &export(5));
    let (code, text, _) = check(&file, &[]);
    assert_eq!(code, 0);
    assert!(text.contains("Too little data"), "{text}");
    assert!(text.contains("at least 10"), "{text}");
    let run = &as_json(&file, &[])["run"];
    assert_eq!((&run["possible"], &run["fault"]), (&true.into(), &serde_json::Value::Null));
    assert!(run["too_little"].as_str().expect("a reason").contains("at least 10"), "{run}");
    assert_eq!(check(&file, &["--strict"]).0, 4);
}

#[test]
fn what_breaks_a_run_is_said_after_what_is_in_the_file() {
    let folder = folder();
    let file = written(&folder, "a,b\n1,2\n3,4\n");
    let (code, text, stderr) = check(&file, &[]);
    assert_eq!(code, 3);
    assert!(text.contains("2 rows, 2 columns"), "{text}");
    assert!(stderr.contains("cannot tell which column is what"), "{stderr}");
    let found = as_json(&file, &[]);
    assert_eq!(found["run"]["possible"], false);
    assert!(found["run"]["fault"].as_str().expect("a text").contains("\"a\" (integer)"));
}

#[test]
fn a_pipeline_is_checked_with_its_settings() {
    let pipeline = project("pipelines/transactions.toml");
    let found = as_json(&pipeline, &[]);
    assert_eq!(found["run"]["rejected"]["cancelled"], 23); // grep -c '^C' data/orders_sample.csv
    assert_eq!(found["run"]["as_of"], "2011-12-09");
    assert_eq!(found["guessed"], Value::Null);
}

/// Escape, the control sequence introducer of C1, delete, and a line end inside a quoted name and
/// value.
#[test]
fn values_cannot_steer_the_terminal() {
    let folder = folder();
    let evil = "\u{1b}[2J\u{9b}1m\u{7f}";
    let mut text = export(200).replacen("order_channel", &format!("\"order\n_channel{evil}\""), 1);
    text += &format!("id{evil},\"Mo\nbile{evil}\",Offline,2020-01-01,2021-01-01,1.0,1.0,9,9,[]\n");
    text += &format!("id8,{evil},Offline,some{evil},2021-01-01,1.0,1.0,9,9,[]\n");
    let file = written(&folder, &text);
    for more in [&[][..], &["--json"]] {
        let (code, shown, stderr) = check(&file, more);
        assert_eq!(code, 0, "{stderr}");
        let raw = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
        assert!(!raw(&shown), "{shown:?}");
        assert!(!raw(&stderr), "{stderr:?}");
        assert!(shown.contains("[2J"), "the value is not shown at all: {shown}");
    }
    let init = cltv(["init".as_ref(), file.as_os_str(), "--out".as_ref(), "-".as_ref()]);
    let shown = String::from_utf8(init.stdout.clone()).expect("UTF-8");
    assert!(init.status.success(), "{}", stderr(&init));
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
}
