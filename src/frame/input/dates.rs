//! Finds the date format of a column from all its values, or refuses the column, and reads dates.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use polars::prelude::*;

use crate::error::Error;
use crate::frame::input::date_text::DateText;
use crate::frame::input::notation::{is_missing, unprotected};
use crate::frame::input::numbers::each;
use crate::frame::input::typed::stripped;
use crate::frame::{collected, query_bool, streamed};

/// Formats that `auto` knows. Month, day and a two-digit year may lack the leading zero.
const FORMATS: &[&str] = &[
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", // year first
    "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y", // day first
    "%m.%d.%Y", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y", // month first
    "%y-%m-%d", "%y/%m/%d", "%y.%m.%d", // two-digit year first
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
pub enum DateFormat {
    /// A strftime pattern.
    Pattern {
        /// The pattern.
        pattern: String,
        /// Where the time of day begins, which is cut off.
        time: TimeOfDay,
    },
    /// Names of months, or numbers of days or seconds.
    Text(DateText),
}

/// Where a time of day begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOfDay {
    /// No time of day.
    None,
    /// After ten bytes in every row: dates with leading zeros.
    AfterTenBytes,
    /// After the first blank or T.
    AfterBlank,
}

impl std::fmt::Display for DateFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pattern { pattern, time: TimeOfDay::None } => f.write_str(pattern),
            Self::Pattern { pattern, .. } => write!(f, "{pattern}, with a time of day"),
            Self::Text(form) => f.write_str(form.name()),
        }
    }
}

/// Whether a text is a date in a format that `auto` knows, with or without a time of day. Dates that
/// are stored as numbers are left out: most numbers are none.
pub fn is_known(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let bare = day.bytes().all(|byte| byte.is_ascii_digit());
    let possible = if bare { day.len() == 8 } else { (6..=10).contains(&day.len()) };
    let by_pattern = || FORMATS.iter().any(|format| read(day, format).is_some());
    (possible && by_pattern()) || (text.len() <= LONGEST && is_named(text))
}

/// Whether a text is a date with the name of its month.
fn is_named(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && DateText::ALL.into_iter().any(|form| !form.is_number() && form.read(text).is_some())
}

/// Whether a text is a date that is stored as a number of days, seconds or digits.
pub fn is_number(text: &str) -> bool {
    DateText::ALL.into_iter().any(|form| form.is_number() && form.read(text).is_some())
}

/// Whether a text is a date in a given format; for `auto`, in a format that `auto` knows.
pub fn is_in(text: &str, setting: &str) -> bool {
    if setting == "auto" {
        return is_known(text);
    }
    match DateText::named(setting) {
        Some(form) => form.read(text).is_some(),
        None => with_pattern(text, setting).is_some(),
    }
}

/// The date of a text by a strftime pattern: the day as written, whatever its offset from UTC.
fn with_pattern(text: &str, pattern: &str) -> Option<NaiveDate> {
    let with_offset = || DateTime::parse_from_str(text, pattern).ok().map(|time| time.date_naive());
    let with_time = || NaiveDateTime::parse_from_str(text, pattern).ok().map(|time| time.date());
    NaiveDate::parse_from_str(text, pattern).ok().or_else(with_time).or_else(with_offset)
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
    let (pattern, time) = match format {
        DateFormat::Text(form) => {
            let form = *form;
            return read_each(name, move |text| form.read(text));
        }
        // Polars would turn a time with an offset into UTC, where it can be another day.
        DateFormat::Pattern { pattern, .. } if has_offset(pattern) => {
            let pattern = pattern.clone();
            return read_each(name, move |text| with_pattern(text, &pattern));
        }
        DateFormat::Pattern { pattern, time } => (pattern.as_str(), *time),
    };
    let options =
        StrptimeOptions { format: Some(pattern.into()), strict: false, ..Default::default() };
    let text = day_part(name, time);
    if has_time(pattern) {
        text.str().to_datetime(None, None, options, lit("null")).cast(DataType::Date)
    } else {
        text.str().to_date(options)
    }
}

/// Reads each text of a column by a function.
fn read_each(name: &str, read: impl Fn(&str) -> Option<NaiveDate> + Send + Sync + 'static) -> Expr {
    each(name, DataType::Date, move |texts| {
        let day = |text: &str| read(unprotected(text.trim())).map(|day| day.to_epoch_days());
        let days = texts.iter().map(|text| text.and_then(day));
        Int32Chunked::from_iter_options(texts.name().clone(), days).into_date().into_column()
    })
}

