//! Profiles the columns of a file that nobody has described. Files are read in batches; distinct
//! values and repeated rows must be held in memory, so only the first rows are searched for them.

use std::borrow::Cow;

use polars::prelude::*;
use serde::Serialize;

use crate::error::Error;
use crate::frame::columns::{FILE, ROW};
use crate::frame::guess::words::{ColumnWords, Topic};
use crate::frame::input::dates::{self, DateFormat};
use crate::frame::input::kinds::ColumnKind;
use crate::frame::input::load::{Described, explained_whole, load_whole};
use crate::frame::input::notation::is_missing;
use crate::frame::input::numbers::{Evidence, Notation, Numeric, each, number};
use crate::frame::input::plain::Remark;
use crate::frame::input::typed::Blanks;
use crate::frame::{catch_reader_panic, streamed};
use crate::settings::Input;

/// First rows in which distinct values and repeated rows are counted.
const REMEMBERED: u32 = 1_000_000;
/// First rows that decide which columns are dates.
const GLIMPSE: u32 = 20_000;
/// First rows that are shown.
const SHOWN: u32 = 5;
/// Most letters of a text that are looked at; a table of customers or orders has no longer ones.
const LONGEST: usize = 200;
/// Least share of values of a type for a column of that type.
const MOST: f64 = 0.95;

/// A file, column by column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    /// The path as given.
    pub path: String,
    /// Files that were read.
    pub files: usize,
    /// Rows of all of them.
    pub rows: usize,
    /// The columns, in the order of the file.
    pub columns: Vec<Column>,
    /// Rows that repeat an earlier one in every column, among the first [`Overview::counted_rows`].
    pub repeated_rows: usize,
    /// First rows in which distinct values and repeated rows were counted: a million at most.
    pub counted_rows: usize,
    /// The first rows as text; `None` for a missing value.
    pub first_rows: Vec<Vec<Option<String>>>,
    /// What was said about how the file is written; the worksheet is the one that was read.
    #[serde(skip)]
    pub stated: Stated,
}

/// What is said about how a file is written, each `auto` where nothing is.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// Format of dates.
    pub date_format: String,
    /// Format of numbers.
    pub number_format: String,
    /// Character between the fields of a CSV file.
    pub separator: String,
    /// Encoding of a text file.
    pub encoding: String,
    /// Worksheet of a workbook; the first that has the columns where nothing is said.
    pub sheet: Option<String>,
}

impl Default for Stated {
    fn default() -> Self {
        let auto = || "auto".to_owned();
        Self {
            date_format: auto(),
            number_format: auto(),
            separator: auto(),
            encoding: auto(),
            sheet: None,
        }
    }
}

impl From<&Input> for Stated {
    fn from(input: &Input) -> Self {
        Self {
            date_format: input.date_format.clone(),
            number_format: input.number_format.clone(),
            separator: input.separator.clone(),
            encoding: input.encoding.clone(),
            sheet: input.sheet.clone(),
        }
    }
}

impl Stated {
    /// What the loader needs of it.
    pub(crate) fn described(&self) -> Described<'_> {
        Described {
            separator: &self.separator,
            encoding: &self.encoding,
            sheet: self.sheet.as_deref(),
        }
    }
}

