//! The input of a purchase fit, and the fit of one model of the family to it.

use crate::customers::History;
use crate::model::fit::failure::Failure;
use crate::model::fit::family_fit::{FamilyFit, NO_GAIN};
use crate::model::fit::steady::{SteadyRate, known_optimum};
use crate::model::likelihood::maximise::{Objective, minimise, minimise_through};
use crate::model::likelihood::patterns::Patterns;
use crate::model::purchase_model::PurchaseModel;
use crate::model::selection::probability::SelectionRule;
use crate::settings::Family;

/// Four parameters need at least this many distinct histories to be estimated at all.
pub(crate) const FEWEST_PATTERNS: usize = 10;
/// Size of the sample of patterns on which starts are tried.
const SAMPLE: usize = 15_000;

/// The input of a fit. Time is scaled so that max T = 1: the penalty on α (and β) depends on the
/// time unit.
pub(crate) struct Data {
    pub(crate) scaled: Patterns,
    sample: Option<Patterns>,
    pub(crate) selection: Option<SelectionRule>,
    pub(crate) l2_penalty: f64,
    /// The highest T, in the time unit of the data.
    pub(crate) longest: f64,
    /// Repeat orders of all customers.
    orders: f64,
    /// Σ x · ln(longest): what the scaling adds to a log-likelihood. Each of the x order times has
    /// a density, and a density has the unit 1/time; of regular buyers, each of their k stages.
    unit_term: f64,
    /// Σ ln m over the order days, once an order whatever the model.
    log_factors: f64,
    /// Whether times are operational.
    pub(crate) operational: bool,
}

impl Data {
    /// The input of a fit to `patterns`, of which one at least has T > 0.
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
            orders,
            unit_term: orders * longest.ln(),
            log_factors: patterns.log_factors.unwrap_or(0.0),
            operational: patterns.log_factors.is_some(),
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
    pub(crate) fn fit(&self, family: Family) -> Result<FamilyFit, Failure> {
        if family != Family::Nbd {
            self.can_show_dropout()?;
        }
        let starts = self.starts(family);
        let objective = self.objective(family, &self.scaled);
        let optimum = match &self.sample {
            None => minimise(&objective, &starts),
            Some(sample) => minimise_through(&self.objective(family, sample), &objective, &starts),
        };
        let optimum = Failure::unless_converged(optimum, family)?;
        // Without the penalty, which is part of `optimum.value`.
        let log_likelihood = (objective.log_likelihood)(&optimum.parameters).0;
        let parameters = self.in_data_unit(family, &optimum.parameters);
        Ok(FamilyFit {
            family,
            model: family.model(&parameters),
            parameters,
            log_likelihood: log_likelihood - self.scaling(family),
            optimum,
            steady: None,
        })
    }

    /// What a log-likelihood in scaled time has more than one of the order days in the data.
    fn scaling(&self, family: Family) -> f64 {
        f64::from(family.stages()) * self.unit_term - self.log_factors
    }

    /// A model of regular buyers if nobody left: r and α at a = 0. Its log-likelihood is without what
    /// the times between orders add. Returns `None` when it has no fit.
    pub(crate) fn without_dropout_at(&self, family: Family) -> Option<FamilyFit> {
        let with_dropout = self.objective(family, &self.scaled);
        let log_likelihood = |theta: &[f64]| {
            let (value, mut slope) = (with_dropout.log_likelihood)(&[theta[0], theta[1], 0.0, 1.0]);
            slope.truncate(2);
            (value, slope)
        };
        let objective = Objective {
            log_likelihood: Box::new(log_likelihood),
            customers: self.scaled.customers,
            l2_penalty: self.l2_penalty,
        };
        let starts: Vec<Vec<f64>> =
            self.starts(family).into_iter().map(|start| start[..2].to_vec()).collect();
        let optimum = minimise(&objective, &starts)?;
        let log_likelihood = (objective.log_likelihood)(&optimum.parameters).0;
        let parameters =
            self.in_data_unit(family, &[&optimum.parameters[..], &[0.0, 1.0]].concat());
        Some(FamilyFit {
            family,
            model: family.model(&parameters),
            parameters,
            log_likelihood: log_likelihood - self.scaling(family),
            optimum,
            steady: None,
        })
    }

