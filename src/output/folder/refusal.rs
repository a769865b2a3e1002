//! Folders that no command writes its output to, because they hold other things: an output folder is
//! exchanged whole.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::output::folder::hidden::MARK;
use crate::output::folder::kind::OutputKind;
use crate::storage::ownership::read_own;
use crate::storage::{object_store, rights};

/// Folders that belong to the system with everything in them.
const SYSTEM: &[&str] =
    &["/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr"];
/// Folders that hold those of others: they and what is directly in them belong to the system.
const PARENTS: &[&str] = &["/usr/local", "/var"];
/// Folders that hold those of others, which may be taken.
const SHARED: &[&str] = &["/dev", "/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv"];

const OF_SYSTEM: &str = "a folder of the system";
/// A folder for output that no system claims.
const ELSEWHERE: &str = "/srv/cltv";

/// Whether a folder is one of the system. Links such as /bin, which leads to /usr/bin, are followed.
fn is_of_system(folder: &Path) -> bool {
    if let Some(parent) = real(PARENTS).find(|parent| folder.starts_with(parent)) {
        return folder == parent || folder.parent() == Some(&parent);
    }
    real(SHARED).any(|shared| folder == shared)
        || real(SYSTEM).any(|system| folder.starts_with(system))
}

/// Paths, with links in them followed.
fn real(paths: &[&'static str]) -> impl Iterator<Item = PathBuf> {
    paths.iter().map(|path| fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path)))
}

/// The homes of all users whom the machine knows.
fn homes() -> Vec<PathBuf> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let home = |line: &str| line.split(':').nth(5).and_then(|home| fs::canonicalize(home).ok());
    users.lines().filter_map(home).collect()
}

/// Refuses the root of the file system, a folder of the system or for everyone, the home folder and
/// the folder of the `input`, unless a command of ours has written to it before.
///
/// # Errors
/// [`Error::Settings`] that says what the folder is.
pub(crate) fn refuse_shared(folder: &Path, input: Option<&str>) -> Result<(), Error> {
    let refused = |what: &str, other: &Path| {
        let fault = format!(
            "this is {what}, and an output folder is replaced whole: choose another output folder, \
             for instance {}",
            other.display()
        );
        Err(Error::Settings { place: folder.display().to_string(), faults: vec![fault] })
    };
    let Ok(path) = fs::canonicalize(folder) else {
        return match is_new_in_system(folder) {
            true => refused("a folder of the system", Path::new(ELSEWHERE)),
            false => Ok(()),
        };
    };
    match what(&path, input) {
        Some(what @ OF_SYSTEM) if !is_output(&path) => refused(what, Path::new(ELSEWHERE)),
        Some(what) if !is_output(&path) => refused(what, &folder.join("cltv")),
        _ => Ok(()),
    }
}

/// Whether a folder that is not there yet would be within one of the system.
fn is_new_in_system(folder: &Path) -> bool {
    let Ok(folder) = std::path::absolute(folder) else {
        return false;
    };
    let above = folder.ancestors().skip(1).find_map(|above| fs::canonicalize(above).ok());
    // Nothing can be made in /proc, which says so itself.
    above.is_some_and(|above| {
        real(SYSTEM).any(|system| above.starts_with(&system) && system != Path::new("/proc"))
            && !real(PARENTS).any(|parent| above.starts_with(&parent))
    })
}

fn what(folder: &Path, input: Option<&str>) -> Option<&'static str> {
    let home = std::env::home_dir().and_then(|home| fs::canonicalize(home).ok());
    if folder.parent().is_none() {
        Some("the root of the file system")
    } else if home.is_some_and(|home| home == folder) {
        Some("your home folder")
    } else if is_of_system(folder) {
        Some(OF_SYSTEM)
    } else if homes().iter().any(|home| home == folder) {
        Some("the home folder of a user")
    } else if fs::metadata(folder).is_ok_and(|found| rights::mode(&found) & 0o1002 == 0o1002) {
        Some("a folder that everyone writes to")
    } else if input.is_some_and(|input| folders_of(input).iter().any(|of_input| of_input == folder))
    {
        Some("the folder of the input")
    } else {
        None
    }
}

/// The folders of a local input: that in which it is named, and that in which it is, where the name
/// is a link; or the input itself, when it is a folder.
fn folders_of(input: &str) -> Vec<PathBuf> {
    if object_store::is_remote(input) || input == "-" {
        return Vec::new();
    }
    let path = Path::new(input);
    if path.is_dir() {
        return fs::canonicalize(path).into_iter().collect();
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let named = fs::canonicalize(parent.unwrap_or(Path::new(".")));
    let real = fs::canonicalize(path).ok().and_then(|file| file.parent().map(Path::to_owned));
    named.into_iter().chain(real).collect()
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
