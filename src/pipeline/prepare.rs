//! The input: found, loaded, cleaned, capped and summarised.

use std::path::PathBuf;

use polars::prelude::{DataType, LazyFrame, col};

use crate::customers::Histories;
use crate::error::Error;
use crate::frame::columns::{FILE, FIRST_ORDER, ROW, VALUE, typed_name};
use crate::frame::doubts::{Doubt, lines};
use crate::frame::input::load::{Loaded, explained, is_data_file, load, unreadable};
use crate::frame::input::plain::{Remark, Scratch};
use crate::frame::rules::column_types::typed;
use crate::frame::rules::judged::Cleaned;
use crate::frame::summary::log::Log;
use crate::frame::summary::outliers::cap;
use crate::frame::summary::{self, CustomerSummary};
use crate::frame::{catch_reader_panic, one_date, rules, sum_of};
use crate::model::selection::detection::Signs;
use crate::pipeline::prices::{LearnedFrom, Prices};
use crate::pipeline::strays::without_strays;
use crate::pipeline::{contract, prices, selection};
use crate::progress::{self, Clock};
use crate::results::named_values::NamedValues;
use crate::results::outlier_limits::OutlierLimits;
use crate::run::audit::Audit;
use crate::settings::{InputKind, Settings};
use crate::storage::fingerprint::{Files, Fingerprint};
use crate::storage::object_store::Source;

/// The input, cleaned.
pub struct CleanInput {
    /// Where it is read.
    pub source: Source,
    /// Its files.
    pub files: Files,
    /// Its columns that are read, with their types.
    pub columns: NamedValues<String>,
    /// Valid rows, and rows that were set aside.
    pub cleaned: Cleaned,
    /// Copies of the files, as long as lines may be read again; deleted when dropped.
    pub copies: Vec<Scratch>,
}

/// The input, cleaned and summarised: what a run knows before it fits anything.
pub struct Prepared {
    /// The cleaned input that the summary was made from.
    pub input: CleanInput,
    /// Sum of all orders; `None` where there is no money.
    pub revenue: Option<f64>,
    /// Ninth decile of the customers' mean order values, before outliers are capped.
    pub order_value: Option<f64>,
    /// The CLTV frame.
    pub summary: CustomerSummary,
    /// Outlier limits.
    pub limits: Vec<OutlierLimits>,
    /// The frame's columns as the models need them.
    pub histories: Histories,
    /// Signs that the file holds only some of the customers.
    pub signs: Signs,
    /// How prices moved.
    pub(crate) prices: Prices,
}

/// What an earlier fit keeps for later inputs.
#[derive(Default, Clone, Copy)]
pub(crate) struct Kept<'a> {
    /// Outlier limits.
    pub(crate) limits: Option<&'a [OutlierLimits]>,
    /// The price level.
    pub(crate) prices: LearnedFrom<'a>,
}

/// Loads, cleans and summarises the input of a pipeline; fits and writes nothing.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Io`] when it cannot be read.
pub fn prepare(settings: &Settings) -> Result<Prepared, Error> {
    let mut clock = Clock::default();
    let input = for_fit(load_and_clean(settings, &mut clock)?, settings)?;
    summarise(input, Kept::default(), settings, &mut clock)
}

/// Finds the input files, loads and cleans them.
///
/// # Errors
/// [`Error::Input`] when the input breaks the contract, [`Error::Io`] when it cannot be read.
pub(crate) fn load_and_clean(settings: &Settings, clock: &mut Clock) -> Result<CleanInput, Error> {
    clock.enter("load and clean");
    let source = Source::of(&settings.input.path, is_data_file)?;
    let read = || {
        let loaded = load(settings, source.path())?;
        if let Some(records) = loaded.records {
            progress::rows(records as usize);
        }
        let currencies = currencies(&loaded, settings)?;
        let columns = column_types(&loaded.frame)?;
        let paths = loaded.files.clone();
        let files = Files::of(loaded.files, |file| source.name_of(file))?;
        let cleaned = typed(loaded.frame, files.names(), &settings.contract, &settings.input)
            .and_then(|raw| clean(raw, files.names(), settings))
            .map_err(|error| explained(error, &paths, settings))?;
        all_rows(loaded.records, &cleaned, settings)?;
        let mut cleaned = contract::enforce(cleaned, settings)?;
        let of_file =
            |(file, remark): (PathBuf, Remark)| Doubt::File { file: source.name_of(&file), remark };
        cleaned.doubts.extend(loaded.remarks.into_iter().map(of_file));
        cleaned.doubts.extend(currencies);
        let passed_over = loaded.passed_over.into_iter();
        cleaned.doubts.extend(passed_over.map(|(column, kind)| Doubt::PassedOver { column, kind }));
        // Copies of the files are deleted here where everything has been read.
        let copies = if cleaned.lines.is_some() { loaded.copies } else { Vec::new() };
        Ok((files, columns, cleaned, copies))
    };
    let (files, columns, cleaned, copies) =
        catch_reader_panic(&settings.input.path, read).map_err(|error| source.renamed(error))?;
    progress::rows(cleaned.lines_read);
    Ok(CleanInput { source, files, columns, cleaned, copies })
}

