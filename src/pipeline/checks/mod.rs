//! The fitted models held against the data: what was checked, what held, and what to say where
//! something did not.

mod words;

use crate::customers::{OrderDay, OrderPath};
use crate::error::Error;
use crate::frame::summary::log;
use crate::model::charts::fit_check::fit_against_data;
use crate::model::checks::calendar::{
    Calendar, LEAST_CHANGE, LEAST_SEASON, LEAST_SLOPE, Pattern, calendar,
};
use crate::model::checks::counts::{CountFit, count_fit};
use crate::model::checks::prices::{LEAST_DAYS, PriceTrend, price_trend};
use crate::model::checks::waits::{Waits, waits};
use crate::model::fit::family_check::{MUCH, family_check};
use crate::model::fit::spend_diagnosis::{CORRELATED, FAR};
use crate::pipeline::models::Fit;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::prices::SAMPLE;
use crate::progress::Clock;
use crate::results::chart_data::FitAgainstData;
use crate::results::findings::Finding;
use crate::results::model_check::{ModelCheck, NotMade};
use crate::results::price_level::{PriceLevel, PriceLevelEntry};
use crate::results::spend_method::SpendMethod;
use crate::settings::{InputKind, Settings};

/// One customer with more than this share of the expected value is a risk of its own; among few
/// customers a larger share is no surprise, by one more customer in so many.
const LARGE_SHARE: f64 = 0.1;
const SURPRISE: f64 = 50.0;
/// With fewer customers no share is a surprise.
const FEWEST_CUSTOMERS: usize = 100;

/// Checks that say nothing about orders.
const OF_MONEY: [&str; 3] = ["prices", "spend_mean", "spend_independence"];

/// Checks of the fit charts.
const OF_FIT: [&str; 2] = ["fit_frequency", "fit_time_since_last_order"];

/// What the checks found.
pub(crate) struct Checked {
    /// Every check.
    pub(crate) checks: Vec<ModelCheck>,
    /// What did not hold.
    pub(crate) findings: Vec<Finding>,
    /// Customers expected by the fit against observed ones, for the charts.
    pub(crate) fit: FitAgainstData,
    /// Orders over the calendar, where there is a log.
    pub(crate) calendar: Option<Calendar>,
    /// The yearly change of order values, where there is a log.
    pub(crate) prices: Option<PriceTrend>,
    /// Whether the orders of the log contradict the model.
    pub(crate) doubted: bool,
}

impl Checked {
    /// Whether the model was held against the customers by frequency and by time since the last
    /// order, and fits both.
    pub(crate) fn fits(&self) -> bool {
        let of_fit = self.checks.iter().filter(|check| OF_FIT.contains(&check.name.as_ref()));
        let held = of_fit.filter(|check| check.passed == Some(true)).count();
        held == OF_FIT.len()
    }
}

/// Holds the models against the data.
///
/// # Errors
/// [`Error::Engine`], never for a prepared input.
pub(crate) fn check_models(
    prepared: &Prepared,
    fit: &Fit,
    settings: &Settings,
    clock: &mut Clock,
) -> Result<Checked, Error> {
    clock.enter("check the model");
    let drawn =
        fit_against_data(&fit.purchases.model, fit.selection, &fit.outlook(prepared, settings));
    let mut made = Made { checks: Vec::new(), findings: Vec::new() };
    let (calendar, prices) = of_log(prepared, fit, settings, &mut made)?;
    made.of_counts(&drawn, prepared, fit, settings);
    made.family(fit, settings);
    made.spend_mean(fit, settings);
    made.independence(fit);
    let of_orders = |check: &&ModelCheck| !OF_MONEY.contains(&check.name.as_ref());
    let doubted = made.checks.iter().filter(of_orders).any(|check| check.passed == Some(false));
    made.largest_customer(fit);
    let Made { checks, findings } = made;
    Ok(Checked { checks, findings, fit: drawn, calendar, prices, doubted })
}

