//! The hidden names beside and in a target.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// In a folder that is being written; in the target until the exchange is through. Its text is the
/// manifest of the command that writes.
pub(crate) const MARK: &str = ".cltv-unfinished";
/// Ending of what was before, where two renames have to stand in for the exchange.
pub(crate) const OLD: &str = ".cltv-old";

/// Ending of the hidden folder that a run writes to; after the exchange it holds what was before.
pub(crate) const NEW: &str = ".cltv-new";
/// Ending of the lock file.
pub(crate) const LOCK: &str = ".cltv-lock";

/// The hidden neighbour of a folder.
pub(crate) fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}{ending}"))
}

/// Removes a folder of ours and what is in it.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
