//! Worlds in which something else is wrong too, beside the filter: no model of the program has
//! seasons, trends, cohorts that differ or regular gaps.

use std::f64::consts::TAU;

use cltv::model::SimulatedHistory;
use cltv::model::bg_nbd::BgNbd;
use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution, Exp1, Gamma};

use crate::{ACQUIRED_OVER, HOLDOUT};

/// A year in weeks.
const YEAR: f64 = 365.25 / 7.0;
/// Orders at the peak of a season are 1.6 times the average, in its trough 0.4 times.
const SEASON: f64 = 0.6;
/// All orders fall by a quarter each year.
const FALL: f64 = 0.75;
/// Customers who were acquired a year later order a fifth less often.
const WORSE: f64 = 0.8;

/// What is wrong.
#[derive(Clone, Copy, PartialEq)]
pub enum World {
    /// A yearly season; the file ends at its peak.
    Peak,
    /// The same; the file ends in its trough.
    Trough,
    /// All orders decline.
    Decline,
    /// Cohorts get worse.
    Cohorts,
    /// Gaps between orders are Erlang-2, not exponential.
    Regular,
}

impl World {
    pub const ALL: [Self; 5] =
        [Self::Peak, Self::Trough, Self::Decline, Self::Cohorts, Self::Regular];

    pub fn name(self) -> &'static str {
        match self {
            Self::Peak => "season, ends at its peak",
            Self::Trough => "season, ends in its trough",
            Self::Decline => "all orders −25 % a year",
            Self::Cohorts => "cohorts −20 % a year",
            Self::Regular => "Erlang-2 gaps",
        }
    }

    /// m(u): by how much all orders are more or fewer at a time u after the end of the file (before
    /// it, u < 0); on average 1 over a year, or 1 at the end.
    fn level(self, time: f64) -> f64 {
        match self {
            Self::Peak => 1.0 + SEASON * (TAU * time / YEAR).cos(),
            Self::Trough => 1.0 - SEASON * (TAU * time / YEAR).cos(),
            Self::Decline => FALL.powf(time / YEAR),
            Self::Cohorts | Self::Regular => 1.0,
        }
    }

    /// The highest level from the first acquisition to the end of the holdout.
    fn highest(self) -> f64 {
        match self {
            Self::Peak | Self::Trough => 1.0 + SEASON,
            Self::Decline => self.level(-ACQUIRED_OVER),
            Self::Cohorts | Self::Regular => 1.0,
        }
    }

    /// The order rate of customers acquired `age` ago, compared with that of the middle cohort.
    fn of_cohort(self, age: f64) -> f64 {
        match self {
            Self::Cohorts => WORSE.powf((0.5 * ACQUIRED_OVER - age) / YEAR),
            _ => 1.0,
        }
    }

    /// Draws a new customer and simulates orders up to T = `age`, and in the holdout. Orders come
    /// at the highest rate and are kept with probability m/max m (thinning). `at_order` is called
    /// at each repeat order up to T.
    pub fn simulate<R: Rng>(
        self,
        truth: BgNbd,
        age: f64,
        rng: &mut R,
        mut at_order: impl FnMut(&mut R),
    ) -> SimulatedHistory {
        let BgNbd { r, alpha, a, b } = truth;
        let rates = Gamma::new(r, 1.0 / alpha).expect("positive");
        let rate = rates.sample(rng).max(f64::MIN_POSITIVE) * self.of_cohort(age);
        let leaves = Beta::new(a, b).expect("positive").sample(rng);
        let stages = if self == Self::Regular { 2 } else { 1 };
        let highest = self.highest();
        let mut simulated = SimulatedHistory::default();
        let mut time = 0.0;
        loop {
            let waits: f64 = (0..stages).map(|_| -> f64 { Exp1.sample(rng) }).sum();
            time += waits / (f64::from(stages) * rate * highest);
            if time > age + HOLDOUT {
                return simulated;
            }
            if rng.random::<f64>() * highest > self.level(time - age) {
                continue;
            }
            if time > age {
                simulated.later += 1.0;
            } else {
                simulated.frequency += 1.0;
                simulated.recency = time;
                at_order(rng);
            }
            if rng.random_bool(leaves) {
                return simulated;
            }
        }
    }
}
