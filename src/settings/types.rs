//! The values that keys of a pipeline file can take, as enums.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The values of `input.number_format` beside `auto`: how 1234.56 is written.
pub const NUMBER_FORMATS: [&str; 8] =
    ["1234.56", "1,234.56", "1 234.56", "1'234.56", "1234,56", "1.234,56", "1 234,56", "1'234,56"];

/// Reads a text that looks like a number, which `--set` takes for one: 1234.56.
pub(crate) fn text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text")]
    enum Either {
        Text(String),
        Number(f64),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Text(text) => text,
        Either::Number(number) => number.to_string(),
    })
}

/// `input.kind`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// One row per customer.
    #[default]
    Customers,
    /// One row per order or order line.
    Transactions,
}

/// `summary.time_unit`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Days; names of time columns end in `_daily`.
    Day,
    /// Weeks; names of time columns end in `_weekly`.
    #[default]
    Week,
}

impl TimeUnit {
    /// Length in days.
    pub fn days(self) -> f64 {
        match self {
            Self::Day => 1.0,
            Self::Week => 7.0,
        }
    }

    /// Its name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// Suffix of column names, without the underscore.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Day => "daily",
            Self::Week => "weekly",
        }
    }

    /// Name of the unit in the plural.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Day => "days",
            Self::Week => "weeks",
        }
    }
}

/// `summary.frequency`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FrequencyKind {
    /// Orders − 1, which is the models' definition of frequency.
    #[default]
    RepeatOrders,
    /// All orders, as in the published FLO solutions.
    Orders,
}

impl FrequencyKind {
    /// Its name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Self::RepeatOrders => "repeat_orders",
            Self::Orders => "orders",
        }
    }
}

/// `summary.monetary_value`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MonetaryKind {
    /// The mean of the repeat orders, as in Gamma-Gamma theory.
    #[default]
    RepeatOrders,
    /// The mean of all orders.
    Orders,
}

/// `transactions.returns`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// Returns are subtracted from what the customer spent on that day; what is left, from the order
    /// that they belong to by `order_id`, else from the customer's latest earlier purchases.
    #[default]
    Net,
    /// Returns are subtracted from what the customer spent on that day; where they are more, that day
    /// is set aside.
    SameDay,
    /// Returns are set aside.
    Drop,
}

/// `transactions.value_of`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ValueOf {
    /// Each line has its own value.
    #[default]
    Line,
    /// The value is that of the order: of its lines, the first entry in each column counts.
    Order,
}

/// `transactions.duplicate_lines`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DuplicateLines {
    /// Every line counts: the same article twice is twice the value.
    #[default]
    Keep,
    /// All but the first of equal lines are set aside.
    Drop,
}

/// `rfm.ties`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Equal values get the same score, so the groups can differ in size.
    #[default]
    Together,
    /// Equal values are ranked in row order, so the groups have the same size.
    RowOrder,
}

/// `purchases.model`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PurchaseModelName {
    /// Fader, Hardie & Lee (2005).
    BgNbd,
    /// Batislam, Denizel & Filiztekin (2007).
    MbgNbd,
    /// Schmittlein, Morrison & Colombo (1987).
    ParetoNbd,
    /// No dropout.
    Nbd,
    /// Regular buyers: Reutterer, Platzer & Schröder (2021); BG/NBD where k is 1.
    BgCnbdK,
    /// The same, with dropout after the first order too; MBG/NBD where k is 1.
    MbgCnbdK,
    /// Fits all of them; Akaike's information criterion chooses one.
    #[default]
    Auto,
}

impl PurchaseModelName {
    /// The named model, at k = 1 where k is not fixed by the name. Returns `None` for `auto`.
    pub fn family(self) -> Option<Family> {
        match self {
            Self::BgNbd | Self::BgCnbdK => Some(Family::BgNbd),
            Self::MbgNbd | Self::MbgCnbdK => Some(Family::MbgNbd),
            Self::ParetoNbd => Some(Family::ParetoNbd),
            Self::Nbd => Some(Family::Nbd),
            Self::Auto => None,
        }
    }

    /// Whether it is a model of regular buyers, with a k of its own.
    pub fn is_regular(self) -> bool {
        matches!(self, Self::BgCnbdK | Self::MbgCnbdK)
    }

    /// The name in the literature. Returns `None` for `auto`.
    pub fn title(self) -> Option<&'static str> {
        match self {
            Self::BgCnbdK => Some("BG/CNBD-k"),
            Self::MbgCnbdK => Some("MBG/CNBD-k"),
            other => other.family().map(Family::title),
        }
    }
}

