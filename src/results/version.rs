//! The program that writes a file, and the version of the file's layout.

use serde_json::{Value, json};

/// Version of the layout of run.json and of the columns of the customer table.
pub(crate) const SCHEMA_VERSION: u32 = 1;

pub(crate) fn tool() -> Value {
    json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") })
}
