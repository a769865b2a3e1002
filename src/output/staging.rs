//! A hidden folder inside the target: files are written there, synced, and renamed into place.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use crate::error::Error;
use crate::fingerprint::{Fingerprint, Hashed, fingerprint, lost_thread};

/// Output that is not visible until [`Staging::commit`]; dropped, it leaves nothing.
pub struct Staging {
    target: PathBuf,
    folder: TempDir,
    fingerprints: Mutex<Vec<Fingerprint>>,
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
        Ok(Self { target: target.to_owned(), folder, fingerprints: Mutex::default() })
    }

    /// Writes one file through `fill` and takes its fingerprint on the way.
    ///
    /// # Errors
    /// [`Error::Io`], named after the final path.
    pub fn file(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let write = || {
            let file = File::create(self.folder.path().join(name))?;
            let mut writer = Hashed::new(BufWriter::new(file));
            fill(&mut writer)?;
            writer.flush()?;
            Ok(writer.digest)
        };
        let digest = write().map_err(Error::io(&self.target.join(name), "write"))?;
        self.fingerprints().push(digest.fingerprint(name));
        Ok(())
    }

    /// Lets `fill` write one file at a path, and takes its fingerprint afterwards.
    ///
    /// # Errors
    /// [`Error::Io`], named after the final path.
    pub fn path(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> polars::prelude::PolarsResult<()>,
    ) -> Result<(), Error> {
        let path = self.folder.path().join(name);
        fill(&path)
            .map_err(std::io::Error::other)
            .map_err(Error::io(&self.target.join(name), "write"))?;
        self.fingerprints().push(Fingerprint { file: name.to_owned(), ..fingerprint(&path)? });
        Ok(())
    }

    /// Waits until the files are on the disk; all at once, since each wait is mostly idle.
    fn sync(&self, names: &[String]) -> Result<(), Error> {
        let one = |name: &String| {
            let path = self.folder.path().join(name);
            let synced = File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(Error::io(&self.target.join(name), "write"))
        };
        std::thread::scope(|scope| {
            let waits: Vec<_> = names.iter().map(|name| scope.spawn(move || one(name))).collect();
            waits.into_iter().try_for_each(|wait| wait.join().unwrap_or_else(lost_thread))
        })
    }

    fn fingerprints(&self) -> MutexGuard<'_, Vec<Fingerprint>> {
        self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one text file.
    ///
    /// # Errors
    /// As [`Staging::file`].
    pub fn text(&self, name: &str, text: &str) -> Result<(), Error> {
        self.file(name, |writer| writer.write_all(text.as_bytes()))
    }

    /// Fingerprints of the files written so far, by name.
    pub fn written(&self) -> Vec<Fingerprint> {
        let mut written = self.fingerprints().clone();
        written.sort_by(|a, b| a.file.cmp(&b.file));
        written
    }

    /// Syncs every file, renames it into place, `last` after all others, and removes files of an earlier
    /// run that this one did not write again. Returns the target.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be synced (then nothing has changed) or renamed.
    pub fn commit(self, last: &str, optional: &[&str]) -> Result<PathBuf, Error> {
        let mut names: Vec<String> = self.written().into_iter().map(|f| f.file).collect();
        names.sort_by_key(|name| name == last);
        self.sync(&names)?;
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

/// Writes one file beside its target and renames it, so that no half file is ever there under its
/// name.
///
/// # Errors
/// [`Error::Io`] when it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = as_usual(&mut tempfile::Builder::new()).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|persist| persist.error)?;
        Ok(())
    };
    write().map_err(Error::io(path, "write"))
}

/// Temporary files are private by default; this one becomes a plain file.
fn as_usual<'a, 'b>(
    builder: &'b mut tempfile::Builder<'a, 'a>,
) -> &'b mut tempfile::Builder<'a, 'a> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}
