//! A finished run, read back from its folder. A file that is not the one that the run wrote is
//! refused.

use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;
use serde_json::json;

use crate::error::Error;
use crate::frame::scored::compare;
use crate::model_file::ModelFile;
use crate::results::run_document::RunDocument;
use crate::settings::{
    FrequencyKind, Input, InputKind, MonetaryKind, Overrides, Settings, Summary, restore,
};
use crate::storage::atomic::folder_of;
use crate::storage::bounded::{LARGE, read};
use crate::storage::fingerprint::{Files, Fingerprint, fingerprint, sha256};

const MANIFEST: &str = "run.json";
const MODEL: &str = "model.json";
const CUSTOMERS: &str = "customers.parquet";

/// What a run left behind, but for its customers.
pub struct Finished {
    /// Its folder.
    pub folder: PathBuf,
    /// Its run.json.
    pub document: RunDocument,
    /// The model that predicted.
    pub model_file: ModelFile,
    /// The settings of the run, for its observation end.
    pub settings: Settings,
    /// SHA-256 of its run.json.
    sha256: String,
}

impl Finished {
    /// Reads run.json and model.json.
    ///
    /// # Errors
    /// [`Error::Settings`] when the folder is no output of a run, [`Error::Input`] when its files
    /// are not those that the run wrote, [`Error::Io`] when they cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(MANIFEST);
        let (document, sha256) = document(folder, &path)?;
        let as_of = Some(document.as_of.to_string());
        let settings =
            restore(&json!(document.settings), &Overrides { as_of, ..Default::default() })
                .map_err(|faults| Error::Input { place: path.display().to_string(), faults })?;
        let path = folder.join(MODEL);
        let text = verified(&path, &document.outputs)?;
        let model_file =
            ModelFile::parse(&text).map_err(|fault| Error::input(path.display(), fault))?;
        Ok(Self { folder: folder.to_owned(), document, model_file, settings, sha256 })
    }

    /// Checks that the folder still holds this run.
    ///
    /// # Errors
    /// [`Error::Input`] when another run has replaced it, [`Error::Io`] when it cannot be read.
    pub fn still_there(&self) -> Result<(), Error> {
        let path = self.folder.join(MANIFEST);
        let now = read(&path, LARGE).map_err(Error::io(&path, "read what the run did"))?;
        match sha256(&now) == self.sha256 {
            true => Ok(()),
            false => Err(Error::input(
                self.folder.display(),
                "another run has replaced this one meanwhile: try again",
            )),
        }
    }

    /// The text of another of its files.
    ///
    /// # Errors
    /// [`Error::Input`] when the run wrote no such file, or another one; [`Error::Io`] when it
    /// cannot be read.
    pub fn text(&self, file: &str) -> Result<String, Error> {
        let path = self.folder.join(file);
        let bytes = verified(&path, &self.document.outputs)?;
        String::from_utf8(bytes).map_err(|_| Error::input(path.display(), "is not text"))
    }

    /// The customers, under the names that columns have before any renaming, and their file.
    ///
    /// # Errors
    /// [`Error::Settings`] when the run wrote no Parquet, [`Error::Input`] when the file is not the
    /// one that it wrote, [`Error::Io`] when it cannot be read.
    pub fn customers(&self) -> Result<(DataFrame, Fingerprint), Error> {
        let path = self.folder.join(CUSTOMERS);
        if !self.document.outputs.iter().any(|output| output.file == CUSTOMERS) {
            return Err(fault(
                &self.folder,
                format!(
                    "the run wrote no {CUSTOMERS}: do it again with output.formats = \
                     [\"parquet\"], or with \"parquet\" among others"
                ),
            ));
        }
        let files = Files::of(vec![path.clone()], |path| path.display().to_string())?;
        let found = fingerprint(&path)?;
        same(&path, &self.document.outputs, &found)?;
        let customers = compare::customers(&path, &self.settings)?;
        files.unchanged()?;
        Ok((customers, found))
    }

    /// Orders that the monetary value of a customer with so many counted orders is the mean of.
    pub fn valued_orders(&self, frequency: f64) -> f64 {
        match (
            self.settings.summary.frequency,
            monetary_value(&self.settings.input, &self.settings.summary),
        ) {
            (FrequencyKind::Orders, MonetaryKind::RepeatOrders) => (frequency - 1.0).max(0.0),
            (FrequencyKind::RepeatOrders, MonetaryKind::Orders) => frequency + 1.0,
            _ => frequency,
        }
    }

    /// Order counts and values that outlier limits changed.
    pub fn capped(&self) -> usize {
        self.document.outlier_limits.iter().map(|limits| limits.raised + limits.lowered).sum()
    }
}

/// A customer export knows no single orders: its mean is that of all.
fn monetary_value(input: &Input, summary: &Summary) -> MonetaryKind {
    match input.kind {
        InputKind::Customers => MonetaryKind::Orders,
        InputKind::Transactions => summary.monetary_value,
    }
}

/// The output folder of a run, named by itself or by a file in it.
pub fn folder_of_run(named: &Path) -> PathBuf {
    if named.is_file() { folder_of(named) } else { named.to_owned() }
}

/// run.json, and its SHA-256.
fn document(folder: &Path, path: &Path) -> Result<(RunDocument, String), Error> {
    match read(path, LARGE) {
        Ok(text) => RunDocument::parse(&text)
            .map(|document| (document, sha256(&text)))
            .map_err(|fault| Error::input(path.display(), fault)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(fault(folder, no_run(folder)))
        }
        Err(error) => Err(Error::io(path, "read what the run did")(error)),
    }
}

/// What to name instead of a folder without run.json.
fn no_run(folder: &Path) -> String {
    let runs = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut runs: Vec<String> = runs
        .filter(|entry| entry.path().join(MANIFEST).is_file())
        .map(|entry| entry.path().display().to_string())
        .collect();
    runs.sort();
    let instead = match runs.is_empty() {
        true => "the output folder of a run".to_owned(),
        false => format!("one of the runs in it: {}", runs.join(", ")),
    };
    format!("there is no {MANIFEST} in this folder: name {instead}")
}

/// The bytes of a file, when they are those that the run wrote.
fn verified(path: &Path, outputs: &[Fingerprint]) -> Result<Vec<u8>, Error> {
    let bytes = read(path, LARGE).map_err(Error::io(path, "read the run's file"))?;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = Fingerprint { file, bytes: bytes.len() as u64, sha256: sha256(&bytes) };
    same(path, outputs, &found)?;
    Ok(bytes)
}

fn same(path: &Path, outputs: &[Fingerprint], found: &Fingerprint) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let written = outputs.iter().find(|output| output.file == name);
    match written.map(|output| output.sha256.as_str()) {
        Some(sha256) if sha256 == found.sha256 => Ok(()),
        written => Err(Error::input(
            path.display(),
            format!(
                "the file is not the one that the run wrote: its SHA-256 is {}, {MANIFEST} says \
                 {}; it was changed or copied from elsewhere, run again",
                found.sha256,
                written.unwrap_or("nothing")
            ),
        )),
    }
}

/// The wrong folder was named.
pub(super) fn fault(folder: &Path, fault: String) -> Error {
    Error::Settings { place: folder.display().to_string(), faults: vec![fault] }
}
