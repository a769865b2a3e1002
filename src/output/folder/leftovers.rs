//! Clears away a former output folder or an unfinished one. Only files with names of ours are removed;
//! what others keep there stays.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use crate::output::folder::disk::{Disk, remove_if_there};
use crate::output::folder::hidden::MARK;
use crate::output::folder::kind::OutputKind;
use crate::output::folder::others::{hold, is_in_both};
use crate::storage::ownership::read_own;

/// Moves what the command does not own from the former output to the new one, and removes the
/// former folder once it is empty.
///
/// # Errors
/// When something cannot be moved or removed: it is still in the former folder.
pub(crate) fn retire_former(
    disk: &dyn Disk,
    former: &Path,
    target: &Path,
    kind: Option<OutputKind>,
) -> io::Result<()> {
    let [held, new] = [hold(former, target)?, hold(target, former)?];
    for entry in fs::read_dir(held.path())? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let owned = kind.map_or_else(|| any_owns(&name), |kind| kind.owns(&name.to_string_lossy()));
        let moved = new.path().join(&name);
        // A file of others that is in both was given its second name before the exchange.
        if owned && !entry.file_type()?.is_dir() || is_in_both(&path, &moved) {
            disk.remove_file(&path)?;
        } else if moved.symlink_metadata().is_err() {
            disk.rename(&path, &moved)?;
        }
    }
    disk.remove_folder(former)?;
    unmark(disk, target)
}

/// Removes a hidden folder that is not in place: its files with names of ours, and second names of
/// files in the target.
///
/// # Errors
/// When there is anything else in it, which stays.
pub(crate) fn clear_away(disk: &dyn Disk, folder: &Path, target: &Path) -> io::Result<()> {
    let held = match hold(folder, target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in fs::read_dir(held.path())? {
        let entry = entry?;
        let name = entry.file_name();
        let file = !entry.file_type()?.is_dir();
        if file && (any_owns(&name) || is_in_both(&entry.path(), &target.join(&name))) {
            disk.remove_file(&entry.path())?;
        }
    }
    disk.remove_folder(folder).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty => io::Error::other(format!(
            "{} holds something that is not ours: move it away",
            folder.display()
        )),
        _ => error,
    })
}

/// Puts files back that a killed command had begun to replace one by one, and removes those that it
/// had added.
pub(crate) fn restore(disk: &dyn Disk, former: &Path, target: &Path) -> io::Result<()> {
    let [held, back] = [hold(former, target)?, hold(target, former)?];
    for entry in fs::read_dir(held.path())? {
        let entry = entry?;
        let name = entry.file_name();
        if name != MARK && any_owns(&name) {
            disk.rename(&entry.path(), &back.path().join(name))?;
        }
    }
    let new = read_own(&former.join(MARK)).unwrap_or_default();
    for name in new.lines().filter(|name| any_owns(OsStr::new(name))) {
        remove_if_there(disk, &target.join(name))?;
    }
    Ok(())
}

/// Whether any command may replace or remove a file of that name.
fn any_owns(name: &OsStr) -> bool {
    OutputKind::ALL.iter().any(|kind| kind.owns(&name.to_string_lossy()))
}

/// Removes the marker file: the folder is complete.
pub(crate) fn unmark(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    remove_if_there(disk, &folder.join(MARK))
}
