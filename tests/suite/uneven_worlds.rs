//! The simulated worlds have the seasons, trends, events, gaps and prices that their flags ask for.
//! Expected counts are those of a Poisson process: customers who never leave, acquired evenly, with
//! rates that hardly differ.

use chrono::{Datelike, NaiveDate};
use cltv::model::bg_nbd::BgNbd;
use cltv::model::gamma_gamma::GammaGamma;
use cltv::simulate::world::{Event, Season, World};
use cltv::simulate::{Population, Process, SimulatedCustomer};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::support::*;

const CUSTOMERS: u32 = 4_000;
const DAYS: u32 = 1_460;
/// Orders of a customer in a week.
const RATE: f64 = 0.5;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn end() -> NaiveDate {
    day("2023-12-31")
}

/// Customers of a world who never leave; their rates vary by 1 %.
fn customers(world: World) -> Vec<SimulatedCustomer> {
    let population = Population {
        purchases: BgNbd { r: 10_000.0, alpha: 10_000.0 / RATE, a: 1e-6, b: 1e6 },
        spend: GammaGamma { p: 6.25, q: 3.74, v: 15.44 },
        customers: CUSTOMERS,
        acquired_over: DAYS,
        end: end(),
        online_share: (3.0, 2.0),
        seed: 11,
        world,
    };
    let process = Process::new(&population).expect("a possible world");
    let mut rng = ChaCha8Rng::seed_from_u64(population.seed);
    (0..CUSTOMERS).map(|_| process.customer(&mut rng)).collect()
}

/// Repeat orders on the days of which `counts` is true, over those of a world without anything
/// uneven, and their number.
fn level(customers: &[SimulatedCustomer], counts: impl Fn(NaiveDate) -> bool) -> (f64, f64) {
    let orders = customers.iter().flat_map(|customer| &customer.orders[1..]);
    let orders = orders.filter(|order| counts(order.day(end()))).count() as f64;
    // Of the customers, back/DAYS are acquired within the last `back` days.
    let exposed = |back: u32| f64::from(CUSTOMERS) * (1.0 - f64::from(back) / f64::from(DAYS));
    let days = (1..=DAYS).filter(|back| counts(end() - chrono::Days::new((*back).into())));
    (orders / (days.map(exposed).sum::<f64>() * RATE / 7.0), orders)
}

/// The level of these days is `expected`, within four standard errors of a Poisson count and 1 %.
#[track_caller]
fn has_level(customers: &[SimulatedCustomer], expected: f64, counts: impl Fn(NaiveDate) -> bool) {
    let (level, orders) = level(customers, counts);
    assert!(orders > 2_000.0, "{orders} orders are too few to tell");
    close("level", level, expected, 0.01 + 4.0 / orders.sqrt());
}

/// Factors over their mean over a year: (304.25 + 30·3 + 31·1.5)/365.25.
#[test]
fn monthly_counts_follow_the_season() {
    let mut factors = [1.0; 12];
    (factors[10], factors[11]) = (3.0, 1.5);
    let mean = (304.25 + 30.0 * 3.0 + 31.0 * 1.5) / 365.25;
    let found = customers(World { season: Season::Months(factors), ..World::default() });
    for (month, factor) in (1..=12).zip(factors) {
        has_level(&found, factor / mean, |day| day.month() == month);
    }
    // The sine's mean over November is 1 + 0.5·sin(x)/x with x = π·30/365.25, half of its length.
    let half = std::f64::consts::PI * 30.0 / 365.25;
    let swing = 0.5 * half.sin() / half;
    let found =
        customers(World { season: Season::Sine { amplitude: 0.5, peak: 11 }, ..World::default() });
    has_level(&found, 1.0 + swing, |day| day.month() == 11);
    has_level(&found, 1.0 - swing, |day| {
        (day >= NaiveDate::from_ymd_opt(day.year(), 5, 2).expect("a day"))
            && (day <= NaiveDate::from_ymd_opt(day.year(), 5, 31).expect("a day"))
    });
    has_level(&found, 1.0, |day| day.year() >= 2020);
}

