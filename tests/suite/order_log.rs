//! Order logs: which lines the rules set aside, and what a summary must and must not depend on.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use chrono::{Days, NaiveDate};
use cltv::pipeline::prepare;
use cltv::settings::Settings;
use cltv::settings::{Overrides, parse};
use polars::prelude::*;
use proptest::prelude::{
    Strategy, any, prop_assert, prop_assert_eq, prop_compose, prop_oneof, proptest,
};
use proptest::test_runner::{Config, TestCaseError};
use tempfile::TempDir;

use crate::support::*;

/// Lines as a UK gift retailer writes them. The description of a line names the rule that it
/// breaks.
const LINES: &str = "\
Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country
1001,A,sound,2,2010-01-04 08:26:00,10.5,13085.0,United Kingdom
1001,B,sound,1,2010-01-04 08:26:00,4,13085.0,United Kingdom
1002,A,same day again,1,2010-01-04 19:00:00,5,13085.0,United Kingdom
1003,A,a week later,1,2010-01-11 09:00:00,30,13085.0,France
1003,A,a week later,1,2010-01-11 09:00:00,30,13085.0,France
C1004,A,cancelled,-1,2010-01-11 10:00:00,30,13085.0,France
1005,A,no id,1,2010-01-12 10:00:00,30,,France
1006,A,no price,1,2010-01-12 10:00:00,0,13086.0,France
1007,A,first of another,3,2010-01-12 10:00:00,10,13086.0,EIRE
1008,A,partly returned,-1,2010-01-12 18:00:00,10,13086.0,EIRE
1009,A,no date,1,soon,10,13086.0,EIRE
1010,A,no number,many,2010-01-13 10:00:00,10,13086.0,EIRE
1011,A,returned alone,-1,2010-01-20 10:00:00,10,13086.0,EIRE
1012,A,returned in full,1,2010-01-21 10:00:00,10,13086.0,EIRE
1013,A,returned in full,-1,2010-01-21 11:00:00,10,13086.0,EIRE
1014,A,after the end,1,2011-12-10 11:00:00,10,13086.0,EIRE
1015,A,the same customer without decimals,1,2010-01-11 12:00:00,7,13085,France
";

fn settings(input: &Path, more: &[&str]) -> Settings {
    let text = std::fs::read_to_string(project("pipelines/transactions.toml")).expect("a pipeline");
    let overrides = Overrides {
        input: Some(input.display().to_string()),
        // So short a log may have many bad lines.
        set: std::iter::once("contract.unreadable_at=1")
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect(),
        ..Overrides::default()
    };
    parse(&text, &overrides).expect("sound settings")
}

fn written(folder: &TempDir, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path
}

fn rejected(settings: &Settings) -> (BTreeMap<String, usize>, DataFrame, DataFrame) {
    let prepared = prepare(settings).expect("a valid log");
    let counts = prepared.input.cleaned.rejected.iter().map(|r| (r.rule.clone(), r.rows)).collect();
    (counts, prepared.summary.frame, prepared.input.cleaned.quarantine)
}

fn counts(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected.iter().map(|(rule, rows)| ((*rule).to_owned(), *rows)).collect()
}

/// Worked out by hand from the lines above: 13085 spent 30 on the first day and 67 a week later,
/// and 13086 spent 20 net on one day, of which 10 came back a week later.
#[test]
fn each_rule_sets_its_lines_aside() {
    let out = folder();
    let log = written(&out, "log.csv", LINES);
    let (found, customers, quarantine) = rejected(&settings(&log, &[]));
    let expected = counts(&[
        ("missing_customer_id", 1),
        ("cancelled", 1),
        ("no_value", 1),
        ("unreadable_date", 1),
        ("unreadable_value", 1),
        ("order_after_observation_end", 1),
        ("returned", 2),
    ]);
    assert_eq!(found, expected);
    assert_eq!(texts(&customers, "customer_id"), ["13085", "13086"]);
    assert_eq!(numbers(&customers, "frequency"), [1.0, 0.0]);
    assert_eq!(numbers(&customers, "monetary_avg"), [67.0, 0.0]);
    assert_eq!(numbers(&customers, "recency_weekly"), [1.0, 0.0]);
    assert_eq!(texts(&customers, "Country"), ["France", "EIRE"]);
    let raw = texts(&quarantine, "raw_Quantity");
    assert!(raw.contains(&"many".to_owned()), "{raw:?}");
    assert_eq!(quarantine.height(), 8);
}

