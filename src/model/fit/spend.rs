//! The fit of the spend model (Gamma-Gamma), with findings about it.

use crate::customers::Histories;
use crate::error::{Error, Remedy};
use crate::math::correlation::{correlation, ranks};
use crate::model::fit::credibility::credibility;
use crate::model::fit::spend_diagnosis::{self, NoFit};
use crate::model::fit::steady::known_optimum;
use crate::model::gamma_gamma::{self, GammaGamma, SpendHistories};
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::estimate::{Convergence, Parameter};
use crate::model::likelihood::maximise::{Objective, Optimum, minimise};
use crate::results::findings::Finding;
use crate::results::spend_method::SpendMethod;
use crate::settings::Spend;

/// Three parameters need at least this many distinct spend histories.
const FEWEST: usize = 10;

/// A fitted spend model: the model, how it was found, and what to think of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedSpend {
    /// The model that predicts.
    pub model: GammaGamma,
    /// Estimates.
    pub parameters: Vec<Parameter>,
    /// Covariance of the estimates, on the log scale; `None` under a penalty or where the
    /// information matrix is singular.
    pub covariance: Option<Covariance>,
    /// Unpenalised log-likelihood; `None` where the likelihood has no maximum.
    pub log_likelihood: Option<f64>,
    /// Number of customers with at least one counted order.
    pub customers: usize,
    /// Their mean order value, which is used where the model has no mean.
    pub observed_mean: f64,
    /// Pearson's correlation of order count and monetary value; `None` if one is constant.
    pub pearson: Option<f64>,
    /// Spearman's rank correlation of the same.
    pub spearman: Option<f64>,
    /// How the parameters were found.
    pub method: SpendMethod,
    /// How the fit ended.
    pub convergence: Convergence,
    /// What the reader should know.
    pub findings: Vec<Finding>,
}

impl FittedSpend {
    /// Expected mean order value of a customer; where the model's mean does not exist, the observed
    /// mean over customers. Always finite.
    pub fn expected_value(&self, count: f64, m: f64) -> f64 {
        self.model.expected_value(count, m).unwrap_or(self.observed_mean)
    }
}

/// Fits the spend model by (penalised) maximum likelihood. Where that finds nothing, it gives the
/// shrunk mean of order values instead, with a warning.
///
/// # Errors
/// [`Error::Model`] when no customer has an order with a value.
pub fn fit_spend(histories: &Histories, settings: &Spend) -> Result<FittedSpend, Error> {
    let (counts, means) = (histories.spend_count(), histories.monetary_value());
    let spend = SpendHistories::new(counts, means);
    match likeliest(&spend, settings) {
        Ok((model, optimum, covariance)) => {
            Ok(by_likelihood(&spend, (counts, means), model, &optimum, covariance, settings))
        }
        Err(why) => shrunk(&spend, (counts, means), why),
    }
}

/// The shrunk mean of order values of `counts` orders with these means, because nobody has a repeat
/// order to learn from.
///
/// # Errors
/// [`Error::Model`] when no customer has an order with a value.
pub(crate) fn spend_of_all_orders(
    counts: &[f64],
    means: &[f64],
) -> Result<FittedSpend, Error> {
    let spend = SpendHistories::new(counts, means);
    shrunk(&spend, (counts, means), NoFit::NobodyRepeated)
}

/// The maximum of the likelihood, or why there is none.
fn likeliest(
    spend: &SpendHistories,
    settings: &Spend,
) -> Result<(GammaGamma, Optimum, Option<Covariance>), NoFit> {
    let distinct = spend.distinct_up_to(FEWEST);
    if spend.is_constant() {
        return Err(NoFit::Constant);
    }
    if distinct < FEWEST {
        return Err(NoFit::FewValues { distinct, needed: FEWEST });
    }
    let objective = Objective {
        log_likelihood: Box::new(|parameters| gamma_gamma::log_likelihood(spend, parameters)),
        customers: spend.customers(),
        l2_penalty: settings.l2_penalty,
    };
    let mean = spend.mean_order_value();
    // The first start has the observed mean as its population mean, p·v/(q − 1). The second has
    // q < 1 and a small v: that is where heavy tails and penalties lead, and the first start may
    // not find its way there.
    let starts = [vec![4.0, 4.0, 0.75 * mean], vec![4.0, 0.5, 4.0f64.min(mean)]];
    let optimum = minimise(&objective, &starts).filter(Optimum::converged);
    let optimum = optimum.ok_or(NoFit::NotConverged)?;
    let covariance = Covariance::at(&objective, &optimum.parameters);
    let [p, q, v] = [optimum.parameters[0], optimum.parameters[1], optimum.parameters[2]];
    Ok((GammaGamma { p, q, v }, optimum, covariance))
}

