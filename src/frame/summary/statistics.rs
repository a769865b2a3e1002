//! Mean, deviation and quantiles of the numbers of a file, before and after outliers are capped.

use polars::prelude::*;
use serde::Serialize;

use crate::error::Error;
use crate::frame::columns::{VALUE, typed_name};
use crate::frame::summary::outliers::capped;
use crate::results::outlier_limits::OutlierLimits;
use crate::settings::{InputKind, Settings};

/// Shares of the values below each quantile.
pub const QUANTILES: [f64; 5] = [0.01, 0.25, 0.5, 0.75, 0.99];

/// A column of numbers in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// The column, or what the numbers are.
    pub name: String,
    /// As they are in the valid rows.
    pub before: Figures,
    /// After capping; `None` where nothing is capped.
    pub after: Option<Figures>,
}

/// Figures of some values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (n − 1); `None` for a single value.
    pub deviation: Option<f64>,
    /// The lowest.
    pub lowest: f64,
    /// Each of [`QUANTILES`] with its value, linearly interpolated as in pandas' `describe`.
    pub quantiles: Vec<(f64, f64)>,
    /// The highest.
    pub highest: f64,
}

/// Figures of the customers' order counts and values, or of what each spends on a day of an order log.
///
/// # Errors
/// [`Error::Engine`], never for valid rows.
pub fn statistics(
    valid: &LazyFrame,
    limits: &[OutlierLimits],
    settings: &Settings,
) -> Result<Vec<Statistics>, Error> {
    let columns = &settings.input.columns;
    let names: Vec<(String, String)> = match settings.input.kind {
        InputKind::Customers => {
            let names = columns.orders.iter().chain(&columns.value);
            names.map(|name| (name.clone(), typed_name(name))).collect()
        }
        InputKind::Transactions if !settings.has_money() => Vec::new(),
        InputKind::Transactions => {
            vec![("spend per customer and day".to_owned(), VALUE.to_owned())]
        }
    };
    let limits_of = |name: &str| limits.iter().find(|limits| limits.column == name);
    let variants: Vec<Expr> = names
        .iter()
        .flat_map(|(name, column)| {
            [Some(col(column.as_str())), limits_of(name).map(capped)].into_iter().flatten()
        })
        .collect();
    let mut figures =
        figures(valid, &variants).map_err(Error::engine("describe the numbers"))?.into_iter();
    let of = |(name, _): (String, String)| {
        let before = figures.next()?;
        let after = limits_of(&name).and_then(|_| figures.next());
        Some(Statistics { name, before, after })
    };
    Ok(names.into_iter().map_while(of).collect())
}

fn figures(valid: &LazyFrame, variants: &[Expr]) -> PolarsResult<Vec<Figures>> {
    let wanted = variants.iter().enumerate().flat_map(|(i, values)| {
        let quantile = |q: &f64| values.clone().quantile(lit(*q), QuantileMethod::Linear);
        let simple = [values.clone().mean(), values.clone().std(1), values.clone().min()];
        let all = simple.into_iter().chain(QUANTILES.iter().map(quantile));
        all.chain([values.clone().max()])
            .enumerate()
            .map(move |(j, figure)| figure.cast(DataType::Float64).alias(format!("{i} {j}")))
            .collect::<Vec<_>>()
    });
    let found = valid.clone().select(wanted.collect::<Vec<_>>()).collect()?;
    let of = |i: usize| -> PolarsResult<Option<Figures>> {
        let figure = |j: usize| -> PolarsResult<Option<f64>> {
            Ok(found.column(&format!("{i} {j}"))?.f64()?.get(0))
        };
        let (Some(mean), deviation, Some(lowest)) = (figure(0)?, figure(1)?, figure(2)?) else {
            return Ok(None);
        };
        let last = 3 + QUANTILES.len();
        let values: PolarsResult<Vec<Option<f64>>> = (3..last).map(figure).collect();
        let values = values?.into_iter().flatten();
        let quantiles = QUANTILES.into_iter().zip(values).collect();
        let highest = figure(last)?.unwrap_or(lowest);
        Ok(Some(Figures { mean, deviation, lowest, quantiles, highest }))
    };
    let all: PolarsResult<Vec<Option<Figures>>> = (0..variants.len()).map(of).collect();
    Ok(all?.into_iter().flatten().collect())
}
