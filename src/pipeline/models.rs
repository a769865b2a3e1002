//! The models of a run, fitted to its customers or given, and what they predict.

use crate::customers::{Histories, Predictions};
use crate::error::Error;
use crate::frame::columns::{ORDERS, REAL_VALUE, VALUE};
use crate::frame::numbers;
use crate::model::calendar::fitted::CalendarFit;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::forecast::predict::Outlook;
use crate::model::selection::probability::SelectionRule;
use crate::model::{self, CustomerPatterns, FittedPurchases, FittedSpend, Patterns};
use crate::model_file::ModelFile;
use crate::pipeline::calendar::{self, Learned};
use crate::pipeline::calendar_words;
use crate::pipeline::gaps::GapsOfRun;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::prices::{self, money_since};
use crate::pipeline::selection;
use crate::progress::Clock;
use crate::settings::Settings;

/// The models of a run and their predictions.
pub(crate) struct Fit {
    /// The model of orders.
    pub(crate) purchases: FittedPurchases,
    /// The model of order values; `None` where there is no money.
    pub(crate) spend: Option<FittedSpend>,
    /// How the customers of the fit were selected, in the time of the models; `None` for everybody
    /// ever acquired.
    pub(crate) selection: Option<SelectionRule>,
    /// Whether the models were fitted to another export.
    pub(crate) given: bool,
    /// The time in which the models run.
    pub(crate) time: OperationalTime,
    /// The histories in that time; `None` where it is calendar time.
    moved: Option<Histories>,
    /// The customers by distinct history, in the time of the models.
    pub(crate) patterns: CustomerPatterns,
    /// What the models expect of each customer.
    pub(crate) predictions: Predictions,
}

/// Fits the models, or takes the `given` ones, and predicts.
///
/// # Errors
/// [`Error::Model`] when a model cannot be fitted or a prediction cannot be computed,
/// [`Error::Input`] when the file holds customers that `[selection]` excludes.
pub(crate) fn fit_and_predict(
    prepared: &Prepared,
    given: Option<&ModelFile>,
    settings: &Settings,
    clock: &mut Clock,
) -> Result<Fit, Error> {
    clock.enter("fit orders and order values");
    let Models { purchases, spend, selection, moved } = match given {
        Some(given) => take(given, prepared, settings)?,
        None => fit(prepared, settings)?,
    };
    let prices = prices::ahead(prepared.prices.entry.as_ref());
    let spend = spend.map(|spend| FittedSpend { prices, ..spend });
    clock.enter("predict");
    let Moved { time, histories, patterns } = moved;
    let outlook = outlook(prepared, histories.as_ref(), &patterns, &time, settings);
    let predictions = model::predict(&purchases, spend.as_ref(), &outlook)?;
    let given = given.is_some();
    Ok(Fit { purchases, spend, selection, given, time, moved: histories, patterns, predictions })
}

/// The customers in the time of the models.
struct Moved {
    time: OperationalTime,
    /// `None` in calendar time.
    histories: Option<Histories>,
    patterns: CustomerPatterns,
}

impl Moved {
    fn to(
        calendar: Option<&CalendarFit>,
        prepared: &Prepared,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let observed = &prepared.histories;
        let time = calendar::time(calendar, &prepared.summary, observed, settings)?;
        let histories = (!time.is_even()).then(|| time.histories(observed).into_owned());
        let patterns = CustomerPatterns::of(histories.as_ref().unwrap_or(observed));
        Ok(Self { time, histories, patterns })
    }

    /// The times between the orders of these customers.
    fn gaps<'a>(&'a self, prepared: &'a Prepared, settings: &'a Settings) -> GapsOfRun<'a> {
        GapsOfRun::new(prepared.log(), &self.patterns, &self.time, settings)
    }
}

struct Models {
    purchases: FittedPurchases,
    spend: Option<FittedSpend>,
    selection: Option<SelectionRule>,
    moved: Moved,
}

/// The given models; that of order values in the money of these customers.
fn take(given: &ModelFile, prepared: &Prepared, settings: &Settings) -> Result<Models, Error> {
    let (mut purchases, spend) = given.fits()?;
    // A model file keeps no figures of its findings, and these are known.
    purchases.findings.retain(|finding| !calendar_words::CODES.contains(&&*finding.code));
    let purchases = with_words(purchases, settings);
    let money = money_since(given, &prepared.prices, prepared.summary.observation_end);
    let spend = spend.map(|spend| if money == 1.0 { spend } else { spend.in_money(money) });
    let moved = Moved::to(purchases.calendar.as_ref(), prepared, settings)?;
    let selection = purchases.selection.as_ref().map(|fit| fit.selection.in_time(&moved.time));
    Ok(Models { purchases, spend, selection, moved })
}

