//! What must hold for every model of the family: gradients, limiting cases, and recovery of true
//! parameters.

use cltv::customers::{Groups, Histories, History, HistoryColumns, Scope};
use cltv::model::OperationalTime;
use cltv::model::SelectionRule;
use cltv::model::{CustomerPatterns, FittedPurchases, PurchaseModel, fit_purchases, fit_spend};
use cltv::model::{Outlook, predict};
use cltv::model::{customer_intervals, total_intervals};
use cltv::results::forecast::Interval;
use cltv::settings::{Family, MonthLength, TimeUnit, UncertaintyMethod};
use cltv::settings::{Forecast, Horizon, LifetimeValue, Purchases, Spend, Uncertainty};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::close;

/// Five customers who differ in every respect.
fn few() -> CustomerPatterns {
    let histories = Histories::new(HistoryColumns {
        frequency: vec![0.0, 2.0, 26.0, 1.0, 4.0],
        recency: vec![0.0, 30.43, 30.857, 5.0, 36.0],
        age: vec![38.86, 38.86, 31.0, 90.0, 36.0],
        monetary_value: vec![1.0; 5],
        spend_count: vec![1.0; 5],
    });
    CustomerPatterns::of(&histories.expect("valid"))
}

fn example(family: Family) -> Vec<f64> {
    match family {
        Family::Nbd => vec![0.8, 9.0],
        Family::BgNbd => vec![0.6, 6.0, 0.8, 2.5],
        Family::MbgNbd => vec![0.6, 6.0, 0.8, 1.6],
        Family::ParetoNbd => vec![0.6, 10.0, 0.7, 12.0],
        Family::BgCnbdK(_) | Family::MbgCnbdK(_) => vec![1.1, 4.0, 0.8, 1.6],
    }
}

#[test]
fn gradients_are_differences() {
    let customers = few();
    for family in Family::ALL.into_iter().chain([Family::BgCnbdK(3), Family::MbgCnbdK(4)]) {
        let at = example(family);
        let log_likelihood = family.log_likelihood(&customers.patterns);
        let (_, gradient) = log_likelihood(&at);
        for i in 0..at.len() {
            let shifted = |h: f64| {
                let mut theta = at.clone();
                theta[i] *= 1.0 + h;
                log_likelihood(&theta).0
            };
            // Five points: the error is of the order h⁴ = 1e-12.
            let h = 1e-3;
            let near = shifted(h) - shifted(-h);
            let difference = (8.0 * near - (shifted(2.0 * h) - shifted(-2.0 * h))) / (12.0 * h);
            close(&format!("{family:?}, {i}"), gradient[i] * at[i], difference, 1e-8);
        }
    }
}

/// When dropout vanishes (a → 0, s → 0), the model becomes the NBD. When hardly anybody leaves (b →
/// ∞), it does not matter whether a customer can leave after the first order.
#[test]
fn the_limits_of_no_dropout() {
    let customers = few();
    let value = |family: Family, theta: &[f64]| family.log_likelihood(&customers.patterns)(theta).0;
    let nbd = value(Family::Nbd, &[0.6, 6.0]);
    close("BG/NBD", value(Family::BgNbd, &[0.6, 6.0, 1e-12, 2.5]), nbd, 1e-10);
    close("MBG/NBD", value(Family::MbgNbd, &[0.6, 6.0, 1e-12, 2.5]), nbd, 1e-10);
    close("Pareto/NBD", value(Family::ParetoNbd, &[0.6, 6.0, 1e-12, 2.5]), nbd, 1e-10);
    let far = [0.6, 6.0, 0.8, 1e9];
    let (bg, mbg) = (value(Family::BgNbd, &far), value(Family::MbgNbd, &far));
    close("b → ∞", mbg, bg, 1e-8);
    for family in [Family::BgNbd, Family::MbgNbd, Family::ParetoNbd] {
        let without = family.model(&[0.6, 6.0, 1e-12, 2.5]);
        let nbd = Family::Nbd.model(&[0.6, 6.0]);
        let orders = |model: &PurchaseModel| {
            model.expected_orders(History { frequency: 2.0, recency: 9.0, age: 30.0 }, 26.0)
        };
        let expected = orders(&nbd).expect("computed");
        close("forecast", orders(&without).expect("computed"), expected, 1e-9);
        let p_selected = |model: &PurchaseModel| {
            model.selection_probability(&SelectionRule::to(13.0), 60.0).expect("computed").at(60.0)
                [0]
        };
        close("P(selected)", p_selected(&without), p_selected(&nbd), 1e-9);
    }
}