/// A model of when customers order and leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Customers never leave.
    Nbd,
    /// Customers can leave after each repeat order.
    BgNbd,
    /// Customers can leave after each order, the first included.
    MbgNbd,
    /// Customers can leave at any moment.
    ParetoNbd,
    /// BG/NBD of regular buyers, with so many stages an order: 2 to 8.
    BgCnbdK(u8),
    /// MBG/NBD of regular buyers.
    MbgCnbdK(u8),
}

/// Most stages of an order that are tried.
pub const MOST_STAGES: u8 = 8;

impl Family {
    /// All models of buyers who order at any time, the simplest first.
    pub const ALL: [Self; 4] = [Self::Nbd, Self::BgNbd, Self::MbgNbd, Self::ParetoNbd];

    /// The model of regular buyers with `k` stages an order, 1 to 8, beside this one. Returns `None`
    /// where there is none.
    pub fn with_stages(self, k: u8) -> Option<Self> {
        let known = (2..=MOST_STAGES).contains(&k);
        match self {
            Self::BgNbd | Self::BgCnbdK(_) if k == 1 => Some(Self::BgNbd),
            Self::MbgNbd | Self::MbgCnbdK(_) if k == 1 => Some(Self::MbgNbd),
            Self::BgNbd | Self::BgCnbdK(_) if known => Some(Self::BgCnbdK(k)),
            Self::MbgNbd | Self::MbgCnbdK(_) if known => Some(Self::MbgCnbdK(k)),
            _ => None,
        }
    }

    /// k: the stages of an order.
    pub fn stages(self) -> u8 {
        match self {
            Self::BgCnbdK(k) | Self::MbgCnbdK(k) => k,
            _ => 1,
        }
    }

    /// The model of the family at k = 1.
    pub fn plain(self) -> Self {
        self.with_stages(1).unwrap_or(self)
    }

    /// The model with this name. Returns `None` when there is none.
    pub fn named(name: &str) -> Option<Self> {
        let regular = [Self::BgNbd, Self::MbgNbd].into_iter();
        let regular = regular.flat_map(|f| (2..=MOST_STAGES).filter_map(move |k| f.with_stages(k)));
        Self::ALL.into_iter().chain(regular).find(|family| family.name() == name)
    }

    /// The name in the literature.
    pub fn title(self) -> &'static str {
        match self {
            Self::Nbd => "NBD",
            Self::BgNbd => "BG/NBD",
            Self::MbgNbd => "MBG/NBD",
            Self::ParetoNbd => "Pareto/NBD",
            Self::BgCnbdK(k) => of_stages(&BG_TITLES, k),
            Self::MbgCnbdK(k) => of_stages(&MBG_TITLES, k),
        }
    }

    /// The name in tables; that in pipeline files is the name of its [`PurchaseModelName`], without
    /// a k of its own.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nbd => "nbd",
            Self::BgNbd => "bg_nbd",
            Self::MbgNbd => "mbg_nbd",
            Self::ParetoNbd => "pareto_nbd",
            Self::BgCnbdK(k) => of_stages(&BG_NAMES, k),
            Self::MbgCnbdK(k) => of_stages(&MBG_NAMES, k),
        }
    }

    /// The name in tables of the model with a calendar, beside the same without one.
    pub fn name_with_calendar(self) -> &'static str {
        match self {
            Self::Nbd => "nbd_calendar",
            Self::BgNbd => "bg_nbd_calendar",
            Self::MbgNbd => "mbg_nbd_calendar",
            Self::ParetoNbd => "pareto_nbd_calendar",
            Self::BgCnbdK(k) => of_stages(&BG_CALENDAR_NAMES, k),
            Self::MbgCnbdK(k) => of_stages(&MBG_CALENDAR_NAMES, k),
        }
    }

    /// Symbols of the parameters.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Nbd => &["r", "alpha"],
            Self::BgNbd | Self::MbgNbd | Self::BgCnbdK(_) | Self::MbgCnbdK(_) => {
                &["r", "alpha", "a", "b"]
            }
            Self::ParetoNbd => &["r", "alpha", "s", "beta"],
        }
    }
}

const BG_NAMES: [&str; 7] =
    ["bg_cnbd_2", "bg_cnbd_3", "bg_cnbd_4", "bg_cnbd_5", "bg_cnbd_6", "bg_cnbd_7", "bg_cnbd_8"];
const MBG_NAMES: [&str; 7] = [
    "mbg_cnbd_2", "mbg_cnbd_3", "mbg_cnbd_4", "mbg_cnbd_5", "mbg_cnbd_6", "mbg_cnbd_7",
    "mbg_cnbd_8",
];
const BG_CALENDAR_NAMES: [&str; 7] = [
    "bg_cnbd_2_calendar",
    "bg_cnbd_3_calendar",
    "bg_cnbd_4_calendar",
    "bg_cnbd_5_calendar",
    "bg_cnbd_6_calendar",
    "bg_cnbd_7_calendar",
    "bg_cnbd_8_calendar",
];
const MBG_CALENDAR_NAMES: [&str; 7] = [
    "mbg_cnbd_2_calendar",
    "mbg_cnbd_3_calendar",
    "mbg_cnbd_4_calendar",
    "mbg_cnbd_5_calendar",
    "mbg_cnbd_6_calendar",
    "mbg_cnbd_7_calendar",
    "mbg_cnbd_8_calendar",
];
const BG_TITLES: [&str; 7] =
    ["BG/CNBD-2", "BG/CNBD-3", "BG/CNBD-4", "BG/CNBD-5", "BG/CNBD-6", "BG/CNBD-7", "BG/CNBD-8"];
