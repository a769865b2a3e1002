//! Cumulative orders and revenue of groups of customers, as functions of time.
//!
//! The sums are smooth in time and, for each frequency, in T. They are therefore computed at
//! Chebyshev points of ln(1 + t/s) and ln(1 + T/s), where s is the model's shortest time constant,
//! and interpolated. The result is checked against sums of the customers' own forecasts. Where it
//! is off, which happens with many orders in little time, more points are tried, and finally the
//! sums are computed directly.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::customers::{Groups, History, Predictions};
use crate::error::Error;
use crate::math::chebyshev::{Interpolant, basis, chebyshev_points};
use crate::model::forecast::predict::Outlook;
use crate::model::likelihood::patterns::CustomerPatterns;
use crate::model::purchase_model::PurchaseModel;

/// Numbers of points of each interpolation, tried in turn.
const POINTS: [usize; 3] = [14, 28, 56];
/// Relative error that the check accepts.
const EXACT: f64 = 1e-9;

/// Orders and revenue of each group.
pub(crate) type Sums = Vec<[f64; 2]>;

/// A history at which the model is evaluated, on behalf of customers with that x and a similar T; of
/// those who order at regular intervals, with the same t_x too.
struct Node {
    history: History,
    /// For each group, Σ P(alive) and Σ P(alive)·E\[M\] of those customers.
    weights: Sums,
}

/// Orders and revenue of each group up to each of `times`, which are ascending.
///
/// # Formula
/// Σ P(alive)·E\[X(t)\] and Σ P(alive)·E\[X(t)\]·E\[M\] over the customers of a group, E\[X(t)\]
/// being the expected orders if alive.
///
/// # Errors
/// [`Error::Model`] when a sum cannot be computed.
pub(crate) fn cumulated(
    model: &PurchaseModel,
    predictions: &Predictions,
    next_month: &[f64],
    groups: &Groups,
    outlook: &Outlook<'_>,
    times: &[f64],
) -> Result<Vec<Sums>, Error> {
    let scale = shortest_time(model);
    let farthest = times.iter().copied().fold(0.0, f64::max);
    let places = Places::of(model, outlook.customers);
    // P(alive) and E[M] do not depend on the time t, so they are summed once into the weights.
    let weights = places.weights(predictions, groups, outlook);
    let checks = checks(predictions, next_month, groups, outlook, farthest);
    // Regular buyers order in waves, for which the fewest points are never enough.
    for &points in &POINTS[usize::from(places.whole)..] {
        let nodes = places.compressed(&weights, points, scale);
        let curves = interpolated(model, &nodes, groups.names.len(), (scale, farthest, points));
        let at = |time: f64| -> Sums {
            curves.iter().map(|curve| curve.at((time / scale).ln_1p())).collect()
        };
        let error = checks.iter().map(|(time, exact)| error(&at(*time), exact)).fold(0.0, worse);
        if error <= EXACT {
            return Ok(times.iter().map(|time| at(*time)).collect());
        }
        tracing::debug!(points, error, "more points for the company's forecast");
    }
    // No interpolation was exact enough: every distinct (x, T) at every time.
    let nodes = places.compressed(&weights, usize::MAX, scale);
    times
        .iter()
        .map(|time| {
            let sums = sums(model, &nodes, *time, groups.names.len());
            sums.iter().flatten().all(|sum| sum.is_finite()).then_some(sums)
        })
        .collect::<Option<_>>()
        .ok_or_else(|| Error::model("the company's forecast could not be computed"))
}

/// The sums as functions of time, through Chebyshev points: one curve per group.
fn interpolated(
    model: &PurchaseModel,
    nodes: &[Node],
    groups: usize,
    (scale, farthest, points): (f64, f64, usize),
) -> Vec<Interpolant<2>> {
    let mut values = vec![Vec::with_capacity(points); groups];
    for u in chebyshev_points(0.0, (farthest / scale).ln_1p(), points) {
        let sums = sums(model, nodes, scale * u.exp_m1(), groups);
        values.iter_mut().zip(sums).for_each(|(values, sum)| values.push((u, sum)));
    }
    values.into_iter().map(Interpolant::new).collect()
}

/// The largest relative error.
fn error(found: &Sums, exact: &Sums) -> f64 {
    let one = |(found, exact): (&f64, &f64)| {
        if *exact == 0.0 { found.abs() } else { (found / exact - 1.0).abs() }
    };
    found.iter().flatten().zip(exact.iter().flatten()).map(one).fold(0.0, worse)
}

/// The larger of two errors; NaN counts as the largest.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::INFINITY } else { a.max(b) }
}

