//! Target lists: the customers of a finished run who meet a condition in SQL.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::*;

use crate::error::{Error, brief};
use crate::frame::catch_reader_panic;
use crate::frame::input::load::missing_columns;
use crate::frame::input::pages;
use crate::frame::scored::condition;
use crate::safe_text::printable::quoted;
use crate::storage::atomic::folder_of;

/// Files with the customers of a run, the preferred one first.
const CUSTOMERS: &[&str] = &["customers.parquet", "customers.arrow", "customers.csv"];
/// Most characters of a condition that a message repeats.
const LONGEST: usize = 200;
/// The folder that is searched for runs when none is named.
const RUNS: &str = "output";

/// The customers table of a run: the named file, the one in the named folder, or without a name the
/// only one in `output` or its sub-folders.
///
/// # Errors
/// [`Error::Settings`] when there is none, or several to choose from.
pub fn find(named: Option<&Path>) -> Result<PathBuf, Error> {
    let fault = |place: &Path, fault: String| Error::Settings {
        place: place.display().to_string(),
        faults: vec![fault],
    };
    let Some(named) = named else {
        let runs = all_below(Path::new(RUNS));
        return match runs.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(fault(Path::new(RUNS), "no run found: name a run folder".to_owned())),
            several => {
                let folder = |file: &PathBuf| file.parent().unwrap_or(file).display().to_string();
                let names: Vec<String> = several.iter().map(folder).collect();
                let choice = format!("several runs are there: name one of {}", names.join(", "));
                Err(fault(Path::new(RUNS), choice))
            }
        };
    };
    let none = "there is no customers table: name the output folder of a run";
    if named.is_file() {
        return of_run(named).ok_or_else(|| fault(named, none.to_owned()));
    }
    inside(named).ok_or_else(|| fault(named, none.to_owned()))
}

/// The table itself, or the one beside another file of a run.
fn of_run(file: &Path) -> Option<PathBuf> {
    let folder = folder_of(file);
    let is_table =
        file.file_name().is_some_and(|name| CUSTOMERS.iter().any(|table| name == *table));
    match is_table || !folder.join("run.json").is_file() {
        true => Some(file.to_owned()),
        false => inside(&folder),
    }
}

fn inside(folder: &Path) -> Option<PathBuf> {
    CUSTOMERS.iter().map(|name| folder.join(name)).find(|file| file.is_file())
}

/// The customers tables in a folder and in its direct sub-folders, sorted by path.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).map(|entries| entries.flatten().collect());
    let entries: Vec<std::fs::DirEntry> = entries.unwrap_or_default();
    let mut runs: Vec<PathBuf> =
        entries.iter().filter_map(|folder| inside(&folder.path())).collect();
    runs.extend(inside(folder));
    runs.sort();
    runs
}

/// The customers who meet the condition, in the table's order: the chosen columns, or only the id
/// where none is chosen.
///
/// # Errors
/// [`Error::Settings`] when the condition is not SQL over the table's columns; [`Error::Input`]
/// when the table cannot be read.
pub fn select(file: &Path, condition: &str, columns: &[String]) -> Result<DataFrame, Error> {
    let place = file.display().to_string();
    catch_reader_panic(&place, || selected(file, condition, columns))
}

fn selected(file: &Path, condition: &str, columns: &[String]) -> Result<DataFrame, Error> {
    let unreadable =
        |e: PolarsError| Error::input(file.display(), format!("cannot be read: {}", brief(&e)));
    let mut customers = scan(file).map_err(unreadable)?;
    let schema = customers.collect_schema().map_err(unreadable)?;
    let wrong =
        |fault: String| Error::Settings { place: "--where".to_owned(), faults: vec![fault] };
    let parsed = condition::parse(condition, &schema)
        .map_err(|fault| wrong(format!("{}: {fault}", quoted(condition, LONGEST))))?;
    let expression = parsed.met;
    let present: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let named = parsed.columns.into_iter().chain(columns.iter().cloned());
    let faults = missing_columns(&present, &named.collect::<Vec<_>>());
    if !faults.is_empty() {
        return Err(Error::Settings { place: "--where".to_owned(), faults });
    }
    let failed = |e: PolarsError| {
        wrong(format!("{} cannot be computed: {}", quoted(condition, LONGEST), brief(&e)))
    };
    // Checked on the schema, before any row is read.
    let met = expression.clone().alias("met");
    let is_condition = customers.clone().select([met]).collect_schema().map_err(failed)?;
    if is_condition.get("met") != Some(&DataType::Boolean) {
        return Err(wrong(format!(
            "{} is neither true nor false: write a comparison, as cltv_segment = 'A'",
            quoted(condition, LONGEST)
        )));
    }
    let shown: Vec<Expr> = if columns.is_empty() {
        present.iter().take(1).map(|id| col(*id)).collect()
    } else {
        let once = columns.iter().enumerate().filter(|(i, name)| !columns[..*i].contains(name));
        once.map(|(_, name)| col(name.as_str())).collect()
    };
    customers.filter(expression).select(shown).collect().map_err(failed)
}

fn scan(file: &Path) -> PolarsResult<LazyFrame> {
    let path = PlRefPath::try_from_path(file)?;
    let extension = file.extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv") => {
            let reader = LazyCsvReader::new(path).with_glob(false).with_infer_schema_length(None);
            let first = reader.clone().finish()?.collect_schema()?;
            let id = first.iter_names().take(1).map(|id| (id.clone(), DataType::String)).collect();
            reader.with_dtype_overwrite(Some(Arc::new(id))).finish()
        }
        Some("arrow") => LazyFrame::scan_ipc(path, Default::default(), Default::default()),
        _ => pages::scan(file, None),
    }
}
