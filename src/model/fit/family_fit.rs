//! One model of the purchase family at its optimum: the type that the fit and its diagnosis share.

use crate::model::likelihood::maximise::Optimum;
use crate::model::purchase_model::PurchaseModel;
use crate::settings::Family;

/// One model at its optimum.
pub(crate) struct FamilyFit {
    pub(crate) family: Family,
    /// In the time unit in which max T = 1.
    pub(crate) optimum: Optimum,
    /// In the time unit of the data.
    pub(crate) parameters: Vec<f64>,
    pub(crate) model: PurchaseModel,
    /// Unpenalised, in the time unit of the data.
    pub(crate) log_likelihood: f64,
}
