//! What the reader should know of the data and of what the run assumed, beside the models' own
//! verdicts.

use chrono::NaiveDate;

use crate::error::Error;
use crate::frame::rules::judged::Cleaned;
use crate::frame::summary::CustomerSummary;
use crate::model::evaluate::stability::SHIFTED;
use crate::model::forecast::predict::total_orders;
use crate::pipeline::contract::rejected_rows;
use crate::pipeline::models::Fit;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::{doubts, prices, selection};
use crate::results::facts::VARIANT;
use crate::results::findings::{Finding, Severity};
use crate::results::numbers::{count, whole};
use crate::results::outlier_limits::OutlierLimits;
use crate::results::run_document::Drift;
use crate::settings::columns::CLTV;
use crate::settings::{FrequencyKind, InputKind, Settings};

/// Days without any order at the end of a log that are still believed.
const LONGEST_GAP: i64 = 30;
/// Highest monthly discount rate that is believed: 214 % a year.
const HIGHEST_RATE: f64 = 0.1;

/// Columns that shift as time passes, whoever the customers are: their stability index alone is no
/// reason to doubt the model.
const AGEING: [&str; 2] = ["recency", "T"];
/// Another one, where the orders since the fit were held against the model.
const COUNTED: &str = "frequency";

/// Everything there is to say, in the order of the flow.
pub fn data_findings(settings: &Settings, prepared: &Prepared, edges: &[f64]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let cleaned = &prepared.input.cleaned;
    findings.extend(of_rows(cleaned, settings));
    findings.extend(without_money(settings));
    findings.extend(truncated(&prepared.summary, settings));
    findings.extend(assumed_end(&prepared.summary, settings));
    if settings.input.kind == InputKind::Transactions {
        findings
            .extend(log_ends_early(prepared.summary.last_order, prepared.summary.observation_end));
    }
    findings.extend(far_forecast(settings, prepared.signs.oldest));
    findings.extend(discounted_away(settings));
    findings.extend(coinciding_edges(edges, settings));
    findings.extend(first_order_counted(settings));
    findings.extend(uncapped(settings, &prepared.limits));
    let prices = prepared.prices.entry.as_ref();
    let end = prepared.summary.observation_end;
    findings.extend(prices::findings(prices, end, settings));
    findings
}

/// What is to be said of the rows: what is doubtful, what was moved, what was set aside.
pub fn of_rows(cleaned: &Cleaned, settings: &Settings) -> Vec<Finding> {
    let mut findings: Vec<Finding> = cleaned.doubts.iter().map(doubts::finding).collect();
    findings.extend(doubts::returns(&cleaned.moved, settings));
    findings.extend(rejected_rows(cleaned, settings));
    findings
}

/// What is to be said of an export that is scored with an earlier fit.
pub fn drift_finding(drift: &Drift) -> Option<Finding> {
    let shown: Vec<String> = drift
        .population_stability_index
        .iter()
        .map(|(name, psi)| format!("{name} {psi:.2}"))
        .collect();
    let shown = format!("population stability index: {}", shown.join(", "));
    if drift.refitted {
        let finding = Finding::note(
            "refitted",
            format!(
                "the customers have drifted from those of the model, so it was fitted again ({shown})"
            ),
            "its outlier limits and segment edges are new too: quarters do not compare across it",
        );
        return Some(with_indices(finding, drift));
    }
    let counted = drift.orders.is_some();
    let ageing = |name: &str| AGEING.contains(&name) || (counted && name == COUNTED);
    let mut indices = drift.population_stability_index.iter();
    indices.any(|(name, psi)| *psi > SHIFTED && !ageing(name)).then(|| {
        let finding = Finding::warning(
            "drifted",
            format!("the customers are not those that the model was fitted to ({shown})"),
            "fit again with `cltv fit`, or score with --refit-if 0.25",
        );
        with_indices(finding, drift)
    })
}

/// Orders since the fit that are not what the model expected.
fn orders_drifted(drift: &Drift) -> Option<Finding> {
    let since = drift.orders.filter(|since| since.missed)?;
    let (variant, too) =
        if since.actual < since.expected { ("fewer", "high") } else { ("more", "low") };
    Some(
        Finding::warning(
            "orders_drifted",
            format!(
                "since the fit, {}, its customers have placed {} orders, and it expected {} ({} to \
                 {}): the forecasts are probably too {too}",
                since.fitted_until,
                whole(since.actual),
                whole(since.expected),
                whole(since.interval[0]),
                whole(since.interval[1])
            ),
            "fit again with `cltv fit`, and find out what changed",
        )
        .with_variant(variant)
        .with("fitted", since.fitted_until)
        .with("actual", since.actual)
        .with("expected", since.expected),
    )
}

/// Adds how far each column has drifted, and which one farthest.
fn with_indices(finding: Finding, drift: &Drift) -> Finding {
    let farthest = drift.population_stability_index.iter().max_by(|a, b| a.1.total_cmp(b.1));
    let finding = finding
        .maybe("most_drifted", farthest.map(|(name, _)| name))
        .maybe("stability_index", farthest.map(|(_, psi)| *psi));
    drift
        .population_stability_index
        .iter()
        .fold(finding, |finding, (name, psi)| finding.with(format!("stability_index_{name}"), *psi))
}

