//! Unattended runs: killed, interrupted, started twice, on a full disk. The output is always
//! complete.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cltv::internal::OutputKind;
use cltv::internal::Target;
use sha2::{Digest, Sha256};

use crate::support::*;

const SAMPLE: &str = "data/flo_sample.csv";

fn command(out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cltv"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["run", "pipelines/flo.toml", "--quiet", "--output"]).arg(out).args(more);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn start(out: &Path, more: &[&str]) -> Child {
    command(out, more).spawn().expect("the program starts")
}

/// Every file that run.json names is there, with the SHA-256 in run.json. Returns the setting
/// `output.top`.
fn whole(out: &Path) -> u64 {
    let manifest = json(&out.join("run.json"));
    let outputs = manifest["outputs"].as_array().expect("outputs");
    assert!(outputs.len() >= 11);
    for output in outputs {
        let name = output["file"].as_str().expect("a name");
        let bytes = std::fs::read(out.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(output["sha256"], digest, "{name}");
    }
    manifest["settings"]["output"]["top"].as_u64().expect("a number")
}

/// The names in a folder, including hidden ones.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_killed_run_leaves_the_output_before_or_the_output_after() {
    let place = folder();
    let out = place.path().join("out");
    assert!(start(&out, &["--set", "output.top=1"]).wait().expect("an end").success());
    std::fs::write(out.join("notes.txt"), "ours").expect("written");
    std::fs::create_dir(out.join("more")).expect("made");
    std::fs::write(out.join("more/notes.txt"), "ours too").expect("written");
    let usual = {
        let since = Instant::now();
        assert!(start(&out, &["--set", "output.top=2"]).wait().expect("an end").success());
        since.elapsed()
    };
    let mut before = 2;
    let (mut kept, mut replaced) = (0, 0);
    // Twice as many kills in the last part of the run, where files are written and exchanged.
    let early = (0..15).map(|i| usual.mul_f64(0.7 * f64::from(i) / 15.0));
    let late = (0..30).map(|i| usual.mul_f64(0.7 + 0.6 * f64::from(i) / 30.0));
    for (i, delay) in early.chain(late).enumerate() {
        let top = 3 + i as u64;
        let mut run = start(&out, &["--set", &format!("output.top={top}")]);
        std::thread::sleep(delay);
        run.kill().expect("it can be killed");
        run.wait().expect("an end");
        let found = whole(&out);
        assert!(found == before || found == top, "{found} is neither {before} nor {top}");
        assert_eq!(std::fs::read_to_string(out.join("notes.txt")).ok().as_deref(), Some("ours"));
        *(if found == top { &mut replaced } else { &mut kept }) += 1;
        before = found;
    }
    assert!(
        kept >= 1,
        "every killed run replaced the output, even the one that was killed at once"
    );
    eprintln!("kills before the output was replaced: {kept}, after: {replaced}");
    assert!(start(&out, &["--set", "output.top=2"]).wait().expect("an end").success());
    assert_eq!(whole(&out), 2);
    assert_eq!(names(place.path()), ["out"], "hidden folders or locks are left");
    assert!(!names(&out).iter().any(|name| name.starts_with('.')), "{:?}", names(&out));
    let text = std::fs::read_to_string(out.join("more/notes.txt"));
    assert_eq!(text.ok().as_deref(), Some("ours too"));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_within_a_second_and_leaves_nothing() {
    for signal in ["INT", "TERM"] {
        // A machine that is busy with other tests may need more than one try.
        let quickest =
            (0..3).map(|_| seconds_to_end(signal)).find(|took| *took < Duration::from_secs(1));
        assert!(quickest.is_some(), "three runs went on for a second or more after SIG{signal}");
    }
}

/// How long a run goes on after a signal; it must leave nothing.
#[cfg(unix)]
fn seconds_to_end(signal: &str) -> Duration {
    let place = folder();
    let out = place.path().join("out");
    // Without the signal, the draws would take minutes.
    let mut run = Command::new(env!("CARGO_BIN_EXE_cltv"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "pipelines/flo_selection_aware.toml", "--quiet", "--output"])
        .arg(&out)
        .args(["--set", "uncertainty.draws=100000"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_millis(400));
    assert!(run.try_wait().expect("a state").is_none(), "the run ended before the signal");
    let since = Instant::now();
    let kill = Command::new("kill").args(["-s", signal, &run.id().to_string()]).status();
    assert!(kill.expect("kill is there").success());
    let output = run.wait_with_output().expect("an end");
    let took = since.elapsed();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).contains("interrupted"), "{}", stderr(&output));
    assert_eq!(names(place.path()), ["out.failure.json"]);
    assert_eq!(json(&place.path().join("out.failure.json"))["code"], "interrupted");
    took
}

