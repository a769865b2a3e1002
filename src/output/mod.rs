//! What a run leaves behind: each file is written beside its target and renamed, run.json last.
//!
//! # Layout
//! * [`staging`]: temporary names, then renames.
//! * [`tables`]: customers, segments, top customers, quarantine.
//! * [`documents`]: model.json and run.json.

pub mod documents;
pub mod staging;
pub mod tables;

use std::path::PathBuf;

use crate::error::Error;
use crate::pipeline::Run;
use crate::settings::{Format, Settings};
use documents::Started;
use staging::{Fingerprint, Staging, fingerprint, lost_thread};

/// Files that a run may have left and this one does not write.
const OPTIONAL: &[&str] = &["customers.parquet", "customers.csv"];

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
    };
    let inputs = std::thread::scope(|scope| {
        let writers: Vec<_> =
            settings.output.formats.iter().map(|format| scope.spawn(move || one(format))).collect();
        let inputs: Result<Vec<Fingerprint>, Error> =
            run.audit.files.iter().map(|file| fingerprint(file)).collect();
        writers.into_iter().try_for_each(|writer| writer.join().unwrap_or_else(lost_thread))?;
        inputs
    })?;
    tables::csv(&staging, "segments.csv", &tables::segments(run, settings)?)?;
    tables::csv(&staging, "top_customers.csv", &tables::top(run, settings)?)?;
    tables::parquet(&staging, "quarantine.parquet", &run.audit.quarantine)?;
    staging.text("model.json", &documents::model(run, settings)?)?;
    let manifest = documents::run(run, settings, started, &inputs, &staging.written())?;
    staging.text("run.json", &manifest)?;
    staging.commit("run.json", OPTIONAL)
}
