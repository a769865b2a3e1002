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
    /// Columns that the input must have, with the type of their values.
    pub required: BTreeMap<String, ColumnType>,
    /// What happens to bad rows.
    pub bad_rows: BadRows,
    /// Share of bad rows, 0 to 1, from which a run warns; when absent, any bad row is enough.
    pub warn_at: Option<f64>,
    /// Share of bad rows, 0 to 1, from which a run fails; when absent, it fails only if no row is
    /// left.
    pub fail_at: Option<f64>,
    /// Largest number of days from the newest order to the observation end.
    pub max_age_days: Option<u32>,
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
