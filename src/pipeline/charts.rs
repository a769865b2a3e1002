//! What the charts of a report show.

use chrono::Days;
use rayon::prelude::*;

use crate::customers::Predictions;
use crate::error::Error;
use crate::frame::numbers;
use crate::frame::scored::{customer_lines, predictions};
use crate::frame::summary::log;
use crate::frame::summary::prices::in_money_of;
use crate::model::charts::customer_curves::{self, AliveCurve};
use crate::model::charts::histograms::{self, Members};
use crate::model::charts::interpretation;
use crate::model::evaluate::holdout::{
    Forecast, GroupAccuracy, baselines, by_decile, expected, mean_errors,
};
use crate::model::forecast::predict::Outlook;
use crate::pipeline::models::Fit;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::segments::Segmented;
use crate::progress::Clock;
use crate::results::chart_data::{
    ChartData, CustomerLine, Decile, Distribution, FitAgainstData, HoldoutChart, HoldoutMethod,
    SCHEMA_VERSION, Survival,
};
use crate::settings::columns::{
    CLTV, EXP_AVERAGE_VALUE, RFM_FREQUENCY, RFM_RECENCY, expected_orders,
};
use crate::settings::{FrequencyKind, InputKind, Settings, Uncertainty};

/// Customers with a line of their own.
const LINES: usize = 1_000;
/// Of those, customers with a curve.
const CURVES: usize = 50;

/// What chart data are made from.
struct Source<'a> {
    prepared: &'a Prepared,
    fit: &'a Fit,
    outlook: Outlook<'a>,
    /// For each customer, the position of its segment.
    member: &'a [usize],
    settings: &'a Settings,
}

/// Everything that is drawn.
///
/// # Errors
/// [`Error::Model`] when the forecast of a holdout cannot be computed, [`Error::Engine`] never.
pub(super) fn compute_chart_data(
    prepared: &Prepared,
    fit: &Fit,
    fit_chart: FitAgainstData,
    segmented: &Segmented,
    settings: &Settings,
    clock: &mut Clock,
) -> Result<ChartData, Error> {
    clock.enter("figures");
    let outlook = fit.outlook(prepared, settings);
    let source = Source { prepared, fit, outlook, member: &segmented.profiles.member, settings };
    let (histories, model, outlook) = (&prepared.histories, &fit.purchases.model, &source.outlook);
    let members = source.members();
    let level = settings.uncertainty.as_ref().map_or(Uncertainty::default().level, |u| u.level);
    let money = fit.predictions.money.as_ref();
    let first = predictions::highest(fit.predictions.ranking(), LINES);
    let customers = customer_lines::lines(&predictions::rows(&segmented.frame, &first)?, settings)?;
    let [r, f] = [RFM_RECENCY, RFM_FREQUENCY].map(|name| numbers(&segmented.frame, name));
    Ok(ChartData {
        schema_version: SCHEMA_VERSION,
        segments: settings.segments.labels.clone(),
        distributions: source.distributions(),
        ages: histograms::ages(histories.age(), outlook.unit, members),
        recency_frequency: histograms::recency_frequency(
            histories.recency(),
            histories.frequency(),
            members,
        ),
        surface: customer_curves::surface(model, outlook),
        fit: fit_chart,
        derived: interpretation::derived_quantities(&fit.purchases, fit.spend.as_ref(), level),
        level,
        rfm_grid: histograms::rfm_grid(&r?, &f?, money.map(|money| &*money.lifetime_value)),
        survival: source.survival(&customers[..customers.len().min(CURVES)])?,
        customers,
        holdout: source.holdout()?,
    })
}

