//! Loads the input files as one lazy frame with the needed columns. CSV columns stay text, so that
//! a bad value can be shown as it is in the file; schemas are checked before any row is read.

use std::path::{Path, PathBuf};

use polars::prelude::*;

use crate::error::{Error, brief, nearest};
use crate::frame::columns::{FILE, ROW};
use crate::frame::doubts::lines::currency_column;
use crate::frame::input::pages;
use crate::frame::input::plain::{Hints, Kind, Plain, Remark, Scratch, fault, kind_of, plain};
use crate::settings::{Input, Settings};
use crate::storage::object_store;
use crate::storage::stdin::{self, STDIN};

/// Endings of the names of data files in a folder.
const EXTENSIONS: [&str; 9] = ["csv", "txt", "tsv", "parquet", "pq", "gz", "zst", "zip", "xlsx"];

/// The input as one lazy frame, and the files it came from.
pub struct Loaded {
    /// File and row number, then the needed columns in the order of [`Settings::input_columns`].
    pub frame: LazyFrame,
    /// The files, in reading order.
    pub files: Vec<PathBuf>,
    /// Copies of files that Polars does not read right; deleted when dropped.
    pub copies: Vec<Scratch>,
    /// What is to be said about the files.
    pub remarks: Vec<(PathBuf, Remark)>,
    /// Columns that are only kept and cannot be read, with their types; they are empty.
    pub passed_over: Vec<(String, &'static str)>,
    /// Rows of data by an independent count; `None` where a Parquet file is among the files.
    pub records: Option<u64>,
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
    let wanted = Wanted::by(settings);
    together(path, files, &Described::from(&settings.input), &wanted)
}

/// What a pipeline says about how its files are written.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    /// `auto` or one character.
    pub separator: &'a str,
    /// `auto` or the name of an encoding.
    pub encoding: &'a str,
    /// The name of a worksheet.
    pub sheet: Option<&'a str>,
}

impl Default for Described<'_> {
    fn default() -> Self {
        Self { separator: "auto", encoding: "auto", sheet: None }
    }
}

impl<'a> From<&'a Input> for Described<'a> {
    fn from(input: &'a Input) -> Self {
        Self {
            separator: &input.separator,
            encoding: &input.encoding,
            sheet: input.sheet.as_deref(),
        }
    }
}

impl<'a> Described<'a> {
    fn hints(&self, wanted: &'a Wanted) -> Hints<'a> {
        let Self { separator, encoding, sheet } = *self;
        // Names that were taken from the file itself say nothing about where its header is.
        let columns: &[String] = if wanted.is_described { &wanted.names } else { &[] };
        Hints { separator, encoding, sheet, columns, vital: &wanted.vital }
    }
}

/// As [`load`], for an input that nobody has described: all columns of its first file, and their
/// names.
///
/// # Errors
/// As [`load`].
pub fn load_whole(path: &str, described: &Described<'_>) -> Result<(Loaded, Vec<String>), Error> {
    let files = find_files(path)?;
    let first = open(&files[0], described, &Wanted::default())?;
    // A column of a type that no number, date or id has is of no use to anybody here.
    let is_plain = |name: &&PlSmallStr| {
        name.as_str() != ROW
            && !name.trim().is_empty()
            && !name.starts_with("_duplicated_")
            && first.schema.get(name).is_some_and(|dtype| odd(dtype).is_none())
    };
    let names = first.schema.iter_names().filter(is_plain).map(ToString::to_string);
    let wanted = Wanted { names: names.collect(), ..Wanted::default() };
    drop(first);
    Ok((together(path, files, described, &wanted)?, wanted.names))
}

/// Which columns of a file are read.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Columns that must be present.
    names: Vec<String>,
    /// Those of them in which every byte must be text.
    vital: Vec<String>,
    /// Whether all other columns are read too.
    rest: bool,
    /// Whether a pipeline names them.
    is_described: bool,
}

impl Wanted {
    pub(crate) fn by(settings: &Settings) -> Self {
        Self {
            names: settings.input_columns(),
            vital: settings.vital_columns(),
            rest: settings.compares_whole_lines(),
            is_described: true,
        }
    }
}

