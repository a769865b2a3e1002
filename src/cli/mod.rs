//! The command line: arguments, one file per subcommand, exit codes.
//!
//! # Layout
//! * `run`, `fit`, `score`, `promote`, `evaluate`, `compare`, `report`, `select`, `check`, `init`,
//!   `simulate`, `completions`: the subcommands.
//! * `job`: what `run` and `score` share. `overrides`: flags that override a pipeline file.
//! * [`run_page`]: the summary that `run` and `score` print. [`terminal`]: paragraphs, tables and
//!   numbers of all pages.
//! * `draft`: a guessed pipeline, for `init` and for `run` on a data file. [`pipeline_text`]: the text of
//!   its file.
//! * `logging`, `bar`: log lines and the progress bar. `lineage`: OpenLineage events.
//! * `failure`: what a failed run leaves beside its output folder.
//! * `sink`: files named by `--out`. `signals`: interrupts. `memory`: the memory limit. `clock`: the time of day.

mod bar;
mod check;
mod clock;
mod compare;
mod completions;
mod draft;
mod evaluate;
mod failure;
mod fit;
mod init;
mod job;
mod lineage;
mod logging;
mod memory;
mod overrides;
pub mod pipeline_text;
mod promote;
mod report;
mod run;
pub mod run_page;
mod score;
mod select;
mod signals;
mod simulate;
mod sink;
pub mod terminal;
mod worlds;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::cli::failure::{Defect, code_of};
use crate::cli::logging::Verbosity;
use crate::error::Error;
use crate::safe_text::printable::printable;
use crate::safe_text::redacted::redacted;

/// Customer lifetime value from a customer export or an order log.
#[derive(Parser)]
#[command(name = "cltv", version, about, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Examples:\n  cltv run export.csv\n  \
    cltv run pipelines/flo.toml --input export.csv --output out\n\n\
    Exit codes: 0 done, 1 failed at run time, 2 wrong usage or pipeline file, 3 the input breaks \
    the contract,\n4 the model cannot be trusted, 130 interrupted.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    verbosity: Verbosity,
}

#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Fit(fit::FitArgs),
    Score(score::ScoreArgs),
    Promote(promote::PromoteArgs),
    Evaluate(evaluate::EvaluateArgs),
    Compare(compare::CompareArgs),
    Report(report::ReportArgs),
    Select(select::SelectArgs),
    Check(check::CheckArgs),
    Init(init::InitArgs),
    Simulate(simulate::SimulateArgs),
    Completions(completions::CompletionsArgs),
}

/// Runs the program and returns its exit code. A panic ends it like any other error, with one line
/// on stderr.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| misused(&error));
    logging::start(&cli.verbosity);
    crate::frame::keep_advice();
    std::panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    signals::listen();
    bar::start(cli.verbosity.quiet);
    let done = std::panic::catch_unwind(|| dispatch(&cli));
    bar::finish();
    // Removes the copy of standard input, if there is one.
    let _held = crate::storage::interrupt::clear();
    let result = done.unwrap_or_else(|_| Err(Defect.into()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let known = error.downcast_ref::<Error>();
            logging::fail(code_of(&error), &format!("{error:#}"));
            ExitCode::from(known.map_or(1, Error::exit_code))
        }
    }
}

/// Prints what is wrong with the command line, or the help that it asks for, and ends the program.
/// Arguments are repeated without secrets, and without what would steer the terminal.
fn misused(error: &clap::Error) -> ! {
    let safe = |argument: std::ffi::OsString| printable(&redacted(&argument.to_string_lossy()));
    let arguments: Vec<String> = std::env::args_os().map(safe).collect();
    if error.use_stderr() && logging::asks_for_json(&arguments) {
        let text = Cli::try_parse_from(&arguments).err().map(|error| error.to_string());
        let text = text.unwrap_or_else(|| "the command line is wrong: see --help".to_owned());
        // Usage and hints follow after a blank line.
        let text = text.split("\n\n").next().unwrap_or_default();
        logging::start(&Verbosity::json());
        logging::fail("usage", text.trim_start_matches("error: "));
        std::process::exit(error.exit_code());
    }
    match Cli::try_parse_from(arguments) {
        Err(same) if same.kind() == error.kind() => same.exit(),
        _ => Cli::command().error(error.kind(), "the command line is wrong: see --help").exit(),
    }
}

fn dispatch(cli: &Cli) -> anyhow::Result<()> {
    match &cli.command {
        Command::Run(args) => run::run(args, &cli.verbosity),
        Command::Fit(args) => fit::run(args, cli.verbosity.quiet, cli.verbosity.log_format),
        Command::Score(args) => score::run(args, &cli.verbosity),
        Command::Promote(args) => promote::run(args, cli.verbosity.quiet),
        Command::Evaluate(args) => {
            evaluate::run(args, cli.verbosity.quiet, cli.verbosity.log_format)
        }
        Command::Compare(args) => compare::run(args, cli.verbosity.quiet, cli.verbosity.log_format),
        Command::Report(args) => report::run(args, cli.verbosity.quiet),
        Command::Select(args) => select::run(args),
        Command::Check(args) => check::run(args),
        Command::Init(args) => init::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Completions(args) => completions::run(args, Cli::command()),
    }
}

/// Whether the reader of our stdout closed it, which is not an error. A broken pipe elsewhere is
/// one.
fn broken_pipe(error: &anyhow::Error) -> bool {
    let of_stdout = error.downcast_ref::<std::io::Error>();
    of_stdout.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
