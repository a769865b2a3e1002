//! The models of the family side by side: which one predicts, and why.

use rayon::prelude::*;

use crate::model::fit::data::Data;
use crate::model::fit::failure::Failure;
use crate::model::fit::family_fit::FamilyFit;
use crate::model::fit::gaps::NotTried;
use crate::model::fit::regular::Attempt;
use crate::model::likelihood::patterns::Patterns;
use crate::results::candidate::{Candidate, Outcome};
use crate::results::numbers::{decimal, whole};
use crate::settings::Family;

/// With more than twice as many distinct histories, the models are compared on a sample of this
/// many customers.
const COMPARED: usize = 5_000;
/// The same under a selection, whose likelihood costs more.
const COMPARED_SELECTED: usize = 2_000;
/// Smaller differences of Akaike's criterion are within the accuracy of the fits.
const EQUAL: f64 = 1e-3;
/// A model of regular buyers predicts only where its AIC is lower by more than 2·ln 100. Where another
/// model is right, its likelihood is higher by more than a factor of 100 in fewer than one file of a
/// hundred: the mean of the likelihood ratio is 1 there (Markov's inequality).
const REGULAR: f64 = 9.21;

/// Models of the family, fitted to the same customers.
pub(crate) struct Comparison {
    /// The no-dropout model.
    nbd: FamilyFit,
    /// Why the NBD itself has no fit, if it has none.
    nbd_failure: Option<Failure>,
    /// The models with dropout, the simplest first.
    others: Vec<(Family, Result<FamilyFit, Failure>)>,
    /// Mean P(alive) of each model that has a fit.
    alive: Vec<(Family, f64)>,
    /// All customers that were fitted to.
    customers: f64,
    /// Whether they are only a sample.
    sampled: bool,
    /// Why models of regular buyers were not tried, if they were not.
    not_tried: NotTried,
}

/// The customers that models are compared on.
pub(crate) struct Sample {
    pub(crate) data: Data,
    pub(crate) patterns: Patterns,
    /// How many customers of each pattern of the fit.
    pub(crate) taken: Vec<f64>,
}

/// The customers that models are compared on, where those of a fit are too many.
pub(crate) fn sampled(patterns: &Patterns, data: &Data) -> Option<Sample> {
    let most = if data.selection.is_some() { COMPARED_SELECTED } else { COMPARED };
    let (sample, taken) = patterns.customers_sampled(most)?;
    let selection = data.selection.map(|rule| rule.in_time_unit(data.longest));
    (sample.oldest() > 0.0).then(|| Sample {
        data: Data::new(&sample, data.l2_penalty, selection),
        patterns: sample,
        taken,
    })
}

/// The models with dropout that can be fitted: those whose P(selected) is known, and in operational
/// time those whose customers leave at orders.
pub(crate) fn with_dropout(data: &Data) -> Vec<Family> {
    let known = |family: &Family| {
        *family != Family::Nbd
            && family.knows_selection(data.selection.as_ref())
            && (*family != Family::ParetoNbd || !data.operational)
    };
    Family::ALL.into_iter().filter(known).collect()
}

impl Comparison {
    /// Fits the NBD and these models with dropout, side by side.
    pub(crate) fn of(data: &Data, families: &[Family], sampled: bool) -> Self {
        let (nbd, others) = rayon::join(
            || data.without_dropout(),
            || families.par_iter().map(|family| (*family, data.fit(*family))).collect::<Vec<_>>(),
        );
        Self::from_fits(data, nbd, others, sampled)
    }

    fn from_fits(
        data: &Data,
        (nbd, nbd_failure): (FamilyFit, Option<Failure>),
        others: Vec<(Family, Result<FamilyFit, Failure>)>,
        sampled: bool,
    ) -> Self {
        let customers = data.scaled.customers;
        let share = |fit: &FamilyFit| match fit.is_nbd(&nbd, customers) {
            true => 1.0,
            false => data.share_alive(&fit.model),
        };
        let fitted = others.iter().filter_map(|(family, fit)| Some((*family, fit.as_ref().ok()?)));
        let alive = fitted.map(|(family, fit)| (family, share(fit))).chain([(Family::Nbd, 1.0)]);
        let alive = alive.collect();
        let not_tried = NotTried::Unknown;
        Self { alive, nbd, nbd_failure, others, customers, sampled, not_tried }
    }

