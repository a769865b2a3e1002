//! Writes one worksheet of an Excel workbook as a plain CSV file, row by row.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxCellReader};

use crate::error::{Error, nearest};
use crate::frame::input::plain::archive::{DATA, Limits, Meter, each_chunk};
use crate::frame::input::plain::file::{Hints, Plain, Remark};
use crate::frame::input::plain::header::{self, LINES, MOST_COLUMNS, is_blank, same};
use crate::frame::input::plain::rewrite::{Output, plain_name};
use crate::frame::input::plain::scratch::scratch;
use crate::frame::input::plain::zipped::{open_zip, zip_fault};
use crate::safe_text::printable::shown;

const MOST_SHEETS: usize = 1_000;
const MOST_ROWS: u32 = 1 << 20;

/// How much a workbook may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// All its parts together.
    whole: Limits,
    /// A part that is kept in memory.
    kept: Limits,
    /// Texts in the table of shared texts.
    texts: usize,
}

/// The bounds for an export.
pub const LIMITS: Bounds =
    Bounds { whole: DATA, kept: Limits { bytes: 256 << 20, ratio: 200 }, texts: 16 << 20 };

type Book = Xlsx<BufReader<File>>;

/// Reads a workbook into a plain copy.
///
/// # Errors
/// The workbook is damaged or too large, it has no such worksheet, or a value is outside the table.
pub fn read(file: &Path, hints: &Hints<'_>, bounds: Bounds) -> Result<Plain, Error> {
    let place = Place { file };
    check_size(file, bounds)?;
    let open = File::open(file).map_err(Error::io(file, "open the input"))?;
    let mut book: Book = Xlsx::new(BufReader::new(open)).map_err(|error| place.broken(&error))?;
    let sheets = sheets_of(&book, &place)?;
    let chosen = match hints.sheet {
        Some(name) => named(&sheets, name, &place)?,
        None => choose(&mut book, &sheets, hints, &place)?,
    };
    let table = Table::of(&mut book, &chosen, hints, &place)?
        .ok_or_else(|| place.error(format!("the worksheet {} is empty", shown(&chosen))))?;
    let names: Vec<String> =
        table.names.iter().map(|name| plain_name(name, hints.columns)).collect();
    header::check(file, &table.names, u64::from(table.row) + 1, table.row > 0, hints)?;
    let (target, path) = scratch()?;
    let mut output = Output::new(target);
    for name in &names {
        output.field(name)?;
    }
    output.end()?;
    let records = table.write(&mut book, &chosen, &mut output, &place)?;
    output.finish()?;
    let mut remarks = Vec::new();
    if table.row > 0 {
        remarks.push(Remark::LinesBeforeHeader { lines: u64::from(table.row) });
    }
    if sheets.len() > 1 && hints.sheet.is_none() {
        let others = sheets.into_iter().map(|sheet| sheet.name).filter(|name| *name != chosen);
        remarks.insert(0, Remark::Sheet { others: others.collect(), name: chosen });
    }
    let read = path.to_path_buf();
    Ok(Plain { path: read, copy: Some(path), separator: b',', records, remarks })
}

/// The workbook's file, for errors.
struct Place<'a> {
    file: &'a Path,
}

impl Place<'_> {
    fn error(&self, fault: impl Into<String>) -> Error {
        Error::input(self.file.display(), fault)
    }

    fn broken(&self, error: &calamine::XlsxError) -> Error {
        let fault = match error {
            calamine::XlsxError::Password => {
                "the workbook has a password: save it without one".to_owned()
            }
            other => {
                let reason: String = other.to_string().chars().take(80).collect();
                let reason = reason.replace(['\n', '\r'], " ");
                format!("the workbook is damaged ({reason}): open it in Excel and save it again")
            }
        };
        self.error(fault)
    }
}

