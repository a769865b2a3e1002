//! `[calendar]`: seasons, trends and events that all customers share.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::settings::dates;
use crate::settings::sections::Settings;
use crate::settings::types::{InputKind, PurchaseModelName};

/// Most waves of a year: a wave of four weeks is as short as the checks can see.
const MOST_HARMONICS: u8 = 6;

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

/// Every fault of the section, each a sentence.
pub(super) fn check(settings: &Settings, faults: &mut Vec<String>) {
    let calendar = &settings.calendar;
    of_events(&calendar.events, faults);
    if let Some(Season::Waves(Waves { harmonics })) = calendar.season
        && !(1..=MOST_HARMONICS).contains(&harmonics)
    {
        faults.push(format!(
            "calendar.season: {harmonics} harmonics is not between 1 and {MOST_HARMONICS}"
        ));
    }
    let none = Season::Named(SeasonName::None);
    if calendar.index.is_some() && calendar.season.is_some_and(|season| season != none) {
        faults.push(
            "calendar.index is a season already: remove calendar.season, or the index".to_owned(),
        );
    }
    if calendar.index.as_ref().is_some_and(String::is_empty) {
        faults.push("calendar.index is empty: name a CSV file".to_owned());
    }
    if calendar.is_stated() && settings.purchases.model == PurchaseModelName::ParetoNbd {
        faults.push(
            "[calendar] is not worked out for pareto_nbd, whose customers leave in calendar time: \
             choose auto, bg_nbd, mbg_nbd or nbd"
                .to_owned(),
        );
    }
    if !calendar.must_estimate() {
        return;
    }
    if settings.input.kind == InputKind::Customers {
        faults.push(
            "[calendar] cannot be estimated from a customer export, which has no single orders: \
             give factors in calendar.index, or numbers as factors of events"
                .to_owned(),
        );
    }
    if settings.selection.is_some() {
        faults.push(
            "[calendar] cannot be estimated beside [selection], whose window looks like a season: \
             give factors in calendar.index, or numbers as factors of events"
                .to_owned(),
        );
    }
    if settings.purchases.l2_penalty > 0.0 {
        faults.push(
            "[calendar] needs purchases.l2_penalty = 0 where it is estimated: a penalised estimate \
             has no standard errors"
                .to_owned(),
        );
    }
}

fn of_events(events: &[Event], faults: &mut Vec<String>) {
    let mut kinds: BTreeMap<&str, bool> = BTreeMap::new();
    for Event { name, from, to, factor } in events {
        if name.trim().is_empty() {
            faults.push("calendar.events: an event has no name".to_owned());
        }
        if from > to {
            faults.push(format!(
                "calendar.events: {name:?} ends on {to}, before it begins on {from}"
            ));
        }
        if let Factor::Known(factor) = factor
            && !(factor.is_finite() && (0.01..=100.0).contains(factor))
        {
            faults.push(format!(
                "calendar.events: the factor {factor} of {name:?} is not between 0.01 and 100"
            ));
        }
        let estimated = matches!(factor, Factor::Unknown(_));
        if kinds.insert(name.trim(), estimated).is_some_and(|before| before != estimated) {
            faults.push(format!(
                "calendar.events: {name:?} has a number as its factor in one entry and \"estimate\" \
                 in another; give them different names"
            ));
        }
    }
    for (i, event) in events.iter().enumerate() {
        let overlapping = |other: &&Event| {
            other.name.trim() == event.name.trim()
                && other.from <= event.to
                && event.from <= other.to
        };
        if events[..i].iter().any(|other| overlapping(&other)) {
            faults.push(format!(
                "calendar.events: {:?} has two entries that share days; make them one",
                event.name
            ));
        }
    }
}
