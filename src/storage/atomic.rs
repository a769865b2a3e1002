//! Writes a file whole or not at all. What is no ordinary file (a pipe, a terminal) is written
//! through, a link is followed, and a file that is replaced keeps its mode and its owner.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::storage::lock::is_at;
use crate::storage::ownership::{no_follow, open_own, open_there, owner, user};
use crate::storage::{interrupt, rights};

/// Suffix of the temporary file next to the one that is written.
const NEW: &str = ".cltv-new";
/// Longest wait for another process that writes the same file.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Most links that are followed, as Linux has it.
const MOST_LINKS: usize = 40;

/// Syncs a folder: a rename in it is durable only after that.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Writes a file whole or not at all; a new one has the usual mode.
///
/// # Errors
/// [`Error::Io`] when it cannot be written; an ordinary file is then as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_with_mode(path, bytes, None)
}

/// As [`write_whole`]; a new file has this mode.
///
/// # Errors
/// As [`write_whole`].
pub fn write_with_mode(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<(), Error> {
    let write = || match destination(path)? {
        Destination::File(path) => replace(&path, bytes, mode),
        Destination::Through(path) => OpenOptions::new().append(true).open(path)?.write_all(bytes),
    };
    write().map_err(Error::io(path, "write"))
}

/// As [`write_whole`], for a name that we choose and nobody stated: what is there is replaced, and a
/// link is not followed, since others may have put it there.
///
/// # Errors
/// As [`write_whole`].
pub(crate) fn write_own(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<(), Error> {
    replace(path, bytes, mode).map_err(Error::io(path, "write"))
}

/// What a path leads to.
enum Destination {
    /// An ordinary file, which may not exist yet.
    File(PathBuf),
    /// A pipe, a terminal, or a file that is open already.
    Through(PathBuf),
}

/// Follows links.
fn destination(path: &Path) -> io::Result<Destination> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = folder_of(&path);
        // What /proc lists as a link is an open file: /dev/stdout, or a pipe of the shell.
        if fs::canonicalize(&folder).is_ok_and(|folder| folder.starts_with("/proc")) {
            return Ok(Destination::Through(path));
        }
        let found = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Destination::File(path));
            }
            other => other?,
        };
        if found.is_symlink() {
            refuse_planted(&found, &folder)?;
            path = folder.join(fs::read_link(&path)?);
        } else if found.is_file() {
            return Ok(Destination::File(path));
        } else if found.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        } else if is_disk(&found) {
            return Err(io::Error::other("it is a disk"));
        } else {
            return Ok(Destination::Through(path));
        }
    }
    Err(io::Error::other("too many links"))
}