#[test]
fn a_second_run_on_the_same_folder_fails_clearly() {
    let place = folder();
    let out = place.path().join("out");
    let target = Target::lock(&out, OutputKind::Run).expect("nobody writes");
    let output = start(&out, &[]).wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("another run (process") && said.contains("--output"), "{said}");
    assert!(!out.exists());
    drop(target);
    assert!(start(&out, &[]).wait().expect("an end").success());
    assert_eq!(names(place.path()), ["out"]);
}

#[cfg(unix)]
#[test]
fn without_room_the_earlier_output_stays() {
    let place = folder();
    let out = place.path().join("out");
    assert!(start(&out, &["--set", "output.top=1"]).wait().expect("an end").success());
    // No file may grow beyond 64 blocks, so the write fails as on a full disk.
    let run = command(&out, &["--set", "output.top=2"]);
    let words: Vec<String> = std::iter::once(run.get_program())
        .chain(run.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let script = format!("trap '' XFSZ; ulimit -f 64; exec {}", words.join(" "));
    let output = Command::new("sh")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-c", &script])
        .output()
        .expect("a shell");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot write"), "{}", stderr(&output));
    assert_eq!(whole(&out), 1);
    assert_eq!(names(place.path()), ["out", "out.failure.json"]);
    assert_eq!(json(&place.path().join("out.failure.json"))["code"], "io");
}

#[test]
fn a_target_that_cannot_be_written_is_said_at_once() {
    let place = folder();
    let file = place.path().join("file");
    std::fs::write(&file, "a file").expect("written");
    let mut targets = vec![file.clone(), file.join("below")];
    if cfg!(target_os = "linux") {
        targets.push(PathBuf::from("/proc/cltv"));
    }
    for target in targets {
        let output = start(&target, &[]).wait_with_output().expect("an end");
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains(&*target.to_string_lossy()), "{said}");
    }
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "a file");
}

#[test]
fn the_working_directory_can_be_the_target() {
    let place = folder();
    let run = || {
        let mut run = Command::new(env!("CARGO_BIN_EXE_cltv"));
        run.current_dir(place.path()).arg("run").arg(project("pipelines/flo.toml"));
        run.arg("--input").arg(project(SAMPLE)).args(["--output", ".", "--quiet"]);
        run.output().expect("the program starts")
    };
    for _ in 0..2 {
        let output = run();
        assert!(output.status.success(), "{}", stderr(&output));
        whole(place.path());
    }
    assert!(!names(place.path()).iter().any(|name| name.starts_with('.')));
}

#[test]
fn a_partition_replaces_exactly_itself() {
    let place = folder();
    let out = place.path().join("out");
    let partition = |day: &str, top: &str| {
        let set = format!("output.top={top}");
        let more = ["--as-of", day, "--set", "output.partition=as_of", "--set", &set];
        assert!(start(&out, &more).wait().expect("an end").success());
    };
    partition("2021-06-01", "1");
    partition("2021-09-01", "2");
    let first = out.join("as_of=2021-06-01");
    let bytes = std::fs::read(first.join("run.json")).expect("a manifest");
    partition("2021-09-01", "3");
    assert_eq!(names(&out), ["as_of=2021-06-01", "as_of=2021-09-01"]);
    assert!(std::fs::read(first.join("run.json")).ok() == Some(bytes));
    assert_eq!(whole(&first), 1);
    assert_eq!(whole(&out.join("as_of=2021-09-01")), 3);
    assert_eq!(names(place.path()), ["out"]);
}

