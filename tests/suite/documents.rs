//! What the documents print is what the commands print.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::*;

fn document(name: &str) -> String {
    fs::read_to_string(project(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The blocks of a document that begin with ```text, each with the comment above it.
fn printed(text: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks = Vec::new();
    let mut above = String::new();
    let mut block: Option<Vec<String>> = None;
    for line in text.lines() {
        match &mut block {
            None if line == "```text" => block = Some(Vec::new()),
            None => above = if line.trim().is_empty() { above } else { line.to_owned() },
            Some(lines) if line == "```" => {
                let lines = std::mem::take(lines);
                blocks.push((std::mem::take(&mut above), lines));
                block = None;
            }
            Some(lines) if line.trim() != "..." && !line.trim().is_empty() => {
                lines.push(line.to_owned());
            }
            Some(_) => {}
        }
    }
    blocks
}

fn page(place: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cltv"))
        .current_dir(place)
        .args(arguments)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Expected orders of the longest horizon that a pipeline has a column for.
fn orders(out: &Path) -> String {
    let orders = number(&json(&out.join("run.json")), "/company/expected_orders/1/1");
    cltv::results::numbers::whole(orders)
}

/// README.md and README.tr.md show what scripts/run.sh prints.
#[test]
fn the_readme_shows_what_the_main_job_prints() {
    let out = folder();
    let at = |name: &str| out.path().join(name);
    let sample = project("data/flo_sample.csv");
    let run = run_ok("pipelines/flo_selection_aware.toml", &sample, &at("corrected"), &[]);
    let page = String::from_utf8(run.stdout).expect("UTF-8");
    run_ok("pipelines/flo.toml", &sample, &at("published"), &[]);
    let beside = format!(
        "As published (pipelines/flo.toml): {} orders in 24 weeks; corrected, in six months: {}",
        orders(&at("published")),
        orders(&at("corrected"))
    );
    for name in ["README.md", "README.tr.md"] {
        let blocks = printed(&document(name));
        let (_, lines) = blocks.first().expect("an example");
        assert!(lines.len() >= 8, "{name}: {lines:?}");
        for line in lines {
            let is_there = page.lines().any(|printed| printed == line) || *line == beside;
            assert!(is_there, "{name}: the main job does not print: {line}");
        }
        assert!(lines.contains(&beside), "{name} lacks: {beside}");
    }
}

/// The tutorial works on the sample, command by command.
#[test]
fn the_tutorial_shows_what_its_commands_print() {
    let place = folder();
    fs::copy(project("data/flo_sample.csv"), place.path().join("export.csv")).expect("a copy");
    fs::create_dir(place.path().join("pipelines")).expect("a folder");
    for name in ["flo.toml", "flo_selection_aware.toml"] {
        let name = format!("pipelines/{name}");
        fs::copy(project(&name), place.path().join(&name)).expect("a copy");
    }
    let blocks = printed(&document("docs/tutorial.md"));
    assert!(blocks.len() >= 5, "{} blocks", blocks.len());
    for (above, lines) in blocks {
        let command = above.strip_prefix("<!-- prints: ").and_then(|c| c.strip_suffix(" -->"));
        let command = command.unwrap_or_else(|| panic!("no command above {lines:?}"));
        let arguments = Command::new("sh")
            .args(["-c", &format!("printf '%s\\0' {command}")])
            .output()
            .expect("sh starts");
        let arguments = String::from_utf8(arguments.stdout).expect("UTF-8");
        let arguments: Vec<&str> = arguments.split_terminator('\0').collect();
        let page = page(place.path(), &arguments);
        let mut rest = page.lines();
        for line in &lines {
            assert!(
                rest.any(|printed| printed == line),
                "{command} does not print: {line}\n{page}"
            );
        }
    }
}

/// Numbers of FLO's file in sentences: as published, without and with the correction, its interval.
#[test]
#[ignore = "needs CLTV_REFERENCE"]
fn numbers_of_flo_in_the_documents_on_reference_data() {
    let out = folder();
    let at = |name: &str| out.path().join(name);
    let input = reference().join("flo/flo_data_20k.csv");
    run_ok("pipelines/flo.toml", &input, &at("published"), &[]);
    run_ok("pipelines/flo_selection_aware.toml", &input, &at("corrected"), &[]);
    let run = json(&at("corrected").join("run.json"));
    let findings = run["warnings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["code"] == "selection_corrected");
    let ignored = number(finding.expect("the correction"), "/facts/orders_ignored");
    let interval = &run["intervals"]["company"]["orders"][1][1];
    let whole = cltv::results::numbers::whole;
    let numbers = [
        orders(&at("published")),
        whole(ignored),
        orders(&at("corrected")),
        whole(number(interval, "/low")),
        whole(number(interval, "/high")),
    ];
    for (name, which) in [
        ("README.md", &numbers[..]),
        ("docs/how-to.md", &numbers[..3]),
        ("docs/opinions.md", &numbers[..]),
        ("docs/selection-study.md", &numbers[2..3]),
    ] {
        let text = document(name);
        for number in which {
            assert!(text.contains(number.as_str()), "{name} lacks {number}");
        }
    }
    let turkish = document("README.tr.md");
    for number in numbers {
        assert!(turkish.contains(&number.replace(',', ".")), "README.tr.md lacks {number}");
    }
}

/// The table of published values in docs/testing.md has what the program finds.
#[test]
#[ignore = "needs CLTV_REFERENCE"]
fn published_values_in_the_documents_on_reference_data() {
    let out = folder();
    let reference = reference();
    let log = out.path().join("cdnow.csv");
    let lines = fs::read_to_string(reference.join("cdnow/cdnow_sample.txt")).expect("CDNOW");
    let orders = lines.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.len() == 5).then(|| format!("{},{},{}\n", fields[1], fields[2], fields[4]))
    });
    let orders: String = orders.collect();
    fs::write(&log, format!("customer_id,date,value\n{orders}")).expect("written");
    let mut found: BTreeMap<String, f64> = BTreeMap::new();
    for (title, model) in
        [("BG/NBD", "bg_nbd"), ("MBG/NBD", "mbg_nbd"), ("Pareto/NBD", "pareto_nbd")]
    {
        let to = out.path().join(model);
        let family = format!("purchases.model=\"{model}\"");
        run_ok("pipelines/cdnow.toml", &log, &to, &["--set", &family]);
        let document = json(&to.join("model.json"));
        of_model(&mut found, &format!("CDNOW, {title}"), &document["purchases"]);
        if model == "bg_nbd" {
            of_model(&mut found, "CDNOW, Gamma-Gamma", &document["spend"]);
        }
    }
    for (title, model) in [("BG/CNBD", "bg_cnbd_k"), ("MBG/CNBD", "mbg_cnbd_k")] {
        for k in [2, 3] {
            let to = out.path().join(format!("{model}-{k}"));
            let named = [format!("purchases.model=\"{model}\""), format!("purchases.k={k}")];
            run_ok("pipelines/cdnow.toml", &log, &to, &["--set", &named[0], "--set", &named[1]]);
            let document = json(&to.join("model.json"));
            of_model(&mut found, &format!("CDNOW, {title}-{k}"), &document["purchases"]);
        }
    }
    let to = out.path().join("evaluation");
    let evaluated = cltv([
        "evaluate".into(),
        project("pipelines/cdnow.toml").into_os_string(),
        "--input".into(),
        log.into_os_string(),
        "--output".into(),
        to.clone().into_os_string(),
    ]);
    assert!(evaluated.status.success(), "{}", stderr(&evaluated));
    of_holdout(&mut found, &to);
    for (method, sense) in [("bg_nbd", "too low"), ("last_period", "too high")] {
        let table = csv(&to.join("evaluation.csv"));
        let row = texts(&table, "name").iter().position(|name| name == method).expect("its row");
        let bias = 100.0 * numbers(&table, "bias")[row];
        assert_eq!(bias < 0.0, sense == "too low");
        let said = format!("{:.1} %", bias.abs());
        for (name, said) in [
            ("README.md", said.clone()),
            ("README.tr.md", format!("%{:.1}", bias.abs()).replace('.', ",")),
        ] {
            assert!(document(name).contains(&said), "{name} lacks {method}'s {said}");
        }
    }
    let to = out.path().join("flo");
    run_ok("pipelines/flo.toml", &reference.join("flo/flo_data_20k.csv"), &to, &[]);
    let document = json(&to.join("model.json"));
    of_model(&mut found, "FLO", &document["purchases"]);
    of_model(&mut found, "FLO", &document["spend"]);
    let run = json(&to.join("run.json"));
    for (what, place) in [
        ("FLO, expected orders, 12 weeks", "/company/expected_orders/0/1"),
        ("FLO, expected orders, 24 weeks", "/company/expected_orders/1/1"),
        ("FLO, total cltv", "/company/total_cltv"),
    ] {
        found.insert(what.to_owned(), number(&run, place));
    }
    let text = document_rows("docs/testing.md");
    assert!(text.len() > 30, "{} rows", text.len());
    for (what, ours) in text {
        let value = found.get(&what).unwrap_or_else(|| {
            panic!("{what:?} is not among {:?}", found.keys().collect::<Vec<_>>())
        });
        let decimals = ours.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let value = format!("{value:.decimals$}");
        assert_eq!(value, ours.replace(',', ""), "{what}");
    }
}

