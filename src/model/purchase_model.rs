//! The purchase models behind one interface: what each can predict, and what a fit needs to know
//! about it.

use std::ops::Range;

use crate::customers::History;
use crate::model::bg_nbd::{self, BgNbd};
use crate::model::cnbd::{self, Cnbd};
use crate::model::likelihood::maximise::LogLikelihood;
use crate::model::likelihood::patterns::Patterns;
use crate::model::mbg_nbd::{self, MbgNbd};
use crate::model::nbd::{self, Nbd};
use crate::model::pareto_nbd::{self, ParetoNbd};
use crate::model::selection::probability::{SelectionProbability, SelectionRule};
use crate::settings::Family;

/// A purchase model with its parameters, in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PurchaseModel {
    /// Customers never leave.
    Nbd(Nbd),
    /// Customers leave after a repeat order.
    BgNbd(BgNbd),
    /// Customers leave after any order.
    MbgNbd(MbgNbd),
    /// Customers leave at any moment.
    ParetoNbd(ParetoNbd),
    /// Customers order at regular intervals.
    Cnbd(Cnbd),
}

impl PurchaseModel {
    /// Probability that a customer with history (x, t_x, T) has not left.
    pub fn p_alive(&self, history: History) -> f64 {
        match self {
            Self::Nbd(_) => 1.0,
            Self::BgNbd(model) => model.p_alive(history),
            Self::MbgNbd(model) => model.p_alive(history),
            Self::ParetoNbd(model) => model.p_alive(history),
            Self::Cnbd(model) => model.p_alive(history),
        }
    }

    /// Whether what a customer who is alive will do depends on x and T alone, not on t_x: it does
    /// unless customers order at regular intervals.
    pub fn forgets_last_order(&self) -> bool {
        !matches!(self, Self::Cnbd(_))
    }

    /// Expected orders in (T, T + horizon] of a customer who is alive at T after x orders, the last of
    /// them at t_x (which matters where [`Self::forgets_last_order`] does not hold).
    ///
    /// Returns `None` when the numerical method reached its cap.
    pub fn orders_if_alive(&self, history: History, horizon: f64) -> Option<f64> {
        match self {
            Self::Nbd(model) => Some(model.orders_if_alive(history, horizon)),
            Self::BgNbd(model) => model.orders_if_alive(history, horizon),
            Self::MbgNbd(model) => model.after_first_order().orders_if_alive(history, horizon),
            Self::ParetoNbd(model) => Some(model.orders_if_alive(history, horizon)),
            Self::Cnbd(model) => model.orders_if_alive(history, horizon),
        }
    }

    /// Expected orders in (T, T + horizon] of a customer with history (x, t_x, T); with a history
    /// of zeros, the expected repeat orders of a new customer.
    ///
    /// Returns `None` when the numerical method reached its cap.
    ///
    /// # Formula
    /// P(alive) times the expected orders of a customer who is alive.
    pub fn expected_orders(&self, history: History, horizon: f64) -> Option<f64> {
        Some(self.orders_if_alive(history, horizon)? * self.p_alive(history))
    }

    /// P(at least one order in (T, T + horizon]) of a customer who is alive at T.
    ///
    /// # Formula
    /// 1 − ((α+T)/(α+T+t))^(r+x) without dropout, and also where customers leave only after an
    /// order, since the next order then comes before any dropout. For Pareto/NBD see
    /// [`ParetoNbd::any_order_if_alive`], for regular buyers [`Cnbd::any_order_if_alive`].
    pub fn any_order_if_alive(&self, history: History, horizon: f64) -> f64 {
        let History { frequency: x, age, .. } = history;
        let without_dropout =
            |r: f64, alpha: f64| -(-(r + x) * (horizon / (alpha + age)).ln_1p()).exp_m1();
        match self {
            Self::Nbd(Nbd { r, alpha })
            | Self::BgNbd(BgNbd { r, alpha, .. })
            | Self::MbgNbd(MbgNbd { r, alpha, .. }) => without_dropout(*r, *alpha),
            Self::ParetoNbd(model) => model.any_order_if_alive(history, horizon),
            Self::Cnbd(model) => model.any_order_if_alive(history, horizon),
        }
    }

