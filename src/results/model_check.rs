//! Checks of the fitted models against the data.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One check: what was looked at, and whether the model held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModelCheck {
    /// Stable identifier.
    pub name: Cow<'static, str>,
    /// The statistic; null where the check was not made.
    pub statistic: Option<f64>,
    /// Beyond this the statistic is not chance; null where the check was not made, or has no such
    /// limit.
    pub limit: Option<f64>,
    /// Whether the model held; null where the check was not made.
    pub passed: Option<bool>,
    /// Why the check was not made.
    pub not_made: Option<NotMade>,
}

/// Why a check was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotMade {
    /// It needs single orders; the file has one row per customer.
    NeedsLog,
    /// The pipeline counts or filters customers in a way that the model does not describe.
    NotComparable,
    /// There are too few customers or orders.
    TooFew,
    /// It needs a whole year of orders.
    NeedsYear,
    /// It needs two whole years of orders.
    NeedsTwoYears,
    /// The models come from an earlier fit.
    GivenModel,
    /// A penalty takes the fit away from the data on purpose.
    Penalty,
    /// There are no order values.
    NoValues,
    /// It could not be computed to full accuracy.
    NotComputable,
}

impl NotMade {
    /// As in run.json.
    pub fn name(self) -> &'static str {
        match self {
            Self::NeedsLog => "needs_log",
            Self::NotComparable => "not_comparable",
            Self::TooFew => "too_few",
            Self::NeedsYear => "needs_year",
            Self::NeedsTwoYears => "needs_two_years",
            Self::GivenModel => "given_model",
            Self::Penalty => "penalty",
            Self::NoValues => "no_values",
            Self::NotComputable => "not_computable",
        }
    }
}

impl ModelCheck {
    /// A check that was made.
    pub fn made(name: &'static str, statistic: f64, limit: f64, passed: bool) -> Self {
        Self {
            name: name.into(),
            statistic: Some(statistic),
            limit: Some(limit),
            passed: Some(passed),
            not_made: None,
        }
    }

    /// One that was not.
    pub fn not_made(name: &'static str, why: NotMade) -> Self {
        let none = None;
        Self { name: name.into(), statistic: none, limit: None, passed: None, not_made: Some(why) }
    }
}

/// Whether every check was made and held.
pub fn all_held(checks: &[ModelCheck]) -> bool {
    !checks.is_empty() && checks.iter().all(|check| check.passed == Some(true))
}