/// The input of a fit: without the strays of the stated selection. A model that was fitted to
/// another file forecasts any customer.
///
/// # Errors
/// As [`without_strays`].
pub(crate) fn for_fit(input: CleanInput, settings: &Settings) -> Result<CleanInput, Error> {
    let cleaned = without_strays(input.cleaned, input.files.names(), settings)?;
    Ok(CleanInput { cleaned, ..input })
}

/// The types of the columns that are read; those of a text file are all texts.
fn column_types(frame: &LazyFrame) -> Result<NamedValues<String>, Error> {
    let schema = frame.clone().collect_schema().map_err(Error::engine("look at the columns"))?;
    let own = schema.iter().filter(|(name, _)| ![FILE, ROW].contains(&name.as_str()));
    let kind = |dtype: &DataType| match dtype {
        DataType::String => "text".to_owned(),
        other => other.to_string(),
    };
    Ok(own.map(|(name, dtype)| (name.to_string(), kind(dtype))).collect())
}

/// Refuses an input of which the reader has seen more or fewer rows than an independent count.
fn all_rows(records: Option<u64>, cleaned: &Cleaned, settings: &Settings) -> Result<(), Error> {
    match records {
        Some(records) if records != cleaned.lines_read as u64 => Err(Error::input(
            &settings.input.path,
            format!(
                "{} rows were read, but the file has {records}: are there quotes inside texts? Export \
                 with such quotes doubled, or as Parquet",
                cleaned.lines_read
            ),
        )),
        _ => Ok(()),
    }
}

/// Whether the file has a column of currencies that names several. A column that the pipeline keeps
/// is read anyway; another one is read for this only.
fn currencies(loaded: &Loaded, settings: &Settings) -> Result<Option<Doubt>, Error> {
    // Without money, nothing is added up.
    let Some((whole, column)) = loaded.currencies.as_ref().filter(|_| settings.has_money()) else {
        return Ok(None);
    };
    catch_reader_panic(&settings.input.path, || {
        lines::currencies(whole, column)
            .map_err(|e| Error::input(&settings.input.path, unreadable(&e)))
    })
}

fn clean(raw: LazyFrame, names: &[String], settings: &Settings) -> Result<Cleaned, Error> {
    match settings.input.kind {
        InputKind::Customers => rules::export::customers(raw, names, settings),
        InputKind::Transactions => rules::log::clean(raw, names, settings),
    }
}

