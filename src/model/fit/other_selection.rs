//! The same model under another selection: how much the answer depends on what is assumed of how
//! customers came to be in the file.

use crate::model::fit::data::Data;
use crate::model::fit::purchases::FittedPurchases;
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::maximise::{Optimum, from_start};
use crate::model::likelihood::patterns::Patterns;
use crate::model::selection::probability::SelectionRule;

/// The model that predicts, fitted again under `selection` from its own estimates; its findings and
/// likelihoods are those of the first fit.
///
/// Returns `None` when the fit does not converge, or the model does not know the selection.
pub(crate) fn refit_under(
    fitted: &FittedPurchases,
    patterns: &Patterns,
    selection: SelectionRule,
) -> Option<FittedPurchases> {
    let family = fitted.model.family();
    if fitted.steady.is_some() || !family.knows_selection(Some(&selection)) {
        return None;
    }
    let data = Data::new(patterns, 0.0, Some(selection));
    let objective = data.objective(family, &data.scaled);
    let start = data.in_scaled_unit(family, &fitted.model.parameters());
    let optimum = from_start(&objective, &objective, &start).filter(Optimum::converged)?;
    Some(FittedPurchases {
        model: family.model(&data.in_data_unit(family, &optimum.parameters)),
        covariance: Covariance::at(&objective, &optimum.parameters),
        ..fitted.clone()
    })
}
