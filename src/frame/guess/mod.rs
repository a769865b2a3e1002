//! Guesses which column is which in a file that nobody has described: by name, in English or
//! Turkish, and by content. A name counts only where the content supports it.
//!
//! # Layout
//! * [`inspect`]: profiles the columns of a file.
//! * [`words`]: topics of a column name. [`named`]: columns with their topics; the type of a guess.
//! * `choice`: one column, or several to add up, from the candidates.
//! * `export`: the columns of a customer export. [`mod@log`]: the columns of an order log.
//! * `shapes`: exports of shop systems.
//! * [`cancellations`]: what only the rows of a log show.

pub mod cancellations;
mod choice;
mod export;
pub mod inspect;
pub mod log;
pub mod named;
mod shapes;
pub mod words;

use crate::error::Error;
use crate::frame::guess::inspect::Overview;
use crate::frame::guess::log::log;
use crate::frame::guess::named::{Guess, Named};

/// Guesses the columns of a file. Rows are read again only for a log, to find cancellations and
/// columns to keep.
///
/// # Errors
/// [`Error::Input`] when the columns are neither those of a customer export nor those of an order
/// log, or those of an export whose dates are not those of the first and last order.
pub fn guess(overview: &Overview) -> Result<Guess, Error> {
    if let Some(guess) = shapes::known(overview)? {
        return Ok(guess);
    }
    let named = Named::all(overview);
    if let Some(guess) = export::export(&named, overview)? {
        return Ok(guess);
    }
    match log(&named) {
        Some(guess) => cancellations::complete(guess, overview),
        None => Err(Error::input(&overview.path, unknown(overview))),
    }
}

fn unknown(overview: &Overview) -> String {
    let columns: Vec<String> =
        overview.columns.iter().map(|c| format!("{:?} ({})", c.name, c.kind.name())).collect();
    format!(
        "cannot tell which column is what; there are {}. Write a pipeline file with \
         [input.columns] (pipelines/README.md) and run `cltv check` on it",
        columns.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::guess::inspect::{Column, Stated};
    use crate::frame::input::kinds::ColumnKind;
    use crate::frame::input::numbers::Notation;

    fn column(name: &str, kind: ColumnKind, distinct: usize, range: (f64, f64)) -> Column {
        Column {
            name: name.to_owned(),
            kind,
            date_format: None,
            number_format: None,
            fault: None,
            blank: 0,
            unreadable: 0,
            distinct,
            repeated: 1000 - distinct,
            lowest: Some(range.0.to_string()),
            highest: Some(range.1.to_string()),
            example: None,
            notation: Notation::Plain,
            range: Some(range),
        }
    }

    /// A file of 1000 rows.
    fn file(columns: Vec<Column>) -> Overview {
        Overview {
            path: String::new(),
            files: 1,
            rows: 1000,
            columns,
            repeated_rows: 0,
            counted_rows: 1000,
            first_rows: Vec::new(),
            stated: Stated::default(),
        }
    }

    fn guessed_export(columns: Vec<Column>) -> Option<Guess> {
        let overview = file(columns);
        export::export(&Named::all(&overview), &overview).expect("no reason to refuse")
    }

    #[test]
    fn an_export_without_telling_names() {
        let columns = vec![
            column("a", ColumnKind::Text, 1000, (0.0, 0.0)),
            column("b", ColumnKind::Date, 300, (2.0, 8.0)),
            column("c", ColumnKind::Date, 300, (1.0, 7.0)),
            column("d", ColumnKind::Integer, 9, (1.0, 9.0)),
            column("e", ColumnKind::Number, 900, (0.5, 90.5)),
            column("f", ColumnKind::Text, 4, (0.0, 0.0)),
        ];
        let found = guessed_export(columns).expect("an export").columns;
        assert_eq!(found.customer_id, "a");
        assert_eq!(found.first_order_date.as_deref(), Some("c"));
        assert_eq!((found.orders, found.value), (vec!["d".to_owned()], vec!["e".to_owned()]));
        assert_eq!(found.keep, ["f"]);
    }

    #[test]
    fn names_that_the_content_contradicts_do_not_count() {
        let columns = |kind| {
            vec![
                column("customer_id", ColumnKind::Text, 1000, (0.0, 0.0)),
                column("first_order_date", kind, 300, (1.0, 7.0)),
                column("last_order_date", ColumnKind::Date, 300, (2.0, 8.0)),
                column("orders", ColumnKind::Integer, 9, (1.0, 9.0)),
                column("total_spend", ColumnKind::Number, 900, (0.5, 90.5)),
            ]
        };
        assert!(guessed_export(columns(ColumnKind::Date)).is_some());
        assert_eq!(guessed_export(columns(ColumnKind::Text)), None);
    }

    #[test]
    fn the_columns_of_a_log() {
        let overview = file(vec![
            column("Id", ColumnKind::Integer, 200, (1.0, 200.0)),
            column("Date", ColumnKind::Date, 300, (1.0, 7.0)),
            column("Price", ColumnKind::Number, 300, (1.0, 7.0)),
        ]);
        let found = log(&Named::all(&overview)).expect("a log").columns;
        assert_eq!(found.value, ["Price"]);
        assert_eq!(found.customer_id, "Id");
    }
}
