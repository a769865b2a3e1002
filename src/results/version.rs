//! The program that writes a file, and the version of the file's layout.

use serde::{Deserialize, Serialize};

/// Version of the layout of run.json, evaluation.json, comparison.json and of the columns of the
/// customer table.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// The program that wrote a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        Self { name: name.to_owned(), version: version.to_owned() }
    }
}
