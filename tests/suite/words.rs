//! Findings and suggested actions in both languages of the report: there is a text for each that a
//! run can have, and the facts of real runs fill its placeholders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cltv::internal::advise;
use cltv::internal::{Language, Words};
use cltv::results::advice::{Advice, Play};
use cltv::results::findings::Finding;
use cltv::results::profiles::Profile;
use cltv::settings::{Overrides, Rfm, Settings, load};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::*;

const SAMPLE: &str = "data/flo_sample.csv";
const LOG: &str = "data/orders_sample.csv";

/// Findings of pipelines/flo.toml, with settings that provoke them.
const FLO: &[(&[&str], &[&str])] = &[
    (
        &[],
        &[
            "dropout_not_identified",
            "selected_customers-lately_again",
            "spend_without_population_mean-penalty",
            "selection_by_channels-not_compared",
            "first_order_counted",
        ],
    ),
    (
        &["purchases.model=nbd", "spend.l2_penalty=0", "outliers.columns=[]"],
        &["no_dropout_by_choice"],
    ),
    (
        &["purchases.model=pareto_nbd", "purchases.l2_penalty=0"],
        &["model_replaced-without_fit", "spend_without_population_mean-penalty"],
    ),
];
/// The same for pipelines/flo_selection_aware.toml.
const SELECTION: &[(&[&str], &[&str])] = &[
    (
        &["selection.last_order_on_or_after=2019-05-30"],
        &[
            "parameters_not_identified",
            "intervals_missing",
            "selection_window_differs",
            "selection_corrected",
            "fit_frequency-selected",
            "fit_time_since_last_order-selected",
            "selection_by_channels-disagree",
        ],
    ),
    (&["selection.min_orders=1"], &["selection_min_orders_differs", "selection_corrected"]),
    (&["uncertainty.draws=100"], &["selection_by_channels-agree"]),
    (&["spend.model=none"], &["selection_corrected-orders"]),
];
/// On a file that holds only customers who ordered in the last 16 days.
const RECENT: &[(&[&str], &[&str])] = &[
    (&[], &["selection_extrapolates-whole_base", "selection_corrected"]),
    (&["selection.both_channels=true"], &["selection_extrapolates-both_channels"]),
];
/// On an order log, without an observation end in the pipeline.
const LOGS: &[(&[&str], &[&str])] = &[
    (
        &["forecast.horizons=[{months=60}]", "lifetime_value.months=1"],
        &["rows_set_aside-quarantined", "observation_end_assumed", "horizon_beyond_history"],
    ),
    (&["transactions.observation_end=2012-03-01"], &["log_ends_early"]),
    (&["lifetime_value.monthly_discount_rate=1"], &["implausible_discount_rate"]),
    (
        &["summary.min_orders=2", "contract.bad_rows=drop", "summary.time_unit=day"],
        &["rows_set_aside-dropped", "customers_left_out-biased"],
    ),
    (
        &["summary.min_orders=2", "selection.min_orders=2"],
        &["customers_left_out-as_stated", "selection_corrected"],
    ),
];
/// Of files as people have them, in real_files.rs, which has each of these.
const REAL_FILES: &[&str] = &[
    "implausible_dates",
    "guest_ids",
    "total_rows",
    "frequent_id",
    "ids_in_two_cases",
    "leading_zeros_lost",
    "files_overlap",
    "repeated_totals",
    "several_currencies",
    "more_rows_without_customer",
    "column_type_changed",
    "column_passed_over",
    "encoding_found",
    "stray_bytes",
    "lines_before_header",
    "sheet_chosen",
    "odd_quotes",
    "file_cut_off",
    "returns_moved",
    "returns_unmatched",
    "ids_on_first_lines",
    "selection_not_examined",
    "ids_changed-zeros",
    "ids_changed-cases",
];
/// Of a log that knows pieces and no money.
const PIECES: &[&str] = &["returns_moved-pieces", "returns_unmatched-pieces", "no_order_values"];
/// In strays.rs.
const STRAYS: &[&str] = &["selection_strays"];
/// The findings of calendar.rs that have figures.
const CALENDAR: &[&str] = &[
    "calendar_followed-season",
    "calendar_followed-trend_rising",
    "calendar_followed-trend_falling",
    "calendar_followed-both_rising",
    "calendar_followed-both_falling",
    "season_unproven-worse",
    "season_unproven-untested",
];
/// Of worlds that the model does not describe, in model_checks.rs, which has each of these.
const MODEL_CHECKS: &[&str] = &[
    "season-ahead_low",
    "season-ahead_high",
    "season-ahead_even",
    "orders_trend-falling",
    "orders_trend-rising",
    "cohorts_differ-worse",
    "cohorts_differ-better",
    "orders_changed-drop",
    "orders_changed-rise",
    "orders_changed-burst",
    "orders_scatter",
    "time_between_orders-regular",
    "time_between_orders-regular_unmerged",
    "time_between_orders-regular_some",
    "time_between_orders-bursts",
    "prices_changed-rising",
    "prices_changed-falling",
    "one_large_customer",
    "forecast_missed-too_high",
    "forecast_missed-too_low",
    "orders_drifted-fewer",
    "orders_drifted-more",
    "fit_frequency-all",
    "fit_time_since_last_order-all",
];
/// Of worlds with prices that change, in prices.rs, which has each of these.
const PRICES: &[&str] = &[
    "prices_changed-level_too_low",
    "prices_changed-level_too_high",
    "prices_corrected-yearly",
    "prices_corrected-yearly_untested",
    "prices_corrected-index",
    "prices_corrected-index_untested",
    "prices_go_on",
    "price_index_ends",
    "revenue_in_money_of",
    "values_not_compared",
];
/// Of fits that end with another model, in fits_that_fail.rs, which has each of these.
const FITS_THAT_FAIL: &[&str] = &[
    "model_replaced-few_histories",
    "model_replaced-nobody_repeated",
    "better_model-on_all",
    "better_model-on_sample",
    "share_alive_uncertain-figures",
    "spend_replaced-constant",
    "spend_replaced-few_values",
    "spend_replaced-not_converged",
    "spend_replaced-nobody_repeated",
    "spend_mean_far_from_observed-above",
    "spend_mean_far_from_observed-below",
];
const LATELY: &[&str] = &["selected_customers-lately"];
const RARE: &[&str] = &["column_without_limits", "first_order_counted"];
const DRIFTED: &[&str] = &["drifted", "dropout_not_identified", "spend_without_population_mean"];
const REFITTED: &[&str] = &["refitted", "dropout_not_identified"];

