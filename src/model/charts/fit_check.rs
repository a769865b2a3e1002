//! Fit check: customers in the file by frequency and by time since the last order, compared with
//! customers who are simulated from the fitted model with the same T. "Silence" is the time since
//! the last order.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::customers::History;
use crate::math::quantile::nearest_quantile;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::charts::histograms::{NEARLY_ALL, frequency_ends, frequency_position};
use crate::model::forecast::predict::Outlook;
use crate::model::purchase_model::PurchaseModel;
use crate::model::selection::probability::SelectionRule;
use crate::model::simulation::{SimulatedHistory, beta};
use crate::results::chart_data::{FitAgainstData, FitBin};

/// Number of customers to simulate.
const DRAWS: f64 = 200_000.0;
/// Fewer are simulated where all of them together would have more orders than this.
const ORDERS: f64 = 4e6;
const FEWEST_DRAWS: f64 = 20_000.0;
/// Parts of the draws, each with its own random stream, so that the draws are the same on any
/// number of cores.
const PARTS: u64 = 64;
const SEED: u64 = 1;
/// Widths of the bins of time since the last order in days, and the number of bins that is aimed
/// at.
const WIDTHS: [f64; 13] =
    [1.0, 2.0, 3.0, 7.0, 14.0, 21.0, 28.0, 30.0, 60.0, 90.0, 180.0, 270.0, 360.0];
const SILENCES: f64 = 16.0;
/// A whole number of days, converted to weeks and back, can fall short by this much.
const ROUNDING: f64 = 1e-6;
/// An outer bin with fewer expected customers, and none observed, is left off.
const NOBODY: f64 = 0.5;

/// Customers by frequency and time since the last order, observed and expected given the T of each;
/// under a selection, also given that they are in the file. Empty where P(selected) cannot be
/// computed.
///
/// # Formula
/// Σ P(bin, selected | T) / P(selected | T) over customers. The numerator is simulated, with draws
/// at each T in proportion to n(T)/√P(selected | T), which is close to the allocation of the
/// smallest variance (Neyman allocation).
pub fn fit_against_data(
    model: &PurchaseModel,
    selection: Option<SelectionRule>,
    outlook: &Outlook<'_>,
) -> FitAgainstData {
    let axes = Axes::of(selection, outlook);
    let draws = draws(model, outlook);
    let expected = Strata::of(model, selection, outlook)
        .filter(|strata| strata.total().is_normal())
        .map(|strata| strata.expected(model, selection, &axes, draws));
    let Some(expected) = expected else {
        return FitAgainstData { frequency: Vec::new(), silence_days: Vec::new(), draws: 0 };
    };
    let observed = axes.observed(outlook);
    let from: Vec<f64> = axes.frequency.iter().map(|x| *x as f64).collect();
    FitAgainstData {
        frequency: trimmed(bins(&from, &observed.frequency, &expected.frequency)),
        silence_days: bins(
            &axes.since_last_order,
            &observed.since_last_order,
            &expected.since_last_order,
        ),
        draws,
    }
}

/// How many customers to simulate: enough for smooth bins, but with a bounded number of orders.
fn draws(model: &PurchaseModel, outlook: &Outlook<'_>) -> u64 {
    let patterns = &outlook.customers.patterns;
    let [orders, time] = patterns.sum(|row| {
        let History { frequency, age, .. } = patterns.history(row);
        [row.count * frequency, row.count * age]
    });
    let mean = |sum: f64| sum / patterns.customers.max(1.0);
    // The larger of the data's and the model's orders: a model that fits badly may expect far more.
    let by_model = model.expected_orders(History::NEW, mean(time)).filter(|x| x.is_finite());
    let orders = mean(orders).max(by_model.unwrap_or(0.0));
    (ORDERS / (1.0 + orders)).clamp(FEWEST_DRAWS, DRAWS) as u64
}

/// Lower ends of the bins, ascending; the last bin is open.
struct Axes<'a> {
    frequency: Vec<u64>,
    /// In days.
    since_last_order: Vec<f64>,
    time: &'a OperationalTime,
}

/// Customers, or weights of draws, in each bin.
struct Counts {
    frequency: Vec<Sum>,
    since_last_order: Vec<Sum>,
}

/// Sum of weights, and of their squares: the variance of a sum of weights of draws.
#[derive(Clone, Copy, Default)]
struct Sum {
    weights: f64,
    squares: f64,
}

impl Sum {
    fn add(&mut self, weight: f64) {
        self.weights += weight;
        self.squares += weight * weight;
    }
}

