//! Signs that a file holds only some of the customers.
//!
//! In a file of recent buyers, the time since the last order has an edge: many customers have one
//! just below some time W, and all but a few strays have none above it. In a whole customer base
//! there are always customers who ordered once, long ago.

use crate::customers::Histories;
use crate::model::selection::edge::edge;
use crate::model::selection::tolerance::tolerated;
use crate::model::selection::zeros::missing_zeros;

/// The signs of a selection in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signs {
    /// Longest time since a last order but for the strays, where the file has a sharp edge there.
    pub window: Option<f64>,
    /// Longest time since a last order.
    pub longest_since_last_order: f64,
    /// Whether everybody ordered more than once, but for the strays.
    pub no_one_time_buyers: bool,
    /// Whether the file counts orders in two channels, and everybody but the strays ordered in both.
    pub both_channels: bool,
    /// The highest T.
    pub oldest: f64,
    /// Customers who contradict the signs.
    pub strays: Strays,
}

/// Numbers of customers who contradict a sign; 0 where there is no such sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strays {
    /// Silent for longer than the window.
    pub silent: usize,
    /// With one order.
    pub once: usize,
    /// With orders in one channel only.
    pub one_channel: usize,
}

impl Signs {
    /// The same without any sign.
    #[must_use]
    pub fn forgotten(self) -> Self {
        let strays = Strays::default();
        Self { window: None, no_one_time_buyers: false, both_channels: false, strays, ..self }
    }
}

/// Looks for the signs.
///
/// `left_out` is the number of customers that the pipeline itself left out for too few orders. If
/// there are any, the file does hold customers with few orders.
pub fn detect(histories: &Histories, orders: &[f64], left_out: usize) -> Signs {
    let longest = histories.times_since_last_order().fold(0.0, f64::max);
    let oldest = histories.age().iter().copied().fold(0.0, f64::max);
    let repeats: Vec<f64> = orders.iter().map(|orders| (orders - 1.0).max(0.0)).collect();
    let edge = edge(histories, &repeats);
    let whole = left_out == 0;
    let once = if whole { missing_zeros(repeats.iter().copied()) } else { None };
    let one_channel = if whole { one_channel(histories) } else { None };
    Signs {
        window: edge.map(|edge| edge.window),
        longest_since_last_order: longest,
        no_one_time_buyers: once.is_some(),
        both_channels: one_channel.is_some(),
        oldest,
        strays: Strays {
            silent: edge.map_or(0, |edge| edge.strays),
            once: once.unwrap_or(0),
            one_channel: one_channel.unwrap_or(0),
        },
    }
}

