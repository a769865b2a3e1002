//! Which model predicts: the one that the pipeline names, or the one with the lowest AIC.

use crate::error::Error;
use crate::model::fit::candidates::{Comparison, Sample, sampled, with_dropout};
use crate::model::fit::data::Data;
use crate::model::fit::failure::{Failure, Replaced};
use crate::model::fit::family_fit::FamilyFit;
use crate::model::fit::gaps::{Gaps, LnFactors, NotTried};
use crate::model::fit::regular::while_better;
use crate::model::likelihood::patterns::Patterns;
use crate::results::candidate::{Candidate, Outcome};
use crate::settings::Family;

/// The fit that predicts, or would if its dropout did not vanish, and what it is judged by.
pub(crate) struct Choice {
    pub(crate) chosen: FamilyFit,
    /// The no-dropout model.
    pub(crate) nbd: FamilyFit,
    /// Why the NBD itself has no fit, if it has none.
    pub(crate) nbd_failure: Option<Failure>,
    pub(crate) replaced: Vec<Replaced>,
    pub(crate) comparison: Vec<Candidate>,
}

impl Choice {
    /// The model that the pipeline names; the no-dropout model where that has no fit.
    pub(crate) fn named(data: &Data, family: Family) -> Self {
        let others: &[Family] = if family == Family::Nbd { &[] } else { &[family] };
        let compared = Comparison::of(data, others, false);
        Self::from(&compared, family)
    }

    /// The same, with a table of all models of the family; where customers are many, the others are
    /// fitted to a sample only.
    pub(crate) fn among(patterns: &Patterns, data: &Data, family: Family) -> Self {
        let families = with_dropout(data);
        let Some(sample) = sampled(patterns, data) else {
            return Self::from(&Comparison::of(data, &families, false), family);
        };
        let (choice, compared) = rayon::join(
            || Self::named(data, family),
            || Comparison::of(&sample.data, &families, true),
        );
        let why = choice.why(family);
        Self { comparison: compared.table(choice.chosen.family, why), ..choice }
    }

    fn from(compared: &Comparison, family: Family) -> Self {
        let (nbd, nbd_failure) = compared.nbd();
        let fitted = compared.ranked().into_iter().find(|fit| fit.family == family);
        let mut choice = Self {
            comparison: Vec::new(),
            replaced: replaced(compared).into_iter().filter(|one| one.model == family).collect(),
            chosen: fitted.unwrap_or(nbd).clone(),
            nbd: nbd.clone(),
            nbd_failure: nbd_failure.cloned(),
        };
        choice.comparison = compared.table(choice.chosen.family, choice.why(family));
        choice
    }

    /// Why the chosen model predicts, where the pipeline names `family`.
    fn why(&self, family: Family) -> Outcome {
        if self.chosen.family == family { Outcome::Named } else { Outcome::InPlace }
    }

    /// The model with the lowest AIC. Where customers are many, it is found on a sample, and only
    /// that one is fitted to all.
    pub(crate) fn best(patterns: &Patterns, data: &Data, gaps: &Gaps<'_>) -> Result<Self, Error> {
        let families = with_dropout(data);
        let sample = sampled(patterns, data);
        let on = sample.as_ref().map_or(data, |sample| &sample.data);
        let compared = Comparison::of(on, &families, sample.is_some());
        let compared = beside_regular(compared, on, known(sample.as_ref(), patterns), gaps)?;
        let preferred = compared.preferred(&Family::ALL);
        for fit in preferred.iter().take_while(|fit| fit.family.stages() > 1) {
            let known = sample.is_none().then_some(*fit);
            if let Ok((chosen, nbd)) = regular_fit(patterns, data, fit.family, known, gaps)? {
                return Ok(Self::of(&compared, chosen, nbd, None));
            }
        }
        let mut plain = preferred.iter().filter(|fit| fit.family.stages() == 1);
        if sample.is_none() {
            let (nbd, nbd_failure) = compared.nbd();
            let chosen = plain.next().map_or_else(|| nbd.clone(), |fit| (*fit).clone());
            return Ok(Self::of(&compared, chosen, nbd.clone(), nbd_failure.cloned()));
        }
        let ((nbd, nbd_failure), best) = rayon::join(
            || data.without_dropout(),
            || plain.find_map(|fit| whole_fit(data, fit.family)),
        );
        // The best on the sample may be the NBD, which has been fitted beside it.
        let chosen = best.flatten().unwrap_or_else(|| nbd.clone());
        Ok(Self::of(&compared, chosen, nbd, nbd_failure))
    }

