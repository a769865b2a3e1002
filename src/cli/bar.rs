//! The progress bar: only on a terminal, never in a pipe or a log.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use crate::progress::{Progress, watch};
use indicatif::{ProgressBar, ProgressStyle};

static BAR: OnceLock<ProgressBar> = OnceLock::new();

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
    match progress {
        Progress::Stage(name) => {
            bar.unset_length();
            bar.set_position(0);
            bar.set_style(ProgressStyle::default_spinner());
            bar.set_message(name);
        }
        Progress::Step { of } => {
            if bar.length().is_none() {
                let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {eta}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                bar.set_length(of as u64);
            }
            bar.inc(1);
        }
    }
}