/// The mean over a year of 1.25^t, with 1 at the end of 2023: 0.2/ln 1.25, and 1.25 times less for
/// each year before. A year's later days have more customers, which is 1 % in 2022.
#[test]
fn yearly_counts_follow_the_trend_and_events_their_factor() {
    let worlds = [(1.25, 2023, 0.2 / 1.25f64.ln()), (0.75, 2023, (1.0 / 3.0) / -(0.75f64.ln()))];
    for (trend, year, expected) in worlds {
        let found = customers(World { trend, ..World::default() });
        has_level(&found, expected, |day| day.year() == year);
        let before = level(&found, |day| day.year() == year - 1).0;
        close("a year's factor", level(&found, |day| day.year() == year).0 / before, trend, 0.03);
    }
    let event = |from, to, factor| Event { from: day(from), to: day(to), factor };
    let lockdown = event("2022-03-15", "2022-06-01", 0.6);
    let sale = event("2023-05-01", "2023-05-31", 1.8);
    let found = customers(World { events: vec![lockdown, sale], ..World::default() });
    for Event { from, to, factor } in [lockdown, sale] {
        has_level(&found, factor, |day| (from..=to).contains(&day));
    }
    has_level(&found, 1.0, |day| day.year() == 2021);
}

/// Erlang-K gaps have the mean 1/λ and the variance 1/(K·λ²). Gaps that begin in the first half of
/// the log and are short of the other half are all seen.
#[test]
fn regular_gaps_have_the_same_mean_and_a_smaller_variance() {
    for stages in [1, 2, 4] {
        let found = customers(World { stages, ..World::default() });
        let mut gaps = Vec::new();
        for customer in &found {
            let times: Vec<f64> =
                customer.orders.iter().map(|o| -o.days_before_end / 7.0).collect();
            let seen = times.windows(2).filter(|pair| pair[0] < -f64::from(DAYS) / 14.0);
            gaps.extend(seen.map(|pair| pair[1] - pair[0]));
        }
        let n = gaps.len() as f64;
        assert!(n > 50_000.0, "{n}");
        let mean = gaps.iter().sum::<f64>() / n;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n;
        close("mean", mean, 1.0 / RATE, 0.02);
        close("variance", variance, 1.0 / (f64::from(stages) * RATE * RATE), 0.04);
    }
}

/// The mean ln(value) rises by ln 1.4 a year, and is that of a world without inflation at the end.
#[test]
fn prices_rise_by_their_yearly_factor() {
    let mean_at = |world: World, years: std::ops::Range<f64>| {
        let customers = customers(world);
        let orders = customers.iter().flat_map(|customer| &customer.orders);
        let chosen = orders.filter(|order| years.contains(&(order.days_before_end / 365.25)));
        let logs: Vec<f64> = chosen.map(|order| order.value.ln()).collect();
        logs.iter().sum::<f64>() / logs.len() as f64
    };
    let inflated = || World { inflation: 1.4, ..World::default() };
    for years in [0.0..0.1, 1.0..1.1, 2.0..2.1] {
        let change = mean_at(inflated(), years.clone()) - mean_at(World::default(), years.clone());
        let middle = (years.start + years.end) / 2.0;
        // Rounding to cents, and the mean of a tenth of a year, move it by less than 0.002.
        assert!((change + 1.4f64.ln() * middle).abs() < 0.004, "{years:?}: {change}");
    }
}

/// data/README.md has the command.
#[test]
fn without_the_flags_the_sample_is_as_it_was() {
    let made = cltv(
        "simulate transactions --customers 400 --seed 1 --end 2011-12-09 --acquired-over 730"
            .split(' '),
    );
    let sample = std::fs::read(project("data/orders_sample.csv")).expect("the sample");
    assert!(made.stdout == sample, "{}", stderr(&made));
}

#[test]
fn a_world_that_cannot_be_is_refused_in_one_line() {
    for (flag, text, part) in [
        ("--season", "sine:1.5@11", "sine:1.5@11: the amplitude"),
        ("--season", "sine:0.5@13", "from 1 to 12"),
        ("--season", "11=0", "above 0"),
        ("--season", "missing.csv", "missing.csv: cannot read the season"),
        ("--trend", "0", "--trend 0: write a yearly factor"),
        ("--trend", "0.1", "lower --acquired-over"),
        ("--events", "2020-06-01..2020-03-15=0.6", "the first day must not be after"),
        ("--events", "2020-03-15..2020-06-01=-1", "above 0"),
        ("--erlang", "0", "--erlang 0: write a whole number"),
        ("--inflation", "NaN", "--inflation NaN"),
    ] {
        let flags = ["simulate", "transactions", "--customers", "5", flag, text];
        let output = cltv(flags);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(if text == "missing.csv" { 3 } else { 2 }), "{said}");
        assert!(said.contains(part) && said.lines().count() == 1, "{flag} {text}: {said}");
        assert!(output.stdout.is_empty());
    }
}
