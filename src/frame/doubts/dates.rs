//! The range of plausible dates. A date outside it stands alone: so few rows are so far from all
//! others that the density of orders makes it a mistake.

use std::collections::VecDeque;

use chrono::NaiveDate;
use polars::prelude::*;

use crate::frame::doubts::Doubt;
use crate::settings::Contract;

/// Days of the longest usual gap before an order, as a multiple of the median gap between days with
/// orders. Were the gaps exponential, one in 1,000,000 would be longer.
const TIMES_MEDIAN: f64 = 20.0;
/// How many times more rows are a mistake where they cannot be a business that goes on: after so many
/// days, all on one day after a year, or so much sparser than the rest.
const MORE: f64 = 10.0;
const FAR: f64 = 5.0 * 365.25;
const SPARSER: f64 = 0.1;
/// Days of the shortest gap before which the earliest rows are a mistake: businesses start slowly.
const SLOW_START: i64 = 365;
/// Fewest days with orders that show a density.
const LEAST_DAYS: usize = 20;
/// Dates that programs write where there is none.
const PLACEHOLDERS: [(i32, u32, u32); 7] = [
    (1900, 1, 1),
    (1900, 1, 2),
    (1901, 1, 1),
    (1970, 1, 1),
    (1980, 1, 1),
    (2099, 12, 31),
    (2100, 1, 1),
];

/// The first and last plausible date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Days from 1970-01-01 to the first.
    pub first: i32,
    /// Days from 1970-01-01 to the last.
    pub last: i32,
}

impl Range {
    /// The range of plausible dates, from each day with its number of rows. Days must ascend.
    /// Returns `None` when all dates are plausible.
    pub fn of(days: &[(i32, u64)], contract: &Contract) -> Option<Self> {
        let (first, last) = (days.first()?.0, days.last()?.0);
        let mut range = Self { first, last };
        if days.len() >= LEAST_DAYS && contract.date_gap_days > 0 {
            let rows: u64 = days.iter().map(|(_, rows)| rows).sum();
            let allowed = (contract.date_gap_share * rows as f64).max(1.0);
            let usual = TIMES_MEDIAN * median_gap(days);
            let late = usual.max(f64::from(contract.date_gap_days));
            let early = usual.max(SLOW_START as f64);
            // A business may begin with few orders; it does not end with years of hardly any.
            let begins = Limits { gap: early, rows: allowed, density: 0.0 };
            let ends = Limits { gap: late, rows: allowed, density: SPARSER };
            range.first = cut(days.iter().copied(), begins).unwrap_or(first);
            range.last = cut(days.iter().rev().copied(), ends).unwrap_or(last);
            range.without_placeholders(days);
        }
        (range.first > first || range.last < last).then_some(range)
    }

    /// Leaves out a placeholder at either end, however many rows have it, if the next date is more
    /// than a year away.
    fn without_placeholders(&mut self, days: &[(i32, u64)]) {
        let is_placeholder = |day: &i32| {
            let dates =
                PLACEHOLDERS.iter().filter_map(|(y, m, d)| NaiveDate::from_ymd_opt(*y, *m, *d));
            dates.into_iter().any(|date| date.to_epoch_days() == *day)
        };
        let within = |day: &i32| (self.first..=self.last).contains(day);
        let real =
            || days.iter().map(|(day, _)| *day).filter(within).filter(|day| !is_placeholder(day));
        let far = |one: i32, other: i32| i64::from(one.abs_diff(other)) > SLOW_START;
        let (first, last) = (real().next(), real().next_back());
        if let Some(first) =
            first.filter(|first| is_placeholder(&self.first) && far(*first, self.first))
        {
            self.first = first;
        }
        if let Some(last) = last.filter(|last| is_placeholder(&self.last) && far(*last, self.last))
        {
            self.last = last;
        }
    }

    /// As [`Self::of`], from columns of dates, each with the number of rows that an entry stands for;
    /// one where there is no such column.
    ///
    /// # Errors
    /// When a column has another type: a bug in this program.
    pub fn of_columns(
        columns: &[(&Column, Option<&Column>)],
        contract: &Contract,
    ) -> PolarsResult<Option<Self>> {
        let mut counts = Counts::default();
        for (dates, rows) in columns {
            let dates = dates.cast(&DataType::Int32)?;
            let dates = dates.i32()?.iter();
            match rows {
                Some(rows) => {
                    let rows = rows.cast(&DataType::UInt64)?;
                    let rows = rows.u64()?.iter().map(Option::unwrap_or_default);
                    dates.zip(rows).for_each(|(day, rows)| counts.add(day, rows));
                }
                None => dates.for_each(|day| counts.add(day, 1)),
            }
        }
        Ok(Self::of(&counts.days(), contract))
    }

    /// Whether a date is outside the range.
    pub fn excludes(self, date: Expr) -> Expr {
        let bound = |day: i32| lit(day).cast(DataType::Date);
        date.clone().lt(bound(self.first)).or(date.gt(bound(self.last)))
    }

    /// What is to be said of rows outside the range.
    pub fn doubt(self, rows: usize, example: NaiveDate) -> Doubt {
        let [first, last] =
            [self.first, self.last].map(|day| NaiveDate::from_epoch_days(day).unwrap_or_default());
        Doubt::ImplausibleDates { rows, example, first, last }
    }
}

/// Whether a date is outside the range that the contract states.
pub fn outside_stated(date: Expr, contract: &Contract) -> Option<Expr> {
    let bound = |day: NaiveDate| lit(day.to_epoch_days()).cast(DataType::Date);
    let early = contract.earliest_date.map(|first| date.clone().lt(bound(first)));
    let late = contract.latest_date.map(|last| date.clone().gt(bound(last)));
    early.into_iter().chain(late).reduce(Expr::or)
}

