//! run.json: what a run read, did and found. One type for everybody who writes or reads it: the
//! run, the report, the comparison of runs and the published schema (docs/run.schema.json).
//!
//! A number that may be missing is an `Option`, written as null. A field that later versions add
//! must have a default, so that the run.json of an earlier version is still read.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::results::advice::Advice;
use crate::results::calendar::CalendarEntry;
use crate::results::candidate::Candidate;
use crate::results::findings::Finding;
use crate::results::forecast::{ForecastRow, Intervals, Week};
use crate::results::model_check::ModelCheck;
use crate::results::named_values::NamedValues;
use crate::results::outlier_limits::OutlierLimits;
use crate::results::price_level::PriceLevelEntry;
use crate::results::profiles::{KeptColumn, Profile, RfmProfile};
use crate::results::spend_method::SpendMethod;
use crate::results::version::{SCHEMA_VERSION, Tool};
use crate::settings::dates::plain_date;
use crate::settings::{Family, PurchaseModelName, Selection, Settings, SpendModelName};
use crate::storage::fingerprint::Fingerprint;

/// run.json
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunDocument {
    /// Version of this layout.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// When the run began, UTC, as 2021-06-01T03:00:00Z.
    pub started_at: String,
    /// The pipeline that was run.
    pub pipeline: PipelineEntry,
    /// The model that predicted.
    pub model: ModelEntry,
    /// Input files in reading order.
    pub inputs: Vec<Fingerprint>,
    /// Rows by step.
    pub rows: RowCounts,
    /// Rows that were set aside, by rule.
    pub rejected: NamedValues<usize>,
    /// Outlier limits by column, and what they changed.
    pub outlier_limits: Vec<OutlierLimits>,
    /// First order of all.
    #[serde(with = "plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub first_order: NaiveDate,
    /// Last order of all.
    #[serde(with = "plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub last_order: NaiveDate,
    /// The observation end: T is measured to here.
    #[serde(with = "plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub as_of: NaiveDate,
    /// The model of orders.
    pub purchases: PurchasesEntry,
    /// How order rates follow the calendar; left out where nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarEntry>,
    /// The model of order values.
    pub spend: SpendEntry,
    /// Columns of the input that were read, with their types.
    #[serde(default)]
    pub input_columns: NamedValues<String>,
    /// Sum of all orders, before outliers are capped; null without money, and in a document that is
    /// older than this key.
    #[serde(default)]
    pub revenue: Option<f64>,
    /// Ninth decile of the customers' mean order values; null where it is 0, or without money.
    #[serde(default)]
    pub order_value: Option<f64>,
    /// All customers together.
    pub company: Profile,
    /// Intervals of totals; null without `[uncertainty]`, or where parameters cannot be drawn.
    pub intervals: Option<Intervals>,
    /// CLTV segments, the lowest first.
    pub segments: Vec<Profile>,
    /// Rising bounds of the segments' lifetime values (without money, of the orders over the longest
    /// horizon), one more than there are segments.
    pub segment_edges: Vec<f64>,
    /// What the columns to keep say about each segment.
    pub kept_columns: Vec<KeptColumn>,
    /// RFM segments.
    pub rfm: Vec<RfmProfile>,
    /// Expected orders and revenue by group and period.
    pub forecast: Vec<ForecastRow>,
    /// The customers who are expected to order most in the next month, most first.
    pub next_month: Vec<NextMonth>,
    /// Repeat orders by week, expected and actual; empty for a customer export.
    pub tracking: Vec<Week>,
    /// What to do about each segment, in their order.
    pub suggested_actions: Vec<Advice>,
    /// What the reader should know, most serious first.
    pub warnings: Vec<Finding>,
    /// The models held against the data: every check, whether it was made and whether it held.
    #[serde(default)]
    pub model_checks: Vec<ModelCheck>,
    /// Seconds by stage.
    pub timings_seconds: NamedValues<f64>,
    /// The checked settings.
    pub settings: Settings,
    /// Every file that was written before this one, except the report.
    pub outputs: Vec<Fingerprint>,
}

