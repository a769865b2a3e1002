//! Bad input, given to the binary: it ends with a clear error and the right exit code, or counts
//! and quarantines the row. It never panics, writes a NaN or leaves half an output.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::*;

const HEADER: &str = "master_id,order_channel,last_order_channel,first_order_date,last_order_date,\
    order_num_total_ever_online,order_num_total_ever_offline,customer_value_total_ever_offline,\
    customer_value_total_ever_online,interested_in_categories_12";

/// A valid export with this number of customers, all different; lines end with LF.
pub fn export(customers: u32) -> String {
    let mut text = format!("{HEADER}\n");
    for i in 0..customers {
        let (online, offline) = (1 + i % 7, 1 + (i / 7) % 3);
        let day = 1 + i % 28;
        let _ = writeln!(
            text,
            "id{i},Mobile,Offline,2019-{:02}-{day:02},2021-0{}-{day:02},{online}.0,{offline}.0,{}.5,{}.25,\"[KADIN, ERKEK]\"",
            1 + i % 12,
            1 + i % 5,
            20 + (i * 37) % 90 * offline,
            30 + (i * 53) % 110 * online,
        );
    }
    text
}

struct Case {
    folder: TempDir,
}

impl Case {
    fn new(name: &str, text: impl AsRef<[u8]>) -> (Self, PathBuf) {
        let case = Self { folder: folder() };
        let file = case.folder.path().join(name);
        std::fs::write(&file, text).expect("written");
        (case, file)
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn run(&self, input: &Path, more: &[&str]) -> (i32, String) {
        let pipeline = project("pipelines/flo.toml");
        let mut arguments = vec!["run".into(), pipeline.into_os_string()];
        arguments.extend(["--input".into(), input.into(), "--output".into(), self.out().into()]);
        arguments.extend(more.iter().map(Into::into));
        let output = cltv(arguments);
        let text = stderr(&output);
        assert!(!text.contains("panicked"), "{text}");
        (output.status.code().expect("an exit code"), text)
    }
}

/// The run fails with `code`, its message contains each of `words`, and it writes nothing.
#[track_caller]
fn refused(text: impl AsRef<[u8]>, more: &[&str], code: i32, words: &[&str]) {
    let (case, file) = Case::new("export.csv", text);
    let (status, stderr) = case.run(&file, more);
    assert_eq!(status, code, "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not in: {stderr}");
    }
    assert!(!case.out().join("run.json").exists());
    assert!(!case.out().join("customers.parquet").exists());
}

/// The run succeeds and sets exactly one row aside: row number `row`, under `rule`.
#[track_caller]
fn quarantined(text: &str, more: &[&str], rule: &str, row: f64) {
    let (case, file) = Case::new("export.csv", text);
    let (status, stderr) = case.run(&file, more);
    assert_eq!(status, 0, "{stderr}");
    let quarantine = parquet(&case.out().join("quarantine.parquet"));
    assert_eq!(texts(&quarantine, "rule"), [rule]);
    assert_eq!(numbers(&quarantine, "row_number"), [row]);
    assert_eq!(texts(&quarantine, "file"), [file.display().to_string()]);
    assert!(quarantine.column("raw_master_id").is_ok());
    let run = json(&case.out().join("run.json"));
    close(rule, number(&run, &format!("/rejected/{rule}")), 1.0, 0.0);
    let sum = number(&run, "/rows/kept") + number(&run, "/rows/rejected");
    close("rows", sum, number(&run, "/rows/read"), 0.0);
    sound(&case.out());
}

/// No column of the customers has a null, NaN or infinity.
fn sound(out: &Path) {
    let customers = parquet(&out.join("customers.parquet"));
    for column in customers.columns() {
        assert_eq!(column.null_count(), 0, "{}", column.name());
        if let Ok(values) = column.f64() {
            assert!(values.iter().flatten().all(f64::is_finite), "{}", column.name());
        }
    }
    let text = std::fs::read_to_string(out.join("run.json")).expect("run.json");
    assert!(!text.contains("NaN") && !text.contains("inf\""));
}

/// The valid export with one more row.
fn with_row(row: &str) -> String {
    format!("{}{row}\n", export(200))
}

