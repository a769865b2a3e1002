//! How far the selection correction and the intervals can be trusted: populations with known
//! parameters, filtered like customer exports, fitted with and without the correction.
//! `scripts/study.sh` writes the output of this program into docs/selection-study.md;
//! `cargo bench --bench selection_study -- "something else"` makes only the tables whose titles have
//! these words.

mod worlds;

use std::fmt::Write;

use cltv::customers::{Groups, Histories, HistoryColumns};
use cltv::model::ChannelMix;
use cltv::model::OperationalTime;
use cltv::model::SelectionRule;
use cltv::model::SimulatedHistory;
use cltv::model::bg_nbd::BgNbd;
use cltv::model::total_intervals;
use cltv::model::{CustomerPatterns, FittedPurchases, PurchaseModel, fit_purchases, fit_spend};
use cltv::model::{Outlook, total_orders};
use cltv::settings::{Family, MonthLength, TimeUnit};
use cltv::settings::{Forecast, Horizon, LifetimeValue, Purchases, Spend, Uncertainty};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Gamma};
use rayon::prelude::*;

use crate::worlds::World;

const CUSTOMERS: usize = 20_000;
const SEEDS: u64 = 20;
/// With both channels, P(selected) is a double integral and a hundred times slower: fewer files.
const SEEDS_OF_BOTH: u64 = 10;
const WINDOWS_OF_BOTH: [f64; 1] = [26.0];
/// Files of the coverage table, in which nobody is filtered out.
const COVERAGE_SEEDS: u64 = 400;
/// Customers in each of them.
const COVERAGE_CUSTOMERS: usize = 3_000;
/// Customers were acquired evenly over four years.
const ACQUIRED_OVER: f64 = 208.0;
const COVERAGE: &str = "Coverage of 90 % intervals, nobody filtered out";
const HOLDOUT: f64 = 26.0;
const LEVEL: f64 = 0.9;
const DRAWS: u32 = 200;
const WINDOWS: [f64; 3] = [13.0, 26.0, 52.0];
const TRUTHS: [(&str, BgNbd); 4] = [
    ("as FLO", BgNbd { r: 0.6, alpha: 21.0, a: 4.9, b: 42.0 }),
    ("as CDNOW", BgNbd { r: 0.36, alpha: 6.4, a: 0.8, b: 3.9 }),
    ("much dropout", BgNbd { r: 1.0, alpha: 10.0, a: 1.0, b: 3.0 }),
    ("little dropout", BgNbd { r: 1.5, alpha: 30.0, a: 0.5, b: 9.0 }),
];

/// How the file was filtered, and what the fit knows about it.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    /// By the window, which the fit knows.
    Window,
    /// By the window, but the fit assumes one that is 10 % too long.
    TooLong,
    /// By the window and by orders in both channels; the fit knows the window only.
    BothChannels,
    /// The same, and the fit knows both.
    BothTold,
    /// By the window, which the fit knows; something else is wrong.
    Wrong(World),
}

impl Case {
    fn title(self) -> &'static str {
        match self {
            Self::Window => "Correct window",
            Self::TooLong => "Stated window 10 % too long",
            Self::BothChannels => "A second filter that the fit does not know about: both channels",
            Self::BothTold => "Both filters stated: both_channels = true",
            Self::Wrong(_) => "Correct window, but something else is wrong",
        }
    }
}

/// Populations and windows of the worlds in which something else is wrong.
const TRUTHS_OF_WRONG: usize = 2;
const WINDOWS_OF_WRONG: [f64; 2] = [26.0, 52.0];

/// The result for one simulated file.
struct Outcome {
    kept: f64,
    /// Forecast / actual of the holdout: plain, corrected.
    plain: f64,
    corrected: f64,
    /// Whether the plain fit says that nobody ever leaves.
    nobody_leaves: bool,
    /// ln(estimate / truth) for each parameter, and whether its interval contains the truth.
    errors: [f64; 4],
    covered: [bool; 4],
    /// Whether the interval of the total contains the actual orders; `None` without standard
    /// errors.
    total_covered: Option<bool>,
}

/// A customer in the file, and the orders in the holdout.
struct Customer {
    x: f64,
    t_x: f64,
    age: f64,
    online: f64,
    mean_value: f64,
    future: f64,
}

