//! What a run leaves behind: each file is written beside its target and renamed, run.json last.
//!
//! # Layout
//! * [`staging`]: temporary names, then renames.
//! * [`tables`]: customers, segments, RFM, forecasts, quarantine.
//! * [`notes`]: what a customers table says about itself.
//! * [`lineage`]: OpenLineage events; [`datasets`]: what they tell of the files.
//! * [`documents`]: model.json and run.json.
//! * [`evaluation`]: what `cltv evaluate` leaves behind.

pub mod datasets;
pub mod documents;
pub mod evaluation;
pub mod lineage;
pub mod notes;
pub mod staging;
pub mod tables;

use std::path::PathBuf;

use polars::prelude::DataFrame;

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
    let model = documents::model(run, settings)?;
    let notes = notes::of_customers(run, settings, &model);
    let one = |format: &Format| match format {
        Format::Parquet => tables::parquet(&staging, format.file(), &customers, &notes),
        Format::Csv => tables::csv(&staging, format.file(), &customers),
        Format::Ipc => tables::ipc(&staging, format.file(), &customers, &notes),
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> =
            settings.output.formats.iter().map(|format| scope.spawn(move || one(format))).collect();
        tables::parquet(&staging, "quarantine.parquet", &run.audit.quarantine, &Vec::new())?;
        writers.into_iter().try_for_each(|writer| writer.join().unwrap_or_else(lost_thread))
    })?;
    for (name, table) in small_tables(run, settings)? {
        tables::csv(&staging, name, &table)?;
    }
    staging.text("model.json", &model)?;
    let manifest = documents::run(run, settings, started, &staging.written())?;
    staging.text("run.json", &manifest)?;
    staging.commit("run.json", OPTIONAL)
}

/// The tables that are CSV in every run, by the names of their files.
fn small_tables(run: &Run, settings: &Settings) -> Result<Vec<(&'static str, DataFrame)>, Error> {
    let mut all = vec![
        ("segments.csv", tables::segments(run, settings)?),
        ("top_customers.csv", tables::top(run, settings)?),
        ("profiles.csv", tables::profiles(run, settings)?),
        ("rfm.csv", tables::rfm(run, settings)?),
        ("forecast.csv", tables::forecast(run)?),
        ("next_month.csv", tables::next_month(run)?),
    ];
    if !run.tracking.is_empty() {
        all.push(("tracking.csv", tables::tracking(run)?));
    }
    Ok(all)
}