#[test]
fn a_missing_file() {
    let case = Case { folder: folder() };
    let (code, text) = case.run(Path::new("data/flo_sampel.csv"), &[]);
    assert_eq!(code, 3);
    assert!(text.contains("did you mean data/flo_sample.csv?"), "{text}");
}

#[test]
fn a_renamed_column_names_the_nearest() {
    let text = export(200).replace("master_id", "masterid");
    refused(text, &[], 3, &["no column \"master_id\"", "nearest is \"masterid\""]);
}

#[test]
fn every_missing_column_is_named_at_once() {
    let text = export(200).replace("master_id", "x").replace("first_order_date", "y");
    refused(text, &[], 3, &["\"master_id\"", "\"first_order_date\""]);
}

#[test]
fn an_empty_file() {
    refused("", &[], 3, &["the file is empty"]);
    refused("\n\n", &[], 3, &["the file is empty"]);
}

#[test]
fn a_header_only() {
    refused(format!("{HEADER}\n"), &[], 3, &["header and no rows"]);
}

#[test]
fn not_utf8() {
    // UTF-16 is read, so the fault is that of the file, whose only column is "a".
    refused([0xff, 0xfe, b'a', 0], &[], 3, &["no column \"master_id\"", "there are a"]);
    // Bytes that no encoding of the kind has, and a name that none is called by.
    let mut wrong = export(200).into_bytes();
    wrong.extend(b"\x81\x9did,Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,9,9,[]\n");
    refused(wrong, &[], 3, &["input.encoding"]);
    refused(export(200), &["--set", "input.encoding=utf-5"], 3, &["utf-5"]);
}

#[test]
fn text_in_a_number_column() {
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,many,1.0,9,9,[]";
    quarantined(&with_row(row), &[], "unreadable_order_count", 201.0);
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,nine,9,[]";
    quarantined(&with_row(row), &[], "unreadable_value", 201.0);
}

#[test]
fn text_throughout_a_number_column() {
    let map = "input.columns.value=[\"order_channel\"]";
    refused(
        export(200),
        &["--set", map],
        3,
        &["every row breaks a rule", "200 unreadable_value", "Mobile"],
    );
}

#[test]
fn nan_and_infinity() {
    for value in ["NaN", "inf", "-inf", "1e999"] {
        let row = format!("bad,Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,{value},9,[]");
        quarantined(&with_row(&row), &[], "unreadable_value", 201.0);
        let row = format!("bad,Mobile,Offline,2020-01-01,2021-01-01,{value},1.0,9,9,[]");
        quarantined(&with_row(&row), &[], "unreadable_order_count", 201.0);
    }
}

#[test]
fn a_duplicate_customer() {
    let row = "id7,Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,9,9,[]";
    quarantined(&with_row(row), &[], "duplicate_customer_id", 201.0);
}

#[test]
fn a_missing_customer_id() {
    for id in ["", "   "] {
        let row = format!("{id},Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,9,9,[]");
        quarantined(&with_row(&row), &[], "missing_customer_id", 201.0);
    }
}

#[test]
fn dates_that_cannot_be() {
    let row = "bad,Mobile,Offline,2021-01-02,2021-01-01,1.0,1.0,9,9,[]";
    quarantined(&with_row(row), &[], "first_order_after_last", 201.0);
    let row = "bad,Mobile,Offline,2020-02-31,2021-01-01,1.0,1.0,9,9,[]";
    quarantined(&with_row(row), &[], "unreadable_date", 201.0);
    let row = "bad,Mobile,Offline,,2021-01-01,1.0,1.0,9,9,[]";
    quarantined(&with_row(row), &[], "unreadable_date", 201.0);
    let row = "bad,Mobile,Offline,2020-01-01,2021-06-02,1.0,1.0,9,9,[]";
    quarantined(&with_row(row), &["--as-of", "2021-06-01"], "order_after_as_of", 201.0);
}

