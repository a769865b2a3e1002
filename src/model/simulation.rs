//! Simulation: draws what is unknown about a customer (order rate, dropout), then the orders that
//! follow.

use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution, Exp1, Gamma};

use crate::customers::History;
use crate::math::stages::stages_passed;
use crate::model::bg_nbd::BgNbd;
use crate::model::cnbd::Cnbd;
use crate::model::nbd::Nbd;
use crate::model::pareto_nbd::ParetoNbd;
use crate::model::purchase_model::PurchaseModel;

/// One drawn future of a customer: an order rate, and how the customer leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Future {
    rate: f64,
    /// Probability of leaving after each order.
    dropout: f64,
    /// Time at which the customer leaves, from the start.
    lifetime: f64,
    /// Time of the latest order, from the start.
    clock: f64,
    /// Whether there was an order since the start.
    ordered: bool,
    /// Stages of an order, and those until the next one.
    stages: u8,
    left: u8,
}

impl PurchaseModel {
    /// Draws the future, from T on, of a customer with history (x, t_x, T). A history of zeros is
    /// that of a new customer after the first order.
    ///
    /// Returns `None` when the customer turns out to have left.
    ///
    /// # Formula
    /// Alive with probability P(alive). Then λ ~ Gamma(r+x, α+T), and p ~ Beta(a, b+x) (BG/NBD),
    /// p ~ Beta(a, b+x+1) (MBG/NBD) or μ ~ Gamma(s, β+T) (Pareto/NBD): the posterior distributions
    /// given that the customer is alive. Of regular buyers, j of the k stages of the next order have
    /// passed since t_x, with the probabilities of `stages_passed`, and λ ~ Gamma(r+kx+j, α+T).
    pub fn draw_future(&self, history: History, rng: &mut impl Rng) -> Option<Future> {
        let History { frequency: x, age, .. } = history;
        let alive = self.p_alive(history);
        // P(alive) = 1 uses up no random number.
        if alive < 1.0 && rng.random::<f64>() >= alive {
            return None;
        }
        let steady = |r: f64, alpha: f64, rng: &mut _| Future {
            rate: gamma(r + x, alpha + age, rng),
            dropout: 0.0,
            lifetime: f64::INFINITY,
            clock: 0.0,
            ordered: false,
            stages: 1,
            left: 1,
        };
        Some(match *self {
            Self::Nbd(Nbd { r, alpha }) => steady(r, alpha, rng),
            Self::BgNbd(BgNbd { r, alpha, a, b }) => {
                let future = steady(r, alpha, rng);
                Future { dropout: beta(a, b + x, rng), ..future }
            }
            Self::MbgNbd(model) => {
                let BgNbd { r, alpha, a, b } = model.after_first_order();
                let future = steady(r, alpha, rng);
                Future { dropout: beta(a, b + x, rng), ..future }
            }
            Self::ParetoNbd(ParetoNbd { r, alpha, s, beta }) => {
                let future = steady(r, alpha, rng);
                let death = gamma(s, beta + age, rng);
                let waits: f64 = Exp1.sample(rng);
                Future { lifetime: waits / death, ..future }
            }
            Self::Cnbd(model) => {
                let passed = passed(&model, history, rng);
                let shape = model.shape(x) + f64::from(passed);
                Future {
                    rate: gamma(shape, model.alpha + age, rng),
                    dropout: beta(model.a, model.stayed(x), rng),
                    stages: model.k,
                    left: model.k - passed,
                    lifetime: f64::INFINITY,
                    clock: 0.0,
                    ordered: false,
                }
            }
        })
    }
}

/// Draws the number of stages that have passed since the last order.
fn passed(model: &Cnbd, history: History, rng: &mut impl Rng) -> u8 {
    let share = model.silent_share(history);
    if share <= 0.0 {
        return 0;
    }
    let mut beyond = rng.random::<f64>();
    let parts = stages_passed(model.shape(history.frequency), share, model.k);
    for (j, part) in (0..model.k).zip(parts) {
        beyond -= part;
        if beyond < 0.0 {
            return j;
        }
    }
    model.k - 1
}

impl Future {
    /// Time of the next order, from the start.
    ///
    /// Returns `None` once the customer has left.
    pub fn next_order(&mut self, rng: &mut impl Rng) -> Option<f64> {
        // The order before the start is part of the history: P(alive) has decided about it.
        if self.ordered && self.dropout > 0.0 && rng.random_bool(self.dropout) {
            self.lifetime = self.clock;
        }
        let mut waits: f64 = Exp1.sample(rng);
        for _ in 1..self.left {
            let more: f64 = Exp1.sample(rng);
            waits += more;
        }
        self.clock += waits * self.rate.recip();
        self.ordered = true;
        self.left = self.stages;
        (self.clock <= self.lifetime).then_some(self.clock)
    }
}

/// The history of a customer who was simulated from the first order on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SimulatedHistory {
    /// x: repeat orders up to T.
    pub frequency: f64,
    /// t_x: time of the last of them; 0 without any.
    pub recency: f64,
    /// Orders after T.
    pub later: f64,
}

impl SimulatedHistory {
    /// The history of a customer who was simulated up to T = `age`.
    pub fn at(self, age: f64) -> History {
        History { frequency: self.frequency, recency: self.recency, age }
    }
}

impl PurchaseModel {
    /// Draws a new customer and simulates orders up to T = `age`, and for a time `later` after
    /// that. `at_order` is called at each repeat order up to T.
    pub fn simulate<R: Rng>(
        &self,
        age: f64,
        later: f64,
        rng: &mut R,
        mut at_order: impl FnMut(&mut R),
    ) -> SimulatedHistory {
        let mut simulated = SimulatedHistory::default();
        let Some(mut future) = self.draw_future(History::NEW, rng) else {
            return simulated;
        };
        while let Some(time) = future.next_order(rng).filter(|time| *time <= age + later) {
            if time > age {
                simulated.later += 1.0;
            } else {
                simulated.frequency += 1.0;
                simulated.recency = time;
                at_order(rng);
            }
        }
        simulated
    }
}