/// The folder that a path is in.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Refuses a link that another user put into a folder that is not theirs, as Linux does in folders
/// for everyone (`fs.protected_symlinks`).
pub(crate) fn refuse_planted(link: &Metadata, folder: &Path) -> io::Result<()> {
    let trusted = [user(), owner(&fs::metadata(folder)?), Some(0)];
    match owner(link) {
        Some(uid) if !trusted.contains(&Some(uid)) => Err(io::Error::other(format!(
            "it is a link that another user (uid {uid}) put there: name the file itself"
        ))),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_disk(found: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_block_device(&found.file_type())
}

#[cfg(not(unix))]
fn is_disk(_: &Metadata) -> bool {
    false
}

/// Writes a temporary file next to the target, and renames it.
fn replace(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let before = fs::symlink_metadata(path).ok().filter(Metadata::is_file);
    let folder = folder_of(path);
    let mut temporary = match Temporary::beside(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && before.is_some() => {
            return write_in_place(path, bytes);
        }
        other => other?,
    };
    temporary.file.write_all(bytes)?;
    match &before {
        Some(before) => {
            if rights::give_owner(&temporary.file, before).is_err() {
                // Only in place can it keep the owner.
                drop(temporary);
                return write_in_place(path, bytes);
            }
            rights::set_mode(&temporary.file, rights::mode(before));
        }
        None => {
            let mode = mode.map_or_else(|| usual(&folder), Ok)?;
            rights::set_mode(&temporary.file, mode);
        }
    }
    temporary.file.sync_all()?;
    temporary.rename(path)?;
    if let Err(error) = sync_folder(&folder) {
        tracing::warn!("{} is written, but may not outlast a power cut: {error}", path.display());
    }
    Ok(())
}

/// The mode of a new file: no more than the umask and the folder allow.
fn usual(folder: &Path) -> io::Result<u32> {
    let of_folder = rights::mode(&fs::metadata(folder)?);
    Ok(rights::usual(folder)? & of_folder & 0o666)
}

/// Removes the temporary files of writes that were killed, for targets whose names end like this.
///
/// # Errors
/// When the folder cannot be listed. What belongs to others or is in use stays.
pub(crate) fn clear_left(folder: &Path, ending: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let target = name.strip_prefix('.').and_then(|name| name.strip_suffix(NEW));
        if target.is_some_and(|target| target.ends_with(ending))
            && let Ok(file) = open_there(&path, None)
            && file.try_lock().is_ok()
            && is_at(&file, &path)
        {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Writes over a file that we may change, in a folder that we may not change, or whose owner we may
/// not take over.
fn write_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = no_follow(OpenOptions::new().write(true)).open(path)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// A file that only we may read, deleted on drop unless it was renamed. Its name follows from that
/// of the target, so that what a killed process left is used again and not left for ever.
struct Temporary {
    file: File,
    path: PathBuf,
}

impl Temporary {
    fn beside(target: &Path) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = folder_of(target).join(format!(".{name}{NEW}"));
        let since = Instant::now();
        while since.elapsed() < LONGEST_WAIT {
            let guard = interrupt::committing();
            let Ok(file) = open_own(&path) else {
                return Self::by_chance(&folder_of(target));
            };
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    interrupt::register(&path);
                    file.set_len(0)?;
                    return Ok(Self { file, path });
                }
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => {
                    drop(guard);
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(fs::TryLockError::Error(_)) => return Self::by_chance(&folder_of(target)),
            }
        }
        Err(io::Error::other(format!("another process is writing it ({})", path.display())))
    }

    /// With a name by chance, where the usual one cannot be had.
    fn by_chance(folder: &Path) -> io::Result<Self> {
        let made = tempfile::Builder::new().prefix(".cltv-").tempfile_in(folder)?;
        let (file, path) = made.keep()?;
        interrupt::register(&path);
        Ok(Self { file, path })
    }

    fn rename(self, target: &Path) -> io::Result<()> {
        let _not_now = interrupt::committing();
        fs::rename(&self.path, target)?;
        interrupt::forget(&self.path);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename, the name may be that of another process's file.
        if is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
        interrupt::forget(&self.path);
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).unwrap();
            let name = |e: io::Result<fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
            let mut names: Vec<String> = entries.map(name).collect();
            names.sort();
            names
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_link_is_followed() {
        let place = Place::new();
        fs::write(place.at("file"), "a longer text").unwrap();
        rights::set_mode(&File::open(place.at("file")).unwrap(), 0o600);
        symlink("file", place.at("link")).unwrap();
        symlink("link", place.at("second")).unwrap();
        for path in ["file", "link", "second"] {
            write_whole(&place.at(path), path.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(place.at("file")).unwrap(), path);
            assert_eq!(mode(&place.at("file")), 0o600);
        }
        symlink("new", place.at("dangling")).unwrap();
        write_whole(&place.at("dangling"), b"text").unwrap();
        assert_eq!(fs::read_to_string(place.at("new")).unwrap(), "text");
        assert_eq!(mode(&place.at("new")), rights::usual(place.0.path()).unwrap() & 0o666);
        assert_eq!(place.names(), ["dangling", "file", "link", "new", "second"]);
        assert!(place.at("link").is_symlink() && place.at("dangling").is_symlink());
    }

    #[test]
    fn a_circle_of_links_and_a_folder_are_refused() {
        let place = Place::new();
        symlink("b", place.at("a")).unwrap();
        symlink("a", place.at("b")).unwrap();
        assert!(write_whole(&place.at("a"), b"text").is_err());
        assert!(write_whole(place.0.path(), b"text").is_err());
        assert_eq!(place.names(), ["a", "b"]);
    }

    #[test]
    fn a_pipe_is_written_through() {
        let place = Place::new();
        let pipe = place.at("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        write_whole(&pipe, b"text").unwrap();
        assert_eq!(reader.join().unwrap(), "text");
        assert_eq!(place.names(), ["pipe"]);
        write_whole(Path::new("/dev/null"), b"text").unwrap();
        let mut byte = [1];
        File::open("/dev/null").unwrap().read_exact(&mut byte).expect_err("still empty");
    }

    #[test]
    fn what_a_killed_process_left_is_used_again() {
        let place = Place::new();
        fs::write(place.at(".file.cltv-new"), "half of a longer text").unwrap();
        write_whole(&place.at("file"), b"text").unwrap();
        assert_eq!(fs::read_to_string(place.at("file")).unwrap(), "text");
        assert_eq!(place.names(), ["file"]);
    }

    #[test]
    fn a_link_planted_in_place_of_the_temporary_file_is_not_followed() {
        let place = Place::new();
        fs::write(place.at("precious"), "precious").unwrap();
        symlink("precious", place.at(".file.cltv-new")).unwrap();
        write_whole(&place.at("file"), b"text").unwrap();
        assert_eq!(fs::read_to_string(place.at("precious")).unwrap(), "precious");
        assert_eq!(fs::read_to_string(place.at("file")).unwrap(), "text");
    }

    #[test]
    fn many_writers_leave_one_whole_file() {
        let place = Place::new();
        std::thread::scope(|scope| {
            for i in 0..16u8 {
                let path = place.at("file");
                scope.spawn(move || write_whole(&path, &vec![i; 100_000]).unwrap());
            }
        });
        let bytes = fs::read(place.at("file")).unwrap();
        assert!(bytes.len() == 100_000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(place.names(), ["file"]);
    }
}