/// Checks that need single orders.
fn of_log(
    prepared: &Prepared,
    fit: &Fit,
    settings: &Settings,
    made: &mut Made,
) -> Result<(Option<Calendar>, Option<PriceTrend>), Error> {
    let why = match settings.input.kind {
        InputKind::Customers => Some(NotMade::NeedsLog),
        InputKind::Transactions if !settings.is_comparable() => Some(NotMade::NotComparable),
        InputKind::Transactions => None,
    };
    if let Some(why) = why {
        made.not_made(&["tracking_dispersion", "recent_orders", "season", "trend"], why);
        made.not_made(&["time_between_orders", "prices"], why);
        return Ok((None, None));
    }
    let end = prepared.summary.observation_end;
    let days = &prepared.input.cleaned.valid;
    let sampled = match prepared.prices.paths {
        Some(_) => None,
        None => Some(log::sample_of_paths(days, &prepared.summary, SAMPLE, end)?),
    };
    let paths = prepared.prices.paths.as_ref().or(sampled.as_ref()).map_or(&[][..], Vec::as_slice);
    let (end, time) = (end.to_epoch_days(), &fit.time);
    let model = &fit.purchases.model;
    let level = prepared.prices.level();
    let (calendar, (waits, prices)) = rayon::join(
        || calendar(model, paths, end, time),
        || rayon::join(|| waits(model, paths, end, time), || remaining(paths, level, end)),
    );
    made.of_calendar(calendar.as_ref(), prepared);
    made.of_waits(waits.as_ref(), settings);
    let prices = prices.filter(|_| fit.spend.is_some());
    match &fit.spend {
        Some(_) if calendar.as_ref().is_some_and(|calendar| calendar.days < LEAST_DAYS) => {
            made.not_made(&["prices"], NotMade::NeedsYear);
        }
        Some(_) => made.of_prices(prices.as_ref(), prepared.prices.entry.as_ref()),
        None => made.not_made(&["prices"], NotMade::NoValues),
    }
    Ok((calendar, prices))
}

/// The yearly change of order values within customers, beyond that of a price level.
fn remaining(paths: &[OrderPath], level: Option<&PriceLevel>, end: i32) -> Option<PriceTrend> {
    let Some(level) = level else { return price_trend(paths, end) };
    let real =
        |order: &OrderDay| OrderDay { value: order.value * level.factor(order.day, end), ..*order };
    let paths: Vec<OrderPath> = paths.iter().map(|path| path.iter().map(real).collect()).collect();
    price_trend(&paths, end)
}

/// The checks so far.
struct Made {
    checks: Vec<ModelCheck>,
    findings: Vec<Finding>,
}

