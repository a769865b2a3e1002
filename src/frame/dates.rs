//! Which date format a column is in, settled from the whole column or refused.

use chrono::{Datelike, NaiveDate};
use polars::prelude::*;

use crate::error::Error;

/// Formats that `auto` knows. Month, day and a two-digit year may lack the leading zero.
const FORMATS: &[&str] = &[
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", // year first
    "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y", // day first
    "%m.%d.%Y", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y", // month first
];
/// Years outside are misread, not meant.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;
/// A text longer than this is no date and is not tried.
const LONGEST: usize = 64;

/// The day of a text column: a trailing time of day is cut off.
fn day_part(name: &str) -> Expr {
    col(name).str().strip_chars(lit(NULL)).str().extract(lit("^([^T ]+)"), 1)
}

/// The date of column `name` under the settled `format`; null where it cannot be read.
pub fn parsed(name: &str, dtype: &DataType, format: &str) -> Expr {
    if *dtype != DataType::String {
        return col(name).cast(DataType::Date);
    }
    let options =
        StrptimeOptions { format: Some(format.into()), strict: false, ..Default::default() };
    let text = if FORMATS.contains(&format) {
        day_part(name)
    } else {
        col(name).str().strip_chars(lit(NULL))
    };
    let date = if has_time(format) {
        text.str().to_datetime(None, None, options, lit("null")).cast(DataType::Date)
    } else {
        text.str().to_date(options)
    };
    let year = date.clone().dt().year();
    when(year.clone().gt_eq(lit(*YEARS.start())).and(year.lt_eq(lit(*YEARS.end()))))
        .then(date)
        .otherwise(lit(NULL))
}

fn has_time(format: &str) -> bool {
    ["%H", "%I", "%T", "%R", "%M", "%S", "%X", "%c", "%s", "%+", "%r"]
        .iter()
        .any(|specifier| format.contains(specifier))
}

/// The format of the text columns `names`, taken together.
///
/// # Errors
/// [`Error::Input`] when no format reads them, or when day and month cannot be told apart.
pub fn settle(
    frame: &LazyFrame,
    names: &[&str],
    setting: &str,
    place: &str,
) -> Result<String, Error> {
    if setting != "auto" {
        return Ok(setting.to_owned());
    }
    let mut values = Vec::new();
    for name in names {
        values.extend(distinct_days(frame, name)?);
    }
    choose(&values, names).map_err(|fault| Error::input(place, fault))
}

/// Distinct days of a text column; nothing for a column that is a date already.
fn distinct_days(frame: &LazyFrame, name: &str) -> Result<Vec<String>, Error> {
    let failed = |e| Error::engine("look at the dates")(e);
    let dtype = frame.clone().collect_schema().map_err(failed)?.get(name).cloned();
    if dtype != Some(DataType::String) {
        return Ok(Vec::new());
    }
    let days = frame
        .clone()
        .select([day_part(name).unique().drop_nulls().sort(SortOptions::default())])
        .collect()
        .map_err(failed)?;
    let days = days.column(name).and_then(|c| c.str().cloned()).map_err(failed)?;
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
    match best.iter().find(|(_, dates)| *dates != best[0].1) {
        None => Ok(best[0].0.to_owned()),
        Some((other, _)) => Err(format!(
            "day and month of {columns} cannot be told apart: {:?} and all others fit both {} and \
             {other}; set date_format = \"{}\" or date_format = \"{other}\" in [input]",
            ambiguous_example(days, best[0].0, other),
            best[0].0,
            best[0].0,
        )),
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
    fn the_same_date_either_way_is_not_ambiguous() {
        assert_eq!(chosen(&["03/03/2021"]).as_deref(), Ok("%d/%m/%Y"));
    }

    #[test]
    fn text_is_no_date() {
        assert!(chosen(&["KADIN"]).expect_err("no date").contains("KADIN"));
    }
}
