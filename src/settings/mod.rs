//! The pipeline file and the command-line overrides as one typed, checked value.
//!
//! # Layout
//! * `sections`: the sections of a pipeline file. `contract`, `calendar`: the sections of these names.
//! * `types`, `bytes`, `dates`, `mode`: the values that keys can take (units, models, sizes, dates).
//! * [`columns`]: names of input and output columns.
//! * `comparability`: settings that must be the same for a model to score, or for runs to be
//!   compared.
//! * `read`: parsing, overrides, unknown keys. `faults`: what is wrong with a file, in words.
//! * `prices`: how prices move. `defaults`: default values of optional keys.
//! * `check`, `check_calendar`: rules that types cannot express; every fault is reported, not only the first.

pub(crate) mod bytes;
pub(crate) mod calendar;
mod check;
mod check_calendar;
pub mod columns;
pub(crate) mod comparability;
pub(crate) mod contract;
pub(crate) mod dates;
mod defaults;
mod faults;
pub(crate) mod mode;
pub(crate) mod prices;
mod read;
pub(crate) mod sections;
pub(crate) mod types;

pub use bytes::ByteSize;
pub use calendar::{Calendar, Event, Factor, Season, SeasonName, Trend, Waves};
pub use contract::{BadRows, ColumnType, Contract};
pub use dates::AnalysisDate;
pub use mode::FolderMode;
pub use prices::{FuturePrices, PriceSource};
pub(crate) use read::without_input;
pub use read::{Overrides, is_pipeline, load, parse, restore};
pub use sections::{
    Cancelled, Columns, Forecast, Horizon, Input, Language, LifetimeValue, Lineage, Outliers,
    Output, Purchases, Report, Resources, Rfm, RfmSegment, Segments, Selection, Settings, Spend,
    Summary, Transactions, Uncertainty,
};
pub use types::{
    CappedColumns, DuplicateLines, EngineName, Family, Format, FrequencyKind, InputKind,
    MOST_STAGES, MonetaryKind, MonthLength, NUMBER_FORMATS, Partition, PurchaseModelName, Returns,
    SpendModelName, Ties, TimeUnit, UncertaintyMethod, ValueOf,
};
