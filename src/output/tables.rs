//! The tables of a run.

use polars::prelude::*;

use super::staging::Staging;
use crate::columns::{
    CLTV, CUSTOMER_ID, EXP_AVERAGE_VALUE, FREQUENCY, MONETARY_AVG, P_ALIVE, age, expected_orders,
    recency,
};
use crate::error::Error;
use crate::frame::profile::Profile;
use crate::pipeline::Run;
use crate::settings::Settings;

/// Rows of a Parquet row group: large enough to compress, small enough to skip.
const ROW_GROUP: usize = 122_880;

/// Writes a frame as Parquet (zstd).
///
/// # Errors
/// [`Error::Io`] when the file cannot be written.
pub fn parquet(staging: &Staging, name: &str, frame: &DataFrame) -> Result<(), Error> {
    staging.file(name, |file| {
        ParquetWriter::new(file)
            .with_row_group_size(Some(ROW_GROUP))
            .finish(&mut frame.clone())
            .map(drop)
            .map_err(std::io::Error::other)
    })
}

/// Writes a frame as CSV.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written.
pub fn csv(staging: &Staging, name: &str, frame: &DataFrame) -> Result<(), Error> {
    let bytes = csv_bytes(&mut frame.clone())?;
    staging.file(name, |file| file.write_all(&bytes))
}

/// A frame as CSV text.
///
/// # Errors
/// [`Error::Engine`], never for plain columns.
pub fn csv_bytes(frame: &mut DataFrame) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).finish(frame).map_err(Error::engine("format a table as CSV"))?;
    Ok(bytes)
}

/// The customers under the column names that the pipeline asks for. A kept column with gaps
/// becomes text, and its gaps blank: no output column has nulls.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn renamed(scored: &DataFrame, settings: &Settings) -> Result<DataFrame, Error> {
    let columns: Vec<Expr> = scored
        .columns()
        .iter()
        .map(|column| {
            let name = column.name().as_str();
            let target = settings.output.rename.get(name).map_or(name, String::as_str);
            let whole = match column.dtype() {
                DataType::Float64 | DataType::Float32 => col(name).fill_nan(lit(NULL)),
                _ => col(name),
            };
            let has_nan = column.f64().is_ok_and(|values| values.iter().flatten().any(f64::is_nan));
            let full = if has_nan || column.null_count() > 0 {
                whole.cast(DataType::String).fill_null(lit(""))
            } else {
                col(name)
            };
            full.alias(target)
        })
        .collect();
    scored
        .clone()
        .lazy()
        .select(columns)
        .collect()
        .map_err(Error::engine("rename the output columns"))
}

/// The customers worth most, first by cltv, then in input order.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn top(run: &Run, settings: &Settings) -> Result<DataFrame, Error> {
    let by_value =
        SortMultipleOptions::default().with_order_descending(true).with_maintain_order(true);
    let top = run
        .scored
        .clone()
        .lazy()
        .sort([CLTV], by_value)
        .limit(settings.output.top)
        .collect()
        .map_err(Error::engine("find the top customers"))?;
    renamed(&top, settings)
}

/// A row a segment, lowest first.
///
/// # Errors
/// [`Error::Engine`], never for a finished run.
pub fn segments(run: &Run, settings: &Settings) -> Result<DataFrame, Error> {
    let unit = settings.summary.time_unit;
    let numbers = |name: String, of: &dyn Fn(usize, &Profile) -> f64| {
        let values: Vec<f64> = run.segments.iter().enumerate().map(|(i, p)| of(i, p)).collect();
        Column::new(name.into(), values)
    };
    let texts = |name: &str, of: &dyn Fn(usize, &Profile) -> String| {
        let values: Vec<String> = run.segments.iter().enumerate().map(|(i, p)| of(i, p)).collect();
        Column::new(name.into(), values)
    };
    let customers: Vec<u64> = run.segments.iter().map(|p| p.customers as u64).collect();
    let mut columns = vec![
        texts("segment", &|_, p| p.label.clone()),
        numbers("cltv_lower".into(), &|i, _| run.edges[i]),
        numbers("cltv_upper".into(), &|i, _| run.edges[i + 1]),
        Column::new("customers".into(), customers),
        numbers(format!("total_{CLTV}"), &|_, p| p.total_cltv),
        numbers(format!("mean_{CLTV}"), &|_, p| p.mean_cltv),
        numbers(format!("mean_{FREQUENCY}"), &|_, p| p.mean_frequency),
        numbers(format!("mean_{}", recency(unit)), &|_, p| p.mean_recency),
        numbers(format!("mean_{}", age(unit)), &|_, p| p.mean_age),
        numbers(format!("mean_{MONETARY_AVG}"), &|_, p| p.mean_monetary),
        numbers(format!("mean_{P_ALIVE}"), &|_, p| p.mean_p_alive),
    ];
    for (h, horizon) in settings.forecast.horizons.iter().enumerate() {
        let total = |_: usize, p: &Profile| p.expected_orders[h].1;
        columns.push(numbers(format!("total_{}", expected_orders(horizon.months)), &total));
    }
    columns.extend([
        numbers("share_of_expected_value".into(), &|i, _| run.advice[i].share_of_value),
        texts("main_channel", &|_, p| {
            p.main_channel.as_ref().map_or(String::new(), |(channel, _)| channel.clone())
        }),
        texts("top_categories", &|_, p| {
            let names: Vec<&str> = p.categories.iter().take(3).map(|(n, _)| n.as_str()).collect();
            names.join(", ")
        }),
        texts("suggested_action", &|i, _| run.advice[i].text.clone()),
    ]);
    DataFrame::new_infer_height(columns).map_err(Error::engine("make the segment table"))
}

/// Columns of the top list that fit a terminal: name before any renaming, and a short title.
pub fn top_columns(settings: &Settings) -> Vec<(String, String)> {
    let last = settings.forecast.horizons.iter().map(|h| h.months).max().unwrap_or(0);
    let unit = settings.summary.time_unit;
    [
        (CUSTOMER_ID.to_owned(), "customer"),
        (FREQUENCY.to_owned(), "frequency"),
        (recency(unit), "recency"),
        (age(unit), "T"),
        (MONETARY_AVG.to_owned(), "avg order"),
        (expected_orders(last), &format!("orders {last} mo")),
        (EXP_AVERAGE_VALUE.to_owned(), "exp order"),
        (CLTV.to_owned(), "cltv"),
    ]
    .map(|(name, title)| (name, title.to_owned()))
    .to_vec()
}