/// From a comparison of two runs, each with its own fit.
const COMPARED: &[&str] = &[
    "first_order_moved",
    "lost_customers-unexplained",
    "fewer_orders",
    "less_spent",
    "late_customers",
    "segments_recut",
    "capped-own_limits",
];
/// From a comparison of a run with `[selection]` and a later one that was scored with its model.
const COMPARED_SCORED: &[&str] = &["lost_customers-selected", "capped-same_limits"];

fn languages() -> [&'static Words; 2] {
    [Words::of(Language::En), Words::of(Language::Tr)]
}

/// The placeholders in braces, as name and format.
fn placeholders(text: &str) -> Vec<(&str, &str)> {
    let inner = text.split('{').skip(1).map(|part| part.split_once('}').expect("a }").0);
    inner.map(|placeholder| placeholder.split_once(':').unwrap_or((placeholder, "text"))).collect()
}

/// The names of the tables in `[findings]`.
fn tables(words: &Words) -> BTreeSet<String> {
    let paths = words.paths().filter_map(|path| path.strip_prefix("findings."));
    paths.filter_map(|path| Some(path.split_once('.')?.0.to_owned())).collect()
}

#[test]
fn both_languages_have_the_same_texts_with_the_same_figures() {
    let [english, turkish] = languages();
    assert!(english.paths().count() > 100);
    assert_eq!(english.paths().collect::<Vec<_>>(), turkish.paths().collect::<Vec<_>>());
    for path in english.paths() {
        let text = |words: &'static Words| words.get(path).expect("a text");
        let names = |words| placeholders(text(words)).iter().map(|p| p.0).collect::<BTreeSet<_>>();
        assert!(!text(english).trim().is_empty() && !text(turkish).trim().is_empty(), "{path}");
        assert_eq!(names(english), names(turkish), "{path}");
        for words in [english, turkish] {
            for (_, format) in placeholders(text(words)) {
                let table = words.paths().any(|path| path.starts_with(&format!("{format}.")));
                let plain = ["0", "1", "2", "%", "date", "money", "text"].contains(&format);
                assert!(table || plain, "{path}: no format {format}");
            }
        }
    }
}

