//! The purchase model's fit with its verdict: each dropout model beside the NBD it nests.

use crate::error::Error;
use crate::model::fit::diagnosis;
use crate::model::fit::family_fit::FamilyFit;
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::estimate::{Convergence, Parameter};
use crate::model::likelihood::maximise::{Objective, minimise, minimise_through};
use crate::model::likelihood::patterns::Patterns;
use crate::model::purchase_model::PurchaseModel;
use crate::model::selection::probability::SelectionRule;
use crate::results::findings::Finding;
use crate::results::fit::Candidate;
use crate::settings::{Family, PurchaseModelName, Purchases};

/// Four parameters need at least this many distinct histories to be estimated at all.
const FEWEST_PATTERNS: usize = 10;
/// Below this gain in log-likelihood the fitted model *is* the no-dropout model, to the accuracy
/// of the fit.
const NO_GAIN: f64 = 1e-2;
/// Patterns in the sample on which starts are tried.
const SAMPLE: usize = 15_000;

/// The model, how it was found, and what to think of it: only this can predict.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPurchases {
    /// The model that predicts.
    pub model: PurchaseModel,
    /// What was asked for.
    pub requested: PurchaseModelName,
    /// The model whose parameters stand below; `model` is the NBD where its dropout vanished.
    pub family: Family,
    /// Estimates.
    pub parameters: Vec<Parameter>,
    /// Of the parameters that predict, on the log scale; none under a penalty, on a boundary or
    /// where the information matrix is singular.
    pub covariance: Option<Covariance>,
    /// Unpenalised log-likelihood, in the time unit of the data; conditional under a selection.
    pub log_likelihood: f64,
    /// The same of the no-dropout model, fitted under the same penalty and selection.
    pub log_likelihood_without_dropout: f64,
    /// Customers.
    pub customers: usize,
    /// Distinct (x, t_x, T).
    pub patterns: usize,
    /// How the fit ended.
    pub convergence: Convergence,
    /// Every model that was fitted, the best first.
    pub comparison: Vec<Candidate>,
    /// What the selection changed.
    pub selection: Option<SelectionFit>,
    /// What the reader should know.
    pub findings: Vec<Finding>,
}

impl FittedPurchases {
    /// Whether the model that predicts lets customers leave; without that, P(alive) is 1.
    pub fn knows_dropout(&self) -> bool {
        !matches!(self.model, PurchaseModel::Nbd(_))
    }
}

/// What conditioning on being in the file changed.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectionFit {
    /// The condition, in the time unit of the data.
    pub selection: SelectionRule,
    /// Customers ever acquired that the file stands for: Σ 1/P(selected).
    pub acquired: f64,
    /// The same model fitted as if everybody ever acquired were in the file.
    pub ignored: PurchaseModel,
    /// Its log-likelihood under the condition, to be compared with the corrected fit's.
    pub ignored_log_likelihood: f64,
}

/// What a fit is made from; time is scaled so that max T = 1, because the penalty on α depends on
/// it.
pub(crate) struct Data {
    pub(crate) scaled: Patterns,
    sample: Option<Patterns>,
    selection: Option<SelectionRule>,
    l2_penalty: f64,
    /// The highest T, in the time unit of the data.
    longest: f64,
    /// Σ x · ln(longest): what the change of unit adds to a log-likelihood.
    unit_term: f64,
}

/// Fits the purchase model by (penalised, conditional) maximum likelihood.
///
/// # Errors
/// [`Error::Model`] when there is too little to learn from, or the fit does not converge.
pub fn fit_purchases(
    patterns: &Patterns,
    settings: &Purchases,
    selection: Option<SelectionRule>,
) -> Result<FittedPurchases, Error> {
    check_enough_data(patterns)?;
    let data = Data::new(patterns, settings.l2_penalty, selection);
    let nbd = data.fit(Family::Nbd)?;
    let fits = match settings.model.family() {
        Some(Family::Nbd) => Vec::new(),
        Some(family) => vec![data.fit(family)?],
        None => {
            let others = candidates(settings.model, selection.as_ref());
            let others = others.into_iter().filter(|f| *f != Family::Nbd);
            let fits: Vec<FamilyFit> = others.filter_map(|f| data.fit(f).ok()).collect();
            if fits.is_empty() {
                return Err(Error::Model(
                    "no model with dropout could be fitted: choose one by purchases.model to see \
                     why, or \"nbd\" for a forecast in which nobody leaves"
                        .to_owned(),
                ));
            }
            fits
        }
    };
    let candidates = candidates(settings.model, selection.as_ref());
    let comparison = compare(&nbd, &fits, candidates, patterns.customers);
    let chosen = match settings.model {
        PurchaseModelName::Auto => best(&nbd, &fits),
        _ => fits.first().unwrap_or(&nbd),
    };
    let mut fitted = data.verdict(patterns, chosen, &nbd, settings);
    fitted.comparison = comparison;
    if let Some(selection) = selection {
        fitted.selection = Some(data.against_ignored(patterns, &fitted, selection)?);
    }
    Ok(fitted)
}

