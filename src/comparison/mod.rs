//! Compares a run with an earlier one: who moved between segments, whether customers are still
//! distributed as they were, how far parameters moved, and how good the earlier forecast was.
//!
//! # Layout
//! * `finished_run`: a run, read back from its folder and checked.
//! * `actuals`: what happened between the two runs, and what the earlier one expected.
//! * `money`: the money of the two runs.
//! * `notices`: findings about the numbers. `write`: the files of `cltv compare`.

pub(crate) mod actuals;
pub(crate) mod finished_run;
pub(crate) mod money;
pub(crate) mod notices;
#[cfg(feature = "cli")]
pub(crate) mod write;

use std::path::Path;

use chrono::NaiveDate;
use polars::prelude::DataFrame;
use serde::Serialize;

use crate::comparison::actuals::{Actuals, Anomalies, expected, total};
use crate::comparison::finished_run::{Finished, fault};
use crate::comparison::money::Money;
use crate::customers::Pairs;
use crate::error::Error;
use crate::frame::scored::compare::{self, KeptChange, Matched};
use crate::frame::scored::predictions::highest;
use crate::model::FittedPurchases;
use crate::model::evaluate::forecast_vs_actual::{Outcome, outcomes};
use crate::model::evaluate::holdout::{Accuracy, Forecast, accuracy};
use crate::model::evaluate::migration::{Flow, Movement, flows, movements};
use crate::model::evaluate::parameter_change::{Change, Fit, changes};
use crate::model::evaluate::stability::ReferenceDistribution;
use crate::progress;
use crate::results::findings::Finding;
use crate::results::migration::{ABSENT, Migration, MigrationCell, RunSize};
use crate::settings::comparability::{Difference, Question, differences};
use crate::settings::dates::plain_date;
use crate::storage::fingerprint::Fingerprint;

/// The result of a comparison; `write` makes its files.
pub struct Comparison {
    /// The earlier run.
    pub before: Side,
    /// The later run.
    pub after: Side,
    /// Days between their observation ends.
    pub days: i64,
    /// Names of the segments, lowest first.
    pub labels: Vec<String>,
    /// The migration matrix, row by row.
    pub flows: Vec<Flow>,
    /// The same customers by direction: up, down, stayed, new, lost.
    pub movements: Vec<Movement>,
    /// Customers of both runs whose lifetime value rose most, largest change first.
    pub gains: Vec<Mover>,
    /// Customers of both runs whose lifetime value fell most, largest change first.
    pub losses: Vec<Mover>,
    /// Population stability index of each column of the later run against the earlier one.
    pub stability_index: Vec<(&'static str, f64)>,
    /// New and vanished entries of the columns to keep.
    pub kept_columns: Vec<KeptChange>,
    /// Whether the later run was scored with the model of the earlier one.
    pub same_model: bool,
    /// Parameters of both runs.
    pub parameters: Vec<Change>,
    /// The earlier forecast against what happened: one entry per segment, then one for all
    /// customers.
    pub outcomes: Vec<Outcome>,
    /// Accuracy of the earlier forecast of each customer's orders.
    pub orders: Accuracy,
    /// Accuracy of the earlier forecast of their value; `None` where there is no money, or the two runs
    /// are not in the same.
    pub revenue: Option<Accuracy>,
    /// Whether there is money in the two runs.
    has_money: bool,
    /// Changes in customers' histories that no forecast foresees.
    pub anomalies: Anomalies,
    /// What to know about the numbers.
    pub findings: Vec<Finding>,
    /// One row per customer of either run.
    pub customers: DataFrame,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// Its folder, as the user named it.
    pub folder: String,
    /// Name of its pipeline.
    pub pipeline: String,
    /// Its observation end.
    #[serde(with = "plain_date")]
    pub as_of: NaiveDate,
    /// Identifier of the model that predicted.
    pub model: String,
    /// Number of customers.
    pub customers: usize,
    /// Fingerprint of its customer table.
    pub table: Fingerprint,
}

/// A customer of both runs, before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mover {
    /// Identifier of the customer.
    pub customer_id: String,
    /// Segment before.
    pub from: String,
    /// Segment after.
    pub to: String,
    /// Lifetime value before; where there is no money, the orders expected over the longest horizon.
    pub cltv_before: f64,
    /// The same after.
    pub cltv_after: f64,
}

