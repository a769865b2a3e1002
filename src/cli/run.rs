//! `cltv run PIPELINE|DATA`: the whole analysis, described by a pipeline file or guessed.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::check::prospect::stated;
use crate::cli::clock;
use crate::cli::draft::{Draft, name_of};
use crate::cli::job::{Job, JobArgs};
use crate::cli::logging::Verbosity;
use crate::cli::overrides::OverrideArgs;
use crate::cli::pipeline_text::Intervals;
use crate::cli::terminal::Page;
use crate::error::Error;
use crate::pipeline;
use crate::settings::{Overrides, Settings, is_pipeline, load, parse};
use crate::storage::bounded::{self, LARGE};
use crate::storage::stdin::STDIN;

/// Do the whole analysis that a pipeline file describes, or that a data file calls for
#[derive(Args)]
#[command(
    after_help = "Examples:\n  cltv run export.csv                  # guesses, and keeps the guesses in export.toml\n  cltv run pipelines/flo.toml\n  \
    cltv run pipelines/flo.toml --input export_2021q3.csv --output out/2021q3 --as-of 2021-09-01\n  \
    cltv run pipelines/flo.toml --set purchases.l2_penalty=0 --strict"
)]
pub struct RunArgs {
    /// Pipeline file (TOML; pipelines/README.md explains its keys), or a data file: its columns are
    /// guessed
    pipeline: PathBuf,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Folder to write instead of output.path
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    #[command(flatten)]
    job: JobArgs,
}

/// Analyses, writes the files and prints the summary.
pub fn run(args: &RunArgs, verbosity: &Verbosity) -> anyhow::Result<()> {
    let started = clock::Start::now();
    let overrides = args.overrides.with_output(args.output.clone());
    if !is_data(&args.pipeline) {
        let settings = load(&args.pipeline, &overrides)?;
        let job = Job { settings, started, description: &args.pipeline, args: &args.job };
        return job.work(pipeline::analyse, verbosity);
    }
    let Guessed { settings, draft, file } = guessed(args, &overrides)?;
    let mut page = draft.page();
    let strict = args.job.is_strict();
    // A strict run that is refused leaves nothing.
    if !strict {
        page.line(&kept(args, &file, &draft.text));
    }
    page.line("");
    print(page, verbosity.quiet)?;
    let job = Job { settings, started, description: &args.pipeline, args: &args.job };
    job.work(pipeline::analyse, verbosity)?;
    let mut page = Page::default();
    if strict {
        page.line(&kept(args, &file, &draft.text));
    }
    print(page, verbosity.quiet)
}

fn print(page: Page, quiet: bool) -> anyhow::Result<()> {
    if !quiet {
        anstream::stdout().write_all(page.text.as_bytes())?;
    }
    Ok(())
}

/// Whether a path names data and not a pipeline file.
fn is_data(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    if ending.as_deref() == Some("toml") {
        return false;
    }
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => true,
        Ok(found) if found.is_file() => !is_pipeline(path),
        // A pipe, which can be read only once, holds a pipeline.
        Ok(_) => false,
        Err(_) => path.as_os_str() == STDIN || ending.is_some(),
    }
}

/// What a data file calls for.
struct Guessed {
    settings: Settings,
    draft: Draft,
    /// The pipeline file in which the guesses are kept.
    file: PathBuf,
}

fn guessed(args: &RunArgs, overrides: &Overrides) -> Result<Guessed, Error> {
    let data = args.pipeline.display().to_string();
    let fault = |fault: String| Error::Settings { place: data.clone(), faults: vec![fault] };
    if overrides.input.is_some() {
        return Err(fault(
            "this is no pipeline file, and --input names other data: give one of the two"
                .to_owned(),
        ));
    }
    if args.pipeline.join("run.json").is_file() {
        return Err(fault(
            "this is the output of a run: give a pipeline file or data; `cltv report` makes its page \
             again"
                .to_owned(),
        ));
    }
    let name = name_of(&data);
    let stated = stated(overrides, &data)?;
    let draft = Draft::of(&data, &name, &stated, Intervals::Drawn, overrides.as_of.as_deref())?;
    let settings = parse(&draft.text, overrides)
        .map_err(|faults| Error::Settings { place: data.clone(), faults })?;
    let out = &settings.output.path;
    if args.output.is_none()
        && let Some(other) = other_input(out, &args.pipeline)
    {
        return Err(fault(format!(
            "{} holds a run of {other}: name another folder with --output",
            out.display()
        )));
    }
    let file = match data.as_str() {
        STDIN => PathBuf::from(format!("{name}.toml")),
        _ => args.pipeline.with_file_name(format!("{name}.toml")),
    };
    Ok(Guessed { settings, draft, file })
}

/// The first input of the run in a folder, if it had others than this data.
fn other_input(folder: &Path, data: &Path) -> Option<String> {
    let text = bounded::read(&folder.join("run.json"), LARGE).ok()?;
    let document: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let inputs = document["inputs"].as_array()?.iter();
    let inputs: Vec<&str> = inputs.filter_map(|input| input["file"].as_str()).collect();
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (own, is_pattern) = (real(data), data.to_string_lossy().contains(['*', '?']));
    let same = |input: &&str| real(Path::new(input)).starts_with(&own);
    match is_pattern || inputs.iter().any(same) {
        true => None,
        false => inputs.first().map(ToString::to_string),
    }
}

/// Keeps the guesses in a new file, and says where.
fn kept(args: &RunArgs, file: &Path, text: &str) -> String {
    let shown = file.display();
    if args.job.is_dry() {
        return "Nothing is written; `cltv init` keeps the guesses in a pipeline file.".to_owned();
    }
    // Never over another file, even one that appears just now.
    let written = OpenOptions::new().write(true).create_new(true).open(file);
    match written.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) if args.overrides.is_empty() => {
            format!("The guesses are in {shown}: check them; from now on, run that file.")
        }
        Ok(()) => format!(
            "The guesses are in {shown}, without the flags of this command: check them; from now on, \
             run that file."
        ),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            format!(
                "{shown} is there already; it was neither read nor changed. To use it, run that file."
            )
        }
        Err(error) => format!("The guesses could not be kept in {shown}: {error}."),
    }
}