impl Overview {
    /// How the numbers of a column are read.
    pub fn notation(&self, name: &str) -> Notation {
        let column = self.columns.iter().find(|column| column.name == name);
        column.map_or(Notation::Plain, |column| column.notation)
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: ColumnKind,
    /// How its dates are written.
    pub date_format: Option<String>,
    /// How its numbers are written.
    pub number_format: Option<String>,
    /// Why it cannot be told how its dates or numbers are written.
    pub fault: Option<String>,
    /// Rows without a value: empty, or only blanks.
    pub blank: usize,
    /// Values that are not of the type.
    pub unreadable: usize,
    /// Different values among the first [`Overview::counted_rows`].
    pub distinct: usize,
    /// Values among the same rows that repeat an earlier one.
    pub repeated: usize,
    /// The lowest value: by number or date, else by alphabet.
    pub lowest: Option<String>,
    /// The highest value.
    pub highest: Option<String>,
    /// An example of a value.
    pub example: Option<String>,
    /// How its numbers are read.
    #[serde(skip)]
    pub notation: Notation,
    /// The lowest and highest number, where the column has numbers.
    #[serde(skip)]
    pub range: Option<(f64, f64)>,
}

/// Reads a file and profiles its columns.
///
/// # Errors
/// [`Error::Input`] when there is no such file or it cannot be read.
pub fn inspect(path: &str, stated: &Stated) -> Result<Overview, Error> {
    catch_reader_panic(path, || inspected(path, stated))
        .map_err(|error| explained_whole(error, path, &stated.described()))
}

fn inspected(path: &str, stated: &Stated) -> Result<Overview, Error> {
    let date_format = stated.date_format.as_str();
    let (loaded, names) = load_whole(path, &stated.described())?;
    let sheet = loaded.remarks.iter().find_map(|(_, remark)| match remark {
        Remark::Sheet { name, .. } => Some(name.clone()),
        _ => None,
    });
    let unreadable = |e| Error::input(path, crate::frame::input::load::unreadable(&e));
    let schema = loaded.frame.clone().collect_schema().map_err(unreadable)?;
    let frame = shortened(loaded.frame, &names, &schema).map_err(unreadable)?;
    let glimpse = streamed(as_text(&frame, &names).limit(GLIMPSE)).map_err(unreadable)?;
    let mut notations = Vec::new();
    for name in &names {
        notations.push(notation(&frame, &glimpse, name, &schema, stated).map_err(unreadable)?);
    }
    let mut sums = Sums::of(&frame, &names, &notations).map_err(unreadable)?;
    // What the first rows say holds only if all the others agree.
    let doubtful = doubtful(&sums, &notations);
    if !doubtful.is_empty() {
        for position in doubtful {
            notations[position] =
                whole_notation(&frame, &names[position], stated).map_err(unreadable)?;
        }
        sums = Sums::of(&frame, &names, &notations).map_err(unreadable)?;
    }
    if sums.rows == 0 {
        return Err(Error::input(path, "the file has a header and no rows"));
    }
    let (distinct, repeated_rows) = remembered(&frame, &names).map_err(unreadable)?;
    let mut columns = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let sample = Sample::of(&glimpse, position, date_format).map_err(unreadable)?;
        let setting = if sample.in_format { date_format } else { "auto" };
        let dated = match sample.is_dates() {
            true => Some(dated(&frame, name, &schema, setting).map_err(unreadable)?),
            false => None,
        };
        let mut column = column(name, &sums, position, sample, dated, distinct[position]);
        // Numbers in two notations or currencies are numbers all the same.
        if column.kind == ColumnKind::Text && notations[position].1.is_some() {
            column.kind = ColumnKind::Number;
        }
        if matches!(column.kind, ColumnKind::Integer | ColumnKind::Number) {
            column.notation = notations[position].0;
            column.fault = notations[position].1.clone();
            let known = column.fault.is_none().then(|| column.notation.to_string());
            column.number_format = known;
        }
        columns.push(column);
    }
    Ok(Overview {
        path: path.to_owned(),
        files: loaded.files.len(),
        rows: sums.rows,
        columns,
        repeated_rows,
        counted_rows: sums.rows.min(REMEMBERED as usize),
        first_rows: first_rows(&glimpse).map_err(unreadable)?,
        stated: Stated { sheet: sheet.or_else(|| stated.sheet.clone()), ..stated.clone() },
    })
}

/// How the numbers of a column are read, and the fault if that cannot be told. The whole column is
/// looked at only where the first rows are numbers that Polars does not read as they are.
fn notation(
    frame: &LazyFrame,
    glimpse: &DataFrame,
    name: &str,
    schema: &Schema,
    stated: &Stated,
) -> PolarsResult<(Notation, Option<String>)> {
    if schema.get(name).is_some_and(|dtype| dtype.is_numeric()) {
        return Ok((Notation::Typed, None));
    }
    let first = glimpse.select([name])?.lazy().with_row_index(ROW, None);
    let first = first.with_column(lit(0u32).alias(FILE));
    let evidence = Evidence::of(&first, name)?;
    if !most(evidence.numbers() as usize, evidence.values() as usize) {
        return Ok((Notation::Plain, None));
    }
    match decided(&evidence, name, stated) {
        (Notation::Whole | Notation::Plain, None) => Ok((Notation::Plain, None)),
        _ => whole_notation(frame, name, stated),
    }
}

/// The same, from the whole column.
fn whole_notation(
    frame: &LazyFrame,
    name: &str,
    stated: &Stated,
) -> PolarsResult<(Notation, Option<String>)> {
    Ok(match decided(&Evidence::of(frame, name)?, name, stated) {
        (Notation::Whole, fault) => (Notation::Plain, fault),
        decided => decided,
    })
}

