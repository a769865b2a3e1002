//! The migration: what became of the customers of an earlier run.

use maud::{Markup, html};

use crate::report::table::{Cell, Table};
use crate::report::view::View;
use crate::results::migration::{Migration, MigrationCell};

/// In place of a segment: customers who are only in the later run.
const NEW: &str = "new";
/// In place of a segment: customers who are only in the earlier run.
const LOST: &str = "lost";

/// The section as HTML.
pub fn section(view: &View<'_>, migration: &Migration) -> Markup {
    let (before, after) = (&migration.before, &migration.after);
    html! {
        (crate::report::sections::heading(view, "migration"))
        p { (view.fill("migration.between", &[
            ("before", &view.words.language.date(before.as_of)), ("after", &view.words.language.date(after.as_of)),
            ("customers_before", &view.whole(before.customers as f64)),
            ("customers_after", &view.whole(after.customers as f64)),
        ])) }
        (matrix(view, migration, view.t("migration.customers"), &|flow| {
            Cell::Heat(view.whole(flow.customers as f64), flow.customers as f64, flow.share)
        }).markup("migration-table", view.t("migration.customers")))
        h3 { (view.t("migration.shares")) }
        (matrix(view, migration, view.t("migration.shares"), &|flow| {
            Cell::Heat(view.percent(flow.share), flow.share, flow.share)
        }).markup("migration-shares-table", view.t("migration.shares")))
        h3 { (view.t("migration.values")) }
        (values(view, migration).markup("migration-values-table", view.t("migration.values")))
        @for finding in &migration.findings { (crate::report::sections::overview::notice(view, finding)) }
    }
}

fn end(view: &View<'_>, segment: &str) -> String {
    match segment {
        NEW | LOST => view.t(&format!("migration.{segment}")).to_owned(),
        label => label.to_owned(),
    }
}

/// Names of the rows or columns: the segments, highest first, then `absent`.
fn ends<'a>(view: &'a View<'_>, absent: &'a str) -> Vec<&'a str> {
    let labels = view.best_first().map(|s| view.charts.segments[s].as_str());
    labels.chain([absent]).collect()
}

fn matrix(
    view: &View<'_>,
    migration: &Migration,
    corner: &str,
    say: &dyn Fn(&MigrationCell) -> Cell,
) -> Table {
    let titles = ends(view, LOST).into_iter().map(|segment| end(view, segment));
    let mut table = Table::new(std::iter::once(corner.to_owned()).chain(titles));
    for from in ends(view, NEW) {
        let cell = |to: &str| {
            let flow = migration.cells.iter().find(|f| f.from == from && f.to == to);
            flow.map_or(Cell::none(), say)
        };
        let row = ends(view, LOST).into_iter().map(cell);
        table.row(std::iter::once(Cell::text(end(view, from))).chain(row.collect::<Vec<_>>()));
    }
    table
}

/// Every pair of segments that customers moved between, with their lifetime value before and after.
fn values(view: &View<'_>, migration: &Migration) -> Table {
    let keys = ["from", "to", "count", "cltv_before", "cltv_after"];
    let mut table = Table::new(keys.map(|key| view.t(&format!("migration.{key}"))));
    for flow in migration.cells.iter().filter(|flow| flow.customers > 0) {
        table.row([
            Cell::text(end(view, &flow.from)),
            Cell::text(end(view, &flow.to)),
            Cell::Number(view.whole(flow.customers as f64), flow.customers as f64),
            view.ranking(flow.cltv_before),
            view.ranking(flow.cltv_after),
        ]);
    }
    table
}
