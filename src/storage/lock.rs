//! The lock that allows one writer per folder at a time.

use std::fs;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::storage::interrupt;
use crate::storage::ownership::{open_own, same_file};

/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);
/// Longest text of a lock file in bytes: a process and the name of a machine.
const LONGEST: u64 = 300;

/// A locked file; the operating system releases the lock however the process ends.
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock at `path` for writing to `target`; does not wait.
    ///
    /// # Errors
    /// [`Error::Io`] when another process holds it, when the file cannot be made, or when it is not
    /// ours: a link, a file of another user, or a file with something else in it.
    pub fn take(path: &Path, target: &Path) -> Result<Self, Error> {
        Self::take_by(path, target, File::try_lock)
    }

    /// As [`Lock::take`], but waits that long for another process.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub fn wait(path: &Path, target: &Path, most: Duration) -> Result<Self, Error> {
        let since = Instant::now();
        loop {
            match Self::take(path, target) {
                Err(Error::Io { source, .. })
                    if source.kind() == ErrorKind::WouldBlock && since.elapsed() < most =>
                {
                    std::thread::sleep(PAUSE);
                }
                other => return other,
            }
        }
    }

    fn take_by(
        path: &Path,
        target: &Path,
        try_lock: fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, Error> {
        // A signal handler must find the file registered, or absent.
        let _not_now = interrupt::committing();
        let failed = |error: io::Error| {
            let message = format!("{}: {error}", path.display());
            Error::io(target, "lock for writing")(io::Error::new(error.kind(), message))
        };
        loop {
            let mut file = open_own(path).map_err(failed)?;
            let holder = Holder::of(&mut file).map_err(failed)?;
            match try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(busy(&holder, path, target)),
                // A file system without locks: the file itself is the lock, as long as the process
                // that it names lives.
                Err(TryLockError::Error(_)) if holder.may_live() => {
                    return Err(busy(&holder, path, target));
                }
                Err(TryLockError::Error(_)) => {}
            }
            // The previous holder may have removed the file that was just locked.
            if is_at(&file, path) {
                interrupt::register(path);
                write_holder(&mut file).map_err(failed)?;
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

/// Who wrote a lock file.
enum Holder {
    /// Nobody yet.
    None,
    /// A process on a machine.
    Process(i32, String),
}

impl Holder {
    /// Reads a lock file.
    ///
    /// # Errors
    /// When it holds something that we would not have written.
    fn of(file: &mut File) -> io::Result<Self> {
        let mut text = String::new();
        file.take(LONGEST + 1).read_to_string(&mut text)?;
        if text.is_empty() {
            return Ok(Self::None);
        }
        let (process, host) = text.trim_end().split_once(' ').unwrap_or((text.trim_end(), ""));
        match process.parse() {
            Ok(process) if text.len() as u64 <= LONGEST => {
                Ok(Self::Process(process, host.to_owned()))
            }
            _ => Err(io::Error::other(
                "it is no lock of ours: find out who put it there, and remove it",
            )),
        }
    }

    /// Whether the process may still be running: for certain only on this machine.
    fn may_live(&self) -> bool {
        match self {
            Self::None => false,
            Self::Process(process, at) => *at != host() || lives(*process),
        }
    }
}

fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{} {}", std::process::id(), host())
}

/// The name of this machine.
fn host() -> String {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    String::new()
}

#[cfg(unix)]
fn lives(process: i32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let process = Pid::from_raw(process);
    process.is_some_and(|process| test_kill_process(process) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn lives(_: i32) -> bool {
    true
}

fn busy(holder: &Holder, path: &Path, target: &Path) -> Error {
    let who = match holder {
        Holder::Process(process, _) => format!("another run (process {process})"),
        Holder::None => "another run".to_owned(),
    };
    let message = format!(
        "{who} is writing to it: wait for its end, or give a run another folder with --output (if \
         nothing is running, remove {})",
        path.display()
    );
    Error::io(target, "write to the folder")(io::Error::new(ErrorKind::WouldBlock, message))
}

/// Whether a file that is open is still the one at the path.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(named)) => same_file(&open, &named),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn without_locks(_: &File) -> Result<(), TryLockError> {
        Err(TryLockError::Error(ErrorKind::Unsupported.into()))
    }

    #[test]
    fn one_at_a_time() {
        for try_lock in [File::try_lock, without_locks] {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join(".out.cltv-lock");
            let take = || Lock::take_by(&path, place.path(), try_lock);
            let held = take().expect("free");
            let error = whole_text(&take().err().expect("held"));
            assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
            drop(held);
            assert!(!path.exists());
            drop(take().expect("free again"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_a_killed_run_left_is_taken_over() {
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        for (text, free) in [
            (format!("{} {}", ended.id(), host()), true),
            (String::new(), true),
            (format!("{} elsewhere", ended.id()), false),
            (ended.id().to_string(), false),
        ] {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join(".out.cltv-lock");
            fs::write(&path, &text).unwrap();
            assert_eq!(Lock::take_by(&path, place.path(), without_locks).is_ok(), free, "{text}");
            fs::write(&path, &text).unwrap();
            Lock::take(&path, place.path()).expect("nobody holds it");
        }
    }

    #[test]
    fn a_file_that_is_no_lock_is_not_touched() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(".out.cltv-lock");
        for text in ["precious", "17 host and more\n".repeat(100).as_str(), "\u{0}"] {
            fs::write(&path, text).unwrap();
            let error = whole_text(&Lock::take(&path, place.path()).err().expect("refused"));
            assert!(error.contains("no lock of ours"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    fn whole_text(error: &Error) -> String {
        let source = std::error::Error::source(error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    }
}
