//! Loads the input files as one lazy frame with the needed columns. CSV columns stay text, so that
//! a bad value can be shown as it is in the file; schemas are checked before any row is read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use crate::error::{Error, nearest};
use crate::frame::columns::{FILE, ROW};
use crate::frame::doubts::lines::currency_column;
use crate::frame::input::pages;
use crate::settings::Settings;

/// Bytes at the start of a file that are read to find its header.
const HEAD_BYTES: u64 = 1 << 20;

/// The input as one lazy frame, and the files it came from.
pub struct Loaded {
    /// File and row number, then the needed columns in the order of [`Settings::input_columns`].
    pub frame: LazyFrame,
    /// The files, in reading order.
    pub files: Vec<PathBuf>,
    /// The column that names the currency of each row, in a frame of its own, if there is one.
    pub currencies: Option<(LazyFrame, String)>,
}

/// Finds the files at `path`, checks their schemas and plans the scan.
///
/// # Errors
/// [`Error::Input`] when there is no such file, it is empty, or columns are missing;
/// [`Error::Io`] when it cannot be read.
pub fn load(settings: &Settings, path: &str) -> Result<Loaded, Error> {
    let files = find_files(path)?;
    let wanted = Wanted { names: settings.input_columns(), rest: settings.compares_whole_lines() };
    together(path, files, &settings.input.separator, &wanted)
}

/// As [`load`], for an input that nobody has described: all columns of its first file, and their
/// names.
///
/// # Errors
/// As [`load`].
pub fn load_whole(path: &str, separator: &str) -> Result<(Loaded, Vec<String>), Error> {
    let files = find_files(path)?;
    let (_, schema) = open(&files[0], separator)?;
    let names = schema.iter_names().map(ToString::to_string).filter(|name| name != ROW);
    let wanted = Wanted { names: names.collect(), rest: false };
    Ok((together(path, files, separator, &wanted)?, wanted.names))
}

/// Which columns of a file are read.
struct Wanted {
    /// Columns that must be present.
    names: Vec<String>,
    /// Whether all other columns are read too.
    rest: bool,
}

fn together(
    path: &str,
    files: Vec<PathBuf>,
    separator: &str,
    wanted: &Wanted,
) -> Result<Loaded, Error> {
    let one = |(position, file): (usize, &PathBuf)| scan(file, position, separator, wanted);
    let scans = files.iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
    let (frames, currencies): (Vec<_>, Vec<_>) = scans.into_iter().unzip();
    let union = UnionArgs { to_supertypes: true, ..Default::default() };
    let together = |frames: Vec<LazyFrame>| {
        concat(frames, union)
            .map_err(|e| Error::input(path, format!("the files do not fit together: {e}")))
    };
    let currencies: Option<Vec<(LazyFrame, String)>> = currencies.into_iter().collect();
    let currencies = match currencies.map(|found| found.into_iter().unzip()) {
        Some((frames, names)) => {
            let names: Vec<String> = names;
            names.into_iter().next().map(|name| Ok((together(frames)?, name))).transpose()?
        }
        None => None,
    };
    Ok(Loaded { frame: together(frames)?, files, currencies })
}

/// The data files at `path`: a file, or all in a folder or under a pattern.
pub(crate) fn find_files(path: &str) -> Result<Vec<PathBuf>, Error> {
    if crate::storage::object_store::is_remote(path) {
        return Err(Error::input(
            path,
            "this command reads local files: copy it first, or use `cltv run`",
        ));
    }
    let plain = Path::new(path);
    if plain.is_file() {
        return Ok(vec![plain.to_owned()]);
    }
    let (folder, pattern) = if plain.is_dir() {
        (plain.to_owned(), "*".to_owned())
    } else {
        let name = plain.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        let parent = plain.parent().filter(|p| !p.as_os_str().is_empty());
        (parent.unwrap_or(Path::new(".")).to_owned(), name)
    };
    if !pattern.contains(['*', '?']) {
        return Err(Error::input(path, missing_file(&folder, &pattern)));
    }
    if !folder.is_dir() {
        return Err(Error::input(path, format!("there is no folder {}", folder.display())));
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .map_err(Error::io(&folder, "list the folder"))?;
    files.retain(|file| {
        let name = file.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        file.is_file() && is_data_file(&pattern, &name)
    });
    // The order of a folder's entries depends on the file system; that of rows must not.
    files.sort();
    if files.is_empty() {
        return Err(Error::input(path, "no .csv, .txt or .parquet file is there"));
    }
    Ok(files)
}

fn missing_file(folder: &Path, name: &str) -> String {
    let names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("no such file; did you mean {}?", folder.join(near).display()),
        None => "no such file: check input.path or --input".to_owned(),
    }
}