    /// Whether there is anything from which a model with dropout could be learnt.
    fn can_show_dropout(&self) -> Result<(), Failure> {
        let histories = self.scaled.rows.len();
        if self.orders == 0.0 {
            Err(Failure::NobodyRepeated)
        } else if histories < FEWEST_PATTERNS {
            Err(Failure::FewHistories { histories, needed: FEWEST_PATTERNS })
        } else {
            Ok(())
        }
    }

    /// The no-dropout model, which always exists: the NBD, or its Poisson limit where order counts
    /// vary no more than at one rate. Also why the NBD has no fit, if it has none.
    pub(crate) fn without_dropout(&self) -> (FamilyFit, Option<Failure>) {
        self.limit_of(self.fit(Family::Nbd))
    }

    /// The same from a fit of the NBD.
    pub(crate) fn limit_of(&self, nbd: Result<FamilyFit, Failure>) -> (FamilyFit, Option<Failure>) {
        let steady = self.steady();
        match nbd {
            Ok(nbd) if self.orders > 0.0 && !self.is_steady(&nbd, &steady) => (nbd, None),
            Ok(_) => (steady, None),
            Err(_) if self.varies_no_more(&steady) => (steady, None),
            Err(failure) => (steady, Some(failure)),
        }
    }

    /// Whether order counts vary no more than at one rate, where the NBD has no maximum: its
    /// likelihood rises as r and α run to infinity, and the solver stops anywhere on the way.
    ///
    /// # Formula
    /// Σ(x − λT)² ≤ Σλ T, the variance of Poisson counts
    fn varies_no_more(&self, steady: &FamilyFit) -> bool {
        let [r, alpha] = [steady.optimum.parameters[0], steady.optimum.parameters[1]];
        let [squares, mean] = self.scaled.sum(|row| {
            let History { frequency, age, .. } = self.scaled.history(row);
            let mean = r / alpha * age;
            [row.count * (frequency - mean).powi(2), row.count * mean]
        });
        self.selection.is_none() && squares <= mean
    }

    /// Whether the NBD has come to its Poisson limit: r is so large that the limit fits as well.
    fn is_steady(&self, nbd: &FamilyFit, steady: &FamilyFit) -> bool {
        // Below, rates differ between customers by 3 % or more, which the NBD describes.
        const LARGE: f64 = 1e3;
        self.l2_penalty == 0.0
            && nbd.parameters[0] > LARGE
            && nbd.log_likelihood - steady.log_likelihood < NO_GAIN
    }

    /// The Poisson limit of the NBD.
    pub(crate) fn steady(&self) -> FamilyFit {
        let (scaled, log_likelihood) = SteadyRate::of(&self.scaled, self.selection.as_ref());
        let nbd = scaled.nbd(self.scaled.oldest());
        let steady = scaled.in_time_unit(self.longest);
        let parameters = vec![nbd.r, nbd.alpha];
        let optimum = known_optimum(parameters.clone(), -log_likelihood / self.scaled.customers);
        let parameters = self.in_data_unit(Family::Nbd, &parameters);
        FamilyFit {
            family: Family::Nbd,
            model: Family::Nbd.model(&parameters),
            parameters,
            log_likelihood: log_likelihood - self.scaling(Family::Nbd),
            optimum,
            steady: Some(steady),
        }
    }

    /// Starting points, from the mean order rate of the data.
    pub(crate) fn starts(&self, family: Family) -> Vec<Vec<f64>> {
        let [time] = self.scaled.sum(|row| {
            let History { age, .. } = self.scaled.history(row);
            [row.count * age]
        });
        family.starts((self.orders / time).max(1e-6))
    }

    /// Parameters with times in the unit of the data.
    pub(crate) fn in_data_unit(&self, family: Family, scaled: &[f64]) -> Vec<f64> {
        family.in_unit(scaled, self.longest)
    }

    /// Parameters with times in units of the highest T.
    pub(crate) fn in_scaled_unit(&self, family: Family, parameters: &[f64]) -> Vec<f64> {
        family.in_unit(parameters, 1.0 / self.longest)
    }

    /// Mean P(alive) over the customers under a model in the time unit of the data.
    pub(crate) fn share_alive(&self, model: &PurchaseModel) -> f64 {
        let [alive] = self.scaled.sum(|row| {
            let History { frequency, recency, age } = self.scaled.history(row);
            let history =
                History { frequency, recency: recency * self.longest, age: age * self.longest };
            [row.count * model.p_alive(history)]
        });
        alive / self.scaled.customers
    }
}
