//! Order logs simulated from worlds of known truth: a model of the family, and what is uneven or wrong
//! in it. The study of benches/world_study.rs and the tests share it. It knows more than the flags of
//! `cltv simulate`, and it is a second way to the same worlds: a test holds the two together.

#![allow(dead_code, reason = "the study and the tests use different parts of it")]

use std::fmt::Write as _;

use chrono::{Datelike, Days, NaiveDate};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Exp1, Gamma};

/// The log has three years, or as many days as a world says.
const DAYS: i32 = 1096;
/// Days of the truth: six calendar months.
const AHEAD: i32 = 181;

/// How customers leave.
#[derive(Clone, Copy)]
pub enum Leaving {
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
pub struct World {
    /// Its name in tables.
    pub name: &'static str,
    /// Whether the model family describes it.
    pub right: bool,
    /// Shape and rate of the order rates, in weeks.
    pub r: f64,
    /// See `r`.
    pub alpha: f64,
    /// How customers leave.
    pub leaving: Leaving,
    /// The last day of the log.
    pub end: (i32, u32, u32),
    /// Days of the log.
    pub days: i32,
    /// Factor of all order rates on a day of the calendar, a number of days before the end.
    pub pace: fn(NaiveDate, i32) -> f64,
    /// Factor of the order rates of a customer who joined a number of days before the end.
    pub cohort: fn(i32) -> f64,
    /// Yearly factor of prices.
    pub prices: f64,
    /// Whether the truth of the revenue is in the money of the end of the log, not of its own day.
    pub money_of_end: bool,
    /// Stages between two orders: 1 for any time, more for regular buyers.
    pub stages: u32,
    /// Share of orders that another one follows within a week.
    pub echo: f64,
    /// The pipeline's model; empty for the default.
    pub model: &'static str,
    /// What the user states in the pipeline beside it: sections as TOML. `INDEX` stands for the path of a file
    /// with the world's index.
    pub stated: &'static str,
    /// Factor of each month, from January on.
    pub index: [f64; 12],
}

fn even(_: NaiveDate, _: i32) -> f64 {
    1.0
}

fn alike(_: i32) -> f64 {
    1.0
}

/// The world that others differ from.
pub const RIGHT: World = World {
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
    money_of_end: false,
    stages: 1,
    echo: 0.0,
    model: "",
    stated: "",
    index: [1.0; 12],
};

/// November and December at 2.5, over the mean (304.25 + 61·2.5)/365.25 of a year.
const HOLIDAYS: [f64; 12] = {
    let mean = (304.25 + 61.0 * 2.5) / 365.25;
    let mut factors = [1.0 / mean; 12];
    (factors[10], factors[11]) = (2.5 / mean, 2.5 / mean);
    factors
};

fn november(date: NaiveDate, _: i32) -> f64 {
    if date.month() >= 11 { 2.5 } else { 1.0 }
}

fn sine(_: NaiveDate, back: i32) -> f64 {
    // Its peak is at the end of the log.
    1.0 + 0.6 * (std::f64::consts::TAU * f64::from(back) / 365.25).cos()
}

fn lockdown(date: NaiveDate, _: i32) -> f64 {
    let day = |month, day| NaiveDate::from_ymd_opt(2023, month, day).expect("a day");
    if (day(3, 15)..=day(6, 1)).contains(&date) { 0.4 } else { 1.0 }
}

/// The month of Ramadan, of which the fourth comes after the log.
fn ramadan(date: NaiveDate, _: i32) -> f64 {
    let begins = [(2021, 4, 13), (2022, 4, 2), (2023, 3, 23), (2024, 3, 11)];
    let within = begins.iter().any(|(year, month, day)| {
        let from = NaiveDate::from_ymd_opt(*year, *month, *day).expect("a day");
        (from..from + Days::new(30)).contains(&date)
    });
    if within { 1.8 } else { 1.0 }
}

const LOCKDOWN: &str = "
[[calendar.events]]
name = \"lockdown\"
from = \"2023-03-15\"
to = \"2023-06-01\"
factor = \"estimate\"
";

const RAMADAN: &str = "
[calendar]
events = [
    { name = \"Ramadan\", from = \"2021-04-13\", to = \"2021-05-12\", factor = \"estimate\" },
    { name = \"Ramadan\", from = \"2022-04-02\", to = \"2022-05-01\", factor = \"estimate\" },
    { name = \"Ramadan\", from = \"2023-03-23\", to = \"2023-04-21\", factor = \"estimate\" },
    { name = \"Ramadan\", from = \"2024-03-11\", to = \"2024-04-09\", factor = \"estimate\" },
]
";

const INDEX: &str = "
[calendar]
index = \"INDEX\"
";

const CONTINUE: &str = "
[spend]
future_prices = \"continue\"
";

fn yearly(factor: f64, back: i32) -> f64 {
    factor.powf(-f64::from(back) / 365.25)
}

/// The worlds of the study.
pub fn worlds() -> Vec<World> {
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
        World {
            name: "sine season, ends in its trough",
            pace: |date, back| 2.0 - sine(date, back),
            ..wrong
        },
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

/// More worlds of the study: of what can be stated, in which money, and several things at once.
pub fn more_worlds() -> Vec<World> {
    let wrong = World { right: false, ..RIGHT };
    let short = World { days: 366, ..wrong };
    vec![
        World {
            name: "prices +15 % a year, in the money of the end",
            prices: 1.15,
            money_of_end: true,
            ..wrong
        },
        World {
            name: "prices +40 % a year, in the money of the end",
            prices: 1.4,
            money_of_end: true,
            ..wrong
        },
        World {
            name: "prices +15 % a year, stated to go on",
            prices: 1.15,
            stated: CONTINUE,
            ..wrong
        },
        World {
            name: "prices +40 % a year, stated to go on",
            prices: 1.4,
            stated: CONTINUE,
            ..wrong
        },
        World { name: "lockdown ×0.4, not stated", pace: lockdown, ..wrong },
        World {
            name: "lockdown ×0.4, to be estimated", pace: lockdown, stated: LOCKDOWN, ..wrong
        },
        World { name: "Ramadan ×1.8, not stated", pace: ramadan, ..wrong },
        World { name: "Ramadan ×1.8, to be estimated", pace: ramadan, stated: RAMADAN, ..wrong },
        World { name: "one year, Nov–Dec ×2.5", pace: november, ..short },
        World {
            name: "one year, Nov–Dec ×2.5, index given",
            pace: november,
            stated: INDEX,
            index: HOLIDAYS,
            ..short
        },
        World {
            name: "Nov–Dec ×2.5, −15 % a year, prices +40 %, in the money of the end",
            pace: |date, back| november(date, back) * yearly(0.85, back),
            prices: 1.4,
            money_of_end: true,
            ..wrong
        },
    ]
}

impl World {
    /// The last day of the log.
    pub fn end(&self) -> NaiveDate {
        let (year, month, day) = self.end;
        NaiveDate::from_ymd_opt(year, month, day).expect("a day")
    }
}

/// A log, and what came after it.
pub struct Simulated {
    /// Lines of customer, date and value, with a header.
    pub log: String,
    /// The lines of the six months after it, of the same customers.
    pub later: String,
    /// Orders (those of a day are one, as in the pipeline) and revenue of these months.
    pub truth: [f64; 2],
}

/// Simulates a log.
pub fn simulate(world: &World, customers: usize, seed: u64) -> Simulated {
    let mut rng = ChaCha8Rng::seed_from_u64(1_000 + seed);
    let end = world.end();
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
    let (mut log, mut later) = (String::from("customer,date,value\n"), String::new());
    let mut truth = [0.0; 2];
    for customer in 0..customers {
        let born: f64 = rng.random_range(0.0..f64::from(days));
        let scale = gamma(3.74, 15.44, &mut rng);
        let mut before = i32::MAX;
        for time in orders(world, born, &clock, &mut rng) {
            let back = days - 1 - time as i32;
            let price = gamma(6.25, scale, &mut rng) * yearly(world.prices, back);
            let text = if back < 0 { &mut later } else { &mut log };
            writeln!(text, "c{customer},{},{price:.2}", date(back)).expect("text");
            if back < 0 {
                truth[0] += f64::from(u8::from(back != before));
                let level = if world.money_of_end { yearly(world.prices, back) } else { 1.0 };
                truth[1] += price / level;
            }
            before = back;
        }
    }
    Simulated { log, later, truth }
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
        if world.echo > 0.0 && rng.random_bool(world.echo) {
            let soon = time + rng.random_range(1.0..7.0);
            if soon < last as f64 {
                times.push(soon);
            }
        }
        if leave > 0.0 && rng.random_bool(leave) {
            return times;
        }
    }
}

/// A draw with this shape and rate.
fn gamma(shape: f64, rate: f64, rng: &mut impl Rng) -> f64 {
    Gamma::new(shape, rate.recip()).expect("a gamma").sample(rng)
}
