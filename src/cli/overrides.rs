//! The flags of `run`, `fit` and `check` that override a pipeline file.

use std::path::PathBuf;

use crate::settings::Overrides;
use clap::Args;

/// The flags.
#[derive(Args)]
pub struct OverrideArgs {
    /// Data to read instead of input.path: a file, a glob, a folder, or - for standard input
    #[arg(long, value_name = "PATH")]
    input: Option<String>,
    /// Observation end, as 2021-09-01; orders after it are set aside
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Format of dates, such as %d.%m.%Y, when the file does not make it clear
    #[arg(long, value_name = "FORMAT")]
    date_format: Option<String>,
    /// Any key of the pipeline file; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl OverrideArgs {
    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        let Self { input, as_of, date_format, set } = self;
        input.is_none() && as_of.is_none() && date_format.is_none() && set.is_empty()
    }

    /// The overrides for [`crate::settings::load`], with the folder to write.
    pub fn with_output(&self, output: Option<PathBuf>) -> Overrides {
        let Self { input, as_of, date_format, set } = self;
        Overrides {
            input: input.clone(),
            output,
            as_of: as_of.clone(),
            date_format: date_format.clone(),
            set: set.clone(),
        }
    }
}
