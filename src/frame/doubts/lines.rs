//! Doubts that only the lines of a log show.

use polars::prelude::*;

use crate::frame::columns::{FILE, ROW};
use crate::frame::doubts::Doubt;
use crate::frame::input::letters::folded_word;
use crate::frame::input::typed::stripped;
use crate::frame::streamed;
use crate::settings::ValueOf;

/// First lines that are looked at for repeated totals.
const LOOKED_AT: u32 = 100_000;
/// Fewest orders of several lines that show whether totals are repeated, and the share of them with
/// a single value from which they are. Lines of different articles rarely cost the same.
const REPEATED: (u64, f64) = (20, 0.9);
/// Words in the names of columns that hold the currency of a row, in folded letters.
const CURRENCY_NAMES: &[&str] =
    &["currency", "parabirimi", "doviz", "waehrung", "wahrung", "devise"];

/// Whether the value of each order stands on all of its lines, and so would be counted several
/// times.
///
/// # Errors
/// When the lines cannot be read.
pub fn repeated_totals(
    raw: &LazyFrame,
    order_id: Option<&str>,
    value: &[String],
    value_of: ValueOf,
) -> PolarsResult<Option<Doubt>> {
    let (Some(order), [value]) = (order_id, value) else {
        return Ok(None);
    };
    if value_of == ValueOf::Order {
        return Ok(None);
    }
    let number = |count: Expr| count.cast(DataType::UInt64);
    let orders = raw
        .clone()
        .select([stripped(order).alias("order"), stripped(value).alias("value"), col(FILE)])
        .limit(LOOKED_AT)
        .filter(col("order").is_not_null().and(col("order").neq(lit(""))))
        .group_by([col("order"), col(FILE)])
        .agg([number(len()).alias("lines"), number(col("value").n_unique()).alias("values")])
        .filter(col("lines").gt(lit(1)))
        .select([
            number(len()).alias("orders"),
            number(col("values").eq(lit(1)).sum()).alias("constant"),
        ]);
    let counts = streamed(orders)?;
    let count =
        |name: &str| -> PolarsResult<u64> { Ok(counts.column(name)?.u64()?.get(0).unwrap_or(0)) };
    let (orders, constant) = (count("orders")?, count("constant")?);
    let (least, share) = REPEATED;
    let is_repeated = orders >= least && constant as f64 >= share * orders as f64;
    Ok(is_repeated.then(|| Doubt::RepeatedTotals {
        column: value.clone(),
        orders: orders as usize,
        constant: constant as usize,
    }))
}

/// Lines without a customer of orders that have one on another line, as where a pivot or merged cells
/// show each id once.
///
/// # Errors
/// When the lines cannot be read.
pub fn ids_on_first_lines(
    raw: &LazyFrame,
    order_id: Option<&str>,
    customer_id: &str,
    value_of: ValueOf,
) -> PolarsResult<Option<Doubt>> {
    const LEAST: u64 = 20;
    const FIRST: u32 = 20_000;
    let (Some(order), ValueOf::Line) = (order_id, value_of) else {
        return Ok(None);
    };
    let number = |count: Expr| count.cast(DataType::UInt64);
    let is_blank = stripped(customer_id).eq(lit("")).fill_null(lit(true));
    let orders = raw
        .clone()
        .select([stripped(order).alias("order"), is_blank.alias("blank"), col(FILE)])
        .limit(FIRST)
        .filter(col("order").is_not_null().and(col("order").neq(lit(""))))
        .group_by([col("order"), col(FILE)])
        .agg([number(col("blank").sum()).alias("blank"), number(len()).alias("lines")])
        .filter(col("blank").lt(col("lines")))
        .select([col("blank").sum()]);
    let lines = streamed(orders)?.column("blank")?.u64()?.get(0).unwrap_or(0);
    Ok((lines >= LEAST).then_some(Doubt::IdsOnFirstLines { lines: lines as usize }))
}

