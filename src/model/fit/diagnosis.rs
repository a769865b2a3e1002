//! What is wrong with a purchase fit: findings with a code for machines and words for people.

use crate::model::fit::failure::{Failure, Replaced};
use crate::model::fit::family_fit::FamilyFit;
use crate::model::fit::replacement;
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::patterns::Patterns;
use crate::results::findings::Finding;
use crate::results::numbers::whole;
use crate::settings::{Family, PurchaseModelName, Purchases};

/// Total log-likelihood that dropout must add to be significant: half the 5 % point of the 50:50
/// mixture of χ²₀ and χ²₁ that the likelihood ratio follows on the boundary (Self & Liang 1987,
/// JASA 82, case 5).
const LEAST_GAIN: f64 = 2.706 / 2.0;
/// With a larger condition number, the inverse of an information matrix has lost half its digits.
const ILL_CONDITIONED: f64 = 1e8;
/// Fewer customers or repeat orders give parameters with errors of tens of percent.
const FEW_CUSTOMERS: f64 = 100.0;
const FEW_REPEAT_ORDERS: f64 = 100.0;

/// A fit, the NBD that it is compared with, and what the diagnosis needs besides.
pub(crate) struct Case<'a> {
    pub patterns: &'a Patterns,
    pub chosen: &'a FamilyFit,
    pub nbd: &'a FamilyFit,
    /// Why the NBD itself has no fit, if it has none.
    pub nbd_failure: Option<&'a Failure>,
    /// The models that were asked for and have no fit.
    pub replaced: &'a [Replaced],
    /// Whether the dropout of `chosen` vanished.
    pub degenerate: bool,
    /// Covariance of the model that predicts.
    pub covariance: Option<&'a Covariance>,
    pub settings: &'a Purchases,
    /// Log-likelihood (penalised, if there is a penalty) that dropout adds.
    pub gain: f64,
}

impl<'a> Case<'a> {
    /// The fit that predicts.
    pub(crate) fn predicts(&self) -> &'a FamilyFit {
        if self.degenerate { self.nbd } else { self.chosen }
    }
}

/// All findings about a purchase fit.
pub(crate) fn of_purchases(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = replacement::findings(
        case.replaced,
        case.predicts().steady,
        case.nbd_failure,
        case.patterns.customers,
    );
    if !case.replaced.is_empty() {
        // The no-dropout model predicts because there is no other, not because it is better.
    } else if case.degenerate {
        findings.push(dropout_not_identified(case));
    } else if case.chosen.family == Family::Nbd {
        findings.push(without_dropout(case));
    } else {
        findings.extend(dropout_not_significant(case));
    }
    findings.extend(not_identified(case));
    findings.extend(too_little_data(case.patterns));
    findings
}

fn dropout_not_identified(case: &Case<'_>) -> Finding {
    let limit = match case.chosen.family {
        Family::ParetoNbd => "s/β → 0",
        _ if case.settings.l2_penalty > 0.0 => "a, b → 0",
        _ => "a/(a+b) → 0",
    };
    Finding::warning(
        "dropout_not_identified",
        format!(
            "this file cannot tell when customers leave: {}'s dropout went to zero ({limit}), so \
             P(alive) = 1 for every customer, and the no-dropout model (NBD) fits as well \
             (log-likelihood {:.3} for both)",
            case.chosen.family.title(),
            case.nbd.log_likelihood
        ),
        "expect fewer orders where customers leave; to measure dropout, export every customer \
         ever acquired, or say in [selection] how customers came to be in the file",
    )
    .with_variant("at_zero")
    .with("model", case.chosen.family.title())
    .with("log_likelihood", case.nbd.log_likelihood)
}

fn without_dropout(case: &Case<'_>) -> Finding {
    if case.settings.model == PurchaseModelName::Nbd {
        return Finding::note(
            "no_dropout_by_choice",
            "the NBD says that no customer ever leaves, because purchases.model asks for it"
                .to_owned(),
            "use model = \"auto\" to let the data say whether customers leave",
        );
    }
    Finding::warning(
        "dropout_not_identified",
        "no model with dropout fits better than the no-dropout model (NBD) by Akaike's criterion: \
         this file cannot tell when customers leave, so P(alive) = 1 for every customer"
            .to_owned(),
        "expect fewer orders where customers leave; use more customers or a longer history",
    )
    .with_variant("by_criterion")
}