/// A Turkish suffix depends on the sound of the word before it, and a number in the text can be any
/// number.
#[test]
fn no_turkish_suffix_follows_a_figure() {
    let turkish = Words::of(Language::Tr);
    for path in turkish.paths() {
        for rest in turkish.get(path).expect("a text").split('}').skip(1) {
            let next = rest.chars().next();
            let suffix = next.is_some_and(|c| c.is_alphabetic() || c == '\'' || c == '’');
            assert!(!suffix, "{path}: …}}{rest}");
        }
    }
}

/// The source files below a folder, without files and folders named in `left_out`.
fn sources(folder: &Path, left_out: &[&str]) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if left_out.contains(&name.as_str()) {
            continue;
        } else if path.is_dir() {
            texts.extend(sources(&path, left_out));
        } else if path.extension().is_some_and(|e| e == "rs") {
            texts.push(std::fs::read_to_string(&path).expect("a source file"));
        }
    }
    texts
}

/// The string literal at the beginning of a source text.
fn literal(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split('"').next()
}

#[test]
fn every_finding_has_words() {
    let left_out = ["evaluation", "report", "findings.rs"];
    let mut codes = BTreeSet::new();
    for text in sources(&project("src"), &left_out) {
        for made in ["Finding::warning(", "Finding::note("] {
            let codes_here = text.split(made).skip(1);
            codes.extend(codes_here.map(|rest| literal(rest).expect("a code").to_owned()));
        }
    }
    assert!(codes.len() > 20, "{codes:?}");
    for words in languages() {
        let told: BTreeSet<String> = tables(words)
            .iter()
            .map(|table| table.split('-').next().unwrap_or("").into())
            .collect();
        assert_eq!(told, codes);
        for table in tables(words) {
            for part in ["message", "remedy"] {
                assert!(words.get(&format!("findings.{table}.{part}")).is_some(), "{table}");
            }
        }
    }
}

/// Every text with placeholders is filled with the facts of a real run in one of the tests below.
#[test]
fn every_figure_is_seen_in_a_run() {
    let cases = [FLO, SELECTION, RECENT, LOGS].concat();
    let others = [LATELY, RARE, DRIFTED, REFITTED, COMPARED, COMPARED_SCORED, PIECES, STRAYS];
    let others =
        [&others.concat(), REAL_FILES, FITS_THAT_FAIL, MODEL_CHECKS, CALENDAR, PRICES].concat();
    let of_files = [
        (REAL_FILES, include_str!("real_files.rs")),
        (FITS_THAT_FAIL, include_str!("fits_that_fail.rs")),
        (MODEL_CHECKS, include_str!("model_checks.rs")),
        (CALENDAR, include_str!("calendar.rs")),
        (PRICES, include_str!("prices.rs")),
    ];
    for (codes, text) in of_files {
        for code in codes {
            assert!(text.contains(&format!("\"{code}\"")), "{code} is in no test");
        }
    }
    let seen: BTreeSet<&str> =
        cases.iter().flat_map(|(_, codes)| codes.iter().copied()).chain(others).collect();
    for words in languages() {
        for table in tables(words) {
            let part = |part| words.get(&format!("findings.{table}.{part}")).unwrap_or_default();
            let figures = placeholders(part("message")).len() + placeholders(part("remedy")).len();
            assert!(figures == 0 || seen.contains(table.as_str()), "no test fills {table}");
        }
    }
}

#[test]
fn every_rule_has_a_name() {
    let mut rules = BTreeSet::new();
    for file in ["src/frame/rules/export.rs", "src/frame/rules/log.rs"] {
        let text = std::fs::read_to_string(project(file)).expect("a source file");
        let pairs = text.split("(\"").skip(1).filter_map(|rest| rest.split_once("\", "));
        let is_rule = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        rules.extend(pairs.map(|(name, _)| name).filter(is_rule).map(str::to_owned));
        let constants = text.split("const DUPLICATE: &str = ").skip(1).filter_map(literal);
        rules.extend(constants.map(str::to_owned));
    }
    let text = std::fs::read_to_string(project("src/frame/rules/outside.rs")).expect("a file");
    let outside = text.split_once("OUTSIDE: [&str; 4] = [").expect("the rules").1;
    let outside = outside.split_once(']').expect("their end").0;
    rules.extend(outside.split('"').skip(1).step_by(2).map(str::to_owned));
    // Not in the list of rules as it is written: broken on several lines, or about whole days.
    rules.extend(["returned", "one_order_on_two_dates"].map(str::to_owned));
    for words in languages() {
        let named = words.paths().filter_map(|path| path.strip_prefix("rules.")).map(str::to_owned);
        assert_eq!(named.collect::<BTreeSet<_>>(), rules);
    }
}

