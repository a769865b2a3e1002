//! What the factor of a day is made of: a season, a trend, events, and factors that are known.
//!
//! # Formula
//! ln m(d) = Σ βₖ φₖ(d) + known(d) − c, where c makes the season's mean 1 over a year.
//! * Monthly: φₖ is 1 in month k and −1 in December, k = 1 … 11, so that the twelve logarithms add up
//!   to 0.
//! * Waves: cos and sin of 2πkd/365.25, k = 1 … K.
//! * Trend: (d − d₀)/365.25 with d₀ the observation end, where its factor is 1; it goes on for a year
//!   and stays there.
//! * Events: 1 on their days; events of one name share one column.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::settings::{Event, Factor};

/// Days per year.
pub(crate) const YEAR: f64 = 365.25;
/// A trend goes on for so many years beyond the observation; what comes later, nobody knows.
const CARRIED_ON: f64 = 1.0;
/// Four years have every day of the year.
const FOUR_YEARS: i32 = 1461;

/// The season of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeasonShape {
    /// None.
    #[default]
    None,
    /// A factor for each month.
    Monthly,
    /// So many waves of the year.
    Waves(u8),
}

/// Known factors, from a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Index {
    /// January to December of every year.
    Months([f64; 12]),
    /// Factors of single months, by 12·year + month − 1.
    Dated(BTreeMap<i32, f64>),
    /// Factors of single days, counted from 1970-01-01.
    Days(BTreeMap<i32, f64>),
}

/// Which factors there are; their sizes are coefficients.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Shape {
    /// The season.
    pub season: SeasonShape,
    /// Whether there is a trend.
    pub trend: bool,
    /// Events, with known factors or with factors to be estimated.
    pub events: Vec<Event>,
    /// Known factors.
    pub index: Option<Index>,
    /// The day on which the trend's factor is 1.
    pub reference: i32,
}

/// The date of a day that is counted from 1970-01-01.
pub(crate) fn date(day: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(day).unwrap_or_default()
}

fn month_of(day: i32) -> usize {
    date(day).month0() as usize
}

impl Index {
    /// The same factors with the mean 1 over the days from `first` to `last`: their level is part of
    /// the order rates. Days without a factor do not count.
    pub(crate) fn with_mean_one(self, first: i32, last: i32) -> Self {
        // The months of every year have the mean 1 over whole years.
        let (first, last) = match self {
            Self::Months(_) => (0, FOUR_YEARS - 1),
            _ => (first, last),
        };
        let known: Vec<f64> = (first..=last).filter_map(|day| self.factor(day)).collect();
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        if mean <= 0.0 {
            return self;
        }
        let divided =
            |map: BTreeMap<i32, f64>| map.into_iter().map(|(k, f)| (k, f / mean)).collect();
        match self {
            Self::Months(factors) => Self::Months(factors.map(|factor| factor / mean)),
            Self::Dated(factors) => Self::Dated(divided(factors)),
            Self::Days(factors) => Self::Days(divided(factors)),
        }
    }

    /// Whether every factor is a number above 0.
    pub(crate) fn is_sound(&self) -> bool {
        let sound = |factor: &f64| factor.is_finite() && *factor > 0.0;
        match self {
            Self::Months(factors) => factors.iter().all(sound),
            Self::Dated(factors) | Self::Days(factors) => factors.values().all(sound),
        }
    }

    /// The factor of a day; `None` where the file has none.
    pub fn factor(&self, day: i32) -> Option<f64> {
        match self {
            Self::Months(factors) => Some(factors[month_of(day)]),
            Self::Dated(factors) => {
                let date = date(day);
                factors.get(&(12 * date.year() + date.month0() as i32)).copied()
            }
            Self::Days(factors) => factors.get(&day).copied(),
        }
    }
}

impl Shape {
    /// Whether every day counts as 1 whatever the coefficients.
    pub fn is_even(&self) -> bool {
        self.columns() == 0 && self.events.is_empty() && self.index.is_none()
    }