#[test]
fn every_line_is_counted_in_the_manifest() {
    let out = folder();
    let mut lines = LINES.to_owned();
    for customer in 0..40u64 {
        for week in 0..=customer % 7 {
            let day = NaiveDate::from_ymd_opt(2010, 2, 1).expect("a date")
                + Days::new(week * (7 + customer % 5) + customer);
            writeln!(
                lines,
                "2{customer}{week},A,x,1,{day} 10:00:00,{},{customer}.0,EIRE",
                9 + week + customer
            )
            .expect("text");
        }
    }
    let log = written(&out, "log.csv", &lines);
    let out = out.path().join("out");
    run_ok("pipelines/transactions.toml", &log, &out, &[]);
    let run = json(&out.join("run.json"));
    let read = number(&run, "/rows/read");
    assert_eq!(read, lines.lines().count() as f64 - 1.0);
    assert_eq!(number(&run, "/rows/kept") + number(&run, "/rows/rejected"), read);
    assert_eq!(number(&run, "/rejected/returned"), 2.0);
    assert_eq!(number(&run, "/rows/returns_netted"), 2.0);
    assert_eq!(parquet(&out.join("quarantine.parquet")).height(), 8);
}

#[test]
fn cancellations_by_flag_or_by_negative_quantity() {
    let out = folder();
    let log = written(&out, "log.csv", LINES);
    let flag = ["transactions.cancelled={ column = \"StockCode\", equals = [\"B\", \"Z\"] }"];
    assert_eq!(rejected(&settings(&log, &flag)).0["cancelled"], 1);
    let negative = ["transactions.cancelled={ negative_quantity = true }"];
    let (found, ..) = rejected(&settings(&log, &negative));
    assert_eq!(found["cancelled"], 4);
    assert!(!found.contains_key("returned"), "{found:?}");
    let drop = ["transactions.returns=\"drop\""];
    let (found, customers, _) = rejected(&settings(&log, &drop));
    assert_eq!(found["return"], 3);
    // 13086: 30 on the first day, 10 on the day whose return is set aside.
    assert_eq!(numbers(&customers, "frequency"), [1.0, 1.0]);
    assert_eq!(numbers(&customers, "monetary_avg"), [67.0, 10.0]);
}

#[test]
fn repeated_lines_are_dropped_where_the_pipeline_says_so() {
    let out = folder();
    let log = written(&out, "log.csv", LINES);
    let (found, customers, _) =
        rejected(&settings(&log, &["transactions.duplicate_lines=\"drop\""]));
    assert_eq!(found["duplicate_line"], 1);
    assert_eq!(numbers(&customers, "monetary_avg"), [37.0, 0.0]);
}

/// The same invoice, quantity and price, but another article: these are two lines, not one
/// repeated.
#[test]
fn lines_that_differ_in_a_column_that_nobody_reads_are_no_repetition() {
    let out = folder();
    let lines = LINES.replacen("1003,A,a week later", "1003,Z,something else", 1);
    let log = written(&out, "log.csv", &lines);
    let (found, customers, _) =
        rejected(&settings(&log, &["transactions.duplicate_lines=\"drop\""]));
    assert!(!found.contains_key("duplicate_line"), "{found:?}");
    assert_eq!(numbers(&customers, "monetary_avg"), [67.0, 0.0]);
}

#[test]
fn a_negative_price_of_a_negative_quantity_is_no_sale() {
    let out = folder();
    let line = "1016,A,odd,-3,2010-01-25 10:00:00,-100,13086.0,EIRE\n";
    let log = written(&out, "log.csv", &format!("{LINES}{line}"));
    let (found, customers, _) = rejected(&settings(&log, &[]));
    assert_eq!(found["negative_quantity_and_price"], 1);
    assert_eq!(numbers(&customers, "frequency"), [1.0, 0.0]);
}

/// Blanks around identifiers, dates and numbers change nothing.
#[test]
fn blanks_around_texts_are_taken_off() {
    let out = folder();
    let log = written(&out, "log.csv", LINES);
    let plain = rejected(&settings(&log, &[]));
    for (from, to) in
        [(",13085.0,", ", 13085.0 ,"), (",10.5,", ", 10.5,"), (",2010-01-11 ", ", 2010-01-11 ")]
    {
        let blank = written(&out, "blank.csv", &LINES.replacen(from, to, 1));
        let found = rejected(&settings(&blank, &[]));
        assert_eq!(found.0, plain.0, "{from}");
        assert!(found.1.equals(&plain.1), "{from}");
    }
    let nobody = written(&out, "nobody.csv", &LINES.replacen("30,,France", "30,  ,France", 1));
    assert_eq!(rejected(&settings(&nobody, &[])).0, plain.0);
}

