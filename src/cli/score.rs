//! `cltv score --model MODEL INPUT`

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use cltv::error::Error;
use cltv::settings::{Overrides, restore};
use cltv::trained::Trained;
use cltv::{champion, pipeline};

use super::run::{Written, now, write_and_show};
use super::{LogFormat, memory};
use cltv::output::documents::Started;
use cltv::output::target::Target;

/// Score a new export with a fitted model: its outlier limits, its segment edges, no new fit
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    cltv score --model models export_2021q3.csv --output out/2021q3\n  \
    cltv score --model out/2021q2/model.json export_2021q3.csv --output out --refit-if 0.25")]
pub struct ScoreArgs {
    /// CSV or Parquet: a file, a glob or a folder
    input: String,
    /// A model.json, or a folder of models whose champion is taken
    #[arg(long, value_name = "PATH")]
    model: PathBuf,
    /// Folder to write
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// Observation end, as 2021-09-01; needed where the model's pipeline names a fixed one
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Any key of the model's pipeline file; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Fit again when the population stability index of a column exceeds this
    #[arg(long, value_name = "LIMIT")]
    refit_if: Option<f64>,
    /// Refuse to write anything when there is a warning (exit code 4)
    #[arg(long)]
    strict: bool,
    /// Do everything but write
    #[arg(long)]
    dry_run: bool,
}

/// Scores, writes, shows.
pub fn run(args: &ScoreArgs, quiet: bool, log_format: LogFormat) -> anyhow::Result<()> {
    let since = Instant::now();
    let model = champion::find(&args.model)?;
    let started = Started { at: now(), pipeline: model.display().to_string() };
    let trained = Trained::read(&model)?;
    let overrides = Overrides {
        input: Some(args.input.clone()),
        output: Some(args.output.clone()),
        as_of: args.as_of.clone(),
        set: args.set.clone(),
    };
    let settings = restore(&trained.settings, &overrides)
        .map_err(|faults| Error::Settings { place: model.display().to_string(), faults })?;
    memory::guard(&settings);
    let target = if args.dry_run { None } else { Some(Target::lock(&settings.output.path)?) };
    let scored = pipeline::score(&settings, &trained, args.refit_if)?;
    write_and_show(
        Written { run: scored, settings, started, since, target },
        args.strict,
        quiet,
        log_format,
    )
}
