//! Operational time: calendar time in which a day counts by its factor.
//!
//! Each customer orders at the rate λ·m(t), with a factor m(t) of the day that is common to all
//! customers. In the time Λ(t) = ∫ m(u) du the rate is λ again. Where customers leave at orders (NBD,
//! BG/NBD, MBG/NBD), dropout has no clock of its own, so the model in operational time is the same
//! model: t_x, T and horizons are taken in Λ, and every formula stays as it is.
//!
//! # Reference
//! Daley & Vere-Jones (2003), An Introduction to the Theory of Point Processes, volume I, theorem
//! 7.4.I (random time change); Cox & Isham (1980), Point Processes, section 4.2.

use std::borrow::Cow;

use crate::customers::{Histories, History};

/// A clock that starts at the end of the observation. Days are counted from 1970-01-01, and a day
/// stands for its end: from day 3 to day 5 are the days 4 and 5.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationalTime {
    /// Days of a time unit.
    unit_days: f64,
    /// Last day of the observation.
    end: i32,
    uneven: Option<Uneven>,
}

/// Sums of daily factors.
#[derive(Debug, Clone, PartialEq)]
struct Uneven {
    /// The day before the first factor.
    before: i32,
    /// Sum of the factors up to the end of each day from `before`, beginning with 0.
    sums: Vec<f64>,
}

impl OperationalTime {
    /// Calendar time: every day counts as 1. `unit_days` is the length of a time unit, `end` the last
    /// day of the observation.
    pub const fn even(unit_days: f64, end: i32) -> Self {
        Self { unit_days, end, uneven: None }
    }

    /// Time in which the day `first` counts by the first of `factors`, the next day by the second, and
    /// so on. Days without a factor count as 1.
    pub fn of(unit_days: f64, end: i32, first: i32, factors: &[f64]) -> Self {
        let mut sum = 0.0;
        let summed = factors.iter().map(|factor| {
            sum += factor;
            sum
        });
        let sums = std::iter::once(0.0).chain(summed).collect();
        Self { unit_days, end, uneven: Some(Uneven { before: first - 1, sums }) }
    }

    /// Whether every day counts as 1.
    pub fn is_even(&self) -> bool {
        self.uneven.is_none()
    }

    /// Last day of the observation.
    pub fn end(&self) -> i32 {
        self.end
    }

    /// Days of a time unit.
    pub fn unit_days(&self) -> f64 {
        self.unit_days
    }

    /// The time from the end of day `from` to the end of day `to`, in time units.
    pub fn between(&self, from: i32, to: i32) -> f64 {
        match &self.uneven {
            None => f64::from(to - from) / self.unit_days,
            Some(uneven) => {
                (uneven.at(f64::from(to)) - uneven.at(f64::from(from))) / self.unit_days
            }
        }
    }

    /// The time that so many calendar days after the end take, in time units.
    pub fn ahead(&self, days: f64) -> f64 {
        match &self.uneven {
            None => days / self.unit_days,
            Some(uneven) => {
                let end = f64::from(self.end);
                (uneven.at(end + days) - uneven.at(end)) / self.unit_days
            }
        }
    }

    /// The calendar days after the end that a time in time units takes: the inverse of
    /// [`Self::ahead`].
    pub fn days_ahead(&self, time: f64) -> f64 {
        match &self.uneven {
            None => time * self.unit_days,
            Some(_) => self.day_after(f64::from(self.end), time) - f64::from(self.end),
        }
    }

    /// The calendar days before the end at which a time in time units began that lasted until the end.
    pub fn days_back(&self, time: f64) -> f64 {
        match &self.uneven {
            None => time * self.unit_days,
            Some(_) => f64::from(self.end) - self.day_after(f64::from(self.end), -time),
        }
    }

    /// The time that so many calendar days before the end took, in time units: the inverse of
    /// [`Self::days_back`].
    pub fn back(&self, days: f64) -> f64 {
        match &self.uneven {
            None => days / self.unit_days,
            Some(_) => -self.ahead(-days),
        }
    }

    /// The moment, as a day and its fraction, at which `time` has passed since the moment `from`.
    pub fn day_after(&self, from: f64, time: f64) -> f64 {
        match &self.uneven {
            None => from + time * self.unit_days,
            Some(uneven) => uneven.inverse(uneven.at(from) + time * self.unit_days),
        }
    }

    /// The histories in this time. Their own times are calendar time up to the end, in time units.
    pub fn histories<'a>(&self, histories: &'a Histories) -> Cow<'a, Histories> {
        if self.is_even() {
            return Cow::Borrowed(histories);
        }
        let times = histories.iter().map(|history| self.history(history));
        let (recency, age) = times.map(|history| (history.recency, history.age)).unzip();
        Cow::Owned(histories.in_time(recency, age))
    }

    /// A history in this time.
    pub fn history(&self, history: History) -> History {
        if self.is_even() {
            return history;
        }
        let days = |time: f64| (time * self.unit_days).round() as i32;
        let first = self.end - days(history.age);
        let last = first + days(history.recency);
        let recency = self.between(first, last);
        History { recency, age: self.between(first, self.end).max(recency), ..history }
    }

    /// The days from the first to the last factor; `None` in calendar time.
    pub fn days(&self) -> Option<(i32, i32)> {
        let uneven = self.uneven.as_ref()?;
        Some((uneven.before + 1, uneven.before + uneven.sums.len() as i32 - 1))
    }

    /// The same days with other factors, which a function gives for the days from the first to the
    /// last. Calendar time stays as it is.
    pub fn with_factors(&self, factors: impl FnOnce(i32, i32) -> Vec<f64>) -> Self {
        match self.days() {
            None => self.clone(),
            Some((first, last)) => Self::of(self.unit_days, self.end, first, &factors(first, last)),
        }
    }
}

