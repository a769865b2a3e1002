//! Inputs to which a model cannot be fitted: the run ends with the nearest model that stands and a
//! warning with its code; `--strict` refuses it. And models that another one of the family beats.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use chrono::{Days, NaiveDate};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, Gamma};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::*;
use crate::words::{findings_said, told};

/// Days from the first to the last day of the logs.
const DAYS: u64 = 700;

/// The orders of each customer: days since the beginning, and the value of each.
type Orders = Vec<Vec<(u64, f64)>>;

/// The random numbers of a world, always the same.
fn random() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(11)
}

fn gamma(shape: f64, rate: f64, rng: &mut impl Rng) -> f64 {
    Gamma::new(shape, 1.0 / rate).expect("a distribution").sample(rng)
}

/// Customers who order at a rate of their own and leave after an order with a probability; one order
/// a day at most.
fn world(
    customers: usize,
    rng: &mut ChaCha8Rng,
    rate: impl Fn(&mut ChaCha8Rng) -> f64,
    leave: impl Fn(&mut ChaCha8Rng) -> f64,
    value: impl Fn(&mut ChaCha8Rng) -> f64,
) -> Orders {
    let one = |rng: &mut ChaCha8Rng| {
        let mut day = rng.random_range(0..DAYS - 30) as f64;
        let (rate, leave) = (rate(rng), leave(rng));
        let mut orders: Vec<(u64, f64)> = Vec::new();
        while day <= DAYS as f64 {
            if orders.last().is_none_or(|last| last.0 < day as u64) {
                orders.push((day as u64, value(rng)));
            }
            if rng.random_bool(leave) {
                break;
            }
            let wait: f64 = Exp1.sample(rng);
            day += wait / rate;
        }
        orders
    };
    (0..customers).map(|_| one(rng)).collect()
}

/// Different customers, of whom 15 % leave after each order.
fn usual(customers: usize, value: impl Fn(&mut ChaCha8Rng) -> f64) -> Orders {
    world(customers, &mut random(), |rng| gamma(0.8, 40.0, rng), |_| 0.15, value)
}

fn usual_value(rng: &mut ChaCha8Rng) -> f64 {
    20.0 + gamma(6.0, 0.2, rng)
}

/// A Pareto value of infinite mean: its tail exponent is 0.6.
fn heavy_value(rng: &mut ChaCha8Rng) -> f64 {
    10.0 * (1.0 - rng.random::<f64>()).powf(-1.0 / 0.6)
}

/// Order values of Gamma-Gamma with this q: each customer has one level.
fn gamma_gamma(customers: usize, q: f64) -> Orders {
    let mut orders = usual(customers, |_| 1.0);
    let mut rng = random();
    for customer in &mut orders {
        let level = gamma(q, 15.0, &mut rng);
        customer.iter_mut().for_each(|order| order.1 = gamma(6.0, level, &mut rng).max(0.01));
    }
    orders
}

fn date(day: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2023, 1, 1).expect("a date") + Days::new(day)
}

fn log(orders: &Orders) -> String {
    let mut text = "customer,day,value\n".to_owned();
    for (i, customer) in orders.iter().enumerate() {
        for (day, value) in customer {
            let _ = writeln!(text, "C{i:05},{},{value:.2}", date(*day));
        }
    }
    text
}

fn export(orders: &Orders) -> String {
    let mut text = "customer,first,last,orders,value\n".to_owned();
    for (i, customer) in orders.iter().enumerate() {
        let (first, last) = (customer[0].0, customer[customer.len() - 1].0);
        let total: f64 = customer.iter().map(|order| (order.1 * 100.0).round() / 100.0).sum();
        let n = customer.len();
        let _ = writeln!(text, "C{i:05},{},{},{n},{total:.2}", date(first), date(last));
    }
    text
}

const LOG: &str = "kind = \"transactions\"\n[input.columns]\ncustomer_id = \"customer\"\n\
    order_date = \"day\"\nvalue = \"value\"\n[uncertainty]\nlevel = 0.9\ndraws = 100\n";