/// Whether there is anything to learn from.
///
/// # Errors
/// [`Error::Model`] when there are too few distinct histories.
pub fn check_enough_data(patterns: &Patterns) -> Result<(), Error> {
    if patterns.rows.len() >= FEWEST_PATTERNS {
        return Ok(());
    }
    Err(Error::Model(format!(
        "the purchase model cannot be fitted: {} customers have only {} distinct purchase \
         histories (frequency, recency, T), at least {FEWEST_PATTERNS} are needed; give it more \
         customers, or check that the right columns are named in [input.columns]",
        patterns.customers,
        patterns.rows.len()
    )))
}

/// The lowest AIC; of equal ones the simpler or older model.
fn best<'a>(nbd: &'a FamilyFit, fits: &'a [FamilyFit]) -> &'a FamilyFit {
    const EQUAL: f64 = 1e-3;
    fits.iter().fold(nbd, |best, fit| if aic(fit) < aic(best) - EQUAL { fit } else { best })
}

fn aic(fit: &FamilyFit) -> f64 {
    2.0 * fit.optimum.parameters.len() as f64 - 2.0 * fit.log_likelihood
}

/// Whether dropout adds nothing to the no-dropout model.
fn is_nbd(fit: &FamilyFit, nbd: &FamilyFit, customers: f64) -> bool {
    fit.family == Family::Nbd || (nbd.optimum.value - fit.optimum.value) * customers < NO_GAIN
}

/// The models that are fitted: the NBD and the one that is asked for, or all that know the selection.
fn candidates(requested: PurchaseModelName, selection: Option<&SelectionRule>) -> Vec<Family> {
    let fitted = |family: &Family| match requested.family() {
        Some(one) => *family == one || *family == Family::Nbd,
        None => family.knows_selection(selection),
    };
    Family::ALL.into_iter().filter(fitted).collect()
}

fn compare(
    nbd: &FamilyFit,
    fits: &[FamilyFit],
    candidates: Vec<Family>,
    customers: f64,
) -> Vec<Candidate> {
    let candidate = |family| {
        let fit = fits.iter().chain([nbd]).find(|fit| fit.family == family);
        Candidate {
            model: family,
            log_likelihood: fit.map(|fit| fit.log_likelihood),
            aic: fit.map(aic),
            without_dropout: fit.is_some_and(|fit| is_nbd(fit, nbd, customers)),
        }
    };
    let mut all: Vec<Candidate> = candidates.into_iter().map(candidate).collect();
    let key = |c: &Candidate| c.aic.unwrap_or(f64::INFINITY);
    all.sort_by(|a, b| key(a).total_cmp(&key(b)));
    all
}

fn in_unit(family: Family, parameters: &[f64], unit: f64) -> Vec<f64> {
    let factor = |i| if family.is_time(i) { unit } else { 1.0 };
    parameters.iter().enumerate().map(|(i, value)| value * factor(i)).collect()
}

impl Data {
    pub(crate) fn new(
        patterns: &Patterns,
        l2_penalty: f64,
        selection: Option<SelectionRule>,
    ) -> Self {
        let longest = patterns.oldest();
        let scaled = patterns.in_time_unit(1.0 / longest);
        let [orders] = patterns.sum(|row| [row.count * patterns.frequency[row.x as usize]]);
        Self {
            sample: scaled.sample(SAMPLE),
            scaled,
            selection: selection.map(|selection| selection.in_time_unit(1.0 / longest)),
            l2_penalty,
            longest,
            unit_term: orders * longest.ln(),
        }
    }

    pub(crate) fn objective<'a>(&'a self, family: Family, patterns: &'a Patterns) -> Objective<'a> {
        let plain = family.log_likelihood(patterns);
        let customers_of_age = patterns.customers_of_age();
        let oldest = patterns.oldest();
        Objective {
            log_likelihood: match self.selection {
                None => plain,
                Some(selection) => Box::new(move |theta| {
                    let Some(selected) =
                        family.model(theta).selection_probability(&selection, oldest)
                    else {
                        return (f64::NAN, vec![f64::NAN; theta.len()]);
                    };
                    let (value, slope) = plain(theta);
                    let (given, given_slope) = selection.log_probability(
                        patterns,
                        &customers_of_age,
                        selected.as_ref(),
                        theta.len(),
                    );
                    let slope = slope.iter().zip(given_slope).map(|(s, g)| s - g).collect();
                    (value - given, slope)
                }),
            },
            customers: patterns.customers,
            l2_penalty: self.l2_penalty,
        }
    }

