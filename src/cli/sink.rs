//! `--out FILE`: a file, or standard output.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

use crate::storage::atomic::{write_own, write_whole};
use crate::storage::object_store;
use crate::storage::ownership::same_file;

/// Writes to the file; without one, for `-` and for another name of it, to standard output. Returns
/// the file that was written.
///
/// # Errors
/// When it cannot be written; an ordinary file is then as it was.
pub fn write<'a>(out: Option<&'a Path>, bytes: &[u8]) -> anyhow::Result<Option<&'a Path>> {
    match out.filter(|path| !is_stdout(path)) {
        None => {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(bytes).and_then(|()| stdout.flush()).context("standard output")?;
            Ok(None)
        }
        Some(path) => {
            object_store::refuse_remote(path, "this file is written locally: copy it afterwards")?;
            write_whole(path, bytes)?;
            Ok(Some(path))
        }
    }
}

/// As [`write`], to the file that was named or else to one whose name is ours.
///
/// # Errors
/// As [`write`].
pub fn write_or<'a>(
    named: Option<&'a Path>,
    own: &'a Path,
    bytes: &[u8],
) -> anyhow::Result<Option<&'a Path>> {
    if named.is_some() {
        return write(named, bytes);
    }
    write_own(own, bytes, None)?;
    Ok(Some(own))
}

/// Whether a path means standard output.
pub fn is_stdout(path: &Path) -> bool {
    let same = |path: &Path| {
        let [own, named] = [Path::new("/dev/stdout"), path].map(fs::metadata);
        own.ok().zip(named.ok()).is_some_and(|(own, named)| same_file(&own, &named))
    };
    path.as_os_str() == "-" || cfg!(unix) && same(path)
}