/// Lines among `lines` that another file has too.
///
/// # Errors
/// When the lines cannot be read.
pub fn overlap(lines: LazyFrame, names: &[String]) -> PolarsResult<Option<Doubt>> {
    let line: Vec<Expr> = names.iter().map(|name| col(name.as_str())).collect();
    let again = lines
        .select(line.iter().cloned().chain([col(FILE), col(ROW)]).collect::<Vec<_>>())
        .group_by([line.clone(), vec![col(FILE)]].concat())
        .agg([len().cast(DataType::UInt64).alias("lines")])
        .group_by(line)
        // A line that stands several times in one file is no overlap.
        .agg([(col("lines").sum() - col("lines").max()).alias("again")])
        .select([col("again").sum()]);
    let count = streamed(again)?.column("again")?.u64()?.get(0).unwrap_or(0) as usize;
    Ok((count > 0).then_some(Doubt::FilesOverlap { lines: count }))
}

/// The column of a file that names the currency of each row, by its name.
pub fn currency_column<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.find(|name| {
        let word = folded_word(name);
        CURRENCY_NAMES.iter().any(|known| word.contains(known)) && !word.contains("rate")
    })
}

/// The currencies in the column `currency` of a frame, if there are several; `column` is its name in
/// the file.
///
/// # Errors
/// When the column cannot be read.
pub fn currencies(codes: &LazyFrame, column: &str) -> PolarsResult<Option<Doubt>> {
    let code = stripped("currency").str().to_uppercase();
    let counts = codes
        .clone()
        .select([code.alias("code")])
        .filter(col("code").is_not_null().and(col("code").neq(lit(""))))
        .group_by([col("code")])
        .agg([len().cast(DataType::UInt64).alias("rows")]);
    let counts = streamed(counts)?;
    let rows = counts.column("rows")?.u64()?;
    let codes = counts.column("code")?.str()?.iter().zip(rows.iter());
    let mut found: Vec<(String, usize)> = codes
        .filter_map(|(code, rows)| Some((code?.chars().take(12).collect(), rows? as usize)))
        .collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    // Names and codes of currencies are short and few; anything else is another kind of column.
    const MOST: usize = 20;
    let is_code = |(code, _): &(String, usize)| {
        code.chars().count() <= 4 && !code.contains(|letter: char| letter.is_ascii_digit())
    };
    let are_codes = found.len() <= MOST && found.iter().all(is_code);
    let several = found.len() > 1 && are_codes;
    Ok(several.then(|| Doubt::Currencies { column: column.to_owned(), rows: found }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_name_a_currency() {
        let found = |names: &[&'static str]| currency_column(names.iter().copied());
        assert_eq!(found(&["id", "Currency"]), Some("Currency"));
        assert_eq!(found(&["Para Birimi"]), Some("Para Birimi"));
        assert_eq!(found(&["currency_rate", "amount"]), None);
    }

    #[test]
    fn several_currencies_are_counted() {
        let frame = df!("currency" => ["TRY", "try", "EUR", ""]).expect("a frame").lazy();
        let expected = Doubt::Currencies {
            column: "c".to_owned(),
            rows: vec![("TRY".to_owned(), 2), ("EUR".to_owned(), 1)],
        };
        assert_eq!(currencies(&frame, "c").expect("counts"), Some(expected));
        let one = df!("currency" => ["TRY", " TRY"]).expect("a frame").lazy();
        assert_eq!(currencies(&one, "c").expect("counts"), None);
    }

    #[test]
    fn lines_in_two_files_are_an_overlap_and_lines_in_one_are_not() {
        let frame = df!(
            "a" => ["x", "x", "y", "y"],
            FILE => [0u32, 1, 0, 0],
            ROW => [1u64, 1, 2, 3],
        );
        let frame = frame.expect("a frame").lazy();
        let found = overlap(frame, &["a".to_owned()]).expect("counts");
        assert_eq!(found, Some(Doubt::FilesOverlap { lines: 1 }));
    }
}
