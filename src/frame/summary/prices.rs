//! Order values in the money of one day: each value times the price level of that day over that of its
//! own.

use chrono::NaiveDate;
use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{
    DAY, FIRST_ORDER, LAST_ORDER, ORDERS, PART, PARTS, REAL_PART, REAL_VALUE, REAL_WHOLE, VALUE,
    WHOLE, money,
};
use crate::frame::{numbers, one_date};
use crate::results::price_level::PriceLevel;

/// What a value is multiplied by.
const FACTOR: &str = "__factor";
/// Orders of a customer beyond these are spread as these are: the mean factor is the same.
const MOST_ORDERS: f64 = 100.0;

/// An order log's rows by customer and day, with [`REAL_VALUE`] in the money of the day `end`. Its
/// parts are integers, so that sums do not depend on the order of rows.
///
/// # Errors
/// [`Error::Engine`], never for rows by customer and day.
pub fn with_real_values(
    days: LazyFrame,
    level: &PriceLevel,
    end: NaiveDate,
) -> Result<LazyFrame, Error> {
    let [first, last] = [one_date(&days, col(DAY).min())?, one_date(&days, col(DAY).max())?];
    let (first, last) = (first.to_epoch_days(), last.to_epoch_days());
    let all: Vec<i32> = (first..=last).collect();
    let factors: Vec<f64> = all.iter().map(|day| level.factor(*day, end.to_epoch_days())).collect();
    let table = || -> PolarsResult<DataFrame> {
        let days = Column::new(DAY.into(), all).cast(&DataType::Date)?;
        DataFrame::new(days.len(), vec![days, Column::new(FACTOR.into(), factors)])
    };
    let table = table().map_err(Error::engine("look up price levels"))?;
    let real = || col(VALUE) * col(FACTOR);
    let part = (real() - real().floor()) * lit(PARTS);
    let priced = days
        .join(table.lazy(), [col(DAY)], [col(DAY)], JoinArgs::new(JoinType::Left))
        .with_columns([
            real().floor().cast(DataType::Int64).alias(REAL_WHOLE),
            (part + lit(0.5)).floor().cast(DataType::Int64).alias(REAL_PART),
        ])
        .with_column(money(REAL_WHOLE, REAL_PART).alias(REAL_VALUE));
    Ok(priced)
}

/// An order log's rows by customer and day, with every value in the money of the day `end`.
///
/// # Errors
/// As [`with_real_values`].
pub fn in_money_of(
    days: &LazyFrame,
    level: Option<&PriceLevel>,
    end: NaiveDate,
) -> Result<LazyFrame, Error> {
    let Some(level) = level else { return Ok(days.clone()) };
    let real = [(REAL_VALUE, VALUE), (REAL_WHOLE, WHOLE), (REAL_PART, PART)];
    let real = real.map(|(from, to)| col(from).alias(to));
    Ok(with_real_values(days.clone(), level, end)?.with_columns(real))
}

/// Customers of an export with [`REAL_VALUE`], their spend in the money of the day `end`.
///
/// # Formula
/// The spend times the mean of level(end)/level(day) over the days of the orders. An export does not
/// have these, so that orders are taken to be evenly spread from the first to the last.
///
/// # Errors
/// [`Error::Engine`], never for valid rows.
pub fn with_real_spend(
    customers: LazyFrame,
    level: &PriceLevel,
    end: NaiveDate,
) -> Result<LazyFrame, Error> {
    let failed = || Error::engine("bring the spend to one price level");
    let frame = customers.collect().map_err(failed())?;
    let day = |name: &str| -> Result<Vec<i32>, Error> {
        let days = || -> PolarsResult<Vec<i32>> {
            let days = frame.column(name)?.cast(&DataType::Int32)?;
            Ok(days.i32()?.iter().map(Option::unwrap_or_default).collect())
        };
        days().map_err(failed())
    };
    let (first, last) = (day(FIRST_ORDER)?, day(LAST_ORDER)?);
    let orders = numbers(&frame, ORDERS)?;
    let end = end.to_epoch_days();
    let each = first.iter().zip(&last).zip(&orders);
    let factors: Vec<f64> =
        each.map(|((first, last), n)| mean_factor(level, [*first, *last], *n, end)).collect();
    let factors = Column::new(FACTOR.into(), factors);
    let frame = frame.hstack(&[factors]).map_err(failed())?;
    Ok(frame.lazy().with_column((col(VALUE) * col(FACTOR)).alias(REAL_VALUE)))
}

/// The mean factor of `orders` that are evenly spread from the first day to the last.
fn mean_factor(level: &PriceLevel, [first, last]: [i32; 2], orders: f64, end: i32) -> f64 {
    let count = orders.round().clamp(1.0, MOST_ORDERS) as i32;
    if first == last || count < 2 {
        return level.factor(first, end);
    }
    let step = f64::from(last - first) / f64::from(count - 1);
    let day = |k: i32| first + (f64::from(k) * step).round() as i32;
    (0..count).map(|k| level.factor(day(k), end)).sum::<f64>() / f64::from(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) -> bool {
        (value / expected - 1.0).abs() < 1e-12
    }

    /// Two values of 10 and 20, a year and none before the end, at +40 % a year: 14 and 20.
    #[test]
    fn values_of_a_log_are_in_the_money_of_the_end() {
        let end = NaiveDate::from_epoch_days(1461).expect("a day");
        let frame = df![
            DAY => [0, 1461], VALUE => [10.0, 20.0], WHOLE => [10i64, 20], PART => [0i64, 0],
        ];
        let frame = frame.expect("a frame").lazy().with_column(col(DAY).cast(DataType::Date));
        let level = PriceLevel::even(1.4);
        let real = in_money_of(&frame, Some(&level), end)
            .and_then(|real| real.collect().map_err(Error::engine("collect")));
        let real = real.expect("values");
        let values = numbers(&real, VALUE).expect("numbers");
        // Sums of money are exact to a billionth.
        assert!((values[0] - 10.0 * 1.4f64.powi(4)).abs() < 1e-9 && values[1] == 20.0);
        let plain = in_money_of(&frame, None, end).expect("unchanged").collect().expect("a frame");
        assert_eq!(numbers(&plain, VALUE).expect("numbers"), [10.0, 20.0]);
    }

    /// At +40 % a year over four years: an order of the first day counts 1.4⁴, and the second of three is
    /// in the middle, on day 730.5, which rounds to 731.
    #[test]
    fn spend_of_an_export_is_spread_evenly() {
        let level = PriceLevel::even(1.4);
        let (first, last, end) = (0, 1461, 1461);
        let at = |day: f64| 1.4f64.powf((1461.0 - day) / 365.25);
        assert!(close(mean_factor(&level, [first, first], 3.0, end), at(0.0)));
        assert!(close(mean_factor(&level, [first, last], 2.0, end), (at(0.0) + 1.0) / 2.0));
        let three = (at(0.0) + at(731.0) + 1.0) / 3.0;
        assert!(close(mean_factor(&level, [first, last], 3.0, end), three));
        // Many orders have the mean of a hundred, which is that of the whole stretch to 1 %.
        let mean = (1.4f64.powi(4) - 1.0) / 4.0 / 1.4f64.ln();
        let many = mean_factor(&level, [first, last], 1e6, end);
        assert!((many / mean - 1.0).abs() < 0.01, "{many} {mean}");
    }
}
