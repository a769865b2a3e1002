//! Findings of a run about its data and its fit: a code for machines, and a sentence for people.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::results::facts::{Fact, Facts, VARIANT};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the results can be used as they are.
    Note,
    /// The results need care; `--strict` rejects them.
    Warning,
}

/// One thing that the reader of the results should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Stable identifier.
    pub code: Cow<'static, str>,
    /// Whether `--strict` rejects it.
    pub severity: Severity,
    /// What was found, with its numbers.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// Values of the message, for a report that words it in another way.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
}

impl Finding {
    /// A finding that `--strict` rejects.
    pub fn warning(code: &'static str, message: String, remedy: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message, remedy.into())
    }

    /// A finding that only informs.
    pub fn note(code: &'static str, message: String, remedy: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message, remedy.into())
    }

    fn new(code: &'static str, severity: Severity, message: String, remedy: String) -> Self {
        Self { code: code.into(), severity, message, remedy, facts: Facts::default() }
    }

    /// Adds a value of the message.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, fact: impl Into<Fact>) -> Self {
        self.facts = self.facts.with(name, fact);
        self
    }

    /// Adds a value of the message, if there is one.
    #[must_use]
    pub fn maybe(mut self, name: &'static str, fact: Option<impl Into<Fact>>) -> Self {
        self.facts = self.facts.maybe(name, fact);
        self
    }

    /// Sets the variant of the finding's code.
    #[must_use]
    pub fn with_variant(self, variant: &'static str) -> Self {
        self.with(VARIANT, variant)
    }

    /// The variant of the finding's code. Returns `None` when the code has no variants.
    pub fn variant(&self) -> Option<&str> {
        self.facts.variant()
    }

    /// A copy without the values of the message.
    #[must_use]
    pub fn without_facts(&self) -> Self {
        Self { facts: Facts::default(), ..self.clone() }
    }
}
