//! The purchase model's fit with its verdict: BG/NBD beside the NBD it nests.

use super::bg_nbd::{self, BgNbd};
use super::fit::{Objective, Optimum, minimise};
use super::nbd::{self, Nbd};
use super::patterns::Patterns;
use super::{Convergence, Parameter, is_flat, standard_errors};
use crate::customers::Histories;
use crate::error::Error;
use crate::findings::Finding;
use crate::settings::{PurchaseModelName, Purchases};

/// Four parameters need at least this many distinct histories to be estimated at all.
const FEWEST_PATTERNS: usize = 10;
/// Log-likelihood that dropout must add, in total, to be told from no dropout: half the 5 %
/// point of the 50:50 mixture of χ²₀ and χ²₁ that the likelihood ratio follows on the boundary
/// (Self & Liang 1987, JASA 82, case 5).
const LEAST_GAIN: f64 = 2.706 / 2.0;
/// Below this gain the fitted model *is* the no-dropout model, to the accuracy of the fit.
const NO_GAIN: f64 = 1e-2;

/// A fitted model of orders: only this can predict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PurchaseModel {
    /// Customers leave.
    BgNbd(BgNbd),
    /// Nobody leaves.
    Nbd(Nbd),
}

impl PurchaseModel {
    /// Probability that a customer with history (x, t_x, T) has not left.
    pub fn p_alive(&self, x: f64, t_x: f64, age: f64) -> f64 {
        match self {
            Self::BgNbd(model) => model.p_alive(x, t_x, age),
            Self::Nbd(_) => 1.0,
        }
    }

    /// Expected orders in (T, T + horizon].
    ///
    /// # Errors
    /// `None` when the numerical method reached its cap.
    pub fn expected_orders(&self, horizon: f64, x: f64, t_x: f64, age: f64) -> Option<f64> {
        match self {
            Self::BgNbd(model) => model.expected_orders(horizon, x, t_x, age),
            Self::Nbd(model) => Some(model.expected_orders(horizon, x, age)),
        }
    }
}

/// The model, how it was found, and what to think of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPurchases {
    /// The model that predicts.
    pub model: PurchaseModel,
    /// The model that was asked for.
    pub requested: PurchaseModelName,
    /// Estimates of the requested model.
    pub parameters: Vec<Parameter>,
    /// Unpenalised log-likelihood, in the time unit of the data.
    pub log_likelihood: f64,
    /// The same of the no-dropout model, fitted under the same penalty.
    pub log_likelihood_without_dropout: f64,
    /// Customers.
    pub customers: usize,
    /// Distinct (x, t_x, T).
    pub patterns: usize,
    /// How the fit ended.
    pub convergence: Convergence,
    /// What the reader should know.
    pub findings: Vec<Finding>,
}

/// Fits the purchase model by (penalised) maximum likelihood.
///
/// Time is scaled so that max T = 1 while fitting, because the penalty on α depends on it;
/// estimates are in the unit of `histories`.
///
/// # Errors
/// [`Error::Model`] when there is too little to learn from, or the fit does not converge.
pub fn fit_purchases(
    histories: &Histories,
    settings: &Purchases,
) -> Result<FittedPurchases, Error> {
    let patterns = Patterns::of(histories);
    enough(&patterns)?;
    let longest = patterns.age.iter().copied().fold(0.0, f64::max);
    let scaled = patterns.in_time_unit(1.0 / longest);
    let without_dropout = fit_nbd(&scaled, settings)?;
    let nbd = nbd_in_unit(&without_dropout, longest);
    let fitted = match settings.model {
        PurchaseModelName::Nbd => {
            nbd_result(&patterns, &scaled, &without_dropout, nbd, longest, settings)
        }
        PurchaseModelName::BgNbd => {
            let with_dropout = fit_bg_nbd(&scaled, settings)?;
            bg_nbd_result(&patterns, &scaled, &with_dropout, &without_dropout, longest, settings)
        }
    };
    Ok(fitted)
}

