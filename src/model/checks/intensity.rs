//! What the model expects of a customer from one day to the next, given all orders before it.
//!
//! # Formula
//! The number of orders minus its compensator Λ is a martingale: whatever the order rates and
//! dropouts are, orders over any span have mean Λ and scatter as Poisson counts do, if the model is
//! right. Between two orders
//! Λ(s, u) = ln S(s) − ln S(u), S(t) = P(no order from t_x to t | x orders, the last at t_x).
//!
//! # Reference
//! Andersen, Borgan, Gill & Keiding (1993), Statistical Models Based on Counting Processes,
//! sections II.4 and VI.3 (martingale residuals).

use crate::customers::{History, OrderDay};
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::purchase_model::PurchaseModel;

/// S is never taken to be smaller: after so long a silence its digits are gone.
const SMALLEST: f64 = 1e-12;

/// Orders and their compensator over a span of days without an order, or up to one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The step covers the days after this one…
    pub after: i32,
    /// … up to this one.
    pub until: i32,
    /// Λ over the step.
    pub expected: f64,
    /// Λ since the last order before the step, at its beginning.
    pub waited: f64,
    /// Λ over the first day after the last order before the step.
    pub first_day: f64,
    /// Orders on its last day.
    pub orders: f64,
}

/// Walks through a customer's orders up to the day `end`, with a stop at each order and at each of
/// `edges` (ascending days), and calls `visit` for each step. `time` is that of the model.
pub fn walk(
    model: &PurchaseModel,
    path: &[OrderDay],
    edges: &[i32],
    end: i32,
    time: &OperationalTime,
    mut visit: impl FnMut(Step),
) {
    let Some(first) = path.first() else { return };
    let since = |day: i32| time.between(first.day, day);
    // Orders beyond the first on its own day are repeat orders without any wait.
    let mut x = first.orders - 1.0;
    if x > 0.0 {
        let day = first.day;
        let at_once =
            Step { after: day, until: day, expected: 0.0, waited: 0.0, first_day: 0.0, orders: x };
        visit(at_once);
    }
    let mut last = first.day;
    let mut edge = edges.partition_point(|day| *day <= first.day);
    let stops = path[1..].iter().map(|order| (order.day, order.orders)).chain([(end, 0.0)]);
    for (stop, orders) in stops.filter(|(day, _)| *day <= end) {
        let origin = History { frequency: x, recency: since(last), age: since(last) };
        let alive = model.p_alive(origin);
        let waited = |day: i32| {
            let silence = time.between(last, day);
            let none = 1.0 - alive * model.any_order_if_alive(origin, silence);
            -none.max(SMALLEST).ln()
        };
        let (mut from, mut so_far, first_day) = (last, 0.0, waited(last + 1));
        while let Some(&day) = edges.get(edge).filter(|day| **day < stop) {
            let until = waited(day);
            visit(Step {
                after: from,
                until: day,
                expected: until - so_far,
                waited: so_far,
                first_day,
                orders: 0.0,
            });
            (from, so_far, edge) = (day, until, edge + 1);
        }
        if stop > from || orders > 0.0 {
            let expected = waited(stop) - so_far;
            visit(Step { after: from, until: stop, expected, waited: so_far, first_day, orders });
        }
        if edges.get(edge) == Some(&stop) {
            edge += 1;
        }
        (x, last) = (x + orders, stop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bg_nbd::BgNbd;
    use crate::model::nbd::Nbd;
    use crate::model::pareto_nbd::ParetoNbd;
    use crate::model::purchase_model::PurchaseModel;
    use crate::model::testing::{even, relative};
    use crate::settings::{Family, TimeUnit};

    fn orders(days: &[i32]) -> Vec<OrderDay> {
        days.iter().map(|day| OrderDay { day: *day, orders: 1.0, value: 1.0 }).collect()
    }

    fn steps(model: &PurchaseModel, days: &[i32], edges: &[i32], end: i32) -> Vec<Step> {
        let mut all = Vec::new();
        walk(model, &orders(days), edges, end, even(TimeUnit::Week), |step| all.push(step));
        all
    }

    /// Without dropout Λ = (r+x)·ln((α+u)/(α+s)).
    #[test]
    fn without_dropout_by_hand() {
        let model = PurchaseModel::Nbd(Nbd { r: 0.5, alpha: 4.0 });
        let found = steps(&model, &[100, 114], &[107, 114, 128], 135);
        let spans: Vec<_> = found.iter().map(|s| (s.after, s.until, s.orders)).collect();
        assert_eq!(spans, [(100, 107, 0.0), (107, 114, 1.0), (114, 128, 0.0), (128, 135, 0.0)]);
        let expected = [
            0.5 * (5.0f64 / 4.0).ln(),
            0.5 * (6.0f64 / 5.0).ln(),
            1.5 * (8.0f64 / 6.0).ln(),
            1.5 * (9.0f64 / 8.0).ln(),
        ];
        for (step, expected) in found.iter().zip(expected) {
            assert!(relative(step.expected, expected) < 1e-9, "{step:?} {expected}");
        }
        assert_eq!((found[2].waited, found[0].waited), (0.0, 0.0));
        assert!(relative(found[1].waited, expected[0]) < 1e-9);
    }

    /// exp(−Σ Λ)·Π λ is the likelihood of the orders: its logarithm differs from that of the model
    /// by the same sum of ln λ for every path of equal x and times, so Λ must be the difference of
    /// log-likelihoods of a longer and a shorter silence.
    #[test]
    fn compensators_are_differences_of_log_likelihoods() {
        for model in [
            PurchaseModel::BgNbd(BgNbd { r: 0.24, alpha: 4.4, a: 0.79, b: 2.4 }),
            PurchaseModel::ParetoNbd(ParetoNbd { r: 0.55, alpha: 10.6, s: 0.6, beta: 11.7 }),
            Family::MbgNbd.model(&[0.5, 6.0, 0.9, 1.6]),
        ] {
            let likelihood = |end: i32| {
                let weeks = f64::from(end - 100) / 7.0;
                let histories =
                    crate::model::testing::orders_only(vec![2.0], vec![6.0], vec![weeks]);
                let patterns = crate::model::CustomerPatterns::of(&histories).patterns;
                (model.family().log_likelihood(&patterns))(&model.parameters()).0
            };
            let found = steps(&model, &[100, 121, 142], &[170], 240);
            let silent: Vec<&Step> = found.iter().filter(|s| s.after >= 142).collect();
            assert_eq!(silent.len(), 2);
            let whole = likelihood(142) - likelihood(170);
            assert!(relative(silent[0].expected, whole) < 1e-9, "{model:?} {silent:?} {whole}");
            let later = likelihood(170) - likelihood(240);
            assert!(relative(silent[1].expected, later) < 1e-8, "{model:?} {silent:?} {later}");
        }
    }

    #[test]
    fn several_orders_of_a_day_need_no_wait() {
        let model = PurchaseModel::Nbd(Nbd { r: 1.0, alpha: 4.0 });
        let path = vec![OrderDay { day: 10, orders: 3.0, value: 1.0 }];
        let mut found = Vec::new();
        walk(&model, &path, &[], 17, even(TimeUnit::Week), |step| found.push(step));
        assert_eq!(found[0].orders, 2.0);
        assert!(relative(found[1].expected, 3.0 * (5.0f64 / 4.0).ln()) < 1e-12);
    }
}
