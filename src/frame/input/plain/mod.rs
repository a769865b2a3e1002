//! Makes any export a plain CSV file: UTF-8, well-formed quotes, the header in line 1. A file that
//! is plain already is read in place; of any other a copy is made.
//!
//! # Layout
//! * `file`: what is said about a file, and what a plain file is. `kind`: what a file is.
//! * `archive`: gzip, Zstandard and zip. `zipped`: zip archives and workbooks told apart.
//! * `workbook`: Excel. `encoding`: from bytes to UTF-8.
//! * `header`: the separator and the line with the names. `scan`: whether a text is plain.
//! * `records`: the records of any text. `rewrite`: the plain copy. `scratch`: temporary files.

mod archive;
mod encoding;
mod file;
mod header;
mod kind;
mod records;
mod rewrite;
mod scan;
mod scratch;
#[cfg(test)]
mod tests;
mod workbook;
mod zipped;

use std::fs::File;
use std::path::Path;

use crate::error::Error;
use crate::frame::input::plain::encoding::{Charset, Decoded};
use crate::frame::input::plain::scan::Verdict;

pub use crate::frame::input::plain::file::{Hints, Kind, Plain, Remark};
pub use crate::frame::input::plain::kind::kind_of;
pub use crate::frame::input::plain::scratch::Scratch;

/// Bytes at the start of a text in which its header is looked for.
const HEAD: usize = 1 << 20;

/// Looks at a data file that is not Parquet, and makes a plain copy if it is not plain itself.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read without a doubt; [`Error::Io`] when reading it or
/// writing the copy fails.
pub fn plain(file: &Path, hints: &Hints<'_>) -> Result<Plain, Error> {
    match kind_of(file)? {
        Kind::Parquet => Err(Error::input(file.display(), "a Parquet file is no text")),
        Kind::Workbook => workbook::read(file, hints, workbook::LIMITS),
        Kind::Text => text(file, file, hints),
        Kind::Packed => {
            let Some(packing) = kind::packing(file, file)? else {
                return text(file, file, hints);
            };
            let unpacked = archive::unpack(file, packing, archive::DATA)?;
            let plain = text(&unpacked, file, hints)?;
            let copy = plain.copy.or(Some(unpacked));
            Ok(Plain { copy, ..plain })
        }
    }
}

/// Why a text that is read in place cannot be read, found by reading it record by record. Returns
/// `None` when nothing is wrong with its records.
pub fn fault(file: &Path, hints: &Hints<'_>) -> Option<Error> {
    let head = raw_head(file, file).ok()?;
    let found = encoding::charset(file, &head, hints.encoding).ok()?;
    let Start { layout, returns } = Start::of(file, file, &found, hints).ok()?;
    let source = rewrite::Source { file, place: file, charset: &found, returns, layout: &layout };
    rewrite::copy(&source, hints).err()
}

/// As [`plain`], of a text; errors name `place`.
fn text(file: &Path, place: &Path, hints: &Hints<'_>) -> Result<Plain, Error> {
    let head = raw_head(file, place)?;
    let mut found = encoding::charset(place, &head, hints.encoding)?;
    if found.guessed && !encoding::begins_as_utf8(&head) {
        found = encoding::survey(file, place, found)?;
    }
    let start = Start::of(file, place, &found, hints)?;
    let guess = start.layout;
    if found.is_utf8() && !start.returns && guess.is_plain(hints.columns) {
        let (separator, width) = (guess.separator, guess.names.len());
        if let Verdict::Plain { records, cut_off } =
            scan::scan(file, place, found.mark, separator, width)?
        {
            let cut_off =
                cut_off.map(|(line, fields)| Remark::CutOff { line, fields, expected: width });
            return Ok(Plain {
                path: file.to_owned(),
                copy: None,
                separator,
                records: records.saturating_sub(1),
                remarks: cut_off.into_iter().collect(),
            });
        }
    }
    let charset = encoding::survey(file, place, found)?;
    let Start { layout, returns } = Start::of(file, place, &charset, hints)?;
    let source = rewrite::Source { file, place, charset: &charset, returns, layout: &layout };
    let copied = rewrite::copy(&source, hints)?;
    let mut remarks = Vec::new();
    if charset.found {
        remarks.push(Remark::Encoding { name: charset.encoding.name() });
    }
    if layout.skipped > 0 {
        remarks.push(Remark::LinesBeforeHeader { lines: layout.skipped });
    }
    remarks.extend(copied.remarks);
    Ok(Plain {
        path: copied.path.to_path_buf(),
        copy: Some(copied.path),
        separator: b',',
        records: copied.records,
        remarks,
    })
}

/// The start of a text.
struct Start {
    layout: header::Layout,
    /// Whether its lines end with CR.
    returns: bool,
}

impl Start {
    fn of(file: &Path, place: &Path, charset: &Charset, hints: &Hints<'_>) -> Result<Self, Error> {
        let mut head = Decoded::open(file, charset, false)
            .and_then(|text| text.head(HEAD))
            .map_err(Error::io(place, "read the input"))?;
        if memchr::memchr(0, &head).is_some() {
            return Err(encoding::no_text(place));
        }
        let returns =
            memchr::memchr(b'\n', &head).is_none() && memchr::memchr(b'\r', &head).is_some();
        if returns {
            head.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        let whole = head.len() < HEAD;
        let layout = header::find(place, &head, whole, hints)?;
        if !whole && memchr::memchr(b'\n', &head).is_none() {
            return Err(records::too_long(place, 1));
        }
        Ok(Self { layout, returns })
    }
}

fn raw_head(file: &Path, place: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read;
    let mut head = Vec::new();
    File::open(file)
        .and_then(|open| open.take(HEAD as u64).read_to_end(&mut head))
        .map_err(Error::io(place, "open the input"))?;
    Ok(head)
}
