//! How customers came to be in the file: what the pipeline states in `[selection]`, what the data
//! show, and whether the two agree.

use chrono::NaiveDate;

use crate::customers::Histories;
use crate::error::Error;
use crate::model::selection::channels::ChannelMix;
use crate::model::selection::detection::{Signs, detect};
use crate::model::selection::probability::SelectionRule;
use crate::pipeline::strays::excluded;
use crate::pipeline::window::{day_before, window_in_days};
use crate::results::facts::VARIANT;
use crate::results::findings::Finding;
use crate::results::numbers::{count, whole};
use crate::settings::columns::CLTV;
use crate::settings::{FrequencyKind, Selection, Settings, Summary, TimeUnit};

/// Customers ever acquired per customer in the file, beyond which a correction is a guess.
const FAR_BEYOND: f64 = 10.0;
/// A stated window that exceeds the longest time since the last order in the file by this share
/// does not fit the file.
const DIFFERS: f64 = 0.05;

/// The stated selection in the time unit of the data; `None` when the pipeline states none.
///
/// # Errors
/// [`Error::Settings`] when its date is not before the observation end; [`Error::Input`] when the
/// file holds customers that it excludes.
pub fn stated(
    settings: &Settings,
    histories: &Histories,
    observation_end: NaiveDate,
) -> Result<Option<SelectionRule>, Error> {
    let Some(selection) = &settings.selection else {
        return Ok(None);
    };
    let days = window_in_days(selection, observation_end)?;
    let unit = settings.summary.time_unit;
    let window = days.map_or(f64::INFINITY, |days| f64::from(days) / unit.days());
    excluded(settings, selection, histories, window, observation_end)?;
    let both_channels = match histories.first_channel() {
        Some(first) if selection.both_channels => {
            let orders: Vec<f64> = histories.frequency().iter().map(|x| x + 1.0).collect();
            Some(ChannelMix::fit(first, &orders)?)
        }
        _ => None,
    };
    let repeat_order = selection.min_orders >= 2 || selection.both_channels;
    Ok(Some(SelectionRule { window, repeat_order, both_channels }))
}

/// The signs of a selection in the data.
pub fn signs(summary: &Summary, histories: &Histories, left_out: usize) -> Signs {
    let first = match summary.frequency {
        FrequencyKind::Orders => 0.0,
        FrequencyKind::RepeatOrders => 1.0,
    };
    let orders: Vec<f64> = histories.frequency().iter().map(|x| x + first).collect();
    detect(histories, &orders, left_out)
}

/// The lines of a pipeline file that state what the data show; `None` when they show nothing.
pub fn advice(signs: &Signs, observation_end: NaiveDate, unit: TimeUnit) -> Option<Vec<String>> {
    let window = signs.window.map(|window| {
        let date = day_before(observation_end, window, unit);
        format!("last_order_on_or_after = \"{date}\"")
    });
    section(signs, window)
}

/// As [`advice`], with a window that moves with the observation end: for files that are still to come.
pub fn moving_advice(signs: &Signs, unit: TimeUnit) -> Option<Vec<String>> {
    let days = |window: f64| (window * unit.days()).round();
    let window = signs.window.map(|window| format!("last_order_within_days = {}", days(window)));
    section(signs, window)
}

fn section(signs: &Signs, window: Option<String>) -> Option<Vec<String>> {
    let mut lines = vec!["[selection]".to_owned()];
    lines.extend(window);
    if signs.no_one_time_buyers {
        lines.push("min_orders = 2".to_owned());
    }
    (lines.len() > 1).then_some(lines)
}

/// Findings about signs that the pipeline does not state, or that contradict what it states.
pub fn findings(
    summary: &Summary,
    stated: Option<SelectionRule>,
    signs: &Signs,
    observation_end: NaiveDate,
) -> Vec<Finding> {
    let unit = summary.time_unit;
    let lines = advice(signs, observation_end, unit);
    let longest = signs.window.unwrap_or(signs.longest_since_last_order);
    let too_long = |window: f64| match window.is_finite() {
        true => window > longest * (1.0 + DIFFERS),
        false => signs.window.is_some(),
    };
    let differs = match stated {
        None => lines.map(|lines| unstated(signs, observation_end, unit, &lines)),
        Some(stated) if too_long(stated.window) => {
            Some(window_differs(day_before(observation_end, longest, unit), signs.strays.silent))
        }
        Some(stated) if signs.no_one_time_buyers && !stated.repeat_order => Some(
            Finding::warning(
                "selection_min_orders_differs",
                format!(
                    "{} in the file, though [selection] allows for one order",
                    never_once(signs.strays.once)
                ),
                "write min_orders = 2 in [selection]",
            )
            .with("once", signs.strays.once),
        ),
        _ => None,
    };
    differs.into_iter().chain(unstated_channels(signs, stated)).collect()
}

/// What is to be said of a file in which everybody, or all but some strays, ordered in both channels;
/// `None` of another file, or where the pipeline states it.
pub(crate) fn unstated_channels(signs: &Signs, stated: Option<SelectionRule>) -> Option<Finding> {
    let unstated = stated.is_none_or(|rule| rule.both_channels.is_none());
    (signs.both_channels && unstated).then(|| {
        Finding::note(
            "selection_by_channels",
            format!(
                "{}: rare buyers are missing, and the parameters of the order rates come out wrong; \
                 in simulated files of this kind a corrected total was off by up to 5 % \
                 (docs/selection-study.md)",
                buyers_of_both(signs)
            ),
            "try both_channels = true in [selection], and compare the forecasts",
        )
        .with_variant("not_compared")
        .with("one_channel", signs.strays.one_channel)
    })
}