/// A simulated customer base: up to two years of history, and then half a year of holdout.
struct World {
    histories: Histories,
    customers: CustomerPatterns,
    future: Vec<f64>,
}

fn world(model: &PurchaseModel, customers: usize, seed: u64, window: Option<f64>) -> World {
    const HOLDOUT: f64 = 26.0;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut x, mut t_x, mut age, mut future) = (vec![], vec![], vec![], vec![]);
    for _ in 0..customers {
        let simulated = rng.random_range(20.0..104.0);
        let seen = model.simulate(simulated, HOLDOUT, &mut rng, |_| ());
        let inside = |window| seen.frequency > 0.0 && simulated - seen.recency <= window;
        if window.is_none_or(inside) {
            x.push(seen.frequency);
            t_x.push(seen.recency);
            age.push(simulated);
            future.push(seen.later);
        }
    }
    // Order values do not matter here, but must differ for the spend model.
    let value: Vec<f64> = x.iter().map(|_| rng.random_range(20.0..60.0)).collect();
    let count = x.iter().map(|x| x + 1.0).collect();
    let histories = Histories::new(HistoryColumns {
        frequency: x,
        recency: t_x,
        age,
        monetary_value: value,
        spend_count: count,
    })
    .expect("valid");
    World { customers: CustomerPatterns::of(&histories), histories, future }
}

fn half_a_year() -> Forecast {
    Forecast {
        horizons: vec![Horizon { months: 6 }],
        weeks_per_month: MonthLength::Weeks(26.0 / 6.0),
    }
}

impl World {
    fn fit(&self, family: Family, selection: Option<SelectionRule>) -> FittedPurchases {
        let settings = Purchases { model: family.into(), ..Purchases::default() };
        fit_purchases(&self.customers.patterns, &settings, selection).expect("a fit")
    }

    fn outlook<'a>(&'a self, forecast: &'a Forecast, lifetime: &'a LifetimeValue) -> Outlook<'a> {
        static WEEKS: OperationalTime = OperationalTime::even(7.0, 0);
        Outlook {
            histories: &self.histories,
            observed: &self.histories,
            time: &WEEKS,
            customers: &self.customers,
            unit: TimeUnit::Week,
            forecast,
            lifetime,
        }
    }
}

fn within_four_errors(fit: &FittedPurchases, truth: &[f64]) {
    for (parameter, truth) in fit.parameters.iter().zip(truth) {
        let error = parameter.standard_error.expect("a standard error");
        let off = (parameter.value - truth).abs();
        assert!(off < 4.0 * error, "{}: {} ± {error}, {truth}", parameter.name, parameter.value);
    }
}

