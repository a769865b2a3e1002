//! The family of purchase models: what they can say, and what a fit needs to know of each.

use std::ops::Range;

use crate::model::bg_nbd::{self, BgNbd};
use crate::model::likelihood::maximise::LogLikelihood;
use crate::model::likelihood::patterns::Patterns;
use crate::model::mbg_nbd::{self, MbgNbd};
use crate::model::nbd::{self, Nbd};
use crate::model::pareto_nbd::{self, ParetoNbd};
use crate::model::selection::probability::{SelectionProbability, SelectionRule};
use crate::settings::Family;

/// A model of orders with its parameters, in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PurchaseModel {
    /// Nobody leaves.
    Nbd(Nbd),
    /// Customers leave after a repeat order.
    BgNbd(BgNbd),
    /// Customers leave after any order.
    MbgNbd(MbgNbd),
    /// Customers leave at any moment.
    ParetoNbd(ParetoNbd),
}

impl PurchaseModel {
    /// Probability that a customer with history (x, t_x, T) has not left.
    pub fn p_alive(&self, x: f64, t_x: f64, age: f64) -> f64 {
        match self {
            Self::Nbd(_) => 1.0,
            Self::BgNbd(model) => model.p_alive(x, t_x, age),
            Self::MbgNbd(model) => model.p_alive(x, t_x, age),
            Self::ParetoNbd(model) => model.p_alive(x, t_x, age),
        }
    }

    /// Expected orders in (T, T + horizon] of a customer who is alive at T after x orders.
    ///
    /// # Errors
    /// `None` when the numerical method reached its cap.
    pub fn orders_if_alive(&self, horizon: f64, x: f64, age: f64) -> Option<f64> {
        match self {
            Self::Nbd(model) => Some(model.orders_if_alive(horizon, x, age)),
            Self::BgNbd(model) => model.orders_if_alive(horizon, x, age),
            Self::MbgNbd(model) => model.after_first_order().orders_if_alive(horizon, x, age),
            Self::ParetoNbd(model) => Some(model.orders_if_alive(horizon, x, age)),
        }
    }

    /// Expected orders in (T, T + horizon] of a customer with history (x, t_x, T); with a history
    /// of zeros, the expected repeat orders of a new customer.
    ///
    /// # Errors
    /// `None` when the numerical method reached its cap.
    pub fn expected_orders(&self, horizon: f64, x: f64, t_x: f64, age: f64) -> Option<f64> {
        Some(self.orders_if_alive(horizon, x, age)? * self.p_alive(x, t_x, age))
    }

    /// P(at least one order in (T, T + horizon]) of a customer who is alive at T.
    pub fn any_order_if_alive(&self, horizon: f64, x: f64, age: f64) -> f64 {
        let without_dropout =
            |r: f64, alpha: f64| -(-(r + x) * (horizon / (alpha + age)).ln_1p()).exp_m1();
        match self {
            Self::Nbd(Nbd { r, alpha })
            | Self::BgNbd(BgNbd { r, alpha, .. })
            | Self::MbgNbd(MbgNbd { r, alpha, .. }) => without_dropout(*r, *alpha),
            Self::ParetoNbd(model) => model.any_order_if_alive(horizon, x, age),
        }
    }

    /// P(n orders in (T, T + horizon]) of a customer who is alive at T, for each n of `counts`.
    pub fn distribution_if_alive(
        &self,
        horizon: f64,
        x: f64,
        age: f64,
        counts: Range<u32>,
    ) -> Vec<f64> {
        match self {
            Self::Nbd(model) => model.distribution_if_alive(horizon, x, age, counts),
            Self::BgNbd(model) => model.distribution_if_alive(horizon, x, age, counts),
            Self::MbgNbd(model) => {
                model.after_first_order().distribution_if_alive(horizon, x, age, counts)
            }
            Self::ParetoNbd(model) => model.distribution_if_alive(horizon, x, age, counts),
        }
    }

