//! A short action suggestion for each segment, for the next months, from the segment's own
//! figures.
//!
//! The play follows from where the segment stands: its share of the expected value against its
//! share of the customers, how long it has been silent against the company, and, where the model
//! can tell, how many are still alive. The channel and the categories to use are its own.

use crate::results::advice::{Advice, Play};
use crate::results::facts::Facts;
use crate::results::numbers::money;
use crate::results::profiles::Profile;
use crate::settings::{Forecast, Settings, TimeUnit};

/// Below this P(alive), winning back comes before selling more.
const MOSTLY_GONE: f64 = 0.5;
/// So much longer silent than the company is "going quiet".
const QUIETER: f64 = 1.1;

/// Advice for each segment, in their order; `knows_dropout`: whether P(alive) means anything.
pub fn advise(
    segments: &[Profile],
    company: &Profile,
    knows_dropout: bool,
    settings: &Settings,
) -> Vec<Advice> {
    segments
        .iter()
        .map(|segment| {
            let standing = Standing::of(segment, company, knows_dropout, settings);
            let play = standing.play();
            Advice {
                segment: segment.label.clone(),
                share_of_value: standing.share_of_value,
                play,
                facts: standing.facts(play),
                text: standing.text(play),
            }
        })
        .collect()
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Where a segment stands, and what there is to offer.
struct Standing<'a> {
    customers: usize,
    share_of_customers: f64,
    share_of_value: f64,
    /// Months of the value.
    months: u32,
    /// Mean P(alive), where the model knows of dropout.
    alive: Option<f64>,
    /// Mean time since the last order, in `unit`.
    silence: f64,
    unit: TimeUnit,
    /// Of all amounts, where the pipeline names it.
    currency: Option<&'a str>,
    /// Whether that is longer than the company's.
    quiet: bool,
    /// Mean lifetime value.
    worth: f64,
    /// Mean order value.
    basket: f64,
    days_between_orders: f64,
    channel: Option<&'a (String, f64)>,
    /// The most bought categories, with the share of customers who buy them.
    categories: &'a [(String, f64)],
    other: Option<Other<'a>>,
}