fn together(
    path: &str,
    files: Vec<PathBuf>,
    described: &Described<'_>,
    wanted: &Wanted,
) -> Result<Loaded, Error> {
    let (mut frames, mut codes, mut passed_over) = (Vec::new(), Vec::new(), Vec::new());
    let (mut copies, mut remarks, mut records) = (Vec::new(), Vec::new(), Some(0));
    for (position, file) in files.iter().enumerate() {
        let opened = open(file, described, wanted)?;
        frames.push(selected(&opened, file, position, wanted)?);
        codes.push(currency_codes(&opened));
        for odd in opened.passed_over(wanted) {
            if !passed_over.contains(&odd) {
                passed_over.push(odd);
            }
        }
        copies.extend(opened.copy);
        remarks.extend(opened.remarks.into_iter().map(|remark| (file.clone(), remark)));
        records = records.zip(opened.records).map(|(all, own)| all + own);
    }
    let union = UnionArgs { to_supertypes: true, ..Default::default() };
    let together = |frames: Vec<LazyFrame>| {
        concat(frames, union).map_err(|e| {
            Error::input(path, format!("the files do not fit together: {}", brief(&e)))
        })
    };
    let codes: Vec<(LazyFrame, String)> = codes.into_iter().flatten().collect();
    let column = codes.first().map(|(_, name)| name.clone());
    let currencies = match column {
        Some(name) => Some((together(codes.into_iter().map(|(frame, _)| frame).collect())?, name)),
        None => None,
    };
    let frame = together(frames)?;
    Ok(Loaded { frame, files, copies, remarks, passed_over, records, currencies })
}

/// Why the reader failed, found by reading the text files record by record; else the error itself.
pub fn explained(error: Error, files: &[PathBuf], settings: &Settings) -> Error {
    reason(error, files, &Described::from(&settings.input), &Wanted::by(settings))
}

/// As [`explained`], for an input that nobody has described.
pub fn explained_whole(error: Error, path: &str, described: &Described<'_>) -> Error {
    let files = find_files(path).unwrap_or_default();
    reason(error, &files, described, &Wanted::default())
}

fn reason(error: Error, files: &[PathBuf], described: &Described<'_>, wanted: &Wanted) -> Error {
    let text = error.to_string();
    let of_reader = matches!(error, Error::Input { .. } | Error::Engine { .. });
    if !of_reader || !(text.contains(MORE_FIELDS) || text.contains(UNREADABLE)) {
        return error;
    }
    let is_text = |file: &&PathBuf| matches!(kind_of(file), Ok(Kind::Text));
    let mut texts = files.iter().filter(is_text);
    let fault = texts.find_map(|file| fault(file, &described.hints(wanted)));
    stdin::renamed(fault.unwrap_or(error))
}