/// Three lines of one day without an invoice number are three orders, just as if the column were
/// missing.
#[test]
fn lines_without_an_order_id_are_orders_of_their_own() {
    let out = folder();
    let line = |id: &str| format!("{id},A,x,1,2010-01-30 10:00:00,5,13086.0,EIRE\n");
    let more: String = ["", " ", "", "1020", " 1020"].map(line).concat();
    let log = written(&out, "log.csv", &format!("{LINES}{more}"));
    let (_, customers, _) = rejected(&settings(&log, &["transactions.merge_same_day=false"]));
    assert_eq!(numbers(&customers, "frequency"), [3.0, 4.0]);
}

/// 20,000 dates that are valid day-first and month-first do not settle the format. The whole column
/// decides; if it is ambiguous, the log is refused.
#[test]
fn day_and_month_are_settled_by_the_whole_column() {
    let out = folder();
    let mut text = "id,date,value\n".to_owned();
    (0..20_001).for_each(|i| writeln!(text, "{},01/01/2020,5", i % 50).expect("text"));
    let ambiguous = format!("{text}1,01/02/2020,5\n2,03/02/2020,5\n");
    let log = written(&out, "ambiguous.csv", &ambiguous);
    let refused = |log: &Path| {
        let set = vec!["input.path=x".to_owned()];
        let overrides =
            Overrides { input: Some(log.display().to_string()), set, ..Overrides::default() };
        let settings = parse(&small(), &overrides).expect("sound settings");
        prepare(&settings).err().map(|error| error.to_string())
    };
    let message = refused(&log).expect("an ambiguous log");
    assert!(message.contains("cannot be told apart"), "{message}");
    let log = written(&out, "clear.csv", &format!("{ambiguous}3,25/01/2020,5\n"));
    assert_eq!(refused(&log), None);
}

/// Typed columns: numbers with gaps as identifiers, times of day, lists, and a last day without an
/// entry in a column to keep.
#[test]
fn a_parquet_log_with_its_own_types() {
    let out = folder();
    let day = |date: &str| NaiveDate::parse_from_str(date, "%Y-%m-%d").expect("a date");
    let times: Vec<_> = ["2020-01-03", "2020-01-10", "2020-01-10", "2020-01-05", "2020-01-06"]
        .map(|date| day(date).and_hms_opt(23, 30, 0).expect("a time"))
        .to_vec();
    let lists: Vec<Series> = [&["A", "B"][..], &["B"], &["B"], &["C"], &["C"]]
        .map(|l| Series::new("".into(), l))
        .to_vec();
    let mut frame = DataFrame::new_infer_height(vec![
        Column::new("id".into(), [7.0, 7.0, f64::NAN, 8.0, f64::NAN]),
        Column::new("date".into(), times),
        Column::new("value".into(), [10.0, 20.0, 30.0, 40.0, f64::NAN]),
        Column::new("lists".into(), lists),
        Column::new("town".into(), [Some("Izmir"), None, Some("x"), Some("Bursa"), None]),
    ])
    .expect("columns");
    let path = out.path().join("log.parquet");
    let file = std::fs::File::create(&path).expect("a file");
    ParquetWriter::new(file).finish(&mut frame).expect("written");
    let overrides = Overrides {
        input: Some(path.display().to_string()),
        set: vec!["input.columns.keep=[\"lists\", \"town\"]".to_owned()],
        ..Overrides::default()
    };
    let settings = parse(&small(), &overrides).expect("sound settings");
    let (found, customers, _) = rejected(&settings);
    assert_eq!(found, counts(&[("missing_customer_id", 2)]));
    assert_eq!(texts(&customers, "customer_id"), ["7", "8"]);
    assert_eq!(numbers(&customers, "frequency"), [1.0, 0.0]);
    assert_eq!(numbers(&customers, "recency_weekly"), [1.0, 0.0]);
    assert_eq!(texts(&customers, "lists"), ["[B]", "[C]"]);
    assert_eq!(texts(&customers, "town"), ["Izmir", "Bursa"]);
}

/// Two orders on the first day, with the values 25 and 5: the first order counts as their mean.
#[test]
fn orders_of_a_day_can_stay_apart() {
    let out = folder();
    let log = written(&out, "log.csv", LINES);
    let apart = ["transactions.merge_same_day=false"];
    let (_, customers, _) = rejected(&settings(&log, &apart));
    assert_eq!(numbers(&customers, "frequency"), [3.0, 0.0]);
    let of_repeats = (97.0 - 15.0) / 3.0;
    close("monetary value", numbers(&customers, "monetary_avg")[0], of_repeats, 1e-15);
}

