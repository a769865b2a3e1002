//! Simulates customer exports and order logs from known parameters: sample data, and data from
//! which a fit must recover the parameters.
//!
//! # Layout
//! * here: the population, and the orders of one customer from BG/NBD and Gamma-Gamma.
//! * [`world`]: what is uneven: seasons, trends, events, regular buyers, prices. `clock`: the days
//!   that it makes longer and shorter.
//! * [`export`]: one row per customer, with the columns of FLO's export.
//! * [`log`]: order lines, with cancelled invoices and missing ids.

mod clock;
pub mod export;
pub mod log;
pub mod world;

use chrono::{Days, NaiveDate};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Exp1, Gamma};

use self::clock::clock;
use self::world::World;
use crate::error::Error;
use crate::model::OperationalTime;
use crate::model::bg_nbd::BgNbd;
use crate::model::gamma_gamma::GammaGamma;
use crate::model::simulation::{beta, gamma};

/// A simulated population: true parameters and how it was observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    /// Parameters of the purchase model; α in weeks.
    pub purchases: BgNbd,
    /// Parameters of the order values.
    pub spend: GammaGamma,
    /// Number of customers.
    pub customers: u32,
    /// They are acquired evenly over this many days before the end.
    pub acquired_over: u32,
    /// Last day of the observation.
    pub end: NaiveDate,
    /// Beta parameters of each customer's share of online orders.
    pub online_share: (f64, f64),
    /// The same seed gives the same data.
    pub seed: u64,
    /// What is uneven in its days, gaps and prices.
    pub world: World,
}

/// The history of one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedCustomer {
    /// Orders in time order; the first is the acquisition.
    pub orders: Vec<SimulatedOrder>,
}

/// One order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedOrder {
    /// Time of the order in days before the end of the observation.
    pub days_before_end: f64,
    /// Value in money, to the cent.
    pub value: f64,
    /// Whether it was placed online.
    pub online: bool,
}

impl SimulatedOrder {
    /// Calendar day of the order.
    pub fn day(&self, end: NaiveDate) -> NaiveDate {
        let days = Days::new(self.days_before_end.max(0.0).ceil() as u64);
        end.checked_sub_days(days).unwrap_or(end)
    }
}

/// The distributions of a population, checked once.
pub struct Process {
    purchases: BgNbd,
    scale: Gamma<f64>,
    online_share: Beta<f64>,
    value_shape: f64,
    acquired_over: u32,
    world: World,
    clock: OperationalTime,
}

/// The orders of one customer, in operational weeks since the first.
struct Buyer {
    /// Rate of a stage.
    rate: f64,
    stages: u32,
    /// Probability of leaving after each repeat order.
    dropout: f64,
    /// Time of the latest order.
    time: f64,
    repeats: bool,
}

impl Process {
    /// Checks the parameters of a population.
    ///
    /// # Errors
    /// [`Error::Settings`] when a parameter is not positive, or the world is not possible.
    pub fn new(population: &Population) -> Result<Self, Error> {
        let BgNbd { r, alpha, a, b } = population.purchases;
        let GammaGamma { p, q, v } = population.spend;
        let (on, off) = population.online_share;
        let wrong = [r, alpha, a, b, p, q, v, on, off].iter().any(|x| !(x.is_finite() && *x > 0.0));
        let refused = |fault: &str| Error::Settings {
            place: "simulate".to_owned(),
            faults: vec![fault.to_owned()],
        };
        let fault = || refused("every parameter must be a number above 0");
        if wrong {
            return Err(fault());
        }
        let Population { ref world, end, acquired_over, .. } = *population;
        Ok(Self {
            purchases: population.purchases,
            scale: Gamma::new(q, 1.0 / v).map_err(|_| fault())?,
            online_share: Beta::new(on, off).map_err(|_| fault())?,
            value_shape: p,
            acquired_over,
            clock: clock(world, end, acquired_over).map_err(|fault| refused(&fault))?,
            world: world.clone(),
        })
    }

    /// Draws one customer: first order, then orders until dropout or the end.
    pub fn customer(&self, rng: &mut ChaCha8Rng) -> SimulatedCustomer {
        const DAYS_PER_WEEK: f64 = 7.0;
        let acquired = f64::from(rng.random_range(0..=self.acquired_over));
        let mut buyer = self.buyer(rng);
        let scale = self.scale.sample(rng).max(f64::MIN_POSITIVE);
        let online = self.online_share.sample(rng).clamp(0.0, 1.0);
        let mut orders = vec![self.order(acquired, scale, online, rng)];
        while let Some(weeks) = buyer.next_order(rng) {
            let days_before_end = -self.clock.day_after(-acquired, weeks * DAYS_PER_WEEK);
            if days_before_end < 0.0 {
                break;
            }
            orders.push(self.order(days_before_end, scale, online, rng));
        }
        SimulatedCustomer { orders }
    }

    /// Draws a customer's order rate and dropout: λ ~ Gamma(r, α), p ~ Beta(a, b).
    fn buyer(&self, rng: &mut ChaCha8Rng) -> Buyer {
        let BgNbd { r, alpha, a, b } = self.purchases;
        let stages = self.world.stages;
        let rate = f64::from(stages) * gamma(r, alpha, rng);
        Buyer { rate, stages, dropout: beta(a, b, rng), time: 0.0, repeats: false }
    }

    fn order(
        &self,
        days_before_end: f64,
        scale: f64,
        online: f64,
        rng: &mut ChaCha8Rng,
    ) -> SimulatedOrder {
        let value = Gamma::new(self.value_shape, 1.0 / scale).map_or(0.01, |d| d.sample(rng));
        let value = value * self.world.price_level(days_before_end);
        SimulatedOrder {
            days_before_end,
            value: cents(value.min(1e9)),
            online: rng.random_bool(online),
        }
    }
}

impl Buyer {
    /// Time of the next order; `None` once the customer has left.
    fn next_order(&mut self, rng: &mut ChaCha8Rng) -> Option<f64> {
        let left = self.repeats && self.dropout > 0.0 && rng.random_bool(self.dropout);
        // Drawn for those who have left too: a seed gives what it has always given.
        for _ in 0..self.stages {
            let waits: f64 = Exp1.sample(rng);
            self.time += waits * self.rate.recip();
        }
        self.repeats = true;
        (!left).then_some(self.time)
    }
}

/// Money rounded to the cent, at least one cent.
fn cents(value: f64) -> f64 {
    ((value * 100.0).round() / 100.0).max(0.01)
}

/// Draws one of `choices` with probability proportional to its weight.
fn pick<'a>(choices: &[(&'a str, f64)], rng: &mut ChaCha8Rng) -> &'a str {
    let mut left = rng.random_range(0.0..choices.iter().map(|(_, weight)| weight).sum::<f64>());
    for (choice, weight) in choices {
        left -= weight;
        if left < 0.0 {
            return choice;
        }
    }
    choices.last().map_or("", |(choice, _)| choice)
}