const EXPORT: &str = "kind = \"customers\"\n[input.columns]\ncustomer_id = \"customer\"\n\
    first_order_date = \"first\"\nlast_order_date = \"last\"\norders = [\"orders\"]\n\
    value = [\"value\"]\n[outliers]\ncolumns = []\n[uncertainty]\nlevel = 0.9\ndraws = 100\n";

/// A run of the program on these rows; `strict`: with `--strict`.
fn run(place: &TempDir, kind: &str, rows: &str, more: &str, strict: bool) -> (i32, String) {
    let path = |name: &str| place.path().join(name);
    std::fs::write(path("rows.csv"), rows).expect("written");
    let input = format!("[input]\npath = \"{}\"\n{kind}{more}", path("rows.csv").display());
    std::fs::write(path("p.toml"), input).expect("written");
    let out = path(if strict { "strict" } else { "out" });
    let (pipeline, out) = (path("p.toml").display().to_string(), out.display().to_string());
    let mut arguments = vec!["run", &pipeline, "--quiet", "--output", &out];
    arguments.extend(strict.then_some("--strict"));
    let output = cltv(arguments);
    (output.status.code().expect("an exit code"), stderr(&output))
}

/// The names of the texts of all findings, with their variants.
fn codes(out: &Path) -> BTreeSet<String> {
    findings_said(&told(&json(&out.join("run.json")), "warnings"))
}

/// No file has a number that is none.
fn sound(out: &Path) {
    for entry in std::fs::read_dir(out).expect("a folder") {
        let path = entry.expect("an entry").path();
        let kind = path.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        match kind.as_str() {
            "csv" | "json" => {
                let text = std::fs::read_to_string(&path).expect("a text");
                let words = text.split(|c: char| !c.is_alphanumeric());
                let none = ["nan", "inf", "infinity"];
                let bad = words.map(str::to_lowercase).find(|w| none.contains(&w.as_str()));
                assert_eq!(bad, None, "{}", path.display());
            }
            "parquet" => {
                for column in parquet(&path).columns() {
                    if let Ok(values) = column.f64() {
                        assert!(values.iter().flatten().all(f64::is_finite), "{}", column.name());
                    }
                }
            }
            _ => {}
        }
    }
    assert!(out.join("report.html").is_file());
}

/// The run ends well, with these findings and with intervals or the reason why there are none; with
/// `--strict` it ends with 4 and writes nothing. Returns the folder of the run.
#[track_caller]
fn ends_well(kind: &str, rows: &str, more: &str, expected: &[&str]) -> TempDir {
    let place = folder();
    let (code, text) = run(&place, kind, rows, more, false);
    assert_eq!(code, 0, "{text}");
    let out = place.path().join("out");
    sound(&out);
    let found = codes(&out);
    for code in expected {
        assert!(found.contains(*code), "{code} is not in {found:?}");
    }
    let intervals = !json(&out.join("run.json"))["intervals"].is_null();
    assert_ne!(intervals, found.contains("intervals_missing"), "{found:?}");
    let (code, text) = run(&place, kind, rows, more, true);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("--strict") && !place.path().join("strict/run.json").exists(), "{text}");
    place
}

/// The same for a log and an export of the same orders, whichever model is asked for.
#[track_caller]
fn both_end_well(orders: &Orders, of_log: &[&str], of_export: &[&str]) {
    for model in ["", "[purchases]\nmodel = \"bg_nbd\"\n", "[purchases]\nmodel = \"nbd\"\n"] {
        ends_well(LOG, &log(orders), model, of_log);
        ends_well(EXPORT, &export(orders), model, of_export);
    }
}

fn purchases(place: &TempDir) -> Value {
    json(&place.path().join("out/run.json"))["purchases"].clone()
}

#[test]
fn constant_prices() {
    for price in [25.0, 1.0] {
        let orders = usual(400, |_| price);
        both_end_well(&orders, &["spend_replaced-constant"], &["spend_replaced-constant"]);
        let place = ends_well(LOG, &log(&orders), "", &["spend_replaced-constant"]);
        let values =
            numbers(&parquet(&place.path().join("out/customers.parquet")), "exp_average_value");
        for value in values {
            close("value", value, price, 1e-6);
        }
    }
}

