//! `--openlineage FILE`: appends lineage events to a file, one per line.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::{clock, signals};
use crate::error::Error;
use crate::output::datasets;
use crate::output::lineage::{Dataset, Execution, State, event};
use crate::run::Run;
use crate::safe_text::redacted::redacted;
use crate::settings::Settings;

/// The lineage of a run that has started and not yet ended.
#[derive(Clone)]
pub struct Lineage {
    file: PathBuf,
    execution: Execution,
    input: Dataset,
}

impl Lineage {
    /// Appends START, and sees to it that an interrupt appends FAIL.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written: a run should fail before the work, not after
    /// it.
    pub fn start(file: &Path, settings: &Settings) -> Result<Self, Error> {
        let execution = Execution {
            // OpenLineage recommends version 7, which increases with time.
            run_id: uuid::Uuid::now_v7().to_string(),
            namespace: settings.lineage.namespace.clone(),
            job: settings.name.clone(),
        };
        let lineage =
            Self { file: file.to_owned(), execution, input: datasets::expected(settings) };
        lineage
            .tell(&lineage.input, &State::Start)
            .map_err(Error::io(file, "append an OpenLineage event"))?;
        let unfinished = lineage.clone();
        signals::on_interrupt(move |_, _| {
            let _ = unfinished.tell(&unfinished.input, &State::Fail("interrupted"));
        });
        Ok(lineage)
    }

    /// Appends COMPLETE or FAIL. If that is not possible, it only warns, since the results are in
    /// place.
    pub fn end(&self, result: Result<(&Run, Option<&Path>), &anyhow::Error>, settings: &Settings) {
        if let Err(error) = self.ended(result, settings) {
            tracing::warn!(
                "{}: no OpenLineage event for the end of the run could be written: {error:#}",
                self.file.display()
            );
        }
    }

    fn ended(
        &self,
        result: Result<(&Run, Option<&Path>), &anyhow::Error>,
        settings: &Settings,
    ) -> anyhow::Result<()> {
        match result {
            Ok((run, folder)) => {
                let folder = folder.unwrap_or(&settings.output.path);
                let outputs = datasets::written(run, settings, folder)?;
                let input = datasets::read(&self.input, &run.audit);
                self.tell(&input, &State::Complete(&outputs))?;
            }
            Err(error) => self.tell(&self.input, &State::Fail(&redacted(&format!("{error:#}"))))?,
        }
        Ok(())
    }

    fn tell(&self, input: &Dataset, state: &State<'_>) -> std::io::Result<()> {
        append(&self.file, &event(&self.execution, input, state, &clock::now_in_milliseconds()))
    }
}

/// Appends one line in one write and waits until it is on disk; earlier lines stay as they are. If
/// a crash cut off the last line, the new one begins on a line of its own.
fn append(path: &Path, event: &Value) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let cut_off = !ends_with_newline(&mut file)?;
    let line = format!("{}{event}\n", if cut_off { "\n" } else { "" });
    file.write_all(line.as_bytes())?;
    match file.sync_data() {
        // A pipe or a terminal has no disk to wait for.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

fn ends_with_newline(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_cannot_be_told_is_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("events.ndjson");
        let overrides = crate::settings::Overrides::default();
        let settings = crate::settings::load("pipelines/flo.toml".as_ref(), &overrides);
        let settings = settings.expect("sound settings");
        let lineage = Lineage::start(&file, &settings).expect("START");
        drop(folder);
        let error = anyhow::anyhow!("why");
        assert!(lineage.ended(Err(&error), &settings).is_err());
        lineage.end(Err(&error), &settings);
    }
}
