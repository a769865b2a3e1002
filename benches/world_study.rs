//! Whether a run says so when its model is wrong, and stays quiet when it is right: order logs from
//! worlds of known truth, run as a user runs them. `scripts/worlds.sh` writes the output of this
//! program into docs/world-study.md.
//!
//! Arguments: customers, repetitions and (optionally) a part of the worlds' names. With the
//! environment variable `CLTV_PROGRAM` another program is run, with `WORLDS_STATE_NOTHING` without
//! what a user states in a world's pipeline (for programs that do not know the keys); with
//! `WORLDS_STATISTICS` the statistics of the checks are printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use rayon::prelude::*;
use serde_json::Value;
use simulated::{Simulated, World, more_worlds, simulate, worlds};

#[path = "../tests/suite/simulated.rs"]
mod simulated;

/// One run, against the truth.
#[derive(Default)]
struct Outcome {
    /// Forecast over truth of six-month orders and revenue.
    orders: f64,
    revenue: f64,
    covered: [Option<bool>; 2],
    width: Option<f64>,
    warnings: Vec<String>,
    /// What was taken beyond a plain model.
    opened: Vec<String>,
    failed: Option<String>,
    statistics: BTreeMap<String, f64>,
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|text| !text.starts_with("--")).collect();
    let number = |i: usize, usual: usize| {
        arguments.get(i).and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (customers, repetitions) = (number(0, 5_000), number(1, 12));
    let part = arguments.get(2).cloned().unwrap_or_default();
    let mut page = String::new();
    // Runs, runs with a warning, intervals, intervals that hold: of worlds that the models describe.
    let mut quiet = [0; 4];
    writeln!(page, "\n## {customers} customers, {repetitions} repetitions\n").expect("text");
    writeln!(
        page,
        "| world | orders | covered | width | revenue | covered | taken | runs with a warning | \
         warnings |\n|---|---|---|---|---|---|---|---|---|"
    )
    .expect("text");
    let all = [worlds(), more_worlds()].concat();
    for world in all.iter().filter(|world| world.name.contains(&part)) {
        let outcomes: Vec<Outcome> = (0..repetitions as u64)
            .into_par_iter()
            .map(|seed| outcome(world, customers, seed))
            .collect();
        let line = row(world, &outcomes);
        eprintln!("{line}");
        if std::env::var_os("WORLDS_STATISTICS").is_some() {
            statistics(&outcomes);
        }
        writeln!(page, "{line}").expect("text");
        for outcome in outcomes.iter().filter(|_| world.right) {
            quiet[0] += 1;
            quiet[1] += usize::from(!outcome.warnings.is_empty());
            quiet[2] += usize::from(outcome.covered[0].is_some());
            quiet[3] += usize::from(outcome.covered[0] == Some(true));
        }
    }
    let [runs, warned, intervals, held] = quiet;
    writeln!(
        page,
        "\nOf the worlds that the models describe: {warned} of {runs} runs with a warning; {held} of \
         {intervals} intervals of orders hold the truth."
    )
    .expect("text");
    println!("{page}");
}

/// Median and highest of each statistic.
fn statistics(outcomes: &[Outcome]) {
    let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (name, value) in outcomes.iter().flat_map(|o| &o.statistics) {
        all.entry(name).or_default().push(*value);
    }
    for (name, mut values) in all {
        values.sort_by(f64::total_cmp);
        let n = values.len();
        eprintln!(
            "    {name}: n {n} lowest {:.3} median {:.3} highest {:.3}",
            values[0],
            values[n / 2],
            values[n - 1]
        );
    }
}

/// A line of the table. Those runs that failed are only counted.
fn row(world: &World, outcomes: &[Outcome]) -> String {
    let done: Vec<&Outcome> = outcomes.iter().filter(|o| o.failed.is_none()).collect();
    let n = done.len().max(1) as f64;
    let error = |of: fn(&Outcome) -> f64| {
        let mean = done.iter().map(|o| of(o)).sum::<f64>() / n;
        format!("{:+.1} %", 100.0 * (mean - 1.0))
    };
    let covered = |k: usize| {
        let all: Vec<bool> = done.iter().filter_map(|o| o.covered[k]).collect();
        match all.len() {
            0 => "–".to_owned(),
            n => format!("{} of {n}", all.iter().filter(|c| **c).count()),
        }
    };
    let widths: Vec<f64> = done.iter().filter_map(|o| o.width).collect();
    let width = widths.iter().sum::<f64>() / widths.len().max(1) as f64;
    let said = counted(outcomes.iter().flat_map(|o| &o.warnings));
    let taken = counted(outcomes.iter().flat_map(|o| &o.opened));
    let warned = outcomes.iter().filter(|o| !o.warnings.is_empty()).count();
    let failed: Vec<&String> = outcomes.iter().filter_map(|o| o.failed.as_ref()).collect();
    let failed =
        failed.first().map_or(String::new(), |why| format!("; {} failed: {why}", failed.len()));
    format!(
        "| {} | {} | {} | ±{:.0} % | {} | {} | {taken} | {warned} of {} | {said}{failed} |",
        world.name,
        error(|o| o.orders),
        covered(0),
        100.0 * width,
        error(|o| o.revenue),
        covered(1),
        outcomes.len()
    )
}

