//! The level of prices: how order values of one day are brought to the money of another, and what is
//! known of it.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::settings::FuturePrices;
use crate::settings::dates::{optional_date, plain_date};

/// Days per year.
const YEAR: f64 = 365.25;

/// The level of prices over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceLevel {
    /// The same factor every year, 1.4 for +40 %; null where `points` say it.
    pub yearly: Option<f64>,
    /// Levels of an index, from their first day on until the next; the last one holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<LevelPoint>,
}

/// One level of an index.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LevelPoint {
    /// Its first day.
    #[serde(with = "plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub from: NaiveDate,
    /// The level, on any scale.
    pub level: f64,
}

impl PriceLevel {
    /// A level with the same factor every year.
    pub fn even(yearly: f64) -> Self {
        Self { yearly: Some(yearly), points: Vec::new() }
    }

    /// The level of an index, with points in the order of time.
    pub fn of_index(points: Vec<LevelPoint>) -> Self {
        Self { yearly: None, points }
    }

    /// What a value of the day `from` is multiplied by to be in the money of the day `to`; days since
    /// 1970-01-01.
    ///
    /// # Formula
    /// level(to)/level(from), where the level is yearly^(day/365.25), or that of the index.
    pub fn factor(&self, from: i32, to: i32) -> f64 {
        match self.yearly {
            Some(yearly) => yearly.powf((f64::from(to) - f64::from(from)) / YEAR),
            None => self.on(to) / self.on(from),
        }
    }

    /// The level of the index on a day; 1 without an index.
    fn on(&self, day: i32) -> f64 {
        let after = self.points.partition_point(|point| point.from.to_epoch_days() <= day);
        self.points.get(after.saturating_sub(1)).map_or(1.0, |point| point.level)
    }

    /// The yearly factor as of the day `end`: of an index, that of the twelve months before its last
    /// level.
    ///
    /// Returns `None` when the index is shorter.
    pub fn yearly_at(&self, end: NaiveDate) -> Option<f64> {
        if self.yearly.is_some() {
            return self.yearly;
        }
        let last = self.points.iter().rfind(|point| point.from <= end)?;
        let before = last.from.checked_sub_months(Months::new(12))?;
        let first = self.points.first().filter(|first| first.from <= before)?;
        debug_assert!(first.from < last.from);
        Some(self.factor(before.to_epoch_days(), last.from.to_epoch_days()))
    }

    /// Whether it is a level: above 0, and in the order of time.
    pub fn is_sound(&self) -> bool {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        match self.yearly {
            Some(yearly) => positive(yearly) && self.points.is_empty(),
            None => {
                !self.points.is_empty()
                    && self.points.iter().all(|point| positive(point.level))
                    && self.points.windows(2).all(|pair| pair[0].from < pair[1].from)
            }
        }
    }
}

/// Where a price level comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// The order values of the same customers over time.
    Estimated,
    /// A yearly factor in the pipeline.
    Given,
    /// An index in a file.
    Index,
}

/// The yearly factor of order values within customers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceEstimate {
    /// The factor: 1.4 is +40 % a year.
    pub yearly: f64,
    /// Standard error of its logarithm.
    pub standard_error: f64,
    /// A logarithm nearer to 0 than this is chance.
    pub limit: f64,
    /// Mean age of an order in years, at the end.
    pub mean_age: f64,
}

/// Values of orders forecast from earlier days, against what came in the half-year after.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PastValues {
    /// Number of earlier days.
    pub cuts: u32,
    /// √mean (ln(actual/forecast))² of the value of all orders, from values as they were paid.
    pub plain: f64,
    /// The same, from values in the money of the cut, with what was known of prices then.
    pub corrected: f64,
}

/// Why a price level was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PriceRefusal {
    /// The log does not have two whole years.
    NeedsTwoYears,
    /// Too few customers ordered on several days.
    TooFew,
    /// The change is chance, or below 3 % a year.
    NoChange,
    /// Forecasts of the past were no better with it.
    NotBetter,
}

