//! A row a segment: what management asks about it, and the channel and categories it uses.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde::Serialize;

use super::numbers;
use crate::columns::{
    CLTV, CLTV_SEGMENT, FREQUENCY, MONETARY_AVG, P_ALIVE, age, expected_orders, recency,
};
use crate::error::Error;
use crate::settings::Settings;

/// Figures of one segment, or of the whole company.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Label of the segment.
    pub label: String,
    /// Customers.
    pub customers: usize,
    /// Σ cltv.
    pub total_cltv: f64,
    /// Means over customers; 0 for a segment without customers.
    pub mean_cltv: f64,
    /// Mean frequency.
    pub mean_frequency: f64,
    /// Mean recency in time units.
    pub mean_recency: f64,
    /// Mean T in time units.
    pub mean_age: f64,
    /// Mean monetary value of the customers who have one (in an order log, repeat customers).
    pub mean_monetary: f64,
    /// Customers who have a monetary value.
    pub with_value: usize,
    /// Mean P(alive).
    pub mean_p_alive: f64,
    /// Σ expected orders, a horizon (months, orders).
    pub expected_orders: Vec<(u32, f64)>,
    /// Most used channel and its share of customers.
    pub main_channel: Option<(String, f64)>,
    /// Categories by share of customers who shop them, most first.
    pub categories: Vec<(String, f64)>,
}

impl Profile {
    /// Mean time since the last order, in time units.
    pub fn mean_time_since_last_order(&self) -> f64 {
        self.mean_age - self.mean_recency
    }
}

/// Profiles of the segments (lowest first), then of all customers.
///
/// Sums are taken in row order, so that they do not depend on the number of cores.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn profiles(scored: &DataFrame, settings: &Settings) -> Result<(Vec<Profile>, Profile), Error> {
    let labels = &settings.segments.labels;
    let member = segment_positions(scored, labels)?;
    let mut profiles: Vec<Profile> = labels.iter().map(|label| Profile::named(label)).collect();
    let mut company = Profile::named("all");
    for &segment in &member {
        profiles[segment].customers += 1;
        company.customers += 1;
    }
    let unit = settings.summary.time_unit;
    for (column, field) in [
        (CLTV.to_owned(), Profile::total_cltv_mut as fn(&mut Profile) -> &mut f64),
        (FREQUENCY.to_owned(), |p| &mut p.mean_frequency),
        (recency(unit), |p| &mut p.mean_recency),
        (age(unit), |p| &mut p.mean_age),
        (MONETARY_AVG.to_owned(), |p| &mut p.mean_monetary),
        (P_ALIVE.to_owned(), |p| &mut p.mean_p_alive),
    ] {
        for (value, &segment) in numbers(scored, &column)?.into_iter().zip(&member) {
            *field(&mut profiles[segment]) += value;
            *field(&mut company) += value;
            if column == MONETARY_AVG && value > 0.0 {
                profiles[segment].with_value += 1;
                company.with_value += 1;
            }
        }
    }
    for horizon in &settings.forecast.horizons {
        let mut totals = vec![0.0; labels.len() + 1];
        for (orders, &segment) in
            numbers(scored, &expected_orders(horizon.months))?.into_iter().zip(&member)
        {
            totals[segment] += orders;
            totals[labels.len()] += orders;
        }
        for (profile, total) in profiles.iter_mut().chain([&mut company]).zip(totals) {
            profile.expected_orders.push((horizon.months, total));
        }
    }
    profiles.iter_mut().chain([&mut company]).for_each(Profile::sums_to_means);
    for (column, lists) in [(channel_column(settings), false), (categories_column(settings), true)]
    {
        let Some(column) = column else { continue };
        let counts = counts(scored, &column, lists, &member, labels.len()).map_err(failed())?;
        for (segment, profile) in profiles.iter_mut().enumerate() {
            let shares = shares(&counts, profile.customers, |by_segment| by_segment[segment]);
            profile.set_shares(shares, lists);
        }
        let shares = shares(&counts, company.customers, |by_segment| by_segment.iter().sum());
        company.set_shares(shares, lists);
    }
    Ok((profiles, company))
}

fn failed() -> impl FnOnce(PolarsError) -> Error {
    Error::engine("profile the segments")
}

