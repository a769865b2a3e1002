//! Orders over the calendar: whether they follow the model, or something that the model does not
//! know: a season, a trend, cohorts that differ, a change of late.

use std::f64::consts::TAU;

use crate::customers::OrderPath;
use crate::math::poisson_regression::{PoissonFit, poisson_regression};
use crate::math::tail::{chi_squared_beyond, chi_squared_limit};
use crate::model::calendar::gate::TWO_YEARS;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::checks::SIGNIFICANT;
use crate::model::checks::intensity::walk;
use crate::model::purchase_model::PurchaseModel;

/// Days of a block.
pub const BLOCK: i32 = 28;
/// Days of the period at the end that is looked at by itself: 13 weeks.
pub const LATELY: i32 = 91;
/// Blocks with fewer expected orders say nothing about dispersion.
const LEAST_EXPECTED: f64 = 20.0;
/// Fewer such blocks are no series.
const FEWEST_BLOCKS: usize = 3;
/// Days of acquisition that share a cohort.
const COHORT: i32 = 91;
const YEAR: f64 = 365.25;
/// Harmonics of the year by which a season is found, and by which it is described once it is.
const WAVES: u32 = 2;
const SHARP: u32 = 4;
/// Of the scatter beyond chance, a season leaves at most this share.
const SEASONAL: f64 = 0.5;
/// Changes that are looked for begin this many days before the end.
const CHANGES: [i32; 6] = [28, 56, 91, 112, 182, 364];
/// A change that began fewer days ago may be a promotion.
pub const SHORT_CHANGE: i32 = 60;
/// Patterns below these sizes change no plan, however certain they are: a share for changes, a share
/// a year for slopes, and the highest month over the lowest for a season.
pub const LEAST_CHANGE: f64 = 0.10;
pub const LEAST_SLOPE: f64 = 0.06;
pub const LEAST_SEASON: f64 = 1.2;
/// So many patterns are tried that each must be this much rarer than [`SIGNIFICANT`].
const TRIED: f64 = 10.0;

/// Orders of one cohort in one stretch of days.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    /// Index of the stretch, from the end backwards.
    stretch: usize,
    /// Index of the cohort, from the end backwards.
    cohort: usize,
    observed: f64,
    expected: f64,
}

/// Something in the calendar that the model does not know.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// The same months are high and low every year: factors of January to December against an
    /// average month.
    Season {
        /// January first.
        months: [f64; 12],
    },
    /// Orders rise or fall by a share a year, beyond what the model expects.
    Trend {
        /// 0.2 is +20 % a year.
        yearly: f64,
    },
    /// Customers who joined a year later order more or fewer, by a share.
    Cohorts {
        /// −0.2 is 20 % fewer.
        yearly: f64,
    },
    /// The last days are higher or lower than those before.
    Change {
        /// How long ago it began.
        days: i32,
        /// −0.5 is half.
        share: f64,
    },
}

impl Pattern {
    /// The yearly change of a trend or of cohorts.
    pub fn slope(&self) -> Option<f64> {
        match self {
            Self::Trend { yearly } | Self::Cohorts { yearly } => Some(*yearly),
            _ => None,
        }
    }

    /// The highest month of a season over its lowest.
    pub fn swing(&self) -> Option<f64> {
        match self {
            Self::Season { months } => Some(swing(months)),
            _ => None,
        }
    }
}

fn swing(months: &[f64; 12]) -> f64 {
    let [low, high] =
        [f64::min, f64::max].map(|of| months.iter().copied().reduce(of).unwrap_or(1.0));
    high / low
}

/// What the calendar shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Orders in each block of four weeks against the expected ones, the oldest first.
    pub blocks: Vec<[f64; 2]>,
    /// φ, mean of (observed − expected)²/expected over blocks with enough expected orders; `None`
    /// with too few blocks.
    pub dispersion: Option<f64>,
    /// φ above this is not chance: a χ² point over its degrees of freedom.
    pub dispersion_limit: f64,
    /// Observed and expected orders of the last 13 weeks.
    pub lately: [f64; 2],
    /// What explains the deviations, the strongest first.
    pub patterns: Vec<Pattern>,
    /// φ once the patterns are taken into account.
    pub remaining: Option<f64>,
    /// Whether the log is long enough to tell a season.
    pub knows_season: bool,
    /// Days from the first order to the end.
    pub days: i32,
}

