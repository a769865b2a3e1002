//! Writes the files of a command: all of them or none, even if the program is killed.
//!
//! # Layout
//! * [`folder`]: the output folder, locked and exchanged whole. [`files`]: the file names of each
//!   command.
//! * [`tables`]: customers, segments, RFM, forecasts, quarantine, built by [`table_columns`].
//!   [`formats`]: frames as Parquet, Arrow IPC and CSV. [`metadata`]: key-value metadata of the
//!   customer table.
//! * [`run_json`]: run.json. [`mod@page`]: report.html.
//! * [`lineage`]: OpenLineage events. [`datasets`]: the datasets that they describe.

#[cfg(feature = "cli")]
pub mod datasets;
pub mod files;
pub mod folder;
pub mod formats;
#[cfg(feature = "cli")]
pub mod lineage;
pub mod metadata;
pub mod page;
pub mod run_json;
pub mod table_columns;
pub mod tables;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use run_json::{Started, Written};

use crate::error::Error;
use crate::model_file::ModelFile;
use crate::output::folder::refusal::refuse_shared;
use crate::output::folder::target::{Target, create_with, lock_for_change};
use crate::output::tables::small_tables;
use crate::progress;
use crate::results::json_text::text;
use crate::results::run_document::RunDocument;
use crate::run::Run;
use crate::settings::{FolderMode, Format, Partition, Settings};
use crate::storage::atomic::write_own;
use crate::storage::fingerprint::lost_thread;
use crate::storage::ownership::temporary_folder;
use crate::storage::{object_store, rights};

/// Writes only model.json; returns its path.
///
/// # Errors
/// [`Error::Io`] when it cannot be written, and then nothing has changed; [`Error::Settings`] when
/// a remote path holds credentials.
pub fn write_model(model_file: &ModelFile, settings: &Settings) -> Result<PathBuf, Error> {
    let folder = &settings.output.path;
    let text = model_file.text()?;
    object_store::without_credentials(&folder.to_string_lossy())?;
    if let Some(url) = folder.to_str().filter(|path| object_store::is_remote(path)) {
        let made = temporary_folder().map_err(Error::io(folder, "write the model"))?;
        let path = made.path().join("model.json");
        write_own(&path, text.as_bytes(), None)?;
        object_store::upload(&[path], url, &[])?;
        return Ok(folder.join("model.json"));
    }
    refuse_shared(folder, Some(&settings.input.path))?;
    create_with(folder, settings.output.mode)
        .map_err(Error::io(folder, "create the output folder"))?;
    let _lock = lock_for_change(folder)?;
    let found = fs::metadata(folder).map_err(Error::io(folder, "write the model"))?;
    let mode = settings.output.mode.map_or_else(|| rights::mode(&found), FolderMode::bits);
    let path = folder.join("model.json");
    write_own(&path, text.as_bytes(), Some(mode & 0o666))?;
    Ok(path)
}

/// The text of run.json, once it is certain that it can be read back: a number that is not finite
/// is written as null, and would make the file useless to every later command.
fn readable(document: &RunDocument) -> Result<String, Error> {
    let text = text(document)?;
    match RunDocument::parse(text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(fault) => Err(Error::model(format!("run.json could not be written: {fault}"))),
    }
}

/// Writes every output file of a run; returns the folder.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written, [`Error::Settings`] when an input would be
/// replaced; then nothing in the folder has changed.
pub fn write(
    run: &Run,
    settings: &Settings,
    started: &Started,
    target: &Target,
) -> Result<PathBuf, Error> {
    let since = Instant::now();
    progress::stage("write");
    let partition = settings
        .output
        .partition
        .map(|Partition::AsOf| format!("as_of={}", run.audit.observation_end));
    let staging = target.staging(partition.as_deref())?;
    let customers = tables::renamed(&run.scored, settings)?;
    let model = run.model_file.text()?;
    let notes = metadata::of_customers(run, settings, &model);
    let one = |format: &Format| match format {
        Format::Parquet => formats::parquet(&staging, format.file(), &customers, &notes),
        Format::Csv => formats::csv(&staging, format.file(), &customers),
        Format::Ipc => formats::ipc(&staging, format.file(), &customers, &notes),
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> =
            settings.output.formats.iter().map(|format| scope.spawn(move || one(format))).collect();
        formats::parquet(&staging, "quarantine.parquet", &run.audit.quarantine, &Vec::new())?;
        for (name, table) in small_tables(run, settings)? {
            formats::csv(&staging, name, &table)?;
        }
        writers.into_iter().try_for_each(|writer| writer.join().unwrap_or_else(lost_thread))
    })?;
    staging.text("model.json", &model)?;
    staging.text("figures.json", &text(&run.chart_data)?)?;
    let written = Written {
        model: &model,
        outputs: staging.written(),
        seconds: since.elapsed().as_secs_f64(),
    };
    let document = run_json::run(run, settings, started, written);
    // run.json does not list the page: `cltv report` may replace it, in another language.
    staging.text("report.html", &page::page(&document, &run.chart_data, None, settings.report)?)?;
    staging.text("run.json", &readable(&document)?)?;
    let inputs: Vec<String> = run.audit.inputs.iter().map(|input| input.file.clone()).collect();
    staging.commit(&inputs)
}
