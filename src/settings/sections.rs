//! The sections of a pipeline file as typed values.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::settings::bytes::ByteSize;
use crate::settings::calendar::Calendar;
use crate::settings::contract::Contract;
use crate::settings::dates::{self, AnalysisDate};
use crate::settings::mode::FolderMode;
use crate::settings::prices::{FuturePrices, PriceSource};
use crate::settings::types::{
    self, CappedColumns, DuplicateLines, EngineName, Family, Format, FrequencyKind, InputKind,
    MonetaryKind, MonthLength, Partition, PurchaseModelName, Returns, SpendModelName, Ties,
    TimeUnit, UncertaintyMethod, ValueOf,
};

/// A checked pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Settings {
    /// Name of the pipeline.
    pub name: String,
    /// What to read.
    pub input: Input,
    /// Requirements on the input.
    pub contract: Contract,
    /// How to clean an order log.
    pub transactions: Transactions,
    /// How to suppress outliers.
    pub outliers: Outliers,
    /// How to summarise a customer.
    pub summary: Summary,
    /// How customers were selected into the file; absent when it holds everybody ever acquired.
    pub selection: Option<Selection>,
    /// The model of orders.
    pub purchases: Purchases,
    /// Seasons, trends and events that all customers share.
    #[serde(default, skip_serializing_if = "Calendar::is_default")]
    pub calendar: Calendar,
    /// The model of order values.
    pub spend: Spend,
    /// Which horizons to forecast.
    pub forecast: Forecast,
    /// How to discount.
    pub lifetime_value: LifetimeValue,
    /// Which intervals to compute; none when absent.
    pub uncertainty: Option<Uncertainty>,
    /// How to segment and advise.
    pub segments: Segments,
    /// How to score recency, frequency and monetary value.
    pub rfm: Rfm,
    /// Where and how to write.
    pub output: Output,
    /// Language of report.html, and whether it shows identifiers.
    pub report: Report,
    /// How lineage events name this job.
    pub lineage: Lineage,
    /// Memory limit and engine.
    pub resources: Resources,
}

impl Settings {
    /// The settings as JSON, without paths, resources, lineage and report: the same analysis has
    /// the same JSON on every machine.
    pub fn without_paths(&self) -> serde_json::Value {
        let price_level = self.spend.price_level.without_path();
        let spend = Spend { price_level, ..self.spend.clone() };
        let own = Self { spend, ..self.clone() };
        let mut settings = serde_json::to_value(own).unwrap_or_default();
        if let Some(sections) = settings.as_object_mut() {
            sections.retain(|name, _| !["resources", "lineage", "report"].contains(&name.as_str()));
        }
        for section in ["input", "output"] {
            if let Some(keys) = settings.get_mut(section).and_then(|s| s.as_object_mut()) {
                keys.retain(|name, _| !["path", "partition", "mode"].contains(&name.as_str()));
            }
        }
        without_nulls(&mut settings);
        without_later_keys(&mut settings);
        settings
    }
}

/// Keys that are younger than the first models. Where they have their default they are left out, so
/// that a model keeps its identifier.
const LATER: [(&str, &[&str]); 4] = [
    ("input", &["number_format", "encoding", "guest_ids"]),
    ("contract", &["unreadable_at", "date_gap_days", "date_gap_share", "max_fall", "max_rise"]),
    ("transactions", &["value_of"]),
    ("spend", &["price_level", "future_prices"]),
];

fn without_later_keys(settings: &mut serde_json::Value) {
    let auto = serde_json::json!({ "number_format": "auto", "encoding": "auto", "guest_ids": [] });
    let contract = serde_json::json!(Contract::default());
    let transactions = serde_json::json!(Transactions::default());
    let spend = serde_json::json!(Spend::default());
    let defaults = [auto, contract, transactions, spend];
    for ((section, keys), default) in LATER.into_iter().zip(defaults) {
        if let Some(own) = settings.get_mut(section).and_then(|section| section.as_object_mut()) {
            own.retain(|name, value| !keys.contains(&name.as_str()) || *value != default[name]);
        }
    }
}

