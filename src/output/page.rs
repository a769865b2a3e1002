//! Makes report.html from the texts of run.json and figures.json, fresh from a run or read back.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::output::comparison;
use crate::report::agreement;
use crate::report::document::Document;
use crate::report::texts::Words;
use crate::report::view::View;
use crate::results::chart_data::ChartData;
use crate::settings::Report;

/// The page of a run as HTML; with `migration`, it shows what became of an earlier run's customers.
///
/// # Errors
/// [`Error::Input`] when a text does not have this version's layout, or the two do not match.
pub fn page(
    run: &str,
    figures: &str,
    migration: Option<&Comparison>,
    settings: Report,
) -> Result<String, Error> {
    let run: Document = parsed("run.json", serde_json::from_str(run))?;
    let charts: ChartData = parsed("figures.json", serde_json::from_str(figures))?;
    if let Some(fault) = agreement::fault(&run, &charts) {
        return Err(Error::input("run.json", format!("not as a run wrote it: {fault}; run again")));
    }
    let migration = migration
        .map(|found| {
            let document = Value::Object(comparison::document(found));
            parsed("the comparison", serde_json::from_value(document))
        })
        .transpose()?;
    let words = Words::of(settings.language);
    Ok(crate::report::page(&View {
        run: &run,
        charts: &charts,
        migration: migration.as_ref(),
        words,
        show_ids: settings.show_ids,
    }))
}

fn parsed<T: DeserializeOwned>(place: &str, document: serde_json::Result<T>) -> Result<T, Error> {
    document.map_err(|e| {
        Error::input(place, format!("not written by this version of cltv: {e}: run again"))
    })
}
