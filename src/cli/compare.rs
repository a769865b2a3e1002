//! `cltv compare EARLIER LATER`: compares two runs, and prints or writes the result.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::bar;
use crate::cli::logging::{LogFormat, warn};
use crate::cli::terminal::{Page, findings, fitted_table, number_table};
use crate::comparison::finished_run::folder_of_run;
use crate::comparison::write::write;
use crate::comparison::{Comparison, Mover, compare};
use crate::frame::scored::compare::{Entry, KeptChange};
use crate::model::evaluate::migration::Flow;
use crate::model::evaluate::parameter_change::Change;
use crate::model::evaluate::stability::{SHIFTED, STABLE};
use crate::output::folder::kind::OutputKind;
use crate::output::folder::target::Target;
use crate::results::migration::{Direction, MigrationCell};
use crate::results::numbers::{count, decimal, significant, whole};
use crate::safe_text::printable::printable;

/// Most entries of a column to keep that a line lists.
const MOST_ENTRIES: usize = 8;

/// Compare a run with an earlier one: who moved, what drifted, how good the forecast was
#[derive(Args)]
#[command(after_help = "Examples:\n  cltv compare out/2021q2 out/2021q3\n  \
    cltv compare out/2021q2 out/2021q3 --output out/2021q2-2021q3 --top 100\n\n\
    Both runs must have written customers.parquet, as of different dates, by the same definitions.\n\
    For segments with the same edges, score the later export with the earlier run's model.json.")]
pub struct CompareArgs {
    /// Output folder of the earlier run
    earlier: PathBuf,
    /// Output folder of the later run
    later: PathBuf,
    /// Folder to write; without it, the tables are only printed
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Customers in the lists of the largest gains and losses
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: u32,
}

/// Compares the runs, writes the files where a folder is named, and prints the tables.
pub fn run(args: &CompareArgs, quiet: bool, log_format: LogFormat) -> anyhow::Result<()> {
    let target = args
        .output
        .as_deref()
        .map(|path| Target::lock(path, OutputKind::Comparison))
        .transpose()?;
    let (earlier, later) = (folder_of_run(&args.earlier), folder_of_run(&args.later));
    let comparison = compare(&earlier, &later, args.top as usize)?;
    let folder = target.map(|target| write(&comparison, &target)).transpose()?;
    bar::finish();
    warn(&comparison.findings, log_format);
    if !quiet {
        let page = describe(&comparison, folder.as_deref());
        anstream::stdout().write_all(page.text.as_bytes())?;
    }
    Ok(())
}

fn describe(comparison: &Comparison, folder: Option<&Path>) -> Page {
    let mut page = Page::default();
    let (before, after) = (&comparison.before, &comparison.after);
    page.heading(&format!(
        "cltv compare · {} · {} customers as of {}, {} as of {}",
        after.pipeline,
        count(before.customers),
        before.as_of,
        count(after.customers),
        after.as_of
    ));
    migration(&mut page, comparison);
    movements(&mut page, comparison);
    let titles = ranking_titles(comparison);
    movers(&mut page, "Largest gains of customers in both runs", titles, &comparison.gains);
    movers(&mut page, "Largest losses of customers in both runs", titles, &comparison.losses);
    drift(&mut page, comparison);
    parameters(&mut page, comparison);
    outcomes(&mut page, comparison);
    findings(&mut page, &comparison.findings);
    page.line("");
    page.line(&match folder {
        Some(folder) => format!("Written to {}", folder.display()),
        None => "Nothing was written; --output FOLDER writes JSON and Parquet".to_owned(),
    });
    page
}

fn header<const N: usize>(titles: [&str; N]) -> Vec<String> {
    titles.map(str::to_owned).to_vec()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The migration matrix: rows from the highest segment to the lowest, then new customers; columns
/// likewise, then lost customers.
fn migration(page: &mut Page, comparison: &Comparison) {
    page.title("From segment (row) to segment (column): customers, and their share of the row");
    let segments = comparison.labels.len();
    let order: Vec<usize> = (0..segments).rev().chain([segments]).collect();
    let name = |position: usize, absent: &str| {
        printable(comparison.labels.get(position).map_or(absent, String::as_str))
    };
    let mut titles = vec![String::new()];
    titles.extend(order.iter().flat_map(|&to| [name(to, "lost"), String::new()]));
    let cells = |from: usize, to: usize| {
        let flow = comparison.flows.iter().find(|flow| flow.from == from && flow.to == to);
        let cell = |flow: &Flow| [count(flow.customers), percent(flow.share)];
        flow.map_or([String::new(), String::new()], cell)
    };
    let row = |&from: &usize| {
        let mut row = vec![name(from, "new")];
        row.extend(order.iter().flat_map(|&to| cells(from, to)));
        row
    };
    let rows = order.iter().map(row).collect();
    let shares: Vec<usize> = (0..order.len()).map(|to| 2 * to + 2).collect();
    page.table(&fitted_table(titles, rows, &[&shares]));
}

fn movements(page: &mut Page, comparison: &Comparison) {
    page.title("Movers");
    let value = |way: Direction, [before, after]: [f64; 2]| match way {
        Direction::New => [String::new(), whole(after)],
        Direction::Lost => [whole(before), String::new()],
        _ => [whole(before), whole(after)],
    };
    let cells = comparison.migration_cells();
    let mut rows = Vec::new();
    for movement in &comparison.movements {
        let [before, after] = value(movement.way, [movement.cltv_before, movement.cltv_after]);
        let customers = count(movement.customers);
        rows.push(vec![way(movement.way).to_owned(), customers, before, after]);
        let moved = matches!(movement.way, Direction::Up | Direction::Down);
        let own = |cell: &&MigrationCell| moved && cell.customers > 0 && cell.way == movement.way;
        for cell in cells.iter().filter(own) {
            let [from, to] = [&cell.from, &cell.to].map(|end| printable(end));
            let [before, after] = value(movement.way, [cell.cltv_before, cell.cltv_after]);
            rows.push(vec![format!("  {from} → {to}"), count(cell.customers), before, after]);
        }
    }
    let [was, is] = ranking_titles(comparison);
    page.table(&number_table(header(["", "customers", was, is]), rows));
}

fn way(way: Direction) -> &'static str {
    match way {
        Direction::Up => "up",
        Direction::Down => "down",
        Direction::Stayed => "in the same segment",
        Direction::New => "new",
        Direction::Lost => "lost",
    }
}

