//! The progress bar: only on a terminal, never in a pipe or a log. It shows the stage, the rows, and
//! about how long the run still takes.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::progress::{Progress, watch};
use crate::results::numbers::count;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

static BAR: OnceLock<ProgressBar> = OnceLock::new();
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// Share of a run's time that is over when a stage begins: of ten million customers from CSV to
/// Parquet, without intervals, on two cores. The drawing of intervals counts its own steps.
const BEGINS: &[(&str, f64)] = &[
    ("cap and summarise", 0.38),
    ("fit orders and order values", 0.49),
    ("predict", 0.66),
    ("segment and advise", 0.68),
    ("forecast the company", 0.81),
    ("figures", 0.82),
    ("write", 0.87),
];
/// The first stage of a run, and the one that counts its own steps.
const FIRST: &str = "load and clean";
const DRAWING: &str = "draw intervals";
/// Shortest time that is worth telling.
const SHORTEST: Duration = Duration::from_secs(2);

/// What the bar knows of the run.
struct Known {
    since: Instant,
    stage: &'static str,
    rows: Option<usize>,
    /// When the run is expected to end.
    end: Option<Instant>,
}

/// Shows the stages of the run on stderr when that is a terminal.
pub fn start(quiet: bool) {
    if quiet || !std::io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let _ = BAR.set(bar);
    watch(show);
}

/// Removes the bar from the screen.
pub fn finish() {
    if let Some(bar) = BAR.get() {
        bar.finish_and_clear();
    }
}

fn show(progress: Progress) {
    let Some(bar) = BAR.get() else {
        return;
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let begun = || Known { since: Instant::now(), stage: "", rows: None, end: None };
    let known = known.get_or_insert_with(begun);
    match progress {
        Progress::Stage(name) => {
            // What came before is no part of the run; drawing intervals has its own count.
            if name == FIRST || known.stage == DRAWING {
                known.since = Instant::now();
            }
            known.stage = name;
            known.end = left(name, known.since.elapsed()).map(|left| Instant::now() + left);
            bar.unset_length();
            bar.set_position(0);
            set_style(bar, "{spinner} {msg}{left}");
            bar.set_message(message(known));
        }
        Progress::Rows(rows) => {
            known.rows = Some(rows);
            bar.set_message(message(known));
        }
        Progress::Step { of } => {
            if bar.length().is_none() {
                set_style(bar, "{spinner} {msg} {wide_bar} {eta}");
                bar.set_length(of as u64);
            }
            bar.inc(1);
        }
    }
}

fn set_style(bar: &ProgressBar, template: &str) {
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("left", counted));
}

fn message(known: &Known) -> String {
    let rows = known.rows.map_or(String::new(), |rows| format!(" · {} rows", count(rows)));
    format!("{}{rows}", known.stage)
}

/// The time left, if the stages before say something about it: about as long as they took, by the
/// usual shares.
fn left(stage: &str, elapsed: Duration) -> Option<Duration> {
    let (_, done) = BEGINS.iter().find(|(name, _)| *name == stage)?;
    Some(elapsed.mul_f64((1.0 - done) / done))
}

/// Writes the time that is left just now.
fn counted(_: &ProgressState, text: &mut dyn Write) {
    let known = KNOWN.try_lock();
    let end = known.ok().and_then(|known| known.as_ref().and_then(|known| known.end));
    let left = end.map(|end| end.saturating_duration_since(Instant::now()));
    if let Some(left) = left.filter(|left| *left >= SHORTEST) {
        let _ = write!(text, " · about {} s left", left.as_secs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_time_so_far() {
        let half_a_minute = Duration::from_secs(38);
        let left_then = left("cap and summarise", half_a_minute).expect("a known stage");
        assert_eq!(left_then.as_secs(), 62);
        assert_eq!(left("load and clean", half_a_minute), None);
    }

    #[test]
    fn rows_are_shown_when_they_are_known() {
        let mut known = Known { since: Instant::now(), stage: "predict", rows: None, end: None };
        assert_eq!(message(&known), "predict");
        known.rows = Some(10_000_000);
        assert_eq!(message(&known), "predict · 10,000,000 rows");
    }
}
