//! Ends a run that exceeds its memory limit with an error, before the operating system kills it.

use std::time::Duration;

use crate::settings::Settings;

/// Time between two checks of the memory in use.
const PAUSE: Duration = Duration::from_millis(20);

/// Starts a thread that ends the program when it uses more than `resources.memory_limit`.
pub fn guard(settings: &Settings) {
    let Some(limit) = settings.resources.memory_limit else {
        return;
    };
    if resident().is_none() {
        tracing::warn!(
            "resources.memory_limit has no effect: memory use is unknown on this system"
        );
        return;
    }
    std::thread::spawn(move || {
        loop {
            if let Some(used) = resident().filter(|used| *used > limit.bytes()) {
                let message = format!(
                    "{} MiB of memory are in use, more than resources.memory_limit = \"{limit}\" \
                     (raise it, or give the run fewer customers)",
                    used >> 20
                );
                super::signals::end("memory", &message, 1);
            }
            std::thread::sleep(PAUSE);
        }
    });
}

/// Bytes of memory in use that the system cannot reclaim. Returns `None` when /proc does not say.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some((kib("RssAnon:")? + kib("RssShmem:")?) * 1024)
}