    /// With models of regular buyers beside the others.
    pub(crate) fn with_regular(mut self, data: &Data, attempts: Vec<Attempt>) -> Self {
        let fitted =
            attempts.iter().filter_map(|(family, fit)| Some((*family, fit.as_ref().ok()?)));
        self.alive.extend(fitted.map(|(family, fit)| (family, data.share_alive(&fit.model))));
        self.others.extend(attempts);
        self
    }

    /// Without them, and why.
    pub(crate) fn without_regular(self, not_tried: NotTried) -> Self {
        Self { not_tried, ..self }
    }

    /// The better of BG/NBD and MBG/NBD, with its log-likelihood. Returns `None` when neither has a
    /// fit.
    pub(crate) fn base(&self, families: &[Family]) -> Option<(Family, f64)> {
        let of = |fit: &&FamilyFit| families.contains(&fit.family);
        self.ranked().into_iter().find(of).map(|fit| (fit.family, fit.log_likelihood))
    }

    /// The no-dropout model, and why the NBD itself has no fit.
    pub(crate) fn nbd(&self) -> (&FamilyFit, Option<&Failure>) {
        (&self.nbd, self.nbd_failure.as_ref())
    }

    /// The models that have a fit, the lowest AIC first; of equal ones the simpler or older.
    pub(crate) fn ranked(&self) -> Vec<&FamilyFit> {
        let fits = self.others.iter().filter_map(|(_, fit)| fit.as_ref().ok());
        let mut rest: Vec<&FamilyFit> = std::iter::once(&self.nbd).chain(fits).collect();
        let mut ranked = Vec::new();
        while !rest.is_empty() {
            let best = (1..rest.len())
                .fold(0, |best, i| if rest[i].aic() < rest[best].aic() - EQUAL { i } else { best });
            ranked.push(rest.remove(best));
        }
        ranked
    }

    /// The same in the order in which they may predict: models of regular buyers only where chance
    /// does not explain that they are better than the best of `plain`, and better than what they are
    /// without dropout.
    pub(crate) fn preferred(&self, plain: &[Family]) -> Vec<&FamilyFit> {
        let ranked = self.ranked();
        let best = ranked.iter().find(|fit| plain.contains(&fit.family));
        let limit = best.map_or(f64::INFINITY, |best| best.aic() - REGULAR);
        let may = |fit: &&FamilyFit| match fit.family.stages() {
            1 => plain.contains(&fit.family),
            _ => plain.contains(&fit.family.plain()) && fit.aic() < limit,
        };
        ranked.into_iter().filter(may).collect()
    }

    /// Why each model with dropout that has no fit has none.
    pub(crate) fn failures(&self) -> Vec<(Family, &Failure)> {
        self.others
            .iter()
            .filter_map(|(family, fit)| Some((*family, fit.as_ref().err()?)))
            .collect()
    }

    /// The table of the candidates, lowest AIC first, when `chosen` predicts, for the reason `why`.
    pub(crate) fn table(&self, chosen: Family, why: Outcome) -> Vec<Candidate> {
        let fits = self.ranked();
        let reference = fits.iter().find(|fit| fit.family == chosen).map(|fit| fit.aic());
        let fitted = fits.iter().map(|fit| self.fitted(fit, chosen, why, reference));
        let failed =
            self.failures().into_iter().map(|(family, failure)| self.failed(family, failure));
        fitted.chain(failed).collect()
    }

