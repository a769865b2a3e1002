//! The result of an evaluation: folds, methods and their accuracy.

use chrono::NaiveDate;
use serde::Serialize;

use crate::frame::rules::judged::Rejected;
use crate::model::evaluate::holdout::{Accuracy, GroupAccuracy};
use crate::model::likelihood::estimate::Parameter;
use crate::results::findings::Finding;
use crate::results::price_level::PriceLevelEntry;
use crate::storage::fingerprint::Fingerprint;

/// The accuracy of every forecast on every holdout.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Input files in reading order.
    pub inputs: Vec<Fingerprint>,
    /// Rows read.
    pub rows_read: usize,
    /// Rows set aside, by rule.
    pub rejected: Vec<Rejected>,
    /// The holdout of the pipeline first, then earlier ones of the same length.
    pub folds: Vec<Fold>,
    /// What the reader should know, most serious first.
    pub findings: Vec<Finding>,
}

/// One cut of the log into calibration and holdout.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fold {
    /// Last day of the calibration.
    pub calibration_end: NaiveDate,
    /// Last day of the holdout.
    pub holdout_end: NaiveDate,
    /// The model that the pipeline predicts with; for `auto`, the best on this calibration.
    pub chosen: &'static str,
    /// Customers acquired by the end of the calibration.
    pub customers: usize,
    /// 90 % interval of the chosen model's total of orders, by chance and parameters alone; `None`
    /// where it cannot be computed.
    pub orders_interval: Option<[f64; 2]>,
    /// The price level as it was known at the cut; values are in the money of that day. Absent where
    /// there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_level: Option<PriceLevelEntry>,
    /// Models, the simplest first, then baselines.
    pub methods: Vec<Method>,
    /// Forecasts against actuals by frequency, decile and cohort.
    pub groups: Vec<GroupAccuracy>,
}

/// One forecast method: a model or a naive forecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Method {
    /// Its name in tables.
    pub name: &'static str,
    /// Whether it is one of the naive forecasts.
    pub baseline: bool,
    /// Accuracy of the orders; `None` when there is no forecast.
    pub orders: Option<Accuracy>,
    /// Accuracy of their value; `None` when there is no forecast.
    pub value: Option<Accuracy>,
    /// Log-likelihood of the calibration; `None` for a naive forecast, or without a fit.
    pub log_likelihood: Option<f64>,
    /// Estimates; empty for a naive forecast, or without a fit.
    pub parameters: Vec<Parameter>,
    /// Why the model could not be fitted, or made no forecast.
    pub fault: Option<String>,
}