fn decided(evidence: &Evidence, name: &str, stated: &Stated) -> (Notation, Option<String>) {
    let is_count = ColumnWords::of(name).about(Topic::Count);
    match evidence.decide(Numeric { name, is_count }, &stated.number_format) {
        Ok(notation) => (notation, None),
        Err(fault) => (Notation::Plain, Some(fault)),
    }
}

/// Columns of plain numbers, some of which cannot be read.
fn doubtful(sums: &Sums, notations: &[(Notation, Option<String>)]) -> Vec<usize> {
    let is_doubtful = |position: &usize| {
        let (numbers, values) = (sums.count("numbers", *position), sums.count("filled", *position));
        let few = numbers < values && 2 * numbers > values;
        few && matches!(&notations[*position], (Notation::Plain, None))
    };
    (0..notations.len()).filter(is_doubtful).collect()
}

/// Every column as text; blank values become null.
fn as_text(frame: &LazyFrame, names: &[String]) -> LazyFrame {
    let columns = names.iter().map(|name| filled(name));
    frame.clone().select(columns.collect::<Vec<_>>())
}

/// The frame with the beginnings of texts that are very long.
fn shortened(frame: LazyFrame, names: &[String], schema: &Schema) -> PolarsResult<LazyFrame> {
    let is_text = |name: &&String| schema.get(name.as_str()) == Some(&DataType::String);
    let texts: Vec<&String> = names.iter().filter(is_text).collect();
    let lengths = texts.iter().enumerate().map(|(i, name)| {
        col(name.as_str()).str().len_bytes().cast(DataType::UInt64).max().alias(i.to_string())
    });
    let lengths = streamed(frame.clone().select(lengths.collect::<Vec<_>>()))?;
    let mut long = Vec::new();
    for (name, length) in texts.into_iter().zip(lengths.columns()) {
        if length.u64()?.get(0).is_some_and(|length| length > LONGEST as u64) {
            long.push(each(name, DataType::String, |texts| {
                let short: StringChunked = texts.iter().map(|text| text.map(short)).collect();
                short.with_name(texts.name().clone()).into_column()
            }));
        }
    }
    Ok(if long.is_empty() { frame } else { frame.with_columns(long) })
}

/// A text, or its beginning if it is long.
fn short(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(LONGEST);
    // A list stays a list.
    let rest = if text.ends_with(']') { "…]" } else { "…" };
    Cow::Owned(text.get(..end).unwrap_or(text).to_owned() + rest)
}

/// The text of a column; null where it is blank or a word for a missing value.
fn filled(name: &str) -> Expr {
    each(name, DataType::String, |texts| {
        let text =
            |text: &str| Some(text.trim()).filter(|text| !is_missing(text)).map(str::to_owned);
        let filled = texts.iter().map(|value| value.and_then(text));
        StringChunked::from_iter_options(texts.name().clone(), filled).into_column()
    })
}

/// Aggregates of all columns, from one reading of the whole file.
struct Sums {
    rows: usize,
    frame: DataFrame,
}

impl Sums {
    fn of(
        frame: &LazyFrame,
        names: &[String],
        notations: &[(Notation, Option<String>)],
    ) -> PolarsResult<Self> {
        let (mut typed, mut sums) = (Vec::new(), Vec::new());
        let count = |is: Expr| is.fill_null(lit(false)).cast(DataType::UInt64).sum();
        // Aliases use positions, because names in the file can be anything.
        for (i, name) in names.iter().enumerate() {
            let (text, value) = (|| col(format!("text{i}")), || col(format!("number{i}")));
            let read = number(name, notations[i].0, Blanks::TakenOff);
            let finite = when(read.clone().is_finite()).then(read).otherwise(lit(NULL));
            typed.extend([
                filled(name).alias(format!("text{i}")),
                finite.alias(format!("number{i}")),
            ]);
            let is_list = text().str().starts_with(lit("[")).and(text().str().ends_with(lit("]")));
            sums.extend([
                count(text().is_not_null()).alias(format!("filled{i}")),
                count(value().is_not_null()).alias(format!("numbers{i}")),
                count(value().eq(value().floor())).alias(format!("whole{i}")),
                count(is_list).alias(format!("lists{i}")),
                value().min().alias(format!("low{i}")),
                value().max().alias(format!("high{i}")),
                text().min().alias(format!("first{i}")),
                text().max().alias(format!("last{i}")),
            ]);
        }
        sums.push(len().cast(DataType::UInt64).alias("rows"));
        let frame = streamed(frame.clone().select(typed).select(sums))?;
        let rows = frame.column("rows")?.u64()?.get(0).unwrap_or(0) as usize;
        Ok(Self { rows, frame })
    }

