//! `cltv run PIPELINE`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use cltv::findings::Severity;
use cltv::output::documents::Started;
use cltv::output::target::Target;
use cltv::pipeline::Run;
use cltv::settings::{Overrides, Settings, load};
use cltv::{output, pipeline};

use super::logging::warn;
use super::{LogFormat, bar, memory, summary};

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
    /// Do everything but write
    #[arg(long)]
    dry_run: bool,
}

/// Runs, writes, shows.
pub fn run(args: &RunArgs, quiet: bool, log_format: LogFormat) -> anyhow::Result<()> {
    let since = Instant::now();
    let started = Started { at: now(), pipeline: args.pipeline.display().to_string() };
    let overrides = Overrides {
        input: args.input.clone(),
        output: args.output.clone(),
        as_of: args.as_of.clone(),
        set: args.set.clone(),
    };
    let settings = load(&args.pipeline, &overrides)?;
    memory::guard(&settings);
    let target = if args.dry_run { None } else { Some(Target::lock(&settings.output.path)?) };
    let run = pipeline::analyse(&settings)?;
    write_and_show(
        Written { run, settings, started, since, target },
        args.strict,
        quiet,
        log_format,
    )
}

/// What is to be written.
pub(super) struct Written {
    pub(super) run: Run,
    pub(super) settings: Settings,
    pub(super) started: Started,
    pub(super) since: Instant,
    /// None for a dry run.
    pub(super) target: Option<Target>,
}

/// The end of `run` and `score`.
pub(super) fn write_and_show(
    Written { run, settings, started, since, target }: Written,
    strict: bool,
    quiet: bool,
    log_format: LogFormat,
) -> anyhow::Result<()> {
    if strict {
        pipeline::refuse_warnings(&run.findings, "nothing was written")?;
    }
    let folder = match &target {
        Some(target) => Some(output::write(&run, &settings, &started, target)?),
        None => None,
    };
    bar::finish();
    warn(&run.findings, log_format);
    if !quiet {
        summary::print(&run, &settings, folder.as_deref())?;
    }
    done(&run, folder.as_deref(), since.elapsed());
    Ok(())
}

/// One line for whoever reads the log of a scheduler.
fn done(run: &Run, folder: Option<&Path>, took: Duration) {
    let company = &run.profiles.company;
    let warnings = run.findings.iter().filter(|f| f.severity == Severity::Warning).count();
    let (months, orders) = company.expected_orders.last().copied().unwrap_or_default();
    let output = folder.map_or("nothing (dry run)".to_owned(), |path| path.display().to_string());
    tracing::info!(
        customers = company.customers,
        horizon_months = months,
        expected_orders = orders.round(),
        cltv = company.total_cltv.round(),
        warnings,
        seconds = (took.as_secs_f64() * 100.0).round() / 100.0,
        output,
        "done"
    );
}

/// The time of day in UTC, for run.json.
pub(super) fn now() -> String {
    let since_1970 =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    chrono::DateTime::from_timestamp(since_1970.as_secs().cast_signed(), 0)
        .map_or(String::new(), |time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}
