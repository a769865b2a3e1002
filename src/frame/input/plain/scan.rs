//! A fast look at a file that seems plain: is it UTF-8 with well-formed quotes, and how many
//! records does it have?

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memchr3_iter, memrchr};

use crate::error::Error;
use crate::frame::input::plain::encoding::no_text;
use crate::frame::input::plain::records::{MOST_BYTES, MOST_LINE_ENDS, too_long};

const CHUNK: usize = 256 << 10;

/// Bytes at the end of a chunk that are looked at with the next one, so that each byte has two
/// neighbours behind it.
const AHEAD: usize = 2;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Polars reads the file right.
    Plain {
        /// Records, with the header.
        records: u64,
        /// A last line without line end that has too few fields: its number and its fields.
        cut_off: Option<(u64, usize)>,
    },
    /// The file is not UTF-8.
    OtherEncoding,
    /// A quote is not well-formed, a record with quotes has the wrong number of fields, or a line is
    /// blank.
    Doubtful,
}

/// Looks at all of `file`, from byte `start` on. Its records should have `width` fields.
///
/// # Errors
/// It cannot be read, it has NUL bytes, or a line is longer than a record may be.
pub fn scan(
    file: &Path,
    place: &Path,
    start: u64,
    separator: u8,
    width: usize,
) -> Result<Verdict, Error> {
    let reading = || Error::io(place, "read the input");
    let mut source = File::open(file).map_err(reading())?;
    source.seek(SeekFrom::Start(start)).map_err(reading())?;
    let mut state = Scan::new(separator, width);
    let mut buffer = vec![0; CHUNK];
    let mut kept = 0;
    loop {
        let (filled, ended) = fill(&mut source, &mut buffer, kept).map_err(reading())?;
        let bytes = buffer.get(..filled).unwrap_or_default();
        let mut ready = if ended { filled } else { filled.saturating_sub(AHEAD) };
        let piece = bytes.get(..ready).unwrap_or_default();
        if simdutf8::basic::from_utf8(piece).is_err() {
            match simdutf8::compat::from_utf8(piece) {
                Err(error) if error.error_len().is_some() || ended => {
                    return Ok(Verdict::OtherEncoding);
                }
                Err(error) => ready = error.valid_up_to(),
                Ok(_) => {}
            }
        }
        let (piece, ahead) = bytes.split_at_checked(ready).unwrap_or_default();
        if memchr(0, piece).is_some() {
            return Err(no_text(place));
        }
        if state.measure(piece) > MOST_BYTES {
            return Err(too_long(place, state.line));
        }
        if state.take(piece, ahead).is_none() {
            return Ok(Verdict::Doubtful);
        }
        if ended {
            return Ok(state.end());
        }
        buffer.copy_within(ready..filled, 0);
        kept = filled - ready;
    }
}