/// Compares the orders of `paths` up to the day `end` with what the model expects of the same
/// customers, given what each had ordered before.
pub fn calendar(
    model: &PurchaseModel,
    paths: &[OrderPath],
    end: i32,
    time: &OperationalTime,
) -> Option<Calendar> {
    let start = paths.iter().filter_map(|path| Some(path.first()?.day)).min()?;
    let days = end - start;
    let stretches = Stretches::up_to(end, days);
    let cells = stretches.cells(model, paths, time);
    let blocks = stretches.blocks(&cells);
    let told: Vec<&[f64; 2]> = blocks.iter().filter(|b| b[1] > LEAST_EXPECTED).collect();
    let knows_season = days >= TWO_YEARS;
    let (patterns, factors) = stretches.patterns(&cells, knows_season);
    let explained = stretches.blocks(&factors);
    let degrees = told.len() as f64;
    Some(Calendar {
        dispersion: scatter(&blocks, &blocks),
        dispersion_limit: chi_squared_limit(SIGNIFICANT, degrees) / degrees.max(1.0),
        remaining: scatter(&blocks, &explained),
        lately: stretches.lately(&cells),
        blocks,
        patterns,
        knows_season,
        days,
    })
}

/// φ over blocks with enough expected orders, with the observed orders of the first and the expected
/// ones of the second. `None` with too few such blocks.
fn scatter(observed: &[[f64; 2]], expected: &[[f64; 2]]) -> Option<f64> {
    let told = observed.iter().zip(expected).filter(|(block, _)| block[1] > LEAST_EXPECTED);
    let all: Vec<f64> =
        told.map(|(block, known)| (block[0] - known[1]).powi(2) / known[1]).collect();
    (all.len() >= FEWEST_BLOCKS).then(|| all.iter().sum::<f64>() / all.len() as f64)
}

/// The days up to the end, cut at the edges of blocks and at the beginning of the last 13 weeks.
struct Stretches {
    /// Days before the end at which stretches end, ascending from 0.
    back: Vec<i32>,
    end: i32,
}

impl Stretches {
    fn up_to(end: i32, days: i32) -> Self {
        let mut back: Vec<i32> = (0..=days / BLOCK).map(|k| k * BLOCK).collect();
        back.push(LATELY.min(days));
        back.sort_unstable();
        back.dedup();
        Self { back, end }
    }

    fn cells(
        &self,
        model: &PurchaseModel,
        paths: &[OrderPath],
        time: &OperationalTime,
    ) -> Vec<Cell> {
        let mut edges: Vec<i32> = self.back.iter().map(|back| self.end - back).collect();
        edges.sort_unstable();
        let stretch = |day: i32| self.back.partition_point(|back| self.end - back >= day) - 1;
        let mut sums: std::collections::BTreeMap<(usize, usize), [f64; 2]> = Default::default();
        for path in paths {
            let Some(first) = path.first() else { continue };
            let cohort = ((self.end - first.day) / COHORT).unsigned_abs() as usize;
            walk(model, path, &edges, self.end, time, |step| {
                let sum = sums.entry((stretch(step.until), cohort)).or_default();
                sum[0] += step.orders;
                sum[1] += step.expected;
            });
        }
        let cell = |((stretch, cohort), [observed, expected]): (_, [f64; 2])| Cell {
            stretch,
            cohort,
            observed,
            expected,
        };
        sums.into_iter().map(cell).filter(|cell| cell.expected > 0.0).collect()
    }

    /// Observed and expected orders by block, the oldest first. A block that the first order cuts
    /// short counts as well.
    fn blocks(&self, cells: &[Cell]) -> Vec<[f64; 2]> {
        let of = |cell: &Cell| (self.back[cell.stretch] / BLOCK) as usize;
        let count = cells.iter().map(of).max().map_or(0, |last| last + 1);
        let mut blocks = vec![[0.0; 2]; count];
        for cell in cells {
            let block = &mut blocks[count - 1 - of(cell)];
            block[0] += cell.observed;
            block[1] += cell.expected;
        }
        blocks
    }

    fn lately(&self, cells: &[Cell]) -> [f64; 2] {
        let within = cells.iter().filter(|cell| self.back[cell.stretch] < LATELY);
        within.fold([0.0; 2], |sum, cell| [sum[0] + cell.observed, sum[1] + cell.expected])
    }