#[test]
fn every_rfm_segment_has_a_name() {
    for segment in Rfm::default().segments {
        for words in languages() {
            assert_ne!(words.name("rfm_segments", &segment.name), segment.name);
        }
    }
    assert_eq!(Words::of(Language::Tr).name("rfm_segments", "champions"), "Şampiyonlar");
    assert_eq!(Words::of(Language::Tr).name("rfm_segments", "vip & co."), "vip & co.");
}

/// Runs the program. Returns the folder that it wrote.
fn ran(arguments: &[&str], settings: &[&str]) -> TempDir {
    let out = folder();
    let mut all: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
    all.extend(["--quiet".into(), "--output".into(), out.path().display().to_string()]);
    all.extend(settings.iter().flat_map(|setting| ["--set".to_owned(), (*setting).to_owned()]));
    let output = cltv(all);
    assert!(output.status.success(), "{}", stderr(&output));
    out
}

#[track_caller]
fn is_said(text: &str, of: &str) {
    assert!(!text.is_empty() && !text.contains(['{', '}', '–']), "{of}: {text}");
    assert!(!text.contains("NaN") && !text.contains("inf "), "{of}: {text}");
}

/// The entries of a list of findings or actions, whose facts must not be null.
pub fn told<T: serde::de::DeserializeOwned>(document: &Value, list: &str) -> Vec<T> {
    for told in document[list].as_array().expect("a list") {
        let facts = told["facts"].as_object().cloned().unwrap_or_default();
        assert!(facts.values().all(|value| !value.is_null()), "{told}");
    }
    serde_json::from_value(document[list].clone()).expect(list)
}

/// Every finding has a text in both languages, with all placeholders filled. Returns the names of
/// the texts.
pub fn findings_said(findings: &[Finding]) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for words in languages() {
        for finding in findings {
            let said = words.finding(finding).unwrap_or_else(|| panic!("no words: {finding:?}"));
            is_said(&said.message, &finding.code);
            is_said(&said.remedy, &finding.code);
            let shape = finding.variant().map(|variant| format!("{}-{variant}", finding.code));
            let own = shape.filter(|table| tables(words).contains(table));
            taken.insert(own.unwrap_or_else(|| finding.code.to_string()));
        }
    }
    taken
}

/// The same for the findings of a run; its suggested actions are checked too.
fn said(out: &Path) -> BTreeSet<String> {
    let run = json(&out.join("run.json"));
    for words in languages() {
        for advice in told::<Advice>(&run, "suggested_actions") {
            let said = words.suggestion(&advice).unwrap_or_else(|| panic!("no words: {advice:?}"));
            for text in [&said.title, &said.standing, &said.action] {
                is_said(text, &advice.segment);
            }
        }
    }
    findings_said(&told(&run, "warnings"))
}

#[track_caller]
fn holds(out: &Path, expected: &[&str]) {
    let taken = said(out);
    for code in expected {
        assert!(taken.contains(*code), "{code} is not in {taken:?}");
    }
}

