//! `cltv run PIPELINE`

use std::path::{Path, PathBuf};

use clap::Args;
use cltv::output::documents::Started;
use cltv::pipeline::Run;
use cltv::settings::{Overrides, Settings, load};
use cltv::{output, pipeline};

use super::lineage::Lineage;
use super::logging::warn;
use super::{LogFormat, clock, summary};

/// Do the whole analysis that a pipeline file describes
#[derive(Args)]
#[command(after_help = "Examples:\n  cltv run pipelines/flo.toml\n  \
    cltv run pipelines/flo.toml --input export_2021q3.csv --output out/2021q3 --as-of 2021-09-01\n  \
    cltv run pipelines/flo.toml --set purchases.l2_penalty=0 --strict")]
pub struct RunArgs {
    /// Pipeline file (TOML); pipelines/README.md explains its keys
    pipeline: PathBuf,
    /// CSV or Parquet to read instead of input.path: a file, a glob or a folder
    #[arg(long, value_name = "PATH")]
    input: Option<String>,
    /// Folder to write instead of output.path
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Observation end, as 2021-09-01; orders after it are set aside
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Any key of the pipeline file; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Refuse to write anything when there is a warning (exit code 4)
    #[arg(long)]
    strict: bool,
    /// Append OpenLineage events to this file, a line each: START, then COMPLETE or FAIL
    #[arg(long, value_name = "FILE")]
    openlineage: Option<PathBuf>,
}

/// Runs, writes, shows.
pub fn run(args: &RunArgs, quiet: bool, log_format: LogFormat) -> anyhow::Result<()> {
    let started = Started { at: clock::now(), pipeline: args.pipeline.display().to_string() };
    let overrides = Overrides {
        input: args.input.clone(),
        output: args.output.clone(),
        as_of: args.as_of.clone(),
        set: args.set.clone(),
    };
    let settings = load(&args.pipeline, &overrides)?;
    let lineage =
        args.openlineage.as_deref().map(|file| Lineage::start(file, &settings)).transpose()?;
    let result = work(&settings, &started, args.strict);
    if let Some(lineage) = lineage {
        lineage.end(result.as_ref().map(|(run, folder)| (run, folder.as_path())), &settings);
    }
    let (run, folder) = result?;
    show(&run, &settings, &folder, quiet, log_format)
}

/// Analyses and writes; returns what was found and the folder.
fn work(settings: &Settings, started: &Started, strict: bool) -> anyhow::Result<(Run, PathBuf)> {
    let run = pipeline::analyse(settings)?;
    if strict {
        pipeline::refuse_warnings(&run.findings, "nothing was written")?;
    }
    let folder = output::write(&run, settings, started)?;
    Ok((run, folder))
}

fn show(
    run: &Run,
    settings: &Settings,
    folder: &Path,
    quiet: bool,
    log_format: LogFormat,
) -> anyhow::Result<()> {
    warn(&run.findings, log_format);
    if !quiet {
        summary::print(run, settings, folder)?;
    }
    Ok(())
}
