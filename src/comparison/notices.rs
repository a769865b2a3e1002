//! Findings about the numbers of a comparison: the assumptions behind them, and how many customers
//! each one concerns.

use crate::comparison::actuals::Anomalies;
use crate::comparison::finished_run::Finished;
use crate::comparison::money::Money;
use crate::frame::scored::compare::Respelled;
use crate::model::evaluate::missed::{Total, Verdict};
use crate::results::findings::Finding;
use crate::results::numbers::{count, whole};
use crate::results::outlier_limits::OutlierLimits;

/// All findings, in a fixed order.
pub(super) fn findings(
    before: &Finished,
    after: &Finished,
    anomalies: Anomalies,
    respelled: Respelled,
    total: Option<Total>,
    money: Money,
) -> Vec<Finding> {
    [
        total.and_then(|total| missed(&total, before)),
        ids_changed(respelled),
        first_order_moved(anomalies.first_order_moved),
        lost(anomalies.lost, before),
        fewer_orders(anomalies.fewer_orders),
        less_spent(anomalies.less_spent),
        late(anomalies.late, before),
        money.finding(before, after),
        recut(before, after),
        capped(before, after),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A forecast that was further off than its interval.
fn missed(total: &Total, before: &Finished) -> Option<Finding> {
    let [low, high] = total.interval();
    let message = format!(
        "the run as of {} expected {} orders of its customers since, 90 % interval {} to {}, but {} \
         came",
        before.document.as_of,
        whole(total.expected),
        whole(low),
        whole(high),
        whole(total.actual),
    );
    let remedy = "do not plan with the next forecast before you know why: look at model_checks of \
                  both runs, and whether the exports hold the same customers";
    let variant = if total.actual < total.expected { "too_high" } else { "too_low" };
    let finding = match total.verdict() {
        Verdict::Held => return None,
        Verdict::Unusual => Finding::note("forecast_missed", message, remedy),
        Verdict::Missed => Finding::warning("forecast_missed", message, remedy),
    };
    Some(
        finding
            .with_variant(variant)
            .with("as_of", before.document.as_of)
            .with("expected", total.expected)
            .with("low", low)
            .with("high", high)
            .with("actual", total.actual),
    )
}

/// Customers who are the same but for the spelling of their id.
fn ids_changed(respelled: Respelled) -> Option<Finding> {
    let Respelled { zeros, cases } = respelled;
    let (variant, ids, how) = if zeros >= cases {
        ("zeros", zeros, "with or without leading zeros")
    } else {
        ("cases", cases, "in upper or lower case")
    };
    (ids > 0).then(|| {
        Finding::warning(
            "ids_changed",
            format!(
                "{} ids that seem lost are in the later run {how}: these customers count as lost and \
                 as new, so the comparison is wrong for them",
                count(ids)
            ),
            "export the ids the same way in both quarters, as text, and run the later one again",
        )
        .with_variant(variant)
        .with("ids", ids)
    })
}

fn first_order_moved(customers: usize) -> Option<Finding> {
    (customers > 0).then(|| {
        Finding::warning(
            "first_order_moved",
            format!("{} customers have another first order in the later run", count(customers)),
            "a first order does not move: look whether ids were given to other customers, or old \
             orders were added or removed; their actual orders cannot be trusted",
        )
        .with("customers", customers)
    })
}

fn lost(customers: usize, before: &Finished) -> Option<Finding> {
    let (variant, why) = match before.settings.selection {
        Some(_) => (
            "selected",
            "the pipeline says that only some customers are in the file: who is no longer in it \
             has not ordered, unless ids changed",
        ),
        None => (
            "unexplained",
            "that is so where an export leaves out who has not ordered; where customers were \
             deleted or ids changed, the actual orders are too few",
        ),
    };
    (customers > 0).then(|| {
        Finding::note(
            "lost_customers",
            format!(
                "{} customers of the earlier run are not in the later one: they count as having \
                 ordered nothing since",
                count(customers)
            ),
            why,
        )
        .with_variant(variant)
        .with("customers", customers)
    })
}

fn fewer_orders(customers: usize) -> Option<Finding> {
    (customers > 0).then(|| {
        Finding::note(
            "fewer_orders",
            format!(
                "{} customers have fewer orders in the later run than in the earlier one: they count \
                 as having ordered nothing since",
                count(customers)
            ),
            "orders were cancelled or returned as a whole, or an outlier limit is lower now",
        )
        .with("customers", customers)
    })
}

fn less_spent(customers: usize) -> Option<Finding> {
    (customers > 0).then(|| {
        Finding::note(
            "less_spent",
            format!(
                "{} customers have spent less in total in the later run than in the earlier one: \
                 that is taken off the actual revenue",
                count(customers)
            ),
            "orders were returned or cancelled, or an outlier limit is lower now",
        )
        .with("customers", customers)
    })
}

fn late(customers: usize, before: &Finished) -> Option<Finding> {
    (customers > 0).then(|| {
        Finding::note(
            "late_customers",
            format!(
                "{} of the new customers first ordered on or before {}, and are not in the earlier \
                 run",
                count(customers),
                before.document.as_of
            ),
            "they came back after a filter or too few orders had left them out: their orders are \
             not among the actual ones",
        )
        .with("customers", customers)
        .with("as_of", before.document.as_of)
    })
}

/// The later run has segment edges of its own, from the quantiles of its customers.
fn recut(before: &Finished, after: &Finished) -> Option<Finding> {
    (before.model_file.segments.edges != after.model_file.segments.edges).then(|| {
        let model = before.folder.join("model.json").display().to_string();
        Finding::note(
            "segments_recut",
            "the later run has segment edges of its own, so that a customer can change segment \
             because others did"
                .to_owned(),
            format!("to keep the edges, score with `cltv score --model {model}`"),
        )
        .with("model_file", model)
    })
}

fn capped(before: &Finished, after: &Finished) -> Option<Finding> {
    let limit = |limits: &OutlierLimits| (limits.lower_applied, limits.upper_applied);
    let (was, is) = (before.capped(), after.capped());
    let limits =
        |run: &Finished| -> Vec<_> { run.document.outlier_limits.iter().map(limit).collect() };
    let alike = limits(before) == limits(after);
    let (variant, limits) = match alike {
        true => ("same_limits", "the same limits"),
        false => ("own_limits", "limits of their own"),
    };
    (was + is > 0).then(|| {
        Finding::note(
            "capped",
            format!(
                "outlier limits changed {} order counts and values in the earlier run and {} in the \
                 later one, by {limits}: orders and revenue of those customers are not exact",
                count(was),
                count(is)
            ),
            "to keep the limits, score with the earlier model; to have none, set \
             outliers.columns = []",
        )
        .with_variant(variant)
        .with("changed_before", was)
        .with("changed_after", is)
    })
}
