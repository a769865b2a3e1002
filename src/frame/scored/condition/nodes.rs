//! A bound on what Polars is given: it computes twice what an expression uses twice.

use polars::prelude::Expr;

/// Most operations of an expression.
const MOST_NODES: usize = 5_000;

/// Refuses an expression that is used so often that the whole would grow without bounds.
pub(super) fn used(value: &Expr, times: usize) -> Result<(), String> {
    match value.into_iter().count() * times > MOST_NODES {
        true => Err("it is too deeply nested: select in several steps".to_owned()),
        false => Ok(()),
    }
}
