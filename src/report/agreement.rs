//! Checks that run.json and figures.json have the same segments and complete tables, as the
//! sections assume.

use crate::results::chart_data::ChartData;
use crate::results::run_document::RunDocument;

/// The first mismatch. Returns `None` when everything matches.
pub fn fault(run: &RunDocument, charts: &ChartData) -> Option<&'static str> {
    // The sections index by segment, bin, row and column without checks of their own.
    let n = charts.segments.len();
    let intervals = run.intervals.as_ref().map_or(n, |intervals| intervals.segments.len());
    let kept = run.kept_columns.iter().all(|column| column.groups.len() >= n);
    let distributions = charts.distributions.iter().all(|one| {
        let bins = one.edges.len().saturating_sub(1);
        one.above.len() == n && is_grid(&one.counts, n, bins)
    });
    let past = &charts.recency_frequency;
    let rows = past.recency_edges.len().saturating_sub(1);
    let columns = past.frequency_from.len();
    let surface = &charts.surface;
    let (down, across) = (surface.recency.len(), surface.frequency.len());
    let keep = run.settings.input.columns.keep.len();
    let lines = charts.customers.iter().all(|line| line.kept_columns.len() == keep);
    let checks = [
        (lines, "customers have other kept columns than the settings"),
        (n > 0, "there are no segments"),
        (run.segments.len() == n, "figures.json has other segments than run.json"),
        (run.segment_edges.len() == n + 1, "segment_edges are not one more than the segments"),
        (intervals == n, "the intervals belong to other segments"),
        (kept, "kept_columns lack a segment"),
        (distributions, "a distribution has other bins than edges, or lacks a segment"),
        (is_grid(&charts.ages.counts, n, charts.ages.from_years.len()), "ages lack a bin"),
        (
            past.counts.len() == n && past.counts.iter().all(|one| is_grid(one, rows, columns)),
            "recency_frequency lacks a bin",
        ),
        (
            is_grid(&surface.p_alive, down, across)
                && is_grid(&surface.expected_orders, down, across),
            "the surface lacks a row or a column",
        ),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, fault)| fault)
}

fn is_grid<T>(rows: &[Vec<T>], height: usize, width: usize) -> bool {
    rows.len() == height && rows.iter().all(|row| row.len() == width)
}