/// Totals without intervals: their parameters could not be drawn, and the rest of the run stands.
pub fn without_intervals(error: &Error) -> Finding {
    Finding::warning(
        "intervals_missing",
        format!("there are no intervals for totals: {error}"),
        "set uncertainty.method = \"bootstrap\", or remove [uncertainty]",
    )
    .with("reason", error.to_string())
}

fn truncated(summary: &CustomerSummary, settings: &Settings) -> Option<Finding> {
    let (left_out, least) = (summary.below_min_orders, settings.summary.min_orders);
    let stated = settings.selection.as_ref().is_some_and(|s| s.least_orders() == least);
    let finding = if left_out == 0 {
        return None;
    } else if stated {
        Finding::note(
            "customers_left_out",
            format!(
                "{} customers with fewer than {least} orders were left out, as [selection] says",
                count(left_out)
            ),
            "they have no forecast",
        )
        .with_variant("as_stated")
    } else {
        Finding::warning(
            "customers_left_out",
            format!(
                "{} customers with fewer than {least} orders were left out of the fit, which takes \
                 the others for typical: order rates come out too high",
                count(left_out)
            ),
            "set summary.min_orders = 1 with frequency = \"repeat_orders\"; or say with [selection] \
             min_orders = 2 that the fit knows only the others",
        )
        .with_variant("biased")
    };
    Some(finding.with("customers", left_out).with("min_orders", least))
}

/// A file without order values, of which a run can only forecast orders.
fn without_money(settings: &Settings) -> Option<Finding> {
    let is_without = !settings.has_money() && !settings.input.columns.has_money();
    is_without.then(|| {
        Finding::note(
            "no_order_values",
            "the file has no order values: orders and P(alive) only".to_owned(),
            "for lifetime values, name a column of values in [input.columns] and set spend.model = \
             \"gamma_gamma\"",
        )
    })
}

/// A discount rate that is meant in percent, most likely.
fn discounted_away(settings: &Settings) -> Option<Finding> {
    let rate = settings.lifetime_value.monthly_discount_rate;
    (settings.has_money() && rate > HIGHEST_RATE).then(|| {
        Finding::warning(
            "implausible_discount_rate",
            format!(
                "lifetime_value.monthly_discount_rate {rate} is {} % a month: orders of later months \
                 hardly count",
                whole(100.0 * rate)
            ),
            "write 0.01 for 1 % a month",
        )
        .with("rate", rate)
    })
}

fn assumed_end(summary: &CustomerSummary, settings: &Settings) -> Option<Finding> {
    let log = &settings.transactions;
    let assumed = settings.input.kind == InputKind::Transactions
        && log.observation_end.is_none()
        && log.calibration_end.is_none();
    assumed.then(|| {
        Finding::note(
            "observation_end_assumed",
            format!("the log is taken to end on its last order date, {}", summary.observation_end),
            "set transactions.observation_end, or --as-of",
        )
        .with("end", summary.observation_end)
    })
}

/// An end long after the last order: the log may not reach that far.
pub fn log_ends_early(last_order: NaiveDate, end: NaiveDate) -> Option<Finding> {
    let silent = (end - last_order).num_days();
    (silent > LONGEST_GAP).then(|| {
        Finding::warning(
            "log_ends_early",
            format!(
                "the last order is of {last_order}, {} days before the end, {end}: if the log stops \
                 there, everybody is taken to be silent since",
                whole(silent as f64)
            ),
            "set transactions.observation_end (--as-of) to the last day that the log covers",
        )
        .with("last_order", last_order)
        .with("silent_days", silent)
        .with("end", end)
    })
}

fn uncapped(settings: &Settings, limits: &[OutlierLimits]) -> Option<Finding> {
    let capped = |name: &str| limits.iter().any(|limits| limits.column == name);
    let left: Vec<&str> =
        settings.capped_columns().into_iter().filter(|name| !capped(name)).collect();
    (!left.is_empty()).then(|| {
        Finding::note(
            "column_without_limits",
            format!("so few customers use {} that limits would erase them", left.join(", ")),
            "nothing was capped there; look at its largest values",
        )
        .with("columns", left.into_iter().map(str::to_owned).collect::<Vec<_>>())
    })
}

fn coinciding_edges(edges: &[f64], settings: &Settings) -> Option<Finding> {
    let (what, variant) = match settings.has_money() {
        true => (CLTV, None),
        false => ("number of expected orders", Some("orders")),
    };
    edges.windows(2).any(|pair| pair[0] >= pair[1]).then(|| {
        Finding::warning(
            "segment_edges_coincide",
            format!("many customers have the same {what}, so segments are not of equal size"),
            "use fewer segments.labels",
        )
        .maybe(VARIANT, variant)
    })
}

