//! Tracking plot: actual repeat orders week by week, and those that the model expects of customers
//! who joined on the same days, over the calibration and on into the holdout.

use crate::customers::History;
use crate::error::Error;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::calendar::shape::date;
use crate::model::purchase_model::PurchaseModel;
use crate::results::forecast::Week;

/// Days per week.
const STEP: i32 = 7;

/// Where the log is cut, in days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Last day of the calibration.
    pub calibration_end: i32,
    /// Last day of the log.
    pub end: i32,
}

/// Tracks repeat orders week by week. `acquired` holds days and the customers who joined on them;
/// `orders` holds days and the orders on them, including first orders. Both are ascending by day.
///
/// # Formula
/// Σ n(s)·E\[X(t − s)\] over the days s on which n(s) customers joined, where E\[X\] is the
/// expected number of repeat orders of a new customer.
///
/// # Errors
/// [`Error::Model`] when an expectation cannot be computed to full accuracy.
///
/// # Reference
/// Fader, Hardie & Lee (2005), Marketing Science 24(2), figures 2 and 3.
pub fn track(
    model: &PurchaseModel,
    time: &OperationalTime,
    acquired: &[(i32, f64)],
    orders: &[(i32, f64)],
    stretch: Stretch,
) -> Result<Vec<Week>, Error> {
    let Some(&(start, _)) = acquired.first() else {
        return Ok(Vec::new());
    };
    let of_new = Expectations::up_to(model, time, start, stretch.end)?;
    let up_to = |series: &[(i32, f64)], day: i32| -> f64 {
        series.iter().take_while(|(d, _)| *d <= day).map(|(_, n)| n).sum()
    };
    let mut weeks = Vec::new();
    let (mut actual_before, mut expected_before) = (0.0, 0.0);
    for (first_day, last_day) in steps(start, stretch) {
        // The first order of each customer is not a repeat order: it is subtracted below.
        let joined = acquired.iter().take_while(|(day, _)| *day <= last_day);
        let expected: f64 = joined.map(|(day, n)| n * of_new.between(*day, last_day)).sum();
        let actual = up_to(orders, last_day) - up_to(acquired, last_day);
        weeks.push(Week {
            first_day: date(first_day),
            last_day: date(last_day),
            holdout: first_day > stretch.calibration_end,
            actual: actual - actual_before,
            expected: expected - expected_before,
            actual_cumulative: actual,
            expected_cumulative: expected,
        });
        (actual_before, expected_before) = (actual, expected);
    }
    Ok(weeks)
}

/// First and last day of each week. A week ends early where the calibration ends, so that no week
/// belongs to both parts.
fn steps(start: i32, stretch: Stretch) -> Vec<(i32, i32)> {
    let mut steps = Vec::new();
    let mut first = start;
    while first <= stretch.end {
        let limit = if first <= stretch.calibration_end {
            stretch.calibration_end.min(stretch.end)
        } else {
            stretch.end
        };
        let last = (first + STEP - 1).min(limit);
        steps.push((first, last));
        first = last + 1;
    }
    steps
}

/// Expected repeat orders of a new customer, in steps of a day of average length.
struct Expectations<'a> {
    time: &'a OperationalTime,
    after: Vec<f64>,
}

impl<'a> Expectations<'a> {
    fn up_to(
        model: &PurchaseModel,
        time: &'a OperationalTime,
        start: i32,
        end: i32,
    ) -> Result<Self, Error> {
        let days = match time.is_even() {
            true => end - start,
            // At least two steps, to lie between.
            false => (time.between(start, end) * time.unit_days()).ceil().max(0.0) as i32 + 1,
        };
        Ok(Self { time, after: expectations(model, time.unit_days(), days)? })
    }

    /// Those from the end of one day to the end of another. Between two steps the expectation is
    /// nearly straight: its curve over one day is less than a millionth of it.
    fn between(&self, from: i32, to: i32) -> f64 {
        if self.time.is_even() {
            return self.after[(to - from) as usize];
        }
        let days = (self.time.between(from, to) * self.time.unit_days()).max(0.0);
        let step = (days as usize).min(self.after.len() - 2);
        let part = days - step as f64;
        self.after[step] + part * (self.after[step + 1] - self.after[step])
    }
}

/// Expected repeat orders of a new customer after 0, 1, … `days` days.
fn expectations(model: &PurchaseModel, unit_days: f64, days: i32) -> Result<Vec<f64>, Error> {
    let after = |day: i32| {
        let age = f64::from(day) / unit_days;
        model.expected_orders(History::NEW, age).filter(|orders| orders.is_finite()).ok_or_else(
            || {
                Error::model(format!(
                    "the orders of a new customer after {day} days could not be computed"
                ))
            },
        )
    };
    (0..=days.max(0)).map(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::nbd::Nbd;
    use crate::model::testing::even;
    use crate::settings::TimeUnit;

    /// Without dropout E[X(t)] = r·t/α: two customers, one joining a week later.
    #[test]
    fn expectations_add_up_over_the_days_of_joining() {
        let model = PurchaseModel::Nbd(Nbd { r: 2.0, alpha: 10.0 });
        let acquired = [(100, 1.0), (107, 1.0)];
        let orders = [(100, 1.0), (105, 1.0), (107, 1.0), (112, 2.0)];
        let stretch = Stretch { calibration_end: 110, end: 114 };
        let weeks =
            track(&model, even(TimeUnit::Week), &acquired, &orders, stretch).expect("computed");
        let spans: Vec<_> = weeks.iter().map(|w| (w.first_day, w.last_day, w.holdout)).collect();
        let expected = [(100, 106, false), (107, 110, false), (111, 114, true)];
        assert_eq!(spans, expected.map(|(from, to, holdout)| (date(from), date(to), holdout)));
        let actual: Vec<f64> = weeks.iter().map(|w| w.actual).collect();
        assert_eq!(actual, [1.0, 0.0, 2.0]);
        let rate = 0.2 / 7.0;
        for (week, days) in weeks.iter().zip([6.0, 10.0 + 3.0, 14.0 + 7.0]) {
            let error = week.expected_cumulative / (rate * days) - 1.0;
            assert!(error.abs() < 1e-12, "{week:?}");
        }
    }
}
