//! What others keep in an output folder. It stays; where that cannot be made sure of, the folder is
//! not exchanged.

use std::ffi::OsString;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::Path;

use crate::output::folder::disk::Disk;
use crate::output::folder::kind::OutputKind;
use crate::storage::ownership::{Held, owner, same_file, user};

/// Files and folders of others that an exchange carries along.
#[derive(Default)]
pub(crate) struct Others {
    /// Folders, and files without a second name: they are moved after the exchange.
    pub(crate) to_move: Vec<OsString>,
}

impl Others {
    /// Looks at what a command does not own in the target, and gives every file of it a second name
    /// in the staged folder, so that it is there from the start.
    ///
    /// # Errors
    /// When something could not be carried along: it belongs to another user, or is a mount.
    pub(crate) fn carry(
        disk: &dyn Disk,
        target: &Path,
        staged: &Path,
        kind: OutputKind,
    ) -> io::Result<Self> {
        let mut others = Self::default();
        let [from, to] = [hold(target, target)?, hold(staged, target)?];
        for entry in fs::read_dir(from.path())? {
            let entry = entry?;
            let name = entry.file_name();
            let found = entry.metadata()?;
            if kind.owns(&name.to_string_lossy()) && !found.is_dir() {
                continue;
            }
            if let Some(reason) = stays(&entry, &found, from.path())? {
                let path = target.join(&name);
                return Err(io::Error::other(format!("{} {reason}", path.display())));
            }
            // Some file systems have no hard links.
            let second = to.path().join(&name);
            if found.is_dir() || disk.hard_link(&entry.path(), &second).is_err() {
                others.to_move.push(name);
            }
        }
        Ok(others)
    }

    /// Moves what has to be moved from one folder to the other. After an error, everything is where
    /// it was.
    pub(crate) fn shift(&self, disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
        let held = [hold(from, to)?, hold(to, from)?];
        let [from, to] = [held[0].path(), held[1].path()];
        for (i, name) in self.to_move.iter().enumerate() {
            if let Err(error) = disk.rename(&from.join(name), &to.join(name)) {
                for name in &self.to_move[..i] {
                    disk.rename(&to.join(name), &from.join(name))?;
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Holds a folder that is ours, or belongs to the owner of the other.
pub(crate) fn hold(folder: &Path, other: &Path) -> io::Result<Held> {
    let whose = fs::symlink_metadata(other).ok().filter(Metadata::is_dir);
    let whose = whose.and_then(|found| owner(&found));
    Held::open(folder, whose)
}

/// Why something must not be moved, if that is so.
fn stays(entry: &DirEntry, found: &Metadata, folder: &Path) -> io::Result<Option<&'static str>> {
    let ours = owner(found) == user();
    // A file's second name does not move it; root may give one to any file.
    let root = user() == Some(0);
    if !ours && (found.is_dir() || !root) {
        return Ok(Some("belongs to another user"));
    }
    Ok((found.is_dir() && is_mount(&entry.path(), folder)?).then_some("is a mount point"))
}

/// Whether a folder within another is a mount point.
#[cfg(target_os = "linux")]
fn is_mount(path: &Path, folder: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    match statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS) {
        Ok(found) if found.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) => {
            Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
        }
        _ => other_file_system(path, folder),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_mount(path: &Path, folder: &Path) -> io::Result<bool> {
    other_file_system(path, folder)
}

/// Whether two paths are on different file systems.
#[cfg(unix)]
pub(crate) fn other_file_system(path: &Path, folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::symlink_metadata(path)?.dev() != fs::metadata(folder)?.dev())
}

/// Whether two paths are on different file systems, which is not known here.
#[cfg(not(unix))]
pub(crate) fn other_file_system(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Whether a file has the same name in another folder, as a second name of the same file.
pub(crate) fn is_in_both(file: &Path, other: &Path) -> bool {
    match (fs::symlink_metadata(file), fs::symlink_metadata(other)) {
        (Ok(file), Ok(other)) => same_file(&file, &other),
        _ => false,
    }
}