/// Who is in a file of buyers of both channels.
pub(crate) fn buyers_of_both(signs: &Signs) -> String {
    match signs.strays.one_channel {
        0 => "everybody in the file ordered in both channels".to_owned(),
        strays => format!("all but {} in the file ordered in both channels", count(strays)),
    }
}

fn window_differs(first_day: NaiveDate, silent: usize) -> Finding {
    let who = never_before(first_day, silent);
    Finding::warning(
        "selection_window_differs",
        format!(
            "{who}, though [selection] allows for earlier ones: with too long a window the \
             correction is too weak"
        ),
        format!("write last_order_on_or_after = \"{first_day}\" in [selection]"),
    )
    .with("first_day", first_day)
    .with("silent", silent)
}

fn never_once(strays: usize) -> String {
    match strays {
        0 => "nobody ordered once only".to_owned(),
        strays => format!("all but {} ordered more than once", count(strays)),
    }
}

fn never_before(first_day: NaiveDate, strays: usize) -> String {
    match strays {
        0 => format!("nobody's last order is before {first_day}"),
        strays => format!("all but {} last ordered on {first_day} or later", count(strays)),
    }
}

fn unstated(
    signs: &Signs,
    observation_end: NaiveDate,
    unit: TimeUnit,
    lines: &[String],
) -> Finding {
    let first_day = signs.window.map(|window| day_before(observation_end, window, unit));
    let mut shown = Vec::new();
    if signs.no_one_time_buyers {
        shown.push(never_once(signs.strays.once));
    }
    if let Some(first_day) = first_day {
        let who = never_before(first_day, signs.strays.silent);
        shown.push(format!(
            "{who} although customers go back {:.0} {}",
            signs.oldest,
            unit.plural()
        ));
    }
    let (who, variant) = match (first_day, signs.no_one_time_buyers) {
        (None, _) => ("again", "again"),
        (Some(_), false) => ("lately", "lately"),
        (Some(_), true) => ("lately", "lately_again"),
    };
    Finding::warning(
        "selected_customers",
        format!(
            "the file seems to hold only customers who ordered {who}: {}; those who left are not \
             in it, so a forecast that ignores this is too high",
            shown.join(", and ")
        ),
        format!(
            "correct for it with {}, frequency = \"repeat_orders\" and no penalty (`cltv check` \
             prints the lines); or export every customer ever acquired",
            lines.join(", ")
        ),
    )
    .with_variant(variant)
    .maybe("first_day", first_day)
    .with("once", signs.strays.once)
    .with("silent", signs.strays.silent)
    .with("oldest", signs.oldest)
    .with("unit", unit.plural())
}

/// What the correction changed in the orders of the longest horizon, and a warning where it
/// extrapolates far beyond the file.
pub fn corrected(
    stated: &Selection,
    customers: usize,
    acquired: f64,
    ignored: &[(u32, f64)],
    corrected: &[(u32, f64)],
    has_money: bool,
) -> Vec<Finding> {
    let (Some((months, without)), Some((_, with))) = (ignored.last(), corrected.last()) else {
        return Vec::new();
    };
    if !without.is_finite() {
        return Vec::new();
    }
    let conditions = conditions(stated);
    let words: Vec<&str> = conditions.iter().map(|(_, words)| words.as_str()).collect();
    let (remedy, variant) = match has_money {
        true => (format!("use the corrected orders and {CLTV}, which this run gives"), None),
        false => ("use the corrected orders, which this run gives".to_owned(), Some("orders")),
    };
    let note = Finding::note(
        "selection_corrected",
        format!(
            "the file only holds customers with {}: a model that ignores this expects {} orders in \
             the next {months} months, the corrected one {}; the {} customers stand for about {} \
             ever acquired",
            words.join(" and "),
            whole(*without),
            whole(*with),
            count(customers),
            whole(acquired)
        ),
        remedy,
    )
    .maybe(VARIANT, variant)
    .with("conditions", conditions.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>())
    .maybe("first_day", stated.last_order_on_or_after)
    .maybe("within_days", stated.last_order_within_days)
    .with("min_orders", stated.min_orders)
    .with("orders_ignored", *without)
    .with("orders_corrected", *with)
    .with("months", *months)
    .with("customers", customers)
    .with("acquired", acquired);
    [note].into_iter().chain(extrapolates(stated, acquired / customers as f64)).collect()
}

/// The stated conditions, each by name and in words.
fn conditions(stated: &Selection) -> Vec<(&'static str, String)> {
    let mut conditions = Vec::new();
    if let Some(date) = stated.last_order_on_or_after {
        conditions.push(("last_order_on_or_after", format!("a last order on or after {date}")));
    }
    if let Some(days) = stated.last_order_within_days {
        conditions.push(("last_order_within_days", format!("a last order within {days} days")));
    }
    if stated.min_orders >= 2 {
        conditions.push(("min_orders", format!("at least {} orders", stated.min_orders)));
    }
    if stated.both_channels {
        conditions.push(("both_channels", "orders in both channels".to_owned()));
    }
    conditions
}

/// A warning where the correction extrapolates far beyond the file.
fn extrapolates(stated: &Selection, acquired_per_customer: f64) -> Option<Finding> {
    let (variant, remedy) = match stated.both_channels {
        true => ("both_channels", "compare with the forecast without both_channels"),
        false => ("whole_base", "export every customer ever acquired"),
    };
    (acquired_per_customer > FAR_BEYOND).then(|| {
        Finding::warning(
            "selection_extrapolates",
            format!(
                "by this correction each customer in the file stands for {} ever acquired: it rests \
                 on the assumed distributions more than on the data",
                whole(acquired_per_customer)
            ),
            remedy,
        )
        .with_variant(variant)
        .with("acquired_per_customer", acquired_per_customer)
    })
}
