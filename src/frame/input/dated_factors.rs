//! Small CSV files with a factor for each month or day: a season's index, a price index.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::NaiveDate;

use crate::error::Error;
use crate::settings::dates::date;
use crate::storage::bounded::{self, SMALL};

/// When a factor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// A month of every year, 1 to 12.
    Month(u32),
    /// A month of one year, 1 to 12.
    MonthOf(i32, u32),
    /// A day.
    Day(NaiveDate),
}

/// One line of the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DatedFactor {
    /// When it holds.
    pub when: When,
    /// A number above 0.
    pub factor: f64,
}

/// Names of the column of months or days, and of the column of factors.
const WHEN: [&str; 4] = ["month", "date", "day", "period"];
const FACTOR: [&str; 6] = ["factor", "index", "level", "value", "cpi", "weight"];

/// Reads the file: a header with a column of months (1 to 12, or 2021-06) or days (2021-06-01), and a
/// column of factors. Fields are separated by commas, semicolons or tabs; without commas as separators
/// a number may have a decimal comma.
///
/// # Errors
/// [`Error::Settings`] with the first thing that is wrong, and its line.
pub fn read(path: &str) -> Result<Vec<DatedFactor>, Error> {
    let failed = |fault: String| Error::Settings { place: path.to_owned(), faults: vec![fault] };
    let bytes = bounded::read(Path::new(path), SMALL)
        .map_err(|source| failed(format!("the file of factors cannot be read: {source}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| failed("the file of factors is not UTF-8 text".to_owned()))?;
    parse(text.trim_start_matches('\u{feff}')).map_err(failed)
}

fn parse(text: &str) -> Result<Vec<DatedFactor>, String> {
    let header = text.lines().next().unwrap_or_default();
    let separator =
        [b';', b'\t'].into_iter().find(|s| header.as_bytes().contains(s)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    let find = |known: &[&str]| {
        names.iter().position(|name| known.contains(&name.to_lowercase().as_str()))
    };
    let (Some(when), Some(factor)) = (find(&WHEN), find(&FACTOR)) else {
        return Err(format!(
            "its header {header:?} has no column month (or date) and factor: write month,factor"
        ));
    };
    let mut all: Vec<DatedFactor> = Vec::new();
    let mut seen = BTreeSet::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        let field = |column: usize| record.get(column).unwrap_or_default();
        let when = when_of(field(when)).ok_or_else(|| {
            format!(
                "line {line}: {:?} is no month or day: write 6, 2021-06 or 2021-06-01",
                field(when)
            )
        })?;
        let factor = number(field(factor), separator)
            .ok_or_else(|| format!("line {line}: {:?} is not a number above 0", field(factor)))?;
        if !seen.insert(when) {
            return Err(format!("line {line}: a second factor for {}", words(when)));
        }
        if all.first().is_some_and(|first| kind(first.when) != kind(when)) {
            return Err(format!(
                "line {line}: {} is of another kind than the lines before; write all as months of \
                 every year, as months of one year, or as days",
                words(when)
            ));
        }
        all.push(DatedFactor { when, factor });
    }
    if all.is_empty() {
        return Err("it has no factors below its header".to_owned());
    }
    Ok(all)
}

fn kind(when: When) -> u8 {
    match when {
        When::Month(_) => 0,
        When::MonthOf(..) => 1,
        When::Day(_) => 2,
    }
}

/// A month or a day as it is written in the file.
pub fn words(when: When) -> String {
    match when {
        When::Month(month) => format!("month {month}"),
        When::MonthOf(year, month) => format!("{year}-{month:02}"),
        When::Day(day) => day.to_string(),
    }
}

fn when_of(text: &str) -> Option<When> {
    if let Ok(day) = date(text) {
        return Some(When::Day(day));
    }
    let month = |text: &str| text.parse::<u32>().ok().filter(|month| (1..=12).contains(month));
    match text.split_once('-') {
        Some((year, rest)) if year.len() == 4 => {
            Some(When::MonthOf(year.parse().ok()?, month(rest)?))
        }
        Some(_) => None,
        None => month(text).map(When::Month),
    }
}

fn number(text: &str, separator: u8) -> Option<f64> {
    let text = match separator {
        b',' => text.to_owned(),
        _ if text.contains('.') => text.to_owned(),
        _ => text.replacen(',', ".", 1),
    };
    text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_days_in_common_notations() {
        let found = parse("Month;Factor\n1;0,71\n\n12;1,5\n").expect("sound");
        assert_eq!(
            found,
            [
                DatedFactor { when: When::Month(1), factor: 0.71 },
                DatedFactor { when: When::Month(12), factor: 1.5 },
            ]
        );
        let found = parse("cpi,date\n1130.5,2021-06-01\n").expect("sound");
        let day = date("2021-06-01").expect("a date");
        assert_eq!(found, [DatedFactor { when: When::Day(day), factor: 1130.5 }]);
        let found = parse("month\tindex\n2021-06\t1e2").expect("sound");
        assert_eq!(found, [DatedFactor { when: When::MonthOf(2021, 6), factor: 100.0 }]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            ("", "its header \"\" has no column month"),
            ("a,b\n1,2\n", "its header \"a,b\" has no column month"),
            ("month,factor\n", "it has no factors"),
            ("month,factor\n13,1\n", "line 2: \"13\" is no month"),
            ("month,factor\n1,1\n2,0\n", "line 3: \"0\" is not a number above 0"),
            ("month,factor\n1,inf\n", "line 2: \"inf\" is not a number above 0"),
            ("month,factor\n1,1\n1,2\n", "line 3: a second factor for month 1"),
            ("month,factor\n1,1\n2021-02,2\n", "line 3: 2021-02 is of another kind"),
        ] {
            let fault = parse(text).expect_err("a fault");
            assert!(fault.starts_with(expected), "{text:?}: {fault}");
        }
    }
}