/// Caps outliers, adds omnichannel totals and summarises each customer; order values are brought to the
/// money of the observation end where there is a price level. What is `kept` of an earlier fit is used
/// instead of new limits and a new level.
///
/// # Errors
/// [`Error::Input`] when no customer is left, or the input breaks the contract.
pub(crate) fn summarise(
    input: CleanInput,
    kept: Kept<'_>,
    settings: &Settings,
    clock: &mut Clock,
) -> Result<Prepared, Error> {
    clock.enter("cap and summarise");
    let valid = input.cleaned.valid.clone();
    let has_money = settings.has_money();
    let revenue = has_money.then(|| revenue(&valid, settings)).transpose()?;
    let uncapped = match settings.input.kind {
        InputKind::Customers if has_money => summary::export::order_value(&valid, &settings.input)?,
        _ => None,
    };
    let (summary, limits, prices) = match settings.input.kind {
        InputKind::Customers => {
            let (capped, limits) = cap(valid, kept.limits, settings)?;
            let totals = summary::export::omnichannel_totals(capped, &settings.input);
            let prices = prices_of_export(&totals, kept.prices, settings)?;
            (summary::export::customer_summary(totals, prices.level(), settings)?, limits, prices)
        }
        // An order log has no sums to cap: each order counts by itself.
        InputKind::Transactions => {
            let plain = summary::log::customer_summary(valid.clone(), None, settings)?;
            let prices = prices::of_log(&valid, &plain, kept.prices, settings)?;
            let summary = match prices.level() {
                Some(level) => summary::log::customer_summary(valid, Some(level), settings)?,
                None => plain,
            };
            (summary, Vec::new(), prices)
        }
    };
    let histories = summary::to_histories(&summary, settings)?;
    let signs = selection::signs(&settings.summary, &histories, summary.below_min_orders);
    let (signs, input) = believed(signs, input, settings);
    let order_value = match settings.input.kind {
        InputKind::Transactions if has_money => histories.order_value(),
        _ => uncapped,
    };
    Ok(Prepared { input, revenue, order_value, summary, limits, histories, signs, prices })
}

/// The price level of a customer export; its dates are looked at only where there is one.
fn prices_of_export(
    totals: &LazyFrame,
    from: LearnedFrom<'_>,
    settings: &Settings,
) -> Result<Prices, Error> {
    let of_file = matches!(from, LearnedFrom::ThisFile | LearnedFrom::Model(None));
    if of_file && !settings.spend.price_level.is_given() {
        return Ok(Prices::default());
    }
    let end = summary::export::observation_end(totals, settings)?;
    let first = one_date(totals, col(FIRST_ORDER).min())?;
    prices::of_export(first, end, from, settings)
}

/// The signs of a selection, but for those that the cleaning may have made itself: it leaves out
/// customers too.
fn believed(signs: Signs, mut input: CleanInput, settings: &Settings) -> (Signs, CleanInput) {
    const MANY: f64 = 0.05;
    let cleaned = &mut input.cleaned;
    let rows = contract::bad_rows(&cleaned.rejected);
    let share = rows as f64 / cleaned.rows_read.max(1) as f64;
    if settings.input.kind == InputKind::Transactions || share <= MANY {
        return (signs, input);
    }
    cleaned.doubts.push(Doubt::SelectedByCleaning { rows, share });
    (signs.forgotten(), input)
}

/// Sum of all orders of the valid rows, before outliers are capped.
fn revenue(valid: &LazyFrame, settings: &Settings) -> Result<f64, Error> {
    let values: Vec<String> = match settings.input.kind {
        InputKind::Customers => {
            settings.input.columns.value.iter().map(|name| typed_name(name)).collect()
        }
        InputKind::Transactions => vec![VALUE.to_owned()],
    };
    let sum = sum_of(valid, &values)?;
    // The last digits depend on the order in which threads add; those that are kept do not.
    Ok(format!("{sum:.11e}").parse().unwrap_or(sum))
}

impl Prepared {
    /// The orders behind the summary, where the input is a log.
    pub(crate) fn log(&self) -> Log<'_> {
        Log { days: &self.input.cleaned.valid, summary: &self.summary }
    }

    /// What happened to the rows, with the hashes of the files and the seconds of each stage.
    pub(crate) fn audit(
        self,
        inputs: Vec<Fingerprint>,
        timings: Vec<(&'static str, f64)>,
    ) -> Audit {
        let Self { input, revenue, order_value, summary, limits, prices, .. } = self;
        let CleanInput { cleaned, columns, .. } = input;
        Audit {
            inputs,
            columns,
            revenue,
            order_value,
            rows_read: cleaned.rows_read,
            rejected: cleaned.rejected,
            quarantine: cleaned.quarantine,
            returns_netted: cleaned.returns_netted,
            limits,
            below_min_orders: summary.below_min_orders,
            lines_after_calibration: summary.lines_after_calibration,
            first_order: summary.first_order,
            last_order: summary.last_order,
            observation_end: summary.observation_end,
            timings,
            prices: prices.entry,
        }
    }
}
