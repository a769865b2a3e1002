//! What holds for every run: it is repeatable and complete, and does not depend on the form of the
//! input.

use std::collections::BTreeSet;
use std::path::Path;

use cltv::pipeline::Started;
use cltv::settings::{Overrides, load};
use polars::prelude::*;
use sha2::{Digest, Sha256};

use crate::support::*;

const SAMPLE: &str = "data/flo_sample.csv";

/// The files of a run and their bytes, without run.json.
fn contents(out: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(out)
        .expect("the output folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
        .filter(|(name, _)| name != "run.json")
        .map(|(name, path)| (name, std::fs::read(path).expect("readable")))
        .collect();
    files.sort();
    files
}

#[test]
fn same_input_same_bytes() {
    let (first, second) = (folder(), folder());
    run_ok("pipelines/flo.toml", &project(SAMPLE), first.path(), &[]);
    run_ok("pipelines/flo.toml", &project(SAMPLE), second.path(), &[]);
    run_ok("pipelines/flo.toml", &project(SAMPLE), second.path(), &[]);
    let names: Vec<String> = contents(first.path()).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "customers.csv",
        "customers.parquet",
        "figures.json",
        "forecast.csv",
        "model.json",
        "next_month.csv",
        "profiles.csv",
        "quarantine.parquet",
        "report.html",
        "rfm.csv",
        "segments.csv",
        "top_customers.csv",
    ];
    assert_eq!(names, expected);
    assert!(contents(first.path()) == contents(second.path()), "two runs differ");
}

#[test]
fn the_sample_shows_the_sickness_of_the_real_file() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    let warnings = json(&out.path().join("model.json"))["warnings"].to_string();
    assert!(warnings.contains("dropout_not_identified"), "{warnings}");
    assert!(warnings.contains("selected_customers"), "{warnings}");
    let strict = cltv(
        ["run", "pipelines/flo.toml", "--strict", "--output"]
            .map(Into::into)
            .into_iter()
            .chain([out.path().join("strict").into_os_string()]),
    );
    assert_eq!(strict.status.code(), Some(4), "{}", stderr(&strict));
    assert!(!out.path().join("strict").exists());
}

/// The sample in other forms: CRLF, semicolons, order counts without decimals, a byte order mark,
/// Parquet, a folder of two files, a glob, day-first dates.
#[test]
fn the_form_of_the_input_changes_nothing() {
    let work = folder();
    let text = std::fs::read_to_string(project(SAMPLE)).expect("the sample");
    let sample: String = text.lines().take(3001).map(|line| format!("{line}\n")).collect();
    let plain = work.path().join("plain.csv");
    std::fs::write(&plain, &sample).expect("written");
    let expected = predictions(&plain, work.path());
    let frame = text_columns(&plain);
    let crlf = work.path().join("crlf.csv");
    std::fs::write(&crlf, sample.replace('\n', "\r\n")).expect("written");
    let whole = work.path().join("whole.csv");
    std::fs::write(&whole, sample.replace(".0,", ",")).expect("written");
    let semicolons = work.path().join("semicolons.csv");
    save_csv(&mut frame.clone(), &semicolons, b';');
    let bom = work.path().join("bom.csv");
    std::fs::write(&bom, format!("\u{feff}{sample}")).expect("written");
    let typed = work.path().join("typed.parquet");
    save_parquet(&plain, &typed);
    let parts = work.path().join("parts");
    std::fs::create_dir(&parts).expect("made");
    save_csv(&mut frame.slice(0, 1000), &parts.join("1.csv"), b',');
    save_csv(&mut frame.slice(1000, 2000), &parts.join("2.csv"), b',');
    for form in [crlf, whole, semicolons, bom, typed, parts.clone(), parts.join("*.csv")] {
        assert!(predictions(&form, work.path()) == expected, "{} differs", form.display());
    }
    let day_first = work.path().join("day_first.csv");
    std::fs::write(&day_first, with_dates_day_first(&sample)).expect("written");
    assert!(predictions(&day_first, work.path()) == expected, "day-first dates differ");
}