/// Every model recovers its own parameters. Its forecast of the total is within four standard
/// deviations of the actual orders. (The standard deviation of a count is about its root; customers
/// differ, so the test allows twice that.) At least 90 % of the customers' 90 % intervals contain
/// the actual orders; more than that, because counts are whole numbers.
#[test]
fn the_truth_is_found_again_and_forecast() {
    for family in Family::ALL {
        let truth = example(family);
        let world = world(&family.model(&truth), 20_000, 3, None);
        let fit = world.fit(family, None);
        within_four_errors(&fit, &truth);
        let (forecast, lifetime) = (half_a_year(), LifetimeValue::default());
        let outlook = world.outlook(&forecast, &lifetime);
        let spend = fit_spend(&world.histories, &Spend::default()).expect("a fit");
        let expected: f64 =
            predict(&fit, Some(&spend), &outlook).expect("computed").orders[0].1.iter().sum();
        let actual: f64 = world.future.iter().sum();
        assert!((expected - actual).abs() < 8.0 * actual.sqrt(), "{family:?}: {expected} {actual}");
        let each = &customer_intervals(0.9, &fit.model, &outlook).expect("computed")[0];
        let inside = world.future.iter().enumerate();
        let inside = inside.filter(|(i, n)| each.low[*i] <= **n && **n <= each.high[*i]).count();
        let share = inside as f64 / world.future.len() as f64;
        assert!((0.9..0.995).contains(&share), "{family:?}: {share}");
        let ordered = world.future.iter().filter(|n| **n > 0.0).count() as f64;
        let any: f64 = each.any_order.iter().sum();
        assert!((any - ordered).abs() < 4.0 * ordered.sqrt(), "{family:?}: {any} {ordered}");
    }
}

/// Fitted to a filtered file, each dropout model recovers its parameters if it knows the filter,
/// and forecasts far too much if it does not.
#[test]
fn a_selection_is_corrected_for_every_dropout_model() {
    for family in [Family::BgNbd, Family::MbgNbd, Family::ParetoNbd] {
        let truth = example(family);
        let world = world(&family.model(&truth), 60_000, 4, Some(13.0));
        let fit = world.fit(family, Some(SelectionRule::to(13.0)));
        within_four_errors(&fit, &truth);
        let actual: f64 = world.future.iter().sum();
        let (forecast, lifetime) = (half_a_year(), LifetimeValue::default());
        let outlook = world.outlook(&forecast, &lifetime);
        let total =
            |model: &PurchaseModel| cltv::model::total_orders(model, &outlook)[0].1 / actual;
        let ignored = fit.selection.as_ref().expect("a selection").ignored;
        assert!((total(&fit.model) - 1.0).abs() < 0.05, "{family:?}: {}", total(&fit.model));
        assert!(total(&ignored) > 1.15, "{family:?}: {}", total(&ignored));
    }
}

/// A change of the time unit changes only α and β, which are times.
#[test]
fn the_time_unit_of_a_fit_is_free() {
    for family in Family::ALL {
        let world = world(&family.model(&example(family)), 3_000, 5, Some(26.0));
        let days = |column: &[f64]| column.iter().map(|t| t * 7.0).collect::<Vec<f64>>();
        let in_days = Histories::new(HistoryColumns {
            frequency: world.histories.frequency().to_vec(),
            recency: days(world.histories.recency()),
            age: days(world.histories.age()),
            monetary_value: world.histories.monetary_value().to_vec(),
            spend_count: world.histories.spend_count().to_vec(),
        });
        let in_days = CustomerPatterns::of(&in_days.expect("valid"));
        let settings = Purchases { model: family.into(), ..Purchases::default() };
        let week = world.fit(family, Some(SelectionRule::to(26.0)));
        let day = fit_purchases(&in_days.patterns, &settings, Some(SelectionRule::to(182.0)));
        let day = day.expect("a fit");
        for (i, (week, day)) in week.parameters.iter().zip(&day.parameters).enumerate() {
            let unit = if family.is_time(i) { 7.0 } else { 1.0 };
            close(&format!("{family:?} {}", week.name), day.value, unit * week.value, 1e-5);
        }
    }
}

