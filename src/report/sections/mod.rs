//! The sections of the page, one file each, and what several of them need.
//!
//! # Layout
//! From first to last: [`overview`], [`segments`] with [`profiles`], [`forecast`] with [`calendar`],
//! [`customers`],
//! [`rfm`], [`migration`], [`model`] with [`checks`], [`data`].

use maud::{Markup, html};

use crate::report::chart::Chart;
use crate::report::chart::columns::{ColumnChart, Series};
use crate::report::table::{Cell, Table};
use crate::report::view::View;

pub mod calendar;
pub mod checks;
pub mod customers;
pub mod data;
pub mod forecast;
pub mod migration;
pub mod model;
pub mod overview;
pub mod profiles;
pub mod rfm;
pub mod segments;

/// The last part of a path, since folders are of no use to the reader.
pub(crate) fn input_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// A section's heading, with a sentence below it if the language has one.
pub(crate) fn heading(view: &View<'_>, section: &str) -> Markup {
    html! {
        h2 { (view.t(&format!("{section}.title"))) }
        @let lead = format!("{section}.lead");
        @if view.words.get(&lead).is_some() { p.lead { (view.t(&lead)) } }
    }
}

/// A chart with one bar per segment, in its colour; `values` are in segment order, lowest first.
pub(crate) fn by_segment(
    view: &View<'_>,
    id: &str,
    title: String,
    values: &[f64],
    say: &dyn Fn(f64) -> String,
) -> Chart {
    let order: Vec<usize> = view.best_first().collect();
    // Only a series has a colour, so each segment is a series of its own with one bar.
    let series = order.iter().enumerate().map(|(place, s)| {
        let mut own = vec![0.0; order.len()];
        own[place] = values[*s];
        Series::new(view.charts.segments[*s].clone(), view.colour(*s), own)
    });
    let chart = ColumnChart {
        id,
        title,
        note: String::new(),
        across: view.t("segments.segment"),
        categories: order.iter().map(|s| view.charts.segments[*s].clone()).collect(),
        series: series.collect(),
        stacked: true,
        say,
    };
    let mut table = Table::new([view.t("segments.segment"), chart.title.as_str()]);
    for s in order {
        table.row([Cell::text(&view.charts.segments[s]), Cell::Number(say(values[s]), values[s])]);
    }
    Chart { legend: Vec::new(), table, ..chart.chart(view) }
}
