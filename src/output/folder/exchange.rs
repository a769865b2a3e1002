//! Puts a staged folder in the place of an output folder. Where the system can exchange two folders,
//! that is one rename, and a reader sees either the former folder or the new one. Elsewhere it takes
//! two renames.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::output::folder::hidden::{OLD, beside};

/// Puts the staged folder in the place of the target. Returns the path to which the former output
/// was moved, if there was one. After an error, nothing has changed.
pub(crate) fn exchange(staged: &Path, target: &Path) -> io::Result<Option<PathBuf>> {
    if !target.exists() {
        fs::rename(staged, target)?;
        return Ok(None);
    }
    take_owner_and_mode(staged, target)?;
    if swap(staged, target).is_ok() {
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

/// Gives the staged folder the owner and the permissions of the target.
#[cfg(unix)]
fn take_owner_and_mode(staged: &Path, target: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let (of, now) = (fs::metadata(target)?, fs::metadata(staged)?);
    if (of.uid(), of.gid()) != (now.uid(), now.gid()) {
        chown(staged, Some(of.uid()), Some(of.gid()))?;
    }
    fs::set_permissions(staged, of.permissions())
}

#[cfg(not(unix))]
fn take_owner_and_mode(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn swap(staged: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, staged, CWD, target, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn swap(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
