//! A small CSV file with one number for each month or date, such as a price index.

use std::path::Path;

use chrono::{Datelike, Months, NaiveDate};
use csv::{ReaderBuilder, StringRecord};

use crate::error::Error;
use crate::storage::bounded::{SMALL, read};

/// Names of the column of months or dates.
const DATES: [&str; 3] = ["month", "date", "from"];
/// Names of the column of numbers.
const NUMBERS: [&str; 5] = ["level", "factor", "index", "cpi", "value"];
/// Characters between fields, of which the one that splits the header best is taken.
const SEPARATORS: [u8; 3] = *b",;\t";

/// Reads an index: its entries in the order of time, a month as its first day. There is at least one,
/// every number is above 0, and no month between the first and the last is without one.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::Input`] when it is no such file, with the line.
pub fn read_index(path: &Path) -> Result<Vec<(NaiveDate, f64)>, Error> {
    let bytes = read(path, SMALL).map_err(Error::io(path, "read the index"))?;
    let fault = |fault: String| Error::input(path.display(), fault);
    let text = String::from_utf8(bytes)
        .map_err(|_| fault("the index is not UTF-8 text: save it as CSV (UTF-8)".to_owned()))?;
    entries(text.trim_start_matches('\u{feff}')).map_err(fault)
}

/// One line of the index.
struct Entry {
    line: u64,
    date: NaiveDate,
    number: f64,
}

fn entries(text: &str) -> Result<Vec<(NaiveDate, f64)>, String> {
    let header = text.lines().next().unwrap_or_default();
    let parts = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    let separator = SEPARATORS.into_iter().rev().max_by_key(parts).unwrap_or(b',');
    let mut reader =
        ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| format!("line 1: {error}"))?.clone();
    let [date, number] = [column(&names, &DATES)?, column(&names, &NUMBERS)?];
    let mut found = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("the index cannot be read: {error}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default().trim();
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        found.push(Entry {
            line,
            date: date_of(field(date)).map_err(|fault| format!("line {line}: {fault}"))?,
            number: number_of(field(number)).map_err(|fault| format!("line {line}: {fault}"))?,
        });
    }
    found.sort_by_key(|entry| entry.date);
    without_gaps(&found)?;
    Ok(found.into_iter().map(|entry| (entry.date, entry.number)).collect())
}

/// The one column of the header with one of these names.
fn column(names: &StringRecord, known: &[&str]) -> Result<usize, String> {
    let is_known = |name: &str| known.contains(&name.trim().to_lowercase().as_str());
    let mut found = names.iter().enumerate().filter(|(_, name)| is_known(name));
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (first, _) => {
            let how_many = if first.is_some() { "several columns" } else { "no column" };
            let header: Vec<&str> = names.iter().collect();
            Err(format!(
                "line 1: there is {how_many} named {}, the columns are {:?}: write a header such as \
                 month,level",
                known.join(" or "),
                header.join(", ")
            ))
        }
    }
}

fn date_of(text: &str) -> Result<NaiveDate, String> {
    let parse = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let month = if text.len() == 7 { parse(&format!("{text}-01")) } else { None };
    month
        .or_else(|| parse(text))
        .ok_or_else(|| format!("{text:?} is not a month or date: write 2021-06 or 2021-06-01"))
}

fn number_of(text: &str) -> Result<f64, String> {
    // A decimal comma, where no point says otherwise.
    let text_with_point = match text.contains('.') {
        true => text.to_owned(),
        false => text.replacen(',', ".", 1),
    };
    match text_with_point.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        Ok(_) => Err(format!("{text:?} is not above 0")),
        Err(_) => Err(format!("{text:?} is not a number: write 1234.5")),
    }
}

/// Refuses an index that is empty, has a date twice, or lacks a month in between.
fn without_gaps(entries: &[Entry]) -> Result<(), String> {
    if entries.is_empty() {
        return Err("the index has no line below its header".to_owned());
    }
    for pair in entries.windows(2) {
        let [before, after] = pair else { continue };
        let lines = [before.line.min(after.line), before.line.max(after.line)];
        if before.date == after.date {
            return Err(format!(
                "lines {} and {}: {} is there twice",
                lines[0], lines[1], after.date
            ));
        }
        let month = |date: NaiveDate| date.year() * 12 + date.month0() as i32;
        if month(after.date) > month(before.date) + 1 {
            let missing = before.date.checked_add_months(Months::new(1)).unwrap_or(after.date);
            return Err(format!(
                "line {}: there is nothing for {} before {}: add the missing months",
                after.line,
                missing.format("%Y-%m"),
                after.date.format("%Y-%m")
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_in_any_of_its_forms() {
        let expected = vec![("2020-01-01", 100.0), ("2020-02-01", 101.5)];
        for text in [
            "month,level\n2020-01,100\n2020-02,101.5\n",
            "Month;Level\r\n2020-01;100\r\n2020-02;101,5\r\n",
            "factor\tdate\n101.5\t2020-02-01\n100\t2020-01-01\n\n",
            "country,month,cpi,note\nTR,2020-01,100,\nTR,2020-02,101.5,\"a, b\"\n",
        ] {
            let found = entries(text).expect("an index");
            let found: Vec<(String, f64)> =
                found.into_iter().map(|(date, level)| (date.to_string(), level)).collect();
            let found: Vec<(&str, f64)> =
                found.iter().map(|(date, level)| (date.as_str(), *level)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("", "no column named month"),
            ("2020-01,100\n2020-02,101\n", "no column named month or date"),
            ("month,price\n2020-01,100\n", "no column named level or factor"),
            ("month,level,factor\n2020-01,1,1\n", "several columns named level"),
            ("month,level\n", "no line below its header"),
            ("month,level\n2020-01,100\n2020-13,101\n", "line 3: \"2020-13\" is not a month"),
            ("month,level\n01.2020,100\n", "line 2: \"01.2020\" is not a month or date"),
            ("month,level\n2020-01,a lot\n", "line 2: \"a lot\" is not a number"),
            ("month,level\n2020-01,0\n", "line 2: \"0\" is not above 0"),
            ("month,level\n2020-01,NaN\n", "line 2: \"NaN\" is not above 0"),
            ("month,level\n2020-01\n", "line 2: \"\" is not a number"),
            (
                "month,level\n2020-01,1\n2020-02,1\n2020-01,2\n",
                "lines 2 and 4: 2020-01-01 is there twice",
            ),
            (
                "month,level\n2020-01,1\n2020-04,1\n",
                "line 3: there is nothing for 2020-02 before 2020-04",
            ),
        ] {
            let fault = entries(text).expect_err(text);
            assert!(fault.contains(said), "{text}: {fault}");
        }
    }
}