const MBG_TITLES: [&str; 7] = [
    "MBG/CNBD-2", "MBG/CNBD-3", "MBG/CNBD-4", "MBG/CNBD-5", "MBG/CNBD-6", "MBG/CNBD-7",
    "MBG/CNBD-8",
];

/// The word for k stages of a table that begins with k = 2.
fn of_stages(words: &[&'static str; 7], k: u8) -> &'static str {
    words[usize::from(k.clamp(2, MOST_STAGES)) - 2]
}

impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Family {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            serde::de::Error::custom(format!("{name:?} is not the name of a purchase model"))
        })
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Family {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Family".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let plain = Self::ALL.map(Self::name);
        let names: Vec<&str> = plain.into_iter().chain(BG_NAMES).chain(MBG_NAMES).collect();
        schemars::json_schema!({
            "description": "A model of when customers order and leave; of regular buyers, with k at \
                            the end.",
            "type": "string",
            "enum": names
        })
    }
}

impl From<Family> for PurchaseModelName {
    fn from(family: Family) -> Self {
        match family {
            Family::Nbd => Self::Nbd,
            Family::BgNbd => Self::BgNbd,
            Family::MbgNbd => Self::MbgNbd,
            Family::ParetoNbd => Self::ParetoNbd,
            Family::BgCnbdK(_) => Self::BgCnbdK,
            Family::MbgCnbdK(_) => Self::MbgCnbdK,
        }
    }
}

/// `uncertainty.method`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UncertaintyMethod {
    /// Draws parameters from a normal approximation on the log scale.
    #[default]
    Normal,
    /// Draws parameters by refitting with random weights.
    Bootstrap,
}

/// `spend.model`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpendModelName {
    /// Fader & Hardie (2013).
    #[default]
    GammaGamma,
    /// No money: orders and P(alive) only.
    None,
}

/// `output.formats`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// customers.parquet
    Parquet,
    /// customers.csv
    Csv,
    /// customers.arrow
    Ipc,
}

impl Format {
    /// File name of the customer table.
    pub fn file(self) -> &'static str {
        match self {
            Self::Parquet => "customers.parquet",
            Self::Csv => "customers.csv",
            Self::Ipc => "customers.arrow",
        }
    }
}

/// `resources.engine`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EngineName {
    /// Streaming for an order log, in memory for a customer export.
    #[default]
    Auto,
    /// Polars' in-memory engine: the whole input at once.
    InMemory,
    /// Polars' streaming engine: a batch of rows at a time.
    Streaming,
}

/// `output.partition`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Partition {
    /// One Hive-style folder per observation end: `as_of=2021-06-01`.
    AsOf,
}

/// `outliers.columns`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "\"auto\" or a list of column names")]
pub enum CappedColumns {
    /// The order and value columns of a customer export; no column of an order log.
    #[serde(with = "auto_text")]
    #[cfg_attr(test, schemars(with = "String"))]
    Auto,
    /// Only these columns.
    Only(Vec<String>),
}

/// `weeks_per_month`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "\"calendar\" or a number of weeks")]
pub enum MonthLength {
    /// 365.25/12 days.
    #[serde(with = "calendar_text")]
    #[cfg_attr(test, schemars(with = "String"))]
    Calendar,
    /// A fixed number of weeks.
    Weeks(f64),
}

impl MonthLength {
    /// Length in days.
    pub fn days(self) -> f64 {
        match self {
            Self::Calendar => 365.25 / 12.0,
            Self::Weeks(weeks) => weeks * 7.0,
        }
    }
}

/// Defines a serde module that writes a unit variant of an untagged enum as one fixed word.
macro_rules! fixed_word {
    ($module:ident, $word:literal) => {
        mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($word)
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $word => Ok(()),
                    other => Err(D::Error::custom(format!("{other:?} is not {:?}", $word))),
                }
            }
        }
    };
}
fixed_word!(auto_text, "auto");
fixed_word!(calendar_text, "calendar");

/// Reads a list of column names, or one column name as a list of one.
///
/// # Errors
/// The deserializer's error when the value is neither.
pub fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a column name or a list of column names")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(name) => vec![name],
        OneOrMany::Many(names) => names,
    })
}
