//! What to say where a check did not hold.

use chrono::{Days, NaiveDate};

use crate::model::checks::calendar::{Calendar, Pattern, SHORT_CHANGE};
use crate::model::checks::counts::CountFit;
use crate::model::checks::prices::PriceTrend;
use crate::model::checks::waits::Waits;
use crate::results::calendar::MONTHS;
use crate::results::findings::Finding;
use crate::results::numbers::whole;
use crate::results::price_level::PriceRefusal;
use crate::settings::{PurchaseModelName, Settings};

/// |z| that one in a thousand exceeds.
pub(super) const RARE_Z: f64 = 3.29;
/// Days of the half-year that a season is said about.
const HALF_YEAR: u64 = 182;
/// A half-year is as strong as another within this share.
const EVEN: f64 = 0.05;

/// A percentage without a sign.
fn percent(share: f64) -> String {
    whole(100.0 * share.abs())
}

/// What a pattern in the calendar means.
pub(super) fn pattern(pattern: &Pattern, calendar: &Calendar, end: NaiveDate) -> Finding {
    match pattern {
        Pattern::Season { months } => season(months, end),
        Pattern::Trend { yearly } => trend(*yearly),
        Pattern::Cohorts { yearly } => cohorts(*yearly),
        Pattern::Change { days, share } => change(*days, *share, calendar, end),
    }
}

fn season(months: &[f64; 12], end: NaiveDate) -> Finding {
    let at = |best: fn(f64, f64) -> bool| {
        (0..12).fold(0, |kept, month| if best(months[month], months[kept]) { month } else { kept })
    };
    let (high, low) = (at(|a, b| a > b), at(|a, b| a < b));
    // Each day of the half-year ahead has the factor of its month.
    let factor = |day: u64| months[chrono::Datelike::month0(&(end + Days::new(day))) as usize];
    let ahead = (1..=HALF_YEAR).map(factor).sum::<f64>() / HALF_YEAR as f64;
    let high_or_low = format!(
        "orders follow a season that the model does not know: {} has {} times and {} {} times the \
         orders of an average month",
        MONTHS[high],
        decimal_of(months[high]),
        MONTHS[low],
        decimal_of(months[low]),
    );
    let (variant, message) = if (ahead - 1.0).abs() < EVEN {
        (
            "ahead_even",
            format!(
                "{high_or_low}; the half-year ahead has about as many as an average one, but its \
                 months differ, and customers who ordered in a strong month look livelier"
            ),
        )
    } else {
        let (variant, more, too) = match ahead < 1.0 {
            true => ("ahead_low", "fewer", "high"),
            false => ("ahead_high", "more", "low"),
        };
        let message = format!(
            "{high_or_low}; the half-year ahead usually has {} % {more} than an average one, so its \
             forecast is probably too {too}",
            percent(ahead - 1.0)
        );
        (variant, message)
    };
    Finding::warning(
        "season",
        message,
        "set purchases.model = \"auto\" and calendar.season = \"auto\", or give a longer log or an \
         index of the season in calendar.index; until then trust the order of the customers, not the \
         totals",
    )
    .with_variant(variant)
    .with("high_month", MONTHS[high].to_lowercase())
    .with("high", months[high])
    .with("low_month", MONTHS[low].to_lowercase())
    .with("low", months[low])
    .with("ahead", (ahead - 1.0).abs())
}

fn decimal_of(factor: f64) -> String {
    format!("{factor:.1}")
}

fn trend(yearly: f64) -> Finding {
    let (variant, falls, too) =
        if yearly < 0.0 { ("falling", "fall", "high") } else { ("rising", "rise", "low") };
    Finding::warning(
        "orders_trend",
        format!(
            "orders {falls} by {} % a year beyond what the model expects of the same customers, so \
             the forecast is probably too {too}",
            percent(yearly)
        ),
        "find out what changes; how far the totals are off depends on how long it goes on; \
         calendar.trend = \"auto\" follows it where that made forecasts of the past better",
    )
    .with_variant(variant)
    .with("yearly", yearly.abs())
}