fn written(folder: &TempDir, name: &str, text: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn what_is_found_on_an_export_is_said() {
    for (settings, expected) in FLO {
        let out = ran(&["run", "pipelines/flo.toml"], settings);
        holds(out.path(), expected);
        let model = json(&out.path().join("model.json"));
        let kept = model["warnings"].as_array().expect("a list");
        assert!(!kept.is_empty() && kept.iter().all(|finding| finding.get("facts").is_none()));
    }
}

#[test]
fn what_is_found_of_a_selection_is_said() {
    for (settings, expected) in SELECTION {
        let settings = [*settings, &["uncertainty.draws=100"]].concat();
        holds(ran(&["run", "pipelines/flo_selection_aware.toml"], &settings).path(), expected);
    }
    let place = folder();
    let sample = std::fs::read_to_string(project(SAMPLE)).expect("the sample");
    let recent = |line: &&str| line.split(',').nth(4).is_some_and(|last| last >= "2021-05-16");
    let recent: String = sample.lines().filter(recent).map(|line| format!("{line}\n")).collect();
    let input = written(&place, "recent.csv", &recent);
    let stated = [
        "summary.frequency=\"repeat_orders\"",
        "purchases.l2_penalty=0",
        "selection.last_order_within_days=16",
        "selection.min_orders=2",
    ];
    for (settings, expected) in RECENT {
        let arguments = ["run", "pipelines/flo.toml", "--input", &input];
        holds(ran(&arguments, &[&stated, *settings].concat()).path(), expected);
    }
}

#[test]
fn what_is_found_in_a_log_is_said() {
    let place = folder();
    let text = std::fs::read_to_string(project("pipelines/transactions.toml")).expect("a file");
    let open: Vec<&str> = text.lines().filter(|line| !line.contains("observation_end")).collect();
    let pipeline = written(&place, "open.toml", &open.join("\n"));
    for (settings, expected) in LOGS {
        holds(ran(&["run", &pipeline, "--input", LOG], settings).path(), expected);
    }
}

/// The sample without its prices, and with what came back days later: bought before, and not.
#[test]
fn what_is_found_in_a_log_of_pieces_is_said() {
    let place = folder();
    let sample = std::fs::read_to_string(project(LOG)).expect("the sample");
    let without_price = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        [0, 3, 4, 6, 7].map(|k| fields[k]).join(",") + "\n"
    };
    let mut log: String = sample.lines().map(without_price).collect();
    log += "489434,4,2009-12-09,90001.0,Spain\n489435,-4,2009-12-19,90001.0,Spain\n";
    log += "489436,-4,2009-12-19,90002.0,Spain\n";
    let input = written(&place, "pieces.csv", &log);
    let text = std::fs::read_to_string(project("pipelines/transactions.toml")).expect("a file");
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("unit_price")).collect();
    let pipeline = written(&place, "pieces.toml", &lines.join("\n"));
    let taken = said(ran(&["run", &pipeline, "--input", &input], &[]).path());
    for code in PIECES {
        assert!(taken.contains(*code), "{code} is not in {taken:?}");
    }
    let edges = said(ran(&["run", &pipeline, "--input", &input], &["purchases.model=nbd"]).path());
    assert!(edges.contains("no_dropout_by_choice"), "{edges:?}");
}

/// Customers of the last year, one-time buyers included; and a channel that only one customer in
/// 300 uses.
#[test]
fn what_is_found_in_small_exports_is_said() {
    let place = folder();
    let input = place.path().join("lately.csv").display().to_string();
    let made = ["simulate", "customers", "--customers", "3000", "--seed", "3", "--out", &input];
    let made = cltv(made.into_iter().chain(["--last-order-within", "365"]));
    assert!(made.status.success(), "{}", stderr(&made));
    let all = ["summary.min_orders=1", "summary.frequency=\"repeat_orders\""];
    holds(ran(&["run", "pipelines/flo.toml", "--input", &input], &all).path(), LATELY);
    let rare = "rare,Mobile,Offline,2020-01-01,2021-01-01,0.0,3.0,90,0,[]\n";
    let one_channel = |line: &str| {
        let mut fields: Vec<&str> = line.split(',').collect();
        (fields[6], fields[7]) = ("0.0", "0");
        fields.join(",") + "\n"
    };
    let export = crate::bad_input::export(300);
    let (header, rows) = export.split_once('\n').expect("a header");
    let rows: String = rows.lines().map(one_channel).collect();
    let input = written(&place, "rare.csv", &format!("{header}\n{rows}{rare}"));
    holds(ran(&["run", "pipelines/flo.toml", "--input", &input], &[]).path(), RARE);
}

