//! Whose a file is. A name that others can guess may have been planted by them: a link, or a file of
//! theirs, in the place of one of ours.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Longest text of a file that `read_own` reads, in bytes.
const LONGEST: u64 = 4096;

/// Opens a hidden file of ours for reading and writing, or creates it for us alone.
///
/// # Errors
/// Refuses a link, a file of another user, one that has a second name, and what is no file.
pub(crate) fn open_own(path: &Path) -> io::Result<File> {
    loop {
        match private(OpenOptions::new().create_new(true)).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            other => return other,
        }
        match no_follow(OpenOptions::new().read(true).write(true)).open(path) {
            Ok(file) => return ours(&file.metadata()?, None).map(|()| file),
            // It was removed meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                ours(&path.symlink_metadata()?, None)?;
                return Err(error);
            }
        }
    }
}

/// Creates a file for us alone; nothing may have that name.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().create_new(true)).open(path)
}

/// Creates a folder for us alone; nothing may have that name.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates a folder for us alone in the system's temporary folder; it is deleted on drop.
pub(crate) fn temporary_folder() -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.prefix("cltv-").tempdir()
}

/// Opens a file or folder that is there for reading, without following a link.
///
/// # Errors
/// Refuses what belongs neither to us nor to the user `also`, a file with a second name, and what is
/// neither a file nor a folder.
pub(crate) fn open_there(path: &Path, also: Option<u32>) -> io::Result<File> {
    let file = no_follow(OpenOptions::new().read(true)).open(path)?;
    let found = file.metadata()?;
    if !found.is_dir() {
        return ours(&found, also).map(|()| file);
    }
    match owner(&found).filter(|uid| Some(*uid) != user() && Some(*uid) != also) {
        Some(uid) => Err(of_another(uid)),
        None => Ok(file),
    }
}

/// A folder that stays the same while it is held, even if another user, who may write to the folder
/// above it, puts something else in its place.
pub(crate) struct Held {
    _folder: File,
    path: PathBuf,
}

impl Held {
    /// Opens a folder of ours or of the user `also`.
    ///
    /// # Errors
    /// As [`open_there`]; also where there is no folder.
    pub(crate) fn open(path: &Path, also: Option<u32>) -> io::Result<Self> {
        let folder = open_there(path, also)?;
        if !folder.metadata()?.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok(Self { path: lasting(&folder).unwrap_or_else(|| path.to_owned()), _folder: folder })
    }

    /// Its path, which leads to this folder and to no other, where the system has such paths.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The path of a folder that is open.
fn lasting(folder: &File) -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        let named = std::fs::metadata(&path).ok()?;
        folder.metadata().is_ok_and(|open| same_file(&open, &named)).then_some(path)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        None
    }
}

/// The text of a small hidden file of ours. Returns `None` when there is none, or when others could
/// have written it.
pub(crate) fn read_own(path: &Path) -> Option<String> {
    let file = no_follow(OpenOptions::new().read(true)).open(path).ok()?;
    ours(&file.metadata().ok()?, None).ok()?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether there is a folder at a path that is ours, or that of the user `also`.
///
/// # Errors
/// Refuses a link, a folder of another user, and what is no folder.
pub(crate) fn is_own_folder(path: &Path, also: Option<u32>) -> io::Result<bool> {
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    if !found.is_dir() {
        return Err(planted("is no folder, where one of ours may be"));
    }
    match owner(&found).filter(|uid| Some(*uid) != user() && Some(*uid) != also) {
        Some(uid) => Err(of_another(uid)),
        None => Ok(true),
    }
}

/// Refuses what is not an ordinary file of ours, or of the user `also`, with a single name.
fn ours(found: &Metadata, also: Option<u32>) -> io::Result<()> {
    if found.is_symlink() {
        return Err(planted("is a link, where a file of ours may be"));
    }
    if !found.is_file() {
        return Err(planted("is no file, where one of ours may be"));
    }
    if let Some(uid) = owner(found).filter(|uid| Some(*uid) != user() && Some(*uid) != also) {
        return Err(of_another(uid));
    }
    if names(found) > 1 {
        return Err(planted("has a second name (a hard link)"));
    }
    Ok(())
}

fn planted(what: &str) -> io::Error {
    io::Error::other(format!("it {what}: find out who put it there, and remove it"))
}

fn of_another(uid: u32) -> io::Error {
    io::Error::other(format!(
        "it belongs to another user (uid {uid}): if no run of theirs is going on, it is left over; \
         let them run again, or root remove it"
    ))
}

/// The user of this process. Returns `None` where the system has no numbers for users.
pub(crate) fn user() -> Option<u32> {
    #[cfg(unix)]
    return Some(rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    None
}

/// The user who owns a file, where the system says.
pub(crate) fn owner(found: &Metadata) -> Option<u32> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::MetadataExt::uid(found));
    #[cfg(not(unix))]
    {
        let _ = found;
        None
    }
}

fn names(found: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(found);
    #[cfg(not(unix))]
    {
        let _ = found;
        1
    }
}

/// Whether two files are the same one under two names.
pub(crate) fn same_file(one: &Metadata, other: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        one.ino() == other.ino() && one.dev() == other.dev()
    }
    #[cfg(not(unix))]
    {
        let _ = (one, other);
        true
    }
}

/// Only we may read and write the new file.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.read(true).write(true)
}

/// Links are not followed, and a pipe is not waited for.
pub(crate) fn no_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags);
    }
    options
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_others_planted_is_not_opened() {
        let place = tempfile::tempdir().unwrap();
        let [precious, name] = ["precious", "name"].map(|name| place.path().join(name));
        fs::write(&precious, "precious").unwrap();
        let refused = |why: &str| {
            let error = open_own(&name).expect_err(why).to_string();
            assert!(error.contains(why) && error.contains("remove it"), "{error}");
            assert_eq!(read_own(&name), None);
            assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        };
        symlink(&precious, &name).unwrap();
        refused("is a link");
        assert!(is_own_folder(&name, None).is_err());
        fs::remove_file(&name).unwrap();
        symlink(place.path().join("nothing"), &name).unwrap();
        refused("is a link");
        fs::remove_file(&name).unwrap();
        fs::hard_link(&precious, &name).unwrap();
        refused("second name");
        fs::remove_file(&name).unwrap();
        fs::create_dir(&name).unwrap();
        refused("is no file");
        assert!(is_own_folder(&name, None).unwrap());
    }

    #[test]
    fn what_is_created_is_private() {
        let place = tempfile::tempdir().unwrap();
        let mode = |name| fs::metadata(place.path().join(name)).unwrap().permissions().mode();
        open_own(&place.path().join("file")).unwrap();
        create_private_folder(&place.path().join("folder")).unwrap();
        assert_eq!(mode("file") & 0o7777, 0o600);
        assert_eq!(mode("folder") & 0o7777, 0o700);
        assert!(create_private(&place.path().join("file")).is_err());
        assert_eq!(read_own(&place.path().join("file")).as_deref(), Some(""));
    }
}
