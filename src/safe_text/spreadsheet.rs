//! Cells that a spreadsheet would run as formulas, made plain text.

use std::borrow::Cow;

/// The cell with an apostrophe wherever a spreadsheet would otherwise begin a formula: at its start
/// and, because a file may be opened with another separator than it was written with, after every
/// semicolon, tab and line break in it.
pub fn harmless(cell: &str) -> Cow<'_, str> {
    if !cell.split(BREAKS).any(is_formula) {
        return Cow::Borrowed(cell);
    }
    let parts = cell.split_inclusive(BREAKS).map(|part| match is_formula(part) {
        true => format!("'{part}"),
        false => part.to_owned(),
    });
    Cow::Owned(parts.collect())
}

/// A cell or title of a CSV file as it is written: harmless, and in quotation marks wherever `,` `;` or
/// a tab would split it, or it could go on with a formula that the cell before it begins (`-5,2+A!B1`
/// is one where numbers have decimal commas).
pub fn csv_cell(cell: &str) -> Cow<'_, str> {
    // Most cells are letters and digits.
    let splits = |byte: u8| matches!(byte, b',' | b';' | b'\t' | b'\n' | b'\r' | b'"');
    let computes = |byte: u8| matches!(byte, b'|' | b'!' | b'(' | b'=');
    // An empty text is not a missing value.
    if cell.is_empty() || cell.bytes().any(|byte| splits(byte) || computes(byte)) {
        return Cow::Owned(format!("\"{}\"", harmless(cell).replace('"', "\"\"")));
    }
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Where a spreadsheet may begin a new cell within one of ours. A comma needs no mention: it is the
/// separator of the file, so that a cell with a comma is quoted.
const BREAKS: [char; 4] = [';', '\t', '\n', '\r'];

/// Whether a spreadsheet would run a text as a formula, be it after blanks, quotation marks or
/// letters without a width. A negative number, or a telephone number with its plus, is no formula.
fn is_formula(text: &str) -> bool {
    let mut letters = text.trim_start_matches(passed_over).trim_end_matches(BREAKS).chars();
    match letters.next() {
        Some('=' | '@' | '＝' | '＠') => true,
        Some('+' | '-' | '＋' | '－' | '−') => {
            !letters.all(|c| c.is_ascii_digit() || " ().-".contains(c))
        }
        _ => false,
    }
}

/// Letters that a spreadsheet may drop from the beginning of a cell.
fn passed_over(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '"' | '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_as_they_are_written() {
        for (cell, written) in [
            ("", "\"\""),
            ("Ayşe 12", "Ayşe 12"),
            ("-5", "-5"),
            ("+90 532", "+90 532"),
            ("+A1", "'+A1"),
            ("@x", "'@x"),
            ("=1", "\"'=1\""),
            ("a,b", "\"a,b\""),
            ("a;-B1", "\"a;'-B1\""),
            ("2+A!B1", "\"2+A!B1\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(csv_cell(cell), written, "{cell:?}");
        }
    }

    #[test]
    fn formulas_become_text() {
        for (cell, safe) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("+HYPERLINK(1)", "'+HYPERLINK(1)"),
            (" =1+1", "' =1+1"),
            ("\u{a0}\u{feff}=1+1", "'\u{a0}\u{feff}=1+1"),
            ("\u{200b}=1+1", "'\u{200b}=1+1"),
            ("\"=1+1\"", "'\"=1+1\""),
            ("＝1+1", "'＝1+1"),
            ("－A1", "'－A1"),
            ("a;=1+1", "a;'=1+1"),
            ("a; =1+1;b;@x", "a;' =1+1;b;'@x"),
            ("a\n=1+1", "a\n'=1+1"),
            ("a\t=1+1", "a\t'=1+1"),
            ("\t=1+1", "\t'=1+1"),
            ("\r\n=1+1", "\r\n'=1+1"),
        ] {
            assert_eq!(harmless(cell), safe, "{cell:?}");
            assert_eq!(harmless(&safe.replace('\'', "")), safe, "{cell:?}");
        }
    }

    #[test]
    fn other_text_stays() {
        for cell in [
            "-5",
            "-5.25",
            "+90 532 000 00 00",
            "+90 (532) 000-00-00",
            "a=b",
            "x;-5;y",
            "",
            ";",
            "\n",
            "[AKTIFSPOR, ERKEK]",
            "it's",
            "5 - 3",
            "a@b.c",
            "a, =b",
            "-",
        ] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
