//! What a run found: customers, models, forecast, findings, and the audit of its rows.

pub mod audit;

use chrono::NaiveDate;
use polars::prelude::DataFrame;

use crate::frame::scored::profile::Profiles;
use crate::model::calendar::described::described;
use crate::model::{FittedPurchases, FittedSpend};
use crate::model_file::ModelFile;
use crate::results::advice::Advice;
use crate::results::calendar::CalendarEntry;
use crate::results::chart_data::ChartData;
use crate::results::findings::Finding;
use crate::results::forecast::{ForecastRow, Intervals, Week};
use crate::results::model_check::ModelCheck;
use crate::results::profiles::RfmProfile;
use crate::results::run_document::Drift;
use crate::run::audit::Audit;

/// Everything that a run found out; the writers make files of it.
pub struct Run {
    /// Customers with predictions and segment, in input order.
    pub scored: DataFrame,
    /// Rising edges of the segments.
    pub edges: Vec<f64>,
    /// What is to be said of each segment and of all customers.
    pub profiles: Profiles,
    /// One row per RFM segment.
    pub rfm: Vec<RfmProfile>,
    /// What to do about each segment, in their order.
    pub advice: Vec<Advice>,
    /// The model of orders.
    pub purchases: FittedPurchases,
    /// The model of order values; `None` where there is no money.
    pub spend: Option<FittedSpend>,
    /// Orders and revenue of the company, its segments and its channels.
    pub forecast: Vec<ForecastRow>,
    /// Who is expected to order most in the next month, and how much, most first.
    pub next_month: Vec<(String, f64)>,
    /// Repeat orders week by week, expected and actual; an order log only.
    pub tracking: Vec<Week>,
    /// How far totals can be off, where the pipeline asks for it.
    pub intervals: Option<Intervals>,
    /// What the charts of a report show.
    pub chart_data: ChartData,
    /// What the reader should know, most serious first.
    pub findings: Vec<Finding>,
    /// The models held against the data.
    pub checks: Vec<ModelCheck>,
    /// The model file of this fit, or the given one.
    pub model_file: ModelFile,
    /// How the customers differ from those that a given model was fitted to.
    pub drift: Option<Drift>,
    /// What happened to the rows.
    pub audit: Audit,
}

impl Run {
    /// How order rates follow the calendar; `None` where nobody asked.
    pub fn calendar(&self) -> Option<CalendarEntry> {
        calendar_of(&self.purchases, self.audit.observation_end)
    }
}

/// How order rates follow the calendar of a fit whose observation ends on a day; `None` where nobody
/// asked.
pub(crate) fn calendar_of(fitted: &FittedPurchases, end: NaiveDate) -> Option<CalendarEntry> {
    let FittedPurchases { calendar, gate, .. } = fitted;
    let asked = calendar.is_some() || gate.is_some();
    asked.then(|| described(calendar.as_ref(), gate.clone(), end.to_epoch_days()))
}

/// What `cltv fit` finds out.
pub struct Fitted {
    /// The model file.
    pub model_file: ModelFile,
    /// How order rates follow the calendar; `None` where nobody asked.
    pub calendar: Option<CalendarEntry>,
    /// What happened to the rows.
    pub audit: Audit,
}
