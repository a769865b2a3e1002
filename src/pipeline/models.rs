//! The models of a run: fitted to its customers, or given.

use crate::error::Error;
use crate::model::forecast::predict::Outlook;
use crate::model::selection::probability::SelectionRule;
use crate::model::selection::stated;
use crate::model::{self, CustomerPatterns, FittedPurchases, FittedSpend};
use crate::model_file::ModelFile;
use crate::pipeline::prepare::Prepared;
use crate::settings::{FrequencyKind, InputKind, Settings};

/// The models that predict, and how customers came to be in the file that they were fitted to.
pub struct Models {
    /// The model of orders.
    pub purchases: FittedPurchases,
    /// The model of order values.
    pub spend: FittedSpend,
    /// None for everybody ever acquired.
    pub selection: Option<SelectionRule>,
    /// Whether they were fitted to another export.
    pub given: bool,
}

/// Fits the models, or takes those that are given.
pub(crate) fn models(
    prepared: &Prepared,
    customers: &CustomerPatterns,
    given: Option<&ModelFile>,
    settings: &Settings,
) -> Result<Models, Error> {
    if let Some(given) = given {
        let (purchases, spend) = given.fits()?;
        let selection = purchases.selection.as_ref().map(|fit| fit.selection);
        return Ok(Models { purchases, spend, selection, given: true });
    }
    let histories = &prepared.histories;
    let selection = stated::stated(settings, histories, prepared.summary.observation_end)?;
    let (purchases, spend) = rayon::join(
        || model::fit_purchases(&customers.patterns, &settings.purchases, selection),
        || model::fit_spend(histories, &settings.spend),
    );
    Ok(Models { purchases: purchases?, spend: spend?, selection, given: false })
}

pub(crate) fn outlook<'a>(
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

/// Whether the model's expectations are of the orders in the input: a log has all of them, and what
/// the model counts are repeat orders.
pub(crate) fn is_comparable(settings: &Settings) -> bool {
    settings.input.kind == InputKind::Transactions
        && settings.summary.frequency == FrequencyKind::RepeatOrders
        && settings.summary.min_orders == 1
        && settings.selection.is_none()
}