#[test]
fn everybody_ordered_once() {
    let orders = world(300, &mut random(), |_| 0.01, |_| 1.0, usual_value);
    let nobody = "model_replaced-nobody_repeated";
    both_end_well(&orders, &[nobody, "spend_replaced-nobody_repeated"], &[nobody]);
    // Half an order in all the time that customers were watched, in weeks; the mean of all values.
    let place = ends_well(LOG, &log(&orders), "", &[nobody]);
    let weeks: f64 = orders.iter().map(|one| (last_day(&orders) - one[0].0) as f64 / 7.0).sum();
    let run = json(&place.path().join("out/run.json"));
    close("rate", number(&run, "/purchases/one_rate"), 0.5 / weeks, 1e-9);
    let all: Vec<f64> = orders.iter().map(|one| (one[0].1 * 100.0).round() / 100.0).collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let customers = parquet(&place.path().join("out/customers.parquet"));
    close("value", numbers(&customers, "exp_average_value")[0], mean, 1e-9);
}

fn last_day(orders: &Orders) -> u64 {
    orders.iter().flatten().map(|order| order.0).max().expect("an order")
}

#[test]
fn a_year_of_monthly_subscriptions() {
    let mut rng = random();
    let one = |_| {
        let first = rng.random_range(0..365u64);
        (first..=365).step_by(30).map(|day| (day, 9.99)).collect()
    };
    let orders: Orders = (0..300).map(one).collect();
    for model in ["", "[purchases]\nmodel = \"bg_nbd\"\n", "[purchases]\nmodel = \"pareto_nbd\"\n"]
    {
        for (kind, rows) in [(LOG, log(&orders)), (EXPORT, export(&orders))] {
            let place = ends_well(kind, &rows, model, &["spend_replaced-constant"]);
            let found = codes(&place.path().join("out"));
            assert!(found.iter().any(|code| code.starts_with("model_replaced")), "{found:?}");
            // One rate for all: repeat orders over all the time that customers were watched.
            let end = if kind == LOG { last_day(&orders) } else { last_day(&orders) + 2 };
            let weeks: f64 = orders.iter().map(|one| (end - one[0].0) as f64 / 7.0).sum();
            let repeat: f64 = orders.iter().map(|one| one.len() as f64 - 1.0).sum();
            let rate = number(&purchases(&place), "/one_rate");
            close("rate", rate, repeat / weeks, 1e-9);
        }
    }
}

#[test]
fn everybody_orders_at_one_rate() {
    let orders = world(400, &mut random(), |_| 0.02, |_| 0.0, usual_value);
    for model in ["", "[purchases]\nmodel = \"bg_nbd\"\n", "[purchases]\nmodel = \"nbd\"\n"] {
        for (kind, rows) in [(LOG, log(&orders)), (EXPORT, export(&orders))] {
            let place = folder();
            let (code, text) = run(&place, kind, &rows, model, false);
            assert_eq!(code, 0, "{text}");
            let out = place.path().join("out");
            sound(&out);
            // By chance the counts vary a little more than at one rate, or a little less: then the
            // NBD stands with a large r, or its limit does. Nobody leaves in either.
            let purchases = purchases(&place);
            assert_eq!(purchases["predicts_with"], "nbd");
            let rate =
                number(&purchases, "/parameters/r") / number(&purchases, "/parameters/alpha");
            // 400 customers over a year: 2,900 orders, so that 6 % is three standard errors. One
            // order a day at most takes 1 % off.
            close("rate", rate, 0.02 * 7.0, 0.06);
            let run = json(&out.join("run.json"));
            close("alive", number(&run, "/company/mean_p_alive"), 1.0, 1e-12);
            assert!(number(&run, "/intervals/company/alive/low") > 0.999);
        }
    }
}