fn main() {
    let words = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |title: &str| words.as_ref().is_none_or(|words| title.contains(words.as_str()));
    let mut page = String::new();
    for case in [Case::Window, Case::TooLong, Case::BothChannels, Case::BothTold] {
        if wanted(case.title()) {
            heading(&mut page, case);
            table(&mut page, case);
        }
    }
    let [first, ..] = World::ALL.map(Case::Wrong);
    if wanted(first.title()) {
        heading(&mut page, first);
        World::ALL.iter().for_each(|world| table(&mut page, Case::Wrong(*world)));
    }
    if wanted(COVERAGE) {
        coverage(&mut page);
    }
    println!("{page}");
}

fn heading(page: &mut String, case: Case) {
    let head = "| population | window | kept | plain / actual | P(alive) = 1 | corrected / actual | \
                sd | bias r | α | a | b | covered r | α | a | b | total |";
    let rule = head.chars().filter(|c| *c == '|').map(|_| "|").collect::<Vec<_>>().join("---");
    writeln!(page, "\n## {}\n\n{head}\n{rule}", case.title()).expect("text");
}

fn table(page: &mut String, case: Case) {
    let (truths, windows, seeds) = match case {
        Case::BothTold => (&TRUTHS[..], &WINDOWS_OF_BOTH[..], SEEDS_OF_BOTH),
        Case::Wrong(_) => (&TRUTHS[..TRUTHS_OF_WRONG], &WINDOWS_OF_WRONG[..], SEEDS),
        _ => (&TRUTHS[..], &WINDOWS[..], SEEDS),
    };
    for (name, truth) in truths {
        let name = match case {
            Case::Wrong(world) => format!("{name}; {}", world.name()),
            _ => (*name).to_owned(),
        };
        for &window in windows {
            let outcomes: Vec<Outcome> = (0..seeds)
                .into_par_iter()
                .filter_map(|seed| outcome(*truth, window, seed, case))
                .collect();
            row(page, &name, window, &outcomes);
            let title = case.title();
            eprintln!("{title}: {name}, {window} weeks: {} of {seeds} fits", outcomes.len());
        }
    }
}

fn row(page: &mut String, name: &str, window: f64, outcomes: &[Outcome]) {
    let n = outcomes.len() as f64;
    let mean = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / n;
    let share = |of: &dyn Fn(&Outcome) -> bool| mean(&|o| f64::from(u8::from(of(o))));
    let corrected = mean(&|o| o.corrected);
    let spread = mean(&|o| (o.corrected - corrected).powi(2)).sqrt();
    let bias = |i: usize| format!("{:+.0} %", 100.0 * median(outcomes, i).exp_m1());
    let covered = |i: usize| format!("{:.0} %", 100.0 * share(&|o| o.covered[i]));
    let totals: Vec<bool> = outcomes.iter().filter_map(|o| o.total_covered).collect();
    let total = totals.iter().filter(|covered| **covered).count() as f64 / totals.len() as f64;
    writeln!(
        page,
        "| {name} | {window:.0} | {:.0} | {:.2} | {:.0} % | {corrected:.3} | {spread:.3} | {} | {} \
         | {} | {} | {} | {} | {} | {} | {:.0} % |",
        mean(&|o| o.kept),
        mean(&|o| o.plain),
        100.0 * share(&|o| o.nobody_leaves),
        bias(0),
        bias(1),
        bias(2),
        bias(3),
        covered(0),
        covered(1),
        covered(2),
        covered(3),
        100.0 * total,
    )
    .expect("text");
}

/// The median of a parameter's error. A mean would be infinite as soon as dropout runs to the
/// homogeneous limit in one file of twenty.
fn median(outcomes: &[Outcome], i: usize) -> f64 {
    let mut errors: Vec<f64> = outcomes.iter().map(|o| o.errors[i]).collect();
    errors.sort_by(f64::total_cmp);
    errors[errors.len() / 2]
}

/// A simulated file as the models need it.
struct File {
    histories: Histories,
    customers: CustomerPatterns,
    actual: f64,
}

