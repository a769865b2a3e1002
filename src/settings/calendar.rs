//! `[calendar]`: seasons, trends and events that all customers share.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::settings::dates;

/// `[calendar]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    /// The season of order rates; by default `auto`, or none beside an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub season: Option<Season>,
    /// The trend of order rates.
    pub trend: Trend,
    /// A CSV file of known factors by month or date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Stretches of days with a factor of their own.
    pub events: Vec<Event>,
}

/// `calendar.season`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "\"auto\", \"none\", \"monthly\" or { harmonics = 2 }")]
pub enum Season {
    /// By name.
    Named(SeasonName),
    /// Waves of the year.
    Waves(Waves),
}

/// A season by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SeasonName {
    /// Where the log shows one and forecasts of the past get better by it.
    Auto,
    /// None.
    None,
    /// A factor for each month.
    Monthly,
}

/// `calendar.season = { harmonics = 2 }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Waves {
    /// Number of waves: the year, half a year, and so on.
    pub harmonics: u8,
}

/// `calendar.trend`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Where the log shows one and forecasts of the past get better by it.
    #[default]
    Auto,
    /// None.
    None,
}

/// One entry of `calendar.events`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What it is; events of one name share a factor that is estimated.
    pub name: String,
    /// Its first day.
    #[serde(with = "dates::plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub from: NaiveDate,
    /// Its last day.
    #[serde(with = "dates::plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub to: NaiveDate,
    /// By what order rates are multiplied on these days, or `"estimate"`.
    pub factor: Factor,
}

/// `factor` of an event.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "a number above 0, or \"estimate\"")]
pub enum Factor {
    /// As given.
    Known(f64),
    /// From the log.
    Unknown(Estimate),
}

/// The word for a factor that is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Estimate {
    /// From the log.
    Estimate,
}

impl Calendar {
    /// Whether nothing is stated: such a section is not written.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The season that is asked for: beside an index none by default, since it is one.
    pub fn season(&self) -> Season {
        let default = if self.index.is_some() { SeasonName::None } else { SeasonName::Auto };
        self.season.unwrap_or(Season::Named(default))
    }

    /// The trend that is asked for.
    pub fn wants_trend(&self) -> bool {
        self.trend == Trend::Auto
    }

    /// Whether the pipeline itself says that rates follow the calendar.
    pub fn is_stated(&self) -> bool {
        let named = [Season::Named(SeasonName::Auto), Season::Named(SeasonName::None)];
        self.index.is_some() || !self.events.is_empty() || !named.contains(&self.season())
    }

    /// Whether something is asked for that must be estimated, whatever the data show.
    pub fn must_estimate(&self) -> bool {
        let season = !matches!(self.season(), Season::Named(SeasonName::Auto | SeasonName::None));
        season || self.events.iter().any(|event| matches!(event.factor, Factor::Unknown(_)))
    }
}