    /// A model of regular buyers that the pipeline names: with the k that it asks for, or with the one
    /// that fits best.
    pub(crate) fn regular(
        patterns: &Patterns,
        data: &Data,
        (base, k): (Family, Option<u8>),
        gaps: &Gaps<'_>,
        with_others: bool,
    ) -> Result<Self, Error> {
        let families = if with_others { with_dropout(data) } else { vec![base] };
        let sample = if with_others || k.is_none() { sampled(patterns, data) } else { None };
        let on = sample.as_ref().map_or(data, |sample| &sample.data);
        let compared = Comparison::of(on, &families, sample.is_some());
        let (of, taken) = known(sample.as_ref(), patterns);
        let factors = known_factors(gaps, of, taken)?;
        let compared = match (k.and_then(|k| base.with_stages(k)), compared.base(&[base])) {
            (Some(family), _) => {
                compared.with_regular(on, vec![(family, on.fit_regular(family, &factors))])
            }
            (None, Some(base)) => {
                let attempts = while_better(on, base, None, &factors);
                compared.with_regular(on, attempts)
            }
            (None, None) => compared,
        };
        let best = compared.preferred(&[base]).first().map(|fit| fit.family);
        let family = k.and_then(|k| base.with_stages(k)).or(best).unwrap_or(base);
        if family.stages() == 1 {
            let choice = Self::named(data, family);
            let why = choice.why(family);
            return Ok(Self { comparison: compared.table(choice.chosen.family, why), ..choice });
        }
        Ok(match regular_fit(patterns, data, family, None, gaps)? {
            Ok((chosen, nbd)) => Self {
                comparison: compared.table(family, Outcome::Named),
                replaced: Vec::new(),
                chosen,
                nbd,
                nbd_failure: None,
            },
            Err(why) => {
                let (nbd, nbd_failure) = data.without_dropout();
                Self {
                    comparison: compared.table(Family::Nbd, Outcome::InPlace),
                    replaced: vec![Replaced { model: family, why }],
                    chosen: nbd.clone(),
                    nbd,
                    nbd_failure,
                }
            }
        })
    }

    fn of(
        compared: &Comparison,
        chosen: FamilyFit,
        nbd: FamilyFit,
        nbd_failure: Option<Failure>,
    ) -> Self {
        // Where one model with dropout has a fit, the others are only left out.
        let nothing_else = compared.ranked().len() == 1;
        let why = if nothing_else { Outcome::InPlace } else { Outcome::Best };
        Self {
            comparison: compared.table(chosen.family, why),
            replaced: if nothing_else { replaced(compared) } else { Vec::new() },
            chosen,
            nbd,
            nbd_failure,
        }
    }
}

/// The customers that models are compared on; of a sample, how many of each pattern too.
fn known<'a>(
    sample: Option<&'a Sample>,
    patterns: &'a Patterns,
) -> (&'a Patterns, Option<&'a [f64]>) {
    sample.map_or((patterns, None), |sample| (&sample.patterns, Some(&sample.taken)))
}

/// The comparison with models of regular buyers, or with the reason why they were not tried.
fn beside_regular(
    compared: Comparison,
    on: &Data,
    (of, taken): (&Patterns, Option<&[f64]>),
    gaps: &Gaps<'_>,
) -> Result<Comparison, Error> {
    let Some(base) = compared.base(&BASES) else { return Ok(compared) };
    Ok(match gaps.ln_factors(of, taken)? {
        Ok(factors) => {
            let other = BASES.into_iter().find(|other| *other != base.0);
            compared.with_regular(on, while_better(on, base, other, &factors))
        }
        Err(why) => compared.without_regular(why),
    })
}

/// The models that regular buyers have a form of.
const BASES: [Family; 2] = [Family::BgNbd, Family::MbgNbd];

/// The fit of a model of regular buyers to all customers, and the same model without dropout; `known`
/// is its fit where all customers were compared. `Err` inside: why it has no fit; it has none where its
/// dropout vanished.
fn regular_fit(
    patterns: &Patterns,
    data: &Data,
    family: Family,
    known: Option<&FamilyFit>,
    gaps: &Gaps<'_>,
) -> Result<Result<(FamilyFit, FamilyFit), Failure>, Error> {
    let factors = known_factors(gaps, patterns, None)?;
    let fit = match known {
        Some(fit) => fit.clone(),
        None => match data.fit_regular(family, &factors) {
            Ok(fit) => fit,
            Err(why) => return Ok(Err(why)),
        },
    };
    let Some(nbd) = data.without_dropout_at(family) else { return Ok(Err(Failure::Nowhere)) };
    let log_likelihood = nbd.log_likelihood + factors.at(family.stages());
    let nbd = FamilyFit { log_likelihood, ..nbd };
    if fit.is_nbd(&nbd, patterns.customers) {
        return Ok(Err(Failure::Limit { parameter: "a".to_owned(), limit: "0".to_owned() }));
    }
    Ok(Ok((fit, nbd)))
}

/// What the times between orders add; where nothing is known of them, that of the customers' totals.
fn known_factors<'p>(
    gaps: &Gaps<'_>,
    patterns: &'p Patterns,
    taken: Option<&[f64]>,
) -> Result<LnFactors<'p>, Error> {
    match gaps.ln_factors(patterns, taken)? {
        Ok(factors) => Ok(factors),
        Err(NotTried::Unknown) => Ok(LnFactors::of_totals(patterns)),
        Err(why) => Err(Error::model(format!(
            "purchases.model names a model of regular buyers{}",
            why.words()
        ))),
    }
}

/// The fit to all customers of a model that was fitted to a sample: `Some(None)` for the NBD, `None`
/// where it has no fit. It begins where a fit of a named model does, so that it is the same.
fn whole_fit(data: &Data, family: Family) -> Option<Option<FamilyFit>> {
    match family {
        Family::Nbd => Some(None),
        _ => data.fit(family).ok().map(Some),
    }
}

fn replaced(compared: &Comparison) -> Vec<Replaced> {
    let failed = compared.failures().into_iter();
    failed.map(|(model, why)| Replaced { model, why: why.clone() }).collect()
}