fn enough(patterns: &Patterns) -> Result<(), Error> {
    if patterns.rows.len() >= FEWEST_PATTERNS {
        return Ok(());
    }
    Err(Error::Model(format!(
        "the purchase model cannot be fitted: {} customers have only {} distinct purchase \
         histories (frequency, recency, T), at least {FEWEST_PATTERNS} are needed; give it more \
         customers, or check that the right columns are named in [input.columns]",
        patterns.customers(),
        patterns.rows.len()
    )))
}

fn mean_rate(scaled: &Patterns) -> f64 {
    let (orders, time) = scaled.rows.iter().fold((0.0, 0.0), |(orders, time), row| {
        let (x, _, age) = scaled.numbers(row);
        (orders + row.count * x, time + row.count * age)
    });
    (orders / time).max(1e-6)
}

fn fit_nbd(scaled: &Patterns, settings: &Purchases) -> Result<Optimum, Error> {
    let objective = objective(nbd::log_likelihood, scaled, settings.l2_penalty);
    let rate = mean_rate(scaled);
    let starts = [vec![0.5, 0.5 / rate], vec![3.0, 3.0 / rate]];
    checked(minimise(&objective, &starts), "NBD")
}

fn fit_bg_nbd(scaled: &Patterns, settings: &Purchases) -> Result<Optimum, Error> {
    let objective = objective(bg_nbd::log_likelihood, scaled, settings.l2_penalty);
    let rate = mean_rate(scaled);
    let starts = [vec![0.5, 0.3 / rate, 0.8, 2.5], vec![2.0, 2.0 / rate, 0.1, 3.0]];
    checked(minimise(&objective, &starts), "BG/NBD")
}

/// A model's log-likelihood summed over patterns, and its gradient.
type LogLikelihood = fn(&Patterns, &[f64]) -> (f64, Vec<f64>);

fn objective(
    log_likelihood: LogLikelihood,
    scaled: &Patterns,
    l2_penalty: f64,
) -> Objective<impl Fn(&[f64]) -> (f64, Vec<f64>)> {
    Objective {
        log_likelihood: move |parameters: &[f64]| log_likelihood(scaled, parameters),
        customers: scaled.customers(),
        l2_penalty,
    }
}

