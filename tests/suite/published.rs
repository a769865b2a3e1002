//! Numbers that others published, from real data through the whole program.

use std::fmt::Write;
use std::path::Path;

use crate::support::*;

/// lifetimes 0.11.3 (penalties 0.001 and 0.01), pandas 1.5.3, SciPy 1.10.1 on FLO's export of
/// 19,945 customers: `flo/expected_customers.csv`.
#[test]
fn flo_as_the_published_solutions_have_it() {
    let Some(reference) = reference("the FLO export") else {
        return;
    };
    let out = folder();
    run_ok("pipelines/flo.toml", &reference.join("flo/flo_data_20k.csv"), out.path(), &[]);
    let customers = parquet(&out.path().join("customers.parquet"));
    let expected = csv(&reference.join("flo/expected_customers.csv"));
    assert_eq!(texts(&customers, "customer_id"), texts(&expected, "customer_id"));
    let same = |column: &str, tolerance: f64| {
        let pairs = numbers(&customers, column).into_iter().zip(numbers(&expected, column));
        for (row, (value, expected)) in pairs.enumerate() {
            close(&format!("{column}, row {row}"), value, expected, tolerance);
        }
    };
    for column in ["recency_cltv_weekly", "T_weekly", "frequency", "monetary_cltv_avg"] {
        same(column, 1e-12);
    }
    for column in ["exp_sales_3_month", "exp_sales_6_month", "exp_average_value", "cltv"] {
        same(column, 1e-5);
    }
    same("p_alive", 1e-12);
    assert_eq!(texts(&customers, "cltv_segment"), texts(&expected, "cltv_segment"));
    top_twenty(out.path(), &expected);
    totals(out.path());
    truth(out.path());
}

fn top_twenty(out: &Path, expected: &polars::prelude::DataFrame) {
    let mut order: Vec<(f64, String)> =
        numbers(expected, "cltv").into_iter().zip(texts(expected, "customer_id")).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let first: Vec<String> = order.into_iter().take(20).map(|(_, id)| id).collect();
    assert_eq!(texts(&csv(&out.join("top_customers.csv")), "customer_id"), first);
}

/// The same source, as printed by it: limits, parameters, totals, segments.
fn totals(out: &Path) {
    let (run, model) = (json(&out.join("run.json")), json(&out.join("model.json")));
    assert_eq!(run["as_of"], "2021-06-01");
    close("distinct", number(&model, "/purchases/distinct_histories"), 19_790.0, 0.0);
    for (place, unrounded, applied) in [
        ("/outlier_limits/0", 48.5, 48.0),
        ("/outlier_limits/1", 16.0, 16.0),
        ("/outlier_limits/2", 7799.541, 7800.0),
        ("/outlier_limits/3", 3019.882, 3020.0),
    ] {
        close(place, number(&run, &format!("{place}/upper")), unrounded, 1e-6);
        close(place, number(&run, &format!("{place}/upper_applied")), applied, 0.0);
        close(place, number(&run, &format!("{place}/raised")), 0.0, 0.0);
    }
    close("r", number(&model, "/purchases/parameters/r"), 3.663384, 1e-6);
    close("alpha", number(&model, "/purchases/parameters/alpha"), 76.17236, 1e-6);
    close("p", number(&model, "/spend/parameters/p"), 4.151179, 1e-6);
    close("q", number(&model, "/spend/parameters/q"), 0.470125, 1e-6);
    close("v", number(&model, "/spend/parameters/v"), 4.077243, 1e-6);
    close("12 weeks", number(&run, "/company/expected_orders/0/1"), 11_510.47, 1e-6);
    close("24 weeks", number(&run, "/company/expected_orders/1/1"), 23_020.94, 1e-6);
    close("cltv", number(&run, "/company/total_cltv"), 3_891_655.0, 1e-6);
    for (i, customers, mean) in
        [(0, 4987.0, 80.340), (1, 4986.0, 138.312), (2, 4986.0, 199.533), (3, 4986.0, 362.316)]
    {
        close("customers", number(&run, &format!("/segments/{i}/customers")), customers, 0.0);
        close("mean cltv", number(&run, &format!("/segments/{i}/mean_cltv")), mean, 1e-5);
    }
    let first = csv(&out.join("top_customers.csv"));
    assert_eq!(texts(&first, "customer_id")[0], "47a642fe-975b-11eb-8c2a-000d3a38a36f");
    close("first", numbers(&first, "cltv")[0], 3327.777, 1e-6);
}