impl Made {
    fn not_made(&mut self, names: &[&'static str], why: NotMade) {
        self.checks.extend(names.iter().map(|name| ModelCheck::not_made(name, why)));
    }

    fn check(&mut self, name: &'static str, statistic: f64, limit: f64, finding: Option<Finding>) {
        self.checks.push(ModelCheck::made(name, statistic, limit, finding.is_none()));
        self.findings.extend(finding);
    }

    fn of_calendar(&mut self, calendar: Option<&Calendar>, prepared: &Prepared) {
        let names = ["tracking_dispersion", "recent_orders", "season", "trend"];
        let Some((calendar, dispersion)) = calendar.and_then(|c| Some((c, c.dispersion?))) else {
            return self.not_made(&names, NotMade::TooFew);
        };
        let end = prepared.summary.observation_end;
        let said = |wanted: fn(&Pattern) -> bool| calendar.patterns.iter().any(wanted);
        // Scatter that a pattern explains is not said twice.
        let remaining = calendar.remaining.filter(|left| *left > calendar.dispersion_limit);
        let scatter = remaining.map(|left| words::scatter(calendar, left));
        // A level that is off as a whole scatters too; what remains without it is what counts.
        let even = scatter.is_none() && calendar.patterns.is_empty();
        let found = if even { calendar.remaining.unwrap_or(dispersion) } else { dispersion };
        let limit = calendar.dispersion_limit;
        self.checks.push(ModelCheck::made("tracking_dispersion", found, limit, found <= limit));
        self.findings.extend(calendar.patterns.iter().map(|p| words::pattern(p, calendar, end)));
        self.findings.extend(scatter);
        let [observed, expected] = calendar.lately;
        let z = (observed - expected) / expected.max(1.0).sqrt();
        let off = z.abs() > words::RARE_Z && (observed / expected - 1.0).abs() > LEAST_CHANGE;
        let explained = !calendar.patterns.is_empty() || remaining.is_some();
        let changed = said(|p| matches!(p, Pattern::Change { .. })) || (off && explained);
        self.checks.push(ModelCheck::made("recent_orders", z, words::RARE_Z, !changed));
        let trend = said(|p| matches!(p, Pattern::Trend { .. } | Pattern::Cohorts { .. }));
        let slope = calendar.patterns.iter().find_map(Pattern::slope).unwrap_or(0.0);
        self.checks.push(ModelCheck::made("trend", slope.abs(), LEAST_SLOPE, !trend));
        if calendar.knows_season {
            let season = calendar.patterns.iter().find_map(Pattern::swing).unwrap_or(1.0);
            let passed = !said(|p| matches!(p, Pattern::Season { .. }));
            self.checks.push(ModelCheck::made("season", season, LEAST_SEASON, passed));
        } else {
            self.not_made(&["season"], NotMade::NeedsTwoYears);
        }
    }

    fn of_waits(&mut self, waits: Option<&Waits>, settings: &Settings) {
        match waits {
            None => self.not_made(&["time_between_orders"], NotMade::TooFew),
            Some(waits) => {
                let finding = waits.rejected().then(|| words::waits(waits, settings));
                self.check("time_between_orders", waits.statistic, waits.limit, finding);
            }
        }
    }

    /// With a price level, `prices` are what is left of the change.
    fn of_prices(&mut self, prices: Option<&PriceTrend>, entry: Option<&PriceLevelEntry>) {
        match prices {
            None => self.not_made(&["prices"], NotMade::TooFew),
            Some(prices) => {
                let said = || match entry.map(|entry| (entry.level.is_some(), entry.refused)) {
                    Some((true, _)) => words::level_is_off(prices),
                    Some((false, refused)) => words::prices(prices, refused),
                    None => words::prices(prices, None),
                };
                let finding = prices.rejected().then(said);
                self.check("prices", prices.log_yearly.abs(), prices.limit, finding);
            }
        }
    }

    fn of_counts(
        &mut self,
        drawn: &FitAgainstData,
        prepared: &Prepared,
        fit: &Fit,
        settings: &Settings,
    ) {
        let names = OF_FIT;
        let why = if settings.purchases.l2_penalty > 0.0 {
            Some(NotMade::Penalty)
        } else if fit.given {
            Some(NotMade::GivenModel)
        } else if drawn.draws == 0 {
            Some(NotMade::NotComputable)
        } else if prepared.summary.below_min_orders > 0 && fit.selection.is_none() {
            Some(NotMade::NotComparable)
        } else {
            None
        };
        if let Some(why) = why {
            return self.not_made(&names, why);
        }
        let both: [(&'static str, Option<CountFit>); 2] =
            [(names[0], count_fit(&drawn.frequency)), (names[1], count_fit(&drawn.silence_days))];
        for (name, found) in both {
            match found {
                None => self.not_made(&[name], NotMade::TooFew),
                Some(found) => {
                    let said = || words::counts(name, &found, fit.selection.is_some());
                    let finding = found.rejected().then(said);
                    self.check(name, found.statistic, found.limit, finding);
                }
            }
        }
    }

    /// The findings belong to the fit.
    fn family(&mut self, fit: &Fit, settings: &Settings) {
        let name = "model_family";
        let check = family_check(&fit.purchases, settings.purchases.l2_penalty);
        match check.delta_aic.filter(|_| check.computed) {
            Some(delta) => self.checks.push(ModelCheck::made(name, delta, MUCH, delta <= MUCH)),
            None if fit.given => self.not_made(&[name], NotMade::GivenModel),
            None if settings.purchases.l2_penalty > 0.0 => {
                self.not_made(&[name], NotMade::Penalty);
            }
            None => self.not_made(&[name], NotMade::NotComputable),
        }
    }

    /// The finding belongs to the fit of order values.
    fn spend_mean(&mut self, fit: &Fit, settings: &Settings) {
        let name = "spend_mean";
        let Some(spend) = &fit.spend else { return self.not_made(&[name], NotMade::NoValues) };
        if settings.spend.l2_penalty > 0.0 {
            return self.not_made(&[name], NotMade::Penalty);
        }
        if spend.method == SpendMethod::Credibility {
            return self.not_made(&[name], NotMade::NotComputable);
        }
        // Without a population mean the statistic does not exist, and the model does not hold.
        let mean = spend.model.population_mean();
        let times = mean.map(|mean| (mean / spend.observed_mean).max(spend.observed_mean / mean));
        let passed = times.is_some_and(|times| times <= FAR);
        let check = ModelCheck::made(name, times.unwrap_or_default(), FAR, passed);
        self.checks.push(ModelCheck { statistic: times, ..check });
    }

    /// The finding belongs to the fit of order values.
    fn independence(&mut self, fit: &Fit) {
        let name = "spend_independence";
        let Some(spend) = &fit.spend else { return self.not_made(&[name], NotMade::NoValues) };
        match [spend.pearson, spend.spearman] {
            [Some(pearson), Some(spearman)] => {
                let most = pearson.abs().max(spearman.abs());
                let passed = most <= CORRELATED;
                self.checks.push(ModelCheck::made(name, most, CORRELATED, passed));
            }
            _ => self.not_made(&[name], NotMade::TooFew),
        }
    }

    fn largest_customer(&mut self, fit: &Fit) {
        let values = fit.predictions.ranking();
        let (all, most) =
            values.iter().fold((0.0, 0.0f64), |(all, most), v| (all + v, most.max(*v)));
        if values.len() < FEWEST_CUSTOMERS || all <= 0.0 {
            return self.not_made(&["largest_customer"], NotMade::TooFew);
        }
        let (share, limit) = (most / all, LARGE_SHARE + SURPRISE / values.len() as f64);
        let finding = (share > limit).then(|| words::large_customer(share));
        self.check("largest_customer", share, limit, finding);
    }
}
