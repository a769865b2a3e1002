//! Horizontal bars of stacked shares, one per group.

use maud::{Markup, html};

use super::columns::Series;
use super::{Chart, WIDTH, class, label, px, svg};
use crate::report::table::{Cell, Table};
use crate::report::view::View;

/// A chart of shares; the values of the series are shares of each group, 0 to 1.
pub struct Shares<'a> {
    /// Identifier in the page.
    pub id: String,
    /// Title of the chart.
    pub title: String,
    /// How to read it.
    pub note: String,
    /// What the groups are, as the title of the table's first column.
    pub down: &'a str,
    /// Names of the groups.
    pub groups: Vec<String>,
    /// The series.
    pub series: Vec<Series>,
}

const LEFT: f64 = 46.0;
const ROW: f64 = 34.0;

impl Shares<'_> {
    /// Draws the chart.
    pub fn chart(&self, view: &View<'_>) -> Chart {
        let height = 8.0 + ROW * self.groups.len() as f64;
        Chart {
            id: self.id.clone(),
            title: self.title.clone(),
            note: self.note.clone(),
            legend: self.series.iter().map(|s| (s.name.clone(), s.colour)).collect(),
            drawing: svg(&self.title, height, self.marks(view)),
            table: self.table(view),
        }
    }

    fn marks(&self, view: &View<'_>) -> Markup {
        html! {
            @for (g, name) in self.groups.iter().enumerate() {
                @let y = 6.0 + ROW * g as f64;
                g.axis { (label(LEFT - 8.0, y + ROW / 2.0, "end", name)) }
                (self.bar(g, y, view))
            }
        }
    }

    fn bar(&self, g: usize, y: f64, view: &View<'_>) -> Markup {
        let wide = WIDTH - LEFT - 6.0;
        let before = |k: usize| -> f64 { self.series[..k].iter().map(|s| s.values[g]).sum() };
        html! {
            @for (k, series) in self.series.iter().enumerate() {
                @let share = series.values[g];
                @let (x, width) = (LEFT + before(k) * wide, share * wide);
                rect class={ "m " (class(series.colour)) } x=(px(x)) y=(px(y)) width=(px(width.max(0.0)))
                    height=(px(ROW - 12.0)) {
                    title { (self.groups[g]) " · " (series.name) ": " (view.percent(share)) }
                }
                @if width > 34.0 {
                    text class={ "on strong " (class(series.colour)) } x=(px(x + width / 2.0)) y=(px(y + ROW / 2.0 - 2.0))
                        text-anchor="middle" { (view.percent(share)) }
                }
            }
        }
    }

    fn table(&self, view: &View<'_>) -> Table {
        let names = self.series.iter().map(|s| s.name.clone());
        let mut table = Table::new(std::iter::once(self.down.to_owned()).chain(names));
        for (g, name) in self.groups.iter().enumerate() {
            let cells =
                self.series.iter().map(|s| Cell::Number(view.percent(s.values[g]), s.values[g]));
            table.row(std::iter::once(Cell::text(name)).chain(cells));
        }
        table
    }
}
