//! A whole run on a long order log, compared with Polars alone reading the same file and grouping
//! it by customer. The two take turns; time and peak memory are measured for each.
//!
//! ```text
//! cltv simulate transactions --customers 1750000 --out lines.csv
//! cargo bench --bench order_log -- lines.csv 5
//! ```

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use polars::prelude::*;

const POLARS: &str = "polars-alone";

fn main() -> PolarsResult<()> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [POLARS, file] => group_by_customer(file),
        [file, turns] => {
            compare(file, turns.parse().unwrap_or(3));
            Ok(())
        }
        _ => {
            println!("name the file and the number of turns: -- lines.csv 5");
            Ok(())
        }
    }
}

/// The obvious query: scan, parse, group, sum.
fn group_by_customer(file: &str) -> PolarsResult<()> {
    let lines = LazyCsvReader::new(PlRefPath::new(file)).finish()?;
    let value = col("Quantity") * col("Price");
    let customers = lines.group_by([col("Customer ID")]).agg([
        col("InvoiceDate").min().alias("first"),
        col("InvoiceDate").max().alias("last"),
        len().alias("lines"),
        value.sum().alias("value"),
    ]);
    let plans = vec![customers.logical_plan];
    let flags = OptFlags::default();
    let found = LazyFrame::collect_all_with_engine(plans, Engine::Streaming, flags)?;
    println!("{} customers", found[0].height());
    Ok(())
}

fn compare(file: &str, turns: u32) {
    let folder = std::env::temp_dir().join("cltv-bench-order-log");
    let own = std::env::current_exe().expect("a path");
    let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/transactions.toml");
    let mut ratios = Vec::new();
    for turn in 1..=turns {
        let alone = measure(Command::new(&own).args([POLARS, file]));
        let run = measure(
            Command::new(env!("CARGO_BIN_EXE_cltv"))
                .arg("run")
                .arg(&pipeline)
                .args(["--quiet", "--input", file, "--output"])
                .arg(&folder),
        );
        ratios.push(run.0 / alone.0);
        println!(
            "turn {turn}: Polars alone {:.2} s, {:.0} MiB; run {:.2} s, {:.0} MiB; ratio {:.2}",
            alone.0,
            alone.1,
            run.0,
            run.1,
            run.0 / alone.0
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
}

/// Seconds, and the peak resident memory in MiB where /proc has it.
fn measure(command: &mut Command) -> (f64, f64) {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0f64;
    loop {
        if let Ok(text) = std::fs::read_to_string(&status)
            && let Some(kib) = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))
            && let Some(kib) = kib.split_whitespace().next().and_then(|n| n.parse::<f64>().ok())
        {
            peak = peak.max(kib / 1024.0);
        }
        match child.try_wait().expect("it can be waited for") {
            Some(ended) => {
                assert!(ended.success(), "{command:?} failed");
                return (start.elapsed().as_secs_f64(), peak);
            }
            None => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    }
}
