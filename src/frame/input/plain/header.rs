//! Finds the separator and the header line of a text, and checks the header.

use std::path::Path;

use crate::error::Error;
use crate::frame::input::plain::file::Hints;
use crate::frame::input::plain::records::{Record, Records, Rules};
use crate::safe_text::printable::shown;

/// Records that are looked at.
pub const SAMPLE: usize = 150;

/// Lines within which the header stands.
pub const LINES: u64 = 50;

/// Columns that are read at most: a spreadsheet holds no more, and no export has as many.
pub const MOST_COLUMNS: usize = 16_384;

/// Separators, by preference.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Where the table starts and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The separator.
    pub separator: u8,
    /// The header's first byte.
    pub start: u64,
    /// The header's first line.
    pub line: u64,
    /// Lines before it, without a `sep=` line.
    pub skipped: u64,
    /// The names as written.
    pub names: Vec<String>,
}

impl Layout {
    /// Whether the header is at the very start, and a caller finds the names as they are.
    pub fn is_plain(&self, columns: &[String]) -> bool {
        self.start == 0
            && columns.iter().all(|wanted| {
                self.names.contains(wanted) || !self.names.iter().any(|name| same(name, wanted))
            })
    }
}

/// A record of the sample.
struct Row {
    line: u64,
    start: u64,
    cells: Vec<String>,
}

impl Row {
    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !is_blank(cell)).count()
    }

    fn has_all(&self, columns: &[String]) -> bool {
        columns.iter().all(|wanted| self.cells.iter().any(|cell| same(cell, wanted)))
    }
}

/// Looks at the start of a text (UTF-8 without byte order mark), which is `whole` or cut.
///
/// # Errors
/// The text is empty, or its header cannot be one.
pub fn find(place: &Path, head: &[u8], whole: bool, hints: &Hints<'_>) -> Result<Layout, Error> {
    if head.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::input(place.display(), "the file is empty"));
    }
    let first = head.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let stated = stated_separator(first);
    let (body, line) = match stated {
        Some(_) => (head.get(first.len()..).unwrap_or_default(), 2),
        None => (head, 1),
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::input(place.display(), "the file is empty"));
    }
    let hinted = (hints.separator != "auto").then(|| hints.separator.bytes().next()).flatten();
    let given = hinted.or(stated);
    let (separator, row) = choose(body, line, whole, given, hints.columns);
    let layout = Layout {
        separator,
        start: row.start + (head.len() - body.len()) as u64,
        line: row.line,
        skipped: row.line - line,
        names: row.cells,
    };
    check(place, &layout.names, layout.line, layout.skipped > 0, hints)?;
    Ok(layout)
}

/// The separator and the header.
fn choose(body: &[u8], line: u64, whole: bool, given: Option<u8>, columns: &[String]) -> (u8, Row) {
    let mut usual = given.unwrap_or_else(|| separator_of(body));
    let mut others: Vec<u8> = SEPARATORS.into_iter().filter(|other| *other != usual).collect();
    if given.is_some() {
        others.clear();
    }
    let mut rows = sample(body, usual, line, whole);
    if !columns.is_empty() {
        let described = |rows: &[Row]| {
            rows.iter().position(|row| row.line < line + LINES && row.has_all(columns))
        };
        if let Some(at) = described(&rows) {
            return (usual, rows.swap_remove(at));
        }
        for &other in &others {
            let mut rows = sample(body, other, line, whole);
            if let Some(at) = described(&rows) {
                return (other, rows.swap_remove(at));
            }
        }
    }
    let mut at = Shape::of(&rows).map_or(0, |shape| shape.header(&rows, line));
    let certain = Shape::of(&rows).is_some_and(|shape| at == 0 && shape.fits_first(&rows));
    if !certain {
        let mut best = Shape::of(&rows).map(|shape| shape.score());
        for other in others {
            let found = sample(body, other, line, whole);
            let Some(shape) = Shape::of(&found) else { continue };
            if best.is_none_or(|best| shape.score() > best) {
                best = Some(shape.score());
                at = shape.header(&found, line);
                (usual, rows) = (other, found);
            }
        }
    }
    let at = at.min(rows.len().saturating_sub(1));
    let nothing = Row { line, start: 0, cells: Vec::new() };
    (usual, if rows.is_empty() { nothing } else { rows.swap_remove(at) })
}

