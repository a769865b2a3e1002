//! Single customers: those with the highest lifetime value or the most expected orders, predictions by recency and frequency,
//! and P(alive) over time.

use maud::{Markup, html};

use crate::report::chart::axis::{BOTTOM, LEFT, RIGHT, Scale, TOP, upright};
use crate::report::chart::heat::Heat;
use crate::report::chart::lines::path;
use crate::report::chart::{Chart, HEIGHT, class, label, px, svg};
use crate::report::table::{Cell, Table};
use crate::report::view::View;
use crate::results::chart_data::{CustomerLine, Survival};

/// Most customers whose P(alive) over time is drawn.
const CURVES: usize = 10;

/// The section as HTML.
pub fn section(view: &View<'_>) -> Markup {
    let top = view.run.settings.output.top;
    let customers = &view.charts.customers;
    let first = &customers[..customers.len().min(top as usize)];
    let count = |n: usize| view.whole(n as f64);
    let top = view.fill("customers.top", &[("n", &count(first.len()))]);
    html! {
        (crate::report::sections::heading(view, "customers"))
        @if !view.show_ids { p.more { (view.t("customers.hidden")) } }
        h3 { (top) }
        (table(view, first).markup("top-table", &top))
        div.search {
            label for="search" { (view.fill("customers.search", &[("n", &count(customers.len()))])) }
            input #search type="search" autocomplete="off" data-table="customers-table";
            span #found role="status" data-none=(view.t("customers.none")) {}
            button.csv type="button" data-table="customers-table" { (view.t("chart.csv")) }
        }
        div.tall { (table(view, customers).markup("customers-table", view.t("customers.table"))) }
        div.charts {
            @if view.knows_who_left() { (surface(view, "alive").markup(view)) }
            (surface(view, "orders").markup(view))
            @if !view.charts.survival.is_empty() { (survival(view)) }
        }
    }
}

fn table(view: &View<'_>, customers: &[CustomerLine]) -> Table {
    let (_, months) = view.longest();
    let mut head: Vec<String> = vec![view.t("customers.rank").to_owned()];
    if view.show_ids {
        head.push(view.t("customers.customer").to_owned());
    }
    let title = |key: &str| view.t(&format!("customers.{key}")).to_owned();
    head.extend(["segment", "rfm"].map(title));
    head.extend(view.has_money().then(|| title("cltv")));
    head.extend(view.run.settings.lifetime_value.margin.map(|_| title("margin")));
    head.push(view.fill("customers.orders", &[("months", &view.months(months))]));
    head.push(title("alive"));
    head.extend(view.has_money().then(|| title("average")));
    head.extend(["so_far", "silence"].map(title));
    head.extend(view.run.settings.input.columns.keep.iter().cloned());
    let mut table = Table::new(head);
    for (i, customer) in customers.iter().enumerate() {
        table.row(row(view, i + 1, customer));
    }
    table
}

fn row(view: &View<'_>, rank: usize, customer: &CustomerLine) -> Vec<Cell> {
    let (h, _) = view.longest();
    let orders = customer.expected_orders.get(h).copied().unwrap_or(0.0);
    let mut cells = vec![Cell::text(rank.to_string())];
    if view.show_ids {
        cells.push(Cell::text(&customer.customer_id));
    }
    cells.extend([
        Cell::text(&customer.segment),
        Cell::text(crate::report::sections::rfm::name(view, &customer.rfm_segment)),
    ]);
    let amount = |value: Option<f64>| view.has_money().then(|| view.amount(value));
    cells.extend(amount(customer.cltv));
    if view.run.settings.lifetime_value.margin.is_some() {
        cells.extend(amount(customer.expected_margin));
    }
    cells.push(Cell::Number(view.words.language.number(orders, 2), orders));
    cells.push(view.alive(customer.p_alive));
    cells.extend(amount(customer.exp_average_value));
    cells.extend([
        Cell::Number(view.whole(customer.frequency), customer.frequency),
        Cell::Number(view.whole(customer.days_since_last_order), customer.days_since_last_order),
    ]);
    cells.extend(customer.kept_columns.iter().map(Cell::text));
    cells
}

