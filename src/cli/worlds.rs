//! The flags of `cltv simulate` that make a world uneven.

use chrono::NaiveDate;
use clap::Args;

use crate::error::Error;
use crate::frame::input::dated_factors::{self, DatedFactor, When, words};
use crate::simulate::world::{Event, Season, World};

const HEADING: &str = "Uneven worlds";

/// What is uneven; without these flags every day is like any other.
#[derive(Args)]
pub struct WorldArgs {
    /// Season of the order rates: month factors as 11=2.5,12=2.5 (others are 1), a CSV file with
    /// the columns month and factor, or sine:0.5@11 (amplitude, month of the peak)
    #[arg(long, value_name = "SEASON", help_heading = HEADING)]
    season: Option<String>,
    /// Yearly factor of the order rates, such as 1.25; their level is 1 at the end
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", help_heading = HEADING)]
    trend: f64,
    /// Factor of the order rates on some days, as 2020-03-15..2020-06-01=0.6; may be given several
    /// times
    #[arg(long, value_name = "FROM..TO=FACTOR", help_heading = HEADING)]
    events: Vec<String>,
    /// Regular buyers: the time between orders is Erlang-K, K stages of K times the rate
    #[arg(long, default_value_t = 1, value_name = "K", help_heading = HEADING)]
    erlang: u32,
    /// Yearly factor of order values, such as 1.4; their level is 1 at the end
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", help_heading = HEADING)]
    inflation: f64,
}

impl WorldArgs {
    /// The world that the flags describe.
    ///
    /// # Errors
    /// [`Error::Settings`] names the flag or file, and what it takes.
    pub fn world(&self) -> Result<World, Error> {
        let events = self.events.iter().map(|text| event(text));
        Ok(World {
            season: self.season.as_deref().map_or(Ok(Season::Even), season)?,
            trend: self.trend,
            events: events.collect::<Result<_, _>>()?,
            stages: self.erlang,
            inflation: self.inflation,
        })
    }
}

fn refused(place: &str, fault: String) -> Error {
    Error::Settings { place: place.to_owned(), faults: vec![fault] }
}

/// `sine:0.5@11`, `11=2.5,12=2.5` or a file.
fn season(text: &str) -> Result<Season, Error> {
    if let Some(sine) = text.strip_prefix("sine:") {
        let parts = sine.split_once('@');
        let parts = parts.and_then(|(a, m)| Some((number(a)?, m.trim().parse().ok()?)));
        let (amplitude, peak) = parts.ok_or_else(|| {
            let fault = format!(
                "{text:?} is not a season: write the amplitude and the month of the peak, such as \
                 sine:0.5@11"
            );
            refused("--season", fault)
        })?;
        return Ok(Season::Sine { amplitude, peak });
    }
    if text.contains('=') {
        let mut factors = [None; 12];
        for part in text.split(',') {
            let (month, factor) = part.split_once('=').unwrap_or((part, ""));
            set(&mut factors, month, factor)
                .map_err(|fault| refused("--season", format!("{part:?}: {fault}")))?;
        }
        return Ok(Season::Months(factors.map(|factor| factor.unwrap_or(1.0))));
    }
    months_of(text)
}

/// The month factors of a file, as `calendar.index` takes it.
fn months_of(path: &str) -> Result<Season, Error> {
    let mut season = [None; 12];
    for DatedFactor { when, factor } in dated_factors::read(path)? {
        let When::Month(month) = when else {
            let fault = format!("{} is no month of every year: write 1 to 12", words(when));
            return Err(refused(path, fault));
        };
        season[month as usize - 1] = Some(factor);
    }
    if let Some(month) = season.iter().position(Option::is_none) {
        let fault = format!("no factor for month {}: all twelve are needed", month + 1);
        return Err(refused(path, fault));
    }
    Ok(Season::Months(season.map(|factor| factor.unwrap_or(1.0))))
}

/// Notes the factor of a month.
fn set(factors: &mut [Option<f64>; 12], month: &str, factor: &str) -> Result<(), String> {
    let place = month.trim().parse::<usize>().ok().and_then(|month| month.checked_sub(1));
    let place = place.and_then(|place| factors.get_mut(place));
    let (Some(place), Some(factor)) = (place, number(factor)) else {
        return Err("write a month from 1 to 12 and a factor, such as 11 and 2.5".to_owned());
    };
    match place.replace(factor) {
        Some(_) => Err("this month has a factor already".to_owned()),
        None => Ok(()),
    }
}

/// `2020-03-15..2020-06-01=0.6`
fn event(text: &str) -> Result<Event, Error> {
    let parsed = text.split_once('=').and_then(|(days, factor)| {
        let (from, to) = days.split_once("..")?;
        let day = |text: &str| text.trim().parse::<NaiveDate>().ok();
        Some(Event { from: day(from)?, to: day(to)?, factor: number(factor)? })
    });
    parsed.ok_or_else(|| {
        let fault = format!(
            "{text:?} is not an event: write the first day, the last day and a factor, such as \
             2020-03-15..2020-06-01=0.6"
        );
        refused("--events", fault)
    })
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn seasons_are_read_in_each_form() {
        let mut months = [1.0; 12];
        (months[10], months[11]) = (2.5, 3.0);
        assert_eq!(season("11=2.5, 12=3").expect("a season"), Season::Months(months));
        let sine = Season::Sine { amplitude: 0.5, peak: 11 };
        assert_eq!(season("sine:0.5@11").expect("a season"), sine);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("season.csv");
        let lines: Vec<String> = (1..=12).map(|m| format!("{m},{}", months[m - 1])).collect();
        fs::write(&path, format!("month,factor\n{}\n", lines.join("\n"))).expect("written");
        let found = season(&path.display().to_string()).expect("a season");
        assert_eq!(found, Season::Months(months));
    }

    #[test]
    fn a_slip_is_named() {
        for (text, part) in [
            ("sine:0.5", "sine:0.5@11"),
            ("13=2", "a month from 1 to 12"),
            ("11=x", "\"11=x\""),
            ("11=2,11=3", "\"11=3\": this month has a factor already"),
        ] {
            let fault = season(text).expect_err(text).to_string();
            assert!(fault.starts_with("--season") && fault.contains(part), "{fault}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("season.csv");
        for (text, part) in [
            ("month,factor\n1,1\n2,two\n", "line 3: \"two\" is not a number"),
            ("month,factor\n2021-01,1\n", "2021-01 is no month of every year"),
            ("month,factor\n1,1\n", "no factor for month 2"),
        ] {
            fs::write(&path, text).expect("written");
            let fault = season(&path.display().to_string()).expect_err(text).to_string();
            assert!(fault.contains("season.csv") && fault.contains(part), "{fault}");
        }
        for text in ["2020-03-15=0.6", "2020-03-15..2020-02-30=0.6", "2020-03-15..2020-06-01"] {
            let fault = event(text).expect_err(text).to_string();
            assert!(fault.starts_with("--events") && fault.contains(text), "{fault}");
        }
    }
}