    fn fitted(
        &self,
        fit: &FamilyFit,
        chosen: Family,
        why: Outcome,
        reference: Option<f64>,
    ) -> Candidate {
        let without_dropout = fit.is_nbd(&self.nbd, self.customers);
        let difference = reference.map(|reference| fit.aic() - reference);
        let (outcome, reason) = if fit.family == chosen {
            let words = match why {
                Outcome::Named => "the pipeline names it",
                Outcome::InPlace => "in place of a model without a fit",
                _ => "lowest AIC",
            };
            (why, format!("{words}{}", self.not_tried.words()))
        } else if without_dropout && fit.family != Family::Nbd {
            (Outcome::Nbd, "its dropout vanished: same as NBD".to_owned())
        } else {
            let words = difference.map_or(String::new(), in_words);
            // Where the pipeline names the model, it is not asked whether another is better.
            let lower = difference.is_some_and(|difference| difference < -EQUAL);
            let no_more = lower && why == Outcome::Best && fit.family.stages() > 1;
            let chance = if no_more { ", no more than chance" } else { "" };
            (Outcome::Other, format!("{words}{chance}"))
        };
        let one_rate = if fit.steady.is_some() { "; one order rate for all" } else { "" };
        Candidate {
            model: fit.family,
            log_likelihood: Some(fit.log_likelihood),
            aic: Some(fit.aic()),
            without_dropout,
            share_alive: self.alive.iter().find(|(f, _)| *f == fit.family).map(|(_, share)| *share),
            sample: self.sampled.then_some(self.customers),
            outcome: Some(outcome),
            reason: format!("{reason}{one_rate}{}", self.on_sample()),
        }
    }

    fn failed(&self, family: Family, failure: &Failure) -> Candidate {
        Candidate {
            model: family,
            log_likelihood: None,
            aic: None,
            without_dropout: false,
            share_alive: None,
            sample: self.sampled.then_some(self.customers),
            outcome: Some(Outcome::Failed),
            reason: format!("no fit: {}{}", failure.words(), self.on_sample()),
        }
    }

    fn on_sample(&self) -> String {
        match self.sampled {
            true => format!(" (on a sample of {})", whole(self.customers)),
            false => String::new(),
        }
    }
}