fn predictions(input: &Path, work: &Path) -> Vec<Vec<f64>> {
    let out = work.join("out");
    run_ok("pipelines/flo.toml", input, &out, &[]);
    let customers = parquet(&out.join("customers.parquet"));
    ["frequency", "T_weekly", "monetary_cltv_avg", "exp_sales_6_month", "cltv"]
        .map(|column| numbers(&customers, column))
        .to_vec()
}

fn text_columns(path: &Path) -> DataFrame {
    let path = PlRefPath::try_from_path(path).expect("a path");
    let reader = LazyCsvReader::new(path).with_infer_schema_length(Some(0));
    reader.finish().and_then(LazyFrame::collect).expect("a CSV file")
}

fn save_csv(frame: &mut DataFrame, path: &Path, separator: u8) {
    let file = std::fs::File::create(path).expect("created");
    CsvWriter::new(file).with_separator(separator).finish(frame).expect("written");
}

/// As Parquet, with columns of numbers and dates instead of text.
fn save_parquet(csv_file: &Path, path: &Path) {
    let options = || StrptimeOptions { format: Some("%Y-%m-%d".into()), ..Default::default() };
    let mut frame = csv(csv_file)
        .lazy()
        .with_columns(
            ["first_order_date", "last_order_date"].map(|name| col(name).str().to_date(options())),
        )
        .collect()
        .expect("dates");
    let file = std::fs::File::create(path).expect("created");
    ParquetWriter::new(file).finish(&mut frame).expect("written");
}

/// 2021-05-30 as 30/05/2021.
fn with_dates_day_first(text: &str) -> String {
    let turned = |field: &str| match field.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] if year.len() == 4 && day.len() == 2 => format!("{day}/{month}/{year}"),
        _ => field.to_owned(),
    };
    text.lines()
        .map(|line| line.split(',').map(turned).collect::<Vec<_>>().join(",") + "\n")
        .collect()
}

/// The segments add up to the company, their shares to 1, and they are ordered and do not overlap.
#[test]
fn segments_add_up() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    let segments = csv(&out.path().join("segments.csv"));
    let run = json(&out.path().join("run.json"));
    close("share", numbers(&segments, "share_of_expected_value").iter().sum(), 1.0, 1e-12);
    close(
        "value",
        numbers(&segments, "total_cltv").iter().sum(),
        number(&run, "/company/total_cltv"),
        1e-12,
    );
    let customers: f64 = numbers(&segments, "customers").iter().sum();
    close("customers", customers, number(&run, "/rows/customers"), 0.0);
    assert_eq!(texts(&segments, "segment"), ["D", "C", "B", "A"]);
    let (lower, upper) = (numbers(&segments, "cltv_lower"), numbers(&segments, "cltv_upper"));
    assert_eq!(lower[1..], upper[..3]);
    assert!(lower.iter().zip(&upper).all(|(lower, upper)| lower < upper));
}

/// Every suggested action uses the figures of its own segment: no two are alike, and each names the
/// segment's share of the value, main channel and most bought category.
#[test]
fn advice_uses_the_segments_own_figures() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    let segments = csv(&out.path().join("segments.csv"));
    let actions = texts(&segments, "suggested_action");
    assert_eq!(actions.iter().collect::<BTreeSet<_>>().len(), 4, "{actions:?}");
    for (row, action) in actions.iter().enumerate() {
        let share = 100.0 * numbers(&segments, "share_of_expected_value")[row];
        assert!(action.contains(&format!("{share:.0} % of the value")), "{action}");
        assert!(action.contains(&texts(&segments, "main_channel")[row]), "{action}");
        let categories = texts(&segments, "top_categories")[row].clone();
        let first = categories.split(", ").next().expect("a category").to_owned();
        assert!(!first.is_empty() && !first.contains(['[', ']']), "{categories}");
        assert!(action.contains(&first), "{action}");
    }
}

/// Without a discount, cltv is expected orders times expected average value.
#[test]
fn without_discount_the_value_is_orders_times_average() {
    let out = folder();
    let plain = [
        "--set",
        "lifetime_value.monthly_discount_rate=0",
        "--set",
        "lifetime_value.weeks_per_month=4.0",
    ];
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &plain);
    let customers = parquet(&out.path().join("customers.parquet"));
    let orders = numbers(&customers, "exp_sales_6_month");
    let average = numbers(&customers, "exp_average_value");
    for (row, cltv) in numbers(&customers, "cltv").into_iter().enumerate() {
        close("cltv", cltv, orders[row] * average[row], 1e-10);
    }
}

