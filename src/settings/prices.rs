//! `spend.price_level` and `spend.future_prices`: how prices move, and whether they go on.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The word for the level that a model keeps.
const OF_MODEL: &str = "model";
/// Yearly factors that are believed: outside, a percentage is meant.
pub(crate) const YEARLY: std::ops::RangeInclusive<f64> = 0.5..=10.0;

/// `spend.price_level`
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PriceSource {
    /// Order logs: estimated within customers, and used where it makes forecasts of the past better.
    #[default]
    Auto,
    /// Order values stay as they are.
    None,
    /// The same factor every year: 1.4 is +40 %.
    Yearly(f64),
    /// A CSV file with a level for each month or date.
    File(String),
    /// The level that the model keeps, for `cltv score`.
    OfModel,
}

/// `{ yearly = 1.4 }`
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Yearly {
    /// The factor.
    yearly: f64,
}

/// How it is written in a pipeline file.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "\"auto\", \"none\", { yearly = 1.4 } or the path of a CSV file in quotes"
)]
enum Written {
    /// A word or a path.
    Text(String),
    /// A factor.
    Yearly(Yearly),
}

#[cfg(test)]
impl schemars::JsonSchema for PriceSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PriceSource".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

impl PriceSource {
    /// Whether the level is stated, not estimated.
    pub fn is_given(&self) -> bool {
        matches!(self, Self::Yearly(_) | Self::File(_) | Self::OfModel)
    }

    /// What a level is made from, in a word: models that were fitted with one kind cannot score with
    /// another.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::Yearly(_) | Self::File(_) | Self::OfModel => "given",
        }
    }

    /// Without a path: the model keeps what was in the file.
    pub(crate) fn without_path(&self) -> Self {
        match self {
            Self::File(_) => Self::OfModel,
            other => other.clone(),
        }
    }
}

impl Serialize for PriceSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |text: &str| Written::Text(text.to_owned());
        let written = match self {
            Self::Auto => text("auto"),
            Self::None => text("none"),
            Self::OfModel => text(OF_MODEL),
            Self::File(path) => text(path),
            Self::Yearly(yearly) => Written::Yearly(Yearly { yearly: *yearly }),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PriceSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Yearly(Yearly { yearly }) => Self::Yearly(yearly),
            Written::Text(text) => match text.as_str() {
                "" => return Err(D::Error::custom("it is empty: write \"auto\" or \"none\"")),
                "auto" => Self::Auto,
                "none" => Self::None,
                OF_MODEL => Self::OfModel,
                _ => Self::File(text),
            },
        })
    }
}

/// `spend.future_prices`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FuturePrices {
    /// Prices stay: everything is in the money of the observation end.
    #[default]
    Constant,
    /// Prices go on with the yearly factor of the level.
    Continue,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PriceSource, String> {
        #[derive(Deserialize)]
        struct Spend {
            price_level: PriceSource,
        }
        let spend: Result<Spend, _> = toml::from_str(&format!("price_level = {text}"));
        spend.map(|spend| spend.price_level).map_err(|error| error.to_string())
    }

    #[test]
    fn each_form_is_read_and_written_again() {
        for (text, source) in [
            ("\"auto\"", PriceSource::Auto),
            ("\"none\"", PriceSource::None),
            ("\"model\"", PriceSource::OfModel),
            ("\"data/cpi.csv\"", PriceSource::File("data/cpi.csv".to_owned())),
            ("{ yearly = 1.4 }", PriceSource::Yearly(1.4)),
        ] {
            assert_eq!(read(text).as_ref(), Ok(&source), "{text}");
            let json = serde_json::to_value(&source).expect("JSON");
            assert_eq!(serde_json::from_value::<PriceSource>(json).expect("read"), source);
        }
        for text in ["1.4", "{ yearly = \"1.4\" }", "{ monthly = 1.02 }", "true", "\"\""] {
            assert!(read(text).is_err(), "{text}");
        }
        let error = read("1.4").expect_err("no form");
        assert!(error.contains("{ yearly = 1.4 }"), "{error}");
    }

    #[test]
    fn a_path_does_not_leave_the_machine() {
        let file = PriceSource::File("/home/someone/cpi.csv".to_owned());
        assert_eq!(file.without_path(), PriceSource::OfModel);
        assert_eq!(PriceSource::Yearly(1.4).without_path(), PriceSource::Yearly(1.4));
        assert_eq!(file.kind(), PriceSource::OfModel.kind());
    }
}
