//! SIGINT and SIGTERM: clear away what is half done, and end with 130.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is done before the program ends in the middle of its work.
static ON_INTERRUPT: Mutex<Vec<Box<dyn FnOnce() + Send>>> = Mutex::new(Vec::new());

/// Adds to what is done before the program ends in the middle of its work.
pub fn on_interrupt(words: impl FnOnce() + Send + 'static) {
    ON_INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(words));
}

/// Whether the output is in place.
static WRITTEN: AtomicBool = AtomicBool::new(false);

/// The output is in place: an end from now on takes nothing back.
pub fn written() {
    WRITTEN.store(true, Ordering::Relaxed);
    ON_INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Ends the program in the middle of its work: nothing half written stays.
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

/// Exit code of a program that was told to stop.
#[cfg(unix)]
const INTERRUPTED: i32 = 130;

/// Listens from now on, in a thread of its own.
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
        // Whoever asks twice does not want to wait for an end in order.
        if arrived.next().is_some() {
            std::process::exit(INTERRUPTED);
        }
    });
}

/// Where there are none.
#[cfg(not(unix))]
pub fn listen() {}