    /// P(n orders in (T, T + horizon]) of a customer who is alive at T, for each n of `counts`.
    pub fn distribution_if_alive(
        &self,
        history: History,
        horizon: f64,
        counts: Range<u32>,
    ) -> Vec<f64> {
        match self {
            Self::Nbd(model) => model.distribution_if_alive(history, horizon, counts),
            Self::BgNbd(model) => model.distribution_if_alive(history, horizon, counts),
            Self::MbgNbd(model) => {
                model.after_first_order().distribution_if_alive(history, horizon, counts)
            }
            Self::ParetoNbd(model) => model.distribution_if_alive(history, horizon, counts),
            Self::Cnbd(model) => model.distribution_if_alive(history, horizon, counts),
        }
    }

    /// P(n orders in (T, T + horizon]) of a customer with history (x, t_x, T), for each n
    /// of `counts`.
    ///
    /// # Formula
    /// P(alive) times the distribution of a customer who is alive, plus 1 − P(alive) at n = 0.
    pub fn distribution(&self, history: History, horizon: f64, counts: Range<u32>) -> Vec<f64> {
        let alive = self.p_alive(history);
        let mut all = self.distribution_if_alive(history, horizon, counts.clone());
        all.iter_mut().for_each(|p| *p *= alive);
        if counts.start == 0 && !counts.is_empty() {
            all[0] += 1.0 - alive;
        }
        all
    }

    /// P(selected | T) for T up to `oldest`.
    ///
    /// Returns `None` when the numerical method reached its cap, or when P(selected) has not been
    /// derived for this model and selection.
    pub fn selection_probability(
        &self,
        selection: &SelectionRule,
        oldest: f64,
    ) -> Option<Box<dyn SelectionProbability>> {
        Some(match self {
            Self::Nbd(model) => Box::new(model.selection_probability(selection, oldest)?),
            Self::BgNbd(model) => Box::new(model.selection_probability(selection, oldest)?),
            Self::MbgNbd(model) => Box::new(model.selection_probability(selection, oldest)?),
            Self::ParetoNbd(model) => Box::new(model.selection_probability(selection)?),
            Self::Cnbd(_) => return None,
        })
    }

    /// The parameters in the order of [`Family::parameters`].
    pub fn parameters(&self) -> Vec<f64> {
        match *self {
            Self::Nbd(Nbd { r, alpha }) => vec![r, alpha],
            Self::BgNbd(BgNbd { r, alpha, a, b })
            | Self::MbgNbd(MbgNbd { r, alpha, a, b })
            | Self::Cnbd(Cnbd { r, alpha, a, b, .. }) => vec![r, alpha, a, b],
            Self::ParetoNbd(ParetoNbd { r, alpha, s, beta }) => vec![r, alpha, s, beta],
        }
    }

    /// Which model of the family this is.
    pub fn family(&self) -> Family {
        match self {
            Self::Nbd(_) => Family::Nbd,
            Self::BgNbd(_) => Family::BgNbd,
            Self::MbgNbd(_) => Family::MbgNbd,
            Self::ParetoNbd(_) => Family::ParetoNbd,
            Self::Cnbd(Cnbd { k, from_first: false, .. }) => Family::BgCnbdK(*k),
            Self::Cnbd(Cnbd { k, from_first: true, .. }) => Family::MbgCnbdK(*k),
        }
    }
}

impl Family {
    /// Whether P(selected) has been derived for this model and selection: it has not for Pareto/NBD
    /// where orders in both channels are required, nor for regular buyers.
    pub fn knows_selection(self, selection: Option<&SelectionRule>) -> bool {
        selection.is_none_or(|rule| match self {
            Self::ParetoNbd => rule.both_channels.is_none(),
            _ => self.stages() == 1,
        })
    }

