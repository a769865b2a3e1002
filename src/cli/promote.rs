//! `cltv promote MODEL --models FOLDER`: makes a model the champion of a folder.

use std::io::Write;
use std::path::PathBuf;

use crate::model_file::registry;
use crate::safe_text::printable::printable;
use clap::Args;

/// Put a fitted model in use, when it passes its gate (exit code 4 when not)
#[derive(Args)]
#[command(after_help = "Example:\n  cltv promote out/model.json --models models\n\n\
    The gate: both fits converged, no warning that is not accepted, the same definitions as the \
    champion, and not older.")]
pub struct PromoteArgs {
    /// A model.json
    model: PathBuf,
    /// The folder of models; champion.json in it names the one in use
    #[arg(long, value_name = "FOLDER")]
    models: PathBuf,
    /// Code of a warning that the model may have; may be given several times
    #[arg(long, value_name = "CODE")]
    accept: Vec<String>,
}

/// Checks the model, copies it to the folder, and points champion.json to it.
pub fn run(args: &PromoteArgs, quiet: bool) -> anyhow::Result<()> {
    let promoted = registry::promote(&args.model, &args.models, &args.accept)?;
    if !quiet {
        let before = promoted.previous.map_or(String::new(), |name| format!(", before it {name}"));
        let said = format!("{} is the champion{before}", promoted.path.display());
        writeln!(anstream::stdout(), "{}", printable(&said))?;
    }
    Ok(())
}
