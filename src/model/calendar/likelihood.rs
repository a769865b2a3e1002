//! The likelihood in operational time, as a function of the model's parameters and of the
//! coefficients of the calendar together.
//!
//! # Formula
//! ℓ(θ, β) = Σ ℓ_model(θ; x, Λ(last) − Λ(first), Λ(end) − Λ(first)) + Σ ln m(day of each repeat order)
//!
//! Its slopes by β need one pass over the histories: with gₜ = Σ ∂ℓ/∂Λ(t) over the first and last
//! orders of day t, ∂ℓ/∂βₖ = Σ_d m(d) φₖ(d) Σ_{t ≥ d} gₜ + Σ_d n(d) φₖ(d), n(d) being the repeat orders
//! of day d.
//!
//! Derived from the model in operational time by a change of variables: an order time has the density
//! f(Λ(t))·m(t).

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::customers::OrderPath;

use crate::math::special::log_add_exp_with_share;
use crate::model::bg_nbd::{OfFrequency, OfTime};
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::calendar::shape::Shape;
use crate::model::likelihood::maximise::Objective;
use crate::model::likelihood::patterns::{Pattern, Patterns};
use crate::settings::Family;

/// Histories per parallel task; fixed, so that sums are the same on any number of cores.
const CHUNK: usize = 8_192;

/// A history by days, counted from the first day of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DayPattern {
    /// Index into [`DayPatterns::frequency`].
    pub(crate) x: u32,
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Customers with this history.
    pub(crate) count: f64,
}

/// Distinct histories by days.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DayPatterns {
    /// The first day of all, counted from 1970-01-01.
    pub(crate) start: i32,
    /// The observation end.
    pub(crate) end: i32,
    /// Distinct frequencies.
    pub(crate) frequency: Vec<f64>,
    pub(crate) rows: Vec<DayPattern>,
    pub(crate) customers: f64,
    /// Repeat orders of each day from the first.
    pub(crate) repeats: Vec<f64>,
}

impl DayPatterns {
    /// The histories of `patterns`, whose times are calendar time in units of `unit_days` up to the
    /// day `end`; `orders` are days and all orders on them, first ones included.
    pub(crate) fn of(patterns: &Patterns, end: i32, unit_days: f64, orders: &[(i32, f64)]) -> Self {
        let days = |time: f64| (time * unit_days).round() as i32;
        let start = end - days(patterns.oldest());
        let row = |row: &Pattern| {
            let first = end - days(patterns.age[row.age as usize]) - start;
            let last = first + days(patterns.recency[row.t_x as usize]);
            DayPattern { x: row.x, first: first as u32, last: last as u32, count: row.count }
        };
        let rows: Vec<DayPattern> = patterns.rows.iter().map(row).collect();
        let mut repeats = vec![0.0; (end - start + 1) as usize];
        for (day, count) in orders.iter().filter(|(day, _)| (start..=end).contains(day)) {
            repeats[(day - start) as usize] += count;
        }
        rows.iter().for_each(|row| repeats[row.first as usize] -= row.count);
        let frequency = patterns.frequency.clone();
        Self { start, end, frequency, rows, customers: patterns.customers, repeats }
    }

    /// The histories of order paths up to the day `end`; of customers who had ordered by then.
    pub(crate) fn of_paths(paths: &[OrderPath], end: i32) -> Self {
        let known = paths.iter().filter(|path| path.first().is_some_and(|order| order.day <= end));
        let start = known.clone().filter_map(|path| Some(path.first()?.day)).min().unwrap_or(end);
        let mut repeats = vec![0.0; (end - start + 1) as usize];
        let mut counts: BTreeMap<(u32, u32, u32), f64> = BTreeMap::new();
        for path in known {
            let (mut x, mut last) = (-1.0, path[0].day);
            for order in path.iter().take_while(|order| order.day <= end) {
                repeats[(order.day - start) as usize] += order.orders;
                (x, last) = (x + order.orders, order.day);
            }
            let first = (path[0].day - start) as u32;
            repeats[first as usize] -= 1.0;
            *counts.entry((x as u32, first, (last - start) as u32)).or_default() += 1.0;
        }
        let most = counts.keys().map(|(x, _, _)| *x).max().unwrap_or(0);
        let row = |((x, first, last), count)| DayPattern { x, first, last, count };
        let rows: Vec<DayPattern> = counts.into_iter().map(row).collect();
        let customers = rows.iter().map(|row| row.count).sum();
        let frequency = (0..=most).map(f64::from).collect();
        Self { start, end, frequency, rows, customers, repeats }
    }

