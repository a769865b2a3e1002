//! Integrals of a product of two powers, for a model whose death rate differs between customers.
//!
//! The Pareto/NBD papers write such an integral as a difference of two Gaussian hypergeometric
//! functions 2F1 (hyp2f1), which overflows or loses all digits. The integrand itself is positive
//! and smooth: a few Gauss-Legendre panels give the integral and its derivatives to rounding, for
//! any exponents and offsets.

/// Gauss-Legendre nodes and weights on (−1, 1), the positive half.
///
/// # Reference
/// Abramowitz & Stegun (1964), table 25.4, n = 4 and n = 8.
const GAUSS_4: [(f64, f64); 2] = [
    (0.339_981_043_584_856_26, 0.652_145_154_862_546_1),
    (0.861_136_311_594_052_6, 0.347_854_845_137_453_86),
];
const GAUSS_8: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_27),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// Nodes and weights of the eight-point rule on (0, 1).
pub fn gauss_8() -> impl Iterator<Item = (f64, f64)> {
    let both = |(node, weight): (f64, f64)| {
        [(0.5 - 0.5 * node, 0.5 * weight), (0.5 + 0.5 * node, 0.5 * weight)]
    };
    GAUSS_8.into_iter().flat_map(both)
}

/// ∫₀^length (1+y/A)^−p (1+y/B)^−q dy, and the same with each factor that its derivatives need.
///
/// The integrand is 1 at y = 0, so that large exponents neither overflow nor underflow; the
/// powers of A and B that are divided out belong to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PowerIntegral {
    /// The integral.
    pub value: f64,
    /// With the factor ln(1+y/A) under the integral.
    pub with_ln_a: f64,
    /// With the factor 1/(A+y) under the integral.
    pub with_inverse_a: f64,
    /// With the factor ln(1+y/B) under the integral.
    pub with_ln_b: f64,
    /// With the factor 1/(B+y) under the integral.
    pub with_inverse_b: f64,
}

/// The exponents and offsets of a [`PowerIntegral`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Powers {
    /// A > 0
    pub a: f64,
    /// p ≥ 0
    pub p: f64,
    /// B > 0
    pub b: f64,
    /// q ≥ 0
    pub q: f64,
}

/// The step from one origin of a [`PowerIntegral`] to another, at y: the logarithms of (A+y)/A and
/// (B+y)/B, and the integrand there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// ln(1+y/A)
    pub ln_a: f64,
    /// ln(1+y/B)
    pub ln_b: f64,
    /// (1+y/A)^−p (1+y/B)^−q
    pub decay: f64,
}

impl Powers {
    /// The same powers with the origin moved to y.
    pub fn from(self, y: f64) -> Self {
        Self { a: self.a + y, b: self.b + y, ..self }
    }

    /// The step from the origin to y.
    pub fn shift(self, y: f64) -> Shift {
        let (ln_a, ln_b) = ((y / self.a).ln_1p(), (y / self.b).ln_1p());
        Shift { ln_a, ln_b, decay: (-self.p * ln_a - self.q * ln_b).exp() }
    }

    /// The integral from 0 to `length`.
    ///
    /// # Formula
    /// Gauss-Legendre on panels that are short enough for an error below rounding: a panel is at
    /// most half as long as its distance to the nearest singularity (y = −min(A, B)), and the
    /// integrand falls by at most e^−3 within it. Panels end where the rest is negligible.
    ///
    /// # Domain
    /// length ≥ 0.
    pub fn integral(self, length: f64) -> PowerIntegral {
        // Longest panel for eight and for four points, relative to the distance to the singularity.
        // Four are often enough: the likelihood integrates between neighbouring times in the data,
        // which are usually close.
        const LONGEST: f64 = 0.5;
        const SHORT: f64 = 0.05;
        // Largest decay, as an exponent, within a panel of eight and of four points.
        const MOST_DECAY: f64 = 3.0;
        const LITTLE_DECAY: f64 = 0.25;
        let mut total = PowerIntegral::default();
        let (mut here, mut done, mut passed) =
            (self, 0.0, Shift { ln_a: 0.0, ln_b: 0.0, decay: 1.0 });
        // Each panel starts from its own origin, where the integrand is 1 again; `passed` is the
        // step from the first origin. What is left at this decay changes no digit of the total.
        while done < length && passed.decay > f64::EPSILON * 1e-4 {
            let nearest = here.a.min(here.b);
            let rate = here.p / here.a + here.q / here.b;
            let rest = length - done;
            let panel = rest.min(LONGEST * nearest).min(MOST_DECAY / rate);
            let easy = panel <= SHORT * nearest && panel * rate <= LITTLE_DECAY;
            let area = if easy { here.panel(panel, &GAUSS_4) } else { here.panel(panel, &GAUSS_8) };
            total = total.followed_by(area, passed);
            // `done` may miss `length` by rounding, which would add a panel of no length.
            let last = panel >= rest;
            done += panel;
            if last {
                break;
            }
            passed = passed.then(here.shift(panel));
            here = here.from(panel);
        }
        total
    }