/// P(alive) or expected orders by recency and frequency.
fn surface(view: &View<'_>, key: &str) -> Chart {
    let surface = &view.charts.surface;
    let alive = key == "alive";
    let unit = view.t(&format!("units.{}", view.run.settings.summary.time_unit.name()));
    let percent = |v: f64| view.percent(v);
    let number = |v: f64| view.words.language.number(v, 2);
    Heat {
        id: format!("surface-{key}"),
        title: view
            .fill(&format!("customers.chart.{key}"), &[("months", &view.months(surface.months))]),
        note: view.fill("customers.chart.surface", &[("age", &view.duration(surface.age))]),
        across: view.t("words.frequency"),
        down: &view.fill("words.recency", &[("unit", unit)]),
        columns: surface.frequency.iter().map(|x| view.whole(*x as f64)).collect(),
        rows: surface.recency.iter().map(|t| view.number(*t)).collect(),
        values: if alive { surface.p_alive.clone() } else { surface.expected_orders.clone() },
        full: alive.then_some(1.0),
        written: false,
        colour: None,
        say: if alive { &percent } else { &number },
    }
    .chart(view)
}

/// P(alive) of some customers over time, one of them shown at a time.
fn survival(view: &View<'_>) -> Markup {
    let title = view.t("customers.chart.survival");
    let all = &view.charts.survival;
    let curves = &all[..all.len().min(CURVES)];
    let mut table = Table::new(
        ["customers.customer", "customers.days", "words.p_alive"].map(|key| view.t(key)),
    );
    for (rank, curve) in curves.iter().enumerate() {
        for (day, p) in curve.days.iter().zip(&curve.p_alive) {
            table.row([
                Cell::text(name(view, rank, curve)),
                Cell::Number(view.whole(*day), *day),
                Cell::Number(view.words.language.percent(*p, 1), *p),
            ]);
        }
    }
    // All but the first curve are hidden, so that one is shown even without the script.
    let choice = html! {
        label.choose { (view.t("customers.choose")) " "
            select data-choose="survival" {
                @for (rank, curve) in curves.iter().enumerate() {
                    option value=(rank) { (name(view, rank, curve)) }
                }
            }
        }
        @for (rank, curve) in curves.iter().enumerate() {
            div.choice hidden[rank > 0] data-choice="survival" data-at=(rank) { (one_survival(view, curve)) }
        }
    };
    Chart {
        id: "survival".to_owned(),
        title: title.to_owned(),
        note: view.t("customers.chart.survival_note").to_owned(),
        legend: Vec::new(),
        drawing: choice,
        table,
    }
    .markup(view)
}

fn name(view: &View<'_>, rank: usize, curve: &Survival) -> String {
    match view.show_ids {
        true => format!("{} · {}", rank + 1, curve.customer_id),
        false => view.fill("customers.number", &[("n", &(rank + 1).to_string())]),
    }
}

fn one_survival(view: &View<'_>, curve: &Survival) -> Markup {
    let last = curve.days.last().copied().unwrap_or(1.0);
    let up = Scale::exact(0.0, 1.0, (BOTTOM, TOP));
    let across = Scale::exact(0.0, last, (LEFT, RIGHT));
    let places = curve.days.iter().zip(&curve.p_alive);
    let points: Vec<(f64, f64)> = places.map(|(day, p)| (across.at(*day), up.at(*p))).collect();
    let first = view.day(&curve.first_order);
    let below = view.fill("customers.chart.days_since", &[("date", &first)]);
    svg(
        view.t("customers.chart.survival"),
        HEIGHT,
        html! {
            (upright(&up, |v| view.percent(v)))
            @for day in &curve.orders {
                path.order d=(format!("M{} {BOTTOM}v-8", px(across.at(*day)))) {
                    title { (view.fill("customers.chart.order", &[("day", &view.whole(*day))])) }
                }
            }
            path class={ "line m " (class(4)) } d=(path(&points)) {}
            @for (day, p) in curve.days.iter().zip(&curve.p_alive) {
                circle class={ "dot m " (class(4)) } cx=(px(across.at(*day))) cy=(px(up.at(*p))) r="1.6" {
                    title { (view.whole(*day)) ": " (view.words.language.percent(*p, 1)) }
                }
            }
            g.axis {
                @for tick in across.ticks() {
                    (label(across.at(tick), BOTTOM + 15.0, "middle", &view.whole(tick)))
                }
                (label((LEFT + RIGHT) / 2.0, HEIGHT - 8.0, "middle", &below))
            }
        },
    )
}