/// Reads until the buffer is full, after its first `kept` bytes: how full it is, and whether the
/// file ended.
fn fill(source: &mut File, buffer: &mut [u8], kept: usize) -> std::io::Result<(usize, bool)> {
    let mut filled = kept;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match source.read(room) {
            Ok(0) => return Ok((filled, true)),
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((filled, false))
}

struct Scan {
    separator: u8,
    width: usize,
    blank_lines: [Finder<'static>; 2],
    /// The byte before the piece.
    before: u8,
    line: u64,
    /// Bytes of the last line so far.
    length: usize,
    records: u64,
    /// Of the record so far: its fields, whether it has any letter, whether it spans lines.
    fields: usize,
    filled: bool,
    spans: bool,
    /// Inside a quoted field: its line ends so far.
    quoted: Option<u64>,
    /// The next quote is the second of a pair.
    paired: bool,
    /// The piece before had quotes.
    quotes_before: bool,
}

impl Scan {
    fn new(separator: u8, width: usize) -> Self {
        Self {
            separator,
            width,
            blank_lines: [Finder::new(b"\n\n"), Finder::new(b"\n\r\n")],
            before: b'\n',
            line: 1,
            length: 0,
            records: 0,
            fields: 1,
            filled: false,
            spans: false,
            quoted: None,
            paired: false,
            quotes_before: false,
        }
    }

    /// The length of the line that was begun before a piece, as far as it is known. Other lines are
    /// shorter than a piece.
    fn measure(&mut self, piece: &[u8]) -> usize {
        let ends = memchr(b'\n', piece).zip(memrchr(b'\n', piece));
        let (first, begun) =
            ends.map_or((piece.len(), None), |(first, last)| (first, Some(piece.len() - last - 1)));
        let length = self.length + first;
        self.length = begun.unwrap_or(length);
        length
    }

    /// Looks at a piece, and at the bytes behind it. None when there is doubt.
    fn take(&mut self, piece: &[u8], ahead: &[u8]) -> Option<()> {
        let Some(last) = piece.last() else { return Some(()) };
        let quotes = self.quoted.is_some() || memchr(b'"', piece).is_some();
        if quotes || self.blank_lines.iter().any(|finder| finder.find(piece).is_some()) {
            self.with_quotes(piece, ahead)?;
        } else {
            self.without_quotes(piece)?;
        }
        self.quotes_before = quotes;
        self.before = *last;
        Some(())
    }

    /// A piece without quotes and, but for its first line, without blank lines.
    fn without_quotes(&mut self, piece: &[u8]) -> Option<()> {
        let mut rest = piece;
        if let Some((first, last)) = memchr(b'\n', piece).zip(memrchr(b'\n', piece)) {
            let ends = memchr_iter(b'\n', piece).count() as u64;
            let end = piece.get(..first)?;
            // Polars takes a blank line for a row.
            if !self.filled && is_blank(end) {
                return None;
            }
            if self.quotes_before {
                self.fields += memchr_iter(self.separator, end).count();
                self.fits()?;
            }
            self.records += ends;
            self.line += ends;
            self.start_record();
            rest = piece.get(last + 1..).unwrap_or_default();
        }
        self.fields += memchr_iter(self.separator, rest).count();
        self.filled |= !is_blank(rest);
        Some(())
    }

    /// None if a record has too many fields, or it spans lines and has too few.
    fn fits(&self) -> Option<()> {
        let wrong = self.fields > self.width || self.spans && self.fields < self.width;
        (!wrong).then_some(())
    }

    fn with_quotes(&mut self, piece: &[u8], ahead: &[u8]) -> Option<()> {
        let at =
            |index: usize| piece.get(index).or_else(|| ahead.get(index - piece.len())).copied();
        let mut from = 0;
        for index in memchr3_iter(b'"', b'\n', self.separator, piece) {
            let byte = *piece.get(index)?;
            match (self.quoted, byte) {
                (Some(_), b'"') if self.paired => self.paired = false,
                (Some(_), b'"') => match at(index + 1) {
                    Some(b'"') => self.paired = true,
                    None | Some(b'\n') => self.quoted = None,
                    Some(b'\r') if matches!(at(index + 2), None | Some(b'\n')) => {
                        self.quoted = None;
                    }
                    Some(next) if next == self.separator => self.quoted = None,
                    Some(_) => return None,
                },
                (Some(ends), b'\n') => {
                    self.line += 1;
                    self.spans = true;
                    self.quoted = Some(ends + 1);
                    if ends >= MOST_LINE_ENDS {
                        return None;
                    }
                }
                (Some(_), _) => {}
                (None, b'"') => {
                    let before = match index.checked_sub(1) {
                        Some(previous) => *piece.get(previous)?,
                        None => self.before,
                    };
                    if before != self.separator && before != b'\n' {
                        return None;
                    }
                    self.quoted = Some(0);
                    self.filled = true;
                }
                (None, b'\n') => {
                    if !self.filled && is_blank(piece.get(from..index)?) {
                        return None;
                    }
                    self.fits()?;
                    self.records += 1;
                    self.line += 1;
                    self.start_record();
                    from = index + 1;
                }
                (None, _) => self.fields += 1,
            }
        }
        self.filled |= !is_blank(piece.get(from..)?);
        Some(())
    }

    fn start_record(&mut self) {
        self.fields = 1;
        self.filled = false;
        self.spans = false;
    }

    fn end(&self) -> Verdict {
        let wrong = self.spans && self.fields != self.width;
        if self.quoted.is_some() || wrong {
            return Verdict::Doubtful;
        }
        let cut_off = (self.filled && self.fields < self.width).then_some((self.line, self.fields));
        Verdict::Plain { records: self.records + u64::from(self.filled), cut_off }
    }
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, [] | [b'\r'])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::frame::input::plain::records::{Record, Records, Rules};

    fn verdict(text: &[u8]) -> Verdict {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        scan(file.path(), file.path(), 0, b',', 2).unwrap()
    }

    /// As [`Verdict`], by the record reader.
    fn slow(text: &[u8]) -> Verdict {
        let mut records = Records::new(text, b',', Rules::Doubled, 1);
        let mut record = Record::default();
        let (mut count, mut cut_off, quotes) = (0, None, text.contains(&b'"'));
        let (mut next_line, mut ends) = (1, 0);
        while records.read(&mut record).unwrap() {
            count += 1;
            if record.line != next_line {
                return Verdict::Doubtful;
            }
            ends += record.line_ends + u64::from(record.terminated);
            next_line = 1 + ends;
            let wrong = record.len() > 2 && quotes && record.terminated
                || record.line_ends > 0 && record.len() != 2;
            if record.irregular.is_some() || record.long.is_some() || wrong {
                return Verdict::Doubtful;
            }
            if !record.terminated && record.len() < 2 {
                cut_off = Some((record.line, record.len()));
            }
        }
        let blank_at_the_end = ends < memchr_iter(b'\n', text).count() as u64;
        if blank_at_the_end {
            Verdict::Doubtful
        } else {
            Verdict::Plain { records: count, cut_off }
        }
    }

    #[test]
    fn as_the_record_reader() {
        let mut seed = 3_u64;
        for _ in 0..3_000 {
            let mut text = Vec::new();
            for _ in 0..(seed >> 40) % 12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let pieces = ["ab", ",", "\"x\"", "\n", "\"", "\"\n\"", "\n", "c,d\n"];
                text.extend(pieces[(seed >> 33) as usize % pieces.len()].as_bytes());
            }
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(11);
            assert_eq!(verdict(&text), slow(&text), "{:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn chunk_borders() {
        for shift in 0..12 {
            let text = |rest: &str| [&vec![b'x'; CHUNK - 8 + shift], rest.as_bytes()].concat();
            let quoted = text(",\"ş\"\"\nş\"\r\nş,\"ğ\"");
            assert_eq!(verdict(&quoted), Verdict::Plain { records: 2, cut_off: None }, "{shift}");
            for blank in ["ş,x\r\n\r\na,b\n", "ş,x\n\na,b\n", "ş,x\na,b\n\n"] {
                assert_eq!(verdict(&text(blank)), Verdict::Doubtful, "{shift} {blank:?}");
            }
            let mut text = text("ş\r\na,b\nğ");
            let cut_off = Some((3, 1));
            assert_eq!(verdict(&text), Verdict::Plain { records: 3, cut_off }, "{shift}");
            text.push(0xc5);
            assert_eq!(verdict(&text), Verdict::OtherEncoding);
        }
    }
}
