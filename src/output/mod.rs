//! What a run leaves behind: each file is written beside its target and renamed, run.json last.
//!
//! # Layout
//! * [`staging`]: temporary names, then renames.
//! * [`tables`]: customers, segments, RFM, forecasts, quarantine.
//! * [`documents`]: model.json and run.json.
//! * [`evaluation`]: what `cltv evaluate` leaves behind.

pub mod documents;
pub mod evaluation;
pub mod staging;
pub mod tables;

use std::path::PathBuf;

use crate::error::Error;
use crate::fingerprint::lost_thread;
use crate::pipeline::Run;
use crate::settings::{Format, Settings};
use documents::Started;
use staging::Staging;

/// Files that a run may have left and this one does not write.
const OPTIONAL: &[&str] =
    &["customers.parquet", "customers.csv", "customers.arrow", "tracking.csv"];

/// Writes every output file; returns the folder.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written; then nothing in it has changed.
pub fn write(run: &Run, settings: &Settings, started: &Started) -> Result<PathBuf, Error> {
    let staging = Staging::beside(&settings.output.path)?;
    let customers = tables::renamed(&run.scored, settings)?;
    let one = |format: &Format| match format {
        Format::Parquet => tables::parquet(&staging, "customers.parquet", &customers),
        Format::Csv => tables::csv(&staging, "customers.csv", &customers),
        Format::Ipc => tables::ipc(&staging, "customers.arrow", &customers),
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> =
            settings.output.formats.iter().map(|format| scope.spawn(move || one(format))).collect();
        tables::parquet(&staging, "quarantine.parquet", &run.audit.quarantine)?;
        writers.into_iter().try_for_each(|writer| writer.join().unwrap_or_else(lost_thread))
    })?;
    tables::csv(&staging, "segments.csv", &tables::segments(run, settings)?)?;
    tables::csv(&staging, "top_customers.csv", &tables::top(run, settings)?)?;
    tables::csv(&staging, "profiles.csv", &tables::profiles(run, settings)?)?;
    tables::csv(&staging, "rfm.csv", &tables::rfm(run, settings)?)?;
    tables::csv(&staging, "forecast.csv", &tables::forecast(run)?)?;
    tables::csv(&staging, "next_month.csv", &tables::next_month(run)?)?;
    if !run.tracking.is_empty() {
        tables::csv(&staging, "tracking.csv", &tables::tracking(run)?)?;
    }
    staging.text("model.json", &documents::model(run, settings)?)?;
    let manifest = documents::run(run, settings, started, &staging.written())?;
    staging.text("run.json", &manifest)?;
    staging.commit("run.json", OPTIONAL)
}
