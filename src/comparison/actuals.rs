//! What happened between two runs, derived from the histories in both, and what the earlier one
//! expected.

use polars::prelude::DataFrame;
use serde::Serialize;

use crate::comparison::finished_run::Finished;
use crate::comparison::money::Money;
use crate::customers::{Histories, HistoryColumns, Later, Pairs};
use crate::error::Error;
use crate::frame::numbers;
use crate::frame::scored::compare::{self, PastColumns};
use crate::model::calendar::fitted::time_of;
use crate::model::evaluate::holdout::Forecast;
use crate::model::evaluate::missed::Total;
use crate::model::forecast::predict::customer_orders;
use crate::model::{CustomerPatterns, FittedPurchases};
use crate::settings::columns::EXP_AVERAGE_VALUE;

/// Share of a customer's spend below which a difference is a rounding error.
const ROUNDING: f64 = 1e-9;
/// Two first orders of a customer that are no more than this many days apart are the same order.
const SAME_DAY: f64 = 0.5;

/// What the customers of the earlier run did since, in the order of that run.
pub(super) struct Actuals {
    /// Orders and their value.
    pub(super) actual: Forecast,
    /// Whether the later run lacks the customer.
    pub(super) lost: Vec<bool>,
    /// Changes that no forecast foresees.
    pub(super) anomalies: Anomalies,
}

impl Actuals {
    /// Compares the histories in both runs, `days` apart.
    ///
    /// Orders are the difference of the frequencies: both runs count the first order, or neither
    /// does. Value is the difference of the total spend, which is the monetary value times the
    /// orders that it is the mean of: all orders, or all but the first. The first order came before
    /// the earlier run's end, so it cancels out or is counted in neither. Value is in the `money` of the
    /// earlier run.
    pub(super) fn of(
        run: &Finished,
        before: &DataFrame,
        pairs: &Pairs,
        days: f64,
        money: Money,
    ) -> Result<Self, Error> {
        let customers = before.height();
        let PastColumns { frequency, age, monetary, .. } = compare::history(before, &run.settings)?;
        let later_money = money.factor();
        let monetary = monetary.filter(|_| later_money.is_some());
        let factor = later_money.unwrap_or(1.0);
        let unit = run.settings.summary.time_unit.days();
        let mut seen = Self {
            actual: Forecast {
                name: "actual",
                orders: vec![0.0; customers],
                value: monetary.as_ref().map(|_| vec![0.0; customers]),
            },
            lost: pairs.later[..customers].iter().map(Option::is_none).collect(),
            anomalies: Anomalies::default(),
        };
        for (i, later) in pairs.later[..customers].iter().enumerate() {
            let Some(later) = later else {
                seen.anomalies.lost += 1;
                continue;
            };
            let moved = (later.age - age[i]) * unit - days;
            seen.anomalies.first_order_moved += usize::from(moved.abs() > SAME_DAY);
            seen.anomalies.fewer_orders += usize::from(later.frequency < frequency[i]);
            seen.actual.orders[i] = (later.frequency - frequency[i]).max(0.0);
            if let (Some(monetary), Some(value)) = (&monetary, &mut seen.actual.value) {
                let spent = |x: f64, m: f64| run.valued_orders(x) * m;
                let then = spent(frequency[i], monetary[i]);
                let since = spent(later.frequency, later.monetary_value) / factor - then;
                seen.anomalies.less_spent += usize::from(since < -ROUNDING * then);
                value[i] = since;
            }
        }
        // First ordered by the end of the earlier run, and yet is only in the later one.
        let late = |later: &&Later| later.age * unit > days - SAME_DAY;
        seen.anomalies.late = pairs.later[customers..].iter().flatten().filter(late).count();
        Ok(seen)
    }
}

/// What the earlier run's model expects of its customers over the next `days`, at the prices of its day.
pub(super) fn expected(
    run: &Finished,
    before: &DataFrame,
    days: f64,
    money: Money,
) -> Result<Forecast, Error> {
    let (purchases, _) = run.model_file.fits()?;
    let (customers, horizon) = ahead(run, before, &purchases, days)?;
    let orders = customer_orders(&purchases.model, &customers, horizon)?;
    let worth = || -> Result<Vec<f64>, Error> {
        let average = numbers(before, EXP_AVERAGE_VALUE)?;
        Ok(orders.iter().zip(average).map(|(orders, value)| orders * value).collect())
    };
    let compares = run.settings.has_money() && money.factor().is_some();
    let value = compares.then(worth).transpose()?;
    Ok(Forecast { name: "expected", orders, value })
}

/// The total of orders that the earlier run's model expects over the next `days`, and how far it can
/// be off, against the orders that came. `None` where it cannot be computed.
pub(super) fn total(
    run: &Finished,
    before: &DataFrame,
    days: f64,
    actual: f64,
) -> Result<Option<Total>, Error> {
    let (purchases, _) = run.model_file.fits()?;
    let (customers, horizon) = ahead(run, before, &purchases, days)?;
    let error = run.document.intervals.as_ref().and_then(|intervals| intervals.model_error);
    let total = Total::of(&purchases, &customers, horizon, actual);
    Ok(total.map(|total| total.with_model_error(error.map_or(0.0, |error| error.orders))))
}

/// The customers of the earlier run and the next `days`, in the time of its model.
fn ahead(
    run: &Finished,
    before: &DataFrame,
    purchases: &FittedPurchases,
    days: f64,
) -> Result<(CustomerPatterns, f64), Error> {
    let observed = histories(run, before)?;
    let unit = run.settings.summary.time_unit.days();
    let end = run.document.as_of.to_epoch_days();
    let time = time_of(purchases.calendar.as_ref(), &observed, unit, end, days.ceil() as i32);
    Ok((CustomerPatterns::of(&time.histories(&observed)), time.ahead(days)))
}

fn histories(run: &Finished, before: &DataFrame) -> Result<Histories, Error> {
    let PastColumns { frequency, recency, age, monetary } =
        compare::history(before, &run.settings)?;
    let monetary_value = monetary.unwrap_or_default();
    let valued = |(x, m): (&f64, &f64)| if *m > 0.0 { run.valued_orders(*x) } else { 0.0 };
    let spend_count = frequency.iter().zip(&monetary_value).map(valued).collect();
    Histories::new(HistoryColumns { frequency, recency, age, monetary_value, spend_count })
        .map_err(|fault| Error::input(run.folder.display(), fault))
}

/// Numbers of customers whose histories changed in ways that no forecast foresees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Anomalies {
    /// Customers of the earlier run who are not in the later one: they count as having ordered
    /// nothing.
    pub lost: usize,
    /// Customers with fewer orders in the later run: they count as having ordered nothing.
    pub fewer_orders: usize,
    /// Customers who have spent less in total in the later run: that lowers the actual revenue.
    pub less_spent: usize,
    /// Customers whose first order is on another day in the later run.
    pub first_order_moved: usize,
    /// Customers who are only in the later run, but first ordered by the end of the earlier one.
    pub late: usize,
}