fn fit(prepared: &Prepared, settings: &Settings) -> Result<Models, Error> {
    let selection =
        selection::stated(settings, &prepared.histories, prepared.summary.observation_end)?;
    let (orders, spend) = rayon::join(
        || fit_orders(prepared, selection, settings),
        || settings.has_money().then(|| fit_spend(prepared, settings)).transpose(),
    );
    let (purchases, moved) = orders?;
    let selection = selection.map(|rule| rule.in_time(&moved.time));
    Ok(Models { purchases, spend: spend?, selection, moved })
}

/// The model of orders, in the time that their calendar makes.
fn fit_orders(
    prepared: &Prepared,
    selection: Option<SelectionRule>,
    settings: &Settings,
) -> Result<(FittedPurchases, Moved), Error> {
    let observed = Moved::to(None, prepared, settings)?;
    let patterns = &observed.patterns.patterns;
    let Learned { calendar, gate } = calendar::learn(prepared.log(), patterns, settings)?;
    let said = |fitted| with_words(FittedPurchases { gate: gate.clone(), ..fitted }, settings);
    let Some(calendar) = calendar else {
        let gaps = observed.gaps(prepared, settings);
        let purchases = &settings.purchases;
        let fitted = model::fit_and_compare(patterns, purchases, selection, &gaps.known())?;
        return Ok((said(fitted), observed));
    };
    let in_time = |calendar| fit_in_time(prepared, patterns, calendar, selection, settings);
    let (fitted, moved) = in_time(calendar.clone())?;
    // A calendar that was learnt with another model is learnt again with the one that predicts.
    let own = calendar::learnt_with(prepared.log(), patterns, settings, &calendar, &fitted)?;
    let (fitted, moved) = match own {
        Some(own) => in_time(own)?,
        None => (fitted, moved),
    };
    Ok((said(fitted), moved))
}

/// The fit with what the reader should know of its calendar.
fn with_words(mut fitted: FittedPurchases, settings: &Settings) -> FittedPurchases {
    let said = calendar_words::findings(&fitted, settings);
    fitted.findings.extend(said);
    fitted
}

/// The model of orders in the time of a calendar; `observed` are the patterns in calendar time.
fn fit_in_time(
    prepared: &Prepared,
    observed: &Patterns,
    calendar: CalendarFit,
    selection: Option<SelectionRule>,
    settings: &Settings,
) -> Result<(FittedPurchases, Moved), Error> {
    let mut moved = Moved::to(Some(&calendar), prepared, settings)?;
    let factors = calendar::log_factors(&calendar, prepared.log(), observed, settings)?;
    moved.patterns.patterns.log_factors = Some(factors);
    let rule = selection.map(|rule| rule.in_time(&moved.time));
    let (gaps, patterns) = (moved.gaps(prepared, settings), &moved.patterns.patterns);
    let mut fitted = model::fit_and_compare(patterns, &settings.purchases, rule, &gaps.known())?;
    if let (Some(fit), Some(stated)) = (&mut fitted.selection, selection) {
        // A model file is for other days too: it has the window in calendar time.
        fit.selection = stated;
    }
    Ok((fitted.with_calendar(calendar), moved))
}

/// The model of order values; where only repeat orders count and there is none, that of all orders.
fn fit_spend(prepared: &Prepared, settings: &Settings) -> Result<FittedSpend, Error> {
    let histories = &prepared.histories;
    if histories.spend_count().iter().any(|count| *count > 0.0) {
        return model::fit_spend(histories, &settings.spend);
    }
    let value = if prepared.prices.level().is_some() { REAL_VALUE } else { VALUE };
    let [orders, value] = [ORDERS, value].map(|name| numbers(&prepared.summary.frame, name));
    let (orders, value) = (orders?, value?);
    let means: Vec<f64> = value.iter().zip(&orders).map(|(value, n)| value / n).collect();
    model::spend_of_all_orders(&orders, &means)
}

impl Fit {
    /// The customers and the horizons, as forecasts need them.
    pub(crate) fn outlook<'a>(
        &'a self,
        prepared: &'a Prepared,
        settings: &'a Settings,
    ) -> Outlook<'a> {
        outlook(prepared, self.moved.as_ref(), &self.patterns, &self.time, settings)
    }
}

fn outlook<'a>(
    prepared: &'a Prepared,
    moved: Option<&'a Histories>,
    customers: &'a CustomerPatterns,
    time: &'a OperationalTime,
    settings: &'a Settings,
) -> Outlook<'a> {
    Outlook {
        histories: moved.unwrap_or(&prepared.histories),
        observed: &prepared.histories,
        customers,
        time,
        unit: settings.summary.time_unit,
        forecast: &settings.forecast,
        lifetime: &settings.lifetime_value,
    }
}
