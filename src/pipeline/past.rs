//! Forecasts of the past: the model fitted again to the log as it was on earlier days, and what it
//! would have said of the time since.

use chrono::{Days, NaiveDate};

use crate::error::Error;
use crate::frame::summary::{log, to_histories};
use crate::model::calendar::fitted::{CalendarFit, time_of};
use crate::model::calendar::gate::HORIZON;
use crate::model::checks::calendar::{Pattern, SHORT_CHANGE};
use crate::model::evaluate::missed::{Total, total};
use crate::model::forecast::model_error::{Past, PastForecast};
use crate::model::{CustomerPatterns, fit_purchases};
use crate::model_file::ModelFile;
use crate::pipeline::checks::Checked;
use crate::pipeline::models::Fit;
use crate::pipeline::prepare::Prepared;
use crate::settings::Settings;

/// Most forecasts of the past.
const MOST: u64 = 5;
/// Fewer expected orders say nothing about the model.
const LEAST_EXPECTED: f64 = 20.0;
/// Blocks of four weeks in a quarter.
const QUARTER: usize = 3;

/// What the log says of the model's errors; `None` where there is no log to ask.
///
/// # Errors
/// [`Error::Engine`], never for a prepared input.
pub(crate) fn past(
    prepared: &Prepared,
    fit: &Fit,
    checked: &Checked,
    settings: &Settings,
) -> Result<Option<Past>, Error> {
    let Some(calendar) = &checked.calendar else { return Ok(None) };
    let horizon = f64::from(settings.forecast.longest()) * settings.forecast.weeks_per_month.days();
    let end = prepared.summary.observation_end;
    // A calendar that was estimated knows the whole log, so that only the forecasts by which it was
    // tried say what it is worth.
    let mut forecasts = of_gate(fit, horizon);
    // Half a horizon apart, so that every season of the year is among them.
    let own = if forecasts.is_empty() { MOST } else { 0 };
    for k in 0..own {
        let back = (horizon * (1.0 + 0.5 * k as f64)).ceil();
        if f64::from(calendar.days) - back < horizon {
            break;
        }
        let cut = end - Days::new(back as u64);
        let until = cut + Days::new(horizon.round() as u64);
        forecasts.extend(forecast_from(prepared, fit, settings, cut, until.min(end))?);
    }
    // Orders over the years between an average order and the middle of the forecast.
    let prices = checked.prices.filter(|prices| prices.rejected());
    let prices = prices.map(|p| (p.log_yearly, p.mean_age + horizon / 2.0 / 365.25));
    let quarter = |blocks: &[[f64; 2]]| {
        blocks.iter().fold([0.0; 2], |sum, block| [sum[0] + block[0], sum[1] + block[1]])
    };
    Ok(Some(Past {
        forecasts,
        quarters: calendar.blocks.rchunks(QUARTER).map(quarter).collect(),
        doubted: checked.doubted,
        change: change(&calendar.patterns, horizon),
        prices,
    }))
}

/// The forecasts by which an estimated calendar was tried, for a horizon of so many days.
///
/// # Formula
/// They look half a year ahead. What they missed is taken to grow in proportion over longer horizons:
/// ln(actual/expected)·horizon/182.
fn of_gate(fit: &Fit, horizon: f64) -> Vec<PastForecast> {
    let estimated = fit.purchases.calendar.as_ref().is_some_and(|c| !c.coefficients.is_empty());
    let gate = fit.purchases.gate.as_ref().filter(|_| estimated);
    let longer = (horizon / f64::from(HORIZON)).max(1.0);
    let one = |[expected, actual]: &[f64; 2]| PastForecast {
        expected: *expected,
        actual: expected * (actual / expected).powf(longer),
    };
    let totals = gate.iter().flat_map(|gate| &gate.totals);
    totals.filter(|[expected, actual]| *expected > 0.0 && *actual > 0.0).map(one).collect()
}