/// How many fields most records have, and how many of these are filled.
struct Shape {
    width: usize,
    filled: usize,
    /// Records of that width, in 1,000 records.
    share: usize,
}

impl Shape {
    /// None when there is but one column.
    fn of(rows: &[Row]) -> Option<Self> {
        let width = most_frequent(rows.iter().map(|row| row.cells.len()).filter(|n| *n > 1))?;
        let wide: Vec<&Row> = rows.iter().filter(|row| row.cells.len() == width).collect();
        let filled = most_frequent(wide.iter().map(|row| row.filled()))?;
        Some(Self { width, filled, share: wide.len() * 1000 / rows.len().max(1) })
    }

    fn score(&self) -> (usize, usize) {
        (self.share, self.width)
    }

    /// Whether the first line has the width of the table, and there is a table.
    fn fits_first(&self, rows: &[Row]) -> bool {
        self.share >= 500 && rows.first().is_some_and(|row| row.cells.len() >= self.width)
    }

    /// Whether a record is as wide as the table and no title that a spreadsheet padded.
    fn is_candidate(&self, row: &Row) -> bool {
        let filled = row.filled();
        let padded_title = filled == 1 && row.cells.first().is_some_and(|cell| !is_blank(cell));
        row.cells.len() >= self.width
            && (self.filled < 2 || (!padded_title && filled * 2 >= self.filled))
    }

    /// The position of the header.
    fn header(&self, rows: &[Row], line: u64) -> usize {
        let mut near = rows.iter().take_while(|row| row.line < line + LINES);
        let Some(at) = near.position(|row| self.is_candidate(row)) else { return 0 };
        // Where the table has no header, a first line that is nearly as wide is the better one:
        // it is complained of, and no row vanishes.
        let numbers = rows.get(at).is_some_and(|row| row.cells.iter().any(|cell| is_number(cell)));
        let wide = rows.first().is_some_and(|row| row.cells.len() * 2 > self.width);
        let padded = rows.first().is_some_and(|row| row.cells.len() >= self.width);
        if at > 0 && numbers && wide && !padded { 0 } else { at }
    }
}

/// The most frequent number, the larger one of two.
fn most_frequent(numbers: impl Iterator<Item = usize>) -> Option<usize> {
    let mut counts = std::collections::BTreeMap::new();
    numbers.for_each(|number| *counts.entry(number).or_insert(0_usize) += 1);
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(number, _)| number)
}

/// The first records of a text.
fn sample(body: &[u8], separator: u8, line: u64, whole: bool) -> Vec<Row> {
    let mut records = Records::new(body, separator, Rules::Doubled, line);
    let mut record = Record::default();
    let mut rows = Vec::new();
    while rows.len() < SAMPLE && matches!(records.read(&mut record), Ok(true)) {
        if !record.terminated && !whole && !rows.is_empty() {
            break;
        }
        let cells = record.fields().map(|f| String::from_utf8_lossy(f).into_owned()).collect();
        rows.push(Row { line: record.line, start: record.offset, cells });
    }
    rows
}

/// The separator that occurs most often in the first line outside quotes.
fn separator_of(body: &[u8]) -> u8 {
    let mut lines = body.split(|byte| *byte == b'\n');
    let header = lines.find(|line| !line.iter().all(u8::is_ascii_whitespace)).unwrap_or_default();
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

/// The separator that a first line `sep=;` states, as Excel writes and reads it.
fn stated_separator(line: &[u8]) -> Option<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\""));
    match bare.unwrap_or(line) {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] if separator.is_ascii() => {
            Some(*separator)
        }
        _ => None,
    }
}

