//! A price index: a small file with a level for each month or day.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};

use crate::error::Error;
use crate::frame::input::dated_factors::{self, DatedFactor, When, words};
use crate::results::price_level::LevelPoint;

/// Reads an index: its levels in the order of time, a month as its first day. There is at least one,
/// and no month between the first and the last is without one.
///
/// # Errors
/// [`Error::Settings`] when the file is no such index, with what is wrong.
pub fn read(path: &str) -> Result<Vec<LevelPoint>, Error> {
    let fault = |fault: String| Error::Settings { place: path.to_owned(), faults: vec![fault] };
    points(&dated_factors::read(path)?).map_err(fault)
}

fn points(levels: &[DatedFactor]) -> Result<Vec<LevelPoint>, String> {
    let mut found = BTreeMap::new();
    for DatedFactor { when, factor } in levels {
        let from = match when {
            When::Day(day) => Some(*day),
            When::MonthOf(year, month) => NaiveDate::from_ymd_opt(*year, *month, 1),
            When::Month(_) => None,
        };
        let from = from.ok_or_else(|| {
            format!("{} is of no year: a price index has months such as 2021-06", words(*when))
        })?;
        found.insert(from, *factor);
    }
    let points: Vec<LevelPoint> =
        found.into_iter().map(|(from, level)| LevelPoint { from, level }).collect();
    let month = |date: NaiveDate| date.year() * 12 + date.month0() as i32;
    let gap = points.windows(2).find(|pair| month(pair[1].from) > month(pair[0].from) + 1);
    match gap {
        Some([before, after]) => {
            let missing = before.from.checked_add_months(Months::new(1)).unwrap_or(after.from);
            Err(format!(
                "there is no level for {} between {} and {}: add the missing months",
                missing.format("%Y-%m"),
                before.from.format("%Y-%m"),
                after.from.format("%Y-%m")
            ))
        }
        _ => Ok(points),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(months: &[(i32, u32)]) -> Vec<DatedFactor> {
        let one = |(year, month): &(i32, u32)| DatedFactor {
            when: When::MonthOf(*year, *month),
            factor: f64::from(*month),
        };
        months.iter().map(one).collect()
    }

    #[test]
    fn levels_are_in_the_order_of_time() {
        let found = points(&months(&[(2020, 12), (2021, 1), (2020, 11)])).expect("an index");
        let found: Vec<(String, f64)> =
            found.iter().map(|point| (point.from.to_string(), point.level)).collect();
        let expected = [("2020-11-01", 11.0), ("2020-12-01", 12.0), ("2021-01-01", 1.0)]
            .map(|(d, l)| (d.to_owned(), l));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_gap_and_months_without_a_year_are_refused() {
        let fault = points(&months(&[(2020, 11), (2021, 2)])).expect_err("a gap");
        assert!(fault.contains("no level for 2020-12 between 2020-11 and 2021-02"), "{fault}");
        let season = [DatedFactor { when: When::Month(6), factor: 1.0 }];
        let fault = points(&season).expect_err("no year");
        assert!(fault.contains("month 6 is of no year"), "{fault}");
    }
}
