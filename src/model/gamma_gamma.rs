//! Gamma-Gamma: the mean value of each customer's orders.
//!
//! A customer's order values vary around the customer's own mean as Gamma(p, ν); ν differs between
//! customers as Gamma(q, v). With few orders the estimate leans on the population, with many on
//! the customer's own mean. Spend and frequency are assumed to be independent.
//!
//! # Reference
//! Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025; Colombo & Jiang
//! (1999), Journal of Interactive Marketing 13(3). Equation numbers below are note 025's.

use std::collections::BTreeMap;

use crate::math::special::{digamma, ln_gamma};

/// Gamma-Gamma parameters; v is in the money unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaGamma {
    /// Shape of a customer's order values.
    pub p: f64,
    /// Shape of the distribution of ν.
    pub q: f64,
    /// Rate parameter of the distribution of ν, in money units.
    pub v: f64,
}

impl GammaGamma {
    /// Expected mean order value of a customer with mean `m` over `count` orders.
    ///
    /// Returns `None` when p·count + q ≤ 1: the mean does not exist.
    ///
    /// # Formula
    /// Equation 5: p·(v + count·m) / (p·count + q − 1)
    pub fn expected_value(&self, count: f64, m: f64) -> Option<f64> {
        let denominator = self.p * count + self.q - 1.0;
        (denominator > 0.0).then(|| self.p * (self.v + count * m) / denominator)
    }

    /// Mean order value over the population.
    ///
    /// Returns `None` when q ≤ 1: the mean does not exist.
    ///
    /// # Formula
    /// p·v/(q − 1)
    pub fn population_mean(&self) -> Option<f64> {
        self.expected_value(0.0, 0.0)
    }
}

/// Spend histories, prepared for the likelihood: customers with at least one counted order.
#[derive(Debug, Clone)]
pub struct SpendHistories {
    /// Distinct order counts.
    counts: Vec<f64>,
    /// For each customer: index into `counts`, total spend count·m.
    rows: Vec<(u32, f64)>,
    /// For each distinct count: customers, and the sum of ln m over them.
    per_count: Vec<(f64, f64)>,
}

impl SpendHistories {
    /// From one order count and one mean order value per customer; customers without a counted
    /// order are left out.
    pub fn new(counts: &[f64], means: &[f64]) -> Self {
        let mut position: BTreeMap<u64, u32> = BTreeMap::new();
        let mut spend = Self { counts: Vec::new(), rows: Vec::new(), per_count: Vec::new() };
        for (&count, &mean) in counts.iter().zip(means).filter(|(count, _)| **count > 0.0) {
            let index = *position.entry(count.to_bits()).or_insert_with(|| {
                spend.counts.push(count);
                spend.per_count.push((0.0, 0.0));
                (spend.counts.len() - 1) as u32
            });
            spend.rows.push((index, count * mean));
            spend.per_count[index as usize].0 += 1.0;
            spend.per_count[index as usize].1 += mean.ln();
        }
        spend
    }

    /// Customers with at least one counted order.
    pub fn customers(&self) -> f64 {
        self.rows.len() as f64
    }

    /// Number of distinct (count, total) pairs, counted up to `most`: how much there is to learn
    /// from.
    pub fn distinct_up_to(&self, most: usize) -> usize {
        let mut seen = std::collections::BTreeSet::new();
        for (count, total) in &self.rows {
            seen.insert((count, total.to_bits()));
            if seen.len() >= most {
                break;
            }
        }
        seen.len()
    }

    /// Whether all customers have the same mean order value, but for rounding.
    pub fn is_constant(&self) -> bool {
        const SAME: f64 = 1e-9;
        let mean = |&(count, total): &(u32, f64)| total / self.counts[count as usize];
        let (low, high) = self
            .rows
            .iter()
            .map(mean)
            .fold((f64::INFINITY, 0.0f64), |(l, h), m| (l.min(m), h.max(m)));
        !self.rows.is_empty() && high - low <= SAME * high
    }

