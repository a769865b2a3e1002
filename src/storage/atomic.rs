//! Writes a file whole or not at all.

use std::fs;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::error::Error;

/// Syncs a folder: a rename in it is durable only after that.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Writes a temporary file next to the target and renames it, so that a partly written file never
/// has the target's name.
///
/// # Errors
/// [`Error::Io`] when it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = as_usual(&mut tempfile::Builder::new()).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|persist| persist.error)?;
        sync_folder(folder)
    };
    write().map_err(Error::io(path, "write"))
}

/// Gives a temporary file, which is private by default, the permissions of an ordinary file.
pub(crate) fn as_usual<'a, 'b>(
    builder: &'b mut tempfile::Builder<'a, 'a>,
) -> &'b mut tempfile::Builder<'a, 'a> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}
