//! What to say where another model had to take the place of the one that was asked for.

use crate::model::fit::failure::{Failure, Replaced};
use crate::model::fit::steady::SteadyRate;
use crate::results::findings::Finding;
use crate::results::numbers::{significant, whole};

/// A warning for each step from the model that was asked for to the one that predicts: the models
/// without a fit, and the NBD where its Poisson limit predicts.
pub(crate) fn findings(
    replaced: &[Replaced],
    steady: Option<SteadyRate>,
    nbd_failure: Option<&Failure>,
    customers: f64,
) -> Vec<Finding> {
    if let Some(steady) = steady.filter(|steady| steady.assumed) {
        return vec![nobody_repeated(customers, steady.rate)];
    }
    let without_fit = (!replaced.is_empty()).then(|| without_fit(replaced));
    let one_rate = steady.map(|steady| one_rate(steady.rate, nbd_failure));
    without_fit.into_iter().chain(one_rate).collect()
}

/// A model of the family has no fit, so that the NBD predicts.
fn without_fit(replaced: &[Replaced]) -> Finding {
    let names: Vec<&str> = replaced.iter().map(|one| one.model.title()).collect();
    let same = replaced.iter().all(|one| one.why == replaced[0].why);
    let why: Vec<String> = match same {
        true => vec![replaced[0].why.words()],
        false => replaced
            .iter()
            .map(|one| format!("{}: {}", one.model.title(), one.why.words()))
            .collect(),
    };
    let remedy = match &replaced[0].why {
        Failure::FewHistories { .. } => "use more customers or a longer history",
        Failure::Limit { .. } => {
            "expect fewer orders where customers leave; choose another purchases.model, or \"auto\""
        }
        _ => {
            "expect fewer orders where customers leave; check the data for extreme values, or try \
             purchases.model = \"auto\""
        }
    };
    let few = matches!(replaced[0].why, Failure::FewHistories { .. });
    Finding::warning(
        "model_replaced",
        format!(
            "{} could not be fitted ({}): the no-dropout model (NBD) predicts in its place, so \
             P(alive) = 1 for every customer",
            names.join(", "),
            why.join("; ")
        ),
        remedy,
    )
    .with_variant(if few { "few_histories" } else { "without_fit" })
    .with("model", names.join(", "))
    .with("reason", why.join("; "))
}

/// The NBD has come to its Poisson limit.
fn one_rate(rate: f64, failure: Option<&Failure>) -> Finding {
    let at_limit = failure.is_none_or(|why| matches!(why, Failure::Limit { .. }));
    let (cause, variant) = match failure {
        Some(why) if !at_limit => {
            (format!("the NBD could not be fitted ({})", why.words()), "no_nbd")
        }
        _ => {
            let cause = "order counts vary no more than if all customers ordered at one rate, so the \
                         NBD has come to its limit (r, α → ∞)";
            (cause.to_owned(), "one_rate")
        }
    };
    Finding::warning(
        "model_replaced",
        format!(
            "{cause}: one rate for all predicts, {} orders per time unit, and nobody leaves",
            significant(rate)
        ),
        "check that customers decide themselves when they order: subscriptions and instalments do not \
         need this model",
    )
    .with_variant(variant)
    .with("rate", rate)
}

/// Nobody ordered twice: the rate is an assumption.
fn nobody_repeated(customers: f64, rate: f64) -> Finding {
    Finding::warning(
        "model_replaced",
        format!(
            "none of {} customers ordered twice, so nothing is known about later orders: the forecast \
             assumes half an order in all the time that customers were watched ({} orders per time \
             unit)",
            whole(customers),
            significant(rate)
        ),
        "use a longer history; check the customer column: an id for each order looks like this",
    )
    .with_variant("nobody_repeated")
    .with("customers", customers)
    .with("rate", rate)
}
