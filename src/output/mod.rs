//! What a run leaves behind: all of it or nothing, whenever it is killed.
//!
//! # Layout
//! * [`target`]: the folder, locked and exchanged whole. [`staging`]: the hidden folder that is
//!   written. `lock`: one writer at a time. [`interrupt`]: what to clear when told to stop.
//! * [`tables`]: customers, segments, RFM, forecasts, quarantine.
//! * [`documents`]: model.json and run.json.
//! * [`evaluation`]: what `cltv evaluate` leaves behind. [`comparison`]: what `cltv compare` does.

pub mod comparison;
pub mod documents;
pub mod evaluation;
pub mod interrupt;
mod lock;
pub mod staging;
pub mod tables;
pub mod target;

use std::path::PathBuf;

use crate::error::Error;
use crate::fingerprint::lost_thread;
use crate::pipeline::Run;
use crate::settings::{Format, Partition, Settings};
use crate::trained::Trained;
use documents::Started;
use target::{Kind, Target};

/// Files of a run, of which some are not always written.
const RUN_FILES: &[&str] = &[
    "customers.parquet",
    "customers.csv",
    "customers.arrow",
    "segments.csv",
    "top_customers.csv",
    "profiles.csv",
    "rfm.csv",
    "forecast.csv",
    "next_month.csv",
    "tracking.csv",
    "quarantine.parquet",
    "model.json",
    "run.json",
];

/// Writes model.json alone; returns its path.
///
/// # Errors
/// [`Error::Io`] when it cannot be written; then nothing has changed.
pub fn write_model(trained: &Trained, settings: &Settings) -> Result<PathBuf, Error> {
    let folder = &settings.output.path;
    std::fs::create_dir_all(folder).map_err(Error::io(folder, "create the output folder"))?;
    let path = folder.join("model.json");
    staging::write_whole(&path, documents::model(trained)?.as_bytes())?;
    Ok(path)
}

/// Writes every output file; returns the folder.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written; then nothing in it has changed.
pub fn write(
    run: &Run,
    settings: &Settings,
    started: &Started,
    target: &Target,
) -> Result<PathBuf, Error> {
    let partition = settings
        .output
        .partition
        .map(|Partition::AsOf| format!("as_of={}", run.audit.observation_end));
    let staging = target.staging(Kind::Run, partition.as_deref())?;
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
    let model = documents::model(&run.trained)?;
    staging.text("model.json", &model)?;
    let manifest = documents::run(run, settings, started, &model, &staging.written())?;
    staging.text("run.json", &manifest)?;
    staging.commit("run.json")
}
