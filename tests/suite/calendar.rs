//! Seasons, trends and events: logs of worlds whose truth is known, run as a user runs them. The
//! forecast follows what it can prove, says by how much that helped, and leaves the rest alone.

use std::path::Path;

use cltv::results::findings::Finding;
use serde_json::Value;

use crate::model_checks::{codes, pipeline, run, world};
use crate::simulated::{RIGHT, Simulated, World, simulate};
use crate::support::*;
use crate::words::{findings_said, told};

const CUSTOMERS: usize = 3_000;

/// A world, what its pipeline says beside the usual, and a file beside its log. Returns run.json and
/// the orders of the six months that follow.
fn of_world(world: &World, more: &str, beside: Option<(&str, &str)>) -> (Value, f64) {
    let place = folder();
    let log = place.path().join("log.csv");
    let Simulated { log: lines, truth, .. } = simulate(world, CUSTOMERS, 3);
    std::fs::write(&log, lines).expect("written");
    let more = beside.map_or(more.to_owned(), |(name, text)| {
        let path = place.path().join(name);
        std::fs::write(&path, text).expect("written");
        more.replace("BESIDE", &path.display().to_string())
    });
    (run(place.path(), &pipeline(world, &log, &more), &["run"]), truth[0])
}

fn half_year(document: &Value) -> f64 {
    let rows = document["forecast"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["span"] == "horizon" && row["number"] == 6);
    row.expect("six months")["orders"].as_f64().expect("a number")
}

fn warnings(document: &Value) -> Vec<String> {
    let findings = document["warnings"].as_array().expect("a list").iter();
    let warnings = findings.filter(|finding| finding["severity"] == "warning");
    warnings.map(|finding| finding["code"].to_string()).collect()
}

fn yearly(factor: f64, back: i32) -> f64 {
    factor.powf(-f64::from(back) / 365.25)
}

fn wave(back: i32) -> f64 {
    1.0 + 0.6 * (std::f64::consts::TAU * f64::from(back) / 365.25).cos()
}

/// One log per world has chance of its own: 1,500 orders of a half-year scatter by 3 %, and so does
/// each estimate. Twelve logs of each are in docs/world-study.md.
#[test]
fn the_forecast_follows_what_the_log_proves() {
    let both = |factor: fn(i32) -> f64| factor;
    let rising = both(|back| wave(back) * yearly(1.3, back));
    let falling = both(|back| wave(back) * yearly(0.75, back));
    assert!(rising(0) > 0.0 && falling(0) > 0.0);
    for (world, code) in [
        (world("Nov–Dec ×2.5, ends 31 Dec"), "calendar_followed-season"),
        (world("Nov–Dec ×2.5, ends 31 Aug"), "calendar_followed-season"),
        (world("sine season, ends at its peak"), "calendar_followed-season"),
        (world("orders −25 % a year"), "calendar_followed-trend_falling"),
        (world("orders +25 % a year"), "calendar_followed-trend_rising"),
        (
            World { pace: |_, back| wave(back) * yearly(1.3, back), ..RIGHT },
            "calendar_followed-both_rising",
        ),
        (
            World { pace: |_, back| wave(back) * yearly(0.75, back), ..RIGHT },
            "calendar_followed-both_falling",
        ),
    ] {
        let (document, came) = of_world(&world, "", None);
        let found = codes(&document);
        assert!(found.contains(code), "{}: {found:?}", world.name);
        assert_eq!(warnings(&document), [""; 0], "{}", world.name);
        let off = half_year(&document) / came - 1.0;
        assert!(off.abs() < 0.1, "{} {code}: {off}", world.name);
        let errors = &document["calendar"]["gate"]["errors"];
        let [without, with] = [0, 1].map(|k| errors[k].as_f64().expect("an error"));
        assert!(with < 0.7 * without, "{}: {without} {with}", world.name);
    }
}

