//! The fit of the purchase model, with findings about it. Every dropout model is compared with the
//! NBD that it nests, which takes its place where it has no fit.

use crate::error::{Error, Remedy};
use crate::model::calendar::fitted::CalendarFit;
use crate::model::fit::choice::Choice;
use crate::model::fit::data::Data;
use crate::model::fit::diagnosis;
use crate::model::fit::failure::Replaced;
use crate::model::fit::gaps::{Gaps, NotTried};
use crate::model::fit::steady::SteadyRate;
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::estimate::{Convergence, Parameter};
use crate::model::likelihood::patterns::Patterns;
use crate::model::purchase_model::PurchaseModel;
use crate::model::selection::probability::SelectionRule;
use crate::results::calendar::Gate;
use crate::results::candidate::Candidate;
use crate::results::findings::Finding;
use crate::settings::{Family, PurchaseModelName, Purchases};

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
    /// The models that were asked for and could not be fitted; the NBD predicts in their place.
    pub replaced: Vec<Replaced>,
    /// The one order rate of all customers, where `model` is the Poisson limit of the NBD.
    pub steady: Option<SteadyRate>,
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
    /// The season, the trend and the events that order rates follow; `None` in calendar time.
    pub calendar: Option<CalendarFit>,
    /// How season and trend were decided; `None` where nobody asked.
    pub gate: Option<Gate>,
    /// What the reader should know.
    pub findings: Vec<Finding>,
}

