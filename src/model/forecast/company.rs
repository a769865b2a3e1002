//! The company's forecast: orders and revenue of today's customers by week and by month, in total
//! and by segment and channel. Customers who are acquired later are not in it.

use crate::customers::{Groups, Predictions};
use crate::error::Error;
use crate::model::forecast::cumulative::{Sums, cumulated};
use crate::model::forecast::periods::periods;
use crate::model::forecast::predict::{Outlook, customer_orders};
use crate::model::forecast::prices_ahead::PricesAhead;
use crate::model::purchase_model::PurchaseModel;
use crate::results::forecast::{ForecastRow, Interval, Period};

/// Forecasts every group over every period, group by group. `next_month` is the result of
/// [`next_month`].
///
/// # Formula
/// Orders: Σ P(alive)·E\[X(t)\] over the customers of a group, between the ends of a period, where
/// E\[X(t)\] are the expected orders if alive. Revenue: the same sum with each term times E\[M\], and
/// with the factor of prices at that time where they go on.
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
pub fn forecast(
    model: &PurchaseModel,
    predictions: &Predictions,
    next_month: &[f64],
    groups: &Groups,
    outlook: &Outlook<'_>,
) -> Result<Vec<ForecastRow>, Error> {
    let periods = periods(outlook.forecast.weeks_per_month);
    let ends: Vec<f64> = periods.iter().map(|p| outlook.time.ahead(p.to_day)).collect();
    let mut until = cumulated(model, predictions, next_month, groups, outlook, &ends)?;
    let log_yearly = predictions.money.as_ref().map_or(0.0, |money| money.log_yearly);
    if log_yearly != 0.0 {
        until = at_prices_ahead(&periods, &until, log_yearly);
    }
    // Sums are cumulative: a week or month is the difference from the period before it. Horizons,
    // and the first week and month, begin at day 0. Rounding must not make a difference negative.
    let mut rows = Vec::with_capacity(groups.names.len() * periods.len());
    for (g, (scope, group)) in groups.names.iter().enumerate() {
        for (k, period) in periods.iter().enumerate() {
            let before = if period.from_day > 0.0 { until[k - 1][g] } else { [0.0; 2] };
            let revenue = (until[k][g][1] - before[1]).max(0.0);
            rows.push(ForecastRow {
                scope: *scope,
                group: group.clone(),
                period: *period,
                orders: (until[k][g][0] - before[0]).max(0.0),
                orders_interval: None,
                revenue: predictions.money.as_ref().map(|_| revenue),
                revenue_interval: None,
            });
        }
    }
    Ok(rows)
}

/// The cumulative sums of the periods with revenue at prices that go on.
///
/// # Formula
/// Revenue between two neighbouring ends of periods, at most a week apart within the year, times the
/// mean factor of prices between them.
fn at_prices_ahead(periods: &[Period], until: &[Sums], log_yearly: f64) -> Vec<Sums> {
    let prices = PricesAhead { log_yearly, goes_on: true, ..PricesAhead::default() };
    let mut order: Vec<usize> = (0..periods.len()).collect();
    order.sort_by(|&a, &b| periods[a].to_day.total_cmp(&periods[b].to_day));
    let mut priced = until.to_vec();
    let (mut from, mut before) = (0.0, None::<usize>);
    for &k in &order {
        let factor = prices.mean_factor(from, periods[k].to_day);
        for g in 0..until[k].len() {
            let [plain, sum] = before.map_or([0.0; 2], |b| [until[b][g][1], priced[b][g][1]]);
            priced[k][g][1] = sum + (until[k][g][1] - plain) * factor;
        }
        (from, before) = (periods[k].to_day, Some(k));
    }
    priced
}

/// The rows with their intervals of orders and revenue, where there are intervals.
pub fn with_intervals(
    rows: Vec<ForecastRow>,
    intervals: Option<&[[Interval; 2]]>,
) -> Vec<ForecastRow> {
    let Some(intervals) = intervals else {
        return rows;
    };
    debug_assert_eq!(rows.len(), intervals.len());
    let pairs = rows.into_iter().zip(intervals);
    let with = |(row, [orders, revenue]): (ForecastRow, &[Interval; 2])| ForecastRow {
        orders_interval: Some(*orders),
        revenue_interval: row.revenue.map(|_| *revenue),
        ..row
    };
    pairs.map(with).collect()
}