/// The model's shortest time constant s: E[X(t)] has no singularity closer to zero than −s, so on
/// the scale ln(1 + t/s) it is smooth enough for few points.
fn shortest_time(model: &PurchaseModel) -> f64 {
    let family = model.family();
    let times = model.parameters().into_iter().enumerate().filter(|(k, _)| family.is_time(*k));
    times.map(|(_, time)| time).fold(f64::INFINITY, f64::min)
}

/// The distinct histories that expected orders depend on: (x, T), or with t_x too.
struct Places<'a> {
    customers: &'a CustomerPatterns,
    /// Whether t_x matters.
    whole: bool,
}

impl<'a> Places<'a> {
    fn of(model: &PurchaseModel, customers: &'a CustomerPatterns) -> Self {
        Self { customers, whole: !model.forgets_last_order() }
    }

    fn len(&self) -> usize {
        match self.whole {
            true => self.customers.patterns.rows.len(),
            false => self.customers.pairs.numbers.len(),
        }
    }

    fn of_pattern(&self, pattern: u32) -> usize {
        let pairs = &self.customers.pairs;
        if self.whole { pattern as usize } else { pairs.of_pattern[pattern as usize] as usize }
    }

    fn history(&self, place: usize) -> History {
        if self.whole {
            let patterns = &self.customers.patterns;
            return patterns.history(&patterns.rows[place]);
        }
        let (frequency, age) = self.customers.pairs.numbers[place];
        History { frequency, age, ..History::NEW }
    }

    /// For each place, the weights of each group: see [`Node`].
    fn weights(
        &self,
        predictions: &Predictions,
        groups: &Groups,
        outlook: &Outlook<'_>,
    ) -> Vec<Sums> {
        let mut weights = vec![vec![[0.0; 2]; groups.names.len()]; self.len()];
        for (i, &pattern) in outlook.customers.of_customer.iter().enumerate() {
            let place = self.of_pattern(pattern);
            let alive = predictions.p_alive[i];
            for group in groups.of(i) {
                add(&mut weights[place][group], [alive, alive * predictions.average_value(i)]);
            }
        }
        weights
    }
}

fn add(sum: &mut [f64; 2], term: [f64; 2]) {
    sum[0] += term[0];
    sum[1] += term[1];
}

/// The exact sums at those times for which there are forecasts of every customer.
fn checks(
    predictions: &Predictions,
    next_month: &[f64],
    groups: &Groups,
    outlook: &Outlook<'_>,
    farthest: f64,
) -> Vec<(f64, Sums)> {
    let known = predictions.orders.iter().map(|(months, orders)| (*months, orders.as_slice()));
    let known = known.chain([(1, next_month)]);
    known
        .map(|(months, orders)| (outlook.horizon(months), orders))
        .filter(|(time, _)| *time <= farthest)
        .map(|(time, orders)| {
            let mut sums = vec![[0.0; 2]; groups.names.len()];
            for (i, orders) in orders.iter().enumerate() {
                for group in groups.of(i) {
                    add(&mut sums[group], [*orders, orders * predictions.average_value(i)]);
                }
            }
            (time, sums)
        })
        .collect()
}

impl Places<'_> {
    /// Moves the weights to at most `points` values of T for each frequency.
    ///
    /// # Formula
    /// By interpolation in T, f(T) ≈ Σₖ ℓₖ(T)·f(Tₖ) with the Lagrange basis ℓₖ at Chebyshev points Tₖ.
    /// So Σ w·f(T) over customers is Σₖ (Σ w·ℓₖ(T))·f(Tₖ), with new weights that do not depend on f.
    /// Where t_x matters too, every history keeps its own.
    fn compressed(&self, weights: &[Sums], points: usize, scale: f64) -> Vec<Node> {
        let own =
            |place: usize| Node { history: self.history(place), weights: weights[place].clone() };
        if self.whole {
            return (0..self.len()).map(own).collect();
        }
        let pairs = &self.customers.pairs;
        // A BTreeMap for a fixed order of the sums. x ≥ 0, so bits and values have the same order.
        let mut by_frequency: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (pair, (x, _)) in pairs.numbers.iter().enumerate() {
            by_frequency.entry(x.to_bits()).or_default().push(pair);
        }
        let mut nodes = Vec::new();
        for (x, members) in by_frequency {
            let x = f64::from_bits(x);
            let age_of = |pair: &usize| pairs.numbers[*pair].1;
            if members.len() <= points {
                nodes.extend(members.iter().map(|pair| own(*pair)));
                continue;
            }
            let youngest = members.iter().map(age_of).fold(f64::INFINITY, f64::min);
            let oldest = members.iter().map(age_of).fold(0.0, f64::max);
            let position = |age: f64| (age / scale).ln_1p();
            let ages = chebyshev_points(position(youngest), position(oldest), points);
            let groups = weights[members[0]].len();
            let mut own: Vec<Node> = ages
                .iter()
                .map(|u| {
                    let history = History { frequency: x, age: scale * u.exp_m1(), ..History::NEW };
                    Node { history, weights: vec![[0.0; 2]; groups] }
                })
                .collect();
            for pair in &members {
                let parts = basis(&ages, position(age_of(pair)));
                for (node, part) in own.iter_mut().zip(parts) {
                    for (sum, [orders, revenue]) in node.weights.iter_mut().zip(&weights[*pair]) {
                        add(sum, [part * orders, part * revenue]);
                    }
                }
            }
            nodes.extend(own);
        }
        nodes
    }
}

