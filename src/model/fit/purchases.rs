//! The fit of the purchase model, with findings about it. Every dropout model is compared with the
//! NBD that it nests.

use crate::customers::History;
use crate::error::{Error, Remedy};
use crate::model::fit::diagnosis;
use crate::model::fit::family_fit::FamilyFit;
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::estimate::{Convergence, Parameter};
use crate::model::likelihood::maximise::{Objective, minimise, minimise_through};
use crate::model::likelihood::patterns::Patterns;
use crate::model::purchase_model::PurchaseModel;
use crate::model::selection::probability::SelectionRule;
use crate::results::candidate::Candidate;
use crate::results::findings::Finding;
use crate::settings::{Family, PurchaseModelName, Purchases};

/// Four parameters need at least this many distinct histories to be estimated at all.
const FEWEST_PATTERNS: usize = 10;
/// Below this gain in log-likelihood the fitted model *is* the no-dropout model, to the accuracy
/// of the fit.
const NO_GAIN: f64 = 1e-2;
/// Size of the sample of patterns on which starts are tried.
const SAMPLE: usize = 15_000;

/// A fitted purchase model: the model, how it was found, and what to think of it. Only this can
/// predict.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPurchases {
    /// The model that predicts.
    pub model: PurchaseModel,
    /// What was asked for.
    pub requested: PurchaseModelName,
    /// The model that `parameters` belong to; where its dropout vanished, `model` is the NBD.
    pub family: Family,
    /// Estimates.
    pub parameters: Vec<Parameter>,
    /// Covariance, on the log scale, of the parameters of `model`; `None` under a penalty, on a
    /// boundary or where the information matrix is singular.
    pub covariance: Option<Covariance>,
    /// Unpenalised log-likelihood, in the time unit of the data; conditional under a selection.
    pub log_likelihood: f64,
    /// The same of the no-dropout model, fitted under the same penalty and selection.
    pub log_likelihood_without_dropout: f64,
    /// Number of customers.
    pub customers: usize,
    /// Number of distinct (x, t_x, T).
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
    /// Whether customers can leave in the model that predicts; otherwise P(alive) is 1 for all.
    pub fn knows_dropout(&self) -> bool {
        !matches!(self.model, PurchaseModel::Nbd(_))
    }
}

/// What conditioning on being in the file changed.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectionFit {
    /// The condition, in the time unit of the data.
    pub selection: SelectionRule,
    /// Estimated number of customers ever acquired: Σ 1/P(selected) over the customers in the file
    /// (the Horvitz-Thompson estimator).
    pub acquired: f64,
    /// The same model, fitted as if everybody ever acquired were in the file.
    pub ignored: PurchaseModel,
    /// The conditional log-likelihood of `ignored`, comparable with that of the corrected fit.
    pub ignored_log_likelihood: f64,
}

