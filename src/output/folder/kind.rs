//! Which files in an output folder belong to which command.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::output::files;
use crate::output::folder::hidden::{LOCK, MARK, NEW};
use crate::storage::ownership::read_own;

/// The kind of output, which decides which files in the target the command owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// `cltv run` and `cltv score`.
    Run,
    /// `cltv evaluate`.
    Evaluation,
    /// `cltv compare`.
    Comparison,
}

impl OutputKind {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Run, Self::Evaluation, Self::Comparison];

    /// Name of the manifest, the file that is written last.
    pub(crate) fn manifest(self) -> &'static str {
        match self {
            Self::Run => "run.json",
            Self::Evaluation => "evaluation.json",
            Self::Comparison => "comparison.json",
        }
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Run => files::RUN,
            Self::Evaluation => &files::EVALUATION,
            Self::Comparison => &files::COMPARISON,
        }
    }

    /// Files of this kind that are not among `names`.
    pub(crate) fn not_among(self, names: &[String]) -> Vec<&'static str> {
        let absent = |file: &&str| !names.iter().any(|name| name == file);
        self.files().iter().copied().filter(absent).collect()
    }

    /// Whether the command may replace or remove a file of that name.
    pub fn owns(self, file: &str) -> bool {
        // A killed `cltv report` or `cltv fit` leaves a temporary file named after its target.
        let unfinished = file.strip_prefix('.').and_then(|file| file.strip_suffix(NEW));
        [MARK, LOCK].contains(&file) || self.files().contains(&unfinished.unwrap_or(file))
    }

    /// Refuses a folder that has files with our names but no manifest: they belong to somebody
    /// else, and may even be the input.
    ///
    /// # Errors
    /// [`Error::Settings`] that names the first one.
    pub(crate) fn refuse_foreign_files(self, folder: &Path) -> Result<(), Error> {
        let is_folder = |file: &&&str| folder.join(file).is_dir();
        if let Some(file) = self.files().iter().find(is_folder) {
            return Err(Error::Settings {
                place: folder.join(file).display().to_string(),
                faults: vec![
                    "this is a folder, and a file of this name is to be written: move it away, or \
                     choose another output folder"
                        .to_owned(),
                ],
            });
        }
        // `cltv fit` writes model.json without a manifest.
        let fitted = |file: &str| self == Self::Run && file == "model.json";
        let there = |file: &&&str| folder.join(file).exists() && !fitted(file);
        let known =
            folder.join(self.manifest()).is_file() || read_own(&folder.join(MARK)).is_some();
        match self.files().iter().find(there).filter(|_| !known) {
            None => Ok(()),
            Some(file) => Err(Error::Settings {
                place: folder.display().to_string(),
                faults: vec![format!(
                    "there is a file {file} that no run of cltv wrote, and that this one would \
                     replace: choose another output folder, or move the file"
                )],
            }),
        }
    }

    /// Refuses inputs that this command would replace.
    ///
    /// # Errors
    /// [`Error::Settings`] that names the first one.
    pub(crate) fn refuse_replacing_inputs(
        self,
        inputs: &[String],
        folder: &Path,
    ) -> Result<(), Error> {
        let replaced = |input: &&String| {
            let path = fs::canonicalize(input).unwrap_or_else(|_| PathBuf::from(input));
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let within =
                fs::canonicalize(folder).is_ok_and(|folder| path.parent() == Some(&folder));
            within && self.owns(&name)
        };
        match inputs.iter().find(replaced) {
            None => Ok(()),
            Some(input) => Err(Error::Settings {
                place: input.clone(),
                faults: vec![
                    "this input is in the output folder and has the name of an output: choose \
                     another output folder"
                        .to_owned(),
                ],
            }),
        }
    }
}
