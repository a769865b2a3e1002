//! Migration: which customers moved from which segment to which between two runs, and their
//! lifetime value before and after.

use serde::Serialize;

use crate::customers::Pairs;
use crate::results::migration::Direction;

/// Customers who moved from one segment to another, or stayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Position of the segment before; for new customers, the number of segments.
    pub from: usize,
    /// Position of the segment after; for lost customers, the number of segments.
    pub to: usize,
    /// Number of customers.
    pub customers: usize,
    /// Share of all customers of `from`, 0 to 1.
    pub share: f64,
    /// Σ lifetime value before; 0 for new customers.
    pub cltv_before: f64,
    /// Σ lifetime value after; 0 for lost customers.
    pub cltv_after: f64,
}

/// All customers who moved one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Movement {
    /// Which way.
    pub way: Direction,
    /// Number of customers.
    pub customers: usize,
    /// Σ lifetime value before.
    pub cltv_before: f64,
    /// Σ lifetime value after.
    pub cltv_after: f64,
}

impl Flow {
    /// Which way this is, given the number of segments; segments are ordered lowest first.
    pub fn way(&self, segments: usize) -> Direction {
        if self.from == segments {
            Direction::New
        } else if self.to == segments {
            Direction::Lost
        } else {
            match self.to.cmp(&self.from) {
                std::cmp::Ordering::Greater => Direction::Up,
                std::cmp::Ordering::Less => Direction::Down,
                std::cmp::Ordering::Equal => Direction::Stayed,
            }
        }
    }
}

/// The whole migration matrix, row by row: from each segment, then new customers; to each segment,
/// then lost customers.
pub fn flows(pairs: &Pairs, segments: usize) -> Vec<Flow> {
    let side = segments + 1;
    let empty = |cell: usize| Flow {
        from: cell / side,
        to: cell % side,
        customers: 0,
        share: 0.0,
        cltv_before: 0.0,
        cltv_after: 0.0,
    };
    let mut flows: Vec<Flow> = (0..side * side).map(empty).collect();
    for (i, (from, to)) in pairs.from.iter().zip(&pairs.to).enumerate() {
        let flow = &mut flows[from * side + to];
        flow.customers += 1;
        flow.cltv_before += pairs.cltv_before[i];
        flow.cltv_after += pairs.cltv_after[i];
    }
    for row in flows.chunks_mut(side) {
        let all: usize = row.iter().map(|flow| flow.customers).sum();
        row.iter_mut().for_each(|flow| flow.share = flow.customers as f64 / all.max(1) as f64);
    }
    // No customer is both new and lost.
    flows.pop();
    flows
}

/// The migration matrix, summed by way.
pub fn movements(flows: &[Flow], segments: usize) -> Vec<Movement> {
    let of = |way: Direction| {
        let nobody = Movement { way, customers: 0, cltv_before: 0.0, cltv_after: 0.0 };
        flows.iter().filter(|flow| flow.way(segments) == way).fold(nobody, |sum, flow| Movement {
            customers: sum.customers + flow.customers,
            cltv_before: sum.cltv_before + flow.cltv_before,
            cltv_after: sum.cltv_after + flow.cltv_after,
            ..sum
        })
    };
    [Direction::Up, Direction::Stayed, Direction::Down, Direction::New, Direction::Lost]
        .map(of)
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two segments: one customer rises, one stays high, one is lost, one is new and low.
    #[test]
    fn four_customers_by_hand() {
        let pairs = Pairs {
            from: vec![0, 1, 1, 2],
            to: vec![1, 1, 2, 0],
            cltv_before: vec![1.0, 10.0, 20.0, 0.0],
            cltv_after: vec![9.0, 11.0, 0.0, 2.0],
            later: Vec::new(),
        };
        let flows = flows(&pairs, 2);
        let shares: Vec<f64> = flows.iter().map(|flow| flow.share).collect();
        assert_eq!(shares, [0.0, 1.0, 0.0, 0.0, 0.5, 0.5, 1.0, 0.0]);
        let found: Vec<(Direction, usize, f64, f64)> = movements(&flows, 2)
            .into_iter()
            .map(|m| (m.way, m.customers, m.cltv_before, m.cltv_after))
            .collect();
        assert_eq!(
            found,
            [
                (Direction::Up, 1, 1.0, 9.0),
                (Direction::Stayed, 1, 10.0, 11.0),
                (Direction::Down, 0, 0.0, 0.0),
                (Direction::New, 1, 0.0, 2.0),
                (Direction::Lost, 1, 20.0, 0.0),
            ]
        );
    }
}