    /// The same histories in another time, with the logarithm of the factors of their repeat orders
    /// left to the caller.
    pub(crate) fn in_time(&self, time: &OperationalTime) -> Patterns {
        let day = |index: u32| self.start + index as i32;
        let age: Vec<f64> =
            (self.start..=self.end).map(|first| time.between(first, self.end)).collect();
        let row = |(i, row): (usize, &DayPattern)| Pattern {
            x: row.x,
            t_x: i as u32,
            age: row.first,
            count: row.count,
        };
        let recency = |row: &DayPattern| {
            let t_x = time.between(day(row.first), day(row.last));
            t_x.min(age[row.first as usize])
        };
        Patterns {
            frequency: self.frequency.clone(),
            recency: self.rows.iter().map(recency).collect(),
            rows: self.rows.iter().enumerate().map(row).collect(),
            age,
            customers: self.customers,
            log_factors: (!time.is_even()).then_some(0.0),
        }
    }

    /// A part of the histories, with the same share of the repeat orders of every day.
    ///
    /// Returns `None` when there are fewer than twice as many.
    pub(crate) fn sample(&self, size: usize) -> Option<Self> {
        let every = self.rows.len() / size;
        if every < 2 {
            return None;
        }
        let rows: Vec<DayPattern> = self.rows.iter().step_by(every).copied().collect();
        let share = orders(&rows, &self.frequency) / orders(&self.rows, &self.frequency).max(1.0);
        Some(Self {
            customers: rows.iter().map(|row| row.count).sum(),
            repeats: self.repeats.iter().map(|count| count * share).collect(),
            rows,
            frequency: self.frequency.clone(),
            ..*self
        })
    }

    /// Repeat orders of all customers.
    pub(crate) fn orders(&self) -> f64 {
        orders(&self.rows, &self.frequency)
    }
}

fn orders(rows: &[DayPattern], frequency: &[f64]) -> f64 {
    rows.iter().map(|row| row.count * frequency[row.x as usize]).sum()
}

/// What one pass over histories adds up.
struct Pass {
    value: f64,
    /// By r, α, a and b.
    slope: [f64; 4],
    /// By Λ at each day.
    by_day: Vec<f64>,
    /// By Λ at the end.
    at_end: f64,
}

/// The likelihood of histories under a shape of the calendar.
pub(crate) struct CalendarLikelihood<'a> {
    family: Family,
    data: &'a DayPatterns,
    /// φ by column, for each day.
    features: Vec<Vec<f64>>,
    /// ln of the known factors, for each day.
    known: Vec<f64>,
    /// Days of a time unit.
    unit_days: f64,
}

impl<'a> CalendarLikelihood<'a> {
    /// The likelihood with times in units of `unit_days`.
    pub(crate) fn new(
        family: Family,
        data: &'a DayPatterns,
        shape: &Shape,
        unit_days: f64,
    ) -> Self {
        Self {
            family,
            data,
            features: shape.features(data.start, data.end),
            known: shape.known(data.start, data.end),
            unit_days,
        }
    }