fn has_offset(pattern: &str) -> bool {
    ["%z", "%:z", "%::z", "%#z", "%+"].iter().any(|specifier| pattern.contains(specifier))
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
    let failed = || Error::engine("look at the dates");
    let names = text_columns(frame, names).map_err(failed())?;
    let time = time_of_day(frame, &names, engine).map_err(failed())?;
    if let Some(stated) = stated(setting, time) {
        return Ok(stated);
    }
    let days = all_days(frame, &names, Some(time), engine).map_err(failed())?;
    let chosen = choose(&days, &names);
    if let Ok((pattern, read)) = &chosen
        && *read == days.len()
    {
        return Ok(DateFormat::Pattern { pattern: pattern.clone(), time });
    }
    let texts = all_days(frame, &names, None, engine).map_err(failed())?;
    if let Some(form) = one_form(&texts) {
        return Ok(DateFormat::Text(form));
    }
    let (pattern, _) = chosen.map_err(|fault| Error::input(place, fault))?;
    Ok(DateFormat::Pattern { pattern, time })
}

/// The format that a setting states, for texts with a time of day or without. Returns `None` for
/// `auto`.
fn stated(setting: &str, time: TimeOfDay) -> Option<DateFormat> {
    let is_whole = has_time(setting) || has_offset(setting) || setting.contains(' ');
    let time = if is_whole { TimeOfDay::None } else { time };
    let pattern = || DateFormat::Pattern { pattern: setting.to_owned(), time };
    (setting != "auto").then(|| DateText::named(setting).map_or_else(pattern, DateFormat::Text))
}

/// The form that reads nearly all texts, and more than any other.
fn one_form(texts: &[String]) -> Option<DateText> {
    const NEARLY_ALL: f64 = 0.95;
    let read = |form: DateText| {
        let text = |text: &&String| form.read(unprotected(text.trim())).is_some();
        texts.iter().filter(text).count()
    };
    let mut counts: Vec<(usize, DateText)> =
        DateText::ALL.into_iter().map(|form| (read(form), form)).collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let enough = |count: usize| count > 0 && count as f64 >= NEARLY_ALL * texts.len() as f64;
    match counts.as_slice() {
        [(best, form), (second, _), ..] if enough(*best) && second < best => Some(*form),
        // 2-digit years first or last: where both read all, the span of the dates decides.
        [(best, form), (second, other), ..] if enough(*best) && second == best => {
            let span =
                |form: DateText| span(texts.iter().map(|text| form.read(unprotected(text.trim()))));
            shorter([*form, *other], span)
        }
        _ => None,
    }
}

/// Days from the first to the last date.
fn span(dates: impl Iterator<Item = Option<NaiveDate>>) -> i64 {
    let (mut first, mut last) = (NaiveDate::MAX, NaiveDate::MIN);
    for date in dates.flatten() {
        (first, last) = (first.min(date), last.max(date));
    }
    (last - first).num_days()
}

/// Of two readings, the one whose dates span far less. Read the wrong way, the days of a month
/// become years, and a few years become decades.
fn shorter<T: Copy>(readings: [T; 2], span: impl Fn(T) -> i64) -> Option<T> {
    const FAR: i64 = 4;
    let [one, other] = readings.map(&span);
    if one.saturating_mul(FAR) < other {
        Some(readings[0])
    } else if other.saturating_mul(FAR) < one {
        Some(readings[1])
    } else {
        None
    }
}

