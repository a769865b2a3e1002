//! Whether the chosen model beats the naive forecasts.

use crate::customers::Holdout;
use crate::evaluation::fold::{Fold, Method};
use crate::model::evaluate::holdout::Accuracy;
use crate::model::evaluate::missed::{Total, Verdict};
use crate::results::findings::Finding;
use crate::results::numbers::whole;

/// An error measure of a forecast: the smaller, the better.
pub(crate) type Measure = fn(&Accuracy) -> f64;

/// The measure that decides: a forecast of means minimises it.
pub(crate) const RMSE: Measure = |accuracy| accuracy.rmse;

/// Other measures in which a naive forecast can be better.
pub(crate) const OTHERS: [(&str, Measure); 3] = [
    ("MAE", |accuracy| accuracy.mae),
    ("total", |accuracy| (accuracy.expected - accuracy.actual).abs()),
    ("ranking", |accuracy| -accuracy.gini.unwrap_or(0.0)),
];

/// A finding where the total of orders is further from the forecast than chance and parameters
/// explain.
pub(crate) fn missed(fold: &Fold, total: &Total) -> Option<Finding> {
    let [low, high] = total.interval();
    let message = format!(
        "{} expects {} orders after {}, 90 % interval {} to {}, but {} came{}",
        fold.chosen,
        whole(total.expected),
        fold.calibration_end,
        whole(low),
        whole(high),
        whole(total.actual),
        total.bias().map_or(String::new(), |bias| format!(" ({:+.1} %)", 100.0 * bias)),
    );
    let remedy = "the model misses what moves the total: look at model_checks of a run on the same \
                  log, such as a season, a trend or a promotion";
    let finding = match total.verdict() {
        Verdict::Held => return None,
        Verdict::Unusual => Finding::note("forecast_missed", message, remedy),
        Verdict::Missed => Finding::warning("forecast_missed", message, remedy),
    };
    Some(
        finding
            .with("expected", total.expected)
            .with("low", low)
            .with("high", high)
            .with("actual", total.actual),
    )
}

/// Findings on whether the chosen model beats every baseline: squared errors decide, and the other
/// measures are only noted.
pub(crate) fn verdict(fold: &Fold, holdout: &Holdout) -> Vec<Finding> {
    let mut findings = Vec::new();
    if holdout.orders.iter().all(|orders| *orders == 0.0) {
        findings.push(Finding::warning(
            "empty_holdout",
            format!("nobody ordered from {} to {}", fold.calibration_end, fold.holdout_end),
            "check transactions.observation_end: does the log reach that far?",
        ));
    }
    let of_orders: fn(&Method) -> Option<&Accuracy> = |method| method.orders.as_ref();
    let of_value: fn(&Method) -> Option<&Accuracy> = |method| method.value.as_ref();
    for (what, of) in [("orders", of_orders), ("value", of_value)] {
        let model = fold.methods.iter().find(|method| method.name == fold.chosen);
        let Some(own) = model.and_then(of) else { continue };
        let baselines: Vec<(&str, &Accuracy)> = fold
            .methods
            .iter()
            .filter(|method| method.baseline)
            .filter_map(|method| Some((method.name, of(method)?)))
            .collect();
        findings.extend(comparison(
            own,
            &baselines,
            fold.chosen,
            &format!("{what} after {}", fold.calibration_end),
        ));
    }
    findings
}

/// Findings on one model, its accuracy `own`, against the baselines.
pub(crate) fn comparison(
    own: &Accuracy,
    baselines: &[(&str, &Accuracy)],
    chosen: &str,
    what: &str,
) -> Vec<Finding> {
    let better = |measure: Measure| {
        let all = baselines.iter().map(|(name, accuracy)| (*name, measure(accuracy)));
        all.filter(|(_, error)| *error < measure(own)).min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let mut findings = Vec::new();
    if let Some((name, rmse)) = better(RMSE) {
        findings.push(Finding::warning(
            "loses_to_baseline",
            format!(
                "{chosen} loses to the naive forecast {name} in {what}: RMSE {:.4} against {rmse:.4}",
                own.rmse
            ),
            "do not plan with it: look at evaluation.csv for a better model, at cohorts and \
             frequencies in evaluation_groups.csv, and at changes in the business",
        ));
    }
    // These only inform: MAE, for one, favours a forecast of nothing when most do not order.
    let lost: Vec<String> = OTHERS
        .iter()
        .filter_map(|(name, measure)| Some(format!("{} by {name}", better(*measure)?.0)))
        .collect();
    if !lost.is_empty() {
        findings.push(Finding::note(
            "baseline_better_in_part",
            format!("naive forecasts beat {chosen} in part, in {what}: {}", lost.join(", ")),
            "see evaluation.csv; where most customers do not order, MAE favours forecasting nothing",
        ));
    }
    findings
}
