//! The summary on the terminal: data, limits, model, company, segments, advice, top customers.

use std::io::Write;
use std::path::Path;

use cltv::columns::CLTV;
use cltv::findings::{Finding, Severity};
use cltv::model::Parameter;
use cltv::model::intervals::Interval;
use cltv::output::tables;
use cltv::pipeline::Run;
use cltv::settings::{FrequencyKind, PurchaseModelName, Settings};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use polars::prelude::{AnyValue, DataFrame};

/// Width where there is no terminal to ask.
const PLAIN_WIDTH: u16 = 100;

/// Prints the whole summary to stdout.
pub fn print(run: &Run, settings: &Settings, folder: &Path) -> anyhow::Result<()> {
    let mut page = Page { text: String::new() };
    heading(&mut page, run, settings);
    data(&mut page, run);
    limits(&mut page, run);
    models(&mut page, run, settings);
    findings(&mut page, &run.findings);
    company(&mut page, run, settings);
    segments(&mut page, run, settings);
    advice(&mut page, run, settings);
    top(&mut page, &tables::top(run, settings)?, settings);
    page.line(&format!("Written to {}", folder.display()));
    anstream::stdout().write_all(page.text.as_bytes())?;
    Ok(())
}

struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn title(&mut self, text: &str) {
        self.line(&format!("\n\u{1b}[1m{text}\u{1b}[0m"));
    }

    /// Text with a mark before its first line, wrapped and indented to `indent`.
    fn paragraph(&mut self, mark: &str, indent: usize, text: &str) {
        let mut line = format!(" {mark}{}", " ".repeat(indent.saturating_sub(visible(mark) + 1)));
        let mut used = indent;
        for word in text.split_whitespace() {
            if used > indent && used + 1 + word.chars().count() > width() {
                self.line(&line);
                line = " ".repeat(indent);
                used = indent;
            }
            if used > indent {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += word.chars().count();
        }
        self.line(&line);
    }

    fn table(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(line.trim_end());
        }
    }
}

/// Columns that a line may take.
fn width() -> usize {
    usize::from(Table::new().width().unwrap_or(PLAIN_WIDTH)).clamp(60, 110)
}

/// A table as wide as its contents: ids are never broken, so that they can be copied.
fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Right-aligned figures after a left-aligned first column.
fn figures(header: Vec<String>, rows: Vec<Vec<String>>) -> Table {
    let mut table = plain_table();
    table.set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn heading(page: &mut Page, run: &Run, settings: &Settings) {
    page.line(&format!(
        "\u{1b}[1mcltv · {} · {} customers as of {}\u{1b}[0m",
        printable(&settings.name),
        whole(run.scored.height() as f64),
        run.audit.observation_end
    ));
}

fn data(page: &mut Page, run: &Run) {
    let audit = &run.audit;
    let rejected: usize = audit.rejected.iter().map(|r| r.rows).sum();
    let names: Vec<String> =
        audit.files.iter().take(3).map(|f| printable(&f.display().to_string())).collect();
    let more = if audit.files.len() > 3 { " and more" } else { "" };
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
    page.table(&figures(header, rows.collect()));
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
    page.table(&figures(header.to_vec(), rows.collect()));
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

fn findings(page: &mut Page, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    page.title("Read this before you use the numbers");
    for finding in findings {
        let mark = match finding.severity {
            Severity::Warning => "\u{1b}[33m!\u{1b}[0m",
            Severity::Note => "·",
        };
        page.paragraph(mark, 4, &sentence(&finding.message));
        page.paragraph("", 4, &format!("→ {}", finding.remedy));
    }
}

fn company(page: &mut Page, run: &Run, settings: &Settings) {
    page.title("Company");
    let totals = run.intervals.as_ref().map(|intervals| &intervals.company);
    let range = |interval: Option<&Interval>| {
        interval.map_or(String::new(), |i| format!("{} to {}", whole(i.low), whole(i.high)))
    };
    let mut table = plain_table();
    for (h, (months, orders)) in run.company.expected_orders.iter().enumerate() {
        table.add_row([
            format!("expected orders, next {months} months"),
            whole(*orders),
            range(totals.map(|totals| &totals.orders[h].1)),
        ]);
    }
    let months = settings.lifetime_value.months;
    table.add_row([
        format!("expected value, next {months} months, discounted"),
        whole(run.company.total_cltv),
        range(totals.map(|totals| &totals.lifetime_value)),
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    page.table(&table);
    if let Some(intervals) = &run.intervals {
        page.line(&format!(
            " {:.0} % intervals from {} draws of parameters and orders",
            100.0 * intervals.level,
            intervals.draws
        ));
    }
}

fn segments(page: &mut Page, run: &Run, settings: &Settings) {
    page.title("Segments");
    let unit = settings.summary.time_unit.plural();
    let header = ["", "customers", "cltv from", "to", "mean", "share of value", "orders each"];
    let mut header: Vec<String> = header.map(str::to_owned).to_vec();
    header.push(format!("{unit} silent"));
    let rows = run.segments.iter().enumerate().rev().map(|(i, profile)| {
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
    page.table(&figures(header, rows.collect()));
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
    let columns = tables::top_columns(settings);
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
    page.table(&figures(header, rows));
    page.line("");
}

/// Characters of a mark without its colour.
fn visible(mark: &str) -> usize {
    if mark.starts_with('\u{1b}') { 1 } else { mark.chars().count() }
}

/// Text from data without control characters, so that it cannot steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Text with a capital letter, safe for the terminal.
pub fn sentence(text: &str) -> String {
    let mut letters = printable(text).chars().collect::<Vec<_>>();
    if let Some(first) = letters.first_mut() {
        *first = first.to_ascii_uppercase();
    }
    letters.into_iter().collect()
}

/// 1234567.8 as 1,234,568.
pub fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value <= -0.5 { format!("-{text}") } else { text }
}

/// Two decimals below a thousand, none above.
fn decimal(value: f64) -> String {
    if value.abs() >= 1000.0 {
        whole(value)
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// Five significant digits.
fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = (4.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(whole(1_234_567.8), "1,234,568");
        assert_eq!(whole(999.4), "999");
        assert_eq!(decimal(80.34), "80.34");
        assert_eq!(significant(0.242_594_5), "0.24259");
        assert_eq!(significant(76.172_36), "76.172");
    }

    #[test]
    fn data_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
