//! The output folder of a command: locked for one writer, and exchanged whole or not at all.
//!
//! # Layout
//! * [`target`]: the locked output folder. [`lock`]: the lock for one writer at a time.
//! * [`staging`]: the hidden folder that files are written to, and how it is put into place.
//! * [`mod@exchange`]: the exchange of the two folders. [`recovery`]: what is done after a killed run.
//! * [`kind`]: which files belong to which command. [`hidden`]: names of hidden files and folders.

pub mod exchange;
pub mod hidden;
pub mod kind;
pub mod lock;
pub mod recovery;
pub mod staging;
pub mod target;
