//! The weeks, months and horizons of a forecast.

use crate::results::forecast::{Period, Span};
use crate::settings::{MonthLength, TimeUnit};

/// Weeks that are forecast one by one.
pub(crate) const WEEKS: u32 = 52;

/// Months that are forecast one by one.
pub(crate) const MONTHS: u32 = 12;

/// Months of the cumulated forecasts.
pub(crate) const HORIZONS: [u32; 4] = [1, 3, 6, 12];

/// The periods of a forecast: weeks, months, horizons.
pub fn periods(month: MonthLength) -> Vec<Period> {
    let each = |span, days: f64, count| {
        (1..=count).map(move |number| Period {
            span,
            number,
            from_day: f64::from(number - 1) * days,
            to_day: f64::from(number) * days,
        })
    };
    let horizon = |&number: &u32| Period {
        span: Span::Horizon,
        number,
        from_day: 0.0,
        to_day: f64::from(number) * month.days(),
    };
    let weeks = each(Span::Week, TimeUnit::Week.days(), WEEKS);
    weeks
        .chain(each(Span::Month, month.days(), MONTHS))
        .chain(HORIZONS.iter().map(horizon))
        .collect()
}

/// Positions among [`periods`] of those that hold a day.
pub fn periods_with(day: f64, month: MonthLength) -> impl Iterator<Item = usize> {
    let number = |length: f64| (day / length).ceil().max(1.0) as usize - 1;
    let (week, month) = (number(TimeUnit::Week.days()), number(month.days()));
    let (weeks, months) = (WEEKS as usize, MONTHS as usize);
    let within = (0..HORIZONS.len()).filter(move |h| month < HORIZONS[*h] as usize);
    let week = (week < weeks).then_some(week);
    let month = (month < months).then_some(weeks + month);
    week.into_iter().chain(month).chain(within.map(move |h| weeks + months + h))
}