    fn fit(&self, family: Family) -> Result<FamilyFit, Error> {
        let starts = self.starts(family);
        let objective = self.objective(family, &self.scaled);
        let optimum = match &self.sample {
            None => minimise(&objective, &starts),
            Some(sample) => minimise_through(&self.objective(family, sample), &objective, &starts),
        };
        let optimum = diagnosis::require_converged(optimum, family)?;
        let log_likelihood = (objective.log_likelihood)(&optimum.parameters).0;
        let parameters = self.in_data_unit(family, &optimum.parameters);
        Ok(FamilyFit {
            family,
            model: family.model(&parameters),
            parameters,
            log_likelihood: log_likelihood - self.unit_term,
            optimum,
        })
    }

    /// Where to begin.
    pub(crate) fn starts(&self, family: Family) -> Vec<Vec<f64>> {
        let [orders, time] = self.scaled.sum(|row| {
            let (x, _, age) = self.scaled.numbers(row);
            [row.count * x, row.count * age]
        });
        family.starts((orders / time).max(1e-6))
    }

    /// Parameters with times in the unit of the data.
    pub(crate) fn in_data_unit(&self, family: Family, scaled: &[f64]) -> Vec<f64> {
        in_unit(family, scaled, self.longest)
    }

    /// Parameters with times in units of the highest T.
    pub(crate) fn in_scaled_unit(&self, family: Family, parameters: &[f64]) -> Vec<f64> {
        in_unit(family, parameters, 1.0 / self.longest)
    }

    fn verdict(
        &self,
        patterns: &Patterns,
        chosen: &FamilyFit,
        nbd: &FamilyFit,
        settings: &Purchases,
    ) -> FittedPurchases {
        let customers = patterns.customers;
        let degenerate = chosen.family != Family::Nbd && is_nbd(chosen, nbd, customers);
        let predicts = if degenerate { nbd } else { chosen };
        let objective = self.objective(predicts.family, &self.scaled);
        let covariance = Covariance::at(&objective, &predicts.optimum.parameters);
        let errors = covariance.as_ref().map(Covariance::log_standard_errors);
        let estimate = |(i, name): (usize, &&'static str)| match predicts.parameters.get(i) {
            Some(&value) => Parameter {
                name,
                value,
                standard_error: errors.as_ref().map(|errors| errors[i] * value),
                identified: true,
            },
            None => Parameter { name, value: 0.0, standard_error: None, identified: false },
        };
        FittedPurchases {
            model: predicts.model,
            requested: settings.model,
            family: chosen.family,
            parameters: chosen.family.parameters().iter().enumerate().map(estimate).collect(),
            log_likelihood: predicts.log_likelihood,
            log_likelihood_without_dropout: nbd.log_likelihood,
            customers: customers as usize,
            patterns: patterns.rows.len(),
            convergence: (&predicts.optimum).into(),
            comparison: Vec::new(),
            selection: None,
            findings: diagnosis::of_purchases(&diagnosis::Case {
                patterns,
                chosen,
                nbd,
                degenerate,
                covariance: covariance.as_ref(),
                settings,
                gain: (nbd.optimum.value - chosen.optimum.value) * customers,
            }),
            covariance,
        }
    }

    /// The fit that ignores the selection, scored under it. Where a dropout model finds no optimum
    /// then, because nobody seems to leave, it is the no-dropout model.
    fn against_ignored(
        &self,
        patterns: &Patterns,
        fitted: &FittedPurchases,
        selection: SelectionRule,
    ) -> Result<SelectionFit, Error> {
        let plain = Self::new(patterns, self.l2_penalty, None);
        let nbd = plain.fit(Family::Nbd)?;
        let ignored = match plain.fit(fitted.family) {
            Ok(fit) if !is_nbd(&fit, &nbd, patterns.customers) => fit,
            _ => nbd,
        };
        let customers_of_age = patterns.customers_of_age();
        let selected = |model: &PurchaseModel| {
            model.selection_probability(&selection, self.longest).ok_or_else(|| {
                Error::Model("the probability of being in the file cannot be computed".to_owned())
            })
        };
        let of_ignored = selected(&ignored.model)?;
        let (given, _) =
            selection.log_probability(patterns, &customers_of_age, of_ignored.as_ref(), 0);
        let of_fitted = selected(&fitted.model)?;
        let of_age = patterns.age.iter().zip(&customers_of_age);
        let stand_for = |(age, n): (&f64, &f64)| n / selection.probability(*age, &*of_fitted);
        Ok(SelectionFit {
            selection,
            acquired: of_age.map(stand_for).sum(),
            ignored: ignored.model,
            ignored_log_likelihood: ignored.log_likelihood - given,
        })
    }
}
