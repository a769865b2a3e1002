//! The values of a message as raw numbers and names, so that it can be worded in another language.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Name of the fact that distinguishes the variants of one message.
pub const VARIANT: &str = "variant";

/// One value of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Fact {
    /// A finite number: a count, a share from 0 to 1, an amount.
    Number(f64),
    /// Several names.
    List(Vec<String>),
    /// A name, or a day as 2021-06-01.
    Text(String),
}

/// Values of a message by name, in alphabetical order of the names. Every number is finite.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Facts(BTreeMap<Cow<'static, str>, Fact>);

impl Facts {
    /// Adds a value; a number that is not finite is left out.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, fact: impl Into<Fact>) -> Self {
        let fact = fact.into();
        if !matches!(fact, Fact::Number(value) if !value.is_finite()) {
            self.0.insert(name.into(), fact);
        }
        self
    }

    /// Adds a value, if there is one.
    #[must_use]
    pub fn maybe(self, name: &'static str, fact: Option<impl Into<Fact>>) -> Self {
        match fact {
            Some(fact) => self.with(name, fact),
            None => self,
        }
    }

    /// The value with this name. Returns `None` when there is none.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// The variant of the message. Returns `None` when it has none.
    pub fn variant(&self) -> Option<&str> {
        match self.get(VARIANT) {
            Some(Fact::Text(variant)) => Some(variant),
            _ => None,
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<f64> for Fact {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<u32> for Fact {
    fn from(value: u32) -> Self {
        Self::Number(f64::from(value))
    }
}

impl From<usize> for Fact {
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

impl From<i64> for Fact {
    fn from(value: i64) -> Self {
        Self::Number(value as f64)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<NaiveDate> for Fact {
    fn from(day: NaiveDate) -> Self {
        Self::Text(day.to_string())
    }
}

impl From<Vec<String>> for Fact {
    fn from(names: Vec<String>) -> Self {
        Self::List(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_from_json() {
        let facts = Facts::default()
            .with("orders", 13_740.3)
            .with("months", 6u32)
            .with("end", NaiveDate::from_ymd_opt(2021, 6, 1).expect("a day"))
            .with("rules", vec!["no_value".to_owned()])
            .maybe("nothing", None::<f64>);
        let text = serde_json::to_string(&facts).expect("written");
        assert_eq!(
            text,
            r#"{"end":"2021-06-01","months":6.0,"orders":13740.3,"rules":["no_value"]}"#
        );
        assert_eq!(serde_json::from_str::<Facts>(&text).expect("read"), facts);
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let facts = Facts::default().with("a", f64::NAN).with("b", f64::NEG_INFINITY);
        assert!(facts.is_empty());
    }
}
