//! What the fitted model predicts for one customer: by frequency and recency, and over time.

use std::collections::BTreeSet;

use crate::customers::History;
use crate::math::quantile::nearest_quantile;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::charts::histograms::NEARLY_ALL;
use crate::model::forecast::predict::Outlook;
use crate::model::purchase_model::PurchaseModel;
use crate::results::chart_data::Surface;

/// Most columns of a surface, and the frequency that it reaches at least.
const COLUMNS: u64 = 16;
const LEAST: f64 = 5.0;
/// Steps of recency from 0 to T.
const STEPS: u32 = 12;
/// Most regular points of a curve.
const POINTS: i32 = 200;
const DAYS_OF_A_WEEK: i32 = 7;

/// P(alive) and expected orders of a customer with the median T, by frequency and recency.
pub fn surface(model: &PurchaseModel, outlook: &Outlook<'_>) -> Surface {
    let histories = outlook.observed;
    let age = nearest_quantile(histories.age().to_vec(), 0.5);
    let months = outlook.forecast.horizons.iter().map(|h| h.months).max().unwrap_or(0);
    let horizon = outlook.horizon(months);
    let frequency = frequencies(nearest_quantile(histories.frequency().to_vec(), NEARLY_ALL));
    let recency: Vec<f64> = (0..=STEPS).map(|k| age * f64::from(k) / f64::from(STEPS)).collect();
    // What happened at T − t_x before the end, in the time of the model.
    let (time, days) = (outlook.time, outlook.unit.days());
    let in_time = |t: f64| match time.is_even() {
        true => t,
        false => time.back(age * days) - time.back((age - t) * days),
    };
    let of_age = in_time(age);
    // Where recency matters through P(alive) only, expected orders if alive are those of any cell of
    // the column.
    let orders_of = |t_x: f64| -> Vec<Option<f64>> {
        let recency = in_time(t_x).min(of_age);
        let of = |x: &u64| {
            let history = History { frequency: *x as f64, recency, age: of_age };
            model.orders_if_alive(history, horizon)
        };
        frequency.iter().map(of).collect()
    };
    let if_alive: Vec<Vec<Option<f64>>> = match model.forgets_last_order() {
        true => vec![orders_of(0.0); recency.len()],
        false => recency.iter().map(|t_x| orders_of(*t_x)).collect(),
    };
    let alive = |t_x: f64, x: u64| {
        // Without repeat orders t_x is 0: no other cell can have a customer.
        let there = x > 0 || t_x == 0.0;
        there
            .then(|| {
                let recency = in_time(t_x).min(of_age);
                model.p_alive(History { frequency: x as f64, recency, age: of_age })
            })
            .filter(|p| p.is_finite())
    };
    let row = |t_x: &f64| frequency.iter().map(|x| alive(*t_x, *x)).collect();
    let p_alive: Vec<Vec<Option<f64>>> = recency.iter().map(row).collect();
    let orders = |(p, orders): (&Option<f64>, &Option<f64>)| {
        Some((*p)? * (*orders)?).filter(|orders: &f64| orders.is_finite())
    };
    let rows = p_alive.iter().zip(&if_alive);
    let expected_orders =
        rows.map(|(row, if_alive)| row.iter().zip(if_alive).map(orders).collect()).collect();
    Surface { age, months, frequency, recency, p_alive, expected_orders }
}

/// Frequencies from 0 to at least `high` and [`LEAST`], in steps of one, or wider ones where there
/// would be too many.
fn frequencies(high: f64) -> Vec<u64> {
    let high = high.max(LEAST).ceil() as u64;
    let step = high.div_ceil(COLUMNS - 1);
    (0..COLUMNS).map(|k| k * step).take_while(|x| *x < high + step).collect()
}

/// The orders of one customer in a log, from which P(alive) over time follows.
#[derive(Debug, Clone, PartialEq)]
pub struct AliveCurve<'a> {
    /// Days with orders, counted from the first order (day 0), ascending; and the number of orders
    /// on each.
    pub orders: &'a [(i32, f64)],
    /// Orders that the frequency does not count: 1 where it counts repeat orders.
    pub uncounted: f64,
    /// Days from the first order to the observation end.
    pub end: i32,
}

