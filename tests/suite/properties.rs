//! What must hold for all parameters and all histories.

use cltv::customers::History;
use cltv::model::PurchaseModel;
use cltv::model::SelectionRule;
use cltv::model::bg_nbd::BgNbd;
use cltv::model::cnbd::Cnbd;
use cltv::model::gamma_gamma::GammaGamma;
use cltv::model::mbg_nbd::MbgNbd;
use cltv::model::nbd::Nbd;
use cltv::model::pareto_nbd::ParetoNbd;
use proptest::prelude::*;

fn log_uniform(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low.ln()..high.ln()).prop_map(f64::exp)
}

prop_compose! {
    fn model()(
        which in 0..4u32,
        r in log_uniform(0.01, 20.0),
        alpha in log_uniform(0.1, 500.0),
        a in log_uniform(1e-4, 50.0),
        b in log_uniform(0.01, 1e4),
    ) -> PurchaseModel {
        match which {
            0 => PurchaseModel::BgNbd(BgNbd { r, alpha, a, b }),
            1 => PurchaseModel::MbgNbd(MbgNbd { r, alpha, a, b }),
            2 => PurchaseModel::ParetoNbd(ParetoNbd { r, alpha, s: a, beta: b }),
            _ => PurchaseModel::Nbd(Nbd { r, alpha }),
        }
    }
}

prop_compose! {
    fn regular()(
        k in 2..=8u8,
        from_first: bool,
        r in log_uniform(0.01, 20.0),
        alpha in log_uniform(0.1, 500.0),
        a in log_uniform(1e-4, 50.0),
        b in log_uniform(0.01, 1e4),
    ) -> Cnbd {
        Cnbd { r, alpha, a, b, k, from_first }
    }
}

prop_compose! {
    fn history()(
        x in prop_oneof![0u32..60, 0u32..3, 100u32..5000],
        age in log_uniform(0.1, 1e4),
        share in 0.0..=1.0,
    ) -> (f64, f64, f64) {
        (f64::from(x), if x == 0 { 0.0 } else { share * age }, age)
    }
}

fn without_dropout(model: &PurchaseModel) -> Nbd {
    let parameters = model.parameters();
    Nbd { r: parameters[0], alpha: parameters[1] }
}

