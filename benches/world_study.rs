//! Whether a run says so when its model is wrong, and stays quiet when it is right: order logs from
//! worlds of known truth, run as a user runs them. `scripts/worlds.sh` writes the output of this
//! program into docs/world-study.md.
//!
//! Arguments: customers, repetitions and (optionally) a part of the worlds' names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cltv::pipeline::analyse;
use cltv::results::findings::{Finding, Severity};
use cltv::results::forecast::{ForecastRow, Interval, Span};
use cltv::results::model_check::ModelCheck;
use cltv::results::run_document::RunDocument;
use cltv::settings::{Overrides, parse};
use rayon::prelude::*;
use simulated::{Simulated, World, simulate, worlds};

#[path = "../tests/suite/simulated.rs"]
mod simulated;

/// One run, against the truth.
struct Outcome {
    /// Forecast over truth of six-month orders and revenue.
    orders: f64,
    revenue: f64,
    covered: [Option<bool>; 2],
    width: Option<f64>,
    warnings: Vec<String>,
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
        "| world | orders | covered | width | revenue | covered | runs with a warning | warnings |\n\
         |---|---|---|---|---|---|---|---|"
    )
    .expect("text");
    for world in worlds().iter().filter(|world| world.name.contains(&part)) {
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
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for code in outcomes.iter().flat_map(|o| &o.warnings) {
        *codes.entry(code).or_default() += 1;
    }
    let widths: Vec<f64> = done.iter().filter_map(|o| o.width).collect();
    let width = widths.iter().sum::<f64>() / widths.len().max(1) as f64;
    let said: Vec<String> = codes.iter().map(|(code, n)| format!("{code} {n}")).collect();
    let warned = outcomes.iter().filter(|o| !o.warnings.is_empty()).count();
    let failed: Vec<&String> = outcomes.iter().filter_map(|o| o.failed.as_ref()).collect();
    let failed = failed.first().map_or(String::new(), |why| format!("; failed: {why}"));
    format!(
        "| {} | {} | {} | ±{:.0} % | {} | {} | {warned} of {} | {}{failed} |",
        world.name,
        error(|o| o.orders),
        covered(0),
        100.0 * width,
        error(|o| o.revenue),
        covered(1),
        outcomes.len(),
        said.join(", ")
    )
}

/// What a run found.
struct Found {
    forecast: Vec<ForecastRow>,
    findings: Vec<Finding>,
    checks: Vec<ModelCheck>,
}

/// Runs a pipeline: by the library, or by the program that the environment variable `CLTV_PROGRAM`
/// names, such as an earlier version.
fn found(text: &str, folder: &Path) -> Result<Found, String> {
    let Some(program) = std::env::var_os("CLTV_PROGRAM") else {
        let settings = parse(text, &Overrides::default()).expect("a pipeline");
        let run = analyse(&settings).map_err(|error| error.to_string())?;
        return Ok(Found { forecast: run.forecast, findings: run.findings, checks: run.checks });
    };
    let (file, out) = (folder.join("world.toml"), folder.join("out"));
    std::fs::write(&file, text).expect("written");
    let mut command = Command::new(program);
    command.arg("run").arg(&file).arg("--output").arg(&out).arg("--quiet");
    let ran = command.output().expect("the program starts");
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned());
    }
    let document = RunDocument::parse(&std::fs::read(out.join("run.json")).expect("run.json"))?;
    let (forecast, checks) = (document.forecast, document.model_checks);
    Ok(Found { forecast, findings: document.warnings, checks })
}

fn outcome(world: &World, customers: usize, seed: u64) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log.csv");
    let Simulated { log: text, truth, .. } = simulate(world, customers, seed);
    std::fs::write(&log, text).expect("written");
    let run = match found(&pipeline(world, &log), folder.path()) {
        Ok(found) => found,
        Err(error) => {
            return Outcome {
                orders: 0.0,
                revenue: 0.0,
                covered: [None; 2],
                width: None,
                warnings: Vec::new(),
                failed: Some(error),
                statistics: BTreeMap::new(),
            };
        }
    };
    let total = run
        .forecast
        .iter()
        .find(|row| row.period.span == Span::Horizon && row.period.number == 6)
        .expect("six months");
    let within = |interval: &Option<Interval>, value: f64| {
        interval.as_ref().map(|i| (i.low..=i.high).contains(&value))
    };
    let warnings: Vec<String> = run
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(|finding| match finding.variant() {
            Some(variant) => format!("{}/{variant}", finding.code),
            None => finding.code.to_string(),
        })
        .collect();
    let statistics = run
        .checks
        .iter()
        .filter_map(|check| {
            Some((format!("{} (limit {:.2})", check.name, check.limit?), check.statistic?))
        })
        .map(|(name, value)| (name.split(" (").next().unwrap_or_default().to_owned(), value))
        .collect();
    Outcome {
        orders: total.orders / truth[0],
        revenue: total.revenue.expect("money") / truth[1],
        covered: [
            within(&total.orders_interval, truth[0]),
            within(&total.revenue_interval, truth[1]),
        ],
        width: total.orders_interval.as_ref().map(|i| (i.high - i.low) / 2.0 / total.orders),
        warnings,
        failed: None,
        statistics,
    }
}

fn pipeline(world: &World, log: &Path) -> String {
    let end = world.end();
    let model = match world.model {
        "" => String::new(),
        name => format!("\n[purchases]\nmodel = \"{name}\"\n"),
    };
    let log: PathBuf = log.to_owned();
    format!(
        "name = \"world\"\n[input]\npath = {log:?}\nkind = \"transactions\"\n\
         date_format = \"%Y-%m-%d\"\n[input.columns]\ncustomer_id = \"customer\"\n\
         order_date = \"date\"\nvalue = \"value\"\n[transactions]\nobservation_end = \"{end}\"\n\
         [uncertainty]\ndraws = 200\n{model}"
    )
}
