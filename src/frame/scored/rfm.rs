//! RFM: scores from 1 to 5, by fifths of the customers, for recency (days since the last order),
//! frequency and, where there is money, monetary value; and the segment, which depends on the first
//! two.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::frame::columns::{ORDERS, VALUE};
use crate::frame::numbers;
use crate::frame::scored::predictions::kept_last;
use crate::math::quantile::linear_quantile;
use crate::results::profiles::RfmProfile;
use crate::settings::columns::{
    CLTV, DAYS_SINCE_LAST_ORDER, RFM_FREQUENCY, RFM_MONETARY, RFM_RECENCY, RFM_SCORES, RFM_SEGMENT,
};
use crate::settings::{Rfm, Segments, Settings};

/// The scored customers with their RFM scores, and a profile of each RFM segment.
pub struct Scored {
    /// The frame with its scores; columns to keep come last.
    pub frame: DataFrame,
    /// One profile per RFM segment, in the order of the pipeline file.
    pub segments: Vec<RfmProfile>,
}

/// The four edges between the five scores of each column, ascending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RfmEdges {
    /// Of the days since the last order.
    pub recency: Vec<f64>,
    /// Of the number of orders.
    pub frequency: Vec<f64>,
    /// Of the total spend; `None` where there is no money.
    pub monetary: Option<Vec<f64>>,
}

/// What is scored, one number per customer in each.
struct Columns {
    days: Vec<f64>,
    orders: Vec<f64>,
    /// `None` where there is no money.
    spend: Option<Vec<f64>>,
}

impl Columns {
    /// Days since the last order, orders and spend.
    fn of(summary: &DataFrame, has_money: bool) -> Result<Self, Error> {
        Ok(Self {
            days: numbers(summary, DAYS_SINCE_LAST_ORDER)?,
            orders: numbers(summary, ORDERS)?,
            spend: has_money.then(|| numbers(summary, VALUE)).transpose()?,
        })
    }
}

/// Adds RFM scores and segments to `scored`. `summary` and `cltv_segment` (positions of the CLTV
/// segments) are of the same customers in the same order. `edges` are those between the scores;
/// `None` ranks equal values by row.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn score(
    mut scored: DataFrame,
    summary: &DataFrame,
    cltv_segment: &[usize],
    edges: Option<&RfmEdges>,
    settings: &Settings,
) -> Result<Scored, Error> {
    let columns = Columns::of(summary, settings.has_money())?;
    let (lowest, highest) = (*RFM_SCORES.start(), *RFM_SCORES.end());
    let scored_by = |values: &[f64], edges: Option<&Vec<f64>>| match edges {
        Some(edges) => scores(values, edges),
        None => scores_by_row(values),
    };
    let quiet = scored_by(&columns.days, edges.map(|edges| &edges.recency));
    let frequency = scored_by(&columns.orders, edges.map(|edges| &edges.frequency));
    let of_spend = edges.and_then(|edges| edges.monetary.as_ref());
    let monetary = columns.spend.as_ref().map(|spend| scored_by(spend, of_spend));
    // Many days since the last order are a low score.
    let recency: Vec<u8> = quiet.into_iter().map(|score| lowest + highest - score).collect();
    let segments = &settings.rfm.segments;
    let of_pair = |r, f| segments.iter().position(|s| s.holds(r, f)).unwrap_or_default();
    let member: Vec<usize> = recency.iter().zip(&frequency).map(|(r, f)| of_pair(*r, *f)).collect();
    let profiles =
        profiles(&scored, &columns, &member, cltv_segment, &settings.rfm, &settings.segments)?;
    let column = |name: &str, scores: Vec<u8>| {
        Column::new(name.into(), scores.into_iter().map(i32::from).collect::<Vec<_>>())
    };
    let names: StringChunked = member.iter().map(|&m| Some(segments[m].name.as_str())).collect();
    let days: Vec<i32> = columns.days.iter().map(|d| *d as i32).collect();
    let mut added = vec![
        Column::new(DAYS_SINCE_LAST_ORDER.into(), days),
        column(RFM_RECENCY, recency),
        column(RFM_FREQUENCY, frequency),
    ];
    added.extend(monetary.map(|scores| column(RFM_MONETARY, scores)));
    added.push(names.with_name(RFM_SEGMENT.into()).into_column());
    let frame = scored
        .hstack_mut(&added)
        .and_then(|frame| kept_last(frame, &settings.input))
        .map_err(Error::engine("join the RFM scores"))?;
    Ok(Scored { frame, segments: profiles })
}

/// Edges between the scores of these customers.
///
/// # Errors
/// [`Error::Engine`], never for a summary.
pub fn score_edges(summary: &DataFrame, has_money: bool) -> Result<RfmEdges, Error> {
    Ok(RfmEdges::of(&Columns::of(summary, has_money)?))
}