/// Findings that come from model.json have no facts, but those about the new export have them.
#[test]
fn what_is_found_with_a_kept_model_is_said() {
    let place = folder();
    let fitted = ran(&["fit", "pipelines/flo.toml"], &[]);
    let sample = std::fs::read_to_string(project(SAMPLE)).expect("the sample");
    let richer = |line: &str| {
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        for value in &mut fields[9..11] {
            *value = value.parse::<f64>().map_or_else(|_| value.clone(), |v| (3.0 * v).to_string());
        }
        fields.join(",") + "\n"
    };
    let input: String = sample.lines().take(4000).map(richer).collect();
    let input = written(&place, "richer.csv", &input);
    let model = fitted.path().join("model.json").display().to_string();
    holds(ran(&["score", &input, "--model", &model], &["contract.max_fall=0.9"]).path(), DRIFTED);
    let refit = ["score", &input, "--model", &model, "--refit-if", "0.25"];
    holds(ran(&refit, &["contract.max_fall=0.9"]).path(), REFITTED);
}

/// 4000 rows of the sample, with fields changed by `changed`, and one more customer at the end.
fn changed_sample(
    place: &TempDir,
    name: &str,
    last: &str,
    changed: impl Fn(usize, &mut Vec<&str>),
) -> String {
    let sample = std::fs::read_to_string(project(SAMPLE)).expect("the sample");
    let rows = sample.lines().take(4001).enumerate().map(|(i, line)| {
        let mut fields: Vec<&str> = line.splitn(12, ',').collect();
        changed(i, &mut fields);
        fields.join(",")
    });
    let fields =
        "Mobile,Mobile,2019-10-10,2021-04-20,2021-04-20,2020-04-30,3.0,2.0,200.0,300.0,[SPOR]";
    let rows: Vec<String> = rows.chain([format!("{last},{fields}")]).collect();
    written(place, name, &(rows.join("\n") + "\n"))
}

/// A comparison of two runs has the expected findings, each with a text.
#[track_caller]
fn comparison_holds(before: &TempDir, after: &TempDir, expected: &[&str]) {
    let folders = [before, after].map(|run| run.path().display().to_string());
    let out = ran(&["compare", &folders[0], &folders[1]], &[]);
    let findings: Vec<Finding> = told(&json(&out.path().join("comparison.json")), "warnings");
    let taken = findings_said(&findings);
    for code in expected {
        assert!(taken.contains(*code), "{code} is not in {taken:?}");
    }
}

/// In the later file, the first customer has another first order, the third spent less, and the
/// fourth has fewer orders. The last customer of the earlier file is gone, and one appears who
/// first ordered long ago.
#[test]
fn what_is_found_in_a_comparison_is_said() {
    let place = folder();
    let earlier = changed_sample(&place, "earlier.csv", "gone", |_, _| ());
    let later = changed_sample(&place, "later.csv", "came", |i, fields| match i {
        1 => fields[3] = "2018-10-01",
        3 => (fields[9], fields[10]) = ("60.0", "60.0"), // before, 1543.87 together
        4 => (fields[7], fields[8]) = ("1.0", "1.0"),    // before, 3 together
        _ => (),
    });
    let run = |input: &str, as_of: &str, settings: &[&str]| {
        ran(&["run", "pipelines/flo.toml", "--input", input, "--as-of", as_of], settings)
    };
    let before = run(&earlier, "2021-06-01", &[]);
    let after = run(&later, "2021-08-31", &["outliers.fence=1.2"]);
    comparison_holds(&before, &after, COMPARED);
    let selected =
        ["summary.frequency=\"repeat_orders\"", "purchases.l2_penalty=0", "selection.min_orders=2"];
    let before = run(&earlier, "2021-06-01", &selected);
    let model = before.path().join("model.json").display().to_string();
    let after = ran(&["score", &later, "--model", &model, "--as-of", "2021-08-31"], &[]);
    comparison_holds(&before, &after, COMPARED_SCORED);
}

/// A segment with this number of customers, total cltv, mean P(alive) and mean number of weeks
/// since the last order.
fn segment(label: &str, customers: usize, total: f64, alive: f64, silent: f64) -> Profile {
    let shares = |names: &[(&str, f64)]| names.iter().map(|(n, s)| ((*n).to_owned(), *s)).collect();
    Profile {
        label: label.to_owned(),
        customers,
        total_cltv: Some(total),
        mean_cltv: Some(total / customers.max(1) as f64),
        total_if_alive: Some(if alive > 0.0 { total / alive } else { 0.0 }),
        mean_frequency: 3.0,
        mean_recency: 40.0 - silent,
        mean_age: 40.0,
        mean_monetary: Some(150.0),
        with_value: customers,
        mean_p_alive: alive,
        expected_orders: vec![(3, 0.3 * customers as f64), (6, 0.6 * customers as f64)],
        main_channel: Some(("Web".to_owned(), 0.48)),
        categories: shares(&[("KADIN", 0.55), ("SPOR", 0.5), ("COCUK", 0.1 + alive / 10.0)]),
    }
}