impl Source<'_> {
    fn members(&self) -> Members<'_> {
        Members { of: self.member, segments: self.settings.segments.labels.len() }
    }

    fn distributions(&self) -> Vec<Distribution> {
        let Predictions { money, orders, .. } = &self.fit.predictions;
        let money = money.as_ref();
        let mut measures: Vec<(String, &Vec<f64>)> = Vec::new();
        measures.extend(money.map(|money| (CLTV.to_owned(), &money.lifetime_value)));
        measures.extend(orders.iter().map(|(months, n)| (expected_orders(*months), n)));
        measures.extend(money.map(|money| (EXP_AVERAGE_VALUE.to_owned(), &money.average_value)));
        let members = self.members();
        let one =
            |(name, values): (String, &Vec<f64>)| histograms::distribution(name, values, members);
        measures.into_par_iter().map(one).collect()
    }

    /// P(alive) over time where there is a log to know the orders from.
    fn survival(&self, customers: &[CustomerLine]) -> Result<Vec<Survival>, Error> {
        if self.settings.input.kind != InputKind::Transactions {
            return Ok(Vec::new());
        }
        let end = self.prepared.summary.observation_end;
        let ids: Vec<String> = customers.iter().map(|line| line.customer_id.clone()).collect();
        let all = log::of_customers(&self.prepared.input.cleaned.valid, &ids, end)?;
        let curve = |(customer_id, days): (String, Vec<(i32, f64)>)| {
            let first = days.first()?.0;
            let since: Vec<(i32, f64)> = days.iter().map(|(day, n)| (day - first, *n)).collect();
            let age = end.to_epoch_days() - first;
            let curve_of = AliveCurve { orders: &since, uncounted: self.uncounted(), end: age };
            let (days, p_alive) = curve_of.survival(&self.fit.purchases.model, self.outlook.time);
            let first_order = (end - Days::new(age.unsigned_abs().into())).to_string();
            let orders = curve_of.repeat_days();
            Some(Survival { customer_id, first_order, days, p_alive, orders })
        };
        Ok(ids.into_iter().zip(all).filter_map(curve).collect())
    }

    /// Orders that are not in the frequency.
    fn uncounted(&self) -> f64 {
        match self.settings.summary.frequency {
            FrequencyKind::Orders => 0.0,
            FrequencyKind::RepeatOrders => 1.0,
        }
    }

    /// The forecast beside what happened, where both are known.
    fn holdout(&self) -> Result<Option<HoldoutChart>, Error> {
        let (cut, end) =
            (self.prepared.summary.observation_end, self.prepared.summary.covered_until);
        let there = self.settings.transactions.calibration_end.is_some() && cut < end;
        if !there || !self.settings.is_comparable() {
            return Ok(None);
        }
        let Fit { purchases, spend, .. } = self.fit;
        let Outlook { histories, observed, customers, time, unit, .. } = &self.outlook;
        let Prepared { input, summary, prices, .. } = self.prepared;
        // What came, in the money of the forecast.
        let real = in_money_of(&input.cleaned.valid, prices.level(), cut)?;
        let happened = log::holdout(&real, summary, cut, end, *unit)?;
        let days = (end - cut).num_days() as f64;
        let own = expected(purchases, spend.as_ref(), histories, customers, time.ahead(days))?;
        let deciles = by_decile(&own, &happened).into_iter().map(decile).collect();
        let horizon = days / unit.days();
        let naive = baselines(observed, &happened, horizon, self.settings.has_money());
        let actual = [&happened.orders, &happened.value];
        let methods = [(own, false)].into_iter().chain(naive.into_iter().map(|one| (one, true)));
        Ok(Some(HoldoutChart {
            calibration_end: cut.to_string(),
            holdout_end: end.to_string(),
            methods: methods.map(|(one, naive)| method(&one, naive, actual)).collect(),
            deciles,
        }))
    }
}

fn method(forecast: &Forecast, baseline: bool, [orders, value]: [&Vec<f64>; 2]) -> HoldoutMethod {
    let [mae, rmse] = mean_errors(&forecast.orders, orders);
    let (expected_orders, actual_orders): (f64, f64) =
        (forecast.orders.iter().sum(), orders.iter().sum());
    HoldoutMethod {
        name: forecast.name.to_owned(),
        baseline,
        expected_orders,
        actual_orders,
        bias: (actual_orders > 0.0).then(|| expected_orders / actual_orders - 1.0),
        mae,
        rmse,
        expected_value: forecast.value.as_ref().map(|forecast| forecast.iter().sum()),
        actual_value: forecast.value.as_ref().map(|_| value.iter().sum()),
    }
}

fn decile(group: GroupAccuracy) -> Decile {
    Decile {
        decile: group.group.parse().unwrap_or_default(),
        customers: group.customers as u64,
        expected_orders: group.expected_orders,
        actual_orders: group.actual_orders,
    }
}
