//! Finds the date format of a column from all its values, or refuses the column, and reads dates.

use chrono::{Datelike, NaiveDate, NaiveDateTime};
use polars::prelude::*;

use crate::error::Error;
use crate::frame::input::typed::stripped;
use crate::frame::{collected, query_bool, streamed};

/// Formats that `auto` knows. Month, day and a two-digit year may lack the leading zero.
const FORMATS: &[&str] = &[
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", // year first
    "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y", // day first
    "%m.%d.%Y", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y", // month first
];
/// A year outside this range is a misread date.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;
/// Bytes of the longest date without a time of day.
const LONGEST_DAY: u32 = 10;
/// Bytes of the longest text that is tried as a date.
const LONGEST: usize = 64;
/// Rows that [`glimpse`] reads.
const GLIMPSE: u32 = 20_000;

/// How the dates of an input are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    /// strftime pattern.
    pattern: String,
    /// Where the time of day begins, which is cut off.
    time: TimeOfDay,
}

/// Where a time of day begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeOfDay {
    /// No time of day.
    None,
    /// After ten bytes in every row: dates with leading zeros.
    AfterTenBytes,
    /// After the first blank or T.
    AfterBlank,
}

impl std::fmt::Display for DateFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = if self.time == TimeOfDay::None { "" } else { ", with a time of day" };
        write!(f, "{}{time}", self.pattern)
    }
}

/// Whether a text is a date in a format that `auto` knows, with or without a time of day.
pub fn is_known(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let bare = day.bytes().all(|byte| byte.is_ascii_digit());
    let possible = if bare { day.len() == 8 } else { (6..=10).contains(&day.len()) };
    possible && FORMATS.iter().any(|format| read(day, format).is_some())
}

/// Whether a text is a date in a given format; for `auto`, in a format that `auto` knows.
pub fn is_in(text: &str, setting: &str) -> bool {
    if setting == "auto" {
        return is_known(text);
    }
    let with_time = NaiveDateTime::parse_from_str(text, setting).is_ok();
    with_time || NaiveDate::parse_from_str(text, setting).is_ok()
}

/// The date part of a text column, without the time of day.
fn day_part(name: &str, time: TimeOfDay) -> Expr {
    let text = stripped(name);
    match time {
        TimeOfDay::None => text,
        TimeOfDay::AfterTenBytes => text.str().slice(lit(0), lit(LONGEST_DAY)),
        TimeOfDay::AfterBlank => text.str().extract(lit("^([^T ]+)"), 1),
    }
}

/// The dates of column `name` in a settled format; null where one cannot be read or has a year
/// outside 1900 to 2199.
pub fn parsed(name: &str, dtype: &DataType, format: &DateFormat) -> Expr {
    let date = unchecked(name, dtype, format);
    when(is_plausible(date.clone())).then(date).otherwise(lit(NULL))
}

/// As [`parsed`], but with any year.
pub fn unchecked(name: &str, dtype: &DataType, format: &DateFormat) -> Expr {
    match dtype {
        DataType::Date => return col(name),
        // The local date where the order was placed, not the date in UTC.
        DataType::Datetime(..) => return col(name).dt().date(),
        _ => {}
    }
    let pattern = format.pattern.as_str();
    let options =
        StrptimeOptions { format: Some(pattern.into()), strict: false, ..Default::default() };
    let text = day_part(name, format.time);
    if has_time(pattern) {
        text.str().to_datetime(None, None, options, lit("null")).cast(DataType::Date)
    } else {
        text.str().to_date(options)
    }
}

fn is_date(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Date | DataType::Datetime(..))
}

/// Whether there is a date with a year from 1900 to 2199.
pub fn is_plausible(date: Expr) -> Expr {
    let first = |year| lit(day_number(year)).cast(DataType::Date);
    let (first, after) = (first(*YEARS.start()), first(*YEARS.end() + 1));
    date.clone().gt_eq(first).and(date.lt(after)).fill_null(lit(false))
}

/// Days from 1970-01-01 to the first day of a year.
fn day_number(year: i32) -> i32 {
    NaiveDate::from_yo_opt(year, 1).map_or(0, |date| date.to_epoch_days())
}

fn has_time(format: &str) -> bool {
    ["%H", "%I", "%T", "%R", "%M", "%S", "%X", "%c", "%s", "%+", "%r"]
        .iter()
        .any(|specifier| format.contains(specifier))
}

