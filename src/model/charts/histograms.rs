//! How customers are distributed: counts of customers by bin and segment.

use crate::math::bins::Bins;
use crate::math::quantile::nearest_quantile;
use crate::results::chart_data::{Ages, Distribution, RecencyFrequency, RfmCell};
use crate::settings::TimeUnit;
use crate::settings::columns::RFM_SCORES;

/// Most bins of a histogram.
const BINS: usize = 25;
/// Most bins of recency and of T.
const TIMES: usize = 16;
/// Axes end at this quantile: the tail beyond it is too thin to be drawn on the same scale.
pub(crate) const NEARLY_ALL: f64 = 0.99;
/// Lower ends of the bins of frequency.
const FREQUENCIES: [u64; 16] = [0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 26, 51, 101, 201, 501, 1001];
/// Last lower end that is always used; higher ones only where many customers order more often.
const USUALLY_LAST: u64 = 26;
const DAYS_OF_A_YEAR: f64 = 365.25;

/// The segment of each customer.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    /// For each customer, the position of the segment.
    pub of: &'a [usize],
    /// Number of segments.
    pub segments: usize,
}

impl Members<'_> {
    /// Customers per segment and position, where `position` maps a customer to one of `positions`.
    fn count(self, positions: usize, position: impl Fn(usize) -> usize) -> Vec<Vec<u64>> {
        let mut counts = vec![vec![0; positions]; self.segments];
        for (customer, &segment) in self.of.iter().enumerate() {
            counts[segment][position(customer)] += 1;
        }
        counts
    }
}

/// A histogram of numbers that are not negative, up to their 99 % quantile; the rest is counted
/// above the last edge.
pub fn distribution(measure: String, values: &[f64], members: Members<'_>) -> Distribution {
    let bins = Bins::round(lowest(values), nearest_quantile(values.to_vec(), NEARLY_ALL), BINS);
    let mut counts = members.count(bins.count() + 1, |i| bins.position(values[i]));
    let above = counts.iter_mut().map(|bins| bins.pop().unwrap_or_default()).collect();
    Distribution { measure, edges: bins.edges().to_vec(), counts, above }
}

/// Customers by time since the first order, in years; the last bin is open.
pub fn ages(age: &[f64], unit: TimeUnit, members: Members<'_>) -> Ages {
    let years: Vec<f64> = age.iter().map(|t| t * unit.days() / DAYS_OF_A_YEAR).collect();
    let bins = Bins::round(lowest(&years), nearest_quantile(years.clone(), NEARLY_ALL), TIMES);
    let last = bins.count() - 1;
    let counts = members.count(bins.count(), |i| bins.position(years[i]).min(last));
    Ages { from_years: bins.edges()[..bins.count()].to_vec(), counts }
}

/// Customers by recency t_x and frequency x.
pub fn recency_frequency(
    recency: &[f64],
    frequency: &[f64],
    members: Members<'_>,
) -> RecencyFrequency {
    let farthest = highest(recency);
    // Where the highest recency is on an edge, it gets no bin of its own.
    let bins = Bins::round(0.0, farthest, TIMES).up_to(farthest);
    let first = lowest(frequency).floor() as u64;
    let most = highest(frequency);
    let later = |end: &u64| *end > first && *end as f64 <= most;
    let from: Vec<u64> =
        [first].into_iter().chain(frequency_ends(frequency).into_iter().filter(later)).collect();
    let cell = |i: usize| {
        let time = bins.position(recency[i]).min(bins.count() - 1);
        time * from.len() + frequency_position(&from, frequency[i])
    };
    let counts = members.count(bins.count() * from.len(), cell);
    let by_time = |cells: Vec<u64>| cells.chunks(from.len()).map(<[u64]>::to_vec).collect();
    RecencyFrequency {
        recency_edges: bins.edges().to_vec(),
        counts: counts.into_iter().map(by_time).collect(),
        frequency_from: from,
    }
}

/// Lower ends of the bins of frequency, from 0 on; the last bin is open.
pub(crate) fn frequency_ends(frequency: &[f64]) -> Vec<u64> {
    let high = nearest_quantile(frequency.to_vec(), NEARLY_ALL);
    let needed = |end: &u64| *end <= USUALLY_LAST || *end as f64 <= high;
    FREQUENCIES.into_iter().filter(needed).collect()
}

/// The bin of a frequency, among bins with the given lower ends.
pub(crate) fn frequency_position(from: &[u64], frequency: f64) -> usize {
    from.partition_point(|end| *end as f64 <= frequency).saturating_sub(1)
}

