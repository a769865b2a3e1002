//! The output folder of a command: locked for one writer, and exchanged whole.
//!
//! Files are written to a hidden folder next to the target; then the two are exchanged in one step
//! of the file system. A reader sees the former output or the new one, never a mixture, even if the
//! writer is killed. Files of others in the target are carried over.
//!
//! Where a folder cannot be exchanged (a mount point, the working directory), files are renamed one
//! by one, the manifest last. Objects are uploaded to an object store in the same order.

use std::fs::Metadata;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use crate::error::Error;
use crate::output::folder::hidden::{LOCK, MARK, NEW, beside};
use crate::output::folder::kind::OutputKind;
use crate::output::folder::others::other_file_system;
use crate::output::folder::recovery::{recover, recover_partitions};
use crate::output::folder::refusal::refuse_shared;
use crate::output::folder::staging::{Staging, Way};
use crate::settings::{FolderMode, Settings};
use crate::storage::atomic::refuse_planted;
use crate::storage::lock::Lock;
use crate::storage::ownership::{
    Held, create_private, create_private_folder, open_there, temporary_folder,
};
use crate::storage::rights::Rights;
use crate::storage::{interrupt, object_store, rights};

/// An output folder that no other process may write to meanwhile.
pub struct Target {
    path: PathBuf,
    kind: OutputKind,
    way: Way,
    mode: Option<FolderMode>,
    _lock: Option<Lock>,
}

impl Target {
    /// Locks the output folder that the settings name; see [`Target::lock`].
    ///
    /// # Errors
    /// As [`Target::lock`], and [`Error::Settings`] when it is the folder of the input.
    pub fn of(settings: &Settings, kind: OutputKind) -> Result<Self, Error> {
        refuse_shared(&settings.output.path, Some(&settings.input.path))?;
        let target = Self::lock(&settings.output.path, kind)?;
        Ok(Self { mode: settings.output.mode, ..target })
    }

    /// Locks the folder, which need not exist yet, and clears away what a killed run left.
    ///
    /// # Errors
    /// [`Error::Io`] when another run is writing to it, or it cannot be written, or something that
    /// is not ours stands in the way; [`Error::Settings`] when it has files with our names that no
    /// run wrote, is shared with others, or a remote path holds credentials.
    pub fn lock(path: &Path, kind: OutputKind) -> Result<Self, Error> {
        object_store::without_credentials(&path.to_string_lossy())?;
        if object_store::is_remote(&path.to_string_lossy()) {
            let way = Way::Upload;
            return Ok(Self { path: path.to_owned(), kind, way, mode: None, _lock: None });
        }
        refuse_shared(path, None)?;
        let failed = || Error::io(path, "write to the output folder");
        let path = named(path).map_err(failed())?;
        let parent = path.parent().unwrap_or(&path);
        fs::create_dir_all(parent).map_err(failed())?;
        if path.is_dir() {
            writable(&path).map_err(failed())?;
        }
        let beside_it = is_lockable_beside(&path);
        if !beside_it {
            fs::create_dir_all(&path).map_err(failed())?;
        }
        let lock = Lock::wait(&lock_of(&path), &path, SHORT_WAIT)?;
        kind.refuse_foreign_files(&path)?;
        recover(&path).map_err(failed())?;
        recover_partitions(&path).map_err(failed())?;
        let way =
            if beside_it && exchangeable(&path, parent) { Way::Exchange } else { Way::Rename };
        Ok(Self { path, kind, way, mode: None, _lock: Some(lock) })
    }

    /// The folder. Returns `None` when it is in an object store.
    pub fn local_path(&self) -> Option<&Path> {
        (self.way != Way::Upload).then_some(self.path.as_path())
    }

    /// Creates an empty hidden folder, to be committed to the target or to one of its partitions.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be created, or another run is writing to the partition;
    /// [`Error::Settings`] when the partition has files with our names that no run wrote.
    pub fn staging(&self, partition: Option<&str>) -> Result<Staging, Error> {
        let failed = || Error::io(&self.path, "write to the output folder");
        let (target, way, lock) = match (partition, self.way) {
            (Some(name), Way::Upload) => (self.path.join(name), Way::Upload, None),
            (Some(name), _) => {
                create_with(&self.path, self.mode).map_err(failed())?;
                let target = self.path.join(name);
                let lock = Lock::wait(&beside(&target, LOCK), &target, SHORT_WAIT)?;
                self.kind.refuse_foreign_files(&target)?;
                (target, Way::Exchange, Some(lock))
            }
            (None, way) => (self.path.clone(), way, None),
        };
        let rights = self.rights(&target).map_err(failed())?;
        let folder = self.hidden_folder(&target, way).map_err(failed())?;
        Ok(Staging::new(target, folder, self.kind, way, rights, lock))
    }

