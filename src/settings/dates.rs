//! Dates in a pipeline file: the analysis date, and serde modules for plain dates.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `summary.analysis_date`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalysisDate {
    /// A number of days after the last order in the data.
    AfterLastOrder {
        /// Number of days.
        days: u32,
    },
    /// A fixed date.
    On(NaiveDate),
}

impl AnalysisDate {
    /// Parses `last_order`, `last_order + 2d` or `2021-06-01`.
    ///
    /// # Errors
    /// A sentence that names the expected forms.
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
                "{text:?} is not an analysis date: write \"last_order + 2d\" or a date as \
                 \"2021-06-01\""
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

/// Parses a date such as 2021-06-01.
///
/// # Errors
/// A sentence that names the expected form.
pub fn date(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| format!("{text:?} is not a date: write year, month and day as \"2021-06-01\""))
}

/// For `#[serde(with)]`: a date as text such as 2021-06-01.
pub mod plain_date {
    use super::{Deserialize, Deserializer, NaiveDate, Serializer};

    /// Writes the date.
    ///
    /// # Errors
    /// The serializer's error.
    pub fn serialize<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    /// Reads the date.
    ///
    /// # Errors
    /// The deserializer's error for any other text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::date(&text).map_err(serde::de::Error::custom)
    }
}

/// For `#[serde(with)]`: an optional date as text such as 2021-06-01.
pub mod optional_date {
    use super::{Deserialize, Deserializer, NaiveDate, Serializer};

    /// Writes the date, or null.
    ///
    /// # Errors
    /// The serializer's error.
    pub fn serialize<S: Serializer>(
        date: &Option<NaiveDate>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => serializer.collect_str(date),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the date, or null.
    ///
    /// # Errors
    /// The deserializer's error for any other text.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NaiveDate>, D::Error> {
        let text: Option<String> = Option::deserialize(deserializer)?;
        text.map(|text| super::date(&text)).transpose().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for AnalysisDate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnalysisDate".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
