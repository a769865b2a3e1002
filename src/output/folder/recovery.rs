//! Finishes or undoes what a killed run began.

use std::path::Path;
use std::{fs, io};

use crate::output::folder::disk::System;
use crate::output::folder::hidden::{LOCK, MARK, NEW, OLD, beside};
use crate::output::folder::kind::OutputKind;
use crate::output::folder::leftovers::{clear_away, restore, retire_former, unmark};
use crate::storage::lock::Lock;
use crate::storage::ownership::{is_own_folder, owner, read_own};

/// Finishes or undoes what a killed run began beside the target and in it. The caller must hold the
/// lock of the target.
///
/// # Errors
/// When something cannot be renamed or removed, or is not ours.
pub(crate) fn recover(target: &Path) -> io::Result<()> {
    let (new, old) = (beside(target, NEW), beside(target, OLD));
    if !target.exists() && old.is_dir() && !old.is_symlink() {
        // A run was killed between two renames: its unfinished folder, which is ours, proves it.
        if read_own(&new.join(MARK)).is_some() || is_ours(&old, None)? {
            fs::rename(&old, target)?;
        }
    }
    let mark = read_own(&target.join(MARK));
    let whose = fs::symlink_metadata(target).ok().and_then(|found| owner(&found));
    for left in [old, new] {
        if is_ours(&left, whose)? {
            finish(&left, target, mark.as_deref())?;
        }
    }
    recover_inside(target, mark.is_some())?;
    match mark {
        // Without a manifest, the marker file is what shows that the files are ours.
        Some(mark) if target.join(mark.trim()).is_file() => unmark(&System, target),
        _ => Ok(()),
    }
}

/// As [`is_own_folder`], with the path in the error.
fn is_ours(path: &Path, also: Option<u32>) -> io::Result<bool> {
    let named = |error| io::Error::other(format!("{}: {error}", path.display()));
    is_own_folder(path, also).map_err(named)
}

/// Clears a hidden folder away that stands beside the target.
fn finish(left: &Path, target: &Path, mark: Option<&str>) -> io::Result<()> {
    let cleared = match mark {
        // The target was exchanged, so this folder is the former output.
        Some(mark) if !left.join(MARK).exists() => {
            let kind = OutputKind::ALL.into_iter().find(|kind| kind.manifest() == mark.trim());
            retire_former(&System, left, target, kind)
        }
        // It was never in place.
        _ => clear_away(&System, left, target),
    };
    cleared.or_else(|error| keep(left, target, &error))
}

/// Renames a folder that cannot be cleared away, so that it does not stop every later run.
fn keep(left: &Path, target: &Path, error: &io::Error) -> io::Result<()> {
    let kept = beside(target, &format!(".cltv-kept-{}", std::process::id()));
    fs::rename(left, &kept)?;
    tracing::warn!(
        "an earlier run could not move the other files of the folder ({error}): they are in {}",
        kept.display()
    );
    unmark(&System, target)
}

/// Clears away what a command left that was killed while it renamed files one by one; where it had
/// not come to the end, the files before are put back.
fn recover_inside(target: &Path, unfinished: bool) -> io::Result<()> {
    let (new, old) = (target.join(NEW), target.join(OLD));
    if is_ours(&old, None)? {
        if unfinished {
            restore(&System, &old, target)?;
        }
        clear_away(&System, &old, target)?;
    }
    match is_ours(&new, None)? {
        true => clear_away(&System, &new, target),
        false => Ok(()),
    }
}

