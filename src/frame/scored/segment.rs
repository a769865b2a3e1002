//! Equal-count segments of the lifetime value, or of expected orders where there is no money, with
//! the edges and labels of `pandas.qcut`.

use polars::prelude::*;
use rayon::prelude::*;

use crate::error::Error;
use crate::math::quantile::linear_quantile;
use crate::settings::columns::CLTV_SEGMENT;

/// Adds [`CLTV_SEGMENT`], the segment of `ranking`, by n + 1 rising edges of n segments. A value on
/// an edge belongs to the lower segment, one beyond all edges to the lowest or highest. Where edges
/// coincide, the lowest of the coinciding segments takes the value and the others stay empty.
///
/// # Errors
/// [`Error::Engine`], never for finite values.
pub fn segment(
    scored: DataFrame,
    ranking: &str,
    labels: &[String],
    edges: &[f64],
) -> Result<DataFrame, Error> {
    let highest = labels.last().map_or("", String::as_str);
    let label =
        labels.iter().zip(&edges[1..]).rev().skip(1).fold(lit(highest), |above, (label, upper)| {
            when(col(ranking).lt_eq(lit(*upper))).then(lit(label.as_str())).otherwise(above)
        });
    let segmented = scored.lazy().with_column(label.alias(CLTV_SEGMENT));
    segmented.collect().map_err(Error::engine("segment the customers"))
}

/// The edges of an earlier run, the outermost moved out to the lowest and highest value.
pub fn widened(given: &[f64], ranking: &[f64]) -> Vec<f64> {
    let mut edges = given.to_vec();
    if let [lowest, .., highest] = edges.as_mut_slice() {
        *lowest = ranking.iter().copied().fold(*lowest, f64::min);
        *highest = ranking.iter().copied().fold(*highest, f64::max);
    }
    edges
}

/// n + 1 ascending edges of n segments of equal count.
pub fn edges(ranking: &[f64], segments: usize) -> Vec<f64> {
    let mut sorted = ranking.to_vec();
    sorted.par_sort_unstable_by(f64::total_cmp);
    (0..=segments).map(|k| linear_quantile(&sorted, k, segments)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels_of(values: &[f64], labels: &[&str]) -> Vec<String> {
        let frame = DataFrame::new_infer_height(vec![Column::new("cltv".into(), values)])
            .expect("one column");
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let edges = edges(values, labels.len());
        let segmented = segment(frame, "cltv", &labels, &edges).expect("finite values");
        let column = segmented.column(CLTV_SEGMENT).expect("a segment");
        column.str().expect("text").iter().flatten().map(str::to_owned).collect()
    }

    #[test]
    fn as_pandas_qcut() {
        // pandas 1.5.3: pd.qcut([1, 2, 3, 4, 5, 6, 7, 8, 9], 4, labels=list("DCBA")).
        let values: Vec<f64> = (1..=9).map(f64::from).collect();
        let expected = ["D", "D", "D", "C", "C", "B", "B", "A", "A"];
        assert_eq!(labels_of(&values, &["D", "C", "B", "A"]), expected);
    }

    #[test]
    fn equal_values_stay_together_in_the_lowest_segment() {
        assert_eq!(labels_of(&[5.0; 4], &["D", "C", "B", "A"]), ["D"; 4]);
        assert_eq!(labels_of(&[5.0], &["all"]), ["all"]);
    }
}
