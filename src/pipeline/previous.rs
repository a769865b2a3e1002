//! The input against that of the run before: a file that was cut off, or one whose amounts are in
//! another unit, must not pass for a bad quarter.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::error::Error;
use crate::frame::doubts::Doubt;
use crate::model_file::ModelFile;
use crate::pipeline::prepare::Prepared;
use crate::results::named_values::NamedValues;
use crate::results::run_document::RunDocument;
use crate::settings::comparability::{Question, differences};
use crate::settings::{Contract, Settings};
use crate::storage::object_store::is_remote;

/// How many times higher or lower order values must be for their unit to have changed. Units differ by
/// 100 or 1,000; no quarter is 30 times as good as the last.
const OTHER_UNIT: f64 = 30.0;
/// Days by which the newest order may be older than that of the run before.
const OLDER: i64 = 7;
/// Rise of the share of rows without a customer, 0 to 1, that is worth a warning.
const MORE_WITHOUT_CUSTOMER: f64 = 0.1;
/// Rules of rows without a customer.
const WITHOUT_CUSTOMER: [&str; 2] = ["missing_customer_id", "guest_id"];

/// What is known of an earlier input.
pub(crate) struct Previous {
    /// What it is called in messages.
    name: String,
    rows: usize,
    customers: usize,
    newest: NaiveDate,
    as_of: NaiveDate,
    /// Sum of all orders; unknown for a model.
    revenue: Option<f64>,
    /// Share of rows without a customer; unknown for a model.
    without_customer: Option<f64>,
    /// Types of the columns; empty for a model.
    columns: NamedValues<String>,
    /// Ninth decile of the customers' mean order values.
    order_value: Option<f64>,
}

/// Holds an input against that of a run before, if there is one.
///
/// # Errors
/// [`Error::Input`] when they differ by more than the contract allows.
pub(crate) fn compared(
    mut prepared: Prepared,
    previous: Option<Previous>,
    settings: &Settings,
) -> Result<Prepared, Error> {
    if let Some(previous) = previous {
        let doubts = previous.compare(&prepared, settings)?;
        prepared.input.cleaned.doubts.extend(doubts);
    }
    Ok(prepared)
}

impl Previous {
    /// The latest run of the same pipeline in the output folder. Returns `None` when there is none
    /// that can be read: the folder may hold anything.
    pub(crate) fn in_output(settings: &Settings) -> Option<Self> {
        let folder = &settings.output.path;
        if is_remote(&folder.to_string_lossy()) {
            return None;
        }
        let document = std::fs::read(latest(folder)?).ok()?;
        let document = RunDocument::parse(&document).ok()?;
        // Under other rules there are other rows and other sales. A currency is a name: the rows are
        // the same, and so are the amounts unless it was another one.
        let mut alike = document.settings.clone();
        alike.output.currency.clone_from(&settings.output.currency);
        let same = document.settings.name == settings.name
            && differences(&alike, settings, Question::Comparison).is_empty();
        let mut run = same.then(|| Self::of_run(&document))?;
        let before = document.settings.output.currency;
        if before.is_some()
            && settings.output.currency.is_some()
            && before != settings.output.currency
        {
            (run.revenue, run.order_value) = (None, None);
        }
        Some(run)
    }

    fn of_run(document: &RunDocument) -> Self {
        let read = document.rows.read.max(1) as f64;
        let without: usize = WITHOUT_CUSTOMER
            .iter()
            .filter_map(|rule| document.rejected.iter().find(|(name, _)| name == rule))
            .map(|(_, rows)| *rows)
            .sum();
        Self {
            name: format!("in the run of {}", document.as_of),
            rows: document.rows.read,
            customers: document.rows.customers,
            newest: document.last_order,
            as_of: document.as_of,
            revenue: document.revenue,
            without_customer: Some(without as f64 / read),
            columns: document.input_columns.clone(),
            order_value: document.order_value,
        }
    }

    /// The input that a model was fitted to.
    pub(crate) fn of_model(model: &ModelFile) -> Self {
        Self {
            name: format!("in the file that the model of {} was fitted to", model.observation_end),
            rows: model.data.rows,
            customers: model.customers(),
            newest: model.data.last_order,
            as_of: model.observation_end,
            revenue: None,
            without_customer: None,
            columns: NamedValues::default(),
            order_value: model.order_value(),
        }
    }