/// Unpacks each part once, for its true size: a stated size can be false.
fn check_size(file: &Path, bounds: Bounds) -> Result<(), Error> {
    let packed = std::fs::metadata(file).map_err(Error::io(file, "open the input"))?.len();
    let mut archive = open_zip(file, file)?;
    let mut whole = Meter::new(packed, bounds.whole);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| zip_fault(file, &error))?;
        let name = entry.name().map_or_else(|_| String::new(), |name| name.to_lowercase());
        let texts = name.ends_with("sharedstrings.xml");
        let streamed = name.starts_with("xl/worksheets/") || name.starts_with("xl/media/");
        let mut kept = Meter::new(packed, bounds.kept);
        let mut count = 0;
        each_chunk(&mut entry, file, |chunk| {
            whole.add(chunk.len(), file)?;
            if !streamed {
                kept.add(chunk.len(), file)?;
            }
            if texts {
                count += memchr::memmem::find_iter(chunk, "<si").count();
            }
            if count > bounds.texts {
                let fault = format!(
                    "the workbook has more than {} different texts: save it as CSV",
                    bounds.texts
                );
                return Err(Error::input(file.display(), fault));
            }
            Ok(())
        })?;
    }
    Ok(())
}

struct Sheet {
    name: String,
    visible: bool,
}

fn sheets_of(book: &Book, place: &Place<'_>) -> Result<Vec<Sheet>, Error> {
    let all = book.sheets_metadata();
    if all.len() > MOST_SHEETS {
        let count = all.len();
        return Err(place.error(format!(
            "the workbook has {count} worksheets, at most {MOST_SHEETS} are read: save one as CSV"
        )));
    }
    let sheets = all.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    Ok(sheets
        .map(|sheet| Sheet {
            name: sheet.name.clone(),
            visible: sheet.visible == SheetVisible::Visible,
        })
        .collect())
}

fn named(sheets: &[Sheet], wanted: &str, place: &Place<'_>) -> Result<String, Error> {
    const SHOWN: usize = 10;
    if sheets.iter().any(|sheet| sheet.name == wanted) {
        return Ok(wanted.to_owned());
    }
    let mut names: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    if let Some(near) = nearest(wanted, names.iter().copied()) {
        names.sort_by_key(|name| *name != near);
    }
    let mut list: Vec<String> = names.iter().take(SHOWN).map(|name| shown(name)).collect();
    if names.len() > SHOWN {
        list.push("…".to_owned());
    }
    Err(place.error(format!(
        "there is no worksheet {}; there are {}",
        shown(wanted),
        list.join(", ")
    )))
}

/// The first worksheet with the needed columns, or the one with the most rows.
fn choose(
    book: &mut Book,
    sheets: &[Sheet],
    hints: &Hints<'_>,
    place: &Place<'_>,
) -> Result<String, Error> {
    let visible = sheets.iter().filter(|sheet| sheet.visible);
    let mut candidates: Vec<&Sheet> = visible.collect();
    if candidates.is_empty() {
        candidates = sheets.iter().collect();
    }
    match candidates.as_slice() {
        [] => return Err(place.error("the workbook has no worksheet")),
        [only] => return Ok(only.name.clone()),
        _ => {}
    }
    if !hints.columns.is_empty() {
        let mut found: Vec<&str> = Vec::new();
        for sheet in &candidates {
            let table = Table::of(book, &sheet.name, hints, place)?;
            let has = |table: Table| {
                hints.columns.iter().all(|wanted| table.names.iter().any(|name| same(name, wanted)))
            };
            if table.is_some_and(has) {
                found.push(&sheet.name);
            }
        }
        match found.as_slice() {
            [] => {}
            [only] => return Ok((*only).to_owned()),
            several => return Err(alike(several, place)),
        }
    }
    let mut best = (0, String::new());
    for sheet in &candidates {
        let mut rows = Rows::of(book, &sheet.name, place)?;
        let (mut row, mut count) = (Row::default(), 0_u64);
        while rows.next(&mut row)? {
            count += 1;
        }
        if count > best.0 {
            best = (count, sheet.name.clone());
        }
    }
    if best.0 == 0 {
        return Err(place.error("the workbook is empty"));
    }
    let names = Table::of(book, &best.1, hints, place)?.map(|table| table.names);
    let mut same_names: Vec<&str> = Vec::new();
    for sheet in &candidates {
        if Table::of(book, &sheet.name, hints, place)?.map(|table| table.names) == names {
            same_names.push(&sheet.name);
        }
    }
    if same_names.len() > 1 { Err(alike(&same_names, place)) } else { Ok(best.1) }
}

