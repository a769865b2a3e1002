//! Reads a pipeline file: text to table, command-line overrides, unknown keys, typed sections.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::{Error, nearest};
use crate::settings::check;
use crate::settings::dates::date;
use crate::settings::faults::{section, with_lines};
use crate::settings::sections::{Input, Settings, auto, without_nulls};
use crate::settings::types::Family;
use crate::storage::bounded::{self, SMALL};

/// Every known key by section; `""` is the top level of the file. Sections that are not listed,
/// `output.rename` and `contract.required`, take any key.
const KEYS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "name",
            "input",
            "contract",
            "transactions",
            "outliers",
            "summary",
            "selection",
            "purchases",
            "calendar",
            "spend",
            "forecast",
            "lifetime_value",
            "uncertainty",
            "segments",
            "rfm",
            "output",
            "report",
            "lineage",
            "resources",
        ],
    ),
    (
        "input",
        &[
            "path",
            "kind",
            "date_format",
            "number_format",
            "separator",
            "encoding",
            "sheet",
            "guest_ids",
            "columns",
        ],
    ),
    (
        "input.columns",
        &[
            "customer_id",
            "first_order_date",
            "last_order_date",
            "orders",
            "value",
            "order_date",
            "quantity",
            "unit_price",
            "order_id",
            "keep",
        ],
    ),
    (
        "contract",
        &[
            "required",
            "bad_rows",
            "warn_at",
            "fail_at",
            "unreadable_at",
            "max_age_days",
            "min_rows",
            "earliest_date",
            "latest_date",
            "date_gap_days",
            "date_gap_share",
            "max_fall",
            "max_rise",
        ],
    ),
    (
        "transactions",
        &[
            "cancelled",
            "returns",
            "value_of",
            "duplicate_lines",
            "merge_same_day",
            "keep_zero_value",
            "observation_end",
            "calibration_end",
        ],
    ),
    ("transactions.cancelled", &["column", "prefix", "equals", "negative_quantity", "not_blank"]),
    ("outliers", &["quantiles", "fence", "round", "columns"]),
    ("summary", &["analysis_date", "time_unit", "frequency", "monetary_value", "min_orders"]),
    (
        "selection",
        &["last_order_on_or_after", "last_order_within_days", "min_orders", "both_channels"],
    ),
    ("purchases", &["model", "l2_penalty", "k"]),
    ("calendar", &["season", "trend", "index", "events"]),
    ("calendar.season", &["harmonics"]),
    ("spend", &["model", "l2_penalty", "price_level", "future_prices"]),
    ("forecast", &["horizons", "weeks_per_month"]),
    ("lifetime_value", &["months", "weeks_per_month", "monthly_discount_rate", "margin"]),
    ("uncertainty", &["level", "method", "draws", "seed"]),
    ("segments", &["labels", "channel_column", "categories_column"]),
    ("rfm", &["ties", "segments"]),
    ("output", &["path", "partition", "mode", "formats", "top", "rename", "currency"]),
    ("report", &["language", "show_ids"]),
    ("lineage", &["namespace"]),
    ("resources", &["memory_limit", "engine"]),
];

/// Command-line values that override the pipeline file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// `--input`
    pub input: Option<String>,
    /// `--output`
    pub output: Option<PathBuf>,
    /// `--as-of`, as typed.
    pub as_of: Option<String>,
    /// `--date-format`
    pub date_format: Option<String>,
    /// `--set key.path=value`, as typed.
    pub set: Vec<String>,
}

