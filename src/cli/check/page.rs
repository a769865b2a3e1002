//! The result of `cltv check`, as a page for the terminal or as JSON.

use comfy_table::CellAlignment;
use serde_json::{Value, json};

use crate::cli::check::prospect::{Checked, Prospect, to_paste};
use crate::cli::terminal::{
    Page, WARNING, findings, fitted_table, plain_table, sentence, shortened, width,
};
use crate::frame::guess::inspect::{Column, Overview};
use crate::frame::input::kinds::ColumnKind;
use crate::frame::summary::statistics::{Figures, QUANTILES, Statistics};
use crate::results::findings::Severity;
use crate::results::numbers::{count, decimal};
use crate::safe_text::printable::{printable, printable_lines, steers};
use crate::safe_text::redacted::redacted;
use crate::settings::{Cancelled, FrequencyKind, Input, InputKind};

/// Most characters of a value in a table.
const WIDEST: usize = 24;
/// Characters of a name that are always shown.
const SHORTEST_NAME: usize = 20;
/// Most characters of a type on a narrow page.
const WIDEST_KIND: usize = 15;
/// Characters that a table needs for what stands beside the name of a column.
const BESIDE: usize = 59;

/// The page for the terminal.
pub fn page(checked: &Checked) -> String {
    let mut page = Page::default();
    columns(&mut page, &checked.overview);
    first_rows(&mut page, &checked.overview);
    if let Some(guessed) = &checked.guessed {
        page.title("The columns were taken to be");
        page.line("");
        page.text.push_str(&printable_lines(guessed));
    }
    if let Ok(prospect) = &checked.prospect {
        numbers(&mut page, &prospect.statistics);
        would_do(&mut page, prospect, &checked.overview);
        findings(&mut page, &prospect.findings);
        selected(&mut page, prospect);
    }
    page.text
}

