//! A calendar in numbers that people know: months, years, events.

use std::collections::BTreeMap;

use chrono::Datelike;

use crate::model::calendar::fitted::CalendarFit;
use crate::model::calendar::shape::{SeasonShape, date};
use crate::results::calendar::{
    CalendarEntry, EventEntry, Gate, MonthAhead, SeasonEntry, SeasonSource, TrendEntry,
};
use crate::settings::Factor;

/// Months that are shown ahead, beside the rest of the first one.
const AHEAD: usize = 12;
/// Step of the differences by which standard errors are carried to the factors of months.
const STEP: f64 = 1e-4;

/// The calendar of a run whose observation ends on the day `end`.
pub(crate) fn described(
    calendar: Option<&CalendarFit>,
    gate: Option<Gate>,
    end: i32,
) -> CalendarEntry {
    let Some(fit) = calendar else {
        return CalendarEntry { gate, ..CalendarEntry::default() };
    };
    CalendarEntry {
        gate,
        season: season(fit),
        trend: trend(fit),
        events: events(fit),
        months_ahead: months_ahead(fit, end),
    }
}

/// Position among the coefficients of that of the trend.
fn of_trend(fit: &CalendarFit) -> usize {
    fit.shape.season_columns()
}

/// The standard error of a coefficient.
fn error_of(fit: &CalendarFit, column: usize) -> Option<f64> {
    let errors = fit.covariance.as_ref()?.log_standard_errors();
    errors.get(fit.parameters.len() + column).copied()
}

/// The trend's yearly factor e^g with its standard error e^g·SE(g).
fn trend(fit: &CalendarFit) -> Option<TrendEntry> {
    let column = of_trend(fit);
    let yearly = fit.shape.trend.then(|| fit.coefficients[column].exp())?;
    Some(TrendEntry { yearly, standard_error: error_of(fit, column).map(|error| error * yearly) })
}

fn events(fit: &CalendarFit) -> Vec<EventEntry> {
    let first = of_trend(fit) + usize::from(fit.shape.trend);
    let estimated = fit.shape.estimated_events();
    let mut all: Vec<EventEntry> = Vec::new();
    for event in &fit.shape.events {
        let name = event.name.trim().to_owned();
        if all.iter().any(|known| known.name == name) {
            continue;
        }
        let (factor, standard_error) = match event.factor {
            Factor::Known(factor) => (factor, None),
            Factor::Unknown(_) => {
                let position = estimated.iter().position(|known| **known == name).unwrap_or(0);
                let factor = fit.coefficients[first + position].exp();
                (factor, error_of(fit, first + position).map(|error| error * factor))
            }
        };
        all.push(EventEntry { name, factor, standard_error });
    }
    all
}

/// The season with standard errors by the delta method: √(gᵀ C g), with the slopes g of a month's
/// factor by differences.
fn season(fit: &CalendarFit) -> Option<SeasonEntry> {
    let months = fit.shape.months(&fit.coefficients)?;
    let source = match fit.shape.season {
        SeasonShape::Monthly => SeasonSource::Monthly,
        SeasonShape::Waves(_) => SeasonSource::Harmonics,
        SeasonShape::None => SeasonSource::Index,
    };
    let columns = fit.shape.season_columns();
    let slopes: Option<Vec<[f64; 12]>> = (0..columns)
        .map(|column| {
            let shifted = |step: f64| {
                let mut at = fit.coefficients.clone();
                at[column] += step;
                fit.shape.months(&at)
            };
            let (above, below) = (shifted(STEP)?, shifted(-STEP)?);
            Some(std::array::from_fn(|month| (above[month] - below[month]) / (2.0 * STEP)))
        })
        .collect();
    let errors = fit.covariance.as_ref().zip(slopes).map(|(covariance, slopes)| {
        let k = fit.parameters.len();
        std::array::from_fn(|month| {
            let term = |i: usize, j: usize| {
                slopes[i][month] * covariance.log_scale[k + i][k + j] * slopes[j][month]
            };
            let square: f64 =
                (0..columns).flat_map(|i| (0..columns).map(move |j| term(i, j))).sum();
            square.max(0.0).sqrt()
        })
    });
    let standard_errors = errors.filter(|_| source != SeasonSource::Index);
    Some(SeasonEntry { source, months, standard_errors })
}

