//! One model of the purchase family at its optimum: the type that the fit and its diagnosis share.

use crate::model::fit::steady::SteadyRate;
use crate::model::likelihood::maximise::Optimum;
use crate::model::purchase_model::PurchaseModel;
use crate::settings::Family;

/// Below this gain in log-likelihood the fitted model *is* the one that it nests, to the accuracy of
/// the fit.
pub(crate) const NO_GAIN: f64 = 1e-2;

/// One model at its optimum.
#[derive(Debug, Clone)]
pub(crate) struct FamilyFit {
    pub(crate) family: Family,
    /// In the time unit in which max T = 1.
    pub(crate) optimum: Optimum,
    /// In the time unit of the data.
    pub(crate) parameters: Vec<f64>,
    pub(crate) model: PurchaseModel,
    /// Unpenalised, in the time unit of the data.
    pub(crate) log_likelihood: f64,
    /// The one rate of all customers, where the NBD has come to its Poisson limit.
    pub(crate) steady: Option<SteadyRate>,
}

impl FamilyFit {
    /// Akaike's criterion. The Poisson limit has one parameter.
    pub(crate) fn aic(&self) -> f64 {
        let parameters = if self.steady.is_some() { 1 } else { self.optimum.parameters.len() };
        2.0 * parameters as f64 - 2.0 * self.log_likelihood
    }

    /// Whether dropout adds nothing to the fit of the no-dropout model, which has the same k.
    pub(crate) fn is_nbd(&self, nbd: &Self, customers: f64) -> bool {
        if self.family.stages() != nbd.family.stages() {
            return false;
        }
        let gain = (nbd.optimum.value - self.optimum.value) * customers;
        self.family == Family::Nbd || gain < NO_GAIN
    }
}