    /// The mean over customers of their mean order value.
    pub fn mean_order_value(&self) -> f64 {
        let total: f64 =
            self.rows.iter().map(|&(count, total)| total / self.counts[count as usize]).sum();
        total / self.customers()
    }
}

/// Log-likelihood summed over all customers, and its gradient in (p, q, v).
///
/// # Formula
/// Equation 1a, n = count: Γ(pn+q)/(Γ(pn)Γ(q)) · v^q · m^(pn−1) · n^(pn) / (v + nm)^(pn+q)
pub fn log_likelihood(spend: &SpendHistories, parameters: &[f64]) -> (f64, Vec<f64>) {
    let [p, q, v] = [parameters[0], parameters[1], parameters[2]];
    let ln_v = v.ln();
    let (mut sum, mut d_p, mut d_q, mut d_v) = (0.0, 0.0, 0.0, 0.0);
    // Gamma functions depend on the count only: once per distinct count, not per customer.
    for (&n, &(customers, sum_ln_m)) in spend.counts.iter().zip(&spend.per_count) {
        let (shape, both) = (p * n, p * n + q);
        let ln_n = n.ln();
        sum += customers * (ln_gamma(both) - ln_gamma(shape) - ln_gamma(q) + q * ln_v)
            + customers * shape * ln_n
            + (shape - 1.0) * sum_ln_m;
        let digamma_both = digamma(both);
        d_p += n * (customers * (digamma_both - digamma(shape) + ln_n) + sum_ln_m);
        d_q += customers * (digamma_both - digamma(q) + ln_v);
        d_v += customers * q / v;
    }
    for &(index, total) in &spend.rows {
        let n = spend.counts[index as usize];
        let ln_total = (v + total).ln();
        sum -= (p * n + q) * ln_total;
        d_p -= n * ln_total;
        d_q -= ln_total;
        d_v -= (p * n + q) / (v + total);
    }
    (sum, vec![d_p, d_q, d_v])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_customers() {
        // Fader & Hardie (2013), note 025, table 1 and section 4: at their estimates (here to more
        // digits, from lifetimes 0.11.3) the first CDNOW customers are expected to spend 24.65,
        // 18.91 and 35.17 per order.
        let model = GammaGamma { p: 6.249_572_3, q: 3.744_224_7, v: 15.443_521 };
        for (x, m, expected) in [(2.0, 22.345, 24.65), (1.0, 11.77, 18.91), (0.0, 0.0, 35.17)] {
            let value = model.expected_value(x, m).expect("exists");
            assert!((value - expected).abs() <= 0.005, "{value} does not round to {expected}");
        }
    }

    #[test]
    fn no_population_mean_for_q_up_to_one() {
        let model = GammaGamma { p: 4.15, q: 0.47, v: 4.08 };
        assert_eq!(model.population_mean(), None);
        assert!(model.expected_value(2.0, 100.0).is_some());
    }

    #[test]
    fn gradient_equals_differences() {
        let spend = SpendHistories::new(&[2.0, 5.0, 0.0, 2.0], &[22.0, 80.0, 0.0, 11.0]);
        assert_eq!(spend.customers(), 3.0);
        let at = [5.0, 2.0, 30.0];
        let (_, gradient) = log_likelihood(&spend, &at);
        for i in 0..3 {
            let shifted = |h: f64| {
                let mut point = at;
                point[i] += h;
                log_likelihood(&spend, &point).0
            };
            // Five points: the error is of the order h⁴ = 1e-12.
            let h = 1e-3;
            let difference = (8.0 * (shifted(h) - shifted(-h))
                - (shifted(2.0 * h) - shifted(-2.0 * h)))
                / (12.0 * h);
            assert!((gradient[i] / difference - 1.0).abs() < 1e-9, "{i}");
        }
    }
}
