//! What must hold for any parameters and any history.

use cltv::model::bg_nbd::BgNbd;
use cltv::model::gamma_gamma::GammaGamma;
use cltv::model::nbd::Nbd;
use proptest::prelude::*;

fn log_uniform(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low.ln()..high.ln()).prop_map(f64::exp)
}

prop_compose! {
    fn model()(
        r in log_uniform(0.01, 20.0),
        alpha in log_uniform(0.1, 500.0),
        a in log_uniform(1e-4, 50.0),
        b in log_uniform(0.01, 1e4),
    ) -> BgNbd {
        BgNbd { r, alpha, a, b }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// 0 ≤ P(alive) ≤ 1, and 1 for who never had the chance to leave.
    #[test]
    fn p_alive_is_a_probability(model in model(), (x, t_x, age) in history()) {
        let p = model.p_alive(x, t_x, age);
        prop_assert!((0.0..=1.0).contains(&p), "{p}");
        prop_assert!(x > 0.0 || p == 1.0);
    }

    /// Forecasts grow with the horizon and never exceed the forecast without dropout.
    #[test]
    fn forecasts_grow_and_stay_below_no_dropout(
        model in model(),
        (x, t_x, age) in history(),
        horizon in log_uniform(0.01, 1e4),
    ) {
        let near = model.expected_orders(horizon, x, t_x, age).expect("computed");
        let far = model.expected_orders(2.0 * horizon, x, t_x, age).expect("computed");
        let nbd = Nbd { r: model.r, alpha: model.alpha };
        let most = nbd.expected_orders(horizon, x, age);
        prop_assert!(near.is_finite() && near >= 0.0, "{near}");
        prop_assert!(far >= near * (1.0 - 1e-9), "{far} after {near}");
        prop_assert!(near <= most * (1.0 + 1e-9), "{near} exceeds {most}");
    }

    /// A change of the time unit changes nothing.
    #[test]
    fn the_time_unit_is_free(model in model(), (x, t_x, age) in history()) {
        let days = BgNbd { alpha: 7.0 * model.alpha, ..model };
        let week = model.expected_orders(26.0, x, t_x, age).expect("computed");
        let day = days.expected_orders(182.0, x, 7.0 * t_x, 7.0 * age).expect("computed");
        prop_assert!((week - day).abs() <= 1e-8 * week.max(1e-300), "{week} {day}");
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