#[test]
fn a_run_and_an_evaluation_share_a_folder() {
    let place = folder();
    let out = place.path().join("out");
    let (pipeline, log) = ("pipelines/transactions.toml", project("data/orders_sample.csv"));
    let cut = ["--quiet", "--set", "transactions.calibration_end=2011-06-09"];
    run_ok(pipeline, &log, &out, &cut);
    let mut arguments = vec!["evaluate".into(), project(pipeline).into_os_string()];
    arguments.extend(["--output".into(), out.clone().into_os_string()]);
    arguments.extend(cut.map(Into::into));
    let output = cltv(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    whole(&out);
    run_ok(pipeline, &log, &out, &cut);
    whole(&out);
    assert!(out.join("evaluation.json").is_file());
}

#[test]
fn a_dry_run_writes_nothing() {
    let place = folder();
    let out = place.path().join("out");
    let output = command(&out, &["--dry-run"]).output().expect("an end");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(names(place.path()), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_beyond_its_memory_ends_with_an_error() {
    let place = folder();
    let out = place.path().join("out");
    let limit = ["--set", "resources.memory_limit=8 MiB"];
    let output = command(&out, &limit).output().expect("an end");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("resources.memory_limit"), "{}", stderr(&output));
    assert_eq!(names(place.path()), ["out.failure.json"]);
    assert_eq!(json(&place.path().join("out.failure.json"))["code"], "memory");
    let enough = ["--set", "resources.memory_limit=4 GiB"];
    assert!(start(&out, &enough).wait().expect("an end").success());
}

#[test]
fn both_engines_give_the_same_bytes() {
    let logs =
        [("pipelines/flo.toml", SAMPLE), ("pipelines/transactions.toml", "data/orders_sample.csv")];
    for (pipeline, input) in logs {
        let out = ["in_memory", "streaming"].map(|engine| {
            let out = folder();
            let set = format!("resources.engine={engine}");
            run_ok(pipeline, &project(input), out.path(), &["--set", &set]);
            out
        });
        let [first, second] = out.each_ref().map(|out| names(out.path()));
        assert_eq!(first, second);
        for name in first.iter().filter(|name| *name != "run.json") {
            let [one, other] = out.each_ref().map(|out| std::fs::read(out.path().join(name)));
            assert!(one.expect("a file") == other.expect("a file"), "{pipeline}: {name} differs");
        }
    }
}

#[test]
fn an_input_by_the_name_of_an_output_is_not_replaced() {
    let place = folder();
    let input = place.path().join("customers.csv");
    let text = std::fs::read(project(SAMPLE)).expect("the sample");
    let run = || {
        let mut run = Command::new(env!("CARGO_BIN_EXE_cltv"));
        run.current_dir(env!("CARGO_MANIFEST_DIR")).args(["run", "pipelines/flo.toml", "--input"]);
        run.arg(&input).arg("--output").arg(place.path()).output().expect("the program starts")
    };
    std::fs::write(&input, &text).expect("written");
    let output = run();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("choose another output folder"), "{}", stderr(&output));
    // Nor is it replaced in a folder that a run has written to before.
    std::fs::remove_file(&input).expect("removed");
    assert!(start(place.path(), &[]).wait().expect("an end").success());
    std::fs::write(&input, &text).expect("written");
    let output = run();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(std::fs::read(&input).ok() == Some(text));
}

#[cfg(unix)]
#[test]
fn the_folder_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt;

    let place = folder();
    let out = place.path().join("out");
    std::fs::create_dir(&out).expect("made");
    let rights = |mode| std::fs::set_permissions(&out, std::fs::Permissions::from_mode(mode));
    rights(0o2750).expect("set");
    assert!(start(&out, &[]).wait().expect("an end").success());
    let mode = std::fs::metadata(&out).expect("there").permissions().mode() & 0o7777;
    assert_eq!(mode, 0o2750);
    assert_eq!(whole(&out), 20);
}

