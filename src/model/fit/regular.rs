//! Models of regular buyers beside the others: which k fits best.

use crate::model::fit::data::Data;
use crate::model::fit::failure::Failure;
use crate::model::fit::family_fit::FamilyFit;
use crate::model::fit::gaps::LnFactors;
use crate::settings::{Family, MOST_STAGES};

/// A model of regular buyers, and its fit or why it has none.
pub(crate) type Attempt = (Family, Result<FamilyFit, Failure>);

/// Fits `base` with k = 2, 3, … stages an order, as long as each fits better than the one before; then
/// `other` with the best k. `log_likelihood` is that of `base` at k = 1.
pub(crate) fn while_better(
    data: &Data,
    (base, log_likelihood): (Family, f64),
    other: Option<Family>,
    factors: &LnFactors<'_>,
) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut best = (1, log_likelihood);
    for k in 2..=MOST_STAGES {
        let Some(family) = base.with_stages(k) else { break };
        let fit = data.fit_regular(family, factors);
        let found = fit.as_ref().map_or(f64::NEG_INFINITY, |fit| fit.log_likelihood);
        attempts.push((family, fit));
        if found <= best.1 {
            break;
        }
        best = (k, found);
    }
    let beside = other.filter(|_| best.0 > 1).and_then(|other| other.with_stages(best.0));
    attempts.extend(beside.map(|family| (family, data.fit_regular(family, factors))));
    attempts
}

impl Data {
    /// Fits a model of regular buyers; its log-likelihood has what the times between orders add.
    pub(crate) fn fit_regular(
        &self,
        family: Family,
        factors: &LnFactors<'_>,
    ) -> Result<FamilyFit, Failure> {
        let fit = self.fit(family)?;
        Ok(FamilyFit { log_likelihood: fit.log_likelihood + factors.at(family.stages()), ..fit })
    }
}
