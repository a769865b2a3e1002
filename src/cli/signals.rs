//! On SIGINT and SIGTERM, removes unfinished output and ends the program with exit code 130.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Callbacks to run before the program is ended early.
static ON_INTERRUPT: Mutex<Vec<Box<dyn FnOnce() + Send>>> = Mutex::new(Vec::new());

/// Registers a callback to run before the program is ended early.
pub fn on_interrupt(words: impl FnOnce() + Send + 'static) {
    ON_INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(words));
}

/// Whether the output is in place.
static WRITTEN: AtomicBool = AtomicBool::new(false);

/// Records that the output is in place: from now on an early end undoes nothing and runs no
/// callbacks.
pub fn written() {
    WRITTEN.store(true, Ordering::Relaxed);
    ON_INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Ends the program early with an error message and an exit code; removes unfinished output first.
pub fn end(message: &str, code: i32) -> ! {
    let _held = crate::storage::interrupt::clear();
    super::bar::finish();
    let words = std::mem::take(&mut *ON_INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner));
    words.into_iter().for_each(|word| word());
    let state = match WRITTEN.load(Ordering::Relaxed) {
        true => "the output had been written",
        false => "what was being written is cleared away",
    };
    tracing::error!("{message}: {state}");
    std::process::exit(code)
}

/// Exit code of an interrupted program.
#[cfg(unix)]
const INTERRUPTED: i32 = 130;

/// Starts a thread that waits for signals.
#[cfg(unix)]
pub fn listen() {
    use signal_hook::consts::{SIGINT, SIGTERM};

    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else {
        tracing::warn!("signals cannot be listened to: an interrupted run may leave hidden files");
        return;
    };
    std::thread::spawn(move || {
        let mut arrived = signals.forever();
        if arrived.next().is_some() {
            std::thread::spawn(|| end("interrupted", INTERRUPTED));
        }
        // A second signal means: end at once, without waiting for the clean-up.
        if arrived.next().is_some() {
            std::process::exit(INTERRUPTED);
        }
    });
}

/// Does nothing: this system has no such signals.
#[cfg(not(unix))]
pub fn listen() {}
