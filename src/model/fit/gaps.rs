//! What is known of the times between orders: what tells one k from another.

use crate::error::Error;
use crate::model::cnbd::{ln_gap_factor, ln_totals_factor};
use crate::model::likelihood::patterns::Patterns;

/// The times between orders of the customers of a fit.
#[derive(Clone, Copy)]
pub(crate) enum Gaps<'a> {
    /// A log, which knows each of them.
    Log(&'a dyn LogGaps),
    /// Totals of each customer: t_x alone. The length of a day in the time unit of the data.
    Totals(f64),
    /// Why models of regular buyers are not tried.
    NotTried(NotTried),
}

/// Σ ln gap of an order log.
pub(crate) trait LogGaps: Sync {
    /// The sum over the customers of the fit; `taken`: over so many of each pattern only.
    ///
    /// # Errors
    /// [`Error::Engine`], never for a prepared input.
    fn sum(&self, taken: Option<&[f64]>) -> Result<GapSum, Error>;
}

/// A sum over the times between two orders of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct GapSum {
    /// Σ ln gap, in the time unit of the data.
    pub(crate) ln: f64,
    /// How many there are.
    pub(crate) gaps: f64,
}

/// Why models of regular buyers are not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTried {
    /// P(selected) is not derived for them.
    Selection,
    /// The first order counts as a repeat order, without any wait before it.
    AllOrders,
    /// Orders of one day are not merged, or are hidden in totals: between them there is no wait.
    SameDay,
    /// Nothing is known but the patterns.
    Unknown,
}

impl NotTried {
    /// Why, as the end of a sentence; empty where there is nothing to say.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Selection => {
                "; regular buyers (k > 1) were not tried: the probability of being in the file is \
                 not derived for them"
            }
            Self::AllOrders => {
                "; regular buyers (k > 1) were not tried: with frequency = \"orders\" the first \
                 order has no wait before it"
            }
            Self::SameDay => {
                "; regular buyers (k > 1) were not tried: several orders of a day have no wait \
                 between them"
            }
            Self::Unknown => "",
        }
    }
}

impl Gaps<'_> {
    /// The logarithm of what the times between orders add to the likelihood of `patterns`; `taken`:
    /// `patterns` are a sample with so many customers of each pattern. `Err` inside: why it is not
    /// known.
    ///
    /// # Errors
    /// As [`LogGaps::sum`].
    pub(crate) fn ln_factors<'p>(
        &self,
        patterns: &'p Patterns,
        taken: Option<&[f64]>,
    ) -> Result<Result<LnFactors<'p>, NotTried>, Error> {
        let [orders] = patterns.sum(|row| [row.count * patterns.frequency[row.x as usize]]);
        Ok(match self {
            Self::Log(log) => {
                let sum = log.sum(taken)?;
                let all = (sum.gaps - orders).abs() < 0.5;
                if all { Ok(LnFactors::Gaps { sum, orders }) } else { Err(NotTried::SameDay) }
            }
            Self::Totals(day) => Ok(LnFactors::Totals { patterns, day: *day }),
            Self::NotTried(why) => Err(*why),
        })
    }
}

impl<'a> LnFactors<'a> {
    /// Those of totals where the length of a day is not known: the shortest time is taken for it.
    pub(crate) fn of_totals(patterns: &'a Patterns) -> Self {
        let times = patterns.recency.iter().copied().filter(|time| *time > 0.0);
        let day = times.fold(f64::INFINITY, f64::min);
        Self::Totals { patterns, day: if day.is_finite() { day } else { 1.0 } }
    }
}

/// What the times between orders add to a log-likelihood, for any k.
pub(crate) enum LnFactors<'a> {
    /// Each time is known.
    Gaps { sum: GapSum, orders: f64 },
    /// Only totals are.
    Totals { patterns: &'a Patterns, day: f64 },
}

impl LnFactors<'_> {
    /// The summand for k stages an order; 0 for k = 1.
    pub(crate) fn at(&self, k: u8) -> f64 {
        match self {
            Self::Gaps { sum, orders } => ln_gap_factor(k, sum.ln, *orders),
            Self::Totals { patterns, day } => ln_totals_factor(k, patterns, *day),
        }
    }
}
