//! The two fits as model.json has them, and back.

use serde::{Deserialize, Serialize};

use crate::model::calendar::fitted::CalendarFit;
use crate::model::fit::failure::Replaced;
use crate::model::fit::purchases::SelectionFit;
use crate::model::fit::steady::SteadyRate;
use crate::model::forecast::prices_ahead::PricesAhead;
use crate::model::gamma_gamma::GammaGamma;
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::estimate::{Convergence, Parameter};
use crate::model::selection::channels::ChannelMix;
use crate::model::selection::probability;
use crate::model::{FittedPurchases, FittedSpend, PurchaseModel};
use crate::results::calendar::Gate;
use crate::results::candidate::Candidate;
use crate::results::findings::Finding;
use crate::results::named_values::NamedValues;
use crate::results::price_level::PriceLevelEntry;
use crate::results::spend_method::SpendMethod;
use crate::settings::{Family, PurchaseModelName, Selection, Settings, SpendModelName};

/// The fitted model of orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurchasesFit {
    model: Family,
    requested: PurchaseModelName,
    predicts_with: Family,
    /// Stages of an order, where the model is one of regular buyers; its name has it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k: Option<u8>,
    parameters: NamedValues<f64>,
    standard_errors: NamedValues<Option<f64>>,
    not_identified: Vec<String>,
    /// Models that were asked for and could not be fitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<Replaced>,
    /// The one rate of all customers, where the Poisson limit of the NBD predicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    one_rate: Option<SteadyRate>,
    pub(super) l2_penalty: f64,
    covariance: Option<Covariance>,
    selection: Option<SelectionEntry>,
    /// The season, the trend and the events that order rates follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar: Option<CalendarFit>,
    /// How they were decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar_gate: Option<Gate>,
    comparison: Vec<Candidate>,
    log_likelihood: f64,
    log_likelihood_without_dropout: f64,
    pub(super) customers: usize,
    distinct_histories: usize,
    pub(super) convergence: Convergence,
    /// Codes of findings; the list `warnings` of the file has their texts.
    warnings: Vec<String>,
}

/// What conditioning on being in the file changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectionEntry {
    stated: Option<Selection>,
    /// In the time unit; null for whenever.
    window: Option<f64>,
    repeat_order: bool,
    both_channels: Option<ChannelMix>,
    customers_ever_acquired: f64,
    ignored_log_likelihood: f64,
    ignored_model: Family,
    ignored_parameters: Vec<f64>,
}

/// The fitted model of order values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpendFit {
    model: SpendModelName,
    parameters: NamedValues<f64>,
    standard_errors: NamedValues<Option<f64>>,
    covariance: Option<Covariance>,
    pub(super) l2_penalty: f64,
    population_mean: Option<f64>,
    pub(super) observed_mean: f64,
    pearson_frequency_monetary: Option<f64>,
    spearman_frequency_monetary: Option<f64>,
    log_likelihood: Option<f64>,
    customers: usize,
    #[serde(default)]
    method: SpendMethod,
    pub(super) convergence: Convergence,
    /// Codes of findings; the list `warnings` of the file has their texts.
    warnings: Vec<String>,
    /// The price level, where values were brought to the money of the observation end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) price_level: Option<PriceLevelEntry>,
}

impl PurchasesFit {
    /// What is worth keeping of a fit.
    pub fn of(fitted: &FittedPurchases, settings: &Settings) -> Self {
        Self {
            model: fitted.family,
            requested: fitted.requested,
            predicts_with: fitted.model.family(),
            k: Some(fitted.family.stages()).filter(|k| *k > 1),
            parameters: Parameter::values(&fitted.parameters),
            standard_errors: Parameter::standard_errors(&fitted.parameters),
            not_identified: Parameter::not_identified(&fitted.parameters),
            replaced: fitted.replaced.clone(),
            one_rate: fitted.steady,
            l2_penalty: settings.purchases.l2_penalty,
            covariance: fitted.covariance.clone(),
            selection: fitted.selection.as_ref().map(|fit| SelectionEntry::of(fit, settings)),
            calendar: fitted.calendar.clone(),
            // A model in calendar time stays the same file, whoever asked for a calendar.
            calendar_gate: fitted.gate.clone().filter(|_| fitted.calendar.is_some()),
            comparison: fitted.comparison.clone(),
            log_likelihood: fitted.log_likelihood,
            log_likelihood_without_dropout: fitted.log_likelihood_without_dropout,
            customers: fitted.customers,
            distinct_histories: fitted.patterns,
            convergence: fitted.convergence.clone(),
            warnings: codes(&fitted.findings),
        }
    }

