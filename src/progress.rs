//! Where a run stands, for whoever watches it.

use std::sync::OnceLock;

/// What a watcher is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A stage begins.
    Stage(&'static str),
    /// One of so many like steps within the stage is done.
    Step {
        /// Of how many.
        of: usize,
    },
}

static WATCHER: OnceLock<fn(Progress)> = OnceLock::new();

/// From now on `watcher` is told; the first one stays.
pub fn watch(watcher: fn(Progress)) {
    let _ = WATCHER.set(watcher);
}

pub(crate) fn stage(name: &'static str) {
    tell(Progress::Stage(name));
}

pub(crate) fn step(of: usize) {
    tell(Progress::Step { of });
}

fn tell(progress: Progress) {
    if let Some(watcher) = WATCHER.get() {
        watcher(progress);
    }
}
