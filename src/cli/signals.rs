//! On SIGINT and SIGTERM, removes unfinished output and ends the program with exit code 130.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::cli::logging;

/// Callbacks to run before the program is ended early.
static ON_INTERRUPT: Mutex<Vec<Callback>> = Mutex::new(Vec::new());

/// Is called with the code of an error and its message.
type Callback = Box<dyn FnOnce(&str, &str) + Send>;

/// Registers a callback to run before the program is ended early.
pub fn on_interrupt(words: impl FnOnce(&str, &str) + Send + 'static) {
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

/// Ends the program early with the code of an error, a message and an exit code; removes unfinished
/// output first.
pub fn end(code: &str, message: &str, exit_code: i32) -> ! {
    let _held = crate::storage::interrupt::clear();
    super::bar::finish();
    let words = std::mem::take(&mut *ON_INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner));
    words.into_iter().for_each(|word| word(code, message));
    let state = match WRITTEN.load(Ordering::Relaxed) {
        true => "the output had been written",
        false => "what was being written is cleared away",
    };
    logging::fail(code, &format!("{message}: {state}"));
    std::process::exit(exit_code)
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
            std::thread::spawn(|| end("interrupted", "interrupted", INTERRUPTED));
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
