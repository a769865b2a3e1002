//! The values that keys of a pipeline file can take.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `input.kind`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// One row a customer.
    #[default]
    Customers,
    /// One row an order or order line.
    Transactions,
}

/// `summary.time_unit`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Columns end in `_daily`.
    Day,
    /// Columns end in `_weekly`.
    #[default]
    Week,
}

impl TimeUnit {
    /// Length in days.
    pub fn days(self) -> f64 {
        match self {
            Self::Day => 1.0,
            Self::Week => 7.0,
        }
    }

    /// Ending of column names.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Day => "daily",
            Self::Week => "weekly",
        }
    }

    /// Name of the unit in the plural.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Day => "days",
            Self::Week => "weeks",
        }
    }
}

/// `summary.frequency`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrequencyKind {
    /// Orders − 1: what the models are about.
    #[default]
    RepeatOrders,
    /// All orders: what the published FLO solutions feed.
    Orders,
}

/// `summary.monetary_value`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonetaryKind {
    /// The mean of the repeat orders, as in Gamma-Gamma theory.
    #[default]
    RepeatOrders,
    /// The mean of all orders.
    Orders,
}

/// `transactions.returns`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// They lower what the customer spent on that day.
    #[default]
    Net,
    /// They are set aside.
    Drop,
}

/// `transactions.duplicate_lines`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateLines {
    /// The same article twice is twice the value.
    #[default]
    Keep,
    /// All but the first are set aside.
    Drop,
}

/// `rfm.ties`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Equal values have equal scores, so that scores can be of unequal size.
    #[default]
    Together,
    /// Equal values are ranked in the order of the rows, so that scores are of equal size.
    RowOrder,
}

/// `purchases.model`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseModelName {
    /// Fader, Hardie & Lee (2005).
    #[default]
    BgNbd,
    /// Batislam, Denizel & Filiztekin (2007).
    MbgNbd,
    /// Schmittlein, Morrison & Colombo (1987).
    ParetoNbd,
    /// No dropout.
    Nbd,
    /// All of them; Akaike's criterion chooses.
    Auto,
}

impl PurchaseModelName {
    /// The one that is named; none for `auto`.
    pub fn family(self) -> Option<Family> {
        match self {
            Self::BgNbd => Some(Family::BgNbd),
            Self::MbgNbd => Some(Family::MbgNbd),
            Self::ParetoNbd => Some(Family::ParetoNbd),
            Self::Nbd => Some(Family::Nbd),
            Self::Auto => None,
        }
    }
}

/// A model of when customers order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Nobody leaves.
    Nbd,
    /// Customers leave after a repeat order.
    BgNbd,
    /// Customers leave after any order.
    MbgNbd,
    /// Customers leave at any moment.
    ParetoNbd,
}

impl From<Family> for PurchaseModelName {
    fn from(family: Family) -> Self {
        match family {
            Family::Nbd => Self::Nbd,
            Family::BgNbd => Self::BgNbd,
            Family::MbgNbd => Self::MbgNbd,
            Family::ParetoNbd => Self::ParetoNbd,
        }
    }
}

/// `uncertainty.method`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UncertaintyMethod {
    /// Parameters from the normal approximation on the log scale.
    #[default]
    Normal,
    /// Parameters from refits with random weights.
    Bootstrap,
}

/// `spend.model`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendModelName {
    /// Fader & Hardie (2013).
    #[default]
    GammaGamma,
}

/// `output.formats`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// customers.parquet
    Parquet,
    /// customers.csv
    Csv,
    /// customers.arrow
    Ipc,
}

impl Format {
    /// Name of the customers' file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Parquet => "customers.parquet",
            Self::Csv => "customers.csv",
            Self::Ipc => "customers.arrow",
        }
    }
}

/// `resources.engine`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineName {
    /// In morsels for an order log, in memory for a customer export.
    #[default]
    Auto,
    /// The whole input at once.
    InMemory,
    /// In morsels.
    Streaming,
}

/// `output.partition`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partition {
    /// A Hive folder an observation end: `as_of=2021-06-01`.
    AsOf,
}

/// `resources.memory_limit`: a number of bytes, as "4 GiB" or "500 MB".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(u64);