/// Rows by day. Dates of an input lie within three centuries, so a list takes little memory and no
/// time to search.
#[derive(Default)]
struct Counts {
    /// The day of the first entry.
    first: i32,
    rows: VecDeque<u64>,
}

impl Counts {
    fn add(&mut self, day: Option<i32>, rows: u64) {
        const LONGEST: i32 = 1 << 20;
        let Some(day) = day.filter(|day| day.abs() < LONGEST) else {
            return;
        };
        if self.rows.is_empty() {
            self.first = day;
        }
        while day < self.first {
            self.rows.push_front(0);
            self.first -= 1;
        }
        let position = (day - self.first) as usize;
        if position >= self.rows.len() {
            self.rows.resize(position + 1, 0);
        }
        self.rows[position] += rows;
    }

    /// The days with rows, ascending.
    fn days(&self) -> Vec<(i32, u64)> {
        let all = (self.first..).zip(self.rows.iter().copied());
        all.filter(|(_, rows)| *rows > 0).collect()
    }
}

/// What makes rows at one end a mistake.
struct Limits {
    /// Days of the shortest gap between them and the rest.
    gap: f64,
    /// Most rows.
    rows: f64,
    /// Rows per day, as a share of those of the rest, below which [`MORE`] times as many are one too.
    density: f64,
}

/// Days from one end. The first day after the farthest gap with so few rows before it that they are a
/// mistake.
fn cut(days: impl Iterator<Item = (i32, u64)> + Clone, limits: Limits) -> Option<i32> {
    let all: u64 = days.clone().map(|(_, rows)| rows).sum();
    let (mut found, mut rows, mut count) = (None, 0u64, 0);
    let mut before: Option<i32> = None;
    let end = days.clone().next()?.0;
    let other_end = days.clone().last()?.0;
    for (day, here) in days {
        if rows as f64 > MORE * limits.rows {
            break;
        }
        if let Some(before) = before {
            let gap = f64::from(before.abs_diff(day));
            let length = |from: i32, to: i32| f64::from(from.abs_diff(to)) + 1.0;
            let density = rows as f64 / length(end, before);
            let rest = (all - rows) as f64 / length(day, other_end);
            let is_alone = count == 1 && gap > SLOW_START as f64;
            let is_few = rows as f64 <= limits.rows
                || gap >= FAR
                || is_alone
                || (count > 1 && density < limits.density * rest);
            if gap >= limits.gap && is_few {
                found = Some(day);
            }
        }
        rows += here;
        count += 1;
        before = Some(day);
    }
    found
}

/// Median number of days from one day with orders to the next.
fn median_gap(days: &[(i32, u64)]) -> f64 {
    let mut gaps: Vec<i32> = days.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).map_or(1.0, |gap| f64::from(*gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order a day for 200 days from day 19000, and others.
    fn range(others: &[(i32, u64)], contract: &Contract) -> Option<(i32, i32)> {
        let mut days: Vec<(i32, u64)> = (19_000..19_200).map(|day| (day, 1)).collect();
        days.extend(others);
        days.sort_unstable();
        Range::of(&days, contract).map(|range| (range.first, range.last))
    }

    #[test]
    fn a_few_rows_beyond_a_long_gap_are_implausible() {
        let contract = Contract::default();
        assert_eq!(range(&[], &contract), None);
        assert_eq!(range(&[(26_000, 1)], &contract), Some((19_000, 19_199)));
        assert_eq!(range(&[(19_250, 1)], &contract), Some((19_000, 19_199)));
        assert_eq!(range(&[(19_215, 1)], &contract), None);
        // Fifteen rows over three years are ten times sparser than one a day; as many in a month are not.
        let spread: Vec<(i32, u64)> = (0..15).map(|k| (19_300 + 70 * k, 1)).collect();
        assert_eq!(range(&spread, &contract), Some((19_000, 19_199)));
        let dense: Vec<(i32, u64)> = (0..15).map(|k| (19_300 + 2 * k, 1)).collect();
        assert_eq!(range(&dense, &contract), None);
        assert_eq!(range(&[(19_800, 15)], &contract), Some((19_000, 19_199)));
        assert_eq!(range(&[(25_000, 1), (26_000, 1)], &contract), Some((19_000, 19_199)));
        // One row of 203 is allowed to be a mistake after a month, and twenty after five years.
        assert_eq!(range(&[(19_300, 3)], &contract), None);
        assert_eq!(range(&[(26_000, 20)], &contract), Some((19_000, 19_199)));
        assert_eq!(range(&[(26_000, 30)], &contract), None);
        assert_eq!(range(&[(17_000, 1)], &contract), Some((19_000, 19_199)));
        assert_eq!(range(&[(18_900, 1)], &contract), None);
        // Years of few orders are how a business begins.
        let slow: Vec<(i32, u64)> = (0..10).map(|k| (17_600 + 100 * k, 1)).collect();
        assert_eq!(range(&slow, &contract), None);
    }

    #[test]
    fn placeholders_are_implausible_however_many_there_are() {
        let contract = Contract::default();
        assert_eq!(range(&[(0, 30)], &contract), Some((19_000, 19_199)));
        assert_eq!(range(&[(-25_567, 30), (0, 9)], &contract), Some((19_000, 19_199)));
        assert_eq!(range(&[(-25_567, 30), (-25_566, 9)], &contract), Some((19_000, 19_199)));
    }

    #[test]
    fn the_limits_can_be_set() {
        let off = Contract { date_gap_days: 0, ..Contract::default() };
        assert_eq!(range(&[(26_000, 1)], &off), None);
        let wide = Contract { date_gap_share: 0.05, ..Contract::default() };
        assert_eq!(range(&[(19_300, 3)], &wide), Some((19_000, 19_199)));
    }
}