#[test]
fn what_a_cancellation_needs_is_said() {
    let out = folder();
    let log = written(&out, "log.csv", LINES);
    for (set, part) in [
        (
            "transactions.cancelled={ prefix = \"C\" }",
            "a column goes with prefix, equals or not_blank",
        ),
        ("transactions.cancelled={ negative_quantity = false }", "says nothing"),
        ("transactions.cancelled={ column = \"Invoice\", prefix = \"\" }", "prefix is empty"),
    ] {
        let log = log.display().to_string();
        let output = cltv(["run", "pipelines/transactions.toml", "--input", &log, "--set", set]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}

/// A line of the log: an order of a customer, or a return.
#[derive(Debug, Clone)]
struct Line {
    customer: u32,
    day: u32,
    cents: i64,
}

prop_compose! {
    fn line()(customer in 0..6u32, day in 0..40u32, cents in prop_oneof![-3000..9000i64, 1..20i64])
        -> Line
    {
        Line { customer, day, cents: if cents == 0 { 1 } else { cents } }
    }
}

fn csv_of(lines: &[Line]) -> String {
    let mut text = "id,date,value\n".to_owned();
    let start = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date");
    for line in lines {
        let day = start + Days::new(u64::from(line.day));
        let value = line.cents as f64 / 100.0;
        writeln!(text, "c{},{day},{value:.2}", line.customer).expect("text");
    }
    text
}

fn small() -> String {
    // The definition below knows returns of the same day only; src/frame/rules/returns.rs tests the
    // others.
    format!("{SMALL_LOG}observation_end = \"2020-02-15\"\nreturns = \"same_day\"\n")
}

/// customer → (frequency, recency, T, monetary value).
type Summaries = BTreeMap<String, [f64; 4]>;

fn summaries(input: &Path, unit: &str) -> Option<Summaries> {
    let overrides = Overrides {
        input: Some(input.display().to_string()),
        set: vec![format!("summary.time_unit={unit}")],
        ..Overrides::default()
    };
    let settings = parse(&small(), &overrides).expect("sound settings");
    let frame = prepare(&settings).ok()?.summary.frame;
    let ending = if unit == "week" { "weekly" } else { "daily" };
    let [recency, age] = ["recency", "T"].map(|name| format!("{name}_{ending}"));
    let columns = ["frequency", &recency, &age, "monetary_avg"].map(|name| numbers(&frame, name));
    let row = |i: usize| [0, 1, 2, 3].map(|k: usize| columns[k][i]);
    let ids = texts(&frame, "customer_id");
    Some(ids.into_iter().enumerate().map(|(i, id)| (id, row(i))).collect())
}

/// The same, computed directly from the definitions, in days. A day with a net purchase is an
/// order.
fn by_definition(lines: &[Line]) -> Summaries {
    const END: u32 = 45;
    let mut days: BTreeMap<u32, BTreeMap<u32, i64>> = BTreeMap::new();
    for line in lines {
        *days.entry(line.customer).or_default().entry(line.day).or_default() += line.cents;
    }
    let mut found = Summaries::new();
    for (customer, days) in days {
        let orders: Vec<(u32, i64)> = days.into_iter().filter(|(_, cents)| *cents > 0).collect();
        let (Some(first), Some(last)) = (orders.first(), orders.last()) else { continue };
        let repeats = orders.len() as f64 - 1.0;
        let spent: i64 = orders[1..].iter().map(|(_, cents)| cents).sum();
        let mean = if repeats > 0.0 { spent as f64 / 100.0 / repeats } else { 0.0 };
        let row = [repeats, f64::from(last.0 - first.0), f64::from(END - first.0), mean];
        found.insert(format!("c{customer}"), row);
    }
    found
}

fn same(left: &Summaries, right: &Summaries, tolerance: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (id, row) in left {
        for (a, b) in row.iter().zip(right[id]) {
            prop_assert!((a - b).abs() <= tolerance * b.abs(), "{id}: {row:?} {:?}", right[id]);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 40, ..Config::default() })]

    /// A summary follows the definitions. The sequence of the lines, their division into files, the
    /// time unit and other customers do not change it.
    #[test]
    fn a_summary_depends_on_the_orders_alone(
        lines in proptest::collection::vec(line(), 1..60).prop_shuffle(),
        cut in 0.0..1.0f64,
        seed in any::<u64>(),
    ) {
        let out = folder();
        let log = written(&out, "log.csv", &csv_of(&lines));
        let daily = summaries(&log, "day");
        let expected = by_definition(&lines);
        if expected.is_empty() {
            prop_assert!(daily.is_none());
            return Ok(());
        }
        let daily = daily.expect("a valid log");
        same(&daily, &expected, 1e-12)?;

        let mut shuffled = lines.clone();
        shuffled.sort_by_key(|line| {
            u64::from(line.day * 7 + line.customer).wrapping_mul(seed | 1).rotate_left(17)
        });
        let again = written(&out, "shuffled.csv", &csv_of(&shuffled));
        prop_assert_eq!(&summaries(&again, "day").expect("a valid log"), &daily);

        let parts = folder();
        let at = (cut * lines.len() as f64) as usize;
        written(&parts, "a.csv", &csv_of(&lines[..at]));
        written(&parts, "b.csv", &csv_of(&lines[at..]));
        prop_assert_eq!(&summaries(parts.path(), "day").expect("a valid log"), &daily);

        let mut weekly = summaries(&log, "week").expect("a valid log");
        weekly.values_mut().for_each(|row| row[1..3].iter_mut().for_each(|time| *time *= 7.0));
        same(&weekly, &daily, 1e-15)?;

        let more: Vec<Line> = lines
            .iter()
            .cloned()
            .chain([5, 9].map(|day| Line { customer: 99, day, cents: 500 }))
            .collect();
        let more = written(&out, "more.csv", &csv_of(&more));
        let mut with_others = summaries(&more, "day").expect("a valid log");
        prop_assert!(with_others.remove("c99").is_some());
        prop_assert_eq!(&with_others, &daily);
    }
}

/// The same customers as a log and as an export of their totals give the same customers.parquet.
#[test]
fn a_log_and_an_export_of_the_same_customers_agree() {
    let out = folder();
    let log = out.path().join("log.csv");
    let made = cltv([
        "simulate",
        "transactions",
        "--customers",
        "3000",
        "--seed",
        "8",
        "--end",
        "2011-12-09",
        "--acquired-over",
        "730",
        "--cancelled",
        "0",
        "--without-id",
        "0",
        "--out",
        &log.display().to_string(),
    ]);
    assert!(made.status.success(), "{}", stderr(&made));
    let export = written(&out, "export.csv", &export_of(&csv(&log)));
    let pipeline = "
        [input]
        path = \"?\"
        [input.columns]
        customer_id = \"id\"
        first_order_date = \"first\"
        last_order_date = \"last\"
        orders = [\"orders\"]
        value = [\"value\"]
        [outliers]
        columns = []
        [summary]
        analysis_date = \"2011-12-09\"
    ";
    let pipeline = written(&out, "export.toml", pipeline);
    let (a, b) = (out.path().join("a"), out.path().join("b"));
    let of_all = ["--set", "summary.monetary_value=\"orders\"", "--set", "input.columns.keep=[]"];
    run_ok("pipelines/transactions.toml", &log, &a, &of_all);
    run_ok(&pipeline.display().to_string(), &export, &b, &[]);
    let tables = [a, b].map(|folder| parquet(&folder.join("customers.parquet")));
    assert_eq!(tables[0].get_column_names(), tables[1].get_column_names());
    for name in tables[0].get_column_names() {
        match name.as_str() {
            "customer_id" | "cltv_segment" | "rfm_segment" => {
                assert_eq!(texts(&tables[0], name), texts(&tables[1], name), "{name}");
            }
            _ => {
                let columns = [0, 1].map(|k: usize| numbers(&tables[k], name));
                for (from_log, from_export) in columns[0].iter().zip(&columns[1]) {
                    close(name, *from_log, *from_export, 1e-9);
                }
            }
        }
    }
}

/// Totals per customer, in order of first appearance, added up line by line.
fn export_of(lines: &DataFrame) -> String {
    let (ids, dates) = (numbers(lines, "Customer ID"), texts(lines, "InvoiceDate"));
    let (quantity, price) = (numbers(lines, "Quantity"), numbers(lines, "Price"));
    let mut order: Vec<u64> = Vec::new();
    let mut days: BTreeMap<u64, BTreeMap<String, f64>> = BTreeMap::new();
    for i in 0..lines.height() {
        let id = ids[i] as u64;
        if !days.contains_key(&id) {
            order.push(id);
        }
        let day = dates[i][..10].to_owned();
        *days.entry(id).or_default().entry(day).or_default() += quantity[i] * price[i];
    }
    let mut text = "id,first,last,orders,value\n".to_owned();
    for id in order {
        let days = &days[&id];
        let (first, last) =
            (days.keys().next().expect("a day"), days.keys().last().expect("a day"));
        let value: f64 = days.values().sum();
        writeln!(text, "{id},{first},{last},{},{value}", days.len()).expect("text");
    }
    text
}
