//! `[contract]`: what the pipeline expects of its input.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::settings::dates;
use crate::settings::types::InputKind;

/// `[contract]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Contract {
    /// Columns that the input must have, with the type of their values.
    pub required: BTreeMap<String, ColumnType>,
    /// What happens to bad rows.
    pub bad_rows: BadRows,
    /// Share of bad rows, 0 to 1, from which a run warns; when absent, any bad row is enough.
    pub warn_at: Option<f64>,
    /// Share of bad rows, 0 to 1, from which a run fails; when absent, it fails only if no row is
    /// left.
    pub fail_at: Option<f64>,
    /// Share of rows with unreadable values, 0 to 1, from which a run fails where `fail_at` does not
    /// say otherwise.
    pub unreadable_at: f64,
    /// Largest number of days from the newest order to the observation end.
    pub max_age_days: Option<u32>,
    /// Fewest rows that the input must have.
    pub min_rows: Option<u64>,
    /// First plausible date of an order.
    #[serde(with = "dates::optional_date")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub earliest_date: Option<NaiveDate>,
    /// Last plausible date of an order.
    #[serde(with = "dates::optional_date")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub latest_date: Option<NaiveDate>,
    /// Days without orders after which a few last rows are taken for mistakes; 0 for never.
    pub date_gap_days: u32,
    /// The largest share of the rows, 0 to 1, that is a few.
    pub date_gap_share: f64,
    /// The largest fall against the run before, 0 to 1, in rows, customers or revenue.
    pub max_fall: f64,
    /// The largest rise against the run before, as a share: 1 for twice as much.
    pub max_rise: f64,
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            required: BTreeMap::new(),
            bad_rows: BadRows::default(),
            warn_at: None,
            fail_at: None,
            unreadable_at: 0.05,
            max_age_days: None,
            min_rows: None,
            earliest_date: None,
            latest_date: None,
            date_gap_days: 21,
            date_gap_share: 0.01,
            max_fall: 0.3,
            max_rise: 1.0,
        }
    }
}

/// The type of a column's values. A blank value fits every type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Anything.
    Text,
    /// Whole numbers, 4 or 4.0.
    Integer,
    /// Numbers.
    Number,
    /// Dates in one format, with or without a time of day.
    Date,
}

impl ColumnType {
    /// Its name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Date => "date",
        }
    }
}

/// `contract.bad_rows`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BadRows {
    /// Bad rows are set aside, counted, and written to quarantine.parquet.
    #[default]
    Quarantine,
    /// Bad rows are set aside and counted.
    Drop,
    /// The run stops.
    Fail,
}

/// Checks the rules on the section that types cannot express.
///
/// `stated_end` is the observation end, when the settings fix it.
pub(super) fn check(
    contract: &Contract,
    kind: InputKind,
    stated_end: Option<NaiveDate>,
    faults: &mut Vec<String>,
) {
    for (key, share) in [("warn_at", contract.warn_at), ("fail_at", contract.fail_at)] {
        if let Some(share) = share
            && !(share > 0.0 && share <= 1.0)
        {
            faults.push(format!(
                "contract.{key} {share} is not a share of the rows: write a number above 0 and up \
                 to 1, as 0.05 for 5 %"
            ));
        }
        if share.is_some() && contract.bad_rows == BadRows::Fail {
            faults.push(format!(
                "contract.{key} goes with bad_rows = \"quarantine\" or \"drop\": with \"fail\", one \
                 bad row stops the run"
            ));
        }
    }
    let shares = [
        ("unreadable_at", contract.unreadable_at),
        ("date_gap_share", contract.date_gap_share),
        ("max_fall", contract.max_fall),
    ];
    for (key, share) in shares {
        if !(0.0..=1.0).contains(&share) {
            faults.push(format!(
                "contract.{key} {share} is not a share: write a number from 0 to 1, as 0.05 for 5 %"
            ));
        }
    }
    if let (Some(first), Some(last)) = (contract.earliest_date, contract.latest_date)
        && first > last
    {
        faults.push(format!("contract.earliest_date {first} is after latest_date {last}"));
    }
    if contract.max_rise.is_nan() || contract.max_rise < 0.0 {
        faults.push(format!(
            "contract.max_rise {} is not a share: write a number from 0, as 1 for twice as much",
            contract.max_rise
        ));
    }
    if let (Some(warn), Some(fail)) = (contract.warn_at, contract.fail_at)
        && warn > fail
    {
        faults.push(format!(
            "contract.warn_at {warn} is above fail_at {fail}, so a run would fail before it warns"
        ));
    }
    // Compared with the last order itself the input would always be new, and the clock is not
    // used: the same input must give the same result tomorrow.
    if contract.max_age_days.is_some() && stated_end.is_none() {
        let key = match kind {
            InputKind::Customers => "summary.analysis_date",
            InputKind::Transactions => "transactions.observation_end",
        };
        faults.push(format!(
            "contract.max_age_days needs a date to compare the newest order with: give --as-of \
             2021-09-01, or set {key} to a date"
        ));
    }
}
