//! What a file held: its size and SHA-256, taken from the file or while it is written.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::error::Error;

/// A file with its size and fingerprint.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fingerprint {
    /// Path or name.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Size and time of change of files, to tell whether they were written to since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamps(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Stamps {
    /// As the files are now.
    ///
    /// # Errors
    /// [`Error::Io`] when one is gone.
    pub fn of(files: &[PathBuf]) -> Result<Self, Error> {
        let stamp = |file: &PathBuf| {
            let found = std::fs::metadata(file).map_err(Error::io(file, "look at the input"))?;
            Ok((file.clone(), found.len(), found.modified().ok()))
        };
        files.iter().map(stamp).collect::<Result<_, _>>().map(Self)
    }

    /// Refuses files that are not as they were.
    ///
    /// # Errors
    /// [`Error::Input`] that names the first one that changed.
    pub fn unchanged(&self) -> Result<(), Error> {
        let files: Vec<PathBuf> = self.0.iter().map(|(file, ..)| file.clone()).collect();
        let now = Self::of(&files)?;
        match self.0.iter().zip(&now.0).find(|(then, now)| then != now) {
            None => Ok(()),
            Some(((file, before, _), (_, after, _))) => Err(Error::input(
                file.display(),
                format!(
                    "the file changed while it was read ({before} bytes before, {after} after): \
                     run again when it is complete"
                ),
            )),
        }
    }
}

/// A thread that ended without an answer has not done its work.
pub(crate) fn lost_thread<T>(_: Box<dyn std::any::Any + Send>) -> Result<T, Error> {
    Err(Error::Io {
        path: "input or output".into(),
        action: "finish reading or writing",
        source: std::io::Error::other("a thread stopped"),
    })
}

/// Size and SHA-256 of a file.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub fn fingerprint(path: &Path) -> Result<Fingerprint, Error> {
    let digest = || {
        let mut writer = Hashed::new(std::io::sink());
        std::io::copy(&mut File::open(path)?, &mut writer)?;
        Ok(writer.digest)
    };
    let digest = digest().map_err(Error::io(path, "read for its fingerprint"))?;
    Ok(digest.fingerprint(&path.display().to_string()))
}

/// What has been written so far, as size and running SHA-256.
#[derive(Default)]
pub(crate) struct Digested {
    bytes: u64,
    sha256: Sha256,
}

impl Digested {
    /// Of bytes at hand.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut digested = Self { bytes: bytes.len() as u64, ..Self::default() };
        digested.sha256.update(bytes);
        digested
    }

    /// Under the name of the file.
    pub(crate) fn fingerprint(self, file: &str) -> Fingerprint {
        let sha256 = self.sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Fingerprint { file: file.to_owned(), bytes: self.bytes, sha256 }
    }
}

/// A writer that digests what passes through it.
pub(crate) struct Hashed<W> {
    inner: W,
    /// Of what has passed through.
    pub(crate) digest: Digested,
}

impl<W> Hashed<W> {
    /// Nothing has passed through yet.
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, digest: Digested::default() }
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.digest.sha256.update(&buffer[..written]);
        self.digest.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.csv");
        std::fs::write(&file, "a\n").expect("written");
        let stamps = Stamps::of(std::slice::from_ref(&file)).expect("it is there");
        stamps.unchanged().expect("nobody wrote");
        std::fs::write(&file, "a\nb\n").expect("written");
        let error = stamps.unchanged().expect_err("it grew").to_string();
        assert!(error.contains("2 bytes before, 4 after"), "{error}");
        std::fs::remove_file(&file).expect("removed");
        assert!(stamps.unchanged().is_err());
    }
}
