//! What is uneven in a simulated world: the season, the trend and events of the order rates, the
//! regularity of buyers, and prices.

use std::f64::consts::TAU;

use chrono::{Datelike, Days, NaiveDate};

/// Days per year.
pub(super) const YEAR: f64 = 365.25;
/// Days of the months; February has 28.25 on average.
const MONTH_DAYS: [f64; 12] =
    [31.0, 28.25, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0];
/// Factors beyond this, or below its inverse, are taken for a slip. They would also make more
/// orders than memory holds.
pub const MOST: f64 = 1_000.0;
/// More stages than this between two orders are taken for a slip: customers would buy by the clock.
pub const MOST_STAGES: u32 = 100;

/// A world; by default every day is like any other, buyers buy at any time, and prices stay.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The season of the order rates.
    pub season: Season,
    /// Yearly factor of the order rates; their level is 1 at the end of the observation.
    pub trend: f64,
    /// Days with order rates of their own.
    pub events: Vec<Event>,
    /// K: a gap between orders is the sum of K exponential stages of rate K·λ (Erlang-K), so that
    /// its mean stays 1/λ. 1 is the BG/NBD; in (M)BG/CNBD-k, whose stages have rate λ, such a
    /// population has α/K for α.
    pub stages: u32,
    /// Yearly factor of order values; their level is 1 at the end of the observation.
    pub inflation: f64,
}

impl Default for World {
    fn default() -> Self {
        Self { season: Season::Even, trend: 1.0, events: Vec::new(), stages: 1, inflation: 1.0 }
    }
}

/// A season: a factor of each day of a year, on average 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Season {
    /// No season.
    Even,
    /// A factor of each month from January on. They are divided by their mean over a year.
    Months([f64; 12]),
    /// 1 + amplitude·cos(2π·(time since the peak in years)).
    Sine {
        /// From 0 to below 1.
        amplitude: f64,
        /// Month in whose middle the peak is: 1 to 12.
        peak: u32,
    },
}

/// Days with a factor of their own, which multiplies that of the season and the trend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Factor of the order rates.
    pub factor: f64,
}

impl World {
    /// m(day): the factor of all order rates on the day that is `back` days before `end`.
    ///
    /// # Formula
    /// m = season(day) · trend^(−back/365.25) · Π factors of the events that hold the day.
    pub fn pace(&self, end: NaiveDate, back: u32) -> f64 {
        let day = end.checked_sub_days(Days::new(back.into())).unwrap_or(end);
        let events = self.events.iter().filter(|event| (event.from..=event.to).contains(&day));
        let events: f64 = events.map(|event| event.factor).product();
        self.season.factor(day) * self.trend.powf(-f64::from(back) / YEAR) * events
    }

    /// Whether all days are alike.
    pub fn is_even(&self) -> bool {
        self.season == Season::Even && self.trend == 1.0 && self.events.is_empty()
    }

    /// Factor of order values a number of days before the end.
    pub fn price_level(&self, days_before_end: f64) -> f64 {
        self.inflation.powf(-days_before_end / YEAR)
    }

    /// What cannot be, one sentence each.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.season.faults();
        for (name, factor) in [("trend", self.trend), ("inflation", self.inflation)] {
            if !possible(factor) {
                faults.push(format!(
                    "--{name} {factor}: write a yearly factor above 0 and at most {MOST}, such as \
                     1.25"
                ));
            }
        }
        for Event { from, to, factor } in &self.events {
            if from > to || !possible(*factor) {
                faults.push(format!(
                    "--events {from}..{to}={factor}: the first day must not be after the last, and \
                     the factor must be above 0 and at most {MOST}"
                ));
            }
        }
        if !(1..=MOST_STAGES).contains(&self.stages) {
            faults.push(format!(
                "--erlang {}: write a whole number of stages from 1 to {MOST_STAGES}",
                self.stages
            ));
        }
        faults
    }
}

/// Whether a factor is a number above 0 that is not out of all proportion.
pub(super) fn possible(factor: f64) -> bool {
    (1.0 / MOST..=MOST).contains(&factor)
}

