//! The forecast: what the company can expect, and how good such forecasts were on the holdout.

use chrono::Datelike;
use maud::{Markup, html};

use crate::customers::Scope;
use crate::report::chart::Chart;
use crate::report::chart::columns::{ColumnChart, Series};
use crate::report::chart::lines::{Line, Lines};
use crate::report::sections::calendar;
use crate::report::table::{Cell, Table};
use crate::report::view::View;
use crate::results::chart_data::HoldoutChart;
use crate::results::forecast::{ForecastRow, Interval, Span, Week};
use crate::settings::InputKind;

/// The section as HTML.
pub fn section(view: &View<'_>) -> Markup {
    let months: Vec<&ForecastRow> = total(view, Span::Month).collect();
    let mut charts =
        vec![by_month(view, &months, "orders", &|p| (p.orders, p.orders_interval), &|v| {
            view.whole(v)
        })];
    if view.has_money() {
        let revenue = |p: &ForecastRow| (p.revenue.unwrap_or(0.0), p.revenue_interval);
        charts.push(by_month(view, &months, "revenue", &revenue, &|v| view.money(v)));
    }
    html! {
        (crate::report::sections::heading(view, "forecast"))
        (horizons(view).markup("forecast-table", view.t("forecast.table")))
        div.charts {
            @for chart in &charts { (chart.markup(view)) }
            @if !view.run.tracking.is_empty() {
                (tracking(view, "weekly", &whole_weeks(view), &|w| (w.actual, w.expected)).markup(view))
                (tracking(view, "cumulative", &view.run.tracking.iter().collect::<Vec<_>>(), &|w| {
                    (w.actual_cumulative, w.expected_cumulative)
                })
                .markup(view))
            }
            @if let Some(holdout) = &view.charts.holdout { (deciles(view, holdout).markup(view)) }
        }
        (calendar::part(view))
        @if let Some(holdout) = &view.charts.holdout {
            h3 { (view.t("forecast.holdout")) }
            p { (view.fill("forecast.holdout_note", &[
                ("from", &view.day(&holdout.calibration_end)), ("to", &view.day(&holdout.holdout_end)),
            ])) }
            (methods(view, holdout).markup("holdout-table", view.t("forecast.holdout")))
        } @else {
            p.more { (view.t(if view.run.settings.input.kind == InputKind::Customers {
                "forecast.no_log"
            } else {
                "forecast.no_holdout"
            })) }
        }
        (channels(view))
    }
}

fn total<'a>(view: &View<'a>, span: Span) -> impl Iterator<Item = &'a ForecastRow> + use<'a> {
    let wanted = move |row: &&ForecastRow| row.scope == Scope::Total && row.period.span == span;
    view.run.forecast.iter().filter(wanted)
}

fn by_month(
    view: &View<'_>,
    months: &[&ForecastRow],
    key: &str,
    of: &dyn Fn(&ForecastRow) -> (f64, Option<Interval>),
    say: &dyn Fn(f64) -> String,
) -> Chart {
    let band = |p: &&ForecastRow| of(p).1.map(|interval| [interval.low, interval.high]);
    let level = view.run.intervals.as_ref().map(|i| view.percent(i.level));
    let name = |p: &&ForecastRow| {
        let until = view.words.language.date(view.day_ahead(p.period.to_day));
        view.fill("forecast.month", &[("n", &p.period.number.to_string()), ("date", &until)])
    };
    Lines {
        id: &format!("forecast-{key}"),
        title: view.t(&format!("forecast.chart.{key}")).to_owned(),
        note: level
            .map_or(String::new(), |level| view.fill("forecast.chart.band", &[("level", &level)])),
        across: view.t("forecast.months"),
        places: months.iter().map(|p| f64::from(p.period.number)).collect(),
        names: months.iter().map(name).collect(),
        ticks: months
            .iter()
            .map(|p| (f64::from(p.period.number), p.period.number.to_string()))
            .collect(),
        lines: vec![Line {
            name: view.t(&format!("forecast.{key}")).to_owned(),
            colour: 4,
            dashed: false,
            values: months.iter().map(|p| of(p).0).collect(),
            band: months.iter().map(band).collect(),
        }],
        border: None,
        say,
    }
    .chart(view)
}

fn horizons(view: &View<'_>) -> Table {
    let (orders, revenue) = (view.t("forecast.orders"), view.t("forecast.revenue"));
    let with_intervals = view.run.intervals.is_some();
    let ends = |name: &str| match with_intervals {
        true => vec![
            name.to_owned(),
            view.t("forecast.low").to_owned(),
            view.t("forecast.high").to_owned(),
        ],
        false => vec![name.to_owned()],
    };
    let mut head = [vec![view.t("forecast.until").to_owned()], ends(orders)].concat();
    if view.has_money() {
        head.extend(ends(revenue));
    }
    let mut table = Table::new(head);
    for p in total(view, Span::Horizon) {
        let until = view.words.language.date(view.day_ahead(p.period.to_day));
        let name = view.fill(
            "forecast.horizon",
            &[("months", &view.months(p.period.number)), ("date", &until)],
        );
        let mut row = vec![Cell::text(name), Cell::Number(view.whole(p.orders), p.orders)];
        if with_intervals {
            row.extend(both(p.orders_interval, |v| view.whole(v)));
        }
        row.extend(p.revenue.map(|revenue| Cell::Number(view.money(revenue), revenue)));
        if with_intervals && p.revenue.is_some() {
            row.extend(both(p.revenue_interval, |v| view.money(v)));
        }
        table.row(row);
    }
    table
}