fn dropout_not_significant(case: &Case<'_>) -> Option<Finding> {
    (case.gain < LEAST_GAIN).then(|| {
        Finding::warning(
            "dropout_not_significant",
            format!(
                "the no-dropout model (NBD) fits nearly as well: dropout adds {:.3} to the \
                 log-likelihood, {LEAST_GAIN:.3} would be significant at 5 %",
                case.gain
            ),
            "do not act on P(alive); use more customers or a longer history",
        )
        .with("gain", case.gain)
        .with("significant_gain", LEAST_GAIN)
    })
}

/// A warning where the likelihood is flat in some direction, or still rises at the edge of the
/// parameter space. A penalty hides that, so there is no such warning under one.
fn not_identified(case: &Case<'_>) -> Option<Finding> {
    if case.settings.l2_penalty > 0.0 {
        return None;
    }
    let fit = case.predicts();
    // Its one parameter, the rate, is known.
    if fit.steady.is_some() {
        return None;
    }
    let flat = match case.covariance {
        None => "the information matrix is singular".to_owned(),
        Some(covariance) => {
            if !covariance.is_flat() && covariance.condition_number < ILL_CONDITIONED {
                return None;
            }
            format!(
                "the likelihood is flat in one direction (condition number {:.1e})",
                covariance.condition_number
            )
        }
    };
    let flattest = case.covariance.map(|covariance| covariance.flattest.as_slice());
    let known = known_ratio(fit, flattest).unwrap_or_default();
    let finding = Finding::warning(
        "parameters_not_identified",
        format!("{flat}{known}: single parameters of {} mean little here", fit.family.title()),
        "use the forecasts, not the single parameters; more customers or a longer history help",
    );
    Some(
        finding
            .with_variant(if case.covariance.is_some() { "flat" } else { "singular" })
            .with("model", fit.family.title())
            .maybe("condition_number", case.covariance.map(|c| c.condition_number)),
    )
}

/// Two parameters can run to infinity together: their ratio is known then, and they are not. That
/// is so where both make up the flattest direction, or, without a covariance, where both are huge.
///
/// Returns `None` when there is no such pair.
fn known_ratio(fit: &FamilyFit, flattest: Option<&[f64]>) -> Option<String> {
    const FAR: f64 = 1e3;
    let together = |i: usize, j: usize| {
        let (first, second) = (*fit.parameters.get(i)?, *fit.parameters.get(j)?);
        let together = match flattest {
            Some(way) => way[i] * way[j] > 0.0 && way[i] * way[i] + way[j] * way[j] > 0.9,
            None => first.min(second) > FAR,
        };
        together.then_some((first, second))
    };
    if let Some((r, alpha)) = together(0, 1) {
        let k = fit.family.stages();
        let symbols = if k == 1 { "r/α" } else { "r/(kα)" };
        return Some(format!(
            ", all customers seem to order alike: the mean rate {symbols} = {:.4} is known, r and α \
             are not",
            r / (f64::from(k) * alpha)
        ));
    }
    let (first, second) = together(2, 3)?;
    Some(match fit.family {
        Family::ParetoNbd => format!(
            ", all customers seem to leave alike: the mean rate s/β = {:.4} is known, s and β are \
             not",
            first / second
        ),
        _ => format!(
            ", all customers seem to leave alike: the ratio a/(a+b) = {:.4} is known, a and b are \
             not",
            first / (first + second)
        ),
    })
}