#[test]
fn five_customers() {
    let orders = world(5, &mut random(), |_| 0.02, |_| 0.0, usual_value);
    let expected = ["model_replaced-few_histories", "too_little_data", "spend_replaced-few_values"];
    for model in ["", "[purchases]\nmodel = \"bg_nbd\"\n"] {
        ends_well(LOG, &log(&orders), model, &expected);
        ends_well(EXPORT, &export(&orders), model, &expected);
    }
    // One customer, and nobody who was watched for any time.
    ends_well(LOG, &log(&vec![vec![(0, 20.0), (60, 30.0)]]), "", &expected[..1]);
    let place = folder();
    let (code, text) = run(&place, LOG, &log(&vec![vec![(0, 20.0)]]), "", false);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("nothing can be said about orders"), "{text}");
}

#[test]
fn heavy_tails() {
    let orders = usual(400, heavy_value);
    for model in ["", "[purchases]\nmodel = \"mbg_nbd\"\n"] {
        ends_well(LOG, &log(&orders), model, &["spend_without_population_mean-heavy_tail"]);
        ends_well(EXPORT, &export(&orders), model, &["spend_without_population_mean-heavy_tail"]);
    }
    // With q near 1 the mean of the model is far above what was paid; one customer who pays as much
    // as all others together is far above the mean of the model.
    let near_one = log(&gamma_gamma(600, 1.1));
    ends_well(LOG, &near_one, "", &["spend_mean_far_from_observed-above"]);
    let mut orders = gamma_gamma(600, 6.0);
    let rich = orders.iter_mut().find(|one| one.len() > 3).expect("a customer");
    rich.iter_mut().for_each(|order| order.1 *= 3_000.0);
    ends_well(LOG, &log(&orders), "", &["spend_mean_far_from_observed-below"]);
}

/// Nine of ten orders are free, and the log counts them.
#[test]
fn most_orders_are_free() {
    let value = |rng: &mut ChaCha8Rng| if rng.random_bool(0.1) { usual_value(rng) } else { 0.0 };
    let more = "[transactions]\nkeep_zero_value = true\n";
    ends_well(LOG, &log(&usual(400, value)), more, &["spend_replaced-not_converged"]);
}

/// Where many leave after the first order, which BG/NBD does not know, MBG/NBD fits far better and
/// counts far fewer who are still there. The run says it where the pipeline names BG/NBD, on a sample
/// where customers are many; without a name, MBG/NBD is chosen.
#[test]
fn another_model_of_the_family_is_better() {
    let leaving = |customers| {
        // Beta(1, 1.5), as a ratio of gamma variables.
        let leave = |rng: &mut ChaCha8Rng| {
            let (leaves, stays) = (gamma(1.0, 1.0, rng), gamma(1.5, 1.0, rng));
            leaves / (leaves + stays)
        };
        world(customers, &mut random(), |rng| gamma(1.5, 60.0, rng), leave, usual_value)
    };
    let named = "[summary]\ntime_unit = \"day\"\n[purchases]\nmodel = \"bg_nbd\"\n";
    let plain = LOG.split("[uncertainty]").next().expect("the beginning");
    for (customers, expected) in
        [(1_500, "better_model-on_all"), (40_000, "better_model-on_sample")]
    {
        let rows = log(&leaving(customers));
        let place = folder();
        let (code, text) = run(&place, plain, &rows, named, false);
        assert_eq!(code, 0, "{text}");
        let out = place.path().join("out");
        assert!(codes(&out).contains(expected), "{:?}", codes(&out));
        let run_json = json(&out.join("run.json"));
        let warnings = run_json["warnings"].as_array().expect("a list");
        let better = warnings.iter().find(|w| w["code"] == "better_model").expect("a warning");
        let facts = &better["facts"];
        assert_eq!((&facts["other"], &facts["key"]), (&"MBG/NBD".into(), &"mbg_nbd".into()));
        assert!(number(facts, "/delta_aic") > 10.0);
        assert!(number(facts, "/share_alive") > number(facts, "/other_share_alive") + 0.1);
        let table = run_json["purchases"]["comparison"].as_array().expect("a table");
        assert_eq!(table.len(), 4);
        assert_eq!(table[0]["model"], "mbg_nbd");
        assert_eq!(table[0]["sample"].is_null(), customers < 10_000);
        let own = table.iter().find(|c| c["model"] == "bg_nbd").expect("BG/NBD");
        assert_eq!(own["outcome"], "named");
        // The difference is that of the table.
        let difference = number(own, "/aic") - number(&table[0], "/aic");
        close("ΔAIC", number(facts, "/delta_aic"), difference, 1e-9);
        let auto = named.split("[purchases]").next().expect("the beginning");
        let (code, text) = run(&place, plain, &rows, auto, false);
        assert_eq!(code, 0, "{text}");
        let chosen = purchases(&place);
        assert_eq!((&chosen["requested"], &chosen["model"]), (&"auto".into(), &"mbg_nbd".into()));
        assert!(!codes(&out).contains(expected));
        // Chosen on a sample, fitted to all: the very fit that the name gives.
        let (code, text) = run(&place, plain, &rows, &named.replace("bg_nbd", "mbg_nbd"), false);
        assert_eq!(code, 0, "{text}");
        let fitted = purchases(&place);
        for key in ["r", "alpha", "a", "b"] {
            let path = format!("/parameters/{key}");
            close(key, number(&chosen, &path), number(&fitted, &path), 0.0);
        }
    }
}

