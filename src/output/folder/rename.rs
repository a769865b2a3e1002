//! Puts staged files into an output folder one by one, where the folder cannot be exchanged.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::output::folder::disk::{Disk, remove_if_there};
use crate::output::folder::hidden::{MARK, OLD};
use crate::output::folder::kind::OutputKind;
use crate::output::folder::leftovers::{clear_away, unmark};
use crate::storage::ownership::{create_private, create_private_folder, open_own};

/// Puts files with these names, the manifest last, in the place of those in the target, and removes
/// those that the command owns but did not write again.
///
/// # Errors
/// When one of them cannot be put into place; those before it have been put back.
pub(crate) fn rename_each(
    disk: &dyn Disk,
    staged: &Path,
    target: &Path,
    kind: OutputKind,
    names: &[String],
) -> io::Result<()> {
    mark(target, kind)?;
    let former = target.join(OLD);
    let mut changed = Vec::new();
    let replaced = create_private_folder(&former)
        .and_then(|()| note_new(&former, target, names))
        .and_then(|()| replace_all(disk, staged, target, kind, names, &mut changed));
    if replaced.is_err() {
        for change in changed.iter().rev() {
            change.undo(disk)?;
        }
    }
    // Without the marker, the files count.
    let unmarked = unmark(disk, target);
    let cleared = clear_away(disk, &former, target);
    replaced?;
    for failed in [unmarked, disk.sync(target), cleared].into_iter().filter_map(Result::err) {
        tracing::warn!(
            "the new output is in place, but may not outlast a power cut, or something of the former \
             one is left: {}: {failed}",
            target.display()
        );
    }
    Ok(())
}

fn replace_all(
    disk: &dyn Disk,
    staged: &Path,
    target: &Path,
    kind: OutputKind,
    names: &[String],
    changed: &mut Vec<Changed>,
) -> io::Result<()> {
    let former = target.join(OLD);
    for name in names {
        changed.push(Changed::about_to(disk, name, target, &former)?);
        place(disk, &staged.join(name), &target.join(name))?;
    }
    for name in kind.not_among(names) {
        if target.join(name).symlink_metadata().is_ok() {
            changed.push(Changed::about_to(disk, name, target, &former)?);
            remove_if_there(disk, &target.join(name))?;
        }
    }
    Ok(())
}

fn mark(target: &Path, kind: OutputKind) -> io::Result<()> {
    let mut file = open_own(&target.join(MARK))?;
    file.set_len(0)?;
    file.write_all(kind.manifest().as_bytes())
}

/// Notes in the folder of the former files which names have none, so that a later command can undo
/// what a killed one began.
fn note_new(former: &Path, target: &Path, names: &[String]) -> io::Result<()> {
    let is_new = |name: &&String| target.join(name).symlink_metadata().is_err();
    let new: Vec<&str> = names.iter().filter(is_new).map(String::as_str).collect();
    open_own(&former.join(MARK))?.write_all(new.join("\n").as_bytes())
}

/// A file that was replaced or removed, or that was new.
struct Changed {
    path: PathBuf,
    /// Where the former file is kept until all are replaced.
    kept: Option<PathBuf>,
}

impl Changed {
    /// Keeps a file of the target, if there is one, before it is replaced.
    fn about_to(disk: &dyn Disk, name: &str, target: &Path, former: &Path) -> io::Result<Self> {
        let (path, kept) = (target.join(name), former.join(name));
        if path.symlink_metadata().is_err() {
            return Ok(Self { path, kept: None });
        }
        if disk.hard_link(&path, &kept).is_err() {
            disk.rename(&path, &kept)?;
        }
        Ok(Self { path, kept: Some(kept) })
    }

    fn undo(&self, disk: &dyn Disk) -> io::Result<()> {
        match &self.kept {
            // A rename onto the same file leaves both names; the second one is cleared away later.
            Some(kept) => disk.rename(kept, &self.path),
            None => remove_if_there(disk, &self.path),
        }
    }
}

/// Renames a file; between two file systems, copies it next to its target first.
fn place(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    match disk.rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let near = to.with_file_name(OLD).join("copy");
            let mut copy = create_private(&near)?;
            io::copy(&mut fs::File::open(from)?, &mut copy)?;
            fs::set_permissions(&near, fs::metadata(from)?.permissions())?;
            copy.sync_all()?;
            disk.rename(&near, to)
        }
        other => other,
    }
}
