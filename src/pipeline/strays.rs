//! Customers who contradict the stated `[selection]`: a few are strays and are set aside, so that
//! they stop no run; more are an error of the fit.

use chrono::NaiveDate;

use crate::customers::Histories;
use crate::error::Error;
use crate::frame::doubts::Doubt;
use crate::frame::rules::judged::Cleaned;
use crate::frame::rules::outside::{outside, set_aside};
use crate::frame::{catch_reader_panic, summary};
use crate::model::selection::tolerance::tolerated;
use crate::pipeline::window::{day_before, window_in_days};
use crate::results::numbers::count;
use crate::settings::{BadRows, InputKind, Selection, Settings};

/// The input without the strays.
///
/// # Errors
/// [`Error::Settings`] when the window of the selection is not before the observation end;
/// [`Error::Input`] when the rows of a log cannot be read again.
pub(crate) fn without_strays(
    cleaned: Cleaned,
    names: &[String],
    settings: &Settings,
) -> Result<Cleaned, Error> {
    let Some(selection) = &settings.selection else {
        return Ok(cleaned);
    };
    let valid = &cleaned.valid;
    let end = match settings.input.kind {
        InputKind::Customers => summary::export::observation_end(valid, settings)?,
        InputKind::Transactions => summary::log::observation_end(valid, settings)?,
    };
    let window = window_in_days(selection, end)?;
    let outside = outside(&cleaned, selection, window.map(u64::from), end, settings)?;
    let [silent, few_orders, one_channel, last_day] = outside.ids.each_ref().map(Vec::len);
    let most = most(outside.all, settings);
    let numbers = [silent, few_orders, one_channel, last_day];
    if numbers.iter().all(|number| *number == 0) || numbers.iter().any(|number| *number > most) {
        return Ok(cleaned);
    }
    let customers = outside.all;
    let mut cleaned =
        catch_reader_panic(&settings.input.path, || set_aside(cleaned, &outside, names, settings))?;
    cleaned.doubts.push(Doubt::SelectionStrays {
        silent,
        few_orders,
        one_channel,
        last_day,
        customers,
    });
    Ok(cleaned)
}

/// Refuses a file with customers that the selection excludes or no order rate explains.
///
/// # Errors
/// [`Error::Input`] that says how many, and how many would be set aside as strays.
pub fn excluded(
    settings: &Settings,
    selection: &Selection,
    histories: &Histories,
    window: f64,
    observation_end: NaiveDate,
) -> Result<(), Error> {
    let unit = settings.summary.time_unit;
    // A time since the last order is the difference of two quotients, so rounding must not put it
    // outside the window.
    let outside = |time: &f64| *time > window * (1.0 + 1e-9);
    let silent = histories.times_since_last_order().filter(outside).count();
    let once = histories.frequency().iter().filter(|x| **x < 1.0).count();
    let mut faults = Vec::new();
    if silent > 0 {
        let longest = histories.times_since_last_order().fold(0.0, f64::max);
        faults.push(format!(
            "{} customers last ordered before the period that [selection] names, the earliest on {}: \
             correct the section, or remove it if the file holds everybody",
            count(silent),
            day_before(observation_end, longest, unit)
        ));
    }
    if selection.min_orders >= 2 && once > 0 {
        faults.push(format!(
            "{} customers have one order, but selection.min_orders is {}: correct the section, or \
             leave those customers out with summary.min_orders",
            count(once),
            selection.min_orders
        ));
    }
    let new = histories.age().iter().zip(histories.frequency());
    let new = new.filter(|(age, x)| **age == 0.0 && **x > 0.0).count();
    if new > 0 {
        faults.push(format!(
            "{} customers have all their orders on the observation end, which no rate of orders \
             explains: set the end a day later, with --as-of or summary.analysis_date",
            count(new)
        ));
    }
    if faults.is_empty() {
        return Ok(());
    }
    if let (most @ 1.., Some(last)) = (most(histories.len(), settings), faults.last_mut()) {
        last.push_str(&format!(" (up to {} would be strays, and be set aside)", count(most)));
    }
    Err(Error::Input { place: settings.input.path.clone(), faults })
}

/// The most customers who may break each condition; none where the contract lets no bad row pass.
fn most(customers: usize, settings: &Settings) -> usize {
    match settings.contract.bad_rows {
        BadRows::Fail => 0,
        _ => tolerated(customers),
    }
}
