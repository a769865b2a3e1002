//! A pipeline for a data file that nobody has described: guessed, tried on the data, and told to the
//! user in a few lines.

use std::path::Path;

use crate::cli::pipeline_text::{self, Intervals};
use crate::cli::terminal::{Page, plain_table};
use crate::error::Error;
use crate::frame::guess::guess;
use crate::frame::guess::inspect::{Overview, Stated, inspect};
use crate::frame::guess::named::Guess;
use crate::pipeline::prepare::prepare;
use crate::pipeline::selection::moving_advice;
use crate::results::numbers::count;
use crate::safe_text::printable::printable;
use crate::settings::{InputKind, Overrides, parse};

/// A guessed pipeline.
pub struct Draft {
    /// The text of its file.
    pub text: String,
    overview: Overview,
    guess: Guess,
    /// The lines of `[selection]`; `None` when the file shows no sign of one.
    selection: Option<Vec<String>>,
}

impl Draft {
    /// Guesses what the columns are, and tries the pipeline on the data, to make sure that it runs as
    /// it is, and to add a section for signs of a selection.
    ///
    /// # Errors
    /// When the file cannot be read, or no columns can be told.
    pub fn of(
        input: &str,
        name: &str,
        stated: &Stated,
        intervals: Intervals,
        as_of: Option<&str>,
    ) -> Result<Self, Error> {
        let overview = inspect(input, stated)?;
        let guess = guess(&overview)?;
        let plain = pipeline_text::Frame { name, selection: None, intervals };
        let text = pipeline_text::pipeline(&guess, &overview, &plain);
        // The window of a selection ends with the observation.
        let stated_end = Overrides { as_of: as_of.map(str::to_owned), ..Overrides::default() };
        let settings = parse(&text, &stated_end)
            .map_err(|faults| Error::Settings { place: input.to_owned(), faults })?;
        let prepared = prepare(&settings)?;
        let selection = moving_advice(&prepared.signs, settings.summary.time_unit);
        let text = match &selection {
            None => text,
            Some(lines) => {
                let frame = pipeline_text::Frame { selection: Some(lines), ..plain };
                pipeline_text::pipeline(&guess, &overview, &frame)
            }
        };
        Ok(Self { text, overview, guess, selection })
    }

    /// What was taken for what, in about five lines.
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        let what = match self.guess.kind {
            InputKind::Customers => "one per customer",
            InputKind::Transactions => "one per order line",
        };
        let rows = count(self.overview.rows);
        page.heading(&format!("{}: {rows} rows, taken as {what}", self.overview.path));
        let columns = &self.guess.columns;
        let dates = [&columns.first_order_date, &columns.last_order_date, &columns.order_date];
        let dates: Vec<&str> = dates.into_iter().flatten().map(String::as_str).collect();
        let mut table = plain_table();
        for (name, text) in [
            ("customer", columns.customer_id.clone()),
            ("dates", dates.join(", ")),
            ("orders", orders(&self.guess)),
            ("value", value(&self.guess)),
            ("kept", columns.keep.join(", ")),
        ] {
            if !text.is_empty() {
                table.add_row([name.to_owned(), printable(&text)]);
            }
        }
        page.table(&table);
        if let Some(lines) = &self.selection {
            let limits: Vec<&str> = lines.iter().skip(1).map(String::as_str).collect();
            page.paragraph(
                "·",
                4,
                &format!(
                    "Only a part of the customers ever acquired is in the file: the fit is corrected \
                     for it ({}).",
                    limits.join(", ")
                ),
            );
        }
        page
    }
}

fn orders(guess: &Guess) -> String {
    match guess.kind {
        InputKind::Customers => guess.columns.orders.join(" + "),
        InputKind::Transactions => match &guess.columns.order_id {
            Some(id) => format!("lines with the same {id}"),
            None => "each line is one".to_owned(),
        },
    }
}

fn value(guess: &Guess) -> String {
    let columns = &guess.columns;
    match (&columns.quantity, &columns.unit_price) {
        (Some(quantity), Some(price)) if columns.value.is_empty() => {
            format!("{quantity} × {price}")
        }
        _ if columns.has_money() => columns.value.join(" + "),
        _ => "none: orders and P(alive) only".to_owned(),
    }
}

/// A name for the pipeline and its output folder, made from the input's file name.
pub fn name_of(input: &str) -> String {
    let stem = Path::new(input).file_stem().map_or(String::new(), |stem| {
        stem.to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
    });
    match stem.trim_matches('_') {
        "" => "pipeline".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pipelines() {
        assert_eq!(name_of("data/flo sample.csv"), "flo_sample");
        assert_eq!(name_of("data/2021*.csv"), "2021");
        assert_eq!(name_of("exports/"), "exports");
        assert_eq!(name_of("*.csv"), "pipeline");
    }
}
