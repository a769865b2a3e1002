//! Every call to the file system fails once, on its own: the target then holds the former output or
//! the new one, whole, what others keep there stays, and the next run finds nothing in its way.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::output::folder::disk::{Disk, System};
use crate::output::folder::exchange::exchange;
use crate::output::folder::hidden::{MARK, NEW, beside};
use crate::output::folder::kind::OutputKind;
use crate::output::folder::recovery::recover;
use crate::output::folder::rename::rename_each;
use crate::storage::ownership::create_private_folder;
use crate::storage::rights::Rights;

/// What a file system cannot do at all.
#[derive(Debug, Clone, Copy, Default)]
struct Without {
    swap: bool,
    hard_links: bool,
}

/// A disk whose call with this number fails.
struct Failing {
    without: Without,
    at: usize,
    /// Every later call fails as well, as if the process had been killed.
    killed: bool,
    calls: AtomicUsize,
}

impl Failing {
    fn new(without: Without, at: usize) -> Self {
        Self { without, at, killed: false, calls: AtomicUsize::new(0) }
    }

    fn call(&self) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        match call == self.at || self.killed && call > self.at {
            true => Err(io::Error::other("made to fail")),
            false => Ok(()),
        }
    }

    fn failed(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > self.at
    }
}

impl Disk for Failing {
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call().and_then(|()| System.rename(from, to))
    }

    fn swap(&self, one: &Path, other: &Path) -> io::Result<()> {
        if self.without.swap {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.call().and_then(|()| System.swap(one, other))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.without.hard_links {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.call().and_then(|()| System.hard_link(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call().and_then(|()| System.remove_file(path))
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.call().and_then(|()| System.remove_folder(path))
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.call().and_then(|()| System.sync(path))
    }
}

/// A target with a former output and with files of others, and a staged folder with a new output.
struct Place {
    folder: tempfile::TempDir,
    target: PathBuf,
    staged: PathBuf,
}

const FORMER: &[&str] = &["model.json", "run.json", "tracking.csv"];
const NEXT: &[&str] = &["forecast.csv", "model.json", "run.json"];
const OTHERS: &[&str] = &["notes", "more/notes", "second/notes"];

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let place = Self { staged: beside(&target, NEW), target, folder };
        write(&place.target, FORMER, "former");
        write(&place.target, OTHERS, "others");
        create_private_folder(&place.staged).unwrap();
        write(&place.staged, NEXT, "next");
        fs::write(place.staged.join(MARK), "run.json").unwrap();
        place
    }

    /// The output in the target: whole and of one run, with everything of others.
    fn held(&self) -> &'static str {
        for other in OTHERS {
            assert_eq!(fs::read_to_string(self.target.join(other)).unwrap(), "others", "{other}");
        }
        let (names, text) = match fs::read_to_string(self.target.join("run.json")).unwrap().as_str()
        {
            "former" => (FORMER, "former"),
            _ => (NEXT, "next"),
        };
        for name in names {
            assert_eq!(fs::read_to_string(self.target.join(name)).unwrap(), text, "{name}");
        }
        let mine = |name: &String| OutputKind::Run.owns(name) && name != MARK;
        let found: Vec<String> = listed(&self.target).into_iter().filter(mine).collect();
        assert_eq!(found, names);
        text
    }
}

fn write(folder: &Path, names: &[&str], text: &str) {
    for name in names {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn listed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

type Put = fn(&dyn Disk, &Place) -> io::Result<()>;

fn exchanged(disk: &dyn Disk, place: &Place) -> io::Result<()> {
    exchange(
        disk,
        &place.staged,
        &place.target,
        OutputKind::Run,
        &Rights { mode: 0o755, like: None },
    )
}

fn renamed(disk: &dyn Disk, place: &Place) -> io::Result<()> {
    let names: Vec<String> = NEXT.iter().map(|name| (*name).to_owned()).collect();
    rename_each(disk, &place.staged, &place.target, OutputKind::Run, &names)
}

/// As a run does it.
fn either(disk: &dyn Disk, place: &Place) -> io::Result<()> {
    exchanged(disk, place).or_else(|_| renamed(disk, place))
}

const SYSTEMS: [Without; 4] = [
    Without { swap: false, hard_links: false },
    Without { swap: true, hard_links: false },
    Without { swap: false, hard_links: true },
    Without { swap: true, hard_links: true },
];

#[test]
fn each_call_fails_once() {
    for without in SYSTEMS {
        for (way, put) in [("exchange", exchanged as Put), ("rename", renamed), ("either", either)]
        {
            let mut failures = 0;
            for at in 0.. {
                let place = Place::new();
                let disk = Failing::new(without, at);
                let result = put(&disk, &place);
                let expected = if result.is_ok() { "next" } else { "former" };
                assert_eq!(place.held(), expected, "{way} {without:?}, call {at}: {result:?}");
                recover(&place.target).unwrap();
                assert_eq!(place.held(), expected, "{way} {without:?}, call {at}, recovered");
                assert!(!place.target.join(MARK).exists());
                assert_eq!(listed(place.folder.path()), ["out"], "{way} {without:?}, call {at}");
                assert!(!listed(&place.target).iter().any(|name| name.starts_with('.')));
                if !disk.failed() {
                    assert!(result.is_ok(), "{way} {without:?}: {result:?}");
                    break;
                }
                failures += 1;
            }
            assert!(failures >= 5, "{way} {without:?}: only {failures} calls");
        }
    }
}

#[test]
fn a_new_folder_appears_whole_or_not_at_all() {
    for at in 0..8 {
        let place = Place::new();
        fs::remove_dir_all(&place.target).unwrap();
        let disk = Failing::new(Without::default(), at);
        match exchanged(&disk, &place) {
            Ok(()) => assert!(NEXT.iter().all(|name| place.target.join(name).is_file())),
            Err(_) => assert!(!place.target.exists()),
        }
        recover(&place.target).unwrap();
        assert!(!place.staged.exists() && !place.target.join(MARK).exists());
    }
}

#[test]
fn after_a_kill_at_any_call_the_next_run_finds_a_whole_output() {
    for (without, put) in SYSTEMS.into_iter().flat_map(|w| [(w, exchanged as Put), (w, renamed)]) {
        for at in 0..40 {
            let place = Place::new();
            let disk = Failing { killed: true, ..Failing::new(without, at) };
            let _ = put(&disk, &place);
            recover(&place.target).unwrap();
            place.held();
            let beside = listed(place.folder.path());
            assert_eq!(beside, ["out"], "{without:?}, killed at call {at}");
        }
    }
}
