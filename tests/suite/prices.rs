//! Prices that change: worlds whose order values rise by a known factor, run as a user runs them.

use std::path::Path;

use chrono::{Datelike, Days, NaiveDate};
use serde_json::Value;

use crate::simulated::{RIGHT, Simulated, World, simulate};
use crate::support::*;
use crate::words::{findings_said, told};

/// Enough customers for every finding, few enough for a second a run.
const CUSTOMERS: usize = 3_000;

fn pipeline(world: &World, log: &Path, more: &str) -> String {
    format!(
        "name = \"prices\"\n[input]\npath = {log:?}\nkind = \"transactions\"\n\
         date_format = \"%Y-%m-%d\"\n[input.columns]\ncustomer_id = \"customer\"\n\
         order_date = \"date\"\nvalue = \"value\"\n[transactions]\nobservation_end = \"{}\"\n{more}",
        world.end()
    )
}

/// Runs a pipeline in a folder. Returns run.json.
fn run(folder: &Path, text: &str) -> Value {
    let (file, out) = (folder.join("prices.toml"), folder.join("out"));
    std::fs::write(&file, text).expect("written");
    let output = cltv([
        "run",
        &file.display().to_string(),
        "--output",
        &out.display().to_string(),
        "--quiet",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    json(&out.join("run.json"))
}

/// Six months of the company's forecast.
fn half_year<'a>(document: &'a Value, scope: &str) -> &'a Value {
    let rows = document["forecast"].as_array().expect("a list");
    let wanted =
        |row: &&Value| row["span"] == "horizon" && row["number"] == 6 && row["scope"] == scope;
    rows.iter().find(wanted).expect("six months")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// The names of the texts of all findings, which both languages have.
fn codes(document: &Value, list: &str) -> std::collections::BTreeSet<String> {
    findings_said(&told(document, list))
}

/// Revenue of the six months in the money of the end: each later order at the prices of that day.
fn real_truth(world: &World, later: &str) -> f64 {
    let one = |line: &str| -> f64 {
        let fields: Vec<&str> = line.split(',').collect();
        let date: NaiveDate = fields[1].parse().expect("a date");
        let days = (date - world.end()).num_days() as f64;
        let value: f64 = fields[2].parse().expect("a value");
        value * world.prices.powf(-days / 365.25)
    };
    later.lines().map(one).sum()
}

/// A price index by month, as a statistical office publishes it: the level of the middle of each month.
fn index(world: &World, months: i32) -> String {
    let mut lines = String::from("month,level\n");
    let end = world.end().year() * 12 + world.end().month0() as i32;
    for month in end - months + 1..=end {
        let level = 100.0 * world.prices.powf(f64::from(month - end) / 12.0);
        lines.push_str(&format!(
            "{}-{:02},{level:.4}\n",
            month.div_euclid(12),
            month.rem_euclid(12) + 1
        ));
    }
    lines
}

/// Prices +40 % a year: without correction a third too low, by the log, a given factor or an index right
/// to 8 %, in the money of the end against the truth in that money, and going on against what was paid.
#[test]
fn revenue_is_right_where_prices_rise() {
    let world = World { prices: 1.4, ..RIGHT };
    let place = folder();
    let log = place.path().join("log.csv");
    let Simulated { log: lines, later, truth } = simulate(&world, CUSTOMERS, 3);
    std::fs::write(&log, lines).expect("written");
    let cpi = place.path().join("cpi.csv");
    std::fs::write(&cpi, index(&world, 40)).expect("written");
    let real = real_truth(&world, &later);
    let revenue = |spend: &str| {
        let more = format!("[spend]\n{spend}\n[uncertainty]\ndraws = 200\n");
        let document = run(place.path(), &pipeline(&world, &log, &more));
        (number(&half_year(&document, "total")["revenue"]), document)
    };
    let (plain, document) = revenue("price_level = \"none\"");
    assert!(plain / truth[1] < 0.8, "{plain} {truth:?}");
    assert_eq!(document["spend"]["price_level"], Value::Null);
    for level in [
        "\"auto\"".to_owned(),
        "{ yearly = 1.4 }".to_owned(),
        format!("{:?}", cpi.display().to_string()),
    ] {
        let (constant, document) = revenue(&format!("price_level = {level}"));
        assert!((constant / real - 1.0).abs() < 0.08, "{level}: {constant} {real}");
        let block = &document["spend"]["price_level"];
        assert_eq!(block["money_of"], world.end().to_string());
        assert_eq!(block["future_prices"], "constant");
        let past = &block["past"];
        assert!(number(&past["corrected"]) < number(&past["plain"]) / 2.0, "{past}");
        let held = document["model_checks"].as_array().expect("a list").iter();
        let prices = held.filter(|check| check["name"] == "prices").collect::<Vec<_>>();
        assert_eq!(prices[0]["passed"], true, "{level}: {}", prices[0]);
        let said = codes(&document, "warnings");
        let expected = if level.contains("cpi") {
            "prices_corrected-index"
        } else {
            "prices_corrected-yearly"
        };
        assert!(said.contains(expected), "{said:?}");
        assert!(!said.iter().any(|code| code.starts_with("prices_changed")), "{said:?}");
        // Prices that are known add nothing to the ranges.
        assert_eq!(document["intervals"]["model_error"]["prices"], Value::Null);
        let going_on = format!("price_level = {level}\nfuture_prices = \"continue\"");
        let (nominal, document) = revenue(&going_on);
        assert!((nominal / truth[1] - 1.0).abs() < 0.08, "{level}: {nominal} {truth:?}");
        let half_year = half_year(&document, "total");
        let [low, high] = ["low", "high"].map(|end| number(&half_year["revenue_interval"][end]));
        assert!((low..=high).contains(&truth[1]), "{level}: {low} {high} {truth:?}");
        assert!(codes(&document, "warnings").contains("prices_go_on"));
        let report = std::fs::read_to_string(place.path().join("out/report.html")).expect("a page");
        assert!(report.contains("id=\"money\""), "{level}");
    }
}

/// The estimate is that of the world, within three of its standard errors.
#[test]
fn the_factor_is_estimated_with_its_error() {
    for prices in [1.15, 0.85] {
        let world = World { prices, ..RIGHT };
        let place = folder();
        let log = place.path().join("log.csv");
        std::fs::write(&log, simulate(&world, CUSTOMERS, 3).log).expect("written");
        let document = run(place.path(), &pipeline(&world, &log, ""));
        let block = &document["spend"]["price_level"];
        let found = &block["estimate"];
        let (yearly, error) = (number(&found["yearly"]), number(&found["standard_error"]));
        assert!((yearly / prices).ln().abs() < 3.0 * error && error < 0.02, "{found}");
        assert_eq!((&block["basis"], &block["refused"]), (&"estimated".into(), &Value::Null));
        let kept = json(&place.path().join("out/model.json"));
        assert_eq!(kept["spend"]["price_level"]["level"]["yearly"], found["yearly"]);
    }
}

/// Right worlds and short logs stay as they are, and say why; so does a log whose level is refused.
#[test]
fn a_level_that_is_not_needed_changes_nothing() {
    for (world, why) in [
        (RIGHT, "no_change"),
        (World { days: 700, prices: 1.4, ..RIGHT }, "needs_two_years"),
        (World { days: 250, ..RIGHT }, "needs_two_years"),
    ] {
        let place = folder();
        let log = place.path().join("log.csv");
        std::fs::write(&log, simulate(&world, CUSTOMERS, 3).log).expect("written");
        let left = run(place.path(), &pipeline(&world, &log, ""));
        let block = &left["spend"]["price_level"];
        assert_eq!((&block["refused"], &block["level"]), (&why.into(), &Value::Null));
        let model = std::fs::read(place.path().join("out/model.json")).expect("a model");
        let none = run(place.path(), &pipeline(&world, &log, "[spend]\nprice_level = \"none\"\n"));
        assert_eq!(half_year(&left, "total"), half_year(&none, "total"));
        assert!(!String::from_utf8_lossy(&model).contains("price_level"));
        let visible = codes(&left, "warnings").contains("prices_changed-rising");
        assert_eq!(visible, world.prices > 1.0);
    }
}

/// A factor that is not that of the orders is said, both ways.
#[test]
fn a_wrong_level_is_said() {
    for (yearly, code) in
        [(1.15, "prices_changed-level_too_low"), (1.7, "prices_changed-level_too_high")]
    {
        let world = World { prices: 1.4, ..RIGHT };
        let place = folder();
        let log = place.path().join("log.csv");
        std::fs::write(&log, simulate(&world, CUSTOMERS, 3).log).expect("written");
        let more = format!("[spend]\nprice_level = {{ yearly = {yearly} }}\n");
        let said = codes(&run(place.path(), &pipeline(&world, &log, &more)), "warnings");
        assert!(said.contains(code), "{said:?}");
    }
}

/// An index that begins too late or is no index is refused with file, line and value; one that ends
/// early says so.
#[test]
fn an_index_is_held_against_the_log() {
    let world = World { prices: 1.4, ..RIGHT };
    let place = folder();
    let log = place.path().join("log.csv");
    std::fs::write(&log, simulate(&world, 500, 3).log).expect("written");
    let cpi = place.path().join("cpi.csv");
    let more = format!("[spend]\nprice_level = {:?}\n", cpi.display().to_string());
    let file = place.path().join("prices.toml");
    std::fs::write(&file, pipeline(&world, &log, &more)).expect("written");
    let refused = |text: &str, more: &[&str], code: i32, said: &[&str]| {
        std::fs::write(&cpi, text).expect("written");
        let file = file.display().to_string();
        let output = cltv([&["run", &file, "--dry-run", "--quiet"], more].concat());
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        for part in said {
            assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        }
    };
    let good = index(&world, 40);
    refused(
        &good.replace("2022-05,", "2022-05,x"),
        &[],
        2,
        &["cpi.csv: line 22", "is not a number"],
    );
    let absurd = |line: &str| match line.split_once(',') {
        Some(("2022-05", _)) => "2022-05,1e-12\n".to_owned(),
        _ => format!("{line}\n"),
    };
    let absurd: String = good.lines().map(absurd).collect();
    refused(
        &absurd,
        &[],
        2,
        &["spend.price_level: a value of 2022-05-01 would count 1.0e14 times"],
    );
    refused(&index(&world, 20), &[], 2, &["cpi.csv", "the index begins on 2022-05-01"]);
    // Twelve months are needed for prices to go on from.
    let young = World { days: 250, ..world };
    std::fs::write(&log, simulate(&young, 500, 3).log).expect("written");
    let going_on = ["--set", "spend.future_prices=continue"];
    refused(&index(&world, 10), &going_on, 2, &["spend.future_prices", "last 12 months"]);
    std::fs::remove_file(&cpi).expect("removed");
    let output = cltv(["run", &file.display().to_string(), "--dry-run", "--quiet"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("cpi.csv: the file of factors cannot"), "{}", stderr(&output));
    // An index that ends a year before the log holds its last level.
    let early: String = good.lines().take(29).map(|line| format!("{line}\n")).collect();
    std::fs::write(&cpi, early).expect("written");
    let document = run(place.path(), &pipeline(&world, &log, &more));
    let said = codes(&document, "warnings");
    assert!(said.contains("price_index_ends"), "{said:?}");
}

/// A customer export takes given levels only. Spend is spread over the time of the orders.
#[test]
fn an_export_takes_a_given_level() {
    let sample = "pipelines/flo.toml";
    let run = |more: &[&str]| {
        let out = folder();
        let place = out.path().display().to_string();
        let set = more.iter().flat_map(|set| ["--set", set]);
        let flags = ["--input", "data/flo_sample.csv", "--quiet", "--output", &place];
        let arguments: Vec<&str> = ["run", sample].into_iter().chain(flags).chain(set).collect();
        let output = cltv(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        json(&out.path().join("run.json"))
    };
    let plain = run(&[]);
    assert_eq!(plain["spend"]["price_level"], Value::Null);
    let level = run(&["spend.price_level={ yearly = 1.2 }"]);
    assert!(codes(&level, "warnings").contains("prices_corrected-yearly_untested"));
    let mean = |document: &Value| number(&document["company"]["mean_monetary"]);
    // Orders of the sample are up to eight years old, and most of them younger than two.
    let ratio = mean(&level) / mean(&plain);
    assert!((1.05..1.6).contains(&ratio), "{ratio}");
    // What was spent stays as it was paid: totals, and the monetary score.
    assert_eq!(level["revenue"], plain["revenue"]);
    assert_eq!(level["rfm"].as_array().map(Vec::len), plain["rfm"].as_array().map(Vec::len));
    let spend = |document: &Value| document["rfm"][0]["mean_spend"].clone();
    assert_eq!(spend(&level), spend(&plain));
    let cpi = folder();
    let path = cpi.path().join("cpi.csv");
    let months = index(&World { prices: 1.2, end: (2021, 6, 1), ..RIGHT }, 120);
    std::fs::write(&path, months).expect("written");
    let by_index = run(&[&format!("spend.price_level={:?}", path.display().to_string())]);
    assert!(codes(&by_index, "warnings").contains("prices_corrected-index_untested"));
    // An index by month is in steps: within 2 % of the factor of the same world.
    assert!((mean(&by_index) / mean(&level) - 1.0).abs() < 0.02, "{}", mean(&by_index));
}

/// Revenue held against what came, by evaluate, compare and score, is in one money.
#[test]
fn forecasts_and_what_came_are_in_one_money() {
    let world = World { prices: 1.4, ..RIGHT };
    let Simulated { log, later, .. } = simulate(&world, CUSTOMERS, 3);
    let (before, after) = (folder(), folder());
    let path = before.path().join("log.csv");
    std::fs::write(&path, &log).expect("written");
    run(before.path(), &pipeline(&world, &path, ""));
    let whole = after.path().join("log.csv");
    std::fs::write(&whole, log + &later).expect("written");
    let end = world.end() + Days::new(181);
    let text = |more: &str| {
        pipeline(&world, &whole, more).replace(&world.end().to_string(), &end.to_string())
    };
    run(after.path(), &text(""));
    let compared = |later: &Path| {
        let out = later.join("compared").display().to_string();
        let folders = [before.path(), later].map(|at| at.join("out").display().to_string());
        let output = cltv(["compare", &folders[0], &folders[1], "--output", &out]);
        assert!(output.status.success(), "{}", stderr(&output));
        json(&Path::new(&out).join("comparison.json"))
    };
    let comparison = compared(after.path());
    let revenue = &comparison["forecast"]["revenue"];
    let ratio = number(&revenue["expected"]) / number(&revenue["actual"]);
    let real = real_truth(&world, &later);
    // The later level is another estimate: old orders are worth a little more or less by it.
    assert!((number(&revenue["actual"]) / real - 1.0).abs() < 0.05, "{revenue} {real}");
    assert!((ratio - 1.0).abs() < 0.1, "{revenue}");
    assert!(codes(&comparison, "warnings").contains("revenue_in_money_of"));
    // Scored with the earlier model, the level is the same, and the segments keep their real bounds.
    let model = before.path().join("out/model.json").display().to_string();
    let scored = after.path().join("scored");
    let out = scored.join("out").display().to_string();
    let input = whole.display().to_string();
    let day = end.to_string();
    let score = ["score", "--model", &model, &input, "--as-of", &day, "--output", &out, "--quiet"];
    let output = cltv(score);
    assert!(output.status.success(), "{}", stderr(&output));
    let document = json(&scored.join("out/run.json"));
    assert_eq!(document["spend"]["price_level"]["money_of"], end.to_string());
    let [then, now] = [before.path().join("out/run.json"), scored.join("out/run.json")]
        .map(|path| number(&json(&path)["segment_edges"][1]));
    let factor = number(&document["spend"]["price_level"]["level"]["yearly"]).powf(181.0 / 365.25);
    assert!((now / then / factor - 1.0).abs() < 1e-9, "{now} {then} {factor}");
    let drift = &document["model"]["drift"]["population_stability_index"];
    assert!(number(&drift["monetary_value"]) < 0.1, "{drift}");
    let revenue = &compared(&scored)["forecast"]["revenue"];
    assert!((number(&revenue["actual"]) / real - 1.0).abs() < 0.01, "{revenue} {real}");
    // Of two runs of which only one has a level, revenue is not compared.
    let other = after.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    run(&other, &text("[spend]\nprice_level = \"none\"\n"));
    let comparison = compared(&other);
    assert!(codes(&comparison, "warnings").contains("values_not_compared"));
    assert_eq!(comparison["forecast"]["revenue"], Value::Null);
    // Evaluated on a holdout, values are in the money of the cut.
    let file = after.path().join("evaluate.toml");
    let cut = format!("{}calibration_end = \"{}\"\n", text(""), world.end());
    std::fs::write(&file, cut).expect("written");
    let out = after.path().join("evaluated").display().to_string();
    let output = cltv(["evaluate", &file.display().to_string(), "--output", &out, "--quiet"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let fold = &json(&Path::new(&out).join("evaluation.json"))["folds"][0];
    assert_eq!(fold["price_level"]["money_of"], world.end().to_string());
    let chosen = fold["methods"].as_array().expect("a list");
    let chosen = chosen.iter().find(|method| method["name"] == fold["chosen"]).expect("the model");
    assert!(number(&chosen["value"]["bias"]).abs() < 0.1, "{chosen}");
    assert!((number(&chosen["value"]["actual"]) / real - 1.0).abs() < 0.02, "{chosen} {real}");
}
