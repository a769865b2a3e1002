//! report.html: opened in a browser, made again, in two languages, with hostile data, compared with
//! an earlier run. `CLTV_CHROMIUM` names the browser, `CLTV_PYTHON` a Python with
//! tests/downstream/requirements.txt installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{chromium, cltv, folder, json, project, python, run_ok, stderr};

const SAMPLE: &str = "data/flo_sample.csv";
const LOG: &str = "data/orders_sample.csv";
const FEW_DRAWS: [&str; 2] = ["--set", "uncertainty.draws=100"];
const CUT: [&str; 2] = ["--set", "transactions.calibration_end=2011-06-09"];

/// Opens a page as a reader would, and holds its numbers to the files of the run.
#[track_caller]
fn opens_well(page: &Path, run: &Path, name: &str) {
    let own = folder();
    let shots = std::env::var_os("CLTV_SCREENSHOTS").map_or(own.path().to_owned(), PathBuf::from);
    let output = Command::new(python())
        .arg(project("tests/browser/check.py"))
        .args([page, run, &shots])
        .arg(name)
        .arg(chromium())
        .output()
        .expect("CLTV_PYTHON starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", stderr(&output));
}

/// Runs `cltv report`, which must succeed. Returns the page.
#[track_caller]
fn report(run: &Path, out: &Path, more: &[&str]) -> String {
    let mut arguments = vec!["report".into(), run.as_os_str().to_owned()];
    arguments.extend(["--out".into(), out.as_os_str().to_owned()]);
    let output = cltv(arguments.into_iter().chain(more.iter().map(Into::into)));
    assert!(output.status.success(), "{}", stderr(&output));
    fs::read_to_string(out).expect("a page")
}

fn page_of(run: &Path) -> String {
    fs::read_to_string(run.join("report.html")).expect("a page")
}

fn ids(run: &Path) -> Vec<String> {
    let figures: Value = json(&run.join("figures.json"));
    let customers = figures["customers"].as_array().expect("customers").iter();
    customers.map(|one| one["customer_id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn an_export_reads_well_in_both_languages() {
    let out = folder();
    run_ok("pipelines/flo_selection_aware.toml", &project(SAMPLE), out.path(), &FEW_DRAWS);
    let english = page_of(out.path());
    assert!(english.len() < 3_000_000, "{} bytes", english.len());
    for outside in ["http://", "https://", "src=", "@import"] {
        assert!(!english.contains(outside), "the page needs {outside}");
    }
    let turkish = out.path().join("tr.html");
    let text = report(out.path(), &turkish, &["--lang", "tr"]);
    assert!(text.contains("<html lang=\"tr\">") && text.contains("Segmentler"));
    for finding in json(&out.path().join("run.json"))["warnings"].as_array().expect("findings") {
        let message = finding["message"].as_str().expect("a message");
        assert!(!text.contains(message), "this message is in English: {message}");
    }
}

#[test]
fn a_file_that_cannot_tell_who_left_says_so() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    let page = page_of(out.path());
    assert!(page.contains("data-code=\"selected_customers\""));
    assert!(page.contains("This file cannot tell who has left"));
}

#[test]
fn a_log_reads_well_beside_its_holdout() {
    let out = folder();
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &CUT);
    let page = page_of(out.path());
    for id in ["tracking-weekly", "tracking-cumulative", "holdout-deciles", "survival"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "no {id}");
    }
}

#[test]
#[ignore = "needs CLTV_PYTHON and CLTV_CHROMIUM"]
fn pages_of_an_export_open_well_in_a_browser() {
    let out = folder();
    let run = out.path();
    run_ok("pipelines/flo_selection_aware.toml", &project(SAMPLE), run, &FEW_DRAWS);
    opens_well(&run.join("report.html"), run, "export-en");
    let turkish = run.join("tr.html");
    report(run, &turkish, &["--lang", "tr"]);
    opens_well(&turkish, run, "export-tr");
    let plain = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), plain.path(), &[]);
    opens_well(&plain.path().join("report.html"), plain.path(), "plain-en");
}

#[test]
#[ignore = "needs CLTV_PYTHON and CLTV_CHROMIUM"]
fn pages_of_a_log_open_well_in_a_browser() {
    let out = folder();
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &CUT);
    opens_well(&out.path().join("report.html"), out.path(), "log-en");
    let [earlier, later] = two_runs(out.path());
    let both = out.path().join("both.html");
    report(&later, &both, &["--previous", &earlier.display().to_string()]);
    opens_well(&both, &later, "migration-en");
}

#[test]
#[ignore = "needs CLTV_PYTHON and CLTV_CHROMIUM"]
fn a_page_of_hostile_data_opens_well_in_a_browser() {
    let out = folder();
    let run = hostile_run(out.path());
    opens_well(&run.join("report.html"), &run, "hostile-en");
}

