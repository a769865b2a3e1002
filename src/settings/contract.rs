//! `[contract]`: what the pipeline expects of its input.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::settings::types::InputKind;

/// `[contract]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Contract {
    /// Columns that the input must have, and what their values are.
    pub required: BTreeMap<String, ColumnType>,
    /// What happens to bad rows.
    pub bad_rows: BadRows,
    /// Share of bad rows from which a run warns; any bad row when absent.
    pub warn_at: Option<f64>,
    /// Share of bad rows from which a run fails; never when absent, as long as a row is left.
    pub fail_at: Option<f64>,
    /// Days from the newest order to the date of the run, at most.
    pub max_age_days: Option<u32>,
}

/// What the values of a column are. Blank values are of any type.
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
    /// They are set aside, counted, and written to quarantine.parquet.
    #[default]
    Quarantine,
    /// They are set aside and counted.
    Drop,
    /// The run stops.
    Fail,
}

/// What types cannot say about the section.
///
/// `stated_end` is the day that the pipeline is run for, where the settings name it.
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
                "contract.{key} {share} is no share of the rows: write a number above 0 and up to \
                 1, as 0.05 for 5 %"
            ));
        }
        if share.is_some() && contract.bad_rows == BadRows::Fail {
            faults.push(format!(
                "contract.{key} goes with bad_rows = \"quarantine\" or \"drop\": with \"fail\", one \
                 bad row stops the run"
            ));
        }
    }
    if let (Some(warn), Some(fail)) = (contract.warn_at, contract.fail_at)
        && warn > fail
    {
        faults.push(format!(
            "contract.warn_at {warn} is above fail_at {fail}, so a run would fail before it warns"
        ));
    }
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
