//! Means over a beta distribution: what dropout probabilities that differ between customers need.
//!
//! The closed forms in the papers are 2F1 functions of large negative arguments, or differences
//! of them, which lose all digits. A mean of a positive function loses none.

use super::special::ln_logistic;

/// e^−TAIL of the density is left beyond the ends of the quadrature, and less where the function
/// is larger there than at the centre.
const TAIL: f64 = 45.0;
const LONGEST_TAIL: f64 = 600.0;
/// Half steps out to which those ends may lie; sinh grows by e every two.
const MOST_REACH: u32 = 80;
/// Below this shape, most of the beta density crowds at the end it belongs to.
const CROWDED: f64 = 0.05;
/// First step of the trapezoidal rule, and how often it may be halved.
const FIRST_STEP: f64 = 0.25;
const MOST_HALVINGS: u32 = 10;
/// Halving the step of the trapezoidal rule on an analytic integrand doubles the exact digits, so
/// the finer of two sums that agree so far is exact to rounding.
const HALVING_TOLERANCE: f64 = 1e-9;

/// A rule for means over p ~ Beta(a, b).
///
/// # Formula
/// The trapezoidal rule after p = logistic(u₀ + w·sinh v), u₀ and w being centre and width of the
/// density in log-odds. Weights are divided by their sum, so that no beta function is needed and
/// the mean of 1 is 1 for any parameters.
///
/// Where a < 0.05 nearly all mass is at p → 0, and the difference to f(0) is integrated instead:
/// E f = f(0) − a/(a+b) · E⁺ (f(0) − f(p))/p, E⁺ over Beta(a+1, b). In the same way at p → 1.
///
/// # Domain
/// a > 0, b > 0; f analytic on (0, 1) with finite limits.
///
/// # Reference
/// Takahasi & Mori (1974), Double Exponential Formulas for Numerical Integration, Publ. RIMS 9.
pub struct BetaRule {
    a: f64,
    b: f64,
    at_zero: bool,
    at_one: bool,
    nodes: Vec<Node>,
}

struct Node {
    p: f64,
    /// 1 − p
    q: f64,
    ln_p: f64,
    ln_q: f64,
    weight: f64,
}

/// A mean and its derivatives in the shapes a and b.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean<const K: usize> {
    /// E f
    pub value: [f64; K],
    /// ∂(E f₀)/∂a
    pub slope_a: f64,
    /// ∂(E f₀)/∂b
    pub slope_b: f64,
}

impl BetaRule {
    /// The rule with a step in v, to where e^−tail of the density is left.
    ///
    /// # Errors
    /// `None` when the ends of the density are out of reach.
    fn new(a: f64, b: f64, step: f64, tail: f64) -> Option<Self> {
        let (at_zero, at_one) = (a < CROWDED, b < CROWDED);
        let (left, right) = (a + f64::from(u8::from(at_zero)), b + f64::from(u8::from(at_one)));
        let (centre, width) = ((left / right).ln(), (1.0 / left + 1.0 / right).sqrt());
        let ln_density = |u: f64| left * ln_logistic(u) + right * ln_logistic(-u);
        let logit = |v: f64| centre + width * v.sinh();
        let top = ln_density(centre);
        let negligible = |v: f64| ln_density(logit(v)).max(ln_density(logit(-v))) + v < top - tail;
        let farthest = (1..MOST_REACH).map(|k| 0.5 * f64::from(k)).find(|v| negligible(*v))?;
        let most = (farthest / step).ceil() as i32;
        let mut nodes: Vec<Node> = (-most..=most)
            .map(|k| {
                let v = f64::from(k) * step;
                let u = logit(v);
                let (ln_p, ln_q) = (ln_logistic(u), ln_logistic(-u));
                let weight = (left * ln_p + right * ln_q - top).exp() * v.cosh();
                Node { p: ln_p.exp(), q: ln_q.exp(), ln_p, ln_q, weight }
            })
            .filter(|node| node.weight > 0.0 && node.p > f64::MIN_POSITIVE && node.q > 0.0)
            .collect();
        let sum: f64 = nodes.iter().map(|node| node.weight).sum();
        nodes.iter_mut().for_each(|node| node.weight /= sum);
        (sum.is_finite() && sum > 0.0).then_some(Self { a, b, at_zero, at_one, nodes })
    }

    /// E f(p, 1−p), with the derivatives of its first component in a and b.
    ///
    /// # Formula
    /// Over a plain rule ∂E f/∂a = Cov(f, ln p); the chain rule through the corrections at the
    /// ends gives the rest.
    pub fn mean<const K: usize>(&self, f: impl Fn(f64, f64) -> [f64; K]) -> Mean<K> {
        let ends = [f(0.0, 1.0), f(1.0, 0.0)];
        let mut sum = [0.0; K];
        let (mut with_ln_p, mut with_ln_q, mut ln_p, mut ln_q) = (0.0, 0.0, 0.0, 0.0);
        for node in &self.nodes {
            let here = self.integrand(node, f(node.p, node.q), &ends);
            for k in 0..K {
                sum[k] += node.weight * here[k];
            }
            with_ln_p += node.weight * here[0] * node.ln_p;
            with_ln_q += node.weight * here[0] * node.ln_q;
            ln_p += node.weight * node.ln_p;
            ln_q += node.weight * node.ln_q;
        }
        let (cov_p, cov_q) = (with_ln_p - sum[0] * ln_p, with_ln_q - sum[0] * ln_q);
        self.corrected(sum, cov_p, cov_q, &ends)
    }