/// The error for worksheets that are parts of one table, as one for each year.
fn alike(sheets: &[&str], place: &Place<'_>) -> Error {
    let names: Vec<String> = sheets.iter().take(5).map(|name| shown(name)).collect();
    place.error(format!(
        "the worksheets {} have the same columns: put their rows into one, or name one as input.sheet",
        names.join(", ")
    ))
}

/// Where the table stands in a worksheet.
struct Table {
    /// The row of the header, from 0.
    row: u32,
    /// Its first column, from 0.
    left: u32,
    names: Vec<String>,
}

impl Table {
    /// None when the worksheet is empty.
    fn of(
        book: &mut Book,
        sheet: &str,
        hints: &Hints<'_>,
        place: &Place<'_>,
    ) -> Result<Option<Self>, Error> {
        let mut rows = Rows::of(book, sheet, place)?;
        let mut sample = Vec::new();
        let mut row = Row::default();
        while sample.len() < header::SAMPLE && rows.next(&mut row)? {
            sample.push(std::mem::take(&mut row));
        }
        Ok(Self::within(sample, hints.columns))
    }

    fn within(sample: Vec<Row>, columns: &[String]) -> Option<Self> {
        let near = sample.iter().take_while(|row| u64::from(row.number) < LINES);
        let described = |row: &Row| {
            !columns.is_empty()
                && columns.iter().all(|name| row.cells.iter().any(|cell| same(&cell.1, name)))
        };
        let widest = sample.iter().map(Row::filled).max()?;
        let wide = |row: &Row| row.filled() == widest || widest > 3 && row.filled() + 1 == widest;
        let at = near.clone().position(described).or_else(|| near.clone().position(wide));
        let at = at.unwrap_or(0);
        let left = sample.iter().skip(at).filter_map(Row::left).min()?;
        let header = sample.into_iter().nth(at)?;
        let right = header.cells.iter().rev().find(|cell| !is_blank(&cell.1))?.0;
        let mut names = vec![String::new(); (right.checked_sub(left)? + 1) as usize];
        for (column, text) in header.cells {
            let name = column.checked_sub(left).and_then(|at| names.get_mut(at as usize));
            if let Some(name) = name {
                *name = text;
            }
        }
        Some(Self { row: header.number, left, names })
    }

    /// Writes the rows below the header.
    fn write(
        &self,
        book: &mut Book,
        sheet: &str,
        output: &mut Output,
        place: &Place<'_>,
    ) -> Result<u64, Error> {
        let mut rows = Rows::of(book, sheet, place)?;
        let mut row = Row::default();
        let mut count = 0;
        let width = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        while rows.next(&mut row)? {
            if row.number <= self.row {
                continue;
            }
            let mut next = 0;
            for (column, text) in &row.cells {
                let inside = column.checked_sub(self.left).filter(|at| *at < width);
                let Some(at) = inside else {
                    if is_blank(text) {
                        continue;
                    }
                    return Err(place.error(format!(
                        "cell {} of the worksheet {} ({}) is outside the table: clear it, or give \
                         its column a name in row {}",
                        address(row.number, *column),
                        shown(sheet),
                        shown(text),
                        self.row + 1
                    )));
                };
                for _ in next..at {
                    output.field("")?;
                }
                output.field(text)?;
                next = at + 1;
            }
            for _ in next..width {
                output.field("")?;
            }
            output.end()?;
            count += 1;
        }
        Ok(count)
    }
}

/// The name of a cell, `B7`.
fn address(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    format!("{}{}", letters.iter().rev().collect::<String>(), row + 1)
}

/// A row that is not empty: its number from 0, and its cells that are not, by column.
#[derive(Default)]
struct Row {
    number: u32,
    cells: Vec<(u32, String)>,
}

impl Row {
    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !is_blank(&cell.1)).count()
    }

    fn left(&self) -> Option<u32> {
        self.cells.iter().find(|cell| !is_blank(&cell.1)).map(|cell| cell.0)
    }
}

/// The rows of a worksheet that are not empty.
struct Rows<'a> {
    cells: XlsxCellReader<'a, BufReader<File>>,
    ahead: Option<(u32, u32, String)>,
    ended: bool,
    place: &'a Place<'a>,
}

