//! The models of a run, fitted to its customers or given, and what they predict.

use crate::customers::Predictions;
use crate::error::Error;
use crate::frame::columns::{ORDERS, REAL_VALUE, VALUE};
use crate::frame::numbers;
use crate::model::forecast::predict::Outlook;
use crate::model::selection::probability::SelectionRule;
use crate::model::{self, CustomerPatterns, FittedPurchases, FittedSpend};
use crate::model_file::ModelFile;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::prices::{self, money_since};
use crate::pipeline::selection;
use crate::progress::Clock;
use crate::settings::{FrequencyKind, InputKind, Settings};

/// The models of a run and their predictions.
pub(crate) struct Fit {
    /// The model of orders.
    pub(crate) purchases: FittedPurchases,
    /// The model of order values; `None` where there is no money.
    pub(crate) spend: Option<FittedSpend>,
    /// How the customers of the fit were selected; `None` for everybody ever acquired.
    pub(crate) selection: Option<SelectionRule>,
    /// Whether the models were fitted to another export.
    pub(crate) given: bool,
    /// The customers by distinct history.
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
    let patterns = CustomerPatterns::of(&prepared.histories);
    let (purchases, spend, selection) = match given {
        Some(given) => take(given, prepared)?,
        None => fit(prepared, &patterns, settings)?,
    };
    let prices = prices::ahead(prepared.prices.entry.as_ref());
    let spend = spend.map(|spend| FittedSpend { prices, ..spend });
    clock.enter("predict");
    let outlook = outlook(prepared, &patterns, settings);
    let predictions = model::predict(&purchases, spend.as_ref(), &outlook)?;
    Ok(Fit { purchases, spend, selection, given: given.is_some(), patterns, predictions })
}

type Models = (FittedPurchases, Option<FittedSpend>, Option<SelectionRule>);

/// The given models; that of order values in the money of these customers.
fn take(given: &ModelFile, prepared: &Prepared) -> Result<Models, Error> {
    let (purchases, spend) = given.fits()?;
    let money = money_since(given, &prepared.prices, prepared.summary.observation_end);
    let spend = spend.map(|spend| if money == 1.0 { spend } else { spend.in_money(money) });
    let selection = purchases.selection.as_ref().map(|fit| fit.selection);
    Ok((purchases, spend, selection))
}

fn fit(
    prepared: &Prepared,
    customers: &CustomerPatterns,
    settings: &Settings,
) -> Result<Models, Error> {
    let histories = &prepared.histories;
    let end = prepared.summary.observation_end;
    let selection = selection::stated(settings, histories, end)?;
    let (purchases, spend) = rayon::join(
        || model::fit_and_compare(&customers.patterns, &settings.purchases, selection),
        || settings.has_money().then(|| fit_spend(prepared, settings)).transpose(),
    );
    Ok((purchases?, spend?, selection))
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
        outlook(prepared, &self.patterns, settings)
    }
}

fn outlook<'a>(
    prepared: &'a Prepared,
    customers: &'a CustomerPatterns,
    settings: &'a Settings,
) -> Outlook<'a> {
    Outlook {
        histories: &prepared.histories,
        customers,
        unit: settings.summary.time_unit,
        forecast: &settings.forecast,
        lifetime: &settings.lifetime_value,
    }
}

/// Whether the model's expectation for a new customer can be held against the orders in the input.
/// That needs a log with all customers, and a model of repeat orders.
pub(crate) fn is_comparable(settings: &Settings) -> bool {
    settings.input.kind == InputKind::Transactions
        && settings.summary.frequency == FrequencyKind::RepeatOrders
        && settings.summary.min_orders == 1
        && settings.selection.is_none()
}
