//! Vertical bars, side by side or stacked.

use maud::{Markup, html};

use super::axis::{BOTTOM, LEFT, RIGHT, Scale, TOP, below, upright};
use super::{Chart, HEIGHT, class, px, svg, with_intervals};
use crate::report::table::Table;
use crate::report::view::View;

/// Bars of one colour, one per category.
pub struct Series {
    /// Name.
    pub name: String,
    /// Position of the colour.
    pub colour: usize,
    /// Value of each category.
    pub values: Vec<f64>,
    /// Interval ends of each value; empty without intervals.
    pub intervals: Vec<Option<[f64; 2]>>,
}

impl Series {
    /// A series without intervals.
    pub fn new(name: impl Into<String>, colour: usize, values: Vec<f64>) -> Self {
        Self { name: name.into(), colour, values, intervals: Vec::new() }
    }
}

/// A chart of vertical bars.
pub struct ColumnChart<'a> {
    /// Identifier in the page.
    pub id: &'a str,
    /// Title of the chart.
    pub title: String,
    /// How to read it.
    pub note: String,
    /// What the categories are, as the title of the horizontal axis.
    pub across: &'a str,
    /// Names of the categories.
    pub categories: Vec<String>,
    /// The series.
    pub series: Vec<Series>,
    /// Whether the series are stacked.
    pub stacked: bool,
    /// Formats a value.
    pub say: &'a dyn Fn(f64) -> String,
}

impl ColumnChart<'_> {
    /// Draws the chart.
    pub fn chart(&self, view: &View<'_>) -> Chart {
        let legend = self.series.iter().map(|s| (s.name.clone(), s.colour)).collect();
        Chart {
            id: self.id.to_owned(),
            title: self.title.clone(),
            note: self.note.clone(),
            legend,
            drawing: svg(&self.title, HEIGHT, self.marks(view)),
            table: self.table(),
        }
    }

    fn highest(&self) -> f64 {
        let top = |i: usize| -> f64 {
            let values = self.series.iter().map(|s| s.values[i]);
            if self.stacked { values.sum() } else { values.fold(0.0, f64::max) }
        };
        let ends = self.series.iter().flat_map(|s| s.intervals.iter().flatten().map(|i| i[1]));
        (0..self.categories.len()).map(top).chain(ends).fold(0.0, f64::max)
    }

    fn marks(&self, view: &View<'_>) -> Markup {
        let scale = Scale::round(0.0, self.highest(), (BOTTOM, TOP));
        let room = (RIGHT - LEFT) / self.categories.len().max(1) as f64;
        let middle = |i: usize| LEFT + (i as f64 + 0.5) * room;
        let places: Vec<(f64, String)> =
            self.categories.iter().enumerate().map(|(i, name)| (middle(i), name.clone())).collect();
        html! {
            (upright(&scale, |v| view.short(v)))
            @for i in 0..self.categories.len() { (self.category(i, &scale, LEFT + i as f64 * room, room)) }
            (below(&places, self.across))
        }
    }

    /// The bars of one category, which has the width `room` from `left` on.
    fn category(&self, i: usize, scale: &Scale, left: f64, room: f64) -> Markup {
        let gap = if self.categories.len() > 14 { 0.06 } else { 0.16 } * room;
        let beside = if self.stacked { 1 } else { self.series.len().max(1) };
        let width = (room - 2.0 * gap) / beside as f64;
        // In a stack, a bar begins where the bars before it end.
        let before = |k: usize| -> f64 { self.series[..k].iter().map(|s| s.values[i]).sum() };
        html! {
            @for (k, series) in self.series.iter().enumerate() {
                @let value = series.values[i];
                @let (aside, base) = if self.stacked { (0.0, before(k)) } else { (k as f64 * width, 0.0) };
                @let x = left + gap + aside;
                @let (y, bottom) = (scale.at(base + value), scale.at(base));
                rect class={ "m " (class(series.colour)) } x=(px(x)) y=(px(y)) width=(px(width.max(0.8)))
                    height=(px((bottom - y).max(0.0))) {
                    title { (self.tip(i, series)) }
                }
                @if let Some(Some([low, high])) = series.intervals.get(i) {
                    path class={ "whisker m " (class(series.colour)) }
                        d=(whisker(x + width / 2.0, scale.at(*low), scale.at(*high))) {}
                }
            }
        }
    }

    fn tip(&self, i: usize, series: &Series) -> String {
        let value = (self.say)(series.values[i]);
        let interval =
            series.intervals.get(i).copied().flatten().map_or(String::new(), |[l, h]| {
                format!(" ({} – {})", (self.say)(l), (self.say)(h))
            });
        let name =
            if self.series.len() > 1 { format!(" · {}", series.name) } else { String::new() };
        format!("{}{name}: {value}{interval}", self.categories[i])
    }

    fn table(&self) -> Table {
        let rows = self.series.iter().map(|s| (s.name.as_str(), &s.values[..], &s.intervals[..]));
        with_intervals(self.across, &self.categories, &rows.collect::<Vec<_>>(), self.say)
    }
}

/// The SVG path of a vertical line with short caps at its ends.
fn whisker(x: f64, low: f64, high: f64) -> String {
    let (x, l, r) = (px(x), px(x - 4.0), px(x + 4.0));
    let (low, high) = (px(low), px(high));
    format!("M{x} {low}V{high}M{l} {low}H{r}M{l} {high}H{r}")
}
