//! The summary of `run` and `score` on the terminal: data, limits, model, company, segments,
//! advice, top customers.

use std::io::Write;
use std::path::Path;

use polars::prelude::{AnyValue, DataFrame};

use crate::cli::terminal::{
    Page, decimal, findings, number_table, plain_table, significant, whole,
};
use crate::customers::Scope;
use crate::model::likelihood::estimate::Parameter;
use crate::output::tables;
use crate::results::forecast::{ForecastRow, Interval, Span};
use crate::run::Run;
use crate::safe_text::printable::printable;
use crate::settings::columns::CLTV;
use crate::settings::{FrequencyKind, MonthLength, PurchaseModelName, Settings};

/// Prints the whole summary to stdout.
pub fn print(run: &Run, settings: &Settings, folder: Option<&Path>) -> anyhow::Result<()> {
    let mut page = Page::default();
    heading(&mut page, run, settings);
    data(&mut page, run);
    limits(&mut page, run);
    models(&mut page, run, settings);
    findings(&mut page, &run.findings);
    company(&mut page, run, settings);
    segments(&mut page, run, settings);
    rfm(&mut page, run, settings);
    advice(&mut page, run, settings);
    top(&mut page, &tables::top(run, settings)?, settings);
    next_month(&mut page, run);
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

fn heading(page: &mut Page, run: &Run, settings: &Settings) {
    page.heading(&format!(
        "cltv · {} · {} customers as of {}",
        settings.name,
        whole(run.scored.height() as f64),
        run.audit.observation_end
    ));
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
            format!("{} rows of {}{more}", whole(audit.rows_read as f64), names.join(", ")),
        ],
        ["set aside".to_owned(), format!("{} rows that break a rule", whole(rejected as f64))],
        [
            "left out".to_owned(),
            format!("{} customers with too few orders", whole(audit.below_min_orders as f64)),
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
            whole((limits.raised + limits.lowered) as f64),
        ]
    });
    let header = ["column", "lowest", "highest", "values changed"].map(str::to_owned).to_vec();
    page.table(&number_table(header, rows.collect()));
}

fn models(page: &mut Page, run: &Run, settings: &Settings) {
    page.title("Models");
    let frequency = match settings.summary.frequency {
        FrequencyKind::Orders => "all orders",
        FrequencyKind::RepeatOrders => "repeat orders",
    };
    let name = run.purchases.family.title();
    let unit = settings.summary.time_unit.plural();
    let penalty = |l2: f64| {
        if l2 > 0.0 { format!(", L2 penalty {l2}") } else { String::new() }
    };
    let purchases = &run.purchases.parameters;
    page.line(&format!(" {name:<12} {}", parameters(purchases)));
    let l2 = penalty(settings.purchases.l2_penalty);
    page.line(&format!(" {:<12} of {frequency}, time in {unit}{l2}", ""));
    if run.purchases.requested == PurchaseModelName::Auto {
        comparison(page, run);
    }
    page.line(&format!(" {:<12} {}", "Gamma-Gamma", parameters(&run.spend.parameters)));
    let l2 = penalty(settings.spend.l2_penalty);
    page.line(&format!(" {:<12} of value per order{l2}", ""));
}

/// The models that were fitted, the best first.
fn comparison(page: &mut Page, run: &Run) {
    let number = |value: Option<f64>| value.map_or("no fit".to_owned(), |v| format!("{v:.3}"));
    let rows = run.purchases.comparison.iter().map(|candidate| {
        let remark = match candidate.aic {
            None => "could not be fitted",
            Some(_) if candidate.without_dropout => "nobody leaves",
            Some(_) => "",
        };
        vec![
            candidate.model.title().to_owned(),
            number(candidate.log_likelihood),
            number(candidate.aic),
            remark.to_owned(),
        ]
    });
    let header = ["model", "log-likelihood", "AIC (lower is better)", ""].map(str::to_owned);
    page.table(&number_table(header.to_vec(), rows.collect()));
}

fn parameters(parameters: &[Parameter]) -> String {
    let one = |p: &Parameter| match (p.identified, p.standard_error) {
        (false, _) => format!("{} not identified", p.name),
        (true, None) => format!("{} {}", p.name, significant(p.value)),
        (true, Some(error)) => {
            format!("{} {} (±{})", p.name, significant(p.value), significant(error))
        }
    };
    parameters.iter().map(one).collect::<Vec<_>>().join("  ")
}