/// Removes null entries: TOML has no null and leaves the key out.
pub(crate) fn without_nulls(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(entries) => {
            entries.retain(|_, entry| !entry.is_null());
            entries.values_mut().for_each(without_nulls);
        }
        serde_json::Value::Array(entries) => entries.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// `[input]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// CSV or Parquet: a file, a glob or a folder.
    pub path: String,
    /// One row per customer, or one row per order or order line.
    #[serde(default)]
    pub kind: InputKind,
    /// `auto` or a strftime pattern.
    #[serde(default = "auto")]
    pub date_format: String,
    /// `auto`, or 1234.56 as the file writes it; settles what the values of a column leave open.
    #[serde(default = "auto", deserialize_with = "types::text_or_number")]
    pub number_format: String,
    /// `auto` or the character between CSV fields.
    #[serde(default = "auto")]
    pub separator: String,
    /// `auto` or the name of the file's character encoding.
    #[serde(default = "auto")]
    pub encoding: String,
    /// The worksheet of a workbook; by default, the first that has the columns.
    pub sheet: Option<String>,
    /// Ids that are no customers, such as that of a till, beside the words for guests that are known.
    #[serde(default)]
    pub guest_ids: Vec<String>,
    /// Which column is what.
    pub columns: Columns,
}

/// `[input.columns]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Identifier of the customer.
    pub customer_id: String,
    /// Customer export: date of the first order.
    pub first_order_date: Option<String>,
    /// Customer export: date of the last order.
    pub last_order_date: Option<String>,
    /// Customer export: columns of order counts, which are summed.
    #[serde(default)]
    pub orders: Vec<String>,
    /// Columns of values, which are summed.
    #[serde(default, deserialize_with = "types::one_or_many")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub value: Vec<String>,
    /// Order log: date of the order.
    pub order_date: Option<String>,
    /// Order log: number of pieces in an order line.
    pub quantity: Option<String>,
    /// Order log: price per piece.
    pub unit_price: Option<String>,
    /// Order log: identifier of the order.
    pub order_id: Option<String>,
    /// Columns carried through to the output.
    #[serde(default)]
    pub keep: Vec<String>,
}

/// `[transactions]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Transactions {
    /// Which lines are cancellations.
    pub cancelled: Option<Cancelled>,
    /// What happens to lines of negative value that are not cancellations.
    pub returns: Returns,
    /// Whether a value is that of its line, or that of the order and stands on one or all of its
    /// lines.
    pub value_of: ValueOf,
    /// What happens to a line that repeats another in every column.
    pub duplicate_lines: DuplicateLines,
    /// Whether all orders of a customer on one day count as one order.
    pub merge_same_day: bool,
    /// Whether lines and orders of zero value count as orders.
    pub keep_zero_value: bool,
    /// Observation end; the last order date when absent.
    #[serde(with = "dates::optional_date")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub observation_end: Option<NaiveDate>,
    /// Calibration end; the observation end when absent.
    #[serde(with = "dates::optional_date")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub calibration_end: Option<NaiveDate>,
}

/// `transactions.cancelled`: a line is cancelled when any of these rules matches.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Cancelled {
    /// Column that marks a cancellation.
    pub column: Option<String>,
    /// Prefix of the column's text in a cancelled line.
    pub prefix: Option<String>,
    /// Texts of the column in a cancelled line, when the column is a flag.
    #[serde(deserialize_with = "types::one_or_many")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub equals: Vec<String>,
    /// Whether a line with a quantity below 0 is cancelled.
    pub negative_quantity: bool,
    /// Whether a line with any entry in the column is cancelled, as with the date of a cancellation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_blank: bool,
}

