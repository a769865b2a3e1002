//! Means over p ~ Beta(a, b), for models whose dropout probability differs between customers.
//!
//! The papers give closed forms in the Gaussian hypergeometric function 2F1 (hyp2f1). Its arguments
//! are large and negative, or two such terms are subtracted, and all digits are lost. The mean of
//! a positive function, computed by quadrature, loses none.

use super::special::ln_logistic;

/// The quadrature ends where the density has fallen to e^−TAIL of its peak, or further out where
/// the function is larger at p → 0 than at the centre.
const TAIL: f64 = 45.0;
/// Most that such a function adds to the tail, so that e^−tail does not underflow.
const LONGEST_TAIL: f64 = 600.0;
/// Farthest end of the quadrature in v, in half units; sinh v grows by a factor e every two.
const MOST_REACH: u32 = 80;
/// Below this shape, so much of the density is close to its own end that p (or 1 − p) underflows
/// before the tail is negligible.
const CROWDED: f64 = 0.05;
/// First step of the trapezoidal rule, and how often it may be halved.
const FIRST_STEP: f64 = 0.25;
const MOST_HALVINGS: u32 = 10;
/// On an analytic integrand, halving the step of the trapezoidal rule doubles the number of correct
/// digits. When two sums agree to this tolerance, the finer one is exact to rounding.
const HALVING_TOLERANCE: f64 = 1e-9;

/// A rule for means over p ~ Beta(a, b).
///
/// # Formula
/// The trapezoidal rule in v after p = logistic(u₀ + w·sinh v), where u₀ and w are the mode and the
/// width of the density in log-odds (double-exponential quadrature). Weights are divided by their
/// sum, so that no beta function is needed and the mean of 1 is 1 for any parameters.
///
/// Where a < 0.05, nearly all mass is at p → 0, so the rule averages the difference from f(0):
/// E f = f(0) − a/(a+b) · E⁺ (f(0) − f(p))/p, with E⁺ over Beta(a+1, b). The same holds at p → 1
/// where b < 0.05.
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
    /// The rule with a given step in v, out to where the density has fallen to e^−tail.
    ///
    /// Returns `None` when the ends of the density are out of reach.
    fn new(a: f64, b: f64, step: f64, tail: f64) -> Option<Self> {
        let (at_zero, at_one) = (a < CROWDED, b < CROWDED);
        // A crowded end is averaged over the next higher shape: see the formula of `BetaRule`.
        let (left, right) = (a + f64::from(u8::from(at_zero)), b + f64::from(u8::from(at_one)));
        // In log-odds the density is p^left (1−p)^right: its mode, and its width by the curvature
        // there.
        let (centre, width) = ((left / right).ln(), (1.0 / left + 1.0 / right).sqrt());
        let ln_density = |u: f64| left * ln_logistic(u) + right * ln_logistic(-u);
        let logit = |v: f64| centre + width * v.sinh();
        let top = ln_density(centre);
        // The v that is added is the logarithm of the Jacobian cosh v, but for a constant.
        let negligible = |v: f64| ln_density(logit(v)).max(ln_density(logit(-v))) + v < top - tail;
        let farthest = (1..MOST_REACH).map(|k| 0.5 * f64::from(k)).find(|v| negligible(*v))?;
        let most = (farthest / step).ceil() as i32;
        let mut nodes: Vec<Node> = (-most..=most)
            .map(|k| {
                let v = f64::from(k) * step;
                let u = logit(v);
                let (ln_p, ln_q) = (ln_logistic(u), ln_logistic(-u));
                // Relative to the peak, so that no shape overflows; the sum below divides it out.
                let weight = (left * ln_p + right * ln_q - top).exp() * v.cosh();
                Node { p: ln_p.exp(), q: ln_q.exp(), ln_p, ln_q, weight }
            })
            // The integrand is divided by p or by 1 − p.
            .filter(|node| node.weight > 0.0 && node.p > f64::MIN_POSITIVE && node.q > 0.0)
            .collect();
        let sum: f64 = nodes.iter().map(|node| node.weight).sum();
        nodes.iter_mut().for_each(|node| node.weight /= sum);
        (sum.is_finite() && sum > 0.0).then_some(Self { a, b, at_zero, at_one, nodes })
    }

    /// E f(p, 1−p), with the derivatives of its first component in a and b. The function takes
    /// 1−p too, because that difference loses digits where p is close to 1.
    ///
    /// # Formula
    /// Without crowded ends ∂E f/∂a = Cov(f, ln p) and ∂E f/∂b = Cov(f, ln(1−p)); the correction
    /// at a crowded end adds its own terms by the chain rule.
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
                // (q·f(0) + p·f(1) − f)/(p·q), by the difference from the nearer end: it is of the
                // order of the smaller of p and q, which divides it.
                let near = if node.p < node.q {
                    (zero[k] - here[k]) / node.p + (one[k] - zero[k])
                } else {
                    (one[k] - here[k]) / node.q + (zero[k] - one[k])
                };
                near / node.p.max(node.q)
            }
        })
    }

    /// E f and its derivatives from the mean of [`Self::integrand`] and its covariances with ln p
    /// and ln(1−p).
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
        // E f = linear part − factor · sum; without crowded ends the linear part is 0 and the
        // factor −1. `_a` and `_b` are derivatives in a and b.
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
        // With one crowded end the linear part is f at that end, whatever a and b are.
        let moved = if self.at_zero && self.at_one { gap } else { 0.0 };
        Mean {
            value,
            slope_a: moved * share_a - factor_a * sum[0] - factor * cov_p,
            slope_b: moved * share_b - factor_b * sum[0] - factor * cov_q,
        }
    }
}

/// The coarsest rule for Beta(a, b) that gives the means of two functions of p to rounding.
///
/// Returns `None` when no step within the cap does.
///
/// # Domain
/// a > 0, b > 0; the functions are positive and do not rise in p.
pub fn beta_rule(a: f64, b: f64, f: impl Fn(f64) -> [f64; 2]) -> Option<BetaRule> {
    // A function that is large at p → 0 gives weight to a part of the tail that the density alone
    // would make negligible.
    let (at_zero, at_centre) = (f(0.0), f(a / (a + b)));
    let larger = |k: usize| (at_zero[k] / at_centre[k]).ln().clamp(0.0, LONGEST_TAIL);
    let tail = TAIL + larger(0).max(larger(1));
    // The mean of p has to settle too: where f hardly varies, any rule gives its mean, but not its
    // slopes in a and b.
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