    /// Parameters with those that are times multiplied by `unit`.
    pub(crate) fn in_unit(self, parameters: &[f64], unit: f64) -> Vec<f64> {
        let factor = |i| if self.is_time(i) { unit } else { 1.0 };
        parameters.iter().enumerate().map(|(i, value)| value * factor(i)).collect()
    }

    /// Whether a parameter has the dimension of time.
    pub fn is_time(self, parameter: usize) -> bool {
        matches!(self.parameters()[parameter], "alpha" | "beta")
    }

    /// The model with these parameters, in the order of [`Self::parameters`].
    pub fn model(self, parameters: &[f64]) -> PurchaseModel {
        match (self, parameters) {
            (Self::BgNbd, &[r, alpha, a, b]) => PurchaseModel::BgNbd(BgNbd { r, alpha, a, b }),
            (Self::MbgNbd, &[r, alpha, a, b]) => PurchaseModel::MbgNbd(MbgNbd { r, alpha, a, b }),
            (Self::ParetoNbd, &[r, alpha, s, beta]) => {
                PurchaseModel::ParetoNbd(ParetoNbd { r, alpha, s, beta })
            }
            (Self::BgCnbdK(k) | Self::MbgCnbdK(k), &[r, alpha, a, b]) => {
                let from_first = self.plain() == Self::MbgNbd;
                PurchaseModel::Cnbd(Cnbd { r, alpha, a, b, k, from_first })
            }
            _ => PurchaseModel::Nbd(Nbd { r: parameters[0], alpha: parameters[1] }),
        }
    }

    /// Starting points of the optimiser: one with much dropout and one with little; for the NBD,
    /// one with very different order rates and one with similar ones. `rate` is the mean order
    /// rate, in the time unit in which max T = 1; regular buyers pass k stages an order.
    pub(crate) fn starts(self, rate: f64) -> Vec<Vec<f64>> {
        match self {
            Self::Nbd => vec![vec![0.5, 0.5 / rate], vec![3.0, 3.0 / rate]],
            Self::BgNbd | Self::MbgNbd => {
                vec![vec![0.5, 0.3 / rate, 0.8, 2.5], vec![2.0, 2.0 / rate, 0.1, 3.0]]
            }
            Self::ParetoNbd => {
                vec![vec![0.5, 0.3 / rate, 0.6, 0.4], vec![2.0, 2.0 / rate, 0.3, 2.0]]
            }
            Self::BgCnbdK(k) | Self::MbgCnbdK(k) => self.plain().starts(rate * f64::from(k)),
        }
    }