/// Most segments have 10 of 100 customers; the one tested word for word has 20 % of the value. 6
/// calendar months are 182.6 days.
#[test]
fn every_play_is_said_in_both_languages() {
    let settings = load(&project("pipelines/transactions.toml"), &Overrides::default());
    let settings = settings.expect("a pipeline");
    let company = segment("all", 100, 20_000.0, 0.5, 26.0);
    let plays = [
        (Play::Nobody, segment("0", 0, 0.0, 0.0, 0.0)),
        (Play::WinBack, segment("1", 10, 4000.0, 0.3, 26.0)),
        (Play::WinBackCheaply, segment("2", 10, 1000.0, 0.3, 26.0)),
        (Play::Protect, segment("3", 10, 4000.0, 0.9, 1.2)),
        (Play::Grow, segment("4", 10, 2400.0, 0.9, 26.0)),
        (Play::Remind, segment("5", 10, 1000.0, 0.9, 30.0)),
        (Play::BuildHabit, segment("6", 10, 1000.0, 0.9, 20.0)),
    ];
    let segments: Vec<Profile> = plays.iter().map(|(_, segment)| segment.clone()).collect();
    let mut titles = BTreeMap::new();
    let with = |set: &[&str]| {
        let set = set.iter().map(|set| (*set).to_owned()).collect();
        let overrides = Overrides { set, ..Overrides::default() };
        load(&project("pipelines/transactions.toml"), &overrides).expect("a pipeline")
    };
    let (margin, orders) = (with(&["lifetime_value.margin=0.5"]), with(&["spend.model=none"]));
    for (settings, word) in [(&margin, "margin"), (&orders, "expected to order")] {
        let segments: Vec<Profile> = segments.iter().map(|s| in_measure(s, settings)).collect();
        let company = in_measure(&company, settings);
        let advice = advise(&segments, &company, true, settings);
        assert!(advice[1].text.contains(word) && advice[2].text.contains(word), "{advice:?}");
        for (advice, (play, _)) in advice.iter().zip(&plays) {
            assert_eq!(advice.play, *play);
            for words in languages() {
                let said = words.suggestion(advice).expect("words");
                assert!(!said.action.contains(['{', '}', '–']), "{said:?}");
                assert_ne!(said.title, "");
            }
        }
    }
    for knows_dropout in [true, false] {
        let advice = advise(&segments, &company, knows_dropout, &settings);
        for (advice, (play, _)) in advice.iter().zip(&plays) {
            let expected = *play == advice.play || !knows_dropout;
            assert!(expected, "{:?} is not {play:?}", advice.play);
            assert_eq!(serde_json::to_value(advice.play).expect("a name"), advice.play.name());
            for words in languages() {
                let said = words.suggestion(advice).expect("words");
                assert!(!said.action.contains(['{', '}', '–']), "{said:?}");
                assert_eq!(said.standing.is_empty(), advice.play == Play::Nobody, "{said:?}");
                titles.insert((words.language.code(), advice.play.name()), said.title);
            }
        }
    }
    assert_eq!(titles.values().collect::<BTreeSet<_>>().len(), 2 * plays.len(), "{titles:?}");
    let protect = &advise(&segments, &company, true, &settings)[3];
    let [english, turkish] = languages().map(|words| words.suggestion(protect).expect("words"));
    assert_eq!(
        english.standing,
        "10% of the customers, 20% of the value of the next 6 months. Their last order was 1 week \
         ago on average. 90% of them are probably still active."
    );
    assert_eq!(
        english.action,
        "Offer early access, free returns and a named contact. No discounts: they already pay 150 \
         an order. Use Web, the main channel of 48% of them. They mostly buy KADIN (55% of them) \
         and SPOR (50%). Add COCUK, which they like more than others do."
    );
    assert_eq!(
        turkish.standing,
        "Müşteriler içindeki payı %10, önümüzdeki 6 ay için beklenen değer içindeki payı %20. Son \
         siparişlerinin üzerinden ortalama 1 hafta geçmiş. Hâlâ aktif olanların tahmini oranı %90."
    );
    assert_eq!(
        turkish.action,
        "Yeni ürünlere erken erişim, ücretsiz iade ve kişiye özel müşteri temsilcisi sunun. \
         İndirim yapmayın: sipariş başına zaten 150 ödüyorlar. Kullanılacak kanal: Web (bu müşteriler \
         içindeki payı %48). En çok aldıkları kategoriler: KADIN (%55) ve SPOR (%50). Eklenecek \
         kategori: COCUK; bununla diğer müşterilerden daha çok ilgileniyorlar."
    );
}

