//! A short action suggestion for each segment, for the next months, from the segment's own
//! figures.
//!
//! The play follows from where the segment stands: its share of the expected value against its
//! share of the customers, how long it has been silent against the company, and, where the model
//! can tell, how many are still alive. The channel and the categories to use are its own.

use serde::Serialize;

use crate::frame::profile::Profile;
use crate::model::{FittedPurchases, PurchaseModel};
use crate::settings::{Settings, TimeUnit};

/// Below this P(alive), winning back comes before selling more.
const MOSTLY_GONE: f64 = 0.5;
/// So much longer silent than the company is "going quiet".
const QUIETER: f64 = 1.1;

/// What to do about a segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// Label of the segment.
    pub segment: String,
    /// Share of the company's expected value, 0 to 1.
    pub share_of_value: f64,
    /// One or two sentences.
    pub text: String,
}

/// Advice for each segment, in their order.
pub fn advise(
    segments: &[Profile],
    company: &Profile,
    purchases: &FittedPurchases,
    settings: &Settings,
) -> Vec<Advice> {
    let knows_dropout = !matches!(purchases.model, PurchaseModel::Nbd(_));
    segments
        .iter()
        .map(|segment| {
            let share_of_value = share(segment.total_cltv, company.total_cltv);
            let text = if segment.customers == 0 {
                "Nobody is in this segment.".to_owned()
            } else {
                text(segment, company, share_of_value, knows_dropout, settings)
            };
            Advice { segment: segment.label.clone(), share_of_value, text }
        })
        .collect()
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn text(
    segment: &Profile,
    company: &Profile,
    share_of_value: f64,
    knows_dropout: bool,
    settings: &Settings,
) -> String {
    let unit = settings.summary.time_unit;
    let months = settings.lifetime_value.months;
    let standing = format!(
        "{:.0} % of the customers, {:.0} % of the value of the next {months} months; {}.",
        100.0 * share(segment.customers as f64, company.customers as f64),
        100.0 * share_of_value,
        silence(segment, knows_dropout, unit)
    );
    let (play, verb) = play(segment, company, share_of_value, knows_dropout, settings);
    let channel = segment.main_channel.as_ref().map_or(String::new(), |(channel, share)| {
        format!("; {verb} through {channel} (main channel of {:.0} %)", 100.0 * share)
    });
    format!("{standing} {play}{channel}{}.", categories(segment, company))
}

fn silence(segment: &Profile, knows_dropout: bool, unit: TimeUnit) -> String {
    let since = format!(
        "last order {:.0} {} ago on average",
        segment.mean_time_since_last_order(),
        unit.plural()
    );
    if knows_dropout {
        format!("{:.0} % still alive, {since}", 100.0 * segment.mean_p_alive)
    } else {
        since
    }
}

/// What to do, and how to say that it goes through a channel.
fn play(
    segment: &Profile,
    company: &Profile,
    share_of_value: f64,
    knows_dropout: bool,
    settings: &Settings,
) -> (String, &'static str) {
    let share_of_customers = share(segment.customers as f64, company.customers as f64);
    let leverage = share(share_of_value, share_of_customers);
    let average = share(segment.total_cltv, segment.customers as f64);
    let quiet =
        segment.mean_time_since_last_order() > QUIETER * company.mean_time_since_last_order();
    let gone = knows_dropout && segment.mean_p_alive < MOSTLY_GONE;
    let basket = segment.mean_monetary;
    if gone && leverage >= 1.0 {
        let text = format!("Win back now with a personal offer: each is worth {average:.0}");
        (text, "call or write")
    } else if gone {
        let text = format!(
            "Win back cheaply or let go: one reminder, at most {:.1} a head (a tenth of what each \
             is worth)",
            0.1 * average
        );
        (text, "send it")
    } else if leverage >= 1.5 {
        let text = format!(
            "Protect: early access, free returns and a named contact, no discounts (they pay \
             {basket:.0} an order already)"
        );
        (text, "reach them")
    } else if leverage >= 1.0 {
        let text = format!(
            "Grow: a reward for the next order within {:.0} days, from {:.0} an order upwards",
            days_between_orders(segment, settings),
            1.2 * basket
        );
        (text, "offer it")
    } else if quiet {
        let text = format!(
            "Remind: a time-limited voucher of at most {:.1} (a tenth of what each is worth)",
            0.1 * average
        );
        (text, "send it")
    } else {
        let text = format!(
            "Build the habit: a small bundle at {basket:.0}, sent automatically, for each is worth \
             {average:.0}"
        );
        (text, "send it")
    }
}

/// Mean days between orders, from the expected orders of the longest horizon.
fn days_between_orders(segment: &Profile, settings: &Settings) -> f64 {
    let longest = segment.expected_orders.iter().max_by_key(|(months, _)| *months);
    let (months, orders) = longest.copied().unwrap_or((1, 0.0));
    let each = share(orders, segment.customers as f64);
    let days = f64::from(months) * settings.forecast.weeks_per_month.days();
    if each > 0.0 { (days / each).clamp(14.0, 180.0) } else { 180.0 }
}

/// The most bought categories, and the one with most room against the company.
fn categories(segment: &Profile, company: &Profile) -> String {
    let own: Vec<String> = segment
        .categories
        .iter()
        .take(2)
        .map(|(name, share)| format!("{name} ({:.0} %)", 100.0 * share))
        .collect();
    if own.is_empty() {
        return String::new();
    }
    let top: Vec<&str> = segment.categories.iter().take(2).map(|(n, _)| n.as_str()).collect();
    let gap = |name: &str, of_all: f64| {
        let own = segment.categories.iter().find(|(n, _)| n == name).map_or(0.0, |(_, s)| *s);
        own - of_all
    };
    let opposite =
        company.categories.iter().filter(|(name, _)| !top.contains(&name.as_str())).max_by(
            |a, b| {
                let (ga, gb) = (gap(&a.0, a.1).abs(), gap(&b.0, b.1).abs());
                ga.total_cmp(&gb).then_with(|| b.0.cmp(&a.0))
            },
        );
    let second = opposite.map_or(String::new(), |(name, of_all)| {
        if gap(name, *of_all) < 0.0 {
            format!("; suggest {name}, which they buy less than others do")
        } else {
            format!("; add {name}, which they like more than others do")
        }
    });
    format!(", with {}{second}", own.join(" and "))
}
