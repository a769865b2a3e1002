//! Outlier suppression: values beyond the quantile fences are set to the (rounded) fence.

use polars::prelude::*;
use serde::Serialize;

use super::clean::typed_name;
use crate::error::Error;
use crate::settings::{CappedColumns, Outliers, Settings};

/// The limits of one column and what they changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limits {
    /// Input column.
    pub column: String,
    /// Values below are raised to `lower_applied`.
    pub lower: f64,
    /// Values above are lowered to `upper_applied`.
    pub upper: f64,
    /// `lower`, rounded half to even when rounding is on.
    pub lower_applied: f64,
    /// `upper`, rounded half to even when rounding is on.
    pub upper_applied: f64,
    /// Values raised.
    pub raised: usize,
    /// Values lowered.
    pub lowered: usize,
}

/// Caps the chosen columns and returns their limits.
///
/// # Formula
/// q_low − f·(q_high − q_low) and q_high + f·(q_high − q_low), with linearly interpolated
/// quantiles as pandas' `Series.quantile`.
///
/// # Errors
/// [`Error::Engine`], never for rows that keep the rules.
pub fn cap(kept: LazyFrame, settings: &Settings) -> Result<(LazyFrame, Vec<Limits>), Error> {
    let columns = &settings.input.columns;
    let chosen: Vec<&String> = columns
        .orders
        .iter()
        .chain(&columns.value)
        .filter(|name| match &settings.outliers.columns {
            CappedColumns::Auto => true,
            CappedColumns::Only(names) => names.contains(name),
        })
        .collect();
    let limits = chosen
        .into_iter()
        .map(|name| limits_of(&kept, name, &settings.outliers))
        .collect::<PolarsResult<Vec<_>>>()
        .map_err(Error::engine("find the outlier limits"))?;
    let capped: Vec<Expr> = limits.iter().map(capped).collect();
    Ok((if capped.is_empty() { kept } else { kept.with_columns(capped) }, limits))
}

fn limits_of(kept: &LazyFrame, name: &str, outliers: &Outliers) -> PolarsResult<Limits> {
    let typed = typed_name(name);
    let quantile = |q: f64| col(typed.as_str()).quantile(lit(q), QuantileMethod::Linear);
    let [low, high] = outliers.quantiles.map(quantile);
    let reach = lit(outliers.fence) * (high.clone() - low.clone());
    let (lower, upper) = (low - reach.clone(), high + reach);
    let found = kept
        .clone()
        .select([
            lower.clone().alias("lower"),
            upper.clone().alias("upper"),
            col(typed.as_str()).lt(lower).sum().cast(DataType::Float64).alias("raised"),
            col(typed.as_str()).gt(upper).sum().cast(DataType::Float64).alias("lowered"),
        ])
        .collect()?;
    let value = |column: &str| -> PolarsResult<f64> {
        found.column(column)?.f64()?.get(0).ok_or_else(|| polars_err!(NoData: "no {column}"))
    };
    let rounded = |limit: f64| {
        if outliers.round { limit.round_ties_even() } else { limit }
    };
    let (lower, upper) = (value("lower")?, value("upper")?);
    Ok(Limits {
        column: name.to_owned(),
        lower,
        upper,
        lower_applied: rounded(lower),
        upper_applied: rounded(upper),
        raised: value("raised")? as usize,
        lowered: value("lowered")? as usize,
    })
}

fn capped(limits: &Limits) -> Expr {
    let value = col(typed_name(&limits.column));
    when(value.clone().lt(lit(limits.lower)))
        .then(lit(limits.lower_applied))
        .when(value.clone().gt(lit(limits.upper)))
        .then(lit(limits.upper_applied))
        .otherwise(value)
        .alias(typed_name(&limits.column))
}
