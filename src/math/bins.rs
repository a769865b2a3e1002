//! Histogram bins of a round width, and the bin that a number falls into.

/// Round widths up to a power of ten, ascending.
const MANTISSAS: [f64; 5] = [10.0, 20.0, 25.0, 50.0, 100.0];
/// A multiple of the width, divided by the width, can fall short of a whole number by this much.
const ROUNDING: f64 = 1e-9;
/// Numbers whose range is a smaller share of the highest are binned from 0 on.
const FLAT: f64 = 1e-6;

/// Bins of equal width: 1, 2, 2.5 or 5 times a power of ten.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    edges: Vec<f64>,
    width: f64,
}

impl Bins {
    /// At most `most` bins, of which the last one ends above `high`. They begin at 0; or, where
    /// `low` is more than half of `high`, at the highest multiple of the width that is not above
    /// `low`.
    ///
    /// # Domain
    /// 0 ≤ low ≤ high, both finite; most ≥ 2. For high = 0 there is one bin, \[0, 1).
    pub fn round(low: f64, high: f64, most: usize) -> Self {
        let far = low > high / 2.0 && high - low > FLAT * high;
        let low = if far { low } else { 0.0 };
        let range = high - low;
        if !(range.is_normal() && range > 0.0) {
            return Self { edges: vec![0.0, 1.0], width: 1.0 };
        }
        let exponent = (range / most as f64).log10().floor() as i32 - 1;
        let bins = |mantissa: f64| {
            let width = scaled(mantissa, exponent);
            let (first, end) = ((low / width).floor(), (high / width + ROUNDING).floor() + 1.0);
            (mantissa, width, first, (end - first) as usize)
        };
        // Both ends may add a bin, so even the next power of ten can give one bin too many; then
        // it is ten times that.
        let fit = MANTISSAS.into_iter().map(bins).find(|(.., count)| *count <= most);
        let (mantissa, width, first, count) = fit.unwrap_or_else(|| bins(10.0 * MANTISSAS[4]));
        let edge = |k: usize| scaled((first + k as f64) * mantissa, exponent);
        Self { edges: (0..=count).map(edge).collect(), width }
    }

    /// The same bins without those that begin at `high` or above.
    pub fn up_to(mut self, high: f64) -> Self {
        while self.count() > 1 && self.edges[self.count() - 1] >= high {
            self.edges.pop();
        }
        self
    }

    /// Ascending edges, one more than there are bins.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// How many bins there are.
    pub fn count(&self) -> usize {
        self.edges.len() - 1
    }

    /// The bin of a value, where a bin includes its lower edge and not its upper one: 0 below all
    /// edges, the number of bins at or above the last edge.
    pub fn position(&self, value: f64) -> usize {
        // The quotient can be off by rounding; the edges themselves decide.
        let mut bin = (((value - self.edges[0]) / self.width) as usize).min(self.count());
        while bin > 0 && value < self.edges[bin] {
            bin -= 1;
        }
        while bin < self.count() && value >= self.edges[bin + 1] {
            bin += 1;
        }
        bin
    }
}

/// Mantissa times a power of ten, rounded only once: 3 · 10⁻¹ is 0.3.
fn scaled(mantissa: f64, exponent: i32) -> f64 {
    if exponent >= 0 { mantissa * 10f64.powi(exponent) } else { mantissa / 10f64.powi(-exponent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_round() {
        assert_eq!(Bins::round(0.0, 4.0, 8).edges(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let fine = Bins::round(0.01, 0.55, 12);
        assert_eq!(fine.edges()[..4], [0.0, 0.05, 0.1, 0.15]);
        assert_eq!(fine.edges().last(), Some(&0.6));
        // 2430 / 25 is 97.2: a hundred is the next round width.
        assert_eq!(Bins::round(3.0, 2430.0, 25).edges().last(), Some(&2500.0));
        // Far from 0.
        assert_eq!(Bins::round(101.3, 108.7, 4).edges(), [100.0, 102.5, 105.0, 107.5, 110.0]);
    }

    #[test]
    fn no_numbers_or_equal_ones_still_have_a_bin() {
        assert_eq!(Bins::round(0.0, 0.0, 20).edges(), [0.0, 1.0]);
        for equal in [7.0, 1e-12, 1e12] {
            let bins = Bins::round(equal, equal, 20);
            assert!(bins.position(equal) < bins.count(), "{bins:?}");
            assert!(bins.edges().windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn edges_belong_to_the_upper_bin() {
        for (low, high, most) in [(0.0, 0.7, 20), (0.0, 1e7, 25), (100.0, 107.0, 16)] {
            let bins = Bins::round(low, high, most);
            assert!(bins.count() <= most && bins.position(high) < bins.count());
            for (k, &edge) in bins.edges().iter().enumerate() {
                assert_eq!(bins.position(edge), k);
                assert_eq!(bins.position(edge.next_down()), k.saturating_sub(1));
            }
        }
    }

    #[test]
    fn bins_end_where_they_need_not_go_on() {
        let bins = Bins::round(0.0, 50.0, 11);
        assert_eq!(bins.edges().last(), Some(&55.0));
        assert_eq!(bins.up_to(50.0).edges().last(), Some(&50.0));
        assert_eq!(Bins::round(0.0, 0.0, 11).up_to(0.0).count(), 1);
    }
}
