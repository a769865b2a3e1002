//! The times between the orders of a log, which tell how regularly customers order.

use std::sync::OnceLock;

use crate::error::Error;
use crate::frame::summary::log::Log;
use crate::model::CustomerPatterns;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::fit::gaps::{GapSum, Gaps, LogGaps, NotTried};
use crate::settings::{FrequencyKind, InputKind, Settings};

/// The times between orders of the customers of a run, found when they are asked for.
pub(crate) struct GapsOfRun<'a> {
    log: Log<'a>,
    customers: &'a CustomerPatterns,
    /// The time of their models.
    time: &'a OperationalTime,
    settings: &'a Settings,
    /// The sum over all customers.
    all: OnceLock<GapSum>,
}

impl<'a> GapsOfRun<'a> {
    pub(crate) fn new(
        log: Log<'a>,
        customers: &'a CustomerPatterns,
        time: &'a OperationalTime,
        settings: &'a Settings,
    ) -> Self {
        Self { log, customers, time, settings, all: OnceLock::new() }
    }

    /// What is known of them.
    pub(crate) fn known(&self) -> Gaps<'_> {
        let log = self.settings.input.kind == InputKind::Transactions;
        if self.settings.selection.is_some() {
            Gaps::NotTried(NotTried::Selection)
        } else if self.settings.summary.frequency == FrequencyKind::Orders {
            Gaps::NotTried(NotTried::AllOrders)
        } else if log && !self.settings.transactions.merge_same_day {
            Gaps::NotTried(NotTried::SameDay)
        } else if log {
            Gaps::Log(self)
        } else {
            Gaps::Totals(1.0 / self.settings.summary.time_unit.days())
        }
    }

    fn sum_over(&self, rows: Option<&[u32]>) -> Result<GapSum, Error> {
        let gaps = self.log.gaps(rows)?;
        // The pairs are sorted: the same sum whatever the threads did. Where a calendar all but stands
        // still between two orders, they count as a moment apart.
        let least = 1e-3 / self.time.unit_days();
        let time = |(from, to): &(i32, i32)| self.time.between(*from, *to).max(least);
        let ln = gaps.iter().map(|gap| time(gap).ln()).sum();
        Ok(GapSum { ln, gaps: gaps.len() as f64 })
    }
}

impl LogGaps for GapsOfRun<'_> {
    fn sum(&self, taken: Option<&[f64]>) -> Result<GapSum, Error> {
        let Some(taken) = taken else {
            if let Some(known) = self.all.get() {
                return Ok(*known);
            }
            let sum = self.sum_over(None)?;
            return Ok(*self.all.get_or_init(|| sum));
        };
        // Customers of one pattern are alike but for these times: the first of them are taken.
        let mut left = taken.to_vec();
        let of_customer = self.customers.of_customer.iter().enumerate();
        let chosen = of_customer.filter(|(_, pattern)| {
            let left = &mut left[**pattern as usize];
            *left -= 1.0;
            *left > -0.5
        });
        let rows: Vec<u32> = chosen.map(|(row, _)| row as u32).collect();
        self.sum_over(Some(&rows))
    }
}
