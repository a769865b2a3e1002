//! Standard input as a file: it is copied to a temporary file once, because an input is read several
//! times.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::error::Error;
use crate::storage::interrupt;

/// The path that means standard input.
pub const STDIN: &str = "-";

/// The copy. The program removes it at its end.
static COPY: OnceLock<PathBuf> = OnceLock::new();

/// The temporary file with everything from standard input.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, or the copy cannot be written.
pub fn spooled() -> Result<&'static Path, Error> {
    if let Some(copy) = COPY.get() {
        return Ok(copy);
    }
    let failed = || Error::io(Path::new("standard input"), "copy the input to a temporary file");
    let file = tempfile::Builder::new().prefix("cltv-").tempfile().map_err(failed())?;
    interrupt::register(file.path());
    let (mut file, path) = file.keep().map_err(|e| failed()(e.error))?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(failed())?;
    Ok(COPY.get_or_init(|| path))
}

/// The name of an input file in messages and manifests.
pub fn name_of(file: &Path) -> String {
    match COPY.get().is_some_and(|copy| copy == file) {
        true => STDIN.to_owned(),
        false => file.display().to_string(),
    }
}

/// An error about the copy as one about standard input.
pub fn renamed(error: Error) -> Error {
    let is_copy = |place: &str| COPY.get().is_some_and(|copy| copy.as_os_str() == place);
    match error {
        Error::Input { place, faults } if is_copy(&place) => {
            Error::Input { place: "standard input".to_owned(), faults }
        }
        other => other,
    }
}
