//! The folder that a run writes: locked for one writer, and exchanged whole.
//!
//! Files are written into a hidden folder beside the target, which then changes places with it in
//! one step of the file system. Whoever reads the target sees the output before or the output
//! after, never a mixture, whenever the writer is killed. Files of others in the target move along.
//!
//! Where a folder cannot be exchanged (a mount point, the working directory), files are renamed one
//! by one, run.json last; so are the objects of an object store.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::interrupt;
use super::lock::Lock;
use super::staging::Staging;
use crate::error::Error;
use crate::remote;

/// A folder of which this process is the only writer.
pub struct Target {
    path: PathBuf,
    way: Way,
    _lock: Option<Lock>,
}

/// How files get from the hidden folder to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The folders change places.
    Exchange,
    /// One by one.
    Rename,
    /// One by one to an object store.
    Upload,
}

impl Target {
    /// Locks the folder, which need not be there yet, and clears away what a killed run left.
    ///
    /// # Errors
    /// [`Error::Io`] when another run writes to it, or it cannot be written.
    pub fn lock(path: &Path) -> Result<Self, Error> {
        if let Some(url) = path.to_str().filter(|path| remote::is_remote(path)) {
            remote::without_credentials(url)?;
            return Ok(Self { path: path.to_owned(), way: Way::Upload, _lock: None });
        }
        let failed = || Error::io(path, "write to the output folder");
        let path = absolute(path).map_err(failed())?;
        if path.exists() && !path.is_dir() {
            return Err(failed()(io::Error::other("it is a file, not a folder")));
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Self::inside(path);
        };
        fs::create_dir_all(parent).map_err(failed())?;
        if !can_be_exchanged(&path, parent) {
            return Self::inside(path);
        }
        let lock = parent.join(format!(".{}.cltv-lock", name.to_string_lossy()));
        let lock = Lock::take(&lock, &path)?;
        recover(&path).map_err(failed())?;
        recover_partitions(&path).map_err(failed())?;
        Ok(Self { path, way: Way::Exchange, _lock: Some(lock) })
    }

    /// A target whose files are renamed one by one.
    fn inside(path: PathBuf) -> Result<Self, Error> {
        let failed = || Error::io(&path, "write to the output folder");
        fs::create_dir_all(&path).map_err(failed())?;
        let lock = Lock::take(&path.join(".cltv-lock"), &path)?;
        remove(&path.join(NEW)).map_err(failed())?;
        recover_partitions(&path).map_err(failed())?;
        Ok(Self { path, way: Way::Rename, _lock: Some(lock) })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An empty hidden folder, to be committed to the target, or to one of its partitions.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made.
    pub fn staging(&self, kind: Kind, partition: Option<&str>) -> Result<Staging, Error> {
        let failed = || Error::io(&self.path, "write to the output folder");
        let (target, way) = match (partition, self.way) {
            (Some(name), Way::Upload) => (self.path.join(name), Way::Upload),
            (Some(name), _) => {
                fs::create_dir_all(&self.path).map_err(failed())?;
                (self.path.join(name), Way::Exchange)
            }
            (None, way) => (self.path.clone(), way),
        };
        let folder = match way {
            Way::Exchange => beside(&target, NEW),
            Way::Rename => target.join(NEW),
            Way::Upload => std::env::temp_dir().join(format!("cltv-{}{NEW}", std::process::id())),
        };
        interrupt::register(&folder);
        fs::create_dir(&folder).map_err(failed())?;
        if way == Way::Exchange {
            fs::write(folder.join(MARK), kind.name()).map_err(failed())?;
        }
        Ok(Staging::new(target, folder, kind, way))
    }
}

/// Which command writes, and so which files in the target are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `cltv run` and `cltv score`.
    Run,
    /// `cltv evaluate`.
    Evaluation,
    /// `cltv compare`.
    Comparison,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Run, Self::Evaluation, Self::Comparison];

    fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Evaluation => "evaluation",
            Self::Comparison => "comparison",
        }
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Run => super::RUN_FILES,
            Self::Evaluation => super::evaluation::FILES,
            Self::Comparison => super::comparison::FILES,
        }
    }

    /// Its files that are not among `names`.
    pub(super) fn not_among(self, names: &[String]) -> Vec<&'static str> {
        let absent = |file: &&str| !names.iter().any(|name| name == file);
        self.files().iter().copied().filter(absent).collect()
    }

    /// Whether a file of that name is this command's to replace and to remove.
    pub fn owns(self, file: &str) -> bool {
        file == MARK || self.files().contains(&file)
    }
}

