//! Access to files, local or in an object store: copies, fingerprints, and writes that are whole or
//! not made at all.
//!
//! # Layout
//! * [`atomic`]: writes a file whole or not at all. [`lock`]: one writer at a time.
//! * [`ownership`]: whose a file is. [`rights`]: who may read it. [`bounded`]: reads of a limited size.
//! * [`fingerprint`]: size and SHA-256 of files, and whether an input changed while it was read.
//! * [`interrupt`]: what to remove when the program is interrupted.
//! * [`object_store`]: input and output in object stores, through `transfer`.
//! * [`stdin`]: standard input as a file.

pub mod atomic;
pub mod bounded;
pub mod fingerprint;
pub mod interrupt;
pub mod lock;
pub mod object_store;
pub mod ownership;
pub mod rights;
pub mod stdin;
mod transfer;