impl<'a> Rows<'a> {
    fn of(book: &'a mut Book, sheet: &str, place: &'a Place<'a>) -> Result<Self, Error> {
        let cells = book.worksheet_cells_reader(sheet).map_err(|error| place.broken(&error))?;
        Ok(Self { cells, ahead: None, ended: false, place })
    }

    /// The next cell that is not empty.
    fn cell(&mut self) -> Result<Option<(u32, u32, String)>, Error> {
        if let Some(cell) = self.ahead.take() {
            return Ok(Some(cell));
        }
        while !self.ended {
            let cell = self.cells.next_cell().map_err(|error| self.place.broken(&error))?;
            let Some(cell) = cell else {
                self.ended = true;
                break;
            };
            let (row, column) = cell.get_position();
            let text = text_of(cell.get_value());
            if text.is_empty() {
                continue;
            }
            if row >= MOST_ROWS || column as usize >= MOST_COLUMNS {
                let fault = "the workbook is damaged (a cell is outside any worksheet): open it in \
                             Excel and save it again";
                return Err(self.place.error(fault));
            }
            return Ok(Some((row, column, text)));
        }
        Ok(None)
    }

    /// Reads the next row into `row`; false at the end.
    fn next(&mut self, row: &mut Row) -> Result<bool, Error> {
        loop {
            row.cells.clear();
            let Some((number, column, text)) = self.cell()? else { return Ok(false) };
            row.number = number;
            row.cells.push((column, text));
            while let Some((other, column, text)) = self.cell()? {
                if other != number {
                    if other < number {
                        return Err(self.disorder(number));
                    }
                    self.ahead = Some((other, column, text));
                    break;
                }
                if row.cells.last().is_some_and(|last| last.0 >= column) {
                    return Err(self.disorder(number));
                }
                row.cells.push((column, text));
            }
            if row.filled() > 0 {
                return Ok(true);
            }
        }
    }

    fn disorder(&self, row: u32) -> Error {
        self.place.error(format!(
            "the cells near row {} are not in order: open the workbook in Excel and save it again",
            row + 1
        ))
    }
}

/// A cell as text.
fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(time) => time_of(time),
        DataRef::DateTimeIso(text) => {
            let text = text.replacen('T', " ", 1);
            let midnight = [" 00:00:00", " 00:00:00.000", " 00:00"];
            let day = midnight.iter().find_map(|end| text.strip_suffix(end));
            day.map_or(text.clone(), str::to_owned)
        }
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
    }
}

