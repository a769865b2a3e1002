//! What has to be cleared away when the program is told to stop, and when it must not stop.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Hidden folders and lock files of this process.
static LEFT_OVER: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Held while an output is put into place.
static COMMITTING: Mutex<()> = Mutex::new(());

/// Something that is to be removed when the program is told to stop.
pub(super) fn register(path: &Path) {
    left_over().push(path.to_owned());
}

/// It is gone.
pub(super) fn forget(path: &Path) {
    left_over().retain(|kept| kept != path);
}

/// While this is held, [`clear`] waits.
pub(super) fn committing() -> MutexGuard<'static, ()> {
    COMMITTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no output is being put into place, and removes what this process would leave behind.
/// The process must end while the guard is held.
pub fn clear() -> MutexGuard<'static, ()> {
    let guard = committing();
    for path in left_over().drain(..) {
        let _ = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
    }
    guard
}

fn left_over() -> MutexGuard<'static, Vec<PathBuf>> {
    LEFT_OVER.lock().unwrap_or_else(PoisonError::into_inner)
}