/// What a change of late adds to the error of a total over `horizon` days, as a standard deviation of
/// the logarithm.
///
/// # Formula
/// A change that began months ago may last or not: the truth lies anywhere between, ln(factor)/√3. A
/// short rise is over soon: the orders that it added make customers look livelier by its part of the
/// horizon. Factors beyond 4 say that data are missing, not by how much.
fn change(patterns: &[Pattern], horizon: f64) -> f64 {
    const LARGEST: f64 = 4.0;
    let one = |pattern: &Pattern| match pattern {
        Pattern::Change { days, share } => {
            let log = share.ln_1p().clamp(-LARGEST.ln(), LARGEST.ln()).abs();
            let short = *days < SHORT_CHANGE && *share > 0.0;
            if short { log * f64::from(*days) / horizon } else { log / 3f64.sqrt() }
        }
        _ => 0.0,
    };
    patterns.iter().map(one).sum()
}

/// What the chosen model would have forecast on the day `cut`, and what came until `until`.
///
/// Returns `None` where it could not be fitted, or expects too few orders.
fn forecast_from(
    prepared: &Prepared,
    fit: &Fit,
    settings: &Settings,
    cut: NaiveDate,
    until: NaiveDate,
) -> Result<Option<PastForecast>, Error> {
    let calendar = fit.purchases.calendar.as_ref();
    let Some(since) = since(prepared, settings, calendar, cut, until)? else { return Ok(None) };
    let Since { customers, actual, horizon } = since;
    let purchases = settings.purchases.with_model(fit.purchases.model.family());
    let Ok(fitted) = fit_purchases(&customers.patterns, &purchases, None) else {
        return Ok(None);
    };
    let expected = total(&fitted.model, &customers, horizon);
    let expected = expected.filter(|expected| *expected > LEAST_EXPECTED);
    Ok(expected.map(|expected| PastForecast { expected, actual }))
}

/// The orders since the fit of a given model, against what it expected then of the customers of that
/// day. `None` where there is no log, or no time since.
///
/// # Errors
/// [`Error::Engine`], never for a prepared input.
pub(crate) fn since_the_fit(
    prepared: &Prepared,
    given: &ModelFile,
    settings: &Settings,
) -> Result<Option<Total>, Error> {
    let (cut, end) = (given.observation_end, prepared.summary.observation_end);
    if !settings.is_comparable() || cut >= end {
        return Ok(None);
    }
    let (fitted, _) = given.fits()?;
    let calendar = fitted.calendar.as_ref();
    let Some(since) = since(prepared, settings, calendar, cut, end)? else { return Ok(None) };
    let Since { customers, actual, horizon } = since;
    let total = Total::of(&fitted, &customers, horizon, actual);
    Ok(total.filter(|total| total.expected > LEAST_EXPECTED))
}

/// The customers of an earlier day, and what they did after it.
struct Since {
    customers: CustomerPatterns,
    actual: f64,
    /// In the time of the customers.
    horizon: f64,
}

/// The customers as they were on the day `cut`, in the time of a calendar, and their orders until
/// `until`. `None` where nobody had ordered by then.
fn since(
    prepared: &Prepared,
    settings: &Settings,
    calendar: Option<&CalendarFit>,
    cut: NaiveDate,
    until: NaiveDate,
) -> Result<Option<Since>, Error> {
    let mut at_cut = settings.clone();
    at_cut.transactions.calibration_end = Some(cut);
    at_cut.transactions.observation_end = Some(until);
    let days = &prepared.input.cleaned.valid;
    let Ok(summary) = log::customer_summary(days.clone(), None, &at_cut) else { return Ok(None) };
    let histories = to_histories(&summary, &at_cut)?;
    let ahead = (until - cut).num_days() as i32;
    let unit = settings.summary.time_unit.days();
    let time = time_of(calendar, &histories, unit, cut.to_epoch_days(), ahead);
    let customers = CustomerPatterns::of(&time.histories(&histories));
    let orders = log::orders_by_day(days, cut, until)?;
    let later = orders.iter().filter(|(day, _)| *day > cut.to_epoch_days());
    let actual = later.map(|(_, orders)| orders).sum();
    let horizon = time.ahead(f64::from(ahead));
    Ok(Some(Since { customers, actual, horizon }))
}