/// Whether a file name matches a pattern: `*` is any run of characters, `?` any one.
fn wildcard(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('*') => {
            let tail = rest.as_str();
            let mut ends = name.char_indices().map(|(at, _)| &name[at..]).chain([""]);
            ends.any(|end| wildcard(tail, end))
        }
        Some(first) => {
            let mut letters = name.chars();
            letters.next().is_some_and(|letter| first == '?' || first == letter)
                && wildcard(rest.as_str(), letters.as_str())
        }
    }
}

/// Whether a file of this name is read as part of a folder or a pattern; `pattern` is empty for a
/// folder.
pub fn is_data_file(pattern: &str, name: &str) -> bool {
    let pattern = if pattern.is_empty() { "*" } else { pattern };
    format_of(Path::new(name)).is_some() && wildcard(pattern, name)
}

#[derive(Clone, Copy, PartialEq)]
enum FileFormat {
    Csv,
    Parquet,
}

fn format_of(file: &Path) -> Option<FileFormat> {
    match file.extension()?.to_string_lossy().to_lowercase().as_str() {
        "csv" | "txt" | "tsv" => Some(FileFormat::Csv),
        "parquet" | "pq" => Some(FileFormat::Parquet),
        _ => None,
    }
}

fn scan(
    file: &Path,
    position: usize,
    separator: &str,
    wanted: &Wanted,
) -> Result<(LazyFrame, Option<(LazyFrame, String)>), Error> {
    let needed = &wanted.names;
    let (frame, schema) = open(file, separator)?;
    let present: Vec<&str> =
        schema.iter_names().map(PlSmallStr::as_str).filter(|name| *name != ROW).collect();
    let faults = missing_columns(&present, needed);
    if !faults.is_empty() {
        return Err(Error::Input { place: file.display().to_string(), faults });
    }
    let mut columns = vec![lit(position as u32).alias(FILE), col(ROW).cast(DataType::UInt64)];
    columns.extend(needed.iter().map(|name| plain(name, schema.get(name))));
    if wanted.rest {
        let rest = present.iter().filter(|name| !needed.iter().any(|n| n == *name));
        columns.extend(rest.map(|name| plain(name, schema.get(name))));
    }
    let currencies = currency_column(present.iter().copied()).map(|name| {
        let codes = plain(name, schema.get(name)).alias("currency");
        (frame.clone().select([codes]), name.to_owned())
    });
    Ok((frame.select(columns), currencies))
}

/// A scan of one file with its row numbers, and its schema.
pub(crate) fn open(file: &Path, separator: &str) -> Result<(LazyFrame, SchemaRef), Error> {
    let head = head_of(file)?;
    let separator = separator_of(&head, separator);
    not_too_wide(file, &head, separator)?;
    let path = PlRefPath::try_from_path(file)
        .map_err(|e| Error::input(file.display(), format!("the path cannot be used: {e}")))?;
    let row_index = Some(RowIndex { name: ROW.into(), offset: 1 });
    let unreadable = |e: PolarsError| Error::input(file.display(), format!("cannot be read: {e}"));
    let mut frame = match format_of(file) {
        Some(FileFormat::Parquet) => pages::scan(file, row_index).map_err(unreadable)?,
        _ => LazyCsvReader::new(path)
            .with_glob(false)
            .with_separator(separator)
            .with_infer_schema_length(Some(0))
            .with_row_index(row_index)
            .finish()
            .map_err(unreadable)?,
    };
    let schema = frame.collect_schema().map_err(unreadable)?;
    Ok((frame, schema))
}