fn too_little_data(patterns: &Patterns) -> Option<Finding> {
    let [orders] = patterns.sum(|row| [row.count * patterns.frequency[row.x as usize]]);
    let few = patterns.customers < FEW_CUSTOMERS || orders < FEW_REPEAT_ORDERS;
    few.then(|| {
        Finding::warning(
            "too_little_data",
            format!(
                "{} customers with {} repeat orders are too few: the parameters may be wrong \
                 by tens of percent",
                whole(patterns.customers),
                whole(orders)
            ),
            "use more customers or a longer history, and read the intervals",
        )
        .with("customers", patterns.customers)
        .with("repeat_orders", orders)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fit::steady::known_optimum;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::{diagonal, orders_only};

    fn fit(family: Family, parameters: &[f64]) -> FamilyFit {
        FamilyFit {
            family,
            optimum: known_optimum(parameters.to_vec(), 1.0),
            parameters: parameters.to_vec(),
            model: family.model(parameters),
            log_likelihood: -1234.5,
            steady: None,
        }
    }

    fn covariance(variance: f64, condition_number: f64, flattest: &[f64]) -> Option<Covariance> {
        let log_scale = diagonal(&vec![variance; flattest.len()]);
        Some(Covariance { log_scale, condition_number, flattest: flattest.to_vec() })
    }

    /// Customers, of whom the first `repeating` have one repeat order.
    fn patterns(customers: usize, repeating: usize) -> Patterns {
        let x: Vec<f64> = (0..customers).map(|i| f64::from(u8::from(i < repeating))).collect();
        let ages = vec![9.0; customers];
        let histories = orders_only(x.clone(), x, ages);
        CustomerPatterns::of(&histories).patterns
    }

    /// A case that owns its parts.
    struct Given {
        patterns: Patterns,
        chosen: FamilyFit,
        degenerate: bool,
        covariance: Option<Covariance>,
        settings: Purchases,
        gain: f64,
    }

    /// One that nothing need be said of.
    fn good(family: Family) -> Given {
        let n = family.parameters().len();
        Given {
            patterns: patterns(100, 100),
            chosen: fit(family, &vec![1.0; n]),
            degenerate: false,
            covariance: covariance(0.01, 9e7, &vec![0.5; n]),
            settings: Purchases { model: family.into(), l2_penalty: 0.0, k: None },
            gain: 30.0,
        }
    }

    impl Given {
        fn findings(&self) -> Vec<Finding> {
            of_purchases(&Case {
                patterns: &self.patterns,
                chosen: &self.chosen,
                nbd: &fit(Family::Nbd, &[1.0, 1.0]),
                nbd_failure: None,
                replaced: &[],
                degenerate: self.degenerate,
                covariance: self.covariance.as_ref(),
                settings: &self.settings,
                gain: self.gain,
            })
        }

        /// Code, variant and message of the only finding; `None` without findings.
        fn finding(&self) -> Option<(String, Option<String>, String)> {
            let findings = self.findings();
            assert!(findings.len() <= 1, "{findings:?}");
            let of = |f: &Finding| {
                (f.code.to_string(), f.variant().map(str::to_owned), f.message.clone())
            };
            findings.first().map(of)
        }

        fn has(&self, code: &str, variant: Option<&str>, words: &str) {
            let found = self.finding().expect("a finding");
            assert_eq!((&*found.0, found.1.as_deref()), (code, variant), "{}", found.2);
            assert!(found.2.contains(words), "{}", found.2);
        }
    }

    #[test]
    fn a_dropout_that_vanished_is_reported_with_its_limit() {
        for (family, l2_penalty, limit) in [
            (Family::BgNbd, 0.0, "BG/NBD's dropout went to zero (a/(a+b) → 0)"),
            (Family::MbgNbd, 0.01, "MBG/NBD's dropout went to zero (a, b → 0)"),
            (Family::ParetoNbd, 0.0, "Pareto/NBD's dropout went to zero (s/β → 0)"),
        ] {
            let settings = Purchases { model: family.into(), l2_penalty, k: None };
            let given = Given { degenerate: true, gain: 0.0, settings, ..good(family) };
            given.has("dropout_not_identified", Some("at_zero"), limit);
            given.has("dropout_not_identified", Some("at_zero"), "log-likelihood -1234.500");
        }
    }

    #[test]
    fn a_model_without_dropout_is_a_choice_or_a_verdict() {
        good(Family::Nbd).has("no_dropout_by_choice", None, "purchases.model asks for it");
        let settings = Purchases { model: PurchaseModelName::Auto, l2_penalty: 0.0, k: None };
        let by_criterion = Given { settings, ..good(Family::Nbd) };
        by_criterion.has("dropout_not_identified", Some("by_criterion"), "Akaike's criterion");
    }

    #[test]
    fn a_good_fit_has_no_finding_and_a_small_gain_has_one() {
        for family in [Family::BgNbd, Family::MbgNbd, Family::ParetoNbd] {
            assert_eq!(good(family).finding(), None);
        }
        // 5 % of the mixture is 10 % of χ²₁: 1.6449² = 2.7055, and half of it is 1.3528.
        assert_eq!(Given { gain: 1.354, ..good(Family::BgNbd) }.finding(), None);
        let small = Given { gain: 1.352, ..good(Family::BgNbd) };
        small.has("dropout_not_significant", None, "adds 1.352 to the log-likelihood");
    }

    #[test]
    fn of_parameters_that_run_away_together_the_ratio_is_reported() {
        let half = 0.5f64.sqrt();
        let code = "parameters_not_identified";
        let given = |family, values: &[f64; 4], covariance| Given {
            chosen: fit(family, values),
            covariance,
            ..good(family)
        };
        // Along the flattest way, both rising or both falling: r/α = 3/12, a/(a+b) = 1/4, s/β =
        // 1/3.
        let values = [3.0, 12.0, 1.0, 3.0];
        let along = |way: &[f64]| covariance(0.01, 2e8, way);
        let rates = given(Family::BgNbd, &values, along(&[half, half, 0.0, 0.0]));
        rates.has(code, Some("flat"), "r/α = 0.2500 is known");
        rates.has(code, Some("flat"), "condition number 2.0e8");
        let dropouts = given(Family::MbgNbd, &values, along(&[0.0, 0.0, -half, -half]));
        dropouts.has(code, Some("flat"), "a/(a+b) = 0.2500 is known");
        let deaths = given(Family::ParetoNbd, &values, along(&[0.0, 0.0, -half, -half]));
        deaths.has(code, Some("flat"), "s/β = 0.3333 is known");
        // Against each other, none is known.
        let apart = given(Family::BgNbd, &values, along(&[half, -half, 0.0, 0.0]));
        apart.has(code, Some("flat"), "): single parameters of BG/NBD mean little");
        // A standard error of √10 times the parameter is flat at any condition number.
        let wide = given(Family::BgNbd, &values, covariance(10.0, 50.0, &[0.6, 0.0, 0.8, 0.0]));
        wide.has(code, Some("flat"), "condition number 5.0e1): single");
        // Without an inverse there is no way to look along: both must be far away already.
        let far = given(Family::BgNbd, &[2e3, 8e3, 1.0, 3.0], None);
        far.has(code, Some("singular"), "the information matrix is singular, all customers");
        far.has(code, Some("singular"), "r/α = 0.2500 is known");
        let near = given(Family::BgNbd, &[9e2, 8e3, 1.0, 3.0], None);
        near.has(code, Some("singular"), "singular: single parameters");
        // Under a penalty nothing of this is seen.
        let settings = Purchases { l2_penalty: 0.01, ..Purchases::default() };
        assert_eq!(Given { settings, ..far }.finding(), None);
    }

    #[test]
    fn fewer_than_a_hundred_customers_or_repeat_orders_are_few() {
        for (customers, orders) in [(99, 99), (101, 99)] {
            let few = Given { patterns: patterns(customers, orders), ..good(Family::BgNbd) };
            let words = format!("{customers} customers with {orders} repeat orders are too few");
            few.has("too_little_data", None, &words);
        }
        // 99 customers are few also where each has a hundred orders.
        let mut few = good(Family::BgNbd);
        few.patterns = patterns(99, 99);
        few.patterns.frequency.iter_mut().filter(|x| **x > 0.0).for_each(|x| *x = 100.0);
        few.has("too_little_data", None, "99 customers with 9,900 repeat orders");
    }
}
