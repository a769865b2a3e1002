//! Who may read a file: its mode and its owner. On systems without them, nothing is done.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// Who may read the results.
pub(crate) struct Rights {
    /// Mode of the folder; files have it without the right to execute.
    pub(crate) mode: u32,
    /// The folder whose owner they get.
    pub(crate) like: Option<Metadata>,
}

/// The mode of a new folder, as the user's umask has it.
pub(crate) fn usual(folder: &Path) -> io::Result<u32> {
    #[cfg(target_os = "linux")]
    if let Some(umask) = umask() {
        return Ok(0o777 & !umask);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let probe = tempfile::Builder::new()
            .prefix(".cltv-")
            .permissions(std::fs::Permissions::from_mode(0o777))
            .tempfile_in(folder)?;
        Ok(probe.as_file().metadata()?.permissions().mode() & 0o777)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        Ok(0o777)
    }
}

#[cfg(target_os = "linux")]
fn umask() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(umask.trim(), 8).ok()
}

/// The mode of a file or folder.
pub(crate) fn mode(found: &Metadata) -> u32 {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o7777;
    #[cfg(not(unix))]
    {
        let _ = found;
        0o777
    }
}

/// Sets the mode of an open file or folder. Where the disk has no modes, it stays as it is.
pub(crate) fn set_mode(file: &File, mode: u32) {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        if let Err(error) = file.set_permissions(mode) {
            tracing::debug!("a mode could not be set: {error}");
        }
    }
    #[cfg(not(unix))]
    let _ = (file, mode);
}

/// Gives an open file or folder the owner of another.
///
/// # Errors
/// Where it belongs to another user, and we are not root.
pub(crate) fn give_owner(file: &File, of: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let now = file.metadata()?;
        if (of.uid(), of.gid()) != (now.uid(), now.gid()) {
            fchown(file, Some(of.uid()), Some(of.gid()))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (file, of);
    Ok(())
}

/// Gives an open file the owner of another, or at least the group.
pub(crate) fn give_owner_or_group(file: &File, of: &Metadata) {
    if give_owner(file, of).is_err() {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            let _ = fchown(file, None, Some(of.gid()));
        }
    }
}