/// In a Parquet file, categories and lists become text (`[A, B]`), and NaN becomes null.
fn plain(name: &str, dtype: Option<&DataType>) -> Expr {
    match dtype {
        Some(DataType::Categorical(..) | DataType::Enum(..)) => col(name).cast(DataType::String),
        Some(DataType::Float32 | DataType::Float64) => col(name).fill_nan(lit(NULL)),
        Some(DataType::List(_)) => {
            let entries = col(name).cast(DataType::List(Box::new(DataType::String)));
            let entries = entries.list().join(lit(", "), true);
            concat_str([lit("["), entries, lit("]")], "", false).alias(name)
        }
        _ => col(name),
    }
}

/// The first bytes of a file. Refuses an empty file and formats that cannot be read.
fn head_of(file: &Path) -> Result<Vec<u8>, Error> {
    let mut head = Vec::new();
    File::open(file)
        .and_then(|open| open.take(HEAD_BYTES).read_to_end(&mut head))
        .map_err(Error::io(file, "open the input"))?;
    if head.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::input(file.display(), "the file is empty"));
    }
    if format_of(file) == Some(FileFormat::Parquet) {
        return Ok(head);
    }
    let fault = match head.as_slice() {
        [0x1f, 0x8b, ..] => Some("the file is gzip-compressed: unpack it first"),
        [b'P', b'K', 3, 4, ..] => Some("this is a zip or Excel file: save it as CSV (UTF-8)"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("the file is UTF-16: save it as UTF-8"),
        bytes if bytes.contains(&0) => Some("the file has NUL bytes: is it text, saved as UTF-8?"),
        _ => None,
    };
    fault.map_or(Ok(head), |fault| Err(Error::input(file.display(), fault)))
}

/// Refuses a header with more columns than a spreadsheet can hold: no export has as many.
fn not_too_wide(file: &Path, head: &[u8], separator: u8) -> Result<(), Error> {
    const MOST: usize = 16_384;
    let header = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let columns = header.iter().filter(|byte| **byte == separator).count() + 1;
    if columns <= MOST || format_of(file) == Some(FileFormat::Parquet) {
        return Ok(());
    }
    Err(Error::input(
        file.display(),
        format!(
            "the first line has {columns} columns or more, at most {MOST} are read: is it a header?"
        ),
    ))
}

/// The separator that occurs most often in the header, outside quotes.
fn separator_of(head: &[u8], setting: &str) -> u8 {
    if setting != "auto" {
        return setting.as_bytes()[0];
    }
    let header = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| {
        let mut quoted = false;
        header
            .iter()
            .filter(|byte| {
                quoted ^= **byte == b'"';
                !quoted && **byte == separator
            })
            .count()
    };
    let most = [b'|', b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator));
    most.unwrap_or(b',')
}

/// A message for each needed column that is missing, with the most similar name.
pub(crate) fn missing_columns(present: &[&str], needed: &[String]) -> Vec<String> {
    needed
        .iter()
        .filter(|name| !present.contains(&name.as_str()))
        .map(|name| match nearest(name, present.iter().copied()) {
            Some(near) => format!("there is no column {name:?}; the nearest is {near:?}"),
            None => format!("there is no column {name:?}; there are {}", present.join(", ")),
        })
        .collect()
}

/// The reader's message, with a hint for the person who made the file.
pub(crate) fn unreadable(error: &PolarsError) -> String {
    let text = error.to_string();
    let hint = if text.contains("utf-8") || text.contains("utf8") {
        ": save the file as UTF-8"
    } else if text.contains("fields") {
        ": a row has more fields than the header; is a text that contains the separator unquoted?"
    } else {
        ""
    };
    format!("cannot be read: {text}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        assert!(wildcard("*", "a.csv"));
        assert!(wildcard("q?_*.csv", "q1_2021.csv"));
        assert!(!wildcard("q?_*.csv", "q12_2021.csv"));
        assert!(wildcard("*1*", "2021"));
        assert!(!wildcard("a*", "ba"));
    }

    #[test]
    fn separators_outside_quotes() {
        assert_eq!(separator_of(b"a,b,c\n1;2;3;4;5", "auto"), b',');
        assert_eq!(separator_of(b"\"x,y,z\";b;c\n", "auto"), b';');
        assert_eq!(separator_of(b"a\tb", "auto"), b'\t');
        assert_eq!(separator_of(b"only", "auto"), b',');
        assert_eq!(separator_of(b"a,b,c", "|"), b'|');
    }
}
