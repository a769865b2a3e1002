//! The segments: who is in them, what they are worth, and what to do about each.

use maud::{Markup, html};

use crate::report::chart::columns::{ColumnChart, Series};
use crate::report::chart::heat::Heat;
use crate::report::chart::{Chart, class};
use crate::report::sections::{by_segment, profiles};
use crate::report::table::{Cell, Table};
use crate::report::texts::Suggestion;
use crate::report::view::View;
use crate::results::advice::Advice;
use crate::results::chart_data::Distribution;
use crate::results::profiles::Profile;
use crate::settings::columns::{CLTV, EXP_AVERAGE_VALUE, expected_orders};

/// The section as HTML.
pub fn section(view: &View<'_>) -> Markup {
    html! {
        (crate::report::sections::heading(view, "segments"))
        (table(view).markup("segments-table", view.t("segments.table")))
        div.cards { @for s in view.best_first() { (action(view, s)) } }
        h3 { (view.t("segments.worth")) }
        (together(view, figures(view)))
        h3 { (view.t("segments.spread")) }
        (together(view, view.charts.distributions.iter().map(|d| distribution(view, d))))
        h3 { (view.t("segments.who")) }
        (together(view, profiles::all(view)))
        h3 { (view.t("segments.past")) }
        (together(view, view.best_first().map(|segment| recency_frequency(view, segment))))
    }
}

fn together(view: &View<'_>, charts: impl IntoIterator<Item = Chart>) -> Markup {
    html! { div.charts { @for chart in charts { (chart.markup(view)) } } }
}

/// The figures of the segments; amounts where there is money.
fn figures(view: &View<'_>) -> Vec<Chart> {
    let amount = |key: &str, of: &dyn Fn(&Profile) -> Option<f64>| {
        let value = |p: &Profile| of(p).unwrap_or(0.0);
        view.has_money().then(|| figure(view, key, &value, &|v| view.money(v)))
    };
    let mut charts = vec![figure(view, "customers", &|p| p.customers as f64, &|v| view.whole(v))];
    charts.extend(amount("total_cltv", &|p| p.total_cltv));
    charts.extend(amount("monetary", &|p| p.mean_monetary));
    charts.push(orders(view));
    charts
}

fn table(view: &View<'_>) -> Table {
    let (h, months) = view.longest();
    let orders = view.fill("segments.orders", &[("months", &view.months(months))]);
    let title = |key: &str| view.t(&format!("segments.{key}")).to_owned();
    let has_money = view.has_money();
    let of_money = |keys: &[&str]| match has_money {
        true => keys.iter().map(|key| title(key)).collect(),
        false => Vec::new(),
    };
    let mut head: Vec<String> = ["segment", "customers", "from", "to"].map(title).to_vec();
    head.extend(of_money(&["mean", "total"]));
    head.extend([title("share"), orders]);
    head.extend(of_money(&["basket"]));
    head.push(title("alive"));
    let mut table = Table::new(head);
    for s in view.best_first() {
        let (p, edges) = (&view.run.segments[s], &view.run.segment_edges);
        let share = share(view, &p.label);
        let orders = p.expected_orders.get(h).map_or(0.0, |(_, orders)| *orders);
        let of_money = |amounts: &[Option<f64>]| -> Vec<Cell> {
            amounts.iter().filter(|_| has_money).map(|amount| view.amount(*amount)).collect()
        };
        let mut row = vec![
            Cell::text(&p.label),
            Cell::Number(view.whole(p.customers as f64), p.customers as f64),
            view.ranking(edges[s]),
            view.ranking(edges[s + 1]),
        ];
        row.extend(of_money(&[p.mean_cltv, p.total_cltv]));
        row.push(Cell::Bar(view.percent(share), share, share));
        row.push(Cell::Number(view.whole(orders), orders));
        row.extend(of_money(&[p.mean_monetary]));
        row.push(view.alive(p.mean_p_alive));
        table.row(row);
    }
    table
}

fn share(view: &View<'_>, label: &str) -> f64 {
    let action = view.run.suggested_actions.iter().find(|action| action.segment == label);
    action.map_or(0.0, Advice::share)
}

/// What to do about a segment in the page's language, or in the run's own words when a fact is
/// missing.
fn action(view: &View<'_>, segment: usize) -> Markup {
    let label = &view.charts.segments[segment];
    let advice = view.run.suggested_actions.iter().find(|advice| advice.segment == *label);
    let said = |advice: &Advice| {
        view.words.suggestion(advice).unwrap_or_else(|| Suggestion {
            title: String::new(),
            standing: String::new(),
            action: advice.text.clone(),
        })
    };
    html! {
        @if let Some(Suggestion { title, standing, action }) = advice.map(said) {
            article class={ "card " (class(view.colour(segment))) } {
                h3 { span.badge { (label) } (title) }
                p { (action) }
                @if !standing.is_empty() { p.standing { (standing) } }
            }
        }
    }
}

