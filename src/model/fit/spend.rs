//! The fit of the spend model (Gamma-Gamma), with findings about it.

use crate::customers::Histories;
use crate::error::{Error, Remedy};
use crate::math::correlation::{correlation, ranks};
use crate::model::gamma_gamma::{self, GammaGamma, SpendHistories};
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::estimate::{Convergence, Parameter};
use crate::model::likelihood::maximise::{Objective, Optimum, minimise};
use crate::results::findings::Finding;
use crate::results::numbers::whole;
use crate::settings::Spend;

/// Three parameters need at least this many distinct spend histories.
const FEWEST: usize = 10;
/// Correlation of frequency and monetary value above which independence is in doubt.
pub const CORRELATED: f64 = 0.3;

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
    /// Unpenalised log-likelihood.
    pub log_likelihood: f64,
    /// Number of customers with at least one counted order.
    pub customers: usize,
    /// Their mean order value, which is used where the model has no mean.
    pub observed_mean: f64,
    /// Pearson's correlation of order count and monetary value; `None` if one is constant.
    pub pearson: Option<f64>,
    /// Spearman's rank correlation of the same.
    pub spearman: Option<f64>,
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

/// Fits the spend model by (penalised) maximum likelihood.
///
/// # Errors
/// [`Error::Model`] when there is too little to learn from, or the fit does not converge.
pub fn fit_spend(histories: &Histories, settings: &Spend) -> Result<FittedSpend, Error> {
    let (counts, means) = (histories.spend_count(), histories.monetary_value());
    let spend = SpendHistories::new(counts, means);
    let distinct = spend.distinct_up_to(FEWEST);
    if distinct < FEWEST {
        let message = format!(
            "the spend model cannot be fitted: {} customers have only {distinct} distinct order \
             counts and values, at least {FEWEST} are needed",
            whole(spend.customers())
        );
        return Err(Error::model_with(message, Remedy::MoreCustomers));
    }
    let objective = Objective {
        log_likelihood: Box::new(|parameters| gamma_gamma::log_likelihood(&spend, parameters)),
        customers: spend.customers(),
        l2_penalty: settings.l2_penalty,
    };
    let mean = spend.mean_order_value();
    // The first start has the observed mean as its population mean, p·v/(q − 1). The second has
    // q < 1 and a small v: that is where heavy tails and penalties lead, and the first start may
    // not find its way there.
    let starts = [vec![4.0, 4.0, 0.75 * mean], vec![4.0, 0.5, 4.0f64.min(mean)]];
    let optimum = minimise(&objective, &starts).filter(Optimum::converged).ok_or_else(|| {
        Error::model(
            "the Gamma-Gamma fit did not converge: order values may be nearly constant, or \
             extreme; check the value columns and the outlier limits",
        )
    })?;
    let covariance = Covariance::at(&objective, &optimum.parameters);
    let errors = covariance.as_ref().map(Covariance::log_standard_errors);
    // Under a penalty there is no covariance, and flatness cannot be seen: no finding then.
    let unknown = covariance.as_ref().is_none_or(Covariance::is_flat);
    let flat = settings.l2_penalty == 0.0 && unknown;
    let [p, q, v] = [optimum.parameters[0], optimum.parameters[1], optimum.parameters[2]];
    let (pearson, spearman) = (pearson(counts, means), spearman(counts, means));
    Ok(FittedSpend {
        model: GammaGamma { p, q, v },
        parameters: [("p", p), ("q", q), ("v", v)]
            .into_iter()
            .enumerate()
            .map(|(i, (name, value))| Parameter {
                name,
                value,
                // Delta method from the log scale: SE(θ) = θ·SE(ln θ).
                standard_error: errors.as_ref().map(|errors| errors[i] * value),
                identified: true,
            })
            .collect(),
        covariance,
        log_likelihood: gamma_gamma::log_likelihood(&spend, &optimum.parameters).0,
        customers: spend.customers() as usize,
        observed_mean: mean,
        pearson,
        spearman,
        convergence: (&optimum).into(),
        findings: findings(q, flat, settings.l2_penalty, [pearson, spearman]),
    })
}

fn findings(q: f64, flat: bool, l2_penalty: f64, correlations: [Option<f64>; 2]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if flat {
        findings.push(Finding::warning(
            "spend_not_identified",
            "the likelihood is flat in some direction: p, q and v are not determined by these \
             data, as when order values hardly differ"
                .to_owned(),
            "use the expected values, not the parameters; check the value columns",
        ));
    }
    if q <= 1.0 {
        findings.push(without_population_mean(q, l2_penalty));
    }
    if let [Some(pearson), Some(spearman)] = correlations
        && pearson.abs().max(spearman.abs()) > CORRELATED
    {
        let finding = Finding::warning(
            "spend_depends_on_frequency",
            format!(
                "order count and mean order value are correlated (Pearson {pearson:.2}, Spearman \
                 {spearman:.2}), but Gamma-Gamma assumes that they are independent"
            ),
            "fit groups of customers apart, or read average values with care",
        );
        findings.push(finding.with("pearson", pearson).with("spearman", spearman));
    }
    findings
}

fn without_population_mean(q: f64, l2_penalty: f64) -> Finding {
    let (cause, remedy, variant) = if l2_penalty > 0.0 {
        let cause = format!(" under the penalty spend.l2_penalty = {l2_penalty}");
        (cause, "set spend.l2_penalty = 0", "penalty")
    } else {
        let remedy = "order values have a very heavy tail: tighten the outlier limits";
        (String::new(), remedy, "heavy_tail")
    };
    Finding::warning(
        "spend_without_population_mean",
        format!(
            "Gamma-Gamma's q = {q:.4} is below 1{cause}: the model has no average order value \
             for the population, so p, q and v mean nothing by themselves"
        ),
        remedy,
    )
    .with_variant(variant)
    .with("q", q)
    .with("l2_penalty", l2_penalty)
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