impl File {
    fn of(kept: &[Customer]) -> Option<Self> {
        let column = |of: &dyn Fn(&Customer) -> f64| kept.iter().map(of).collect::<Vec<f64>>();
        let histories = Histories::new(HistoryColumns {
            frequency: column(&|c| c.x),
            recency: column(&|c| c.t_x),
            age: column(&|c| c.age),
            monetary_value: column(&|c| c.mean_value),
            spend_count: column(&|c| c.x + 1.0),
        });
        let histories = histories.and_then(|h| h.with_first_channel(column(&|c| c.online))).ok()?;
        let actual = kept.iter().map(|c| c.future).sum();
        Some(Self { customers: CustomerPatterns::of(&histories), histories, actual })
    }

    fn outlook<'a>(&'a self, forecast: &'a Forecast, lifetime: &'a LifetimeValue) -> Outlook<'a> {
        static WEEKS: OperationalTime = OperationalTime::even(7.0, 0);
        Outlook {
            histories: &self.histories,
            observed: &self.histories,
            customers: &self.customers,
            time: &WEEKS,
            unit: TimeUnit::Week,
            forecast,
            lifetime,
        }
    }
}

fn holdout() -> Forecast {
    Forecast {
        horizons: vec![Horizon { months: 6 }],
        weeks_per_month: MonthLength::Weeks(HOLDOUT / 6.0),
    }
}

fn outcome(truth: BgNbd, window: f64, seed: u64, case: Case) -> Option<Outcome> {
    let both = matches!(case, Case::BothChannels | Case::BothTold);
    let model = PurchaseModel::BgNbd(truth);
    let file = File::of(&match case {
        Case::Wrong(world) => simulate(
            |age, rng, at_order| world.simulate(truth, age, rng, at_order),
            CUSTOMERS,
            Some(window),
            seed,
            both,
        ),
        _ => simulate(
            |age, rng, at_order| model.simulate(age, HOLDOUT, rng, at_order),
            CUSTOMERS,
            Some(window),
            seed,
            both,
        ),
    })?;
    let told = if case == Case::TooLong { 1.1 * window } else { window };
    let both_channels = match (case, file.histories.first_channel()) {
        (Case::BothTold, Some(first)) => {
            Some(ChannelMix::fit(first, file.histories.spend_count()).ok()?)
        }
        _ => None,
    };
    let selection = SelectionRule { both_channels, ..SelectionRule::to(told) };
    let settings = Purchases { model: Family::BgNbd.into(), ..Purchases::default() };
    let fit = fit_purchases(&file.customers.patterns, &settings, Some(selection))
        .inspect_err(|error| eprintln!("seed {seed}: {error}"))
        .ok()?;
    let (forecast, lifetime) = (holdout(), LifetimeValue::default());
    let outlook = file.outlook(&forecast, &lifetime);
    let ratio = |model: &PurchaseModel| total_orders(model, &outlook)[0].1 / file.actual;
    let ignored = fit.selection.as_ref()?.ignored;
    let (errors, covered) = parameters(&fit, &model);
    Some(Outcome {
        kept: file.histories.len() as f64,
        plain: ratio(&ignored),
        corrected: ratio(&fit.model),
        nobody_leaves: matches!(ignored, PurchaseModel::Nbd(_)),
        errors,
        covered,
        total_covered: total_covered(&fit, &outlook, file.actual, seed),
    })
}

/// Whether each parameter's interval contains the truth, and that of the total the actual orders.
type Coverage = ([bool; 4], bool);

/// How often 90 % intervals contain the truth where nobody is filtered out.
fn coverage(page: &mut String) {
    let head = "| model | customers | files | first | second | third | fourth | total, 26 weeks |";
    let rule = head.chars().filter(|c| *c == '|').map(|_| "|").collect::<Vec<_>>().join("---");
    writeln!(page, "\n## {COVERAGE}\n\n{head}\n{rule}").expect("text");
    for (family, truth) in [
        (Family::BgNbd, [0.6, 6.0, 0.8, 2.5]),
        (Family::MbgNbd, [0.6, 6.0, 0.8, 1.6]),
        (Family::ParetoNbd, [0.6, 10.0, 0.7, 12.0]),
    ] {
        let truth = family.model(&truth);
        let all: Vec<Coverage> = (0..COVERAGE_SEEDS)
            .into_par_iter()
            .filter_map(|seed| covered_once(&truth, seed))
            .collect();
        let share = |of: &dyn Fn(&Coverage) -> bool| {
            let inside = all.iter().filter(|file| of(file)).count();
            format!("{:.1} %", 100.0 * inside as f64 / all.len() as f64)
        };
        let each: Vec<String> = (0..4).map(|i| share(&|file| file.0[i])).collect();
        writeln!(
            page,
            "| {} | {COVERAGE_CUSTOMERS} | {} | {} | {} |",
            family.title(),
            all.len(),
            each.join(" | "),
            share(&|file| file.1)
        )
        .expect("text");
    }
}

