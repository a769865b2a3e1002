//! The company's forecast with its intervals, and the tracking of past orders.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::customers::Scope;
use crate::settings::UncertaintyMethod;
use crate::settings::dates::plain_date;

/// An interval that contains the true value with the probability of its level; the tails are equal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Intervals for the totals of one group of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroupIntervals {
    /// For each horizon: months, orders.
    pub orders: Vec<(u32, Interval)>,
    /// Discounted value over the lifetime horizon; null without money.
    pub lifetime_value: Option<Interval>,
    /// Share of the customers who have not left, 0 to 1; 0 for a group without customers.
    pub alive: Interval,
}

/// Intervals for the totals of all customers and of each segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Intervals {
    /// Probability that an interval contains the true value.
    pub level: f64,
    /// How the parameters were drawn.
    pub method: UncertaintyMethod,
    /// Draws of parameters and orders.
    pub draws: u32,
    /// Whether parameters of the order values were drawn too; a penalised fit has none to draw.
    pub spend_parameters_drawn: bool,
    /// All customers.
    pub company: GroupIntervals,
    /// Each segment, lowest first.
    pub segments: Vec<GroupIntervals>,
    /// What the intervals allow for beyond chance and parameters; null where the file has no past to
    /// learn it from, and in documents that are older than this key.
    #[serde(default)]
    pub model_error: Option<ModelError>,
    /// Orders and revenue (0 without money) of each row of the company's forecast.
    #[serde(skip)]
    pub periods: Vec<[Interval; 2]>,
}

/// What intervals of totals allow for because the model can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModelError {
    /// Where it comes from.
    pub basis: ModelErrorBasis,
    /// Standard deviation of ln(actual/expected) of orders, beyond chance and parameters.
    pub orders: f64,
    /// The same of revenue; null without money.
    pub revenue: Option<f64>,
    /// ln(revenue at the prices of the forecast / revenue at those of the orders), which may or may not
    /// come: intervals of revenue reach that way only; null where prices hold.
    #[serde(default)]
    pub prices: Option<f64>,
    /// Forecasts from earlier days that were held against what came.
    pub past_forecasts: u32,
}

/// Where the error of the model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModelErrorBasis {
    /// The model held in the past: nothing is added.
    Held,
    /// The log is too short to tell: what is usual is added.
    Short,
    /// Forecasts of the past were off by more than chance.
    PastErrors,
}

/// Length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// One week.
    Week,
    /// One month of `forecast.weeks_per_month`.
    Month,
    /// A number of months from the observation end on.
    Horizon,
}

impl Span {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Horizon => "horizon",
        }
    }
}

/// A stretch of the future.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Period {
    /// Its kind.
    pub span: Span,
    /// Which week or month, from 1; months of a horizon.
    pub number: u32,
    /// Days from the observation end to its beginning.
    pub from_day: f64,
    /// Days from the observation end to its end.
    pub to_day: f64,
}

impl Period {
    /// Whether it reaches from the observation end over `months` months.
    pub fn is_horizon(&self, months: u32) -> bool {
        self.span == Span::Horizon && self.number == months
    }
}

/// Orders and revenue of one group in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ForecastRow {
    /// What the group has in common.
    pub scope: Scope,
    /// Its name.
    pub group: String,
    /// When.
    #[serde(flatten)]
    pub period: Period,
    /// Expected orders.
    pub orders: f64,
    /// Their interval, where the pipeline asks for intervals.
    pub orders_interval: Option<Interval>,
    /// Expected revenue, not discounted; null without money.
    pub revenue: Option<f64>,
    /// Its interval.
    pub revenue_interval: Option<Interval>,
}

/// One week of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Week {
    /// Its first day.
    #[serde(with = "plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub first_day: NaiveDate,
    /// Its last day; the last week of the calibration and of the log can be short.
    #[serde(with = "plain_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub last_day: NaiveDate,
    /// Whether it is after the calibration.
    pub holdout: bool,
    /// Repeat orders.
    pub actual: f64,
    /// Expected repeat orders.
    pub expected: f64,
    /// Repeat orders up to the week's end.
    pub actual_cumulative: f64,
    /// Expected repeat orders up to the week's end.
    pub expected_cumulative: f64,
}
