//! `cltv simulate customers|transactions`: makes input files from known parameters.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use crate::cli::sink;
use crate::cli::worlds::WorldArgs;
use crate::error::Error;
use crate::model::bg_nbd::BgNbd;
use crate::model::gamma_gamma::GammaGamma;
use crate::output::formats;
use crate::simulate::Population;
use crate::simulate::export::{Filter, customers};
use crate::simulate::log::{Disorder, transactions};

/// Make a customer export or an order log from known parameters
#[derive(Args)]
#[command(
    after_help = "Example:\n  cltv simulate customers --customers 1000 --seed 7 --out export.csv"
)]
pub struct SimulateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// One row per customer, with the columns of FLO's export
    #[command(after_help = "Example: an export with the same selection as FLO's\n  \
        cltv simulate customers --customers 150000 --seed 1 --last-order-within 365 \
        --both-channels --out sample.csv")]
    Customers {
        #[command(flatten)]
        population: PopulationArgs,
        /// Keep only customers whose last order is at most this many days before the end
        #[arg(long, value_name = "DAYS")]
        last_order_within: Option<u32>,
        /// Keep only customers who ordered online and offline
        #[arg(long)]
        both_channels: bool,
    },
    /// Order lines with cancelled invoices and missing customer ids
    #[command(
        after_help = "Example: orders that double in November and December, and prices that \
        rise by 40 % a year\n  \
        cltv simulate transactions --customers 800 --season 11=2,12=2 --inflation 1.4 \
        --out orders.csv"
    )]
    Transactions {
        #[command(flatten)]
        population: PopulationArgs,
        /// Share of invoices cancelled later
        #[arg(long, default_value_t = 0.02, value_name = "SHARE")]
        cancelled: f64,
        /// Share of invoices without a customer id
        #[arg(long, default_value_t = 0.05, value_name = "SHARE")]
        without_id: f64,
    },
}

/// The true parameters, with time in weeks. The defaults are close to a fit of FLO's export that is
/// corrected for the selection of its customers.
#[derive(Args)]
struct PopulationArgs {
    /// Customers acquired; filters then keep a part of them
    #[arg(long, value_name = "N")]
    customers: u32,
    /// Same seed, same data
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// CSV file to write; without it or for -, standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Last day of the observation
    #[arg(long, default_value = "2021-05-30", value_name = "DATE")]
    end: NaiveDate,
    /// Number of days before the end over which customers were acquired, evenly
    #[arg(long, default_value_t = 2920, value_name = "DAYS")]
    acquired_over: u32,
    /// Order rates: shape
    #[arg(long, default_value_t = 0.6, help_heading = "True parameters")]
    r: f64,
    /// Order rates: rate parameter in weeks
    #[arg(long, default_value_t = 21.0, help_heading = "True parameters")]
    alpha: f64,
    /// Dropout: first shape
    #[arg(long, default_value_t = 4.9, help_heading = "True parameters")]
    a: f64,
    /// Dropout: second shape
    #[arg(long, default_value_t = 42.0, help_heading = "True parameters")]
    b: f64,
    /// Order values: shape within a customer
    #[arg(long, default_value_t = 4.0, help_heading = "True parameters")]
    p: f64,
    /// Order values: shape between customers
    #[arg(long, default_value_t = 9.0, help_heading = "True parameters")]
    q: f64,
    /// Order values: scale between customers, in money
    #[arg(long, default_value_t = 310.0, help_heading = "True parameters")]
    v: f64,
    /// Share of online orders: beta parameters
    #[arg(long, num_args = 2, default_values_t = [3.0, 2.0], value_names = ["ON", "OFF"],
        help_heading = "True parameters")]
    online_share: Vec<f64>,
    #[command(flatten)]
    world: WorldArgs,
}

impl PopulationArgs {
    fn population(&self) -> Result<Population, Error> {
        Ok(Population {
            purchases: BgNbd { r: self.r, alpha: self.alpha, a: self.a, b: self.b },
            spend: GammaGamma { p: self.p, q: self.q, v: self.v },
            customers: self.customers,
            acquired_over: self.acquired_over,
            end: self.end,
            online_share: (self.online_share[0], self.online_share[1]),
            seed: self.seed,
            world: self.world.world()?,
        })
    }
}

/// Simulates and writes.
pub fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let (population, mut frame) = match &args.what {
        What::Customers { population, last_order_within, both_channels } => {
            let filter =
                Filter { last_order_within: *last_order_within, both_channels: *both_channels };
            (population, customers(&population.population()?, filter)?)
        }
        What::Transactions { population, cancelled, without_id } => {
            let disorder = Disorder { cancelled: *cancelled, without_id: *without_id };
            (population, transactions(&population.population()?, disorder)?)
        }
    };
    sink::write(population.out.as_deref(), &formats::csv_bytes(&mut frame)?)?;
    tracing::info!("{} rows from {} simulated customers", frame.height(), population.customers);
    Ok(())
}