impl ByteSize {
    const UNITS: [(&'static str, u64); 7] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1000),
        ("B", 1),
    ];

    /// The number.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Reads a whole number and a unit.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = Self::UNITS.iter().find_map(|(unit, size)| {
            let count: u64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
            count.checked_mul(*size).filter(|bytes| *bytes > 0)
        });
        known.map(Self).ok_or_else(|| {
            format!(
                "{text:?} is no amount of memory: write a whole number and a unit, as \"4 GiB\""
            )
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = Self::UNITS.iter().find(|(_, size)| self.0.is_multiple_of(*size));
        let (unit, size) = whole.copied().unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / size)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// `outliers.columns`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "\"auto\" or a list of column names")]
pub enum CappedColumns {
    /// The order and value columns of a customer export; nothing of an order log.
    #[serde(with = "auto_text")]
    Auto,
    /// These.
    Only(Vec<String>),
}

/// `weeks_per_month`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "\"calendar\" or a number of weeks")]
pub enum MonthLength {
    /// 365.25/12 days.
    #[serde(with = "calendar_text")]
    Calendar,
    /// So many weeks.
    Weeks(f64),
}

impl MonthLength {
    /// Length in days.
    pub fn days(self) -> f64 {
        match self {
            Self::Calendar => 365.25 / 12.0,
            Self::Weeks(weeks) => weeks * 7.0,
        }
    }
}

/// A unit variant of an untagged enum that is written as one fixed word.
macro_rules! fixed_word {
    ($module:ident, $word:literal) => {
        mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($word)
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $word => Ok(()),
                    other => Err(D::Error::custom(format!("{other:?} is not {:?}", $word))),
                }
            }
        }
    };
}
fixed_word!(auto_text, "auto");
fixed_word!(calendar_text, "calendar");

/// `summary.analysis_date`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalysisDate {
    /// So many days after the last order of all.
    AfterLastOrder {
        /// Days, at least 0.
        days: u32,
    },
    /// A fixed date.
    On(NaiveDate),
}

impl AnalysisDate {
    /// Reads `last_order`, `last_order + 2d` or `2021-06-01`.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let folded = text.replace(' ', "");
        if let Some(rest) = folded.strip_prefix("last_order") {
            let days = match rest.strip_prefix('+').and_then(|r| r.strip_suffix('d')) {
                None if rest.is_empty() => Some(0),
                None => None,
                Some(days) => days.parse().ok(),
            };
            if let Some(days) = days.filter(|days| *days <= 36_525) {
                return Ok(Self::AfterLastOrder { days });
            }
        }
        date(&folded).map(Self::On).map_err(|_| {
            format!(
                "{text:?} is no analysis date: write \"last_order + 2d\" or a date as \"2021-06-01\""
            )
        })
    }
}

impl fmt::Display for AnalysisDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterLastOrder { days } => write!(f, "last_order + {days}d"),
            Self::On(date) => write!(f, "{date}"),
        }
    }
}

impl Serialize for AnalysisDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AnalysisDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Reads a date as 2021-06-01.
///
/// # Errors
/// What is expected.
pub fn date(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| format!("{text:?} is no date: write year, month and day as \"2021-06-01\""))
}

/// A date as text.
pub mod plain_date {
    use super::{Deserialize, Deserializer, NaiveDate, Serializer};

    /// As 2021-06-01.
    pub fn serialize<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    /// From 2021-06-01.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::date(&text).map_err(serde::de::Error::custom)
    }
}

/// Dates as text in the pipeline file.
pub mod optional_date {
    use super::{Deserialize, Deserializer, NaiveDate, Serializer};

    /// As 2021-06-01, or nothing.
    pub fn serialize<S: Serializer>(
        date: &Option<NaiveDate>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => serializer.collect_str(date),
            None => serializer.serialize_none(),
        }
    }

    /// From 2021-06-01.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NaiveDate>, D::Error> {
        let text: Option<String> = Option::deserialize(deserializer)?;
        text.map(|text| super::date(&text)).transpose().map_err(serde::de::Error::custom)
    }
}

/// A list of column names, or one column name.
pub fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a column name or a list of column names")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(name) => vec![name],
        OneOrMany::Many(names) => names,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory() {
        for (text, bytes) in [("4 GiB", 4 << 30), ("500 MB", 500_000_000), ("7B", 7)] {
            let size = ByteSize::parse(text).expect(text);
            assert_eq!(size.bytes(), bytes);
            assert_eq!(ByteSize::parse(&size.to_string()), Ok(size));
        }
        for wrong in ["", "4", "GiB", "0 B", "-1 GiB", "1.5 GiB", "99999999999 GiB"] {
            assert!(ByteSize::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn analysis_dates() {
        let two_days = AnalysisDate::AfterLastOrder { days: 2 };
        assert_eq!(AnalysisDate::parse("last_order + 2d"), Ok(two_days));
        assert_eq!(AnalysisDate::parse("last_order+2d"), Ok(two_days));
        assert_eq!(AnalysisDate::parse("last_order"), Ok(AnalysisDate::AfterLastOrder { days: 0 }));
        assert!(matches!(AnalysisDate::parse("2021-06-01"), Ok(AnalysisDate::On(_))));
        for wrong in ["01.06.2021", "last_order - 2d", "last_order + xd", "", "last_orders"] {
            assert!(AnalysisDate::parse(wrong).is_err(), "{wrong}");
        }
    }
}
