//! Lines over numbers or days, with bands for their intervals.

use std::fmt::Write;

use maud::{Markup, html};

use super::axis::{BOTTOM, LEFT, RIGHT, Scale, TOP, upright};
use super::{Chart, HEIGHT, class, label, px, svg, with_intervals};
use crate::report::table::Table;
use crate::report::view::View;

/// One line.
pub struct Line {
    /// Name.
    pub name: String,
    /// Position of the colour.
    pub colour: usize,
    /// Whether it is dashed.
    pub dashed: bool,
    /// Value at each place.
    pub values: Vec<f64>,
    /// Ends of the band at each place, where there is one.
    pub band: Vec<Option<[f64; 2]>>,
}

/// A chart of lines.
pub struct Lines<'a> {
    /// Identifier in the page.
    pub id: &'a str,
    /// Title of the chart.
    pub title: String,
    /// How to read it.
    pub note: String,
    /// Title of the horizontal axis.
    pub across: &'a str,
    /// Places along the axis, increasing.
    pub places: Vec<f64>,
    /// Their names, in the table and under the pointer.
    pub names: Vec<String>,
    /// Places that have a label below the axis, with their labels.
    pub ticks: Vec<(f64, String)>,
    /// The lines.
    pub lines: Vec<Line>,
    /// Place and name of a vertical line where something changes.
    pub border: Option<(f64, String)>,
    /// Formats a value.
    pub say: &'a dyn Fn(f64) -> String,
}

impl Lines<'_> {
    /// Draws the chart.
    pub fn chart(&self, view: &View<'_>) -> Chart {
        Chart {
            id: self.id.to_owned(),
            title: self.title.clone(),
            note: self.note.clone(),
            legend: self.lines.iter().map(|line| (line.name.clone(), line.colour)).collect(),
            drawing: svg(&self.title, HEIGHT, self.marks(view)),
            table: self.table(),
        }
    }

    fn marks(&self, view: &View<'_>) -> Markup {
        let all = self.lines.iter().flat_map(|line| {
            line.values.iter().copied().chain(line.band.iter().flatten().map(|band| band[1]))
        });
        let up = Scale::round(0.0, all.fold(0.0, f64::max), (BOTTOM, TOP));
        let (first, last) = (self.places.first(), self.places.last());
        let ends = (first.copied().unwrap_or(0.0), last.copied().unwrap_or(1.0));
        let across = Scale::exact(ends.0, ends.1, (LEFT + 4.0, RIGHT - 6.0));
        html! {
            (upright(&up, |v| view.short(v)))
            @if let Some((at, name)) = &self.border {
                path.border d=(format!("M{} {TOP}V{BOTTOM}", px(across.at(*at)))) {}
                (beside(across.at(*at), name))
            }
            @for line in &self.lines { (self.line(line, &up, &across)) }
            g.axis {
                @for (at, name) in &self.ticks {
                    (label(across.at(*at), BOTTOM + 15.0, "middle", name))
                }
                (label((LEFT + RIGHT) / 2.0, HEIGHT - 8.0, "middle", self.across))
            }
        }
    }

    fn line(&self, line: &Line, up: &Scale, across: &Scale) -> Markup {
        let points: Vec<(f64, f64)> =
            self.places.iter().zip(&line.values).map(|(x, y)| (across.at(*x), up.at(*y))).collect();
        let band: Vec<(f64, [f64; 2])> = self
            .places
            .iter()
            .zip(&line.band)
            .filter_map(|(x, band)| Some((across.at(*x), (*band)?.map(|end| up.at(end)))))
            .collect();
        // With many places, smaller dots do not overlap.
        let radius = if points.len() > 60 { 1.6 } else { 3.0 };
        html! {
            @if !band.is_empty() { path class={ "band m " (class(line.colour)) } d=(closed(&band)) {} }
            path class={ "line m " (class(line.colour)) @if line.dashed { " dashed" } }
                d=(path(&points)) {}
            @for (i, (x, y)) in points.iter().enumerate() {
                circle class={ "dot m " (class(line.colour)) } cx=(px(*x)) cy=(px(*y)) r=(px(radius)) {
                    title { (self.tip(i, line)) }
                }
            }
        }
    }

    fn tip(&self, i: usize, line: &Line) -> String {
        let band = line.band.get(i).copied().flatten().map_or(String::new(), |[low, high]| {
            format!(" ({} – {})", (self.say)(low), (self.say)(high))
        });
        let name = if self.lines.len() > 1 { format!(" · {}", line.name) } else { String::new() };
        format!("{}{name}: {}{band}", self.names[i], (self.say)(line.values[i]))
    }

    fn table(&self) -> Table {
        let rows =
            self.lines.iter().map(|line| (line.name.as_str(), &line.values[..], &line.band[..]));
        with_intervals(self.across, &self.names, &rows.collect::<Vec<_>>(), self.say)
    }
}

/// The name of a vertical line, on the side that has more room.
fn beside(x: f64, name: &str) -> Markup {
    let (gap, anchor) = if x > (LEFT + RIGHT) / 2.0 { (-4.0, "end") } else { (4.0, "start") };
    label(x + gap, TOP + 9.0, anchor, name)
}

/// The SVG path of a line through points of a drawing.
pub fn path(points: &[(f64, f64)]) -> String {
    let mut d = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(d, "{}{} {}", if i == 0 { 'M' } else { 'L' }, px(*x), px(*y));
    }
    d
}

fn closed(band: &[(f64, [f64; 2])]) -> String {
    let low = band.iter().map(|(x, ends)| (*x, ends[0]));
    let high = band.iter().rev().map(|(x, ends)| (*x, ends[1]));
    format!("{}Z", path(&low.chain(high).collect::<Vec<_>>()))
}