    /// The same without what must be estimated.
    pub fn known_alone(&self) -> Self {
        let known = |event: &&Event| matches!(event.factor, Factor::Known(_));
        let events = self.events.iter().filter(known).cloned().collect();
        Self { season: SeasonShape::None, trend: false, events, ..self.clone() }
    }

    /// Whether every known factor is a number above 0, and there are 1 to 6 waves if any.
    pub(crate) fn is_sound(&self) -> bool {
        let known = |event: &Event| match event.factor {
            Factor::Known(factor) => factor.is_finite() && factor > 0.0,
            Factor::Unknown(_) => true,
        };
        let waves = match self.season {
            SeasonShape::Waves(waves) => (1..=6).contains(&waves),
            _ => true,
        };
        waves && self.events.iter().all(known) && self.index.as_ref().is_none_or(Index::is_sound)
    }

    /// Names of the events whose factors are estimated, each once.
    pub fn estimated_events(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for event in self.events.iter().filter(|e| matches!(e.factor, Factor::Unknown(_))) {
            if !names.contains(&event.name.trim()) {
                names.push(event.name.trim());
            }
        }
        names
    }

    /// Number of coefficients of the season.
    pub fn season_columns(&self) -> usize {
        match self.season {
            SeasonShape::None => 0,
            SeasonShape::Monthly => 11,
            SeasonShape::Waves(waves) => 2 * usize::from(waves),
        }
    }

    /// Number of coefficients: season, trend, events, in this order.
    pub fn columns(&self) -> usize {
        self.season_columns() + usize::from(self.trend) + self.estimated_events().len()
    }

    /// φ for each day from `first` to `last`, column by column.
    pub fn features(&self, first: i32, last: i32) -> Vec<Vec<f64>> {
        let mut columns = self.season_features(first, last);
        if self.trend {
            let years = |day: i32| (f64::from(day - self.reference) / YEAR).min(CARRIED_ON);
            columns.push((first..=last).map(years).collect());
        }
        for name in self.estimated_events() {
            let mut column = vec![0.0; (last - first + 1).max(0) as usize];
            for event in self.events.iter().filter(|event| event.name.trim() == name) {
                days_of(event, first, last).for_each(|i| column[i] = 1.0);
            }
            columns.push(column);
        }
        columns
    }

    fn season_features(&self, first: i32, last: i32) -> Vec<Vec<f64>> {
        match self.season {
            SeasonShape::None => Vec::new(),
            SeasonShape::Monthly => {
                let months: Vec<usize> = (first..=last).map(month_of).collect();
                let contrast = |k: usize| {
                    let of = |month: &usize| match *month {
                        month if month == k => 1.0,
                        11 => -1.0,
                        _ => 0.0,
                    };
                    months.iter().map(of).collect()
                };
                (0..11).map(contrast).collect()
            }
            SeasonShape::Waves(waves) => {
                let angle = |k: u8, day: i32| TAU * f64::from(k) * f64::from(day) / YEAR;
                let wave = |k: u8| {
                    [f64::cos, f64::sin]
                        .map(|of| (first..=last).map(|day| of(angle(k, day))).collect())
                };
                (1..=waves).flat_map(wave).collect()
            }
        }
    }

    /// The logarithm of the known factors for each day from `first` to `last`; days without one
    /// count as 1.
    pub fn known(&self, first: i32, last: i32) -> Vec<f64> {
        let of_index = |day: i32| {
            let factor = self.index.as_ref().and_then(|index| index.factor(day));
            factor.map_or(0.0, f64::ln)
        };
        let mut known: Vec<f64> = (first..=last).map(of_index).collect();
        for event in &self.events {
            if let Factor::Known(factor) = event.factor {
                days_of(event, first, last).for_each(|i| known[i] += factor.ln());
            }
        }
        known
    }

