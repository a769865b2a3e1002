//! Files, folders and devices that are not ours: nothing of anybody's is moved, read or overwritten.
//! Tests that need another user, a device or a mount are ignored by default, and their names end in
//! `_as_root`.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::*;

/// A user without an account or a group; nobody needs to have made them.
const STRANGER: u32 = 54_321;

fn is_root() -> bool {
    folder().path().metadata().expect("made").uid() == 0
}

/// A place where another user can run the program: with a copy of it, the sample and a pipeline.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = folder();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("opened");
        let program = PathBuf::from(env!("CARGO_BIN_EXE_cltv"));
        let copy = place.path().join("cltv");
        fs::hard_link(&program, &copy)
            .or_else(|_| fs::copy(&program, &copy).map(drop))
            .expect("copied");
        for file in ["pipelines/flo.toml", "data/flo_sample.csv"] {
            let to = place.path().join(Path::new(file).file_name().expect("a name"));
            fs::copy(project(file), &to).expect("copied");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o644)).expect("opened");
        }
        Self(place)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// A folder that belongs to a user.
    fn folder_of(&self, name: &str, user: u32) -> PathBuf {
        let path = self.at(name);
        fs::create_dir(&path).expect("made");
        std::os::unix::fs::chown(&path, Some(user), Some(user)).expect("given");
        path
    }

    /// The program, run by a user.
    fn run_as(&self, user: u32, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.at("cltv"));
        command.current_dir(self.0.path()).env("HOME", "/nonexistent").args(arguments);
        if user != 0 {
            command.uid(user).gid(user);
        }
        command.output().expect("the program starts")
    }

    fn flo_as(&self, user: u32, out: &str, more: &[&str]) -> Output {
        let arguments =
            ["run", "flo.toml", "--input", "flo_sample.csv", "--quiet", "--output", out];
        self.run_as(user, &[&arguments[..], more].concat())
    }
}

fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn refused(output: &Output, part: &str) {
    let said = stderr(output);
    assert!(!output.status.success(), "it was not refused: {part}");
    assert!(said.contains(part), "{part}: {said}");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).mode() & 0o7777
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn hidden(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.')).collect()
}

/// A run of the sample, and the arguments of a list from it that goes to `to`.
fn list<'a>(run: &'a str, to: &'a str) -> [&'a str; 6] {
    ["select", run, "--where", "cltv > 200", "--out", to]
}

#[test]
fn standard_output_gets_the_list() {
    let place = Place::new();
    let run = place.text("out");
    ok(&place.flo_as(0, "out", &[]));
    ok(&place.run_as(0, &list(&run, &place.text("list.csv"))));
    let expected = read(&place.at("list.csv"));
    assert!(expected.lines().count() > 10, "{expected}");
    let before = fs::symlink_metadata("/dev/stdout").expect("there").ino();
    for to in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert!(ok(&place.run_as(0, &list(&run, to))).starts_with(&expected), "{to}");
    }
    assert_eq!(fs::symlink_metadata("/dev/stdout").expect("there").ino(), before);
}

#[test]
fn a_pipe_is_written_through() {
    let place = Place::new();
    let run = place.text("out");
    ok(&place.flo_as(0, "out", &[]));
    ok(&place.run_as(0, &list(&run, &place.text("list.csv"))));
    let pipe = place.at("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there").success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || read(&pipe))
    };
    ok(&place.run_as(0, &list(&run, &place.text("pipe"))));
    assert_eq!(reader.join().expect("read"), read(&place.at("list.csv")));
    assert!(fs::symlink_metadata(&pipe).expect("there").file_type().is_fifo());
}

#[test]
#[ignore = "needs root"]
fn a_device_is_written_through_as_root() {
    let place = Place::new();
    let run = place.text("out");
    ok(&place.flo_as(0, "out", &[]));
    let null = place.at("null");
    let made = Command::new("mknod").arg(&null).args(["c", "1", "3"]).status();
    assert!(made.expect("mknod is there").success());
    ok(&place.run_as(0, &list(&run, &place.text("null"))));
    assert!(fs::symlink_metadata(&null).expect("there").file_type().is_char_device());
}