/// The date format of the text columns `names`, from all of them together. `setting` is `auto` or a
/// strftime pattern, which is taken as it is.
///
/// # Errors
/// [`Error::Input`] when no known format reads them, formats are mixed, or day and month are
/// ambiguous; [`Error::Engine`] when the columns cannot be read.
pub fn settle(
    frame: &LazyFrame,
    names: &[&str],
    setting: &str,
    place: &str,
    engine: Engine,
) -> Result<DateFormat, Error> {
    if setting != "auto" {
        return Ok(DateFormat { pattern: setting.to_owned(), time: TimeOfDay::None });
    }
    let failed = || Error::engine("look at the dates");
    let names = text_columns(frame, names).map_err(failed())?;
    let time = time_of_day(frame, &names, engine).map_err(failed())?;
    let days = all_days(frame, &names, time, engine).map_err(failed())?;
    let pattern = choose(&days, &names).map_err(|fault| Error::input(place, fault))?;
    Ok(DateFormat { pattern, time })
}

/// As [`settle`], from the first rows only. For `auto`, returns `None` unless exactly one format
/// reads all of them. If that format also reads the rest of the column, [`settle`] would have
/// chosen it too, because every other format fails in the first rows.
pub fn glimpse(frame: &LazyFrame, names: &[&str], setting: &str) -> Option<DateFormat> {
    let columns: Vec<Expr> = names.iter().map(|name| col(*name)).collect();
    let first = streamed(frame.clone().select(columns).limit(GLIMPSE)).ok()?;
    let (first, engine) = (first.lazy(), Engine::InMemory);
    if setting != "auto" {
        return settle(&first, names, setting, "", engine).ok();
    }
    let names = text_columns(&first, names).ok()?;
    let time = time_of_day(&first, &names, engine).ok()?;
    let days = all_days(&first, &names, time, engine).ok()?;
    let reads_all = |format: &&&str| days.iter().all(|day| read(day, format).is_some());
    let mut readers = FORMATS.iter().filter(reads_all);
    match (readers.next(), readers.next()) {
        (Some(only), None) => Some(DateFormat { pattern: (*only).to_owned(), time }),
        _ => None,
    }
}

/// The columns that are text; the others hold dates already.
fn text_columns<'a>(frame: &LazyFrame, names: &[&'a str]) -> PolarsResult<Vec<&'a str>> {
    let schema = frame.clone().collect_schema()?;
    let is_text = |name: &&&str| schema.get(name).is_some_and(|dtype| !is_date(dtype));
    Ok(names.iter().filter(is_text).copied().collect())
}

/// Where a time of day begins, if any text is long enough to have one.
fn time_of_day(frame: &LazyFrame, names: &[&str], engine: Engine) -> PolarsResult<TimeOfDay> {
    if names.is_empty() {
        return Ok(TimeOfDay::None);
    }
    let is_long = |name: &str| stripped(name).str().len_bytes().gt(lit(LONGEST_DAY));
    let cut =
        |name: &str, from: u32, length: u32| stripped(name).str().slice(lit(from), lit(length));
    let after_ten = |name: &str| {
        let between = cut(name, LONGEST_DAY, 1);
        let blank = cut(name, 0, LONGEST_DAY).str().contains_literal(lit(" "));
        is_long(name).not().or(between
            .clone()
            .eq(lit(" "))
            .or(between.eq(lit("T")))
            .and(blank.not()))
    };
    let everywhere = |is: &dyn Fn(&str) -> Expr| {
        let of_each = names.iter().map(|name| is(name).all(true));
        query_bool(frame, of_each.reduce(Expr::and).unwrap_or(lit(true)), engine)
    };
    // A fixed width is tried first: slicing is cheaper than a regular expression.
    Ok(if everywhere(&|name| is_long(name).not())? {
        TimeOfDay::None
    } else if everywhere(&after_ten)? {
        TimeOfDay::AfterTenBytes
    } else {
        TimeOfDay::AfterBlank
    })
}

/// The distinct date texts of all columns.
fn all_days(
    frame: &LazyFrame,
    names: &[&str],
    time: TimeOfDay,
    engine: Engine,
) -> PolarsResult<Vec<String>> {
    let mut days = Vec::new();
    for name in names {
        days.extend(distinct_days(frame, name, time, engine)?);
    }
    Ok(days)
}

fn distinct_days(
    frame: &LazyFrame,
    name: &str,
    time: TimeOfDay,
    engine: Engine,
) -> PolarsResult<Vec<String>> {
    let days = day_part(name, time).unique().drop_nulls().sort(SortOptions::default());
    let days = collected(frame.clone().select([days]), engine)?;
    let days = days.column(name)?.str()?;
    Ok(days.iter().flatten().filter(|day| day.len() <= LONGEST).map(str::to_owned).collect())
}

