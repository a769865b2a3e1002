//! What the page reads: the parts of run.json that it shows. The run and `cltv report` go this one
//! way, so the page is the same whoever makes it.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::results::advice::Advice;
use crate::results::findings::Finding;
use crate::settings::dates::plain_date;

/// run.json, as far as the page shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Document {
    pub tool: Tool,
    pub pipeline: Pipeline,
    pub model: ModelMark,
    pub inputs: Vec<Input>,
    pub rows: Rows,
    /// Rows set aside, by rule.
    pub rejected: Map<String, Value>,
    pub outlier_limits: Vec<Limits>,
    #[serde(with = "plain_date")]
    pub first_order: NaiveDate,
    #[serde(with = "plain_date")]
    pub last_order: NaiveDate,
    #[serde(with = "plain_date")]
    pub as_of: NaiveDate,
    pub purchases: Purchases,
    pub spend: Spend,
    pub company: Profile,
    pub intervals: Option<Intervals>,
    /// Lowest first.
    pub segments: Vec<Profile>,
    /// Rising bounds of the segments' lifetime values, one more than segments.
    pub segment_edges: Vec<f64>,
    pub kept_columns: Vec<KeptColumn>,
    pub rfm: Vec<RfmSegment>,
    pub forecast: Vec<Period>,
    pub tracking: Vec<Week>,
    pub suggested_actions: Vec<Advice>,
    pub warnings: Vec<Finding>,
    pub settings: Settings,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Pipeline {
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ModelMark {
    pub id: String,
    #[serde(with = "plain_date")]
    pub fitted_until: NaiveDate,
    /// Whether an earlier fit scored this file.
    pub given: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Input {
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Rows {
    pub read: u64,
    pub kept: u64,
    pub below_min_orders: u64,
    pub returns_netted: u64,
    pub after_calibration_end: u64,
    pub customers: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Limits {
    pub column: String,
    pub lower_applied: f64,
    pub upper_applied: f64,
    pub raised: u64,
    pub lowered: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Purchases {
    pub model: String,
    pub parameters: Map<String, Value>,
    pub standard_errors: Map<String, Value>,
    pub comparison: Vec<Compared>,
    pub selection: Option<Value>,
    pub not_identified: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Compared {
    pub model: String,
    pub log_likelihood: f64,
    pub aic: f64,
    pub without_dropout: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Spend {
    #[serde(default)]
    pub standard_errors: Map<String, Value>,
    pub parameters: Map<String, Value>,
}

/// ChartData of a segment, or of all customers.
#[derive(Debug, Clone, Deserialize)]
pub struct Profile {
    pub label: String,
    pub customers: u64,
    pub total_cltv: f64,
    pub mean_cltv: f64,
    pub mean_monetary: f64,
    pub mean_p_alive: f64,
    /// Months, orders.
    pub expected_orders: Vec<(u32, f64)>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Intervals {
    pub level: f64,
    pub company: GroupIntervals,
    /// Lowest first.
    pub segments: Vec<GroupIntervals>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GroupIntervals {
    pub orders: Vec<(u32, Interval)>,
    pub lifetime_value: Interval,
    pub alive: Interval,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// A column to keep: what it says of each segment, lowest first.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptColumn {
    pub column: String,
    pub groups: Vec<Described>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Described {
    Mean { mean: Option<f64> },
    Shares(Vec<(String, f64)>),
}

#[derive(Debug, Clone, Deserialize)]
pub struct RfmSegment {
    pub segment: String,
    pub customers: u64,
    pub mean_days_since_last_order: f64,
    pub mean_orders: f64,
    pub mean_spend: f64,
    pub total_cltv: f64,
    pub mean_cltv: f64,
    /// Customers in each segment, lowest first.
    pub by_cltv_segment: Vec<u64>,
}

/// Expected orders and revenue of a group in a stretch of the future.
#[derive(Debug, Clone, Deserialize)]
pub struct Period {
    pub scope: String,
    pub group: String,
    pub span: String,
    pub number: u32,
    pub to_day: f64,
    pub orders: f64,
    pub orders_interval: Option<Interval>,
    pub revenue: f64,
    pub revenue_interval: Option<Interval>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Week {
    #[serde(with = "plain_date")]
    pub first_day: NaiveDate,
    #[serde(with = "plain_date")]
    pub last_day: NaiveDate,
    pub holdout: bool,
    pub actual: f64,
    pub expected: f64,
    pub actual_cumulative: f64,
    pub expected_cumulative: f64,
}

/// The settings that the page names.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    pub input: InputSettings,
    pub summary: Summary,
    pub forecast: Forecast,
    pub lifetime_value: LifetimeValue,
    pub output: Output,
}

#[derive(Debug, Clone, Deserialize)]
pub struct InputSettings {
    pub path: String,
    pub kind: String,
    pub columns: Columns,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Columns {
    pub keep: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Summary {
    pub time_unit: String,
    pub frequency: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Forecast {
    pub horizons: Vec<Horizon>,
    pub weeks_per_month: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Horizon {
    pub months: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub struct LifetimeValue {
    pub months: u32,
    pub weeks_per_month: Value,
    pub monthly_discount_rate: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Output {
    pub currency: Option<String>,
    pub top: usize,
}

/// comparison.json's account of what became of an earlier run's customers.
#[derive(Debug, Clone, Deserialize)]
pub struct Migration {
    pub before: Side,
    pub after: Side,
    /// A row for each segment before and after; `new` and `lost` stand for one.
    pub migration: Vec<Flow>,
    pub warnings: Vec<Finding>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Side {
    #[serde(with = "plain_date")]
    pub as_of: NaiveDate,
    pub customers: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Flow {
    pub from: String,
    pub to: String,
    pub customers: u64,
    pub share: f64,
    pub cltv_before: f64,
    pub cltv_after: f64,
}
