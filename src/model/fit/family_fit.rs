//! One model of the family, fitted.

use crate::model::likelihood::maximise::Optimum;
use crate::model::purchase_model::PurchaseModel;
use crate::settings::Family;

/// One model at its optimum.
pub(crate) struct FamilyFit {
    pub(crate) family: Family,
    pub(crate) optimum: Optimum,
    /// In the time unit of the data.
    pub(crate) parameters: Vec<f64>,
    pub(crate) model: PurchaseModel,
    pub(crate) log_likelihood: f64,
}