/// What the published solutions do not say about their own fit.
fn truth(out: &Path) {
    for document in ["run.json", "model.json"] {
        let text = json(&out.join(document))["warnings"].to_string();
        for code in
            ["dropout_not_identified", "selected_customers", "spend_without_population_mean"]
        {
            assert!(text.contains(code), "{document} does not say {code}");
        }
    }
    let model = json(&out.join("model.json"));
    assert_eq!(model["purchases"]["not_identified"], serde_json::json!(["a", "b"]));
    close("a", number(&model, "/purchases/parameters/a"), 0.0, 1e-12);
    close(
        "the no-dropout model fits as well",
        number(&model, "/purchases/log_likelihood"),
        number(&model, "/purchases/log_likelihood_without_dropout"),
        1e-9,
    );
    let size = std::fs::metadata(out.join("model.json")).expect("model.json").len();
    assert!(size < 10_000, "model.json has {size} bytes");
}

/// Without its penalty lifetimes 0.11.3 finds p 3.886, q 9.328, v 323.87 on the same file.
#[test]
fn flo_without_penalties() {
    let Some(reference) = reference("the FLO export without penalties") else {
        return;
    };
    let out = folder();
    let no_penalty = ["--set", "purchases.l2_penalty=0", "--set", "spend.l2_penalty=0"];
    let input = reference.join("flo/flo_data_20k.csv");
    run_ok("pipelines/flo.toml", &input, out.path(), &no_penalty);
    let model = json(&out.path().join("model.json"));
    close("p", number(&model, "/spend/parameters/p"), 3.886, 2e-4);
    close("q", number(&model, "/spend/parameters/q"), 9.328, 2e-4);
    close("v", number(&model, "/spend/parameters/v"), 323.87, 2e-4);
    assert_eq!(model["purchases"]["not_identified"], serde_json::json!(["a", "b"]));
}

/// CDNOW 1/10 from its order log. BG/NBD: Fader, Hardie & Lee (2005), to more digits by lifetimes
/// 0.11.3 and CLVTools 0.12.1. Gamma-Gamma: Fader & Hardie (2013), note 025, likewise.
#[test]
fn cdnow_from_the_order_log() {
    let Some(reference) = reference("CDNOW") else {
        return;
    };
    let out = folder();
    let log = out.path().join("cdnow.csv");
    std::fs::write(&log, cdnow_as_csv(&reference.join("cdnow/cdnow_sample.txt"))).expect("written");
    run_ok("pipelines/cdnow.toml", &log, out.path(), &[]);
    let model = json(&out.path().join("model.json"));
    let run = json(&out.path().join("run.json"));
    close("customers", number(&run, "/rows/customers"), 2357.0, 0.0);
    close("patterns", number(&model, "/purchases/distinct_histories"), 1016.0, 0.0);
    let customers = parquet(&out.path().join("customers.parquet"));
    let frequency = numbers(&customers, "frequency");
    close("repeat orders", frequency.iter().sum(), 2457.0, 0.0);
    let one_time = frequency.iter().filter(|x| **x == 0.0).count();
    assert_eq!(one_time, 1411);
    close("r", number(&model, "/purchases/parameters/r"), 0.2425945, 1e-4);
    close("alpha", number(&model, "/purchases/parameters/alpha"), 4.4136019, 1e-4);
    close("a", number(&model, "/purchases/parameters/a"), 0.7929199, 1e-4);
    close("b", number(&model, "/purchases/parameters/b"), 2.4258881, 1e-4);
    let log_likelihood = number(&model, "/purchases/log_likelihood");
    assert!((log_likelihood + 9582.429).abs() < 1e-3, "{log_likelihood}");
    gamma_gamma_of_cdnow(&model, &customers);
}

/// Published to two decimals (p 6.25, q 3.74, v 15.44); more digits from lifetimes 0.11.3 on the
/// same 946 customers. First ten customers: Fader & Hardie (2013), note 025, to two decimals.
fn gamma_gamma_of_cdnow(model: &serde_json::Value, customers: &polars::prelude::DataFrame) {
    close("repeat customers", number(model, "/spend/customers"), 946.0, 0.0);
    close("p", number(model, "/spend/parameters/p"), 6.249572, 1e-4);
    close("q", number(model, "/spend/parameters/q"), 3.744225, 1e-4);
    close("v", number(model, "/spend/parameters/v"), 15.443521, 1e-4);
    let log_likelihood = number(model, "/spend/log_likelihood");
    assert!((log_likelihood + 4055.918).abs() < 1e-3, "{log_likelihood}");
    let published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17];
    for (value, published) in numbers(customers, "exp_average_value").into_iter().zip(published) {
        assert!((value - published).abs() <= 0.005, "{value} does not round to {published}");
    }
}

/// master id, sample id, date, CDs, dollars in blanks, without a header.
fn cdnow_as_csv(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("the CDNOW sample");
    let mut csv = "customer_id,date,value\n".to_owned();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [_, customer, date, _, dollars] = fields[..] {
            writeln!(csv, "{customer},{date},{dollars}").expect("text");
        }
    }
    csv
}