/// With days instead of weeks, the columns and α differ, but the orders are the same.
#[test]
fn the_time_unit_changes_nothing() {
    let (weeks, days) = (folder(), folder());
    run_ok("pipelines/flo.toml", &project(SAMPLE), weeks.path(), &[]);
    let unit = ["--set", "summary.time_unit=\"day\"", "--set", "output.rename={}"];
    run_ok("pipelines/flo.toml", &project(SAMPLE), days.path(), &unit);
    let (in_weeks, in_days) = (
        parquet(&weeks.path().join("customers.parquet")),
        parquet(&days.path().join("customers.parquet")),
    );
    let pairs = numbers(&in_weeks, "exp_sales_6_month")
        .into_iter()
        .zip(numbers(&in_days, "exp_sales_6_month"));
    for (week, day) in pairs {
        close("orders", day, week, 1e-9);
    }
    close("T", numbers(&in_days, "T_daily")[0], 7.0 * numbers(&in_weeks, "T_weekly")[0], 1e-12);
}

#[test]
fn stale_files_of_an_earlier_run_go() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    assert!(out.path().join("customers.csv").exists());
    run_ok(
        "pipelines/flo.toml",
        &project(SAMPLE),
        out.path(),
        &["--set", "output.formats=[\"parquet\"]"],
    );
    assert!(!out.path().join("customers.csv").exists());
    let hidden = std::fs::read_dir(out.path()).expect("listed").flatten();
    assert!(hidden.into_iter().all(|e| !e.file_name().to_string_lossy().starts_with('.')));
}

/// The library runs a pipeline as the program does.
#[test]
fn the_library_writes_what_the_program_writes() {
    let (by_library, by_program) = (folder(), folder());
    let overrides = Overrides {
        input: Some(project(SAMPLE).display().to_string()),
        output: Some(by_library.path().join("run")),
        ..Overrides::default()
    };
    let settings = load(&project("pipelines/flo.toml"), &overrides).expect("a pipeline");
    let started = Started { at: "2021-06-01T03:00:00Z".into(), pipeline: "flo.toml".into() };
    let (run, written) = cltv::pipeline::run(&settings, &started).expect("a run");
    assert_eq!(run.scored.height(), 20_073);
    run_ok("pipelines/flo.toml", &project(SAMPLE), by_program.path(), &[]);
    assert_eq!(contents(&written), contents(by_program.path()));
}

#[test]
fn fingerprints_are_those_of_the_files() {
    let out = folder();
    run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    let run = json(&out.path().join("run.json"));
    let outputs = run["outputs"].as_array().expect("a list");
    assert_eq!(outputs.len(), 11);
    for output in outputs {
        let name = output["file"].as_str().expect("a name");
        let bytes = std::fs::read(out.path().join(name)).expect("readable");
        let hash = Sha256::digest(&bytes);
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(output["sha256"], digits, "{name}");
        assert_eq!(output["bytes"], bytes.len(), "{name}");
    }
}

#[test]
fn help_has_examples_and_completions_complete() {
    for command in [
        &["--help"][..],
        &["run", "--help"],
        &["simulate", "--help"],
        &["simulate", "customers", "--help"],
        &["simulate", "transactions", "--help"],
        &["completions", "--help"],
    ] {
        let output = cltv(command);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("Example"), "{command:?}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = cltv(["completions", shell]);
        assert!(output.status.success() && output.stdout.len() > 500, "{shell}");
    }
}

#[test]
fn quiet_is_quiet_and_json_logs_are_json() {
    let out = folder();
    let quiet = run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &["-q"]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty(), "{}", stderr(&quiet));
    let plain = run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &[]);
    assert!(!plain.stdout.contains(&0x1b), "there are colours in a pipe");
    let logged =
        run_ok("pipelines/flo.toml", &project(SAMPLE), out.path(), &["--log-format", "json"]);
    let lines = stderr(&logged);
    assert!(lines.lines().count() >= 2);
    for line in lines.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(entry["level"].is_string() && entry["message"].is_string(), "{line}");
    }
}
