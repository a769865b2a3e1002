//! The window of a stated selection, in days and dates.

use chrono::{Days, NaiveDate};

use crate::error::Error;
use crate::settings::{Selection, TimeUnit};

/// The window W in days; `None` without a limit.
///
/// # Errors
/// [`Error::Settings`] when its first day is not before the observation end.
pub fn window_in_days(
    selection: &Selection,
    observation_end: NaiveDate,
) -> Result<Option<u32>, Error> {
    if let Some(days) = selection.last_order_within_days {
        return Ok(Some(days));
    }
    let Some(date) = selection.last_order_on_or_after else {
        return Ok(None);
    };
    let days = (observation_end - date).num_days();
    if days <= 0 {
        return Err(Error::Settings {
            place: "selection.last_order_on_or_after".to_owned(),
            faults: vec![format!(
                "{date} is not before the observation end, {observation_end}: name the first day \
                 of the period in which everybody in the file ordered"
            )],
        });
    }
    Ok(u32::try_from(days).ok())
}

/// The day that is a given time before `end`.
pub fn day_before(end: NaiveDate, time: f64, unit: TimeUnit) -> NaiveDate {
    let days = Days::new((time * unit.days()).round() as u64);
    end.checked_sub_days(days).unwrap_or(end)
}
