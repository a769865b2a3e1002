//! `cltv evaluate PIPELINE`: measures forecasts on a holdout, writes and prints the result.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::logging::{LogFormat, warn};
use crate::cli::terminal::{Page, findings, fitted_table, number_table};
use crate::cli::{memory, signals};
use crate::evaluation::evaluate;
use crate::evaluation::fold::{Evaluation, Fold, Method};
use crate::evaluation::write::write;
use crate::model::evaluate::holdout::Accuracy;
use crate::output::folder::kind::OutputKind;
use crate::output::folder::target::Target;
use crate::pipeline::notices::refuse_warnings;
use crate::results::numbers::{count, whole};
use crate::settings::{Overrides, load};

/// Fit on a calibration period, forecast the holdout after it, and compare with what happened
#[derive(Args)]
#[command(after_help = "Examples:\n  cltv evaluate pipelines/cdnow.toml\n  \
    cltv evaluate pipelines/transactions.toml --set transactions.calibration_end=2011-06-09 \\\n    \
    --folds 3 --strict")]
pub struct EvaluateArgs {
    /// Pipeline file (TOML) with an order log and transactions.calibration_end
    pipeline: PathBuf,
    /// CSV or Parquet to read instead of input.path: a file, a glob or a folder
    #[arg(long, value_name = "PATH")]
    input: Option<String>,
    /// Folder to write instead of output.path
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Holdouts of the same length, each ending where the one after it begins
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    folds: u32,
    /// Format of dates, such as %d.%m.%Y, when the file does not make it clear
    #[arg(long, value_name = "FORMAT")]
    date_format: Option<String>,
    /// Any key of the pipeline file; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Exit with 4 when there is a warning, for instance when a naive forecast is better
    #[arg(long)]
    strict: bool,
}

/// Evaluates, writes the files and prints the tables. `--strict` fails only after that, so that the
/// files can be inspected.
pub fn run(args: &EvaluateArgs, quiet: bool, log_format: LogFormat) -> anyhow::Result<()> {
    let overrides = Overrides {
        input: args.input.clone(),
        output: args.output.clone(),
        as_of: None,
        date_format: args.date_format.clone(),
        set: args.set.clone(),
    };
    let settings = load(&args.pipeline, &overrides)?;
    memory::guard(&settings);
    let target = Target::of(&settings, OutputKind::Evaluation)?;
    let evaluation = evaluate(&settings, args.folds)?;
    let folder = write(&evaluation, &settings, &target)?;
    signals::written();
    warn(&evaluation.findings, log_format);
    if !quiet {
        let page = describe(&evaluation, &settings.name, &folder);
        anstream::stdout().write_all(page.text.as_bytes())?;
    }
    if args.strict {
        refuse_warnings(&evaluation.findings, "the model is not to be used")?;
    }
    Ok(())
}

fn describe(evaluation: &Evaluation, name: &str, folder: &Path) -> Page {
    let mut page = Page::default();
    for fold in &evaluation.folds {
        page.heading(&format!(
            "cltv evaluate · {name} · {} customers to {}, forecast to {}",
            count(fold.customers),
            fold.calibration_end,
            fold.holdout_end
        ));
        page.title("Orders in the holdout");
        page.table(&measures(fold, fold.chosen, |method| method.orders.as_ref()));
        if fold.methods.iter().any(|method| method.value.is_some()) {
            page.title("Their value");
            page.table(&measures(fold, fold.chosen, |method| method.value.as_ref()));
        }
        by_frequency(&mut page, fold, fold.chosen);
        page.line("");
    }
    findings(&mut page, &evaluation.findings);
    page.line("");
    page.line(&format!("Written to {}", folder.display()));
    page
}

fn measures(
    fold: &Fold,
    chosen: &str,
    of: impl Fn(&Method) -> Option<&Accuracy>,
) -> comfy_table::Table {
    let header = [
        "",
        "expected",
        "actual",
        "bias",
        "MAE",
        "RMSE",
        "wMAPE",
        "Spearman",
        "Gini",
        "top tenth has",
    ];
    let percent =
        |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{:.1} %", 100.0 * v));
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
    let rows = fold.methods.iter().map(|method| {
        let mark = if method.name == chosen { "*" } else { "" };
        let mut cells = vec![format!("{}{mark}", method.name)];
        match of(method) {
            Some(accuracy) => cells.extend([
                whole(accuracy.expected),
                whole(accuracy.actual),
                percent(accuracy.bias),
                number(Some(accuracy.mae)),
                number(Some(accuracy.rmse)),
                percent(accuracy.wmape),
                number(accuracy.spearman),
                number(accuracy.gini),
                percent(accuracy.top_decile_capture),
            ]),
            None => cells.push("no fit".to_owned()),
        }
        // A method without a fit has no numbers, but its row must be as long as the others.
        cells.resize(header.len(), String::new());
        cells
    });
    fitted_table(header.map(str::to_owned).to_vec(), rows.collect(), &[&[7], &[8], &[6]])
}

/// The chosen model's mean forecast against the mean actual orders, by frequency in the
/// calibration.
fn by_frequency(page: &mut Page, fold: &Fold, chosen: &str) {
    page.title(&format!("Orders per customer, by frequency in the calibration ({chosen})"));
    let own = fold.groups.iter().filter(|g| g.name == chosen && g.grouping == "frequency");
    let rows = own.map(|group| {
        let each = |total: f64| format!("{:.3}", total / group.customers.max(1) as f64);
        vec![
            group.group.clone(),
            count(group.customers),
            each(group.expected_orders),
            each(group.actual_orders),
        ]
    });
    let header = ["frequency", "customers", "expected", "actual"].map(str::to_owned).to_vec();
    page.table(&number_table(header, rows.collect()));
}
