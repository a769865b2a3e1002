//! Interpolation of smooth functions that are costly to evaluate.

use std::f64::consts::PI;

/// K smooth functions of one variable, interpolated through their values at Chebyshev points.
pub struct Interpolant<const K: usize> {
    points: Vec<(f64, [f64; K])>,
}

/// The `count` Chebyshev points of \[low, high\], at which a function is to be evaluated.
///
/// # Formula
/// (low + high)/2 − (high − low)/2 · cos(kπ/(count−1)), k = 0..count−1
///
/// # Domain
/// low < high, count ≥ 2.
pub fn chebyshev_points(low: f64, high: f64, count: usize) -> Vec<f64> {
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    (0..count).map(|k| middle - half * (PI * k as f64 / (count - 1) as f64).cos()).collect()
}

impl<const K: usize> Interpolant<K> {
    /// From points and values at them; the points are those of [`chebyshev_points`].
    pub fn new(points: Vec<(f64, [f64; K])>) -> Self {
        Self { points }
    }

    /// How many points give an interpolation error of `error`, relative to the function's size, on
    /// an interval of this length. The function is analytic within `strip` of the real axis.
    ///
    /// # Formula
    /// n + 2 points, where n = −ln(error) / ln ρ, ρ = z + √(z² + 1) and z = 2·strip/length: the
    /// error of degree n falls as ρ^−n.
    ///
    /// # Reference
    /// Trefethen (2013), Approximation Theory and Approximation Practice, theorem 8.2.
    pub fn points_for(error: f64, length: f64, strip: f64) -> usize {
        let z = 2.0 * strip / length;
        (-error.ln() / z.asinh()).ceil() as usize + 2
    }

    /// The interpolated values at x.
    ///
    /// # Formula
    /// The barycentric formula Σ wₖ fₖ/(x−xₖ) / Σ wₖ/(x−xₖ), wₖ = (−1)^k, halved at the ends.
    ///
    /// # Reference
    /// Berrut & Trefethen (2004), SIAM Review 46(3), equations 4.2 and 5.4.
    pub fn at(&self, x: f64) -> [f64; K] {
        let (mut above, mut below) = ([0.0; K], 0.0);
        for (k, (point, values)) in self.points.iter().enumerate() {
            if x == *point {
                return *values;
            }
            let weight = barycentric_weight(k, self.points.len()) / (x - point);
            below += weight;
            for (sum, value) in above.iter_mut().zip(values) {
                *sum += weight * value;
            }
        }
        above.map(|sum| sum / below)
    }
}

/// The weight of the value at each point in the interpolated value at x (the Lagrange basis at x).
/// The weights sum to 1.
///
/// # Formula
/// wₖ/(x−xₖ) / Σⱼ wⱼ/(x−xⱼ), with the weights of [`Interpolant::at`].
pub fn basis(points: &[f64], x: f64) -> Vec<f64> {
    if let Some(exact) = points.iter().position(|point| *point == x) {
        return (0..points.len()).map(|k| f64::from(u8::from(k == exact))).collect();
    }
    let mut weights: Vec<f64> = points
        .iter()
        .enumerate()
        .map(|(k, point)| barycentric_weight(k, points.len()) / (x - point))
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// (−1)^k, halved at the ends.
fn barycentric_weight(k: usize, count: usize) -> f64 {
    let sign = if k.is_multiple_of(2) { 1.0 } else { -1.0 };
    if k == 0 || k + 1 == count { 0.5 * sign } else { sign }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basis_interpolates() {
        let points = chebyshev_points(0.0, 2.0, 12);
        for x in [0.0, 0.3, 1.7, 2.0] {
            let value: f64 = basis(&points, x).iter().zip(&points).map(|(w, p)| w * p.sin()).sum();
            assert!((value - x.sin()).abs() < 1e-10, "{x}");
        }
    }

    #[test]
    fn reproduces_a_function_with_a_known_strip() {
        // 1/(1+x²) is analytic within 1 of the real axis.
        let f = |x: f64| 1.0 / (1.0 + x * x);
        let count = Interpolant::<1>::points_for(1e-16, 4.0, 1.0);
        let points = chebyshev_points(-2.0, 2.0, count);
        let smooth = Interpolant::new(points.into_iter().map(|x| (x, [f(x)])).collect());
        for k in 0..100 {
            let x = -2.0 + 0.04 * f64::from(k);
            assert!((smooth.at(x)[0] - f(x)).abs() < 1e-14, "{x}");
        }
    }
}