/// What ranks customers, before and after.
fn ranking_titles(comparison: &Comparison) -> [&'static str; 2] {
    match comparison.has_money() {
        true => ["cltv before", "cltv after"],
        false => ["orders before", "orders after"],
    }
}

fn movers(page: &mut Page, title: &str, [was, is]: [&str; 2], movers: &[Mover]) {
    if movers.is_empty() {
        return;
    }
    page.title(title);
    let row = |mover: &Mover| {
        vec![
            printable(&mover.customer_id),
            printable(&mover.from),
            printable(&mover.to),
            decimal(mover.cltv_before),
            decimal(mover.cltv_after),
            decimal(mover.cltv_after - mover.cltv_before),
        ]
    };
    let titles = header(["customer", "from", "to", was, is, "change"]);
    page.table(&fitted_table(titles, movers.iter().map(row).collect(), &[&[5], &[3]]));
}

fn drift(page: &mut Page, comparison: &Comparison) {
    page.title("Drift of the inputs");
    let verdict = |index: f64| match index {
        index if index < STABLE => "stable",
        index if index <= SHIFTED => "moved",
        _ => "shifted",
    };
    let rows = comparison.stability_index.iter().map(|(name, index)| {
        vec![(*name).to_owned(), format!("{index:.4}"), verdict(*index).to_owned()]
    });
    page.table(&number_table(header(["", "stability index", ""]), rows.collect()));
    page.paragraph(
        "",
        1,
        &format!(
            "of T and recency it is rarely small: customers who stay are {} days older",
            comparison.days
        ),
    );
    for kept in &comparison.kept_columns {
        page.paragraph("·", 3, &entries(kept));
    }
}

/// New and vanished entries of a column to keep.
fn entries(kept: &KeptChange) -> String {
    let column = printable(&kept.column);
    if let Some(reason) = kept.not_compared {
        return format!("{column}: not compared, {reason}");
    }
    let list = |entries: &[Entry]| {
        let one = |e: &Entry| format!("{} ({})", printable(&e.entry), percent(e.share));
        let mut shown: Vec<String> = entries.iter().take(MOST_ENTRIES).map(one).collect();
        if entries.len() > MOST_ENTRIES {
            shown.push(format!("{} more", entries.len() - MOST_ENTRIES));
        }
        if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
    };
    format!("{column}: new {}; vanished {}", list(&kept.new), list(&kept.vanished))
}

fn parameters(page: &mut Page, comparison: &Comparison) {
    page.title("Parameters");
    if comparison.same_model {
        let model = &comparison.after.model;
        page.line(&format!(
            " same model: the later run was scored with {model}, the earlier one's"
        ));
        return;
    }
    let with_error = |value: Option<f64>, error: Option<f64>| match (value, error) {
        (None, _) => "-".to_owned(),
        (Some(value), None) => significant(value),
        (Some(value), Some(error)) => format!("{} (±{})", significant(value), significant(error)),
    };
    let row = |change: &Change| {
        vec![
            change.parameter.to_owned(),
            with_error(change.before, change.standard_error_before),
            with_error(change.after, change.standard_error_after),
            change.difference.map_or("-".to_owned(), |errors| format!("{errors:+.1}")),
            change.reason.clone().unwrap_or_default(),
        ]
    };
    let titles = header(["", "before", "after", "standard errors", ""]);
    page.table(&number_table(titles, comparison.parameters.iter().map(row).collect()));
    if comparison.parameters.iter().any(|change| change.difference.is_some()) {
        page.paragraph(
            "",
            1,
            "as if the two had no customers in common; with those in common it is rather more",
        );
    }
}

fn outcomes(page: &mut Page, comparison: &Comparison) {
    page.title(&format!(
        "Expected by the earlier run for the {} days to {}, and what came",
        comparison.days, comparison.after.as_of
    ));
    let ratio = |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
    // The total is the last outcome, and stays last when the segments are turned round.
    let (all, segments) = match comparison.outcomes.as_slice() {
        [segments @ .., all] => (Some(all), segments),
        [] => (None, &[][..]),
    };
    let has_money = comparison.has_money();
    let amount = |value: Option<f64>| value.map_or("-".to_owned(), whole);
    let rows = segments.iter().rev().chain(all).map(|outcome| {
        let mut row = vec![
            printable(&outcome.segment),
            count(outcome.customers),
            count(outcome.lost),
            whole(outcome.expected_orders),
            whole(outcome.actual_orders),
            ratio(outcome.orders_ratio),
            format!("{:.4}", outcome.mae),
        ];
        if has_money {
            row.extend([
                amount(outcome.expected_revenue),
                amount(outcome.actual_revenue),
                ratio(outcome.revenue_ratio),
            ]);
        }
        row
    });
    let mut titles = header(["", "customers", "lost", "orders", "actual", "actual/exp.", "MAE"]);
    if has_money {
        titles.extend(header(["revenue", "actual", "actual/exp."]));
    }
    page.table(&fitted_table(titles, rows.collect(), &[&[6], &[2]]));
}