#[test]
fn a_file_keeps_its_links_its_mode_and_its_owner() {
    let place = Place::new();
    let run = place.text("out");
    ok(&place.flo_as(0, "out", &[]));
    fs::create_dir(place.at("elsewhere")).expect("made");
    let file = place.at("elsewhere/list.csv");
    write(&file, "before");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("closed");
    symlink("elsewhere/list.csv", place.at("link")).expect("linked");
    symlink(place.at("link"), place.at("link2")).expect("linked");
    let owner = if is_root() { STRANGER } else { file.metadata().expect("there").uid() };
    std::os::unix::fs::chown(&file, Some(owner), Some(owner)).expect("given");
    for to in ["link", "link2", "elsewhere/list.csv"] {
        write(&file, "before");
        ok(&place.run_as(0, &list(&run, &place.text(to))));
        assert!(read(&file).starts_with("customer_id"), "{to}");
        assert_eq!((mode(&file), file.metadata().expect("there").uid()), (0o600, owner), "{to}");
        assert!(place.at("link").is_symlink() && place.at("link2").is_symlink());
    }
    symlink("elsewhere/new.csv", place.at("dangling")).expect("linked");
    ok(&place.run_as(0, &list(&run, &place.text("dangling"))));
    assert!(place.at("elsewhere/new.csv").is_file() && place.at("dangling").is_symlink());
    assert_eq!(hidden(&place.at("elsewhere")), Vec::<String>::new());
    assert_eq!(hidden(place.0.path()), Vec::<String>::new());
}

#[test]
#[ignore = "needs root"]
fn a_folder_of_another_user_stays_where_it_is_as_root() {
    let place = Place::new();
    let home = place.folder_of("home", STRANGER);
    let out = home.join("out");
    let text = out.display().to_string();
    ok(&place.flo_as(STRANGER, &text, &[]));
    // It cannot be moved by the user of the run, who may not write to it.
    fs::create_dir(out.join("others")).expect("made");
    write(&out.join("others/precious"), "precious");
    write(&out.join("file of root"), "precious");
    fs::set_permissions(out.join("others"), fs::Permissions::from_mode(0o755)).expect("set");
    let at = out.join("others").metadata().expect("there").ino();
    for top in 1..=3 {
        let set = format!("output.top={top}");
        ok(&place.flo_as(STRANGER, &text, &["--set", &set]));
        assert_eq!(read(&out.join("others/precious")), "precious");
        assert_eq!(read(&out.join("file of root")), "precious");
        assert_eq!(out.join("others").metadata().expect("there").ino(), at);
        assert_eq!(json(&out.join("run.json"))["settings"]["output"]["top"], top);
        assert_eq!(hidden(&home), Vec::<String>::new());
        assert_eq!(hidden(&out), Vec::<String>::new());
    }
}

#[test]
#[ignore = "needs root"]
fn a_mount_within_the_folder_stays_where_it_is_as_root() {
    let place = Place::new();
    let out = place.at("out");
    ok(&place.flo_as(0, "out", &[]));
    let mount = out.join("mounted");
    fs::create_dir(&mount).expect("made");
    write(&place.at("precious"), "precious");
    // In a name space of its own, so that the mount ends with the test.
    let script = format!(
        "mount --bind '{0}' '{1}' || exit 3; for top in 1 2 3; do ./cltv run flo.toml --input \
         flo_sample.csv --quiet --output out --set output.top=$top || exit 1; \
         mountpoint -q '{1}' && test -f '{1}/precious' || exit 2; done",
        place.0.path().display(),
        mount.display()
    );
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .current_dir(place.0.path())
        .output()
        .expect("unshare is there");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(json(&out.join("run.json"))["settings"]["output"]["top"], 3);
    assert_eq!(hidden(&out), Vec::<String>::new());
}

