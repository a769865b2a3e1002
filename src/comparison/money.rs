//! In which money two runs are, and how one is brought to the other.

use crate::comparison::finished_run::Finished;
use crate::results::findings::Finding;

/// Two price levels are alike where they differ by no more than this from the first order to the end of
/// the earlier run, as a logarithm.
const ALIKE: f64 = 0.02;

/// The money of two runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Money {
    /// Values are as they were paid in both.
    AsPaid,
    /// Values are in the money of each run's own day. Those of the earlier day are multiplied by this to
    /// be in the money of the later one.
    OfEachDay(f64),
    /// Of the one as they were paid and of the other in the money of its day, or brought there by price
    /// levels that differ: they do not compare.
    Unlike,
}

impl Money {
    /// The money of an earlier run and of a later one, by the price level of the later one.
    pub(super) fn of(before: &Finished, after: &Finished) -> Self {
        let used = |run: &Finished| {
            let (level, of) = run.document.spend.price_level.as_ref()?.used()?;
            Some((level.clone(), of.to_epoch_days()))
        };
        match (used(before), used(after)) {
            (None, None) => Self::AsPaid,
            (Some((earlier, then)), Some((level, now))) => {
                // What was spent by the earlier day cancels out only where both levels have the same past.
                let first = before.document.first_order.to_epoch_days();
                let apart = (earlier.factor(first, then) / level.factor(first, then)).ln().abs();
                match apart < ALIKE {
                    true => Self::OfEachDay(level.factor(then, now)),
                    false => Self::Unlike,
                }
            }
            _ => Self::Unlike,
        }
    }

    /// What values of the earlier run are multiplied by to be in the money of the later one. Returns
    /// `None` where they do not compare.
    pub(super) fn factor(self) -> Option<f64> {
        match self {
            Self::AsPaid => Some(1.0),
            Self::OfEachDay(factor) => Some(factor),
            Self::Unlike => None,
        }
    }

    /// What to know of it.
    pub(super) fn finding(self, before: &Finished, after: &Finished) -> Option<Finding> {
        let (then, now) = (before.document.as_of, after.document.as_of);
        match self {
            Self::AsPaid => None,
            Self::OfEachDay(factor) => Some(
                Finding::note(
                    "revenue_in_money_of",
                    format!(
                        "expected and actual revenue are in the money of {then}; lifetime values in that \
                         of each run's own day, and prices are {factor:.3} times as high on {now}"
                    ),
                    "for values as they were paid, set spend.price_level = \"none\" in both runs",
                )
                .with("as_of", then)
                .with("end", now)
                .with("factor", factor),
            ),
            Self::Unlike => Some(
                Finding::warning(
                    "values_not_compared",
                    "the runs have order values in different money, of one day and as they were paid, or \
                     brought to one day by different price levels: revenue was not compared"
                        .to_owned(),
                    "score the later file with the earlier model, or give both runs the same \
                     spend.price_level",
                )
                .with("as_of", then)
                .with("end", now),
            ),
        }
    }
}