    /// c: the logarithm of the season's mean over a year, and its slopes by the coefficients.
    pub fn level(&self, coefficients: &[f64]) -> (f64, Vec<f64>) {
        let columns = self.season_features(0, FOUR_YEARS - 1);
        let factors: Vec<f64> = (0..FOUR_YEARS as usize)
            .map(|i| columns.iter().zip(coefficients).map(|(c, b)| b * c[i]).sum::<f64>().exp())
            .collect();
        let sum: f64 = factors.iter().sum();
        let mut slopes = vec![0.0; self.columns()];
        for (slope, column) in slopes.iter_mut().zip(&columns) {
            *slope = column.iter().zip(&factors).map(|(c, f)| c * f).sum::<f64>() / sum;
        }
        ((sum / f64::from(FOUR_YEARS)).ln(), slopes)
    }

    /// The factors of the days from `first` to `last`.
    pub fn factors(&self, coefficients: &[f64], first: i32, last: i32) -> Vec<f64> {
        let (level, _) = self.level(coefficients);
        let mut logs = self.known(first, last);
        for (column, coefficient) in self.features(first, last).iter().zip(coefficients) {
            logs.iter_mut().zip(column).for_each(|(log, value)| *log += coefficient * value);
        }
        logs.into_iter().map(|log| (log - level).exp()).collect()
    }

    /// The season alone: mean factors of January to December. `None` without one.
    pub fn months(&self, coefficients: &[f64]) -> Option<[f64; 12]> {
        let alone = Self { trend: false, events: Vec::new(), index: None, ..self.clone() };
        let season = match &self.index {
            Some(index @ Index::Months(_)) => Self { index: Some(index.clone()), ..alone },
            _ if self.season == SeasonShape::None => return None,
            _ => alone,
        };
        let factors = season.factors(coefficients, 0, FOUR_YEARS - 1);
        let mut sums = [[0.0; 2]; 12];
        for (day, factor) in factors.iter().enumerate() {
            let sum = &mut sums[month_of(day as i32)];
            sum[0] += factor;
            sum[1] += 1.0;
        }
        Some(sums.map(|[sum, days]| sum / days))
    }
}

