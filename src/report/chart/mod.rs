//! Charts as SVG in the page. They are shown without a script, in print and in the preview of a
//! mail, and take the colours of the page, light or dark. A small script adds values under the
//! pointer, legends that hide series, and downloads. Drawings have the size of a phone's screen, so
//! that nothing becomes too small there; a wider screen has several charts in a row.
//!
//! # Layout
//! * [`axis`]: scales and axes. [`columns`]: vertical bars. [`lines`]: lines with bands.
//! * [`heat`]: heat maps. [`shares`]: horizontal bars of shares.

pub mod axis;
pub mod columns;
pub mod heat;
pub mod lines;
pub mod shares;

use maud::{Markup, html};

use super::table::{Cell, Table};
use super::view::View;

/// Width of a drawing, in its own units.
pub(super) const WIDTH: f64 = 360.0;
/// Height of a drawing.
pub(super) const HEIGHT: f64 = 230.0;
/// Number of colours in the style sheet.
const COLOURS: usize = 8;

/// A drawing with its title, note, legend and table.
pub struct Chart {
    /// Identifier in the page, without spaces.
    pub id: String,
    /// Title of the chart.
    pub title: String,
    /// A note on how to read it; may be empty.
    pub note: String,
    /// Names and colours of its series; not shown for a single one.
    pub legend: Vec<(String, usize)>,
    /// The drawing.
    pub drawing: Markup,
    /// The same numbers as a table.
    pub table: Table,
}

impl Chart {
    /// The chart as HTML, with its legend, its table and a button to download the table.
    pub fn markup(&self, view: &View<'_>) -> Markup {
        html! {
            figure.chart id=(self.id) {
                figcaption { h3 { (self.title) } @if !self.note.is_empty() { p { (self.note) } } }
                @if self.legend.len() > 1 {
                    div.legend role="group" aria-label=(view.t("chart.legend")) {
                        @for (name, colour) in &self.legend {
                            button.key type="button" aria-pressed="true" data-s=(class(*colour)) {
                                i class=(class(*colour)) {} (name)
                            }
                        }
                    }
                }
                (self.drawing)
                details {
                    summary { (view.t("chart.table")) }
                    (self.table.markup(&format!("{}-table", self.id), &self.title))
                    button.csv type="button" data-table=(format!("{}-table", self.id)) {
                        (view.t("chart.csv"))
                    }
                }
            }
        }
    }
}

/// Name, values and interval ends of a series.
type Numbers<'a> = (&'a str, &'a [f64], &'a [Option<[f64; 2]>]);

/// Series as a table with one row per place; a series with intervals has one more column for each
/// end.
fn with_intervals(
    across: &str,
    places: &[String],
    series: &[Numbers<'_>],
    say: &dyn Fn(f64) -> String,
) -> Table {
    let has_any = |ends: &[Option<[f64; 2]>]| ends.iter().any(Option::is_some);
    let titles = series.iter().flat_map(|(name, _, ends)| {
        let ends = has_any(ends).then(|| [format!("{name} ↓"), format!("{name} ↑")]);
        std::iter::once((*name).to_owned()).chain(ends.into_iter().flatten())
    });
    let mut table = Table::new(std::iter::once(across.to_owned()).chain(titles));
    let number = |v: f64| Cell::Number(say(v), v);
    for (i, place) in places.iter().enumerate() {
        let cells = series.iter().flat_map(|(_, values, ends)| {
            let own = ends.get(i).copied().flatten();
            let own = own.map_or([Cell::none(), Cell::none()], |ends| ends.map(number));
            let own = has_any(ends).then_some(own);
            std::iter::once(number(values[i])).chain(own.into_iter().flatten())
        });
        table.row(std::iter::once(Cell::text(place)).chain(cells));
    }
    table
}

/// The CSS class that colours a series.
pub(super) fn class(colour: usize) -> String {
    format!("s{}", colour % COLOURS)
}

/// The frame of a drawing; `marks` go inside.
pub(super) fn svg(title: &str, height: f64, marks: Markup) -> Markup {
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label=(title) { (marks) }
    }
}

/// A length in a drawing, without needless digits.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A line of text in a drawing; `anchor` is start, middle or end.
pub(super) fn label(x: f64, y: f64, anchor: &str, text: &str) -> Markup {
    html! { text x=(px(x)) y=(px(y)) text-anchor=(anchor) { (text) } }
}
