//! `cltv run PIPELINE|DATA`: the whole analysis, described by a pipeline file or guessed.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::check::prospect::stated;
use crate::cli::clock;
use crate::cli::draft::{Draft, name_of};
use crate::cli::job::{Job, JobArgs};
use crate::cli::logging::LogFormat;
use crate::cli::overrides::OverrideArgs;
use crate::cli::pipeline_text::Intervals;
use crate::error::Error;
use crate::pipeline;
use crate::settings::{Overrides, Settings, is_pipeline, load, parse};
use crate::storage::atomic::write_own;
use crate::storage::stdin::STDIN;

/// Do the whole analysis that a pipeline file describes, or that a data file calls for
#[derive(Args)]
#[command(
    after_help = "Examples:\n  cltv run export.csv                  # guesses, and keeps the guesses in export.toml\n  cltv run pipelines/flo.toml\n  \
    cltv run pipelines/flo.toml --input export_2021q3.csv --output out/2021q3 --as-of 2021-09-01\n  \
    cltv run pipelines/flo.toml --set purchases.l2_penalty=0 --strict"
)]
pub struct RunArgs {
    /// Pipeline file (TOML; pipelines/README.md explains its keys), or a data file: its columns are
    /// guessed
    pipeline: PathBuf,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Folder to write instead of output.path
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    #[command(flatten)]
    job: JobArgs,
}

/// Analyses, writes the files and prints the summary.
pub fn run(args: &RunArgs, quiet: bool, log_format: LogFormat) -> anyhow::Result<()> {
    let started = clock::Start::now();
    let overrides = args.overrides.with_output(args.output.clone());
    let (settings, description) = match is_data(&args.pipeline) {
        true => guessed(args, &overrides, quiet)?,
        false => (load(&args.pipeline, &overrides)?, args.pipeline.clone()),
    };
    let job = Job { settings, started, description: &description, args: &args.job };
    job.work(pipeline::analyse, quiet, log_format)
}

/// Whether a path names data and not a pipeline file.
fn is_data(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("toml") => false,
        _ => !path.is_file() || !is_pipeline(path),
    }
}

/// The settings that a data file calls for, and the pipeline file in which they are kept.
fn guessed(
    args: &RunArgs,
    overrides: &Overrides,
    quiet: bool,
) -> anyhow::Result<(Settings, PathBuf)> {
    let data = args.pipeline.display().to_string();
    let fault =
        |fault: &str| Error::Settings { place: data.clone(), faults: vec![fault.to_owned()] };
    if overrides.input.is_some() {
        return Err(fault(
            "this is no pipeline file, and --input names other data: give one of the two",
        )
        .into());
    }
    if args.pipeline.join("run.json").is_file() {
        return Err(fault(
            "this is the output of a run: give a pipeline file or data; `cltv report` makes its page \
             again",
        )
        .into());
    }
    let name = name_of(&data);
    let draft = Draft::of(&data, &name, &stated(overrides, &data)?, Intervals::Drawn)?;
    let settings = parse(&draft.text, overrides)
        .map_err(|faults| Error::Settings { place: data.clone(), faults })?;
    let file = match data.as_str() {
        STDIN => PathBuf::from(format!("{name}.toml")),
        _ => args.pipeline.with_file_name(format!("{name}.toml")),
    };
    let mut page = draft.page();
    let shown = file.display();
    page.line(&if args.job.is_dry() {
        format!("Nothing was written; `cltv init {data}` keeps the guesses in a pipeline file.")
    } else if file.symlink_metadata().is_ok() {
        format!(
            "{shown} is there already and was neither read nor changed: `cltv run {shown}` does."
        )
    } else {
        match write_own(&file, draft.text.as_bytes(), None) {
            Ok(()) => format!("The guesses are in {shown}: check them, then `cltv run {shown}`."),
            Err(error) => format!("The guesses could not be kept: {error}."),
        }
    });
    if !quiet {
        anstream::stdout().write_all((page.text + "\n").as_bytes())?;
    }
    Ok((settings, file))
}
