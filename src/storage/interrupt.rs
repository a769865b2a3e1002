//! What has to be cleared away when the program is told to stop, and when it must not stop.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Hidden folders and lock files of this process.
static LEFT_OVER: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Held while an output is put into place.
static COMMITTING: Mutex<()> = Mutex::new(());

/// Something that is to be removed when the program is told to stop.
pub(crate) fn register(path: &Path) {
    left_over().push(path.to_owned());
}

/// It is gone.
pub(crate) fn forget(path: &Path) {
    left_over().retain(|kept| kept != path);
}

/// While this is held, [`clear`] waits.
pub(crate) fn committing() -> MutexGuard<'static, ()> {
    COMMITTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no output is being put into place, and removes what this process would leave behind.
/// The process must end while the guard is held.
pub fn clear() -> MutexGuard<'static, ()> {
    let guard = committing();
    // The newest first: the lock, which is the oldest, keeps the next run waiting until then.
    for path in left_over().drain(..).rev() {
        if path.is_dir() {
            // A file that is being written can appear meanwhile.
            let _ = (0..10).find(|_| std::fs::remove_dir_all(&path).is_ok());
        } else {
            let _ = std::fs::remove_file(&path);
        }
    }
    guard
}

fn left_over() -> MutexGuard<'static, Vec<PathBuf>> {
    LEFT_OVER.lock().unwrap_or_else(PoisonError::into_inner)
}
