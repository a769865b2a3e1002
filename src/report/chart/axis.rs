//! Axes: scales with round ticks, grid lines and labels.

use maud::{Markup, html};

use super::{HEIGHT, WIDTH, label, px};

/// Left edge of the area that marks are drawn in, in units of the drawing.
pub const LEFT: f64 = 46.0;
/// Right edge of the same area.
pub const RIGHT: f64 = WIDTH - 8.0;
/// Upper edge of the same area.
pub const TOP: f64 = 12.0;
/// Lower edge of the same area.
pub const BOTTOM: f64 = HEIGHT - 42.0;

/// A linear scale from a range of values to a range of the drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    step: f64,
}

impl Scale {
    /// Values from `low` to `high`, widened to round numbers, between two positions in the drawing.
    pub fn round(low: f64, high: f64, (start, end): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let step = step((high - low) / 4.0);
        let (from, to) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { from, to, start, end, step }
    }

    /// Values from exactly `low` to `high`, between two positions in the drawing.
    pub fn exact(low: f64, high: f64, (start, end): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { from: low, to: high, start, end, step: step((high - low) / 5.0) }
    }

    /// The position of a value in the drawing.
    pub fn at(&self, value: f64) -> f64 {
        self.start + (value - self.from) / (self.to - self.from) * (self.end - self.start)
    }

    /// Round values on the scale.
    pub fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let (first, last) = ((self.from / self.step).ceil(), (self.to / self.step).floor());
        let step = self.step;
        (0..=(last - first).max(0.0) as usize).map(move |i| (first + i as f64) * step)
    }
}

/// The smallest number of at least `least` that is 1, 2, 2.5 or 5 times a power of ten.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    power * factors.into_iter().find(|f| f * power >= least * (1.0 - 1e-9)).unwrap_or(10.0)
}

/// Grid lines and labels of the vertical axis.
pub fn upright(scale: &Scale, say: impl Fn(f64) -> String) -> Markup {
    html! {
        g.axis {
            @for tick in scale.ticks() {
                line x1=(px(LEFT)) x2=(px(RIGHT)) y1=(px(scale.at(tick))) y2=(px(scale.at(tick))) {}
                (label(LEFT - 5.0, scale.at(tick) + 4.0, "end", &say(tick)))
            }
        }
    }
}

/// Labels below the horizontal axis, as many as fit, and the title of the axis.
pub fn below(places: &[(f64, String)], title: &str) -> Markup {
    let longest = places.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(1);
    let room = (RIGHT - LEFT) / (6.4 * longest as f64 + 8.0);
    let every = (places.len() as f64 / room.max(1.0)).ceil().max(1.0) as usize;
    html! {
        g.axis {
            @for (x, name) in places.iter().step_by(every) {
                (label(*x, BOTTOM + 15.0, "middle", name))
            }
            (label((LEFT + RIGHT) / 2.0, HEIGHT - 8.0, "middle", title))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        let scale = Scale::round(0.0, 13_750.0, (100.0, 0.0));
        assert_eq!(scale.ticks().collect::<Vec<_>>(), [0.0, 5e3, 1e4, 1.5e4]);
        assert_eq!((scale.at(0.0), scale.at(15_000.0)), (100.0, 0.0));
        let scale = Scale::round(0.0, 0.31, (0.0, 1.0));
        assert!(scale.ticks().last().is_some_and(|last| last >= 0.31));
    }

    #[test]
    fn nothing_to_show_still_has_an_axis() {
        let scale = Scale::round(0.0, 0.0, (100.0, 0.0));
        assert!(scale.at(0.0).is_finite() && scale.ticks().count() > 1);
    }
}