/// Orders and revenue of each group up to a time, from the nodes.
fn sums(model: &PurchaseModel, nodes: &[Node], time: f64, groups: usize) -> Sums {
    // Many tasks are worth it only where every history has a node.
    const TASK: usize = 1_024;
    let of = |node: &Node| model.orders_if_alive(node.history, time).unwrap_or(f64::NAN);
    let orders: Vec<f64> = nodes.par_iter().with_min_len(TASK).map(of).collect();
    let mut sums = vec![[0.0; 2]; groups];
    for (node, orders) in nodes.iter().zip(orders) {
        for (sum, weight) in sums.iter_mut().zip(&node.weights) {
            add(sum, weight.map(|weight| weight * orders));
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::{ExpectedMoney, Histories, HistoryColumns};
    use crate::model::bg_nbd::BgNbd;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::even;
    use crate::settings::TimeUnit;
    use crate::settings::{Forecast, LifetimeValue};

    /// Compared with sums over the customers, for ordinary histories and for hundreds of orders in
    /// days.
    #[test]
    fn interpolated_sums_are_the_sums() {
        let model = PurchaseModel::BgNbd(BgNbd { r: 0.25, alpha: 4.4, a: 0.8, b: 2.4 });
        for highest in [3.0, 400.0] {
            let n = 900;
            let frequency: Vec<f64> =
                (0..n).map(|i| if i % 9 == 0 { highest } else { f64::from(i % 3) }).collect();
            let age: Vec<f64> = (0..n).map(|i| f64::from(1 + i % 300) / 7.0).collect();
            let recency =
                age.iter().zip(&frequency).map(|(t, x)| if *x > 0.0 { 0.9 * t } else { 0.0 });
            let histories = Histories::new(HistoryColumns {
                frequency: frequency.clone(),
                recency: recency.collect(),
                age: age.clone(),
                monetary_value: vec![10.0; n as usize],
                spend_count: vec![1.0; n as usize],
            })
            .expect("valid");
            let customers = CustomerPatterns::of(&histories);
            let (forecast, lifetime) = (Forecast::default(), LifetimeValue::default());
            let outlook = Outlook {
                histories: &histories,
                observed: &histories,
                customers: &customers,
                time: even(TimeUnit::Week),
                unit: TimeUnit::Week,
                forecast: &forecast,
                lifetime: &lifetime,
            };
            let alive: Vec<f64> = (0..histories.len())
                .map(|i| {
                    model.p_alive(History {
                        frequency: frequency[i],
                        recency: histories.recency()[i],
                        age: age[i],
                    })
                })
                .collect();
            let orders = |i: usize, t: f64| {
                alive[i]
                    * model
                        .orders_if_alive(
                            History { frequency: frequency[i], age: age[i], ..History::NEW },
                            t,
                        )
                        .expect("computed")
            };
            let all = |t: f64| (0..histories.len()).map(|i| orders(i, t)).collect::<Vec<f64>>();
            let month = outlook.horizon(1);
            let predictions = Predictions {
                p_alive: alive.clone(),
                orders: vec![(6, all(6.0 * month))],
                orders_if_alive: (6, Vec::new()),
                money: Some(ExpectedMoney {
                    average_value: vec![10.0; histories.len()],
                    lifetime_value: Vec::new(),
                    lifetime_value_if_alive: Vec::new(),
                    log_yearly: 0.0,
                }),
            };
            let times = [1.0, 2.0, 26.0, 52.0];
            let groups = Groups::everybody();
            let found = cumulated(&model, &predictions, &all(month), &groups, &outlook, &times);
            for (sums, time) in found.expect("computed").iter().zip(times) {
                let exact: f64 = all(time).iter().sum();
                assert!(
                    (sums[0][0] / exact - 1.0).abs() < 1e-8,
                    "{highest} {time}: {sums:?} {exact}"
                );
                assert!((sums[0][1] / exact / 10.0 - 1.0).abs() < 1e-8, "{highest} {time}");
            }
        }
    }
}
