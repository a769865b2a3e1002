//! `cltv check FILE`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use cltv::audit::Clock;
use cltv::error::Error;
use cltv::findings::Severity;
use cltv::frame::guess::guess_input;
use cltv::pipeline::{Look, look};
use cltv::selection::{self, advice};
use cltv::settings::{FrequencyKind, Overrides, Settings, load, parse};

use super::page::{sentence, whole};

/// Say what a file holds and how customers came to be in it; write nothing
#[derive(Args)]
#[command(after_help = "Examples:\n  cltv check export.csv\n  \
    cltv check pipelines/flo_selection_aware.toml --input export_2021q3.csv --strict")]
pub struct CheckArgs {
    /// A data file, whose columns are guessed by name, or a pipeline file (.toml)
    file: PathBuf,
    /// CSV or Parquet to read instead of the pipeline's input.path
    #[arg(long, value_name = "PATH")]
    input: Option<String>,
    /// Observation end, as 2021-09-01
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Any key of the pipeline file; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Exit with 4 when the file is not what the pipeline takes it for
    #[arg(long)]
    strict: bool,
}

/// Reads, looks, prints.
pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let overrides = Overrides {
        input: args.input.clone(),
        output: None,
        as_of: args.as_of.clone(),
        set: args.set.clone(),
    };
    let (settings, guessed) = settings_of(&args.file, &overrides)?;
    let look = look(&settings, None, &mut Clock::default())?;
    let end = look.summary.observation_end;
    let stated = selection::stated(&settings, &look.histories, end)?;
    let findings = selection::findings(&settings, stated, &look.signs, end);
    let mut page = describe(&settings, &look);
    if let Some(guessed) = guessed {
        write!(page, "\nThe columns were taken to be:\n\n{guessed}")?;
    }
    let warned = findings.iter().any(|f| f.severity == Severity::Warning);
    for finding in &findings {
        write!(page, "\n{}.\n", sentence(&finding.message))?;
    }
    match (advice(&look.signs, end, settings.summary.time_unit), &settings.selection) {
        (Some(lines), _) if warned => page.push_str(&to_paste(&lines, &settings)),
        (_, Some(_)) => page.push_str("\nThe pipeline's [selection] agrees with the file.\n"),
        _ => page.push_str(
            "\nNo sign that customers were selected: one-time buyers and long silences are there.\n",
        ),
    }
    anstream::stdout().write_all(page.as_bytes())?;
    if args.strict && warned {
        return Err(Error::Model(format!("--strict: {}", findings[0].message)).into());
    }
    Ok(())
}

/// The lines that correct for what was found, beside what else the pipeline must say.
fn to_paste(lines: &[String], settings: &Settings) -> String {
    let mut text = format!(
        "\nTo correct for it, put this into the pipeline file (in place of any [selection] that \
         it has):\n\n{}\n",
        lines.join("\n")
    );
    if settings.summary.frequency == FrequencyKind::Orders {
        text.push_str("\nand in [summary]: frequency = \"repeat_orders\"\n");
    }
    if settings.purchases.l2_penalty > 0.0 {
        text.push_str("\nand in [purchases]: l2_penalty = 0\n");
    }
    text
}

/// The settings, and the text that was guessed for a data file.
fn settings_of(file: &Path, overrides: &Overrides) -> Result<(Settings, Option<String>), Error> {
    if file.extension().is_some_and(|extension| extension == "toml") {
        return Ok((load(file, overrides)?, None));
    }
    let path = overrides.input.clone().unwrap_or_else(|| file.display().to_string());
    let guessed = guess_input(&path)?;
    let settings = parse(&guessed, overrides)
        .map_err(|faults| Error::Settings { place: file.display().to_string(), faults })?;
    Ok((settings, Some(guessed)))
}

fn describe(settings: &Settings, look: &Look) -> String {
    let rejected: usize = look.cleaned.rejected.iter().map(|r| r.rows).sum();
    let rules: Vec<String> = look
        .cleaned
        .rejected
        .iter()
        .map(|r| format!("{} {}", whole(r.rows as f64), r.rule))
        .collect();
    let aside = if rejected == 0 { String::new() } else { format!(": {}", rules.join(", ")) };
    format!(
        "{}: {} rows, {} set aside{aside}\n{} customers, orders from {} to {}, as of {}\n",
        settings.input.path,
        whole(look.cleaned.rows_read as f64),
        whole(rejected as f64),
        whole(look.histories.len() as f64),
        look.summary.first_order,
        look.summary.last_order,
        look.summary.observation_end
    )
}
