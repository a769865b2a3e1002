//! `cltv score --model MODEL INPUT`: scores an export with a fitted model.

use std::path::PathBuf;

use clap::Args;

use crate::cli::clock::Start;
use crate::cli::job::{Job, JobArgs};
use crate::cli::logging::Verbosity;
use crate::error::Error;
use crate::model_file::{ModelFile, registry};
use crate::pipeline;
use crate::settings::{Overrides, restore};

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
    /// Format of dates, such as %d.%m.%Y, when the file does not make it clear
    #[arg(long, value_name = "FORMAT")]
    date_format: Option<String>,
    /// Any key of the model's pipeline file; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Fit again when the population stability index of a column exceeds this
    #[arg(long, value_name = "LIMIT")]
    refit_if: Option<f64>,
    #[command(flatten)]
    job: JobArgs,
}

/// Scores, writes the files and prints the summary.
pub fn run(args: &ScoreArgs, verbosity: &Verbosity) -> anyhow::Result<()> {
    let started = Start::now();
    let model = registry::find(&args.model)?;
    let model_file = ModelFile::read(&model)?;
    let overrides = Overrides {
        input: Some(args.input.clone()),
        output: Some(args.output.clone()),
        as_of: args.as_of.clone(),
        date_format: args.date_format.clone(),
        set: args.set.clone(),
    };
    let settings = restore(&model_file.settings, &overrides)
        .and_then(|settings| model_file.agrees(&settings).map(|()| settings))
        .map_err(|faults| Error::Settings { place: model.display().to_string(), faults })?;
    let job = Job { settings, started, description: &model, args: &args.job };
    job.work(|settings| pipeline::score(settings, &model_file, args.refit_if), verbosity)
}