/// Mean factors of the months after the day `end`.
fn months_ahead(fit: &CalendarFit, end: i32) -> Vec<MonthAhead> {
    // A year and the rest of a month; days without a known factor are left out.
    let last = (end + 1..=end + 31 * (AHEAD as i32 + 1))
        .take_while(|day| fit.shape.index.as_ref().is_none_or(|index| index.factor(*day).is_some()))
        .last();
    let Some(last) = last else { return Vec::new() };
    let mut sums: BTreeMap<(i32, u32), [f64; 2]> = BTreeMap::new();
    for (day, factor) in (end + 1..=last).zip(fit.factors(end + 1, last)) {
        let date = date(day);
        let sum = sums.entry((date.year(), date.month())).or_default();
        sum[0] += factor;
        sum[1] += 1.0;
    }
    let month = |((year, month), [sum, days]): ((i32, u32), [f64; 2])| MonthAhead {
        month: format!("{year}-{month:02}"),
        factor: sum / days,
    };
    sums.into_iter().take(AHEAD + 1).map(month).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calendar::shape::Shape;
    use crate::model::likelihood::covariance::Covariance;
    use crate::model::testing::{diagonal, relative};
    use crate::settings::Family;

    /// The NBD with one wave of the year, a trend of +20 %, and errors of 0.1 of every logarithm.
    fn fit() -> CalendarFit {
        let shape = Shape {
            season: SeasonShape::Waves(1),
            trend: true,
            reference: 18_700,
            ..Shape::default()
        };
        let covariance = Covariance {
            log_scale: diagonal(&[0.01; 5]),
            condition_number: 1.0,
            flattest: vec![0.0; 5],
        };
        CalendarFit {
            family: Family::Nbd,
            parameters: vec![1.0, 2.0],
            shape,
            coefficients: vec![0.3, 0.0, 1.2f64.ln()],
            log_likelihood: 0.0,
            covariance: Some(covariance),
        }
    }

    #[test]
    fn a_trend_is_a_yearly_factor() {
        let found = described(Some(&fit()), None, 18_700);
        let trend = found.trend.expect("a trend");
        assert!(relative(trend.yearly, 1.2) < 1e-12);
        assert!(relative(trend.standard_error.expect("an error"), 0.12) < 1e-12);
    }

    /// A small wave a·cos + b·sin has months 1 + a·c̄ + b·s̄, whose errors are 0.1·√(c̄² + s̄²), and
    /// c̄² + s̄² is sinc²(π/12) for the mean over a month: 0.9886.
    #[test]
    fn errors_of_months_follow_from_those_of_waves() {
        let mut fit = fit();
        fit.coefficients[0] = 1e-6;
        let season = described(Some(&fit), None, 18_700).season.expect("a season");
        for error in season.standard_errors.expect("errors") {
            assert!(relative(error, 0.1 * 0.988_6) < 5e-3, "{error}");
        }
    }

    #[test]
    fn months_ahead_begin_with_the_rest_of_a_month() {
        // 2021-03-14 is day 18,700.
        let found = described(Some(&fit()), None, 18_700);
        let names: Vec<&str> = found.months_ahead.iter().map(|m| m.month.as_str()).collect();
        assert_eq!((names[0], names[12], names.len()), ("2021-03", "2022-03", 13));
        let [peak, trough] = found.peak_and_trough().expect("a season");
        // The wave is highest at the turn of the year, and the trend makes the later one higher.
        assert_eq!((peak.month.as_str(), trough.month.as_str()), ("2022-01", "2021-06"));
    }
}