impl AliveCurve<'_> {
    /// Days with orders that the model counts as repeat orders, counted from the first order.
    pub fn repeat_days(&self) -> Vec<f64> {
        let repeat = |(day, orders): &&(i32, f64)| *day > 0 || *orders > 1.0;
        self.orders.iter().filter(repeat).map(|(day, _)| f64::from(*day)).collect()
    }

    /// Days since the first order, and P(alive) at the end of each of them.
    ///
    /// There is a point every week (or every few weeks, for a long history), at the end, and on
    /// each day with orders and the day before, so that the curve shows the jump.
    pub fn survival(&self, model: &PurchaseModel, time: &OperationalTime) -> (Vec<f64>, Vec<f64>) {
        let first = time.end() - self.end;
        let days: Vec<i32> = self.days().into_iter().collect();
        let (mut next, mut orders, mut last) = (0, 0.0, 0);
        let mut alive = Vec::with_capacity(days.len());
        for &day in &days {
            while let Some(&(on, more)) = self.orders.get(next).filter(|(on, _)| *on <= day) {
                (next, orders, last) = (next + 1, orders + more, on);
            }
            let [t_x, age] = [last, day].map(|day| time.between(first, first + day));
            alive.push(model.p_alive(History {
                frequency: (orders - self.uncounted).max(0.0),
                recency: t_x,
                age,
            }));
        }
        (days.into_iter().map(f64::from).collect(), alive)
    }

    /// The days at which the curve has a point.
    fn days(&self) -> BTreeSet<i32> {
        let weeks = self.end / (DAYS_OF_A_WEEK * POINTS) + 1;
        let regular = (0..self.end).step_by((weeks * DAYS_OF_A_WEEK) as usize);
        let jumps = self.orders.iter().flat_map(|(day, _)| [day - 1, *day]);
        let within = |day: &i32| (0..=self.end).contains(day);
        regular.chain([self.end]).chain(jumps.filter(within)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bg_nbd::BgNbd;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::{even, orders_only};
    use crate::settings::{Forecast, LifetimeValue, TimeUnit};

    const MODEL: PurchaseModel =
        PurchaseModel::BgNbd(BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 });

    #[test]
    fn a_surface_has_what_the_model_says() {
        let age = vec![10.0, 38.86, 60.0];
        let histories = orders_only(vec![1.0; 3], vec![2.0; 3], age);
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
        let found = surface(&MODEL, &outlook);
        assert_eq!((found.age, found.months), (38.86, 6));
        assert_eq!(found.frequency, [0, 1, 2, 3, 4, 5]);
        assert_eq!((found.recency.len(), found.recency[12]), (13, 38.86));
        assert_eq!(found.p_alive[0][0], Some(1.0));
        assert_eq!((found.p_alive[1][0], found.expected_orders[12][0]), (None, None));
        let (t_x, days) = (found.recency[9], 6.0 * 365.25 / 12.0);
        let expected = MODEL
            .expected_orders(History { frequency: 2.0, recency: t_x, age: 38.86 }, days / 7.0)
            .expect("computed");
        let orders = found.expected_orders[9][2].expect("computed");
        assert!((orders / expected - 1.0).abs() < 1e-12, "{orders} {expected}");
    }

    #[test]
    fn frequencies_in_steps() {
        assert_eq!(frequencies(15.0), (0..16).collect::<Vec<_>>());
        assert_eq!(frequencies(16.0), [0, 2, 4, 6, 8, 10, 12, 14, 16]);
        assert_eq!(frequencies(100.0).last(), Some(&105));
        assert!((0..500).all(|high| frequencies(f64::from(high)).len() <= 16));
    }

    /// Orders on days 0, 10 and 11, to day 30.
    #[test]
    fn a_curve_jumps_with_the_orders() {
        let orders = [(0, 1.0), (10, 1.0), (11, 2.0)];
        let course = AliveCurve { orders: &orders, uncounted: 1.0, end: 30 };
        let (days, alive) = course.survival(&MODEL, even(TimeUnit::Day));
        assert_eq!(days, [0.0, 7.0, 9.0, 10.0, 11.0, 14.0, 21.0, 28.0, 30.0]);
        let history = [(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.0, 10.0), (3.0, 11.0), (3.0, 11.0)];
        for (k, (x, t_x)) in history.into_iter().enumerate() {
            assert_eq!(
                alive[k],
                MODEL.p_alive(History { frequency: x, recency: t_x, age: days[k] })
            );
        }
        assert_eq!(
            alive.last(),
            Some(&MODEL.p_alive(History { frequency: 3.0, recency: 11.0, age: 30.0 }))
        );
        assert_eq!(course.repeat_days(), [10.0, 11.0]);
        // All orders counted, two of them on the first day.
        let course = AliveCurve { orders: &[(0, 2.0)], uncounted: 0.0, end: 0 };
        assert_eq!(course.repeat_days(), [0.0]);
        let (days, alive) = course.survival(&MODEL, even(TimeUnit::Week));
        assert_eq!(
            (days, alive),
            (vec![0.0], vec![MODEL.p_alive(History { frequency: 2.0, recency: 0.0, age: 0.0 })])
        );
    }

    #[test]
    fn a_long_history_has_no_more_points() {
        for end in [1399, 1400, 1401, 20_000] {
            let course = AliveCurve { orders: &[(0, 1.0)], uncounted: 1.0, end };
            let (days, _) = course.survival(&MODEL, even(TimeUnit::Week));
            assert!((100..=201).contains(&days.len()), "{end}: {}", days.len());
            assert!(days.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(days.last(), Some(&f64::from(end)));
        }
    }
}
