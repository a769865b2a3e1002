//! `cltv compare`: a run against an earlier one. The orders between the two are counted here from
//! the raw log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;

use polars::prelude::DataFrame;
use serde_json::{Value, json};

use crate::cdnow::Log;
use crate::support::*;

const CUT: &str = "2020-11-29";
const END: &str = "2021-05-30";
/// 182 days, written as six months of 26/6 weeks, so that the column of expected orders is the
/// forecast for this time.
const MONTHS: [&str; 4] = [
    "--set",
    "forecast.horizons=[{months=6}]",
    "--set",
    "forecast.weeks_per_month=4.333333333333333",
];

fn compare(before: &Path, after: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["compare".into(), before.as_os_str().to_owned()];
    arguments.push(after.as_os_str().to_owned());
    arguments.extend(more.iter().map(Into::into));
    cltv(arguments)
}

/// Compares into `out`, which must succeed. Returns comparison.json.
fn compared(before: &Path, after: &Path, out: &Path) -> Value {
    let output = compare(before, after, &["--output", out.to_str().expect("text"), "--quiet"]);
    assert!(output.status.success(), "{}", stderr(&output));
    json(&out.join("comparison.json"))
}

/// The message of a comparison that must be refused with this exit code.
fn refused(before: &Path, after: &Path, code: i32) -> String {
    let output = compare(before, after, &[]);
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    stderr(&output)
}

/// For each customer, the days with an order and their value.
type Orders = BTreeMap<String, BTreeMap<String, f64>>;