#[test]
fn what_others_planted_beside_the_folder_is_not_followed() {
    let place = Place::new();
    let precious = place.at("precious");
    write(&precious, "precious");
    fs::create_dir(place.at("folder")).expect("made");
    write(&place.at("folder/run.json"), "precious");
    write(&place.at("folder/notes"), "precious");
    for name in [".out.cltv-lock", ".out.cltv-new", ".out.cltv-old"] {
        for planted in ["precious", "folder"] {
            symlink(planted, place.at(name)).expect("linked");
            let output = place.flo_as(0, "out", &[]);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{name}: {said}");
            assert!(said.contains(name) && said.contains("remove it"), "{name}: {said}");
            assert_eq!(read(&precious), "precious");
            assert_eq!(read(&place.at("folder/run.json")), "precious");
            assert_eq!(read(&place.at("folder/notes")), "precious");
            assert!(!place.at("out").exists());
            fs::remove_file(place.at(name)).expect("removed");
        }
    }
    fs::hard_link(&precious, place.at(".out.cltv-lock")).expect("linked");
    refused(&place.flo_as(0, "out", &[]), "second name");
    assert_eq!(read(&precious), "precious");
    fs::remove_file(place.at(".out.cltv-lock")).expect("removed");
    ok(&place.flo_as(0, "out", &[]));
}

/// Names that we choose and nobody stated: report.html, model.json, champion.json.
#[test]
fn a_link_planted_in_place_of_a_file_of_ours_is_replaced() {
    let place = Place::new();
    let precious = place.at("precious");
    write(&precious, "precious");
    let fit = ["fit", "flo.toml", "--input", "flo_sample.csv", "--quiet", "--output", "fit"];
    let accept = ["dropout_not_identified", "selected_customers", "spend_without_population_mean"];
    let mut promote = vec!["promote", "fit/model.json", "--models", "models"];
    accept.iter().for_each(|code| promote.extend(["--accept", code]));
    ok(&place.flo_as(0, "out", &[]));
    ok(&place.run_as(0, &fit));
    for (name, command) in [
        ("out/report.html", &["report", "out"][..]),
        ("fit/model.json", &fit),
        ("models/champion.json", &promote),
    ] {
        let path = place.at(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::remove_file(&path).ok();
        if name.ends_with("champion.json") {
            // It is read first: a link to nothing is no champion.
            symlink(place.at("nothing"), &path).expect("linked");
        } else {
            symlink(&precious, &path).expect("linked");
        }
        ok(&place.run_as(0, command));
        assert!(path.symlink_metadata().expect("there").is_file(), "{name}");
        assert_eq!(read(&precious), "precious", "{name}");
        assert!(!place.at("nothing").exists());
    }
}

#[test]
fn a_folder_by_the_name_of_a_file_of_ours_is_refused() {
    let place = Place::new();
    for first in [true, false] {
        let folder = place.at("out/rfm.csv");
        if !first {
            ok(&place.flo_as(0, "out", &[]));
            fs::remove_file(&folder).expect("removed");
        }
        fs::create_dir_all(&folder).expect("made");
        write(&folder.join("precious"), "precious");
        refused(&place.flo_as(0, "out", &[]), "rfm.csv: this is a folder");
        assert_eq!(read(&folder.join("precious")), "precious");
        assert_eq!(hidden(place.0.path()), Vec::<String>::new());
        fs::remove_dir_all(place.at("out")).expect("removed");
    }
}

#[test]
fn what_is_in_the_way_is_named() {
    let place = Place::new();
    for name in [".cltv-old", ".cltv-new"] {
        ok(&place.flo_as(0, "out", &[]));
        fs::create_dir(place.at("out").join(name)).expect("made");
        write(&place.at("out").join(name).join("precious"), "precious");
        let output = place.flo_as(0, "out", &[]);
        refused(&output, name);
        refused(&output, "move it away");
        assert_eq!(read(&place.at("out").join(name).join("precious")), "precious");
        fs::remove_dir_all(place.at("out")).expect("removed");
    }
}

/// A link in a folder for everyone may have been put there by anybody.
#[test]
#[ignore = "needs root"]
fn an_output_folder_that_another_user_linked_is_refused_as_root() {
    let place = Place::new();
    let shared = place.at("shared");
    fs::create_dir(&shared).expect("made");
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).expect("set");
    ok(&place.flo_as(0, "private", &[]));
    let before = read(&place.at("private/run.json"));
    symlink(place.at("private"), shared.join("out")).expect("linked");
    std::os::unix::fs::lchown(shared.join("out"), Some(STRANGER), Some(STRANGER)).expect("given");
    refused(&place.flo_as(0, "shared/out", &[]), "another user (uid 54321)");
    refused(&place.flo_as(0, "shared/out/below", &[]), "another user (uid 54321)");
    assert!(!place.at("private/below").exists());
    assert_eq!(read(&place.at("private/run.json")), before);
}

