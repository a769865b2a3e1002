//! Log lines on stderr, as text for people or JSON for machines.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use clap::{Args, ValueEnum};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, SubscriberBuilder};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::results::findings::{Finding, Severity};
use crate::safe_text::printable::{printable_lines, printable_list};
use crate::safe_text::redacted::redacted;

/// Format of the log lines of this process.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Installs the logger of this process.
pub fn start(verbosity: &Verbosity) {
    let _ = FORMAT.set(verbosity.log_format);
    let (own, others) = match (verbosity.quiet, verbosity.verbose) {
        (true, _) => (LevelFilter::ERROR, LevelFilter::ERROR),
        (_, false) => (LevelFilter::INFO, LevelFilter::WARN),
        (_, true) => (LevelFilter::DEBUG, LevelFilter::WARN),
    };
    // Libraries of the network tell addresses and headers, with credentials, when they say more.
    let filter = Targets::new().with_target(env!("CARGO_PKG_NAME"), own).with_default(others);
    let builder = SubscriberBuilder::default()
        .with_max_level(own)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    match verbosity.log_format {
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_target(false);
            builder.with_writer(|| Safe(std::io::stderr())).finish().with(filter).init();
        }
        LogFormat::Text => builder.event_format(Plain).finish().with(filter).init(),
    }
}

/// Formats a line as `error: …`, as command-line tools usually do.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (word, colour) = match *event.metadata().level() {
            Level::ERROR => ("error", "\u{1b}[1;31m"),
            Level::WARN => ("warning", "\u{1b}[1;33m"),
            Level::INFO => ("info", "\u{1b}[1;34m"),
            Level::DEBUG => ("debug", "\u{1b}[2m"),
            Level::TRACE => ("trace", "\u{1b}[2m"),
        };
        if writer.has_ansi_escapes() {
            write!(writer, "{colour}{word}:\u{1b}[0m ")?;
        } else {
            write!(writer, "{word}: ")?;
        }
        let mut fields = String::new();
        context.field_format().format_fields(Writer::new(&mut fields), event)?;
        writeln!(writer, "{}", printable_list(&redacted(&fields)))
    }
}

/// Passes on JSON lines without secrets in URLs, and without letters that steer a terminal. Line
/// breaks in texts are escaped already.
struct Safe<W>(W);

impl<W: Write> Write for Safe<W> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(printable_lines(&redacted(&text)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Logs why a command ends; in JSON, with a code for programs.
pub fn fail(code: &str, message: &str) {
    match FORMAT.get() {
        Some(LogFormat::Json) => tracing::error!(code, "{message}"),
        _ => tracing::error!("{message}"),
    }
}

/// Whether a command line that cannot be read asks for JSON.
pub fn asks_for_json(arguments: &[String]) -> bool {
    let pair = ["--log-format", "json"];
    arguments.windows(2).any(|two| two == pair)
        || arguments.iter().any(|one| one == "--log-format=json")
}

/// Logs warnings unless stdout is a terminal, where the page shows them already: a scheduler may
/// keep only stderr. JSON logs always have them.
pub fn warn(findings: &[Finding], format: LogFormat) {
    if format == LogFormat::Json || !std::io::stdout().is_terminal() {
        for finding in findings.iter().filter(|f| f.severity == Severity::Warning) {
            tracing::warn!(code = &*finding.code, "{}", finding.message);
        }
    }
}

/// How much is logged on stderr, and in which format.
#[derive(Args)]
pub(crate) struct Verbosity {
    /// Say more: every table of a page, and the seconds of each stage
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Print no summary and only errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Format of the log lines on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

impl Verbosity {
    /// The usual, as JSON.
    pub(crate) fn json() -> Self {
        Self { verbose: false, quiet: false, log_format: LogFormat::Json }
    }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}
