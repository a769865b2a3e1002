//! What people see on a terminal: pages that fit it, numbers that can be read.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::*;

fn at_width(columns: usize, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cltv"))
        .current_dir(project(""))
        .env("COLUMNS", columns.to_string())
        .args(arguments)
        .output()
        .expect("the program starts")
}

/// The lines of a page that succeeded, but for those with a path, which must be copied whole.
fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", stderr(output));
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    text.lines()
        .filter(|line| !line.starts_with("Written to") && !line.starts_with("Report:"))
        .map(str::to_owned)
        .collect()
}

fn widest(lines: &[String]) -> (usize, &str) {
    let widest = lines.iter().max_by_key(|line| line.chars().count()).expect("a line");
    (widest.chars().count(), widest)
}

/// A run with many findings, one with intervals, and an order log.
#[test]
fn a_page_of_a_run_fits_a_screen_and_ends_with_the_report() {
    let out = folder();
    let to = out.path().join("run").display().to_string();
    for pipeline in ["flo", "flo_selection_aware", "transactions"] {
        let file = format!("pipelines/{pipeline}.toml");
        let arguments = ["run", &file, "--output", &to, "--set", "output.currency=\"TRY\""];
        let quick = ["--set", "uncertainty.draws=100"];
        let arguments = match pipeline {
            "flo_selection_aware" => [&arguments[..], &quick].concat(),
            _ => arguments.to_vec(),
        };
        for columns in [60, 80] {
            let output = at_width(columns, &arguments);
            let page = lines(&output);
            let (width, line) = widest(&page);
            assert!(width <= columns, "{pipeline} at {columns}: {width} characters: {line}");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if columns == 80 {
                assert!(text.lines().count() <= 40, "{pipeline}: {text}");
            }
            let first = text.split_once("Read this before").map_or("", |(_, findings)| findings);
            assert!(first.contains('→'), "{pipeline}: no finding is whole: {text}");
            let last = text.trim_end().lines().next_back().expect("a line");
            assert_eq!(last, format!("Report: {to}/report.html"));
            assert!(text.contains("revenue (TRY)"), "{text}");
            std::fs::remove_dir_all(&to).expect("the run is removed");
        }
    }
}

/// What the short page leaves out, the full one has: every finding, table and action.
#[test]
fn more_is_said_with_v() {
    let out = folder();
    let to = out.path().display().to_string();
    let run = ["run", "pipelines/flo.toml", "--output", &to, "--set", "output.currency=\"TRY\""];
    let short = String::from_utf8(at_width(80, &run).stdout).expect("UTF-8");
    let full = at_width(100, &[&run[..], &["-v"]].concat());
    let full = String::from_utf8(full.stdout).expect("UTF-8");
    let document = json(&out.path().join("run.json"));
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    for finding in document["warnings"].as_array().expect("findings") {
        let message = plain(finding["message"].as_str().expect("a message"));
        assert!(plain(&full).contains(&message), "{message}");
        let beginning: String = message.chars().take(40).collect();
        assert!(plain(&short).contains(&beginning), "{beginning}: {short}");
    }
    for action in document["suggested_actions"].as_array().expect("actions") {
        let text = action["text"].as_str().expect("a text");
        assert!(plain(&full).contains(&plain(text)), "{text}");
        assert!(text.contains(" TRY"), "{text}");
    }
    for title in ["Outlier limits", "RFM segments", "Expected to order most"] {
        assert!(full.contains(title) && !short.contains(title), "{title}");
    }
    let top = csv(&out.path().join("top_customers.csv"));
    for (place, id) in texts(&top, "customer_id").iter().enumerate() {
        assert!(full.contains(id), "{id}");
        assert!(short.contains(id) || place >= 3, "{id} is the {place}th: {short}");
    }
}

/// Thousands have separators in every sentence, and amounts their currency.
#[test]
fn numbers_in_sentences_have_separators() {
    let out = folder();
    let to = out.path().display().to_string();
    let run = ["run", "pipelines/flo_selection_aware.toml", "--output", &to];
    assert!(
        at_width(80, &[&run[..], &["--set", "uncertainty.draws=100"]].concat()).status.success()
    );
    let document = json(&out.path().join("run.json"));
    let findings = document["warnings"].as_array().expect("findings");
    let sentences = findings.iter().filter_map(|finding| finding["message"].as_str());
    let mut long = 0;
    for sentence in sentences {
        for word in sentence.split(|c: char| !c.is_ascii_digit() && !",.-".contains(c)) {
            let digits = word.trim_start_matches('-').split(['.', '-']).next().unwrap_or_default();
            let bare = digits.len() > 4 && !digits.contains(',');
            assert!(!bare, "{word} in: {sentence}");
            long += usize::from(digits.contains(','));
        }
    }
    assert!(long >= 4, "no number is long enough to tell");
}