/// Expected orders and revenue over the horizons; forecast.csv has weeks, months, segments and
/// channels.
fn company(page: &mut Page, run: &Run, settings: &Settings) {
    page.title("Company: today's customers (by week, segment and channel: forecast.csv)");
    let range = |interval: Option<Interval>| {
        interval.map_or(String::new(), |i| format!("{} to {}", whole(i.low), whole(i.high)))
    };
    let ahead = |row: &&ForecastRow| row.scope == Scope::Total && row.period.span == Span::Horizon;
    let next = |months: u32, length: MonthLength| {
        let months = if months == 1 { "month".to_owned() } else { format!("{months} months") };
        match length {
            MonthLength::Calendar => format!("next {months}"),
            MonthLength::Weeks(weeks) => format!("next {months} of {weeks} weeks"),
        }
    };
    let mut rows: Vec<Vec<String>> = run
        .forecast
        .iter()
        .filter(ahead)
        .map(|row| {
            vec![
                next(row.period.number, settings.forecast.weeks_per_month),
                whole(row.orders),
                range(row.orders_interval),
                whole(row.revenue),
                range(row.revenue_interval),
            ]
        })
        .collect();
    let value = run.intervals.as_ref().map(|intervals| intervals.company.lifetime_value);
    let lifetime = &settings.lifetime_value;
    rows.push(vec![
        format!("{}, discounted", next(lifetime.months, lifetime.weeks_per_month)),
        String::new(),
        String::new(),
        whole(run.profiles.company.total_cltv),
        range(value),
    ]);
    let header = ["", "orders", "", "revenue", ""].map(str::to_owned).to_vec();
    page.table(&number_table(header, rows));
    if let Some(intervals) = &run.intervals {
        page.line(&format!(
            " {:.0} % intervals from {} draws of parameters and orders",
            100.0 * intervals.level,
            intervals.draws
        ));
    }
    if let Some(week) = run.tracking.iter().rfind(|week| !week.holdout) {
        page.line(&format!(
            " so far, {} repeat orders came and the model expects {} (week by week: tracking.csv)",
            whole(week.actual_cumulative),
            whole(week.expected_cumulative)
        ));
    }
}

fn rfm(page: &mut Page, run: &Run, settings: &Settings) {
    page.title("RFM segments: customers, and how many of them in each CLTV segment");
    let labels = settings.segments.labels.iter().rev().map(|label| printable(label));
    let mut header = vec![String::new(), "customers".to_owned()];
    header.extend(labels);
    header.extend(["days silent", "orders", "spend", "mean cltv"].map(str::to_owned));
    let rows = run.rfm.iter().map(|row| {
        let mut cells = vec![printable(&row.segment), whole(row.customers as f64)];
        cells.extend(row.by_cltv_segment.iter().rev().map(|n| whole(*n as f64)));
        cells.extend([
            format!("{:.0}", row.mean_days_since_last_order),
            format!("{:.1}", row.mean_orders),
            decimal(row.mean_spend),
            decimal(row.mean_cltv),
        ]);
        cells
    });
    page.table(&number_table(header, rows.collect()));
}

fn next_month(page: &mut Page, run: &Run) {
    page.title("Expected to order most in the next month");
    let rows = run.next_month.iter().map(|(id, orders)| vec![printable(id), decimal(*orders)]);
    page.table(&number_table(vec!["customer".to_owned(), "orders".to_owned()], rows.collect()));
    page.line("");
}

fn segments(page: &mut Page, run: &Run, settings: &Settings) {
    page.title("Segments");
    let unit = settings.summary.time_unit.plural();
    let header = ["", "customers", "cltv from", "to", "mean", "share of value", "orders each"];
    let mut header: Vec<String> = header.map(str::to_owned).to_vec();
    header.push(format!("{unit} silent"));
    let rows = run.profiles.segments.iter().enumerate().rev().map(|(i, profile)| {
        let each = profile.expected_orders.last().map_or(0.0, |(_, orders)| *orders)
            / profile.customers.max(1) as f64;
        vec![
            printable(&profile.label),
            whole(profile.customers as f64),
            decimal(run.edges[i]),
            decimal(run.edges[i + 1]),
            decimal(profile.mean_cltv),
            format!("{:.1} %", 100.0 * run.advice[i].share_of_value),
            decimal(each),
            format!("{:.1}", profile.mean_time_since_last_order()),
        ]
    });
    page.table(&number_table(header, rows.collect()));
}

fn advice(page: &mut Page, run: &Run, settings: &Settings) {
    page.title(&format!("What to do in the next {} months", settings.lifetime_value.months));
    let indent = 3 + run.advice.iter().map(|a| a.segment.chars().count()).max().unwrap_or(0);
    for advice in run.advice.iter().rev() {
        page.paragraph(&printable(&advice.segment), indent, &printable(&advice.text));
    }
}

fn top(page: &mut Page, top: &DataFrame, settings: &Settings) {
    page.title(&format!("Top {} customers by {CLTV}", top.height()));
    let columns = tables::top_columns(&settings.forecast, &settings.summary);
    let named =
        |name: &str| settings.output.rename.get(name).map_or(name, String::as_str).to_owned();
    let cell = |name: &str, row: usize| match top.column(&named(name)).and_then(|c| c.get(row)) {
        Ok(AnyValue::Float64(value)) => decimal(value),
        Ok(value) => printable(&value.str_value()),
        Err(_) => String::new(),
    };
    let rows = (0..top.height())
        .map(|row| columns.iter().map(|(name, _)| cell(name, row)).collect())
        .collect();
    let header = columns.iter().map(|(_, title)| title.clone()).collect();
    page.table(&number_table(header, rows));
}
