//! Heat maps: grids of cells that are shaded by value.

use maud::{Markup, html};

use super::axis::{LEFT, RIGHT, TOP};
use super::{Chart, HEIGHT, label, px, svg};
use crate::report::table::{Cell, Table};
use crate::report::view::View;

/// A heat map.
pub struct Heat<'a> {
    /// Identifier in the page.
    pub id: String,
    /// Title of the chart.
    pub title: String,
    /// How to read it.
    pub note: String,
    /// What the columns are.
    pub across: &'a str,
    /// What the rows are.
    pub down: &'a str,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Names of the rows, the lowest first.
    pub rows: Vec<String>,
    /// Values by row and column; `None` where no value is possible.
    pub values: Vec<Vec<Option<f64>>>,
    /// The value with the full shade; `None` for the largest value.
    pub full: Option<f64>,
    /// Whether each cell has its value written in it.
    pub written: bool,
    /// Position of the colour; `None` for the colour of heat maps.
    pub colour: Option<usize>,
    /// Formats a value.
    pub say: &'a dyn Fn(f64) -> String,
}

impl Heat<'_> {
    /// Draws the chart.
    pub fn chart(&self, _: &View<'_>) -> Chart {
        Chart {
            id: self.id.clone(),
            title: self.title.clone(),
            note: self.note.clone(),
            legend: Vec::new(),
            drawing: svg(&self.title, HEIGHT, self.marks()),
            table: self.table(),
        }
    }

    fn largest(&self) -> f64 {
        self.values.iter().flatten().flatten().copied().fold(0.0, f64::max)
    }

    fn marks(&self) -> Markup {
        let full = self.full.unwrap_or_else(|| self.largest()).max(f64::MIN_POSITIVE);
        let bottom = HEIGHT - 42.0;
        // A character of a label is about 6.4 units wide.
        let longest = self.rows.iter().map(|name| name.chars().count()).max().unwrap_or(1);
        let left = (6.4 * longest as f64 + 24.0).clamp(LEFT + 12.0, 150.0);
        let wide = RIGHT - left;
        let width = wide / self.columns.len().max(1) as f64;
        let height = (bottom - TOP) / self.rows.len().max(1) as f64;
        let every = (self.rows.len() as f64 / 9.0).ceil().max(1.0) as usize;
        let longest = self.columns.iter().map(|name| name.chars().count()).max().unwrap_or(1);
        let skip = ((6.4 * longest as f64 + 6.0) / width).ceil().max(1.0) as usize;
        let colour = self.colour.map_or("h".to_owned(), super::class);
        html! {
            @for (r, row) in self.values.iter().enumerate() {
                @let y = bottom - (r as f64 + 1.0) * height;
                @if r % every == 0 {
                    g.axis { (label(left - 5.0, y + height / 2.0 + 4.0, "end", &self.rows[r])) }
                }
                @for (c, value) in row.iter().enumerate() {
                    @if let Some(value) = value {
                        rect class={ "m " (colour) } x=(px(left + c as f64 * width)) y=(px(y))
                            width=(px(width - 0.8)) height=(px(height - 0.8))
                            fill-opacity=(format!("{:.2}", 0.04 + 0.96 * (value / full).clamp(0.0, 1.0))) {
                            title { (self.tip(r, c, *value)) }
                        }
                        @if self.written {
                            (written(left + (c as f64 + 0.5) * width, y + height / 2.0 + 4.0,
                                value / full, &(self.say)(*value)))
                        }
                    }
                }
            }
            g.axis {
                @for (c, name) in self.columns.iter().enumerate().step_by(skip) {
                    (label(left + (c as f64 + 0.5) * width, bottom + 15.0, "middle", name))
                }
                (label(left + wide / 2.0, HEIGHT - 8.0, "middle", self.across))
                @if !self.down.is_empty() { (sideways((TOP + bottom) / 2.0, self.down)) }
            }
        }
    }

    fn tip(&self, r: usize, c: usize, value: f64) -> String {
        let (row, column) = (&self.rows[r], &self.columns[c]);
        let text = format!("{} {row} · {} {column}: {}", self.down, self.across, (self.say)(value));
        text.trim_start().to_owned()
    }

    fn table(&self) -> Table {
        let corner = match self.down {
            "" => self.title.clone(),
            down => format!("{down} \\ {}", self.across),
        };
        let mut table = Table::new(std::iter::once(corner).chain(self.columns.iter().cloned()));
        for (name, row) in self.rows.iter().zip(&self.values) {
            let cells = row.iter().map(|value| match value {
                Some(value) => Cell::Number((self.say)(*value), *value),
                None => Cell::none(),
            });
            table.row(std::iter::once(Cell::text(name)).chain(cells));
        }
        table
    }
}

/// A line of text that runs upwards.
fn sideways(y: f64, text: &str) -> Markup {
    html! {
        text x="11" y=(px(y)) text-anchor="middle" transform=(format!("rotate(-90 11 {})", px(y))) {
            (text)
        }
    }
}

fn written(x: f64, y: f64, strength: f64, text: &str) -> Markup {
    html! {
        text.on.strong[strength > 0.75] x=(px(x)) y=(px(y)) text-anchor="middle" { (text) }
    }
}
