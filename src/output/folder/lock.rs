//! The lock that allows one writer per folder at a time.

use std::fs;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::storage::interrupt;

/// A locked file; the operating system releases the lock however the process ends.
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock at `path` for writing to `target`; does not wait.
    ///
    /// # Errors
    /// [`Error::Io`] when another run holds it, or the file cannot be made.
    pub fn take(path: &Path, target: &Path) -> Result<Self, Error> {
        // A signal handler must find the file registered, or absent.
        let _not_now = interrupt::committing();
        loop {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(path)
                .map_err(Error::io(target, "lock for writing"))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(busy(&mut file, target)),
                Err(TryLockError::Error(e)) => {
                    return Err(Error::io(target, "lock for writing")(e));
                }
            }
            // The previous holder may have removed the file that was just locked.
            if is_at(&file, path) {
                interrupt::register(path);
                let _ = file.set_len(0);
                let _ = write!(file, "{}", std::process::id());
                return Ok(Self { path: path.to_owned(), _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        interrupt::forget(&self.path);
    }
}

fn busy(file: &mut File, target: &Path) -> Error {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    let who = match holder.trim().parse::<u32>() {
        Ok(process) => format!("another run (process {process})"),
        Err(_) => "another run".to_owned(),
    };
    Error::io(target, "write to the folder")(std::io::Error::other(format!(
        "{who} is writing to it: wait for its end, or choose another folder with --output"
    )))
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
