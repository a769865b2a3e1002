//! Key-value metadata of the customer table, for readers that have nothing but the file.

use serde_json::json;

use crate::model_file::ModelFile;
use crate::results::price_level::PriceLevelEntry;
use crate::results::version::SCHEMA_VERSION;
use crate::run::Run;
use crate::settings::columns::expected_orders;
use crate::settings::{Forecast, Output, Settings};

/// Keys and values, in a fixed order: Parquet's key-value metadata and Arrow's schema metadata.
pub type Notes = Vec<(String, String)>;

/// The metadata of a run's customer table; `model` is the text of model.json. There is no time and
/// no path in it: the same input gives the same bytes.
pub fn of_customers(run: &Run, settings: &Settings, model: &str) -> Notes {
    let mut notes = vec![
        ("schema_version", SCHEMA_VERSION.to_string()),
        ("tool", env!("CARGO_PKG_NAME").to_owned()),
        ("tool_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("pipeline", settings.name.clone()),
        ("as_of", run.audit.observation_end.to_string()),
        ("model", run.purchases.family.name().to_owned()),
        ("model_id", ModelFile::id(model.as_bytes())),
        ("time_unit", word(settings.summary.time_unit)),
        ("horizons", horizons(&settings.forecast, &settings.output)),
        ("segments", json!(settings.segments.labels).to_string()),
    ];
    if settings.has_money() {
        let months = settings.lifetime_value.months.to_string();
        notes.insert(notes.len() - 1, ("lifetime_value_months", months));
        let currency = settings.output.currency.iter();
        notes.extend(currency.map(|currency| ("currency", currency.clone())));
        notes.extend(run.audit.prices.iter().filter_map(PriceLevelEntry::used).flat_map(
            |(_, day)| {
                let ahead = word(settings.spend.future_prices);
                [("money_of", day.to_string()), ("future_prices", ahead)]
            },
        ));
    }
    notes.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A setting's value as it is written in a pipeline file.
fn word(value: impl serde::Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

/// A JSON list with the months, the length in days and the column of each horizon.
fn horizons(forecast: &Forecast, output: &Output) -> String {
    let month = forecast.weeks_per_month.days();
    let one = |months: u32| {
        let column = expected_orders(months);
        json!({
            "months": months,
            "days": f64::from(months) * month,
            "column": output.rename.get(&column).unwrap_or(&column),
        })
    };
    let all: Vec<_> = forecast.horizons.iter().map(|h| one(h.months)).collect();
    json!(all).to_string()
}
