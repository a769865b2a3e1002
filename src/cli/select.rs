//! `cltv select [RUN] --where CONDITION`: lists customers of a finished run.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use crate::cli::sink;
use crate::frame::scored::select;
use crate::output::formats::csv_bytes;
use crate::results::numbers::count;
use crate::safe_text::printable::{printable, printable_lines};

/// List the customers of a finished run who meet a condition, for a campaign
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    cltv select output/flo --out ids.csv --where \"rfm_segment IN ('champions', 'loyal_customers')\n    \
    AND interested_in_categories_12 LIKE '%KADIN%'\"\n  \
    cltv select output/flo --where \"cltv_segment = 'A' AND days_since_last_order > 90\" \\\n    \
    --columns customer_id,cltv\n\n\
    The condition is an SQL expression over the columns of customers.parquet. Columns kept from a CSV\n\
    input are text: write CAST(AGE AS DOUBLE) > 30.")]
pub struct SelectArgs {
    /// Output folder of a run, or its customers table [default: the only one in output/]
    run: Option<PathBuf>,
    /// SQL condition over the columns of the customers table
    #[arg(long = "where", value_name = "CONDITION", allow_hyphen_values = true)]
    condition: String,
    /// CSV file to write; without it or for -, standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Columns to write, separated by commas [default: the customer id]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
}

/// Writes the list; for a file, prints how many customers are in it.
pub fn run(args: &SelectArgs) -> anyhow::Result<()> {
    let file = select::find(args.run.as_deref())?;
    let mut chosen = select::select(&file, &args.condition, &args.columns)?;
    let customers = count(chosen.height());
    let bytes = csv_bytes(&mut chosen)?;
    let bytes = match args.out.is_none() && std::io::stdout().is_terminal() {
        true => printable_lines(&String::from_utf8_lossy(&bytes)).into_bytes(),
        false => bytes,
    };
    if let Some(path) = sink::write(args.out.as_deref(), &bytes)? {
        let said = format!("{customers} customers of {}: {}", file.display(), path.display());
        writeln!(std::io::stdout(), "{}", printable(&said))?;
    }
    if chosen.height() == 0 {
        tracing::warn!("nobody in {} meets the condition", file.display());
    }
    Ok(())
}
