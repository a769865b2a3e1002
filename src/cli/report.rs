//! `cltv report RUN`: makes report.html of a finished run again.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::sink;
use crate::comparison::finished_run::{Finished, folder_of_run};
use crate::comparison::{Comparison, compare};
use crate::error::Error;
use crate::output::folder::target::lock_for_change;
use crate::output::page::page;
use crate::safe_text::printable::printable;
use crate::settings::{Language, Report};
use crate::storage::atomic::write_own;

/// Names of the files that are read and written.
const MANIFEST: &str = "run.json";
const FIGURES: &str = "figures.json";
const PAGE: &str = "report.html";
/// Prefix of the name of a partition's folder; its day follows.
const PARTITION: &str = "as_of=";

/// Make report.html of a finished run again: in another language, with identifiers, or compared
/// with an earlier run
#[derive(Args)]
#[command(after_help = "Examples:\n  cltv report out/2021q3 --lang tr\n  \
    cltv report out/2021q3 --previous out/2021q2 --out q3.html\n\n\
    Nothing is computed again: the page shows what the files in the folder hold. In a partition\n\
    (as_of=2021-09-01) the one before it is the previous run.")]
pub struct ReportArgs {
    /// Output folder of a run, or a file in it
    run: PathBuf,
    /// Language of the page [default: the pipeline's]
    #[arg(long, value_name = "en|tr")]
    lang: Option<Language>,
    /// Show identifiers of customers, which are personal data
    #[arg(long)]
    show_ids: bool,
    /// Output folder of an earlier run, to show what became of its customers
    #[arg(long, value_name = "FOLDER")]
    previous: Option<PathBuf>,
    /// File to write, - for standard output [default: report.html in the folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Makes the page, and prints where it is.
pub fn run(args: &ReportArgs, quiet: bool) -> anyhow::Result<()> {
    let run = &folder_of_run(&args.run);
    let own = run.join(PAGE);
    let out = args.out.as_deref().unwrap_or(&own);
    // A run that is going on would put another page there.
    let _lock = is_in(out, run).then(|| lock_for_change(run)).transpose()?;
    let finished = Finished::read(run)?;
    let settings = Report {
        language: args.lang.unwrap_or(finished.settings.report.language),
        show_ids: args.show_ids || finished.settings.report.show_ids,
    };
    let named = args.previous.as_deref().map(folder_of_run);
    let previous = named.or_else(|| earlier_partition(run));
    let migration = previous.map(|previous| migration(&previous, run)).transpose()?;
    let page = make(&finished, migration.as_ref(), settings)?;
    super::bar::finish();
    if let Some(out) =
        sink::write_or(args.out.as_deref(), &own, page.as_bytes())?.filter(|_| !quiet)
    {
        anstream::println!("Written to {}", printable(&out.display().to_string()));
    }
    Ok(())
}

/// Whether a file is in a folder.
fn is_in(file: &Path, folder: &Path) -> bool {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let [of_file, folder] = [parent.unwrap_or(Path::new(".")), folder].map(std::fs::canonicalize);
    of_file.ok().zip(folder.ok()).is_some_and(|(of_file, folder)| of_file == folder)
}

/// Makes the page of a run in a partition again, once the run is in place, to add what became of
/// the customers of the partition before it. When the two are not comparable, the page stays as it
/// is.
pub fn with_migration(folder: &Path) -> Result<(), Error> {
    let Some(previous) = earlier_partition(folder) else {
        return Ok(());
    };
    let _lock = lock_for_change(folder)?;
    match migration(&previous, folder) {
        Ok(migration) => {
            let finished = Finished::read(folder)?;
            let page = make(&finished, Some(&migration), finished.settings.report)?;
            write_own(&folder.join(PAGE), page.as_bytes(), None)
        }
        Err(error) => {
            tracing::warn!("{PAGE} has no comparison with {}: {error}", previous.display());
            Ok(())
        }
    }
}

/// The page of a run that is still the one in its folder.
fn make(
    finished: &Finished,
    migration: Option<&Comparison>,
    settings: Report,
) -> Result<String, Error> {
    let charts = serde_json::from_str(&finished.text(FIGURES)?).map_err(|e| {
        Error::input(FIGURES, format!("not of a run by this version of cltv: {e}: run again"))
    })?;
    let migration = migration.map(Comparison::migration);
    let page = page(&finished.document, &charts, migration.as_ref(), settings)?;
    finished.still_there()?;
    Ok(page)
}

fn migration(earlier: &Path, later: &Path) -> Result<Comparison, Error> {
    compare(earlier, later, 0)
}

/// The folder of the last finished run in a partition before this one.
///
/// Returns `None` when there is none, or the folder is not a partition.
fn earlier_partition(folder: &Path) -> Option<PathBuf> {
    let name = folder.file_name()?.to_str().filter(|name| name.starts_with(PARTITION))?;
    let siblings = std::fs::read_dir(folder.parent()?).ok()?.flatten();
    let earlier = siblings.filter_map(|entry| {
        let other = entry.file_name().into_string().ok()?;
        let before = other.starts_with(PARTITION) && other.as_str() < name;
        (before && entry.path().join(MANIFEST).is_file()).then_some(other)
    });
    Some(folder.with_file_name(earlier.max()?))
}
