//! MBG/NBD: like BG/NBD, but a customer can also leave after the very first order.
//!
//! While alive, a customer orders as a Poisson process with rate λ. After each order, including
//! the first, the customer leaves with probability p, so a one-time buyer is not certainly alive.
//! Rates differ between customers as λ ~ Gamma(r, α), dropout probabilities as p ~ Beta(a, b),
//! independently.
//!
//! Everything follows from BG/NBD with b + 1 in place of b: a customer survives the first order
//! with probability b/(a+b), and one who does has p ~ Beta(a, b+1).
//!
//! # Reference
//! Batislam, Denizel & Filiztekin (2007), International Journal of Research in Marketing 24(3),
//! 201–209; Hoppe & Wagner (2007), Marketing – JRM 3(2), 75–90, whose CBG/NBD is the same model.

use crate::customers::History;
use crate::model::bg_nbd::{BgNbd, BgNbdSelection, OfFrequency, log_likelihood_over};
use crate::model::likelihood::patterns::Patterns;
use crate::model::selection::probability::{SelectionProbability, SelectionRule};

/// MBG/NBD parameters; α is in the time unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MbgNbd {
    /// Shape of the order rates.
    pub r: f64,
    /// Rate parameter of the order rates, in time units.
    pub alpha: f64,
    /// First shape of the dropout probabilities.
    pub a: f64,
    /// Second shape of the dropout probabilities.
    pub b: f64,
}

impl MbgNbd {
    /// The BG/NBD of the customers who did not leave after the first order.
    pub fn after_first_order(&self) -> BgNbd {
        let Self { r, alpha, a, b } = *self;
        BgNbd { r, alpha, a, b: b + 1.0 }
    }

    /// Probability that a customer with history (x, t_x, T) has not left.
    ///
    /// # Formula
    /// 1 / (1 + a/(b+x) · ((α+T)/(α+t_x))^(r+x)), for x = 0 too, where t_x = 0
    ///
    /// # Reference
    /// Batislam et al. (2007), section 3.3; Hoppe & Wagner (2007), equation 10.
    pub fn p_alive(&self, history: History) -> f64 {
        let History { frequency: x, recency: t_x, age } = history;
        let log_odds_gone = (self.a / (self.b + x)).ln()
            + (self.r + x) * ((age - t_x) / (self.alpha + t_x)).ln_1p();
        1.0 / (1.0 + log_odds_gone.exp())
    }

    /// P(selected | T) for T up to `oldest`.
    ///
    /// Returns `None` when the quadrature over p reached its cap, or the one over channel shares
    /// does not reach that far.
    pub fn selection_probability(
        &self,
        selection: &SelectionRule,
        oldest: f64,
    ) -> Option<MbgNbdSelection> {
        let stayed = self.after_first_order().selection_probability(selection, oldest)?;
        Some(MbgNbdSelection { model: *self, stayed })
    }
}

/// P(selected) under MBG/NBD.
pub struct MbgNbdSelection {
    model: MbgNbd,
    stayed: BgNbdSelection,
}

impl SelectionProbability for MbgNbdSelection {
    /// # Formula
    /// b/(a+b) times P(selected) of the BG/NBD with b + 1: only a customer who survives the first
    /// order can order again.
    fn at(&self, age: f64) -> [f64; 5] {
        let MbgNbd { a, b, .. } = self.model;
        let both = a + b;
        let [p, d_r, d_alpha, d_a, d_b] = self.stayed.at(age);
        let stays = b / both;
        [
            stays * p,
            stays * d_r,
            stays * d_alpha,
            stays * d_a - b / (both * both) * p,
            stays * d_b + a / (both * both) * p,
        ]
    }

    fn scale(&self) -> f64 {
        self.model.alpha
    }
}

/// Log-likelihood summed over all customers, and its gradient in (r, α, a, b).
///
/// # Formula
/// Γ(r+x) α^r / Γ(r) · [B(a, b+x+1)/B(a, b) · (α+T)^−(r+x) + B(a+1, b+x)/B(a, b) · (α+t_x)^−(r+x)]
/// = b/(a+b) times the BG/NBD likelihood at b + 1, with its second term for x = 0 too.
///
/// # Reference
/// Batislam et al. (2007), equation 2; Hoppe & Wagner (2007), equation 7.
pub fn log_likelihood(patterns: &Patterns, parameters: &[f64]) -> (f64, Vec<f64>) {
    let [r, alpha, a, b] = [parameters[0], parameters[1], parameters[2], parameters[3]];
    let of_x = |r, a, b_one: f64, x| OfFrequency::new(r, a, b_one, x, 1.0 / (b + x));
    let (sum, mut slope) = log_likelihood_over(patterns, &[r, alpha, a, b + 1.0], of_x);
    let n = patterns.customers;
    slope[2] -= n / (a + b);
    slope[3] += n * a / (b * (a + b));
    (sum - n * (a / b).ln_1p(), slope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::likelihood::patterns::CustomerPatterns;
    use crate::model::testing::orders_only;

    fn one(x: f64, t_x: f64, age: f64) -> Patterns {
        let histories = orders_only(vec![x], vec![t_x], vec![age]);
        CustomerPatterns::of(&histories).patterns
    }

    #[test]
    fn stability_cases() {
        // Published to these digits; mpmath agrees, by the formulas of scripts/model_reference.py.
        let at = [0.25, 4.0, 0.8, 2.5];
        for (x, t_x, expected) in [(0.0, 0.0, -0.417_928), (200.0, 38.0, 100.786_910)] {
            let (value, _) = log_likelihood(&one(x, t_x, 40.0), &at);
            assert!((value - expected).abs() < 5.1e-7, "{value}");
        }
    }

    #[test]
    fn published_customer_1516() {
        // Published for CDNOW, next 52 weeks: 24.002 and .96550, at estimates of three decimals (at
        // five decimals, r .52485 α 6.18307 a .89134 b 1.61391, P(alive) is .96549).
        let model = MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 };
        let (x, t_x, age) = (26.0, 30.857_142_857, 31.0);
        let alive = model.p_alive(History { frequency: x, recency: t_x, age });
        let orders = model
            .after_first_order()
            .orders_if_alive(History { frequency: x, age, ..History::NEW }, 52.0)
            .expect("finite");
        assert!((alive / 0.96550 - 1.0).abs() < 1e-5, "{alive}");
        assert!((orders * alive / 24.002 - 1.0).abs() < 5e-5, "{}", orders * alive);
    }
}
