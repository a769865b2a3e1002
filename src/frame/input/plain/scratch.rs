//! Temporary files.

use std::fs::File;
use std::path::Path;

use crate::error::Error;
use crate::storage::interrupt;

/// A temporary file, deleted when dropped or when the program is interrupted.
#[derive(Debug)]
pub struct Scratch(tempfile::TempPath);

impl std::ops::Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        interrupt::forget(&self.0);
    }
}

/// A new temporary file that only its owner may read.
pub fn scratch() -> Result<(File, Scratch), Error> {
    let folder = std::env::temp_dir();
    let file = tempfile::Builder::new()
        .prefix("cltv-")
        .suffix(".csv")
        .tempfile_in(&folder)
        .map_err(Error::io(&folder, "make a temporary file"))?;
    let (file, path) = file.into_parts();
    interrupt::register(&path);
    Ok((file, Scratch(path)))
}
