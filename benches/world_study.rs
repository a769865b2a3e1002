//! Whether a run says so when its model is wrong, and stays quiet when it is right: order logs from
//! worlds of known truth, run as a user runs them. `scripts/worlds.sh` writes the output of this
//! program into docs/world-study.md.
//!
//! Arguments: customers, repetitions and (optionally) a part of the worlds' names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use chrono::{Days, NaiveDate};
use cltv::pipeline::analyse;
use cltv::results::findings::Severity;
use cltv::results::forecast::Span;
use cltv::settings::{Overrides, parse};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Exp1, Gamma};
use rayon::prelude::*;

/// The log has three years, or as many days as a world says.
const DAYS: i32 = 1096;
/// Days of the truth: six calendar months.
const AHEAD: i32 = 181;

/// How customers leave.
#[derive(Clone, Copy)]
enum Leaving {
    /// After a repeat order (BG/NBD).
    AfterRepeat(f64, f64),
    /// After any order (MBG/NBD).
    AfterAny(f64, f64),
    /// At any moment; weeks (Pareto/NBD).
    AnyTime(f64, f64),
    /// Never (NBD).
    Never,
}

/// A world: a model, and what is wrong with it.
#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    /// Whether the model family describes it.
    right: bool,
    r: f64,
    alpha: f64,
    leaving: Leaving,
    /// The last day of the log.
    end: (i32, u32, u32),
    days: i32,
    /// Factor of all order rates on a day of the calendar, a number of days before the end.
    pace: fn(NaiveDate, i32) -> f64,
    /// Factor of the order rates of a customer who joined a number of days before the end.
    cohort: fn(i32) -> f64,
    /// Yearly factor of prices.
    prices: f64,
    /// Stages between two orders: 1 for any time, more for regular buyers.
    stages: u32,
    /// The pipeline's model; empty for the default.
    model: &'static str,
}

fn even(_: NaiveDate, _: i32) -> f64 {
    1.0
}

fn alike(_: i32) -> f64 {
    1.0
}

const RIGHT: World = World {
    name: "right: BG/NBD",
    right: true,
    r: 0.6,
    alpha: 8.0,
    leaving: Leaving::AfterRepeat(0.8, 3.0),
    end: (2023, 12, 31),
    days: DAYS,
    pace: even,
    cohort: alike,
    prices: 1.0,
    stages: 1,
    model: "",
};

fn november(date: NaiveDate, _: i32) -> f64 {
    if chrono::Datelike::month(&date) >= 11 { 2.5 } else { 1.0 }
}

fn sine(_: NaiveDate, back: i32) -> f64 {
    // Its peak is at the end of the log.
    1.0 + 0.6 * (std::f64::consts::TAU * f64::from(back) / 365.25).cos()
}

fn yearly(factor: f64, back: i32) -> f64 {
    factor.powf(-f64::from(back) / 365.25)
}

