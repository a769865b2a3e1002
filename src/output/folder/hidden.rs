//! Names of the hidden files and folders next to an output folder and in it.

use std::path::{Path, PathBuf};

/// Marker file of a folder that is being written; it stays in the target until the exchange is
/// complete. Its text is the manifest name of the writing command.
pub(crate) const MARK: &str = ".cltv-unfinished";
/// Suffix of the former output, when two renames have to replace the exchange; in the folder itself,
/// the name of a folder with the former files, while they are replaced one by one.
pub(crate) const OLD: &str = ".cltv-old";

/// Suffix of the hidden folder that a run writes to; after the exchange it holds the former output.
pub(crate) const NEW: &str = ".cltv-new";
/// Suffix of the lock file.
pub(crate) const LOCK: &str = ".cltv-lock";

/// The path of a hidden file or folder next to a folder: its name with a dot before and `ending`
/// after it.
pub(crate) fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}{ending}"))
}
