//! The fit of the spend model (Gamma-Gamma), with findings about it.

use crate::customers::Histories;
use crate::error::{Error, Remedy};
use crate::math::correlation::{correlation, ranks};
use crate::model::fit::credibility::credibility;
use crate::model::fit::spend_diagnosis::{self, NoFit};
use crate::model::fit::steady::known_optimum;
use crate::model::forecast::prices_ahead::PricesAhead;
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
    /// How values go on after the observation end.
    pub prices: PricesAhead,
}

impl FittedSpend {
    /// The same fit in other money: every value times `factor`.
    ///
    /// # Formula
    /// v·factor: ν is Gamma(q, v) and a value Gamma(p, ν), so that `factor` times a value is Gamma(p,
    /// ν/factor) with ν/factor from Gamma(q, v·factor).
    #[must_use]
    pub fn in_money(mut self, factor: f64) -> Self {
        let unit = self.parameters.iter_mut().filter(|parameter| parameter.name == "v");
        unit.for_each(|v| {
            v.value *= factor;
            v.standard_error = v.standard_error.map(|error| error * factor);
        });
        self.model.v *= factor;
        self.observed_mean *= factor;
        self
    }

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
pub(crate) fn spend_of_all_orders(counts: &[f64], means: &[f64]) -> Result<FittedSpend, Error> {
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
        prices: PricesAhead::default(),
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
    // Of equal values, only rounding could be correlated.
    let related = why != NoFit::Constant;
    let [pearson, spearman] =
        if related { [pearson(counts, means), spearman(counts, means)] } else { [None; 2] };
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
        prices: PricesAhead::default(),
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
    use crate::customers::HistoryColumns;
    use crate::model::simulation::gamma;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rayon::prelude::*;

    #[test]
    fn pearson_of_known_pairs() {
        // (1,1) (2,3) (3,2): the sums of products of deviations are 1 (xy), 2 (xx) and 2 (yy), so
        // the correlation is 1/√(2·2).
        assert_eq!(pearson(&[1.0, 2.0, 3.0, 0.0], &[1.0, 3.0, 2.0, 9.0]), Some(0.5));
        assert_eq!(pearson(&[1.0, 1.0], &[1.0, 2.0]), None);
    }

    /// Customers of Gamma-Gamma, with 1, 2, 3… orders as often as each is half as frequent.
    fn drawn(model: GammaGamma, customers: usize, rng: &mut ChaCha8Rng) -> Histories {
        let count = |i: usize| f64::from(1 + (i + 1).trailing_zeros());
        let counts: Vec<f64> = (0..customers).map(count).collect();
        let mean = |n: &f64| {
            let scale = gamma(model.q, model.v, rng);
            gamma(model.p * n, scale, rng) / n
        };
        let means = counts.iter().map(mean).collect();
        let ages = vec![50.0; customers];
        let columns = HistoryColumns {
            frequency: counts.clone(),
            recency: ages.clone(),
            age: ages,
            monetary_value: means,
            spend_count: counts,
        };
        Histories::new(columns).expect("valid")
    }

    /// How many of `fits` have a population mean that is far from the observed one.
    fn far(q: f64, customers: usize, fits: usize) -> usize {
        let model = GammaGamma { p: 6.25, q, v: 15.44 };
        let one = |seed: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed as u64);
            let histories = drawn(model, customers, &mut rng);
            let fitted = fit_spend(&histories, &Spend::default()).expect("a fit");
            // With a mean that hardly exists, the solver may find no maximum, and says so.
            let found = fitted.method == SpendMethod::MaximumLikelihood;
            assert!(found || q < 1.5, "{q} {customers} {seed}");
            fitted.findings.iter().any(|finding| finding.code == "spend_mean_far_from_observed")
        };
        (0..fits).into_par_iter().filter(|seed| one(*seed)).count()
    }

    /// In a world of Gamma-Gamma the check is quiet, at q = 3.74 as in CDNOW; at q = 2 as well, but
    /// for one file of 500 customers in a hundred, since levels have no variance there and one
    /// customer can move the observed mean. At q = 1.1 the mean of the model is not that of any file.
    #[test]
    fn the_population_mean_is_that_of_the_data_in_a_world_of_gamma_gamma() {
        for (q, customers, fits, most) in [
            (3.74, 500, 200, 0),
            (3.74, 5_000, 20, 0),
            (3.74, 50_000, 3, 0),
            (2.0, 500, 200, 2),
            (2.0, 5_000, 20, 0),
            (2.0, 50_000, 3, 0),
        ] {
            let found = far(q, customers, fits);
            assert!(found <= most, "{q} {customers}: {found} of {fits}");
        }
        let found = far(1.1, 500, 50);
        assert!(found > 25, "{found}");
    }

    #[test]
    fn what_has_no_maximum_gives_the_shrunk_mean() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let model = GammaGamma { p: 6.25, q: 3.74, v: 15.44 };
        let histories = drawn(model, 9, &mut rng);
        let fitted = fit_spend(&histories, &Spend::default()).expect("the shrunk mean");
        assert_eq!((fitted.method, fitted.log_likelihood), (SpendMethod::Credibility, None));
        assert_eq!(fitted.findings[0].variant(), Some("few_values"));
        let (counts, means) = (histories.spend_count(), histories.monetary_value());
        assert_eq!(Some(fitted.model), credibility(counts, means));
        let nobody = HistoryColumns {
            frequency: vec![0.0; 3],
            recency: vec![0.0; 3],
            age: vec![9.0; 3],
            monetary_value: vec![0.0; 3],
            spend_count: vec![0.0; 3],
        };
        let nobody = Histories::new(nobody).expect("valid");
        let error = fit_spend(&nobody, &Spend::default()).expect_err("no value").to_string();
        assert!(error.contains("no order has a value above 0"), "{error}");
        let all = spend_of_all_orders(&[1.0; 3], &[5.0, 6.0, 10.0]).expect("the mean");
        assert!((all.expected_value(0.0, 0.0) / 7.0 - 1.0).abs() < 1e-12);
    }

    /// A customer of twice the money has twice the expected value.
    #[test]
    fn a_fit_in_other_money_values_in_that_money() {
        let all = spend_of_all_orders(&[1.0, 2.0, 3.0], &[5.0, 6.0, 10.0]).expect("the mean");
        let other = all.clone().in_money(2.0);
        for (n, m) in [(0.0, 0.0), (1.0, 5.0), (9.0, 40.0)] {
            let ratio = other.expected_value(n, 2.0 * m) / all.expected_value(n, m);
            assert!((ratio / 2.0 - 1.0).abs() < 1e-12, "{n} {m}: {ratio}");
        }
        assert_eq!(other.parameters[2].value, other.model.v);
    }

    #[test]
    fn spearman_of_known_pairs() {
        // Any rising function of the values keeps the ranks.
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[1.0, 10.0, 1000.0]), Some(1.0));
        // The ranks of (1,1) (2,3) (3,2) are the values themselves: 0.5, as Pearson's above.
        assert_eq!(spearman(&[1.0, 2.0, 3.0, 0.0], &[10.0, 300.0, 20.0, 9.0]), Some(0.5));
    }
}
