//! Ground truth: a fit to simulated data recovers the parameters of the simulation.

use std::path::{Path, PathBuf};

use crate::support::*;

/// The estimate is within four standard errors of the truth, and its relative error is at most
/// `within`.
#[track_caller]
fn recovered(model: &serde_json::Value, part: &str, name: &str, truth: f64, within: f64) {
    let estimate = number(model, &format!("/{part}/parameters/{name}"));
    let error = number(model, &format!("/{part}/standard_errors/{name}"));
    assert!((estimate - truth).abs() < 4.0 * error, "{name}: {estimate} ± {error} is not {truth}");
    close(name, estimate, truth, within);
}

/// A simulated export (`customers`) or log (`transactions`) of customers acquired over three years.
fn simulated(folder: &Path, what: &str, more: &[&str]) -> PathBuf {
    let path = folder.join("in/simulated.csv");
    std::fs::create_dir(folder.join("in")).expect("made");
    let text = path.display().to_string();
    let process = ["--a", "0.8", "--b", "4", "--acquired-over", "1095", "--out", &text];
    let made = cltv(["simulate", what].iter().chain(more).chain(&process));
    assert!(made.status.success(), "{}", stderr(&made));
    path
}

/// 60,000 customers, nobody filtered out: r .6, α 21, a .8, b 4, p 4, q 9, v 310. Dates are whole
/// days, which shifts α, of 21 weeks, by about half a day.
#[test]
fn an_unfiltered_export_gives_its_parameters_back() {
    let out = folder();
    let input = simulated(out.path(), "customers", &["--customers", "60000", "--seed", "5"]);
    let whole = [
        "--as-of",
        "2021-05-30",
        "--set",
        "summary.frequency=\"repeat_orders\"",
        "--set",
        "summary.min_orders=1",
        "--set",
        "purchases.l2_penalty=0",
        "--set",
        "spend.l2_penalty=0",
        "--set",
        "outliers.columns=[]",
    ];
    run_ok("pipelines/flo.toml", &input, out.path(), &whole);
    let model = json(&out.path().join("model.json"));
    for (name, truth, within) in
        [("r", 0.6, 0.05), ("alpha", 21.0, 0.06), ("a", 0.8, 0.25), ("b", 4.0, 0.35)]
    {
        recovered(&model, "purchases", name, truth, within);
    }
    for (name, truth, within) in [("p", 4.0, 0.03), ("q", 9.0, 0.05), ("v", 310.0, 0.08)] {
        recovered(&model, "spend", name, truth, within);
    }
    let warnings = model["warnings"].to_string();
    assert!(!warnings.contains("selected_customers"), "{warnings}");
    assert!(!warnings.contains("dropout_not_identified"), "{warnings}");
}

/// An order log of the same process, in which the orders of one day are merged.
#[test]
fn an_order_log_gives_its_parameters_back() {
    let out = folder();
    let more = ["--customers", "20000", "--seed", "6", "--end", "2011-12-09"];
    let input = simulated(out.path(), "transactions", &more);
    let end = ["--set", "transactions.calibration_end=\"2011-12-09\""];
    run_ok("pipelines/transactions.toml", &input, out.path(), &end);
    let (model, run) = (json(&out.path().join("model.json")), json(&out.path().join("run.json")));
    for (name, truth, within) in
        [("r", 0.6, 0.08), ("alpha", 21.0, 0.1), ("a", 0.8, 0.4), ("b", 4.0, 0.5)]
    {
        recovered(&model, "purchases", name, truth, within);
    }
    assert!(number(&run, "/rejected/missing_customer_id") > 100.0);
    assert!(number(&run, "/rejected/cancelled") > 100.0);
}

#[test]
fn same_seed_same_data() {
    let make = |seed: &str| cltv(["simulate", "customers", "--customers", "50", "--seed", seed]);
    let (first, again, other) = (make("3"), make("3"), make("4"));
    assert!(first.status.success(), "{}", stderr(&first));
    assert_eq!(first.stdout, again.stdout);
    assert_ne!(first.stdout, other.stdout);
}

#[test]
fn impossible_parameters_are_refused() {
    let output = cltv(["simulate", "customers", "--customers", "5", "--r=-1"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

/// The committed sample was filtered like FLO's file: a last order within a year, and orders in
/// both channels (data/README.md: 92,000 acquired, r .6 α 21 a 4.9 b 42). A fit that knows both
/// filters recovers the parameters and the number of customers acquired.
#[test]
fn the_sample_gives_its_truth_back_in_spite_of_its_filters() {
    let out = folder();
    let both = ["--set", "selection.both_channels=true", "--set", "uncertainty.draws=100"];
    let input = project("data/flo_sample.csv");
    run_ok("pipelines/flo_selection_aware.toml", &input, out.path(), &both);
    let model = json(&out.path().join("model.json"));
    for (name, truth) in [("r", 0.6), ("alpha", 21.0), ("a", 4.9), ("b", 42.0)] {
        let estimate = number(&model, &format!("/purchases/parameters/{name}"));
        let error = number(&model, &format!("/purchases/standard_errors/{name}"));
        assert!((estimate - truth).abs() < 4.0 * error, "{name}: {estimate} ± {error}, {truth}");
    }
    let acquired = number(&model, "/purchases/selection/customers_ever_acquired");
    close("customers ever acquired", acquired, 92_000.0, 0.05);
    let warnings = model["warnings"].to_string();
    assert!(!warnings.contains("selection_by_channels"), "{warnings}");
}