fn worlds() -> Vec<World> {
    let wrong = World { right: false, ..RIGHT };
    vec![
        RIGHT,
        World { name: "right: MBG/NBD", leaving: Leaving::AfterAny(0.9, 2.5), ..RIGHT },
        World {
            name: "right: Pareto/NBD",
            r: 0.55,
            alpha: 10.6,
            leaving: Leaving::AnyTime(0.6, 11.7),
            ..RIGHT
        },
        World { name: "right: NBD", r: 0.8, alpha: 20.0, leaving: Leaving::Never, ..RIGHT },
        World { name: "right: many orders", r: 1.2, alpha: 3.0, ..RIGHT },
        World { name: "right: one year", days: 366, ..RIGHT },
        World { name: "Nov–Dec ×2.5, ends 31 Dec", pace: november, ..wrong },
        World { name: "Nov–Dec ×2.5, ends 31 Aug", pace: november, end: (2023, 8, 31), ..wrong },
        World { name: "sine season, ends at its peak", pace: sine, ..wrong },
        World { name: "orders −25 % a year", pace: |_, back| yearly(0.75, back), ..wrong },
        World { name: "orders +25 % a year", pace: |_, back| yearly(1.25, back), ..wrong },
        World {
            name: "halved in the last 120 days",
            pace: |_, back| if back < 120 { 0.5 } else { 1.0 },
            ..wrong
        },
        World {
            name: "promotion in the last month",
            pace: |_, back| if (0..30).contains(&back) { 2.5 } else { 1.0 },
            ..wrong
        },
        World { name: "prices +15 % a year", prices: 1.15, ..wrong },
        World { name: "prices +40 % a year", prices: 1.4, ..wrong },
        World { name: "regular buyers, Erlang-2", stages: 2, ..wrong },
        World { name: "regular buyers, Erlang-4", stages: 4, ..wrong },
        World {
            name: "cohorts −25 % a year",
            cohort: |back| 0.75f64.powf(f64::from(DAYS - back) / 365.25),
            ..wrong
        },
        World {
            name: "Pareto/NBD world, BG/NBD fitted",
            r: 0.55,
            alpha: 10.6,
            leaving: Leaving::AnyTime(0.6, 11.7),
            model: "bg_nbd",
            ..wrong
        },
        World {
            name: "MBG/NBD world, BG/NBD fitted",
            leaving: Leaving::AfterAny(0.9, 2.5),
            model: "bg_nbd",
            ..wrong
        },
    ]
}

/// One run, against the truth.
struct Outcome {
    /// Forecast over truth of six-month orders and revenue.
    orders: f64,
    revenue: f64,
    covered: [Option<bool>; 2],
    width: Option<f64>,
    warnings: Vec<String>,
    failed: Option<String>,
    statistics: BTreeMap<String, f64>,
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|text| !text.starts_with("--")).collect();
    let number = |i: usize, usual: usize| {
        arguments.get(i).and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (customers, repetitions) = (number(0, 5_000), number(1, 12));
    let part = arguments.get(2).cloned().unwrap_or_default();
    let mut page = String::new();
    // Runs, runs with a warning, intervals, intervals that hold: of worlds that the models describe.
    let mut quiet = [0; 4];
    writeln!(page, "\n## {customers} customers, {repetitions} repetitions\n").expect("text");
    writeln!(
        page,
        "| world | orders | covered | width | revenue | covered | runs with a warning | warnings |\n\
         |---|---|---|---|---|---|---|---|"
    )
    .expect("text");
    for world in worlds().iter().filter(|world| world.name.contains(&part)) {
        let outcomes: Vec<Outcome> = (0..repetitions as u64)
            .into_par_iter()
            .map(|seed| outcome(world, customers, seed))
            .collect();
        let line = row(world, &outcomes);
        eprintln!("{line}");
        if std::env::var_os("WORLDS_STATISTICS").is_some() {
            statistics(&outcomes);
        }
        writeln!(page, "{line}").expect("text");
        for outcome in outcomes.iter().filter(|_| world.right) {
            quiet[0] += 1;
            quiet[1] += usize::from(!outcome.warnings.is_empty());
            quiet[2] += usize::from(outcome.covered[0].is_some());
            quiet[3] += usize::from(outcome.covered[0] == Some(true));
        }
    }
    let [runs, warned, intervals, held] = quiet;
    writeln!(
        page,
        "\nOf the worlds that the models describe: {warned} of {runs} runs with a warning; {held} of \
         {intervals} intervals of orders hold the truth."
    )
    .expect("text");
    println!("{page}");
}

/// Median and highest of each statistic.
fn statistics(outcomes: &[Outcome]) {
    let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (name, value) in outcomes.iter().flat_map(|o| &o.statistics) {
        all.entry(name).or_default().push(*value);
    }
    for (name, mut values) in all {
        values.sort_by(f64::total_cmp);
        let n = values.len();
        eprintln!(
            "    {name}: n {n} lowest {:.3} median {:.3} highest {:.3}",
            values[0],
            values[n / 2],
            values[n - 1]
        );
    }
}