/// Compares the run in the folder `earlier` with the run in the folder `later`. At most `top`
/// customers are in each of the lists of gains and losses.
///
/// # Errors
/// [`Error::Settings`] when the folders do not hold two comparable runs, [`Error::Input`] when
/// files in them are not those that the runs wrote, [`Error::Model`] when the earlier model's
/// forecast cannot be computed, [`Error::Io`] when files cannot be read.
pub fn compare(earlier: &Path, later: &Path, top: usize) -> Result<Comparison, Error> {
    progress::stage("read the runs");
    let (before, after) = (Finished::read(earlier)?, Finished::read(later)?);
    comparable(&before, &after)?;
    let (then, now) = rayon::join(|| before.customers(), || after.customers());
    let ((then, was), (now, is)) = (then?, now?);
    progress::stage("match the customers");
    let labels = before.settings.segments.labels.clone();
    let Matched { frame, pairs } = compare::matched(&then, &now, &before.settings, ABSENT)?;
    let respelled = compare::respelled(&then, &now)?;
    let flows = flows(&pairs, labels.len());
    progress::stage("compare");
    let days = (after.document.as_of - before.document.as_of).num_days();
    let money = Money::of(&before, &after);
    let actuals = Actuals::of(&before, &then, &pairs, days as f64, money)?;
    let expected = expected(&before, &then, days as f64, money)?;
    let total = total(&before, &then, days as f64, actuals.actual.orders.iter().sum())?;
    // `pairs` has the customers of the earlier run first, in its order.
    let member = &pairs.from[..then.height()];
    let actual = &actuals.actual;
    let [gains, losses] = [1.0, -1.0].map(|sign| movers(&frame, &pairs, &labels, sign, top));
    let same_model = before.document.model.id == after.document.model.id;
    Ok(Comparison {
        movements: movements(&flows, labels.len()),
        flows,
        gains: gains?,
        losses: losses?,
        stability_index: stability_index(&before, [&then, &now], money)?,
        kept_columns: compare::kept_changes([&then, &now], [&before.settings, &after.settings])?,
        same_model,
        parameters: parameters(&before, &after, same_model)?,
        outcomes: outcomes(member, &actuals.lost, &labels, &expected, actual),
        orders: accuracy(&expected.orders, &actual.orders),
        revenue: expected.value.as_ref().zip(actual.value.as_ref()).map(|(f, a)| accuracy(f, a)),
        anomalies: actuals.anomalies,
        has_money: before.settings.has_money(),
        findings: notices::findings(&before, &after, actuals.anomalies, respelled, total, money),
        customers: table(frame, &expected, actual)?,
        before: Side::of(&before, then.height(), was),
        after: Side::of(&after, now.height(), is),
        days,
        labels,
    })
}

impl Comparison {
    /// Whether there is money in the two runs.
    pub fn has_money(&self) -> bool {
        self.has_money
    }

    /// The migration matrix with the names of the segments, row by row.
    pub fn migration_cells(&self) -> Vec<MigrationCell> {
        let name = |position: usize, absent: &str| {
            self.labels.get(position).map_or(absent, String::as_str).to_owned()
        };
        let cell = |flow: &Flow| MigrationCell {
            from: name(flow.from, ABSENT[0]),
            to: name(flow.to, ABSENT[1]),
            way: flow.way(self.labels.len()),
            customers: flow.customers,
            share: flow.share,
            cltv_before: flow.cltv_before,
            cltv_after: flow.cltv_after,
        };
        self.flows.iter().map(cell).collect()
    }

    /// What the report shows of it.
    pub fn migration(&self) -> Migration {
        Migration {
            before: self.before.size(),
            after: self.after.size(),
            cells: self.migration_cells(),
            findings: self.findings.clone(),
        }
    }
}

impl Side {
    fn size(&self) -> RunSize {
        RunSize { as_of: self.as_of, customers: self.customers }
    }

    fn of(run: &Finished, customers: usize, table: Fingerprint) -> Self {
        Self {
            folder: run.folder.display().to_string(),
            pipeline: run.settings.name.clone(),
            as_of: run.document.as_of,
            model: run.document.model.id.clone(),
            customers,
            table,
        }
    }
}

/// Refuses runs when the second is not later, or when their definitions differ.
fn comparable(before: &Finished, after: &Finished) -> Result<(), Error> {
    if after.document.as_of <= before.document.as_of {
        let what = match after.document.as_of == before.document.as_of {
            true => format!(
                "both runs are as of {}: compare runs of different dates",
                after.document.as_of
            ),
            false => format!(
                "this run is as of {}, before the first one ({}): name the earlier run first",
                after.document.as_of, before.document.as_of
            ),
        };
        return Err(fault(&after.folder, what));
    }
    let differing = differences(&before.settings, &after.settings, Question::Comparison);
    let mut faults: Vec<String> = differing
        .into_iter()
        .map(|Difference { name, first: was, second: is, .. }| {
            format!(
                "its {name} is {is}, that of {} is {was}: the two do not compare, run one of them \
                 again",
                before.folder.display()
            )
        })
        .collect();
    // Such a segment would look like the customers of only one run in the matrix.
    let labels = &before.settings.segments.labels;
    faults.extend(ABSENT.iter().filter(|word| labels.iter().any(|l| l == *word)).map(|word| {
        format!(
            "a segment is called {word:?}, which is the name here for customers of only one run: \
             rename it in segments.labels, and run again"
        )
    }));
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::Settings { place: after.folder.display().to_string(), faults }),
    }
}

