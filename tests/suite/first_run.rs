//! `cltv run DATA`, without a pipeline file.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::*;

/// A folder with the sample as export.csv.
fn place() -> TempDir {
    let place = folder();
    fs::copy(project("data/flo_sample.csv"), place.path().join("export.csv")).expect("copied");
    place
}

fn cltv_in(place: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cltv"))
        .current_dir(place)
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn an_export_alone_is_enough() {
    let place = place();
    let at = |name: &str| place.path().join(name);
    let page = ok(&cltv_in(place.path(), &["run", "export.csv"]));
    for said in [
        "taken as one per customer",
        "customer  master_id",
        "Only a part of the customers ever acquired",
        "The guesses are in export.toml",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(page.trim_end().ends_with("/output/export/report.html"), "{page}");
    let run = json(&at("output/export/run.json"));
    assert_eq!(run["pipeline"]["file"], "export.csv");
    assert!(run["settings"]["uncertainty"]["level"].is_number(), "there are no intervals");
    // The pipeline file that it wrote does the same.
    ok(&cltv_in(place.path(), &["run", "export.toml", "--output", "again", "--quiet"]));
    let [first, second] = ["output/export", "again"]
        .map(|run| fs::read(at(run).join("customers.parquet")).expect("customers"));
    assert!(first == second, "export.toml does something else");
}

#[test]
fn a_pipeline_file_is_never_written_over() {
    let place = place();
    let own = place.path().join("export.toml");
    fs::write(&own, "mine").expect("written");
    let page = ok(&cltv_in(place.path(), &["run", "export.csv"]));
    assert!(page.contains("export.toml is there already"), "{page}");
    assert_eq!(fs::read_to_string(&own).expect("there"), "mine");
    fs::remove_file(&own).expect("removed");
    let page = ok(&cltv_in(place.path(), &["run", "export.csv", "--set", "output.top=3"]));
    assert!(page.contains("without the flags of this command"), "{page}");
    fs::remove_file(&own).expect("removed");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(place.path().join("nothing"), &own).expect("linked");
        ok(&cltv_in(place.path(), &["run", "export.csv"]));
        assert!(own.is_symlink() && !place.path().join("nothing").exists());
        fs::remove_file(&own).expect("removed");
    }
    ok(&cltv_in(place.path(), &["run", "export.csv", "--dry-run"]));
    assert!(!own.exists());
}

#[test]
fn a_strict_run_that_is_refused_leaves_nothing() {
    let place = place();
    let refused = ["--strict", "--set", "contract.warn_at=0", "--set", "contract.min_rows=30000"];
    let output = cltv_in(place.path(), &[&["run", "export.csv"][..], &refused].concat());
    assert!(!output.status.success());
    let names = fs::read_dir(place.path()).expect("a folder").count();
    assert_eq!(names, 1, "{}", stderr(&output));
    let page = ok(&cltv_in(place.path(), &["run", "export.csv", "--strict"]));
    assert!(page.contains("The guesses are in export.toml"), "{page}");
}

#[test]
fn a_run_of_other_data_is_not_replaced() {
    let place = place();
    for month in ["jan", "feb"] {
        fs::create_dir(place.path().join(month)).expect("made");
        fs::copy(place.path().join("export.csv"), place.path().join(month).join("export.csv"))
            .expect("copied");
    }
    ok(&cltv_in(place.path(), &["run", "jan/export.csv", "--quiet"]));
    ok(&cltv_in(place.path(), &["run", "./jan/export.csv", "--quiet"]));
    let output = cltv_in(place.path(), &["run", "feb/export.csv", "--quiet"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("a run of ./jan/export.csv") && said.contains("--output"), "{said}");
    assert!(!place.path().join("feb/export.toml").exists());
    ok(&cltv_in(place.path(), &["run", "feb/export.csv", "--quiet", "--output", "feb/out"]));
}

#[test]
fn flags_hold_without_a_pipeline_file() {
    let place = place();
    let more = ["--as-of", "2021-06-15", "--set", "output.top=3", "--output", "here", "--quiet"];
    let page = ok(&cltv_in(place.path(), &[&["run", "export.csv"][..], &more].concat()));
    assert_eq!(page, "");
    let run = json(&place.path().join("here/run.json"));
    assert_eq!(run["as_of"], "2021-06-15");
    assert_eq!(run["settings"]["output"]["top"], 3);
}

#[test]
fn data_are_told_from_pipelines_by_what_they_are() {
    let place = place();
    let plain = fs::read_to_string(project("pipelines/flo.toml")).expect("a pipeline");
    fs::write(place.path().join("pipeline.conf"), plain).expect("written");
    fs::write(place.path().join("broken.toml"), "a,b\n1,2\n").expect("written");
    ok(&cltv_in(place.path(), &["run", "pipeline.conf", "--input", "export.csv", "--quiet"]));
    ok(&cltv_in(place.path(), &["run", "export.csv", "--output", "out", "--quiet"]));
    for (arguments, said) in [
        (&["run", "broken.toml"][..], "not valid TOML"),
        (&["fit", "export.csv"], "`cltv init` writes one"),
        (&["evaluate", "export.csv"], "`cltv init` writes one"),
        (&["run", "export.csv", "--input", "export.csv"], "give one of the two"),
        (&["run", "out"], "this is the output of a run"),
    ] {
        let output = cltv_in(place.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
    let output = cltv_in(place.path(), &["run", "nothing.csv"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("no such file"), "{}", stderr(&output));
}

#[test]
fn a_log_alone_is_enough_from_standard_input_too() {
    let place = folder();
    let log = fs::File::open(project("data/orders_sample.csv")).expect("the sample");
    let output = Command::new(env!("CARGO_BIN_EXE_cltv"))
        .current_dir(place.path())
        .args(["run", "-"])
        .stdin(log)
        .output()
        .expect("the program starts");
    let page = ok(&output);
    assert!(page.contains("taken as one per order line"), "{page}");
    assert!(place.path().join("pipeline.toml").is_file());
    assert!(place.path().join("output/pipeline/report.html").is_file());
}
