//! Simulates customer exports and order logs from known parameters: sample data, and data from
//! which a fit must recover the parameters.
//!
//! # Layout
//! * here: the population, and the orders of one customer from BG/NBD and Gamma-Gamma.
//! * [`export`]: one row per customer, with the columns of FLO's export.
//! * [`log`]: order lines, with cancelled invoices and missing ids.

pub mod export;
pub mod log;

use chrono::{Days, NaiveDate};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Gamma};

use crate::customers::History;
use crate::error::Error;
use crate::model::PurchaseModel;
use crate::model::bg_nbd::BgNbd;
use crate::model::gamma_gamma::GammaGamma;

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
    purchases: PurchaseModel,
    scale: Gamma<f64>,
    online_share: Beta<f64>,
    value_shape: f64,
    acquired_over: u32,
}

impl Process {
    /// Checks the parameters of a population.
    ///
    /// # Errors
    /// [`Error::Settings`] when a parameter is not positive.
    pub fn new(population: &Population) -> Result<Self, Error> {
        let BgNbd { r, alpha, a, b } = population.purchases;
        let GammaGamma { p, q, v } = population.spend;
        let (on, off) = population.online_share;
        let wrong = [r, alpha, a, b, p, q, v, on, off].iter().any(|x| !(x.is_finite() && *x > 0.0));
        let fault = || Error::Settings {
            place: "simulate".to_owned(),
            faults: vec!["every parameter must be a number above 0".to_owned()],
        };
        if wrong {
            return Err(fault());
        }
        Ok(Self {
            purchases: PurchaseModel::BgNbd(population.purchases),
            scale: Gamma::new(q, 1.0 / v).map_err(|_| fault())?,
            online_share: Beta::new(on, off).map_err(|_| fault())?,
            value_shape: p,
            acquired_over: population.acquired_over,
        })
    }

    /// Draws one customer: first order, then orders until dropout or the end.
    pub fn customer(&self, rng: &mut ChaCha8Rng) -> SimulatedCustomer {
        const DAYS_PER_WEEK: f64 = 7.0;
        let acquired = f64::from(rng.random_range(0..=self.acquired_over));
        let mut future = self.purchases.draw_future(History::NEW, rng);
        let scale = self.scale.sample(rng).max(f64::MIN_POSITIVE);
        let online = self.online_share.sample(rng).clamp(0.0, 1.0);
        let mut orders = vec![self.order(acquired, scale, online, rng)];
        while let Some(weeks) = future.as_mut().and_then(|future| future.next_order(rng)) {
            let days_before_end = acquired - weeks * DAYS_PER_WEEK;
            if days_before_end < 0.0 {
                break;
            }
            orders.push(self.order(days_before_end, scale, online, rng));
        }
        SimulatedCustomer { orders }
    }

    fn order(
        &self,
        days_before_end: f64,
        scale: f64,
        online: f64,
        rng: &mut ChaCha8Rng,
    ) -> SimulatedOrder {
        let value = Gamma::new(self.value_shape, 1.0 / scale).map_or(0.01, |d| d.sample(rng));
        SimulatedOrder {
            days_before_end,
            value: cents(value.min(1e9)),
            online: rng.random_bool(online),
        }
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