fn cohorts(yearly: f64) -> Finding {
    let (variant, fewer) = if yearly < 0.0 { ("worse", "fewer") } else { ("better", "more") };
    Finding::warning(
        "cohorts_differ",
        format!(
            "customers order {} % {fewer} with each year that they joined later: one model for all \
             is wrong for the oldest and the newest",
            percent(yearly)
        ),
        "fit the customers of recent years by themselves, and compare",
    )
    .with_variant(variant)
    .with("yearly", yearly.abs())
}

fn change(days: i32, share: f64, calendar: &Calendar, end: NaiveDate) -> Finding {
    let since = end - Days::new(days.unsigned_abs().into());
    let (variant, less, remedy) = match (share < 0.0, days < SHORT_CHANGE) {
        (true, _) => (
            "drop",
            "fewer",
            "find out what changed: unless orders recover, the forecast is too high",
        ),
        (false, true) => (
            "burst",
            "more",
            "was there a promotion? Then orders fall back, and the forecast is too high: forecast \
             from the day before it with transactions.calibration_end",
        ),
        (false, false) => (
            "rise",
            "more",
            "find out what changed: if it lasts, the forecast is too low; if not, it is too high",
        ),
    };
    let season = match calendar.knows_season {
        true => "",
        false => "; with less than two years of orders it may be a season",
    };
    Finding::warning(
        "orders_changed",
        format!(
            "since {since} customers have placed {} % {less} orders than the model expects of \
             them{season}",
            percent(share)
        ),
        remedy,
    )
    .with_variant(variant)
    .with("share", share.abs())
    .with("since", since)
    .with("days", f64::from(days))
}

/// Scatter that no pattern explains.
pub(super) fn scatter(calendar: &Calendar, dispersion: f64) -> Finding {
    Finding::warning(
        "orders_scatter",
        format!(
            "orders by four weeks scatter {} times as much as chance allows (φ, at most {} if the \
             model were right): something moves all customers at once",
            decimal_of(dispersion),
            decimal_of(calendar.dispersion_limit)
        ),
        "look at the weeks in the report for promotions, closures and missing data; state what you know \
         in calendar.events, or a season of a log below two years in calendar.index",
    )
    .with("dispersion", dispersion)
    .with("limit", calendar.dispersion_limit)
}

/// What to do where nothing better is known.
const HOLD_AGAINST: &str = "P(alive) and the timing of orders are less certain than they look; hold \
                            totals against a holdout with `cltv evaluate`";

/// Of buyers who are more regular than the model has it: the variant, and what to do.
fn of_regular(settings: &Settings) -> (&'static str, &'static str) {
    let model = settings.purchases.model;
    if !settings.transactions.merge_same_day {
        (
            "regular_unmerged",
            "set transactions.merge_same_day = true, so that models of regular buyers can be tried",
        )
    } else if model == PurchaseModelName::Auto || model.is_regular() {
        ("regular_some", HOLD_AGAINST)
    } else {
        (
            "regular",
            "set purchases.model = \"auto\": it tries models of regular buyers too (\"bg_cnbd_k\", \
             \"mbg_cnbd_k\")",
        )
    }
}

/// Customers who buy more regularly, or more in bursts, than the model has it.
pub(super) fn waits(waits: &Waits, settings: &Settings) -> Finding {
    let soon = waits.soon();
    let (regular, what_to_do) = of_regular(settings);
    let is_regular = soon < 1.0 - 0.1;
    let (variant, message) = if is_regular {
        let whose = if regular == "regular_some" { "some customers" } else { "customers" };
        (
            regular,
            format!(
                "{whose} order at regular intervals: soon after an order there are {} % fewer \
                 orders than the model expects",
                percent(soon - 1.0)
            ),
        )
    } else if soon > 1.0 + 0.1 {
        (
            "bursts",
            format!(
                "customers order in bursts: soon after an order there are {} % more orders than \
                 the model expects",
                percent(soon - 1.0)
            ),
        )
    } else {
        (
            "long",
            format!(
                "long waits between orders do not follow the model (χ² {}, {} would be rare)",
                whole(waits.statistic),
                whole(waits.limit)
            ),
        )
    };
    Finding::warning(
        "time_between_orders",
        message,
        if is_regular { what_to_do } else { HOLD_AGAINST },
    )
    .with_variant(variant)
    .with("soon", (soon - 1.0).abs())
    .with("statistic", waits.statistic)
    .with("limit", waits.limit)
}

