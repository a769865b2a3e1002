//! `cltv run PIPELINE`: the whole analysis.

use std::path::PathBuf;

use clap::Args;

use crate::cli::clock;
use crate::cli::job::{Job, JobArgs};
use crate::cli::logging::LogFormat;
use crate::cli::overrides::OverrideArgs;
use crate::pipeline;
use crate::settings::load;

/// Do the whole analysis that a pipeline file describes
#[derive(Args)]
#[command(after_help = "Examples:\n  cltv run pipelines/flo.toml\n  \
    cltv run pipelines/flo.toml --input export_2021q3.csv --output out/2021q3 --as-of 2021-09-01\n  \
    cltv run pipelines/flo.toml --set purchases.l2_penalty=0 --strict")]
pub struct RunArgs {
    /// Pipeline file (TOML); pipelines/README.md explains its keys
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
    let settings = load(&args.pipeline, &overrides)?;
    let job = Job { settings, started, description: &args.pipeline, args: &args.job };
    job.work(pipeline::analyse, quiet, log_format)
}