/// The input of a fit. Time is scaled so that max T = 1: the penalty on α (and β) depends on the
/// time unit.
pub(crate) struct Data {
    pub(crate) scaled: Patterns,
    sample: Option<Patterns>,
    selection: Option<SelectionRule>,
    l2_penalty: f64,
    /// The highest T, in the time unit of the data.
    longest: f64,
    /// Σ x · ln(longest): what the scaling adds to a log-likelihood. Each of the x order times has
    /// a density, and a density has the unit 1/time.
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
    // The NBD is always fitted: every other fit is judged against it, and it predicts in place of
    // one whose dropout vanished.
    let data = Data::new(patterns, settings.l2_penalty, selection);
    let candidates = candidates(settings.model, selection.as_ref());
    let nbd = data.fit(Family::Nbd)?;
    let fits = match settings.model.family() {
        Some(Family::Nbd) => Vec::new(),
        Some(family) => vec![data.fit(family)?],
        None => {
            let others = candidates.iter().copied().filter(|f| *f != Family::Nbd);
            let fits: Vec<FamilyFit> = others.filter_map(|f| data.fit(f).ok()).collect();
            if fits.is_empty() {
                let message = "no model with dropout could be fitted";
                return Err(Error::model_with(message, Remedy::SingleModel));
            }
            fits
        }
    };
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

/// Checks that there is enough data for a fit.
///
/// # Errors
/// [`Error::Model`] when there are too few distinct histories.
pub fn check_enough_data(patterns: &Patterns) -> Result<(), Error> {
    if patterns.rows.len() >= FEWEST_PATTERNS {
        return Ok(());
    }
    let message = format!(
        "the purchase model cannot be fitted: {} customers have only {} distinct purchase \
         histories (frequency, recency, T), at least {FEWEST_PATTERNS} are needed",
        patterns.customers,
        patterns.rows.len()
    );
    Err(Error::model_with(message, Remedy::MoreCustomers))
}

/// The fit with the lowest AIC; among equal ones the first, since models come simplest first.
fn best<'a>(nbd: &'a FamilyFit, fits: &'a [FamilyFit]) -> &'a FamilyFit {
    // Smaller differences are within the accuracy of the fits.
    const EQUAL: f64 = 1e-3;
    fits.iter().fold(nbd, |best, fit| if aic(fit) < aic(best) - EQUAL { fit } else { best })
}

fn aic(fit: &FamilyFit) -> f64 {
    2.0 * fit.optimum.parameters.len() as f64 - 2.0 * fit.log_likelihood
}

/// Whether dropout adds nothing to the fit of the no-dropout model.
fn is_nbd(fit: &FamilyFit, nbd: &FamilyFit, customers: f64) -> bool {
    fit.family == Family::Nbd || (nbd.optimum.value - fit.optimum.value) * customers < NO_GAIN
}

/// The models to fit: the NBD and the requested one; for `auto`, all whose P(selected) is known.
fn candidates(requested: PurchaseModelName, selection: Option<&SelectionRule>) -> Vec<Family> {
    let fitted = |family: &Family| match requested.family() {
        Some(one) => *family == one || *family == Family::Nbd,
        None => family.knows_selection(selection),
    };
    Family::ALL.into_iter().filter(fitted).collect()
}

/// The candidates for the comparison, lowest AIC first.
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

/// Parameters with those that are times multiplied by `unit`.
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