    /// One panel from the origin on, by the positive half of a symmetric rule.
    fn panel(self, length: f64, rule: &[(f64, f64)]) -> PowerIntegral {
        let mut sum = PowerIntegral::default();
        let half = 0.5 * length;
        for &(node, weight) in rule {
            for y in [half - half * node, half + half * node] {
                let shift = self.shift(y);
                let area = weight * half * shift.decay;
                sum.value += area;
                sum.with_ln_a += area * shift.ln_a;
                sum.with_inverse_a += area / (self.a + y);
                sum.with_ln_b += area * shift.ln_b;
                sum.with_inverse_b += area / (self.b + y);
            }
        }
        sum
    }
}

impl Shift {
    /// This step and then another.
    pub fn then(self, next: Self) -> Self {
        Self {
            ln_a: self.ln_a + next.ln_a,
            ln_b: self.ln_b + next.ln_b,
            decay: self.decay * next.decay,
        }
    }
}

impl PowerIntegral {
    /// This integral, continued by `next`, which counts from the origin that `shift` leads to.
    #[must_use]
    pub fn followed_by(self, next: Self, shift: Shift) -> Self {
        self.plus(next, shift, shift.decay)
    }

    /// This integral without `beyond`, which counts from the origin that `shift` leads to.
    #[must_use]
    pub fn without(self, beyond: Self, shift: Shift) -> Self {
        self.plus(beyond, shift, -shift.decay)
    }

    fn plus(self, next: Self, shift: Shift, factor: f64) -> Self {
        // Logarithms count from the own origin, so a later part needs those up to there: ln(1+y/A)
        // is additive over steps. 1/(A+y) is the same from any origin.
        Self {
            value: self.value + factor * next.value,
            with_ln_a: self.with_ln_a + factor * (next.with_ln_a + shift.ln_a * next.value),
            with_inverse_a: self.with_inverse_a + factor * next.with_inverse_a,
            with_ln_b: self.with_ln_b + factor * (next.with_ln_b + shift.ln_b * next.value),
            with_inverse_b: self.with_inverse_b + factor * next.with_inverse_b,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64, tolerance: f64) {
        assert!((value / expected - 1.0).abs() < tolerance, "{value} is not {expected}");
    }

    #[test]
    fn areas_under_one_power() {
        // ∫₀^L (1+y/A)^−p dy = A/(p−1) · (1 − (1+L/A)^(1−p)).
        for (a, p, length) in
            [(2.0, 3.5, 7.0), (0.01, 1.5, 1e4), (21.0, 1e5, 300.0), (5.0, 0.1, 1e-3)]
        {
            let whole = Powers { a, p, b: 1.0, q: 0.0 }.integral(length);
            let expected = -a / (p - 1.0) * ((1.0 - p) * (length / a).ln_1p()).exp_m1();
            close(whole.value, expected, 2e-14);
        }
    }

    #[test]
    fn an_area_in_two_parts() {
        let powers = Powers { a: 10.0, p: 4.5, b: 3.0, q: 1.6 };
        let (whole, near) = (powers.integral(9.0), powers.integral(4.0));
        let (far, shift) = (powers.from(4.0).integral(5.0), powers.shift(4.0));
        let together = near.followed_by(far, shift);
        let first = whole.without(far, shift);
        for (a, b) in [
            (together.value, whole.value),
            (together.with_ln_b, whole.with_ln_b),
            (first.value, near.value),
            (first.with_ln_a, near.with_ln_a),
            (first.with_inverse_b, near.with_inverse_b),
        ] {
            close(a, b, 1e-13);
        }
    }
}
