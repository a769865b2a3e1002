//! Regular buyers: the models with k = 1, and forecasts against simulated lives.

use cltv::customers::{Histories, History, HistoryColumns};
use cltv::model::bg_nbd::{self, BgNbd};
use cltv::model::cnbd::{Cnbd, log_likelihood};
use cltv::model::mbg_nbd::{self, MbgNbd};
use cltv::model::{CustomerPatterns, Patterns, PurchaseModel, fit_purchases};
use cltv::settings::{Family, Purchases};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const MODEL: Cnbd = Cnbd { r: 0.85, alpha: 1.45, a: 0.79, b: 2.42, k: 3, from_first: true };

const HISTORIES: [History; 5] = [
    History { frequency: 0.0, recency: 0.0, age: 12.0 },
    History { frequency: 1.0, recency: 5.0, age: 30.0 },
    History { frequency: 4.0, recency: 20.0, age: 26.0 },
    History { frequency: 4.0, recency: 26.0, age: 26.0 },
    History { frequency: 40.0, recency: 50.0, age: 60.0 },
];

fn relative(value: f64, expected: f64) -> f64 {
    (value / expected - 1.0).abs()
}

fn customers(frequency: Vec<f64>, recency: Vec<f64>, age: Vec<f64>) -> CustomerPatterns {
    let columns = HistoryColumns { frequency, recency, age, ..HistoryColumns::default() };
    CustomerPatterns::of(&Histories::new(columns).expect("valid"))
}

fn patterns() -> Patterns {
    let column = |of: fn(&History) -> f64| HISTORIES.iter().map(of).collect();
    customers(column(|h| h.frequency), column(|h| h.recency), column(|h| h.age)).patterns
}

#[test]
fn with_one_stage_it_is_the_model_that_it_generalises() {
    let [r, alpha, a, b] = [0.6, 8.0, 0.8, 3.0];
    let at = [r, alpha, a, b];
    for (from_first, plain, of_plain) in [
        (
            false,
            PurchaseModel::BgNbd(BgNbd { r, alpha, a, b }),
            bg_nbd::log_likelihood as fn(&Patterns, &[f64]) -> _,
        ),
        (true, PurchaseModel::MbgNbd(MbgNbd { r, alpha, a, b }), mbg_nbd::log_likelihood),
    ] {
        let (value, slope) = log_likelihood(&patterns(), 1, from_first, &at);
        let (expected, expected_slope) = of_plain(&patterns(), &at);
        assert!(relative(value, expected) < 1e-13, "{value} {expected}");
        for (slope, expected) in slope.iter().zip(expected_slope) {
            assert!((slope - expected).abs() < 1e-11, "{slope} {expected}");
        }
        let model = Cnbd { r, alpha, a, b, k: 1, from_first };
        for history in HISTORIES {
            let alive = (model.p_alive(history) - plain.p_alive(history)).abs();
            assert!(alive < 1e-14, "{history:?}: {alive}");
            for horizon in [0.5, 26.0, 400.0] {
                let orders = model.orders_if_alive(history, horizon).expect("within reach");
                let known = plain.orders_if_alive(history, horizon).expect("computed");
                assert!(relative(orders, known) < 1e-11, "{history:?} {horizon}: {orders}");
                let any = model.any_order_if_alive(history, horizon);
                assert!(relative(any, plain.any_order_if_alive(history, horizon)) < 1e-12);
                let own = model.distribution_if_alive(history, horizon, 0..12);
                let others = plain.distribution_if_alive(history, horizon, 0..12);
                for (p, q) in own.iter().zip(others) {
                    assert!((p - q).abs() < 1e-12, "{history:?} {horizon}: {p} {q}");
                }
            }
        }
    }
}

/// Draws whole lives, keeps those with a history near the given one, and counts what follows.
#[test]
fn forecasts_by_monte_carlo() {
    let model = PurchaseModel::Cnbd(MODEL);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (age, horizon) = (26.0, 26.0);
    // By x, and by whether the last order is within four weeks of T: lives, orders later, and
    // the forecast of each.
    let mut cells = [[[0.0f64; 4]; 2]; 4];
    for _ in 0..400_000 {
        let life = model.simulate(age, horizon, &mut rng, |_| ());
        let history = life.at(age);
        let Some(cell) = cells.get_mut(history.frequency as usize) else { continue };
        let cell = &mut cell[usize::from(age - history.recency < 4.0)];
        cell[0] += 1.0;
        cell[1] += life.later;
        cell[2] += life.later.powi(2);
        cell[3] += model.expected_orders(history, horizon).expect("within reach");
    }
    for (x, cell) in cells.iter().flatten().enumerate().filter(|(_, cell)| cell[0] > 500.0) {
        let [n, orders, squares, expected] = *cell;
        let error = (squares - orders * orders / n).sqrt();
        assert!((orders - expected).abs() < 4.0 * error, "{x}: {orders} {expected} ± {error}");
    }
}

#[test]
fn draws_from_a_history_have_the_mean_of_the_forecast() {
    let model = PurchaseModel::Cnbd(MODEL);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for history in HISTORIES {
        let (n, mut sum, mut squares) = (40_000, 0.0, 0.0);
        for _ in 0..n {
            let mut orders = 0.0;
            if let Some(mut future) = model.draw_future(history, &mut rng) {
                while future.next_order(&mut rng).is_some_and(|time| time <= 26.0) {
                    orders += 1.0;
                }
            }
            sum += orders;
            squares += orders * orders;
        }
        let n = f64::from(n);
        let mean = sum / n;
        let error = ((squares / n - mean * mean) / n).sqrt();
        let expected = model.expected_orders(history, 26.0).expect("within reach");
        assert!((mean - expected).abs() < 4.0 * error, "{history:?}: {mean} {expected} ± {error}");
    }
}

#[test]
fn a_file_of_totals_gives_the_parameters_back() {
    // 8,000 customers from k 3, r .85, α 1.45, a .79, b 2.42, watched for 26 to 52 weeks: each
    // parameter to 10 %.
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let ages: Vec<f64> = (0..8_000).map(|i| 26.0 + f64::from(i % 27)).collect();
    let model = PurchaseModel::Cnbd(MODEL);
    let mut later = 0.0;
    let mut one = |age: &f64| {
        let life = model.simulate(*age, 26.0, &mut rng, |_| ());
        later += life.later;
        life
    };
    let lives: Vec<_> = ages.iter().map(&mut one).collect();
    let (x, t_x) = lives.iter().map(|life| (life.frequency, life.recency)).unzip();
    let found = customers(x, t_x, ages);
    let purchases = Purchases::default();
    for k in [None, Some(3)] {
        let settings = Purchases { k, ..purchases.with_model(Family::MbgCnbdK(3)) };
        let fitted = fit_purchases(&found.patterns, &settings, None);
        let fitted = fitted.expect("a fit");
        assert_eq!(fitted.family, Family::MbgCnbdK(3));
        let errors = fitted.covariance.as_ref().expect("a maximum").log_standard_errors();
        for ((parameter, truth), error) in
            fitted.parameters.iter().zip([0.85, 1.45, 0.79, 2.42]).zip(errors)
        {
            let off = relative(parameter.value, truth);
            assert!(off < 0.1 && off < 4.0 * error, "{k:?} {}: {off} ± {error}", parameter.name);
        }
        let total: f64 = found
            .patterns
            .rows
            .iter()
            .map(|row| {
                let history = found.patterns.history(row);
                row.count * fitted.model.expected_orders(history, 26.0).expect("within reach")
            })
            .sum();
        assert!(relative(total, later) < 0.05, "{k:?}: {total} {later}");
    }
}