    /// Days from the middle of a stretch to the end.
    fn middle(&self, stretch: usize) -> f64 {
        let from = self.back[stretch];
        let to = self.back.get(stretch + 1).copied().unwrap_or(from + BLOCK);
        f64::from(from + to) / 2.0
    }

    /// Finds patterns, the strongest first, until none is left; and the cells with what is expected
    /// once they are known.
    fn patterns(&self, cells: &[Cell], knows_season: bool) -> (Vec<Pattern>, Vec<Cell>) {
        let observed: Vec<f64> = cells.iter().map(|cell| cell.observed).collect();
        let expected: Vec<f64> = cells.iter().map(|cell| cell.expected).collect();
        let mut candidates = self.candidates(cells, knows_season);
        let mut taken: Vec<Candidate> = Vec::new();
        let Some(mut fit) = poisson_regression(&observed, &expected, &[]) else {
            return (Vec::new(), cells.to_vec());
        };
        let with = |taken: &[Candidate], more: Option<&Candidate>| {
            let all = taken.iter().chain(more);
            let columns: Vec<&[f64]> =
                all.flat_map(|c| c.columns.iter().map(Vec::as_slice)).collect();
            poisson_regression(&observed, &expected, &columns)
        };
        loop {
            let tried = candidates.iter().enumerate().filter_map(|(i, candidate)| {
                let next = with(&taken, Some(candidate))?;
                let degrees = candidate.columns.len() as f64;
                let gain = 2.0 * (next.log_likelihood - fit.log_likelihood);
                let chance = chi_squared_beyond(gain, degrees);
                // By Schwarz's criterion: the season has more coefficients than the others.
                let score = gain - degrees * observed.iter().sum::<f64>().ln();
                let first = next.coefficients.len() - candidate.columns.len();
                let large = candidate.is_large(&next.coefficients[first..])
                    && (candidate.kind != Kind::Season || self.repeats(cells, &taken, &fit, &with));
                (chance < SIGNIFICANT / TRIED && large).then_some((i, next, score))
            });
            let Some((best, next, _)) = tried.max_by(|a, b| a.2.total_cmp(&b.2)) else { break };
            let candidate = candidates.swap_remove(best);
            // A season that is there may be sharper than two waves.
            let sharper = (candidate.kind == Kind::Season)
                .then(|| Candidate { kind: Kind::Season, columns: self.waves(cells, SHARP) });
            let sharper = sharper.and_then(|sharper| {
                let fit = with(&taken, Some(&sharper))?;
                Some((sharper, fit))
            });
            let (candidate, next) = sharper.unwrap_or((candidate, next));
            // A trend, cohorts and changes are the same in part: a second of them would only take back
            // what the first has said too much.
            if candidate.kind != Kind::Season {
                candidates.retain(|c| c.kind == Kind::Season);
            }
            fit = next;
            taken.push(candidate);
        }
        let all: Vec<&Candidate> = taken.iter().collect();
        (self.named(&taken, &fit), explained(cells, &all, &fit))
    }

    /// Whether a season explains most of the scatter that is left: a single closure or promotion does
    /// not come back every year, and a season would explain a part of it only.
    fn repeats(
        &self,
        cells: &[Cell],
        taken: &[Candidate],
        fit: &PoissonFit,
        with: &Regression<'_>,
    ) -> bool {
        let season = Candidate { kind: Kind::Season, columns: self.waves(cells, SHARP) };
        let Some(next) = with(taken, Some(&season)) else { return false };
        let all: Vec<&Candidate> = taken.iter().chain([&season]).collect();
        let before: Vec<&Candidate> = taken.iter().collect();
        let excess = |taken: &[&Candidate], fit: &PoissonFit| {
            let expected = self.blocks(&explained(cells, taken, fit));
            scatter(&self.blocks(cells), &expected).map_or(0.0, |scatter| (scatter - 1.0).max(0.0))
        };
        excess(&all, &next) <= SEASONAL * excess(&before, fit)
    }

