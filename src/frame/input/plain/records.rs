//! Splits text into records and fields, leniently and as pandas does: a quote inside a bare field
//! is a letter, and text after a closing quote continues the field. Notes what was not well-formed.

use std::io::{BufRead, Result};
use std::path::Path;

use crate::error::Error;

/// Line ends that a quoted field may hold: more are a quote that was never meant to open.
pub const MOST_LINE_ENDS: u64 = 10;

/// Bytes and fields that a record may have: more are no table.
pub const MOST_BYTES: usize = 1 << 20;
const MOST_FIELDS: usize = 1 << 20;

/// The error for a record of more bytes.
pub fn too_long(place: &Path, line: u64) -> Error {
    Error::input(
        place.display(),
        format!(
            "line {line} has more than {} MiB, more than any row of a table: is a line end or a \
             quote missing, or is this no table?",
            MOST_BYTES >> 20
        ),
    )
}

/// How a quote is written inside a quoted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// `""`, as RFC 4180 says.
    Doubled,
    /// `\"` too, and `\\` is a backslash.
    Backslash,
}

/// A quoted field that is no text, but rows behind a quote that was never meant to open one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongField {
    /// The line where its quote opens.
    pub opens: u64,
    /// How many lines later the quote closes; none if it never does.
    pub closes: Option<u64>,
}

/// One record. Its buffers are used again for the next.
#[derive(Debug, Default)]
pub struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Where it starts, in bytes from the start of the text.
    pub offset: u64,
    /// The line where it starts.
    pub line: u64,
    /// Line ends inside its quoted fields.
    pub line_ends: u64,
    /// The line of its first quote that is not well-formed.
    pub irregular: Option<u64>,
    /// A quoted field of more than [`MOST_LINE_ENDS`] line ends (its text is not kept), of
    /// several lines with text after the closing quote, or without a closing quote.
    pub long: Option<LongField>,
    /// Whether a line end closed it.
    pub terminated: bool,
    /// Whether it was too large to keep.
    pub oversized: bool,
}

impl Record {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The fields.
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.bytes.get(start..*end).unwrap_or_default())
    }

    fn clear(&mut self, offset: u64, line: u64) {
        let (mut bytes, mut ends) =
            (std::mem::take(&mut self.bytes), std::mem::take(&mut self.ends));
        bytes.clear();
        ends.clear();
        *self = Self { bytes, ends, offset, line, ..Self::default() };
    }

    fn push(&mut self, byte: u8) {
        if self.bytes.len() < MOST_BYTES {
            self.bytes.push(byte);
        } else {
            self.oversized = true;
        }
    }

    fn end_field(&mut self) {
        if self.ends.len() < MOST_FIELDS {
            self.ends.push(self.bytes.len());
        } else {
            self.oversized = true;
        }
    }

    /// Ends the last field; a CR before the line end is no part of it.
    fn end_bare(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        if self.bytes.len() > start && self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        self.end_field();
    }

    fn mark(&mut self, line: u64) {
        self.irregular.get_or_insert(line);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Bare,
    Quoted,
    /// After a quote inside a quoted field.
    Quote,
    /// After a closing quote and a CR.
    QuoteReturn,
    /// After a backslash inside a quoted field.
    Escape,
}

/// Reads records one by one. Lines end with LF or CRLF.
pub struct Records<R> {
    input: R,
    separator: u8,
    rules: Rules,
    offset: u64,
    line: u64,
    /// Whether a quoted field had a backslash before a quote.
    pub backslash_quote: bool,
}

impl<R: BufRead> Records<R> {
    /// Reads `input`, whose first line has the number `line`.
    pub fn new(input: R, separator: u8, rules: Rules, line: u64) -> Self {
        Self { input, separator, rules, offset: 0, line, backslash_quote: false }
    }

    /// The text that is read.
    pub fn input(&self) -> &R {
        &self.input
    }

    /// Reads the next record, passing over blank lines; false at the end.
    pub fn read(&mut self, record: &mut Record) -> Result<bool> {
        loop {
            record.clear(self.offset, self.line);
            let mut open = None;
            if !self.one(record, &mut open)? {
                return Ok(false);
            }
            let blank = record.ends.len() == 1 && record.bytes.is_empty() && open.is_none();
            if !blank {
                return Ok(true);
            }
        }
    }