fn columns(page: &mut Page, overview: &Overview) {
    page.heading(&format!(
        "{}: {} rows, {} columns",
        overview.path,
        count(overview.rows),
        overview.columns.len()
    ));
    let row = |column: &Column| {
        vec![
            name(column),
            kind(column),
            count(column.blank),
            count(column.distinct),
            values(column),
        ]
    };
    let header = ["", "type", "blank", "distinct", "values"];
    let rows = overview.columns.iter().map(row).collect();
    // The values last: their ends are in the pipeline file below, too.
    let mut table = fitted_table(header.map(str::to_owned).to_vec(), rows, &[&[3], &[4]]);
    let last = table.column_count() - 1;
    for position in [1, last] {
        if let Some(column) = table.column_mut(position) {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    page.table(&table);
    if overview.counted_rows < overview.rows {
        let counted = count(overview.counted_rows);
        page.line(&format!(" distinct values and repeated rows: of the first {counted} rows"));
    }
    for column in &overview.columns {
        remark(page, column);
    }
    page.line(&match overview.repeated_rows {
        0 => " no row repeats another in every column".to_owned(),
        rows => format!(" {} rows repeat another in every column", count(rows)),
    });
}

/// Adds what has no room in the column's row of the table.
fn remark(page: &mut Page, column: &Column) {
    let name = printable(&column.name);
    if column.unreadable > 0 {
        let rows = count(column.unreadable);
        page.line(&format!(" {name}: {rows} values are no {}", column.kind.name()));
    }
    if let Some(fault) = &column.fault {
        page.paragraph(WARNING, 4, &format!("{}.", sentence(&printable(fault))));
    }
}

/// The type of a column, and how its dates or numbers are written.
fn kind(column: &Column) -> String {
    let format = match column.kind {
        ColumnKind::Date => column.date_format.as_ref(),
        ColumnKind::Number | ColumnKind::Integer => column.number_format.as_ref(),
        _ => None,
    };
    let format = format.map_or(String::new(), |format| format!(" {}", printable(format)));
    let all = format!("{}{format}", column.kind.name());
    match width() < 100 && all.chars().count() > WIDEST_KIND {
        // The form of a date, without what stands beside it.
        true => all.split(',').next().unwrap_or_default().to_owned(),
        false => all,
    }
}

/// A column's name; its end is kept, which tells similar names apart.
fn name(column: &Column) -> String {
    shortened(&printable(&column.name), width().saturating_sub(BESIDE).max(SHORTEST_NAME))
}

/// The range of dates and numbers, an example of texts.
fn values(column: &Column) -> String {
    let of = |value: &Option<String>| cut(value.as_deref().unwrap_or_default(), WIDEST / 2 - 2);
    match column.kind {
        ColumnKind::Date | ColumnKind::Number | ColumnKind::Integer => {
            format!("{}…{}", of(&column.lowest), of(&column.highest))
        }
        _ => cut(column.example.as_deref().unwrap_or_default(), WIDEST - 3),
    }
}

/// The beginning of a value, safe for the terminal.
fn cut(value: &str, most: usize) -> String {
    let mut text: String = value.chars().take(most).collect();
    if text.len() < value.len() {
        text.pop();
        text.push('…');
    }
    printable(&text)
}

/// The first rows with one line per column, so that wide files stay readable.
fn first_rows(page: &mut Page, overview: &Overview) {
    page.title("First rows");
    let room = width() / 2;
    let longest = overview.columns.iter().map(|column| column.name.chars().count()).max();
    let beside_names = width().saturating_sub(longest.unwrap_or(0).min(room) + 2);
    let shown = (beside_names / (WIDEST + 2)).max(1);
    let mut table = plain_table();
    for (position, column) in overview.columns.iter().enumerate() {
        let value =
            |row: &Vec<Option<String>>| cut(row[position].as_deref().unwrap_or_default(), WIDEST);
        let cells = overview.first_rows.iter().take(shown).map(value);
        table.add_row(std::iter::once(shortened(&printable(&column.name), room)).chain(cells));
    }
    page.table(&table);
}

/// The numbers that models are made from, as they are and capped.
fn numbers(page: &mut Page, statistics: &[Statistics]) {
    if statistics.is_empty() {
        return;
    }
    page.title("Numbers: of the valid rows, and after outliers are capped");
    let mut header: Vec<String> = ["", "mean", "std. dev.", "lowest"].map(str::to_owned).to_vec();
    header.extend(QUANTILES.iter().map(|q| format!("{:.0} %", 100.0 * q)));
    header.push("highest".to_owned());
    let cells = |what: &str, figures: &Figures| {
        let mut cells = vec![what.to_owned(), decimal(figures.mean)];
        cells.push(figures.deviation.map_or("-".to_owned(), decimal));
        cells.push(decimal(figures.lowest));
        cells.extend(figures.quantiles.iter().map(|(_, value)| decimal(*value)));
        cells.push(decimal(figures.highest));
        cells
    };
    let rows: Vec<Vec<Vec<String>>> = statistics
        .iter()
        .map(|column| {
            let before = cells("  valid", &column.before);
            let after = column.after.as_ref().map(|figures| cells("  capped", figures));
            std::iter::once(before).chain(after).collect()
        })
        .collect();
    let table = fitted_table(header, rows.concat(), &[&[5, 7], &[2]]);
    let mut lines = table.lines();
    page.line(lines.next().unwrap_or_default().trim_end());
    for (column, rows) in statistics.iter().zip(&rows) {
        page.line(&format!(" {}", printable(&column.name)));
        for line in lines.by_ref().take(rows.len()) {
            page.line(line.trim_end());
        }
    }
}

fn would_do(page: &mut Page, prospect: &Prospect, overview: &Overview) {
    let Prospect { settings, prepared, .. } = prospect;
    page.title("What a run would do");
    let rejected: usize = prepared.input.cleaned.rejected.iter().map(|r| r.rows).sum();
    let rules: Vec<String> = prepared
        .input
        .cleaned
        .rejected
        .iter()
        .map(|r| format!("{} {}", count(r.rows), r.rule))
        .collect();
    let aside = if rejected == 0 { String::new() } else { format!(": {}", rules.join(", ")) };
    let mut rows = vec![
        ("takes the file for", taken_for(&settings.input, overview)),
        (
            "reads",
            format!(
                "{} rows, {} set aside{aside}",
                count(prepared.input.cleaned.rows_read),
                count(rejected)
            ),
        ),
        (
            "summarises",
            format!(
                "{} customers, orders from {} to {}, as of {}",
                count(prepared.histories.len()),
                prepared.summary.first_order,
                prepared.summary.last_order,
                prepared.summary.observation_end
            ),
        ),
        ("caps", capped(prospect)),
    ];
    if let Some(cancelled) = &settings.transactions.cancelled {
        rows.push(("cancellations", said(cancelled)));
    }
    rows.push(("fits", fits(prospect)));
    for (what, text) in rows {
        page.paragraph(what, 21, &printable(&text));
    }
    if let Some(too_little) = &prospect.too_little {
        page.paragraph(WARNING, 4, &format!("Too little data: {}", printable(too_little)));
    }
}

fn taken_for(input: &Input, overview: &Overview) -> String {
    let id = &input.columns.customer_id;
    match input.kind {
        InputKind::Customers => {
            let column = overview.columns.iter().find(|column| column.name == *id);
            let again = column.map_or(0, |column| column.repeated);
            let twice = match again {
                0 => format!("no {id} occurs twice"),
                _ => format!("{} values of {id} occur more than once", count(again)),
            };
            format!("a customer export, one row per customer; {twice}")
        }
        InputKind::Transactions => {
            format!("an order log, one row per order or order line, by {id}")
        }
    }
}

fn capped(prospect: &Prospect) -> String {
    let limits = prospect.prepared.limits.iter().map(|limits| {
        format!(
            "{} values of {} to {} at most",
            count(limits.raised + limits.lowered),
            limits.column,
            decimal(limits.upper_applied)
        )
    });
    let limits: Vec<String> = limits.collect();
    if limits.is_empty() { "nothing".to_owned() } else { limits.join(", ") }
}

fn said(cancelled: &Cancelled) -> String {
    let column = cancelled.column.as_deref().unwrap_or_default();
    let mut marks = Vec::new();
    marks.extend(cancelled.prefix.as_ref().map(|prefix| format!("{column} begins with {prefix}")));
    if !cancelled.equals.is_empty() {
        marks.push(format!("{column} is {}", cancelled.equals.join(" or ")));
    }
    if cancelled.not_blank {
        marks.push(format!("{column} is not blank"));
    }
    if cancelled.negative_quantity {
        marks.push("quantity below 0".to_owned());
    }
    marks.join(", or ")
}

fn fits(prospect: &Prospect) -> String {
    let settings = &prospect.settings;
    let model = settings.purchases.model.title().unwrap_or("the best of the family");
    let orders = match settings.summary.frequency {
        FrequencyKind::Orders => "all orders",
        FrequencyKind::RepeatOrders => "repeat orders",
    };
    let values = if settings.has_money() { ", Gamma-Gamma of order values" } else { "" };
    format!(
        "{model} of {orders}{values}, to {} distinct histories in {}",
        count(prospect.histories),
        settings.summary.time_unit.plural()
    )
}

/// Adds how customers came to be in the file, and what corrects for it.
fn selected(page: &mut Page, prospect: &Prospect) {
    page.title("How customers came to be in the file");
    for finding in &prospect.selection {
        page.paragraph("·", 3, &format!("{}.", sentence(&finding.message)));
    }
    match (&prospect.lines, &prospect.settings.selection) {
        (Some(lines), _) if prospect.contradicts() => {
            page.text.push_str(&to_paste(lines, &prospect.settings));
        }
        (_, Some(_)) => page.line("The pipeline's [selection] agrees with the file."),
        _ => page.line("No sign that customers were selected."),
    }
}

/// The result as JSON.
///
/// # Errors
/// Never in practice: every value in it can be written as JSON.
pub fn json(checked: &Checked) -> anyhow::Result<String> {
    let run = match &checked.prospect {
        Ok(prospect) => run(prospect),
        Err(error) => json!({ "possible": false, "fault": redacted(&error.to_string()) }),
    };
    let document = json!({
        "input": checked.overview,
        "guessed": checked.guessed,
        "run": run,
    });
    Ok(escaped(&serde_json::to_string_pretty(&document)?) + "\n")
}

/// JSON whose texts have nothing that steers a terminal: what JSON allows of it is escaped too.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if steers(letter) && letter != '\n' {
            text.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            text.push(letter);
        }
    }
    text
}

