//! Building blocks of all pages on the terminal: paragraphs, and tables that fit its width.

use crate::results::findings::{Finding, Severity};
use crate::safe_text::printable::printable;
use crate::safe_text::redacted::redacted;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// Width in characters without a terminal, unless the environment's `COLUMNS` says another.
const PLAIN_WIDTH: usize = 80;
/// Narrowest and widest page.
const WIDTHS: (usize, usize) = (60, 110);

/// Codes of the terminal for bold and yellow text, and for the end of them.
const BOLD: &str = "\u{1b}[1m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

/// The mark before a warning.
pub const WARNING: &str = "\u{1b}[33m!\u{1b}[0m";

/// The text to print, built line by line.
#[derive(Default)]
pub struct Page {
    /// The lines so far.
    pub text: String,
}

impl Page {
    /// Adds a line. Nothing in it can steer the terminal but the styles of this file.
    pub fn line(&mut self, text: &str) {
        self.text.push_str(&styled(text));
        self.text.push('\n');
    }

    /// Adds a title with a blank line before it.
    pub fn title(&mut self, text: &str) {
        self.line("");
        self.heading(text);
    }

    /// Adds a bold line.
    pub fn heading(&mut self, text: &str) {
        self.line(&format!("{BOLD}{text}{PLAIN}"));
    }

    /// Adds text with a mark before its first line, wrapped and indented by `indent` characters.
    pub fn paragraph(&mut self, mark: &str, indent: usize, text: &str) {
        let first = format!(" {mark}{}", " ".repeat(indent.saturating_sub(visible(mark) + 1)));
        self.wrapped(first, indent, text);
    }

    /// Adds text from the margin on, wrapped.
    pub fn margin(&mut self, text: &str) {
        self.wrapped(String::new(), 0, text);
    }

    /// Adds text after the beginning of a line, whose width is `indent`.
    fn wrapped(&mut self, mut line: String, indent: usize, text: &str) {
        let mut used = indent;
        for word in text.split_whitespace() {
            if used > indent && used + 1 + word.chars().count() > width() {
                self.line(&line);
                line = " ".repeat(indent);
                used = indent;
            }
            if used > indent {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += word.chars().count();
        }
        self.line(&line);
    }

    /// Adds a finding with its remedy.
    pub fn finding(&mut self, finding: &Finding) {
        let text = format!("{} → {}", sentence(&finding.message), finding.remedy);
        self.paragraph(mark(finding), 4, &text);
    }

    /// Number of lines so far.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Adds a table.
    pub fn table(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(line.trim_end());
        }
    }
}

/// Largest width of a line in characters.
pub fn width() -> usize {
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = Table::new().width().map(usize::from).or_else(said).unwrap_or(PLAIN_WIDTH);
    width.clamp(WIDTHS.0, WIDTHS.1)
}

/// An empty table, as wide as its contents: identifiers are never wrapped, so that they can be
/// copied.
pub fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A table of right-aligned numbers after a left-aligned first column.
pub fn number_table(header: Vec<String>, rows: Vec<Vec<String>>) -> Table {
    let mut table = plain_table();
    table.set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A table of numbers that is at most as wide as the terminal: groups of columns that can be spared
/// are left out, the first of them first.
pub fn fitted_table(header: Vec<String>, rows: Vec<Vec<String>>, spare: &[&[usize]]) -> Table {
    let mut kept: Vec<usize> = (0..header.len()).collect();
    let mut spare = spare.iter();
    loop {
        let cells = |row: &Vec<String>| kept.iter().map(|column| row[*column].clone()).collect();
        let table = number_table(cells(&header), rows.iter().map(cells).collect());
        let widest = table.lines().map(|line| line.trim_end().chars().count()).max();
        if widest.unwrap_or(0) <= width() {
            return table;
        }
        match spare.next() {
            Some(left_out) => kept.retain(|column| !left_out.contains(column)),
            None => return table,
        }
    }
}

/// The beginning and the end of a text that has more than so many characters.
pub fn shortened(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let end = most / 2;
    let begin = most - 1 - end;
    letters[..begin].iter().chain(&['…']).chain(&letters[letters.len() - end..]).collect()
}

/// What stands before a finding.
pub fn mark(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Warning => WARNING,
        Severity::Note => "·",
    }
}

/// Adds the findings, each with its remedy.
pub fn findings(page: &mut Page, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    page.title("Read this before you use the numbers");
    for finding in findings {
        page.finding(finding);
    }
}

/// A safe line in which our own styles stay.
fn styled(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        safe.push_str(&printable(&redacted(&rest[..at])));
        rest = &rest[at..];
        let style = [BOLD, YELLOW, PLAIN].into_iter().find(|style| rest.starts_with(style));
        safe.push_str(style.unwrap_or("\u{fffd}"));
        rest = &rest[style.map_or(1, str::len)..];
    }
    safe + &printable(&redacted(rest))
}

/// Number of visible characters of a mark, without its colour codes.
fn visible(mark: &str) -> usize {
    if mark.starts_with('\u{1b}') { 1 } else { mark.chars().count() }
}

/// As `printable`, with a capital first letter unless the text begins with an identifier.
pub fn sentence(text: &str) -> String {
    let mut letters = printable(text).chars().collect::<Vec<_>>();
    let is_name = text.split_whitespace().next().is_some_and(|word| word.contains('_'));
    if let Some(first) = letters.first_mut().filter(|_| !is_name) {
        *first = first.to_ascii_uppercase();
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_styles_reach_the_terminal() {
        let mut page = Page::default();
        page.title("a\u{1b}[2Jb\nc");
        page.line("s3://k:secret@bucket");
        assert_eq!(page.text, "\n\u{1b}[1ma\u{fffd}[2Jb\u{fffd}c\u{1b}[0m\ns3://***@bucket\n");
    }
}
