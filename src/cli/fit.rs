//! `cltv fit PIPELINE`: fits the models and writes model.json.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::cli::logging::{LogFormat, warn};
use crate::cli::overrides::OverrideArgs;
use crate::cli::{memory, signals, sink};
use crate::error::Error;
use crate::model_file::ModelFile;
use crate::pipeline::notices::refuse_warnings;
use crate::results::calendar::CalendarEntry;
use crate::results::numbers::count;
use crate::safe_text::printable::printable;
use crate::settings::load;
use crate::{output, pipeline};

/// Fit the models and keep them as model.json, to score later exports with
#[derive(Args)]
#[command(after_help = "Examples:\n  cltv fit pipelines/flo.toml --output models/2021q2\n  \
    cltv promote models/2021q2/model.json --models models")]
pub struct FitArgs {
    /// Pipeline file (TOML)
    pipeline: PathBuf,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Folder to write instead of output.path
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Write the season as a file of factors by month too, for calendar.index of another pipeline
    #[arg(long, value_name = "FILE")]
    write_index: Option<PathBuf>,
    /// Refuse to write anything when there is a warning (exit code 4)
    #[arg(long)]
    strict: bool,
}

/// Fits the models, writes model.json and prints one line about it.
pub fn run(args: &FitArgs, quiet: bool, log_format: LogFormat) -> anyhow::Result<()> {
    let overrides = args.overrides.with_output(args.output.clone());
    let settings = load(&args.pipeline, &overrides)?;
    memory::guard(&settings);
    let fitted = pipeline::fit(&settings)?;
    if args.strict {
        refuse_warnings(&fitted.model_file.warnings, "nothing was written")?;
    }
    let index =
        args.write_index.as_ref().map(|_| season_index(fitted.calendar.as_ref())).transpose()?;
    let path = output::write_model(&fitted.model_file, &settings)?;
    if let Some(index) = index {
        sink::write(args.write_index.as_deref(), index.as_bytes())?;
    }
    signals::written();
    warn(&fitted.model_file.warnings, log_format);
    if !quiet {
        let text = fitted.model_file.text()?;
        writeln!(
            anstream::stdout(),
            "{}: model {} of {} customers, orders until {}",
            printable(&path.display().to_string()),
            ModelFile::id(text.as_bytes()),
            count(fitted.model_file.customers()),
            fitted.model_file.observation_end
        )?;
        for candidate in fitted.model_file.comparison() {
            let alive = candidate
                .share_alive
                .map_or(String::new(), |share| format!(", {:.0} % still there", 100.0 * share));
            writeln!(
                anstream::stdout(),
                " {:<12} {}{alive}",
                candidate.model.title(),
                printable(&candidate.reason)
            )?;
        }
    }
    Ok(())
}

/// The season as a file of factors by month.
///
/// # Errors
/// When the model has no season.
fn season_index(calendar: Option<&CalendarEntry>) -> anyhow::Result<String> {
    let Some(season) = calendar.and_then(|calendar| calendar.season.as_ref()) else {
        let why = calendar.and_then(|calendar| calendar.gate.as_ref()?.season);
        let why = why.map_or(String::new(), |why| format!(": {}", why.words()));
        return Err(Error::Settings {
            place: "--write-index".to_owned(),
            faults: vec![format!("the model has no season to write{why}; nothing was written")],
        }
        .into());
    };
    let lines = season.months.iter().enumerate();
    let lines = lines.map(|(month, factor)| format!("{},{factor:.4}\n", month + 1));
    Ok(format!("month,factor\n{}", lines.collect::<String>()))
}
