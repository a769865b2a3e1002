//! RFM: scores of recency (days since the last order), frequency and monetary value, and the
//! segment that the first two make.

use polars::prelude::*;
use serde::Serialize;

use super::numbers;
use super::predictions::kept_last;
use super::summary::{ORDERS, VALUE};
use crate::columns::{
    CLTV, DAYS_SINCE_LAST_ORDER, RFM_FREQUENCY, RFM_MONETARY, RFM_RECENCY, RFM_SCORES, RFM_SEGMENT,
};
use crate::error::Error;
use crate::math::quantile::linear_quantile;
use crate::settings::{Settings, Ties};

/// The scored customers with their RFM scores, and a row an RFM segment.
pub struct Scored {
    /// The frame with five columns more, kept columns last.
    pub frame: DataFrame,
    /// In the order of the pipeline file.
    pub segments: Vec<RfmProfile>,
}

/// Figures of one RFM segment; means are 0 for one without customers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RfmProfile {
    /// Its name.
    pub segment: String,
    /// Customers.
    pub customers: usize,
    /// Share of all customers, 0 to 1.
    pub share: f64,
    /// Mean days since the last order.
    pub mean_days_since_last_order: f64,
    /// Mean number of orders.
    pub mean_orders: f64,
    /// Mean total spend.
    pub mean_spend: f64,
    /// Σ cltv.
    pub total_cltv: f64,
    /// Mean cltv.
    pub mean_cltv: f64,
    /// Customers by CLTV segment, in the order of `segments.labels`.
    pub by_cltv_segment: Vec<usize>,
}

/// Scores the customers of `summary`, whose predictions are `scored` and whose CLTV segments are
/// `cltv_segment`, row by row.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn score(
    mut scored: DataFrame,
    summary: &DataFrame,
    cltv_segment: &[usize],
    settings: &Settings,
) -> Result<Scored, Error> {
    let days = numbers(summary, DAYS_SINCE_LAST_ORDER)?;
    let (orders, spend) = (numbers(summary, ORDERS)?, numbers(summary, VALUE)?);
    let ties = settings.rfm.ties;
    let (lowest, highest) = (*RFM_SCORES.start(), *RFM_SCORES.end());
    let (quiet, (frequency, monetary)) = rayon::join(
        || quantile_scores(&days, ties),
        || rayon::join(|| quantile_scores(&orders, ties), || quantile_scores(&spend, ties)),
    );
    let recency: Vec<u8> = quiet.into_iter().map(|score| lowest + highest - score).collect();
    let segments = &settings.rfm.segments;
    let of_pair = |r, f| segments.iter().position(|s| s.holds(r, f)).unwrap_or_default();
    let member: Vec<usize> = recency.iter().zip(&frequency).map(|(r, f)| of_pair(*r, *f)).collect();
    let profiles = profiles(&scored, [&days, &orders, &spend], &member, cltv_segment, settings)?;
    let column = |name: &str, scores: Vec<u8>| {
        Column::new(name.into(), scores.into_iter().map(i32::from).collect::<Vec<_>>())
    };
    let names: StringChunked = member.iter().map(|&m| Some(segments[m].name.as_str())).collect();
    let columns = [
        Column::new(
            DAYS_SINCE_LAST_ORDER.into(),
            days.iter().map(|d| *d as i32).collect::<Vec<_>>(),
        ),
        column(RFM_RECENCY, recency),
        column(RFM_FREQUENCY, frequency),
        column(RFM_MONETARY, monetary),
        names.with_name(RFM_SEGMENT.into()).into_column(),
    ];
    let frame = scored
        .hstack_mut(&columns)
        .and_then(|frame| kept_last(frame, settings))
        .map_err(Error::engine("join the RFM scores"))?;
    Ok(Scored { frame, segments: profiles })
}

fn profiles(
    scored: &DataFrame,
    [days, orders, spend]: [&[f64]; 3],
    member: &[usize],
    cltv_segment: &[usize],
    settings: &Settings,
) -> Result<Vec<RfmProfile>, Error> {
    let cltv = numbers(scored, CLTV)?;
    let labels = &settings.segments.labels;
    let empty = |name: &String| RfmProfile {
        segment: name.clone(),
        customers: 0,
        share: 0.0,
        mean_days_since_last_order: 0.0,
        mean_orders: 0.0,
        mean_spend: 0.0,
        total_cltv: 0.0,
        mean_cltv: 0.0,
        by_cltv_segment: vec![0; labels.len()],
    };
    let mut profiles: Vec<RfmProfile> =
        settings.rfm.segments.iter().map(|segment| empty(&segment.name)).collect();
    for (i, &segment) in member.iter().enumerate() {
        let profile = &mut profiles[segment];
        profile.customers += 1;
        profile.mean_days_since_last_order += days[i];
        profile.mean_orders += orders[i];
        profile.mean_spend += spend[i];
        profile.total_cltv += cltv[i];
        profile.by_cltv_segment[cltv_segment[i]] += 1;
    }
    for profile in &mut profiles {
        let customers = profile.customers.max(1) as f64;
        profile.share = profile.customers as f64 / member.len().max(1) as f64;
        profile.mean_days_since_last_order /= customers;
        profile.mean_orders /= customers;
        profile.mean_spend /= customers;
        profile.mean_cltv = profile.total_cltv / customers;
    }
    Ok(profiles)
}

/// A score from 1 to 5 by quantile, the highest value the highest; a value on an edge has the lower
/// score, as `pandas.qcut` has it. Equal values have equal scores, or are ranked by row.
fn quantile_scores(values: &[f64], ties: Ties) -> Vec<u8> {
    let ranked = match ties {
        Ties::Together => values.to_vec(),
        Ties::RowOrder => ranks_by_row(values),
    };
    let mut sorted = ranked.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let (lowest, scores) = (*RFM_SCORES.start(), usize::from(*RFM_SCORES.end()));
    let edges: Vec<f64> = (1..scores).map(|k| linear_quantile(&sorted, k, scores)).collect();
    let score = |value: &f64| lowest + edges.iter().filter(|edge| *edge < value).count() as u8;
    ranked.iter().map(score).collect()
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

    #[test]
    fn as_pandas_qcut() {
        // pandas 1.5.3: pd.qcut([1, 2, 2, 3, 7, 8, 9, 10, 11, 40], 5, labels=range(1, 6)).
        let values = [1.0, 2.0, 2.0, 3.0, 7.0, 8.0, 9.0, 10.0, 11.0, 40.0];
        assert_eq!(quantile_scores(&values, Ties::Together), [1, 1, 1, 2, 3, 3, 4, 4, 5, 5]);
    }

    #[test]
    fn equal_values_share_a_score_or_are_ranked_by_row() {
        let values = [1.0; 10];
        assert_eq!(quantile_scores(&values, Ties::Together), [1; 10]);
        // pandas 1.5.3: pd.qcut(pd.Series([1] * 10).rank(method="first"), 5, labels=range(1, 6)).
        assert_eq!(quantile_scores(&values, Ties::RowOrder), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        assert_eq!(quantile_scores(&[3.0], Ties::Together), [1]);
        assert!(quantile_scores(&[], Ties::Together).is_empty());
    }
}