fn first_order_counted(settings: &Settings) -> Option<Finding> {
    (settings.summary.frequency == FrequencyKind::Orders).then(|| {
        Finding::note(
            "first_order_counted",
            "frequency counts all orders, as the published FLO solutions do; the models are \
             defined on repeat orders, so the forecast is higher than theory has it"
                .to_owned(),
            "set summary.frequency = \"repeat_orders\"",
        )
    })
}

/// A forecast over more time than anybody was watched for.
fn far_forecast(settings: &Settings, oldest: f64) -> Option<Finding> {
    let months = settings.forecast.horizons.iter().map(|h| h.months).max()?;
    let days = f64::from(months) * settings.forecast.weeks_per_month.days();
    let watched = oldest * settings.summary.time_unit.days();
    (days > watched).then(|| {
        Finding::warning(
            "horizon_beyond_history",
            format!(
                "the forecast reaches {} days ahead, but no customer is older than {} days: nothing \
                 in the data supports the end of it",
                whole(days),
                whole(watched)
            ),
            "shorten forecast.horizons, or use a longer history",
        )
        .with("days_ahead", days)
        .with("oldest_days", watched)
    })
}

/// What belongs to a run, not to its model.
#[derive(Default)]
pub(crate) struct Found<'a> {
    /// Where the model does not hold.
    pub(crate) checked: &'a [Finding],
    /// Whether the checks of the fit were made and held.
    pub(crate) fits: bool,
    /// What a correction for both channels would say.
    pub(crate) channels: Option<&'a Finding>,
    /// Why there are no intervals of totals.
    pub(crate) without_intervals: Option<&'a Finding>,
    /// How the customers differ from those of an earlier fit.
    pub(crate) drift: Option<&'a Drift>,
}

/// Everything that the reader should know, most serious first.
pub(crate) fn collect_findings(
    prepared: &Prepared,
    fit: &Fit,
    edges: &[f64],
    found: Found<'_>,
    settings: &Settings,
) -> Vec<Finding> {
    let mut findings = fit.purchases.findings.clone();
    if found.fits {
        findings.iter_mut().filter(|finding| nobody_leaves(finding)).for_each(|finding| {
            finding.severity = Severity::Note;
        });
    }
    findings.extend(found.checked.iter().cloned());
    findings.extend(found.without_intervals.cloned());
    findings.extend(corrected(prepared, fit, settings));
    let end = prepared.summary.observation_end;
    // A correction belongs to the file of the fit; whether this one is filtered alike changes
    // nothing.
    if !(fit.given && fit.selection.is_some()) {
        // In calendar time, as the signs are.
        findings.extend(selection::findings(
            &settings.summary,
            fit.purchases.selection.as_ref().map(|fit| fit.selection),
            &prepared.signs,
            end,
        ));
    }
    if let Some(compared) = found.channels {
        let of_channels = findings.iter_mut().filter(|finding| finding.code == compared.code);
        of_channels.for_each(|finding| finding.clone_from(compared));
    }
    findings.extend(fit.spend.iter().flat_map(|spend| spend.findings.clone()));
    findings.extend(data_findings(settings, prepared, edges));
    findings.sort_by_key(|finding| finding.severity == Severity::Note);
    // Whether the customers are still those of the model comes before anything about either.
    let drifted = found.drift.map(|drift| [orders_drifted(drift), drift_finding(drift)]);
    drifted.into_iter().flatten().flatten().chain(findings).collect()
}

/// Whether a finding says that the model without dropout is the best: no warning where the data show
/// nothing else.
fn nobody_leaves(finding: &Finding) -> bool {
    finding.code == "dropout_not_identified" && finding.variant() == Some("by_criterion")
}

/// What the selection changed in the forecast.
fn corrected(prepared: &Prepared, fit: &Fit, settings: &Settings) -> Vec<Finding> {
    let (Some(selection), Some(stated)) = (&fit.purchases.selection, &settings.selection) else {
        return Vec::new();
    };
    let ignored = total_orders(&selection.ignored, &fit.outlook(prepared, settings));
    let orders = fit.predictions.orders.iter();
    let corrected: Vec<(u32, f64)> =
        orders.map(|(months, orders)| (*months, orders.iter().sum())).collect();
    selection::corrected(
        stated,
        fit.purchases.customers,
        selection.acquired,
        &ignored,
        &corrected,
        settings.has_money(),
    )
}

/// Refuses a run with a warning, for `--strict`; `consequence` says what that means.
///
/// # Errors
/// [`Error::Model`] that lists the warnings.
pub fn refuse_warnings(findings: &[Finding], consequence: &str) -> Result<(), Error> {
    let warnings: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(|finding| format!("\n  - {} ({})", finding.message, finding.code))
        .collect();
    if warnings.is_empty() {
        return Ok(());
    }
    Err(Error::model(format!(
        "--strict: {consequence}, because of {} {}:{}",
        warnings.len(),
        if warnings.len() == 1 { "warning" } else { "warnings" },
        warnings.concat()
    )))
}
