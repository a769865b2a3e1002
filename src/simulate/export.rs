//! Simulates a customer export: one row per customer, with the columns of FLO's export.

use chrono::NaiveDate;
use polars::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Population, Process, SimulatedCustomer, SimulatedOrder, pick};
use crate::error::Error;

/// Which customers get into the file; by default all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only customers whose last order is at most this many days before the end.
    pub last_order_within: Option<u32>,
    /// Only customers who ordered online and offline.
    pub both_channels: bool,
}

const DEVICES: &[(&str, f64)] =
    &[("Android App", 0.48), ("Mobile", 0.24), ("Ios App", 0.14), ("Desktop", 0.14)];
const CATEGORIES: &[(&str, f64)] =
    &[("ERKEK", 0.45), ("COCUK", 0.35), ("KADIN", 0.55), ("AKTIFSPOR", 0.50), ("AKTIFCOCUK", 0.25)];

/// Simulates an export with the customers who pass the filter.
///
/// # Errors
/// [`Error::Settings`] when a parameter is not positive.
pub fn customers(population: &Population, filter: Filter) -> Result<DataFrame, Error> {
    let process = Process::new(population)?;
    let mut rng = ChaCha8Rng::seed_from_u64(population.seed);
    let mut rows = Rows::default();
    for _ in 0..population.customers {
        // Everything is drawn before the filter, so that a filter changes no other customer.
        let customer = process.customer(&mut rng);
        let id = identifier(&mut rng);
        let device = pick(DEVICES, &mut rng);
        let categories = categories(&mut rng);
        if filter.keeps(&customer) {
            rows.push(id, device, &customer, categories, population.end);
        }
    }
    rows.into_frame().map_err(Error::engine("make the export"))
}

impl Filter {
    fn keeps(self, customer: &SimulatedCustomer) -> bool {
        let last = customer.orders.last().map_or(f64::INFINITY, |o| o.days_before_end);
        let recent = self.last_order_within.is_none_or(|days| last <= f64::from(days));
        let online = customer.orders.iter().filter(|o| o.online).count();
        recent && (!self.both_channels || (online > 0 && online < customer.orders.len()))
    }
}

fn identifier(rng: &mut ChaCha8Rng) -> String {
    let (high, low) = (rng.random::<u64>(), rng.random::<u64>());
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

fn categories(rng: &mut ChaCha8Rng) -> String {
    let chosen: Vec<&str> =
        CATEGORIES.iter().filter(|(_, share)| rng.random_bool(*share)).map(|(n, _)| *n).collect();
    format!("[{}]", chosen.join(", "))
}

#[derive(Default)]
struct Rows {
    ids: Vec<String>,
    devices: Vec<&'static str>,
    last_channels: Vec<&'static str>,
    dates: [Vec<Option<String>>; 4],
    numbers: [Vec<f64>; 4],
    categories: Vec<String>,
}

impl Rows {
    fn push(
        &mut self,
        id: String,
        device: &'static str,
        customer: &SimulatedCustomer,
        categories: String,
        end: NaiveDate,
    ) {
        let orders = &customer.orders;
        let day = |order: Option<&SimulatedOrder>| order.map(|o| o.day(end).to_string());
        let online = || orders.iter().filter(|o| o.online);
        let offline = || orders.iter().filter(|o| !o.online);
        let last = orders.last();
        // Dates and numbers in the order in which `into_frame` takes them apart.
        let dates =
            [day(orders.first()), day(last), day(online().next_back()), day(offline().next_back())];
        let total =
            |values: &mut dyn Iterator<Item = f64>| (values.sum::<f64>() * 100.0).round() / 100.0;
        let numbers = [
            online().count() as f64,
            offline().count() as f64,
            total(&mut offline().map(|o| o.value)),
            total(&mut online().map(|o| o.value)),
        ];
        self.ids.push(id);
        self.devices.push(device);
        self.last_channels.push(if last.is_some_and(|o| o.online) { device } else { "Offline" });
        self.categories.push(categories);
        for (column, date) in self.dates.iter_mut().zip(dates) {
            column.push(date);
        }
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(number);
        }
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        let [first, last, last_online, last_offline] = self.dates;
        let [orders_online, orders_offline, value_offline, value_online] = self.numbers;
        DataFrame::new_infer_height(vec![
            Column::new("master_id".into(), self.ids),
            Column::new("order_channel".into(), self.devices),
            Column::new("last_order_channel".into(), self.last_channels),
            Column::new("first_order_date".into(), first),
            Column::new("last_order_date".into(), last),
            Column::new("last_order_date_online".into(), last_online),
            Column::new("last_order_date_offline".into(), last_offline),
            Column::new("order_num_total_ever_online".into(), orders_online),
            Column::new("order_num_total_ever_offline".into(), orders_offline),
            Column::new("customer_value_total_ever_offline".into(), value_offline),
            Column::new("customer_value_total_ever_online".into(), value_online),
            Column::new("interested_in_categories_12".into(), self.categories),
        ])
    }
}