#[test]
#[ignore = "needs root"]
fn the_folders_and_locks_of_another_user_are_not_trusted_as_root() {
    let place = Place::new();
    ok(&place.flo_as(0, "out", &[]));
    let given = |path: &Path| {
        std::os::unix::fs::chown(path, Some(STRANGER), Some(STRANGER)).expect("given");
    };
    let whole = |place: &Place| read(&place.at("out/run.json"));
    let before = whole(&place);

    let lock = place.at(".out.cltv-lock");
    write(&lock, "1 elsewhere");
    given(&lock);
    refused(&place.flo_as(0, "out", &[]), "uid 54321");
    assert_eq!(read(&lock), "1 elsewhere");
    fs::remove_file(&lock).expect("removed");

    // A marker that another user wrote would make us take a folder of theirs for the former output.
    let planted = place.folder_of(".out.cltv-new", STRANGER);
    write(&planted.join("run.json"), "{}");
    write(&planted.join("evil.csv"), "evil");
    refused(&place.flo_as(0, "out", &[]), "uid 54321");
    assert!(!place.at("out/evil.csv").exists());
    fs::remove_dir_all(&planted).expect("removed");

    let mark = place.at("out/.cltv-unfinished");
    write(&mark, "run.json");
    given(&mark);
    let planted = place.at(".out.cltv-new");
    fs::create_dir(&planted).expect("made");
    write(&planted.join("evil.csv"), "evil");
    let output = place.flo_as(0, "out", &[]);
    assert!(!place.at("out/evil.csv").exists(), "{}", stderr(&output));
    fs::remove_dir_all(&planted).ok();
    fs::remove_file(&mark).ok();
    if !output.status.success() {
        assert_eq!(whole(&place), before);
    }
    ok(&place.flo_as(0, "out", &[]));
}