/// A quarter more with every year is found with its standard error; so is the holiday's factor.
#[test]
fn what_is_found_is_said_with_its_error() {
    let (document, _) = of_world(&world("orders +25 % a year"), "", None);
    let trend = &document["calendar"]["trend"];
    let [yearly, error] =
        ["yearly", "standard_error"].map(|key| trend[key].as_f64().expect("a number"));
    assert!((yearly - 1.25).abs() < 4.0 * error && error < 0.06, "{yearly} {error}");
    let (document, _) = of_world(&world("Nov–Dec ×2.5, ends 31 Aug"), "", None);
    let months = document["calendar"]["season"]["months"].as_array().expect("twelve");
    let errors = document["calendar"]["season"]["standard_errors"].as_array().expect("twelve");
    // 61 of 365.25 days have 2.5 times the rate of the others.
    let low = 1.0 / (1.0 + 1.5 * 61.0 / 365.25);
    for month in 0..12 {
        let [found, error] =
            [&months[month], &errors[month]].map(|value| value.as_f64().expect("a number"));
        let truth = if month >= 10 { 2.5 * low } else { low };
        assert!((found - truth).abs() < 4.0 * error, "{month}: {found} {truth} {error}");
        assert!(error < 0.1 * truth, "{month}: {error}");
    }
    let ahead = document["calendar"]["months_ahead"].as_array().expect("a list");
    assert_eq!((&ahead[0]["month"], ahead.len()), (&"2023-09".into(), 13));
}

#[test]
fn weeks_months_and_tracking_follow_the_season() {
    let (document, _) = of_world(&world("Nov–Dec ×2.5, ends 31 Aug"), "", None);
    let rows = document["forecast"].as_array().expect("a list");
    let orders = |number: u32| {
        let of = |row: &&Value| {
            row["scope"] == "total" && row["span"] == "month" && row["number"] == number
        };
        rows.iter().find(of).expect("a month")["orders"].as_f64().expect("a number")
    };
    // Months end on the last days of September to February, nearly: the third is November.
    for (month, least, most) in [(2, 0.8, 1.1), (3, 2.0, 2.6), (4, 1.9, 2.6), (6, 0.6, 1.1)] {
        let ratio = orders(month) / orders(1);
        assert!((least..most).contains(&ratio), "{month}: {ratio}");
    }
    let weeks = document["tracking"].as_array().expect("a list");
    let sum = |from: &str, to: &str, key: &str| -> f64 {
        let within = weeks.iter().filter(|week| {
            let day = week["last_day"].as_str().expect("a day");
            (from..to).contains(&day)
        });
        within.map(|week| week[key].as_f64().expect("a number")).sum()
    };
    for (from, to) in [("2022-06-01", "2022-09-01"), ("2022-11-08", "2022-12-31")] {
        let ratio = sum(from, to, "expected") / sum(from, to, "actual");
        assert!((ratio - 1.0).abs() < 0.12, "{from}: {ratio}");
    }
}

#[test]
fn a_right_model_stays_as_it_is() {
    let (document, _) = of_world(&RIGHT, "", None);
    let even = "[calendar]\nseason = \"none\"\ntrend = \"none\"\n";
    let (plain, _) = of_world(&RIGHT, even, None);
    let gate = &document["calendar"]["gate"];
    assert_eq!((&gate["season"], &gate["trend"]), (&"chance".into(), &"chance".into()));
    assert_eq!(document["forecast"], plain["forecast"]);
    assert_eq!(document["purchases"]["parameters"], plain["purchases"]["parameters"]);
}

#[test]
fn a_short_log_has_no_season_unless_one_is_given() {
    let holiday = world("Nov–Dec ×2.5, ends 31 Aug");
    let short = World { days: 366, ..holiday };
    let (document, came) = of_world(&short, "", None);
    let gate = &document["calendar"]["gate"];
    assert_eq!(
        (&gate["season"], &gate["trend"]),
        (&"needs_two_years".into(), &"needs_two_years".into())
    );
    let plain = half_year(&document) / came - 1.0;
    assert!(plain < -0.15, "{plain}");
    let index: String = (1..=12)
        .map(|month| format!("{month},{}\n", if month >= 11 { 250 } else { 100 }))
        .collect();
    let index = format!("month,factor\n{index}");
    let more = "[calendar]\nindex = \"BESIDE\"\n";
    let (document, came) = of_world(&short, more, Some(("season.csv", &index)));
    assert_eq!(document["calendar"]["season"]["source"], "index");
    let off = half_year(&document) / came - 1.0;
    assert!(off.abs() < 0.1, "{off}");
}

#[test]
fn a_season_that_nothing_speaks_for_is_said_to_be_one() {
    let monthly = "[calendar]\nseason = \"monthly\"\ntrend = \"none\"\n";
    let (document, _) = of_world(&world("right: one year"), monthly, None);
    assert!(codes(&document).contains("season_unproven-untested"), "{:?}", codes(&document));
    let (document, _) = of_world(&RIGHT, monthly, None);
    assert!(codes(&document).contains("season_unproven-worse"), "{:?}", codes(&document));
}