/// The pipeline of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PipelineEntry {
    /// Its name.
    pub name: String,
    /// The pipeline file, or the model that scored.
    pub file: String,
}

/// The model of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModelEntry {
    /// First digits of the SHA-256 of model.json.
    pub id: String,
    /// Observation end of the customers that it was fitted to.
    #[serde(with = "plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub fitted_until: NaiveDate,
    /// Whether it was fitted to an earlier export.
    pub given: bool,
    /// How the customers differ from those of an earlier fit; null where none was given.
    pub drift: Option<Drift>,
}

/// How the customers of a new export differ from those that the model was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Drift {
    /// Population stability index of each column.
    pub population_stability_index: NamedValues<f64>,
    /// Whether it exceeded the limit, so that the models were fitted again.
    pub refitted: bool,
    /// Orders since the fit; null without an order log.
    #[serde(default)]
    pub orders: Option<OrdersSince>,
}

/// Orders since the fit of the customers of that day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OrdersSince {
    /// Day of the fit.
    #[serde(with = "plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub fitted_until: NaiveDate,
    /// Orders that the model expected.
    pub expected: f64,
    /// Ends of its 90 % interval.
    pub interval: [f64; 2],
    /// Orders that came.
    pub actual: f64,
    /// Whether they are further off than chance and parameters explain.
    pub missed: bool,
}

/// Rows by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RowCounts {
    /// Rows read.
    pub read: usize,
    /// Rows that were set aside.
    pub rejected: usize,
    /// The others.
    pub kept: usize,
    /// Customers left out for too few orders.
    pub below_min_orders: usize,
    /// Return lines that lowered what a customer spent on that day.
    pub returns_netted: usize,
    /// Order lines after the end of the calibration.
    pub after_calibration_end: usize,
    /// Customers with predictions.
    pub customers: usize,
}

/// The model of orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PurchasesEntry {
    /// The model that was fitted.
    pub model: Family,
    /// The model that predicts: the NBD where the dropout of `model` vanished; null in a run of an
    /// earlier version.
    #[serde(default)]
    pub predicts_with: Option<Family>,
    /// The one order rate of all customers, where the Poisson limit of the NBD predicts.
    #[serde(default)]
    pub one_rate: Option<f64>,
    /// The model that the pipeline asks for.
    pub requested: PurchaseModelName,
    /// Stages of an order, where the model is one of regular buyers; left out elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u8>,
    /// Estimates, in the time unit of the pipeline.
    pub parameters: NamedValues<f64>,
    /// Standard errors; null where there is none.
    pub standard_errors: NamedValues<Option<f64>>,
    /// Every model that was fitted, the best first.
    pub comparison: Vec<Candidate>,
    /// What conditioning on the selection changed; null without `[selection]`.
    pub selection: Option<SelectionEntry>,
    /// Parameters that the data do not determine.
    pub not_identified: Vec<String>,
}

/// What conditioning on being in the file changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SelectionEntry {
    /// `[selection]` of the pipeline.
    pub stated: Option<Selection>,
    /// Length of the window, in the time unit; null for an unlimited one.
    pub window: Option<f64>,
    /// Customers ever acquired that the file stands for.
    pub customers_ever_acquired: f64,
    /// Log-likelihood, under the condition, of the fit that ignores it.
    pub ignored_log_likelihood: f64,
    /// Parameters of that fit.
    pub ignored_parameters: Vec<f64>,
}

/// The model of order values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpendEntry {
    /// The model; `none` without money.
    pub model: SpendModelName,
    /// How its parameters were found.
    #[serde(default)]
    pub method: SpendMethod,
    /// Estimates; none without money.
    pub parameters: NamedValues<f64>,
    /// Standard errors; null where there is none.
    pub standard_errors: NamedValues<Option<f64>>,
    /// How prices moved, and in which money the results are; null where nobody asked, as of a customer
    /// export without a level, and in documents that are older than this key.
    #[serde(default)]
    pub price_level: Option<PriceLevelEntry>,
}

