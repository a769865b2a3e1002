//! A model that is wrong says so: logs from worlds of known truth, run as a user runs them. Each
//! world has its finding, in words of both languages; a right one has none.

use std::collections::BTreeSet;
use std::path::Path;

use cltv::results::findings::Finding;
use serde_json::Value;

use crate::simulated::{RIGHT, Simulated, World, simulate, worlds};
use crate::support::*;
use crate::words::{findings_said, told};

/// Enough customers for every finding, few enough for a second a run.
const CUSTOMERS: usize = 3_000;

/// A pipeline that leaves the calendar and the prices alone, so that the checks have something to find.
const EVEN: &str =
    "[calendar]\nseason = \"none\"\ntrend = \"none\"\n[spend]\nprice_level = \"none\"\n";

/// The world with this name in the study.
pub(crate) fn world(name: &str) -> World {
    let found = worlds().into_iter().find(|world| world.name == name);
    found.unwrap_or_else(|| panic!("no world {name}"))
}

pub(crate) fn pipeline(world: &World, log: &Path, more: &str) -> String {
    format!(
        "name = \"world\"\n[input]\npath = {log:?}\nkind = \"transactions\"\n\
         date_format = \"%Y-%m-%d\"\n[input.columns]\ncustomer_id = \"customer\"\n\
         order_date = \"date\"\nvalue = \"value\"\n[transactions]\nobservation_end = \"{}\"\n{more}",
        world.end()
    )
}

/// Writes the pipeline and runs a command on it. Returns run.json, once its findings have been said
/// in both languages.
pub(crate) fn run(folder: &Path, text: &str, command: &[&str]) -> Value {
    let (file, out) = (folder.join("world.toml"), folder.join("out"));
    std::fs::write(&file, text).expect("written");
    let mut all: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    all.extend([file, "--output".into(), out.clone()].map(|path| path.display().to_string()));
    all.push("--quiet".to_owned());
    let output = cltv(all);
    assert!(output.status.success(), "{}", stderr(&output));
    json(&out.join("run.json"))
}

pub(crate) fn codes(document: &Value) -> BTreeSet<String> {
    let findings: Vec<Finding> = told(document, "warnings");
    findings_said(&findings)
}

