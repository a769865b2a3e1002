//! Logs in which a value is that of the whole order and stands on one or all of its lines: they are
//! read as one line per order, with the first entry of its lines in each column.

use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{FILE, LINES, ROW};
use crate::frame::input::load::unreadable;
use crate::frame::input::typed::stripped;
use crate::frame::{collected, engine};
use crate::settings::{Input, Settings, ValueOf};

const ORDER: &str = "__order";
/// Whether the lines of an order name several customers.
const CUSTOMERS: &str = "__several_customers";
/// Whether they have several values.
const VALUES: &str = "__several_values";
/// Share of orders with several values from which the value is not that of the order.
const MOST_DIFFERING: f64 = 0.05;

/// One line per order, and the number of lines that were read; the lines as they are and `None` where
/// the value is that of the line.
///
/// # Errors
/// [`Error::Input`] when the lines cannot be read, an order id stands for orders of several customers,
/// or orders have several values.
pub(crate) fn of(raw: LazyFrame, settings: &Settings) -> Result<(LazyFrame, Option<u64>), Error> {
    let input = &settings.input;
    let (Some(order), ValueOf::Order) = (&input.columns.order_id, settings.transactions.value_of)
    else {
        return Ok((raw, None));
    };
    let schema = raw.clone().collect_schema().map_err(failed())?;
    let orders = raw
        .group_by_stable([order_or_line(order).alias(ORDER)])
        .agg(entries(&schema, input))
        .drop(cols([ORDER]));
    let engine = engine(&settings.resources, Engine::Streaming);
    let orders =
        collected(orders, engine).map_err(|e| Error::input(&input.path, unreadable(&e)))?;
    if let Some(fault) = fault(&orders, order).map_err(failed())? {
        return Err(Error::input(&input.path, fault));
    }
    let lines = lines(&orders).map_err(failed())?;
    Ok((orders.lazy().drop(cols([LINES, CUSTOMERS, VALUES])), Some(lines)))
}

fn failed() -> impl FnOnce(PolarsError) -> Error {
    Error::engine("read the lines of each order as one")
}

/// The order's identifier; a line without one is an order of its own.
pub(crate) fn order_or_line(order_id: &str) -> Expr {
    let id = stripped(order_id);
    let line = concat_str([lit("line"), col(FILE), col(ROW)], " ", false);
    when(id.clone().is_null().or(id.clone().eq(lit("")))).then(line).otherwise(id)
}

/// For each column the first entry of an order, and whether its lines contradict each other.
fn entries(schema: &Schema, input: &Input) -> Vec<Expr> {
    let filled = |name: &str| {
        let is_text = schema.get(name) == Some(&DataType::String);
        let value = || col(name);
        let filled = if is_text { value().filter(value().neq(lit(""))) } else { value() };
        filled.drop_nulls()
    };
    let several = |name: &str| filled(name).n_unique().gt(lit(1));
    let values = input.columns.value.iter().map(|name| several(name)).reduce(Expr::or);
    let mut entries = vec![
        col(FILE).first(),
        col(ROW).first(),
        len().alias(LINES),
        several(&input.columns.customer_id).alias(CUSTOMERS),
        values.unwrap_or(lit(false)).alias(VALUES),
    ];
    let others = schema.iter_names().filter(|name| ![FILE, ROW].contains(&name.as_str()));
    entries.extend(others.map(|name| filled(name).first().alias(name.clone())));
    entries
}

/// What speaks against reading the lines as whole orders.
fn fault(orders: &DataFrame, order_id: &str) -> PolarsResult<Option<String>> {
    let count = |name: &str| -> PolarsResult<usize> {
        Ok(orders.column(name)?.bool()?.sum().unwrap_or(0) as usize)
    };
    let (customers, values) = (count(CUSTOMERS)?, count(VALUES)?);
    Ok(if customers > 0 {
        Some(format!(
            "{customers} ids in {order_id:?} stand for orders of several customers: add what tells \
             them apart, as the year or the shop, to the id"
        ))
    } else if values as f64 > MOST_DIFFERING * orders.height() as f64 {
        Some(format!(
            "{values} orders have lines with several values, so the value is not that of the order: \
             set transactions.value_of = \"line\""
        ))
    } else {
        None
    })
}

fn lines(orders: &DataFrame) -> PolarsResult<u64> {
    Ok(orders.column(LINES)?.cast(&DataType::UInt64)?.u64()?.sum().unwrap_or(0))
}
