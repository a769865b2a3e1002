//! What a file held: its size and SHA-256, taken from the file or while it is written.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::Error;

/// A file with its size and fingerprint.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Fingerprint {
    /// Path or name.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
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

/// SHA-256 of bytes in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What has been written so far, as size and running SHA-256.
#[derive(Default)]
pub(crate) struct Digested {
    bytes: u64,
    sha256: Sha256,
}

impl Digested {
    /// Under the name of the file.
    pub(crate) fn fingerprint(self, file: &str) -> Fingerprint {
        let sha256 = hexadecimal(&self.sha256.finalize());
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
