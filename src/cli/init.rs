//! `cltv init INPUT`: writes a pipeline file with guessed columns.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::draft::{Draft, name_of};
use crate::cli::pipeline_text::Intervals;
use crate::cli::sink::{self, is_stdout};
use crate::error::Error;
use crate::frame::guess::inspect::Stated;
use crate::safe_text::printable::printable;

/// Write a pipeline file for a data file; columns are guessed by name and by content
#[derive(Args)]
#[command(
    after_help = "Examples:\n  cltv init export.csv                 # writes export.toml\n  \
    cltv init orders.csv --out pipelines/orders.toml\n  cltv init orders.csv --out -\n\n\
    Names are understood in English and Turkish. `cltv check` shows what the guesses rest on."
)]
pub struct InitArgs {
    /// CSV, Excel or Parquet, packed or not: a file, a glob, a folder, or - for standard input
    input: String,
    /// Pipeline file to write, - for standard output [default: named after the input, here]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format of dates, such as %d.%m.%Y, when the file does not make it clear
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    date_format: String,
    /// 1234.56 as the file writes it, such as 1.234,56, when the file does not make it clear
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    number_format: String,
    /// Encoding of a text file, such as windows-1254, when it is found wrong
    #[arg(long, value_name = "NAME", default_value = "auto")]
    encoding: String,
    /// Worksheet of a workbook [default: the one with the most rows]
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Overwrite an existing pipeline file
    #[arg(long)]
    force: bool,
}

/// Guesses a pipeline, tries it on the data, and writes it.
pub fn run(args: &InitArgs) -> anyhow::Result<()> {
    let name = name_of(&args.input);
    let own = PathBuf::from(format!("{name}.toml"));
    let out = args.out.as_deref().unwrap_or(&own);
    if !is_stdout(out) {
        free(out, args.force)?;
    }
    let stated = Stated {
        date_format: args.date_format.clone(),
        number_format: args.number_format.clone(),
        encoding: args.encoding.clone(),
        sheet: args.sheet.clone(),
        ..Stated::default()
    };
    let text = Draft::of(&args.input, &name, &stated, Intervals::Left, None)?.text;
    if let Some(file) = sink::write_or(args.out.as_deref(), &own, text.as_bytes())? {
        let file = printable(&file.display().to_string());
        writeln!(anstream::stdout(), "{file}: check the guesses in it, then: cltv run {file}")?;
    }
    Ok(())
}

/// Refuses to overwrite a file without `--force`.
fn free(out: &Path, force: bool) -> Result<(), Error> {
    if force || !out.is_file() {
        return Ok(());
    }
    Err(Error::Settings {
        place: out.display().to_string(),
        faults: vec![
            "the file is there already: name another with --out, or write over it with --force"
                .to_owned(),
        ],
    })
}
