//! Charts of who the customers of each segment are: by the columns to keep, and by the time since
//! their first order.

use crate::report::chart::Chart;
use crate::report::chart::columns::{ColumnChart, Series};
use crate::report::chart::heat::Heat;
use crate::report::chart::shares::Shares;
use crate::report::sections::by_segment;
use crate::report::view::View;
use crate::results::profiles::{Described, KeptColumn};

/// Most entries of a column in a chart with a colour for each.
const ENTRIES: usize = 8;
/// Most entries of a column of lists in a chart.
const LISTED: usize = 8;

/// All charts of the profiles.
pub fn all(view: &View<'_>) -> Vec<Chart> {
    let columns = view.run.kept_columns.iter().enumerate();
    let kept =
        columns.filter_map(|(i, column)| profile(view, &format!("profile-{}", i + 1), column));
    kept.chain([ages(view)]).collect()
}

/// The chart of a column to keep: bars for the means of numbers, stacked shares when each customer
/// has one entry, and a grid for lists.
///
/// Returns `None` for numbers when a segment has none.
fn profile(view: &View<'_>, id: &str, column: &KeptColumn) -> Option<Chart> {
    if let Some(means) = means(column) {
        return Some(by_segment(view, id, column.column.clone(), &means, &|v| view.number(v)));
    }
    let order: Vec<usize> = view.best_first().collect();
    let shares: Option<Vec<&Vec<(String, f64)>>> = order
        .iter()
        .map(|s| match column.groups.get(*s) {
            Some(Described::Shares(shares)) => Some(shares),
            _ => None,
        })
        .collect();
    let shares = shares?;
    // Shares add up to 1 when each customer has one entry, and to more in a column of lists.
    let sums = shares.iter().filter(|s| !s.is_empty()).map(|s| s.iter().map(|e| e.1).sum::<f64>());
    let adds_up = sums.clone().count() > 0 && sums.clone().all(|sum| (sum - 1.0).abs() < 0.02);
    let names = entries(&shares);
    Some(if adds_up {
        stacked(view, id, column, &shares, &names)
    } else {
        listed(view, id, column, &shares, &names)
    })
}

/// The mean of each segment, then that of all customers. Returns `None` for a column of texts, or
/// when a group has no number.
fn means(column: &KeptColumn) -> Option<Vec<f64>> {
    let mean = |group: &Described| match group {
        Described::Mean { mean, .. } => *mean,
        Described::Shares(_) => None,
    };
    column.groups.iter().map(mean).collect()
}

/// All entries, the most common first.
fn entries(shares: &[&Vec<(String, f64)>]) -> Vec<String> {
    let mut names: Vec<(String, f64)> = Vec::new();
    for (name, share) in shares.iter().flat_map(|group| group.iter()) {
        match names.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => *sum += share,
            None => names.push((name.clone(), *share)),
        }
    }
    names.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    names.into_iter().map(|(name, _)| name).collect()
}

fn share_of(group: &[(String, f64)], name: &str) -> f64 {
    group.iter().find(|(entry, _)| entry == name).map_or(0.0, |(_, share)| *share)
}

fn stacked(
    view: &View<'_>,
    id: &str,
    column: &KeptColumn,
    shares: &[&Vec<(String, f64)>],
    names: &[String],
) -> Chart {
    let series = names.iter().take(ENTRIES).enumerate().map(|(i, name)| {
        let values = shares.iter().map(|group| share_of(group, name)).collect();
        Series::new(if name.is_empty() { "–" } else { name }, i, values)
    });
    let more = names.len() > ENTRIES;
    Shares {
        id: id.to_owned(),
        title: column.column.clone(),
        note: view
            .t(if more { "segments.chart.profile_more" } else { "segments.chart.profile" })
            .to_owned(),
        down: view.t("segments.segment"),
        groups: view.best_first().map(|s| view.charts.segments[s].clone()).collect(),
        series: series.collect(),
    }
    .chart(view)
}

fn listed(
    view: &View<'_>,
    id: &str,
    column: &KeptColumn,
    shares: &[&Vec<(String, f64)>],
    names: &[String],
) -> Chart {
    // A grid draws its first row at the bottom.
    let shown = names.iter().take(LISTED).rev();
    Heat {
        id: id.to_owned(),
        title: column.column.clone(),
        note: view.t("segments.chart.listed").to_owned(),
        across: view.t("segments.segment"),
        down: "",
        columns: view.best_first().map(|s| view.charts.segments[s].clone()).collect(),
        rows: shown.clone().cloned().collect(),
        values: shown
            .map(|name| shares.iter().map(|group| Some(share_of(group, name))).collect())
            .collect(),
        full: None,
        written: true,
        colour: None,
        say: &|v| view.percent(v),
    }
    .chart(view)
}

fn ages(view: &View<'_>) -> Chart {
    let ages = &view.charts.ages;
    let names =
        ages.from_years.iter().enumerate().map(|(i, from)| match ages.from_years.get(i + 1) {
            Some(to) => format!("{}–{}", view.short(*from), view.short(*to)),
            None => format!("≥ {}", view.short(*from)),
        });
    let series = view.best_first().map(|s| {
        let counts = ages.counts[s].iter().map(|n| *n as f64).collect();
        Series::new(view.charts.segments[s].clone(), view.colour(s), counts)
    });
    ColumnChart {
        id: "profile-age",
        title: view.t("segments.chart.age").to_owned(),
        note: view.t("segments.chart.age_note").to_owned(),
        across: view.t("segments.chart.years"),
        categories: names.collect(),
        series: series.collect(),
        stacked: true,
        say: &|v| view.whole(v),
    }
    .chart(view)
}
