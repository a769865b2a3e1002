//! Files wherever they lie: read, fingerprinted, written whole or not at all.

pub mod atomic;
pub mod fingerprint;
pub mod interrupt;
pub mod object_store;