    pub(super) fn comparison(&self) -> &[Candidate] {
        &self.comparison
    }

    pub(super) fn restored(&self, findings: &[Finding]) -> Result<FittedPurchases, String> {
        let names = self.model.parameters();
        let known = |name: &str| !self.not_identified.iter().any(|n| n == name);
        let parameters =
            restored(names, &self.parameters, &self.standard_errors, "purchases", known)?;
        let predicting = self.predicts_with.parameters().len();
        if predicting > parameters.len() || names[..2] != self.predicts_with.parameters()[..2] {
            return Err("purchases.predicts_with does not fit purchases.model".to_owned());
        }
        let values: Vec<f64> = parameters[..predicting].iter().map(|p| p.value).collect();
        if let Some(covariance) = &self.covariance {
            square(covariance, predicting, "purchases")?;
        }
        if self.one_rate.is_some_and(|one| !(one.rate > 0.0 && one.orders > 0.0)) {
            return Err("purchases.one_rate must have a rate and orders above 0".to_owned());
        }
        Ok(FittedPurchases {
            model: positive(self.predicts_with, &values)?,
            requested: self.requested,
            family: self.model,
            replaced: self.replaced.clone(),
            steady: self.one_rate,
            parameters,
            covariance: self.covariance.clone(),
            log_likelihood: self.log_likelihood,
            log_likelihood_without_dropout: self.log_likelihood_without_dropout,
            customers: self.customers,
            patterns: self.distinct_histories,
            convergence: self.convergence.clone(),
            comparison: self.comparison.clone(),
            selection: self.selection.as_ref().map(SelectionEntry::restored).transpose()?,
            calendar: self.calendar.clone().map(sound).transpose()?,
            gate: self.calendar_gate.clone(),
            findings: with_codes(findings, &self.warnings),
        })
    }
}

/// The calendar, if its coefficients are those of its shape.
fn sound(calendar: CalendarFit) -> Result<CalendarFit, String> {
    let (columns, k) = (calendar.shape.columns(), calendar.family.parameters().len());
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    if calendar.coefficients.len() != columns || !finite(&calendar.coefficients) {
        return Err(format!(
            "purchases.calendar must have {columns} coefficients, all of them numbers"
        ));
    }
    if !calendar.shape.is_sound() {
        return Err(
            "purchases.calendar.shape must have factors above 0, and 1 to 6 waves".to_owned()
        );
    }
    if let Some(covariance) = &calendar.covariance {
        square(covariance, columns + k, "purchases.calendar")?;
        if calendar.parameters.len() != k || !calendar.parameters.iter().all(|value| *value > 0.0) {
            return Err("purchases.calendar.parameters must be numbers above 0".to_owned());
        }
    }
    Ok(calendar)
}

impl SelectionEntry {
    fn of(fit: &SelectionFit, settings: &Settings) -> Self {
        let probability::SelectionRule { window, repeat_order, both_channels } = fit.selection;
        Self {
            stated: settings.selection.clone(),
            window: window.is_finite().then_some(window),
            repeat_order,
            both_channels,
            customers_ever_acquired: fit.acquired,
            ignored_log_likelihood: fit.ignored_log_likelihood,
            ignored_model: fit.ignored.family(),
            ignored_parameters: fit.ignored.parameters(),
        }
    }

    fn restored(&self) -> Result<SelectionFit, String> {
        let mix = self.both_channels.map_or([1.0; 2], |mix| [mix.first, mix.second]);
        if [self.window.unwrap_or(1.0), mix[0], mix[1]].iter().any(|value| *value <= 0.0) {
            return Err("purchases.selection must have a window and shares above 0".to_owned());
        }
        Ok(SelectionFit {
            selection: probability::SelectionRule {
                window: self.window.unwrap_or(f64::INFINITY),
                repeat_order: self.repeat_order,
                both_channels: self.both_channels,
            },
            acquired: self.customers_ever_acquired,
            ignored: positive(self.ignored_model, &self.ignored_parameters)?,
            ignored_log_likelihood: self.ignored_log_likelihood,
        })
    }
}