/// Each customer's expected orders in the next month.
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
pub fn next_month(model: &PurchaseModel, outlook: &Outlook<'_>) -> Result<Vec<f64>, Error> {
    customer_orders(model, outlook.customers, outlook.horizon(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::{ExpectedMoney, History, Scope};
    use crate::model::bg_nbd::BgNbd;
    use crate::model::forecast::predict::tests::{Asked, asked};
    use crate::model::nbd::Nbd;
    use crate::results::forecast::{Period, Span};
    use crate::settings::{MonthLength, TimeUnit};

    /// With r 1 and α 2: 1/4, 2/4 and 6/8 orders per time unit.
    const HISTORIES: [(f64, f64, f64); 3] = [(0.0, 0.0, 2.0), (1.0, 1.0, 2.0), (5.0, 3.0, 6.0)];
    const NBD: PurchaseModel = PurchaseModel::Nbd(Nbd { r: 1.0, alpha: 2.0 });

    fn customers(month: MonthLength) -> Asked {
        asked(&HISTORIES, &[(0.0, 0.0); 3], &[2], month)
    }

    fn groups() -> Groups {
        let named = |(scope, name): (Scope, &str)| (scope, name.to_owned());
        let names = [
            (Scope::Total, "all"),
            (Scope::Segment, "low"),
            (Scope::Segment, "high"),
            (Scope::Channel, "shop"),
            (Scope::Channel, "web"),
        ];
        Groups {
            names: names.map(named).to_vec(),
            segment_of: vec![1, 2, 2],
            channel_of: vec![3, 3, 4],
        }
    }

    /// P(alive) and values as given, and the orders that follow over the horizons of `asked`.
    fn predictions(
        model: &PurchaseModel,
        alive: [f64; 3],
        value: [f64; 3],
        outlook: &Outlook<'_>,
    ) -> (Predictions, Vec<f64>) {
        let over = |months| {
            let time = outlook.horizon(months);
            let one = |((x, _, age), alive): (&(f64, f64, f64), f64)| {
                alive
                    * model
                        .orders_if_alive(History { frequency: *x, age: *age, ..History::NEW }, time)
                        .expect("computed")
            };
            HISTORIES.iter().zip(alive).map(one).collect::<Vec<f64>>()
        };
        let predictions = Predictions {
            p_alive: alive.to_vec(),
            orders: vec![(2, over(2))],
            orders_if_alive: (2, Vec::new()),
            money: Some(ExpectedMoney {
                average_value: value.to_vec(),
                lifetime_value: Vec::new(),
                lifetime_value_if_alive: Vec::new(),
                log_yearly: 0.0,
            }),
        };
        (predictions, over(1))
    }

    fn close(value: f64, expected: f64) -> bool {
        (value / expected - 1.0).abs() < 1e-8
    }

    #[test]
    fn steady_orders_by_hand_for_every_group_and_period() {
        let asked = customers(MonthLength::Weeks(4.0));
        let outlook = asked.outlook(TimeUnit::Week);
        let (alive, value, groups) = ([1.0, 0.5, 0.2], [10.0, 20.0, 40.0], groups());
        let (predictions, next) = predictions(&NBD, alive, value, &outlook);
        let rows = forecast(&NBD, &predictions, &next, &groups, &outlook).expect("computed");
        assert_eq!(rows.len(), 5 * (52 + 12 + 4));
        // 0.25, 0.25 and 0.15 orders a week, of 2.5, 5 and 6: all, low, high, shop, web.
        let weekly = [(0.65, 13.5), (0.25, 2.5), (0.4, 11.0), (0.5, 7.5), (0.15, 6.0)];
        for (row, (scope, group)) in rows.iter().zip(groups.names.iter().flat_map(|n| [n; 68])) {
            assert_eq!((&row.scope, &row.group), (scope, group));
            let weeks = match row.period.span {
                Span::Week => 1.0,
                Span::Month => 4.0,
                Span::Horizon => 4.0 * f64::from(row.period.number),
            };
            let g = groups.names.iter().position(|name| name.1 == row.group).expect("a group");
            let (orders, revenue) = weekly[g];
            assert!(close(row.orders, weeks * orders), "{row:?}");
            assert!(close(row.revenue.expect("money"), weeks * revenue), "{row:?}");
        }
    }

    /// Steady orders at prices that grow by `yearly`: revenue up to day d is that of a day times
    /// (yearly^(d/365.25) − 1)·365.25/ln(yearly). Within a week orders are even, so that this is exact.
    #[test]
    fn revenue_goes_on_with_prices() {
        let asked = customers(MonthLength::Weeks(4.0));
        let outlook = asked.outlook(TimeUnit::Week);
        let (mut predictions, next) = predictions(&NBD, [1.0; 3], [10.0, 20.0, 40.0], &outlook);
        predictions.money.as_mut().expect("money").log_yearly = 1.4f64.ln();
        let rows = forecast(&NBD, &predictions, &next, &groups(), &outlook).expect("computed");
        // 0.25, 0.5 and 0.75 orders a week.
        let daily = (0.25 * 10.0 + 0.5 * 20.0 + 0.75 * 40.0) / 7.0;
        let until = |day: f64| daily * (1.4f64.powf(day / 365.25) - 1.0) * 365.25 / 1.4f64.ln();
        for row in rows.iter().filter(|row| row.scope == Scope::Total) {
            let Period { from_day, to_day, .. } = row.period;
            let expected = until(to_day) - until(from_day);
            assert!(close(row.revenue.expect("money"), expected), "{row:?} {expected}");
            assert!(close(row.orders, 1.5 * (to_day - from_day) / 7.0), "{row:?}");
        }
    }

    #[test]
    fn falling_orders_add_up_over_periods_and_groups() {
        let model = PurchaseModel::BgNbd(BgNbd { r: 1.0, alpha: 2.0, a: 0.8, b: 1.5 });
        for (month, days) in [(MonthLength::Weeks(4.0), 28.0), (MonthLength::Weeks(4.345), 30.415)]
        {
            let asked = customers(month);
            // T is in days here.
            let outlook = asked.outlook(TimeUnit::Day);
            let alive = HISTORIES
                .map(|(x, t_x, age)| model.p_alive(History { frequency: x, recency: t_x, age }));
            let groups = groups();
            let (predictions, next) = predictions(&model, alive, [10.0, 20.0, 40.0], &outlook);
            let rows = forecast(&model, &predictions, &next, &groups, &outlook).expect("computed");
            let until = |day: f64| -> f64 {
                let one = |(x, t_x, age)| {
                    model
                        .expected_orders(History { frequency: x, recency: t_x, age }, day)
                        .expect("computed")
                };
                HISTORIES.map(one).iter().sum()
            };
            let sum = |scope, span, from: u32, to: u32| -> f64 {
                let wanted = |row: &&ForecastRow| {
                    let Period { span: own, number, .. } = row.period;
                    row.scope == scope && own == span && (from..=to).contains(&number)
                };
                rows.iter().filter(wanted).map(|row| row.orders).sum()
            };
            for scope in [Scope::Total, Scope::Segment, Scope::Channel] {
                assert!(close(sum(scope, Span::Week, 1, 52), until(364.0)), "{scope:?}");
                assert!(close(sum(scope, Span::Month, 1, 12), until(12.0 * days)), "{scope:?}");
                let second = until(14.0) - until(7.0);
                assert!(close(sum(scope, Span::Week, 2, 2), second), "{scope:?}");
                for months in [1, 3, 6, 12] {
                    let whole = until(f64::from(months) * days);
                    assert!(close(sum(scope, Span::Horizon, months, months), whole), "{scope:?}");
                    assert!(close(sum(scope, Span::Month, 1, months), whole), "{scope:?}");
                }
            }
            // Four weeks are a month of four weeks, and less than one of 4.345.
            let (weeks, month) =
                (sum(Scope::Total, Span::Week, 1, 4), sum(Scope::Total, Span::Month, 1, 1));
            assert_eq!(close(weeks, month), days == 28.0, "{weeks} {month}");
        }
    }

    #[test]
    fn the_next_month_of_each_customer() {
        for (month, unit, time) in [
            (MonthLength::Weeks(4.0), TimeUnit::Week, 4.0),
            (MonthLength::Calendar, TimeUnit::Day, 30.4375),
        ] {
            let asked = customers(month);
            let found = next_month(&NBD, &asked.outlook(unit)).expect("computed");
            assert_eq!(found.len(), 3);
            for (found, rate) in found.iter().zip([0.25, 0.5, 0.75]) {
                assert!((found / (rate * time) - 1.0).abs() < 1e-14, "{found}");
            }
        }
    }

    #[test]
    fn each_row_gets_its_own_intervals() {
        let asked = customers(MonthLength::Weeks(4.0));
        let outlook = asked.outlook(TimeUnit::Week);
        let (predictions, next) = predictions(&NBD, [1.0; 3], [1.0; 3], &outlook);
        let everybody = Groups::everybody();
        let rows = forecast(&NBD, &predictions, &next, &everybody, &outlook).expect("computed");
        let interval = |low: f64| Interval { low, high: low + 0.5 };
        let intervals: Vec<[Interval; 2]> =
            (0..68).map(|i| [interval(f64::from(i)), interval(1000.0 + f64::from(i))]).collect();
        let rows = with_intervals(rows, Some(&intervals));
        for (row, [orders, revenue]) in rows.iter().zip(intervals) {
            assert_eq!((row.orders_interval, row.revenue_interval), (Some(orders), Some(revenue)));
        }
    }
}
