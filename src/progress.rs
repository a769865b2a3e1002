//! Reports the stage and step that a run has reached to one observer, and times the stages.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::progress;

/// A progress event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A stage has begun.
    Stage(&'static str),
    /// The input has so many rows.
    Rows(usize),
    /// One of `of` equal steps of the stage is done.
    Step {
        /// Number of steps in the stage.
        of: usize,
    },
}

/// The stage that was begun last.
static REACHED: Mutex<&str> = Mutex::new("read the pipeline");

static WATCHER: OnceLock<fn(Progress)> = OnceLock::new();

/// Registers `watcher` for all later events. Only the first registration takes effect.
pub fn watch(watcher: fn(Progress)) {
    let _ = WATCHER.set(watcher);
}

/// The stage that the run has reached.
pub fn reached() -> &'static str {
    *REACHED.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn stage(name: &'static str) {
    *REACHED.lock().unwrap_or_else(PoisonError::into_inner) = name;
    tell(Progress::Stage(name));
}

pub(crate) fn rows(rows: usize) {
    tell(Progress::Rows(rows));
}

pub(crate) fn step(of: usize) {
    tell(Progress::Step { of });
}

fn tell(progress: Progress) {
    if let Some(watcher) = WATCHER.get() {
        watcher(progress);
    }
}

/// Seconds per stage, for run.json and the progress bar; no result depends on it.
#[derive(Default)]
pub struct Clock {
    stage: Option<(&'static str, Instant)>,
    laps: Vec<(&'static str, f64)>,
}

impl Clock {
    /// Ends the current stage, if any, and begins this one.
    pub(crate) fn enter(&mut self, stage: &'static str) {
        self.leave();
        progress::stage(stage);
        self.stage = Some((stage, Instant::now()));
    }

    fn leave(&mut self) {
        if let Some((stage, since)) = self.stage.take() {
            let seconds = since.elapsed().as_secs_f64();
            tracing::debug!(stage, seconds, "stage done");
            // A stage that is entered again, as for a refit, adds to its time.
            match self.laps.iter_mut().find(|(name, _)| *name == stage) {
                Some((_, sum)) => *sum += seconds,
                None => self.laps.push((stage, seconds)),
            }
        }
    }

    /// Ends the current stage and returns every stage with its seconds, in order.
    pub(crate) fn laps(mut self) -> Vec<(&'static str, f64)> {
        self.leave();
        self.laps
    }
}