    fn count(&self, what: &str, position: usize) -> usize {
        let column = self.frame.column(&format!("{what}{position}"));
        column.ok().and_then(|c| c.u64().ok()?.get(0)).unwrap_or(0) as usize
    }

    fn number(&self, what: &str, position: usize) -> Option<f64> {
        self.frame.column(&format!("{what}{position}")).ok()?.f64().ok()?.get(0)
    }

    fn text(&self, what: &str, position: usize) -> Option<String> {
        let column = self.frame.column(&format!("{what}{position}")).ok()?;
        column.str().ok()?.get(0).map(str::to_owned)
    }
}

/// Counts in the first rows: for each column its distinct and its repeated values, and the rows
/// that repeat an earlier one.
fn remembered(frame: &LazyFrame, names: &[String]) -> PolarsResult<(Vec<[usize; 2]>, usize)> {
    let rows = as_text(frame, names).limit(REMEMBERED);
    let distinct = names.iter().enumerate().flat_map(|(i, name)| {
        let values = || col(name.as_str()).drop_nulls();
        let number =
            |count: Expr, what: &str| count.cast(DataType::UInt64).alias(format!("{what}{i}"));
        [number(values().n_unique(), "distinct"), number(values().len(), "values")]
    });
    let line = as_struct(names.iter().map(|name| col(name.as_str())).collect());
    let again = line.is_first_distinct().not().cast(DataType::UInt64).sum().alias("again");
    let counts = streamed(rows.select(distinct.chain([again]).collect::<Vec<_>>()))?;
    let count = |name: &str| -> PolarsResult<usize> {
        Ok(counts.column(name)?.u64()?.get(0).unwrap_or(0) as usize)
    };
    let distinct = (0..names.len()).map(|i| {
        let distinct = count(&format!("distinct{i}"))?;
        Ok([distinct, count(&format!("values{i}"))?.saturating_sub(distinct)])
    });
    Ok((distinct.collect::<PolarsResult<_>>()?, count("again")?))
}

/// Counts of the values of a column in the first rows.
struct Sample {
    example: Option<String>,
    values: usize,
    dates: usize,
    /// Whether the dates are in the given format.
    in_format: bool,
}

impl Sample {
    fn of(glimpse: &DataFrame, position: usize, date_format: &str) -> PolarsResult<Self> {
        let column = &glimpse.columns()[position];
        let values: Vec<&str> = column.str()?.iter().flatten().collect();
        let count = |test: &dyn Fn(&str) -> bool| values.iter().filter(|v| test(v)).count();
        let in_format = count(&|value| dates::is_in(value, date_format));
        // Many columns hold such numbers; only the name of the column tells that these are dates.
        let as_numbers = match ColumnWords::of(column.name()).about(Topic::Date) {
            true => count(&dates::is_number),
            false => 0,
        };
        Ok(Self {
            example: values.first().map(|value| (*value).to_owned()),
            values: values.len(),
            dates: in_format.max(count(&dates::is_known)).max(as_numbers),
            in_format: in_format > 0 && most(in_format, values.len()),
        })
    }

    fn is_dates(&self) -> bool {
        self.dates > 0 && most(self.dates, self.values)
    }
}

fn most(part: usize, all: usize) -> bool {
    part as f64 >= MOST * all as f64
}

/// The format of a column of dates, the number of readable dates, the first and the last.
struct Dated {
    format: Result<String, String>,
    readable: Option<usize>,
    values: usize,
    first: Option<String>,
    last: Option<String>,
}