impl SpendFit {
    /// What is worth keeping of a fit, and of the price level where one is used.
    pub fn of(fitted: &FittedSpend, prices: Option<&PriceLevelEntry>, settings: &Settings) -> Self {
        Self {
            model: settings.spend.model,
            parameters: Parameter::values(&fitted.parameters),
            standard_errors: Parameter::standard_errors(&fitted.parameters),
            covariance: fitted.covariance.clone(),
            l2_penalty: settings.spend.l2_penalty,
            population_mean: fitted.model.population_mean(),
            observed_mean: fitted.observed_mean,
            pearson_frequency_monetary: fitted.pearson,
            spearman_frequency_monetary: fitted.spearman,
            log_likelihood: fitted.log_likelihood,
            customers: fitted.customers,
            method: fitted.method,
            convergence: fitted.convergence.clone(),
            warnings: codes(&fitted.findings),
            price_level: prices.filter(|prices| prices.level.is_some()).cloned(),
        }
    }

    /// Its name in the settings.
    pub(super) fn model(&self) -> SpendModelName {
        self.model
    }

    pub(super) fn restored(&self, findings: &[Finding]) -> Result<FittedSpend, String> {
        const NAMES: &[&str] = &["p", "q", "v"];
        let parameters =
            restored(NAMES, &self.parameters, &self.standard_errors, "spend", |_| true)?;
        let [p, q, v] = [0, 1, 2].map(|i| parameters[i].value);
        if [p, q, v].iter().any(|value| *value <= 0.0) {
            return Err("spend.parameters must be above 0".to_owned());
        }
        if let Some(covariance) = &self.covariance {
            square(covariance, NAMES.len(), "spend")?;
        }
        Ok(FittedSpend {
            model: GammaGamma { p, q, v },
            parameters,
            covariance: self.covariance.clone(),
            log_likelihood: self.log_likelihood,
            customers: self.customers,
            observed_mean: self.observed_mean,
            pearson: self.pearson_frequency_monetary,
            spearman: self.spearman_frequency_monetary,
            method: self.method,
            convergence: self.convergence.clone(),
            findings: with_codes(findings, &self.warnings),
            prices: PricesAhead::default(),
        })
    }
}

fn positive(family: Family, parameters: &[f64]) -> Result<PurchaseModel, String> {
    let right = parameters.len() == family.parameters().len();
    if right && parameters.iter().all(|value| value.is_finite() && *value > 0.0) {
        return Ok(family.model(parameters));
    }
    Err(format!("{parameters:?} are not the parameters of a purchase model"))
}

fn square(covariance: &Covariance, size: usize, section: &str) -> Result<(), String> {
    let rows = &covariance.log_scale;
    let sound = |(i, row): (usize, &Vec<f64>)| row.len() == size && row[i] > 0.0;
    if rows.len() == size && rows.iter().enumerate().all(sound) {
        return Ok(());
    }
    Err(format!(
        "{section}.covariance must have {size} rows of {size} numbers, above 0 on the diagonal"
    ))
}

fn restored(
    names: &'static [&'static str],
    values: &NamedValues<f64>,
    errors: &NamedValues<Option<f64>>,
    section: &str,
    known: impl Fn(&str) -> bool,
) -> Result<Vec<Parameter>, String> {
    let parameter = |name: &&'static str| {
        let value = values.get(name).copied();
        let value = value.ok_or_else(|| format!("{section}.parameters.{name} is not a number"))?;
        let standard_error = errors.get(name).copied().flatten();
        Ok(Parameter { name, value, standard_error, identified: known(name) })
    };
    names.iter().map(parameter).collect()
}

fn codes(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| finding.code.to_string()).collect()
}

fn with_codes(findings: &[Finding], codes: &[String]) -> Vec<Finding> {
    let chosen = |finding: &&Finding| codes.iter().any(|code| *code == finding.code);
    findings.iter().filter(chosen).cloned().collect()
}