/// Whether a check held; `None` where it was not made.
fn held(document: &Value, name: &str) -> Option<bool> {
    let checks = document["model_checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["name"] == name);
    check.unwrap_or_else(|| panic!("no check {name}"))["passed"].as_bool()
}

/// Runs a world. Returns run.json.
fn of_world(world: &World, more: &str) -> Value {
    let place = folder();
    let log = place.path().join("log.csv");
    std::fs::write(&log, simulate(world, CUSTOMERS, 3).log).expect("written");
    run(place.path(), &pipeline(world, &log, more), &["run"])
}

#[test]
fn a_right_model_is_left_alone_and_the_report_says_what_held() {
    let place = folder();
    let log = place.path().join("log.csv");
    std::fs::write(&log, simulate(&RIGHT, CUSTOMERS, 3).log).expect("written");
    let document =
        run(place.path(), &pipeline(&RIGHT, &log, "[uncertainty]\ndraws = 100\n"), &["run"]);
    let checks = document["model_checks"].as_array().expect("a list");
    assert_eq!(checks.len(), 12, "{checks:?}");
    for check in checks {
        assert_eq!(check["passed"].as_bool(), Some(true), "{check}");
    }
    let warnings = document["warnings"].as_array().expect("a list");
    assert!(warnings.iter().all(|finding| finding["severity"] == "note"), "{warnings:?}");
    // Forecasts of the past were right too: nothing is added to the ranges.
    let error = &document["intervals"]["model_error"];
    assert_eq!((&error["basis"], error["orders"].as_f64()), (&"held".into(), Some(0.0)));
    assert_eq!(error["past_forecasts"], 5);
    let report = std::fs::read_to_string(place.path().join("out/report.html")).expect("a page");
    assert!(report.contains("Season: no months that are high or low every year."));
    assert!(!report.contains("Not checked:"));
}

#[test]
fn what_the_calendar_does_is_told_apart() {
    for (name, code, check) in [
        ("Nov–Dec ×2.5, ends 31 Dec", "season-ahead_low", "season"),
        ("Nov–Dec ×2.5, ends 31 Aug", "season-ahead_high", "season"),
        ("orders −25 % a year", "orders_trend-falling", "trend"),
        ("orders +25 % a year", "orders_trend-rising", "trend"),
        ("cohorts −25 % a year", "cohorts_differ-worse", "trend"),
        ("halved in the last 120 days", "orders_changed-drop", "recent_orders"),
        ("promotion in the last month", "orders_changed-burst", "recent_orders"),
        ("prices +15 % a year", "prices_changed-rising", "prices"),
    ] {
        let document = of_world(&world(name), EVEN);
        let codes = codes(&document);
        assert!(codes.contains(code), "{name}: {codes:?}");
        assert_eq!(held(&document, check), Some(false), "{name}");
    }
}

#[test]
fn regular_buyers_are_found_and_those_that_no_model_knows_are_told() {
    let check = "time_between_orders";
    for (name, k) in [("regular buyers, Erlang-2", 2), ("regular buyers, Erlang-4", 4)] {
        let document = of_world(&world(name), "");
        assert_eq!(document["purchases"]["k"], k, "{name}");
        let model = document["purchases"]["model"].as_str().expect("a name");
        assert!(model.ends_with(&format!("bg_cnbd_{k}")), "{name}: {model}");
        assert_eq!(held(&document, check), Some(true), "{name}");
        assert!(codes(&document).iter().all(|code| !code.starts_with(check)), "{name}");
    }
    // A named model does not try it, nor does a log whose orders of a day are not merged.
    let regular = world("regular buyers, Erlang-2");
    for (more, code) in [
        ("[purchases]\nmodel = \"bg_nbd\"\n", "time_between_orders-regular"),
        ("merge_same_day = false\n", "time_between_orders-regular_unmerged"),
    ] {
        let document = of_world(&regular, more);
        assert!(codes(&document).contains(code), "{code}: {:?}", codes(&document));
        assert_eq!(document["purchases"].get("k"), None);
    }
    // Customers of whom a quarter is regular.
    let place = folder();
    let log = place.path().join("log.csv");
    let regular = World { stages: 8, ..RIGHT };
    let mut lines = simulate(&regular, CUSTOMERS / 3, 3).log.replace("\nc", "\nr");
    let others = simulate(&RIGHT, CUSTOMERS, 4).log;
    lines.extend(others.split_inclusive('\n').skip(1));
    std::fs::write(&log, lines).expect("written");
    let document = run(place.path(), &pipeline(&RIGHT, &log, ""), &["run"]);
    let codes = codes(&document);
    assert!(codes.contains("time_between_orders-regular_some"), "{codes:?}");
}

#[test]
fn the_other_way_round_is_told_too() {
    for (world, code) in [
        (
            World { cohort: |back| 1.4f64.powf(f64::from(1096 - back) / 365.25), ..RIGHT },
            "cohorts_differ-better",
        ),
        (
            World { pace: |_, back| if back < 112 { 1.8 } else { 1.0 }, ..RIGHT },
            "orders_changed-rise",
        ),
        // Two peaks a year: every half-year is as strong as the next.
        (
            World {
                pace: |_, back| {
                    1.0 + 0.6 * (2.0 * std::f64::consts::TAU * f64::from(back) / 365.25).cos()
                },
                ..RIGHT
            },
            "season-ahead_even",
        ),
        (World { prices: 0.8, ..RIGHT }, "prices_changed-falling"),
        (World { echo: 0.3, ..RIGHT }, "time_between_orders-bursts"),
        // Every third block of four weeks is closed half of the time.
        (
            World { pace: |_, back| if (back / 28) % 3 == 1 { 0.4 } else { 1.2 }, ..RIGHT },
            "orders_scatter",
        ),
    ] {
        let codes = codes(&of_world(&world, EVEN));
        assert!(codes.contains(code), "{code}: {codes:?}");
    }
}

/// The fit charts of a season that ends at its peak, and of customers who buy in bursts.
#[test]
fn charts_that_do_not_fit_are_told() {
    let document = of_world(&world("Nov–Dec ×2.5, ends 31 Dec"), EVEN);
    assert!(codes(&document).contains("fit_time_since_last_order-all"));
    let document = of_world(&World { echo: 0.5, ..RIGHT }, "[purchases]\nmodel = \"bg_nbd\"\n");
    assert!(codes(&document).contains("fit_frequency-all"), "{:?}", codes(&document));
}

/// The intervals of a world hold what came, also where its forecast is far off. Of prices that rise,
/// those of revenue; else, those of orders.
#[test]
fn ranges_allow_for_a_model_that_was_wrong_before() {
    for (name, of) in [
        ("Nov–Dec ×2.5, ends 31 Dec", "orders_interval"),
        ("orders −25 % a year", "orders_interval"),
        ("prices +40 % a year", "revenue_interval"),
    ] {
        let world = world(name);
        let place = folder();
        let log = place.path().join("log.csv");
        let Simulated { log: lines, truth, .. } = simulate(&world, CUSTOMERS, 3);
        std::fs::write(&log, lines).expect("written");
        let text = pipeline(&world, &log, &format!("[uncertainty]\ndraws = 200\n{EVEN}"));
        let document = run(place.path(), &text, &["run"]);
        let rows = document["forecast"].as_array().expect("a list");
        let half_year = rows.iter().find(|row| row["span"] == "horizon" && row["number"] == 6);
        let half_year = half_year.expect("six months");
        let came = truth[usize::from(of == "revenue_interval")];
        let expected = half_year[of.trim_end_matches("_interval")].as_f64().expect("a number");
        assert!((expected / came - 1.0).abs() > 0.1, "{name}: {expected} {came}");
        let [low, high] = ["low", "high"].map(|end| half_year[of][end].as_f64().expect("an end"));
        assert!((low..=high).contains(&came), "{name} {of}: {low} {came} {high}");
    }
}

#[test]
fn a_short_log_says_that_its_ranges_are_wide() {
    let world = world("right: one year");
    let document = of_world(&world, "[uncertainty]\ndraws = 100\n");
    assert_eq!(document["intervals"]["model_error"]["basis"], "short");
    assert_eq!(held(&document, "season"), None);
    let document = of_world(&World { days: 300, ..RIGHT }, "");
    let checks = document["model_checks"].as_array().expect("a list");
    let prices = checks.iter().find(|check| check["name"] == "prices").expect("prices");
    assert_eq!(prices["not_made"], "needs_year");
}

#[test]
fn one_customer_who_carries_the_value_is_named() {
    let place = folder();
    let log = place.path().join("log.csv");
    let mut lines = simulate(&RIGHT, 500, 3).log;
    for week in 0..52 {
        let day = RIGHT.end() - chrono::Days::new(7 * week);
        lines.push_str(&format!("reseller,{day},20000\n"));
    }
    std::fs::write(&log, lines).expect("written");
    let document = run(place.path(), &pipeline(&RIGHT, &log, ""), &["run"]);
    assert!(codes(&document).contains("one_large_customer"));
    assert_eq!(held(&document, "largest_customer"), Some(false));
}

/// A run before orders halve, and the run after: `compare` and `score` say that the forecast missed.
#[test]
fn a_forecast_that_missed_is_said_by_compare_and_score() {
    for (pace, missed, drifted) in [
        (
            (|_, back| if back < 0 { 0.4 } else { 1.0 }) as fn(chrono::NaiveDate, i32) -> f64,
            "forecast_missed-too_high",
            "orders_drifted-fewer",
        ),
        (
            |_, back| if back < 0 { 2.0 } else { 1.0 },
            "forecast_missed-too_low",
            "orders_drifted-more",
        ),
    ] {
        let world = World { pace, ..RIGHT };
        let Simulated { log, later, .. } = simulate(&world, CUSTOMERS, 3);
        let (before, after) = (folder(), folder());
        let path = before.path().join("log.csv");
        std::fs::write(&path, &log).expect("written");
        run(before.path(), &pipeline(&world, &path, ""), &["run"]);
        let whole = after.path().join("log.csv");
        std::fs::write(&whole, log + &later).expect("written");
        let text = pipeline(&world, &whole, "")
            .replace(&world.end().to_string(), &(world.end() + chrono::Days::new(181)).to_string());
        run(after.path(), &text, &["run"]);
        let folders = [&before, &after].map(|place| place.path().join("out").display().to_string());
        let out = after.path().join("compared");
        let output =
            cltv(["compare", &folders[0], &folders[1], "--output", &out.display().to_string()]);
        assert!(output.status.success(), "{}", stderr(&output));
        let comparison = json(&out.join("comparison.json"));
        let said = findings_said(&told(&comparison, "warnings"));
        assert!(said.contains(missed), "{said:?}");
        let model = before.path().join("out/model.json").display().to_string();
        let scored = after.path().join("scored").display().to_string();
        let log = whole.display().to_string();
        let end = (world.end() + chrono::Days::new(181)).to_string();
        let score = ["score", "--model", &model, &log, "--as-of", &end, "--output", &scored];
        let output = cltv(score);
        assert!(output.status.success(), "{}", stderr(&output));
        let document = json(&Path::new(&scored).join("run.json"));
        let codes = codes(&document);
        assert!(codes.contains(drifted), "{codes:?}");
        // T has shifted, as it does whenever time passes: that alone is no drift.
        assert!(!codes.contains("drifted"), "{codes:?}");
        assert_eq!(document["model"]["drift"]["orders"]["missed"], true);
    }
}

#[test]
fn evaluate_refuses_a_bias_beyond_its_interval_when_strict() {
    let world = world("halved in the last 120 days");
    let place = folder();
    let log = place.path().join("log.csv");
    std::fs::write(&log, simulate(&world, CUSTOMERS, 3).log).expect("written");
    let cut = world.end() - chrono::Days::new(120);
    let text = pipeline(&world, &log, &format!("calibration_end = \"{cut}\"\n"));
    let file = place.path().join("world.toml");
    std::fs::write(&file, text).expect("written");
    let out = place.path().join("evaluated");
    let arguments =
        ["evaluate", &file.display().to_string(), "--output", &out.display().to_string()]
            .map(str::to_owned);
    let output = cltv(arguments.iter().cloned().chain(["--strict".to_owned()]));
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("(forecast_missed)"), "{}", stderr(&output));
    let document = json(&out.join("evaluation.json"));
    let fold = &document["folds"][0];
    let [low, high] = [0, 1].map(|end| fold["orders_interval"][end].as_f64().expect("an end"));
    let actual = fold["methods"][0]["orders"]["actual"].as_f64().expect("a total");
    assert!(actual < low && low < high, "{low} {high} {actual}");
}