/// A simulated log without cancellations: its file and its orders.
fn simulated(folder: &Path) -> (PathBuf, Orders) {
    let path = folder.join("log.csv");
    let output = cltv([
        "simulate",
        "transactions",
        "--customers=3000",
        "--seed=11",
        "--cancelled=0",
        "--without-id=0",
        "--out",
        path.to_str().expect("text"),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let log = csv(&path);
    let value = numbers(&log, "Quantity").into_iter().zip(numbers(&log, "Price"));
    let mut orders = Orders::new();
    for ((id, time), (quantity, price)) in
        numbers(&log, "Customer ID").into_iter().zip(texts(&log, "InvoiceDate")).zip(value)
    {
        let days = orders.entry(format!("{id:.0}")).or_default();
        *days.entry(time[..10].to_owned()).or_default() += quantity * price;
    }
    (path, orders)
}

/// For each customer who ordered up to the cut: the orders after it and up to the end, and their
/// value.
fn between(orders: &Orders, cut: &str, end: &str) -> BTreeMap<String, (f64, f64)> {
    let known = orders.iter().filter(|(_, days)| days.keys().any(|day| day.as_str() <= cut));
    let since = known.map(|(id, days)| {
        let days = days.iter().filter(|(day, _)| day.as_str() > cut && day.as_str() <= end);
        let values: Vec<f64> = days.map(|(_, value)| *value).collect();
        (id.clone(), (values.len() as f64, values.iter().sum()))
    });
    since.collect()
}

fn by_id(table: &DataFrame, column: &str) -> BTreeMap<String, f64> {
    texts(table, "customer_id").into_iter().zip(numbers(table, column)).collect()
}

/// With every definition of frequency and monetary value, the actual orders are those in the log.
#[test]
fn what_came_is_what_the_log_says() {
    let place = folder();
    let (log, orders) = simulated(place.path());
    let since = between(&orders, CUT, END);
    let (count, value) = since.values().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(count > 500.0, "{count} orders");
    for (frequency, monetary, model) in [
        ("repeat_orders", "repeat_orders", "bg_nbd"),
        ("repeat_orders", "orders", "pareto_nbd"),
        // With all orders counted as repeat orders, BG/NBD has no estimate.
        ("orders", "repeat_orders", "nbd"),
        ("orders", "orders", "nbd"),
    ] {
        let [a, b, out] = ["a", "b", "c"].map(|name| place.path().join(name));
        let definitions = [
            "--set",
            &format!("summary.frequency={frequency}"),
            "--set",
            &format!("summary.monetary_value={monetary}"),
            "--set",
            &format!("purchases.model={model}"),
        ];
        let run = |out: &Path, as_of: &str| {
            let more = [&definitions[..], &MONTHS, &["--as-of", as_of, "--quiet"]].concat();
            run_ok("pipelines/transactions.toml", &log, out, &more);
        };
        run(&a, CUT);
        run(&b, END);
        let found = compared(&a, &b, &out);
        let what = format!("{frequency}, mean of {monetary}");
        close(&what, number(&found, "/days"), 182.0, 0.0);
        close(&what, number(&found, "/forecast/orders/actual"), count, 0.0);
        close(&what, number(&found, "/forecast/revenue/actual"), value, 1e-10);
        // The earlier run itself forecast these 182 days, with other code.
        let before = parquet(&a.join("customers.parquet"));
        let expected: f64 = numbers(&before, "exp_sales_6_month").iter().sum();
        close(&what, number(&found, "/forecast/orders/expected"), expected, 1e-10);
        let table = parquet(&out.join("comparison_customers.parquet")).head(Some(before.height()));
        let each = numbers(&before, "exp_sales_6_month").into_iter();
        let worth = each.zip(numbers(&before, "exp_average_value")).map(|(n, value)| n * value);
        close(&what, number(&found, "/forecast/revenue/expected"), worth.sum(), 1e-10);
        assert_eq!(texts(&table, "customer_id"), texts(&before, "customer_id"));
        for (id, actual) in by_id(&table, "actual_orders") {
            assert_eq!(actual, since[&id].0, "{what}: {id}");
        }
        for (id, actual) in by_id(&table, "actual_revenue") {
            assert!((actual - since[&id].1).abs() < 1e-7, "{what}: {id} {actual}");
        }
        assert_eq!(found["oddities"]["fewer_orders"], 0);
        assert_eq!(found["oddities"]["first_order_moved"], 0);
        assert_eq!(found["oddities"]["late"], 0);
    }
}

/// Counted again, in a simpler way, from the two customer tables.
#[test]
fn migration_and_movers_from_the_two_tables() {
    let place = folder();
    let (log, orders) = simulated(place.path());
    let [a, b, out] = ["a", "b", "c"].map(|name| place.path().join(name));
    run_ok("pipelines/transactions.toml", &log, &a, &["--as-of", CUT, "--quiet"]);
    run_ok("pipelines/transactions.toml", &log, &b, &["--as-of", END, "--quiet"]);
    let found = compared(&a, &b, &out);
    let [before, after] = [&a, &b].map(|run| {
        let table = parquet(&run.join("customers.parquet"));
        let cltv = numbers(&table, "cltv").into_iter();
        let segments = texts(&table, "cltv_segment").into_iter().zip(cltv);
        texts(&table, "customer_id").into_iter().zip(segments).collect::<BTreeMap<_, _>>()
    });
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut flows: BTreeMap<(String, String), (f64, f64, f64)> = BTreeMap::new();
    for id in &ids {
        let end = |side: &BTreeMap<String, (String, f64)>, absent: &str| {
            side.get(*id).cloned().unwrap_or((absent.to_owned(), 0.0))
        };
        let ((from, was), (to, is)) = (end(&before, "new"), end(&after, "lost"));
        let flow = flows.entry((from, to)).or_default();
        *flow = (flow.0 + 1.0, flow.1 + was, flow.2 + is);
    }
    let matrix = parquet(&out.join("comparison.parquet"));
    assert_eq!(matrix.height(), 5 * 5 - 1);
    let customers = numbers(&matrix, "customers");
    let ends: Vec<(String, String)> =
        texts(&matrix, "from").into_iter().zip(texts(&matrix, "to")).collect();
    for (i, end) in ends.iter().enumerate() {
        let (count, was, is) = flows.get(end).copied().unwrap_or_default();
        assert_eq!(customers[i], count, "{end:?}");
        close("cltv before", numbers(&matrix, "cltv_before")[i], was, 1e-12);
        close("cltv after", numbers(&matrix, "cltv_after")[i], is, 1e-12);
        let row: f64 = (0..ends.len()).filter(|&k| ends[k].0 == end.0).map(|k| customers[k]).sum();
        close("share", numbers(&matrix, "share")[i], count / row, 1e-15);
    }
    let acquired = orders.values().filter_map(|days| days.keys().next());
    let new = acquired.filter(|day| day.as_str() > CUT && day.as_str() <= END).count() as f64;
    close("new", number(&found, "/movements/3/customers"), new, 0.0);
    let mut changes: Vec<f64> = before.iter().map(|(id, (_, was))| after[id].1 - was).collect();
    changes.sort_by(|x, y| y.total_cmp(x));
    let listed = |list: &str| -> Vec<f64> {
        let list = found[list].as_array().expect("a list");
        let change = |one: &Value| number(one, "/cltv_after") - number(one, "/cltv_before");
        list.iter().map(change).collect()
    };
    assert_eq!(listed("gains"), changes[..20]);
    assert_eq!(listed("losses"), changes.iter().rev().take(20).copied().collect::<Vec<_>>());
    let first = &found["gains"][0];
    let id = first["customer_id"].as_str().expect("text");
    assert_eq!((&first["from"], &first["to"]), (&json!(before[id].0), &json!(after[id].0)));
}

/// CDNOW as in the papers, and half a year later. The orders are counted from the log, the
/// stability index is the one that scoring gives, and the differences of parameters follow from the
/// two model.json.
#[test]
#[ignore = "needs CLTV_REFERENCE"]
fn cdnow_half_a_year_later_on_reference_data() {
    let reference = reference();
    let place = folder();
    let log = Log::sample(&reference);
    let path = log.written(&place);
    let [a, b, scored, out] = ["a", "b", "scored", "c"].map(|name| place.path().join(name));
    let (cut, end) = ("1997-09-30", "1998-03-31");
    run_ok(
        "pipelines/cdnow.toml",
        &path,
        &a,
        &["--quiet", MONTHS[0], MONTHS[1], MONTHS[2], MONTHS[3]],
    );
    let later = format!("transactions.calibration_end={end}");
    run_ok("pipelines/cdnow.toml", &path, &b, &["--quiet", "--set", &later]);
    let found = compared(&a, &b, &out);
    let actual = log.orders_after(cut, end);
    close("orders", number(&found, "/forecast/orders/actual"), actual.values().sum(), 0.0);
    let before = parquet(&a.join("customers.parquet"));
    let mut segments: BTreeMap<String, [f64; 4]> = BTreeMap::new();
    let expected = by_id(&before, "exp_sales_6_month");
    for (id, segment) in texts(&before, "customer_id").iter().zip(texts(&before, "cltv_segment")) {
        for name in [segment, "all".to_owned()] {
            let sums = segments.entry(name).or_default();
            let error = (expected[id] - actual[id]).abs();
            for (sum, term) in sums.iter_mut().zip([1.0, expected[id], actual[id], error]) {
                *sum += term;
            }
        }
    }
    for outcome in found["forecast"]["outcomes"].as_array().expect("a list") {
        let segment = outcome["segment"].as_str().expect("a name");
        let [customers, expected, actual, error] = segments[segment];
        close(segment, number(outcome, "/customers"), customers, 0.0);
        close(segment, number(outcome, "/expected_orders"), expected, 1e-10);
        close(segment, number(outcome, "/actual_orders"), actual, 0.0);
        close(segment, number(outcome, "/orders_ratio"), actual / expected, 1e-10);
        close(segment, number(outcome, "/mae"), error / customers, 1e-10);
    }
    let [then, now] = [&a, &b].map(|run| json(&run.join("model.json")));
    for change in found["parameters"].as_array().expect("a list") {
        let of = |model: &Value, what: &str| {
            number(
                &model[change["model"].as_str().expect("text")][what],
                &format!("/{}", change["parameter"].as_str().expect("text")),
            )
        };
        let error = of(&then, "standard_errors").powi(2) + of(&now, "standard_errors").powi(2);
        let moved = (of(&now, "parameters") - of(&then, "parameters")) / error.sqrt();
        close("moved", number(change, "/difference"), moved, 1e-12);
    }
    assert_eq!(found["parameters"].as_array().map(Vec::len), Some(7));
    let model = a.join("model.json");
    let arguments = ["score", "--quiet", "--as-of", end, "--model"].map(Into::into);
    let mut arguments: Vec<std::ffi::OsString> = arguments.to_vec();
    arguments.extend([model.into(), path.into(), "--output".into(), scored.clone().into()]);
    let output = cltv(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let same = compared(&a, &scored, &out);
    assert_eq!(same["same_model"], true);
    assert!(
        same["parameters"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|change| { change["reason"] == "same model" && change["difference"].is_null() })
    );
    let index = &json(&scored.join("run.json"))["model"]["drift"]["population_stability_index"];
    assert_eq!(same["drift"]["population_stability_index"], *index);
    assert!(number(index, "/T") > 1.0, "half a year is not noticed");
}

/// FLO's pipeline renames columns, caps outliers and keeps categories. One customer is gone, one is
/// new, and one has fewer orders than before.
#[test]
fn one_customer_lost_one_new_one_with_fewer_orders() {
    let place = folder();
    let [a, b, out] = ["a", "b", "c"].map(|name| place.path().join(name));
    let text = std::fs::read_to_string(project("data/flo_sample.csv")).expect("the sample");
    let lines: Vec<&str> = text.lines().take(4001).collect();
    let row = |id: &str, channel: &str, online: &str, category: &str| {
        format!(
            "{id},{channel},Mobile,2019-10-10,2021-04-20,2021-04-20,2020-04-30,{online},2.0,200.0,\
             300.0,\"[{category}]\""
        )
    };
    let written = |name: &str, rows: &[String]| {
        let path = place.path().join(name);
        let lines = lines.iter().map(|line| (*line).to_owned()).chain(rows.iter().cloned());
        std::fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n").expect("written");
        path
    };
    let first = [row("gone", "Fax", "3.0", "KADIN"), row("fewer", "Mobile", "4.0", "COCUK")];
    let second = [row("fewer", "Mobile", "3.0", "COCUK"), row("came", "Kiosk", "3.0", "UZAY")];
    let as_of = ["--quiet", "--as-of"];
    let run = |input: PathBuf, out: &Path, day| {
        run_ok("pipelines/flo.toml", &input, out, &[&as_of[..], &[day]].concat());
    };
    run(written("a.csv", &first), &a, "2021-06-01");
    run(written("b.csv", &second), &b, "2021-08-31");
    let found = compared(&a, &b, &out);
    let anomalies = json!({
        "lost": 1, "fewer_orders": 1, "less_spent": 0, "first_order_moved": 0, "late": 1,
    });
    assert_eq!(found["oddities"], anomalies);
    let codes: Vec<&str> = found["warnings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    // Nobody ordered in between: both files have the same lines but for these.
    let told = [
        "forecast_missed",
        "lost_customers",
        "fewer_orders",
        "late_customers",
        "segments_recut",
        "capped",
    ];
    assert_eq!(codes, told);
    let movements = found["movements"].as_array().expect("a list");
    let count = |way: &str| {
        let movement = movements.iter().find(|movement| movement["way"] == way).expect(way);
        number(movement, "/customers")
    };
    assert_eq!((count("new"), count("lost")), (1.0, 1.0));
    assert_eq!(count("up") + count("down") + count("stayed"), 4001.0);
    assert_eq!(number(&found, "/forecast/orders/actual"), 0.0);
    let kept = found["drift"]["kept_columns"].as_array().expect("a list");
    let column = |name: &str| kept.iter().find(|kept| kept["column"] == name).expect(name);
    let (channel, categories) = (column("order_channel"), column("interested_in_categories_12"));
    assert_eq!((&channel["role"], &categories["role"]), (&json!("channel"), &json!("categories")));
    let share = 1.0 / 4002.0;
    assert_eq!(channel["new"], json!([{ "entry": "Kiosk", "share": share }]));
    assert_eq!(channel["vanished"], json!([{ "entry": "Fax", "share": share }]));
    assert_eq!(categories["new"], json!([{ "entry": "UZAY", "share": share }]));
    assert_eq!(categories["vanished"], json!([]));
    let table = parquet(&out.join("comparison_customers.parquet"));
    let ids = texts(&table, "customer_id");
    let at = |id: &str| ids.iter().position(|known| known == id).expect(id);
    let (gone, came) = (at("gone"), at("came"));
    assert_eq!(came, ids.len() - 1, "customers who are only in the later run do not come last");
    assert_eq!(texts(&table, "segment_after")[gone], "lost");
    assert_eq!(texts(&table, "segment_before")[came], "new");
    for (column, row, is_null) in [
        ("cltv_after", gone, true),
        ("cltv_before", gone, false),
        ("actual_orders", gone, false),
        ("cltv_before", came, true),
        ("expected_orders", came, true),
        ("actual_revenue", came, true),
    ] {
        let value = table.column(column).expect(column).f64().expect("numbers").get(row);
        assert_eq!(value.is_none(), is_null, "{column}");
    }
    let reasons = found["parameters"].as_array().expect("a list");
    assert!(reasons.iter().all(|change| change["difference"].is_null()));
    let reason = |i: usize| reasons[i]["reason"].as_str().expect("a reason");
    assert_eq!(reason(0), "no standard error under the penalty of both fits");
    assert_eq!(reason(2), "not identified in both fits");
}

/// A copy of a run with a later date: everybody stays in the same segment, nothing drifts, and
/// nobody ordered.
#[test]
fn the_same_customers_stay_where_they_are() {
    let place = folder();
    let [a, b, out] = ["a", "b", "c"].map(|name| place.path().join(name));
    run_ok("pipelines/flo.toml", &project("data/flo_sample.csv"), &a, &["--quiet"]);
    copied(&a, &b, |manifest| {
        manifest.replace("\"as_of\": \"2021-05-31\"", "\"as_of\": \"2021-08-31\"")
    });
    let found = compared(&a, &b, &out);
    for flow in found["migration"].as_array().expect("a list") {
        let share = if flow["from"] == flow["to"] { 1.0 } else { 0.0 };
        assert_eq!(number(flow, "/share"), share, "{flow}");
        assert_eq!(flow["cltv_before"], flow["cltv_after"]);
    }
    let index = &found["drift"]["population_stability_index"];
    for column in ["frequency", "recency", "T", "monetary_value"] {
        assert_eq!(number(&index[column], ""), 0.0);
    }
    assert_eq!((&found["gains"], &found["losses"]), (&json!([]), &json!([])));
    assert_eq!(found["same_model"], true);
    assert_eq!(number(&found, "/forecast/orders/actual"), 0.0);
    assert!(number(&found, "/forecast/orders/expected") > 1000.0);
    // No T has grown, so this cannot be a later run of the same customers.
    assert_eq!(found["oddities"]["first_order_moved"], found["before"]["customers"]);
    let output = compare(&a, &b, &[]);
    assert!(stderr(&output).contains("another first order"), "{}", stderr(&output));
}

/// A copy of a run's folder with a changed run.json.
fn copied(run: &Path, to: &Path, change: impl Fn(String) -> String) {
    std::fs::create_dir(to).expect("made");
    for name in ["customers.parquet", "model.json", "run.json"] {
        std::fs::copy(run.join(name), to.join(name)).expect(name);
    }
    let text = std::fs::read_to_string(run.join("run.json")).expect("run.json");
    let changed = change(text.clone());
    assert_ne!(text, changed);
    std::fs::write(to.join("run.json"), changed).expect("written");
}

#[test]
fn runs_that_do_not_compare_are_refused() {
    let place = folder();
    let (log, _) = simulated(place.path());
    let run = |name: &str, more: &[&str]| {
        let out = place.path().join(name);
        run_ok("pipelines/transactions.toml", &log, &out, &[&["--quiet"], more].concat());
        out
    };
    let a = run("a", &["--as-of", CUT]);
    let b = run("b", &["--as-of", END]);
    assert!(refused(&b, &a, 2).contains("name the earlier run first"));
    assert!(refused(&a, &a, 2).contains("both runs are as of 2020-11-29"));
    let labels = "segments.labels=[\"low\", \"new\"]";
    let other = run("other", &["--as-of", END, "--set", labels, "--set", "summary.time_unit=day"]);
    let said = refused(&a, &other, 2);
    assert!(said.contains("its list of segments is [\"low\",\"new\"]"), "{said}");
    assert!(said.contains("its time unit is \"day\""), "{said}");
    let taken = run("taken", &["--as-of", CUT, "--set", labels]);
    let like_it = run("like_it", &["--as-of", END, "--set", labels]);
    let said = refused(&taken, &like_it, 2);
    assert!(said.contains("a segment is called \"new\""), "{said}");
    let text = run("text", &["--as-of", END, "--set", "output.formats=[\"csv\"]"]);
    let said = refused(&a, &text, 2);
    assert!(
        said.contains("wrote no customers.parquet") && said.contains("output.formats"),
        "{said}"
    );
    let said = refused(&a, place.path(), 2);
    assert!(said.contains("there is no run.json") && said.contains("one of the runs"), "{said}");
    for name in ["customers.parquet", "model.json"] {
        let changed = place.path().join(format!("changed {name}"));
        copied(&b, &changed, |manifest| manifest.replace("\"rows\": {", "\"rows\" : {"));
        compared(&a, &changed, &place.path().join("fine"));
        std::fs::copy(a.join(name), changed.join(name)).expect("copied");
        let said = refused(&a, &changed, 3);
        assert!(said.contains(name) && said.contains("not the one that the run wrote"), "{said}");
    }
    std::fs::write(b.join("run.json"), "{}").expect("written");
    assert!(refused(&a, &b, 3).contains("not the run.json of a run"));
}

#[test]
fn the_output_is_exchanged_whole_and_nothing_is_written_without() {
    let place = folder();
    let (log, _) = simulated(place.path());
    let [a, b, out] = ["a", "b", "c"].map(|name| place.path().join(name));
    run_ok("pipelines/transactions.toml", &log, &a, &["--as-of", CUT, "--quiet"]);
    run_ok("pipelines/transactions.toml", &log, &b, &["--as-of", END, "--quiet"]);
    let output = compare(&a, &b, &["--top", "3"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    for words in ["From segment (row)", "Movers", "stability index", "Parameters", "actual/exp."] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(page.contains("Nothing was written"), "{page}");
    let files = |folder: &Path| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(files(place.path()), ["a", "b", "log.csv"].map(str::to_owned).into());
    std::fs::create_dir(&out).expect("made");
    std::fs::write(out.join("notes.txt"), "ours").expect("written");
    let found = compared(&a, &b, &out);
    let written = ["comparison.json", "comparison.parquet", "comparison_customers.parquet"];
    let expected: BTreeSet<String> =
        written.into_iter().chain(["notes.txt"]).map(str::to_owned).collect();
    assert_eq!(files(&out), expected);
    let before = std::fs::read(out.join("comparison.json")).expect("written");
    assert_eq!(compared(&a, &b, &out), found, "the same runs give different comparisons");
    let output = compare(&b, &a, &["--output", out.to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(out.join("comparison.json")).expect("still there"), before);
    assert_eq!(files(place.path()), ["a", "b", "c", "log.csv"].map(str::to_owned).into());
}