fn row(world: &World, outcomes: &[Outcome]) -> String {
    let done: Vec<&Outcome> = outcomes.iter().filter(|o| o.failed.is_none()).collect();
    let n = done.len().max(1) as f64;
    let error = |of: fn(&Outcome) -> f64| {
        let mean = done.iter().map(|o| of(o)).sum::<f64>() / n;
        format!("{:+.1} %", 100.0 * (mean - 1.0))
    };
    let covered = |k: usize| {
        let all: Vec<bool> = done.iter().filter_map(|o| o.covered[k]).collect();
        match all.len() {
            0 => "–".to_owned(),
            n => format!("{} of {n}", all.iter().filter(|c| **c).count()),
        }
    };
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for code in outcomes.iter().flat_map(|o| &o.warnings) {
        *codes.entry(code).or_default() += 1;
    }
    let widths: Vec<f64> = done.iter().filter_map(|o| o.width).collect();
    let width = widths.iter().sum::<f64>() / widths.len().max(1) as f64;
    let said: Vec<String> = codes.iter().map(|(code, n)| format!("{code} {n}")).collect();
    let warned = outcomes.iter().filter(|o| !o.warnings.is_empty()).count();
    let failed: Vec<&String> = outcomes.iter().filter_map(|o| o.failed.as_ref()).collect();
    let failed = failed.first().map_or(String::new(), |why| format!("; failed: {why}"));
    format!(
        "| {} | {} | {} | ±{:.0} % | {} | {} | {warned} of {} | {}{failed} |",
        world.name,
        error(|o| o.orders),
        covered(0),
        100.0 * width,
        error(|o| o.revenue),
        covered(1),
        outcomes.len(),
        said.join(", ")
    )
}

fn outcome(world: &World, customers: usize, seed: u64) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log.csv");
    let (text, truth) = simulate(world, customers, seed);
    std::fs::write(&log, text).expect("written");
    let settings = parse(&pipeline(world, &log), &Overrides::default()).expect("a pipeline");
    let run = match analyse(&settings) {
        Ok(run) => run,
        Err(error) => {
            return Outcome {
                orders: 0.0,
                revenue: 0.0,
                covered: [None; 2],
                width: None,
                warnings: Vec::new(),
                failed: Some(error.to_string()),
                statistics: BTreeMap::new(),
            };
        }
    };
    let total = run
        .forecast
        .iter()
        .find(|row| row.period.span == Span::Horizon && row.period.number == 6)
        .expect("six months");
    let within = |interval: &Option<cltv::results::forecast::Interval>, value: f64| {
        interval.as_ref().map(|i| (i.low..=i.high).contains(&value))
    };
    let warnings: Vec<String> = run
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(|finding| match finding.variant() {
            Some(variant) => format!("{}/{variant}", finding.code),
            None => finding.code.to_string(),
        })
        .collect();
    let statistics = run
        .checks
        .iter()
        .filter_map(|check| {
            Some((format!("{} (limit {:.2})", check.name, check.limit?), check.statistic?))
        })
        .map(|(name, value)| (name.split(" (").next().unwrap_or_default().to_owned(), value))
        .collect();
    Outcome {
        orders: total.orders / truth[0],
        revenue: total.revenue.expect("money") / truth[1],
        covered: [
            within(&total.orders_interval, truth[0]),
            within(&total.revenue_interval, truth[1]),
        ],
        width: total.orders_interval.as_ref().map(|i| (i.high - i.low) / 2.0 / total.orders),
        warnings,
        failed: None,
        statistics,
    }
}