impl<'a> Axes<'a> {
    fn of(selection: Option<SelectionRule>, outlook: &Outlook<'a>) -> Self {
        let (histories, time) = (outlook.histories, outlook.time);
        let window = selection.map(|s| s.window).filter(|window| window.is_finite());
        let window = window.map(|window| time.days_back(window));
        let times = || histories.times_since_last_order().map(|t| time.days_back(t)).collect();
        // Under a selection the window is the end of the axis: nobody in the file is beyond it.
        let since_last_order = match window {
            Some(days) => since_last_order_ends(days, 0),
            None => since_last_order_ends(nearest_quantile(times(), NEARLY_ALL), 1),
        };
        Self { frequency: frequency_ends(histories.frequency()), since_last_order, time }
    }

    fn nothing(&self) -> Counts {
        Counts {
            frequency: vec![Sum::default(); self.frequency.len()],
            since_last_order: vec![Sum::default(); self.since_last_order.len()],
        }
    }

    fn add(&self, counts: &mut Counts, history: History, weight: f64) {
        let History { frequency: x, recency: t_x, age } = history;
        let since_last_order = self.time.days_back(age - t_x) + ROUNDING;
        let bin = self
            .since_last_order
            .partition_point(|from| *from <= since_last_order)
            .saturating_sub(1);
        counts.since_last_order[bin].add(weight);
        counts.frequency[frequency_position(&self.frequency, x)].add(weight);
    }

    fn observed(&self, outlook: &Outlook<'_>) -> Counts {
        let patterns = &outlook.customers.patterns;
        let mut counts = self.nothing();
        for row in &patterns.rows {
            self.add(&mut counts, patterns.history(row), row.count);
        }
        counts
    }
}

/// Lower ends of bins of a round width up to `days`, and of `more` bins beyond.
fn since_last_order_ends(days: f64, more: usize) -> Vec<f64> {
    let longest = WIDTHS[WIDTHS.len() - 1];
    let narrow = WIDTHS.into_iter().find(|width| width * SILENCES >= days);
    let width = narrow.unwrap_or_else(|| (days / SILENCES / longest).ceil() * longest);
    let bins = ((days / width).round() as usize).max(1) + more;
    (0..bins).map(|k| k as f64 * width).collect()
}

/// The values of T at which customers are drawn.
struct Strata {
    /// Distinct values of T, ascending.
    ages: Vec<f64>,
    /// P(selected | T) of each.
    selected: Vec<f64>,
    /// Σ n/√P(selected) up to and including each.
    up_to: Vec<f64>,
}

impl Strata {
    fn of(
        model: &PurchaseModel,
        selection: Option<SelectionRule>,
        outlook: &Outlook<'_>,
    ) -> Option<Self> {
        let patterns = &outlook.customers.patterns;
        let mut of_age: Vec<(f64, f64)> =
            patterns.age.iter().copied().zip(patterns.customers_of_age()).collect();
        of_age.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ages: Vec<f64> = of_age.iter().map(|(age, _)| *age).collect();
        let selected = match selection {
            None => vec![1.0; ages.len()],
            Some(selection) => {
                let selected = model.selection_probability(&selection, patterns.oldest())?;
                selection.probabilities(&ages, selected.as_ref())
            }
        };
        let mut sum = 0.0;
        let up_to = of_age.iter().zip(&selected).map(|((_, customers), p)| {
            // Where the model rules out that a customer is in the file, none is expected.
            sum += if *p > 0.0 { customers / p.sqrt() } else { 0.0 };
            sum
        });
        Some(Self { up_to: up_to.collect(), ages, selected })
    }

    fn total(&self) -> f64 {
        self.up_to.last().copied().unwrap_or(0.0)
    }

    fn expected(
        &self,
        model: &PurchaseModel,
        selection: Option<SelectionRule>,
        axes: &Axes<'_>,
        draws: u64,
    ) -> Counts {
        // Systematic sampling: draws are equally spaced on the sum of n/√P(selected), so that every
        // T gets its share but for rounding, and only what happens at a T is random.
        let between = self.total() / draws as f64;
        let part = |part: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            rng.set_stream(part);
            let mut counts = axes.nothing();
            for draw in part * draws / PARTS..(part + 1) * draws / PARTS {
                let position = (draw as f64 + 0.5) * between;
                let stratum = self.up_to.partition_point(|sum| *sum < position);
                let (age, p) = (self.ages[stratum], self.selected[stratum]);
                // n(T)/P(selected | T) customers ever acquired, over the draws at T, which are
                // n(T)/√P(selected | T)/between: a draw that is selected weighs between/√P.
                if let Some(simulated) = drawn(model, selection, age, &mut rng) {
                    let history = simulated.at(age);
                    axes.add(&mut counts, history, between / p.sqrt());
                }
            }
            counts
        };
        // Added in the order of the parts: the same on any number of cores.
        let parts: Vec<Counts> = (0..PARTS).into_par_iter().map(part).collect();
        parts.into_iter().fold(axes.nothing(), Counts::plus)
    }
}