/// Customers by RFM's recency and frequency scores, with their mean lifetime value; without `cltv`,
/// their number alone.
pub fn rfm_grid(recency: &[f64], frequency: &[f64], cltv: Option<&[f64]>) -> Vec<RfmCell> {
    let (lowest, scores) = (*RFM_SCORES.start(), usize::from(*RFM_SCORES.end()));
    let mut cells = vec![(0u64, 0.0); scores * scores];
    for (i, (r, f)) in recency.iter().zip(frequency).enumerate() {
        let cell = &mut cells[(*r as usize - 1) * scores + *f as usize - 1];
        *cell = (cell.0 + 1, cell.1 + cltv.map_or(0.0, |cltv| cltv[i]));
    }
    let scored = |(k, (customers, sum)): (usize, (u64, f64))| RfmCell {
        recency: lowest + (k / scores) as u8,
        frequency: lowest + (k % scores) as u8,
        customers,
        mean_cltv: (customers > 0 && cltv.is_some()).then(|| sum / customers as f64),
    };
    cells.into_iter().enumerate().map(scored).collect()
}

fn lowest(values: &[f64]) -> f64 {
    values.iter().copied().reduce(f64::min).unwrap_or(0.0)
}

fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(of: &[usize]) -> Members<'_> {
        Members { of, segments: 2 }
    }

    #[test]
    fn a_histogram_by_hand() {
        let mut values: Vec<f64> = (0..199).map(|i| f64::from(i % 10)).collect();
        values.push(1e6);
        let of: Vec<usize> = (0..200).map(|i| usize::from(i >= 100)).collect();
        let found = distribution("orders".to_owned(), &values, two(&of));
        assert_eq!(found.edges[..3], [0.0, 0.5, 1.0]);
        assert_eq!(found.edges.last(), Some(&9.5));
        assert_eq!(found.counts[0].iter().step_by(2).copied().collect::<Vec<_>>(), [10; 10]);
        assert_eq!(found.above, [0, 1]);
        assert_eq!(found.counts.iter().flatten().sum::<u64>(), 199);
    }

    #[test]
    fn years_and_their_open_end() {
        let found = ages(&[0.0, 365.25, 730.5, 5000.0], TimeUnit::Day, two(&[0, 0, 1, 1]));
        assert_eq!(found.from_years[..2], [0.0, 1.0]);
        assert_eq!((found.counts[0][0], found.counts[0][1], found.counts[1][2]), (1, 1, 1));
        assert_eq!(found.counts[1].last(), Some(&1));
        let weeks = ages(&[52.25; 3], TimeUnit::Week, two(&[0, 1, 1]));
        assert_eq!(weeks.counts.iter().map(|c| c.iter().sum::<u64>()).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn cells_by_hand() {
        let (recency, frequency) = ([0.0, 4.0, 8.0, 8.0], [2.0, 3.0, 7.0, 9.0]);
        let found = recency_frequency(&recency, &frequency, two(&[0, 0, 1, 1]));
        assert_eq!(found.frequency_from, [2, 3, 4, 5, 6, 8]);
        assert_eq!(found.recency_edges.last(), Some(&8.0));
        let last = found.recency_edges.len() - 2;
        assert_eq!((found.counts[0][0][0], found.counts[0][last / 2 + 1][1]), (1, 1));
        assert_eq!(found.counts[1][last], [0, 0, 0, 0, 1, 1]);
        assert_eq!(found.counts.iter().flatten().flatten().sum::<u64>(), 4);
    }

    #[test]
    fn bins_go_on_where_many_order_often() {
        assert_eq!(frequency_ends(&[3.0; 9]).last(), Some(&26));
        assert_eq!(frequency_ends(&[300.0; 9]).last(), Some(&201));
        let ends = frequency_ends(&[3.0]);
        assert_eq!([0.0, 6.0, 7.0, 9000.0].map(|x| frequency_position(&ends, x)), [0, 6, 6, 10]);
    }

    #[test]
    fn every_pair_of_scores_has_a_cell() {
        let found = rfm_grid(&[1.0, 5.0, 5.0], &[2.0, 5.0, 5.0], Some(&[3.0, 10.0, 20.0]));
        assert_eq!(found.len(), 25);
        let cell = |r: u8, f: u8| found.iter().find(|c| c.recency == r && c.frequency == f);
        let seen = |r, f| cell(r, f).map(|c| (c.customers, c.mean_cltv));
        assert_eq!(seen(1, 2), Some((1, Some(3.0))));
        assert_eq!(seen(5, 5), Some((2, Some(15.0))));
        assert_eq!(seen(3, 3), Some((0, None)));
    }
}