/// A segment as a run without money has it: with orders as many as there was money, so that each
/// segment has the same share and the same play.
fn in_measure(segment: &Profile, settings: &Settings) -> Profile {
    if settings.has_money() {
        return segment.clone();
    }
    let total = segment.total_cltv.unwrap_or_default();
    Profile {
        total_cltv: None,
        mean_cltv: None,
        mean_monetary: None,
        expected_orders: vec![(3, total / 2.0), (6, total)],
        ..segment.clone()
    }
}

/// The worth of winning back in words: 400 as things stand, at P(alive) 0.3 a value of 1333.3 if still
/// a customer, so 933.3 more; half of each is margin.
#[test]
fn what_winning_back_is_worth_is_said() {
    let load = |set: &str| {
        let overrides = Overrides { set: vec![set.to_owned()], ..Overrides::default() };
        load(&project("pipelines/transactions.toml"), &overrides).expect("a pipeline")
    };
    let company = segment("all", 100, 20_000.0, 0.5, 26.0);
    let lost = [segment("1", 10, 4000.0, 0.3, 26.0)];
    let said = |set: &str| {
        let advice = advise(&lost, &company, true, &load(set)).remove(0);
        let report = Words::of(Language::En).suggestion(&advice).expect("words").action;
        (advice.text, report)
    };
    let (text, report) = said("output.currency=\"EUR\"");
    assert!(
        text.contains(
            "Win back now with a personal offer: each is worth 400 EUR as things stand, and 1,333 EUR if \
             still a customer, so winning one back is worth up to 933 EUR;"
        ),
        "{text}"
    );
    assert!(report.contains("Winning one back is therefore worth up to 933\u{a0}EUR."), "{report}");
    let (text, report) = said("lifetime_value.margin=0.5");
    assert!(
        text.contains("a voucher above 466.7 costs more than winning one back is worth"),
        "{text}"
    );
    assert!(report.contains("each brings a margin of 200 on average"), "{report}");
    assert!(report.contains("A voucher above 467 costs more"), "{report}");
}

/// A correction as of the sample, for which 92,000 customers were simulated (data/README.md).
#[test]
fn the_correction_is_said_with_its_figures() {
    let note = Finding::note("selection_corrected", String::new(), "")
        .with("conditions", vec!["last_order_on_or_after".to_owned(), "min_orders".to_owned()])
        .with("first_day", "2020-05-30")
        .with("min_orders", 2u32)
        .with("orders_ignored", 19_385.1)
        .with("orders_corrected", 13_740.3)
        .with("months", 6u32)
        .with("customers", 20_073usize)
        .with("acquired", 92_881.8);
    let [english, turkish] = languages().map(|words| words.finding(&note).expect("words"));
    assert_eq!(
        english.message,
        "This file only holds customers who last ordered on or after 30 May 2020 and ordered at \
         least 2 times. A model that ignores this expects 19,385 orders in the next 6 months; the \
         corrected one, used here, expects 13,740. The 20,073 customers in the file stand for \
         about 92,882 ever acquired."
    );
    assert_eq!(
        turkish.message,
        "Bu dosyada yalnızca son siparişi 30 Mayıs 2020 veya sonrasında olan ve en az 2 siparişi \
         olan müşteriler var. Bunu göz ardı eden bir model önümüzdeki 6 ay için 19.385 sipariş \
         bekler; burada kullanılan düzeltilmiş modelin beklediği sipariş sayısı: 13.740. Dosyadaki \
         20.073 müşteri, bugüne kadar kazanılmış yaklaşık 92.882 müşteriyi temsil ediyor."
    );
}
