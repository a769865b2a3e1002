//! Dates that strftime patterns do not cover: months by name, in English and Turkish, and dates that
//! are stored as a number of days, seconds or parts of a second.

use chrono::{DateTime, NaiveDate};

use crate::frame::input::letters::folded_word;

/// A way of writing dates that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateText {
    /// 30 May 2021, 30-May-21, Sunday 30 Mayıs 2021
    DayMonthYear,
    /// May 30, 2021
    MonthDayYear,
    /// 2021 May 30
    YearMonthDay,
    /// 21-May-30
    ShortYearMonthDay,
    /// 20210530 stored as a number, which may have been written as 20210530.0
    Digits,
    /// Seconds since 1970-01-01 00:00 UTC
    EpochSeconds,
    /// Milliseconds since then
    EpochMilliseconds,
    /// Microseconds since then
    EpochMicroseconds,
    /// Nanoseconds since then
    EpochNanoseconds,
    /// Days since 1899-12-30, as spreadsheets count
    SpreadsheetDays,
}

/// Range of the years in which a number of seconds or days is a plausible date.
const YEARS: std::ops::RangeInclusive<i32> = 1980..=2099;

impl DateText {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::DayMonthYear,
        Self::MonthDayYear,
        Self::YearMonthDay,
        Self::ShortYearMonthDay,
        Self::Digits,
        Self::EpochSeconds,
        Self::EpochMilliseconds,
        Self::EpochMicroseconds,
        Self::EpochNanoseconds,
        Self::SpreadsheetDays,
    ];

    /// The word for it in `date_format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::DayMonthYear => "day month year",
            Self::MonthDayYear => "month day year",
            Self::YearMonthDay => "year month day",
            Self::ShortYearMonthDay => "yy month day",
            Self::Digits => "yyyymmdd",
            Self::EpochSeconds => "epoch_s",
            Self::EpochMilliseconds => "epoch_ms",
            Self::EpochMicroseconds => "epoch_us",
            Self::EpochNanoseconds => "epoch_ns",
            Self::SpreadsheetDays => "spreadsheet_days",
        }
    }

    /// The form that `date_format` names.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Whether the dates are plain numbers, which other columns have as well.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Digits
                | Self::EpochSeconds
                | Self::EpochMilliseconds
                | Self::EpochMicroseconds
                | Self::EpochNanoseconds
                | Self::SpreadsheetDays
        )
    }

    /// The date that a text is in this form. A time of day after it is ignored. Seconds are in UTC.
    pub fn read(self, text: &str) -> Option<NaiveDate> {
        match self {
            Self::DayMonthYear
            | Self::MonthDayYear
            | Self::YearMonthDay
            | Self::ShortYearMonthDay => self.by_name(text),
            Self::Digits => {
                let digits = text.strip_suffix(".0").unwrap_or(text);
                let sound = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit());
                NaiveDate::parse_from_str(digits, "%Y%m%d").ok().filter(|_| sound)
            }
            Self::EpochSeconds => of_seconds(text, 1.0),
            Self::EpochMilliseconds => of_seconds(text, 1e3),
            Self::EpochMicroseconds => of_seconds(text, 1e6),
            Self::EpochNanoseconds => of_seconds(text, 1e9),
            Self::SpreadsheetDays => {
                let days = plain_number(text)?.floor();
                let first = NaiveDate::from_ymd_opt(1899, 12, 30)?;
                let sound = (0.0..1e6).contains(&days);
                let day =
                    sound.then(|| first.checked_add_days(chrono::Days::new(days as u64)))??;
                is_plausible(day).then_some(day)
            }
        }
    }

    fn by_name(self, text: &str) -> Option<NaiveDate> {
        let mut words = words(text);
        let mut first = words.next()?;
        if is_weekday(first) {
            first = words.next()?;
        }
        let parts = [first, words.next()?, words.next()?];
        let [day, name, year] = match self {
            Self::DayMonthYear => [0, 1, 2],
            Self::MonthDayYear => [1, 0, 2],
            _ => [2, 1, 0],
        }
        .map(|position| parts[position]);
        let is_short = year.len() == 2;
        let day = number(without_ordinal(day), 2)?;
        let year = match self {
            Self::ShortYearMonthDay if !is_short => return None,
            Self::YearMonthDay if is_short => return None,
            _ if is_short => two_digit_year(number(year, 2)?),
            _ if year.len() == 4 => number(year, 4)?,
            _ => return None,
        };
        NaiveDate::from_ymd_opt(year as i32, month(name)?, day)
    }
}

/// As strftime's %y: 69 to 99 are of the twentieth century.
fn two_digit_year(year: u32) -> u32 {
    if year < 69 { 2000 + year } else { 1900 + year }
}

/// The parts of a date between blanks and separators, without the time of day and its zone.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let blank = |letter: char| letter.is_whitespace() || letter == ',';
    let is_time = |word: &&str| {
        let hours = word.split(':').next().unwrap_or_default();
        word.contains(':') && hours.len() <= 2 && hours.bytes().all(|byte| byte.is_ascii_digit())
    };
    // In 30/May/2021:14:30:00 the time follows a colon.
    let day_of = |word| str::split(word, ':').next().unwrap_or_default();
    text.split(blank)
        .filter(move |word| !is_time(word) && !is_zone(word))
        .flat_map(move |word| day_of(word).split(['.', '-', '/', '\'']))
        .filter(|word| !word.is_empty())
}

/// Whether a word is the name of a time zone, such as UTC or TRT, and not of a month or weekday.
fn is_zone(word: &str) -> bool {
    (3..=4).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_uppercase())
        && month(word).is_none()
        && !is_weekday(word)
}