impl PriceRefusal {
    /// As in run.json.
    pub fn name(self) -> &'static str {
        match self {
            Self::NeedsTwoYears => "needs_two_years",
            Self::TooFew => "too_few",
            Self::NoChange => "no_change",
            Self::NotBetter => "not_better",
        }
    }
}

/// What is known of prices, and in which money the results are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceLevelEntry {
    /// Where the level comes from.
    pub basis: PriceBasis,
    /// Order values are in the money of this day; null where they stay as they were paid.
    #[serde(with = "optional_date")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub money_of: Option<NaiveDate>,
    /// The level; null where it was refused.
    pub level: Option<PriceLevel>,
    /// Whether the prices of the forecast stay or go on.
    pub future_prices: FuturePrices,
    /// The yearly factor with which they go on; null where they stay.
    pub future_yearly: Option<f64>,
    /// The factor within customers; null where it was not estimated.
    pub estimate: Option<PriceEstimate>,
    /// Forecasts of the past with and without the level; null where none could be made.
    pub past: Option<PastValues>,
    /// Why the level was not used; null where it was.
    pub refused: Option<PriceRefusal>,
    /// Last month of the index for which there is a level, as its first day; null without one.
    #[serde(with = "optional_date")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub index_until: Option<NaiveDate>,
}

impl PriceLevelEntry {
    /// The level that is used, and the day whose money the values are in.
    pub fn used(&self) -> Option<(&PriceLevel, NaiveDate)> {
        self.level.as_ref().zip(self.money_of)
    }

    /// Standard error of the logarithm of the yearly factor, and the mean age of an order in years; 0
    /// where the factor is given.
    pub fn error(&self) -> [f64; 2] {
        match (self.basis, &self.level, &self.estimate) {
            (PriceBasis::Estimated, Some(_), Some(estimate)) => {
                [estimate.standard_error, estimate.mean_age]
            }
            _ => [0.0; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn index(levels: &[(&str, f64)]) -> PriceLevel {
        let point = |(from, level): &(&str, f64)| LevelPoint { from: day(from), level: *level };
        PriceLevel::of_index(levels.iter().map(point).collect())
    }

    /// 1.4² over 730.5 days, and the way back.
    #[test]
    fn an_even_level_is_a_power_of_time() {
        let level = PriceLevel::even(1.4);
        assert!((level.factor(0, 1461) / 1.4f64.powi(4) - 1.0).abs() < 1e-14);
        assert!((level.factor(1461, 0) * 1.4f64.powi(4) - 1.0).abs() < 1e-14);
        assert_eq!(level.yearly_at(day("2020-01-01")), Some(1.4));
        assert!(level.is_sound() && !PriceLevel::even(0.0).is_sound());
    }

    /// A level holds until the next one, the first one before, the last one after.
    #[test]
    fn levels_of_an_index_hold_until_the_next() {
        let level = index(&[("2020-01-01", 100.0), ("2020-02-01", 110.0), ("2021-01-01", 150.0)]);
        let factor = |from, to| level.factor(day(from).to_epoch_days(), day(to).to_epoch_days());
        assert_eq!(factor("2020-01-01", "2020-01-31"), 1.0);
        assert_eq!(factor("2020-01-31", "2020-02-01"), 1.1);
        assert_eq!(factor("2019-05-05", "2030-01-01"), 1.5);
        assert_eq!(level.yearly_at(day("2021-06-30")), Some(1.5));
        // Until the end of 2020 the last level is that of February, and the index begins in January.
        assert_eq!(level.yearly_at(day("2020-12-31")), None);
        assert!(level.is_sound());
        assert!(!index(&[("2020-02-01", 1.0), ("2020-01-01", 1.0)]).is_sound());
        assert!(!index(&[("2020-02-01", -1.0)]).is_sound() && !index(&[]).is_sound());
    }
}