/// A date, a date with a time, or a time alone.
fn time_of(time: &ExcelDateTime) -> String {
    const DAY: f64 = 86_400.0;
    // Dates from 1900 to 9999.
    const LAST: f64 = 2_958_466.0;
    let value = time.as_f64();
    if !(0.0..LAST).contains(&value) {
        return value.to_string();
    }
    let seconds = (value * DAY).round();
    if time.is_duration() || seconds < DAY {
        let seconds = seconds as u64;
        return format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    // A little more, so that what is cut off is not a second that was stored a bit too small.
    let whole = ExcelDateTime::new(
        (seconds + 0.002) / DAY,
        calamine::ExcelDateTimeType::DateTime,
        is_1904(time),
    );
    let (year, month, day, hour, minute, second, _) = whole.to_ymd_hms_milli();
    if (hour, minute, second) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Whether days are counted from 1904, which calamine does not tell.
fn is_1904(time: &ExcelDateTime) -> bool {
    let from_1904 = ExcelDateTime::new(time.as_f64(), calamine::ExcelDateTimeType::DateTime, true);
    from_1904.to_ymd_hms_milli() == time.to_ymd_hms_milli()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;
    use tempfile::NamedTempFile;
    use zip::write::SimpleFileOptions;

    const NS: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";

    /// A workbook of sheets given as XML rows.
    fn book(sheets: &[(&str, &str)], properties: &str) -> NamedTempFile {
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let (mut list, mut links, mut parts) = (String::new(), String::new(), Vec::new());
        for (at, (name, rows)) in (1..).zip(sheets) {
            list += &format!("<sheet name=\"{name}\" sheetId=\"{at}\" r:id=\"rId{at}\"/>");
            links += &format!(
                "<Relationship Id=\"rId{at}\" Type=\"{office}/worksheet\" \
                 Target=\"worksheets/sheet{at}.xml\"/>"
            );
            let sheet = format!("<worksheet {NS}><sheetData>{rows}</sheetData></worksheet>");
            parts.push((format!("xl/worksheets/sheet{at}.xml"), sheet));
        }
        links += &format!(
            "<Relationship Id=\"rIdS\" Type=\"{office}/styles\" Target=\"styles.xml\"/>\
             <Relationship Id=\"rIdT\" Type=\"{office}/sharedStrings\" Target=\"sharedStrings.xml\"/>"
        );
        parts.push((
            "xl/workbook.xml".to_owned(),
            format!(
                "<workbook {NS} xmlns:r=\"{office}\">{properties}<sheets>{list}</sheets></workbook>"
            ),
        ));
        parts.push((
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
                 {links}</Relationships>"
            ),
        ));
        parts.push((
            "_rels/.rels".to_owned(),
            format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
                 <Relationship Id=\"rId1\" Type=\"{office}/officeDocument\" \
                 Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ));
        parts.push((
            "xl/styles.xml".to_owned(),
            format!(
                "<styleSheet {NS}><cellXfs count=\"4\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/>\
                 <xf numFmtId=\"22\"/><xf numFmtId=\"46\"/></cellXfs></styleSheet>"
            ),
        ));
        parts.push((
            "xl/sharedStrings.xml".to_owned(),
            format!(
                "<sst {NS}><si><t>id</t></si><si><t>day</t></si><si><t>şehir, \"x\"</t></si></sst>"
            ),
        ));
        let mut writer = zip::ZipWriter::new(NamedTempFile::new().unwrap());
        for (name, text) in parts {
            writer.start_file(name, SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap()
    }

    fn row(number: u32, cells: &[&str]) -> String {
        let cell = |(at, text): (u32, &&str)| {
            let place = address(number - 1, at);
            match text.split_once('!') {
                _ if text.is_empty() => String::new(),
                Some((style, value)) => format!("<c r=\"{place}\" {style}><v>{value}</v></c>"),
                None => format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
            }
        };
        let cells: String = (0..).zip(cells).map(cell).collect();
        format!("<row r=\"{number}\">{cells}</row>")
    }

    fn read_as(
        book: &NamedTempFile,
        sheet: Option<&str>,
        columns: &[&str],
    ) -> Result<(String, Plain), String> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let hints = Hints {
            separator: "auto",
            encoding: "auto",
            sheet,
            columns: &columns,
            vital: &columns,
        };
        let plain = read(book.path(), &hints, LIMITS).map_err(|e| e.to_string())?;
        Ok((std::fs::read_to_string(&plain.path).unwrap(), plain))
    }

    #[test]
    fn cells_as_text() {
        let rows = [
            row(1, &["t=\"s\"!0", "t=\"s\"!1", "x", "y", "z"]),
            row(2, &["!5", "s=\"1\"!44743", "s=\"2\"!44743.75", "t=\"b\"!1", "t=\"e\"!#N/A"]),
            row(3, &["t=\"s\"!2", "", "s=\"3\"!1.5", "!0.1", "!1234567.25"]),
            row(
                9,
                &[
                    "!1E3",
                    "t=\"d\"!2022-07-01T00:00:00",
                    "t=\"str\"!a&amp;b",
                    "s=\"2\"!44743.9999999",
                    "",
                ],
            ),
        ];
        let (text, plain) = read_as(&book(&[("S", &rows.concat())], ""), None, &[]).unwrap();
        assert_eq!(
            text,
            "id,day,x,y,z\n\
             5,2022-07-01,2022-07-01 18:00:00,true,#N/A\n\
             \"şehir, \"\"x\"\"\",,36:00:00,0.1,1234567.25\n\
             1000,2022-07-01,a&b,2022-07-02,\n"
        );
        assert_eq!((plain.records, plain.remarks, plain.separator), (3, vec![], b','));
        let early = "<workbookPr date1904=\"1\"/>";
        let rows = [row(1, &["id", "day"]), row(2, &["!5", "s=\"1\"!43281"])].concat();
        let (text, _) = read_as(&book(&[("S", &rows)], early), None, &[]).unwrap();
        assert_eq!(text, "id,day\n5,2022-07-01\n");
    }

    #[test]
    fn titles_and_margins() {
        let rows = [
            row(2, &["", "Report"]),
            row(4, &["", "id", "day", "city"]),
            row(5, &["", "!1", "x", "y"]),
            row(6, &["", "!2"]),
        ];
        let (text, plain) = read_as(&book(&[("S", &rows.concat())], ""), None, &[]).unwrap();
        assert_eq!(text, "id,day,city\n1,x,y\n2,,\n");
        assert_eq!(plain.remarks, [Remark::LinesBeforeHeader { lines: 3 }]);
    }

    #[test]
    fn a_stray_far_cell() {
        let rows = [row(1, &["id", "day"]), row(2, &["!1", "x"])].concat();
        let far = "<row r=\"1048576\"><c r=\"XFD1048576\" t=\"str\"><v>?</v></c></row>";
        let blank = far.replace('?', " ");
        let (text, _) = read_as(&book(&[("S", &(rows.clone() + &blank))], ""), None, &[]).unwrap();
        assert_eq!(text, "id,day\n1,x\n");
        let error = read_as(&book(&[("S", &(rows + far))], ""), None, &[]).unwrap_err();
        assert!(
            error.contains("cell XFD1048576") && error.contains("outside the table"),
            "{error}"
        );
    }

    #[test]
    fn sheets() {
        let small = [row(1, &["id", "day"]), row(2, &["!1", "x"])].concat();
        let large = [row(1, &["a", "b"]), row(2, &["!1", "x"]), row(3, &["!2", "y"])].concat();
        let book = book(&[("Orders", &small), ("Other", &large), ("Empty", "")], "");
        let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
        let (text, plain) = read_as(&book, None, &[]).unwrap();
        assert_eq!(first(text), "a,b");
        let others = vec!["Orders".to_owned(), "Empty".to_owned()];
        assert_eq!(plain.remarks, [Remark::Sheet { name: "Other".to_owned(), others }]);
        assert_eq!(first(read_as(&book, None, &["day"]).unwrap().0), "id,day");
        let (text, plain) = read_as(&book, Some("Orders"), &[]).unwrap();
        assert_eq!((first(text), plain.remarks), ("id,day".to_owned(), vec![]));
        let error = read_as(&book, Some("orders"), &[]).unwrap_err();
        assert!(error.contains("there are \"Orders\", \"Other\", \"Empty\""), "{error}");
        assert!(read_as(&book, Some("Empty"), &[]).unwrap_err().contains("is empty"));
    }

    #[test]
    fn too_large_or_damaged() {
        let rows = row(1, &["id", &"x".repeat(3 << 20)]);
        let large = book(&[("S", &rows)], "");
        let hints =
            Hints { separator: "auto", encoding: "auto", sheet: None, columns: &[], vital: &[] };
        let limits = Limits { bytes: 1 << 20, ratio: 200 };
        let error = read(large.path(), &hints, Bounds { whole: limits, ..LIMITS }).unwrap_err();
        assert!(error.to_string().contains("more than 200 times"), "{error}");
        let error = read(large.path(), &hints, Bounds { texts: 2, ..LIMITS }).unwrap_err();
        assert!(error.to_string().contains("different texts"), "{error}");
        let sound = book(&[("S", &row(1, &["id", "day"]))], "");
        let bytes = std::fs::read(sound.path()).unwrap();
        for end in (30..bytes.len()).step_by(7) {
            let cut = NamedTempFile::new().unwrap();
            std::fs::write(cut.path(), &bytes[..end]).unwrap();
            assert!(read_as(&cut, None, &[]).unwrap_err().contains("damaged"));
        }
        let broken = book(&[("S", "<row r=\"1\"><c r=\"A1\"><v>5</v>")], "");
        assert!(read_as(&broken, None, &[]).unwrap_err().contains("damaged"));
        let disorder = [row(3, &["id", "day"]), row(2, &["!1", "x"])].concat();
        assert!(read_as(&book(&[("S", &disorder)], ""), None, &[]).unwrap_err().contains("order"));
    }
}