impl Season {
    /// The factor of a day; its mean over a year is 1.
    fn factor(&self, day: NaiveDate) -> f64 {
        match self {
            Self::Even => 1.0,
            Self::Months(factors) => factors[day.month0() as usize] / mean_of_year(factors),
            Self::Sine { amplitude, peak } => {
                let before: f64 = MONTH_DAYS[..peak.saturating_sub(1) as usize].iter().sum();
                let middle = before + MONTH_DAYS[peak.saturating_sub(1) as usize] / 2.0;
                // The middle of the day.
                let since = f64::from(day.ordinal0()) + 0.5 - middle;
                1.0 + amplitude * (TAU * since / YEAR).cos()
            }
        }
    }

    fn faults(&self) -> Vec<String> {
        match self {
            Self::Months(factors) if !factors.iter().all(|factor| possible(*factor)) => {
                vec![format!(
                    "--season: the factor of each month must be above 0 and at most {MOST}"
                )]
            }
            Self::Sine { amplitude, peak }
                if !(0.0..1.0).contains(amplitude) || !(1..=12).contains(peak) =>
            {
                vec![format!(
                    "--season sine:{amplitude}@{peak}: the amplitude must be from 0 to below 1, and \
                     the month of the peak from 1 to 12"
                )]
            }
            _ => Vec::new(),
        }
    }
}

/// Mean over the days of a year of a factor of each month.
fn mean_of_year(factors: &[f64; 12]) -> f64 {
    factors.iter().zip(MONTH_DAYS).map(|(factor, days)| factor * days).sum::<f64>() / YEAR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn mean_over_four_years(season: Season) -> f64 {
        let days = (0..1461).map(|back| day("2023-12-31") - Days::new(back));
        days.map(|day| season.factor(day)).sum::<f64>() / 1461.0
    }

    /// November and December at 2.5, on average (304.25 + 61·2.5)/365.25 = 1.2505.
    #[test]
    fn a_season_is_1_on_average_and_keeps_its_shape() {
        let mut factors = [1.0; 12];
        (factors[10], factors[11]) = (2.5, 2.5);
        let months = Season::Months(factors);
        assert!((mean_over_four_years(months) - 1.0).abs() < 1e-12);
        let [high, low] = ["2023-11-01", "2023-10-31"].map(|text| months.factor(day(text)));
        assert!((high / low / 2.5 - 1.0).abs() < 1e-12);
        assert!((high / (2.5 * 365.25 / (304.25 + 61.0 * 2.5)) - 1.0).abs() < 1e-12);
        let sine = Season::Sine { amplitude: 0.5, peak: 11 };
        // A year of 365 or 366 days is not exactly one turn.
        assert!((mean_over_four_years(sine) - 1.0).abs() < 1e-3);
        assert!((sine.factor(day("2023-11-15")) / 1.5 - 1.0).abs() < 1e-3);
        assert!((sine.factor(day("2023-05-17")) / 0.5 - 1.0).abs() < 1e-3);
    }

    #[test]
    fn the_trend_is_1_at_the_end_and_events_multiply() {
        let event = |from, to, factor| Event { from: day(from), to: day(to), factor };
        let world = World {
            trend: 1.21,
            events: vec![
                event("2023-03-01", "2023-03-10", 0.5),
                event("2023-03-10", "2023-03-12", 3.0),
            ],
            ..World::default()
        };
        let end = day("2023-12-31");
        let pace = |text: &str| {
            let back = (end - day(text)).num_days() as u32;
            world.pace(end, back) / 1.21f64.powf(-f64::from(back) / YEAR)
        };
        assert_eq!(world.pace(end, 0), 1.0);
        // 731 days are twice a year, but for half a day.
        assert!((world.pace(end, 731) * 1.21 * 1.21 - 1.0).abs() < 1e-3);
        for (text, factor) in [
            ("2023-02-28", 1.0),
            ("2023-03-01", 0.5),
            ("2023-03-10", 1.5),
            ("2023-03-12", 3.0),
            ("2023-03-13", 1.0),
        ] {
            assert!((pace(text) / factor - 1.0).abs() < 1e-12, "{text}");
        }
    }
}
