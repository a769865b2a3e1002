//! The input: found, read, cleaned, capped, summarised.

use polars::prelude::LazyFrame;

use crate::customers::Histories;
use crate::error::Error;
use crate::frame::input::load::{is_data_file, load};
use crate::frame::rules::judged::Cleaned;
use crate::frame::summary::{self, CustomerSummary, outliers};
use crate::frame::{self, catch_reader_panic, rules};
use crate::model::selection::detection::Signs;
use crate::model::selection::stated;
use crate::pipeline::contract;
use crate::progress::Clock;
use crate::results::rows::OutlierLimits;
use crate::settings::{InputKind, Settings};
use crate::storage::fingerprint::Files;
use crate::storage::object_store::Source;

/// The input, cleaned and summarised: what a run knows before it fits anything.
pub struct Prepared {
    /// Where the input is read.
    pub source: Source,
    /// Its files.
    pub files: Files,
    /// Rows that keep the rules and rows that do not; the rows themselves went into the summary.
    pub cleaned: Cleaned,
    /// The CLTV frame.
    pub summary: CustomerSummary,
    /// Outlier limits.
    pub limits: Vec<OutlierLimits>,
    /// The frame's columns as the models need them.
    pub histories: Histories,
    /// Signs that the file holds only a part of the customers.
    pub signs: Signs,
}

/// The input, cleaned.
pub struct CleanInput {
    /// Where it is read.
    pub source: Source,
    /// Its files.
    pub files: Files,
    /// Rows that keep the rules and rows that do not.
    pub cleaned: Cleaned,
}

/// Finds the input files, reads and cleans them.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Io`] when it cannot be read.
pub fn read_and_clean(settings: &Settings, clock: &mut Clock) -> Result<CleanInput, Error> {
    clock.enter("load and clean");
    let source = Source::of(&settings.input.path, is_data_file)?;
    let read = || {
        let loaded = load(settings, source.path())?;
        let files = Files::of(loaded.files, |file| source.name_of(file))?;
        let raw = frame::rules::column_types::typed(loaded.frame, files.names(), settings)?;
        let cleaned = contract::enforce(clean_rows(raw, files.names(), settings)?, settings)?;
        Ok((files, cleaned))
    };
    let (files, cleaned) =
        catch_reader_panic(&settings.input.path, read).map_err(|error| source.renamed(error))?;
    Ok(CleanInput { source, files, cleaned })
}

/// Reads, cleans and summarises, by the outlier limits of an earlier run where they are given; fits
/// and writes nothing.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Io`] when it cannot be read.
pub fn prepare(
    settings: &Settings,
    given: Option<&[OutlierLimits]>,
    clock: &mut Clock,
) -> Result<Prepared, Error> {
    summarise_input(read_and_clean(settings, clock)?, given, settings, clock)
}

/// What [`prepare`] makes of an input that has been read.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn summarise_input(
    read: CleanInput,
    given: Option<&[OutlierLimits]>,
    settings: &Settings,
    clock: &mut Clock,
) -> Result<Prepared, Error> {
    let CleanInput { source, files, cleaned } = read;
    clock.enter("cap and summarise");
    let (summary, limits) = summarise(cleaned.valid.clone(), given, settings)?;
    let histories = summary::to_histories(&summary, settings)?;
    let signs = stated::signs(settings, &histories, summary.below_min_orders);
    Ok(Prepared { source, files, cleaned, summary, limits, histories, signs })
}

fn clean_rows(raw: LazyFrame, names: &[String], settings: &Settings) -> Result<Cleaned, Error> {
    match settings.input.kind {
        InputKind::Customers => rules::export::customers(raw, names, settings),
        InputKind::Transactions => rules::log::clean(raw, names, settings),
    }
}

fn summarise(
    valid: LazyFrame,
    given: Option<&[OutlierLimits]>,
    settings: &Settings,
) -> Result<(CustomerSummary, Vec<OutlierLimits>), Error> {
    match settings.input.kind {
        InputKind::Customers => {
            let (capped, limits) = outliers::cap(valid, given, settings)?;
            let totals = summary::export::omnichannel_totals(capped, settings);
            Ok((summary::export::customer_summary(totals, settings)?, limits))
        }
        InputKind::Transactions => {
            Ok((summary::log::customer_summary(valid, settings)?, Vec::new()))
        }
    }
}
