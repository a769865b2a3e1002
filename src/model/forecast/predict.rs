//! Forecasts per customer: expected orders, P(alive), average value, and the lifetime value after
//! discounting.

use crate::customers::predictions::{ExpectedMoney, Predictions};
use crate::customers::{Histories, History};
use crate::error::Error;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::fit::purchases::FittedPurchases;
use crate::model::fit::spend::FittedSpend;
use crate::model::likelihood::patterns::CustomerPatterns;
use crate::model::purchase_model::PurchaseModel;
use crate::results::spend_method::SpendMethod;
use crate::settings::{Forecast, LifetimeValue, MonthLength, TimeUnit};

/// The customers of a forecast, and how far it looks ahead.
pub struct Outlook<'a> {
    /// The customers, in the time in which the models run.
    pub histories: &'a Histories,
    /// The same in calendar time.
    pub observed: &'a Histories,
    /// Their distinct histories, in the time in which the models run.
    pub customers: &'a CustomerPatterns,
    /// The time in which the models run.
    pub time: &'a OperationalTime,
    /// Time unit of all.
    pub unit: TimeUnit,
    /// Horizons of the expected orders.
    pub forecast: &'a Forecast,
    /// Horizon and discounting of the lifetime value.
    pub lifetime: &'a LifetimeValue,
}

impl Outlook<'_> {
    /// The time that the next months take.
    pub(crate) fn ahead(&self, months: u32, month: MonthLength) -> f64 {
        self.time.ahead(f64::from(months) * month.days())
    }

    /// The time that a horizon of the forecast takes.
    pub(crate) fn horizon(&self, months: u32) -> f64 {
        self.ahead(months, self.forecast.weeks_per_month)
    }
}

/// Expected orders over a horizon, one value per pattern; NaN where a numerical method reached its
/// cap. Where the orders of a customer who is alive do not depend on recency, they are computed once
/// per distinct (x, T).
pub fn expected_orders(
    model: &PurchaseModel,
    customers: &CustomerPatterns,
    p_alive: &[f64],
    horizon: f64,
) -> Vec<f64> {
    times_alive(&orders_if_alive(model, customers, horizon), p_alive)
}

/// The same of customers who have not left.
fn orders_if_alive(model: &PurchaseModel, customers: &CustomerPatterns, horizon: f64) -> Vec<f64> {
    if !model.forgets_last_order() {
        let of = |history| model.orders_if_alive(history, horizon).unwrap_or(f64::NAN);
        return customers.patterns.each(of);
    }
    let of_pair = |x, age| {
        model
            .orders_if_alive(History { frequency: x, age, ..History::NEW }, horizon)
            .unwrap_or(f64::NAN)
    };
    customers.pairs.gather(&customers.pairs.each(of_pair))
}

fn times_alive(orders: &[f64], p_alive: &[f64]) -> Vec<f64> {
    orders.iter().zip(p_alive).map(|(orders, alive)| orders * alive).collect()
}

/// Expected orders over a horizon, one value per customer.
///
/// # Errors
/// [`Error::Model`] when one cannot be computed to full accuracy.
pub fn customer_orders(
    model: &PurchaseModel,
    customers: &CustomerPatterns,
    horizon: f64,
) -> Result<Vec<f64>, Error> {
    let p_alive = customers.patterns.each(|history| model.p_alive(history));
    let orders = expected_orders(model, customers, &p_alive, horizon);
    if orders.iter().all(|orders| orders.is_finite()) {
        return Ok(customers.gather(&orders));
    }
    let name = model.family().title();
    Err(Error::model(format!("orders over {horizon:.1} time units cannot be computed with {name}")))
}

/// Total expected orders of all customers over each horizon, under any model of the family.
pub fn total_orders(model: &PurchaseModel, outlook: &Outlook<'_>) -> Vec<(u32, f64)> {
    let patterns = &outlook.customers.patterns;
    let p_alive = patterns.each(|history| model.p_alive(history));
    let total = |months| {
        let horizon = outlook.horizon(months);
        let orders = expected_orders(model, outlook.customers, &p_alive, horizon);
        orders.iter().zip(&patterns.rows).map(|(orders, row)| orders * row.count).sum()
    };
    outlook.forecast.horizons.iter().map(|h| (h.months, total(h.months))).collect()
}