/// Few customers cannot tell the models apart, but these differ in who is still there.
#[test]
fn models_that_fit_alike_disagree_about_who_is_there() {
    let orders = world(60, &mut random(), |rng| gamma(0.8, 40.0, rng), |_| 0.12, usual_value);
    let place = folder();
    let named = "[purchases]\nmodel = \"bg_nbd\"\n";
    let (code, text) = run(&place, LOG, &log(&orders), named, false);
    assert_eq!(code, 0, "{text}");
    let out = place.path().join("out");
    assert!(codes(&out).contains("share_alive_uncertain-figures"), "{:?}", codes(&out));
    let run = json(&out.join("run.json"));
    let note = run["warnings"].as_array().expect("a list").iter();
    let note = note.clone().find(|w| w["code"] == "share_alive_uncertain").expect("a note");
    assert_eq!(note["severity"], "note");
    let [own, other] = ["/facts/share_alive", "/facts/other_share_alive"].map(|p| number(note, p));
    assert!((own - other).abs() > 0.1, "{own} {other}");
    close("own", own, number(&run, "/company/mean_p_alive"), 1e-9);
}

/// Of a model that cannot be fitted, the NBD that it nests predicts, and the file of the model says so
/// too: a score with it predicts the same.
#[test]
fn a_replaced_model_is_kept_and_scores() {
    let mut rng = random();
    let one = |_| {
        let first = rng.random_range(0..365u64);
        (first..=365).step_by(30).map(|day| (day, 9.99)).collect()
    };
    let orders: Orders = (0..300).map(one).collect();
    let named = "[purchases]\nmodel = \"pareto_nbd\"\n";
    let place = ends_well(LOG, &log(&orders), named, &["model_replaced-one_rate"]);
    let path = |name: &str| place.path().join(name).display().to_string();
    let scored = cltv([
        "score",
        &path("rows.csv"),
        "--model",
        &path("out/model.json"),
        "--quiet",
        "--output",
        &path("scored"),
    ]);
    assert!(scored.status.success(), "{}", stderr(&scored));
    let [first, second] = ["out", "scored"].map(|name| {
        let customers = parquet(&place.path().join(name).join("customers.parquet"));
        [numbers(&customers, "cltv"), numbers(&customers, "p_alive")]
    });
    assert_eq!(first, second);
    let [run, again] =
        ["out", "scored"].map(|name| json(&place.path().join(name).join("run.json")));
    for key in ["model", "requested", "predicts_with", "one_rate", "parameters", "comparison"] {
        assert_eq!(run["purchases"][key], again["purchases"][key], "{key}");
    }
    assert_eq!(run["purchases"]["requested"], "pareto_nbd");
    assert_eq!(run["purchases"]["predicts_with"], "nbd");
}