    /// Log-likelihood over patterns and its gradient, parameters in the order of
    /// [`Self::parameters`].
    pub fn log_likelihood(self, patterns: &Patterns) -> LogLikelihood<'_> {
        match self {
            Self::Nbd => Box::new(|theta| nbd::log_likelihood(patterns, theta)),
            Self::BgNbd => Box::new(|theta| bg_nbd::log_likelihood(patterns, theta)),
            Self::MbgNbd => Box::new(|theta| mbg_nbd::log_likelihood(patterns, theta)),
            Self::ParetoNbd => {
                let likelihood = pareto_nbd::Likelihood::new(patterns);
                Box::new(move |theta| likelihood.evaluate(theta))
            }
            Self::BgCnbdK(k) => {
                Box::new(move |theta| cnbd::log_likelihood(patterns, k, false, theta))
            }
            Self::MbgCnbdK(k) => {
                Box::new(move |theta| cnbd::log_likelihood(patterns, k, true, theta))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::selection::channels::ChannelMix;
    use crate::model::testing::{orders_only, relative};
    use crate::settings::PurchaseModelName;

    /// With every parameter 1 all that a model says can be worked out by hand.
    fn ones(family: Family) -> PurchaseModel {
        family.model(&vec![1.0; family.parameters().len()])
    }

    #[test]
    fn each_model_has_its_own_likelihood() {
        // Customers (0, 0, 1) and (1, 1, 3). NBD: ½ and 1/4². BG/NBD: ½ and ½/4² + ½/2². MBG/NBD:
        // ½·½ + ½, and B(1, 3)/4² + B(2, 2)/2². Pareto/NBD: 1/2² + ∫₀¹ (1+y)^−3 dy, and
        // 1/4³ + ∫₁³ (1+y)^−4 dy.
        let histories = orders_only(vec![0.0, 1.0], vec![0.0, 1.0], vec![1.0, 3.0]);
        let patterns = CustomerPatterns::of(&histories).patterns;
        for (family, one, other) in [
            (Family::Nbd, 0.5, 1.0 / 16.0),
            (Family::BgNbd, 0.5, 5.0 / 32.0),
            (Family::MbgNbd, 0.75, 1.0 / 16.0),
            (Family::ParetoNbd, 0.625, 5.0 / 96.0),
        ] {
            let at = ones(family).parameters();
            let (value, slope) = family.log_likelihood(&patterns)(&at);
            assert!(relative(value, f64::ln(one * other)) < 1e-12, "{family:?}: {value}");
            assert_eq!(slope.len(), at.len());
        }
    }

    #[test]
    fn each_model_has_its_own_forecast() {
        let ln_2 = 2f64.ln();
        // Customer (1, 1, 3) over 4 more. P(alive): the alive term's part of the likelihood above.
        // Orders: 2/4·4; ∫ (1 − (1+p)^−2)/p over p ~ Beta(1, 2) and Beta(1, 3); 2/4·4·ln 2. Any:
        // 1 − ½²; ½ ∫₀⁴ (4/(4+y))⁴ dy. One: NB(1) = ¼; ¼·⅔ + ⅓·¾; ¼·¾ + ¼·¾; ¼·½ and
        // ∫ 2(1−v)v² dv over v = 4/(4+y) from ½ to 1.
        for (family, alive, orders, any, one) in [
            (Family::Nbd, 1.0, 2.0, 0.75, 0.25),
            (Family::BgNbd, 0.2, 2.0 * ln_2, 0.75, 5.0 / 12.0),
            (Family::MbgNbd, 1.0 / 3.0, 1.5, 0.75, 3.0 / 8.0),
            (Family::ParetoNbd, 0.3, 2.0 * ln_2, 7.0 / 12.0, 23.0 / 96.0),
        ] {
            let model = ones(family);
            let history = History { frequency: 1.0, recency: 1.0, age: 3.0 };
            let ordered = History { frequency: 1.0, age: 3.0, ..History::NEW };
            let if_alive = model.orders_if_alive(ordered, 4.0).expect("computed");
            let expected = model.expected_orders(history, 4.0).expect("computed");
            let exactly = model.distribution_if_alive(ordered, 4.0, 1..2);
            for (what, value, by_hand) in [
                ("alive", model.p_alive(history), alive),
                ("orders", if_alive, orders),
                ("expected", expected, alive * orders),
                ("any", model.any_order_if_alive(ordered, 4.0), any),
                ("one", exactly[0], one),
            ] {
                assert!(relative(value, by_hand) < 1e-12, "{family:?}, {what}: {value}");
            }
        }
    }

    #[test]
    fn who_has_left_orders_nothing() {
        // P(alive) as above: 0 orders where a customer has left, or is alive and does not order.
        for (family, alive, any) in
            [(Family::BgNbd, 0.2, 0.75), (Family::ParetoNbd, 0.3, 7.0 / 12.0)]
        {
            let model = ones(family);
            let history = History { frequency: 1.0, recency: 1.0, age: 3.0 };
            let all = model.distribution(history, 4.0, 0..3);
            assert!(relative(all[0], 1.0 - alive * any) < 1e-12, "{family:?}: {all:?}");
            let later = model.distribution(history, 4.0, 1..3);
            let if_alive = model.distribution_if_alive(
                History { frequency: 1.0, age: 3.0, ..History::NEW },
                4.0,
                1..3,
            );
            for k in 0..2 {
                assert!(relative(later[k], alive * if_alive[k]) < 1e-12, "{family:?} {k}");
                assert!(relative(all[k + 1], later[k]) < 1e-12, "{family:?} {k}");
            }
        }
    }

    #[test]
    fn no_counts_have_no_probabilities() {
        let history = History { frequency: 1.0, recency: 1.0, age: 3.0 };
        for family in Family::ALL {
            assert!(ones(family).distribution(history, 4.0, 0..0).is_empty(), "{family:?}");
        }
    }

    #[test]
    fn each_model_has_its_own_selection() {
        // Age 3, window 1, so that c = 2. NBD: 1 − ½. BG/NBD: ∫ 1/(1+2p) − 1/(2+2p) dp.
        // MBG/NBD: half of the same over p ~ Beta(1, 2). Pareto/NBD:
        // ∫₀¹ (1+y)^−2 (3+y)^−1 dy, by partial fractions.
        let (ln_2, ln_3) = (2f64.ln(), 3f64.ln());
        let rule = SelectionRule::to(1.0);
        for (family, by_hand) in [
            (Family::Nbd, 0.5),
            (Family::BgNbd, 0.5 * (ln_3 - ln_2)),
            (Family::MbgNbd, 0.75 * ln_3 - ln_2),
            (Family::ParetoNbd, 0.25 * (1.0 + ln_2 - ln_3)),
        ] {
            let selected = ones(family).selection_probability(&rule, 3.0).expect("computed");
            let p = selected.at(3.0)[0];
            assert!(relative(p, by_hand) < 1e-10, "{family:?}: {p} {by_hand}");
        }
        // By channels it is worked out for all but Pareto/NBD.
        let mix = ChannelMix { first: 1.0, second: 1.0 };
        let channels = SelectionRule { both_channels: Some(mix), ..rule };
        let known = Family::ALL.map(|f| ones(f).selection_probability(&channels, 3.0).is_some());
        assert_eq!(known, [true, true, true, false]);
    }

    #[test]
    fn a_family_its_names_and_its_parameters_belong_together() {
        for family in Family::ALL {
            let symbols = family.parameters();
            let values: Vec<f64> = (1..=symbols.len()).map(|i| i as f64).collect();
            let model = family.model(&values);
            assert_eq!((model.family(), model.parameters()), (family, values));
            // Twice the rate halves α of every start, and changes nothing else.
            for (slow, fast) in family.starts(1.0).iter().zip(family.starts(2.0)) {
                assert!(slow.len() == symbols.len() && slow.iter().all(|start| *start > 0.0));
                let halved = |(i, start): (usize, &f64)| if i == 1 { start / 2.0 } else { *start };
                assert_eq!(fast, slow.iter().enumerate().map(halved).collect::<Vec<_>>());
            }
            // The name in tables is the one in files.
            let written = serde_json::to_value(family).expect("text");
            assert_eq!(written, family.name());
            let asked = PurchaseModelName::from(family);
            assert_eq!(serde_json::to_value(asked).expect("text"), family.name());
            assert_eq!(asked.family(), Some(family));
        }
        // Of r, α, s and β, α and β are times; of r, α, a and b, α alone is.
        assert_eq!([0, 1, 2, 3].map(|i| Family::ParetoNbd.is_time(i)), [false, true, false, true]);
        assert_eq!([0, 1, 2, 3].map(|i| Family::BgNbd.is_time(i)), [false, true, false, false]);
        assert_eq!([0, 1, 2, 3].map(|i| Family::MbgNbd.is_time(i)), [false, true, false, false]);
        assert_eq!([0, 1].map(|i| Family::Nbd.is_time(i)), [false, true]);
        assert_eq!(Family::ALL.map(Family::title), ["NBD", "BG/NBD", "MBG/NBD", "Pareto/NBD"]);
        let PurchaseModel::MbgNbd(model) = Family::MbgNbd.model(&[1.0, 2.0, 3.0, 4.0]) else {
            panic!("an MBG/NBD");
        };
        assert_eq!((model.r, model.alpha, model.a, model.b), (1.0, 2.0, 3.0, 4.0));
    }
}