/// As [`recover`], for every partition of a target that no other process is writing.
pub(crate) fn recover_partitions(target: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let partition = [NEW, OLD].iter().find_map(|ending| name.strip_suffix(ending));
        let partition = partition.and_then(|name| name.strip_prefix('.'));
        if let Some(partition) = partition.filter(|name| name.starts_with("as_of=")) {
            let partition = target.join(partition);
            if let Ok(_held) = Lock::take(&beside(&partition, LOCK), &partition) {
                recover(&partition)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        target: PathBuf,
    }

    impl Place {
        /// A target and a hidden folder next to it, each with these files; a name that ends in / is
        /// a folder with a file in it.
        fn with(target: Option<&[&str]>, ending: &str, left: &[&str]) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let place = Self { target: folder.path().join("out"), folder };
            if let Some(files) = target {
                fill(&place.target, files);
            }
            fill(&beside(&place.target, ending), left);
            place
        }

        fn recovered(&self) -> Vec<String> {
            recover(&self.target).expect("recovered");
            let beside = fs::read_dir(self.folder.path()).expect("a folder");
            assert!(beside.count() <= 1, "something is left beside the target");
            let Ok(entries) = fs::read_dir(&self.target) else {
                return Vec::new();
            };
            let mut names: Vec<String> = entries
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    fn fill(folder: &Path, files: &[&str]) {
        fs::create_dir(folder).expect("made");
        for file in files {
            match file.strip_suffix('/') {
                Some(inner) => fill(&folder.join(inner), &["precious"]),
                None => {
                    let (name, text) = file.split_once('=').unwrap_or((file, "text"));
                    fs::write(folder.join(name), text).expect("written");
                }
            }
        }
    }

    const RUN: &str = ".cltv-unfinished=run.json";

    #[test]
    fn killed_before_the_exchange() {
        let place = Place::with(Some(&["run.json", "notes"]), NEW, &[RUN, "run.json", "rfm.csv"]);
        assert_eq!(place.recovered(), ["notes", "run.json"]);
        let first = Place::with(None, NEW, &[RUN, "run.json"]);
        assert_eq!(first.recovered(), Vec::<String>::new());
    }

    #[test]
    fn killed_after_the_exchange() {
        let former = &["run.json", "tracking.csv", "notes", "archive/"];
        let place = Place::with(Some(&[RUN, "run.json"]), NEW, former);
        assert_eq!(place.recovered(), ["archive", "notes", "run.json"]);
        assert!(place.target.join("archive/precious").is_file());
    }

    #[test]
    fn an_unknown_mark_loses_nothing() {
        for mark in [".cltv-unfinished=", ".cltv-unfinished=later.json"] {
            let place = Place::with(Some(&[mark, "run.json"]), NEW, &["run.json", "archive/"]);
            assert_eq!(place.recovered(), ["archive", "run.json"]);
        }
    }

    #[test]
    fn killed_between_two_renames() {
        let place = Place::with(None, OLD, &["run.json", "archive/"]);
        fill(&beside(&place.target, NEW), &[RUN, "run.json"]);
        assert_eq!(place.recovered(), ["archive", "run.json"]);
        let after = Place::with(Some(&[RUN, "run.json"]), OLD, &["run.json", "archive/"]);
        assert_eq!(after.recovered(), ["archive", "run.json"]);
    }

    #[test]
    fn killed_when_only_the_mark_was_left() {
        let place = Place::with(Some(&[RUN, "run.json"]), NEW, &[]);
        assert_eq!(place.recovered(), ["run.json"]);
    }

    #[test]
    fn hidden_folders_of_others_are_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        fill(&folder.path().join(".latest.cltv-new"), &[RUN]);
        fill(&folder.path().join(".as_of=2021-06-01.cltv-new"), &[RUN]);
        recover_partitions(folder.path()).expect("recovered");
        assert!(folder.path().join(".latest.cltv-new").is_dir());
        assert!(!folder.path().join(".as_of=2021-06-01.cltv-new").exists());
    }

    #[test]
    fn a_folder_within_the_former_output_that_cannot_be_moved_stays() {
        let place = Place::with(Some(&[RUN, "run.json", "archive/"]), NEW, &["archive/"]);
        let left = beside(&place.target, NEW);
        assert!(retire_former(&System, &left, &place.target, Some(OutputKind::Run)).is_err());
        assert!(left.join("archive/precious").is_file());
    }
}
