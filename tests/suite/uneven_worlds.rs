//! The simulated worlds have the seasons, trends, events, gaps and prices that their flags ask for.
//! Expected counts are those of a Poisson process: customers who never leave, acquired evenly, with
//! rates that hardly differ.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use cltv::model::bg_nbd::BgNbd;
use cltv::model::gamma_gamma::GammaGamma;
use cltv::simulate::world::{Event, Season, World};
use cltv::simulate::{Population, Process, SimulatedCustomer};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::simulated;
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

/// The repeat orders on the days that `counts` chooses are as many as `factor`, of each day, gives
/// with the customers who are there: within four standard errors of a Poisson count and 0.5 %.
#[track_caller]
fn has_level(
    customers: &[SimulatedCustomer],
    counts: impl Fn(NaiveDate) -> bool,
    factor: impl Fn(NaiveDate) -> f64,
) {
    let orders = customers.iter().flat_map(|customer| &customer.orders[1..]);
    let orders = orders.filter(|order| counts(order.day(end()))).count() as f64;
    let mut expected = 0.0;
    for back in 1..=DAYS {
        let day = end() - Days::new(back.into());
        if counts(day) {
            let acquired =
                customers.iter().filter(|c| c.orders[0].days_before_end >= f64::from(back));
            expected += acquired.count() as f64 * factor(day) * RATE / 7.0;
        }
    }
    assert!(expected > 2_000.0, "{expected} orders are too few to tell");
    close("orders", orders, expected, 0.005 + 4.0 / expected.sqrt());
}

/// Factors over their mean over a year: (304.25 + 30·3 + 31·1.5)/365.25. A sine of 0.5 with its peak
/// in the middle of November.
#[test]
fn monthly_counts_follow_the_season() {
    let mut factors = [1.0; 12];
    (factors[10], factors[11]) = (3.0, 1.5);
    let mean = (304.25 + 30.0 * 3.0 + 31.0 * 1.5) / 365.25;
    let found = customers(World { season: Season::Months(factors), ..World::default() });
    for (month, factor) in (1..=12).zip(factors) {
        has_level(&found, |day| day.month() == month, |_| factor / mean);
    }
    let sine = Season::Sine { amplitude: 0.5, peak: 11 };
    let found = customers(World { season: sine, ..World::default() });
    let wave = |date: NaiveDate| {
        let since = (date - day("2020-11-16")).num_days() as f64 + 0.5;
        1.0 + 0.5 * (std::f64::consts::TAU * since / 365.25).cos()
    };
    for month in 1..=12 {
        has_level(&found, |day| day.month() == month, wave);
    }
}