    /// The objective over the model's parameters, then e^β of each coefficient: all are positive.
    pub(crate) fn objective(&self) -> Objective<'_> {
        Objective {
            log_likelihood: Box::new(move |at| self.evaluate(at)),
            customers: self.data.customers,
            l2_penalty: 0.0,
        }
    }

    /// Value and slopes. The season's mean is not 1 here: its level is part of α.
    pub(crate) fn evaluate(&self, at: &[f64]) -> (f64, Vec<f64>) {
        let parameters = self.family.parameters().len();
        let (theta, factors) = at.split_at(parameters);
        let coefficients: Vec<f64> = factors.iter().map(|factor| factor.ln()).collect();
        let logs = self.log_factors(&coefficients);
        let factors: Vec<f64> = logs.iter().map(|log| log.exp() / self.unit_days).collect();
        let mut clock = Vec::with_capacity(factors.len());
        let mut sum = 0.0;
        for (day, factor) in factors.iter().enumerate() {
            // A day stands for its end, so that of the first day itself does not count.
            sum += if day == 0 { 0.0 } else { *factor };
            clock.push(sum);
        }
        let pass = self.pass(theta, &clock);
        let value = pass.value
            + self.data.repeats.iter().zip(&logs).map(|(count, log)| count * log).sum::<f64>();
        let mut slope = pass.slope[..parameters].to_vec();
        let by_log = self.by_log_factor(pass, &factors);
        for (column, coefficient) in self.features.iter().zip(at[parameters..].iter()) {
            // In γ = e^β: ∂ℓ/∂γ = (∂ℓ/∂β)/γ.
            let by_beta = column.iter().zip(&by_log).map(|(phi, by)| phi * by).sum::<f64>();
            slope.push(by_beta / coefficient);
        }
        (value, slope)
    }

    fn log_factors(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut logs = self.known.clone();
        for (column, coefficient) in self.features.iter().zip(coefficients) {
            logs.iter_mut().zip(column).for_each(|(log, phi)| *log += coefficient * phi);
        }
        logs
    }

    /// ∂ℓ/∂ ln m(d) for each day.
    fn by_log_factor(&self, mut pass: Pass, factors: &[f64]) -> Vec<f64> {
        let last = pass.by_day.len() - 1;
        pass.by_day[last] += pass.at_end;
        let mut later = 0.0;
        let mut slopes = self.data.repeats.clone();
        for day in (1..=last).rev() {
            later += pass.by_day[day];
            slopes[day] += factors[day] * later;
        }
        slopes
    }

    fn pass(&self, theta: &[f64], clock: &[f64]) -> Pass {
        let (r, alpha) = (theta[0], theta[1]);
        let [a, b] = [2, 3].map(|i| theta.get(i).copied().unwrap_or(1.0));
        let of_x: Vec<OfFrequency> =
            self.data.frequency.iter().map(|x| self.of_x(r, a, b, *x)).collect();
        let end = clock[clock.len() - 1];
        let of_age: Vec<OfTime> = clock.iter().map(|at| OfTime::of(alpha, end - at)).collect();
        let leaves = self.family != Family::Nbd;
        let chunk = |rows: &[DayPattern]| {
            let mut pass =
                Pass { value: 0.0, slope: [0.0; 4], by_day: vec![0.0; clock.len()], at_end: 0.0 };
            for row in rows {
                let of_x = &of_x[row.x as usize];
                let (first, last) = (row.first as usize, row.last as usize);
                let age = of_age[first];
                let recency = OfTime::of(alpha, clock[last] - clock[first]);
                let shape = of_x.shape;
                let (bracket, gone) = match leaves {
                    true => log_add_exp_with_share(
                        -shape * age.ln,
                        of_x.ln_dropout - shape * recency.ln,
                    ),
                    false => (-shape * age.ln, 0.0),
                };
                let alive = 1.0 - gone;
                let n = row.count;
                pass.value += n * (of_x.constant + bracket);
                pass.slope[0] += n * (of_x.d_r - alive * age.ln - gone * recency.ln);
                let [by_age, by_recency] =
                    [-n * shape * alive * age.inverse, -n * shape * gone * recency.inverse];
                pass.slope[1] += by_age + by_recency;
                pass.slope[2] += n * (of_x.d_a + gone / a);
                pass.slope[3] += n * (of_x.d_b - gone * of_x.inverse);
                pass.by_day[first] -= by_age + by_recency;
                pass.by_day[last] += by_recency;
                pass.at_end += by_age;
            }
            pass
        };
        let parts: Vec<Pass> = self.data.rows.par_chunks(CHUNK).map(chunk).collect();
        let none =
            Pass { value: 0.0, slope: [0.0; 4], by_day: vec![0.0; clock.len()], at_end: 0.0 };
        let mut all = parts.into_iter().fold(none, Pass::plus);
        self.add_constants(&mut all, [r, alpha, a, b]);
        all
    }

    fn of_x(&self, r: f64, a: f64, b: f64, x: f64) -> OfFrequency {
        match self.family {
            Family::BgNbd => OfFrequency::bg_nbd(r, a, b, x),
            Family::MbgNbd => OfFrequency::new(r, a, b + 1.0, x, 1.0 / (b + x)),
            _ => OfFrequency::nbd(r, x),
        }
    }

    /// Terms that are the same for every customer: r ln α, and of MBG/NBD ln b/(a+b).
    fn add_constants(&self, pass: &mut Pass, [r, alpha, a, b]: [f64; 4]) {
        let n = self.data.customers;
        pass.value += n * r * alpha.ln();
        pass.slope[0] += n * alpha.ln();
        pass.slope[1] += n * r / alpha;
        if self.family == Family::MbgNbd {
            pass.value -= n * (a / b).ln_1p();
            pass.slope[2] -= n / (a + b);
            pass.slope[3] += n * a / (b * (a + b));
        }
    }
}