/// Each text with the number of times that it is there.
fn counted<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    texts.for_each(|text| *counts.entry(text).or_default() += 1);
    let said: Vec<String> = counts.iter().map(|(text, n)| format!("{text} {n}")).collect();
    said.join(", ")
}

/// Runs a pipeline: by the program that was built with this one, or by that which the environment
/// variable `CLTV_PROGRAM` names, such as an earlier version. Returns run.json.
fn found(text: &str, folder: &Path) -> Result<Value, String> {
    let (file, out) = (folder.join("world.toml"), folder.join("out"));
    std::fs::write(&file, text).expect("written");
    let own = || env!("CARGO_BIN_EXE_cltv").into();
    let mut command = Command::new(std::env::var_os("CLTV_PROGRAM").unwrap_or_else(own));
    command.arg("run").arg(&file).arg("--output").arg(&out).arg("--quiet");
    let ran = command.output().expect("the program starts");
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned());
    }
    let document = std::fs::read(out.join("run.json")).expect("run.json");
    serde_json::from_slice(&document).map_err(|error| error.to_string())
}

fn outcome(world: &World, customers: usize, seed: u64) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let Simulated { log, truth, .. } = simulate(world, customers, seed);
    std::fs::write(folder.path().join("log.csv"), log).expect("written");
    let months = world.index.iter().zip(1..).map(|(factor, month)| format!("{month},{factor}\n"));
    let index = format!("month,factor\n{}", months.collect::<String>());
    std::fs::write(folder.path().join("index.csv"), index).expect("written");
    match found(&pipeline(world, folder.path()), folder.path()) {
        Ok(document) => of_document(&document, truth),
        Err(error) => Outcome { failed: Some(error), ..Outcome::default() },
    }
}

/// What run.json says, against the truth. It is read by names, so that earlier versions can be held
/// against this one.
fn of_document(document: &Value, truth: [f64; 2]) -> Outcome {
    let rows = document["forecast"].as_array().expect("a forecast");
    let total = rows.iter().find(|row| row["span"] == "horizon" && row["number"] == 6);
    let total = total.expect("six months");
    let interval = |name: &str| Some([total[name]["low"].as_f64()?, total[name]["high"].as_f64()?]);
    let orders = total["orders"].as_f64().expect("orders");
    let [of_orders, of_revenue] = ["orders_interval", "revenue_interval"].map(interval);
    let within = |interval: Option<[f64; 2]>, value: f64| {
        interval.map(|[low, high]| (low..=high).contains(&value))
    };
    let checks = document["model_checks"].as_array().into_iter().flatten();
    let statistics = checks.filter_map(|check| {
        check["limit"].as_f64()?;
        Some((text(&check["name"]), check["statistic"].as_f64()?))
    });
    let findings = document["warnings"].as_array().into_iter().flatten();
    let warnings = findings.filter(|finding| finding["severity"] == "warning");
    Outcome {
        orders: orders / truth[0],
        revenue: total["revenue"].as_f64().expect("money") / truth[1],
        covered: [within(of_orders, truth[0]), within(of_revenue, truth[1])],
        width: of_orders.map(|[low, high]| (high - low) / 2.0 / orders),
        warnings: warnings.map(name_of).collect(),
        opened: opened(document),
        failed: None,
        statistics: statistics.collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The code of a finding, and its variant.
fn name_of(finding: &Value) -> String {
    let variant = finding["facts"]["variant"].as_str().map(|variant| format!("/{variant}"));
    text(&finding["code"]) + &variant.unwrap_or_default()
}

/// What a run took beyond a plain model: a season, a trend, events, prices, regular buyers.
fn opened(document: &Value) -> Vec<String> {
    let mut opened = Vec::new();
    let calendar = &document["calendar"];
    for part in ["season", "trend", "events"] {
        let part_of = &calendar[part];
        let empty = part_of.as_array().is_some_and(Vec::is_empty);
        if !(part_of.is_null() || part_of == "none" || part_of == false || empty) {
            opened.push(part.to_owned());
        }
    }
    if !document["spend"]["price_level"]["level"].is_null() {
        opened.push("prices".to_owned());
    }
    let model = text(&document["purchases"]["predicts_with"]);
    opened.extend(Some(model).filter(|model| model.contains("cnbd")));
    opened
}

/// Months of 181/6 days, because the truth has 181 days.
fn pipeline(world: &World, folder: &Path) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let model = match world.model {
        "" => String::new(),
        name => format!("[purchases]\nmodel = \"{name}\"\n"),
    };
    let stated = match std::env::var_os("WORLDS_STATE_NOTHING") {
        Some(_) => String::new(),
        None => world.stated.replace("INDEX", &path("index.csv")),
    };
    format!(
        "name = \"world\"\n[input]\npath = {:?}\nkind = \"transactions\"\n\
         date_format = \"%Y-%m-%d\"\n[input.columns]\ncustomer_id = \"customer\"\n\
         order_date = \"date\"\nvalue = \"value\"\n[transactions]\nobservation_end = \"{}\"\n\
         [uncertainty]\ndraws = 200\n[forecast]\nweeks_per_month = {}\n{model}{stated}",
        path("log.csv"),
        world.end(),
        181.0 / 42.0,
    )
}