/// For each customer, the position of its segment among the labels.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn segment_positions(scored: &DataFrame, labels: &[String]) -> Result<Vec<usize>, Error> {
    let position = |label: Option<&str>| {
        labels
            .iter()
            .position(|known| label == Some(known))
            .ok_or_else(|| polars_err!(NoData: "no segment {label:?}"))
    };
    let segments = scored.column(CLTV_SEGMENT).and_then(|column| column.str());
    segments.and_then(|segments| segments.iter().map(position).collect()).map_err(failed())
}

impl Profile {
    fn named(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            customers: 0,
            total_cltv: 0.0,
            mean_cltv: 0.0,
            mean_frequency: 0.0,
            mean_recency: 0.0,
            mean_age: 0.0,
            mean_monetary: 0.0,
            with_value: 0,
            mean_p_alive: 0.0,
            expected_orders: Vec::new(),
            main_channel: None,
            categories: Vec::new(),
        }
    }

    fn total_cltv_mut(&mut self) -> &mut f64 {
        &mut self.total_cltv
    }

    fn set_shares(&mut self, shares: Vec<(String, f64)>, categories: bool) {
        if categories {
            self.categories = shares;
        } else {
            self.main_channel = shares.into_iter().next();
        }
    }

    fn sums_to_means(&mut self) {
        let customers = self.customers.max(1) as f64;
        self.mean_cltv = self.total_cltv / customers;
        for sum in [
            &mut self.mean_frequency,
            &mut self.mean_recency,
            &mut self.mean_age,
            &mut self.mean_p_alive,
        ] {
            *sum /= customers;
        }
        self.mean_monetary /= self.with_value.max(1) as f64;
    }
}

fn channel_column(settings: &Settings) -> Option<String> {
    named_or_found(&settings.segments.channel_column, settings, &["channel", "kanal"])
}

fn categories_column(settings: &Settings) -> Option<String> {
    named_or_found(&settings.segments.categories_column, settings, &["categor", "kategori"])
}

fn named_or_found(named: &Option<String>, settings: &Settings, words: &[&str]) -> Option<String> {
    let says_so = |name: &&String| {
        let name = name.to_lowercase();
        words.iter().any(|word| name.contains(word))
    };
    named.clone().or_else(|| settings.input.columns.keep.iter().find(says_so).cloned())
}

/// For each value of a column, or entry of its lists `[A, B]`: customers by segment. A list that
/// names an entry twice counts once.
fn counts(
    scored: &DataFrame,
    column: &str,
    lists: bool,
    member: &[usize],
    segments: usize,
) -> PolarsResult<BTreeMap<String, Vec<f64>>> {
    let text = scored.column(column)?.cast(&DataType::String)?;
    let mut counts: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut entries: Vec<&str> = Vec::new();
    for (text, &segment) in text.str()?.iter().zip(member) {
        let text = text.unwrap_or_default();
        entries.clear();
        if lists {
            let inner = text.trim().trim_matches(['[', ']']);
            entries.extend(inner.split(',').map(str::trim));
            entries.sort_unstable();
            entries.dedup();
        } else {
            entries.push(text.trim());
        }
        for entry in entries.iter().filter(|entry| !entry.is_empty()) {
            match counts.get_mut(*entry) {
                Some(known) => known[segment] += 1.0,
                None => {
                    let mut new = vec![0.0; segments];
                    new[segment] = 1.0;
                    counts.insert((*entry).to_owned(), new);
                }
            }
        }
    }
    Ok(counts)
}

/// Entries by the share of the customers that have them: most first, then by name.
fn shares(
    counts: &BTreeMap<String, Vec<f64>>,
    customers: usize,
    of: impl Fn(&[f64]) -> f64,
) -> Vec<(String, f64)> {
    let all = customers.max(1) as f64;
    let mut shares: Vec<(String, f64)> = counts
        .iter()
        .map(|(entry, by_segment)| (entry.clone(), of(by_segment) / all))
        .filter(|(_, share)| *share > 0.0)
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn category_lists_are_read_as_lists() {
        let lists = ["[ERKEK, KADIN]", "[KADIN]", "[]", "[KADIN, KADIN]"];
        let frame =
            DataFrame::new_infer_height(vec![Column::new("c".into(), lists)]).expect("one column");
        let counts = counts(&frame, "c", true, &[0, 0, 0, 0], 1).expect("lists");
        let found = shares(&counts, 4, |by_segment| by_segment[0]);
        assert_eq!(found, [("KADIN".to_owned(), 0.75), ("ERKEK".to_owned(), 0.25)]);
    }
}
