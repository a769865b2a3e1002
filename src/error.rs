//! The crate's error type. A message says what went wrong, where, with which value, and what to do;
//! each variant has an exit code.

use std::path::{Path, PathBuf};

use crate::safe_text::printable::printable;

/// Everything that can end a command early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pipeline file or the command line is wrong; lists every fault found.
    #[error("{}: {}", printable(.place), list(.faults))]
    Settings {
        /// The file or flag at fault.
        place: String,
        /// One sentence per fault, with its remedy.
        faults: Vec<String>,
    },
    /// The input breaks the contract that the pipeline file states.
    #[error("{}: {}", printable(.place), .faults.join("; "))]
    Input {
        /// The input at fault.
        place: String,
        /// One sentence per fault, with its remedy.
        faults: Vec<String>,
    },
    /// The model cannot be trusted: not converged, or a warning under `--strict`.
    #[error("{message}")]
    Model {
        /// What went wrong.
        message: String,
        /// What may help.
        remedy: Option<Remedy>,
    },
    /// Reading or writing failed.
    #[error("{}: cannot {action}", printable(&.path.to_string_lossy()))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Polars failed in a way that no earlier check caught.
    #[error("the data engine failed while it tried to {action}")]
    Engine {
        /// What was attempted.
        action: &'static str,
        /// Polars' error.
        source: polars::prelude::PolarsError,
    },
}

/// What may help where a model cannot be fitted or does not predict. A pipeline says it in terms of
/// its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// More customers, or the right columns.
    MoreCustomers,
    /// Shorter horizons, or no intervals.
    ShorterHorizons,
    /// A selection that does not ask for both channels.
    AnyChannel,
}

impl Error {
    /// An [`Error::Model`] without a remedy.
    pub fn model(message: impl Into<String>) -> Self {
        Self::Model { message: message.into(), remedy: None }
    }

    /// An [`Error::Model`] with a remedy.
    pub fn model_with(message: impl Into<String>, remedy: Remedy) -> Self {
        Self::Model { message: message.into(), remedy: Some(remedy) }
    }

    /// An [`Error::Input`] with a single fault.
    pub fn input(place: impl ToString, fault: impl Into<String>) -> Self {
        Self::Input { place: place.to_string(), faults: vec![fault.into()] }
    }

    /// A closure for `map_err` on file operations.
    pub fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }

    /// A closure for `map_err` on Polars operations that no input should make fail.
    pub fn engine(action: &'static str) -> impl FnOnce(polars::prelude::PolarsError) -> Self {
        move |source| {
            let source = polars::prelude::polars_err!(ComputeError: "{}", brief(&source));
            Self::Engine { action, source }
        }
    }

    /// The kind of error, for programs that read the log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "settings",
            Self::Input { .. } => "input",
            Self::Model { .. } => "model",
            Self::Io { .. } => "io",
            Self::Engine { .. } => "engine",
        }
    }

    /// The process exit code for this error, 1 to 4.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Io { .. } | Self::Engine { .. } => 1,
            Self::Settings { .. } => 2,
            Self::Input { .. } => 3,
            Self::Model { .. } => 4,
        }
    }
}

fn list(faults: &[String]) -> String {
    match faults {
        [only] => continued(only),
        many => many.iter().map(|fault| format!("\n  - {}", continued(fault))).collect(),
    }
}

/// A fault whose further lines, if it has any, cannot be taken for faults of their own.
fn continued(fault: &str) -> String {
    let line =
        |line: &str| if line.starts_with("    ") { "\n" } else { "\u{fffd}" }.to_owned() + line;
    let mut lines = fault.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, next| text + &line(next))
}

/// Polars' message on one line, without the values that it lists: they may be those of customers.
pub(crate) fn brief(error: &polars::prelude::PolarsError) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let kept = [" in column ", "values: ["].iter().filter_map(|cut| first.find(cut)).min();
    let kept = kept.and_then(|end| first.get(..end)).unwrap_or(first);
    kept.trim_end_matches([' ', ':']).to_owned()
}

/// The entry of `known` most similar to `word` (Jaro-Winkler, ignoring case).
///
/// Returns `None` when no entry is similar enough to be what the user meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LIKELY: f64 = 0.6;
    let folded = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= LIKELY)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