#[test]
fn impossible_totals() {
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,-1.0,2.0,9,9,[]";
    quarantined(&with_row(row), &[], "negative_order_count", 201.0);
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,0.0,0.0,9,9,[]";
    quarantined(&with_row(row), &[], "no_orders", 201.0);
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,1.5,1.0,9,9,[]";
    quarantined(&with_row(row), &[], "order_count_not_whole", 201.0);
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,1.0,0.0,9,9,[]";
    quarantined(&with_row(row), &[], "one_order_on_two_dates", 201.0);
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,-9,20,[]";
    quarantined(&with_row(row), &[], "negative_value", 201.0);
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,0,0,[]";
    quarantined(&with_row(row), &[], "no_value", 201.0);
}

#[test]
fn an_ambiguous_date_order_shows_the_setting() {
    let mut text = format!("{HEADER}\n");
    for i in 0..50 {
        let _ = writeln!(
            text,
            "id{i},M,O,0{}/0{}/2020,03/04/2021,1.0,1.0,9,9,[]",
            1 + i % 9,
            1 + i % 7
        );
    }
    refused(text, &[], 3, &["cannot be told apart", "date_format = \"%d/%m/%Y\"", "%m/%d/%Y"]);
}

#[test]
fn too_little_to_learn_from() {
    let row = ",M,O,2020-01-01,2021-01-01,2.0,1.0,60,30,[]";
    let alike: String = (0..50).map(|i| format!("id{i}{row}\n")).collect();
    // The nearest model that stands predicts, and --strict refuses it.
    for text in [export(1), format!("{HEADER}\n{alike}")] {
        let (case, file) = Case::new("export.csv", &text);
        let (code, stderr) = case.run(&file, &[]);
        assert_eq!(code, 0, "{stderr}");
        assert!(stderr.contains("only 1 distinct histories"), "{stderr}");
        assert!(stderr.contains("code=\"model_replaced\""), "{stderr}");
        sound(&case.out());
        refused(text, &["--strict"], 4, &["--strict", "model_replaced"]);
    }
}

