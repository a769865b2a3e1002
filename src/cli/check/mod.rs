//! `cltv check FILE`: shows what a file holds and what a run would make of it; writes nothing.
//!
//! # Layout
//! * [`prospect`]: what a run would do with the file. [`page`]: the result for the terminal, or as
//!   JSON.

pub mod page;
pub mod prospect;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::cli::check::prospect::check;
use crate::cli::overrides::OverrideArgs;
use crate::error::Error;

/// Show what a file holds, what a run would make of it, and how customers came to be in it; write
/// nothing
#[derive(Args)]
#[command(after_help = "Examples:\n  cltv check export.csv\n  cltv check export.csv --json\n  \
    cltv check pipelines/flo_selection_aware.toml --input export_2021q3.csv --strict")]
pub struct CheckArgs {
    /// A data file, whose columns are guessed by name and content, or a pipeline file (.toml)
    file: PathBuf,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Exit with 4 when the file contradicts the pipeline's selection, or has too little data
    #[arg(long)]
    strict: bool,
    /// Print the same as JSON
    #[arg(long)]
    json: bool,
}

/// Inspects the file and prints the result.
pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let overrides = args.overrides.with_output(None);
    let checked = check(&args.file, &overrides)?;
    let text = match args.json {
        true => page::json(&checked)?,
        false => page::page(&checked),
    };
    anstream::stdout().write_all(text.as_bytes())?;
    let prospect = checked.prospect?;
    let first = prospect.selection.first().filter(|_| prospect.contradicts());
    match first.map(|finding| &finding.message).or(prospect.too_little.as_ref()) {
        Some(message) if args.strict => Err(Error::model(format!("--strict: {message}")).into()),
        _ => Ok(()),
    }
}