fn by_likelihood(
    spend: &SpendHistories,
    (counts, means): (&[f64], &[f64]),
    model: GammaGamma,
    optimum: &Optimum,
    covariance: Option<Covariance>,
    settings: &Spend,
) -> FittedSpend {
    let errors = covariance.as_ref().map(Covariance::log_standard_errors);
    // Under a penalty there is no covariance, and flatness cannot be seen: no finding then.
    let unknown = covariance.as_ref().is_none_or(Covariance::is_flat);
    let flat = settings.l2_penalty == 0.0 && unknown;
    let (pearson, spearman) = (pearson(counts, means), spearman(counts, means));
    let observed_mean = spend.mean_order_value();
    FittedSpend {
        parameters: parameters(&model, errors.as_deref()),
        covariance,
        log_likelihood: Some(gamma_gamma::log_likelihood(spend, &optimum.parameters).0),
        customers: spend.customers() as usize,
        observed_mean,
        pearson,
        spearman,
        method: SpendMethod::MaximumLikelihood,
        convergence: optimum.into(),
        findings: spend_diagnosis::findings(
            &model,
            observed_mean,
            flat,
            settings.l2_penalty,
            [pearson, spearman],
        ),
        model,
    }
}

/// The shrunk mean of order values, in the parameters of Gamma-Gamma.
fn shrunk(
    spend: &SpendHistories,
    (counts, means): (&[f64], &[f64]),
    why: NoFit,
) -> Result<FittedSpend, Error> {
    let model = credibility(counts, means).ok_or_else(|| {
        let message = "nothing can be said about order values: no order has a value above 0";
        Error::model_with(message, Remedy::MoreCustomers)
    })?;
    let (pearson, spearman) = (pearson(counts, means), spearman(counts, means));
    let mut findings = vec![spend_diagnosis::replaced(why, spend.customers(), &model)];
    findings.extend(spend_diagnosis::depends_on_frequency([pearson, spearman]));
    let optimum = known_optimum(vec![model.p, model.q, model.v], 0.0);
    Ok(FittedSpend {
        parameters: parameters(&model, None),
        covariance: None,
        log_likelihood: None,
        customers: spend.customers() as usize,
        observed_mean: spend.mean_order_value(),
        pearson,
        spearman,
        method: SpendMethod::Credibility,
        convergence: (&optimum).into(),
        findings,
        model,
    })
}

fn parameters(model: &GammaGamma, errors: Option<&[f64]>) -> Vec<Parameter> {
    let GammaGamma { p, q, v } = *model;
    let parameter = |(i, (name, value)): (usize, (&'static str, f64))| Parameter {
        name,
        value,
        // Delta method from the log scale: SE(θ) = θ·SE(ln θ).
        standard_error: errors.map(|errors| errors[i] * value),
        identified: true,
    };
    [("p", p), ("q", q), ("v", v)].into_iter().enumerate().map(parameter).collect()
}

/// Pearson's correlation over customers with at least one counted order.
fn pearson(counts: &[f64], means: &[f64]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) =
        counts.iter().zip(means).filter(|(count, _)| **count > 0.0).unzip();
    correlation(&x, &y)
}

/// Spearman's rank correlation over customers with at least one counted order; ties share the
/// mean of their ranks.
fn spearman(counts: &[f64], means: &[f64]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) =
        counts.iter().zip(means).filter(|(count, _)| **count > 0.0).unzip();
    let (x, y) = rayon::join(|| ranks(&x), || ranks(&y));
    correlation(&x, &y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pearson_of_known_pairs() {
        // (1,1) (2,3) (3,2): the sums of products of deviations are 1 (xy), 2 (xx) and 2 (yy), so
        // the correlation is 1/√(2·2).
        assert_eq!(pearson(&[1.0, 2.0, 3.0, 0.0], &[1.0, 3.0, 2.0, 9.0]), Some(0.5));
        assert_eq!(pearson(&[1.0, 1.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn spearman_of_known_pairs() {
        // Any rising function of the values keeps the ranks.
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[1.0, 10.0, 1000.0]), Some(1.0));
        // The ranks of (1,1) (2,3) (3,2) are the values themselves: 0.5, as Pearson's above.
        assert_eq!(spearman(&[1.0, 2.0, 3.0, 0.0], &[10.0, 300.0, 20.0, 9.0]), Some(0.5));
    }
}