    /// One line or, with quotes, several. `open` is the line where the last quote opened.
    fn one(&mut self, record: &mut Record, open: &mut Option<u64>) -> Result<bool> {
        let mut state = State::Start;
        let mut span = 0_u64;
        let mut after_backslash = false;
        let mut any = false;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            any = true;
            let mut used = 0;
            let mut done = false;
            for &byte in buffer {
                used += 1;
                match state {
                    State::Start | State::Bare => {
                        if byte == self.separator {
                            record.end_field();
                            state = State::Start;
                        } else if byte == b'\n' {
                            record.end_bare();
                            self.line += 1;
                            done = true;
                            break;
                        } else if byte == b'"' && state == State::Start {
                            state = State::Quoted;
                            *open = Some(self.line);
                            span = 0;
                            after_backslash = false;
                        } else {
                            if byte == b'"' {
                                record.mark(self.line);
                            }
                            record.push(byte);
                            state = State::Bare;
                        }
                    }
                    State::Quoted => {
                        if byte == b'"' {
                            self.backslash_quote |= after_backslash;
                            state = State::Quote;
                        } else if byte == b'\\' && self.rules == Rules::Backslash {
                            state = State::Escape;
                        } else {
                            if byte == b'\n' {
                                self.line += 1;
                                record.line_ends += 1;
                                span += 1;
                            }
                            if span <= MOST_LINE_ENDS {
                                record.push(byte);
                            }
                        }
                        after_backslash = byte == b'\\';
                    }
                    State::Escape => {
                        if byte == b'"' {
                            self.backslash_quote = true;
                        } else if byte != b'\\' {
                            record.push(b'\\');
                        }
                        if byte == b'\n' {
                            self.line += 1;
                            record.line_ends += 1;
                            span += 1;
                        }
                        record.push(byte);
                        state = State::Quoted;
                    }
                    State::Quote | State::QuoteReturn => {
                        if state == State::Quote && byte == b'"' {
                            if span <= MOST_LINE_ENDS {
                                record.push(b'"');
                            }
                            state = State::Quoted;
                            continue;
                        }
                        let closes = byte == b'\n'
                            || state == State::Quote && (byte == self.separator || byte == b'\r');
                        if span > MOST_LINE_ENDS || span > 0 && !closes {
                            let opens = open.unwrap_or(record.line);
                            let long = LongField { opens, closes: Some(span) };
                            record.long.get_or_insert(long);
                        }
                        if state == State::Quote && byte == self.separator {
                            record.end_field();
                            state = State::Start;
                        } else if byte == b'\n' {
                            record.end_field();
                            self.line += 1;
                            done = true;
                            break;
                        } else if state == State::Quote && byte == b'\r' {
                            state = State::QuoteReturn;
                        } else {
                            record.mark(self.line);
                            if state == State::QuoteReturn {
                                record.push(b'\r');
                            }
                            if byte == self.separator {
                                record.end_field();
                                state = State::Start;
                            } else {
                                record.push(byte);
                                state = State::Bare;
                            }
                        }
                    }
                }
            }
            self.input.consume(used);
            self.offset += used as u64;
            if done {
                record.terminated = true;
                return Ok(true);
            }
        }
        match state {
            State::Start | State::Bare => record.end_bare(),
            State::Quote | State::QuoteReturn => record.end_field(),
            State::Quoted | State::Escape => {
                record.mark(open.unwrap_or(record.line));
                let opens = open.unwrap_or(record.line);
                record.long.get_or_insert(LongField { opens, closes: None });
                record.end_field();
            }
        }
        Ok(any)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn all(text: &str, rules: Rules) -> Vec<Vec<String>> {
        let mut records = Records::new(text.as_bytes(), b',', rules, 1);
        let mut record = Record::default();
        let mut found = Vec::new();
        while records.read(&mut record).unwrap() {
            found.push(record.fields().map(|f| String::from_utf8_lossy(f).into_owned()).collect());
        }
        found
    }

    /// The csv crate reads any text the same way.
    #[test]
    fn as_the_csv_crate() {
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(seed >> 40) % 14 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let pieces = ["a", ",", "\"", "\n", "\"", ",", "\r\n", "b"];
                text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(11);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            assert_eq!(all(&text, Rules::Doubled), theirs, "{text:?}");
        }
    }

    #[test]
    fn backslashes() {
        let text = "\"5\\\" x\",\"C:\\\\\",\"a\\b\"\n";
        assert_eq!(all(text, Rules::Backslash), [["5\" x", "C:\\", "a\\b"]]);
        assert_eq!(all("\"5\\\" x\",b\n", Rules::Doubled), [["5\\ x\"", "b"]]);
    }

    #[test]
    fn places() {
        let text = "a,b\r\n\r\n\"x\ny\",z\n\n1,\"2\" 3\n4,\"5";
        let mut records = Records::new(text.as_bytes(), b',', Rules::Doubled, 1);
        let mut record = Record::default();
        let mut seen = Vec::new();
        while records.read(&mut record).unwrap() {
            seen.push((record.line, record.offset, record.irregular, record.long));
        }
        let open = LongField { opens: 7, closes: None };
        assert_eq!(
            seen,
            [
                (1, 0, None, None),
                (3, 7, None, None),
                (6, 16, Some(6), None),
                (7, 24, Some(7), Some(open)),
            ]
        );
    }

    #[test]
    fn long_fields_are_not_kept() {
        let text = format!("a,\"{}\",b\n", "x\n".repeat(40));
        let mut records = Records::new(text.as_bytes(), b',', Rules::Doubled, 5);
        let mut record = Record::default();
        assert!(records.read(&mut record).unwrap());
        assert_eq!(record.long, Some(LongField { opens: 5, closes: Some(40) }));
        assert!(record.bytes.len() < 30);
        assert_eq!(record.len(), 3);
    }
}