impl FittedPurchases {
    /// The same fit with the calendar whose time it was fitted in. Where they were estimated together,
    /// standard errors allow for what is not known of the calendar.
    pub(crate) fn with_calendar(mut self, calendar: CalendarFit) -> Self {
        let own = calendar.covariance.as_ref().filter(|_| calendar.family == self.model.family());
        if let (Some(joint), Some(covariance)) = (own, self.covariance.as_mut()) {
            let k = covariance.log_scale.len();
            covariance.log_scale =
                joint.log_scale[..k].iter().map(|row| row[..k].to_vec()).collect();
            let errors = covariance.log_standard_errors();
            for (parameter, error) in self.parameters.iter_mut().zip(errors) {
                parameter.standard_error = Some(error * parameter.value);
            }
        }
        self.calendar = Some(calendar);
        self
    }

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

/// Fits the purchase model by (penalised, conditional) maximum likelihood. Where that fails, the
/// nearest model that stands takes its place, with a warning: the NBD, and in place of that its
/// Poisson limit. Models of regular buyers are fitted where the settings name one: with its k, or the
/// k that the totals of the customers tell.
///
/// # Errors
/// [`Error::Model`] when no customer was watched for any time.
pub fn fit_purchases(
    patterns: &Patterns,
    settings: &Purchases,
    selection: Option<SelectionRule>,
) -> Result<FittedPurchases, Error> {
    fit(patterns, settings, selection, &Gaps::NotTried(NotTried::Unknown), false)
}

/// The fit of [`fit_purchases`]; `with_others`: beside the other models of the family, also where the
/// pipeline names one; `gaps` are the times between orders.
///
/// # Errors
/// As [`fit_purchases`]; as [`Gaps::ln_factors`].
pub(crate) fn fit(
    patterns: &Patterns,
    settings: &Purchases,
    selection: Option<SelectionRule>,
    gaps: &Gaps<'_>,
    with_others: bool,
) -> Result<FittedPurchases, Error> {
    check_enough_data(patterns)?;
    let data = Data::new(patterns, settings.l2_penalty, selection);
    let choice = match settings.model.family() {
        Some(base) if settings.model.is_regular() && settings.k != Some(1) => {
            Choice::regular(patterns, &data, (base, settings.k), gaps, with_others)?
        }
        Some(family) if with_others => Choice::among(patterns, &data, family),
        Some(family) => Choice::named(&data, family),
        None => Choice::best(patterns, &data, gaps)?,
    };
    let mut fitted = data.verdict(patterns, &choice, settings);
    fitted.comparison = choice.comparison;
    if let Some(selection) = selection {
        fitted.selection = Some(data.against_ignored(patterns, &fitted, selection)?);
    }
    Ok(fitted)
}

/// Checks that there is anything to fit a model to.
///
/// # Errors
/// [`Error::Model`] when no customer was watched for any time.
pub fn check_enough_data(patterns: &Patterns) -> Result<(), Error> {
    if patterns.oldest() > 0.0 {
        return Ok(());
    }
    let message = "nothing can be said about orders: every customer's first order is of the last day \
                   of the data";
    Err(Error::model_with(message, Remedy::MoreCustomers))
}

impl Data {
    /// The fit with standard errors and findings; where dropout vanished, the NBD predicts.
    fn verdict(
        &self,
        patterns: &Patterns,
        choice: &Choice,
        settings: &Purchases,
    ) -> FittedPurchases {
        let customers = patterns.customers;
        let Choice { chosen, nbd, .. } = choice;
        let degenerate = chosen.family != Family::Nbd && chosen.is_nbd(nbd, customers);
        let predicts = if degenerate { nbd } else { chosen };
        // The Poisson limit has no curvature in r: its one rate is known by `steady`.
        let covariance = match predicts.steady {
            Some(_) => None,
            None => {
                let objective = self.objective(predicts.family, &self.scaled);
                Covariance::at(&objective, &predicts.optimum.parameters)
            }
        };
        let errors = covariance.as_ref().map(Covariance::log_standard_errors);
        // The NBD has the first two parameters of every model. Where it predicts, the dropout
        // parameters of the requested model have no value, and are reported as 0.
        let estimate = |(i, name): (usize, &&'static str)| match predicts.parameters.get(i) {
            Some(&value) => Parameter {
                name,
                value,
                // Delta method from the log scale: SE(θ) = θ·SE(ln θ).
                standard_error: errors.as_ref().map(|errors| errors[i] * value),
                identified: predicts.steady.is_none(),
            },
            None => Parameter { name, value: 0.0, standard_error: None, identified: false },
        };
        FittedPurchases {
            model: predicts.model,
            requested: settings.model,
            family: chosen.family,
            replaced: choice.replaced.clone(),
            steady: predicts.steady,
            parameters: chosen.family.parameters().iter().enumerate().map(estimate).collect(),
            log_likelihood: predicts.log_likelihood,
            log_likelihood_without_dropout: nbd.log_likelihood,
            customers: customers as usize,
            patterns: patterns.rows.len(),
            convergence: (&predicts.optimum).into(),
            comparison: Vec::new(),
            selection: None,
            calendar: None,
            gate: None,
            findings: diagnosis::of_purchases(&diagnosis::Case {
                patterns,
                chosen,
                nbd,
                nbd_failure: choice.nbd_failure.as_ref(),
                replaced: &choice.replaced,
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
        let (nbd, _) = plain.without_dropout();
        let ignored = match plain.fit(fitted.family) {
            Ok(fit) if !fit.is_nbd(&nbd, patterns.customers) => fit,
            _ => nbd,
        };
        // Compared by the same, conditional likelihood: the plain one measures something else.
        let customers_of_age = patterns.customers_of_age();
        let selected =
            |model: &PurchaseModel| model.selection_probability(&selection, self.longest);
        let of_fitted = selected(&fitted.model).ok_or_else(|| {
            Error::model("the probability of being in the file cannot be computed")
        })?;
        // Out of reach of the numerical method, the one-rate model stands for it.
        let (ignored, of_ignored) = match selected(&ignored.model) {
            Some(of_ignored) => (ignored, Some(of_ignored)),
            None => {
                let steady = plain.steady();
                let of_steady = selected(&steady.model);
                (steady, of_steady)
            }
        };
        let given = of_ignored.map_or(0.0, |of_ignored| {
            selection.log_probability(patterns, &customers_of_age, of_ignored.as_ref(), 0).0
        });
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
    use crate::model::fit::failure::Failure;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::even;
    use crate::model::testing::{orders_only, relative};
    use crate::settings::TimeUnit;
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
        Purchases { model, k: None, l2_penalty }
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

    /// The first `rows` patterns alone.
    fn first(rows: usize) -> Patterns {
        let mut patterns = mites(0, 4.0);
        patterns.rows.truncate(rows);
        patterns.customers = patterns.rows.iter().map(|row| row.count).sum();
        patterns
    }

    #[test]
    fn ten_histories_are_enough_and_with_nine_the_nbd_takes_the_place() {
        assert!(fit(&first(10), PurchaseModelName::BgNbd).replaced.is_empty());
        let nbd = fit(&first(9), PurchaseModelName::Nbd);
        for model in [PurchaseModelName::BgNbd, PurchaseModelName::Auto] {
            let fitted = fit(&first(9), model);
            assert_eq!((fitted.model, fitted.family), (nbd.model, Family::Nbd));
            assert_eq!(fitted.requested, model);
            let needed = Failure::FewHistories { histories: 9, needed: 10 };
            assert!(fitted.replaced.iter().all(|one| one.why == needed));
            assert_eq!(fitted.replaced.len(), if model == PurchaseModelName::Auto { 3 } else { 1 });
            assert_eq!(&*fitted.findings[0].code, "model_replaced");
            assert_eq!(fitted.findings[0].variant(), Some("few_histories"));
        }
    }

    #[test]
    fn counts_that_vary_no_more_than_at_one_rate_are_poisson() {
        // Everybody has two orders in ten: less variation than the Poisson counts of one rate.
        let n = 60;
        let t_x: Vec<f64> = (0..n).map(|i| 4.0 + 0.1 * f64::from(i)).collect();
        let histories = orders_only(vec![2.0; 60], t_x, vec![AGE; 60]);
        let patterns = CustomerPatterns::of(&histories).patterns;
        let fitted = fit(&patterns, PurchaseModelName::Nbd);
        let steady = fitted.steady.expect("one rate");
        assert!(relative(steady.rate, 0.2) < 1e-12 && relative(steady.orders, 120.0) < 1e-12);
        // Π λ^x e^−λT.
        let by_hand = 120.0 * 0.2f64.ln() - 120.0;
        assert!(relative(fitted.log_likelihood, by_hand) < 1e-12, "{}", fitted.log_likelihood);
        assert_eq!((fitted.covariance.as_ref(), fitted.knows_dropout()), (None, false));
        let variants: Vec<_> = fitted.findings.iter().filter_map(Finding::variant).collect();
        assert!(variants.contains(&"one_rate"), "{variants:?}");
        // With one parameter, 2k − 2ℓ.
        assert!(relative(fitted.comparison[0].aic.expect("a fit"), 2.0 - 2.0 * by_hand) < 1e-12);
        // The refits vary as orders of weight w ~ Exp(1) each do: Var(ln Σwx/Σw) is that of a ratio
        // whose terms are all the same, 0, so all have the same rate.
        let models = fitted.refits(&patterns, even(TimeUnit::Week), 20, 3).expect("refits");
        for model in models {
            let parameters = model.parameters();
            assert!(relative(parameters[0] / parameters[1], 0.2) < 1e-9, "{parameters:?}");
        }
    }

    #[test]
    fn without_time_nothing_can_be_said() {
        let today = CustomerPatterns::of(&orders_only(vec![0.0], vec![0.0], vec![0.0])).patterns;
        let settings = settings(PurchaseModelName::Auto, 0.0);
        let error = fit_purchases(&today, &settings, None).expect_err("no time").to_string();
        assert!(error.contains("nothing can be said about orders"), "{error}");
    }
}
