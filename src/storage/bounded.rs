//! Reads small files, and not more than a stated size of them: a path may lead to a file without an
//! end, such as /dev/zero.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Most bytes of a pipeline file, a model or a pointer to one.
pub const SMALL: u64 = 16 << 20;
/// Most bytes of run.json and figures.json.
pub const LARGE: u64 = 256 << 20;

/// The bytes of a file.
///
/// # Errors
/// Any of the system's, and one for a file with more than `most` bytes.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {} MiB, so it is no such file", most >> 20),
        )),
        false => Ok(bytes),
    }
}