    /// Holds an input against this one. One that is stated to be of an earlier day is not compared.
    ///
    /// # Errors
    /// [`Error::Input`] when there are far fewer or far more rows, customers or sales, when the
    /// newest order is older, or when the amounts are in another unit.
    fn compare(&self, now: &Prepared, settings: &Settings) -> Result<Vec<Doubt>, Error> {
        if settings.stated_end().is_some_and(|end| end < self.as_of) {
            return Ok(Vec::new());
        }
        let contract = &settings.contract;
        let mut faults: Vec<String> = self.other_unit(now).into_iter().collect();
        if faults.is_empty() {
            let rows = now.input.cleaned.rows_read;
            let customers = now.histories.len() as f64;
            let revenue = self.revenue.zip(now.revenue);
            // One is enough: where rows are missing, customers and sales are too.
            let changed = self
                .changed("rows", self.rows as f64, rows as f64, contract)
                .or_else(|| self.changed("customers", self.customers as f64, customers, contract))
                .or_else(|| {
                    revenue.and_then(|(then, now)| self.changed("sales", then, now, contract))
                });
            faults.extend(changed);
        }
        faults.extend(self.older(now));
        if faults.is_empty() {
            Ok(self.doubts(now))
        } else {
            Err(Error::Input { place: settings.input.path.clone(), faults })
        }
    }

    fn changed(&self, what: &str, before: f64, now: f64, contract: &Contract) -> Option<String> {
        if before <= 0.0 {
            return None;
        }
        let change = now / before - 1.0;
        let (more, key, limit) = if change < -contract.max_fall {
            ("fewer", "max_fall", -change)
        } else if change > contract.max_rise {
            ("more", "max_rise", change)
        } else {
            return None;
        };
        let more = if what == "sales" && more == "fewer" { "less" } else { more };
        let allowed = (limit * 100.0).ceil() / 100.0;
        Some(format!(
            "{:.0} % {more} {what} than {} ({now:.0} after {before:.0}): is the file complete, and the \
             right one? If so, allow it with --set contract.{key}={allowed}",
            100.0 * change.abs(),
            self.name,
        ))
    }

    fn older(&self, now: &Prepared) -> Option<String> {
        let (newest, days) =
            (now.summary.last_order, (self.newest - now.summary.last_order).num_days());
        (days > OLDER).then(|| {
            format!(
                "the newest order is of {newest}, and {} there is one of {}: is this an older file? Give \
                 its --as-of, or another --output",
                self.name, self.newest
            )
        })
    }

    /// Amounts that have become so much larger or smaller that their unit has changed.
    fn other_unit(&self, now: &Prepared) -> Option<String> {
        let (before, after) = (self.order_value?, now.order_value?);
        let times = after / before;
        let (factor, change) = if times > 1.0 { (times, "higher") } else { (1.0 / times, "lower") };
        (factor > OTHER_UNIT).then(|| {
            format!(
                "order values are {factor:.0} times {change} than {} ({after:.2} after {before:.2}, the \
                 ninth decile): their unit has changed. Export them in the unit of before, or fit again \
                 with another --output (value_unit_changed)",
                self.name
            )
        })
    }

    fn doubts(&self, now: &Prepared) -> Vec<Doubt> {
        let cleaned = &now.input.cleaned;
        let rows = cleaned.rejected.iter().filter(|r| WITHOUT_CUSTOMER.contains(&r.rule.as_str()));
        let share = rows.map(|r| r.rows).sum::<usize>() as f64 / cleaned.rows_read.max(1) as f64;
        let more = self
            .without_customer
            .filter(|before| share > before + MORE_WITHOUT_CUSTOMER)
            .map(|before| Doubt::MoreWithoutCustomer { before, now: share });
        let types = now.input.columns.iter().filter_map(|(column, now)| {
            let (_, before) = self.columns.iter().find(|(name, _)| *name == column)?;
            (before != now).then(|| Doubt::TypeChanged {
                column: column.to_owned(),
                before: before.clone(),
                now: now.clone(),
            })
        });
        more.into_iter().chain(types).collect()
    }
}

/// run.json in a folder, or in the latest of its partitions.
fn latest(folder: &Path) -> Option<PathBuf> {
    let own = folder.join("run.json");
    if own.is_file() {
        return Some(own);
    }
    let partitions = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let of_day = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("as_of="))
    };
    let runs = partitions.filter(of_day).map(|path| path.join("run.json"));
    runs.filter(|run| run.is_file()).max()
}
