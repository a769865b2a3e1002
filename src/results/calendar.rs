//! The calendar that a run uses: what it found, and why it took or did not take a season or a trend.

use serde::{Deserialize, Serialize};

/// The months as messages name them, January first.
pub const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
];

/// Why a season or a trend is not in the forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotTaken {
    /// The pipeline asks for none.
    NotAsked,
    /// The log has no two whole years.
    NeedsTwoYears,
    /// Most customers joined within half a year, so that a trend looks like their leaving.
    NotStaggered,
    /// Chance explains what there is.
    Chance,
    /// Forecasts of the past are no better with it.
    NoBetter,
    /// A customer export has no single orders.
    Export,
    /// The customers are selected, and the selection looks like a season.
    Selected,
    /// Customers of the named model leave in calendar time.
    Pareto,
    /// The estimates are penalised.
    Penalised,
    /// The orders cannot be compared with the model.
    NotComparable,
    /// No model could be fitted with it.
    NoFit,
}

impl NotTaken {
    /// Its name in tables and texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::NeedsTwoYears => "needs_two_years",
            Self::NotStaggered => "not_staggered",
            Self::Chance => "chance",
            Self::NoBetter => "no_better",
            Self::Export => "export",
            Self::Selected => "selected",
            Self::Pareto => "pareto",
            Self::Penalised => "penalised",
            Self::NotComparable => "not_comparable",
            Self::NoFit => "no_fit",
        }
    }

    /// The reason, as the end of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotAsked => "the pipeline asks for none",
            Self::NeedsTwoYears => "the log is shorter than two whole years",
            Self::NotStaggered => "most customers joined within half a year",
            Self::Chance => "the log shows no more than chance",
            Self::NoBetter => "forecasts of the past were no better with it",
            Self::Export => "a customer export has no single orders",
            Self::Selected => "the customers are selected, which looks like a season",
            Self::Pareto => "customers of Pareto/NBD leave in calendar time",
            Self::Penalised => "the estimates are penalised",
            Self::NotComparable => "that needs a log of all customers, with repeat orders counted",
            Self::NoFit => "no model could be fitted with it",
        }
    }
}

/// How season and trend were decided.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gate {
    /// Days from the first order to the observation end.
    pub days: i32,
    /// Why there is no season; left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<NotTaken>,
    /// Why there is no trend; left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<NotTaken>,
    /// Number of forecasts of half a year of the past.
    pub forecasts: u32,
    /// Their deviance without and with what was taken; left out where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviance: Option<[f64; 2]>,
    /// Mean error of their stretches of 26 days, as a share of the orders, without and with what was
    /// taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<[f64; 2]>,
    /// Orders expected and observed over each, with what was taken; the latest first. They are those of
    /// the customers on whom it was tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<[f64; 2]>,
}

/// How order rates follow the calendar.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CalendarEntry {
    /// How season and trend were decided; left out where nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The season; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<SeasonEntry>,
    /// The trend; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<TrendEntry>,
    /// The events, each name once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventEntry>,
    /// Mean factors of the months that the forecast looks ahead, the first one in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months_ahead: Vec<MonthAhead>,
}

/// Where a season comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SeasonSource {
    /// A factor for each month was estimated.
    Monthly,
    /// Waves of the year were estimated.
    Harmonics,
    /// The factors were given.
    Index,
}

/// A season.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeasonEntry {
    /// Where it comes from.
    pub source: SeasonSource,
    /// Mean factors of January to December; an average day has 1.
    pub months: [f64; 12],
    /// Their standard errors; null where they were given, or have none.
    pub standard_errors: Option<[f64; 12]>,
}

impl SeasonEntry {
    /// The strongest and the weakest month, with their factors.
    pub fn peak_and_trough(&self) -> [(&'static str, f64); 2] {
        let by = |a: &usize, b: &usize| self.months[*a].total_cmp(&self.months[*b]);
        let [high, low] = [(0..12).max_by(by), (0..12).min_by(by)].map(|month| month.unwrap_or(0));
        [high, low].map(|month| (MONTHS[month], self.months[month]))
    }
}

/// A trend of order rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrendEntry {
    /// The factor of a year: 1.2 is +20 %.
    pub yearly: f64,
    /// Its standard error; null where it has none.
    pub standard_error: Option<f64>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventEntry {
    /// Its name.
    pub name: String,
    /// By what it multiplies order rates.
    pub factor: f64,
    /// Its standard error; null where the factor was given, or has none.
    pub standard_error: Option<f64>,
}

/// A month of the forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MonthAhead {
    /// The month, as 2021-06.
    pub month: String,
    /// The mean factor of its days, with trend and events.
    pub factor: f64,
}

impl CalendarEntry {
    /// Season, trend and events in one line; `None` where every day counts alike.
    pub fn line(&self) -> Option<String> {
        let season = self.season.as_ref().map(|season| {
            let [(high_month, high), (low_month, low)] = season.peak_and_trough();
            format!("season {high_month} ×{high:.2}, {low_month} ×{low:.2}")
        });
        let trend =
            self.trend.map(|trend| format!("trend {:+.0} % a year", 100.0 * (trend.yearly - 1.0)));
        let events = self.events.iter().map(|event| format!("{} ×{:.2}", event.name, event.factor));
        let all: Vec<String> = season.into_iter().chain(trend).chain(events).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// The months ahead with the highest and the lowest factor, of those that are whole; `None`
    /// where every month is alike.
    pub fn peak_and_trough(&self) -> Option<[&MonthAhead; 2]> {
        let whole = self.months_ahead.get(1..)?;
        let by = |a: &&MonthAhead, b: &&MonthAhead| a.factor.total_cmp(&b.factor);
        let (high, low) = (whole.iter().max_by(by)?, whole.iter().min_by(by)?);
        (high.factor > low.factor).then_some([high, low])
    }
}