/// The number of customers with orders in one channel only, where that is a few and there must be
/// more in a whole customer base; else `None`.
fn one_channel(histories: &Histories) -> Option<usize> {
    let first = histories.first_channel()?;
    let second = || first.iter().zip(histories.spend_count()).map(|(first, all)| all - first);
    let within_one = first.iter().zip(second()).filter(|(a, b)| **a < 1.0 || *b < 1.0).count();
    let missing = missing_zeros(first.iter().copied()).or_else(|| missing_zeros(second()));
    missing.filter(|_| within_one <= tolerated(histories.len())).map(|_| within_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::{History, HistoryColumns};
    use crate::model::bg_nbd::BgNbd;
    use crate::model::nbd::Nbd;
    use crate::model::purchase_model::PurchaseModel;
    use crate::model::simulation::tests::MODELS;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const FLO: PurchaseModel = PurchaseModel::BgNbd(BgNbd { r: 0.6, alpha: 21.0, a: 4.9, b: 42.0 });
    const CDNOW: PurchaseModel =
        PurchaseModel::BgNbd(BgNbd { r: 0.36, alpha: 6.4, a: 0.8, b: 3.9 });
    /// Customers who order every week or fortnight and hardly leave.
    const FREQUENT: [PurchaseModel; 3] = [
        PurchaseModel::Nbd(Nbd { r: 2.0, alpha: 2.0 }),
        PurchaseModel::Nbd(Nbd { r: 20.0, alpha: 20.0 }),
        PurchaseModel::BgNbd(BgNbd { r: 3.0, alpha: 6.0, a: 0.5, b: 30.0 }),
    ];
    /// The first orders are spread over four years, or of one quarter, or mostly of late.
    const ACQUIRED: [fn(f64) -> f64; 3] =
        [|share| 208.0 * share, |share| 150.0 + 13.0 * share, |share| 208.0 * share.powi(4)];
    const LONGEST: f64 = 208.0;

    type Keep<'a> = &'a dyn Fn(&History) -> bool;

    /// A file of `customers` who are kept; times are in weeks, on whole days.
    fn file(
        model: &PurchaseModel,
        acquired: fn(f64) -> f64,
        customers: usize,
        keep: Keep<'_>,
        seed: u64,
    ) -> Vec<History> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let day = |time: f64| (time * 7.0).round() / 7.0;
        let mut kept = Vec::new();
        while kept.len() < customers {
            let age = acquired(rng.random());
            let simulated = model.simulate(age, 0.0, &mut rng, |_| ());
            let History { frequency, recency, age } = simulated.at(age);
            let age = day(age);
            let history = History { frequency, recency: day(recency).min(age), age };
            if keep(&history) {
                kept.push(history);
            }
        }
        kept
    }

    fn signs(customers: &[History]) -> Signs {
        let column = |of: fn(&History) -> f64| customers.iter().map(of).collect::<Vec<f64>>();
        let orders = column(|c| c.frequency + 1.0);
        let histories = Histories::new(HistoryColumns {
            frequency: column(|c| c.frequency),
            recency: column(|c| c.recency),
            age: column(|c| c.age),
            ..HistoryColumns::default()
        });
        detect(&histories.expect("valid"), &orders, 0)
    }

    /// At most one whole base in a hundred shows a sign: frequent buyers without dropout, one
    /// cohort, a young shop, and each of the four models.
    #[test]
    fn whole_customer_bases_show_no_sign() {
        let (mut files, mut alarms) = (0, Vec::new());
        for model in MODELS.into_iter().chain([FLO, CDNOW]).chain(FREQUENT) {
            for (shape, acquired) in ACQUIRED.into_iter().enumerate() {
                for (customers, repeats) in [(500, 12), (5_000, 4), (50_000, 1)] {
                    for seed in 0..repeats {
                        let found = signs(&file(&model, acquired, customers, &|_| true, seed));
                        files += 1;
                        if found.window.is_some() || found.no_one_time_buyers {
                            alarms.push((model, shape, customers, found));
                        }
                    }
                }
            }
        }
        assert!(100 * alarms.len() <= files, "{} of {files}: {alarms:?}", alarms.len());
    }

    /// Strays of every kind: silent for long, ordered once, or both.
    fn with_strays(mut file: Vec<History>, strays: usize, window: f64) -> Vec<History> {
        for (i, stray) in file.iter_mut().take(strays).enumerate() {
            let age = (1.05 * window + 11.0 * (i % 5) as f64).min(LONGEST + 40.0);
            let repeats = (i % 2) as f64;
            let recency = 0.5 * repeats * (age - 1.05 * window);
            *stray = History { frequency: if recency > 0.0 { 1.0 } else { 0.0 }, recency, age };
        }
        file
    }

    /// The window is found, and right within 2 %, in at least 19 of 20 files whatever the strays.
    #[test]
    fn a_window_is_found_whatever_the_strays() {
        let (mut files, mut missed) = (0, Vec::new());
        for model in [FLO, CDNOW, MODELS[2], MODELS[3]] {
            for (window, sizes) in [
                (LONGEST / 4.0, &[500, 5_000, 50_000][..]),
                (LONGEST / 3.0, &[5_000, 50_000]),
                (LONGEST / 2.0, &[5_000, 50_000]),
            ] {
                for customers in sizes.iter().copied() {
                    let keep = |c: &History| c.frequency > 0.0 && c.age - c.recency <= window;
                    let kept = file(&model, ACQUIRED[0], customers, &keep, 3);
                    for strays in [0, 1, 3, customers / 2_000] {
                        let found = signs(&with_strays(kept.clone(), strays, window));
                        files += 1;
                        let right = found.window.is_some_and(|w| (w / window - 1.0).abs() < 0.02);
                        if !right || !found.no_one_time_buyers {
                            missed.push((model, window, customers, strays, found));
                        }
                    }
                }
            }
        }
        assert!(20 * missed.len() <= files, "{} of {files}: {missed:?}", missed.len());
    }

    #[test]
    fn strays_are_counted() {
        let window = LONGEST / 4.0;
        let keep = |c: &History| c.frequency > 0.0 && c.age - c.recency <= window;
        let found = signs(&with_strays(file(&FLO, ACQUIRED[0], 5_000, &keep, 4), 4, window));
        // The first of four and the third ordered once; all are silent for 5 % longer than W.
        assert_eq!(found.strays, Strays { silent: 4, once: 2, one_channel: 0 });
        assert!(found.longest_since_last_order > window);
        assert_eq!(found.forgotten().strays, Strays::default());
    }

    /// More strays than are tolerated are no strays.
    #[test]
    fn many_long_silences_speak_against_a_window() {
        let window = LONGEST / 4.0;
        let keep = |c: &History| c.frequency > 0.0 && c.age - c.recency <= window;
        let kept = file(&FLO, ACQUIRED[0], 2_000, &keep, 5);
        assert!(signs(&with_strays(kept.clone(), 3, window)).window.is_some());
        let found = signs(&with_strays(kept, 20, window));
        assert_eq!((found.window, found.no_one_time_buyers), (None, false));
    }

    /// Subscribers pay at a fixed interval: their longest silence is the interval, and no window.
    #[test]
    fn a_fixed_interval_is_no_window() {
        let subscriber = |i: u32| {
            let (age, interval) = (f64::from(i % 1_450) / 7.0, 30.0 / 7.0);
            let frequency = (age / interval).floor();
            History { frequency, recency: frequency * interval, age }
        };
        let found = signs(&(0..3_000).map(subscriber).collect::<Vec<_>>());
        assert_eq!(found.window, None);
        assert!(found.longest_since_last_order < 30.0 / 7.0 + 1e-9, "{found:?}");
    }

    /// Customers of both channels but for two, and customers of whom many use one channel only.
    #[test]
    fn channels_that_everybody_uses() {
        let of = |only_one: usize| {
            let n = 3_000;
            let orders: Vec<f64> = (0..n).map(|i| 2.0 + (i % 4) as f64).collect();
            let first = |i: usize| match i < only_one {
                true => 0.0,
                false => 1.0 + (i / 4 % 3) as f64 * (orders[i] - 2.0) / 3.0,
            };
            let first: Vec<f64> = (0..n).map(|i| first(i).floor()).collect();
            let histories = Histories::new(HistoryColumns {
                frequency: orders.iter().map(|n| n - 1.0).collect(),
                recency: vec![1.0; n],
                age: vec![2.0; n],
                monetary_value: vec![20.0; n],
                spend_count: orders.clone(),
            });
            let histories = histories.and_then(|h| h.with_first_channel(first)).expect("valid");
            let found = detect(&histories, &orders, 0);
            (found.both_channels, found.strays.one_channel)
        };
        assert_eq!(of(0), (true, 0));
        assert_eq!(of(2), (true, 2));
        assert_eq!(of(500), (false, 0));
    }
}
