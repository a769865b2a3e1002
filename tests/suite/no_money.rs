//! Files without order values: orders, P(alive), segments by expected orders, and no amounts. And the
//! margin, which is about amounts.

use std::path::Path;

use polars::prelude::DataFrame;
use serde_json::Value;

use crate::support::*;

const LOG: &str = "data/orders_sample.csv";
const EXPORT: &str = "data/flo_sample.csv";
/// The longest horizon of a drafted pipeline.
const LONGEST: &str = "exp_sales_6_month";

/// The sample of order lines, each as customer, day, pieces and price; without cancelled ones and
/// those without a customer.
fn lines() -> Vec<[String; 4]> {
    let text = std::fs::read_to_string(project(LOG)).expect("the sample");
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let [invoice, _, _, quantity, date, price, id, _] = fields[..] else {
            panic!("{line}");
        };
        let sound = !invoice.starts_with('C') && !id.is_empty() && !quantity.starts_with('-');
        sound.then(|| [id, &date[..10], quantity, price].map(str::to_owned))
    };
    text.lines().skip(1).filter_map(line).collect()
}

/// Writes a log of these columns; a column is a title and what it has of a line.
fn log(place: &Path, name: &str, columns: &[(&str, usize)]) -> String {
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let mut text = titles.join(",") + "\n";
    for line in lines() {
        let cells: Vec<&str> = columns.iter().map(|(_, k)| line[*k].as_str()).collect();
        text += &(cells.join(",") + "\n");
    }
    let path = place.join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

const PLAIN: [(&str, usize); 2] = [("customer_id", 0), ("order_date", 1)];
const PRICED: [(&str, usize); 3] = [("customer_id", 0), ("order_date", 1), ("value", 3)];

#[track_caller]
fn ok(arguments: &[&str]) -> String {
    let output = cltv(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn refused(arguments: &[&str], code: i32) -> String {
    let output = cltv(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
    stderr(&output)
}

fn customers(out: &Path) -> DataFrame {
    parquet(&out.join("customers.parquet"))
}

/// Every column in these files of a run, and none of them about money.
#[track_caller]
fn is_without_money(out: &Path) {
    let mut names = Vec::new();
    for file in ["customers", "segments", "top_customers", "rfm", "forecast", "next_month"] {
        let table = match file {
            "customers" => customers(out),
            file => csv(&out.join(format!("{file}.csv"))),
        };
        let own = table.get_column_names().into_iter().map(ToString::to_string);
        names.extend(own.filter(|name| name != "cltv_segment"));
    }
    assert!(names.len() > 50, "{names:?}");
    for word in ["cltv", "monetary", "value", "revenue", "spend", "margin"] {
        let found: Vec<&String> = names.iter().filter(|name| name.contains(word)).collect();
        assert!(found.is_empty(), "{word}: {found:?}");
    }
}

/// Paths of numbers in a document whose keys speak of money.
fn amounts(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                amounts(&format!("{path}/{key}"), value, found);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| amounts(path, entry, found)),
        Value::Number(_) => {
            let words = ["cltv", "monetary_", "revenue", "spend", "worth", "voucher", "basket"];
            let key = path.rsplit('/').next().unwrap_or_default();
            let of_segments = key == "by_cltv_segment";
            if words.iter().any(|word| key.contains(word)) && !of_segments {
                found.push(path.to_owned());
            }
        }
        _ => {}
    }
}

#[test]
fn a_log_without_values_forecasts_the_same_orders() {
    let place = folder();
    let (plain, priced) =
        (log(place.path(), "plain.csv", &PLAIN), log(place.path(), "priced.csv", &PRICED));
    let outs = ["a", "b"].map(|name| place.path().join(name));
    let page = ok(&["run", &plain, "--output", &outs[0].display().to_string()]);
    ok(&["run", &priced, "--output", &outs[1].display().to_string()]);
    let (without, with) = (customers(&outs[0]), customers(&outs[1]));
    // The purchase model knows no money, so what is not about money is the same to the last bit.
    assert_eq!(texts(&without, "customer_id"), texts(&with, "customer_id"));
    let same = ["frequency", "recency_weekly", "T_weekly", "p_alive", "exp_sales_3_month", LONGEST];
    let more = ["rfm_recency", "rfm_frequency", "p_order_6_month", "sales_6_month_high"];
    for column in same.into_iter().chain(more) {
        assert_eq!(numbers(&without, column), numbers(&with, column), "{column}");
    }
    is_without_money(&outs[0]);
    // Segments are quarters by expected orders.
    let segments = csv(&outs[0].join("segments.csv"));
    let labels = texts(&segments, "segment");
    let [lower, upper] = ["orders_lower", "orders_upper"].map(|name| numbers(&segments, name));
    for (orders, label) in numbers(&without, LONGEST).iter().zip(texts(&without, "cltv_segment")) {
        let s = labels.iter().position(|known| *known == label).expect("a segment");
        assert!(lower[s] <= *orders && *orders <= upper[s], "{label}: {orders}");
    }
    let shares = numbers(&segments, "share_of_expected_orders");
    close("shares", shares.iter().sum(), 1.0, 1e-12);
    let top = csv(&outs[0].join("top_customers.csv"));
    let mut highest = numbers(&without, LONGEST);
    highest.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(numbers(&top, LONGEST), highest[..20]);
    let run = json(&outs[0].join("run.json"));
    assert_eq!(run["settings"]["spend"]["model"], "none");
    let mut found = Vec::new();
    amounts("", &run, &mut found);
    amounts("", &json(&outs[0].join("figures.json")), &mut found);
    found.retain(|path| !path.starts_with("/settings/"));
    assert!(found.is_empty(), "{found:?}");
    let notes = run["warnings"].as_array().expect("a list");
    let note = notes.iter().find(|note| note["code"] == "no_order_values").expect("a note");
    assert_eq!(note["severity"], "note");
    assert!(page.contains("by orders in 6 months"), "{page}");
    for word in ["cltv ", "revenue", "Gamma-Gamma"] {
        let lines: Vec<&str> = page.lines().skip(8).filter(|line| line.contains(word)).collect();
        assert!(lines.iter().all(|line| line.starts_with("cltv · ")), "{word}: {lines:?}");
    }
}

/// Everything else that reads a run: the report in both languages, check, init, fit, score, evaluate,
/// compare and select.
#[test]
fn every_command_lives_without_money() {
    let place = folder();
    let path = |name: &str| place.path().join(name).display().to_string();
    let (plain, priced) =
        (log(place.path(), "plain.csv", &PLAIN), log(place.path(), "priced.csv", &PRICED));
    let checked: Value = serde_json::from_str(&ok(&["check", &plain, "--json"])).expect("JSON");
    assert_eq!(
        (&checked["run"]["spend"], &checked["run"]["possible"]),
        (&"none".into(), &true.into())
    );
    let pipeline = path("plain.toml");
    ok(&["init", &plain, "--out", &pipeline]);
    assert!(std::fs::read_to_string(&pipeline).expect("a draft").contains("model = \"none\""));
    ok(&["run", &pipeline, "--as-of", "2011-06-30", "--output", &path("then")]);
    ok(&["run", &pipeline, "--as-of", "2011-12-09", "--output", &path("now")]);
    for (language, word) in [("en", "What customers will order"), ("tr", "Müşteriler ne kadar")] {
        ok(&["report", "--lang", language, &path("now")]);
        let page = std::fs::read_to_string(place.path().join("now/report.html")).expect("a page");
        assert!(page.contains(word) && !page.contains('⟨'), "{language}");
        for id in ["kpi-revenue", "forecast-revenue", "segment-total_cltv", "rfm-cltv"] {
            assert!(!page.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(page.contains("id=\"kpi-orders\"") && page.contains("id=\"kpi-alive\""));
    }
    ok(&["fit", &pipeline, "--as-of", "2011-06-30", "--output", &path("fit")]);
    let model = json(&place.path().join("fit/model.json"));
    assert_eq!((&model["spend"], &model["rfm_edges"]["monetary"]), (&Value::Null, &Value::Null));
    let kept = path("fit/model.json");
    let score = ["score", &plain, "--model", &kept, "--as-of", "2011-06-30"];
    ok(&[&score[..], &["--output", &path("scored")]].concat());
    let scored = customers(&place.path().join("scored"));
    assert_eq!(numbers(&scored, LONGEST), numbers(&customers(&place.path().join("then")), LONGEST));
    let out = path("evaluated");
    let cut = "transactions.calibration_end=2011-06-09";
    ok(&["evaluate", &pipeline, "--set", cut, "--output", &out]);
    let measured = csv(&place.path().join("evaluated/evaluation.csv"));
    let titles = measured.get_column_names();
    assert!(!titles.iter().any(|title| title.contains("value")), "{titles:?}");
    ok(&["compare", &path("then"), &path("now"), "--output", &path("compared")]);
    let compared = json(&place.path().join("compared/comparison.json"));
    assert_eq!(compared["forecast"]["revenue"], Value::Null);
    assert!(
        compared["gains"][0]["orders_after"].as_f64()
            > compared["gains"][0]["orders_before"].as_f64()
    );
    let mut found = Vec::new();
    amounts("", &compared, &mut found);
    assert!(found.is_empty(), "{found:?}");
    // Orders that came since, counted in the log itself: at most one a customer and day.
    let known: std::collections::BTreeSet<String> = lines()
        .into_iter()
        .filter(|line| line[1].as_str() <= "2011-06-30")
        .map(|line| line[0].clone())
        .collect();
    let since: std::collections::BTreeSet<[String; 2]> = lines()
        .into_iter()
        .filter(|line| line[1].as_str() > "2011-06-30" && line[1].as_str() <= "2011-12-09")
        .filter(|line| known.contains(&line[0]))
        .map(|[id, day, _, _]| [id, day])
        .collect();
    let outcomes = compared["forecast"]["outcomes"].as_array().expect("a list");
    assert_eq!(outcomes.last().expect("all")["actual_orders"].as_f64(), Some(since.len() as f64));
    let list = ok(&["select", &path("now"), "--where", "cltv_segment = 'A'"]);
    let of_a = texts(&customers(&place.path().join("now")), "cltv_segment");
    let of_a = of_a.iter().filter(|label| *label == "A").count();
    assert_eq!(list.lines().filter(|line| !line.contains("customer_id")).count(), of_a);
    // Orders do not compare with money.
    ok(&["run", &priced, "--as-of", "2011-12-09", "--output", &path("priced")]);
    let said = refused(&["compare", &path("then"), &path("priced")], 2);
    assert!(said.contains("money in the results"), "{said}");
    // A lifetime value is not to be had from a column that is not there.
    let said = refused(&["select", &path("now"), "--where", "cltv > 3"], 2);
    assert!(said.contains("cltv"), "{said}");
}

/// An export with counts and dates only: limits hold for counts, and the correction for the selection
/// gives the orders of the run with money.
#[test]
fn an_export_without_values_forecasts_the_same_orders() {
    let place = folder();
    let text = std::fs::read_to_string(project(EXPORT)).expect("the sample");
    let counts = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        [0, 3, 4, 7, 8].map(|k| fields[k]).join(",") + "\n"
    };
    let plain = place.path().join("plain.csv");
    std::fs::write(&plain, text.lines().map(counts).collect::<String>()).expect("written");
    let outs = ["a", "b"].map(|name| place.path().join(name));
    ok(&["run", &plain.display().to_string(), "--output", &outs[0].display().to_string()]);
    run_ok(
        "pipelines/flo_selection_aware.toml",
        &project(EXPORT),
        &outs[1],
        &[
            "--set",
            "spend.model=none",
            "--set",
            "summary.analysis_date=last_order + 2d",
            "--set",
            "selection={last_order_within_days=366,min_orders=2}",
        ],
    );
    let (without, with) = (customers(&outs[0]), customers(&outs[1]));
    is_without_money(&outs[0]);
    is_without_money(&outs[1]);
    assert_eq!(texts(&without, "customer_id"), texts(&with, "customer_id"));
    for (a, b) in numbers(&without, LONGEST).into_iter().zip(numbers(&with, LONGEST)) {
        close("orders", a, b, 1e-9);
    }
    for out in &outs {
        let run = json(&out.join("run.json"));
        let limits = run["outlier_limits"].as_array().expect("limits");
        let columns: Vec<&str> = limits.iter().filter_map(|l| l["column"].as_str()).collect();
        assert_eq!(columns, ["order_num_total_ever_online", "order_num_total_ever_offline"]);
    }
}

/// Where only pieces are known, they say what came back.
#[test]
fn pieces_tell_what_came_back() {
    let place = folder();
    let lines = [
        "id,date,quantity\n",
        "a,2020-01-01,2\na,2020-01-11,1\na,2020-01-11,-1\n",
        "b,2020-01-05,3\nb,2020-01-09,-3\n",
        "c,2020-01-02,4\nc,2020-01-08,5\nc,2020-01-20,1\n",
    ];
    let input = place.path().join("log.csv");
    std::fs::write(&input, lines.concat()).expect("written");
    let pipeline = SMALL_LOG.replace("value = \"value\"", "quantity = \"quantity\"");
    let pipeline = pipeline.replace('?', &input.display().to_string());
    let path = place.path().join("log.toml");
    std::fs::write(&path, pipeline).expect("written");
    let checked = ok(&["check", &path.display().to_string(), "--json"]);
    let checked: Value = serde_json::from_str(&checked).expect("JSON");
    // Of a, the second day is returned; b brought everything back; c ordered three times.
    assert_eq!(checked["run"]["customers"], 2);
    assert_eq!(checked["run"]["rejected"]["returned"], 4);
    let remarks = checked["run"]["remarks"].as_array().expect("a list");
    let moved = remarks.iter().find(|r| r["code"] == "returns_moved").expect("returns");
    let said = moved["message"].as_str().expect("a message");
    assert!(said.contains("returns of 3 pieces on 1 later day"), "{said}");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let place = folder();
    let input = log(place.path(), "plain.csv", &PLAIN);
    let pipeline = place.path().join("plain.toml").display().to_string();
    ok(&["init", &input, "--out", &pipeline]);
    for (set, said) in [
        ("spend.model=gamma_gamma", "input.columns.value is missing"),
        ("spend.l2_penalty=0.1", "spend.l2_penalty is for a model of order values"),
        ("lifetime_value.margin=0.3", "lifetime_value.margin needs order values"),
        ("output.rename={cltv=\"worth\"}", "there is no such output column"),
    ] {
        let found = refused(&["run", &pipeline, "--set", set, "--dry-run"], 2);
        assert!(found.contains(said), "{set}: {found}");
    }
    for margin in ["0", "-0.1", "1.5", "nan"] {
        let set = format!("lifetime_value.margin={margin}");
        let found = refused(&["run", "pipelines/transactions.toml", "--set", &set, "--dry-run"], 2);
        assert!(found.contains("is not a share above 0 and at most 1"), "{margin}: {found}");
    }
    // Customers without repeated ids, or a column that could be money, are no such log.
    for (name, text) in [
        ("once.csv", "customer_id,signup_date\na,2020-01-01\nb,2020-02-01\nc,2020-02-03\n"),
        ("money.csv", "customer_id,order_date,price,total\na,2020-01-01,x,y\na,2020-02-01,x,y\n"),
    ] {
        let path = place.path().join(name);
        std::fs::write(&path, text).expect("written");
        let found = refused(&["init", &path.display().to_string()], 3);
        assert!(found.contains("cannot tell which column is what"), "{name}: {found}");
    }
}

/// The value stays revenue; lists and plays speak of the margin in it.
#[test]
fn margin_is_what_lists_and_plays_speak_of() {
    let (plain, out) = (folder(), folder());
    let pipeline = "pipelines/transactions.toml";
    run_ok(pipeline, &project(LOG), plain.path(), &[]);
    let page =
        run_ok(pipeline, &project(LOG), out.path(), &["--set", "lifetime_value.margin=0.25"]);
    let (before, after) = (customers(plain.path()), customers(out.path()));
    assert_eq!(numbers(&before, "cltv"), numbers(&after, "cltv"));
    for (margin, cltv) in numbers(&after, "expected_margin").iter().zip(numbers(&after, "cltv")) {
        close("margin", *margin, 0.25 * cltv, 1e-15);
    }
    let segments = csv(&out.path().join("segments.csv"));
    let totals = numbers(&segments, "total_expected_margin");
    for (margin, cltv) in totals.iter().zip(numbers(&segments, "total_cltv")) {
        close("total", *margin, 0.25 * cltv, 1e-15);
    }
    let actions = texts(&segments, "suggested_action");
    assert!(actions.iter().any(|action| action.contains("margin")), "{actions:?}");
    assert!(!actions.iter().any(|action| action.contains("each is worth")), "{actions:?}");
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    assert!(page.contains("by expected margin") && page.contains(" margin\n"), "{page}");
    let report = std::fs::read_to_string(out.path().join("report.html")).expect("a page");
    assert!(report.contains("Expected margin") && report.contains("25% is margin"));
    // Margin says what of a value counts, not what the value is: the two runs compare, and models too.
    let [old, new] = [&plain, &out].map(|run| json(&run.path().join("model.json")));
    assert_eq!(old["segments"], new["segments"]);
    assert_eq!(new["lifetime_value"]["margin"], 0.25);
    assert!(old["lifetime_value"].get("margin").is_none());
}

/// What winning back is worth is the sum over customers of their values if they are still there, which
/// are CLTV/P(alive), and not a quotient of means.
#[test]
fn winning_back_is_worth_what_the_customers_would_bring() {
    let out = folder();
    let mbg = ["--set", "purchases.model=mbg_nbd", "--set", "output.currency=EUR"];
    run_ok("pipelines/transactions.toml", &project(LOG), out.path(), &mbg);
    let run = json(&out.path().join("run.json"));
    let table = customers(out.path());
    let (cltv, alive) = (numbers(&table, "cltv"), numbers(&table, "p_alive"));
    let label = texts(&table, "cltv_segment");
    let segments = run["segments"].as_array().expect("segments");
    let mut differs = 0;
    for (s, segment) in segments.iter().enumerate() {
        let own = |i: &usize| label[*i] == segment["label"].as_str().expect("a label");
        let rows: Vec<usize> = (0..label.len()).filter(own).collect();
        let if_alive: f64 = rows.iter().map(|i| cltv[*i] / alive[*i]).sum();
        let total: f64 = rows.iter().map(|i| cltv[*i]).sum();
        close("if alive", number(segment, "/total_if_alive"), if_alive, 1e-9);
        let facts = &run["suggested_actions"][s]["facts"];
        let n = rows.len() as f64;
        close("win back", number(facts, "/win_back"), (if_alive - total) / n, 1e-9);
        close("worth if alive", number(facts, "/worth_if_alive"), if_alive / n, 1e-9);
        let of_means = total / number(segment, "/mean_p_alive");
        differs += usize::from((of_means / if_alive - 1.0).abs() > 0.01);
    }
    assert!(differs > 0, "the means would have done");
}