fn figures(of: &Value) -> Vec<f64> {
    let mut figures = vec![number(of, "/mean"), number(of, "/deviation"), number(of, "/lowest")];
    figures.extend((0..5).map(|i| number(of, &format!("/quantiles/{i}/1"))));
    figures.push(number(of, "/highest"));
    figures
}

/// As pandas' `describe`: n − 1 in the deviation, linearly interpolated quantiles.
fn expected(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let square = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let mut figures = vec![mean, (square / (n - 1.0)).sqrt(), sorted[0]];
    for q in [0.01, 0.25, 0.5, 0.75, 0.99] {
        let place = q * (n - 1.0);
        let below = sorted[place as usize];
        let above = sorted[(place as usize + 1).min(sorted.len() - 1)];
        figures.push(below + (above - below) * place.fract());
    }
    figures.push(sorted[sorted.len() - 1]);
    figures
}

#[test]
fn check_describes_numbers_before_and_after_capping() {
    let output = cltv(["check", "data/flo_sample.csv", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let sample = csv(&project("data/flo_sample.csv"));
    let columns = found["run"]["statistics"].as_array().expect("statistics");
    assert_eq!(columns.len(), 4);
    let mut capped = 0;
    for (i, column) in columns.iter().enumerate() {
        let name = column["name"].as_str().expect("a name");
        let values = numbers(&sample, name);
        let limits = found["run"]["outlier_limits"].as_array().expect("limits");
        let limit = limits.iter().find(|limit| limit["column"] == name).expect("its limit");
        let (upper, applied) = (number(limit, "/upper"), number(limit, "/upper_applied"));
        let lowered = |v: &f64| if *v > upper { applied } else { *v };
        capped += values.iter().filter(|v| **v > upper).count();
        for (which, values) in
            [("before", values.clone()), ("after", values.iter().map(lowered).collect())]
        {
            for (value, expected) in figures(&column[which]).iter().zip(expected(&values)) {
                close(&format!("{name} {which} {i}"), *value, expected, 1e-10);
            }
        }
    }
    assert_eq!(capped, 14, "the sample has so many outliers");
}

#[test]
fn a_page_of_check_fits_the_terminal() {
    for file in ["data/flo_sample.csv", "data/orders_sample.csv"] {
        for columns in [60, 80, 100] {
            let page = lines(&at_width(columns, &["check", file]));
            let page: Vec<String> = page
                .into_iter()
                // Lines of the pipeline file, which are copied whole.
                .filter(|line| !line.contains(" = ") && !line.starts_with('#'))
                .collect();
            let (width, line) = widest(&page);
            assert!(width <= columns, "{file} at {columns}: {width} characters: {line}");
            let heads = if columns == 60 { "mean" } else { "std. dev." };
            assert!(page.iter().any(|line| line.contains(heads)), "{page:?}");
            let id = if file.contains("flo") { "master_id" } else { "Customer ID" };
            assert!(page.iter().any(|line| line.starts_with(&format!(" {id} "))), "{page:?}");
        }
    }
}

/// A file of a run stands for its folder.
#[test]
fn a_file_of_a_run_stands_for_the_run() {
    let out = folder();
    let at = |name: &str| out.path().join(name).display().to_string();
    let runs = [("earlier", "2021-05-31"), ("later", "2021-08-31")];
    for (name, day) in runs {
        let more = ["--as-of", day, "--set", "output.formats=[\"parquet\", \"csv\"]"];
        run_ok("pipelines/flo.toml", &project("data/flo_sample.csv"), Path::new(&at(name)), &more);
    }
    for file in ["run.json", "report.html", "customers.parquet", "segments.csv", "model.json"] {
        let [earlier, later] = ["earlier", "later"].map(|run| at(&format!("{run}/{file}")));
        let page = at("page.html");
        let report = cltv(["report", &later, "--previous", &earlier, "--out", &page]);
        assert!(report.status.success(), "{file}: {}", stderr(&report));
        let compared = cltv(["compare", &earlier, &later]);
        assert!(compared.status.success(), "{file}: {}", stderr(&compared));
        let chosen = cltv(["select", &later, "--where", "cltv > 500"]);
        assert!(chosen.status.success(), "{file}: {}", stderr(&chosen));
        assert!(String::from_utf8_lossy(&chosen.stdout).lines().count() > 10, "{file}");
    }
}