fn pipeline(world: &World, log: &std::path::Path) -> String {
    let end = end(world);
    let model = match world.model {
        "" => String::new(),
        name => format!("\n[purchases]\nmodel = \"{name}\"\n"),
    };
    let log: PathBuf = log.to_owned();
    format!(
        "name = \"world\"\n[input]\npath = {log:?}\nkind = \"transactions\"\n\
         date_format = \"%Y-%m-%d\"\n[input.columns]\ncustomer_id = \"customer\"\n\
         order_date = \"date\"\nvalue = \"value\"\n[transactions]\nobservation_end = \"{end}\"\n\
         [uncertainty]\ndraws = 200\n{model}"
    )
}

fn end(world: &World) -> NaiveDate {
    let (year, month, day) = world.end;
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// The log as CSV, and orders and revenue of the six months after it.
fn simulate(world: &World, customers: usize, seed: u64) -> (String, [f64; 2]) {
    let mut rng = ChaCha8Rng::seed_from_u64(1_000 + seed);
    let end = end(world);
    let date = |back: i32| match back >= 0 {
        true => end - Days::new(back.unsigned_abs().into()),
        false => end + Days::new(back.unsigned_abs().into()),
    };
    // Operational time at the beginning of each day, from the first day to the end of the truth.
    let days = world.days;
    let mut clock = vec![0.0];
    for day in 0..days + AHEAD {
        let back = days - 1 - day;
        clock.push(clock[day as usize] + (world.pace)(date(back), back));
    }
    let mut text = String::from("customer,date,value\n");
    let mut truth = [0.0; 2];
    for customer in 0..customers {
        let born: f64 = rng.random_range(0.0..f64::from(days));
        let scale = gamma(3.74, 15.44, &mut rng);
        for time in orders(world, born, &clock, &mut rng) {
            let back = days - 1 - time as i32;
            let price = gamma(6.25, scale, &mut rng) * yearly(world.prices, back);
            if back < 0 {
                truth[0] += 1.0;
                truth[1] += price;
            } else {
                writeln!(text, "c{customer},{},{price:.2}", date(back)).expect("text");
            }
        }
    }
    (text, truth)
}

/// Order times of a customer in days since the log's first, the first order first.
fn orders(world: &World, born: f64, clock: &[f64], rng: &mut impl Rng) -> Vec<f64> {
    let back = world.days - 1 - born as i32;
    let rate = gamma(world.r, world.alpha, rng) / 7.0 * (world.cohort)(back);
    let (leave, until) = match world.leaving {
        Leaving::Never => (0.0, f64::INFINITY),
        Leaving::AfterRepeat(a, b) | Leaving::AfterAny(a, b) => {
            (Beta::new(a, b).expect("a beta").sample(rng), f64::INFINITY)
        }
        Leaving::AnyTime(s, beta) => {
            let waits: f64 = Exp1.sample(rng);
            (0.0, born + 7.0 * waits / gamma(s, beta, rng))
        }
    };
    let mut times = vec![born];
    if matches!(world.leaving, Leaving::AfterAny(..)) && rng.random_bool(leave) {
        return times;
    }
    let last = clock.len() - 1;
    let at = |time: f64| {
        let day = (time as usize).min(last - 1);
        clock[day] + (time - day as f64) * (clock[day + 1] - clock[day])
    };
    let mut operational = at(born);
    loop {
        for _ in 0..world.stages {
            let waits: f64 = Exp1.sample(rng);
            operational += waits / (rate * f64::from(world.stages));
        }
        if operational >= clock[last] {
            return times;
        }
        let day = clock.partition_point(|value| *value <= operational) - 1;
        let time = day as f64 + (operational - clock[day]) / (clock[day + 1] - clock[day]);
        if time > until {
            return times;
        }
        times.push(time);
        if leave > 0.0 && rng.random_bool(leave) {
            return times;
        }
    }
}

/// A draw with this shape and rate.
fn gamma(shape: f64, rate: f64, rng: &mut impl Rng) -> f64 {
    Gamma::new(shape, rate.recip()).expect("a gamma").sample(rng)
}