/// Refuses a header that cannot be one: too wide, a row of data, or a needed name that stands
/// twice.
pub fn check(
    place: &Path,
    names: &[String],
    line: u64,
    after_others: bool,
    hints: &Hints<'_>,
) -> Result<(), Error> {
    let refuse = |fault: String| Err(Error::input(place.display(), fault));
    let which = if after_others { format!("line {line}") } else { "the first line".to_owned() };
    if names.len() > MOST_COLUMNS {
        return refuse(format!(
            "{which} has {} columns or more, at most {MOST_COLUMNS} are read: is it a header?",
            names.len()
        ));
    }
    if names.iter().all(|name| is_blank(name)) {
        return refuse(format!("{which} has no names: add a line with the names of the columns"));
    }
    for wanted in hints.columns {
        let at = |exact: bool| {
            let equal = |name: &&String| if exact { **name == *wanted } else { same(name, wanted) };
            let numbered = (1..).zip(names).filter(move |(_, name)| equal(name));
            numbered.map(|(at, _)| at).collect::<Vec<usize>>()
        };
        let exact = at(true);
        let found = if exact.is_empty() { at(false) } else { exact };
        if let [first, second, ..] = found.as_slice() {
            return refuse(format!(
                "the column {} stands twice in the header, at positions {first} and {second}: \
                 rename one of them",
                shown(wanted)
            ));
        }
    }
    let known = |wanted: &String| names.iter().any(|name| same(name, wanted));
    if !hints.columns.is_empty() && hints.columns.iter().all(known) {
        return Ok(());
    }
    let data = |(_, name): &(usize, &String)| is_data(name) || after_others && is_count(name);
    match (1..).zip(names).find(data) {
        // The address of a customer belongs in no message.
        Some((column, cell)) if is_address(trimmed(cell)) => refuse(format!(
            "{which} looks like data (an e-mail address in column {column}): add a line with the \
             names of the columns"
        )),
        Some((_, cell)) => refuse(format!(
            "{which} looks like data ({}): add a line with the names of the columns",
            shown(cell)
        )),
        None => Ok(()),
    }
}

/// Whether two names are the same but for blanks around them.
pub fn same(name: &str, other: &str) -> bool {
    name == other || trimmed(name) == trimmed(other)
}

/// A name without the blanks around it.
pub fn trimmed(name: &str) -> &str {
    name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}')
}

/// Whether there is nothing to see.
pub fn is_blank(cell: &str) -> bool {
    trimmed(cell).is_empty()
}

/// Whether a cell is no name: a full date, a number with a fraction or an e-mail address.
fn is_data(cell: &str) -> bool {
    let cell = trimmed(cell);
    is_date(cell) || is_fraction(cell) || is_address(cell)
}

/// Whether a cell is a number or data otherwise.
fn is_number(cell: &str) -> bool {
    is_data(cell) || is_count(cell)
}

