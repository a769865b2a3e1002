//! A table built column by column from a list of rows.

use polars::prelude::*;

use crate::error::Error;

/// Builds a table from rows of one type, one closure per column.
pub(crate) struct TableColumns<'a, T> {
    rows: &'a [T],
    columns: Vec<Column>,
}

impl<'a, T> TableColumns<'a, T> {
    pub(crate) fn of(rows: &'a [T]) -> Self {
        Self { rows, columns: Vec::new() }
    }

    pub(crate) fn text(mut self, name: &str, of: impl Fn(&T) -> String) -> Self {
        let values: Vec<String> = self.rows.iter().map(of).collect();
        self.columns.push(Column::new(name.into(), values));
        self
    }

    pub(crate) fn count(mut self, name: &str, of: impl Fn(&T) -> usize) -> Self {
        let values: Vec<u64> = self.rows.iter().map(|row| of(row) as u64).collect();
        self.columns.push(Column::new(name.into(), values));
        self
    }

    pub(crate) fn number(self, name: &str, of: impl Fn(&T) -> f64) -> Self {
        self.optional(name, |row| Some(of(row)))
    }

    /// Adds a column of numbers, with nulls for `None`.
    pub(crate) fn optional(mut self, name: &str, of: impl Fn(&T) -> Option<f64>) -> Self {
        let values: Vec<Option<f64>> = self.rows.iter().map(of).collect();
        self.columns.push(Column::new(name.into(), values));
        self
    }

    pub(crate) fn table(self) -> Result<DataFrame, Error> {
        DataFrame::new(self.rows.len(), self.columns).map_err(Error::engine("make a table"))
    }
}
