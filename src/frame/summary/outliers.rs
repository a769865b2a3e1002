//! Outlier suppression: values beyond a quantile fence are set to the (rounded) fence.

use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::typed_name;
use crate::results::outlier_limits::OutlierLimits;
use crate::settings::{Outliers, Settings};

/// Caps the chosen columns, and returns the limits with the number of values that they changed.
/// `given` are the limits of an earlier run, to be used instead of new ones.
///
/// # Formula
/// q_low − f·(q_high − q_low) and q_high + f·(q_high − q_low), with linearly interpolated
/// quantiles as in pandas' `Series.quantile`.
///
/// A column whose upper limit would not exceed its lower quantile gets no limits: they would erase
/// the orders in a channel that few customers use.
///
/// # Errors
/// [`Error::Engine`], never for valid rows.
pub fn cap(
    valid: LazyFrame,
    given: Option<&[OutlierLimits]>,
    settings: &Settings,
) -> Result<(LazyFrame, Vec<OutlierLimits>), Error> {
    let mut limits = match given {
        Some(limits) => limits.to_vec(),
        None => limits_of(&valid, &settings.capped_columns(), &settings.outliers)
            .map_err(Error::engine("find the outlier limits"))?,
    };
    count_changes(&valid, &mut limits).map_err(Error::engine("count the outliers"))?;
    let capped: Vec<Expr> = limits.iter().map(capped).collect();
    Ok((if capped.is_empty() { valid } else { valid.with_columns(capped) }, limits))
}

fn limits_of(
    valid: &LazyFrame,
    names: &[&str],
    outliers: &Outliers,
) -> PolarsResult<Vec<OutlierLimits>> {
    let quantile = |name: &&str, q: f64, side: &str| {
        let column = col(typed_name(name));
        column.quantile(lit(q), QuantileMethod::Linear).alias(format!("{side}{name}"))
    };
    let [q_low, q_high] = outliers.quantiles;
    let quantiles: Vec<Expr> = names
        .iter()
        .flat_map(|name| [quantile(name, q_low, "low "), quantile(name, q_high, "high ")])
        .collect();
    let found = valid.clone().select(quantiles).collect()?;
    let rounded = |limit: f64| if outliers.round { limit.round_ties_even() } else { limit };
    let mut limits = Vec::with_capacity(names.len());
    for name in names {
        let (low, high) =
            (only(&found, &format!("low {name}"))?, only(&found, &format!("high {name}"))?);
        let reach = outliers.fence * (high - low);
        let (lower, upper) = (low - reach, high + reach);
        // Too narrow: such limits would erase the orders of a rarely used channel.
        if rounded(upper) <= low {
            continue;
        }
        limits.push(OutlierLimits {
            column: (*name).to_owned(),
            lower,
            upper,
            lower_applied: rounded(lower),
            upper_applied: rounded(upper),
            raised: 0,
            lowered: 0,
        });
    }
    Ok(limits)
}

fn count_changes(valid: &LazyFrame, limits: &mut [OutlierLimits]) -> PolarsResult<()> {
    let count = |beyond: Expr, side: &str, name: &str| {
        beyond.sum().cast(DataType::Float64).alias(format!("{side}{name}"))
    };
    let counts: Vec<Expr> = limits
        .iter()
        .flat_map(|l| {
            let value = || col(typed_name(&l.column));
            [
                count(value().lt(lit(l.lower)), "raised ", &l.column),
                count(value().gt(lit(l.upper)), "lowered ", &l.column),
            ]
        })
        .collect();
    let found = valid.clone().select(counts).collect()?;
    for l in limits {
        l.raised = only(&found, &format!("raised {}", l.column))? as usize;
        l.lowered = only(&found, &format!("lowered {}", l.column))? as usize;
    }
    Ok(())
}

/// The value of a column in a frame of one row.
fn only(frame: &DataFrame, column: &str) -> PolarsResult<f64> {
    frame.column(column)?.f64()?.get(0).ok_or_else(|| polars_err!(NoData: "no {column}"))
}

/// A column with its outliers set to their limits.
pub(crate) fn capped(limits: &OutlierLimits) -> Expr {
    let value = col(typed_name(&limits.column));
    when(value.clone().lt(lit(limits.lower)))
        .then(lit(limits.lower_applied))
        .when(value.clone().gt(lit(limits.upper)))
        .then(lit(limits.upper_applied))
        .otherwise(value)
        .alias(typed_name(&limits.column))
}