/// A category that the segment buys otherwise than the company does.
enum Other<'a> {
    LessThanOthers(&'a str),
    MoreThanOthers(&'a str),
}

impl<'a> Standing<'a> {
    fn of(
        segment: &'a Profile,
        company: &'a Profile,
        knows_dropout: bool,
        settings: &'a Settings,
    ) -> Self {
        let silence = segment.mean_time_since_last_order();
        let customers = segment.customers as f64;
        let categories = &segment.categories[..segment.categories.len().min(2)];
        Self {
            customers: segment.customers,
            share_of_customers: share(customers, company.customers as f64),
            share_of_value: share(segment.total_cltv, company.total_cltv),
            months: settings.lifetime_value.months,
            alive: knows_dropout.then_some(segment.mean_p_alive),
            silence,
            unit: settings.summary.time_unit,
            currency: settings.output.currency.as_deref(),
            quiet: silence > QUIETER * company.mean_time_since_last_order(),
            worth: share(segment.total_cltv, customers),
            basket: segment.mean_monetary,
            days_between_orders: days_between_orders(segment, &settings.forecast),
            channel: segment.main_channel.as_ref(),
            categories,
            other: if categories.is_empty() { None } else { other(segment, company) },
        }
    }

    fn play(&self) -> Play {
        let leverage = share(self.share_of_value, self.share_of_customers);
        let gone = self.alive.is_some_and(|alive| alive < MOSTLY_GONE);
        if self.customers == 0 {
            Play::Nobody
        } else if gone && leverage >= 1.0 {
            Play::WinBack
        } else if gone {
            Play::WinBackCheaply
        } else if leverage >= 1.5 {
            Play::Protect
        } else if leverage >= 1.0 {
            Play::Grow
        } else if self.quiet {
            Play::Remind
        } else {
            Play::BuildHabit
        }
    }

    /// At most so much is given to each: a tenth of what each is worth.
    fn voucher(&self) -> f64 {
        0.1 * self.worth
    }

    /// A basket that is worth a reward.
    fn target(&self) -> f64 {
        1.2 * self.basket
    }

    fn facts(&self, play: Play) -> Facts {
        let facts = Facts::default()
            .with("share_of_customers", self.share_of_customers)
            .with("share_of_value", self.share_of_value)
            .with("months", self.months);
        if play == Play::Nobody {
            return facts;
        }
        let facts = facts
            .maybe("alive", self.alive)
            .with("silence", self.silence)
            .with("unit", self.unit.plural())
            .with("average_worth", self.worth)
            .with("basket", self.basket)
            .with("basket_target", self.target())
            .with("days_between_orders", self.days_between_orders)
            .with("voucher", self.voucher())
            .maybe("currency", self.currency)
            .maybe("channel", self.channel.map(|(channel, _)| channel.as_str()))
            .maybe("channel_share", self.channel.map(|(_, share)| *share));
        let facts = self.categories.iter().zip(1..).fold(facts, |facts, ((name, share), place)| {
            facts
                .with(format!("category_{place}"), name.as_str())
                .with(format!("category_{place}_share"), *share)
        });
        match self.other {
            Some(Other::LessThanOthers(name)) => facts.with("suggest", name),
            Some(Other::MoreThanOthers(name)) => facts.with("add", name),
            None => facts,
        }
    }

    fn text(&self, play: Play) -> String {
        let Some((offer, verb)) = self.offer(play) else {
            return "Nobody is in this segment.".to_owned();
        };
        let standing = format!(
            "{:.0} % of the customers, {:.0} % of the value of the next {} months; {}.",
            100.0 * self.share_of_customers,
            100.0 * self.share_of_value,
            self.months,
            self.silence_in_words()
        );
        let channel = self.channel.map_or(String::new(), |(channel, share)| {
            format!("; {verb} through {channel} (main channel of {:.0} %)", 100.0 * share)
        });
        format!("{standing} {offer}{channel}{}.", self.categories_in_words())
    }

    fn silence_in_words(&self) -> String {
        let since = format!("last order {:.0} {} ago on average", self.silence, self.unit.plural());
        match self.alive {
            Some(alive) => format!("{:.0} % still alive, {since}", 100.0 * alive),
            None => since,
        }
    }

    /// What to do, and how to say that it goes through a channel.
    fn offer(&self, play: Play) -> Option<(String, &'static str)> {
        let money = |value, decimals| money(value, decimals, self.currency);
        let (worth, basket, voucher) =
            (money(self.worth, 0), money(self.basket, 0), money(self.voucher(), 1));
        Some(match play {
            Play::Nobody => return None,
            Play::WinBack => {
                let text = format!("Win back now with a personal offer: each is worth {worth}");
                (text, "call or write")
            }
            Play::WinBackCheaply => {
                let text = format!(
                    "Win back cheaply or let go: one reminder, at most {voucher} a head (a \
                     tenth of what each is worth)"
                );
                (text, "send it")
            }
            Play::Protect => {
                let text = format!(
                    "Protect: early access, free returns and a named contact, no discounts (they \
                     pay {basket} an order already)"
                );
                (text, "reach them")
            }
            Play::Grow => {
                let text = format!(
                    "Grow: a reward for the next order within {:.0} days, from {} an order \
                     upwards",
                    self.days_between_orders,
                    money(self.target(), 0)
                );
                (text, "offer it")
            }
            Play::Remind => {
                let text = format!(
                    "Remind: a time-limited voucher of at most {voucher} (a tenth of what each \
                     is worth)"
                );
                (text, "send it")
            }
            Play::BuildHabit => {
                let text = format!(
                    "Build the habit: a small bundle at {basket}, sent automatically, for each \
                     is worth {worth}"
                );
                (text, "send it")
            }
        })
    }

    fn categories_in_words(&self) -> String {
        let own: Vec<String> = self
            .categories
            .iter()
            .map(|(name, share)| format!("{name} ({:.0} %)", 100.0 * share))
            .collect();
        if own.is_empty() {
            return String::new();
        }
        let second = match self.other {
            Some(Other::LessThanOthers(name)) => {
                format!("; suggest {name}, which they buy less than others do")
            }
            Some(Other::MoreThanOthers(name)) => {
                format!("; add {name}, which they like more than others do")
            }
            None => String::new(),
        };
        format!(", with {}{second}", own.join(" and "))
    }
}

/// Mean days between orders, from the expected orders of the longest horizon.
fn days_between_orders(segment: &Profile, forecast: &Forecast) -> f64 {
    let longest = segment.expected_orders.iter().max_by_key(|(months, _)| *months);
    let (months, orders) = longest.copied().unwrap_or((1, 0.0));
    let each = share(orders, segment.customers as f64);
    let days = f64::from(months) * forecast.weeks_per_month.days();
    if each > 0.0 { (days / each).clamp(14.0, 180.0) } else { 180.0 }
}

/// The category in which the segment differs most from the company, its most bought ones aside.
fn other<'a>(segment: &Profile, company: &'a Profile) -> Option<Other<'a>> {
    let top: Vec<&str> = segment.categories.iter().take(2).map(|(n, _)| n.as_str()).collect();
    let gap = |name: &str, of_all: f64| {
        let own = segment.categories.iter().find(|(n, _)| n == name).map_or(0.0, |(_, s)| *s);
        own - of_all
    };
    let rest = company.categories.iter().filter(|(name, _)| !top.contains(&name.as_str()));
    let (name, of_all) = rest.max_by(|a, b| {
        let (ga, gb) = (gap(&a.0, a.1).abs(), gap(&b.0, b.1).abs());
        ga.total_cmp(&gb).then_with(|| b.0.cmp(&a.0))
    })?;
    Some(match gap(name, *of_all) < 0.0 {
        true => Other::LessThanOthers(name),
        false => Other::MoreThanOthers(name),
    })
}
