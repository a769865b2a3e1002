//! Whether another model of the family is better than the one that predicts, or as good and of
//! another opinion about who is still there.

use crate::error::Error;
use crate::model::fit::gaps::Gaps;
use crate::model::fit::purchases::{FittedPurchases, fit};
use crate::model::likelihood::patterns::Patterns;
use crate::model::selection::probability::SelectionRule;
use crate::results::candidate::{Candidate, Outcome};
use crate::results::findings::Finding;
use crate::results::numbers::{decimal, whole};
use crate::settings::{Family, Purchases};

/// Difference in Akaike's criterion from which the worse model has no support: Burnham & Anderson
/// (2002), Model Selection and Multimodel Inference, 2nd edition, section 2.6.
pub(crate) const MUCH: f64 = 10.0;
/// Difference in the share alive that changes what one would do.
const POINTS: f64 = 0.1;

/// The model that predicts, beside the others of the family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FamilyCheck {
    /// Whether others were fitted to compare with; not under a penalty, which AIC does not know.
    pub(crate) computed: bool,
    /// The model that predicts.
    pub(crate) model: Family,
    /// Its mean P(alive).
    pub(crate) share_alive: Option<f64>,
    /// The best of the other models.
    pub(crate) other: Option<Family>,
    /// By how much the AIC of the other is lower; below 0, it is higher.
    pub(crate) delta_aic: Option<f64>,
    /// The other's mean P(alive).
    pub(crate) other_share_alive: Option<f64>,
    /// Of the models within 10 of AIC, the one whose share alive is farthest off, with that share.
    pub(crate) farthest: Option<(Family, f64)>,
    /// Customers of the sample that the models were compared on, if it was one.
    pub(crate) sample: Option<f64>,
}

/// [`fit`], where a model that the pipeline names is compared with the others of the
/// family, unless there is a penalty.
///
/// # Errors
/// As [`fit`].
pub(crate) fn fit_and_compare(
    patterns: &Patterns,
    settings: &Purchases,
    selection: Option<SelectionRule>,
    gaps: &Gaps<'_>,
) -> Result<FittedPurchases, Error> {
    let mut fitted = fit(patterns, settings, selection, gaps, settings.l2_penalty == 0.0)?;
    fitted.findings.extend(family_check(&fitted, settings.l2_penalty).findings());
    Ok(fitted)
}