fn both(interval: Option<Interval>, say: impl Fn(f64) -> String) -> [Cell; 2] {
    match interval {
        Some(Interval { low, high }) => [low, high].map(|v| Cell::Number(say(v), v)),
        None => [Cell::none(), Cell::none()],
    }
}

/// Expected orders and revenue by channel.
fn channels(view: &View<'_>) -> Markup {
    let (_, months) = view.longest();
    let rows = view
        .run
        .forecast
        .iter()
        .filter(|row| row.scope == Scope::Channel && row.period.is_horizon(months));
    let revenue = view.has_money().then(|| view.t("forecast.revenue"));
    let head = [view.t("forecast.channel"), view.t("forecast.orders")];
    let mut table = Table::new(head.into_iter().chain(revenue));
    for row in rows {
        let cells = [Cell::text(&row.group), Cell::Number(view.whole(row.orders), row.orders)];
        table.row(cells.into_iter().chain(row.revenue.map(|revenue| view.amount(Some(revenue)))));
    }
    html! {
        @if !table.is_empty() {
            h3 { (view.fill("forecast.channels", &[("months", &view.months(months))])) }
            (table.markup("channels-table", view.t("forecast.channel")))
        }
    }
}

/// The weeks of seven days. The last week before the cut and the last of all can be shorter, and
/// would look like a collapse.
fn whole_weeks<'a>(view: &View<'a>) -> Vec<&'a Week> {
    let days = |week: &Week| (week.last_day - week.first_day).num_days() + 1;
    view.run.tracking.iter().filter(|week| days(week) == 7).collect()
}

fn tracking(
    view: &View<'_>,
    key: &str,
    weeks: &[&Week],
    of: &dyn Fn(&Week) -> (f64, f64),
) -> Chart {
    let place = |w: &Week| f64::from(w.last_day.num_days_from_ce());
    let line = |name: &str, colour, dashed, values: Vec<f64>| Line {
        name: view.t(name).to_owned(),
        colour,
        dashed,
        values,
        band: Vec::new(),
    };
    let every = (weeks.len() / 4).max(1);
    let ticks = weeks.iter().skip(every / 2).step_by(every);
    // Without a holdout there is no cut to be marked.
    let border = weeks.iter().rfind(|w| !w.holdout).filter(|_| weeks.iter().any(|w| w.holdout));
    Lines {
        id: &format!("tracking-{key}"),
        title: view.t(&format!("forecast.chart.{key}")).to_owned(),
        note: view.t("forecast.chart.tracking").to_owned(),
        across: view.t("forecast.week_to"),
        places: weeks.iter().map(|w| place(w)).collect(),
        names: weeks.iter().map(|w| view.words.language.date(w.last_day)).collect(),
        ticks: ticks.map(|w| (place(w), view.words.language.month(w.last_day))).collect(),
        lines: vec![
            line("words.actual", 7, false, weeks.iter().map(|w| of(w).0).collect()),
            line("words.expected", 4, true, weeks.iter().map(|w| of(w).1).collect()),
        ],
        border: border.map(|w| (place(w), view.t("forecast.chart.cut").to_owned())),
        say: &|v| view.number(v),
    }
    .chart(view)
}

fn deciles(view: &View<'_>, holdout: &HoldoutChart) -> Chart {
    let values = |of: &dyn Fn(&crate::results::chart_data::Decile) -> f64| {
        holdout.deciles.iter().map(of).collect()
    };
    ColumnChart {
        id: "holdout-deciles",
        title: view.t("forecast.chart.deciles").to_owned(),
        note: view.t("forecast.chart.deciles_note").to_owned(),
        across: view.t("forecast.decile"),
        categories: holdout.deciles.iter().map(|d| d.decile.to_string()).collect(),
        series: vec![
            Series::new(view.t("words.expected"), 4, values(&|d| d.expected_orders)),
            Series::new(view.t("words.actual"), 7, values(&|d| d.actual_orders)),
        ],
        stacked: false,
        say: &|v| view.number(v),
    }
    .chart(view)
}

fn methods(view: &View<'_>, holdout: &HoldoutChart) -> Table {
    let mut keys = vec!["method", "expected_orders", "actual_orders", "off", "mae", "rmse"];
    if view.has_money() {
        keys.extend(["expected_value", "actual_value"]);
    }
    let titles = keys.into_iter().map(|key| view.t(&format!("forecast.methods.{key}")));
    let mut table = Table::new(titles);
    let number = |v: f64| Cell::Number(view.number(v), v);
    for m in &holdout.methods {
        let name = view
            .words
            .get(&format!("baselines.{}", m.name))
            .map_or_else(|| view.model_name(&m.name), str::to_owned);
        let cells = [
            Cell::text(name),
            number(m.expected_orders),
            number(m.actual_orders),
            m.bias
                .map_or(Cell::none(), |off| Cell::Number(view.words.language.percent(off, 1), off)),
            Cell::Number(view.words.language.number(m.mae, 4), m.mae),
            Cell::Number(view.words.language.number(m.rmse, 4), m.rmse),
        ];
        let values = [m.expected_value, m.actual_value].into_iter().filter(|_| view.has_money());
        table.row(cells.into_iter().chain(values.map(|value| view.amount(value))));
    }
    table
}
