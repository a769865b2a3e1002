//! Text that comes from outside, made safe for where it is shown.
//!
//! # Layout
//! * [`printable`]: for terminals, log lines and pages.
//! * [`redacted`]: URLs without passwords and signatures.
//! * [`spreadsheet`]: cells of a CSV file.

pub mod printable;
pub mod redacted;
pub mod spreadsheet;
