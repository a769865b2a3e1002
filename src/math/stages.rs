//! Orders that take several stages each, when stages come at a gamma-distributed rate: what
//! Erlang-k waits between orders need.
//!
//! Given λ, stages are a Poisson process, and every k-th stage is an order. A customer who has been
//! silent for a time since the last order has passed fewer than k stages in it.

/// Most stages of an order.
pub const MOST_STAGES: usize = 8;
/// The part of the mean that the sums over stages leave out, relative to it.
const LEFT_OUT: f64 = 1e-14;
/// Beyond so many steps a horizon is out of reach: the sums need about 30 divided by the share of the
/// time before the horizon.
const MOST_STEPS: u32 = 3_000_000;
/// Terms are scaled down from here, since sums of them can exceed what a float holds.
const LARGE: f64 = 1e250;

/// A(u), the number of ways in which fewer than k stages fit into the time since the last order.
///
/// # Formula
/// A(u) = Σ_{j<k} (s)ⱼ uʲ/j!, with u = (T − t_x)/(α + T). It is the probability of fewer than k
/// events of a negative binomial distribution with shape s, over that of none, (1 − u)^s.
///
/// # Domain
/// s > 0, 0 ≤ u < 1, 1 ≤ k ≤ 8.
pub fn few_stages(s: f64, u: f64, k: u8) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for j in 1..k {
        let j = f64::from(j);
        term *= (s + j - 1.0) / j * u;
        sum += term;
    }
    sum
}

/// What [`few_stages`] and its slopes have in common for one shape s.
#[derive(Clone, Copy)]
pub struct StageTable {
    k: usize,
    /// (s + j − 1)/j
    ratio: [f64; MOST_STAGES],
    /// Σ_{i<j} 1/(s + i), the slope of ln (s)ⱼ
    harmonic: [f64; MOST_STAGES],
}

/// A(u) and its slopes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FewStages {
    /// ln A
    pub ln: f64,
    /// ∂ ln A/∂s
    pub by_shape: f64,
    /// u·∂ ln A/∂u: the mean number of stages passed.
    pub passed: f64,
}

impl StageTable {
    /// The table for shape s and k stages an order.
    pub fn new(s: f64, k: u8) -> Self {
        let mut table =
            Self { k: usize::from(k), ratio: [0.0; MOST_STAGES], harmonic: [0.0; MOST_STAGES] };
        for j in 1..table.k {
            let before = s + j as f64 - 1.0;
            table.ratio[j] = before / j as f64;
            table.harmonic[j] = table.harmonic[j - 1] + 1.0 / before;
        }
        table
    }

    /// A(u) and its slopes.
    pub fn at(&self, u: f64) -> FewStages {
        let (mut sum, mut term) = (1.0, 1.0);
        let (mut by_shape, mut passed) = (0.0, 0.0);
        for j in 1..self.k {
            term *= self.ratio[j] * u;
            sum += term;
            by_shape += term * self.harmonic[j];
            passed += term * j as f64;
        }
        FewStages { ln: sum.ln(), by_shape: by_shape / sum, passed: passed / sum }
    }
}

/// P(j stages passed since the last order), for j = 0 to k − 1, given that there were fewer than k.
///
/// # Formula
/// (s)ⱼ uʲ/j! over [`few_stages`].
///
/// # Domain
/// As [`few_stages`].
pub fn stages_passed(s: f64, u: f64, k: u8) -> [f64; MOST_STAGES] {
    let mut all = [0.0; MOST_STAGES];
    all[0] = 1.0;
    for j in 1..usize::from(k) {
        all[j] = all[j - 1] * (s + j as f64 - 1.0) / j as f64 * u;
    }
    let sum: f64 = all.iter().sum();
    all.map(|part| part / sum)
}