/// Prices that change from year to year, and why values were left as they were paid.
pub(super) fn prices(prices: &PriceTrend, refused: Option<PriceRefusal>) -> Finding {
    let (why, in_words) = match refused {
        Some(PriceRefusal::NeedsTwoYears) => {
            ("needs_two_years", "a correction from the log needs two whole years of it")
        }
        Some(PriceRefusal::NotBetter) => (
            "not_better",
            "forecasts from earlier days of the log were no better with a correction",
        ),
        Some(PriceRefusal::TooFew | PriceRefusal::NoChange) => {
            ("too_few", "there are too few orders to try a correction on")
        }
        None => ("as_paid", "the pipeline takes values as they were paid"),
    };
    let yearly = prices.yearly();
    let (variant, more, higher) =
        if yearly > 0.0 { ("rising", "more", "higher") } else { ("falling", "less", "lower") };
    // Average values are those of the orders' mean age; the forecast pays today's prices at least.
    let behind = (prices.log_yearly * prices.mean_age).exp_m1();
    Finding::warning(
        "prices_changed",
        format!(
            "the same customers pay {} % {more} for an order every year, and the average order is \
             {} years old: at today's prices, revenue would be about {} % {higher} than forecast; {in_words}",
            percent(yearly),
            decimal_of(prices.mean_age),
            percent(behind)
        ),
        "write the yearly factor that you know, spend.price_level = { yearly = 1.4 }, or the path of a \
         price index",
    )
    .with_variant(variant)
    .with("yearly", yearly.abs())
    .with("years", prices.mean_age)
    .with("behind", behind.abs())
    .with("why", why)
}

/// Order values that still change after they were brought to one level of prices.
pub(super) fn level_is_off(left: &PriceTrend) -> Finding {
    let yearly = left.yearly();
    let (variant, more) =
        if yearly > 0.0 { ("level_too_low", "more") } else { ("level_too_high", "less") };
    Finding::warning(
        "prices_changed",
        format!(
            "the price level is not that of the orders: brought to one level by it, the same customers \
             pay {} % {more} for an order every year",
            percent(yearly)
        ),
        "look at the factor or the index, or leave it to the log with spend.price_level = \"auto\"",
    )
    .with_variant(variant)
    .with("yearly", yearly.abs())
}

/// Customers by frequency or time since the last order are not where the model has them.
pub(super) fn counts(name: &'static str, found: &CountFit, selected: bool) -> Finding {
    let (from, to, observed, expected) = found.worst;
    let what = match name {
        "fit_frequency" => "repeat orders",
        _ => "days since the last order",
    };
    let bin = match to {
        Some(to) if to - from <= 1.0 => whole(from),
        Some(to) => format!("{} to {}", whole(from), whole(to - 1.0)),
        None => format!("{} or more", whole(from)),
    };
    let message = format!(
        "the model does not fit the customers by {what}: χ² {} on {} degrees, above {} is not chance; \
         with {bin} there are {} customers, and it expects {}",
        whole(found.statistic),
        whole(found.degrees),
        whole(found.limit),
        whole(observed),
        whole(expected)
    );
    let remedy = match selected {
        true => {
            "the model with its selection does not describe this file well: take the totals as rough, \
                 and export every customer ever acquired"
        }
        false => "look at the fit charts and the comparison of models in the report",
    };
    let finding = match name {
        "fit_frequency" => Finding::warning("fit_frequency", message, remedy),
        _ => Finding::warning("fit_time_since_last_order", message, remedy),
    };
    finding
        .with_variant(if selected { "selected" } else { "all" })
        .with("statistic", found.statistic)
        .with("degrees", found.degrees)
        .with("limit", found.limit)
        .with("from", from)
        .maybe("to", to)
        .with("observed", observed)
        .with("expected", expected)
}

/// One customer who carries much of the value.
pub(super) fn large_customer(share: f64) -> Finding {
    Finding::warning(
        "one_large_customer",
        format!("one customer has {} % of the expected value", percent(share)),
        "look at this customer by hand, and set it aside if it is a reseller or a till",
    )
    .with("share", share)
}
