//! The hidden folder that files are written to, then synced and put into place together.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::output::folder::disk::{Disk, System};
use crate::output::folder::exchange::exchange;
use crate::output::folder::kind::OutputKind;
use crate::output::folder::leftovers::clear_away;
use crate::output::folder::rename::rename_each;
use crate::storage::fingerprint::{Fingerprint, Hashed, fingerprint, lost_thread};
use crate::storage::lock::Lock;
use crate::storage::ownership::{Held, create_private, open_there};
use crate::storage::rights::Rights;
use crate::storage::{interrupt, object_store, rights};

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
    /// The same folder, whatever another user may put in its place meanwhile.
    held: Held,
    kind: OutputKind,
    way: Way,
    rights: Rights,
    _lock: Option<Lock>,
    fingerprints: Mutex<Vec<Fingerprint>>,
}

impl Staging {
    pub(crate) fn new(
        target: PathBuf,
        (folder, held): (PathBuf, Held),
        kind: OutputKind,
        way: Way,
        rights: Rights,
        lock: Option<Lock>,
    ) -> Self {
        Self {
            target,
            folder,
            held,
            kind,
            way,
            rights,
            _lock: lock,
            fingerprints: Mutex::default(),
        }
    }

    /// Lets `fill` write one file, and takes its fingerprint on the way.
    ///
    /// # Errors
    /// [`Error::Io`], which names the final path.
    pub fn file(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let write = || {
            let file = create_private(&self.held.path().join(name))?;
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
        let path = self.held.path().join(name);
        // Polars writes to a file that is there, and so keeps its mode.
        create_private(&path)
            .and_then(|_| fill(&path).map_err(io::Error::other))
            .map_err(Error::io(&self.target.join(name), "write"))?;
        self.fingerprints().push(Fingerprint { file: name.to_owned(), ..fingerprint(&path)? });
        Ok(())
    }

    /// Waits until the files are on disk, in one thread per file, since each wait is mostly idle.
    fn sync(&self, names: &[String]) -> Result<(), Error> {
        let one = |name: &String| {
            let path = self.held.path().join(name);
            System.sync(&path).map_err(Error::io(&self.target.join(name), "write"))
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
            let files: Vec<PathBuf> =
                names.iter().map(|name| self.held.path().join(name)).collect();
            let url = self.target.to_string_lossy();
            object_store::upload(&files, &url, &self.kind.not_among(&names))?;
            return Ok(self.target.clone());
        }
        let _not_now = interrupt::committing();
        self.give_rights(&names)
            .and_then(|()| self.put(&System, &names))
            .map_err(Error::io(&self.target, "put the output into place"))?;
        Ok(self.target.clone())
    }

    /// Gives the files the rights that the folder has: who may read it may read them.
    fn give_rights(&self, names: &[String]) -> io::Result<()> {
        for name in names {
            let file = open_there(&self.held.path().join(name), None)?;
            rights::set_mode(&file, self.rights.mode & 0o666);
            if let Some(like) = &self.rights.like {
                rights::give_owner_or_group(&file, like);
            }
        }
        Ok(())
    }

    /// Puts the files into place, whole or not at all.
    fn put(&self, disk: &dyn Disk, names: &[String]) -> io::Result<()> {
        // From here on the hidden folder may hold files of others, and must not be deleted whole.
        interrupt::forget(&self.folder);
        if self.way == Way::Exchange {
            match exchange(disk, &self.folder, &self.target, self.kind, &self.rights) {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!("files are renamed one by one: {error}"),
            }
        }
        rename_each(disk, self.held.path(), &self.target, self.kind, names)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = clear_away(&System, &self.folder, &self.target) {
            tracing::debug!("{} is left: {error}", self.folder.display());
        }
        interrupt::forget(&self.folder);
    }
}
