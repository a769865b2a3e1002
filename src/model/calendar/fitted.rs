//! A calendar with its coefficients, and the time that it makes.

use serde::{Deserialize, Serialize};

use crate::customers::Histories;
use crate::model::calendar::likelihood::DayPatterns;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::calendar::shape::Shape;
use crate::model::likelihood::covariance::Covariance;
use crate::settings::Family;

/// A model and a calendar at their common optimum; or, without coefficients, a calendar that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarFit {
    /// The model.
    pub family: Family,
    /// Its parameters, in the time unit of the data, for days whose season is 1 in the mean.
    pub parameters: Vec<f64>,
    /// What the calendar is made of.
    pub shape: Shape,
    /// Its coefficients.
    pub coefficients: Vec<f64>,
    /// Log-likelihood in the time unit of the data.
    pub log_likelihood: f64,
    /// Covariance of the logarithms of the parameters, then of the coefficients; `None` where the
    /// information matrix is singular.
    pub covariance: Option<Covariance>,
}

impl CalendarFit {
    /// A calendar of known factors.
    pub(crate) fn known(shape: Shape) -> Self {
        Self {
            family: Family::Nbd,
            parameters: Vec::new(),
            shape,
            coefficients: Vec::new(),
            log_likelihood: 0.0,
            covariance: None,
        }
    }

    /// Σ ln m over repeat orders.
    pub(crate) fn log_factors(&self, data: &DayPatterns) -> f64 {
        let factors = self.factors(data.start, data.end);
        data.repeats.iter().zip(factors).map(|(orders, factor)| orders * factor.ln()).sum()
    }

    /// The factors of the days from `first` to `last`.
    pub fn factors(&self, first: i32, last: i32) -> Vec<f64> {
        self.shape.factors(&self.coefficients, first, last)
    }

    /// Operational time from the day `first` on, for an observation up to `end` and a forecast up to
    /// `last`.
    fn time(&self, unit_days: f64, end: i32, first: i32, last: i32) -> OperationalTime {
        OperationalTime::of(unit_days, end, first, &self.factors(first, last))
    }

    /// The first day from `first` to `last` for which a file of factors has none.
    pub fn missing(&self, first: i32, last: i32) -> Option<i32> {
        let index = self.shape.index.as_ref()?;
        (first..=last).find(|day| index.factor(*day).is_none())
    }

    /// Akaike's criterion.
    pub fn aic(&self) -> f64 {
        2.0 * (self.parameters.len() + self.coefficients.len()) as f64 - 2.0 * self.log_likelihood
    }
}

/// The time of customers whose observation ends on the day `end`, up to `ahead` days later;
/// `histories` are in calendar time, in units of `unit_days`.
pub(crate) fn time_of(
    calendar: Option<&CalendarFit>,
    histories: &Histories,
    unit_days: f64,
    end: i32,
    ahead: i32,
) -> OperationalTime {
    match calendar {
        None => OperationalTime::even(unit_days, end),
        Some(calendar) => {
            calendar.time(unit_days, end, first_day(histories, unit_days, end), end + ahead)
        }
    }
}

/// The day of the first order of all customers whose observation ends on the day `end`.
pub(crate) fn first_day(histories: &Histories, unit_days: f64, end: i32) -> i32 {
    let oldest = histories.age().iter().copied().fold(0.0, f64::max);
    end - (oldest * unit_days).round() as i32
}
