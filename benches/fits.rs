//! How long fits take: `cargo bench --bench fits`. Each line is the median of five runs in seconds.

use std::time::Instant;

use cltv::customers::{Histories, HistoryColumns};
use cltv::model::OperationalTime;
use cltv::model::SelectionRule;
use cltv::model::{CustomerPatterns, PurchaseModel, fit_purchases};
use cltv::settings::Family;
use cltv::settings::Purchases;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const RUNS: usize = 5;

static WEEKS: OperationalTime = OperationalTime::even(7.0, 0);

fn main() {
    let truth = Family::BgNbd.model(&[0.55, 10.0, 0.8, 2.5]);
    for customers in [2_357, 100_000, 1_000_000] {
        let histories = simulate(&truth, customers, None);
        println!("{customers} customers, {} patterns", patterns_of(&histories));
        report("distinct histories", || drop(CustomerPatterns::of(&histories)));
        let patterns = CustomerPatterns::of(&histories).patterns;
        for family in Family::ALL {
            let settings = Purchases { model: family.into(), ..Purchases::default() };
            report(family.title(), || drop(fit_purchases(&patterns, &settings, None)));
        }
    }
    let window = SelectionRule::to(26.0);
    let patterns = CustomerPatterns::of(&simulate(&truth, 100_000, Some(26.0))).patterns;
    println!("{} customers selected by a window", patterns.customers);
    report("BG/NBD, plain and corrected", || {
        drop(fit_purchases(&patterns, &named(), Some(window)));
    });
    let patterns = CustomerPatterns::of(&simulate(&truth, 2_357, None)).patterns;
    let fit = fit_purchases(&patterns, &named(), None).expect("a fit");
    println!("2357 customers");
    report("1,000 refits of BG/NBD", || drop(fit.refits(&patterns, &WEEKS, 1_000, 1)));
}

/// BG/NBD alone.
fn named() -> Purchases {
    Purchases { model: Family::BgNbd.into(), ..Purchases::default() }
}

fn patterns_of(histories: &Histories) -> usize {
    CustomerPatterns::of(histories).patterns.rows.len()
}

fn report(what: &str, run: impl Fn()) {
    let mut seconds: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    println!("  {what:<28} {:.3}", seconds[RUNS / 2]);
}

/// Customers with a T of 26 to 104 weeks, times in whole days: all of them, or those whose last
/// order is a repeat order within the window.
fn simulate(model: &PurchaseModel, customers: usize, window: Option<f64>) -> Histories {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let whole_days = |weeks: f64| (weeks * 7.0).floor() / 7.0;
    let (mut x, mut t_x, mut age) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..customers {
        let simulated = whole_days(rng.random_range(26.0..104.0));
        let seen = model.simulate(simulated, 0.0, &mut rng, |_| ());
        let last = whole_days(seen.recency);
        if window.is_none_or(|window| seen.frequency > 0.0 && simulated - last <= window) {
            x.push(seen.frequency);
            t_x.push(last);
            age.push(simulated);
        }
    }
    let ones = vec![1.0; x.len()];
    Histories::new(HistoryColumns {
        frequency: x,
        recency: t_x,
        age,
        monetary_value: ones.clone(),
        spend_count: ones,
    })
    .expect("valid")
}
