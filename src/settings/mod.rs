//! The pipeline file and the command line's overrides as one typed, checked value.
//!
//! # Layout
//! * [`sections`]: the sections of a pipeline file. [`contract`]: the one on the input.
//! * [`types`], [`bytes`], [`dates`]: the values that keys can take (units, models, sizes, dates).
//! * [`columns`]: names of input and output columns.
//! * `read`: text to table, overrides, unknown keys.
//! * [`definitions`]: which settings must be the same for a model to score, or for runs to compare.
//! * `defaults`: what a pipeline file need not say.
//! * `check`: what types cannot say; every fault is reported, not only the first.

pub mod bytes;
mod check;
pub mod columns;
pub mod contract;
pub mod dates;
mod defaults;
pub mod definitions;
mod read;
pub mod sections;
pub mod types;

pub use bytes::ByteSize;
pub use contract::{BadRows, ColumnType, Contract};
pub use dates::AnalysisDate;
pub use read::{Overrides, load, parse, restore, without_input};
pub use sections::{
    Cancelled, Columns, Forecast, Horizon, Input, Language, LifetimeValue, Lineage, Outliers,
    Output, Purchases, Report, Resources, Rfm, RfmSegment, Segments, Selection, Settings, Spend,
    Summary, Transactions, Uncertainty,
};
pub use types::{
    CappedColumns, DuplicateLines, EngineName, Family, Format, FrequencyKind, InputKind,
    MonetaryKind, MonthLength, Partition, PurchaseModelName, Returns, SpendModelName, Ties,
    TimeUnit, UncertaintyMethod,
};