/// Predicts every customer; each distinct history is evaluated once.
///
/// # Formula
/// Lifetime value over months i = 1..n of length w, with discounting at a rate d per month:
/// `Σᵢ (E[X(i·w)] − E[X((i−1)·w)]) · E[M] · fᵢ / (1+d)^i`, fᵢ the mean factor of prices in month i, 1
/// where they stay. Given that the customer has not left, `E[X]` is
/// that under this condition.
///
/// # Errors
/// [`Error::Model`] when a forecast cannot be computed to full accuracy.
///
/// # Reference
/// Fader, Hardie & Lee (2005b), Journal of Marketing Research 42(4), here in discrete months.
pub fn predict(
    purchases: &FittedPurchases,
    spend: Option<&FittedSpend>,
    outlook: &Outlook<'_>,
) -> Result<Predictions, Error> {
    let Outlook { customers, forecast, .. } = outlook;
    let model = &purchases.model;
    let p_alive = customers.patterns.each(|history| model.p_alive(history));
    let over = |months| orders_of_the_living(purchases, customers, outlook.horizon(months));
    let longest = forecast.longest();
    let mut if_alive = Vec::new();
    let mut orders = Vec::with_capacity(forecast.horizons.len());
    for horizon in &forecast.horizons {
        let alive = over(horizon.months);
        orders.push((horizon.months, customers.gather(&times_alive(&alive, &p_alive))));
        if horizon.months == longest {
            if_alive = customers.gather(&alive);
        }
    }
    let money = spend.map(|spend| expected_money(purchases, spend, &p_alive, outlook));
    let p_alive = customers.gather(&p_alive);
    finite(Predictions { p_alive, orders, orders_if_alive: (longest, if_alive), money })
}

/// Expected orders if alive, one value per pattern. At one rate they are the same for all, to the last
/// digit: customers must not be ranked by rounding errors.
fn orders_of_the_living(
    purchases: &FittedPurchases,
    customers: &CustomerPatterns,
    horizon: f64,
) -> Vec<f64> {
    match purchases.steady {
        Some(steady) => vec![steady.rate * horizon; customers.patterns.rows.len()],
        None => orders_if_alive(&purchases.model, customers, horizon),
    }
}

/// An expected value; a shrunk mean is rounded to twelve digits, so that equal means stay equal.
fn settled(value: f64, method: SpendMethod) -> f64 {
    if method == SpendMethod::MaximumLikelihood || value <= 0.0 {
        return value;
    }
    let unit = 10f64.powf(11.0 - value.log10().floor());
    (value * unit).round() / unit
}

/// What the orders are worth; `p_alive` has one value per pattern.
fn expected_money(
    purchases: &FittedPurchases,
    spend: &FittedSpend,
    p_alive: &[f64],
    outlook: &Outlook<'_>,
) -> ExpectedMoney {
    let Outlook { histories, customers, lifetime, .. } = outlook;
    let average_value: Vec<f64> = histories
        .spend_count()
        .iter()
        .zip(histories.monetary_value())
        .map(|(count, m)| settled(spend.expected_value(*count, *m), spend.method))
        .collect();
    // Discounted orders per pattern; E[M] differs between customers of one pattern and is
    // multiplied at the end.
    let none = vec![0.0; p_alive.len()];
    let mut discounted = [none.clone(), none];
    let mut before = discounted.clone();
    let mut discount = 1.0;
    for month in 1..=lifetime.months {
        discount /= 1.0 + lifetime.monthly_discount_rate;
        let horizon = outlook.ahead(month, lifetime.weeks_per_month);
        let if_alive = orders_of_the_living(purchases, customers, horizon);
        let until = [times_alive(&if_alive, p_alive), if_alive];
        let [from, to] =
            [month - 1, month].map(|month| f64::from(month) * lifetime.weeks_per_month.days());
        let worth = discount * spend.prices.mean_factor(from, to);
        for ((sums, until), before) in discounted.iter_mut().zip(&until).zip(&before) {
            for i in 0..sums.len() {
                sums[i] += (until[i] - before[i]) * worth;
            }
        }
        before = until;
    }
    let [lifetime_value, lifetime_value_if_alive] = discounted.map(|orders| {
        let orders = customers.gather(&orders);
        orders.iter().zip(&average_value).map(|(orders, value)| orders * value).collect()
    });
    ExpectedMoney {
        average_value,
        lifetime_value,
        lifetime_value_if_alive,
        log_yearly: spend.prices.log_yearly,
    }
}