/// In a folder that is being written; in the target until the exchange is through.
pub(super) const MARK: &str = ".cltv-unfinished";
/// Ending of the hidden folder that a run writes to; after the exchange it holds what was before.
const NEW: &str = ".cltv-new";
/// Ending of what was before, where two renames have to stand in for the exchange.
const OLD: &str = ".cltv-old";

fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}{ending}"))
}

/// The path without links and dots, whether it is there or not.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::path::absolute(path),
        other => other,
    }
}

/// Not a mount point, not around the working directory, and in a folder that can be written.
fn can_be_exchanged(path: &Path, parent: &Path) -> bool {
    let around = std::env::current_dir().is_ok_and(|current| current.starts_with(path));
    let writable = tempfile::tempfile_in(parent).is_ok();
    !around && writable && same_file_system(path, parent)
}

#[cfg(unix)]
fn same_file_system(path: &Path, parent: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::metadata(path), fs::metadata(parent)) {
        (Ok(path), Ok(parent)) => path.dev() == parent.dev(),
        _ => true,
    }
}

#[cfg(not(unix))]
fn same_file_system(_: &Path, _: &Path) -> bool {
    true
}

/// Puts the staged folder in the place of the target; what was there is then where this returns,
/// if anything was.
pub(super) fn exchange(staged: &Path, target: &Path) -> io::Result<Option<PathBuf>> {
    if !target.exists() {
        fs::rename(staged, target)?;
        return Ok(None);
    }
    if exchanged(staged, target).is_ok() {
        return Ok(Some(staged.to_owned()));
    }
    let old = beside(target, OLD);
    fs::rename(target, &old)?;
    if let Err(error) = fs::rename(staged, target) {
        fs::rename(&old, target)?;
        return Err(error);
    }
    Ok(Some(old))
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchanged(staged: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, staged, CWD, target, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchanged(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Moves what is not the command's own from the former target to the present one, and removes the
/// former.
pub(super) fn retire(former: &Path, target: &Path, kind: Kind) -> io::Result<()> {
    for entry in fs::read_dir(former)? {
        let entry = entry?;
        let moved = target.join(entry.file_name());
        if !kind.owns(&entry.file_name().to_string_lossy()) && !moved.exists() {
            fs::rename(entry.path(), moved)?;
        }
    }
    remove(former)?;
    fs::remove_file(target.join(MARK))
}

/// Finishes or undoes what a killed run had begun.
fn recover(target: &Path) -> io::Result<()> {
    let (new, old) = (beside(target, NEW), beside(target, OLD));
    if old.is_dir() && !target.exists() {
        fs::rename(&old, target)?;
    }
    let mark = fs::read_to_string(target.join(MARK)).ok();
    let exchanged_by = Kind::ALL.into_iter().find(|kind| mark.as_deref() == Some(kind.name()));
    for left in [old, new].iter().filter(|left| left.is_dir()) {
        match exchanged_by {
            Some(kind) if !left.join(MARK).exists() => retire(left, target, kind)?,
            _ => remove(left)?,
        }
    }
    if exchanged_by.is_some() && target.join(MARK).exists() {
        fs::remove_file(target.join(MARK))?;
    }
    Ok(())
}

/// The same for every partition of a target.
fn recover_partitions(target: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let partition = [NEW, OLD].iter().find_map(|ending| name.strip_suffix(ending));
        if let Some(partition) = partition.and_then(|name| name.strip_prefix('.'))
            && !partition.is_empty()
        {
            recover(&target.join(partition))?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
