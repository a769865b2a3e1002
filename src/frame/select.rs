//! Target lists: the ids of the customers of a finished run who meet a condition in SQL.

use std::path::{Path, PathBuf};

use polars::prelude::*;
use polars::sql::sql_expr;

use crate::error::{Error, nearest};

/// Files with the customers of a run, the preferred one first.
const CUSTOMERS: &[&str] = &["customers.parquet", "customers.arrow", "customers.csv"];
/// Where runs are looked for when none is named.
const RUNS: &str = "output";

/// The customers table of a run: the file itself, one in this folder, or the only one in a folder
/// below `output`.
///
/// # Errors
/// [`Error::Settings`] when there is none, or several to choose from.
pub fn find(named: Option<&Path>) -> Result<PathBuf, Error> {
    let fault = |place: &Path, fault: String| Error::Settings {
        place: place.display().to_string(),
        faults: vec![fault],
    };
    let inside =
        |folder: &Path| CUSTOMERS.iter().map(|name| folder.join(name)).find(|file| file.is_file());
    match named {
        Some(file) if file.is_file() => Ok(file.to_owned()),
        Some(folder) => inside(folder).ok_or_else(|| {
            fault(folder, "there is no customers table: name the output folder of a run".to_owned())
        }),
        None => {
            if let Some(file) = inside(Path::new(".")) {
                return Ok(file);
            }
            let folders = std::fs::read_dir(RUNS).map(|entries| entries.flatten().collect());
            let folders: Vec<std::fs::DirEntry> = folders.unwrap_or_default();
            let mut runs: Vec<PathBuf> =
                folders.iter().filter_map(|folder| inside(&folder.path())).collect();
            runs.sort();
            match (runs.pop(), runs.is_empty()) {
                (Some(only), true) => Ok(only),
                (None, _) => Err(fault(
                    Path::new(RUNS),
                    "no run is there: name the output folder of one".to_owned(),
                )),
                (Some(last), false) => {
                    runs.push(last);
                    let names: Vec<String> = runs
                        .iter()
                        .map(|file| file.parent().unwrap_or(file).display().to_string())
                        .collect();
                    Err(fault(
                        Path::new(RUNS),
                        format!("several runs are there: name one of {}", names.join(", ")),
                    ))
                }
            }
        }
    }
}

/// The chosen columns, else the id, of the customers who meet the condition, in the table's order.
///
/// # Errors
/// [`Error::Settings`] when the condition is not SQL over the table's columns; [`Error::Input`]
/// when the table cannot be read.
pub fn select(file: &Path, condition: &str, columns: &[String]) -> Result<DataFrame, Error> {
    let unreadable = |e: PolarsError| Error::input(file.display(), format!("cannot be read: {e}"));
    let mut customers = scan(file).map_err(unreadable)?;
    let schema = customers.collect_schema().map_err(unreadable)?;
    let wrong =
        |fault: String| Error::Settings { place: "--where".to_owned(), faults: vec![fault] };
    let expression = sql_expr(condition)
        .map_err(|e| wrong(format!("{condition:?} is no condition in SQL: {e}")))?;
    let present: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let roots = expression.clone().meta().root_names();
    let named = roots.iter().map(PlSmallStr::as_str).chain(columns.iter().map(String::as_str));
    let faults: Vec<String> = named
        .filter(|name| !present.contains(name))
        .map(|name| match nearest(name, present.iter().copied()) {
            Some(near) => format!("there is no column {name}; the nearest is {near}"),
            None => format!("there is no column {name}; there are {}", present.join(", ")),
        })
        .collect();
    if !faults.is_empty() {
        return Err(Error::Settings { place: "--where".to_owned(), faults });
    }
    let is_condition = customers
        .clone()
        .select([expression.clone().alias("met")])
        .collect_schema()
        .map_err(|e| wrong(format!("{condition:?} cannot be computed: {e}")))?;
    if is_condition.get("met") != Some(&DataType::Boolean) {
        return Err(wrong(format!(
            "{condition:?} is neither true nor false: write a comparison, as cltv_segment = 'A'"
        )));
    }
    let shown: Vec<Expr> = if columns.is_empty() {
        present.iter().take(1).map(|id| col(*id)).collect()
    } else {
        columns.iter().map(|name| col(name.as_str())).collect()
    };
    customers
        .filter(expression)
        .select(shown)
        .collect()
        .map_err(|e| wrong(format!("{condition:?} cannot be computed: {e}")))
}

fn scan(file: &Path) -> PolarsResult<LazyFrame> {
    let path = PlRefPath::try_from_path(file)?;
    let extension = file.extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv") => LazyCsvReader::new(path).with_glob(false).finish(),
        Some("arrow") => LazyFrame::scan_ipc(path, Default::default(), Default::default()),
        _ => {
            let args = ScanArgsParquet { glob: false, ..Default::default() };
            LazyFrame::scan_parquet(path, args)
        }
    }
}