/// Whether a cell is a whole number, and not a year.
fn is_count(cell: &str) -> bool {
    let cell = trimmed(cell);
    let year = cell.len() == 4 && matches!(cell.get(..2), Some("19" | "20"));
    !cell.is_empty() && !year && cell.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_date(cell: &str) -> bool {
    let day = cell.split([' ', 'T']).next().unwrap_or_default();
    ['-', '.', '/'].into_iter().any(|mark| {
        let parts: Vec<&str> = day.split(mark).collect();
        let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        parts.iter().all(digits)
            && matches!(lengths.as_slice(), [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4])
    })
}

fn is_fraction(cell: &str) -> bool {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let allowed = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b',';
    let inner = digits.rsplit_once(['.', ',']);
    digits.bytes().all(allowed)
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && inner.is_some_and(|(_, fraction)| !fraction.is_empty())
}

fn is_address(cell: &str) -> bool {
    let Some((user, host)) = cell.split_once('@') else { return false };
    let odd =
        |text: &str| text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '@');
    !odd(user) && !odd(host) && host.trim_matches('.').contains('.')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn layout_with(text: &str, separator: &str, columns: &[&str]) -> Result<Layout, String> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let hints =
            Hints { separator, encoding: "auto", sheet: None, columns: &columns, vital: &columns };
        find(Path::new("x.csv"), text.as_bytes(), true, &hints).map_err(|e| e.to_string())
    }

    fn layout(text: &str) -> (char, u64, Vec<String>) {
        let layout = layout_with(text, "auto", &[]).unwrap();
        (layout.separator as char, layout.line, layout.names)
    }

    #[test]
    fn plain_files_stay_as_they_are() {
        for (text, separator) in [
            ("a,b,c\n1;2;3;4;5\n", ','),
            ("\"x,y,z\";b;c\n1;2;3\n", ';'),
            ("a\tb\n1\t2\n", '\t'),
            ("only\n1\n2\n", ','),
            ("a,b,c\n1,2\n1,2\n1,2\n", ','),
            ("a,b\n1,2,3\n1,2,3\n", ','),
            ("a;b;c;;\n1;2;3;;\n1;2;3;;x\n1;2;3;y;x\n", ';'),
            ("a,,,b\n1,2,3,4\n1,2,3,4\n", ','),
            (",amount\n0,5\n1,6\n", ','),
            ("#id,name\n1,x\n2,y\n", ','),
            ("id;price\n1;2,50\n2;3,50\n", ';'),
        ] {
            let (found, line, _) = layout(text);
            assert_eq!((found, line), (separator, 1), "{text:?}");
        }
    }

    #[test]
    fn titles() {
        let table = "id;day;city\n1;x;y\n2;x;y\n3;x;y\n";
        for (before, lines) in [
            ("Sales report\nPeriod: July, August\n\n", 3),
            ("Sales report;;\n;;\n", 2),
            ("# made by a shop\n# on a day\n", 2),
            ("\n\n", 2),
            ("Report, with, commas, in, it\n", 1),
            ("Report \"x\n", 1),
        ] {
            let text = format!("{before}{table}");
            let (separator, line, names) = layout(&text);
            assert_eq!((separator, line), (';', lines + 1), "{text:?}");
            assert_eq!(names, ["id", "day", "city"]);
            let named = layout_with(&text, "auto", &["city", "id"]).unwrap();
            assert_eq!((named.line, named.skipped), (lines + 1, lines));
        }
        let stated = layout_with(&format!("sep=;\r\n{table}"), "auto", &[]).unwrap();
        assert_eq!((stated.start, stated.line, stated.skipped), (7, 2, 0));
        let odd = layout_with("sep=^\na^b\n1^2\n", "auto", &[]).unwrap();
        assert_eq!((odd.separator, odd.names), (b'^', vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(layout_with("sep=;\na|b\n1|2\n", "|", &[]).unwrap().separator, b'|');
    }

    #[test]
    fn named_columns_find_the_header() {
        let text = "Shop A;2022\nid;x\nid,price;x\n1,2;x\n";
        let found = layout_with(text, "auto", &["id"]).unwrap();
        assert_eq!((found.separator, found.line), (b';', 2));
        let blank = layout_with(" id , price \n1,2\n", "auto", &["price"]).unwrap();
        assert!(!blank.is_plain(&["price".to_owned()]));
        assert!(blank.is_plain(&[" price ".to_owned()]));
        assert!(blank.is_plain(&["other".to_owned()]));
    }

    #[test]
    fn headers_that_are_none() {
        for (text, shown) in [
            ("1,2022-07-01,x\n2,2022-07-02,y\n", "\"2022-07-01\""),
            ("1;30.05.2021 10:00;x\n2;31.05.2021 10:00;y\n", "30.05.2021 10:00"),
            ("K1;49,90;x\nK2;20,00;x\n", "49,90"),
            ("only\n1,5\n2,5\n3,5\n", "line 2 looks"),
            ("a@b.example,x\nc@d.example,x\n", "e-mail address in column 1"),
            ("Report\nK1;5;x\nK2;6;x\n", "line 2 looks like data (\"5\")"),
        ] {
            let error = layout_with(text, "auto", &[]).unwrap_err();
            assert!(error.contains("looks like data") && error.contains(shown), "{error}");
        }
        let error = layout_with("id,amount,x,amount\n", "auto", &["amount"]).unwrap_err();
        assert!(error.contains("positions 2 and 4"), "{error}");
        assert!(layout_with("id,amount,x,amount\n", "auto", &["id"]).is_ok());
        assert!(layout_with("id,2021-05-30,2021-06-30\n", "auto", &["id"]).is_ok());
        assert!(layout_with(" \r\n\n", "auto", &[]).unwrap_err().contains("is empty"));
        assert!(layout_with("sep=;\n", "auto", &[]).unwrap_err().contains("is empty"));
        assert!(layout_with(&"a,".repeat(20_000), "auto", &[]).unwrap_err().contains("16384"));
    }
}
