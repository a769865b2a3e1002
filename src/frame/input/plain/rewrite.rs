//! Writes a plain copy of a text, and refuses what a copy would lose.

use std::fs::File;
use std::path::Path;

use memchr::memmem;

use crate::error::Error;
use crate::frame::input::plain::encoding::{Charset, Decoded, no_text};
use crate::frame::input::plain::file::{Hints, Remark};
use crate::frame::input::plain::header::{Layout, same, trimmed};
use crate::frame::input::plain::records::{Record, Records, Rules, too_long};
use crate::frame::input::plain::scratch::{Scratch, scratch};
use crate::safe_text::printable::shown;

/// A copy, and what was found on the way.
pub struct Copied {
    /// The copy.
    pub path: Scratch,
    /// Its records.
    pub records: u64,
    /// What the user should know.
    pub remarks: Vec<Remark>,
}

/// A text to copy.
pub struct Source<'a> {
    /// The file.
    pub file: &'a Path,
    /// The file that errors name.
    pub place: &'a Path,
    /// Its encoding.
    pub charset: &'a Charset,
    /// Whether its lines end with CR.
    pub returns: bool,
    /// Where its table starts.
    pub layout: &'a Layout,
}

/// Copies a text. Where quotes are not well-formed and backslashes stand before some, both ways to
/// write a quote are tried.
///
/// # Errors
/// Reading or writing failed, or a row would be lost or misread.
pub fn copy(source: &Source<'_>, hints: &Hints<'_>) -> Result<Copied, Error> {
    let first = attempt(source, hints, Rules::Doubled)?;
    if first.backslashes && (first.outcome.is_err() || first.spans) {
        let second = attempt(source, hints, Rules::Backslash)?;
        if second.exact && second.outcome.is_ok() {
            return second.outcome;
        }
    }
    first.outcome
}

struct Attempt {
    outcome: Result<Copied, Error>,
    /// A quoted field had a backslash before a quote.
    backslashes: bool,
    /// A record had line ends inside.
    spans: bool,
    /// Every record had the right number of fields.
    exact: bool,
}

/// Reads by `rules`. An outer error is of reading or writing, an inner one of the text.
fn attempt(source: &Source<'_>, hints: &Hints<'_>, rules: Rules) -> Result<Attempt, Error> {
    let Source { file, place, charset, returns, layout } = *source;
    let reading = || Error::io(place, "read the input");
    let mut input = Decoded::open(file, charset, returns).map_err(reading())?;
    input.skip(layout.start).map_err(reading())?;
    let records = Records::new(input, layout.separator, rules, layout.line);
    let (target, path) = scratch()?;
    let names = layout.names.iter().map(|name| plain_name(name, hints.columns)).collect();
    let mut copier = Copier {
        place,
        hints,
        names,
        width: layout.names.len(),
        writer: Output::new(target),
        count: 0,
        irregular: None,
        cut_off: None,
        stray: Stray::default(),
        spans: false,
        exact: true,
    };
    let (mut records, mut record) = (records, Record::default());
    let mut fault = None;
    let mut header = true;
    while fault.is_none() && records.read(&mut record).map_err(reading())? {
        let stray = records.input().replaced > 0;
        fault = match copier.take(&record, header, stray) {
            Ok(()) => None,
            Err(error @ Error::Io { .. }) => return Err(error),
            Err(error) => Some(error),
        };
        header = false;
    }
    if records.input().nul {
        return Err(no_text(place));
    }
    let backslashes = records.backslash_quote;
    let replaced = records.input().replaced;
    let (spans, exact) = (copier.spans, copier.exact);
    let outcome = match fault {
        Some(error) => Err(error),
        None => Ok(copier.finish(path, replaced)?),
    };
    Ok(Attempt { outcome, backslashes, spans, exact })
}

/// A name without blanks around it, or as the caller writes it.
pub fn plain_name(name: &str, columns: &[String]) -> String {
    let wanted = columns.iter().find(|wanted| *wanted == name);
    let wanted = wanted.or_else(|| columns.iter().find(|wanted| same(wanted, name)));
    wanted.map_or_else(|| trimmed(name).to_owned(), Clone::clone)
}

/// A csv file being written.
pub struct Output(csv::Writer<File>);

impl Output {
    /// Writes to `file`.
    pub fn new(file: File) -> Self {
        Self(csv::WriterBuilder::new().flexible(true).buffer_capacity(1 << 18).from_writer(file))
    }

    /// Writes a field.
    pub fn field(&mut self, field: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.write_field(field).map_err(failed)
    }

    /// Ends a record.
    pub fn end(&mut self) -> Result<(), Error> {
        self.0.write_record(None::<&[u8]>).map_err(failed)
    }

    /// Writes what remains.
    pub fn finish(mut self) -> Result<(), Error> {
        self.0.flush().map_err(Error::io(&std::env::temp_dir(), "write a copy of the input"))
    }
}