/// One of the customers who are expected to order most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NextMonth {
    /// Identifier of the customer.
    pub customer_id: String,
    /// Expected orders in the next month.
    pub expected_orders: f64,
}

impl RunDocument {
    /// Reads the bytes of a run.json.
    ///
    /// # Errors
    /// What is wrong with them, and what to do.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let other = |e: serde_json::Error| {
            format!("not the run.json of a run by this version of cltv: {e}: run again")
        };
        let Version { schema_version } = serde_json::from_slice(bytes).map_err(other)?;
        if schema_version != SCHEMA_VERSION {
            return Err(format!(
                "the run has layout {schema_version}, this version of cltv reads layout \
                 {SCHEMA_VERSION}: run again"
            ));
        }
        serde_json::from_slice(bytes).map_err(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is published as docs/run.schema.json.
    fn schema() -> String {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<RunDocument>();
        serde_json::to_string_pretty(&schema).expect("a schema") + "\n"
    }

    /// A run.json that version 0.1.0 wrote for the sample. It must stay readable for as long as the
    /// layout has number 1: runs of earlier quarters are compared with later ones.
    #[test]
    fn a_run_of_this_layout_stays_readable() {
        let text = include_str!("../../tests/suite/run_layout_1.json");
        let document = RunDocument::parse(text.as_bytes()).expect("layout 1");
        assert_eq!(document.rows.customers, 20_073);
        assert!(document.intervals.is_some() && document.purchases.selection.is_some());
        // Nothing of it is lost on the way through the type, which has more keys by now.
        let read: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let written = serde_json::to_value(&document).expect("written");
        assert_eq!(first_lost("", &read, &written), None);
    }

    /// The path of the first entry that is not in another document as well.
    fn first_lost(path: &str, of: &serde_json::Value, other: &serde_json::Value) -> Option<String> {
        match (of, other) {
            (serde_json::Value::Object(of), serde_json::Value::Object(other)) => {
                of.iter().find_map(|(key, value)| {
                    let path = format!("{path}/{key}");
                    let found = other.get(key).unwrap_or(&serde_json::Value::Null);
                    first_lost(&path, value, found)
                })
            }
            (serde_json::Value::Array(of), serde_json::Value::Array(other))
                if of.len() == other.len() =>
            {
                let mut pairs = of.iter().zip(other).enumerate();
                pairs.find_map(|(i, (of, other))| first_lost(&format!("{path}/{i}"), of, other))
            }
            (of, other) => (of != other).then(|| path.to_owned()),
        }
    }

    #[test]
    fn another_layout_and_a_missing_number_are_refused() {
        let text = include_str!("../../tests/suite/run_layout_1.json");
        let other = text.replacen("\"schema_version\": 1", "\"schema_version\": 2", 1);
        let error = RunDocument::parse(other.as_bytes()).expect_err("layout 2");
        assert!(
            error.contains("the run has layout 2, this version of cltv reads layout 1"),
            "{error}"
        );
        let mut document: serde_json::Value = serde_json::from_str(text).expect("JSON");
        document["company"]["mean_p_alive"] = serde_json::Value::Null;
        let error = RunDocument::parse(document.to_string().as_bytes()).expect_err("no number");
        assert!(error.contains("invalid type: null, expected f64"), "{error}");
    }

    /// With `CLTV_BLESS=1` the schema is written, to be looked at and committed.
    #[test]
    fn the_published_schema_is_that_of_the_type() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/run.schema.json");
        if std::env::var_os("CLTV_BLESS").is_some() {
            std::fs::write(path, schema()).expect("written");
        }
        let published = std::fs::read_to_string(path).expect("docs/run.schema.json");
        assert!(published == schema(), "run with CLTV_BLESS=1 to write docs/run.schema.json again");
    }
}