    fn integrand<const K: usize>(
        &self,
        node: &Node,
        here: [f64; K],
        ends: &[[f64; K]; 2],
    ) -> [f64; K] {
        let [zero, one] = ends;
        std::array::from_fn(|k| match (self.at_zero, self.at_one) {
            (false, false) => here[k],
            (true, false) => (zero[k] - here[k]) / node.p,
            (false, true) => (one[k] - here[k]) / node.q,
            (true, true) => {
                // The smaller of p and q divides the difference to the nearer end.
                let near = if node.p < node.q {
                    (zero[k] - here[k]) / node.p + (one[k] - zero[k])
                } else {
                    (one[k] - here[k]) / node.q + (zero[k] - one[k])
                };
                near / node.p.max(node.q)
            }
        })
    }

    fn corrected<const K: usize>(
        &self,
        sum: [f64; K],
        cov_p: f64,
        cov_q: f64,
        ends: &[[f64; K]; 2],
    ) -> Mean<K> {
        let (a, b) = (self.a, self.b);
        let both = a + b;
        let [zero, one] = ends;
        let gap = one[0] - zero[0];
        // E f = linear part − factor · sum, and the derivatives of both in a and b.
        let (share, share_a, share_b) = (a / both, b / (both * both), -a / (both * both));
        let (factor, factor_a, factor_b) = match (self.at_zero, self.at_one) {
            (false, false) => (-1.0, 0.0, 0.0),
            (true, false) => (share, share_a, share_b),
            (false, true) => (1.0 - share, -share_a, -share_b),
            (true, true) => {
                let factor = a * b / (both * (both + 1.0));
                let both_slope = 1.0 / both + 1.0 / (both + 1.0);
                (factor, factor * (1.0 / a - both_slope), factor * (1.0 / b - both_slope))
            }
        };
        let value = std::array::from_fn(|k| {
            let linear = match (self.at_zero, self.at_one) {
                (false, false) => 0.0,
                (true, false) => zero[k],
                (false, true) => one[k],
                (true, true) => (b * zero[k] + a * one[k]) / both,
            };
            linear - factor * sum[k]
        });
        let moved = if self.at_zero && self.at_one { gap } else { 0.0 };
        Mean {
            value,
            slope_a: moved * share_a - factor_a * sum[0] - factor * cov_p,
            slope_b: moved * share_b - factor_b * sum[0] - factor * cov_q,
        }
    }
}

/// The coarsest rule for Beta(a, b) that gives the means of two functions to rounding.
///
/// # Errors
/// `None` when no step within the cap does.
pub fn beta_rule(a: f64, b: f64, f: impl Fn(f64) -> [f64; 2]) -> Option<BetaRule> {
    let (at_zero, at_centre) = (f(0.0), f(a / (a + b)));
    let larger = |k: usize| (at_zero[k] / at_centre[k]).ln().clamp(0.0, LONGEST_TAIL);
    let tail = TAIL + larger(0).max(larger(1));
    // The mean of p too: where f hardly varies, any rule gives its mean, but not its slopes.
    let means = |rule: &BetaRule| {
        let of = |p: f64, _: f64| {
            let [first, second] = f(p);
            [first, second, p]
        };
        rule.mean(of).value
    };
    let mut step = FIRST_STEP;
    let mut before = means(&BetaRule::new(a, b, 2.0 * step, tail)?);
    for _ in 0..MOST_HALVINGS {
        let rule = BetaRule::new(a, b, step, tail)?;
        let now = means(&rule);
        let settled = |(n, b): (&f64, &f64)| (n - b).abs() <= HALVING_TOLERANCE * n.abs();
        if now.iter().zip(&before).all(settled) {
            return Some(rule);
        }
        before = now;
        step /= 2.0;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64, tolerance: f64) {
        assert!((value / expected - 1.0).abs() < tolerance, "{value} is not {expected}");
    }

    #[test]
    fn moments_of_beta_distributions() {
        // E p = a/(a+b), E p² = a(a+1)/((a+b)(a+b+1)), and their derivatives in a and b.
        for (a, b) in [(0.8, 2.5), (5.0, 42.0), (1e-6, 1.0), (3.0, 1e-4), (1e-3, 2e-3), (2e4, 1e6)]
        {
            let rule = beta_rule(a, b, |p| [p, p * p]).expect("a rule");
            let mean = rule.mean(|p, _| [p, p * p]);
            let s: f64 = a + b;
            close(mean.value[0], a / s, 1e-13);
            close(mean.value[1], a * (a + 1.0) / (s * (s + 1.0)), 1e-13);
            close(mean.slope_a, b / (s * s), 1e-8);
            close(mean.slope_b, -a / (s * s), 1e-8);
        }
    }
}