    fn candidates(&self, cells: &[Cell], knows_season: bool) -> Vec<Candidate> {
        let column = |of: &dyn Fn(&Cell) -> f64| -> Vec<f64> { cells.iter().map(of).collect() };
        let years = |days: f64| -days / YEAR;
        let mut all = vec![Candidate {
            kind: Kind::Trend,
            columns: vec![column(&|cell| years(self.middle(cell.stretch)))],
        }];
        let cohort = |cell: &Cell| years((cell.cohort as f64 + 0.5) * f64::from(COHORT));
        all.push(Candidate { kind: Kind::Cohorts, columns: vec![column(&cohort)] });
        all.extend(CHANGES.iter().filter(|days| **days <= self.back[self.back.len() - 1] / 2).map(
            |&days| Candidate {
                kind: Kind::Change(days),
                columns: vec![column(&|cell| f64::from(u8::from(self.back[cell.stretch] < days)))],
            },
        ));
        if knows_season {
            all.push(Candidate { kind: Kind::Season, columns: self.waves(cells, WAVES) });
        }
        all
    }

    /// Cosine and sine of the first harmonics of the year.
    fn waves(&self, cells: &[Cell], harmonics: u32) -> Vec<Vec<f64>> {
        let of_year = |cell: &Cell| day_of_year(f64::from(self.end) - self.middle(cell.stretch));
        let wave = |k: u32, of: fn(f64) -> f64| -> Vec<f64> {
            cells.iter().map(|cell| of(TAU * f64::from(k) * of_year(cell))).collect()
        };
        (1..=harmonics).flat_map(|k| [wave(k, f64::cos), wave(k, f64::sin)]).collect()
    }

    /// The patterns in words of the calendar.
    fn named(&self, taken: &[Candidate], fit: &PoissonFit) -> Vec<Pattern> {
        let mut first = 1;
        let mut patterns = Vec::new();
        for candidate in taken {
            let own = &fit.coefficients[first..first + candidate.columns.len()];
            first += candidate.columns.len();
            patterns.push(match candidate.kind {
                Kind::Season => Pattern::Season { months: month_factors(own) },
                Kind::Trend => Pattern::Trend { yearly: own[0].exp_m1() },
                Kind::Cohorts => Pattern::Cohorts { yearly: own[0].exp_m1() },
                Kind::Change(days) => Pattern::Change { days, share: own[0].exp_m1() },
            });
        }
        patterns
    }
}

/// The regression on the patterns that are taken, and one more.
type Regression<'a> = dyn Fn(&[Candidate], Option<&Candidate>) -> Option<PoissonFit> + 'a;

/// A pattern that is tried, and its columns in the regression.
struct Candidate {
    kind: Kind,
    columns: Vec<Vec<f64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Season,
    Trend,
    Cohorts,
    Change(i32),
}

impl Candidate {
    fn is_large(&self, coefficients: &[f64]) -> bool {
        match self.kind {
            Kind::Season => swing(&month_factors(coefficients)) >= LEAST_SEASON,
            Kind::Trend | Kind::Cohorts => coefficients[0].abs() >= LEAST_SLOPE.ln_1p(),
            Kind::Change(_) => coefficients[0].abs() >= LEAST_CHANGE.ln_1p(),
        }
    }
}

/// The cells with the expectation of the regression.
fn explained(cells: &[Cell], taken: &[&Candidate], fit: &PoissonFit) -> Vec<Cell> {
    let columns: Vec<&Vec<f64>> = taken.iter().flat_map(|c| &c.columns).collect();
    let one = |(i, cell): (usize, &Cell)| {
        let eta: f64 = columns.iter().zip(&fit.coefficients[1..]).map(|(c, b)| c[i] * b).sum();
        Cell { expected: cell.expected * (fit.coefficients[0] + eta).exp(), ..*cell }
    };
    cells.iter().enumerate().map(one).collect()
}

/// The part of the year that has passed on a day since 1970-01-01.
fn day_of_year(day: f64) -> f64 {
    (day / YEAR).rem_euclid(1.0)
}

