//! RFM: the grid of recency and frequency scores, and the named segments.

use maud::{Markup, html};

use crate::report::chart::Chart;
use crate::report::chart::heat::Heat;
use crate::report::table::{Cell, Table};
use crate::report::view::View;
use crate::results::chart_data::RfmCell;

/// The RFM scores, lowest first.
const SCORES: [u8; 5] = [1, 2, 3, 4, 5];

/// The section as HTML.
pub fn section(view: &View<'_>) -> Markup {
    html! {
        (crate::report::sections::heading(view, "rfm"))
        div.charts {
            (grid(view, "customers", &|cell| Some(cell.customers as f64), &|v| view.short(v)).markup(view))
            @if view.has_money() {
                (grid(view, "cltv", &|cell| cell.mean_cltv, &|v| view.number(v)).markup(view))
            }
        }
        (segments(view).markup("rfm-table", view.t("rfm.table")))
        h3 { (view.t("rfm.cross")) }
        (cross(view).markup("rfm-cross-table", view.t("rfm.cross")))
    }
}

/// The name of an RFM segment in the page's language, or its name in the pipeline when it is not
/// one of the default segments.
pub fn name(view: &View<'_>, segment: &str) -> String {
    let known = format!("rfm_segments.{segment}");
    view.words.get(&known).map_or(segment.to_owned(), str::to_owned)
}

fn grid(
    view: &View<'_>,
    key: &str,
    of: &dyn Fn(&RfmCell) -> Option<f64>,
    say: &dyn Fn(f64) -> String,
) -> Chart {
    let cell = |recency: u8, frequency: u8| {
        let cells = &view.charts.rfm_grid;
        cells.iter().find(|c| c.recency == recency && c.frequency == frequency).and_then(of)
    };
    Heat {
        id: format!("rfm-{key}"),
        title: view.t(&format!("rfm.chart.{key}")).to_owned(),
        note: view.t("rfm.chart.note").to_owned(),
        across: view.t("rfm.chart.frequency"),
        down: view.t("rfm.chart.recency"),
        columns: SCORES.map(|score| score.to_string()).to_vec(),
        rows: SCORES.map(|score| score.to_string()).to_vec(),
        values: SCORES.map(|r| SCORES.map(|f| cell(r, f)).to_vec()).to_vec(),
        full: None,
        written: true,
        colour: None,
        say,
    }
    .chart(view)
}

fn segments(view: &View<'_>) -> Table {
    let mut keys = vec!["segment", "customers", "silence", "orders"];
    if view.has_money() {
        keys.extend(["spend", "mean", "total"]);
    }
    let mut table = Table::new(keys.into_iter().map(|key| view.t(&format!("rfm.{key}"))));
    let most = view.run.rfm.iter().filter_map(|r| r.total_cltv).fold(0.0, f64::max);
    for r in &view.run.rfm {
        let mut row = vec![
            Cell::text(name(view, &r.segment)),
            Cell::Number(view.whole(r.customers as f64), r.customers as f64),
            Cell::Number(view.whole(r.mean_days_since_last_order), r.mean_days_since_last_order),
            Cell::Number(view.words.language.number(r.mean_orders, 1), r.mean_orders),
        ];
        if let Some(total) = r.total_cltv {
            let share = if most > 0.0 { total / most } else { 0.0 };
            row.extend([r.mean_spend, r.mean_cltv].map(|value| view.amount(value)));
            row.push(Cell::Bar(view.money(total), total, share));
        }
        table.row(row);
    }
    table
}

/// Customers by RFM segment and lifetime value segment.
fn cross(view: &View<'_>) -> Table {
    let labels = view.best_first().map(|s| view.charts.segments[s].clone());
    let mut table = Table::new(std::iter::once(view.t("rfm.segment").to_owned()).chain(labels));
    let most =
        view.run.rfm.iter().flat_map(|r| &r.by_cltv_segment).copied().max().unwrap_or(1).max(1);
    for r in &view.run.rfm {
        let cell = |s: usize| {
            let n = r.by_cltv_segment.get(s).copied().unwrap_or(0);
            Cell::Heat(view.whole(n as f64), n as f64, n as f64 / most as f64)
        };
        table.row(
            std::iter::once(Cell::text(name(view, &r.segment))).chain(view.best_first().map(cell)),
        );
    }
    table
}
