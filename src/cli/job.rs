//! The steps that `run` and `score` share: lock the output, analyse, write, append lineage events,
//! and print the summary.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::cli::clock::Start;
use crate::cli::failure::{Defect, Failure};
use crate::cli::lineage::Lineage;
use crate::cli::logging::{Verbosity, warn};
use crate::cli::run_page::Length;
use crate::cli::{bar, memory, run_page, signals};
use crate::error::Error;
use crate::output::folder::kind::OutputKind;
use crate::output::folder::target::Target;
use crate::output::run_json::Started;
use crate::output::write;
use crate::pipeline::notices::refuse_warnings;
use crate::results::findings::Severity;
use crate::run::Run;
use crate::settings::Settings;
use crate::storage::object_store;

/// The flags that `run` and `score` share.
#[derive(Args)]
pub struct JobArgs {
    /// Refuse to write anything when there is a warning (exit code 4)
    #[arg(long)]
    strict: bool,
    /// Do everything but write
    #[arg(long)]
    dry_run: bool,
    /// Append OpenLineage events to this file, one per line: START, then COMPLETE or FAIL
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    openlineage: Option<PathBuf>,
}

impl JobArgs {
    /// Whether a warning ends the run.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// Whether nothing is to be written.
    pub fn is_dry(&self) -> bool {
        self.dry_run
    }
}

/// One analysis from its settings to its files.
pub struct Job<'a> {
    /// The checked settings.
    pub settings: Settings,
    /// When the program was started.
    pub started: Start,
    /// The pipeline file, or the model file, as run.json names it.
    pub description: &'a Path,
    /// The flags.
    pub args: &'a JobArgs,
}

impl Job<'_> {
    /// Analyses, writes the files, appends lineage events and prints the summary.
    ///
    /// # Errors
    /// The first error of any step; a panic counts as one.
    pub fn work(
        &self,
        analyse: impl FnOnce(&Settings) -> Result<Run, Error>,
        verbosity: &Verbosity,
    ) -> anyhow::Result<()> {
        let settings = &self.settings;
        for path in [Some(settings.input.path.as_str()), settings.output.path.to_str()] {
            object_store::without_credentials(path.unwrap_or_default())?;
        }
        memory::guard(settings);
        let file = self.args.openlineage.as_deref();
        let lineage = file.map(|file| Lineage::start(file, settings)).transpose()?;
        let result = self.written(analyse);
        if let Some(lineage) = lineage {
            let told = result.as_ref().map(|(run, folder)| (run, folder.as_deref()));
            lineage.end(told, settings);
        }
        let (run, folder) = result?;
        bar::finish();
        warn(&run.findings, verbosity.log_format);
        if !verbosity.quiet {
            let length = if verbosity.verbose { Length::Full } else { Length::Short };
            run_page::print(&run, settings, folder.as_deref(), length)?;
        }
        done(&run, folder.as_deref(), self.started.elapsed());
        Ok(())
    }

    /// Analyses and writes. Returns the run and the folder that was written, which is `None` for a
    /// dry run. Where the output is ours and the run fails, says beside it how.
    fn written(
        &self,
        analyse: impl FnOnce(&Settings) -> Result<Run, Error>,
    ) -> anyhow::Result<(Run, Option<PathBuf>)> {
        let lock = || Target::of(&self.settings, OutputKind::Run);
        let target = (!self.args.dry_run).then(lock).transpose()?;
        let folder = target.as_ref().and_then(Target::local_path);
        let mode = self.settings.output.mode;
        let failure = folder
            .and_then(|folder| Failure::beside(folder, self.description, &self.started, mode));
        // `main` catches panics too, but a failure has to be told here.
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let run = self.analysed(analyse)?;
            let folder = target.as_ref().map(|target| self.stored(&run, target)).transpose()?;
            Ok((run, folder))
        }));
        let result = ended.unwrap_or_else(|_| Err(Defect.into()));
        if let Some(failure) = failure {
            failure.end(result.as_ref().err());
        }
        result
    }

    fn analysed(
        &self,
        analyse: impl FnOnce(&Settings) -> Result<Run, Error>,
    ) -> anyhow::Result<Run> {
        let run = analyse(&self.settings)?;
        if self.args.strict {
            refuse_warnings(&run.findings, "nothing was written")?;
        }
        Ok(run)
    }

    fn stored(&self, run: &Run, target: &Target) -> anyhow::Result<PathBuf> {
        let started =
            Started { at: self.started.time(), pipeline: self.description.display().to_string() };
        let folder = write(run, &self.settings, &started, target)?;
        signals::written();
        if self.settings.output.partition.is_some() && folder.is_dir() {
            super::report::with_migration(&folder)?;
        }
        Ok(folder)
    }
}

/// Logs one line with the main results, for the log of a scheduler.
fn done(run: &Run, folder: Option<&Path>, took: Duration) {
    let company = &run.profiles.company;
    let warnings = run.findings.iter().filter(|f| f.severity == Severity::Warning).count();
    let (months, orders) = company.expected_orders.last().copied().unwrap_or_default();
    let output = folder.map_or("nothing (dry run)".to_owned(), |path| path.display().to_string());
    tracing::info!(
        customers = company.customers,
        horizon_months = months,
        expected_orders = orders.round(),
        cltv = company.total_cltv.map(f64::round),
        warnings,
        seconds = (took.as_secs_f64() * 100.0).round() / 100.0,
        output,
        "done"
    );
}
