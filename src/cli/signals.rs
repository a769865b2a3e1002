//! SIGINT and SIGTERM: clear away what is half done, and end with 130.

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
        if signals.forever().next().is_some() {
            let _held = cltv::output::interrupt::clear();
            super::bar::finish();
            tracing::error!("interrupted: what was being written is cleared away");
            std::process::exit(INTERRUPTED);
        }
    });
}

/// Where there are none.
#[cfg(not(unix))]
pub fn listen() {}