/// 1.25^(years before the end, below 0), and the factors of events on their days.
#[test]
fn yearly_counts_follow_the_trend_and_events_their_factor() {
    for trend in [1.25f64, 0.75] {
        let found = customers(World { trend, ..World::default() });
        let level = |date: NaiveDate| trend.powf((date - end()).num_days() as f64 / 365.25);
        for year in 2020..=2023 {
            has_level(&found, |day| day.year() == year, level);
        }
    }
    let event = |from, to, factor| Event { from: day(from), to: day(to), factor };
    let lockdown = event("2022-03-15", "2022-06-01", 0.6);
    let sale = event("2023-05-01", "2023-05-31", 1.8);
    let found = customers(World { events: vec![lockdown, sale], ..World::default() });
    for Event { from, to, factor } in [lockdown, sale] {
        has_level(&found, |day| (from..=to).contains(&day), |_| factor);
    }
    for year in [2020, 2021] {
        has_level(&found, |day| day.year() == year, |_| 1.0);
    }
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

/// Orders by month, the share of gaps below two weeks, and the mean ln(value), of a log of customer,
/// day before the end, and value, sorted by customer and day.
fn summary(orders: &[(usize, i64, f64)]) -> (Vec<f64>, f64, f64) {
    let mut months = vec![0.0; 36];
    for (_, back, _) in orders {
        let date = end() - Days::new(back.unsigned_abs());
        let month = 12 * (date.year() - 2021) + date.month0() as i32;
        // Both begin on the last day of 2020.
        months[month.max(0) as usize] += 1.0;
    }
    let pairs = orders.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let gaps: Vec<i64> = pairs.map(|pair| pair[0].1 - pair[1].1).collect();
    let short = gaps.iter().filter(|gap| **gap < 14).count() as f64 / gaps.len() as f64;
    let value = orders.iter().map(|order| order.2.ln()).sum::<f64>() / orders.len() as f64;
    (months, short, value)
}

/// The simulator of the study is another program for the same worlds. November and December at 2.5,
/// their season's mean 1.2505 in α; orders −15 % and prices +40 % a year, Erlang-3.
#[test]
fn two_simulators_agree() {
    const CUSTOMERS: u32 = 20_000;
    let mut factors = [1.0; 12];
    (factors[10], factors[11]) = (2.5, 2.5);
    let mean = (304.25 + 61.0 * 2.5) / 365.25;
    let population = Population {
        purchases: BgNbd { r: 0.6, alpha: 8.0 / mean, a: 0.8, b: 3.0 },
        spend: GammaGamma { p: 6.25, q: 3.74, v: 15.44 },
        customers: CUSTOMERS,
        acquired_over: 1_095,
        end: end(),
        online_share: (3.0, 2.0),
        seed: 5,
        world: World {
            season: Season::Months(factors),
            trend: 0.85,
            stages: 3,
            inflation: 1.4,
            ..World::default()
        },
    };
    let process = Process::new(&population).expect("a possible world");
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut orders = Vec::new();
    for customer in 0..CUSTOMERS as usize {
        for order in process.customer(&mut rng).orders {
            orders.push((customer, order.days_before_end.ceil() as i64, order.value));
        }
    }
    let pace = |date: NaiveDate, back: i32| {
        let season = if date.month() >= 11 { 2.5 } else { 1.0 };
        season * 0.85f64.powf(-f64::from(back) / 365.25)
    };
    let world = simulated::World { pace, stages: 3, prices: 1.4, ..simulated::RIGHT };
    let log = simulated::simulate(&world, CUSTOMERS as usize, 5).log;
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let back = (end() - day(fields[1])).num_days();
        (fields[0][1..].parse().expect("a number"), back, fields[2].parse().expect("a value"))
    };
    let others: Vec<(usize, i64, f64)> = log.lines().skip(1).map(line).collect();
    let (own, other) = (summary(&orders), summary(&others));
    // Customers' numbers of orders have a standard deviation of about 1.5 times their mean, so a
    // total has an error of 1.1 %, a difference of two 1.5 %.
    close("orders", orders.len() as f64, others.len() as f64, 0.06);
    for (month, (a, b)) in own.0.iter().zip(&other.0).enumerate() {
        let poisson = (1.0 / a + 1.0 / b).sqrt();
        close(&format!("month {month}"), *a, *b, 0.06 + 4.0 * poisson);
    }
    close("short gaps", own.1, other.1, 0.04);
    // Values of a customer share a scale, whose logarithm has a standard deviation of 0.6.
    assert!((own.2 - other.2).abs() < 0.04, "{} {}", own.2, other.2);
}

/// Lines of the version before there were such flags.
#[test]
fn without_the_flags_a_seed_gives_what_it_always_gave() {
    let made = cltv(
        "simulate transactions --customers 400 --seed 1 --end 2011-12-09 --acquired-over 730"
            .split(' '),
    );
    let text = String::from_utf8(made.stdout).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2_459);
    assert_eq!(
        lines[1],
        "489434,85123A,WHITE HANGING HEART T-LIGHT HOLDER,4,2009-12-09 08:00:00,9.34,12391.0,United Kingdom"
    );
    assert_eq!(
        lines[1_199],
        "489922,20725,LUNCH BAG RED RETROSPOT,3,2011-02-22 14:50:00,6.69,12538.0,United Kingdom"
    );
    assert_eq!(
        lines[2_458],
        "490430,22197,POPCORN HOLDER,3,2011-12-08 10:10:00,93.12,12705.0,United Kingdom"
    );
}

#[test]
fn a_world_that_cannot_be_is_refused_in_one_line() {
    for (flag, text, part) in [
        ("--season", "sine:1.5@11", "sine:1.5@11: the amplitude"),
        ("--season", "sine:0.5@13", "from 1 to 12"),
        ("--season", "11=0", "above 0"),
        ("--season", "missing.csv", "missing.csv: the file of factors cannot be read"),
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
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part) && said.lines().count() == 1, "{flag} {text}: {said}");
        assert!(output.stdout.is_empty());
    }
}

/// A log of the flags' world up to half a year before its end, run as a user runs it: run.json, and
/// the days and values of the orders that the customers known there placed in the 182 days after.
fn forecast_of(flags: &[&str], set: &[&str]) -> (serde_json::Value, Vec<(NaiveDate, f64)>) {
    let place = folder();
    let log = place.path().join("log.csv");
    let path = log.display().to_string();
    let all = "simulate transactions --customers 6000 --seed 3 --acquired-over 1279 \
               --end 2024-07-01 --r 0.6 --alpha 8 --a 0.8 --b 3 --cancelled 0 --without-id 0 --out";
    let made = cltv(all.split_whitespace().chain([path.as_str()]).chain(flags.iter().copied()));
    assert!(made.status.success(), "{}", stderr(&made));
    let mut more = vec!["--set", "transactions.observation_end=\"2023-12-31\""];
    more.extend(["--set", "uncertainty.draws=100"]);
    set.iter().for_each(|key| more.extend(["--set", key]));
    let out = place.path().join("out");
    run_ok("pipelines/transactions.toml", &log, &out, &more);
    (json(&out.join("run.json")), orders_after(&log, end(), 182))
}

