//! Numbers whose points and commas stand for something else than in 1234.50.

use polars::prelude::*;

/// Whether a number could be one of thousands, as 1.234 and 123.456 but neither 0.123 nor 1234.567.
pub(crate) fn is_thousands(text: Expr, number: Expr) -> Expr {
    let size = || when(number.clone().lt(lit(0.0))).then(-number.clone()).otherwise(number.clone());
    let point = text.str().slice(lit(-4), lit(1)).eq(lit("."));
    point.and(size().gt_eq(lit(1.0))).and(size().lt(lit(1000.0)))
}

/// Whether a text is a number as in 1.234,50.
pub(crate) fn has_decimal_comma(text: &str) -> bool {
    let plain = text.replace('.', "");
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    plain.trim_start_matches('-').split_once(',').is_some_and(|(whole, fraction)| {
        is_digits(whole) && is_digits(fraction) && fraction.len() != 3
    })
}