fn run(prospect: &Prospect) -> Value {
    let Prospect { settings, prepared, .. } = prospect;
    let rejected: serde_json::Map<String, Value> =
        prepared.input.cleaned.rejected.iter().map(|r| (r.rule.clone(), json!(r.rows))).collect();
    let aside: usize = prepared.input.cleaned.rejected.iter().map(|r| r.rows).sum();
    let warned = |f: &&crate::results::findings::Finding| f.severity == Severity::Warning;
    json!({
        "possible": prospect.fault.is_none(),
        "fault": prospect.fault,
        "too_little": prospect.too_little,
        "kind": settings.input.kind,
        "columns": settings.input.columns,
        "cancelled": settings.transactions.cancelled,
        "rows": { "read": prepared.input.cleaned.rows_read, "rejected": aside, "kept": prepared.input.cleaned.rows_read - aside },
        "rejected": rejected,
        "customers": prepared.histories.len(),
        "distinct_histories": prospect.histories,
        "first_order": prepared.summary.first_order.to_string(),
        "last_order": prepared.summary.last_order.to_string(),
        "as_of": prepared.summary.observation_end.to_string(),
        "outlier_limits": prepared.limits,
        "statistics": prospect.statistics,
        "purchases": settings.purchases.model,
        "frequency": settings.summary.frequency,
        "spend": settings.spend.model,
        "remarks": prospect.findings,
        "selection": {
            "agrees": !prospect.contradicts(),
            "findings": prospect.selection,
            "lines": prospect.lines,
        },
        "warnings": prospect.findings.iter().chain(&prospect.selection).filter(warned).count(),
    })
}
