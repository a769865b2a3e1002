//! The output folder of a command: locked for one writer, and exchanged whole or not at all.
//!
//! # Layout
//! * [`target`]: the locked output folder. [`refusal`]: folders that no command writes to.
//! * [`staging`]: the hidden folder that files are written to, and how it is put into place.
//! * [`mod@exchange`]: the exchange of the two folders; [`others`]: what others keep there.
//!   [`mod@rename`]: files renamed one by one. [`disk`]: the system's calls of both.
//! * [`recovery`]: what is done after a killed run. [`leftovers`]: how a folder is cleared away.
//! * [`kind`]: which files belong to which command. [`hidden`]: names of hidden files and folders.

pub mod disk;
pub mod exchange;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod faults;
pub mod hidden;
pub mod kind;
pub mod leftovers;
pub mod others;
pub mod recovery;
pub mod refusal;
pub mod rename;
pub mod staging;
pub mod target;