/// Days and values of the orders (one a day) within `days` after the day `cut`, of customers who had
/// ordered by then.
fn orders_after(log: &std::path::Path, cut: NaiveDate, days: i64) -> Vec<(NaiveDate, f64)> {
    let lines = csv(log);
    let dates: Vec<NaiveDate> =
        texts(&lines, "InvoiceDate").iter().map(|time| day(&time[..10])).collect();
    let [ids, prices, quantities] =
        ["Customer ID", "Price", "Quantity"].map(|column| numbers(&lines, column));
    let known = ids.iter().zip(&dates).filter(|(_, date)| **date <= cut);
    let known: BTreeSet<u64> = known.map(|(id, _)| *id as u64).collect();
    let mut orders = BTreeMap::<(u64, NaiveDate), f64>::new();
    for (i, date) in dates.iter().enumerate() {
        let id = ids[i] as u64;
        if known.contains(&id) && (1..=days).contains(&(*date - cut).num_days()) {
            *orders.entry((id, *date)).or_default() += prices[i] * quantities[i];
        }
    }
    orders.into_iter().map(|((_, date), value)| (date, value)).collect()
}

/// Total of the next six months, by its name in run.json.
fn half_year(run: &serde_json::Value, name: &str) -> f64 {
    let rows = run["forecast"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["span"] == "horizon" && row["number"] == 6);
    number(row.expect("six months"), &format!("/{name}"))
}

/// November and December at 2.5, over their mean of 1.2505 over a year; +25 % a year.
#[test]
fn a_season_and_a_trend_are_found_in_a_log_of_their_flags() {
    let (run, came) = forecast_of(&["--season", "11=2.5,12=2.5", "--trend", "1.25"], &[]);
    let mean = (304.25 + 61.0 * 2.5) / 365.25;
    for month in 0..12 {
        let truth = if month >= 10 { 2.5 } else { 1.0 } / mean;
        let found = number(&run, &format!("/calendar/season/months/{month}"));
        let error = number(&run, &format!("/calendar/season/standard_errors/{month}"));
        assert!((found - truth).abs() < 4.0 * error, "month {month}: {found} ± {error}, {truth}");
        close(&format!("month {month}"), found, truth, 0.2);
    }
    let yearly = number(&run, "/calendar/trend/yearly");
    let error = number(&run, "/calendar/trend/standard_error");
    assert!((yearly - 1.25).abs() < 4.0 * error && error < 0.1, "{yearly} ± {error}");
    close("orders of six months", half_year(&run, "orders"), came.len() as f64, 0.1);
}

/// +40 % a year: the estimate is within four of its standard errors; the forecast is right in the
/// money of the observation end, and, told that prices go on, in the money of its own days.
#[test]
fn prices_are_found_in_a_log_of_their_flag() {
    let inflation = ["--inflation", "1.4"];
    let (run, came) = forecast_of(&inflation, &[]);
    let yearly = number(&run, "/spend/price_level/estimate/yearly");
    let error = number(&run, "/spend/price_level/estimate/standard_error");
    assert!((yearly / 1.4).ln().abs() < 4.0 * error && error < 0.02, "{yearly} ± {error}");
    close("level", number(&run, "/spend/price_level/level/yearly"), yearly, 1e-12);
    let level = |date: NaiveDate| 1.4f64.powf((date - end()).num_days() as f64 / 365.25);
    let of_end: f64 = came.iter().map(|(date, value)| value / level(*date)).sum();
    close("revenue, money of the end", half_year(&run, "revenue"), of_end, 0.08);
    let (run, came) = forecast_of(&inflation, &["spend.future_prices=\"continue\""]);
    let paid: f64 = came.iter().map(|(_, value)| value).sum();
    close("revenue as paid", half_year(&run, "revenue"), paid, 0.08);
}

/// Three stages of three times the rate: the stages of BG/CNBD-3 have a third of α.
#[test]
fn regular_buyers_are_found_in_a_log_of_their_flag() {
    let (run, came) = forecast_of(&["--erlang", "3"], &[]);
    assert_eq!(run["purchases"]["predicts_with"], "bg_cnbd_3");
    for (name, truth) in [("r", 0.6), ("alpha", 8.0 / 3.0), ("a", 0.8), ("b", 3.0)] {
        let found = number(&run, &format!("/purchases/parameters/{name}"));
        let error = number(&run, &format!("/purchases/standard_errors/{name}"));
        // Days are whole: α, of 2.7 weeks, is off by up to half a day.
        let rounding = if name == "alpha" { 0.5 / 7.0 } else { 0.0 };
        assert!((found - truth).abs() < 4.0 * error + rounding, "{name}: {found} ± {error}");
    }
    close("orders of six months", half_year(&run, "orders"), came.len() as f64, 0.06);
}