impl Counts {
    fn plus(mut self, other: Self) -> Self {
        let pairs = self.frequency.iter_mut().zip(other.frequency);
        let both = pairs.chain(self.since_last_order.iter_mut().zip(other.since_last_order));
        both.for_each(|(sum, more)| {
            sum.weights += more.weights;
            sum.squares += more.squares;
        });
        self
    }
}

/// Simulates a customer from the first order up to T = `age`.
///
/// Returns `None` when the customer would not be in the file.
fn drawn(
    model: &PurchaseModel,
    selection: Option<SelectionRule>,
    age: f64,
    rng: &mut ChaCha8Rng,
) -> Option<SimulatedHistory> {
    let Some(selection) = selection else {
        return Some(model.simulate(age, 0.0, rng, |_| ()));
    };
    let (simulated, both) = match selection.both_channels {
        None => (model.simulate(age, 0.0, rng, |_| ()), true),
        Some(mix) => {
            // The first order has a channel too, and counts besides the repeat orders.
            let share = beta(mix.first, mix.second, rng);
            let mut first = f64::from(u8::from(rng.random_bool(share)));
            let simulated = model.simulate(age, 0.0, rng, |rng| {
                first += f64::from(u8::from(rng.random_bool(share)));
            });
            (simulated, first > 0.0 && first < simulated.frequency + 1.0)
        }
    };
    let again = simulated.frequency > 0.0 || !selection.repeat_order;
    (both && again && age - simulated.recency <= selection.window).then_some(simulated)
}

fn bins(from: &[f64], observed: &[Sum], expected: &[Sum]) -> Vec<FitBin> {
    let one = |k: usize| FitBin {
        from: from[k],
        to: from.get(k + 1).copied(),
        observed: observed[k].weights as u64,
        expected: expected[k].weights,
        variance: expected[k].squares,
    };
    (0..from.len()).map(one).collect()
}