/// Factors of January to December against their mean, from the coefficients of the waves.
fn month_factors(coefficients: &[f64]) -> [f64; 12] {
    let factor = |month: usize| {
        let part = (month as f64 + 0.5) / 12.0;
        let wave = |(i, b): (usize, &f64)| {
            let angle = TAU * (i / 2 + 1) as f64 * part;
            b * if i % 2 == 0 { angle.cos() } else { angle.sin() }
        };
        coefficients.iter().enumerate().map(wave).sum::<f64>().exp()
    };
    let all: [f64; 12] = std::array::from_fn(factor);
    let mean = all.iter().sum::<f64>() / 12.0;
    all.map(|f| f / mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::OrderDay;
    use crate::model::nbd::Nbd;
    use crate::model::testing::even;
    use crate::settings::TimeUnit;

    /// Each customer orders once in 100 days.
    const STEADY: PurchaseModel = PurchaseModel::Nbd(Nbd { r: 1e9, alpha: 1e11 });
    const END: i32 = 1200;

    /// 800 customers who joined on day 0, and whose orders fall on the days `when` picks.
    fn log(orders: impl Fn(i32) -> u32) -> Vec<OrderPath> {
        let mut paths: Vec<OrderPath> =
            vec![vec![OrderDay { day: 0, orders: 1.0, value: 1.0 }]; 800];
        let mut next = 0;
        for day in 1..=END {
            for _ in 0..orders(day) {
                paths[next % 800].push(OrderDay { day, orders: 1.0, value: 1.0 });
                next += 1;
            }
        }
        paths
    }

    #[test]
    fn even_orders_show_nothing() {
        let found = calendar(&STEADY, &log(|_| 8), END, even(TimeUnit::Day)).expect("a log");
        assert_eq!(found.patterns, []);
        // Eight orders a day are expected and come: no scatter at all.
        assert!(found.dispersion.is_some_and(|dispersion| dispersion < 1e-3), "{found:?}");
        assert_eq!(found.blocks.len(), 43);
        assert!((found.blocks[9][1] / (28.0 * 8.0) - 1.0).abs() < 1e-3, "{:?}", found.blocks[9]);
        assert_eq!(found.lately[0], 91.0 * 8.0);
        assert!(found.knows_season);
    }

    /// Of 8 and 4 orders a day: φ is the mean of (O − E)²/E, 0 in blocks that are as expected and
    /// 28·4²/8 in the last four.
    #[test]
    fn orders_that_halve_are_a_change_of_late() {
        let found = calendar(
            &STEADY,
            &log(|day| if day > END - 112 { 4 } else { 8 }),
            END,
            even(TimeUnit::Day),
        );
        let found = found.expect("a log");
        let [Pattern::Change { days: 112, share }] = found.patterns[..] else {
            panic!("{:?}", found.patterns)
        };
        assert!((share / -0.5 - 1.0).abs() < 1e-3, "{share}");
        let blocks = found.blocks.iter().filter(|block| block[1] > LEAST_EXPECTED).count() as f64;
        let dispersion = found.dispersion.expect("many blocks");
        assert!((dispersion / (4.0 * 56.0 / blocks) - 1.0).abs() < 1e-2, "{dispersion}");
        assert!(found.remaining.is_some_and(|left| left < 0.01), "{:?}", found.remaining);
    }

    /// 8·(1 + ½·cos) orders a day, the most on the first of January.
    #[test]
    fn a_season_is_found_with_its_months() {
        let factor = |part: f64| 1.0 + 0.5 * (TAU * part).cos();
        let winter = |day: i32| (8.0 * factor(day_of_year(f64::from(day)))).round() as u32;
        let found = calendar(&STEADY, &log(winter), END, even(TimeUnit::Day)).expect("a log");
        let [Pattern::Season { months }] = &found.patterns[..] else {
            panic!("{:?}", found.patterns)
        };
        for (month, found) in months.iter().enumerate() {
            let expected = factor((month as f64 + 0.5) / 12.0);
            assert!((found / expected - 1.0).abs() < 0.05, "{month}: {found} {expected}");
        }
        let short = log(winter)
            .into_iter()
            .map(|path| path.into_iter().filter(|order| order.day <= 600).collect::<OrderPath>());
        let short =
            calendar(&STEADY, &short.collect::<Vec<_>>(), 600, even(TimeUnit::Day)).expect("a log");
        assert!(!short.knows_season && short.patterns.iter().all(|p| p.swing().is_none()));
    }

    #[test]
    fn a_decline_is_a_trend_and_later_cohorts_are_another_matter() {
        let decline = |day: i32| (16.0 * 0.7f64.powf(f64::from(day) / YEAR)).round() as u32;
        let found = calendar(&STEADY, &log(decline), END, even(TimeUnit::Day)).expect("a log");
        let [Pattern::Trend { yearly }] = found.patterns[..] else {
            panic!("{:?}", found.patterns)
        };
        assert!((yearly / -0.3 - 1.0).abs() < 0.05, "{yearly}");
    }
}