/// A run of an export with markup in identifiers, categories and the name.
fn hostile_run(out: &Path) -> PathBuf {
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let quoted = evil.replace('"', "\"\"");
    let text = fs::read_to_string(project(SAMPLE)).expect("a sample");
    let mut lines = text.lines();
    let mut changed = format!("{}\n", lines.next().expect("a header"));
    for (i, line) in lines.enumerate() {
        let (_, rest) = line.split_once(',').expect("columns");
        let rest = rest.replace("Android App", &format!("\"{quoted}\""));
        changed.push_str(&format!("\"{quoted}{i}\",{}\n", rest.replace("KADIN", "</td><b>x</b>")));
    }
    let input = out.join("evil.csv");
    fs::write(&input, changed).expect("written");
    let run = out.join("run");
    let name = toml::Value::String(evil.to_owned()).to_string();
    let name = format!("name={name}");
    let more = ["--set", &name, "--set", "report.show_ids=true", FEW_DRAWS[0], FEW_DRAWS[1]];
    run_ok("pipelines/flo_selection_aware.toml", &input, &run, &more);
    run
}

/// Two runs of a log, half a year apart.
fn two_runs(out: &Path) -> [PathBuf; 2] {
    let [earlier, later] = ["earlier", "later"].map(|name| out.join(name));
    let cut = ["--set", "transactions.observation_end=2011-06-09"];
    run_ok("pipelines/transactions.toml", &project(LOG), &earlier, &cut);
    run_ok("pipelines/transactions.toml", &project(LOG), &later, &[]);
    [earlier, later]
}

/// Markup in identifiers, categories and the name is text in the page, and no script of it runs.
#[test]
fn markup_from_the_data_is_text() {
    let out = folder();
    let page = page_of(&hostile_run(out.path()));
    assert!(page.contains("&lt;script&gt;alert(1)"), "the id is not shown");
    for markup in ["<script>alert", "<img", "<b>x"] {
        assert!(!page.contains(markup), "{markup} is in the page");
    }
}

#[test]
fn identifiers_are_shown_on_demand_only() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    let (hidden, ids) = (page_of(out.path()), ids(out.path()));
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| !hidden.contains(id.as_str())));
    let shown = report(out.path(), &out.path().join("ids.html"), &["--show-ids"]);
    assert!(ids.iter().all(|id| shown.contains(id.as_str())));
}

#[test]
fn made_again_the_page_is_the_same() {
    let out = folder();
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &CUT);
    let again = report(out.path(), &out.path().join("again.html"), &[]);
    assert_eq!(again, page_of(out.path()));
    let turkish = folder();
    let in_turkish = ["--set", "report.language=\"tr\"", CUT[0], CUT[1]];
    run_ok("pipelines/transactions.toml", &project(LOG), turkish.path(), &in_turkish);
    let asked = report(out.path(), &out.path().join("tr.html"), &["--lang", "tr"]);
    assert_eq!(asked, page_of(turkish.path()));
}

#[test]
fn an_earlier_run_stands_beside_the_later_one() {
    let out = folder();
    let [earlier, later] = two_runs(out.path());
    assert!(!page_of(&later).contains("id=\"migration\""));
    let previous = earlier.display().to_string();
    let page = report(&later, &out.path().join("both.html"), &["--previous", &previous]);
    let compared = out.path().join("compared");
    let arguments = ["compare".into(), earlier.into_os_string(), later.into_os_string()];
    let output = cltv(arguments.into_iter().chain(["--output".into(), compared.clone().into()]));
    assert!(output.status.success(), "{}", stderr(&output));
    let (_, table) = page.split_once("id=\"migration-values-table\"").expect("the table");
    let (table, _) = table.split_once("</table>").expect("its end");
    let mut flows = 0;
    for flow in json(&compared.join("comparison.json"))["migration"].as_array().expect("flows") {
        if flow["customers"] != 0 {
            let exact = ["customers", "cltv_before", "cltv_after"]
                .map(|key| format!("data-v=\"{}\"", flow[key].as_f64().expect("a number")));
            assert!(exact.iter().all(|value| table.contains(value)), "{flow}");
            flows += 1;
        }
    }
    assert!(flows > 5, "{flows} flows");
}

/// In a partitioned output, the partition before is the earlier run, without any option.
#[test]
fn a_partition_stands_beside_the_one_before() {
    let out = folder();
    let partition = ["--set", "output.partition=\"as_of\""];
    let cut = ["--set", "transactions.observation_end=2011-06-09", partition[0], partition[1]];
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &cut);
    assert!(!page_of(&out.path().join("as_of=2011-06-09")).contains("id=\"migration\""));
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &partition);
    assert!(page_of(&out.path().join("as_of=2011-12-09")).contains("id=\"migration\""));
}

#[test]
fn what_is_no_run_is_refused() {
    let out = folder();
    let failed = |folder: &Path, code: i32, said: &str| {
        let output = cltv(["report".into(), folder.as_os_str().to_owned()]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    };
    failed(out.path(), 2, "there is no run.json");
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    let before = page_of(out.path());
    let manifest = out.path().join("run.json");
    let whole = fs::read_to_string(&manifest).expect("a manifest");
    for (pointer, said) in [
        ("/segments", "other segments"),
        ("/segment_edges", "one more than the segments"),
        ("/kept_columns/0/groups", "kept_columns"),
    ] {
        let mut changed: Value = serde_json::from_str(&whole).expect("JSON");
        *changed.pointer_mut(pointer).expect("there") = Value::Array(Vec::new());
        fs::write(&manifest, changed.to_string()).expect("written");
        failed(out.path(), 3, said);
    }
    fs::write(&manifest, &whole).expect("written");
    fs::write(out.path().join("figures.json"), "{}").expect("written");
    failed(out.path(), 3, "figures.json");
    assert_eq!(page_of(out.path()), before);
}
