//! Building blocks of all pages on the terminal: paragraphs, tables, numbers for people.

use crate::results::findings::{Finding, Severity};
use crate::safe_text::printable::printable;
use crate::safe_text::redacted::redacted;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// Width in characters without a terminal.
const PLAIN_WIDTH: u16 = 100;

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
        let mut line = format!(" {mark}{}", " ".repeat(indent.saturating_sub(visible(mark) + 1)));
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

    /// Adds a table.
    pub fn table(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(line.trim_end());
        }
    }
}

/// Largest width of a line in characters.
fn width() -> usize {
    usize::from(Table::new().width().unwrap_or(PLAIN_WIDTH)).clamp(60, 110)
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

/// Adds the findings, each with its remedy.
pub fn findings(page: &mut Page, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    page.title("Read this before you use the numbers");
    for finding in findings {
        let mark = match finding.severity {
            Severity::Warning => WARNING,
            Severity::Note => "·",
        };
        page.paragraph(mark, 4, &sentence(&finding.message));
        page.paragraph("", 4, &format!("→ {}", finding.remedy));
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

/// 1234567.8 as 1,234,568.
pub fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value <= -0.5 { format!("-{text}") } else { text }
}

/// Two decimals below a thousand, none above.
pub fn decimal(value: f64) -> String {
    if value.abs() >= 1000.0 {
        whole(value)
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// Five significant digits.
pub fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = (4.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(whole(1_234_567.8), "1,234,568");
        assert_eq!(whole(999.4), "999");
        assert_eq!(decimal(80.34), "80.34");
        assert_eq!(significant(0.242_594_5), "0.24259");
        assert_eq!(significant(76.172_36), "76.172");
    }

    #[test]
    fn only_our_own_styles_reach_the_terminal() {
        let mut page = Page::default();
        page.title("a\u{1b}[2Jb\nc");
        page.line("s3://k:secret@bucket");
        assert_eq!(page.text, "\n\u{1b}[1ma\u{fffd}[2Jb\u{fffd}c\u{1b}[0m\ns3://***@bucket\n");
    }
}
