//! Makes report.html from the documents of a run, fresh or read back from its files.

use crate::error::Error;
use crate::report::agreement;
use crate::report::texts::Words;
use crate::report::view::View;
use crate::results::chart_data::ChartData;
use crate::results::migration::Migration;
use crate::results::run_document::RunDocument;
use crate::settings::Report;

/// The page of a run as HTML; with `migration`, it shows what became of an earlier run's customers.
///
/// # Errors
/// [`Error::Input`] when the chart data are not those of the run.
pub fn page(
    run: &RunDocument,
    charts: &ChartData,
    migration: Option<&Migration>,
    settings: Report,
) -> Result<String, Error> {
    if let Some(fault) = agreement::fault(run, charts) {
        return Err(Error::input("run.json", format!("not as a run wrote it: {fault}: run again")));
    }
    let words = Words::of(settings.language);
    Ok(crate::report::page(&View { run, charts, migration, words, show_ids: settings.show_ids }))
}
