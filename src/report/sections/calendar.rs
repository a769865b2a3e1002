//! The season, the trend and the events that the forecast follows, or why it follows none.

use maud::{Markup, html};

use crate::report::chart::Chart;
use crate::report::chart::columns::{ColumnChart, Series};
use crate::report::view::View;
use crate::results::calendar::{CalendarEntry, EventEntry, MonthAhead, NotTaken, SeasonEntry};

/// Standard errors on either side of a factor that hold it in nine cases of ten.
const NINE_OF_TEN: f64 = 1.645;

/// The part of the forecast about the calendar; nothing where nobody asked.
pub fn part(view: &View<'_>) -> Markup {
    let Some(calendar) = &view.run.calendar else { return html! {} };
    html! {
        h3 #calendar { (view.t("calendar.title")) }
        @for sentence in sentences(view, calendar) { p { (sentence) } }
        @if calendar.season.is_some() || calendar.trend.is_some() {
            div.charts {
                @if let Some(season) = &calendar.season { (season_chart(view, season).markup(view)) }
                @if !calendar.months_ahead.is_empty() { (ahead_chart(view, calendar).markup(view)) }
            }
        }
    }
}

fn sentences(view: &View<'_>, calendar: &CalendarEntry) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(season) = &calendar.season {
        let [(high_month, high), (low_month, low)] = season.peak_and_trough();
        all.push(view.fill(
            "calendar.season",
            &[
                ("high_month", &month_name(view, high_month)),
                ("high", &view.words.language.number(high, 2)),
                ("low_month", &month_name(view, low_month)),
                ("low", &view.words.language.number(low, 2)),
            ],
        ));
    }
    if let Some([peak, trough]) = calendar.peak_and_trough() {
        let key = if calendar.season.is_some() { "calendar.next" } else { "calendar.next_trend" };
        all.push(view.fill(key, &[("peak", &month(view, peak)), ("trough", &month(view, trough))]));
    }
    if let Some(trend) = &calendar.trend {
        let key = if trend.yearly < 1.0 { "calendar.falls" } else { "calendar.rises" };
        let change = view.words.language.percent((trend.yearly - 1.0).abs(), 0);
        all.push(view.fill(key, &[("yearly", &change)]));
    }
    all.extend(calendar.events.iter().map(|event| of_event(view, event)));
    let gate = calendar.gate.as_ref();
    let refused = |why: Option<NotTaken>| why.filter(|why| *why != NotTaken::NotAsked);
    let none = |key: &str, why: NotTaken| {
        view.fill(key, &[("why", view.words.name("calendar.why", why.name()))])
    };
    let [season, trend] = [
        refused(gate.and_then(|gate| gate.season)).filter(|_| calendar.season.is_none()),
        refused(gate.and_then(|gate| gate.trend)),
    ];
    match (season, trend) {
        (Some(one), Some(other)) if one == other => all.push(none("calendar.neither", one)),
        _ => {
            all.extend(season.map(|why| none("calendar.no_season", why)));
            all.extend(trend.map(|why| none("calendar.no_trend", why)));
        }
    }
    all
}

fn of_event(view: &View<'_>, event: &EventEntry) -> String {
    let factor = view.words.language.number(event.factor, 2);
    view.fill("calendar.event", &[("name", &event.name), ("factor", &factor)])
}

fn month_name(view: &View<'_>, month: &str) -> String {
    view.words.name("month_names", &month.to_lowercase()).to_owned()
}

/// A month such as 2021-06 with its year.
fn month(view: &View<'_>, month: &MonthAhead) -> String {
    let first = format!("{}-01", month.month).parse();
    first.map_or_else(|_| month.month.clone(), |day| view.words.language.month(day))
}

fn season_chart(view: &View<'_>, season: &SeasonEntry) -> Chart {
    let intervals = season.standard_errors.map_or_else(Vec::new, |errors| {
        let pairs = season.months.iter().zip(errors);
        let ends = |(factor, error): (&f64, f64)| {
            Some([(factor - NINE_OF_TEN * error).max(0.0), factor + NINE_OF_TEN * error])
        };
        pairs.map(ends).collect()
    });
    let names = crate::results::calendar::MONTHS.iter().map(|name| {
        let full = month_name(view, name);
        full.chars().take(3).collect()
    });
    let title = view.t("calendar.chart.season").to_owned();
    let series = Series {
        name: view.t("calendar.factor").to_owned(),
        colour: 4,
        values: season.months.to_vec(),
        intervals,
    };
    columns(view, "season", title, names.collect(), series)
}

fn ahead_chart(view: &View<'_>, calendar: &CalendarEntry) -> Chart {
    let months = &calendar.months_ahead;
    let names = months.iter().map(|one| month(view, one)).collect();
    let values = months.iter().map(|one| one.factor).collect();
    let title = view.t("calendar.chart.ahead").to_owned();
    columns(view, "months-ahead", title, names, Series::new(view.t("calendar.factor"), 4, values))
}

fn columns(
    view: &View<'_>,
    id: &str,
    title: String,
    categories: Vec<String>,
    series: Series,
) -> Chart {
    let note = match series.intervals.is_empty() {
        true => "calendar.chart.average",
        false => "calendar.chart.with_errors",
    };
    ColumnChart {
        id,
        title,
        note: view.t(note).to_owned(),
        across: view.t("calendar.month"),
        categories,
        series: vec![series],
        stacked: false,
        say: &|v| view.words.language.number(v, 2),
    }
    .chart(view)
}
