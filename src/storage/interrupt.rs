//! What to remove when the program is interrupted, and a lock that makes an interrupt wait while an
//! output is put into place.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Hidden folders and lock files of this process.
static LEFT_OVER: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Held while an output is put into place.
static COMMITTING: Mutex<()> = Mutex::new(());

/// Registers a file or folder to be removed on an interrupt.
pub(crate) fn register(path: &Path) {
    left_over().push(path.to_owned());
}

/// Removes a path from the list, because it is gone or has to stay.
pub(crate) fn forget(path: &Path) {
    left_over().retain(|kept| kept != path);
}

/// Makes [`clear`] wait while the guard is held.
pub(crate) fn committing() -> MutexGuard<'static, ()> {
    COMMITTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no output is being put into place, and removes everything that is registered. The
/// caller must end the process while it holds the guard.
pub fn clear() -> MutexGuard<'static, ()> {
    let guard = committing();
    // Newest first: the lock, which is the oldest, keeps other runs out until the rest is gone.
    for path in left_over().drain(..).rev() {
        if path.is_dir() {
            // Another thread may still create files in the folder, so this can take several tries.
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