fn failed(error: csv::Error) -> Error {
    let cause = match error.into_kind() {
        csv::ErrorKind::Io(cause) => cause,
        other => std::io::Error::other(format!("{other:?}")),
    };
    Error::io(&std::env::temp_dir(), "write a copy of the input")(cause)
}

/// Where something could not be decoded.
#[derive(Default)]
struct Stray {
    line: Option<u64>,
    columns: Vec<usize>,
}

struct Copier<'a> {
    place: &'a Path,
    hints: &'a Hints<'a>,
    names: Vec<String>,
    width: usize,
    writer: Output,
    count: u64,
    irregular: Option<u64>,
    cut_off: Option<Remark>,
    stray: Stray,
    spans: bool,
    exact: bool,
}

impl Copier<'_> {
    fn take(&mut self, record: &Record, header: bool, stray: bool) -> Result<(), Error> {
        self.spans |= record.line_ends > 0;
        self.irregular = self.irregular.or(record.irregular);
        self.check(record)?;
        if stray {
            self.look_for_stray(record)?;
        }
        if header {
            for name in &self.names {
                self.writer.field(name)?;
            }
            return self.writer.end();
        }
        for field in record.fields() {
            self.writer.field(field)?;
        }
        for _ in record.len()..self.width {
            self.writer.field("")?;
        }
        self.count += 1;
        self.writer.end()
    }

    fn refuse(&self, fault: String) -> Result<(), Error> {
        Err(Error::input(self.place.display(), fault))
    }

    fn check(&mut self, record: &Record) -> Result<(), Error> {
        let (line, fields, width) = (record.line, record.len(), self.width);
        if let Some(long) = record.long {
            let opens = long.opens;
            return self.refuse(match long.closes {
                Some(lines) => format!(
                    "the quote that opens in line {opens} closes {lines} lines later: remove it, \
                     or write \"\" for a quote inside a text"
                ),
                None => format!(
                    "the quote that opens in line {opens} is never closed: is the file cut off? Else \
                     close or remove it, or write \"\" for a quote inside a text"
                ),
            });
        }
        if record.oversized {
            return Err(too_long(self.place, line));
        }
        if fields == width {
            return Ok(());
        }
        self.exact = false;
        let last = line + record.line_ends;
        let place = match record.line_ends {
            0 => format!("line {line} has {fields} fields"),
            _ => format!("the row in lines {line} to {last} has {fields} fields"),
        };
        let remedy = match (self.irregular, record.line_ends) {
            (Some(odd), _) => {
                format!("is a quote not closed, or not doubled? The first odd one is in line {odd}")
            }
            (None, 1..) => "is a quote not closed, or one too many?".to_owned(),
            (None, 0) => "is a text that contains the separator unquoted?".to_owned(),
        };
        let fault = format!("{place}, the header {width}: {remedy}");
        if fields > width || record.line_ends > 0 {
            return self.refuse(fault);
        }
        if !record.terminated {
            self.cut_off = Some(Remark::CutOff { line, fields, expected: width });
            return Ok(());
        }
        if self.irregular.is_some() { self.refuse(fault) } else { Ok(()) }
    }

    fn look_for_stray(&mut self, record: &Record) -> Result<(), Error> {
        let mut line = record.line;
        for (column, field) in record.fields().enumerate() {
            if let Some(at) = memmem::find(field, "\u{fffd}".as_bytes()) {
                let ends = field.get(..at).unwrap_or_default().iter().filter(|b| **b == b'\n');
                let here = line + ends.count() as u64;
                self.stray.line.get_or_insert(here);
                let name = self.names.get(column).map_or("", String::as_str);
                if self.hints.vital.iter().any(|wanted| wanted == name) {
                    return self.refuse(format!(
                        "line {here}, column {}: a byte is not text in the encoding that was \
                         assumed: name the right one in input.encoding, for example \
                         \"windows-1254\", or correct the value",
                        shown(name)
                    ));
                }
                if !self.stray.columns.contains(&column) {
                    self.stray.columns.push(column);
                }
            }
            line += field.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        Ok(())
    }

    fn finish(self, path: Scratch, replaced: u64) -> Result<Copied, Error> {
        self.writer.finish()?;
        let mut remarks = Vec::new();
        if replaced > 0 {
            let name = |column: &usize| self.names.get(*column).cloned();
            remarks.push(Remark::StrayBytes {
                count: replaced,
                first_line: self.stray.line.unwrap_or(1),
                columns: self.stray.columns.iter().filter_map(name).collect(),
            });
        }
        remarks.extend(self.irregular.map(|line| Remark::Quotes { line }));
        remarks.extend(self.cut_off);
        Ok(Copied { path, records: self.count, remarks })
    }
}