/// A day without the ending of an ordinal: 1st.
fn without_ordinal(day: &str) -> &str {
    let ending = ["st", "nd", "rd", "th"].iter().find_map(|ending| day.strip_suffix(ending));
    ending.unwrap_or(day)
}

fn number(word: &str, most: usize) -> Option<u32> {
    let sound = word.len() <= most && word.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| word.parse().ok())?
}

/// A number without a sign; its decimal mark may be a comma.
fn plain_number(text: &str) -> Option<f64> {
    let sound = text.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte));
    sound.then(|| text.replace(',', ".").parse().ok())?
}

fn of_seconds(text: &str, parts: f64) -> Option<NaiveDate> {
    let seconds = (plain_number(text)? / parts).floor();
    let day = DateTime::from_timestamp(seconds as i64, 0)?.date_naive();
    is_plausible(day).then_some(day)
}

fn is_plausible(day: NaiveDate) -> bool {
    use chrono::Datelike;
    YEARS.contains(&day.year())
}

/// Beginnings of the names of months, in English, Turkish and German, that no other month begins with.
const MONTHS: [&[&str]; 12] = [
    &["jan", "oca"],
    &["feb", "sub"],
    &["mar"],
    &["apr", "nis"],
    &["may", "mai", "mai"],
    &["jun", "haz"],
    &["jul", "tem"],
    &["aug", "agu"],
    &["sep", "eyl"],
    &["oct", "eki", "okt"],
    &["nov", "kas"],
    &["dec", "ara", "dez"],
];
/// Full names.
const FULL: [[&str; 3]; 12] = [
    ["january", "ocak", "januar"],
    ["february", "subat", "februar"],
    ["march", "mart", "marz"],
    ["april", "nisan", "april"],
    ["may", "mayis", "mai"],
    ["june", "haziran", "juni"],
    ["july", "temmuz", "juli"],
    ["august", "agustos", "august"],
    ["september", "eylul", "september"],
    ["october", "ekim", "oktober"],
    ["november", "kasim", "november"],
    ["december", "aralik", "dezember"],
];
/// Full names of weekdays.
const WEEKDAYS: [[&str; 2]; 7] = [
    ["monday", "pazartesi"],
    ["tuesday", "sali"],
    ["wednesday", "carsamba"],
    ["thursday", "persembe"],
    ["friday", "cuma"],
    ["saturday", "cumartesi"],
    ["sunday", "pazar"],
];

/// The number of a month, from 1. A name may be shortened to three letters or more.
fn month(name: &str) -> Option<u32> {
    let name = folded_word(name);
    let is_short = |full: &str, begin: &[&str]| {
        begin.iter().any(|begin| name.starts_with(begin)) && full.starts_with(&name)
    };
    (1..).zip(FULL.iter().zip(MONTHS)).find_map(|(number, (full, begin))| {
        full.iter().any(|full| is_short(full, begin)).then_some(number)
    })
}

fn is_weekday(word: &str) -> bool {
    let word = folded_word(word);
    word.len() >= 3 && WEEKDAYS.iter().flatten().any(|day| day.starts_with(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, month, day)
    }

    #[test]
    fn months_by_name() {
        let expected = day(2021, 5, 30);
        for text in [
            "30 May 2021",
            "30-May-21",
            "30 MAYIS 2021",
            "30.mayıs.2021",
            "Sunday, 30 May 2021 14:30",
            "Pazar 30 Mayıs 2021",
            "30/May/2021:14:30:00",
            "30th May 2021",
            "30. Mai 2021",
            "30 May 14:30 2021",
        ] {
            assert_eq!(DateText::DayMonthYear.read(text), expected, "{text}");
        }
        assert_eq!(DateText::MonthDayYear.read("May 30, 2021 3:15 PM"), expected);
        assert_eq!(DateText::MonthDayYear.read("Sun May 30 00:15:00 UTC 2021"), expected);
        assert_eq!(DateText::YearMonthDay.read("2021 May 30"), expected);
        assert_eq!(DateText::ShortYearMonthDay.read("21-May-30"), expected);
        assert_eq!(DateText::DayMonthYear.read("1 Ağustos 2022"), day(2022, 8, 1));
        assert_eq!(DateText::DayMonthYear.read("3 Şub 2022"), day(2022, 2, 3));
        assert_eq!(DateText::DayMonthYear.read("3 Sept 2022"), day(2022, 9, 3));
        for text in
            ["30 Maybe 2021", "31 Feb 2021", "30 Ma 2021", "May 2021", "30-May 14:07", "12.50", ""]
        {
            assert_eq!(DateText::DayMonthYear.read(text), None, "{text}");
        }
    }

    #[test]
    fn dates_that_are_numbers() {
        // 1656684473 is 2022-07-01 14:07:53 UTC, and 44743 is 2022-07-01 in a spreadsheet.
        let expected = day(2022, 7, 1);
        assert_eq!(DateText::EpochSeconds.read("1656684473"), expected);
        assert_eq!(DateText::EpochMilliseconds.read("1656684473000"), expected);
        assert_eq!(DateText::EpochMicroseconds.read("1656684473000000"), expected);
        assert_eq!(DateText::SpreadsheetDays.read("44743"), expected);
        assert_eq!(DateText::EpochNanoseconds.read("1656684473000000000"), expected);
        assert_eq!(DateText::SpreadsheetDays.read("44743.58880787"), expected);
        assert_eq!(DateText::SpreadsheetDays.read("44743,58"), expected);
        assert_eq!(DateText::Digits.read("20220701.0"), expected);
        assert_eq!(DateText::EpochSeconds.read("44743"), None);
        assert_eq!(DateText::SpreadsheetDays.read("12346"), None);
    }
}