/// Leaves off outer bins without customers; the last remaining bin is open and takes over what was
/// expected beyond it.
fn trimmed(mut bins: Vec<FitBin>) -> Vec<FitBin> {
    let empty = |bin: &FitBin| bin.observed == 0 && bin.expected < NOBODY;
    while bins.len() > 1 && bins.last().is_some_and(empty) {
        let rest = bins.pop().map_or((0.0, 0.0), |bin| (bin.expected, bin.variance));
        if let Some(last) = bins.last_mut() {
            last.to = None;
            last.expected += rest.0;
            last.variance += rest.1;
        }
    }
    let first = bins.iter().position(|bin| !empty(bin)).unwrap_or(0);
    bins.split_off(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::nbd::Nbd;
    use crate::model::selection::channels::ChannelMix;
    use crate::model::simulation::tests::MODELS;
    use crate::model::testing::even;
    use crate::model::testing::orders_only;
    use crate::settings::TimeUnit;
    use crate::settings::{Forecast, LifetimeValue};

    /// Customers of each age in weeks; x goes to 30, so that all bins are there.
    const AGES: [(f64, usize); 3] = [(5.0, 400), (30.0, 900), (80.0, 700)];

    fn check(model: &PurchaseModel, selection: Option<SelectionRule>) -> FitAgainstData {
        let age: Vec<f64> = AGES.iter().flat_map(|(age, n)| vec![*age; *n]).collect();
        let n = age.len();
        let x: Vec<f64> = (0..n).map(|i| 1.0 + (i % 30) as f64).collect();
        let t_x = age.iter().map(|age| age - 2.0).collect();
        let histories = orders_only(x, t_x, age);
        let customers = CustomerPatterns::of(&histories);
        let outlook = Outlook {
            histories: &histories,
            observed: &histories,
            customers: &customers,
            time: even(TimeUnit::Week),
            unit: TimeUnit::Week,
            forecast: &Forecast::default(),
            lifetime: &LifetimeValue::default(),
        };
        fit_against_data(model, selection, &outlook)
    }

    /// Σ n(T)·p(T)
    fn over_ages(p: impl Fn(f64) -> f64) -> f64 {
        AGES.iter().map(|(age, n)| *n as f64 * p(*age)).sum()
    }

    /// Within five standard errors. The variance of the sum of weights of the draws in a bin is at
    /// most its expectation times the largest weight.
    #[track_caller]
    fn near(what: &str, found: f64, expected: f64, weight: f64) {
        let error = (expected * weight).sqrt();
        assert!((found - expected).abs() <= 5.0 * error, "{what}: {found} {expected} ±{error}");
    }

    #[test]
    fn frequencies_are_those_of_the_distribution() {
        for model in MODELS {
            let found = check(&model, None);
            let weight = over_ages(|_| 1.0) / found.draws as f64;
            assert_eq!(found.frequency.len(), 11);
            for bin in &found.frequency {
                let p = |age| {
                    let sum = |counts: std::ops::Range<u32>| -> f64 {
                        model.distribution(History::NEW, age, counts).iter().sum()
                    };
                    match bin.to {
                        Some(to) => sum(bin.from as u32..to as u32),
                        None => 1.0 - sum(0..bin.from as u32),
                    }
                };
                near(&format!("{model:?} x {}", bin.from), bin.expected, over_ages(p), weight);
            }
            assert_eq!(found.frequency[0].observed, 0);
            assert_eq!(found.frequency.iter().map(|bin| bin.observed).sum::<u64>(), 2000);
            let all: f64 = found.silence_days.iter().map(|bin| bin.expected).sum();
            assert!((all / 2000.0 - 1.0).abs() < 1e-9, "{all}");
        }
    }

    #[test]
    fn times_since_the_last_order_are_those_within_a_window() {
        for model in MODELS {
            let found = check(&model, None);
            let weight = over_ages(|_| 1.0) / found.draws as f64;
            let mut sum = 0.0;
            for bin in &found.silence_days {
                sum += bin.expected;
                let Some(to) = bin.to else { continue };
                let within = SelectionRule::to(to / 7.0);
                let selected = model.selection_probability(&within, 80.0).expect("computed");
                let p = |age| if age < within.window { 1.0 } else { selected.at(age)[0] };
                near(&format!("{model:?} to {to}"), sum, over_ages(p), weight);
            }
            assert_eq!(found.silence_days.iter().map(|bin| bin.observed).max(), Some(2000));
        }
    }

    /// Given that customers are in the file: P(selected by the shorter window) / P(selected).
    #[test]
    fn under_a_selection_times_are_those_of_selected_customers() {
        let mix = ChannelMix { first: 3.0, second: 2.0 };
        let plain = SelectionRule::to(26.0);
        let both = SelectionRule { both_channels: Some(mix), ..plain };
        for (model, selection) in
            MODELS.iter().map(|m| (m, plain)).chain(MODELS[..3].iter().map(|m| (m, both)))
        {
            let found = check(model, Some(selection));
            let selected = model.selection_probability(&selection, 80.0).expect("computed");
            let root = |age| selected.at(age)[0].sqrt();
            let least = AGES.iter().map(|(age, _)| root(*age)).fold(1.0, f64::min);
            let weight = over_ages(|age| 1.0 / root(age)) / found.draws as f64 / least;
            let mut sum = 0.0;
            for bin in &found.silence_days {
                sum += bin.expected;
                let window = bin.to.map_or(26.0, |to| to / 7.0);
                let within = model
                    .selection_probability(&SelectionRule { window, ..selection }, 80.0)
                    .expect("computed");
                let p = |age| within.at(age)[0] / selected.at(age)[0];
                near(&format!("{model:?} to {window}"), sum, over_ages(p), weight);
            }
            assert_eq!(found.frequency[0].from, 1.0);
            assert_eq!(
                found.silence_days.last().map(|bin| (bin.from, bin.to)),
                Some((168.0, None))
            );
        }
    }

    #[test]
    fn one_core_draws_what_many_draw() {
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        let selection = Some(SelectionRule::to(26.0));
        let many = check(&MODELS[1], selection);
        assert_eq!(alone.install(|| check(&MODELS[1], selection)), many);
    }

    #[test]
    fn fewer_are_drawn_of_those_who_order_often() {
        let often = PurchaseModel::Nbd(Nbd { r: 3.0, alpha: 0.2 });
        assert_eq!(check(&often, None).draws, 20_000);
    }

    #[test]
    fn bins_of_times_are_round() {
        // A year and a day: thirteen bins of four weeks, the last one to the window's end.
        assert_eq!(since_last_order_ends(367.0, 0).last(), Some(&336.0));
        assert_eq!(since_last_order_ends(0.0, 0), [0.0]);
        assert_eq!(since_last_order_ends(900.0, 1).last(), Some(&900.0));
        assert_eq!(since_last_order_ends(20_000.0, 0)[1], 1440.0);
    }
}
