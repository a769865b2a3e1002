//! Where a run stands, for whoever watches it.

use std::sync::OnceLock;
use std::time::Instant;

use crate::progress;

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

/// Seconds by stage: for run.json and for who waits, no result depends on it.
#[derive(Default)]
pub struct Clock {
    stage: Option<(&'static str, Instant)>,
    laps: Vec<(&'static str, f64)>,
}

impl Clock {
    /// The stage before, if any, is over; this one begins.
    pub(crate) fn enter(&mut self, stage: &'static str) {
        self.leave();
        progress::stage(stage);
        self.stage = Some((stage, Instant::now()));
    }

    fn leave(&mut self) {
        if let Some((stage, since)) = self.stage.take() {
            let seconds = since.elapsed().as_secs_f64();
            tracing::debug!(stage, seconds, "stage done");
            self.laps.push((stage, seconds));
        }
    }

    /// Seconds of every stage so far; the last one is over.
    pub(crate) fn laps(mut self) -> Vec<(&'static str, f64)> {
        self.leave();
        self.laps
    }
}
