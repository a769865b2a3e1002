//! The clock of a simulated world, in which a day counts by its factor.

use chrono::NaiveDate;

use super::world::{MOST, World, possible};
use crate::model::OperationalTime;

/// A factor for each day of a longer time would take too much memory.
const TWO_CENTURIES: u32 = 73_050;

/// The clock of the `days` days before `end`, with days as time unit. Its day 0 begins at the end of
/// the observation, so that moments before it are below 0. Where all days are alike it is calendar
/// time.
///
/// # Errors
/// A sentence about what in the world is not possible.
pub(super) fn clock(world: &World, end: NaiveDate, days: u32) -> Result<OperationalTime, String> {
    let faults = world.faults();
    if !faults.is_empty() {
        return Err(faults.join("; "));
    }
    if world.is_even() {
        return Ok(OperationalTime::even(1.0, 0));
    }
    if days > TWO_CENTURIES {
        return Err(format!(
            "--acquired-over {days}: at most {TWO_CENTURIES} days are possible with a season, a \
             trend or events"
        ));
    }
    let mut factors = Vec::new();
    for back in (1..=days).rev() {
        let factor = world.pace(end, back);
        if !possible(factor) {
            return Err(format!(
                "{back} days before the end, order rates would be {factor:.2e} times those of the \
                 parameters; at most {MOST} and at least 1/{MOST} are possible: lower \
                 --acquired-over, or bring --trend, --season and --events nearer to 1"
            ));
        }
        factors.push(factor);
    }
    // A calendar day begins where the clock's day before it ends.
    Ok(OperationalTime::of(1.0, 0, 1 - days as i32, &factors))
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::*;
    use crate::simulate::world::Event;

    /// Ten days, the sixth to the fourth before the end at a half: 7 + 3/2 operational days.
    #[test]
    fn a_slow_day_takes_longer() {
        let end = NaiveDate::from_ymd_opt(2023, 12, 31).expect("a day");
        let back = |days| end - Days::new(days);
        let slow = Event { from: back(6), to: back(4), factor: 0.5 };
        let world = World { events: vec![slow], ..World::default() };
        let clock = clock(&world, end, 10).expect("a clock");
        for (acquired, passed, left) in [
            (10.0, 0.0, 10.0),
            (10.0, 3.25, 6.75),
            (10.0, 4.5, 5.0),
            (10.0, 4.75, 4.5),
            (10.0, 8.25, 0.25),
            (6.0, 1.5, 3.0),
            (2.0, 0.5, 1.5),
        ] {
            assert!((clock.day_after(-acquired, passed) + left).abs() < 1e-12, "{passed}");
        }
        assert!(clock.day_after(-10.0, 8.6) > 0.0);
    }

    #[test]
    fn factors_out_of_all_proportion_are_refused() {
        let end = NaiveDate::from_ymd_opt(2023, 12, 31).expect("a day");
        let world = World { trend: 0.1, ..World::default() };
        let fault = clock(&world, end, 2_000).expect_err("10^5.5 at the beginning");
        assert!(fault.starts_with("2000 days before the end") && fault.contains("--trend"));
        assert!(clock(&world, end, 365).is_ok());
    }
}
