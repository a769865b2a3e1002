//! Simulates the order log of a gift retailer, with cancelled invoices and missing ids.

use polars::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Population, Process, SimulatedOrder, cents, pick};
use crate::error::Error;

/// How many orders get a defect; shares are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disorder {
    /// Share of orders that a cancellation follows: an invoice `C…` with a negative quantity.
    pub cancelled: f64,
    /// Share of orders that are repeated on another invoice, without the customer id.
    pub without_id: f64,
}

const ARTICLES: &[(&str, &str)] = &[
    ("85123A", "WHITE HANGING HEART T-LIGHT HOLDER"),
    ("22423", "REGENCY CAKESTAND 3 TIER"),
    ("84879", "ASSORTED COLOUR BIRD ORNAMENT"),
    ("20725", "LUNCH BAG RED RETROSPOT"),
    ("21212", "PACK OF 72 RETROSPOT CAKE CASES"),
    ("22197", "POPCORN HOLDER"),
];
const COUNTRIES: &[(&str, f64)] =
    &[("United Kingdom", 0.9), ("Germany", 0.04), ("France", 0.04), ("EIRE", 0.02)];
const FIRST_CUSTOMER: u32 = 12_346;
const FIRST_INVOICE: usize = 489_434;

struct Line {
    /// Invoices are numbered in the order of time.
    days_before_end: f64,
    invoice: usize,
    cancelled: bool,
    article: usize,
    quantity: i64,
    price: f64,
    customer: Option<u32>,
    country: &'static str,
}

/// Simulates an order log, sorted by time.
///
/// # Errors
/// [`Error::Settings`] when a parameter or share is out of range.
pub fn transactions(population: &Population, disorder: Disorder) -> Result<DataFrame, Error> {
    let process = Process::new(population)?;
    let shares = [disorder.cancelled, disorder.without_id];
    if shares.iter().any(|share| !(0.0..=1.0).contains(share)) {
        return Err(Error::Settings {
            place: "simulate".to_owned(),
            faults: vec!["shares must be between 0 and 1".to_owned()],
        });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(population.seed);
    let mut lines = Vec::new();
    let mut invoices = 0;
    for customer in 0..population.customers {
        let country = pick(COUNTRIES, &mut rng);
        for order in &process.customer(&mut rng).orders {
            let known = Some(FIRST_CUSTOMER + customer);
            invoice(&mut lines, &mut invoices, order, known, country, &mut rng);
            if rng.random_bool(disorder.cancelled) {
                cancelled(&mut lines, &mut invoices, order, known, country, &mut rng);
            }
            if rng.random_bool(disorder.without_id) {
                invoice(&mut lines, &mut invoices, order, None, country, &mut rng);
            }
        }
    }
    frame(lines, population).map_err(Error::engine("make the order log"))
}

/// Adds an order as one to four lines, whose values add up to its value but for rounded prices.
fn invoice(
    lines: &mut Vec<Line>,
    invoices: &mut usize,
    order: &SimulatedOrder,
    customer: Option<u32>,
    country: &'static str,
    rng: &mut ChaCha8Rng,
) {
    let parts = rng.random_range(1..=4);
    for _ in 0..parts {
        let quantity = rng.random_range(1..=6);
        lines.push(Line {
            days_before_end: order.days_before_end,
            invoice: *invoices,
            cancelled: false,
            article: rng.random_range(0..ARTICLES.len()),
            quantity,
            price: cents(order.value / f64::from(parts) / quantity as f64),
            customer,
            country,
        });
    }
    *invoices += 1;
}

/// Adds a later invoice with one line of negative quantity. It need not match a line of the order.
fn cancelled(
    lines: &mut Vec<Line>,
    invoices: &mut usize,
    order: &SimulatedOrder,
    customer: Option<u32>,
    country: &'static str,
    rng: &mut ChaCha8Rng,
) {
    lines.push(Line {
        days_before_end: (order.days_before_end - 0.01).max(0.0),
        invoice: *invoices,
        cancelled: true,
        article: rng.random_range(0..ARTICLES.len()),
        quantity: -rng.random_range(1..=6),
        price: cents(order.value / 4.0),
        customer,
        country,
    });
    *invoices += 1;
}

fn frame(mut lines: Vec<Line>, population: &Population) -> PolarsResult<DataFrame> {
    lines.sort_by(|a, b| {
        b.days_before_end.total_cmp(&a.days_before_end).then(a.invoice.cmp(&b.invoice))
    });
    // Numbered anew after sorting: invoices were counted customer by customer.
    let mut number = 0;
    let mut previous = None;
    let invoices: Vec<String> = lines
        .iter()
        .map(|line| {
            number += usize::from(previous.is_some_and(|p| p != line.invoice));
            previous = Some(line.invoice);
            let letter = if line.cancelled { "C" } else { "" };
            format!("{letter}{}", FIRST_INVOICE + number)
        })
        .collect();
    let texts = |of: &dyn Fn(&Line) -> String| lines.iter().map(of).collect::<Vec<String>>();
    DataFrame::new_infer_height(vec![
        Column::new("Invoice".into(), invoices),
        Column::new("StockCode".into(), texts(&|l| ARTICLES[l.article].0.to_owned())),
        Column::new("Description".into(), texts(&|l| ARTICLES[l.article].1.to_owned())),
        Column::new("Quantity".into(), lines.iter().map(|l| l.quantity).collect::<Vec<_>>()),
        Column::new("InvoiceDate".into(), texts(&|l| time_of(l, population))),
        Column::new("Price".into(), lines.iter().map(|l| l.price).collect::<Vec<_>>()),
        Column::new(
            "Customer ID".into(),
            lines.iter().map(|l| l.customer.map(f64::from)).collect::<Vec<_>>(),
        ),
        Column::new("Country".into(), texts(&|l| l.country.to_owned())),
    ])
}

/// Date and time of day, within opening hours.
fn time_of(line: &Line, population: &Population) -> String {
    const OPENS: f64 = 8.0;
    const OPEN_HOURS: f64 = 12.0;
    let order = SimulatedOrder { days_before_end: line.days_before_end, value: 0.0, online: true };
    let share_of_day = line.days_before_end.ceil() - line.days_before_end;
    let minutes = ((OPENS + OPEN_HOURS * share_of_day) * 60.0) as u32;
    format!("{} {:02}:{:02}:00", order.day(population.end), minutes / 60, minutes % 60)
}