fn covered_once(truth: &PurchaseModel, seed: u64) -> Option<Coverage> {
    // Other seeds, so that these files are independent of those of the other tables.
    let file = File::of(&simulate(
        |age, rng, at_order| truth.simulate(age, HOLDOUT, rng, at_order),
        COVERAGE_CUSTOMERS,
        None,
        1_000_000 + seed,
        false,
    ))?;
    let settings = Purchases { model: truth.family().into(), ..Purchases::default() };
    let fit = fit_purchases(&file.customers.patterns, &settings, None)
        .inspect_err(|error| eprintln!("seed {seed}: {error}"))
        .ok()?;
    let (forecast, lifetime) = (holdout(), LifetimeValue::default());
    let outlook = file.outlook(&forecast, &lifetime);
    let (_, covered) = parameters(&fit, truth);
    Some((covered, total_covered(&fit, &outlook, file.actual, seed)?))
}

fn parameters(fit: &FittedPurchases, truth: &PurchaseModel) -> ([f64; 4], [bool; 4]) {
    const HALF_WIDTH: f64 = 1.644_854;
    let truth = truth.parameters();
    let error = |i: usize| (fit.parameters[i].value / truth[i]).ln();
    let covered = |i: usize| {
        let parameter = &fit.parameters[i];
        let relative = parameter.standard_error.map(|e| e / parameter.value);
        relative.is_some_and(|relative| error(i).abs() <= HALF_WIDTH * relative)
    };
    (std::array::from_fn(error), std::array::from_fn(covered))
}

fn total_covered(
    fit: &FittedPurchases,
    outlook: &Outlook<'_>,
    actual: f64,
    seed: u64,
) -> Option<bool> {
    let settings = Uncertainty { level: LEVEL, draws: DRAWS, seed, ..Uncertainty::default() };
    let spend = fit_spend(outlook.histories, &Spend::default()).ok()?;
    let intervals =
        total_intervals(&settings, fit, Some(&spend), outlook, &Groups::everybody()).ok()?;
    let (_, interval) = intervals.company.orders[0];
    Some(interval.low <= actual && actual <= interval.high)
}

/// Counts the channel of a repeat order.
type AtOrder<'a> = &'a mut dyn FnMut(&mut ChaCha8Rng);

/// The customers in a file: all of them, or those within a window and, with `both_channels`, with
/// orders in both channels. `orders` simulates a customer of a given T.
fn simulate(
    orders: impl Fn(f64, &mut ChaCha8Rng, AtOrder<'_>) -> SimulatedHistory,
    customers: usize,
    window: Option<f64>,
    seed: u64,
    both_channels: bool,
) -> Vec<Customer> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let online_share = Beta::new(3.0, 2.0).expect("positive");
    let scale = Gamma::new(9.0, 1.0 / 310.0).expect("positive");
    let mut kept = Vec::new();
    for _ in 0..customers {
        let age = rng.random_range(0.0..ACQUIRED_OVER);
        let online_share = online_share.sample(&mut rng);
        let mut online = u32::from(rng.random_bool(online_share));
        let seen = orders(age, &mut rng, &mut |rng| {
            online += u32::from(rng.random_bool(online_share));
        });
        let SimulatedHistory { frequency: x, recency: t_x, later: future } = seen;
        let values = Gamma::new(4.0 * (x + 1.0), 1.0 / scale.sample(&mut rng)).expect("positive");
        let mean_value = values.sample(&mut rng) / (x + 1.0);
        let both = online > 0 && f64::from(online) < x + 1.0;
        let inside = window.is_none_or(|window| x > 0.0 && age - t_x <= window);
        if inside && (both || !both_channels) {
            let online = f64::from(online);
            kept.push(Customer { x, t_x, age, online, mean_value, future });
        }
    }
    kept
}