    /// The objective over `patterns`: the log-likelihood and the penalty. Under a selection each
    /// customer's likelihood is divided by P(selected).
    pub(crate) fn objective<'a>(&'a self, family: Family, patterns: &'a Patterns) -> Objective<'a> {
        let plain = family.log_likelihood(patterns);
        let customers_of_age = patterns.customers_of_age();
        let oldest = patterns.oldest();
        Objective {
            log_likelihood: match self.selection {
                None => plain,
                Some(selection) => Box::new(move |theta| {
                    // P(selected) cannot be computed at θ: NaN, which counts as a huge value there.
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

    /// Fits one model of the family.
    fn fit(&self, family: Family) -> Result<FamilyFit, Error> {
        let starts = self.starts(family);
        let objective = self.objective(family, &self.scaled);
        let optimum = match &self.sample {
            None => minimise(&objective, &starts),
            Some(sample) => minimise_through(&self.objective(family, sample), &objective, &starts),
        };
        let optimum = diagnosis::require_converged(optimum, family)?;
        // Without the penalty, which is part of `optimum.value`.
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

    /// Starting points, from the mean order rate of the data.
    pub(crate) fn starts(&self, family: Family) -> Vec<Vec<f64>> {
        let [orders, time] = self.scaled.sum(|row| {
            let History { frequency, age, .. } = self.scaled.history(row);
            [row.count * frequency, row.count * age]
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

    /// The fit with standard errors and findings; where dropout vanished, the NBD predicts.
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
        // The NBD has the first two parameters of every model. Where it predicts, the dropout
        // parameters of the requested model have no value, and are reported as 0.
        let estimate = |(i, name): (usize, &&'static str)| match predicts.parameters.get(i) {
            Some(&value) => Parameter {
                name,
                value,
                // Delta method from the log scale: SE(θ) = θ·SE(ln θ).
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

    /// The fit that ignores the selection, with its log-likelihood under the selection. Without
    /// the correction nobody seems to leave, so a dropout model often finds no optimum; the
    /// no-dropout model then takes its place.
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
        // Compared by the same, conditional likelihood: the plain one measures something else.
        let customers_of_age = patterns.customers_of_age();
        let selected = |model: &PurchaseModel| {
            model.selection_probability(&selection, self.longest).ok_or_else(|| {
                Error::model("the probability of being in the file cannot be computed")
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::bg_nbd::BgNbd;
    use crate::model::likelihood::maximise::Optimum;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::{orders_only, relative};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Bliss & Fisher (1953), Biometrics 9(2), 176–200: leaves with 0, 1, 2… red mites.
    const MITES: [u32; 8] = [70, 38, 17, 10, 9, 3, 2, 1];
    /// The age of every leaf.
    const AGE: f64 = 10.0;

    /// The leaves with `least` mites or more; the last mite came at `recency` or a little later.
    pub(crate) fn mites(least: usize, recency: f64) -> Patterns {
        let mut columns: [Vec<f64>; 2] = Default::default();
        for (x, leaves) in MITES.iter().enumerate().skip(least) {
            for leaf in 0..*leaves {
                columns[0].push(x as f64);
                let later = 0.5 * f64::from(leaf % 2);
                columns[1].push(if x == 0 { 0.0 } else { recency + later });
            }
        }
        let [x, t_x] = columns;
        let n = x.len();
        let histories = orders_only(x, t_x, vec![AGE; n]);
        CustomerPatterns::of(&histories).patterns
    }

    /// Customers simulated from BG/NBD with a fixed seed.
    fn drawn(model: BgNbd, customers: usize) -> Patterns {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let ages: Vec<f64> = (0..customers).map(|i| 20.0 + (i % 20) as f64).collect();
        let mut one = |age: &f64| PurchaseModel::BgNbd(model).simulate(*age, 0.0, &mut rng, |_| ());
        let all: Vec<_> = ages.iter().map(&mut one).collect();
        let (x, t_x) = all.iter().map(|one| (one.frequency, one.recency.round())).unzip();
        let histories = orders_only(x, t_x, ages);
        CustomerPatterns::of(&histories).patterns
    }

    fn settings(model: PurchaseModelName, l2_penalty: f64) -> Purchases {
        Purchases { model, l2_penalty }
    }

    fn fit(patterns: &Patterns, model: PurchaseModelName) -> FittedPurchases {
        fit_purchases(patterns, &settings(model, 0.0), None).expect("a fit")
    }

    fn values(fitted: &FittedPurchases) -> Vec<f64> {
        fitted.parameters.iter().map(|p| p.value).collect()
    }

    /// Slopes of `f` along the logarithm of each parameter, by differences.
    fn slopes(f: impl Fn(&[f64]) -> f64, at: &[f64]) -> Vec<f64> {
        let shifted = |i: usize, h: f64| {
            let mut point = at.to_vec();
            point[i] *= h.exp();
            f(&point)
        };
        (0..at.len()).map(|i| (shifted(i, 1e-4) - shifted(i, -1e-4)) / 2e-4).collect()
    }

    #[test]
    fn the_negative_binomial_of_published_counts() {
        // With one T for all, r/α·T is the mean m, and r Fisher's k: Σ Aⱼ/(k+j) = N ln(1 + m/k),
        // Aⱼ leaves with more than j mites; bisection gives 1.0245924.
        let patterns = mites(0, 4.0);
        let fitted = fit(&patterns, PurchaseModelName::Nbd);
        let n: f64 = MITES.iter().map(|leaves| f64::from(*leaves)).sum();
        let m =
            MITES.iter().enumerate().map(|(x, leaves)| x as f64 * f64::from(*leaves)).sum::<f64>()
                / n;
        let [k, alpha] = values(&fitted)[..] else { panic!("two parameters") };
        assert!(relative(k, 1.024_592_4) < 1e-7, "{k}");
        assert!(relative(k / alpha * AGE, m) < 1e-8, "{alpha}");
        // m and k are independent to first order: Var(ln m) = (1/m + 1/k)/N, and the error of k
        // comes from the slope of Fisher's equation.
        let covariance = fitted.covariance.as_ref().expect("a maximum");
        let [[rr, ra], [_, aa]] = [0, 1].map(|i| [0, 1].map(|j| covariance.log_scale[i][j]));
        assert!(relative(rr - 2.0 * ra + aa, (1.0 / m + 1.0 / k) / n) < 1e-6);
        let above = |j: usize| MITES[j + 1..].iter().map(|leaves| f64::from(*leaves)).sum::<f64>();
        let information =
            (0..7).map(|j| above(j) / (k + j as f64).powi(2)).sum::<f64>() - n * m / (k * (k + m));
        let error = fitted.parameters[0].standard_error.expect("a maximum");
        assert!(relative(error, information.recip().sqrt()) < 1e-6, "{error}");
        let error = fitted.parameters[1].standard_error.expect("a maximum");
        assert!(relative(error, alpha * aa.sqrt()) < 1e-12, "{error}");
        // ln P(x) x!/T^x = Σ ln(k+j) + k ln k − (k+x) ln(k+m) + x ln(m/T).
        let one = |x: usize| {
            let (rising, x) = ((0..x).map(|j| (k + j as f64).ln()).sum::<f64>(), x as f64);
            rising + k * k.ln() - (k + x) * (k + m).ln() + x * (m / AGE).ln()
        };
        let all: f64 = MITES.iter().enumerate().map(|(x, n)| f64::from(*n) * one(x)).sum();
        assert!(relative(fitted.log_likelihood, all) < 1e-12, "{}", fitted.log_likelihood);
        assert_eq!(fitted.log_likelihood_without_dropout, fitted.log_likelihood);
        assert_eq!((fitted.customers, fitted.patterns), (150, 14));
    }

    #[test]
    fn the_gradient_vanishes_at_a_maximum_whatever_the_time_unit() {
        let patterns = drawn(BgNbd { r: 0.8, alpha: 4.0, a: 0.8, b: 2.0 }, 400);
        for family in [Family::BgNbd, Family::ParetoNbd] {
            let fitted = fit(&patterns, family.into());
            let log_likelihood = family.log_likelihood(&patterns);
            let (at, value) = (values(&fitted), |theta: &[f64]| log_likelihood(theta).0);
            assert!(relative(fitted.log_likelihood, value(&at)) < 1e-12);
            for (i, slope) in slopes(value, &at).into_iter().enumerate() {
                assert!(slope.abs() < 1e-6 * 400.0, "{family:?} {i}: {slope}");
                for h in [-0.1f64, 0.1] {
                    let mut beside = at.clone();
                    beside[i] *= h.exp();
                    assert!(value(&beside) < value(&at) - 1e-3, "{family:?} {i} {h}");
                }
            }
            // In days, times are seven times as long, and each order's density a seventh.
            let days = fit(&patterns.in_time_unit(7.0), family.into());
            for (i, (day, week)) in values(&days).iter().zip(&at).enumerate() {
                let factor = if family.is_time(i) { 7.0 } else { 1.0 };
                assert!(relative(*day, factor * week) < 1e-5, "{family:?} {i}: {day} {week}");
            }
            let [orders] = patterns.sum(|row| [row.count * patterns.frequency[row.x as usize]]);
            let expected = fitted.log_likelihood - orders * 7f64.ln();
            assert!(relative(days.log_likelihood, expected) < 1e-10);
        }
    }

    #[test]
    fn a_penalty_shrinks_parameters_whose_times_are_shares_of_the_longest() {
        let (patterns, penalty) = (mites(0, 4.0), 0.02);
        let settings = settings(PurchaseModelName::Nbd, penalty);
        let fitted = fit_purchases(&patterns, &settings, None).expect("a fit");
        let plain = fit(&patterns, PurchaseModelName::Nbd);
        let log_likelihood = Family::Nbd.log_likelihood(&patterns);
        let squares = |theta: &[f64]| theta[0].powi(2) + (theta[1] / AGE).powi(2);
        let objective = |theta: &[f64]| penalty * squares(theta) - log_likelihood(theta).0 / 150.0;
        for slope in slopes(objective, &values(&fitted)) {
            assert!(slope.abs() < 1e-6, "{slope}");
        }
        let [before, after] = [&plain, &fitted].map(|fitted| squares(&values(fitted)));
        assert!(after < 0.9 * before, "{after} {before}");
        // The likelihood that is reported is not the penalised one.
        assert!(relative(fitted.log_likelihood, log_likelihood(&values(&fitted)).0) < 1e-12);
        assert!(fitted.log_likelihood < plain.log_likelihood);
        assert_eq!(fitted.covariance, None);
        assert!(fitted.parameters.iter().all(|p| p.standard_error.is_none() && p.identified));
    }

    #[test]
    fn a_dropout_that_vanishes_leaves_the_nbd() {
        // Everybody who ordered did so a moment ago: nobody can have left.
        let patterns = mites(0, 9.0);
        let nbd = fit(&patterns, PurchaseModelName::Nbd);
        let fitted = fit(&patterns, PurchaseModelName::BgNbd);
        assert_eq!((fitted.model, fitted.family), (nbd.model, Family::BgNbd));
        assert!(!fitted.knows_dropout());
        assert_eq!(values(&fitted)[2..], [0.0, 0.0]);
        let identified: Vec<bool> = fitted.parameters.iter().map(|p| p.identified).collect();
        assert_eq!(identified, [true, true, false, false]);
        assert_eq!(fitted.parameters[..2], nbd.parameters);
        assert_eq!(fitted.covariance, nbd.covariance);
        assert_eq!(fitted.findings[0].variant(), Some("at_zero"));
        assert!(fitted.comparison.iter().all(|candidate| candidate.without_dropout));
    }

    #[test]
    fn auto_takes_the_lowest_criterion() {
        let fitted =
            fit(&drawn(BgNbd { r: 0.8, alpha: 4.0, a: 0.8, b: 2.0 }, 400), PurchaseModelName::Auto);
        assert_eq!(fitted.comparison.len(), 4);
        // 2k − 2ℓ: two parameters for the NBD, four for the others.
        for candidate in &fitted.comparison {
            let k = if candidate.model == Family::Nbd { 2.0 } else { 4.0 };
            let log_likelihood = candidate.log_likelihood.expect("a fit");
            let aic = candidate.aic.expect("a fit");
            assert!(relative(aic, 2.0 * k - 2.0 * log_likelihood) < 1e-14, "{candidate:?}");
        }
        let criteria: Vec<f64> = fitted.comparison.iter().filter_map(|c| c.aic).collect();
        assert!(criteria.is_sorted(), "{criteria:?}");
        assert!(criteria[0] < criteria[1] - 1e-3, "{criteria:?}");
        assert_eq!(fitted.model.family(), fitted.comparison[0].model);
        assert_eq!(Some(fitted.log_likelihood), fitted.comparison[0].log_likelihood);
        // Of leaves that all have a new mite, none has dropped out: the two parameters do.
        let fitted = fit(&mites(0, 9.0), PurchaseModelName::Auto);
        assert_eq!((fitted.family, fitted.model.family()), (Family::Nbd, Family::Nbd));
        assert_eq!(fitted.findings[0].variant(), Some("by_criterion"));
    }

    #[test]
    fn of_equal_criteria_the_simpler_or_older_model_is_taken() {
        let fit = |family: Family, log_likelihood| {
            let parameters = vec![1.0; family.parameters().len()];
            let optimum = Optimum {
                parameters: parameters.clone(),
                value: 0.0,
                gradient_norm: 0.0,
                iterations: 1,
                starts: 1,
                termination: String::new(),
            };
            let model = family.model(&parameters);
            FamilyFit { family, optimum, parameters, model, log_likelihood }
        };
        let nbd = fit(Family::Nbd, -100.0);
        // Two parameters more must gain 2 in log-likelihood, and 5e-4 more to be better.
        for (bg, mbg, expected) in [
            (-98.0, -98.0, Family::Nbd),
            (-97.9996, -98.0, Family::Nbd),
            (-97.9994, -98.0, Family::BgNbd),
            (-97.0, -96.9996, Family::BgNbd),
            (-97.0, -96.9994, Family::MbgNbd),
        ] {
            let fits = [fit(Family::BgNbd, bg), fit(Family::MbgNbd, mbg)];
            assert_eq!(best(&nbd, &fits).family, expected, "{bg} {mbg}");
        }
    }

    #[test]
    fn customers_missing_from_the_file_are_counted() {
        // Only leaves with mites, 172 on 80, the last of them within W of the end: with
        // P = 1 − (α/(α+u))^r, u = min(W, T), the file stands for N/P leaves.
        let patterns = mites(1, 4.0);
        let log_likelihood = Family::Nbd.log_likelihood(&patterns);
        let (n, m) = (80.0, 172.0 / 80.0);
        for window in [f64::INFINITY, 7.0] {
            let rule = SelectionRule::to(window);
            let settings = settings(PurchaseModelName::Nbd, 0.0);
            let fitted = fit_purchases(&patterns, &settings, Some(rule)).expect("a fit");
            let selection = fitted.selection.as_ref().expect("a selection");
            assert_eq!(selection.selection, rule);
            let [r, alpha] = values(&fitted)[..] else { panic!("two parameters") };
            let u = window.min(AGE);
            let p = |r: f64, alpha: f64| 1.0 - (alpha / (alpha + u)).powf(r);
            assert!(relative(selection.acquired, n / p(r, alpha)) < 1e-9, "{window}");
            let conditional =
                |theta: &[f64]| log_likelihood(theta).0 - n * p(theta[0], theta[1]).ln();
            for slope in slopes(conditional, &[r, alpha]) {
                assert!(slope.abs() < 1e-6 * n, "{window}: {slope}");
            }
            assert!(relative(fitted.log_likelihood, conditional(&[r, alpha])) < 1e-12, "{window}");
            // For mites that came whenever, the slope in α vanishes where the mean is r/α·T/P.
            let mean = r / alpha * AGE / p(r, alpha);
            assert_eq!(relative(mean, m) < 1e-6, u == AGE, "{window}: {mean}");
            // Ignoring it: the variance, 2.08, is below the mean m, so r → ∞ and the counts become
            // Poisson ones, whose conditional likelihood is Π (m/T)^x e^−m / (1 − e^−(m·u/T)).
            let PurchaseModel::Nbd(ignored) = selection.ignored else { panic!("an NBD") };
            assert!(relative(ignored.r / ignored.alpha * AGE, m) < 1e-6, "{window}");
            let selected = -(-m * u / AGE).exp_m1();
            let poisson = 172.0 * (m / AGE).ln() - n * m - n * selected.ln();
            let scored = selection.ignored_log_likelihood;
            assert!(relative(scored, poisson) < 1e-6, "{window}: {scored} {poisson}");
            assert!(scored < fitted.log_likelihood - 1.0, "{window}");
        }
    }

    #[test]
    fn ten_histories_are_enough_and_nine_are_not() {
        let mut patterns = mites(0, 4.0);
        patterns.rows.truncate(10);
        assert!(check_enough_data(&patterns).is_ok());
        patterns.rows.truncate(9);
        let settings = settings(PurchaseModelName::Nbd, 0.0);
        let error = fit_purchases(&patterns, &settings, None).expect_err("too few").to_string();
        assert!(error.contains("only 9 distinct purchase histories"), "{error}");
    }
}