/// Refuses predictions with a value that is negative or not finite.
fn finite(predictions: Predictions) -> Result<Predictions, Error> {
    let mut columns = vec![("P(alive)", &predictions.p_alive)];
    if let Some(money) = &predictions.money {
        columns.push(("average value", &money.average_value));
        columns.push(("lifetime value", &money.lifetime_value));
        columns.push(("lifetime value if alive", &money.lifetime_value_if_alive));
    }
    columns.extend(predictions.orders.iter().map(|(_, orders)| ("expected orders", orders)));
    columns.push(("expected orders if alive", &predictions.orders_if_alive.1));
    for (name, values) in columns {
        if let Some(row) = values.iter().position(|v| !(v.is_finite() && *v >= 0.0)) {
            return Err(Error::model(format!(
                "the {name} of customer row {row} could not be computed ({})",
                values[row]
            )));
        }
    }
    Ok(predictions)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::customers::HistoryColumns;
    use crate::model::bg_nbd::BgNbd;
    use crate::model::forecast::prices_ahead::PricesAhead;
    use crate::model::gamma_gamma::GammaGamma;
    use crate::model::likelihood::covariance::Covariance;
    use crate::model::likelihood::estimate::Convergence;
    use crate::model::nbd::Nbd;
    use crate::model::testing::{even, relative};
    use crate::settings::{Horizon, PurchaseModelName};

    fn convergence() -> Convergence {
        Convergence {
            converged: true,
            gradient_norm: 0.0,
            iterations: 1,
            starts: 1,
            termination: String::new(),
        }
    }

    /// A fit that ended at `model`, with these variances of the logarithms of its parameters.
    pub(crate) fn fitted(
        model: PurchaseModel,
        log_scale: Option<Vec<Vec<f64>>>,
    ) -> FittedPurchases {
        FittedPurchases {
            model,
            requested: PurchaseModelName::from(model.family()),
            family: model.family(),
            replaced: Vec::new(),
            steady: None,
            parameters: Vec::new(),
            covariance: log_scale.map(covariance),
            log_likelihood: 0.0,
            log_likelihood_without_dropout: 0.0,
            customers: 0,
            patterns: 0,
            convergence: convergence(),
            comparison: Vec::new(),
            selection: None,
            calendar: None,
            gate: None,
            findings: Vec::new(),
        }
    }

    /// The same for the model of order values.
    pub(crate) fn valued(
        [p, q, v]: [f64; 3],
        observed_mean: f64,
        log_scale: Option<Vec<Vec<f64>>>,
    ) -> FittedSpend {
        FittedSpend {
            model: GammaGamma { p, q, v },
            parameters: Vec::new(),
            covariance: log_scale.map(covariance),
            log_likelihood: Some(0.0),
            customers: 0,
            observed_mean,
            pearson: None,
            spearman: None,
            method: SpendMethod::MaximumLikelihood,
            convergence: convergence(),
            findings: Vec::new(),
            prices: PricesAhead::default(),
        }
    }

    fn covariance(log_scale: Vec<Vec<f64>>) -> Covariance {
        let flattest = vec![0.0; log_scale.len()];
        Covariance { log_scale, condition_number: 1.0, flattest }
    }

    /// Customers, with the settings of their forecast.
    pub(crate) struct Asked {
        pub(crate) histories: Histories,
        pub(crate) customers: CustomerPatterns,
        pub(crate) forecast: Forecast,
        pub(crate) lifetime: LifetimeValue,
    }

    /// Customers (x, t_x, T), each with the mean value m of so many orders.
    pub(crate) fn asked(
        histories: &[(f64, f64, f64)],
        value: &[(f64, f64)],
        horizons: &[u32],
        month: MonthLength,
    ) -> Asked {
        let column = |of: fn(&(f64, f64, f64)) -> f64| histories.iter().map(of).collect();
        let (count, m) = value.iter().copied().unzip();
        let histories = Histories::new(HistoryColumns {
            frequency: column(|h| h.0),
            recency: column(|h| h.1),
            age: column(|h| h.2),
            monetary_value: m,
            spend_count: count,
        });
        let histories = histories.expect("valid");
        let horizons = horizons.iter().map(|months| Horizon { months: *months }).collect();
        Asked {
            customers: CustomerPatterns::of(&histories),
            histories,
            forecast: Forecast { horizons, weeks_per_month: month },
            lifetime: LifetimeValue {
                months: 6,
                weeks_per_month: month,
                monthly_discount_rate: 0.0,
                margin: None,
            },
        }
    }

    impl Asked {
        pub(crate) fn outlook(&self, unit: TimeUnit) -> Outlook<'_> {
            Outlook {
                histories: &self.histories,
                observed: &self.histories,
                customers: &self.customers,
                time: even(unit),
                unit,
                forecast: &self.forecast,
                lifetime: &self.lifetime,
            }
        }
    }

    const NBD: PurchaseModel = PurchaseModel::Nbd(Nbd { r: 1.0, alpha: 2.0 });
    const BG_NBD: PurchaseModel =
        PurchaseModel::BgNbd(BgNbd { r: 0.25, alpha: 4.4, a: 0.8, b: 2.4 });

    /// Of these the first and the last have one pattern.
    const HISTORIES: [(f64, f64, f64); 4] =
        [(2.0, 30.0, 38.0), (0.0, 0.0, 20.0), (5.0, 11.0, 38.0), (2.0, 30.0, 38.0)];
    /// Gamma-Gamma with p 6, q 4, v 15: (6·15 + 6·n·m)/(6n + 3), by hand beside each.
    const VALUES: [(f64, f64); 4] = [(2.0, 25.0), (0.0, 0.0), (5.0, 40.0), (1.0, 12.0)];
    const EXPECTED_VALUES: [f64; 4] = [390.0 / 15.0, 30.0, 1290.0 / 33.0, 162.0 / 9.0];

    #[test]
    fn the_lifetime_value_of_steady_orders_is_an_annuity() {
        // Without dropout each month of w brings (r+x)/(α+T)·w orders, and Σ (1+d)^−i over n
        // months is (1 − (1+d)^−n)/d. Months of the forecast are 4 weeks, those of the value
        // 365.25/12 days; T is in days.
        let mut asked = asked(&HISTORIES, &VALUES, &[3, 6], MonthLength::Weeks(4.0));
        asked.lifetime = LifetimeValue {
            months: 9,
            weeks_per_month: MonthLength::Calendar,
            monthly_discount_rate: 0.02,
            margin: None,
        };
        let (purchases, spend) = (fitted(NBD, None), valued([6.0, 4.0, 15.0], 99.0, None));
        let found = predict(&purchases, Some(&spend), &asked.outlook(TimeUnit::Day));
        let found = found.expect("finite");
        let money = found.money.as_ref().expect("money");
        let annuity = (1.0 - 1.02f64.powi(-9)) / 0.02;
        assert_eq!(found.p_alive, [1.0; 4]);
        for (i, (x, _, age)) in HISTORIES.iter().enumerate() {
            let rate = (1.0 + x) / (2.0 + age);
            assert!(relative(money.average_value[i], EXPECTED_VALUES[i]) < 1e-14, "{i}");
            for (k, (months, days)) in [(3, 84.0), (6, 168.0)].into_iter().enumerate() {
                assert_eq!(found.orders[k].0, months);
                assert!(relative(found.orders[k].1[i], rate * days) < 1e-14, "{i} {months}");
            }
            let by_hand = rate * 30.4375 * annuity * EXPECTED_VALUES[i];
            assert!(relative(money.lifetime_value[i], by_hand) < 1e-13, "{i}");
            // Nobody leaves, so each is alive.
            assert_eq!(money.lifetime_value_if_alive[i], money.lifetime_value[i]);
        }
    }

    #[test]
    fn falling_orders_are_discounted_month_by_month() {
        let mut asked = asked(&HISTORIES, &VALUES, &[5], MonthLength::Weeks(4.345));
        asked.lifetime.months = 5;
        let (purchases, spend) = (fitted(BG_NBD, None), valued([6.0, 4.0, 15.0], 99.0, None));
        let orders = |(x, t_x, age): (f64, f64, f64), months: f64| {
            BG_NBD
                .expected_orders(History { frequency: x, recency: t_x, age }, 4.345 * months)
                .expect("computed")
        };
        for rate in [0.0, 0.1] {
            asked.lifetime.monthly_discount_rate = rate;
            let outlook = asked.outlook(TimeUnit::Week);
            let found = predict(&purchases, Some(&spend), &outlook).expect("finite");
            let money = found.money.as_ref().expect("money");
            for (i, history) in HISTORIES.into_iter().enumerate() {
                let month = |k: f64| orders(history, k) - orders(history, k - 1.0);
                let sum = month(1.0) / (1.0 + rate)
                    + month(2.0) / (1.0 + rate).powi(2)
                    + month(3.0) / (1.0 + rate).powi(3)
                    + month(4.0) / (1.0 + rate).powi(4)
                    + month(5.0) / (1.0 + rate).powi(5);
                let value = money.lifetime_value[i];
                assert!(relative(value, sum * EXPECTED_VALUES[i]) < 1e-12, "{rate} {i}");
                // Without a discount, months add up to the whole: orders times value.
                let whole = found.orders[0].1[i] * money.average_value[i];
                assert_eq!(relative(value, whole) < 1e-12, rate == 0.0, "{rate} {i}");
                let (x, t_x, age) = history;
                let alive = BG_NBD.p_alive(History { frequency: x, recency: t_x, age });
                assert_eq!(found.p_alive[i], alive);
                // P(alive) is a factor of every month's orders.
                let if_alive = money.lifetime_value_if_alive[i];
                assert!(relative(if_alive * alive, value) < 1e-12, "{rate} {i}");
                let orders = found.orders_if_alive.1[i] * alive;
                assert!(relative(orders, found.orders[0].1[i]) < 1e-14, "{i}");
            }
        }
    }

    #[test]
    fn without_money_the_longest_horizon_ranks() {
        let asked = asked(&HISTORIES, &VALUES, &[6, 12, 3], MonthLength::Calendar);
        let outlook = asked.outlook(TimeUnit::Week);
        let found = predict(&fitted(BG_NBD, None), None, &outlook).expect("finite");
        assert_eq!(found.money, None);
        assert_eq!(found.ranking(), found.orders[1].1);
        assert_eq!(found.orders_if_alive.0, 12);
        assert_eq!(found.ranking_if_alive(), found.orders_if_alive.1);
        // Of one-time buyers BG/NBD knows nothing: they count as alive.
        assert_eq!(found.ranking_if_alive()[1], found.ranking()[1]);
        assert!(found.ranking_if_alive()[2] > found.ranking()[2]);
    }

    #[test]
    fn totals_are_sums_over_customers() {
        let asked = asked(&HISTORIES, &VALUES, &[1, 12], MonthLength::Calendar);
        let outlook = asked.outlook(TimeUnit::Week);
        let totals = total_orders(&BG_NBD, &outlook);
        for ((months, total), expected) in totals.iter().zip([1, 12]) {
            assert_eq!(*months, expected);
            let weeks = f64::from(expected) * 365.25 / 84.0;
            let each = customer_orders(&BG_NBD, &asked.customers, weeks).expect("computed");
            let by_hand = HISTORIES.map(|(x, t_x, age)| {
                BG_NBD
                    .expected_orders(History { frequency: x, recency: t_x, age }, weeks)
                    .expect("computed")
            });
            assert_eq!(each.len(), 4);
            for (i, (one, by_hand)) in each.iter().zip(by_hand).enumerate() {
                assert!(relative(*one, by_hand) < 1e-14, "{i}: {one}");
            }
            assert!(relative(*total, by_hand.iter().sum()) < 1e-13, "{months}: {total}");
        }
    }

    #[test]
    fn months_are_converted_to_the_time_unit() {
        for (months, month, unit, expected) in [
            (3, MonthLength::Calendar, TimeUnit::Day, 91.3125),
            (3, MonthLength::Calendar, TimeUnit::Week, 91.3125 / 7.0),
            (3, MonthLength::Weeks(4.0), TimeUnit::Day, 84.0),
            (3, MonthLength::Weeks(4.0), TimeUnit::Week, 12.0),
        ] {
            let asked = asked(&HISTORIES, &VALUES, &[1], month);
            let length = asked.outlook(unit).horizon(months);
            assert!(relative(length, expected) < 1e-15, "{month:?} {unit:?}");
        }
    }

    #[test]
    fn a_forecast_that_is_no_number_names_its_customer() {
        // Below q = 1 a customer without counted orders has the observed mean, here NaN.
        let asked = asked(&HISTORIES, &VALUES, &[3], MonthLength::Calendar);
        let outlook = asked.outlook(TimeUnit::Week);
        let spend = valued([6.0, 0.5, 15.0], f64::NAN, None);
        let error = predict(&fitted(BG_NBD, None), Some(&spend), &outlook).expect_err("no number");
        assert!(error.to_string().contains("average value of customer row 1 "), "{error}");
        // Expected orders that are NaN are refused before values are computed.
        let undefined = PurchaseModel::Nbd(Nbd { r: f64::NAN, alpha: 2.0 });
        let error = customer_orders(&undefined, &asked.customers, 13.04).expect_err("no number");
        assert!(error.to_string().contains("orders over 13.0 time units"), "{error}");
        assert!(error.to_string().contains("with NBD"), "{error}");
    }
}