/// Where a customer stands: what the number of later orders depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// s, the shape of the rate's distribution.
    pub shape: f64,
    /// k, the stages of an order.
    pub stages: u8,
    /// T − t_x, the time since the last order.
    pub silent: f64,
    /// α + T, the rate parameter of the rate's distribution but for the stages of the silence.
    pub scale: f64,
}

impl Standing {
    /// ln P(no order within `horizon`), as long as the customer has not left.
    ///
    /// # Formula
    /// ((α+T)/(α+T+t))^s · A((T−t_x+t)/(α+T+t)) / A((T−t_x)/(α+T))
    pub fn ln_no_order(&self, horizon: f64) -> f64 {
        let Self { shape, stages, silent, scale } = *self;
        let few = |silent: f64, scale: f64| few_stages(shape, silent / scale, stages);
        (few(silent + horizon, scale + horizon) / few(silent, scale)).ln()
            - shape * (horizon / scale).ln_1p()
    }

    /// P(N = n) for n = 0, 1, … orders within `horizon`, as long as nobody leaves.
    ///
    /// Returns `None` when the sum reached its cap.
    ///
    /// # Formula
    /// N = n where j stages passed in the silence, i within the horizon, and nk ≤ i + j < (n+1)k:
    /// P(i, j) ∝ (s)ᵢ₊ⱼ/(i! j!) · zⁱ vʲ with z = t/(α+T+t) and v = (T−t_x)/(α+T+t), which are w_j
    /// times negative binomial probabilities of shape s + j. For each j, terms have the ratio
    /// (s+j+i)/(i+1)·z; once it is below 1 it falls to z, so that the rest is at most a geometric
    /// series. The sums end where the rest of the mean is below 10⁻¹⁴ of it.
    pub fn orders(&self, horizon: f64) -> Option<Vec<f64>> {
        let Self { shape, stages, silent, scale } = *self;
        let (z, v) = (horizon / (scale + horizon), silent / (scale + horizon));
        let k = usize::from(stages);
        let mut terms = [0.0; MOST_STAGES];
        terms[0] = 1.0;
        for j in 1..k {
            terms[j] = terms[j - 1] * (shape + j as f64 - 1.0) / j as f64 * v;
        }
        let mut counts = vec![0.0];
        let (mut mean, mut sum) = (0.0, 0.0);
        // i = n·k + phase.
        let (mut n, mut phase) = (0usize, 0usize);
        for i in 0..MOST_STEPS {
            let i = f64::from(i);
            if counts.len() < n + 2 {
                counts.push(0.0);
            }
            let within: f64 = terms[..k - phase].iter().sum();
            let beyond: f64 = terms[k - phase..k].iter().sum();
            counts[n] += within;
            counts[n + 1] += beyond;
            sum += within + beyond;
            mean += n as f64 * within + (n + 1) as f64 * beyond;
            let step = z / (i + 1.0);
            let mut next = 0.0;
            for (j, term) in terms[..k].iter_mut().enumerate() {
                *term *= (shape + j as f64 + i) * step;
                next += *term;
            }
            (n, phase) = if phase + 1 == k { (n + 1, 0) } else { (n, phase + 1) };
            let ratio = (shape + k as f64 + i) * step;
            let rest = next / (1.0 - ratio) * (n as f64 + 2.0 + 1.0 / (1.0 - ratio));
            if next == 0.0 || (ratio < 1.0 && rest <= LEFT_OUT * mean) {
                return (sum.is_finite() && sum > 0.0)
                    .then(|| counts.into_iter().map(|count| count / sum).collect());
            }
            if next > LARGE || sum > LARGE {
                terms[..k].iter_mut().for_each(|term| *term /= LARGE);
                counts.iter_mut().for_each(|count| *count /= LARGE);
                (sum, mean) = (sum / LARGE, mean / LARGE);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use statrs::function::beta::beta_reg;

    use super::*;
    use crate::math::negative_binomial::probability;

    fn close(value: f64, expected: f64, tolerance: f64) {
        assert!((value / expected - 1.0).abs() < tolerance, "{value} is not {expected}");
    }

    #[test]
    fn with_one_stage_orders_are_negative_binomial() {
        for (shape, scale, horizon) in
            [(0.3, 4.0, 39.0), (7.5, 40.0, 26.0), (4_000.0, 9_000.0, 600.0)]
        {
            let standing = Standing { shape, stages: 1, silent: 3.0, scale };
            let counts = standing.orders(horizon).expect("within reach");
            let most = counts.iter().copied().fold(0.0, f64::max);
            for (n, p) in counts.iter().enumerate() {
                let exact = probability(shape, horizon / scale, n as u32);
                assert!((p - exact).abs() < 1e-11 * most, "{n}: {p} {exact}");
            }
            let mean: f64 = counts.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            close(mean, shape * horizon / scale, 1e-11);
            let none = standing.ln_no_order(horizon).exp();
            close(none, probability(shape, horizon / scale, 0), 1e-12);
        }
    }

    #[test]
    fn orders_by_the_incomplete_beta_function() {
        // P(N ≥ n) = Σ_j w_j I_{t/(α+T+t)}(nk − j, s + j), by another program for I.
        for (shape, silent, scale, horizon) in
            [(7.0, 2.0, 30.0, 26.0), (0.85, 0.0, 1.45, 52.0), (40.0, 20.0, 60.0, 4.0)]
        {
            for stages in [2u8, 3, 8] {
                let standing = Standing { shape, stages, silent, scale };
                let counts = standing.orders(horizon).expect("within reach");
                let weights = stages_passed(shape, silent / scale, stages);
                let z = horizon / (scale + horizon);
                for n in 1..6usize {
                    let tail: f64 = counts.iter().skip(n).sum();
                    let by_beta: f64 = (0..stages)
                        .map(|j| {
                            let more = (n * usize::from(stages)) as f64 - f64::from(j);
                            weights[usize::from(j)] * beta_reg(more, shape + f64::from(j), z)
                        })
                        .sum();
                    assert!(
                        (tail - by_beta).abs() < 1e-10 * by_beta.max(1e-3),
                        "{shape} {stages} {n}: {tail} {by_beta}"
                    );
                }
                close(counts[0], standing.ln_no_order(horizon).exp(), 1e-10);
            }
        }
    }

    #[test]
    fn few_stages_by_hand_and_its_slopes_by_differences() {
        // k = 3: 1 + s·u + s(s+1)/2·u².
        let (s, u) = (2.5, 0.4);
        close(few_stages(s, u, 3), 1.0 + 1.0 + 2.5 * 3.5 / 2.0 * 0.16, 1e-15);
        assert_eq!(few_stages(s, u, 1), 1.0);
        for k in [1, 2, 5, 8] {
            let at = StageTable::new(s, k).at(u);
            close(at.ln.exp(), few_stages(s, u, k), 1e-14);
            let slope = |f: &dyn Fn(f64) -> f64| (f(1e-5) - f(-1e-5)) / 2e-5;
            let by_shape = slope(&|h| few_stages(s + h, u, k).ln());
            let passed = slope(&|h| few_stages(s, u + h, k).ln()) * u;
            assert!((at.by_shape - by_shape).abs() < 1e-9, "{k}");
            assert!((at.passed - passed).abs() < 1e-9, "{k}");
            let weights = stages_passed(s, u, k);
            let mean: f64 = weights.iter().enumerate().map(|(j, w)| j as f64 * w).sum();
            assert!((mean - at.passed).abs() < 1e-14, "{k}");
        }
    }

    #[test]
    fn no_time_brings_no_order() {
        let standing = Standing { shape: 3.0, stages: 4, silent: 5.0, scale: 9.0 };
        assert_eq!(standing.orders(0.0), Some(vec![1.0, 0.0]));
        assert_eq!(standing.ln_no_order(0.0), 0.0);
    }
}
