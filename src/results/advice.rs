//! Suggested actions, one per segment.

use serde::{Deserialize, Serialize};

use crate::results::facts::Facts;

/// What to do about a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Advice {
    /// Label of the segment.
    pub segment: String,
    /// Share of the company's expected value, 0 to 1; null without money.
    pub share_of_value: Option<f64>,
    /// Share of the orders that the company expects over the longest horizon; null in a document that
    /// is older than this key.
    #[serde(default)]
    pub share_of_orders: Option<f64>,
    /// Kind of action.
    pub play: Play,
    /// Values of the text, for a report that words it in another way.
    pub facts: Facts,
    /// The action in one or two English sentences.
    pub text: String,
}

/// A kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Play {
    /// Nothing: the segment is empty.
    Nobody,
    /// Worth much, and mostly gone.
    WinBack,
    /// Worth little, and mostly gone.
    WinBackCheaply,
    /// Worth far more than others.
    Protect,
    /// Worth more than others.
    Grow,
    /// Worth less than others, and going quiet.
    Remind,
    /// Worth less than others, and active.
    BuildHabit,
}

impl Advice {
    /// Share of the expected value, or of the expected orders where there is no money.
    pub fn share(&self) -> f64 {
        self.share_of_value.or(self.share_of_orders).unwrap_or(0.0)
    }
}

impl Play {
    /// Name in run.json.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::WinBack => "win_back",
            Self::WinBackCheaply => "win_back_cheaply",
            Self::Protect => "protect",
            Self::Grow => "grow",
            Self::Remind => "remind",
            Self::BuildHabit => "build_habit",
        }
    }
}