/// Positions, counted from `first`, of the days of an event up to `last`.
fn days_of(event: &Event, first: i32, last: i32) -> impl Iterator<Item = usize> {
    let from = event.from.to_epoch_days().max(first);
    let to = event.to.to_epoch_days().min(last);
    (from..=to).map(move |day| (day - first) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::relative;
    use crate::settings::calendar::Estimate;

    fn day(text: &str) -> i32 {
        text.parse::<NaiveDate>().expect("a date").to_epoch_days()
    }

    fn event(name: &str, from: &str, to: &str, factor: Factor) -> Event {
        let [from, to] = [from, to].map(|text| text.parse().expect("a date"));
        Event { name: name.to_owned(), from, to, factor }
    }

    #[test]
    fn monthly_factors_have_the_mean_one() {
        let shape = Shape { season: SeasonShape::Monthly, ..Shape::default() };
        // November and December double before the mean is taken out: ln 2 less a twelfth of 2 ln 2.
        let log = |high: bool| if high { 2f64.ln() * 5.0 / 6.0 } else { -2f64.ln() / 6.0 };
        let coefficients: Vec<f64> = (0..11).map(|month| log(month == 10)).collect();
        let months = shape.months(&coefficients).expect("a season");
        // 61 of 365.25 days double: the others count 1/(1 + 61/365.25).
        let low = 1.0 / (1.0 + 61.0 / 365.25);
        for (month, factor) in months.iter().enumerate() {
            let expected = if month >= 10 { 2.0 * low } else { low };
            assert!(relative(*factor, expected) < 1e-12, "{month}: {factor}");
        }
        let factors = shape.factors(&coefficients, day("2021-10-31"), day("2021-11-01"));
        assert!(relative(factors[1] / factors[0], 2.0) < 1e-12, "{factors:?}");
    }

    #[test]
    fn waves_come_back_every_year_and_have_the_mean_one() {
        let shape = Shape { season: SeasonShape::Waves(2), ..Shape::default() };
        let coefficients = [0.3, -0.2, 0.1, 0.05];
        let first = day("2019-03-01");
        let factors = shape.factors(&coefficients, first, first + FOUR_YEARS - 1);
        let mean = factors.iter().sum::<f64>() / factors.len() as f64;
        assert!(relative(mean, 1.0) < 1e-12, "{mean}");
        let later = shape.factors(&coefficients, first + FOUR_YEARS, first + FOUR_YEARS);
        assert!(relative(later[0], factors[0]) < 1e-9);
    }

    #[test]
    fn a_trend_is_one_at_the_reference() {
        let reference = day("2021-06-01");
        let shape = Shape { trend: true, reference, ..Shape::default() };
        let factors = shape.factors(&[1.25f64.ln()], reference - FOUR_YEARS, reference);
        assert_eq!(factors[FOUR_YEARS as usize], 1.0);
        assert!(relative(factors[0], 1.25f64.powi(-4)) < 1e-12);
    }

    #[test]
    fn events_of_one_name_share_a_factor() {
        let unknown = Factor::Unknown(Estimate::Estimate);
        let shape = Shape {
            events: vec![
                event("Ramadan", "2020-04-24", "2020-05-23", unknown),
                event("Ramadan", "2021-04-13", "2021-05-12", unknown),
                event("lockdown", "2020-05-20", "2020-05-25", Factor::Known(0.5)),
            ],
            ..Shape::default()
        };
        assert_eq!(shape.columns(), 1);
        let factor = |text| shape.factors(&[1.2f64.ln()], day(text), day(text))[0];
        for (text, expected) in [
            ("2020-04-23", 1.0),
            ("2020-04-24", 1.2),
            ("2020-05-23", 0.6),
            ("2020-05-25", 0.5),
            ("2021-05-12", 1.2),
            ("2021-05-13", 1.0),
        ] {
            assert!(relative(factor(text), expected) < 1e-12, "{text}");
        }
    }

    /// The slopes of the level are those of the season's log mean.
    #[test]
    fn slopes_of_the_level_equal_differences() {
        for season in [SeasonShape::Monthly, SeasonShape::Waves(2)] {
            let shape = Shape { season, trend: true, ..Shape::default() };
            let at: Vec<f64> = (0..shape.columns()).map(|k| 0.05 * k as f64 - 0.1).collect();
            let (_, slopes) = shape.level(&at);
            for k in 0..at.len() {
                let shifted = |h: f64| {
                    let mut point = at.clone();
                    point[k] += h;
                    shape.level(&point).0
                };
                let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((slopes[k] - difference).abs() < 1e-9, "{season:?} {k}");
            }
        }
    }

    #[test]
    fn the_level_of_an_index_is_taken_out() {
        let factors = [(12 * 2021 + 4, 300.0), (12 * 2021 + 5, 500.0)].into_iter().collect();
        let index = Index::Dated(factors).with_mean_one(day("2021-05-31"), day("2021-06-01"));
        let found = ["2021-05-02", "2021-06-30"].map(|text| index.factor(day(text)));
        assert_eq!(found, [Some(0.75), Some(1.25)]);
        assert!(index.is_sound() && !Index::Months([0.0; 12]).is_sound());
    }

    #[test]
    fn an_index_of_months_holds_in_every_year() {
        let mut factors = [1.0; 12];
        factors[10] = 1.5;
        let shape = Shape { index: Some(Index::Months(factors)), ..Shape::default() };
        let found = shape.factors(&[], day("2031-11-30"), day("2031-12-01"));
        assert!(relative(found[0], 1.5) < 1e-12 && relative(found[1], 1.0) < 1e-12);
    }
}
