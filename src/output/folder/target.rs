//! The output folder of a command: locked for one writer, and exchanged whole.
//!
//! Files are written to a hidden folder next to the target; then the two are exchanged in one step
//! of the file system. A reader sees the former output or the new one, never a mixture, even if the
//! writer is killed. Files of others in the target are carried over.
//!
//! Where a folder cannot be exchanged (a mount point, the working directory), files are renamed one
//! by one, the manifest last. Objects are uploaded to an object store in the same order.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::error::Error;
use crate::output::folder::hidden::{LOCK, MARK, NEW, beside, remove};
use crate::output::folder::kind::OutputKind;
use crate::output::folder::lock::Lock;
use crate::output::folder::recovery::{recover, recover_partitions};
use crate::output::folder::staging::{Staging, Way};
use crate::storage::{interrupt, object_store};

/// An output folder that no other process may write to meanwhile.
pub struct Target {
    path: PathBuf,
    kind: OutputKind,
    way: Way,
    _lock: Option<Lock>,
}

impl Target {
    /// Locks the folder, which need not exist yet, and clears away what a killed run left.
    ///
    /// # Errors
    /// [`Error::Io`] when another run is writing to it, or it cannot be written;
    /// [`Error::Settings`] when it has files with our names that no run wrote, or a remote path
    /// holds credentials.
    pub fn lock(path: &Path, kind: OutputKind) -> Result<Self, Error> {
        if let Some(url) = path.to_str().filter(|path| object_store::is_remote(path)) {
            object_store::without_credentials(url)?;
            return Ok(Self { path: path.to_owned(), kind, way: Way::Upload, _lock: None });
        }
        let failed = || Error::io(path, "write to the output folder");
        let path = absolute(path).map_err(failed())?;
        let parent = path.parent().unwrap_or(&path);
        fs::create_dir_all(parent).map_err(failed())?;
        if path.is_dir() {
            writable(&path).map_err(failed())?;
        }
        let beside_it = path.file_name().is_some() && writable(parent).is_ok();
        if !beside_it {
            fs::create_dir_all(&path).map_err(failed())?;
        }
        // The lock file is next to the folder, which itself is exchanged, and inside only when the
        // parent cannot be written.
        let lock = if beside_it { beside(&path, LOCK) } else { path.join(LOCK) };
        let lock = Lock::take(&lock, &path)?;
        kind.refuse_foreign_files(&path)?;
        if beside_it {
            recover(&path).map_err(failed())?;
        }
        recover_partitions(&path).map_err(failed())?;
        let way =
            if beside_it && exchangeable(&path, parent) { Way::Exchange } else { Way::Rename };
        Ok(Self { path, kind, way, _lock: Some(lock) })
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
                fs::create_dir_all(&self.path).map_err(failed())?;
                let target = self.path.join(name);
                let lock = Lock::take(&beside(&target, LOCK), &target)?;
                self.kind.refuse_foreign_files(&target)?;
                (target, Way::Exchange, Some(lock))
            }
            (None, way) => (self.path.clone(), way, None),
        };
        let folder = self.hidden_folder(&target, way).map_err(failed())?;
        Ok(Staging::new(target, folder, self.kind, way, lock))
    }

    fn hidden_folder(&self, target: &Path, way: Way) -> io::Result<PathBuf> {
        let _not_now = interrupt::committing();
        let folder = match way {
            Way::Exchange => beside(target, NEW),
            Way::Rename => target.join(NEW),
            Way::Upload => {
                let folder = tempfile::Builder::new().prefix("cltv-").tempdir()?.keep();
                interrupt::register(&folder);
                return Ok(folder);
            }
        };
        fs::create_dir_all(target.parent().unwrap_or(target))?;
        if way == Way::Rename {
            fs::create_dir_all(target)?;
            // What a killed run left here is incomplete: files count only once they are renamed.
            remove(&folder)?;
        }
        fs::create_dir(&folder)?;
        interrupt::register(&folder);
        if way == Way::Exchange {
            let mark = folder.join(MARK);
            fs::write(&mark, self.kind.manifest())?;
            fs::File::open(mark)?.sync_all()?;
        }
        Ok(folder)
    }
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
    !around && same_file_system(path, parent)
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