fn profiles(
    scored: &DataFrame,
    columns: &Columns,
    member: &[usize],
    cltv_segment: &[usize],
    rfm: &Rfm,
    segments: &Segments,
) -> Result<Vec<RfmProfile>, Error> {
    let money = match &columns.spend {
        Some(spend) => Some((spend, numbers(scored, CLTV)?)),
        None => None,
    };
    let nothing = money.as_ref().map(|_| 0.0);
    let labels = &segments.labels;
    let empty = |name: &String| RfmProfile {
        segment: name.clone(),
        customers: 0,
        share: 0.0,
        mean_days_since_last_order: 0.0,
        mean_orders: 0.0,
        mean_spend: nothing,
        total_cltv: nothing,
        mean_cltv: nothing,
        by_cltv_segment: vec![0; labels.len()],
    };
    let mut profiles: Vec<RfmProfile> =
        rfm.segments.iter().map(|segment| empty(&segment.name)).collect();
    // Fields of means hold sums until all customers are added.
    for (i, &segment) in member.iter().enumerate() {
        let profile = &mut profiles[segment];
        profile.customers += 1;
        profile.mean_days_since_last_order += columns.days[i];
        profile.mean_orders += columns.orders[i];
        if let Some((spend, cltv)) = &money {
            *profile.mean_spend.get_or_insert_default() += spend[i];
            *profile.total_cltv.get_or_insert_default() += cltv[i];
        }
        profile.by_cltv_segment[cltv_segment[i]] += 1;
    }
    for profile in &mut profiles {
        let customers = profile.customers.max(1) as f64;
        profile.share = profile.customers as f64 / member.len().max(1) as f64;
        profile.mean_days_since_last_order /= customers;
        profile.mean_orders /= customers;
        profile.mean_spend = profile.mean_spend.map(|sum| sum / customers);
        profile.mean_cltv = profile.total_cltv.map(|sum| sum / customers);
    }
    Ok(profiles)
}

impl RfmEdges {
    /// Quantiles of days since the last order, orders and spend.
    fn of(Columns { days, orders, spend }: &Columns) -> Self {
        let (recency, (frequency, monetary)) = rayon::join(
            || edges(days),
            || rayon::join(|| edges(orders), || spend.as_ref().map(|spend| edges(spend))),
        );
        Self { recency, frequency, monetary }
    }

    /// Whether each column has its four edges, in order.
    pub fn is_sound(&self) -> bool {
        let four = usize::from(*RFM_SCORES.end() - *RFM_SCORES.start());
        [&self.recency, &self.frequency]
            .into_iter()
            .chain(&self.monetary)
            .all(|edges| edges.len() == four && edges.windows(2).all(|pair| pair[0] <= pair[1]))
    }
}

fn edges(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let scores = usize::from(*RFM_SCORES.end());
    (1..scores).map(|k| linear_quantile(&sorted, k, scores)).collect()
}

/// Scores from 1 to 5 by quantile, 5 for the highest values; a value on an edge gets the lower
/// score, as in `pandas.qcut`.
fn scores(values: &[f64], edges: &[f64]) -> Vec<u8> {
    let score =
        |value: &f64| *RFM_SCORES.start() + edges.iter().filter(|edge| *edge < value).count() as u8;
    values.iter().map(score).collect()
}

/// The same where equal values are ranked by row.
fn scores_by_row(values: &[f64]) -> Vec<u8> {
    let ranks = ranks_by_row(values);
    scores(&ranks, &edges(&ranks))
}

/// Ranks from 1; of equal values the earlier row has the lower rank.
fn ranks_by_row(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    order.into_iter().enumerate().for_each(|(rank, row)| ranks[row] = (rank + 1) as f64);
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(values: &[f64]) -> Vec<u8> {
        scores(values, &edges(values))
    }

    #[test]
    fn as_pandas_qcut() {
        // pandas 1.5.3: pd.qcut([1, 2, 2, 3, 7, 8, 9, 10, 11, 40], 5, labels=range(1, 6)).
        let values = [1.0, 2.0, 2.0, 3.0, 7.0, 8.0, 9.0, 10.0, 11.0, 40.0];
        assert_eq!(together(&values), [1, 1, 1, 2, 3, 3, 4, 4, 5, 5]);
    }

    #[test]
    fn equal_values_share_a_score_or_are_ranked_by_row() {
        let values = [1.0; 10];
        assert_eq!(together(&values), [1; 10]);
        // pandas 1.5.3: pd.qcut(pd.Series([1] * 10).rank(method="first"), 5, labels=range(1, 6)).
        assert_eq!(scores_by_row(&values), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        assert_eq!(together(&[3.0]), [1]);
        assert!(together(&[]).is_empty());
    }

    #[test]
    fn given_edges_score_other_values() {
        let edges = edges(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(scores(&[0.0, 2.0, 2.1, 100.0], &edges), [1, 1, 2, 5]);
    }
}