fn choose(days: &[String], names: &[&str]) -> Result<String, String> {
    if days.is_empty() {
        return Ok(FORMATS[0].to_owned());
    }
    let readings: Vec<(&str, Vec<Option<NaiveDate>>)> = FORMATS
        .iter()
        .map(|format| (*format, days.iter().map(|day| read(day, format)).collect()))
        .collect();
    let successes = |dates: &[Option<NaiveDate>]| dates.iter().flatten().count();
    let most = readings.iter().map(|(_, dates)| successes(dates)).max().unwrap_or(0);
    let columns = names.join(" and ");
    if most == 0 {
        return Err(format!(
            "no known date format reads {columns}; the first value is {:?}: set date_format in \
             [input], for instance date_format = \"%d %b %Y\"",
            days[0]
        ));
    }
    let best: Vec<_> = readings.iter().filter(|(_, dates)| successes(dates) == most).collect();
    // Formats that read every text as the same date do not conflict, as with 03/03/2021.
    match best.iter().find(|(_, dates)| *dates != best[0].1) {
        None => one_way(days, best[0], &readings).map(|()| best[0].0.to_owned()),
        Some((other, _)) => Err(format!(
            "day and month of {columns} cannot be told apart: {:?} and all others fit both {} and \
             {other}; set date_format = \"{}\" or date_format = \"{other}\" in [input]",
            ambiguous_example(days, best[0].0, other),
            best[0].0,
            best[0].0,
        )),
    }
}

/// Refuses a column in which more than 5 % of the distinct dates have another known format.
fn one_way(
    days: &[String],
    best: &(&str, Vec<Option<NaiveDate>>),
    readings: &[(&str, Vec<Option<NaiveDate>>)],
) -> Result<(), String> {
    const SIZEABLE: f64 = 0.05;
    let unread = |other: &[Option<NaiveDate>]| {
        best.1.iter().zip(other).filter(|(best, other)| best.is_none() && other.is_some()).count()
    };
    let other = readings.iter().max_by_key(|(_, dates)| unread(dates));
    match other {
        Some((format, dates)) if unread(dates) as f64 > SIZEABLE * days.len() as f64 => {
            Err(format!(
                "dates are written in more than one way, some as {} and some as {format}: write \
                 them all the same way, or set date_format in [input] and find the others in \
                 quarantine.parquet",
                best.0
            ))
        }
        _ => Ok(()),
    }
}

fn ambiguous_example<'a>(days: &'a [String], one: &str, other: &str) -> &'a str {
    days.iter().find(|day| read(day, one) != read(day, other)).map_or("", String::as_str)
}

fn read(day: &str, format: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(day, format).ok().filter(|date| YEARS.contains(&date.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(days: &[&str]) -> Result<String, String> {
        let days: Vec<String> = days.iter().map(|day| (*day).to_owned()).collect();
        choose(&days, &["d"])
    }

    #[test]
    fn the_whole_column_settles_the_order() {
        assert_eq!(chosen(&["2020-10-30", "2021-02-03"]).as_deref(), Ok("%Y-%m-%d"));
        assert_eq!(chosen(&["03.04.2021", "25.04.2021"]).as_deref(), Ok("%d.%m.%Y"));
        assert_eq!(chosen(&["3/4/2021", "4/25/2021"]).as_deref(), Ok("%m/%d/%Y"));
        assert_eq!(chosen(&["12/31/10", "1/2/11"]).as_deref(), Ok("%m/%d/%y"));
        assert_eq!(chosen(&["20200131"]).as_deref(), Ok("%Y%m%d"));
    }

    #[test]
    fn an_ambiguous_column_is_refused_with_the_remedy() {
        let fault = chosen(&["03/04/2021", "05/06/2021"]).expect_err("ambiguous");
        assert!(fault.contains("date_format = \"%d/%m/%Y\""), "{fault}");
        assert!(fault.contains("date_format = \"%m/%d/%Y\""), "{fault}");
    }

    #[test]
    fn two_ways_of_writing_are_refused() {
        let fault = chosen(&["2020-10-30", "2021-02-03", "25.04.2021"]).expect_err("mixed");
        assert!(fault.contains("more than one way"), "{fault}");
    }

    #[test]
    fn the_same_date_either_way_is_not_ambiguous() {
        assert_eq!(chosen(&["03/03/2021"]).as_deref(), Ok("%d/%m/%Y"));
    }

    #[test]
    fn text_is_no_date() {
        assert!(chosen(&["KADIN"]).expect_err("no date").contains("KADIN"));
    }
}
