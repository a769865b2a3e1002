//! `cltv completions SHELL`: prints a completion script.

use std::io::Write;

use clap::{Args, Command};
use clap_complete::Shell;

/// Print a completion script for a shell
#[derive(Args)]
#[command(
    after_help = "Example:\n  cltv completions bash > ~/.local/share/bash-completion/completions/cltv"
)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the script for `program` to stdout.
pub fn run(args: &CompletionsArgs, mut program: Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "cltv", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(())
}