/// Makes anything but convergence an error.
fn checked(optimum: Option<Optimum>, model: &str) -> Result<Optimum, Error> {
    let advice = "check the data for extreme values, or set a small l2_penalty and read the \
                  result with care";
    match optimum {
        Some(optimum) if optimum.converged() => Ok(optimum),
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

fn nbd_in_unit(optimum: &Optimum, longest: f64) -> Nbd {
    Nbd { r: optimum.parameters[0], alpha: optimum.parameters[1] * longest }
}

fn nbd_result(
    patterns: &Patterns,
    scaled: &Patterns,
    optimum: &Optimum,
    nbd: Nbd,
    longest: f64,
    settings: &Purchases,
) -> FittedPurchases {
    let objective = objective(nbd::log_likelihood, scaled, settings.l2_penalty);
    let errors = standard_errors(&objective, &optimum.parameters);
    let log_likelihood = nbd::log_likelihood(patterns, &[nbd.r, nbd.alpha]).0;
    FittedPurchases {
        model: PurchaseModel::Nbd(nbd),
        requested: PurchaseModelName::Nbd,
        parameters: vec![
            estimate("r", nbd.r, errors[0]),
            estimate("alpha", nbd.alpha, errors[1].map(|e| e * longest)),
        ],
        log_likelihood,
        log_likelihood_without_dropout: log_likelihood,
        customers: patterns.of_customer.len(),
        patterns: patterns.rows.len(),
        convergence: optimum.into(),
        findings: vec![Finding::note(
            "no_dropout_by_choice",
            "the NBD says that no customer ever leaves, because purchases.model asks for it"
                .to_owned(),
            "use model = \"bg_nbd\" to let the data say whether customers leave",
        )],
    }
}

fn bg_nbd_result(
    patterns: &Patterns,
    scaled: &Patterns,
    optimum: &Optimum,
    without_dropout: &Optimum,
    longest: f64,
    settings: &Purchases,
) -> FittedPurchases {
    let nbd = nbd_in_unit(without_dropout, longest);
    let customers = patterns.customers();
    let log_likelihood_without_dropout = nbd::log_likelihood(patterns, &[nbd.r, nbd.alpha]).0;
    let gain = (without_dropout.value - optimum.value) * customers;
    if gain < NO_GAIN {
        let nbd_fit = nbd_result(patterns, scaled, without_dropout, nbd, longest, settings);
        let at_zero =
            |name| Parameter { name, value: 0.0, standard_error: None, identified: false };
        let mut parameters = nbd_fit.parameters.clone();
        parameters.extend(["a", "b"].map(at_zero));
        return FittedPurchases {
            requested: PurchaseModelName::BgNbd,
            parameters,
            findings: vec![not_identified(log_likelihood_without_dropout, settings.l2_penalty)],
            ..nbd_fit
        };
    }
    let [r, alpha, a, b] = [
        optimum.parameters[0],
        optimum.parameters[1] * longest,
        optimum.parameters[2],
        optimum.parameters[3],
    ];
    let errors = standard_errors(
        &objective(bg_nbd::log_likelihood, scaled, settings.l2_penalty),
        &optimum.parameters,
    );
    let log_likelihood = bg_nbd::log_likelihood(patterns, &[r, alpha, a, b]).0;
    FittedPurchases {
        model: PurchaseModel::BgNbd(BgNbd { r, alpha, a, b }),
        requested: PurchaseModelName::BgNbd,
        parameters: vec![
            estimate("r", r, errors[0]),
            estimate("alpha", alpha, errors[1].map(|e| e * longest)),
            estimate("a", a, errors[2]),
            estimate("b", b, errors[3]),
        ],
        log_likelihood,
        log_likelihood_without_dropout,
        customers: patterns.of_customer.len(),
        patterns: patterns.rows.len(),
        convergence: optimum.into(),
        findings: doubts(gain, is_flat(&optimum.parameters, &errors, settings.l2_penalty)),
    }
}

fn estimate(name: &'static str, value: f64, standard_error: Option<f64>) -> Parameter {
    Parameter { name, value, standard_error, identified: true }
}

fn not_identified(log_likelihood: f64, l2_penalty: f64) -> Finding {
    let limit = if l2_penalty > 0.0 { "a, b → 0" } else { "a/(a+b) → 0" };
    Finding::warning(
        "dropout_not_identified",
        format!(
            "this file cannot tell when customers leave: BG/NBD's dropout went to zero ({limit}), \
             so P(alive) = 1 for every customer, and the no-dropout model (NBD) fits as well \
             (log-likelihood {log_likelihood:.3} for both)"
        ),
        "read the expected orders as an upper bound; to measure dropout, export every customer \
         ever acquired, also those who have not ordered lately",
    )
}

fn doubts(gain: f64, flat: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if gain < LEAST_GAIN {
        findings.push(Finding::warning(
            "dropout_not_significant",
            format!(
                "the no-dropout model (NBD) fits nearly as well: dropout adds {gain:.3} to the \
                 log-likelihood, {LEAST_GAIN:.3} would be significant at 5 %"
            ),
            "do not act on P(alive); use more customers or a longer history",
        ));
    }
    if flat {
        findings.push(Finding::warning(
            "parameters_not_identified",
            "the likelihood is flat in some direction: single parameters of the purchase model are \
             not determined by these data"
                .to_owned(),
            "use the forecasts, not the single parameters; more customers or a longer history help",
        ));
    }
    findings
}