#[test]
fn results_are_as_open_as_their_folder_and_what_is_hidden_is_closed() {
    let place = Place::new();
    for folder_mode in [0o700, 0o750, 0o2770, 0o755] {
        let out = place.at(&format!("out{folder_mode:o}"));
        fs::create_dir(&out).expect("made");
        fs::set_permissions(&out, fs::Permissions::from_mode(folder_mode)).expect("set");
        for _ in 0..2 {
            ok(&place.flo_as(0, &out.display().to_string(), &[]));
            assert_eq!(mode(&out), folder_mode);
            for entry in fs::read_dir(&out).expect("a folder") {
                let path = entry.expect("an entry").path();
                assert_eq!(mode(&path), folder_mode & 0o666, "{}", path.display());
            }
        }
    }
    let set = ["--set", "output.mode=0700"];
    ok(&place.flo_as(0, "stated", &set));
    assert_eq!(mode(&place.at("stated")), 0o700);
    assert_eq!(mode(&place.at("stated/customers.parquet")), 0o600);
    ok(&place.flo_as(0, "parts", &[&set[..], &["--set", "output.partition=as_of"]].concat()));
    let parts: Vec<PathBuf> = fs::read_dir(place.at("parts"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(parts.len(), 1);
    assert_eq!((mode(&place.at("parts")), mode(&parts[0])), (0o700, 0o700));
    let fit = ["fit", "flo.toml", "--input", "flo_sample.csv", "--quiet", "--output", "fitted"];
    ok(&place.run_as(0, &[&fit[..], &set].concat()));
    assert_eq!((mode(&place.at("fitted")), mode(&place.at("fitted/model.json"))), (0o700, 0o600));
    // A group that shares a folder goes on sharing what is new in it.
    let team = place.at("team");
    fs::create_dir(&team).expect("made");
    fs::set_permissions(&team, fs::Permissions::from_mode(0o2770)).expect("set");
    ok(&place.flo_as(0, "team/out", &[]));
    assert_eq!(mode(&place.at("team/out")) & 0o2000, 0o2000);
    let run = place.text("out755");
    for (folder, list_mode) in [("out700", 0o600), ("stated", 0o600)] {
        let to = format!("{folder}/list");
        ok(&place.run_as(0, &list(&run, &place.text(&to))));
        assert_eq!(mode(&place.at(&to)), list_mode, "{to}");
    }
    let wrong = ["--set", "output.mode=rwx"];
    refused(&place.flo_as(0, "wrong", &wrong), "is not the mode of an output folder");
}

/// What lies beside the target while a run writes, as a look every millisecond sees it.
#[test]
fn hidden_files_are_closed_while_they_are_written() {
    let place = Place::new();
    let out = place.at("out");
    fs::create_dir(&out).expect("made");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o700)).expect("set");
    let mut run = Command::new(place.at("cltv"));
    run.current_dir(place.0.path()).env("TMPDIR", place.0.path());
    run.args(["run", "flo.toml", "--input", "flo_sample.csv", "--quiet", "--output", "out"]);
    let mut run = run.spawn().expect("the program starts");
    let (mut seen, mut open) = (0, Vec::new());
    while run.try_wait().expect("a state").is_none() {
        for name in hidden(place.0.path()) {
            let path = place.at(&name);
            let inside = fs::read_dir(&path).into_iter().flatten().flatten();
            for path in inside.map(|entry| entry.path()).chain([path.clone()]) {
                // It may be gone by now.
                if let Ok(found) = fs::symlink_metadata(&path) {
                    seen += 1;
                    if path.starts_with(place.at(".out.cltv-new")) && found.mode() & 0o077 != 0 {
                        // Rights are given just before the exchange, inside a closed folder.
                        let closed = fs::metadata(place.at(".out.cltv-new"))
                            .map_or(true, |folder| folder.mode() & 0o077 == 0);
                        if !closed {
                            open.push(path);
                        }
                    }
                }
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(run.wait().expect("an end").success());
    assert!(seen > 0, "nothing hidden was seen");
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn shared_folders_are_refused() {
    let place = Place::new();
    let home = place.at("home");
    fs::create_dir(&home).expect("made");
    let data = place.at("data");
    fs::create_dir(&data).expect("made");
    // Not as root, who would write to / if it were not refused.
    let root = is_root();
    for folder in [&home, &data] {
        let user = root.then_some(STRANGER);
        std::os::unix::fs::chown(folder, user, user).expect("given");
    }
    let run = |out: &str, input: &str| {
        let mut command = Command::new(place.at("cltv"));
        command.current_dir(place.0.path()).env("HOME", &home);
        command.args(["run", "flo.toml", "--quiet", "--input", input, "--output", out]);
        if root {
            command.uid(STRANGER).gid(STRANGER);
        }
        command.output().expect("the program starts")
    };
    fs::copy(place.at("flo_sample.csv"), data.join("export.csv")).expect("copied");
    symlink(&home, place.at("to home")).expect("linked");
    let input = data.join("export.csv").display().to_string();
    for (out, what) in [
        ("/", "the root of the file system"),
        ("//", "the root of the file system"),
        ("/usr/..", "the root of the file system"),
        ("/etc", "a folder of the system"),
        ("/bin", "a folder of the system"),
        ("/usr/share", "a folder of the system"),
        ("/var/lib", "a folder of the system"),
        ("/home", "a folder of the system"),
        ("/etc/cltv-that-is-not-there", "a folder of the system"),
        ("/usr/share/cltv-that-is/not-there", "a folder of the system"),
        ("/tmp", "a folder that everyone writes to"),
        (&place.text("home"), "your home folder"),
        ("home", "your home folder"),
        ("to home", "your home folder"),
        ("home/../home/.", "your home folder"),
        ("data", "the folder of the input"),
        (&place.text("data/"), "the folder of the input"),
    ] {
        let output = run(out, &input);
        assert_eq!(output.status.code(), Some(2), "{out}: {}", stderr(&output));
        refused(&output, what);
    }
    // A link to the file does not hide the folder that it is in.
    let linked = place.text("linked.csv");
    symlink(data.join("export.csv"), place.at("linked.csv")).expect("linked");
    refused(&run("data", &linked), "the folder of the input");
    assert_eq!(fs::read_dir(&home).expect("a folder").count(), 0);
    assert_eq!(fs::read_dir(&data).expect("a folder").count(), 1);
    // A folder of our runs may become that of the input later.
    ok(&run("data/run", &input));
    fs::copy(data.join("export.csv"), data.join("run/export.csv")).expect("copied");
    ok(&run("data/run", &data.join("run/export.csv").display().to_string()));
    assert!(data.join("run/export.csv").is_file());
}
