//! How JSON files are laid out: readable and small.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use crate::error::Error;

/// One key per line; an array of numbers is one line, and so is each object of an array: a
/// covariance matrix and a table stay readable and small.
///
/// # Errors
/// [`Error::Io`] never for our documents; a map with keys that are not text would fail.
pub(crate) fn text(document: &impl Serialize) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut bytes, OneLinePerItem::default());
    document.serialize(&mut serializer).map_err(|e| Error::Io {
        path: "model.json or run.json".into(),
        action: "serialise",
        source: e.into(),
    })?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// See [`text`].
#[derive(Default)]
struct OneLinePerItem {
    depth: usize,
    arrays: usize,
}

impl OneLinePerItem {
    fn new_line<W: io::Write + ?Sized>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for OneLinePerItem {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.arrays += 1;
        writer.write_all(b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.arrays -= 1;
        writer.write_all(b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.arrays == 1 {
            self.new_line(writer)?;
        }
        self.depth += 1;
        writer.write_all(b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.arrays == 0 {
            self.new_line(writer)?;
        }
        writer.write_all(b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        match self.arrays {
            0 => self.new_line(writer),
            _ if first => Ok(()),
            _ => writer.write_all(b" "),
        }
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
