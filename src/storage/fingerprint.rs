//! Fingerprints of files: size and SHA-256, taken from a file or while it is written.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::error::Error;

/// A file with its size and hash.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fingerprint {
    /// Path or name.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// The files of an input, with their sizes and modification times before the first one was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    paths: Vec<PathBuf>,
    names: Vec<String>,
    stamps: Vec<Stamp>,
}

/// Size in bytes, and the modification time where the file system has one.
type Stamp = (u64, Option<SystemTime>);

impl Files {
    /// Records the files as they are now. `name_of` gives the name that a manifest shows for a
    /// path.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be found.
    pub fn of(paths: Vec<PathBuf>, name_of: impl Fn(&Path) -> String) -> Result<Self, Error> {
        let stamps = paths.iter().map(|path| stamp(path)).collect::<Result<_, _>>()?;
        let names = paths.iter().map(|path| name_of(path)).collect();
        Ok(Self { paths, names, stamps })
    }

    /// The names that a manifest shows, in reading order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Starts a thread that computes sizes and hashes, in reading order. It returns [`Error::Io`]
    /// when a file cannot be read.
    pub fn fingerprints(&self) -> JoinHandle<Result<Vec<Fingerprint>, Error>> {
        let files = self.clone();
        std::thread::spawn(move || {
            let named = files.paths.iter().zip(&files.names);
            named
                .map(|(path, name)| Ok(Fingerprint { file: name.clone(), ..fingerprint(path)? }))
                .collect()
        })
    }

    /// Checks that no file has changed since it was recorded.
    ///
    /// # Errors
    /// [`Error::Input`] that names the first file that changed, [`Error::Io`] when a file is gone.
    pub fn unchanged(&self) -> Result<(), Error> {
        for ((path, name), before) in self.paths.iter().zip(&self.names).zip(&self.stamps) {
            let now = stamp(path)?;
            if now != *before {
                let fault = format!(
                    "the file changed while it was read ({} bytes before, {} after): run again \
                     when it is complete",
                    before.0, now.0
                );
                return Err(Error::input(name, fault));
            }
        }
        Ok(())
    }
}

fn stamp(path: &Path) -> Result<Stamp, Error> {
    let found = std::fs::metadata(path).map_err(Error::io(path, "look at the input"))?;
    Ok((found.len(), found.modified().ok()))
}

/// Turns the panic of a reading or writing thread into an error.
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

/// Size and running SHA-256 of what has been written so far.
#[derive(Default)]
pub(crate) struct Digested {
    bytes: u64,
    sha256: Sha256,
}

impl Digested {
    /// The fingerprint, under the name `file`.
    pub(crate) fn fingerprint(self, file: &str) -> Fingerprint {
        let sha256 = hexadecimal(&self.sha256.finalize());
        Fingerprint { file: file.to_owned(), bytes: self.bytes, sha256 }
    }
}

/// A writer that counts and hashes what passes through it.
pub(crate) struct Hashed<W> {
    inner: W,
    /// Size and hash of what has passed through.
    pub(crate) digest: Digested,
}

impl<W> Hashed<W> {
    /// Wraps `inner`, with an empty digest.
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
    fn the_hash_is_sha_256() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").expect("written");
        // SHA-256 of "abc": FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(fingerprint(&file).expect("readable").sha256, expected);
        assert_eq!(sha256(b"abc"), expected);
    }

    #[test]
    fn a_file_that_grows_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.csv");
        std::fs::write(&file, "a\n").expect("written");
        let files = Files::of(vec![file.clone()], |path| path.display().to_string());
        let files = files.expect("it is there");
        files.unchanged().expect("nobody wrote");
        std::fs::write(&file, "a\nb\n").expect("written");
        let error = files.unchanged().expect_err("it grew").to_string();
        assert!(error.contains("2 bytes before, 4 after"), "{error}");
        std::fs::remove_file(&file).expect("removed");
        assert!(files.unchanged().is_err());
    }
}