/// Compares the model that predicts with the others that were fitted.
pub(crate) fn family_check(fitted: &FittedPurchases, l2_penalty: f64) -> FamilyCheck {
    let candidates = &fitted.comparison;
    let own = candidates.iter().find(|c| c.model == fitted.family);
    let others: Vec<&Candidate> = candidates
        .iter()
        .filter(|c| c.model != fitted.family && c.outcome != Some(Outcome::Nbd) && c.aic.is_some())
        .collect();
    let computed =
        l2_penalty == 0.0 && candidates.len() > 2 && own.is_some_and(|c| c.aic.is_some());
    let own = own.filter(|_| computed);
    // The table begins with the lowest AIC.
    let other = others.first().copied().filter(|_| computed);
    let lower = |other: &Candidate| Some(own?.aic? - other.aic?);
    let distance = |other: &Candidate| Some((own?.share_alive? - other.share_alive?).abs());
    let close = others.iter().filter(|c| lower(c).is_some_and(|lower| lower.abs() <= MUCH));
    let farthest = close
        .filter_map(|c| Some((distance(c)?, c.model, c.share_alive?)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    FamilyCheck {
        computed,
        model: fitted.family,
        share_alive: own.and_then(|c| c.share_alive),
        other: other.map(|c| c.model),
        delta_aic: other.and_then(lower),
        other_share_alive: other.and_then(|c| c.share_alive),
        farthest: farthest.map(|(_, model, share)| (model, share)),
        sample: own.and_then(|c| c.sample),
    }
}

/// The name in pipeline files; those of regular buyers have none with a k.
fn key(family: Family) -> &'static str {
    match family {
        Family::BgCnbdK(_) => "bg_cnbd_k",
        Family::MbgCnbdK(_) => "mbg_cnbd_k",
        plain => plain.name(),
    }
}

impl FamilyCheck {
    /// What the reader should know of it.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.better().or_else(|| self.uncertain()).into_iter().collect()
    }

    fn better(&self) -> Option<Finding> {
        let (other, delta) = (self.other?, self.delta_aic?);
        let (own, others) = (self.share_alive?, self.other_share_alive?);
        (delta > MUCH).then(|| {
            let finding = Finding::warning(
                "better_model",
                format!(
                    "{} fits better than {} (AIC lower by {}{}); it says that {} % of the customers \
                     are still there, {} says {} %",
                    other.title(),
                    self.model.title(),
                    decimal(delta),
                    self.on_sample(),
                    whole(100.0 * others),
                    self.model.title(),
                    whole(100.0 * own)
                ),
                format!("set purchases.model = \"{}\", or \"auto\"", key(other)),
            );
            let on = if self.sample.is_some() { "on_sample" } else { "on_all" };
            let finding = finding.with_variant(on).with("delta_aic", delta);
            self.named(finding, other, own, others)
        })
    }

    fn uncertain(&self) -> Option<Finding> {
        let (own, (other, others)) = (self.share_alive?, self.farthest?);
        ((own - others).abs() > POINTS).then(|| {
            let finding = Finding::note(
                "share_alive_uncertain",
                format!(
                    "{} fits nearly as well as {}{}, but says that {} % of the customers are still \
                     there, not {} %",
                    other.title(),
                    self.model.title(),
                    self.on_sample(),
                    whole(100.0 * others),
                    whole(100.0 * own)
                ),
                "do not build on the share of customers who are still there; more customers or a \
                 longer history tell the models apart",
            );
            self.named(finding.with_variant("figures"), other, own, others)
        })
    }

    fn named(&self, finding: Finding, other: Family, own: f64, others: f64) -> Finding {
        finding
            .with("model", self.model.title())
            .with("other", other.title())
            .with("key", key(other))
            .with("share_alive", own)
            .with("other_share_alive", others)
            .maybe("sample", self.sample)
    }

    fn on_sample(&self) -> String {
        let words = |customers| format!(", on a sample of {} customers", whole(customers));
        self.sample.map_or(String::new(), words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::forecast::predict::tests::fitted;

    fn candidate(model: Family, aic: Option<f64>, share_alive: f64, outcome: Outcome) -> Candidate {
        Candidate {
            model,
            log_likelihood: aic,
            aic,
            without_dropout: model == Family::Nbd,
            share_alive: aic.map(|_| share_alive),
            sample: None,
            outcome: Some(outcome),
            reason: String::new(),
        }
    }

    /// BG/NBD at an AIC of 100 with 75 % alive, beside MBG/NBD with 37 %.
    fn beside(mbg: Option<f64>, share: f64, l2_penalty: f64) -> FamilyCheck {
        let mut fit = fitted(Family::BgNbd.model(&[1.0; 4]), None);
        fit.comparison = vec![
            candidate(Family::MbgNbd, mbg, share, Outcome::Other),
            candidate(Family::BgNbd, Some(100.0), 0.75, Outcome::Named),
            candidate(Family::ParetoNbd, Some(50.0), 1.0, Outcome::Nbd),
            candidate(Family::Nbd, Some(300.0), 1.0, Outcome::Other),
        ];
        family_check(&fit, l2_penalty)
    }

    fn codes(check: &FamilyCheck) -> Vec<String> {
        check.findings().iter().map(|finding| finding.code.to_string()).collect()
    }

    #[test]
    fn a_model_that_is_better_by_more_than_ten_is_said() {
        let check = beside(Some(89.5), 0.37, 0.0);
        assert_eq!((check.other, check.delta_aic), (Some(Family::MbgNbd), Some(10.5)));
        let findings = check.findings();
        assert_eq!(&*findings[0].code, "better_model");
        let expected = "MBG/NBD fits better than BG/NBD (AIC lower by 10.50); it says that 37 % of \
                        the customers are still there, BG/NBD says 75 %";
        assert_eq!(findings[0].message, expected);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn of_models_that_fit_alike_the_share_alive_is_compared() {
        assert_eq!(codes(&beside(Some(90.5), 0.37, 0.0)), ["share_alive_uncertain"]);
        assert_eq!(codes(&beside(Some(109.5), 0.37, 0.0)), ["share_alive_uncertain"]);
        assert_eq!(codes(&beside(Some(90.5), 0.66, 0.0)), [""; 0]);
        assert_eq!(codes(&beside(Some(111.0), 0.37, 0.0)), [""; 0]);
    }

    #[test]
    fn without_others_or_under_a_penalty_nothing_is_compared() {
        let check = beside(Some(50.0), 0.37, 0.001);
        assert!(!check.computed && check.other.is_none() && codes(&check).is_empty());
        let check = beside(None, 0.37, 0.0);
        assert_eq!((check.computed, check.other), (true, Some(Family::Nbd)));
        assert!(codes(&check).is_empty());
    }
}