/// Forty days of three times the orders, twice in the past and once in the months ahead.
#[test]
fn events_are_estimated_and_come_again() {
    let in_event = |back: i32| [400, 800, -60].iter().any(|end| (*end..*end + 40).contains(&back));
    assert!(in_event(-21) && !in_event(0));
    let world = World {
        pace: |_, back| {
            let during = [400, 800, -60].iter().any(|end| (*end..*end + 40).contains(&back));
            if during { 3.0 } else { 1.0 }
        },
        ..RIGHT
    };
    let day = |back: i64| (world.end() - chrono::Duration::days(back)).to_string();
    let event = |end: i64| {
        format!(
            "{{ name = \"fair\", from = \"{}\", to = {}, factor = \"estimate\" }}",
            day(end + 39),
            day(end)
        )
    };
    let more = format!(
        "[calendar]\nseason = \"none\"\ntrend = \"none\"\nevents = [{}, {}, {}]\n",
        event(400),
        event(800),
        event(-60)
    );
    let (document, came) = of_world(&world, &more, None);
    let found = &document["calendar"]["events"][0];
    let [factor, error] =
        ["factor", "standard_error"].map(|key| found[key].as_f64().expect("a number"));
    assert!((factor - 3.0).abs() < 4.0 * error && error < 0.3, "{factor} {error}");
    let off = half_year(&document) / came - 1.0;
    assert!(off.abs() < 0.1, "{off}");
}

/// `fit` keeps the season for `score`, and writes it for others; a model without one has none to
/// write.
#[test]
fn a_season_is_kept_and_can_be_passed_on() {
    let world = world("Nov–Dec ×2.5, ends 31 Aug");
    let place = folder();
    let log = place.path().join("log.csv");
    std::fs::write(&log, simulate(&world, CUSTOMERS, 3).log).expect("written");
    let text = pipeline(&world, &log, "[uncertainty]\ndraws = 100\n");
    let whole = run(place.path(), &text, &["run"]);
    let path = |name: &str| place.path().join(name).display().to_string();
    let fit = |pipeline: &str, out: &str| {
        cltv(["fit", pipeline, "--output", out, "--write-index", &path("season.csv"), "-q"])
    };
    let output = fit(&path("world.toml"), &path("model"));
    assert!(output.status.success(), "{}", stderr(&output));
    let index = std::fs::read_to_string(path("season.csv")).expect("an index");
    let months = whole["calendar"]["season"]["months"].as_array().expect("twelve");
    let written: Vec<f64> = index
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').expect("two fields").1.parse().expect("a number"))
        .collect();
    assert_eq!((index.lines().next(), written.len()), (Some("month,factor"), 12));
    for (month, written) in months.iter().zip(written) {
        // Four decimals are written.
        assert!((month.as_f64().expect("a number") - written).abs() < 6e-5, "{month} {written}");
    }
    let end = world.end().to_string();
    let model = path("model/model.json");
    let score = [
        "score",
        "--model",
        &model,
        &path("log.csv"),
        "--as-of",
        &end,
        "--output",
        &path("scored"),
        "-q",
    ];
    let output = cltv(score);
    assert!(output.status.success(), "{}", stderr(&output));
    let scored = json(Path::new(&path("scored/run.json")));
    assert_eq!(scored["forecast"], whole["forecast"]);
    let findings: Vec<Finding> = told(&scored, "warnings");
    assert!(findings_said(&findings).contains("calendar_followed-season"));
    let without = text.replace("[transactions]", "[calendar]\nseason = \"none\"\n[transactions]");
    std::fs::write(path("none.toml"), without).expect("written");
    let output = fit(&path("none.toml"), &path("other"));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("no season to write"), "{}", stderr(&output));
    assert!(!Path::new(&path("other")).exists());
}

