//! What a run has to say about its data and its fit, in a code for machines and a sentence for
//! people.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; results stand.
    Note,
    /// Results need care; `--strict` refuses them.
    Warning,
}

/// One thing that the reader of the results should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable identifier.
    pub code: Cow<'static, str>,
    /// Whether `--strict` minds.
    pub severity: Severity,
    /// What was found, with its figures.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// A finding that `--strict` minds.
    pub fn warning(code: &'static str, message: String, remedy: impl Into<String>) -> Self {
        Self { code: code.into(), severity: Severity::Warning, message, remedy: remedy.into() }
    }

    /// A finding that only informs.
    pub fn note(code: &'static str, message: String, remedy: impl Into<String>) -> Self {
        Self { code: code.into(), severity: Severity::Note, message, remedy: remedy.into() }
    }
}
