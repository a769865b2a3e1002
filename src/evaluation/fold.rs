//! The result of an evaluation: folds, methods and their accuracy.

use chrono::NaiveDate;
use serde::Serialize;

use crate::frame::rules::judged::Rejected;
use crate::model::evaluate::holdout::{Accuracy, GroupAccuracy};
use crate::model::likelihood::estimate::Parameter;
use crate::results::findings::Finding;
use crate::storage::fingerprint::Fingerprint;

/// Every forecast over every holdout.
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

/// One cut.
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
    /// Models, the simplest first, then baselines.
    pub methods: Vec<Method>,
    /// Forecasts beside actuals by frequency, decile and cohort.
    pub groups: Vec<GroupAccuracy>,
}

/// One way to forecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Method {
    /// Its name in tables.
    pub name: &'static str,
    /// Whether it is one of the naive forecasts.
    pub baseline: bool,
    /// Orders; none when the model could not be fitted.
    pub orders: Option<Accuracy>,
    /// Value.
    pub value: Option<Accuracy>,
    /// Log-likelihood of the calibration.
    pub log_likelihood: Option<f64>,
    /// Estimates.
    pub parameters: Vec<Parameter>,
    /// Why it could not be fitted.
    pub fault: Option<String>,
}
