//! The time of day in UTC, only for run.json and lineage; no result depends on it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When the program was started.
pub struct Start {
    time: String,
    since: Instant,
}

impl Start {
    /// Records the current time.
    pub fn now() -> Self {
        Self { time: formatted("%Y-%m-%dT%H:%M:%SZ"), since: Instant::now() }
    }

    /// The start in UTC, as 2021-06-01T03:00:00Z.
    pub fn time(&self) -> String {
        self.time.clone()
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

/// The current time in UTC, as 2021-06-01T03:00:00.000Z.
pub fn now_in_milliseconds() -> String {
    formatted("%Y-%m-%dT%H:%M:%S%.3fZ")
}

fn formatted(pattern: &str) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    chrono::DateTime::from_timestamp(since.as_secs().cast_signed(), since.subsec_nanos())
        .map_or(String::new(), |time| time.format(pattern).to_string())
}