/// Reads a pipeline file, applies the overrides and checks the result.
///
/// # Errors
/// [`Error::Settings`] when the file cannot be read, or with every fault in it.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Settings, Error> {
    let fault =
        |fault: String| Error::Settings { place: path.display().to_string(), faults: vec![fault] };
    // A name that ends in .toml is meant as one, whatever is in the file.
    if path.is_file()
        && path.extension().is_none_or(|ending| ending != "toml")
        && !is_pipeline(path)
    {
        return Err(fault(
            "this is no pipeline file (TOML): `cltv init` writes one for a data file, and `cltv run` \
             takes a data file as it is"
                .to_owned(),
        ));
    }
    let bytes = bounded::read(path, SMALL)
        .map_err(|source| fault(format!("the pipeline file cannot be read: {source}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| fault("the pipeline file cannot be read: it is not UTF-8 text".to_owned()))?;
    parse(&text, overrides).map_err(|faults| Error::Settings {
        place: path.display().to_string(),
        faults: with_lines(&text, faults, &overrides.set),
    })
}

/// Whether a file is a TOML table.
pub fn is_pipeline(path: &Path) -> bool {
    let text = bounded::read(path, SMALL).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.is_some_and(|text| !text.trim().is_empty() && text.parse::<Table>().is_ok())
}

/// As [`load`], from text that has been read already.
///
/// # Errors
/// Every fault, one sentence each.
pub fn parse(text: &str, overrides: &Overrides) -> Result<Settings, Vec<String>> {
    let table: Table = text.parse().map_err(|e: toml::de::Error| {
        vec![format!("not valid TOML: {}", e.to_string().trim_end().replace('\n', "\n    "))]
    })?;
    checked(table, overrides)
}

/// Restores settings from the JSON of [`Settings::without_paths`], for another input.
///
/// # Errors
/// Every fault, one sentence each.
pub fn restore(
    settings: &serde_json::Value,
    overrides: &Overrides,
) -> Result<Settings, Vec<String>> {
    let mut table = to_table(settings)?;
    // A fixed date belongs to the model's own input, and must not silently end another one.
    let mut fixed = |section: &str, key: &str| {
        let keys = table.get_mut(section).and_then(Value::as_table_mut)?;
        let is_date = keys.get(key)?.as_str().is_some_and(|text| date(text).is_ok());
        is_date.then(|| keys.remove(key)).flatten()
    };
    fixed("transactions", "calibration_end");
    let ends = [fixed("transactions", "observation_end"), fixed("summary", "analysis_date")];
    if let (Some(end), None) = (ends.into_iter().flatten().next(), &overrides.as_of) {
        return Err(vec![format!(
            "the model's pipeline ends the observation on {end}; say where this input ends, as \
             --as-of 2021-09-01"
        )]);
    }
    checked(table, overrides)
}

/// The settings that [`Settings::without_paths`] gave, as typed values. Their input has no path,
/// and dates are those of the fit.
///
/// # Errors
/// The faults, each a sentence.
pub fn without_input(settings: &serde_json::Value) -> Result<Settings, Vec<String>> {
    let mut table = to_table(settings)?;
    if let Some(input) = table.get_mut("input").and_then(Value::as_table_mut) {
        input.insert("path".to_owned(), Value::String(String::new()));
    }
    let mut faults = Vec::new();
    typed(&table, &mut faults).ok_or(faults)
}

fn to_table(settings: &serde_json::Value) -> Result<Table, Vec<String>> {
    let mut settings = settings.clone();
    without_nulls(&mut settings);
    Table::try_from(settings)
        .map_err(|e| vec![format!("the settings of the model cannot be read: {e}")])
}

fn checked(mut table: Table, overrides: &Overrides) -> Result<Settings, Vec<String>> {
    let mut faults = Vec::new();
    apply(&mut table, overrides, &mut faults);
    dates_to_text(&mut table);
    unknown_keys("", &mut table, &mut faults);
    without_money(&mut table);
    model_under_penalty(&mut table);
    let settings = typed(&table, &mut faults);
    match settings {
        Some(settings) if faults.is_empty() => check::check(settings),
        _ => Err(faults),
    }
}

/// Under a penalty there is no AIC to choose a model by, so that BG/NBD is the default there.
fn model_under_penalty(table: &mut Table) {
    let Some(purchases) = table.get_mut("purchases").and_then(Value::as_table_mut) else {
        return;
    };
    let penalty = purchases.get("l2_penalty").and_then(|value| match value {
        Value::Integer(whole) => Some(*whole as f64),
        other => other.as_float(),
    });
    if penalty.is_some_and(|penalty| penalty > 0.0) && !purchases.contains_key("model") {
        let named = Value::String(Family::BgNbd.name().to_owned());
        purchases.insert("model".to_owned(), named);
    }
}

fn typed(table: &Table, faults: &mut Vec<String>) -> Option<Settings> {
    let name = match table.get("name") {
        Some(Value::String(name)) => name.clone(),
        None => "cltv".to_owned(),
        Some(other) => {
            faults.push(format!("name: {other} is not a text"));
            String::new()
        }
    };
    let input: Option<Input> = match table.get("input") {
        Some(value) => section(value, "input", faults),
        None => {
            faults.push("the section [input] with path and [input.columns] is missing".to_owned());
            None
        }
    };
    // An empty [input] stands in for a wrong one, so that faults in later sections are found too.
    let settings = Settings {
        name,
        input: input.unwrap_or_else(|| Input {
            path: String::new(),
            kind: Default::default(),
            date_format: auto(),
            number_format: auto(),
            separator: auto(),
            encoding: auto(),
            sheet: None,
            guest_ids: Vec::new(),
            columns: Default::default(),
        }),
        contract: or_default(table, "contract", faults),
        transactions: or_default(table, "transactions", faults),
        outliers: or_default(table, "outliers", faults),
        summary: or_default(table, "summary", faults),
        selection: optional(table, "selection", faults),
        purchases: or_default(table, "purchases", faults),
        calendar: or_default(table, "calendar", faults),
        spend: or_default(table, "spend", faults),
        forecast: or_default(table, "forecast", faults),
        lifetime_value: or_default(table, "lifetime_value", faults),
        uncertainty: optional(table, "uncertainty", faults),
        segments: or_default(table, "segments", faults),
        rfm: or_default(table, "rfm", faults),
        output: or_default(table, "output", faults),
        report: or_default(table, "report", faults),
        lineage: or_default(table, "lineage", faults),
        resources: or_default(table, "resources", faults),
    };
    faults.is_empty().then_some(settings)
}

fn or_default<T: DeserializeOwned + Default>(
    table: &Table,
    name: &str,
    faults: &mut Vec<String>,
) -> T {
    optional(table, name, faults).unwrap_or_default()
}

fn optional<T: DeserializeOwned>(table: &Table, name: &str, faults: &mut Vec<String>) -> Option<T> {
    table.get(name).and_then(|value| section(value, name, faults))
}

/// Names the unknown keys and leaves them out, so that the others are looked at too.
fn unknown_keys(section: &str, table: &mut Table, faults: &mut Vec<String>) {
    let Some((_, known)) = KEYS.iter().find(|(name, _)| *name == section) else {
        return;
    };
    table.retain(|key, value| {
        let path = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        let is_known = known.contains(&key);
        if !is_known {
            faults.push(match nearest(key, known.iter().copied()) {
                Some(near) => format!("unknown key {path}: did you mean {near}?"),
                None => format!("unknown key {path}: known here are {}", known.join(", ")),
            });
        } else if let Value::Table(inner) = value {
            unknown_keys(&path, inner, faults);
        }
        is_known
    });
}

/// Sets `spend.model = "none"` where the pipeline names neither a model of order values nor a column
/// of them.
fn without_money(table: &mut Table) {
    let columns = table.get("input").and_then(|input| input.get("columns"));
    let Some(columns) = columns.and_then(Value::as_table) else {
        return;
    };
    let is_filled = |value: &Value| value.as_array().is_none_or(|names| !names.is_empty());
    let has_money =
        ["value", "unit_price"].iter().any(|key| columns.get(*key).is_some_and(is_filled));
    if has_money {
        return;
    }
    let spend = table.entry("spend").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(spend) = spend {
        spend.entry("model").or_insert_with(|| Value::String("none".to_owned()));
    }
}

fn apply(table: &mut Table, overrides: &Overrides, faults: &mut Vec<String>) {
    for assignment in &overrides.set {
        let Some((path, text)) = assignment.split_once('=') else {
            faults.push(format!("--set {assignment}: write --set key.path=value"));
            continue;
        };
        put(table, path.trim(), value_of(text.trim()), faults);
    }
    if let Some(input) = &overrides.input {
        put(table, "input.path", Value::String(input.clone()), faults);
    }
    if let Some(format) = &overrides.date_format {
        put(table, "input.date_format", Value::String(format.clone()), faults);
    }
    if let Some(output) = &overrides.output {
        put(table, "output.path", Value::String(output.to_string_lossy().into_owned()), faults);
    }
    if let Some(as_of) = &overrides.as_of {
        if let Err(fault) = date(as_of) {
            faults.push(format!("--as-of {fault}"));
        }
        // Each kind of input has its own key for the observation end.
        let kind = table.get("input").and_then(|i| i.get("kind")).and_then(Value::as_str);
        let key = match kind {
            Some("transactions") => "transactions.observation_end",
            _ => "summary.analysis_date",
        };
        put(table, key, Value::String(as_of.clone()), faults);
    }
}

/// Parses text as a TOML value; any other text is taken as a string: `--set input.path=a.csv`.
fn value_of(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn put(table: &mut Table, path: &str, value: Value, faults: &mut Vec<String>) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            match inner {
                Value::Table(inner) => put(inner, rest, value, faults),
                _ => faults.push(format!("--set {path}: {section} is not a section")),
            }
        }
    }
}

/// Turns TOML dates into text, so that a date works with and without quotes.
fn dates_to_text(table: &mut Table) {
    for (_, value) in table.iter_mut() {
        match value {
            Value::Datetime(date) => *value = Value::String(date.to_string()),
            Value::Table(inner) => dates_to_text(inner),
            Value::Array(entries) => {
                entries.iter_mut().filter_map(Value::as_table_mut).for_each(dates_to_text);
            }
            _ => {}
        }
    }
}