    /// P(n orders in (T, T + horizon]) of a customer with history (x, t_x, T), for each n
    /// of `counts`.
    pub fn distribution(
        &self,
        horizon: f64,
        (x, t_x, age): (f64, f64, f64),
        counts: Range<u32>,
    ) -> Vec<f64> {
        let alive = self.p_alive(x, t_x, age);
        let mut all = self.distribution_if_alive(horizon, x, age, counts.clone());
        all.iter_mut().for_each(|p| *p *= alive);
        if counts.start == 0 && !counts.is_empty() {
            all[0] += 1.0 - alive;
        }
        all
    }

    /// P(selected | T) up to the age `oldest`.
    ///
    /// # Errors
    /// `None` when the numerical method reached its cap, or the selection is not worked out for
    /// this model.
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
        })
    }

    /// Its parameters in the order of [`Family::parameters`].
    pub fn parameters(&self) -> Vec<f64> {
        match *self {
            Self::Nbd(Nbd { r, alpha }) => vec![r, alpha],
            Self::BgNbd(BgNbd { r, alpha, a, b }) | Self::MbgNbd(MbgNbd { r, alpha, a, b }) => {
                vec![r, alpha, a, b]
            }
            Self::ParetoNbd(ParetoNbd { r, alpha, s, beta }) => vec![r, alpha, s, beta],
        }
    }

    /// Which of the family it is.
    pub fn family(&self) -> Family {
        match self {
            Self::Nbd(_) => Family::Nbd,
            Self::BgNbd(_) => Family::BgNbd,
            Self::MbgNbd(_) => Family::MbgNbd,
            Self::ParetoNbd(_) => Family::ParetoNbd,
        }
    }
}

impl Family {
    /// Every model, the simplest first.
    pub const ALL: [Self; 4] = [Self::Nbd, Self::BgNbd, Self::MbgNbd, Self::ParetoNbd];

    /// Its name in the literature.
    pub fn title(self) -> &'static str {
        match self {
            Self::Nbd => "NBD",
            Self::BgNbd => "BG/NBD",
            Self::MbgNbd => "MBG/NBD",
            Self::ParetoNbd => "Pareto/NBD",
        }
    }

    /// Its name in pipeline files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nbd => "nbd",
            Self::BgNbd => "bg_nbd",
            Self::MbgNbd => "mbg_nbd",
            Self::ParetoNbd => "pareto_nbd",
        }
    }

    /// Whether its probability of being in a file selected in this way is worked out. That of
    /// Pareto/NBD is not for orders in both channels.
    pub fn knows_selection(self, selection: Option<&SelectionRule>) -> bool {
        self != Self::ParetoNbd || selection.is_none_or(|rule| rule.both_channels.is_none())
    }

    /// Symbols of its parameters.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Nbd => &["r", "alpha"],
            Self::BgNbd | Self::MbgNbd => &["r", "alpha", "a", "b"],
            Self::ParetoNbd => &["r", "alpha", "s", "beta"],
        }
    }

    /// Whether a parameter is a length of time.
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
            _ => PurchaseModel::Nbd(Nbd { r: parameters[0], alpha: parameters[1] }),
        }
    }

    /// Where to begin, at a mean order rate in the time unit of the patterns, which is such that
    /// max T = 1: little and much dropout.
    pub(crate) fn starts(self, rate: f64) -> Vec<Vec<f64>> {
        match self {
            Self::Nbd => vec![vec![0.5, 0.5 / rate], vec![3.0, 3.0 / rate]],
            Self::BgNbd | Self::MbgNbd => {
                vec![vec![0.5, 0.3 / rate, 0.8, 2.5], vec![2.0, 2.0 / rate, 0.1, 3.0]]
            }
            Self::ParetoNbd => {
                vec![vec![0.5, 0.3 / rate, 0.6, 0.4], vec![2.0, 2.0 / rate, 0.3, 2.0]]
            }
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
        }
    }
}
