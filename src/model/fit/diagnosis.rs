//! What is wrong with a purchase fit: findings with a code for machines and words for people.

use crate::error::Error;
use crate::model::fit::family_fit::FamilyFit;
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::maximise::Optimum;
use crate::model::likelihood::patterns::Patterns;
use crate::results::findings::Finding;
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
    /// Whether the dropout of `chosen` vanished.
    pub degenerate: bool,
    /// Covariance of the model that predicts.
    pub covariance: Option<&'a Covariance>,
    pub settings: &'a Purchases,
    /// Log-likelihood (penalised, if there is a penalty) that dropout adds.
    pub gain: f64,
}

/// Turns a fit that did not converge into an error that says why.
pub(crate) fn require_converged(
    optimum: Option<Optimum>,
    family: Family,
) -> Result<Optimum, Error> {
    let advice = "check the data for extreme values, try purchases.model = \"auto\", or set a \
                  small l2_penalty and read the result with care";
    let model = family.title();
    let edge = optimum.as_ref().and_then(|optimum| {
        let edge = optimum.at_edge().next()?;
        Some((family.parameters()[edge], optimum.parameters[edge]))
    });
    match optimum {
        Some(optimum) if optimum.converged() => Ok(optimum),
        Some(_) if let Some((name, value)) = edge => Err(Error::Model(format!(
            "the {model} likelihood keeps rising as {name} → {}: these data have no estimate of \
             it; choose another purchases.model, or \"auto\"",
            if value < 1.0 { "0" } else { "∞" }
        ))),
        Some(optimum) => Err(Error::Model(format!(
            "the {model} fit did not converge: the gradient norm is {:.1e} after {} iterations \
             ({}); {advice}",
            optimum.gradient_norm, optimum.iterations, optimum.termination
        ))),
        None => Err(Error::Model(format!(
            "the {model} fit found no point with a finite likelihood; {advice}"
        ))),
    }
}

/// All findings about a purchase fit.
pub(crate) fn of_purchases(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if case.degenerate {
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
        "read the expected orders as an upper bound; to measure dropout, export every customer \
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
        "read the expected orders as an upper bound; use more customers or a longer history",
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
    let fit = if case.degenerate { case.nbd } else { case.chosen };
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
        return Some(format!(
            ", all customers seem to order alike: the mean rate r/α = {:.4} is known, r and α are \
             not",
            r / alpha
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
                "{} customers with {orders} repeat orders are too few: the parameters may be wrong \
                 by tens of percent",
                patterns.customers
            ),
            "use more customers or a longer history, and read the intervals",
        )
        .with("customers", patterns.customers)
        .with("repeat_orders", orders)
    })
}
