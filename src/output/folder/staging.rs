//! The hidden folder that files are written to, then synced and put into place together.

use std::fs;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::output::folder::exchange::exchange;
use crate::output::folder::hidden::MARK;
use crate::output::folder::kind::OutputKind;
use crate::output::folder::lock::Lock;
use crate::output::folder::recovery;
use crate::storage::atomic::sync_folder;
use crate::storage::fingerprint::{Fingerprint, Hashed, fingerprint, lost_thread};
use crate::storage::{interrupt, object_store};

/// How files get from the hidden folder to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The two folders are exchanged.
    Exchange,
    /// Files are renamed one by one.
    Rename,
    /// Files are uploaded to an object store one by one.
    Upload,
}

/// Output that is not visible until [`Staging::commit`]; dropping it leaves nothing behind.
pub struct Staging {
    target: PathBuf,
    folder: PathBuf,
    kind: OutputKind,
    way: Way,
    in_place: AtomicBool,
    _lock: Option<Lock>,
    fingerprints: Mutex<Vec<Fingerprint>>,
}

impl Staging {
    pub(crate) fn new(
        target: PathBuf,
        folder: PathBuf,
        kind: OutputKind,
        way: Way,
        lock: Option<Lock>,
    ) -> Self {
        let in_place = AtomicBool::new(false);
        Self { target, folder, kind, way, in_place, _lock: lock, fingerprints: Mutex::default() }
    }

    /// Lets `fill` write one file, and takes its fingerprint on the way.
    ///
    /// # Errors
    /// [`Error::Io`], which names the final path.
    pub fn file(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let write = || {
            let file = File::create(self.folder.join(name))?;
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
    /// [`Error::Io`], which names the final path.
    pub fn path(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> polars::prelude::PolarsResult<()>,
    ) -> Result<(), Error> {
        let path = self.folder.join(name);
        fill(&path)
            .map_err(std::io::Error::other)
            .map_err(Error::io(&self.target.join(name), "write"))?;
        self.fingerprints().push(Fingerprint { file: name.to_owned(), ..fingerprint(&path)? });
        Ok(())
    }

    /// Waits until the files are on disk, in one thread per file, since each wait is mostly idle.
    fn sync(&self, names: &[String]) -> Result<(), Error> {
        let one = |name: &String| {
            let path = self.folder.join(name);
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

    /// Fingerprints of the files written so far, sorted by name.
    pub fn written(&self) -> Vec<Fingerprint> {
        let mut written = self.fingerprints().clone();
        written.sort_by(|a, b| a.file.cmp(&b.file));
        written
    }

    /// Syncs every file and puts all of them into place: in one step where the file system allows
    /// it, else one by one with the manifest last. Files that the command owns but did not write
    /// again are removed; all others stay. Returns the target.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be synced (then nothing has changed) or put into place;
    /// [`Error::Settings`] when one of the `inputs` would be replaced.
    pub fn commit(self, inputs: &[String]) -> Result<PathBuf, Error> {
        self.kind.refuse_replacing_inputs(inputs, &self.target)?;
        let mut names: Vec<String> = self.written().into_iter().map(|f| f.file).collect();
        names.sort_by_key(|name| name == self.kind.manifest());
        self.sync(&names)?;
        if self.way == Way::Upload {
            let files: Vec<PathBuf> = names.iter().map(|name| self.folder.join(name)).collect();
            let url = self.target.to_string_lossy();
            object_store::upload(&files, &url, &self.kind.not_among(&names))?;
            return Ok(self.target.clone());
        }
        let _not_now = interrupt::committing();
        let placed = match self.way {
            Way::Exchange if self.exchange() => Ok(()),
            _ => self.rename_each(&names),
        };
        placed.map_err(Error::io(&self.target, "put the output into place"))?;
        Ok(self.target.clone())
    }

    /// Exchanges the two folders. Returns false when that is not possible; then nothing has
    /// changed.
    fn exchange(&self) -> bool {
        let ready = || {
            if self.target.is_dir() {
                self.link_others()?;
            }
            sync_folder(&self.folder)?;
            // The marker file of a killed run must not be mistaken for that of this exchange.
            recovery::unmark(&self.target)?;
            exchange(&self.folder, &self.target)
        };
        let former = match ready() {
            Ok(former) => former,
            Err(error) => {
                tracing::debug!("files are renamed one by one: {error}");
                return false;
            }
        };
        // From here on the hidden folder may hold files of others, and must not be deleted.
        self.in_place.store(true, Ordering::Relaxed);
        interrupt::forget(&self.folder);
        if let Err(error) = self.settle(former.as_deref()) {
            tracing::warn!(
                "the new output is in place, but other files of the former folder could not be \
                 moved ({error}): they are in {}",
                former.as_deref().unwrap_or(&self.target).display()
            );
        }
        true
    }

    fn settle(&self, former: Option<&Path>) -> std::io::Result<()> {
        if let Some(parent) = self.target.parent() {
            sync_folder(parent)?;
        }
        match former {
            Some(former) => recovery::retire_former(former, &self.target, Some(self.kind)),
            None => recovery::unmark(&self.target),
        }
    }

    /// Links files of others into the new folder, so that they are in it from the start; their
    /// folders are moved after the exchange.
    fn link_others(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.target)? {
            let entry = entry?;
            if entry.file_type()?.is_file() && !self.kind.owns(&entry.file_name().to_string_lossy())
            {
                // Without hard links, the file is moved after the exchange too.
                let _ = fs::hard_link(entry.path(), self.folder.join(entry.file_name()));
            }
        }
        Ok(())
    }

    fn rename_each(&self, names: &[String]) -> std::io::Result<()> {
        let mark = self.target.join(MARK);
        fs::write(&mark, self.kind.manifest())?;
        for name in names {
            place(&self.folder.join(name), &self.target.join(name))?;
        }
        for stale in self.kind.not_among(names) {
            match fs::remove_file(self.target.join(stale)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::remove_file(mark)?;
        sync_folder(&self.target)
    }
}

/// Renames a file; between two file systems, copies it next to its target first.
fn place(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            let beside = to.with_extension("cltv-new");
            fs::copy(from, &beside)?;
            File::open(&beside)?.sync_all()?;
            fs::rename(beside, to)
        }
        other => other,
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.in_place.load(Ordering::Relaxed) {
            let _ = fs::remove_dir_all(&self.folder);
        }
        interrupt::forget(&self.folder);
    }
}