/// Every order costs 25, so there is nothing to learn about spend, and the run says so.
#[test]
fn order_values_all_alike() {
    let mut text = format!("{HEADER}\n");
    for i in 0..200u32 {
        let (orders, day) = (2 + i % 12, 1 + i % 28);
        let (first, last) = (1 + i % 12, 1 + i % 5);
        let value = 25 * orders;
        let _ = writeln!(
            text,
            "id{i},M,O,2019-{first:02}-{day:02},2021-0{last}-{day:02},{orders}.0,0.0,0,{value},[]"
        );
    }
    let (case, file) = Case::new("export.csv", text);
    let (code, stderr) = case.run(&file, &["--set", "spend.l2_penalty=0"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("code=\"spend_replaced\""), "{stderr}");
    sound(&case.out());
}

#[test]
fn nobody_has_enough_orders() {
    refused(export(200), &["--set", "summary.min_orders=99"], 3, &["lower summary.min_orders"]);
}

#[test]
fn more_fields_than_the_header() {
    let row = "bad,Mobile,Offline,2020-01-01,2021-01-01,1.0,1.0,9,9,[A, B]";
    refused(with_row(row), &[], 3, &["line 202 has 11 fields, the header 10"]);
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let (case, file) = Case::new("export.csv", export(200));
    std::fs::write(case.out(), "a file is in the way").expect("written");
    let (code, text) = case.run(&file, &[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("it is a file, not a folder"), "{text}");
}

#[test]
fn wrong_pipelines_name_every_fault() {
    let (case, file) = Case::new("export.csv", export(200));
    let faults =
        ["--set", "sumary.min_orders=2", "--set", "purchases.l2_penalti=1", "--as-of", "1.6.2021"];
    let (code, text) = case.run(&file, &faults);
    assert_eq!(code, 2, "{text}");
    for word in ["did you mean summary?", "did you mean l2_penalty?", "\"1.6.2021\" is not a date"]
    {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    let faults = [
        "--set",
        "outliers.quantiles=[0.9, 0.1]",
        "--set",
        "forecast.horizons=[]",
        "--set",
        "segments.labels=[\"A\", \"A\"]",
        "--set",
        "output.formats=[\"csv\", \"csv\"]",
    ];
    let (code, text) = case.run(&file, &faults);
    assert_eq!(code, 2, "{text}");
    for word in [
        "outliers.quantiles",
        "forecast.horizons is empty",
        "a label appears twice",
        "a format appears twice",
    ] {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    let (code, text) = case
        .run(&file, &["--set", "purchases.model=\"bgnbd\"", "--set", "summary.min_orders=\"two\""]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("bg_nbd") && text.contains("[summary]"), "{text}");
}

/// Only one customer in 300 uses a channel: outlier limits of 0 to 0 would erase those orders.
#[test]
fn a_rare_channel_keeps_its_orders() {
    let mut text = format!("{HEADER}\n");
    for i in 0..300u32 {
        let (online, value) = (2 + i % 7, 30 + (i * 53) % 110);
        let (first, last, day) = (1 + i % 12, 1 + i % 5, 1 + i % 28);
        let _ = writeln!(
            text,
            "id{i},M,M,2019-{first:02}-{day:02},2021-0{last}-{day:02},{online}.0,0.0,0,{value},[]"
        );
    }
    let rare = "rare,Mobile,Offline,2020-01-01,2021-01-01,0.0,3.0,90,0,[]";
    let (case, file) = Case::new("export.csv", format!("{text}{rare}\n"));
    let (status, stderr) = case.run(&file, &[]);
    assert_eq!(status, 0, "{stderr}");
    let customers = parquet(&case.out().join("customers.parquet"));
    let row = texts(&customers, "customer_id").iter().position(|id| id == "rare").expect("kept");
    assert_eq!(numbers(&customers, "frequency")[row], 3.0);
    let warnings = json(&case.out().join("run.json"))["warnings"].to_string();
    assert!(warnings.contains("column_without_limits"), "{warnings}");
    sound(&case.out());
}

#[test]
fn input_columns_may_have_any_name() {
    let text = export(200).replace("order_channel,last_order_channel", "rule,file");
    let (case, file) =
        Case::new("export.csv", format!("{text},R1,F1,2020-01-01,2021-01-01,1.0,1.0,9,9,[]\n"));
    let (status, stderr) = case.run(&file, &["--set", "input.columns.keep=[\"rule\", \"file\"]"]);
    assert_eq!(status, 0, "{stderr}");
    let customers = parquet(&case.out().join("customers.parquet"));
    assert!(texts(&customers, "rule").iter().all(|value| value == "Mobile"));
    let quarantine = parquet(&case.out().join("quarantine.parquet"));
    assert_eq!(texts(&quarantine, "rule"), ["missing_customer_id"]);
    assert_eq!(texts(&quarantine, "raw_rule"), ["R1"]);
}

/// Parquet with dates as whole numbers (20210530) and a kept column of numbers with gaps.
#[test]
fn parquet_with_odd_types() {
    use polars::prelude::*;
    let (case, file) = Case::new("export.csv", export(200));
    let gaps = when(col("order_num_total_ever_online").gt(lit(3.0)))
        .then(lit(f64::NAN))
        .when(col("order_num_total_ever_online").gt(lit(2.0)))
        .then(lit(NULL))
        .otherwise(lit(1.5));
    let mut frame = csv(&file)
        .lazy()
        .with_columns([
            as_whole_number("first_order_date"),
            as_whole_number("last_order_date"),
            gaps.alias("age"),
        ])
        .collect()
        .expect("typed");
    let typed = case.out().with_extension("parquet");
    ParquetWriter::new(std::fs::File::create(&typed).expect("created"))
        .finish(&mut frame)
        .expect("written");
    let (status, stderr) = case.run(&typed, &["--set", "input.columns.keep=[\"age\"]"]);
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(json(&case.out().join("run.json"))["last_order"], "2021-05-28");
    sound(&case.out());
}

/// 2021-05-30 as the number 20210530.
fn as_whole_number(name: &str) -> polars::prelude::Expr {
    use polars::prelude::*;
    let options = StrptimeOptions { format: Some("%Y-%m-%d".into()), ..Default::default() };
    let date = col(name).cast(DataType::String).str().to_date(options);
    date.dt().strftime("%Y%m%d").cast(DataType::Int64).alias(name)
}

#[test]
fn customers_left_out_by_the_pipeline_are_a_warning() {
    let row = "one,Mobile,Offline,2021-01-01,2021-01-01,1.0,0.0,0,9,[]";
    let (case, file) = Case::new("export.csv", with_row(row));
    let (status, stderr) = case.run(&file, &[]);
    assert_eq!(status, 0, "{stderr}");
    let run = json(&case.out().join("run.json"));
    close("left out", number(&run, "/rows/below_min_orders"), 1.0, 0.0);
    assert!(run["warnings"].to_string().contains("customers_left_out"));
}

#[test]
fn a_selection_that_cannot_be_is_refused() {
    let (case, file) = Case::new("export.csv", export(200));
    for (setting, said) in [
        ("selection.min_orders=3", "worked out for 1 and 2 only"),
        ("selection.min_orders=1", "says nothing"),
        ("selection.last_order_within_days=365", "leaves out customers"),
        ("selection.last_order_on_or_after=2030-01-01", "repeat_orders"),
        ("selection.last_order=2020-01-01", "did you mean last_order_"),
        ("uncertainty.level=90", "not between 0.01 and 0.999"),
        ("purchases.model=auto", "needs l2_penalty = 0"),
    ] {
        let (code, text) = case.run(&file, &["--set", setting]);
        assert_eq!(code, 2, "{setting}: {text}");
        assert!(text.contains(said), "{setting}: {text}");
    }
}

#[test]
fn a_selection_after_the_observation_end_is_refused() {
    let (case, file) = Case::new("export.csv", export(200));
    let free = ["--set", "summary.frequency=repeat_orders", "--set", "purchases.l2_penalty=0"];
    let late =
        ["--set", "selection.last_order_on_or_after=2030-01-01", "--set", "selection.min_orders=2"];
    let (code, text) = case.run(&file, &[free.as_slice(), &late].concat());
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("not before the observation end"), "{text}");
}

#[test]
fn wrong_usage() {
    let output = cltv(["run", "pipelines/nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(cltv(["run"]).status.code(), Some(2));
    assert_eq!(cltv(["fly"]).status.code(), Some(2));
}

#[test]
fn strict_refuses_and_keeps_the_earlier_output() {
    let (case, file) =
        Case::new("export.csv", with_row("id7,M,O,2020-01-01,2021-01-01,1.0,1.0,9,9,[]"));
    std::fs::create_dir(case.out()).expect("made");
    std::fs::write(case.out().join("run.json"), "earlier").expect("written");
    let (code, text) = case.run(&file, &["--strict"]);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("rows_set_aside"), "{text}");
    let left = std::fs::read_to_string(case.out().join("run.json")).expect("still there");
    assert_eq!(left, "earlier");
}

/// Errors of the models come with what to set in the pipeline file.
#[test]
fn what_may_help_is_said_in_keys_of_the_pipeline() {
    let out = folder();
    let one_channel = out.path().join("one_channel.csv");
    // Four customers ordered online only: one more than strays could be.
    std::fs::write(&one_channel, export(300).replacen(",1.0,1.0,", ",2.0,0.0,", 4))
        .expect("written");
    let both = [
        "summary.frequency=\"repeat_orders\"",
        "selection={both_channels=true}",
        "purchases.l2_penalty=0",
    ];
    // Everybody's only order is of the last day.
    let today = out.path().join("today.csv");
    let row = ",M,O,2021-01-01,2021-01-01,1.0,1.0,60,30,[]";
    std::fs::write(&today, format!("{HEADER}\nid1{row}\nid2{row}\n")).expect("written");
    let as_of = ["summary.analysis_date=2021-01-01"];
    for (input, set, remedy) in [
        (today, &as_of[..], "check that the right columns are named in [input.columns]"),
        (one_channel, &both, "remove selection.both_channels"),
    ] {
        let mut arguments = vec!["run".to_owned(), "pipelines/flo.toml".into(), "--input".into()];
        arguments.extend([input.display().to_string(), "--output".into()]);
        arguments.push(out.path().join("run").display().to_string());
        arguments.extend(set.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]));
        let output = cltv(arguments);
        assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
        assert!(stderr(&output).contains(remedy), "{}", stderr(&output));
        assert!(!out.path().join("run").exists());
    }
}