/// The data files at `path`: a file, or all in a folder or under a pattern.
pub(crate) fn find_files(path: &str) -> Result<Vec<PathBuf>, Error> {
    object_store::without_credentials(path)?;
    if object_store::is_remote(path) {
        return Err(Error::input(
            path,
            "without a pipeline file, only local files are read: copy it, or write one with input.path",
        ));
    }
    if path == STDIN {
        return Ok(vec![stdin::spooled()?.to_owned()]);
    }
    let plain = Path::new(path);
    if plain.is_file() {
        return Ok(vec![plain.to_owned()]);
    }
    if plain.exists() && !plain.is_dir() {
        return Err(Error::input(
            path,
            "this is a device or a pipe: give a file, or - and the data on standard input",
        ));
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
    let mut files = files_in(&folder, &pattern)?;
    if files.is_empty() && pattern == "*" {
        files = in_partitions(&folder, 0)?;
    }
    // The order of a folder's entries depends on the file system; that of rows must not.
    files.sort();
    if files.is_empty() {
        return Err(Error::input(
            path,
            format!("no data file is there ({})", EXTENSIONS.map(|e| format!(".{e}")).join(", ")),
        ));
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .map_err(Error::io(folder, "list the folder"))
}

fn name_of(file: &Path) -> String {
    file.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

fn files_in(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, Error> {
    let mut files = entries(folder)?;
    // Spark writes parts without rows.
    let is_filled =
        |file: &Path| file.metadata().is_ok_and(|file| file.is_file() && file.len() > 0);
    files.retain(|file| is_filled(file) && is_data_file(pattern, &name_of(file)));
    Ok(files)
}

/// The data files in folders named `key=value`, as Hive and Spark lay out a table.
fn in_partitions(folder: &Path, depth: usize) -> Result<Vec<PathBuf>, Error> {
    const DEEPEST: usize = 8;
    let mut files = Vec::new();
    for partition in entries(folder)? {
        if partition.is_dir() && name_of(&partition).contains('=') && depth < DEEPEST {
            files.extend(files_in(&partition, "*")?);
            files.extend(in_partitions(&partition, depth + 1)?);
        }
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
    let extension = Path::new(name).extension().map(|e| e.to_string_lossy().to_lowercase());
    let is_data = extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()));
    is_data && !name.starts_with(['.', '_', '~']) && wildcard(pattern, name)
}

/// The needed columns of a file, with its position and row numbers.
fn selected(
    opened: &Opened,
    file: &Path,
    position: usize,
    wanted: &Wanted,
) -> Result<LazyFrame, Error> {
    let needed = &wanted.names;
    let schema = &opened.schema;
    let present = opened.names();
    let mut faults = missing_columns(&present, needed);
    let passed_over = opened.passed_over(wanted);
    let vital = passed_over.iter().filter(|(name, _)| wanted.vital.contains(name));
    faults.extend(vital.map(|(name, kind)| {
        format!("column {name:?} is {kind}, which is no number, date or id: name another one")
    }));
    if !faults.is_empty() {
        return Err(Error::Input { place: file.display().to_string(), faults });
    }
    let mut columns = vec![lit(position as u32).alias(FILE), col(ROW).cast(DataType::UInt64)];
    columns.extend(needed.iter().map(
        |name| match passed_over.iter().any(|(odd, _)| odd == name) {
            true => lit(NULL).cast(DataType::String).alias(name.as_str()),
            false => plain_type(name, schema.get(name)),
        },
    ));
    if wanted.rest {
        let is_plain = |name: &&&str| schema.get(name).is_some_and(|dtype| odd(dtype).is_none());
        let rest = present.iter().filter(|name| !needed.iter().any(|n| n == **name));
        let rest = rest.filter(is_plain);
        columns.extend(rest.map(|name| plain_type(name, schema.get(name))));
    }
    Ok(opened.frame.clone().select(columns))
}

/// The column of currencies of a file, as `currency`, and its name.
fn currency_codes(opened: &Opened) -> Option<(LazyFrame, String)> {
    let name = currency_column(opened.names().into_iter())?;
    let codes = plain_type(name, opened.schema.get(name)).alias("currency");
    Some((opened.frame.clone().select([codes]), name.to_owned()))
}

/// A scan of one file.
pub(crate) struct Opened {
    frame: LazyFrame,
    /// Its columns, and the row number.
    pub(crate) schema: SchemaRef,
    copy: Option<Scratch>,
    remarks: Vec<Remark>,
    records: Option<u64>,
}

impl Opened {
    /// Names of the columns of the file.
    fn names(&self) -> Vec<&str> {
        let names = self.schema.iter_names().map(PlSmallStr::as_str);
        names.filter(|name| *name != ROW).collect()
    }

    /// Wanted columns whose types have no place here.
    fn passed_over(&self, wanted: &Wanted) -> Vec<(String, &'static str)> {
        let kind = |name: &String| Some((name.clone(), odd(self.schema.get(name)?)?));
        wanted.names.iter().filter_map(kind).collect()
    }
}

/// A scan of one file with its row numbers. No columns are wanted if nobody has described the file.
pub(crate) fn open(
    file: &Path,
    described: &Described<'_>,
    wanted: &Wanted,
) -> Result<Opened, Error> {
    scan(file, described, wanted).map_err(stdin::renamed)
}

fn scan(file: &Path, described: &Described<'_>, wanted: &Wanted) -> Result<Opened, Error> {
    let row_index = Some(RowIndex { name: ROW.into(), offset: 1 });
    let failed = |e: PolarsError| Error::input(file.display(), unreadable(&e));
    if kind_of(file)? == Kind::Parquet {
        let mut frame = pages::scan(file, row_index).map_err(failed)?;
        let schema = frame.collect_schema().map_err(failed)?;
        return Ok(Opened { frame, schema, copy: None, remarks: Vec::new(), records: None });
    }
    let Plain { path, copy, separator, records, remarks, .. } =
        plain(file, &described.hints(wanted))?;
    let path = PlRefPath::try_from_path(&path)
        .map_err(|e| Error::input(file.display(), format!("the path cannot be used: {e}")))?;
    let mut frame = LazyCsvReader::new(path)
        .with_glob(false)
        .with_separator(separator)
        .with_infer_schema_length(Some(0))
        .with_row_index(row_index)
        .finish()
        .map_err(failed)?;
    let schema = frame.collect_schema().map_err(failed)?;
    Ok(Opened { frame, schema, copy, remarks, records: Some(records) })
}

/// What a column is called whose type has no place here; `None` for the types that are read.
fn odd(dtype: &DataType) -> Option<&'static str> {
    match dtype {
        DataType::Struct(_) => Some("a struct"),
        DataType::Array(..) => Some("a list of fixed length"),
        DataType::List(inner) if odd(inner).is_some() || inner.is_nested() => {
            Some("a list of lists or structs")
        }
        DataType::Null => Some("empty, without a type"),
        DataType::Duration(_) => Some("a duration"),
        _ => None,
    }
}

/// In a Parquet file, categories, lists (`[A, B]`) and binary ids become text, and NaN becomes null.
fn plain_type(name: &str, dtype: Option<&DataType>) -> Expr {
    match dtype {
        Some(DataType::Categorical(..) | DataType::Enum(..)) => col(name).cast(DataType::String),
        Some(DataType::Float32 | DataType::Float64) => col(name).fill_nan(lit(NULL)),
        Some(DataType::Binary) => binary_as_text(name),
        Some(DataType::List(_)) => {
            let entries = col(name).cast(DataType::List(Box::new(DataType::String)));
            let entries = entries.list().join(lit(", "), true);
            concat_str([lit("["), entries, lit("]")], "", false).alias(name)
        }
        _ => col(name),
    }
}

/// Bytes as text: as it is where they are printable, a UUID where there are sixteen, else in
/// hexadecimal digits.
fn binary_as_text(name: &str) -> Expr {
    let field = |_: &Schema, field: &Field| Ok(Field::new(field.name().clone(), DataType::String));
    let texts = |column: Column| {
        let bytes = column.binary()?;
        let texts = bytes.iter().map(|value| value.map(text_of_bytes));
        Ok(StringChunked::from_iter_options(bytes.name().clone(), texts).into_column())
    };
    col(name).map(texts, field)
}

fn text_of_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => return text.to_owned(),
        _ => {}
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() != 16 {
        return hex;
    }
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// A message for each needed column that is missing, with the most similar name.
pub(crate) fn missing_columns(present: &[&str], needed: &[String]) -> Vec<String> {
    /// Columns that are missing from another table are named without what is nearest to each.
    const FEW: usize = 5;
    let missing: Vec<&str> =
        needed.iter().map(String::as_str).filter(|name| !present.contains(name)).collect();
    if let [first, rest @ ..] = missing.as_slice()
        && rest.len() >= FEW
    {
        let (rest, present) = (listed(rest), listed(present));
        return vec![format!("there is no column {first:?}, nor {rest}; there are {present}")];
    }
    let fault = |name: &&str| match nearest(name, present.iter().copied()) {
        Some(near) => format!("there is no column {name:?}; the nearest is {near:?}"),
        None => format!("there is no column {name:?}; there are {}", listed(present)),
    };
    missing.iter().map(fault).collect()
}

/// The first names, each cut off: what stands in place of a header can be anything.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 20;
    let cut = |name: &&str| name.chars().take(40).collect::<String>();
    let shown: Vec<String> = names.iter().take(MOST).map(cut).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// What [`unreadable`] says of a row with too many fields.
const MORE_FIELDS: &str = "a row has more fields than the header";
/// How [`unreadable`] begins.
const UNREADABLE: &str = "cannot be read";

/// The reader's message on one line, with a hint for the person who made the file. A message that
/// quotes the file is cut off: rows are personal data.
pub(crate) fn unreadable(error: &PolarsError) -> String {
    let text = error.to_string();
    if text.contains("fields") {
        return format!("{MORE_FIELDS}: is a text that contains the separator unquoted?");
    }
    let first = text.lines().next().unwrap_or_default();
    let first = first.split('`').next().unwrap_or_default();
    let said: String = first.chars().take(120).collect();
    let hint = if text.contains("utf-8") || text.contains("utf8") {
        ": save the file as UTF-8, or name its encoding as input.encoding"
    } else {
        ""
    };
    format!("{UNREADABLE}: {}{hint}", said.trim_end())
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
}
