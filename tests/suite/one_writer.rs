//! Commands that change what a finished run or a folder of models holds: two at once, and killed at
//! any time.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::*;

fn spawned(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cltv"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Runs a command that must succeed. Returns how long it took.
fn done(arguments: &[&str]) -> Duration {
    let since = Instant::now();
    let output = cltv(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    since.elapsed()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Every name in a folder and below it.
fn everything(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(everything(&path));
        }
        found.insert(path);
    }
    found
}

/// Two models of one log, the second fitted to a later end.
fn older_and_newer(place: &Path) -> [PathBuf; 2] {
    ["2011-10-31", "2011-11-30"].map(|end| {
        let out = place.join(end);
        let set = format!("transactions.calibration_end={end}");
        let pipeline = "pipelines/transactions.toml";
        done(&["fit", pipeline, "--quiet", "--output", &text(&out), "--set", &set]);
        out.join("model.json")
    })
}

const KNOWN: [&str; 2] = ["--accept", "rows_set_aside"];

#[test]
fn of_two_promotions_at_once_the_newer_model_wins() {
    let place = folder();
    let [older, newer] = older_and_newer(place.path());
    for round in 0..40 {
        let models = text(&place.path().join(format!("models{round}")));
        let mut pair = [&newer, &older];
        if round % 2 == 1 {
            pair.reverse();
        }
        let promoted = pair.map(|model| {
            spawned(&["promote", &text(model), "--models", &models, KNOWN[0], KNOWN[1]])
        });
        let [first, second] = promoted.map(|child| child.wait_with_output().expect("an end"));
        for output in [&first, &second] {
            let said = stderr(output);
            let older_is_late = said.contains("--accept older");
            assert!(output.status.success() || older_is_late, "round {round}: {said}");
        }
        let champion = json(&Path::new(&models).join("champion.json"));
        let name = champion["model"].as_str().expect("a name");
        assert!(name.starts_with("2011-11-30"), "round {round}: {name} is in use");
        let hidden = everything(Path::new(&models)).into_iter().filter(|path| is_hidden(path));
        assert_eq!(hidden.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Kills a command after ever longer times; `holds` looks at what is there after each. In the end,
/// the command runs to its end, and what is left is what it leaves when it was never killed.
fn killed(times: u32, place: &Path, arguments: &[&str], holds: impl Fn()) {
    let usual = done(arguments);
    holds();
    let clean = everything(place);
    for time in 0..times {
        let mut child = spawned(arguments);
        std::thread::sleep(usual.mul_f64(1.1 * f64::from(time) / f64::from(times)));
        child.kill().expect("it can be killed");
        child.wait().expect("an end");
        holds();
    }
    done(arguments);
    holds();
    let left: Vec<PathBuf> = everything(place).difference(&clean).cloned().collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "left after kills of {}", arguments[0]);
}

#[test]
fn killed_promotions_leave_a_champion_and_nothing_else() {
    let place = folder();
    let [older, newer] = older_and_newer(place.path());
    let models = place.path().join("models");
    let folder = text(&models);
    done(&["promote", &text(&older), "--models", &folder, KNOWN[0], KNOWN[1]]);
    let promote = ["promote", &text(&newer), "--models", &folder, KNOWN[0], KNOWN[1]];
    killed(40, place.path(), &promote, || {
        let champion = json(&models.join("champion.json"));
        let name = champion["model"].as_str().expect("a name");
        assert!(models.join(name).is_file(), "{name} is in use and not there");
    });
}

#[test]
fn killed_lists_and_pages_are_whole_or_not_there() {
    let place = folder();
    let out = place.path().join("out");
    run_ok("pipelines/flo.toml", &project("data/flo_sample.csv"), &out, &["--quiet"]);
    let (run, list) = (text(&out), place.path().join("list.csv"));
    let to = text(&list);
    let select = ["select", &run, "--where", "cltv > 0", "--out", &to];
    done(&select);
    let expected = fs::read(&list).expect("a list");
    killed(20, place.path(), &select, || {
        assert!(fs::read(&list).expect("a list") == expected, "half a list");
    });
    let page = out.join("report.html");
    killed(20, place.path(), &["report", &run], || {
        let page = fs::read_to_string(&page).expect("a page");
        assert!(page.trim_end().ends_with("</html>"), "half a page");
    });
}

#[test]
fn a_killed_comparison_is_whole_or_not_there() {
    let place = folder();
    let sample = project("data/flo_sample.csv");
    let runs = ["2021-06-01", "2021-12-01"].map(|day| {
        let out = place.path().join(day);
        run_ok("pipelines/flo.toml", &sample, &out, &["--quiet", "--as-of", day]);
        text(&out)
    });
    let out = place.path().join("comparison");
    let compare = ["compare", &runs[0], &runs[1], "--quiet", "--output", &text(&out)];
    killed(20, place.path(), &compare, || {
        let document = json(&out.join("comparison.json"));
        assert!(document["schema_version"].is_number(), "half a comparison");
    });
}

/// The page names the day of the run whose files lie beside it.
#[test]
fn a_page_made_during_a_run_is_of_the_run_beside_it() {
    let place = folder();
    let out = place.path().join("out");
    let sample = project("data/flo_sample.csv");
    let days = ["2021-06-01", "2021-07-01"];
    let run = |day: &str| {
        spawned(&[
            "run",
            "pipelines/flo.toml",
            "--quiet",
            "--input",
            &text(&sample),
            "--output",
            &text(&out),
            "--as-of",
            day,
        ])
    };
    let since = Instant::now();
    assert!(run(days[0]).wait().expect("an end").success());
    let usual = since.elapsed();
    let mut pages = 0;
    for round in 0..30u32 {
        let mut running = run(days[(round as usize + 1) % 2]);
        // Most of them in the last part of the run, when the folder is exchanged.
        std::thread::sleep(usual.mul_f64(0.6 + 0.5 * f64::from(round % 15) / 15.0));
        let report = spawned(&["report", &text(&out)]).wait_with_output().expect("an end");
        let ran = running.wait().expect("an end");
        let said = stderr(&report);
        // A run waits for a page, which is quick.
        assert!(ran.success(), "{ran}");
        assert!(report.status.success() || report.status.code() == Some(1), "{said}");
        pages += u32::from(report.status.success());
        let as_of = json(&out.join("run.json"))["as_of"].as_str().expect("a day").to_owned();
        let page = fs::read_to_string(out.join("report.html")).expect("a page");
        let month = if as_of == days[0] { "June" } else { "July" };
        let named = page.contains(&format!("as of 1 {month} 2021"));
        assert!(named, "round {round}: the page is not of the run as of {as_of}");
    }
    assert!(pages > 0, "no page was made");
    assert_eq!(everything(place.path()).iter().filter(|path| is_hidden(path)).count(), 0);
}