/// The rows of the table of published values: what, and our value as it is written.
fn document_rows(name: &str) -> Vec<(String, String)> {
    let text = document(name);
    let (_, table) = text.split_once("| what | published | source | ours |\n").expect("the table");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0].to_owned(), cells[3].to_owned())
    })
    .collect()
}

/// Parameters, standard errors and log-likelihood of a fit.
fn of_model(found: &mut BTreeMap<String, f64>, title: &str, fit: &serde_json::Value) {
    let parameters = fit["parameters"].as_object().expect("parameters");
    for (name, value) in parameters {
        found.insert(format!("{title}, {name}"), value.as_f64().expect("a number"));
    }
    for (name, value) in fit["standard_errors"].as_object().into_iter().flatten() {
        if let Some(value) = value.as_f64() {
            found.insert(format!("{title}, standard error of {name}"), value);
        }
    }
    found.insert(format!("{title}, log-likelihood"), number(fit, "/log_likelihood"));
}

/// Forecasts of the holdout.
fn of_holdout(found: &mut BTreeMap<String, f64>, out: &Path) {
    let table = csv(&out.join("evaluation.csv"));
    let names = texts(&table, "name");
    for (title, name) in [("BG/NBD", "bg_nbd"), ("Pareto/NBD", "pareto_nbd")] {
        let row = names.iter().position(|found| found == name).expect("its row");
        for (what, column) in [("total", "expected_orders"), ("MAE", "mae"), ("RMSE", "rmse")] {
            let value = numbers(&table, column)[row];
            found.insert(format!("CDNOW, holdout, {title}, {what}"), value);
        }
    }
}
