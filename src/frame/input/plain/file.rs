//! What is said about a file, and what a plain file is.

use std::path::PathBuf;

use crate::frame::input::plain::scratch::Scratch;

/// What the user said about a file.
#[derive(Debug, Clone, Copy)]
pub struct Hints<'a> {
    /// `auto` or one character.
    pub separator: &'a str,
    /// `auto` or the label of an encoding.
    pub encoding: &'a str,
    /// The name of a worksheet.
    pub sheet: Option<&'a str>,
    /// Names that the caller needs; empty if nobody has described the file.
    pub columns: &'a [String],
    /// Those of them in which every byte must be valid text.
    pub vital: &'a [String],
}

/// A plain file.
#[derive(Debug)]
pub struct Plain {
    /// What to read: the file itself or the copy.
    pub path: PathBuf,
    /// Deletes the copy when dropped.
    pub copy: Option<Scratch>,
    /// The separator.
    pub separator: u8,
    /// Rows of data, counted apart from the reader. Blank lines are none.
    pub records: u64,
    /// What the user should know.
    pub remarks: Vec<Remark>,
}

/// Something that the user should know about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// It was decoded from an encoding that nobody named.
    Encoding {
        /// The encoding.
        name: &'static str,
    },
    /// Bytes that are no text were replaced by U+FFFD.
    StrayBytes {
        /// How many.
        count: u64,
        /// The line of the first.
        first_line: u64,
        /// The columns that have some.
        columns: Vec<String>,
    },
    /// Titles, comments and blank lines before the header were passed over.
    LinesBeforeHeader {
        /// How many lines.
        lines: u64,
    },
    /// One worksheet of several was read.
    Sheet {
        /// Its name.
        name: String,
        /// The other ones.
        others: Vec<String>,
    },
    /// Quotes are not well-formed, and were read as pandas does.
    Quotes {
        /// The first such line.
        line: u64,
    },
    /// The last line ends early.
    CutOff {
        /// Its number.
        line: u64,
        /// Its fields.
        fields: usize,
        /// The fields of the header.
        expected: usize,
    },
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Parquet.
    Parquet,
    /// Text, it seems.
    Text,
    /// A compressed file or an archive.
    Packed,
    /// An Excel workbook (.xlsx).
    Workbook,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// A zip archive.
    Zip,
}