/// At most `top` customers of both runs whose change of lifetime value times `sign` is positive,
/// the largest first.
fn movers(
    table: &DataFrame,
    pairs: &Pairs,
    labels: &[String],
    sign: f64,
    top: usize,
) -> Result<Vec<Mover>, Error> {
    let both = |i: usize| pairs.from[i] < labels.len() && pairs.to[i] < labels.len();
    let change = |i: usize| match both(i) {
        true => sign * (pairs.cltv_after[i] - pairs.cltv_before[i]),
        false => 0.0,
    };
    let changes: Vec<f64> = (0..pairs.from.len()).map(change).collect();
    let mut rows = highest(&changes, top);
    rows.retain(|&row| changes[row] > 0.0);
    let ids = compare::ids(table, &rows)?;
    let mover = |(row, customer_id): (usize, String)| Mover {
        customer_id,
        from: labels[pairs.from[row]].clone(),
        to: labels[pairs.to[row]].clone(),
        cltv_before: pairs.cltv_before[row],
        cltv_after: pairs.cltv_after[row],
    };
    Ok(rows.into_iter().zip(ids).map(mover).collect())
}

/// Population stability index of each column of the histories, the later run against the earlier
/// one.
fn stability_index(
    run: &Finished,
    [before, after]: [&DataFrame; 2],
    money: Money,
) -> Result<Vec<(&'static str, f64)>, Error> {
    let then = compare::history(before, &run.settings)?;
    let now = compare::history(after, &run.settings)?;
    let mut pairs = vec![
        ("frequency", &then.frequency, &now.frequency),
        ("recency", &then.recency, &now.recency),
        ("T", &then.age, &now.age),
    ];
    let in_later_money = |values: &Vec<f64>| -> Option<Vec<f64>> {
        let factor = money.factor()?;
        Some(values.iter().map(|value| value * factor).collect())
    };
    let then_in_later_money = then.monetary.as_ref().and_then(in_later_money);
    let monetary = then_in_later_money.as_ref().zip(now.monetary.as_ref());
    pairs.extend(monetary.map(|(then, now)| ("monetary_value", then, now)));
    let index = |(name, then, now): (&'static str, &Vec<f64>, &Vec<f64>)| {
        (name, ReferenceDistribution::of(name, then).stability_index(now))
    };
    Ok(pairs.into_iter().map(index).collect())
}

fn parameters(before: &Finished, after: &Finished, same: bool) -> Result<Vec<Change>, Error> {
    let ((orders_before, spend_before), (orders_after, spend_after)) =
        (before.model_file.fits()?, after.model_file.fits()?);
    let ([first, second], [third, fourth]) =
        (before.model_file.penalties(), after.model_file.penalties());
    let title = |fitted: &FittedPurchases| match fitted.selection {
        Some(_) => format!("{} given [selection]", fitted.family.title()),
        None => fitted.family.title().to_owned(),
    };
    let fit = |title, l2_penalty, parameters| Fit { title, l2_penalty, parameters };
    let titles = [title(&orders_before), title(&orders_after)];
    let orders = changes(
        "purchases",
        fit(&titles[0], first, &orders_before.parameters),
        fit(&titles[1], third, &orders_after.parameters),
        same,
    );
    let spend = match (&spend_before, &spend_after) {
        (Some(then), Some(now)) => changes(
            "spend",
            fit("Gamma-Gamma", second, &then.parameters),
            fit("Gamma-Gamma", fourth, &now.parameters),
            same,
        ),
        _ => Vec::new(),
    };
    Ok(orders.into_iter().chain(spend).collect())
}

/// One row per customer of either run, with expected and actual orders and revenue for customers of
/// the earlier one.
fn table(matched: DataFrame, expected: &Forecast, actual: &Forecast) -> Result<DataFrame, Error> {
    let mut columns: Vec<(&str, &[f64])> =
        vec![("expected_orders", &expected.orders), ("actual_orders", &actual.orders)];
    if let (Some(expected), Some(actual)) = (&expected.value, &actual.value) {
        columns.extend([("expected_revenue", &expected[..]), ("actual_revenue", &actual[..])]);
    }
    compare::with_columns(matched, &columns)
}
