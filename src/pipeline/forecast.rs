//! The forecast of the company: orders and revenue by period and group, with intervals, and the
//! tracking of past orders.

use crate::customers::CustomerIntervals;
use crate::error::Error;
use crate::frame::scored::predictions;
use crate::frame::summary::log;
use crate::model::evaluate::tracking::{Stretch, track};
use crate::model::forecast::company;
use crate::model::forecast::intervals::{customer_intervals, total_intervals_after};
use crate::pipeline::checks::Checked;
use crate::pipeline::models::Fit;
use crate::pipeline::notices;
use crate::pipeline::past::past;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::remedies::with_remedy;
use crate::pipeline::segments::Segmented;
use crate::progress::Clock;
use crate::results::findings::Finding;
use crate::results::forecast::{ForecastRow, Intervals, Week};
use crate::settings::{Settings, Uncertainty, UncertaintyMethod};

/// Customers in the list of those who are expected to order most.
const MOST_ORDERS: usize = 10;

/// What the company can expect.
pub(crate) struct CompanyForecast {
    /// Orders and revenue by group and period.
    pub(crate) periods: Vec<ForecastRow>,
    /// The customers who are expected to order most in the next month, most first.
    pub(crate) next_month: Vec<(String, f64)>,
    /// Repeat orders by week, expected and actual; empty where they cannot be compared.
    pub(crate) tracking: Vec<Week>,
    /// Intervals of totals, where the pipeline asks for them and parameters can be drawn.
    pub(crate) intervals: Option<Intervals>,
    /// Why there are no intervals of totals, where the pipeline asks for them.
    pub(crate) without_intervals: Option<Finding>,
    /// Intervals of each customer by horizon; empty where the pipeline asks for none.
    pub(crate) customers: Vec<CustomerIntervals>,
}

/// Forecasts the company.
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
pub(crate) fn forecast_company(
    prepared: &Prepared,
    fit: &Fit,
    checked: &Checked,
    segmented: &Segmented,
    settings: &Settings,
    clock: &mut Clock,
) -> Result<CompanyForecast, Error> {
    clock.enter("forecast the company");
    let outlook = fit.outlook(prepared, settings);
    let model = &fit.purchases.model;
    let next_month = company::next_month(model, &outlook)?;
    let groups = &segmented.groups;
    let periods = company::forecast(model, &fit.predictions, &next_month, groups, &outlook)?;
    let most = predictions::highest_customers(&segmented.frame, &next_month, MOST_ORDERS)?;
    let tracking = tracking(prepared, fit, settings)?;
    clock.enter("draw intervals");
    let wanted = settings.uncertainty.as_ref();
    let past = match wanted {
        Some(_) => past(prepared, fit, checked, settings)?,
        None => None,
    };
    let spend = fit.spend.as_ref();
    let draw = |wanted: &Uncertainty| {
        total_intervals_after(wanted, &fit.purchases, spend, &outlook, groups, past.as_ref())
    };
    let totals = wanted.map(|wanted| {
        draw(wanted).or_else(|error| match by_refits(wanted, prepared, fit) {
            Some(wanted) => draw(&wanted).map_err(|_| error),
            None => Err(error),
        })
    });
    let customers = wanted.map(|u| customer_intervals(u.level, model, &outlook));
    // Totals need parameters that can be drawn, and customers a distribution that is not too wide.
    // Without them the rest of the run is still valid.
    let missing = |error| notices::without_intervals(&with_remedy(error));
    let (customers, without_customers) = match customers {
        Some(Ok(customers)) => (customers, None),
        Some(Err(error)) => (Vec::new(), Some(missing(error))),
        None => (Vec::new(), None),
    };
    let (intervals, without_intervals) = match totals {
        Some(Ok(intervals)) => (Some(intervals), without_customers),
        Some(Err(error)) => (None, Some(missing(error))),
        None => (None, None),
    };
    let drawn = intervals.as_ref().map(|intervals: &Intervals| intervals.periods.as_slice());
    Ok(CompanyForecast {
        periods: company::with_intervals(periods, drawn),
        next_month: most,
        tracking,
        intervals,
        without_intervals,
        customers,
    })
}

/// The settings with parameters from refits, where those of the normal approximation cannot be drawn
/// and refits are quick; `None` elsewhere.
fn by_refits(wanted: &Uncertainty, prepared: &Prepared, fit: &Fit) -> Option<Uncertainty> {
    const MOST_CUSTOMERS: usize = 5_000;
    const MOST_DRAWS: u32 = 300;
    let quick = prepared.histories.len() <= MOST_CUSTOMERS && !fit.given;
    (quick && wanted.method == UncertaintyMethod::Normal).then(|| Uncertainty {
        method: UncertaintyMethod::Bootstrap,
        draws: wanted.draws.min(MOST_DRAWS),
        ..wanted.clone()
    })
}

/// Repeat orders by week, where the model's expectation for a new customer can be compared with
/// them.
fn tracking(prepared: &Prepared, fit: &Fit, settings: &Settings) -> Result<Vec<Week>, Error> {
    if !settings.is_comparable() {
        return Ok(Vec::new());
    }
    let unit = settings.summary.time_unit;
    let (cut, end) = (prepared.summary.observation_end, prepared.summary.covered_until);
    let stretch = Stretch { calibration_end: cut.to_epoch_days(), end: end.to_epoch_days() };
    let orders = log::orders_by_day(&prepared.input.cleaned.valid, cut, end)?;
    let acquired = prepared.histories.first_days(stretch.calibration_end, unit.days());
    track(&fit.purchases.model, &fit.time, &acquired, &orders, stretch)
}
