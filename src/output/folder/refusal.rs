//! Folders that no command writes its output to, because they hold other things: an output folder is
//! exchanged whole.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::output::folder::hidden::MARK;
use crate::output::folder::kind::OutputKind;
use crate::storage::ownership::read_own;
use crate::storage::{object_store, rights};

/// Folders of the system, which root could write to.
const SYSTEM: &[&str] = &[
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin",
    "/sys", "/usr", "/usr/local", "/var", "/var/lib", "/var/log",
];

/// Refuses the root of the file system, a folder of the system or for everyone, the home folder and
/// the folder of the `input`, unless a command of ours has written to it before.
///
/// # Errors
/// [`Error::Settings`] that says what the folder is.
pub(crate) fn refuse_shared(folder: &Path, input: Option<&str>) -> Result<(), Error> {
    let Ok(path) = fs::canonicalize(folder) else {
        return Ok(());
    };
    match what(&path, input) {
        Some(what) if !is_output(&path) => Err(Error::Settings {
            place: folder.display().to_string(),
            faults: vec![format!(
                "this is {what}, and an output folder is replaced whole: choose another output \
                 folder, for instance {}",
                folder.join("cltv").display()
            )],
        }),
        _ => Ok(()),
    }
}

fn what(folder: &Path, input: Option<&str>) -> Option<&'static str> {
    let home = std::env::home_dir().and_then(|home| fs::canonicalize(home).ok());
    if folder.parent().is_none() {
        Some("the root of the file system")
    } else if SYSTEM.iter().any(|system| Path::new(system) == folder) {
        Some("a folder of the system")
    } else if home.is_some_and(|home| home == folder) {
        Some("your home folder")
    } else if fs::metadata(folder).is_ok_and(|found| rights::mode(&found) & 0o1002 == 0o1002) {
        Some("a folder that everyone writes to")
    } else if input.and_then(folder_of).is_some_and(|of_input| of_input == folder) {
        Some("the folder of the input")
    } else {
        None
    }
}

/// The folder of a local input: the input itself, when it is one.
fn folder_of(input: &str) -> Option<PathBuf> {
    if object_store::is_remote(input) || input == "-" {
        return None;
    }
    let path = Path::new(input);
    if path.is_dir() {
        return fs::canonicalize(path).ok();
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::canonicalize(parent.unwrap_or(Path::new("."))).ok()
}

/// Whether a command of this user has written to the folder before, or to a partition in it.
fn is_output(folder: &Path) -> bool {
    let manifest = |folder: &Path| {
        let ours = |kind: OutputKind| {
            read_own(&folder.join(kind.manifest()))
                .is_some_and(|text| text.contains("\"schema_version\""))
        };
        OutputKind::ALL.into_iter().any(ours) || read_own(&folder.join(MARK)).is_some()
    };
    let partition = |entry: fs::DirEntry| {
        entry.file_name().to_string_lossy().starts_with("as_of=") && manifest(&entry.path())
    };
    manifest(folder) || fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(partition))
}
