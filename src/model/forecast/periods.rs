//! The weeks, months and horizons of the company's forecast.

use crate::results::forecast::{Period, Span};
use crate::settings::{MonthLength, TimeUnit};

/// Number of weeks that are forecast one by one.
pub(crate) const WEEKS: u32 = 52;

/// Number of months that are forecast one by one.
pub(crate) const MONTHS: u32 = 12;

/// Lengths of the cumulative forecasts, in months.
pub(crate) const HORIZONS: [u32; 4] = [1, 3, 6, 12];

/// The periods of a forecast: first the weeks, then the months, then the horizons.
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

/// Positions, in [`periods`], of the periods that contain a time in days: a week, a month and
/// horizons. A period includes its end, not its beginning.
pub fn periods_with(day: f64, month: MonthLength) -> impl Iterator<Item = usize> {
    // By division rather than by comparison with every period: the simulation asks for each order.
    let number = |length: f64| (day / length).ceil().max(1.0) as usize - 1;
    let (week, month) = (number(TimeUnit::Week.days()), number(month.days()));
    let (weeks, months) = (WEEKS as usize, MONTHS as usize);
    let within = (0..HORIZONS.len()).filter(move |h| month < HORIZONS[*h] as usize);
    let week = (week < weeks).then_some(week);
    let month = (month < months).then_some(weeks + month);
    week.into_iter().chain(month).chain(within.map(move |h| weeks + months + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTHS_OF: [(MonthLength, f64); 3] = [
        (MonthLength::Weeks(4.0), 28.0),
        (MonthLength::Weeks(4.345), 30.415),
        (MonthLength::Calendar, 30.4375),
    ];

    #[test]
    fn weeks_and_months_touch_and_horizons_begin_today() {
        for (month, days) in MONTHS_OF {
            let periods = periods(month);
            assert_eq!(periods.len(), 52 + 12 + 4);
            let of = |span| periods.iter().filter(move |p| p.span == span).collect::<Vec<_>>();
            for (span, count, length) in [(Span::Week, 52, 7.0), (Span::Month, 12, days)] {
                let found = of(span);
                assert_eq!(found.len(), count);
                for (i, period) in found.iter().enumerate() {
                    assert_eq!(period.number as usize, i + 1);
                    let (from, to) = (length * i as f64, length * (i + 1) as f64);
                    assert!((period.from_day - from).abs() < 1e-10, "{period:?}");
                    assert!((period.to_day - to).abs() < 1e-10, "{period:?}");
                    // Without a gap, also to rounding.
                    assert!(i == 0 || period.from_day == found[i - 1].to_day);
                }
            }
            // Each horizon ends where its last month ends.
            let months = of(Span::Month);
            let numbers: Vec<u32> = of(Span::Horizon).iter().map(|p| p.number).collect();
            assert_eq!(numbers, [1, 3, 6, 12]);
            for horizon in of(Span::Horizon) {
                assert_eq!(horizon.from_day, 0.0);
                assert_eq!(horizon.to_day, months[horizon.number as usize - 1].to_day);
            }
        }
    }

    #[test]
    fn a_day_is_in_the_periods_around_it() {
        for (month, days) in MONTHS_OF {
            let periods = periods(month);
            // Every quarter of a day, and a moment after it; the last day of a period is in it.
            for step in 1..=4 * 370 {
                for day in [0.25 * f64::from(step), 0.25 * f64::from(step) + 1e-6] {
                    let within = |p: &Period| p.from_day < day && day <= p.to_day;
                    let expected: Vec<usize> =
                        (0..periods.len()).filter(|i| within(&periods[*i])).collect();
                    let found: Vec<usize> = periods_with(day, month).collect();
                    assert_eq!(found, expected, "{days} {day}");
                }
            }
        }
        // By hand: day 30 is in week 5, and of months of 28 days in the second.
        let found: Vec<usize> = periods_with(30.0, MonthLength::Weeks(4.0)).collect();
        assert_eq!(found, [4, 53, 65, 66, 67]);
        // An order at the very end of the observation counts from the first day on.
        let found: Vec<usize> = periods_with(0.0, MonthLength::Calendar).collect();
        assert_eq!(found, [0, 52, 64, 65, 66, 67]);
    }
}
