//! What is wrong with a spend fit: findings with a code for machines and words for people.

use crate::model::gamma_gamma::GammaGamma;
use crate::results::findings::Finding;
use crate::results::numbers::{decimal, whole};

/// Correlation of frequency and monetary value above which independence is in doubt.
pub const CORRELATED: f64 = 0.3;
/// How many times the model's mean may be above or below the observed one.
pub const FAR: f64 = 1.5;

/// Why Gamma-Gamma has no fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoFit {
    /// All customers pay the same.
    Constant,
    /// There are too few distinct order counts and values.
    FewValues {
        /// How many there are.
        distinct: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The likelihood has no maximum that the solver finds.
    NotConverged,
    /// There is no repeat order, and only those are counted.
    NobodyRepeated,
}

/// All findings about a fit by maximum likelihood.
pub(crate) fn findings(
    model: &GammaGamma,
    observed_mean: f64,
    flat: bool,
    l2_penalty: f64,
    correlations: [Option<f64>; 2],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if flat {
        findings.push(Finding::warning(
            "spend_not_identified",
            "the likelihood is flat in some direction: p, q and v are not determined by these \
             data, as when order values hardly differ"
                .to_owned(),
            "use the expected values, not the parameters; check the value columns",
        ));
    }
    if model.q <= 1.0 {
        findings.push(without_population_mean(model.q, l2_penalty));
    }
    findings.extend(far_from_observed(model, observed_mean));
    findings.extend(depends_on_frequency(correlations));
    findings
}

/// The shrunk mean of order values in place of Gamma-Gamma.
pub(crate) fn replaced(why: NoFit, customers: f64, model: &GammaGamma) -> Finding {
    let mean = model.population_mean().unwrap_or_default();
    let (cause, remedy, variant) = match why {
        NoFit::Constant => (
            format!("all orders have the same value, {}, so Gamma-Gamma has no fit", decimal(mean)),
            "nothing, if prices are constant; else check the value columns",
            "constant",
        ),
        NoFit::FewValues { distinct, needed } => (
            format!(
                "{} customers have only {distinct} distinct order counts and values, at least \
                 {needed} are needed for Gamma-Gamma",
                whole(customers)
            ),
            "use more customers, or check that the right columns are named in [input.columns]",
            "few_values",
        ),
        NoFit::NotConverged => (
            "the Gamma-Gamma fit did not converge".to_owned(),
            "check the value columns for extreme values, and the outlier limits",
            "not_converged",
        ),
        NoFit::NobodyRepeated => (
            "nobody has a repeat order, so the values of all orders are taken".to_owned(),
            "use a longer history; check the customer column",
            "nobody_repeated",
        ),
    };
    Finding::warning(
        "spend_replaced",
        format!(
            "{cause}: the value of a customer's orders is the mean of the customer's orders, shrunk \
             towards the mean of all, {}",
            decimal(mean)
        ),
        remedy,
    )
    .with_variant(variant)
    .with("mean", mean)
    .with("customers", customers)
}

/// A population mean that is not that of the data: q is so near 1 that it says nothing.
fn far_from_observed(model: &GammaGamma, observed_mean: f64) -> Option<Finding> {
    let mean = model.population_mean()?;
    let times = (mean / observed_mean).max(observed_mean / mean);
    (times > FAR).then(|| {
        Finding::warning(
            "spend_mean_far_from_observed",
            format!(
                "by Gamma-Gamma an order is worth {} on average (q = {:.4}), but customers paid {}: \
                 the values of customers with few orders are off by as much",
                decimal(mean),
                model.q,
                decimal(observed_mean)
            ),
            "order values have a heavy tail: tighten the outlier limits, and read the values of \
             customers with one order with care",
        )
        .with_variant(if mean > observed_mean { "above" } else { "below" })
        .with("mean", mean)
        .with("observed_mean", observed_mean)
        .with("q", model.q)
    })
}

/// Spend that goes with frequency.
pub(crate) fn depends_on_frequency(correlations: [Option<f64>; 2]) -> Option<Finding> {
    let [Some(pearson), Some(spearman)] = correlations else {
        return None;
    };
    (pearson.abs().max(spearman.abs()) > CORRELATED).then(|| {
        Finding::warning(
            "spend_depends_on_frequency",
            format!(
                "order count and mean order value are correlated (Pearson {pearson:.2}, Spearman \
                 {spearman:.2}), but Gamma-Gamma assumes that they are independent"
            ),
            "fit groups of customers apart, or read average values with care",
        )
        .with("pearson", pearson)
        .with("spearman", spearman)
    })
}

fn without_population_mean(q: f64, l2_penalty: f64) -> Finding {
    let (cause, remedy, variant) = if l2_penalty > 0.0 {
        let cause = format!(" under the penalty spend.l2_penalty = {l2_penalty}");
        (cause, "set spend.l2_penalty = 0", "penalty")
    } else {
        let remedy = "order values have a very heavy tail: tighten the outlier limits";
        (String::new(), remedy, "heavy_tail")
    };
    Finding::warning(
        "spend_without_population_mean",
        format!(
            "Gamma-Gamma's q = {q:.4} is below 1{cause}: the model has no average order value \
             for the population, so p, q and v mean nothing by themselves"
        ),
        remedy,
    )
    .with_variant(variant)
    .with("q", q)
    .with("l2_penalty", l2_penalty)
}