    /// The rights that results will have: the stated mode, else those of the folder, of the folder
    /// above a new partition, or what is usual.
    fn rights(&self, target: &Path) -> io::Result<Rights> {
        if self.way == Way::Upload {
            return Ok(Rights { mode: 0o700, like: None });
        }
        let there = |path: &Path| -> Option<Metadata> { fs::metadata(path).ok() };
        let above = if target == self.path { None } else { there(&self.path) };
        let like = there(target).or(above);
        let mode = match (self.mode, &like) {
            (Some(mode), _) => mode.bits(),
            (None, Some(like)) => rights::mode(like),
            (None, None) => usual(folder_above(target))?,
        };
        Ok(Rights { mode, like })
    }

    fn hidden_folder(&self, target: &Path, way: Way) -> io::Result<(PathBuf, Held)> {
        let _not_now = interrupt::committing();
        let folder = match way {
            Way::Exchange => beside(target, NEW),
            Way::Rename => target.join(NEW),
            Way::Upload => {
                let folder = temporary_folder()?.keep();
                interrupt::register(&folder);
                let held = Held::open(&folder, None)?;
                return Ok((folder, held));
            }
        };
        fs::create_dir_all(if way == Way::Rename { target } else { folder_above(target) })?;
        create_private_folder(&folder)?;
        interrupt::register(&folder);
        let held = Held::open(&folder, None)?;
        if way == Way::Exchange {
            let mut mark = create_private(&held.path().join(MARK))?;
            mark.write_all(self.kind.manifest().as_bytes())?;
            mark.sync_all()?;
        }
        Ok((folder, held))
    }
}

/// Creates a folder that is not there yet, with the stated mode.
pub(crate) fn create_with(folder: &Path, mode: Option<FolderMode>) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    if let Some(mode) = mode {
        rights::set_mode(&open_there(folder, None)?, mode.bits());
    }
    Ok(())
}

/// The mode of a new folder: by the umask, and with the group of the folder above it if that one
/// passes its group on.
fn usual(above: &Path) -> io::Result<u32> {
    let inherited = rights::mode(&fs::metadata(above)?) & 0o2000;
    Ok(rights::usual(above)? | inherited)
}

/// Locks the folder of a finished run for a change of one file in it; waits for another writer.
///
/// # Errors
/// [`Error::Io`] when another process writes to it for longer, or the lock cannot be taken.
pub fn lock_for_change(folder: &Path) -> Result<Lock, Error> {
    let folder = absolute(folder).map_err(Error::io(folder, "lock for writing"))?;
    Lock::wait(&lock_of(&folder), &folder, LONGEST_WAIT)
}

/// Longest wait for a command that changes one file in the folder, before a run takes another writer
/// for a run.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// Longest wait for another writer, when only one file is to be changed.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The lock file is next to the folder, which itself is exchanged, and inside only when the parent
/// cannot be written.
fn lock_of(folder: &Path) -> PathBuf {
    if is_lockable_beside(folder) { beside(folder, LOCK) } else { folder.join(LOCK) }
}

fn is_lockable_beside(folder: &Path) -> bool {
    folder.file_name().is_some() && writable(folder_above(folder)).is_ok()
}

fn folder_above(folder: &Path) -> &Path {
    folder.parent().unwrap_or(folder)
}

/// As [`absolute`]; refuses a path with a link in it that another user put there.
fn named(path: &Path) -> io::Result<PathBuf> {
    for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
        if let Some(link) = fs::symlink_metadata(part).ok().filter(Metadata::is_symlink) {
            let above = part.parent().filter(|above| !above.as_os_str().is_empty());
            refuse_planted(&link, above.unwrap_or(Path::new(".")))?;
        }
    }
    absolute(path)
}

/// The absolute path without links and dots, whether or not it exists.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(path) if path.is_dir() => Ok(path),
        Ok(_) => Err(io::Error::other("it is a file, not a folder")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) if path.is_symlink() => Err(io::Error::other("it is a link to nothing")),
        Err(_) => {
            let path = std::path::absolute(path)?;
            let parent = path.parent().map(absolute).transpose()?;
            let name = path.file_name().map(ToOwned::to_owned);
            Ok(parent.zip(name).map_or(path, |(parent, name)| parent.join(name)))
        }
    }
}

fn writable(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

/// Whether a folder can be exchanged: it does not contain the working directory, and is on the same
/// file system as its parent.
fn exchangeable(path: &Path, parent: &Path) -> bool {
    let around = std::env::current_dir().is_ok_and(|current| current.starts_with(path));
    !around && !other_file_system(path, parent).is_ok_and(|other| other)
}