fn in_days(model: &PurchaseModel) -> PurchaseModel {
    let family = model.family();
    let unit = |i| if family.is_time(i) { 7.0 } else { 1.0 };
    let days: Vec<f64> = model.parameters().iter().enumerate().map(|(i, p)| p * unit(i)).collect();
    family.model(&days)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Regular buyers: P(alive) and P(any order) are probabilities, forecasts grow with the horizon and
    /// never exceed those without dropout; a change of the time unit changes nothing.
    #[test]
    fn regular_buyers_keep_the_rules(
        model in regular(),
        (x, t_x, age) in history(),
        horizon in log_uniform(0.01, 40.0),
    ) {
        let x = x.min(200.0);
        let history = History { frequency: x, recency: if x == 0.0 { 0.0 } else { t_x }, age };
        let alive = model.p_alive(history);
        prop_assert!((0.0..=1.0).contains(&alive), "{alive}");
        prop_assert!(x > 0.0 || model.from_first || alive == 1.0);
        let near = model.orders_if_alive(history, horizon).expect("within reach");
        let far = model.orders_if_alive(history, 2.0 * horizon).expect("within reach");
        let stays = Cnbd { a: 0.0, ..model };
        let most = stays.orders_if_alive(history, horizon).expect("within reach");
        prop_assert!(near.is_finite() && near >= 0.0, "{near}");
        prop_assert!(far >= near * (1.0 - 1e-9), "{far} after {near}");
        prop_assert!(near <= most * (1.0 + 1e-9), "{near} exceeds {most}");
        let any = model.any_order_if_alive(history, horizon);
        prop_assert!((0.0..=1.0).contains(&any) && any <= most * (1.0 + 1e-9) + 1e-12, "{any} {most}");
        let days = Cnbd { alpha: 7.0 * model.alpha, ..model };
        let in_days = History { recency: 7.0 * history.recency, age: 7.0 * age, ..history };
        let same = days.orders_if_alive(in_days, 7.0 * horizon).expect("within reach");
        prop_assert!((near - same).abs() <= 1e-8 * near.max(1e-300), "{near} {same}");
    }

    /// 0 ≤ P(alive) ≤ 1, and P(alive) = 1 for a customer who never had the chance to leave.
    #[test]
    fn p_alive_is_a_probability(model in model(), (x, t_x, age) in history()) {
        let p = model.p_alive(History { frequency: x, recency: t_x, age });
        prop_assert!((0.0..=1.0).contains(&p), "{p}");
        let can_leave = !matches!(model, PurchaseModel::BgNbd(_));
        prop_assert!(x > 0.0 || can_leave || p == 1.0);
    }

    /// Forecasts grow with the horizon and never exceed the forecast without dropout.
    #[test]
    fn forecasts_grow_and_stay_below_no_dropout(
        model in model(),
        (x, t_x, age) in history(),
        horizon in log_uniform(0.01, 1e4),
    ) {
        let near = model.expected_orders(History { frequency: x, recency: t_x, age }, horizon).expect("computed");
        let far = model.expected_orders(History { frequency: x, recency: t_x, age }, 2.0 * horizon).expect("computed");
        let most = without_dropout(&model).orders_if_alive(History { frequency: x, age, ..History::NEW }, horizon);
        prop_assert!(near.is_finite() && near >= 0.0, "{near}");
        prop_assert!(far >= near * (1.0 - 1e-9), "{far} after {near}");
        prop_assert!(near <= most * (1.0 + 1e-9), "{near} exceeds {most}");
    }

    /// A change of the time unit changes neither forecasts nor P(selected).
    #[test]
    fn the_time_unit_is_free(model in model(), (x, t_x, age) in history()) {
        let days = in_days(&model);
        let week = model.expected_orders(History { frequency: x, recency: t_x, age }, 26.0).expect("computed");
        let day = days.expected_orders(History { frequency: x, recency: 7.0 * t_x, age: 7.0 * age }, 182.0).expect("computed");
        prop_assert!((week - day).abs() <= 1e-8 * week.max(1e-300), "{week} {day}");
        let week = model.selection_probability(&SelectionRule::to(13.0), age).expect("computed").at(age)[0];
        let day = days.selection_probability(&SelectionRule::to(91.0), 7.0 * age).expect("computed").at(7.0 * age)[0];
        prop_assert!((week - day).abs() <= 1e-9 * week.max(1e-300), "{week} {day}");
    }

    /// The probabilities of order counts are between 0 and 1 and add up to at most 1, and
    /// P(at least one order) = 1 − P(no order).
    #[test]
    fn order_counts_are_a_distribution(
        model in model(),
        (x, t_x, age) in history(),
        horizon in log_uniform(0.01, 100.0),
    ) {
        let all = model.distribution(History { frequency: x, recency: t_x, age }, horizon, 0..40);
        prop_assert!(all.iter().all(|p| (0.0..=1.0 + 1e-12).contains(p)), "{all:?}");
        prop_assert!(all.iter().sum::<f64>() <= 1.0 + 1e-9);
        let any = model.any_order_if_alive(History { frequency: x, age, ..History::NEW }, horizon) * model.p_alive(History { frequency: x, recency: t_x, age });
        prop_assert!((1.0 - all[0] - any).abs() < 1e-10, "{} {any}", all[0]);
    }

    /// The analytic derivatives of P(selected) agree with finite differences.
    #[test]
    fn p_selected_has_the_slopes_that_it_says(
        model in model(),
        age in log_uniform(1.0, 500.0),
        window in log_uniform(1.0, 100.0),
    ) {
        let parameters = model.parameters();
        let at = |theta: &[f64]| {
            model.family().model(theta).selection_probability(&SelectionRule::to(window), age).expect("computed").at(age)
        };
        let [p, slopes @ ..] = at(&parameters);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&p), "{p}");
        for i in 0..parameters.len() {
            let shifted = |h: f64| {
                let mut theta = parameters.clone();
                theta[i] *= 1.0 + h;
                at(&theta)[0]
            };
            // Five points: the error is of the order h⁴ = 1e-12.
            let h = 1e-3;
            let near = shifted(h) - shifted(-h);
            let difference = (8.0 * near - (shifted(2.0 * h) - shifted(-2.0 * h))) / (12.0 * h);
            let slope = slopes[i] * parameters[i];
            prop_assert!((slope - difference).abs() <= 1e-6 * p.max(1e-9), "{i}: {slope} {difference}");
        }
    }

    /// The expected value lies between the customer's own mean and the population's.
    #[test]
    fn expected_value_is_a_compromise(
        p in log_uniform(0.1, 50.0),
        q in log_uniform(1.01, 50.0),
        v in log_uniform(0.1, 1e4),
        count in 1u32..200,
        m in log_uniform(0.01, 1e5),
    ) {
        let model = GammaGamma { p, q, v };
        let population = model.population_mean().expect("q > 1");
        let value = model.expected_value(f64::from(count), m).expect("exists");
        let (low, high) = (population.min(m), population.max(m));
        prop_assert!(value >= low * (1.0 - 1e-12) && value <= high * (1.0 + 1e-12));
    }
}
