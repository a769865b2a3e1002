//! A hidden folder inside the target: files are written there, synced, and renamed into place.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

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

/// Output that is not visible until [`Staging::commit`]; dropped, it leaves nothing.
pub struct Staging {
    target: PathBuf,
    folder: TempDir,
}

impl Staging {
    /// Makes the target folder, if need be, and the hidden folder in it.
    ///
    /// # Errors
    /// [`Error::Io`] when the target cannot be written.
    pub fn beside(target: &Path) -> Result<Self, Error> {
        fs::create_dir_all(target).map_err(Error::io(target, "create the output folder"))?;
        let folder = tempfile::Builder::new()
            .prefix(".cltv-")
            .tempdir_in(target)
            .map_err(Error::io(target, "write to the output folder"))?;
        Ok(Self { target: target.to_owned(), folder })
    }

    /// Writes one file through `fill`, to the disk.
    ///
    /// # Errors
    /// [`Error::Io`], named after the final path.
    pub fn file(
        &self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let write = || {
            let mut writer = BufWriter::new(File::create(self.folder.path().join(name))?);
            fill(&mut writer)?;
            writer.flush()?;
            writer.get_ref().sync_all()
        };
        write().map_err(Error::io(&self.target.join(name), "write"))
    }

    /// Writes one text file.
    ///
    /// # Errors
    /// As [`Staging::file`].
    pub fn text(&self, name: &str, text: &str) -> Result<(), Error> {
        self.file(name, |writer| writer.write_all(text.as_bytes()))
    }

    /// Fingerprints of the files written so far, by name.
    ///
    /// # Errors
    /// [`Error::Io`] when one cannot be read back.
    pub fn written(&self) -> Result<Vec<Fingerprint>, Error> {
        self.names()?
            .into_iter()
            .map(|name| {
                let read = fingerprint(&self.folder.path().join(&name))?;
                Ok(Fingerprint { file: name, ..read })
            })
            .collect()
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let folder = self.folder.path();
        let mut names = fs::read_dir(folder)
            .and_then(|entries| {
                entries
                    .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                    .collect::<std::io::Result<Vec<_>>>()
            })
            .map_err(Error::io(folder, "list the written files"))?;
        names.sort();
        Ok(names)
    }

    /// Renames every file into place, `last` after all others, and removes files of an earlier
    /// run that this one did not write again. Returns the target.
    ///
    /// # Errors
    /// [`Error::Io`] when a rename fails.
    pub fn commit(self, last: &str, optional: &[&str]) -> Result<PathBuf, Error> {
        let mut names = self.names()?;
        names.sort_by_key(|name| name == last);
        for name in &names {
            let target = self.target.join(name);
            fs::rename(self.folder.path().join(name), &target)
                .map_err(Error::io(&target, "put into place"))?;
        }
        for stale in optional.iter().filter(|stale| !names.iter().any(|n| n == *stale)) {
            let path = self.target.join(stale);
            if path.exists() {
                fs::remove_file(&path).map_err(Error::io(&path, "remove the earlier run's"))?;
            }
        }
        Ok(self.target)
    }
}

/// Size and SHA-256 of a file.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub fn fingerprint(path: &Path) -> Result<Fingerprint, Error> {
    let digest = || -> std::io::Result<(u64, Sha256)> {
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 1 << 16];
        let (mut bytes, mut hash) = (0, Sha256::new());
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((bytes, hash)),
                n => {
                    bytes += n as u64;
                    hash.update(&buffer[..n]);
                }
            }
        }
    };
    let (bytes, hash) = digest().map_err(Error::io(path, "read for its fingerprint"))?;
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Fingerprint { file: path.display().to_string(), bytes, sha256 })
}
