//! The summary of `run` and `score` on the terminal. The short one fits a screen: what was read, the
//! models, findings, the company, segments, the customers worth most. The full one has all tables.

use std::io::Write;
use std::path::Path;

use polars::prelude::{AnyValue, DataFrame};

use crate::cli::terminal::{
    Page, findings, fitted_table, mark, number_table, plain_table, sentence, shortened, width,
};
use crate::customers::Scope;
use crate::model::FittedSpend;
use crate::model::likelihood::estimate::Parameter;
use crate::output::tables;
use crate::results::advice::Play;
use crate::results::calendar::NotTaken;
use crate::results::findings::{Finding, Severity};
use crate::results::forecast::{ForecastRow, Interval, Span};
use crate::results::forecast::{ModelError, ModelErrorBasis};
use crate::results::model_check::ModelCheck;
use crate::results::numbers::{count, decimal, significant, whole};
use crate::results::spend_method::SpendMethod;
use crate::run::Run;
use crate::safe_text::printable::printable;
use crate::settings::columns::CLTV;
use crate::settings::{FrequencyKind, MonthLength, Settings};

/// Lines of the short page.
const LINES: usize = 40;
/// Lines of the short page that are kept for the end of it: the written folder and the report.
const LAST_LINES: usize = 3;
/// Lines that findings of the short page may fill.
const MOST_BEFORE_TABLES: usize = 17;
/// Characters around the name of the pipeline: `cltv · … · `.
const BESIDE_NAME: usize = 10;
/// Most characters of a segment's label.
const WIDEST_LABEL: usize = 20;
/// Fewest customers that the short page lists.
const FEWEST: usize = 3;

/// How much the page says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// At most a screen.
    Short,
    /// Every table.
    Full,
}

/// Prints the summary to stdout.
pub fn print(
    run: &Run,
    settings: &Settings,
    folder: Option<&Path>,
    length: Length,
) -> anyhow::Result<()> {
    let mut page = Page::default();
    heading(&mut page, run, settings);
    let customers = tables::top(run, settings)?;
    match length {
        Length::Short => short(&mut page, run, settings, &customers),
        Length::Full => full(&mut page, run, settings, &customers),
    }
    page.line("");
    match folder {
        Some(folder) => {
            page.line(&format!("Written to {}", folder.display()));
            page.line(&format!("Report: {}", folder.join("report.html").display()));
        }
        None => page.line("Nothing was written (dry run)"),
    }
    anstream::stdout().write_all(page.text.as_bytes())?;
    Ok(())
}

fn short(page: &mut Page, run: &Run, settings: &Settings, customers: &DataFrame) {
    page.margin(&rows_in_short(run));
    for (place, (model, parameters)) in fitted(run).into_iter().enumerate() {
        let instead = if place == 0 { one_rate(run, settings) } else { shrunk_mean(run) };
        page.margin(&format!("{model}: {}", instead.unwrap_or_else(|| in_short(parameters))));
    }
    if let Some(line) = run.calendar().and_then(|calendar| calendar.line()) {
        page.margin(&format!("Calendar: {}", printable(&line)));
    }
    findings_in_short(page, &run.findings);
    company(page, run, settings, false);
    page.title("Segments (what to do in full: -v, the report)");
    segments(page, run, settings);
    page.line("");
    let room = LINES.saturating_sub(page.lines() + 1 + LAST_LINES);
    top(page, customers, room.max(FEWEST), settings);
}

fn full(page: &mut Page, run: &Run, settings: &Settings, customers: &DataFrame) {
    data(page, run);
    limits(page, run);
    models(page, run, settings);
    findings(page, &run.findings);
    checks(page, &run.checks);
    company(page, run, settings, true);
    page.title("Segments");
    segments(page, run, settings);
    rfm(page, run, settings);
    advice(page, run, settings);
    page.line("");
    top(page, customers, customers.height(), settings);
    next_month(page, run);
}