/// A draw from Gamma(shape, rate), above 0, so that a caller can divide by it.
pub(crate) fn gamma(shape: f64, rate: f64, rng: &mut impl Rng) -> f64 {
    Gamma::new(shape, 1.0 / rate).map_or(0.0, |d| d.sample(rng)).max(f64::MIN_POSITIVE)
}

/// A draw from Beta(a, b); 0 for a = 0, that is, without dropout.
pub(crate) fn beta(a: f64, b: f64, rng: &mut impl Rng) -> f64 {
    Beta::new(a, b).map_or(0.0, |d| d.sample(rng)).clamp(0.0, 1.0)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::mbg_nbd::MbgNbd;
    use crate::model::selection::channels::ChannelMix;
    use crate::model::selection::probability::SelectionRule;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// One of each model, with enough orders and dropout for tests by simulation.
    pub(crate) const MODELS: [PurchaseModel; 4] = [
        PurchaseModel::Nbd(Nbd { r: 0.8, alpha: 9.0 }),
        PurchaseModel::BgNbd(BgNbd { r: 0.6, alpha: 6.0, a: 0.8, b: 2.5 }),
        PurchaseModel::MbgNbd(MbgNbd { r: 0.6, alpha: 6.0, a: 0.8, b: 1.6 }),
        PurchaseModel::ParetoNbd(ParetoNbd { r: 0.6, alpha: 10.0, s: 0.7, beta: 12.0 }),
    ];

    /// The mean over draws is the expectation in closed form, within five standard errors.
    #[test]
    fn draws_have_the_expected_number_of_orders() {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        for model in MODELS {
            for history in [
                History::NEW,
                History { age: 20.0, ..History::NEW },
                History { frequency: 3.0, recency: 15.0, age: 30.0 },
            ] {
                let (draws, horizon) = (40_000, 26.0);
                let (mut sum, mut squares, mut any) = (0.0, 0.0, 0.0);
                for _ in 0..draws {
                    let n = count(&model, history, horizon, &mut rng);
                    (sum, squares) = (sum + n, squares + n * n);
                    any += f64::from(u8::from(n > 0.0));
                }
                let n = f64::from(draws);
                let (mean, any) = (sum / n, any / n);
                let error = ((squares / n - mean * mean) / n).sqrt();
                let expected = model.expected_orders(history, horizon).expect("computed");
                assert!((mean - expected).abs() < 5.0 * error, "{model:?}: {mean} {expected}");
                let at_least_one =
                    model.any_order_if_alive(history, horizon) * model.p_alive(history);
                let error = (at_least_one * (1.0 - at_least_one) / n).sqrt();
                assert!((any - at_least_one).abs() < 5.0 * error, "{model:?}: {any}");
            }
        }
    }

    fn count(model: &PurchaseModel, history: History, horizon: f64, rng: &mut ChaCha8Rng) -> f64 {
        let Some(mut future) = model.draw_future(history, rng) else {
            return 0.0;
        };
        let mut n = 0.0;
        while future.next_order(rng).is_some_and(|time| time <= horizon) {
            n += 1.0;
        }
        n
    }

    /// P(selected) is the share of simulated customers that end up in a file with a window.
    #[test]
    fn p_selected_is_the_share_that_is_selected() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let (window, draws) = (13.0, 40_000);
        for model in MODELS {
            let selected =
                model.selection_probability(&SelectionRule::to(window), 80.0).expect("computed");
            for age in [5.0, 20.0, 80.0] {
                let mut inside = 0.0;
                for _ in 0..draws {
                    let simulated = model.simulate(age, 0.0, &mut rng, |_| ());
                    let selected = simulated.frequency > 0.0 && age - simulated.recency <= window;
                    inside += f64::from(u8::from(selected));
                }
                let (share, p) = (inside / f64::from(draws), selected.at(age)[0]);
                let error = (p * (1.0 - p) / f64::from(draws)).sqrt();
                assert!((share - p).abs() < 5.0 * error, "{model:?} at {age}: {share} {p}");
            }
        }
    }

    /// The same where orders in both channels are required; the channel of each order is drawn.
    #[test]
    fn p_selected_is_the_share_that_is_selected_with_both_channels() {
        let mut rng = ChaCha8Rng::seed_from_u64(10);
        let (window, draws) = (13.0, 40_000);
        let mix = ChannelMix { first: 3.0, second: 2.0 };
        let selection = SelectionRule { both_channels: Some(mix), ..SelectionRule::to(window) };
        for model in &MODELS[..3] {
            let selected = model.selection_probability(&selection, 80.0).expect("computed");
            for age in [5.0, 20.0, 80.0] {
                let mut inside = 0.0;
                for _ in 0..draws {
                    let share = beta(mix.first, mix.second, &mut rng);
                    let mut first = u32::from(rng.random_bool(share));
                    let simulated = model.simulate(age, 0.0, &mut rng, |rng| {
                        first += u32::from(rng.random_bool(share));
                    });
                    let both = first > 0 && f64::from(first) < simulated.frequency + 1.0;
                    let selected = both && age - simulated.recency <= window;
                    inside += f64::from(u8::from(selected));
                }
                let (share, p) = (inside / f64::from(draws), selected.at(age)[0]);
                let error = (p * (1.0 - p) / f64::from(draws)).sqrt();
                assert!((share - p).abs() < 5.0 * error, "{model:?} at {age}: {share} {p}");
            }
        }
    }
}