/// `[outliers]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Outliers {
    /// Lower and upper quantile, 0 to 1.
    pub quantiles: [f64; 2],
    /// How far the limits are beyond the quantiles, as a multiple of the range between them.
    pub fence: f64,
    /// Whether limits are rounded to whole numbers, half to even.
    pub round: bool,
    /// `auto`, or a list of columns.
    pub columns: CappedColumns,
}

/// `[summary]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Summary {
    /// Customer export: the observation end.
    pub analysis_date: AnalysisDate,
    /// Unit of recency, T and the model's α.
    pub time_unit: TimeUnit,
    /// What the purchase model counts.
    pub frequency: FrequencyKind,
    /// Order log: whether monetary value is the mean of all orders or of the repeat orders.
    pub monetary_value: MonetaryKind,
    /// Customers with fewer orders are left out.
    pub min_orders: u32,
}

/// `[selection]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Only customers who ordered on this day or later are in the file.
    #[serde(with = "dates::optional_date")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub last_order_on_or_after: Option<NaiveDate>,
    /// The same limit as a number of days before the observation end.
    pub last_order_within_days: Option<u32>,
    /// Only customers with at least this many orders are in the file.
    pub min_orders: u32,
    /// Only customers who ordered in both channels are in the file.
    pub both_channels: bool,
}

/// `[uncertainty]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Uncertainty {
    /// Probability that an interval contains the true value.
    pub level: f64,
    /// How parameters are drawn.
    pub method: UncertaintyMethod,
    /// Number of draws of the parameters and, for each, of every customer's orders.
    pub draws: u32,
    /// Random seed: the same seed gives the same intervals.
    pub seed: u64,
}

/// `[purchases]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Purchases {
    /// Which model.
    pub model: PurchaseModelName,
    /// Coefficient on the sum of squared parameters (time scaled to max T = 1).
    pub l2_penalty: f64,
    /// Stages of an order, 1 to 8, of a model of regular buyers; by likelihood when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<u8>,
}

impl Purchases {
    /// The same, but for this model by its name: with its k, if it is one of regular buyers.
    pub fn with_model(&self, family: Family) -> Self {
        let k = Some(family.stages()).filter(|k| *k > 1);
        Self { model: family.into(), k, ..self.clone() }
    }
}

/// `[spend]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Spend {
    /// Which model.
    pub model: SpendModelName,
    /// Coefficient on the sum of squared parameters.
    pub l2_penalty: f64,
    /// How prices moved: order values are brought to the money of the observation end.
    pub price_level: PriceSource,
    /// Whether prices go on as they did.
    pub future_prices: FuturePrices,
}

/// `[forecast]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Forecast {
    /// How far ahead.
    pub horizons: Vec<Horizon>,
    /// Length of a month.
    pub weeks_per_month: MonthLength,
}

/// One entry of `forecast.horizons`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Horizon {
    /// Length in months of `weeks_per_month`.
    pub months: u32,
}

/// `[lifetime_value]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LifetimeValue {
    /// Horizon in months.
    pub months: u32,
    /// Length of a month.
    pub weeks_per_month: MonthLength,
    /// Discount rate per month: 0.01 is 1 %.
    pub monthly_discount_rate: f64,
    /// Share of the value that is margin; when absent, lists and suggested actions speak of revenue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
}

/// `[segments]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Segments {
    /// Names, lowest value first.
    pub labels: Vec<String>,
    /// The column to keep that has the channel; by default, the first whose name suggests it.
    pub channel_column: Option<String>,
    /// The column to keep that has the list of categories; by default, the first whose name
    /// suggests it.
    pub categories_column: Option<String>,
}

/// `[rfm]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Rfm {
    /// How equal values are scored.
    pub ties: Ties,
    /// Which scores make which segment; together they cover every pair exactly once.
    pub segments: Vec<RfmSegment>,
}

/// One entry of `rfm.segments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RfmSegment {
    /// Name of the segment.
    pub name: String,
    /// Lowest and highest recency score, 1 to 5.
    pub recency: [u8; 2],
    /// Lowest and highest frequency score, 1 to 5.
    pub frequency: [u8; 2],
}