fn heading(page: &mut Page, run: &Run, settings: &Settings) {
    let customers = count(run.scored.height());
    let rest = format!("{customers} customers as of {}", run.audit.observation_end);
    let room = width().saturating_sub(BESIDE_NAME + rest.chars().count()).max(8);
    page.heading(&format!("cltv · {} · {rest}", shortened(&settings.name, room)));
}

fn rows_in_short(run: &Run) -> String {
    let audit = &run.audit;
    let mut text = format!("{} rows read", count(audit.rows_read));
    let rejected: usize = audit.rejected.iter().map(|r| r.rows).sum();
    if rejected > 0 {
        text.push_str(&format!(", {} set aside", count(rejected)));
    }
    if audit.below_min_orders > 0 {
        text.push_str(&format!(", {} customers left out", count(audit.below_min_orders)));
    }
    format!("{text}; orders from {} to {}", audit.first_order, audit.last_order)
}

/// The fitted models with their parameters.
fn fitted(run: &Run) -> Vec<(&'static str, &[Parameter])> {
    let orders = (run.purchases.family.title(), &run.purchases.parameters[..]);
    let name = |spend: &FittedSpend| match spend.method {
        SpendMethod::MaximumLikelihood => "Gamma-Gamma",
        SpendMethod::Credibility => "Order values",
    };
    let values = run.spend.as_ref().map(|spend| (name(spend), &spend.parameters[..]));
    [orders].into_iter().chain(values).collect()
}

/// What stands in the place of Gamma-Gamma where that could not be fitted.
fn shrunk_mean(run: &Run) -> Option<String> {
    let spend = run.spend.as_ref().filter(|spend| spend.method == SpendMethod::Credibility)?;
    let mean = decimal(spend.observed_mean);
    Some(format!("each customer's mean, shrunk towards that of all, {mean}"))
}

/// The one order rate of all customers, where it predicts.
fn one_rate(run: &Run, settings: &Settings) -> Option<String> {
    let rate = run.purchases.steady?.rate;
    let unit = settings.summary.time_unit.plural();
    Some(format!("one rate for all, an order every {} {unit}", decimal(1.0 / rate)))
}

