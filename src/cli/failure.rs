//! `NAME.failure.json` beside an output folder: how the last run into it failed. The next run that
//! succeeds removes it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::clock::{Start, now_in_milliseconds};
use crate::cli::signals;
use crate::error::Error;
use crate::progress;
use crate::results::version::{SCHEMA_VERSION, Tool};
use crate::safe_text::printable::printable_lines;
use crate::safe_text::redacted::redacted;
use crate::settings::FolderMode;
use crate::storage::atomic::folder_of;
use crate::storage::bounded::{self, SMALL};
use crate::storage::rights;

/// The code of an error, for programs.
pub(crate) fn code_of(error: &anyhow::Error) -> &'static str {
    let defect = error.downcast_ref::<Defect>().map(|_| "defect");
    defect.or_else(|| error.downcast_ref::<Error>().map(Error::code)).unwrap_or("io")
}

/// A panic, as the error that it is reported as.
#[derive(Debug, thiserror::Error)]
#[error(
    "a defect of cltv or of a library under it stopped the program; please report it, with what -v \
     says"
)]
pub(crate) struct Defect;

/// The file, and what is known before the run ends.
#[derive(Clone)]
pub struct Failure {
    file: PathBuf,
    pipeline: String,
    output: String,
    started_at: String,
    /// As the results have it; `None` for what is usual.
    mode: Option<u32>,
}

impl Failure {
    /// The file beside an output folder. An interrupt writes it. Returns `None` for a folder without
    /// a name.
    pub fn beside(
        folder: &Path,
        pipeline: &Path,
        started: &Start,
        mode: Option<FolderMode>,
    ) -> Option<Self> {
        let failure = Self {
            file: file_of(folder)?,
            pipeline: pipeline.display().to_string(),
            output: folder.display().to_string(),
            started_at: started.time(),
            mode: mode_of(folder, mode),
        };
        let interrupted = failure.clone();
        signals::on_interrupt(move |code, message| interrupted.tell(code, message));
        Some(failure)
    }

    /// Writes the file for a run that failed, and removes it for one that did not.
    pub fn end(&self, error: Option<&anyhow::Error>) {
        match error {
            Some(error) => {
                self.tell(code_of(error), &format!("{error:#}"));
            }
            None if is_ours(&self.file) => {
                let _ = std::fs::remove_file(&self.file);
            }
            None => {}
        }
    }

    /// Writes the file. Where that is not possible, the log and the exit code say the same.
    fn tell(&self, code: &str, message: &str) {
        let text = format!("{:#}\n", self.document(code, message));
        if let Err(error) = write(&self.file, &text, self.mode) {
            tracing::debug!("{}: {error}", self.file.display());
        }
    }

    fn document(&self, code: &str, message: &str) -> Value {
        let safe = |text: &str| printable_lines(&redacted(text));
        json!({
            "schema_version": SCHEMA_VERSION,
            "tool": Tool::this(),
            "started_at": self.started_at,
            "failed_at": now_in_milliseconds(),
            "pipeline": safe(&self.pipeline),
            "output": safe(&self.output),
            "stage": progress::reached(),
            "code": code,
            "message": safe(message),
        })
    }
}

/// Writes the file whole, in the place of an earlier one of ours. An interrupt holds the lock of files
/// that are put into place, so this does without it.
fn write(file: &Path, text: &str, mode: Option<u32>) -> io::Result<()> {
    if file.symlink_metadata().is_ok() && !is_ours(file) {
        return Err(io::Error::other("another file has this name"));
    }
    let mut usual = tempfile::Builder::new();
    #[cfg(unix)]
    usual.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut new = usual.prefix(".cltv-failure-").tempfile_in(folder_of(file))?;
    new.write_all(text.as_bytes())?;
    #[cfg(unix)]
    if let Some(mode) = mode {
        new.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = mode;
    new.as_file().sync_all()?;
    new.persist(file).map(drop).map_err(|error| error.error)
}

/// The mode of the results, without the right to execute: the message may quote a value of the input.
fn mode_of(folder: &Path, stated: Option<FolderMode>) -> Option<u32> {
    let of_folder = || std::fs::metadata(folder).ok().map(|found| rights::mode(&found));
    stated.map(FolderMode::bits).or_else(of_folder).map(|mode| mode & 0o666)
}

/// Whether a file is what a failed run left.
fn is_ours(file: &Path) -> bool {
    let is_file = file.symlink_metadata().is_ok_and(|found| found.is_file());
    let text = if is_file { bounded::read(file, SMALL).ok() } else { None };
    let document: Option<Value> = text.and_then(|text| serde_json::from_slice(&text).ok());
    document.is_some_and(|document| {
        document["tool"]["name"] == Tool::this().name && document["failed_at"].is_string()
    })
}

fn file_of(folder: &Path) -> Option<PathBuf> {
    let name = folder.file_name()?.to_string_lossy().into_owned();
    Some(folder.with_file_name(format!("{name}.failure.json")))
}