impl RfmSegment {
    /// Whether a pair of scores belongs to this segment.
    pub fn holds(&self, recency: u8, frequency: u8) -> bool {
        (self.recency[0]..=self.recency[1]).contains(&recency)
            && (self.frequency[0]..=self.frequency[1]).contains(&frequency)
    }
}

/// `[output]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Folder of the run.
    pub path: PathBuf,
    /// How runs are split into subfolders; when absent, they are written to the folder itself.
    pub partition: Option<Partition>,
    /// Mode of the folder, and without the right to enter that of the files; when absent, as the
    /// folder has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<FolderMode>,
    /// Formats of the customer table.
    pub formats: Vec<Format>,
    /// Number of customers in the top list.
    pub top: u32,
    /// New names of output columns, by their standard names.
    pub rename: BTreeMap<String, String>,
    /// Currency of the values as an ISO 4217 code of three letters; stored in the customer table's
    /// metadata.
    pub currency: Option<String>,
}

/// `[report]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Report {
    /// Language of the page.
    pub language: Language,
    /// Whether the page shows customer identifiers, which are personal data.
    pub show_ids: bool,
}

/// A language of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// British English.
    #[default]
    En,
    /// Turkish.
    Tr,
}

impl FromStr for Language {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        match code {
            "en" => Ok(Self::En),
            "tr" => Ok(Self::Tr),
            other => Err(format!("{other:?} is not a language of the report: write en or tr")),
        }
    }
}

/// `[lineage]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Lineage {
    /// Namespace of the job in OpenLineage events.
    pub namespace: String,
}

/// `[resources]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Resources {
    /// Memory use beyond which the program ends with an error; no limit when absent.
    pub memory_limit: Option<ByteSize>,
    /// How Polars reads and groups the input; the results do not depend on it.
    pub engine: EngineName,
}

pub(crate) fn auto() -> String {
    "auto".to_owned()
}

impl Selection {
    /// Smallest number of orders of a customer in the file: two channels need two orders.
    pub fn least_orders(&self) -> u32 {
        if self.both_channels { self.min_orders.max(2) } else { self.min_orders }
    }
}

impl Columns {
    /// Whether a column of money is named: a value, or the price of a piece.
    pub fn has_money(&self) -> bool {
        !self.value.is_empty() || self.unit_price.is_some()
    }
}

impl Forecast {
    /// Months of the longest horizon.
    pub fn longest(&self) -> u32 {
        self.horizons.iter().map(|horizon| horizon.months).max().unwrap_or(0)
    }
}

impl Settings {
    /// Whether there is money in the results.
    pub fn has_money(&self) -> bool {
        self.spend.model != SpendModelName::None
    }

    /// Whether the model's expectation for a new customer can be held against the orders in the
    /// input. That needs a log with all customers, and a model of repeat orders.
    pub fn is_comparable(&self) -> bool {
        self.input.kind == InputKind::Transactions
            && self.summary.frequency == FrequencyKind::RepeatOrders
            && self.summary.min_orders == 1
            && self.selection.is_none()
    }

    /// Months that segments and suggested actions look ahead: those of the lifetime value, or of the
    /// longest horizon where there is no money.
    pub fn months_ahead(&self) -> u32 {
        if self.has_money() { self.lifetime_value.months } else { self.forecast.longest() }
    }

    /// The observation end, when the settings fix it.
    ///
    /// Returns `None` when it depends on the last order in the data.
    pub fn stated_end(&self) -> Option<NaiveDate> {
        match (self.input.kind, self.summary.analysis_date) {
            (InputKind::Transactions, _) => self.transactions.observation_end,
            (InputKind::Customers, AnalysisDate::On(date)) => Some(date),
            (InputKind::Customers, AnalysisDate::AfterLastOrder { .. }) => None,
        }
    }
}