/// On a well-behaved fit, both ways to draw parameters agree. The same seed gives the same
/// interval.
#[test]
fn bootstrap_and_normal_intervals_agree() {
    let family = Family::BgNbd;
    let world = world(&family.model(&example(family)), 3_000, 6, None);
    let fit = world.fit(family, None);
    let spend = fit_spend(&world.histories, &Spend::default()).expect("a fit");
    let (forecast, lifetime) = (half_a_year(), LifetimeValue::default());
    let outlook = world.outlook(&forecast, &lifetime);
    let interval = |method| {
        let settings = Uncertainty { method, draws: 400, ..Uncertainty::default() };
        total_intervals(&settings, &fit, Some(&spend), &outlook, &Groups::everybody())
            .expect("drawn")
    };
    let normal = interval(UncertaintyMethod::Normal);
    assert_eq!(normal, interval(UncertaintyMethod::Normal));
    let bootstrap = interval(UncertaintyMethod::Bootstrap);
    let (_, a) = normal.company.orders[0];
    let (_, b) = bootstrap.company.orders[0];
    let (width, other) = (a.high - a.low, b.high - b.low);
    assert!((0.8..1.25).contains(&(width / other)), "{a:?} {b:?}");
    assert!(((a.low + a.high) / (b.low + b.high) - 1.0).abs() < 0.02, "{a:?} {b:?}");
}

/// The interval of the share alive contains the mean P(alive); without dropout, everybody is alive.
#[test]
fn the_share_alive_has_an_interval() {
    let settings = Uncertainty { draws: 200, ..Uncertainty::default() };
    let (forecast, lifetime) = (half_a_year(), LifetimeValue::default());
    for family in Family::ALL {
        let world = world(&family.model(&example(family)), 3_000, 6, None);
        let fit = world.fit(family, None);
        let spend = fit_spend(&world.histories, &Spend::default()).expect("a fit");
        let outlook = world.outlook(&forecast, &lifetime);
        let groups = Groups {
            names: vec![
                (Scope::Total, "all".to_owned()),
                (Scope::Segment, "first".to_owned()),
                (Scope::Segment, "nobody".to_owned()),
            ],
            segment_of: vec![1; world.histories.len()],
            channel_of: Vec::new(),
        };
        let found =
            total_intervals(&settings, &fit, Some(&spend), &outlook, &groups).expect("drawn");
        let alive = world.customers.patterns.sum(|row| {
            let History { frequency: x, recency: t_x, age } = world.customers.patterns.history(row);
            [row.count * fit.model.p_alive(History { frequency: x, recency: t_x, age })]
        })[0];
        let mean = alive / world.histories.len() as f64;
        let Interval { low, high } = found.company.alive;
        if family == Family::Nbd {
            assert_eq!((low, high), (1.0, 1.0));
        } else {
            assert!(
                low < mean && mean < high && high - low < 0.3,
                "{family:?}: {low} {mean} {high}"
            );
        }
        assert_eq!(found.segments[0].alive, found.company.alive);
        assert_eq!(found.segments[1].alive, Interval { low: 0.0, high: 0.0 });
    }
}

/// All customers have the same dropout probability. Then only the ratio a/(a+b) can be known, and
/// the fit says so.
#[test]
fn dropout_that_is_the_same_for_all_is_said_to_be_so() {
    let alike = Family::BgNbd.model(&[0.6, 6.0, 2e5, 8e5]);
    let world = world(&alike, 3_000, 7, None);
    let fit = world.fit(Family::BgNbd, None);
    let found = fit.findings.iter().find(|f| f.code == "parameters_not_identified");
    let text = &found.unwrap_or_else(|| panic!("{:?}", fit.parameters)).message;
    let ratio = fit.parameters[2].value / (fit.parameters[2].value + fit.parameters[3].value);
    assert!(text.contains(&format!("the ratio a/(a+b) = {ratio:.4} is known")), "{text}");
    assert!((ratio - 0.2).abs() < 0.03, "{ratio}");
}

#[test]
fn a_handful_of_customers_is_said_to_be_too_little() {
    let world = world(&Family::BgNbd.model(&example(Family::BgNbd)), 60, 8, None);
    let settings = Purchases::default();
    let fit = fit_purchases(&world.customers.patterns, &settings, None);
    let codes: Vec<&str> = match &fit {
        Ok(fit) => fit.findings.iter().map(|finding| &*finding.code).collect(),
        Err(error) => panic!("{error}"),
    };
    assert!(codes.contains(&"too_little_data"), "{codes:?}");
}