fn in_short(parameters: &[Parameter]) -> String {
    let one = |p: &Parameter| match p.identified {
        true => format!("{} {}", p.name, significant(p.value)),
        false => format!("{} not identified", p.name),
    };
    parameters.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Warnings before notes: the first in full, others while there is room, then a line for each.
fn findings_in_short(page: &mut Page, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    page.title("Read this before you use the numbers");
    let of = |severity: Severity| findings.iter().filter(move |f| f.severity == severity);
    let mut rest: Vec<&Finding> = of(Severity::Warning).chain(of(Severity::Note)).collect();
    while let Some((first, others)) = rest.split_first() {
        let mut with = Page { text: page.text.clone() };
        with.finding(first);
        let is_first = rest.len() == findings.len();
        if with.lines() + others.len() > MOST_BEFORE_TABLES && !is_first {
            break;
        }
        *page = with;
        rest = others.to_vec();
    }
    let room = MOST_BEFORE_TABLES.saturating_sub(page.lines()).max(2);
    let shown = if rest.len() > room { room - 1 } else { rest.len() };
    for finding in &rest[..shown] {
        page.line(&format!(" {}  {}", mark(finding), beginning(&sentence(&finding.message))));
    }
    if rest.len() > shown {
        page.line(&format!(" ·  and {} more", rest.len() - shown));
    }
    if !rest.is_empty() {
        page.line("    (in full: -v, run.json and the report)");
    }
}

/// As much of a finding's message as one line holds.
fn beginning(message: &str) -> String {
    let room = width() - 4;
    match message.chars().count() > room {
        true => message.chars().take(room - 1).chain(['…']).collect(),
        false => message.to_owned(),
    }
}

fn data(page: &mut Page, run: &Run) {
    let audit = &run.audit;
    let rejected: usize = audit.rejected.iter().map(|r| r.rows).sum();
    let names: Vec<String> =
        audit.inputs.iter().take(3).map(|input| printable(&input.file)).collect();
    let more = if audit.inputs.len() > 3 { " and more" } else { "" };
    page.title("Data");
    let mut table = plain_table();
    table.add_rows([
        [
            "read".to_owned(),
            format!("{} rows of {}{more}", count(audit.rows_read), names.join(", ")),
        ],
        ["set aside".to_owned(), format!("{} rows that break a rule", count(rejected))],
        [
            "left out".to_owned(),
            format!("{} customers with too few orders", count(audit.below_min_orders)),
        ],
        ["orders".to_owned(), format!("{} to {}", audit.first_order, audit.last_order)],
    ]);
    page.table(&table);
}

fn limits(page: &mut Page, run: &Run) {
    if run.audit.limits.is_empty() {
        return;
    }
    page.title("Outlier limits");
    let rows = run.audit.limits.iter().map(|limits| {
        vec![
            printable(&limits.column),
            decimal(limits.lower_applied),
            decimal(limits.upper_applied),
            count(limits.raised + limits.lowered),
        ]
    });
    let header = ["column", "lowest", "highest", "values changed"].map(str::to_owned).to_vec();
    page.table(&fitted_table(header, rows.collect(), &[&[1]]));
}

/// What intervals of totals allow for.
fn allowed_for(error: Option<&ModelError>) -> String {
    let Some(error) = error else {
        return "they know of chance and parameters only: this file has no past to hold the model \
                against"
            .to_owned();
    };
    let percent = whole(100.0 * error.orders);
    match error.basis {
        ModelErrorBasis::Held => format!(
            "{} forecasts of the past were no further off than chance and parameters explain",
            error.past_forecasts
        ),
        ModelErrorBasis::Short => format!(
            "they are wide because the log is short: {percent} % is added, as such models are \
             usually off by"
        ),
        ModelErrorBasis::PastErrors => format!(
            "{percent} % is added, since {} forecasts of the past were off by more than chance",
            error.past_forecasts
        ),
    }
}

/// What was checked of the model.
fn checks(page: &mut Page, checks: &[ModelCheck]) {
    let named = |passed: Option<bool>| -> Vec<&str> {
        let found = checks.iter().filter(|check| check.passed == passed);
        found.map(|check| check.name.as_ref()).collect()
    };
    page.title("Checks of the model against the data");
    for (title, names) in [
        ("held", named(Some(true))),
        ("did not hold", named(Some(false))),
        ("not made", named(None)),
    ] {
        if !names.is_empty() {
            page.paragraph(title, 14, &names.join(", "));
        }
    }
}

fn models(page: &mut Page, run: &Run, settings: &Settings) {
    page.title("Models");
    let frequency = match settings.summary.frequency {
        FrequencyKind::Orders => "all orders",
        FrequencyKind::RepeatOrders => "repeat orders",
    };
    let unit = settings.summary.time_unit.plural();
    let penalty = |l2: f64| {
        if l2 > 0.0 { format!(", L2 penalty {l2}") } else { String::new() }
    };
    for (place, (model, parameters)) in fitted(run).into_iter().enumerate() {
        if place > 0 {
            let values = shrunk_mean(run).unwrap_or_else(|| with_errors(parameters));
            page.paragraph(model, 14, &values);
            let l2 = penalty(settings.spend.l2_penalty);
            page.line(&format!(" {:<12} of value per order{l2}", ""));
            continue;
        }
        let rates = one_rate(run, settings).unwrap_or_else(|| with_errors(parameters));
        page.paragraph(model, 14, &rates);
        let l2 = penalty(settings.purchases.l2_penalty);
        page.line(&format!(" {:<12} of {frequency}, time in {unit}{l2}", ""));
        if run.purchases.comparison.len() > 2 {
            comparison(page, run);
        }
    }
    calendar(page, run);
}

/// Season and trend: what they are, or why there is none.
fn calendar(page: &mut Page, run: &Run) {
    let Some(entry) = run.calendar() else { return };
    let known = entry.line().into_iter();
    let none = entry.gate.iter().flat_map(|gate| {
        let of = |what: &str, why: Option<NotTaken>| {
            why.map(|why| format!("no {what}: {}", why.words()))
        };
        [of("season", gate.season.filter(|_| entry.season.is_none())), of("trend", gate.trend)]
    });
    let said: Vec<String> = known.chain(none.flatten()).collect();
    page.paragraph("calendar", 14, &printable(&said.join("; ")));
}

/// The models that were fitted, the best first.
fn comparison(page: &mut Page, run: &Run) {
    let number = |value: Option<f64>| value.map_or("no fit".to_owned(), |v| format!("{v:.3}"));
    let rows = run.purchases.comparison.iter().map(|candidate| {
        vec![
            candidate.model.title().to_owned(),
            number(candidate.log_likelihood),
            number(candidate.aic),
            candidate.share_alive.map_or(String::new(), |share| format!("{:.0} %", 100.0 * share)),
        ]
    });
    let header = ["model", "log-likelihood", "AIC (lower is better)", "still there"];
    page.table(&number_table(header.map(str::to_owned).to_vec(), rows.collect()));
    for candidate in run.purchases.comparison.iter().filter(|c| !c.reason.is_empty()) {
        page.paragraph(candidate.model.title(), 14, &printable(&candidate.reason));
    }
}

/// Parameters with their standard errors; a line is only broken between two of them.
fn with_errors(parameters: &[Parameter]) -> String {
    let one = |p: &Parameter| match (p.identified, p.standard_error) {
        (false, _) => format!("{} not identified", p.name),
        (true, None) => format!("{} {}", p.name, significant(p.value)),
        (true, Some(error)) => {
            format!("{} {} (±{})", p.name, significant(p.value), significant(error))
        }
    };
    parameters.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Expected orders and revenue over the horizons; forecast.csv has weeks, months, segments and
/// channels.
fn company(page: &mut Page, run: &Run, settings: &Settings, with_details: bool) {
    let level = run.intervals.as_ref().map_or(String::new(), |intervals| {
        format!(", with {:.0} % intervals", 100.0 * intervals.level)
    });
    let months = match settings.forecast.weeks_per_month {
        MonthLength::Calendar => String::new(),
        MonthLength::Weeks(weeks) => format!(", months of {weeks} weeks"),
    };
    page.title(&format!("Forecast for today's customers{months}{level}"));
    if let Some(money) = in_money(run) {
        page.margin(&money);
    }
    let revenue = match &settings.output.currency {
        Some(currency) => format!("revenue ({currency})"),
        None => "revenue".to_owned(),
    };
    let mut header = vec![String::new(), "orders".to_owned(), String::new()];
    if settings.has_money() {
        header.extend([revenue, String::new()]);
        page.table(&fitted_table(header, horizons(run, settings), &[&[2], &[4]]));
    } else {
        page.table(&fitted_table(header, horizons(run, settings), &[&[2]]));
    }
    if !with_details {
        return;
    }
    if let Some(intervals) = &run.intervals {
        let draws = count(intervals.draws as usize);
        let known = allowed_for(intervals.model_error.as_ref());
        page.paragraph(
            "",
            1,
            &format!("intervals from {draws} draws of parameters and orders; {known}"),
        );
    }
    if let Some(week) = run.tracking.iter().rfind(|week| !week.holdout) {
        page.paragraph(
            "",
            1,
            &format!(
                "so far, {} repeat orders came and the model expects {} (week by week: \
                 tracking.csv)",
                whole(week.actual_cumulative),
                whole(week.expected_cumulative)
            ),
        );
    }
}

/// In which money amounts are, where order values were brought to that of one day.
fn in_money(run: &Run) -> Option<String> {
    let prices = run.audit.prices.as_ref()?;
    let (_, day) = prices.used()?;
    Some(match prices.future_yearly {
        None => format!("in the money of {day}: prices are assumed to stay"),
        Some(yearly) => format!(
            "at the prices of the day: from {day} on, they are assumed to go on by a factor of {} a year",
            decimal(yearly)
        ),
    })
}

/// The company over each horizon, and its discounted value.
fn horizons(run: &Run, settings: &Settings) -> Vec<Vec<String>> {
    let range = |interval: Option<Interval>| {
        interval.map_or(String::new(), |i| format!("{} to {}", whole(i.low), whole(i.high)))
    };
    let ahead = |row: &&ForecastRow| row.scope == Scope::Total && row.period.span == Span::Horizon;
    let next = |months: u32| match months {
        1 => "next month".to_owned(),
        months => format!("next {months} months"),
    };
    let mut rows: Vec<Vec<String>> = run
        .forecast
        .iter()
        .filter(ahead)
        .map(|row| {
            let mut cells = vec![next(row.period.number), whole(row.orders)];
            cells.push(range(row.orders_interval));
            cells.extend(row.revenue.iter().flat_map(|r| [whole(*r), range(row.revenue_interval)]));
            cells
        })
        .collect();
    let Some(total) = run.profiles.company.total_cltv else {
        return rows;
    };
    let value = run.intervals.as_ref().and_then(|intervals| intervals.company.lifetime_value);
    let lifetime = &settings.lifetime_value;
    let months = match lifetime.weeks_per_month == settings.forecast.weeks_per_month {
        true => String::new(),
        false => match lifetime.weeks_per_month {
            MonthLength::Calendar => " (calendar)".to_owned(),
            MonthLength::Weeks(weeks) => format!(" of {weeks} weeks"),
        },
    };
    rows.push(vec![
        format!("{CLTV}, {} months{months}", lifetime.months),
        String::new(),
        String::new(),
        whole(total),
        range(value),
    ]);
    rows
}

fn rfm(page: &mut Page, run: &Run, settings: &Settings) {
    let has_money = settings.has_money();
    page.title(&format!(
        "RFM segments: customers, and how many of them in each {} segment",
        if has_money { "CLTV" } else { "orders" }
    ));
    let labels = settings.segments.labels.iter().rev().map(|label| printable(label));
    let mut header = vec![String::new(), "customers".to_owned()];
    header.extend(labels);
    let by_segment: Vec<usize> = (2..header.len()).collect();
    header.extend(["last order", "orders"].map(str::to_owned));
    if has_money {
        header.extend(["spend", "mean cltv"].map(str::to_owned));
    }
    let rows = run.rfm.iter().map(|row| {
        let mut cells = vec![printable(&row.segment), count(row.customers)];
        cells.extend(row.by_cltv_segment.iter().rev().map(|n| count(*n)));
        cells.extend([
            format!("{:.0} days ago", row.mean_days_since_last_order),
            format!("{:.1}", row.mean_orders),
        ]);
        cells.extend([row.mean_spend, row.mean_cltv].into_iter().flatten().map(decimal));
        cells
    });
    let first = 2 + by_segment.len();
    let amounts: &[usize] = if has_money { &[first + 1, first + 2] } else { &[first + 1] };
    let spare: [&[usize]; 3] = [amounts, &[first], &by_segment];
    page.table(&fitted_table(header, rows.collect(), &spare));
}

fn next_month(page: &mut Page, run: &Run) {
    page.title("Expected to order most in the next month");
    let rows = run.next_month.iter().map(|(id, orders)| vec![printable(id), decimal(*orders)]);
    page.table(&number_table(vec!["customer".to_owned(), "orders".to_owned()], rows.collect()));
}

fn segments(page: &mut Page, run: &Run, settings: &Settings) {
    let unit = settings.summary.time_unit.plural();
    let months = settings.forecast.longest();
    let each_over = format!("orders {months} mo");
    let has_money = settings.has_money();
    let header = match has_money {
        true => vec![
            "", "customers", "cltv from", "mean cltv", "of value", &each_over, "last order",
            "what to do",
        ],
        false => {
            vec![
                "", "customers", "orders from", "of orders", &each_over, "last order", "what to do",
            ]
        }
    };
    let rows = run.profiles.segments.iter().enumerate().rev().map(|(i, profile)| {
        let (_, orders) = profile.longest_orders();
        let each = orders / profile.customers.max(1) as f64;
        let known = |text: String| if profile.customers == 0 { "-".to_owned() } else { text };
        let mut cells = vec![
            shortened(&printable(&profile.label), WIDEST_LABEL),
            count(profile.customers),
            decimal(run.edges[i]),
        ];
        cells.extend(profile.mean_cltv.map(|mean| known(decimal(mean))));
        cells.extend([
            format!("{:.0} %", 100.0 * run.advice[i].share()),
            known(decimal(each)),
            known(format!("{:.1} {unit} ago", profile.mean_time_since_last_order())),
            in_words(run.advice[i].play).to_owned(),
        ]);
        cells
    });
    let header = header.into_iter().map(str::to_owned).collect();
    let spare: &[&[usize]] = if has_money { &[&[2], &[5], &[3]] } else { &[&[2]] };
    page.table(&fitted_table(header, rows.collect(), spare));
}

/// What to do about a segment, in a word or two.
fn in_words(play: Play) -> &'static str {
    match play {
        Play::Nobody => "",
        Play::WinBack => "win back",
        Play::WinBackCheaply => "win back cheaply",
        Play::Protect => "protect",
        Play::Grow => "grow",
        Play::Remind => "remind",
        Play::BuildHabit => "build the habit",
    }
}

fn advice(page: &mut Page, run: &Run, settings: &Settings) {
    let margin =
        if settings.lifetime_value.margin.is_some() { " (amounts are margin)" } else { "" };
    page.title(&format!("What to do in the next {} months{margin}", settings.months_ahead()));
    let indent = 3 + run.advice.iter().map(|a| a.segment.chars().count()).max().unwrap_or(0);
    for advice in run.advice.iter().rev() {
        page.paragraph(&printable(&advice.segment), indent, &printable(&advice.text));
    }
}

/// The customers worth most, at most so many of them.
fn top(page: &mut Page, top: &DataFrame, most: usize, settings: &Settings) {
    let columns = tables::top_columns(settings);
    let named =
        |name: &str| settings.output.rename.get(name).map_or(name, String::as_str).to_owned();
    let cell = |name: &str, row: usize| match top.column(&named(name)).and_then(|c| c.get(row)) {
        Ok(AnyValue::Float64(value)) => decimal(value),
        Ok(value) => printable(&value.str_value()),
        Err(_) => String::new(),
    };
    let shown = top.height().min(most);
    let rows =
        (0..shown).map(|row| columns.iter().map(|(name, _)| cell(name, row)).collect()).collect();
    let mut header: Vec<String> = columns.iter().map(|(_, title)| title.clone()).collect();
    if let Some(first) = header.first_mut() {
        let by = match (settings.has_money(), settings.lifetime_value.margin) {
            (true, None) => CLTV.to_owned(),
            (true, Some(_)) => "expected margin".to_owned(),
            (false, _) => format!("orders in {} months", settings.forecast.longest()),
        };
        *first = match shown == top.height() {
            true => format!("top {shown} by {by}"),
            false => format!("top {shown} of {} by {by} (-v: all)", top.height()),
        };
    }
    let last = columns.len() - 1;
    let spare: &[&[usize]] = match settings.has_money() {
        true => &[&[2, 3], &[1], &[last - 1], &[last - 3]],
        false => &[&[2, 3], &[1], &[last - 1]],
    };
    page.table(&fitted_table(header, rows, spare));
}