fn figure(
    view: &View<'_>,
    key: &str,
    of: &dyn Fn(&Profile) -> f64,
    say: &dyn Fn(f64) -> String,
) -> Chart {
    let values: Vec<f64> = view.run.segments.iter().map(of).collect();
    let title = view.t(&format!("segments.chart.{key}")).to_owned();
    by_segment(view, &format!("segment-{key}"), title, &values, say)
}

fn orders(view: &View<'_>) -> Chart {
    let order: Vec<usize> = view.best_first().collect();
    let intervals = view.run.intervals.as_ref();
    let series = view.run.settings.forecast.horizons.iter().enumerate().map(|(h, horizon)| {
        let of = |s: &usize| view.run.segments[*s].expected_orders.get(h).map_or(0.0, |(_, o)| *o);
        let interval = |s: &usize| {
            let (_, range) = *intervals?.segments.get(*s)?.orders.get(h)?;
            Some([range.low, range.high])
        };
        Series {
            name: view.months(horizon.months),
            colour: h + 4,
            values: order.iter().map(of).collect(),
            intervals: order.iter().map(interval).collect(),
        }
    });
    ColumnChart {
        id: "segment-orders",
        title: view.t("segments.chart.orders").to_owned(),
        note: intervals.map_or(String::new(), |i| {
            view.fill("segments.chart.whiskers", &[("level", &view.percent(i.level))])
        }),
        across: view.t("segments.segment"),
        categories: order.iter().map(|s| view.charts.segments[*s].clone()).collect(),
        series: series.collect(),
        stacked: false,
        say: &|v| view.whole(v),
    }
    .chart(view)
}

/// The title of the histogram of a column.
fn distribution_title(view: &View<'_>, measure: &str) -> String {
    let months = view.run.settings.lifetime_value.months;
    if measure == CLTV {
        return view.fill("segments.chart.cltv", &[("months", &view.months(months))]);
    }
    if measure == EXP_AVERAGE_VALUE {
        return view.t("segments.chart.average").to_owned();
    }
    let horizons = view.run.settings.forecast.horizons.iter();
    let own = horizons.map(|h| h.months).find(|months| expected_orders(*months) == measure);
    let months = own.map_or(measure.to_owned(), |months| view.months(months));
    view.fill("segments.chart.expected", &[("months", &months)])
}

fn distribution(view: &View<'_>, distribution: &Distribution) -> Chart {
    let edges = &distribution.edges;
    let mut categories: Vec<String> = edges
        .windows(2)
        .map(|pair| format!("{}–{}", view.short(pair[0]), view.short(pair[1])))
        .collect();
    let open = distribution.above.iter().any(|count| *count > 0);
    if open {
        categories.push(format!("≥ {}", view.short(edges.last().copied().unwrap_or(0.0))));
    }
    let series = view.best_first().map(|s| {
        let above = open.then_some(distribution.above[s]);
        let values = distribution.counts[s].iter().copied().chain(above).map(|n| n as f64);
        Series::new(view.charts.segments[s].clone(), view.colour(s), values.collect())
    });
    let title = distribution_title(view, &distribution.measure);
    let chart = ColumnChart {
        id: &format!("distribution-{}", distribution.measure),
        title: title.clone(),
        note: view.t("segments.chart.distribution").to_owned(),
        across: &title,
        categories,
        series: series.collect(),
        stacked: true,
        say: &|v| view.whole(v),
    };
    chart.chart(view)
}

fn recency_frequency(view: &View<'_>, segment: usize) -> Chart {
    let data = &view.charts.recency_frequency;
    let from = &data.frequency_from;
    let columns = from.iter().enumerate().map(|(i, low)| match from.get(i + 1) {
        Some(next) if *next == low + 1 => format!("{low}"),
        Some(next) => format!("{low}–{}", next - 1),
        None => format!("{low}+"),
    });
    let rows = data
        .recency_edges
        .windows(2)
        .map(|pair| format!("{}–{}", view.short(pair[0]), view.short(pair[1])));
    let unit = view.t(&format!("units.{}", view.run.settings.summary.time_unit.name()));
    let count = |n: &u64| if *n == 0 { None } else { Some(*n as f64) };
    Heat {
        id: format!("recency-frequency-{}", view.colour(segment)),
        title: view.fill(
            "segments.chart.recency_frequency",
            &[("segment", &view.charts.segments[segment])],
        ),
        note: view.t("segments.chart.recency_frequency_note").to_owned(),
        across: view.t("words.frequency"),
        down: &view.fill("words.recency", &[("unit", unit)]),
        columns: columns.collect(),
        rows: rows.collect(),
        values: data.counts[segment].iter().map(|row| row.iter().map(count).collect()).collect(),
        full: None,
        written: false,
        colour: Some(view.colour(segment)),
        say: &|v| view.whole(v),
    }
    .chart(view)
}
