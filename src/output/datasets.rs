//! The datasets that a run read and wrote, for its lineage events.

use std::path::Path;

use polars::prelude::DataFrame;

use crate::error::Error;
use crate::frame::input::schema::{of_frame, of_input};
use crate::output::lineage::Dataset;
use crate::output::tables::{self, small_tables};
use crate::run::Run;
use crate::run::audit::Audit;
use crate::settings::Settings;
use crate::storage::object_store::is_remote;

/// The input before it is read: its path, and its columns if they can be found.
pub fn expected(settings: &Settings) -> Dataset {
    Dataset {
        path: absolute(Path::new(&settings.input.path)),
        fields: of_input(settings).unwrap_or_default(),
        ..Dataset::default()
    }
}

/// The input after it has been read, with rows, bytes and files. Several files are one dataset,
/// named as in the pipeline.
pub fn read(expected: &Dataset, audit: &Audit) -> Dataset {
    Dataset {
        rows: Some(audit.rows_read as u64),
        bytes: Some(audit.inputs.iter().map(|input| input.bytes).sum()),
        files: Some(audit.inputs.len() as u64),
        ..expected.clone()
    }
}

/// Every file of a finished run except report.html, run.json last.
///
/// # Errors
/// [`Error::Engine`], never for a finished run.
pub fn written(run: &Run, settings: &Settings, folder: &Path) -> Result<Vec<Dataset>, Error> {
    let customers = tables::renamed(&run.scored, settings)?;
    let mut all: Vec<Dataset> = settings
        .output
        .formats
        .iter()
        .map(|format| table(folder, format.file(), &customers))
        .collect();
    all.push(table(folder, "quarantine.parquet", &run.audit.quarantine));
    let small = small_tables(run, settings)?;
    all.extend(small.iter().map(|(name, frame)| table(folder, name, frame)));
    all.extend(["model.json", "figures.json", "run.json"].map(|name| file(folder, name)));
    Ok(all)
}

fn table(folder: &Path, name: &str, frame: &DataFrame) -> Dataset {
    let (fields, rows) = (of_frame(frame), Some(frame.height() as u64));
    Dataset { fields, rows, ..file(folder, name) }
}

fn file(folder: &Path, name: &str) -> Dataset {
    let path = folder.join(name);
    let bytes = std::fs::metadata(&path).ok().map(|metadata| metadata.len());
    Dataset { path: absolute(&path), bytes, files: Some(1), ..Dataset::default() }
}

fn absolute(path: &Path) -> String {
    if let Some(url) = path.to_str().filter(|path| is_remote(path)) {
        return url.to_owned();
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