/// A log that ends in the holidays, cut at the end of August: with the calendar, the forecast of four
/// months is close, and without it far off.
#[test]
fn evaluate_has_each_model_with_and_without() {
    let world = world("Nov–Dec ×2.5, ends 31 Dec");
    let place = folder();
    let log = place.path().join("log.csv");
    std::fs::write(&log, simulate(&world, CUSTOMERS, 3).log).expect("written");
    let path = |name: &str| place.path().join(name).display().to_string();
    let text = pipeline(&world, &log, "calibration_end = \"2023-08-31\"\n");
    std::fs::write(path("world.toml"), text).expect("written");
    let output = cltv(["evaluate", &path("world.toml"), "--output", &path("out"), "-q"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let document = json(Path::new(&path("out/evaluation.json")));
    let fold = &document["folds"][0];
    assert_eq!(fold["chosen"], "bg_nbd_calendar");
    let methods = fold["methods"].as_array().expect("a list");
    let bias = |name: &str| {
        let method = methods.iter().find(|method| method["name"] == name);
        let method = method.unwrap_or_else(|| panic!("no {name}"));
        method["orders"]["bias"].as_f64().expect("a number")
    };
    for family in ["bg_nbd", "mbg_nbd", "nbd"] {
        let with = bias(&format!("{family}_calendar"));
        assert!(with > bias(family) + 0.2, "{family}: {with} {}", bias(family));
    }
    // The NBD, whose customers never leave, expects too many of its own.
    assert!(bias("bg_nbd") < -0.2 && bias("mbg_nbd") < -0.2, "{}", bias("bg_nbd"));
    assert!(bias("bg_nbd_calendar").abs() < 0.08, "{}", bias("bg_nbd_calendar"));
    assert!(methods.iter().all(|method| method["name"] != "pareto_nbd_calendar"));
    let groups = fold["groups"].as_array().expect("a list");
    let of = |name: &str| groups.iter().filter(|group| group["name"] == name).count();
    assert!(of("bg_nbd_calendar") > 0 && of("bg_nbd_calendar") == of("bg_nbd"));
}

#[test]
fn what_cannot_be_is_refused_with_a_sentence() {
    let place = folder();
    let log = place.path().join("log.csv");
    std::fs::write(&log, simulate(&RIGHT, 300, 3).log).expect("written");
    let path = |name: &str| place.path().join(name).display().to_string();
    let write = |name: &str, text: &str| std::fs::write(path(name), text).expect("written");
    write(
        "eleven.csv",
        &(1..12).fold("month,factor\n".to_owned(), |all, m| format!("{all}{m},1\n")),
    );
    write(
        "year.csv",
        &(1..13).fold("month,factor\n".to_owned(), |all, m| format!("{all}2021-{m:02},1\n")),
    );
    write("broken.csv", "month,factor\n1,one\n");
    let cases: Vec<(String, &str)> = vec![
        (format!("index = {:?}", path("none.csv")), "the file of factors cannot be read"),
        (format!("index = {:?}", path("eleven.csv")), "there is no factor for month 12"),
        (format!("index = {:?}", path("year.csv")), "there is no factor for 2022-01-01"),
        (format!("index = {:?}", path("broken.csv")), "line 2: \"one\" is not a number above 0"),
        ("season = \"weekly\"".to_owned(), "[calendar] season"),
        ("season = { harmonics = 0 }".to_owned(), "0 harmonics is not between 1 and 6"),
        ("season = \"monthly\"\nindex = \"x.csv\"".to_owned(), "calendar.index is a season already"),
        (
            "events = [{ name = \"a\", from = 2021-05-02, to = 2021-05-01, factor = 2 }]".to_owned(),
            "before it begins",
        ),
        (
            "events = [{ name = \"a\", from = 2021-05-01, to = 2021-05-01, factor = 0 }]".to_owned(),
            "is not between 0.01 and 100",
        ),
        (
            "events = [{ name = \"a\", from = 2031-05-01, to = 2031-05-01, factor = \"estimate\" }]"
                .to_owned(),
            "no day of \\\"a\\\" is in the log",
        ),
        ("season = \"monthly\"\n[purchases]\nmodel = \"pareto_nbd\"".to_owned(), "pareto_nbd"),
        ("season = \"monthly\"\n[purchases]\nl2_penalty = 0.1".to_owned(), "l2_penalty"),
    ];
    for (keys, expected) in cases {
        write("world.toml", &pipeline(&RIGHT, &log, &format!("[calendar]\n{keys}\n")));
        let output = cltv(["run", &path("world.toml"), "--output", &path("out"), "-q"]);
        assert_eq!(output.status.code(), Some(2), "{keys}: {}", stderr(&output));
        let said = stderr(&output).replace('"', "\\\"");
        let expected = expected.replace("\\\"", "\"").replace('"', "\\\"");
        assert!(said.contains(&expected), "{keys}: {said}");
        assert!(!Path::new(&path("out")).exists(), "{keys}");
    }
}