/// As [`settle`], from the first rows only. For `auto`, returns `None` unless exactly one format
/// reads all of them. If that format also reads the rest of the column, [`settle`] would have
/// chosen it too, because every other format fails in the first rows.
pub fn glimpse(frame: &LazyFrame, names: &[&str], setting: &str) -> Option<DateFormat> {
    let columns: Vec<Expr> = names.iter().map(|name| col(*name)).collect();
    let first = streamed(frame.clone().select(columns).limit(GLIMPSE)).ok()?;
    let (first, engine) = (first.lazy(), Engine::InMemory);
    let names = text_columns(&first, names).ok()?;
    let time = time_of_day(&first, &names, engine).ok()?;
    if let Some(stated) = stated(setting, time) {
        return Some(stated);
    }
    let days = all_days(&first, &names, Some(time), engine).ok()?;
    let reads_all = |format: &&&str| days.iter().all(|day| read(day, format).is_some());
    let mut readers = FORMATS.iter().filter(reads_all);
    match (readers.next(), readers.next()) {
        (Some(only), None) => Some(DateFormat::Pattern { pattern: (*only).to_owned(), time }),
        (Some(_), Some(_)) => None,
        (None, _) => {
            let texts = all_days(&first, &names, None, engine).ok()?;
            let form = one_form(&texts)?;
            let reads = |text: &String| form.read(unprotected(text.trim())).is_some();
            texts.iter().all(reads).then_some(DateFormat::Text(form))
        }
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

/// The distinct date texts of all columns, without the time of day or, for `None`, with it.
fn all_days(
    frame: &LazyFrame,
    names: &[&str],
    time: Option<TimeOfDay>,
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
    time: Option<TimeOfDay>,
    engine: Engine,
) -> PolarsResult<Vec<String>> {
    let texts = time.map_or_else(|| stripped(name), |time| day_part(name, time));
    let days = texts.unique().drop_nulls().sort(SortOptions::default());
    let days = collected(frame.clone().select([days]), engine)?;
    let days = days.column(name)?.str()?;
    Ok(days
        .iter()
        .flatten()
        .filter(|day| day.len() <= LONGEST && !is_missing(day))
        .map(str::to_owned)
        .collect())
}

/// The pattern that reads most of the texts, and how many it reads.
fn choose(days: &[String], names: &[&str]) -> Result<(String, usize), String> {
    if days.is_empty() {
        return Ok((FORMATS[0].to_owned(), 0));
    }
    let readings: Vec<Reading> = FORMATS
        .iter()
        .map(|format| (*format, days.iter().map(|day| read(day, format)).collect()))
        .collect();
    let successes = |dates: &[Option<NaiveDate>]| dates.iter().flatten().count();
    let most = readings.iter().map(|(_, dates)| successes(dates)).max().unwrap_or(0);
    let columns = names.join(" and ");
    if most == 0 {
        return Err(format!(
            "no known date format reads {columns}; the first value is {:?}: {}",
            days[0],
            to_set("%d %b %Y"),
        ));
    }
    let best: Vec<&Reading> =
        readings.iter().filter(|(_, dates)| successes(dates) == most).collect();
    let best = by_place_of_year(best);
    // Formats that read every text as the same date do not conflict, as with 03/03/2021.
    match best.iter().find(|(_, dates)| *dates != best[0].1) {
        None => one_way(days, best[0], &readings).map(|()| (best[0].0.to_owned(), most)),
        Some((other, _)) => Err(format!(
            "day and month of {columns} cannot be told apart: {:?} and all others fit both {} and \
             {other}; set date_format = \"{}\" or date_format = \"{other}\" in [input], or give it \
             with --date-format",
            ambiguous_example(days, best[0].0, other),
            best[0].0,
            best[0].0,
        )),
    }
}

/// A pattern and the dates that it reads.
type Reading = (&'static str, Vec<Option<NaiveDate>>);

/// The remedy that names the key and the flag for the date format.
fn to_set(example: &str) -> String {
    format!(
        "set date_format in [input], for instance date_format = \"{example}\", or give it with \
         --date-format"
    )
}

/// Where a two-digit year could stand first or last, the readings whose dates span far less.
fn by_place_of_year(readings: Vec<&Reading>) -> Vec<&Reading> {
    let (first, last): (Vec<&Reading>, Vec<&Reading>) =
        readings.iter().copied().partition(|(format, _)| format.starts_with("%y"));
    let shortest = |readings: &Vec<&Reading>| {
        readings.iter().map(|(_, dates)| span(dates.iter().copied())).min().unwrap_or(0)
    };
    if first.is_empty() || last.is_empty() {
        return readings;
    }
    match shorter([&first, &last], shortest) {
        Some(shorter) => shorter.clone(),
        None => readings,
    }
}

/// Refuses a column in which several dates have another known format.
fn one_way(days: &[String], best: &Reading, readings: &[Reading]) -> Result<(), String> {
    // A single one may be a slip of the pen; it is set aside as unreadable.
    const SEVERAL: usize = 2;
    let only_other = |other: &[Option<NaiveDate>]| -> Vec<usize> {
        let pairs = best.1.iter().zip(other).enumerate();
        pairs
            .filter(|(_, (best, other))| best.is_none() && other.is_some())
            .map(|(i, _)| i)
            .collect()
    };
    let other = readings.iter().max_by_key(|(_, dates)| only_other(dates).len());
    match other.map(|(format, dates)| (format, only_other(dates))) {
        Some((format, unread)) if unread.len() >= SEVERAL => Err(format!(
            "dates are written in more than one way: {} different ones can be read as {}, and {} only \
             as {format}, such as {:?}: write them all the same way, or state the right one as \
             date_format in [input] or with --date-format, and find the others in quarantine.parquet",
            best.1.iter().flatten().count(),
            best.0,
            unread.len(),
            days[unread[0]],
        )),
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
        choose(&days, &["d"]).map(|(pattern, _)| pattern)
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
        let days = ["2020-10-30", "2021-02-03", "2021-02-04", "25.04.2021", "26.04.2021"];
        let fault = chosen(&days).expect_err("mixed");
        assert!(fault.contains("more than one way") && fault.contains("25.04.2021"), "{fault}");
    }

    #[test]
    fn the_span_tells_a_two_digit_year_from_a_day() {
        let days = ["22-07-01", "22-12-31", "23-02-15", "24-06-30"];
        assert_eq!(chosen(&days).as_deref(), Ok("%y-%m-%d"));
        assert_eq!(chosen(&["01-07-22", "31-12-22", "15-02-23"]).as_deref(), Ok("%d-%m-%y"));
    }

    #[test]
    fn a_day_is_the_day_as_written() {
        let day = NaiveDate::from_ymd_opt(2022, 7, 1);
        assert_eq!(with_pattern("2022-07-01 23:30:00 -0400", "%Y-%m-%d %H:%M:%S %z"), day);
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