impl Pass {
    fn plus(mut self, other: Self) -> Self {
        self.value += other.value;
        self.slope.iter_mut().zip(other.slope).for_each(|(sum, term)| *sum += term);
        self.by_day.iter_mut().zip(other.by_day).for_each(|(sum, term)| *sum += term);
        self.at_end += other.at_end;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calendar::shape::SeasonShape;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::{orders_only, relative};

    const END: i32 = 18_700;
    const UNIT: f64 = 7.0;

    fn weeks(days: i32) -> f64 {
        f64::from(days) / UNIT
    }

    /// Customers by age, days from the first order to the last, and repeat orders; with all orders.
    fn customers() -> (Patterns, Vec<(i32, f64)>) {
        let all = [(900, 0, 0.0), (900, 500, 3.0), (700, 100, 1.0), (400, 400, 7.0), (30, 0, 0.0)];
        let (x, (t_x, age)) =
            all.iter().map(|(age, t_x, x)| (*x, (weeks(*t_x), weeks(*age)))).unzip();
        let mut orders = std::collections::BTreeMap::new();
        for (age, t_x, x) in all {
            let first = END - age;
            *orders.entry(first).or_insert(0.0) += 1.0;
            for k in 1..=x as i32 {
                *orders.entry(first + t_x * k / x as i32).or_insert(0.0) += 1.0;
            }
        }
        let patterns = CustomerPatterns::of(&orders_only(x, t_x, age)).patterns;
        (patterns, orders.into_iter().collect())
    }

    fn parameters(family: Family) -> Vec<f64> {
        [0.6, 5.0, 0.8, 2.5][..family.parameters().len()].to_vec()
    }

    /// The likelihood is that of the model at operational times, plus ln m of each repeat order.
    #[test]
    fn it_is_the_model_in_operational_time() {
        let (patterns, orders) = customers();
        let data = DayPatterns::of(&patterns, END, UNIT, &orders);
        let shape = Shape {
            season: SeasonShape::Waves(2),
            trend: true,
            reference: END,
            ..Shape::default()
        };
        let coefficients = [0.3, -0.2, 0.1, 0.05, -0.25];
        let (level, _) = shape.level(&coefficients);
        let factors = shape.factors(&coefficients, data.start, END);
        let time = OperationalTime::of(UNIT, END, data.start, &factors);
        for family in [Family::Nbd, Family::BgNbd, Family::MbgNbd] {
            let theta = parameters(family);
            // In the likelihood the season's level is part of α.
            let mut at = theta.clone();
            at[1] *= level.exp();
            at.extend(coefficients.iter().map(|b| b.exp()));
            let (found, _) = CalendarLikelihood::new(family, &data, &shape, UNIT).evaluate(&at);
            let histories =
                patterns.rows.iter().map(|row| patterns.history(row)).collect::<Vec<_>>();
            let columns = orders_only(
                histories.iter().map(|h| h.frequency).collect(),
                histories.iter().map(|h| h.recency).collect(),
                histories.iter().map(|h| h.age).collect(),
            );
            let moved = CustomerPatterns::of(&time.histories(&columns)).patterns;
            let (model, _) = family.log_likelihood(&moved)(&theta);
            let repeats = data.repeats.iter().zip(&factors);
            let jacobian: f64 = repeats.map(|(n, factor)| n * factor.ln()).sum();
            // α e^c and times e^c: each repeat order has a density in another unit.
            let expected = model + jacobian;
            assert!(relative(found, expected) < 1e-12, "{family:?}: {found} {expected}");
        }
    }

    #[test]
    fn slopes_equal_differences() {
        let (patterns, orders) = customers();
        let data = DayPatterns::of(&patterns, END, UNIT, &orders);
        for season in [SeasonShape::Monthly, SeasonShape::Waves(2)] {
            let shape = Shape { season, trend: true, reference: END, ..Shape::default() };
            for family in [Family::Nbd, Family::BgNbd, Family::MbgNbd] {
                let likelihood = CalendarLikelihood::new(family, &data, &shape, UNIT);
                let mut at = parameters(family);
                at.extend((0..shape.columns()).map(|k| 1.0 + 0.04 * k as f64));
                let (_, slopes) = likelihood.evaluate(&at);
                for k in 0..at.len() {
                    let shifted = |h: f64| {
                        let mut point = at.clone();
                        point[k] += h;
                        likelihood.evaluate(&point).0
                    };
                    let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                    assert!(
                        (slopes[k] - difference).abs() < 1e-6 * (1.0 + difference.abs()),
                        "{season:?} {family:?} {k}: {} {difference}",
                        slopes[k]
                    );
                }
            }
        }
    }
}
