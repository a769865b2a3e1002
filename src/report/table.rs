//! Tables for readers, screen readers, and download as CSV, which takes the exact values behind the
//! rounded ones.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::safe_text::spreadsheet::harmless;

/// A table with a header row; its first column names the rows.
#[derive(Debug, Clone, Default)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// Shown when there is no number.
const NONE: &str = "–";

/// One cell.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number: as shown, and its exact value.
    Number(String, f64),
    /// A number as shown, its exact value, and the share of the cell, 0 to 1, that a bar behind it
    /// fills.
    Bar(String, f64, f64),
    /// A number as shown, its exact value, and the strength of the background, 0 to 1.
    Heat(String, f64, f64),
}

impl Cell {
    /// A cell with a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A cell without a number.
    pub fn none() -> Self {
        Self::text(NONE)
    }
}

impl Table {
    /// An empty table with these column titles.
    pub fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Appends a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn is_numeric(&self, column: usize) -> bool {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.clone().any(|cell| !matches!(cell, Cell::Text(_)))
    }

    /// The table as HTML, in a box that scrolls on a narrow screen.
    pub fn markup(&self, id: &str, caption: &str) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label=(caption) {
                table id=(id) {
                    caption { (caption) }
                    thead { tr { @for (i, title) in self.head.iter().enumerate() {
                        th.n[self.is_numeric(i)] scope="col" data-v=[changed(title)] { (title) }
                    } } }
                    tbody {
                        @for row in &self.rows {
                            tr { @for (i, cell) in row.iter().enumerate() { (cell.markup(i == 0)) } }
                        }
                    }
                }
            }
        }
    }
}

impl Cell {
    fn markup(&self, names_row: bool) -> Markup {
        match self {
            Self::Text(text) if names_row => {
                html! { th scope="row" data-v=[changed(text)] { (text) } }
            }
            Self::Text(text) if text == NONE => html! { td.n { (text) } },
            Self::Text(text) => html! { td data-v=[changed(text)] { (text) } },
            Self::Number(text, value) => html! { td.n data-v=(value) { (text) } },
            Self::Bar(text, value, share) => html! {
                td.n.bar data-v=(value) style=(format!("--w:{:.1}%", 100.0 * share)) { (text) }
            },
            Self::Heat(text, value, share) => html! {
                td.n.heat data-v=(value) style=(format!("--w:{:.0}%", 45.0 * share)) { (text) }
            },
        }
    }
}

/// What stands for a text in the download, where a spreadsheet would run it as a formula.
fn changed(text: &str) -> Option<String> {
    match harmless(text) {
        Cow::Owned(safe) => Some(safe),
        Cow::Borrowed(_) => None,
    }
}
