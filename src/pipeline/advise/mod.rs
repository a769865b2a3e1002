//! A short action suggestion for each segment, for the next months, from the segment's own
//! figures.
//!
//! The play follows from where the segment stands: its share of the expected value against its
//! share of the customers, how long it has been silent against the company, and, where the model
//! can tell, how many are still alive. The channel and the categories to use are its own. Where there
//! is no money, expected orders take the place of the value; where there is a margin, money is margin.
//!
//! # Layout
//! * `text`: the suggestion in English.

mod text;

use crate::results::advice::{Advice, Play};
use crate::results::facts::{Facts, VARIANT};
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
                share_of_value: settings.has_money().then_some(standing.share),
                share_of_orders: Some(standing.share_of_orders),
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
    /// Of the expected value, or of the expected orders where there is no money.
    share: f64,
    /// Of the orders expected over the longest horizon.
    share_of_orders: f64,
    measure: Measure,
    /// Months of the value or the orders.
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
    /// What each brings, on average: lifetime value, margin or orders.
    worth: f64,
    /// The same if all were still customers.
    worth_if_alive: f64,
    /// Mean order value.
    basket: f64,
    days_between_orders: f64,
    channel: Option<&'a (String, f64)>,
    /// The most bought categories, with the share of customers who buy them.
    categories: &'a [(String, f64)],
    other: Option<Other<'a>>,
}

/// What the worth of a customer is measured in.
#[derive(Clone, Copy)]
enum Measure {
    /// Revenue, or the margin that is this share of it.
    Money { margin: Option<f64> },
    /// Orders, where there is no money.
    Orders,
}

impl Measure {
    fn of(settings: &Settings) -> Self {
        match settings.has_money() {
            true => Self::Money { margin: settings.lifetime_value.margin },
            false => Self::Orders,
        }
    }

    /// The part of a lifetime value, or of expected orders, that counts.
    fn part(self) -> f64 {
        match self {
            Self::Money { margin } => margin.unwrap_or(1.0),
            Self::Orders => 1.0,
        }
    }

    /// Which texts of a play say it; `None` for those that speak of revenue.
    fn variant(self) -> Option<&'static str> {
        match self {
            Self::Money { margin: None } => None,
            Self::Money { margin: Some(_) } => Some("margin"),
            Self::Orders => Some("orders"),
        }
    }
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
        let measure = Measure::of(settings);
        let total = segment.ranking_total();
        let if_alive = segment.total_if_alive.unwrap_or(total);
        Self {
            customers: segment.customers,
            share_of_customers: share(customers, company.customers as f64),
            share: share(total, company.ranking_total()),
            share_of_orders: share(segment.longest_orders().1, company.longest_orders().1),
            measure,
            months: settings.months_ahead(),
            alive: knows_dropout.then_some(segment.mean_p_alive),
            silence,
            unit: settings.summary.time_unit,
            currency: settings.output.currency.as_deref(),
            quiet: silence > QUIETER * company.mean_time_since_last_order(),
            worth: measure.part() * share(total, customers),
            worth_if_alive: measure.part() * share(if_alive, customers),
            basket: segment.mean_monetary.unwrap_or(0.0),
            days_between_orders: days_between_orders(segment, &settings.forecast),
            channel: segment.main_channel.as_ref(),
            categories,
            other: if categories.is_empty() { None } else { other(segment, company) },
        }
    }

    fn play(&self) -> Play {
        let leverage = share(self.share, self.share_of_customers);
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

    /// What winning back one of them is worth: the value of a customer, less what is expected anyway.
    fn win_back(&self) -> f64 {
        (self.worth_if_alive - self.worth).max(0.0)
    }

    /// At most so much is given to each: a tenth of what each is worth, or of what winning one back is
    /// worth.
    fn voucher(&self, play: Play) -> f64 {
        0.1 * if play == Play::WinBackCheaply { self.win_back() } else { self.worth }
    }

    /// A basket that is worth a reward.
    fn target(&self) -> f64 {
        1.2 * self.basket
    }

    fn facts(&self, play: Play) -> Facts {
        let facts = Facts::default()
            .maybe(VARIANT, self.measure.variant())
            .with("share_of_customers", self.share_of_customers)
            .with("months", self.months);
        let facts = match self.measure {
            Measure::Money { margin } => {
                facts.with("share_of_value", self.share).maybe("margin", margin)
            }
            Measure::Orders => facts.with("share_of_orders", self.share),
        };
        if play == Play::Nobody {
            return facts;
        }
        let facts = self
            .worth_in_facts(facts, play)
            .maybe("alive", self.alive)
            .with("silence", self.silence)
            .with("unit", self.unit.plural())
            .with("days_between_orders", self.days_between_orders)
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

    fn worth_in_facts(&self, facts: Facts, play: Play) -> Facts {
        match self.measure {
            Measure::Orders => facts
                .with("average_orders", self.worth)
                .with("orders_if_alive", self.worth_if_alive)
                .with("win_back_orders", self.win_back()),
            Measure::Money { .. } => facts
                .with("average_worth", self.worth)
                .with("worth_if_alive", self.worth_if_alive)
                .with("win_back", self.win_back())
                .with("basket", self.basket)
                .with("basket_target", self.target())
                .with("voucher", self.voucher(play))
                .maybe("currency", self.currency),
        }
    }
}

/// Mean days between orders, from the expected orders of the longest horizon.
fn days_between_orders(segment: &Profile, forecast: &Forecast) -> f64 {
    let (months, orders) = segment.longest_orders();
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
