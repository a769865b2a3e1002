//! The overview: three numbers (two without money), and what to know before they are used.

use maud::{Markup, html};

use crate::customers::Scope;
use crate::report::texts::Said;
use crate::report::view::View;
use crate::results::findings::{Finding, Severity};
use crate::results::forecast::{ForecastRow, Interval, ModelErrorBasis, Span};
use crate::settings::Family;

/// Codes of the findings that the overview shows although they are not warnings.
const IN_FRONT: [&str; 2] = ["selection_corrected", "selection_by_channels"];

/// The section as HTML.
pub fn section(view: &View<'_>) -> Markup {
    let (front, rest): (Vec<&Finding>, Vec<&Finding>) =
        view.run.warnings.iter().partition(|finding| is_in_front(finding));
    html! {
        h2.quiet { (view.t("overview.title")) }
        div.kpis {
            (orders(view))
            @if let Some(total) = view.run.company.total_cltv { (revenue(view, total)) }
            (alive(view))
        }
        @for finding in front { (notice(view, finding)) }
        @if !rest.is_empty() {
            p.more { a href="#diagnostics" {
                (view.fill("overview.more", &[("n", &rest.len().to_string())]))
            } }
        }
        p.more { (assumptions(view)) }
        @if let Some(money) = in_money(view) { p.more #money { (money) } }
        @if let Some(allowed) = allowed_for(view) { p.more { (allowed) } }
    }
}

/// In which money amounts are, where order values were brought to that of one day.
fn in_money(view: &View<'_>) -> Option<String> {
    let prices = view.money_of()?;
    let date = view.day(&prices.money_of?.to_string());
    Some(match prices.future_yearly {
        None => view.fill("overview.money_of", &[("date", &date)]),
        Some(yearly) => {
            let factor = view.words.language.number(yearly, 2);
            view.fill("overview.money_goes_on", &[("date", &date), ("factor", &factor)])
        }
    })
}

/// What the ranges allow for.
fn allowed_for(view: &View<'_>) -> Option<String> {
    let Some(error) = view.run.intervals.as_ref()?.model_error else {
        return Some(view.t("intervals.chance").to_owned());
    };
    let key = match error.basis {
        ModelErrorBasis::Held => "intervals.held",
        ModelErrorBasis::Short => "intervals.short",
        ModelErrorBasis::PastErrors => "intervals.past_errors",
    };
    let gaps = [("n", error.past_forecasts.to_string()), ("error", view.percent(error.orders))];
    let text = view.fill(key, &gaps.each_ref().map(|(name, value)| (*name, value.as_str())));
    Some(match error.prices {
        Some(_) => format!("{text} {}", view.t("intervals.prices")),
        None => text,
    })
}

fn is_in_front(finding: &Finding) -> bool {
    finding.severity == Severity::Warning || IN_FRONT.contains(&finding.code.as_ref())
}

/// A large number with its title above it and its interval below it.
fn kpi(id: &str, title: &str, value: &str, exact: f64, below: &str) -> Markup {
    html! {
        div.kpi id=(id) {
            p.what { (title) }
            p.value data-v=(exact) { (value) }
            p.range { (below) }
        }
    }
}

fn orders(view: &View<'_>) -> Markup {
    let (h, months) = view.longest();
    let value = view.run.company.expected_orders.get(h).map_or(0.0, |(_, orders)| *orders);
    let range =
        view.run.intervals.as_ref().and_then(|i| Some((i.level, i.company.orders.get(h)?.1)));
    let title = view.fill("overview.orders", &[("months", &view.months(months))]);
    kpi("kpi-orders", &title, &view.whole(value), value, &interval(view, range, |v| view.whole(v)))
}

/// Revenue over the longest horizon, or the lifetime value where the forecast has no such period.
fn revenue(view: &View<'_>, total_cltv: f64) -> Markup {
    let (_, months) = view.longest();
    let wanted = |row: &&ForecastRow| row.scope == Scope::Total && row.period.is_horizon(months);
    let row = view.run.forecast.iter().find(wanted);
    let level = view.run.intervals.as_ref().map(|intervals| intervals.level);
    match row.and_then(|row| Some((row, row.revenue?))) {
        Some((row, revenue)) => {
            let title = view.fill("overview.revenue", &[("months", &view.months(months))]);
            let range = level.zip(row.revenue_interval);
            let below = interval(view, range, |v| view.money(v));
            kpi("kpi-revenue", &title, &view.money(revenue), revenue, &below)
        }
        None => {
            let months = view.months(view.run.settings.lifetime_value.months);
            let title = view.fill("overview.value", &[("months", &months)]);
            let intervals = view.run.intervals.as_ref();
            let range = intervals.and_then(|i| Some((i.level, i.company.lifetime_value?)));
            kpi(
                "kpi-revenue",
                &title,
                &view.money(total_cltv),
                total_cltv,
                &interval(view, range, |v| view.money(v)),
            )
        }
    }
}

fn alive(view: &View<'_>) -> Markup {
    let share = view.run.company.mean_p_alive;
    let title = view.t("overview.alive");
    if !view.knows_who_left() {
        return kpi("kpi-alive", title, "?", share, view.t("overview.alive_unknown"));
    }
    let range = view.run.intervals.as_ref().map(|i| (i.level, i.company.alive));
    let interval = interval(view, range, |v| view.words.language.percent(v, 1));
    let below = match (ordered_once(view), range.is_some()) {
        (0, _) => interval,
        (n, with_interval) => {
            let once = view.fill("overview.alive_once", &[("n", &view.whole(n as f64))]);
            if with_interval { format!("{interval} · {once}") } else { once }
        }
    };
    kpi("kpi-alive", title, &view.percent(share), share, &below)
}

/// Number of customers without a repeat order, whose P(alive) is always 1 in BG/NBD; 0 for other
/// models.
fn ordered_once(view: &View<'_>) -> u64 {
    let without = view.charts.fit.frequency.first().filter(|bin| bin.to == Some(1.0));
    without
        .filter(|_| view.run.purchases.model.plain() == Family::BgNbd)
        .map_or(0, |bin| bin.observed)
}

fn interval(
    view: &View<'_>,
    range: Option<(f64, Interval)>,
    say: impl Fn(f64) -> String,
) -> String {
    match range {
        Some((level, range)) => view.fill(
            "overview.interval",
            &[("level", &view.percent(level)), ("range", &view.range(range, say))],
        ),
        None => view.t("overview.no_interval").to_owned(),
    }
}

/// One finding with its remedy.
pub fn notice(view: &View<'_>, finding: &Finding) -> Markup {
    let (kind, sign) = match finding.severity {
        Severity::Warning => ("warning", view.t("overview.warning")),
        Severity::Note => ("note", view.t("overview.note")),
    };
    let Said { message, remedy } = told(view, finding);
    html! {
        div class={ "notice " (kind) } data-code=(finding.code) {
            p { strong { (sign) " " } (message) }
            p.remedy { (remedy) }
        }
    }
}

/// A finding in the page's language, or in the run's own words when the language has no text for
/// it.
fn told(view: &View<'_>, finding: &Finding) -> Said {
    view.words.finding(finding).unwrap_or_else(|| Said {
        message: finding.message.clone(),
        remedy: finding.remedy.clone(),
    })
}

fn assumptions(view: &View<'_>) -> String {
    let settings = &view.run.settings;
    let (_, months) = view.longest();
    let month = view.run.forecast.iter().find(|row| row.period.span == Span::Month);
    let days = month.map_or(0.0, |row| row.period.to_day);
    let text = view.fill(
        "overview.assumptions",
        &[
            ("months", &view.months(months)),
            ("until", &view.words.language.date(view.day_ahead(days * f64::from(months)))),
        ],
    );
    let alike = settings.forecast.weeks_per_month == settings.lifetime_value.weeks_per_month;
    match alike || !view.has_money() {
        true => text,
        false => format!("{text} {}", view.t("overview.other_months")),
    }
}