#[test]
fn fit_and_evaluate_keep_to_their_memory_too() {
    let place = folder();
    let [log, out] = ["log.csv", "out"].map(|name| place.path().join(name).display().to_string());
    // Large enough that the work outlasts the pause between two checks of the memory.
    let output = cltv([
        "simulate",
        "transactions",
        "--customers=30000",
        "--seed=7",
        "--end=2011-12-09",
        "--out",
        &log,
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let folds = ["--set", "transactions.calibration_end=2011-06-09", "--folds", "50"];
    for (command, more) in [("fit", &[][..]), ("evaluate", &folds[..])] {
        let arguments = [command, "pipelines/transactions.toml", "--input", &log, "--output", &out];
        let limit = ["--set", "resources.memory_limit=8 MiB"];
        let output = cltv(arguments.iter().chain(&limit).chain(more));
        assert_eq!(output.status.code(), Some(1), "{command}: {}", stderr(&output));
        assert!(stderr(&output).contains("resources.memory_limit"), "{}", stderr(&output));
    }
}

/// A scheduler reads one line and knows what kind of failure it was.
#[test]
fn errors_have_a_code_in_json() {
    let place = folder();
    let out = place.path().join("out").display().to_string();
    let run = ["run", "pipelines/flo.toml", "--output", &out];
    let file = place.path().join("file");
    std::fs::write(&file, "a file").expect("written");
    let file = file.display().to_string();
    for (arguments, code, exit) in [
        (vec!["run", "--nonsense"], "usage", 2),
        (vec!["nonsense"], "usage", 2),
        ([&run[..], &["--set", "purchases.modle=1"]].concat(), "settings", 2),
        ([&run[..], &["--input", "nothing.csv"]].concat(), "input", 3),
        ([&run[..], &["--strict"]].concat(), "model", 4),
        (vec!["run", "pipelines/flo.toml", "--output", &file], "io", 1),
    ] {
        for json in [&["--log-format", "json"][..], &["--log-format=json"]] {
            let output = cltv([&arguments[..], json].concat());
            assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", stderr(&output));
            let lines: Vec<serde_json::Value> = stderr(&output)
                .lines()
                .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
                .collect();
            let last = lines.last().expect("a line");
            assert_eq!((&last["level"], &last["code"]), (&"ERROR".into(), &code.into()), "{last}");
            assert!(last["message"].as_str().is_some_and(|said| said.len() > 10), "{last}");
        }
    }
    let plain = cltv(["run", "pipelines/flo.toml", "--input", "nothing.csv", "--output", &out]);
    assert!(!stderr(&plain).contains("code"), "{}", stderr(&plain));
}

/// What a run that fails leaves beside its output: code, message and stage. The earlier output stays,
/// and the next run that succeeds clears it away.
#[test]
fn a_failed_run_says_beside_its_output_how() {
    let place = folder();
    let out = place.path().join("out");
    let left = place.path().join("out.failure.json");
    let input = project("data/flo_sample.csv");
    run_ok("pipelines/flo.toml", &input, &out, &[]);
    assert!(!left.exists());
    let before = whole(&out);
    let to = out.display().to_string();
    let few = place.path().join("few.csv");
    std::fs::write(&few, "master_id,first_order_date\n1,2020-01-01\n").expect("written");
    let few = few.display().to_string();
    let run = ["run", "pipelines/flo.toml", "--output", &to];
    for (more, code, stage) in [
        (vec!["--input", "nothing.csv"], "input", "load and clean"),
        (vec!["--input", &few], "input", "load and clean"),
        (vec!["--strict"], "model", "figures"),
    ] {
        let output = cltv([&run[..], &more].concat());
        assert!(!output.status.success());
        let failure = json(&left);
        assert_eq!((&failure["code"], &failure["stage"]), (&code.into(), &stage.into()));
        let message = failure["message"].as_str().expect("a message");
        assert!(stderr(&output).contains(message), "{message}: {}", stderr(&output));
        assert_eq!(failure["pipeline"], "pipelines/flo.toml");
        assert_eq!(whole(&out), before, "the earlier output is another one");
    }
    // Nothing is known of a command line or folder that is wrong, and a dry run writes nothing.
    std::fs::remove_file(&left).expect("removed");
    for more in [vec!["--set", "nonsense=1"], vec!["--strict", "--dry-run"]] {
        assert!(!cltv([&run[..], &more].concat()).status.success());
        assert!(!left.exists(), "{more:?}");
    }
    assert!(!cltv([&run[..], &["--strict"]].concat()).status.success());
    assert!(left.exists());
    run_ok("pipelines/flo.toml", &input, &out, &[]);
    assert!(!left.exists(), "a run that succeeds clears it away");
    // Its mode is that of the results: a message may quote a value.
    let private = ["--strict", "--set", "output.mode=\"0700\""];
    assert!(!cltv([&run[..], &private].concat()).status.success());
    let mode = std::os::unix::fs::MetadataExt::mode(&left.metadata().expect("the file"));
    assert_eq!(mode & 0o777, 0o600);
    // Another file of that name is left alone.
    std::fs::write(&left, "mine").expect("written");
    assert!(!cltv([&run[..], &["--strict"]].concat()).status.success());
    run_ok("pipelines/flo.toml", &input, &out, &[]);
    assert_eq!(std::fs::read_to_string(&left).expect("the file"), "mine");
    std::fs::remove_file(&left).expect("removed");
    // An interrupt counts as a failure too.
    let slow = ["--set", "uncertainty={draws=20000}", "--set", "purchases.l2_penalty=0"];
    let mut child = start(&out, &slow);
    while !names(place.path()).iter().any(|name| name.ends_with(".cltv-lock")) {
        assert!(child.try_wait().expect("a state").is_none(), "the run ended before it began");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(json(&left)["code"], "interrupted");
}

/// The commands of docs/examples, word by word, on the sample: they succeed, and write where they say.
#[test]
fn the_examples_for_schedulers_pass_on_the_sample() {
    let read = |name: &str| {
        std::fs::read_to_string(project("docs/examples").join(name)).expect("an example")
    };
    let after = |text: &str, mark: &str| -> String {
        let line = text.lines().find(|line| line.contains(mark)).expect("its line");
        line[line.find(mark).unwrap_or(0)..].to_owned()
    };
    let cron = after(&read("cltv.crontab"), "cltv run").replace("\\%", "%");
    let systemd = after(&read("cltv.service"), "exec ").replace("%%", "%");
    let systemd = systemd.trim_end_matches('\'').to_owned();
    let dag = read("cltv_dag.py");
    let (_, bash) = dag.split_once("bash_command=(").expect("its command");
    let (bash, _) = bash.split_once(")").expect("its end");
    let airflow: String = bash.split('"').skip(1).step_by(2).collect();
    let airflow = ["pipeline", "input", "output"]
        .iter()
        .zip(["/etc/cltv/flo.toml", "/srv/crm/export.csv", "/srv/cltv"])
        .fold(airflow, |text, (name, value)| {
            text.replace(&format!("{{{{ params.{name} }}}}"), value)
        })
        .replace("{{ ds }}", "2021-05-31");
    for (name, command, folder_name) in [
        ("cron", cron, "latest"),
        ("systemd", systemd, "latest"),
        ("airflow", airflow, "2021-05-31"),
    ] {
        for flag in ["--as-of", "--strict", "--log-format json"] {
            assert!(command.contains(flag), "{name}: {command}");
        }
        let place = folder();
        let tools = place.path().join("bin");
        std::fs::create_dir(&tools).expect("a folder");
        // The program by its name, and the day of the sample.
        let program = env!("CARGO_BIN_EXE_cltv");
        let scripts =
            [("cltv", format!("exec {program} \"$@\"")), ("date", "echo 2021-05-31".to_owned())];
        for (tool, script) in scripts {
            let file = tools.join(tool);
            std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("written");
            let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&file, executable).expect("executable");
        }
        let srv = place.path().join("srv");
        std::fs::create_dir(&srv).expect("a folder");
        let command = command
            .replace("/usr/local/bin/cltv", "cltv")
            .replace(
                "/etc/cltv/flo.toml",
                &project("pipelines/flo_selection_aware.toml").display().to_string(),
            )
            .replace("/srv/crm/export.csv", &project("data/flo_sample.csv").display().to_string())
            .replace("/srv/cltv", &srv.display().to_string());
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("PATH"));
        let output = Command::new("sh").args(["-c", &command]).env("PATH", path).output();
        let output = output.expect("sh starts");
        let said = std::fs::read_to_string(srv.join("cltv.log")).unwrap_or_default();
        assert!(output.status.success(), "{name}: {} {said}", stderr(&output));
        assert!(output.stdout.is_empty(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
        let run = json(&srv.join(folder_name).join("run.json"));
        assert_eq!(run["as_of"], "2021-05-31", "{name}");
        assert!(srv.join("lineage.ndjson").is_file(), "{name}");
    }
}