fn dated(frame: &LazyFrame, name: &str, schema: &Schema, date_format: &str) -> PolarsResult<Dated> {
    let settle = || dates::settle(frame, &[name], date_format, "", Engine::Streaming);
    let glimpsed = dates::glimpse(frame, &[name], date_format);
    if let Some(format) = &glimpsed {
        let found = read_dates(frame, name, schema, format)?;
        if found.readable == Some(found.values) {
            return Ok(found);
        }
    }
    let format = match settle() {
        Ok(format) => format,
        Err(Error::Engine { source, .. }) => return Err(source),
        // Without a format it is still a column of dates: the fault is shown instead.
        Err(Error::Input { faults, .. }) => {
            let format = Err(faults.join("; "));
            return Ok(Dated { format, readable: None, values: 0, first: None, last: None });
        }
        Err(other) => {
            let format = Err(other.to_string());
            return Ok(Dated { format, readable: None, values: 0, first: None, last: None });
        }
    };
    read_dates(frame, name, schema, &format)
}

/// The dates of a column in a format.
fn read_dates(
    frame: &LazyFrame,
    name: &str,
    schema: &Schema,
    format: &DateFormat,
) -> PolarsResult<Dated> {
    let dtype = schema.get(name).unwrap_or(&DataType::String);
    let date = || dates::parsed(name, dtype, format);
    let text = |date: Expr, name: &str| date.cast(DataType::String).alias(name);
    let found = streamed(frame.clone().select([
        date().is_not_null().cast(DataType::UInt64).sum().alias("readable"),
        filled(name).is_not_null().cast(DataType::UInt64).sum().alias("values"),
        text(date().min(), "first"),
        text(date().max(), "last"),
    ]))?;
    let day = |name: &str| -> PolarsResult<Option<String>> {
        Ok(found.column(name)?.str()?.get(0).map(str::to_owned))
    };
    Ok(Dated {
        format: Ok(format.to_string()),
        readable: Some(found.column("readable")?.u64()?.get(0).unwrap_or(0) as usize),
        values: found.column("values")?.u64()?.get(0).unwrap_or(0) as usize,
        first: day("first")?,
        last: day("last")?,
    })
}

fn column(
    name: &str,
    sums: &Sums,
    position: usize,
    sample: Sample,
    dated: Option<Dated>,
    [distinct, repeated]: [usize; 2],
) -> Column {
    let values = sums.count("filled", position);
    let kind = kind(sums, position, values, dated.is_some());
    let range = sums.number("low", position).zip(sums.number("high", position));
    let (mut lowest, mut highest) = match (kind, range) {
        (ColumnKind::Integer | ColumnKind::Number, Some((low, high))) => {
            (Some(low.to_string()), Some(high.to_string()))
        }
        _ => (sums.text("first", position), sums.text("last", position)),
    };
    let readable = match kind {
        ColumnKind::Integer => sums.count("whole", position),
        ColumnKind::Number => sums.count("numbers", position),
        ColumnKind::List => sums.count("lists", position),
        ColumnKind::Date => dated.as_ref().and_then(|dated| dated.readable).unwrap_or(values),
        ColumnKind::Empty | ColumnKind::Text => values,
    };
    // As texts, dates would have been compared by alphabet.
    if let Some(dated) = dated.as_ref().filter(|dated| dated.readable.is_some()) {
        (lowest, highest) = (dated.first.clone(), dated.last.clone());
    }
    Column {
        name: name.to_owned(),
        kind,
        date_format: dated.as_ref().and_then(|dated| dated.format.clone().ok()),
        number_format: None,
        fault: dated.and_then(|dated| dated.format.err()),
        blank: sums.rows - values,
        unreadable: values.saturating_sub(readable),
        distinct,
        repeated,
        example: sample.example.or_else(|| lowest.clone()),
        lowest,
        highest,
        notation: Notation::Plain,
        range,
    }
}

fn kind(sums: &Sums, position: usize, values: usize, dates: bool) -> ColumnKind {
    let numbers = sums.count("numbers", position);
    if values == 0 {
        ColumnKind::Empty
    } else if dates {
        ColumnKind::Date
    } else if most(numbers, values) {
        if sums.count("whole", position) == numbers {
            ColumnKind::Integer
        } else {
            ColumnKind::Number
        }
    } else if most(sums.count("lists", position), values) {
        ColumnKind::List
    } else {
        ColumnKind::Text
    }
}

fn first_rows(glimpse: &DataFrame) -> PolarsResult<Vec<Vec<Option<String>>>> {
    let rows = glimpse.height().min(SHOWN as usize);
    let cell = |column: &polars::prelude::Column, row: usize| -> PolarsResult<Option<String>> {
        Ok(column.str()?.get(row).map(str::to_owned))
    };
    (0..rows)
        .map(|row| glimpse.columns().iter().map(|column| cell(column, row)).collect())
        .collect()
}