impl Uneven {
    /// The sum of factors up to a moment; within a day they add up evenly.
    fn at(&self, moment: f64) -> f64 {
        let since = moment - f64::from(self.before);
        let last = (self.sums.len() - 1) as f64;
        if since <= 0.0 {
            return since;
        }
        if since >= last {
            return self.sums[self.sums.len() - 1] + (since - last);
        }
        let day = since as usize;
        let part = since - day as f64;
        self.sums[day] + part * (self.sums[day + 1] - self.sums[day])
    }

    /// The moment up to which the factors add up to `sum`.
    fn inverse(&self, sum: f64) -> f64 {
        let before = f64::from(self.before);
        let last = self.sums.len() - 1;
        if sum <= 0.0 {
            return before + sum;
        }
        if sum >= self.sums[last] {
            return before + last as f64 + (sum - self.sums[last]);
        }
        let day = self.sums.partition_point(|up_to| *up_to <= sum) - 1;
        let part = (sum - self.sums[day]) / (self.sums[day + 1] - self.sums[day]);
        before + day as f64 + part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::HistoryColumns;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-12 * (1.0 + expected.abs())
    }

    /// Weeks; days 101 to 107 count double, 108 to 114 not at all, 115 to 121 a half.
    fn uneven() -> OperationalTime {
        let factors: Vec<f64> = [2.0, 0.0, 0.5].iter().flat_map(|f| [*f; 7]).collect();
        OperationalTime::of(7.0, 107, 101, &factors)
    }

    #[test]
    fn days_count_by_their_factors() {
        let time = uneven();
        // Before and after the factors every day counts as 1.
        for (from, to, weeks) in [
            (93, 100, 1.0),
            (100, 107, 2.0),
            (107, 114, 0.0),
            (100, 121, 2.5),
            (104, 118, 6.0 / 7.0 + 2.0 / 7.0),
            (121, 135, 2.0),
        ] {
            assert!(close(time.between(from, to), weeks), "{from} {to}: {weeks}");
        }
        for (days, weeks) in [(0.0, 0.0), (7.0, 0.0), (8.5, 0.75 / 7.0), (14.0, 0.5), (21.0, 1.5)] {
            assert!(close(time.ahead(days), weeks), "{days}");
        }
    }

    #[test]
    fn the_inverse_skips_days_that_do_not_count() {
        let time = uneven();
        assert!(close(time.days_ahead(0.25), 10.5));
        assert!(close(time.days_ahead(1.5), 21.0));
        // Seven days before the end count double.
        assert!(close(time.days_back(1.0), 3.5) && close(time.back(3.5), 1.0));
        assert!(close(time.days_back(3.0), 14.0) && close(time.back(14.0), 3.0));
        assert!(close(time.day_after(100.0, 1.0), 103.5));
        assert!(close(time.day_after(90.0, 1.0), 97.0));
        for days in [8.0, 9.25, 13.0, 30.5] {
            assert!(close(time.days_ahead(time.ahead(days)), days), "{days}");
        }
    }

    #[test]
    fn factors_of_one_are_calendar_time() {
        let (even, ones) =
            (OperationalTime::even(7.0, 50), OperationalTime::of(7.0, 50, 1, &[1.0; 90]));
        for days in [0.0, 1.0, 12.5, 60.0] {
            assert!(close(even.ahead(days), ones.ahead(days)));
            assert!(close(even.days_ahead(days), ones.days_ahead(days)));
        }
        assert_eq!(even.between(3, 17), 2.0);
        assert!(close(ones.between(3, 17), 2.0));
    }

    #[test]
    fn histories_are_taken_over_day_by_day() {
        let histories = Histories::new(HistoryColumns {
            frequency: vec![0.0, 2.0, 1.0],
            recency: vec![0.0, 1.0, 0.0],
            age: vec![1.0, 2.0, 1.0 / 7.0],
            ..HistoryColumns::default()
        });
        let histories = histories.expect("valid");
        let found = uneven().histories(&histories);
        // First orders on the days 100, 93 and 106, the second's last on 100; the end is 107.
        let expected = [(0.0, 2.0), (1.0, 3.0), (0.0, 2.0 / 7.0)];
        for (history, (recency, age)) in found.iter().zip(expected) {
            assert!(close(history.recency, recency) && close(history.age, age), "{history:?}");
        }
        let even = OperationalTime::even(7.0, 107);
        assert!(matches!(even.histories(&histories), Cow::Borrowed(_)));
    }
}
