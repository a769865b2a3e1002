//! The suggested actions in English, for tables and the terminal; the report has its own words, from
//! the same facts.

use crate::pipeline::advise::{Measure, Other, Standing};
use crate::results::advice::Play;
use crate::results::numbers::{decimal, money};

/// What to do, and how to say that it goes through a channel.
type Offer = (String, &'static str);

impl Standing<'_> {
    pub(super) fn text(&self, play: Play) -> String {
        let offer = match self.measure {
            Measure::Orders => self.offer_of_orders(play),
            Measure::Money { margin: None } => self.offer_of_money(play),
            Measure::Money { margin: Some(_) } => self.offer_of_margin(play),
        };
        let Some((offer, verb)) = offer else {
            return "Nobody is in this segment.".to_owned();
        };
        let what = match self.measure {
            Measure::Orders => "orders",
            Measure::Money { .. } => "value",
        };
        let standing = format!(
            "{:.0} % of the customers, {:.0} % of the {what} of the next {} months; {}.",
            100.0 * self.share_of_customers,
            100.0 * self.share,
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

    fn amount(&self, value: f64, decimals: usize) -> String {
        money(value, decimals, self.currency)
    }

    fn offer_of_money(&self, play: Play) -> Option<Offer> {
        let (worth, basket) = (self.amount(self.worth, 0), self.amount(self.basket, 0));
        let voucher = self.amount(self.voucher(play), 1);
        let text = match play {
            Play::Nobody => return None,
            Play::WinBack => format!(
                "Win back now with a personal offer: each is worth {worth} as things stand, and \
                 {} if still a customer, so winning one back is worth up to {}",
                self.amount(self.worth_if_alive, 0),
                self.amount(self.win_back(), 0)
            ),
            Play::WinBackCheaply => format!(
                "Win back cheaply or let go: each is worth {worth} as things stand, and {} if still a \
                 customer; one reminder, at most {voucher} a head (a tenth of the difference)",
                self.amount(self.worth_if_alive, 0)
            ),
            Play::Remind => format!(
                "Remind: a time-limited voucher of at most {voucher} (a tenth of what each is worth)"
            ),
            Play::BuildHabit => format!(
                "Build the habit: a small bundle at {basket}, sent automatically, for each is worth \
                 {worth}"
            ),
            Play::Protect | Play::Grow => return self.offer_of_baskets(play),
        };
        Some((text, verb(play)))
    }

    fn offer_of_margin(&self, play: Play) -> Option<Offer> {
        let (worth, basket) = (self.amount(self.worth, 1), self.amount(self.basket, 0));
        let (voucher, limit) =
            (self.amount(self.voucher(play), 1), self.amount(self.win_back(), 1));
        let text = match play {
            Play::Nobody => return None,
            Play::WinBack => format!(
                "Win back now with a personal offer: each brings a margin of {worth} as things stand, \
                 and of {} if still a customer; a voucher above {limit} costs more than winning one \
                 back is worth",
                self.amount(self.worth_if_alive, 1)
            ),
            Play::WinBackCheaply => format!(
                "Win back cheaply or let go: each brings a margin of {worth} as things stand, and of {} \
                 if still a customer; one reminder, at most {voucher} a head (a tenth of the difference; \
                 a voucher above {limit} costs more than winning one back is worth)",
                self.amount(self.worth_if_alive, 1)
            ),
            Play::Remind => format!(
                "Remind: a time-limited voucher of at most {voucher} (a tenth of the margin that each \
                 brings; one above {worth} costs more than that)"
            ),
            Play::BuildHabit => format!(
                "Build the habit: a small bundle at {basket}, sent automatically, for each brings a \
                 margin of {worth}"
            ),
            Play::Protect | Play::Grow => return self.offer_of_baskets(play),
        };
        Some((text, verb(play)))
    }

    /// The plays that speak of what an order costs, which is the same whatever the margin.
    fn offer_of_baskets(&self, play: Play) -> Option<Offer> {
        let text = match play {
            Play::Protect => format!(
                "Protect: early access, free returns and a named contact, no discounts (they pay {} an \
                 order already)",
                self.amount(self.basket, 0)
            ),
            _ => format!(
                "Grow: a reward for the next order within {:.0} days, from {} an order upwards",
                self.days_between_orders,
                self.amount(self.target(), 0)
            ),
        };
        Some((text, verb(play)))
    }

    fn offer_of_orders(&self, play: Play) -> Option<Offer> {
        let (orders, days) = (decimal(self.worth), self.days_between_orders);
        let text = match play {
            Play::Nobody => return None,
            Play::WinBack => format!(
                "Win back now with a personal offer: each is expected to order {orders} times as things \
                 stand, and {} times if still a customer, so winning one back brings up to {} orders",
                decimal(self.worth_if_alive),
                decimal(self.win_back())
            ),
            Play::WinBackCheaply => format!(
                "Win back cheaply or let go: each is expected to order {orders} times as things stand, \
                 and {} times if still a customer; one reminder without a discount",
                decimal(self.worth_if_alive)
            ),
            Play::Protect => {
                "Protect: early access, free returns and a named contact, no discounts \
                              (they order anyway)"
                    .to_owned()
            }
            Play::Grow => format!("Grow: a reward for the next order within {days:.0} days"),
            Play::Remind => {
                format!(
                    "Remind: a time-limited offer, for each is expected to order {orders} times"
                )
            }
            Play::BuildHabit => {
                format!("Build the habit: a small bundle, sent automatically every {days:.0} days")
            }
        };
        Some((text, verb(play)))
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

/// How to say that the offer goes through a channel.
fn verb(play: Play) -> &'static str {
    match play {
        Play::WinBack => "call or write",
        Play::Protect => "reach them",
        Play::Grow => "offer it",
        Play::Nobody | Play::WinBackCheaply | Play::Remind | Play::BuildHabit => "send it",
    }
}