/// A difference of Akaike's criterion to that of the model that predicts.
fn in_words(difference: f64) -> String {
    match difference {
        _ if difference.abs() < EQUAL => "fits as well".to_owned(),
        _ if difference < 0.0 => format!("AIC lower by {}", decimal(-difference)),
        _ => format!("AIC higher by {}", decimal(difference)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fit::steady::known_optimum;

    fn fit(family: Family, log_likelihood: f64) -> FamilyFit {
        let parameters = vec![1.0; family.parameters().len()];
        FamilyFit {
            family,
            optimum: known_optimum(parameters.clone(), -log_likelihood),
            model: family.model(&parameters),
            parameters,
            log_likelihood,
            steady: None,
        }
    }

    fn comparison(others: Vec<(Family, Result<FamilyFit, Failure>)>, sampled: bool) -> Comparison {
        let nbd = fit(Family::Nbd, -100.0);
        let alive = vec![(Family::BgNbd, 0.4), (Family::Nbd, 1.0)];
        let not_tried = NotTried::Unknown;
        Comparison { nbd, nbd_failure: None, others, alive, customers: 5_000.0, sampled, not_tried }
    }

    #[test]
    fn regular_buyers_predict_only_beyond_chance() {
        // 2·ln 100 = 9.2103: twice the gain in log-likelihood, with as many parameters.
        for (gain, expected) in [(4.6, Family::BgNbd), (4.61, Family::BgCnbdK(3))] {
            let others = vec![
                (Family::BgNbd, Ok(fit(Family::BgNbd, -60.0))),
                (Family::BgCnbdK(2), Ok(fit(Family::BgCnbdK(2), -58.0))),
                (Family::BgCnbdK(3), Ok(fit(Family::BgCnbdK(3), -60.0 + gain))),
            ];
            let all = comparison(others, false);
            let preferred = all.preferred(&Family::ALL);
            assert_eq!(preferred[0].family, expected, "{gain}");
            // The NBD, 80 worse, stays a candidate; what chance explains does not.
            assert!(preferred.iter().any(|fit| fit.family == Family::Nbd));
            assert!(preferred.iter().all(|fit| fit.family != Family::BgCnbdK(2)));
            let table = all.table(expected, Outcome::Best);
            let said = |family| table.iter().find(|c| c.model == family).map(|c| &*c.reason);
            if expected == Family::BgNbd {
                let chance = "AIC lower by 9.20, no more than chance";
                assert_eq!(said(Family::BgCnbdK(3)), Some(chance));
            } else {
                assert_eq!(said(Family::BgNbd), Some("AIC higher by 9.22"));
            }
            assert_eq!(said(expected), Some("lowest AIC"));
        }
    }

    #[test]
    fn why_regular_buyers_were_not_tried_is_said_of_the_model_that_predicts() {
        let others = vec![(Family::BgNbd, Ok(fit(Family::BgNbd, -60.0)))];
        let all = comparison(others, false).without_regular(NotTried::Selection);
        let table = all.table(Family::BgNbd, Outcome::Best);
        assert!(table[0].reason.starts_with("lowest AIC; regular buyers (k > 1) were not tried"));
        assert!(!table[1].reason.contains("regular"), "{}", table[1].reason);
    }

    #[test]
    fn of_equal_criteria_the_simpler_or_older_model_is_taken() {
        // Two parameters more must gain 2 in log-likelihood, and 5e-4 more to be better.
        for (bg, mbg, expected) in [
            (-98.0, -98.0, Family::Nbd),
            (-97.9996, -98.0, Family::Nbd),
            (-97.9994, -98.0, Family::BgNbd),
            (-97.0, -96.9996, Family::BgNbd),
            (-97.0, -96.9994, Family::MbgNbd),
        ] {
            let others = [(Family::BgNbd, bg), (Family::MbgNbd, mbg)];
            let others = others.map(|(family, at)| (family, Ok(fit(family, at))));
            let best = comparison(others.to_vec(), false).ranked()[0].family;
            assert_eq!(best, expected, "{bg} {mbg}");
        }
    }

    #[test]
    fn the_table_says_why() {
        let others = vec![
            (Family::BgNbd, Ok(fit(Family::BgNbd, -60.0))),
            (Family::MbgNbd, Ok(fit(Family::MbgNbd, -53.825))),
            (Family::ParetoNbd, Err(Failure::Nowhere)),
        ];
        let all = comparison(others.clone(), true);
        let said = |chosen, why| -> Vec<(Family, Outcome, String)> {
            let table = all.table(chosen, why).into_iter();
            table.map(|c| (c.model, c.outcome.expect("an outcome"), c.reason)).collect()
        };
        let on = " (on a sample of 5,000)";
        // 2·4 + 2·53.825 = 115.65; BG/NBD has 128, the NBD 2·2 + 200 = 204.
        assert_eq!(
            said(Family::MbgNbd, Outcome::Best),
            [
                (Family::MbgNbd, Outcome::Best, format!("lowest AIC{on}")),
                (Family::BgNbd, Outcome::Other, format!("AIC higher by 12.35{on}")),
                (Family::Nbd, Outcome::Other, format!("AIC higher by 88.35{on}")),
                (
                    Family::ParetoNbd,
                    Outcome::Failed,
                    format!("no fit: no point has a finite likelihood{on}")
                ),
            ]
        );
        let named = said(Family::BgNbd, Outcome::Named);
        assert_eq!(named[0].2, format!("AIC lower by 12.35{on}"));
        assert_eq!(named[1], (Family::BgNbd, Outcome::Named, format!("the pipeline names it{on}")));
        let table = comparison(others, false).table(Family::MbgNbd, Outcome::Best);
        assert_eq!(table[1].share_alive, Some(0.4));
        assert_eq!((table[0].sample, &*table[0].reason), (None, "lowest AIC"));
    }
}
