//! Puts a staged folder in the place of an output folder. Where the system can exchange two folders,
//! that is one rename, and a reader sees either the former folder or the new one. Elsewhere it takes
//! two renames.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::output::folder::disk::Disk;
use crate::output::folder::hidden::{OLD, beside};
use crate::output::folder::kind::OutputKind;
use crate::output::folder::leftovers::{retire_former, unmark};
use crate::output::folder::others::Others;
use crate::storage::ownership::open_there;
use crate::storage::rights::{self, Rights};

/// Puts the staged folder in the place of the target, gives it these rights, and carries along what
/// others keep there.
///
/// # Errors
/// When the folders cannot be exchanged; then nothing has changed.
pub(crate) fn exchange(
    disk: &dyn Disk,
    staged: &Path,
    target: &Path,
    kind: OutputKind,
    rights: &Rights,
) -> io::Result<()> {
    let there = target.is_dir();
    let others = match there {
        true => Others::carry(disk, target, staged, kind)?,
        false => Others::default(),
    };
    let folder = open_there(staged, None)?;
    if there {
        rights::give_owner(&folder, &fs::metadata(target)?)?;
        // The marker of a killed run must not be mistaken for that of this exchange.
        unmark(disk, target)?;
    } else if let Some(like) = &rights.like {
        rights::give_owner_or_group(&folder, like);
    }
    rights::set_mode(&folder, rights.mode);
    disk.sync(staged)?;
    let former = match there {
        true => Some(replace(disk, staged, target)?),
        false => disk.rename(staged, target).map(|()| None)?,
    };
    if let Some(former) = &former
        && let Err(error) = others.shift(disk, former, target)
        && undo(disk, staged, target, former).is_ok()
    {
        return Err(error);
    }
    settle(disk, former.as_deref(), target, kind);
    Ok(())
}

/// Exchanges the two folders. Returns the path to which the former output was moved.
fn replace(disk: &dyn Disk, staged: &Path, target: &Path) -> io::Result<PathBuf> {
    if disk.swap(staged, target).is_ok() {
        return Ok(staged.to_owned());
    }
    let old = beside(target, OLD);
    disk.rename(target, &old)?;
    if let Err(error) = disk.rename(staged, target) {
        disk.rename(&old, target)?;
        return Err(error);
    }
    Ok(old)
}

/// Puts the former output back. After an error, the new one is in place.
fn undo(disk: &dyn Disk, staged: &Path, target: &Path, former: &Path) -> io::Result<()> {
    if former == staged {
        return disk.swap(staged, target);
    }
    disk.rename(target, staged)?;
    if let Err(error) = disk.rename(former, target) {
        disk.rename(staged, target)?;
        return Err(error);
    }
    Ok(())
}

/// Clears the former output away. The new one is in place whatever happens here.
fn settle(disk: &dyn Disk, former: Option<&Path>, target: &Path, kind: OutputKind) {
    if let Some(parent) = target.parent()
        && let Err(error) = disk.sync(parent)
    {
        tracing::warn!(
            "the new output is in place, but may not outlast a power cut: {}: {error}",
            target.display()
        );
    }
    let settled = match former {
        Some(former) => retire_former(disk, former, target, Some(kind)),
        None => unmark(disk, target),
    };
    if let Err(error) = settled {
        tracing::warn!(
            "the new output is in place, but the former one could not be cleared away ({error}): \
             the next run will, or what is left of it is in {}",
            former.unwrap_or(target).display()
        );
    }
}
