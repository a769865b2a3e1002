//! Describes, for each segment, the columns to keep: a mean for numbers, shares for categories and
//! lists of categories. The channels among them are also groups of a forecast.

use std::collections::BTreeMap;

use polars::prelude::*;
use rustc_hash::FxHashMap;

use crate::customers::{Groups, Scope};
use crate::error::Error;
use crate::results::profiles::{Described, KeptColumn};
use crate::settings::{Input, Segments};

/// A text column with more distinct entries identifies customers instead of describing them.
const MOST_ENTRIES: usize = 1_000;
/// The limit of distinct texts is higher, because lists combine entries.
const MOST_TEXTS: usize = 50_000;

/// Number of channels with a forecast of their own.
const MOST_CHANNELS: usize = 12;

/// How a column is to be read.
#[derive(Clone, Copy, PartialEq)]
enum EntryKind {
    Numbers,
    Categories,
    Lists,
}

/// Describes every column to keep, except those with too many distinct entries. `member` is the
/// position of each customer's segment, `sizes` the number of customers in each segment.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn describe(
    scored: &DataFrame,
    input: &Input,
    segments: &Segments,
    member: &[usize],
    sizes: &[usize],
) -> Result<Vec<KeptColumn>, Error> {
    let mut described = Vec::new();
    for column in &input.columns.keep {
        let groups = one(scored, column, input, segments, member, sizes)
            .map_err(Error::engine("describe the kept columns"))?;
        described.extend(groups.map(|groups| KeptColumn { column: column.clone(), groups }));
    }
    Ok(described)
}

fn one(
    scored: &DataFrame,
    column: &str,
    input: &Input,
    segments: &Segments,
    member: &[usize],
    sizes: &[usize],
) -> PolarsResult<Option<Vec<Described>>> {
    let values = scored.column(column)?;
    let text = values.cast(&DataType::String)?;
    let text = text.str()?;
    // The columns of channel and categories are read as such, even if their entries are numbers.
    let kind = if categories_column(input, segments).as_deref() == Some(column) {
        EntryKind::Lists
    } else if channel_column(input, segments).as_deref() == Some(column) {
        EntryKind::Categories
    } else if values.dtype().is_primitive_numeric() {
        EntryKind::Numbers
    } else {
        kind_of(text)
    };
    if kind == EntryKind::Numbers {
        let numbers = text.iter().map(|entry| entry.and_then(number));
        return Ok(Some(means(numbers, member, sizes.len())));
    }
    let Some(counts) = counts(text, kind == EntryKind::Lists, member, sizes.len()) else {
        return Ok(None);
    };
    let all: usize = sizes.iter().sum();
    let mut groups: Vec<Described> = sizes
        .iter()
        .enumerate()
        .map(|(s, &size)| Described::Shares(shares(&counts, size, |by_segment| by_segment[s])))
        .collect();
    groups.push(Described::Shares(shares(&counts, all, |by_segment| by_segment.iter().sum())));
    Ok(Some(groups))
}

fn kind_of(text: &StringChunked) -> EntryKind {
    let filled = || text.iter().flatten().map(str::trim).filter(|entry| !entry.is_empty());
    if filled().next().is_none() {
        EntryKind::Categories
    } else if filled().all(|entry| number(entry).is_some()) {
        EntryKind::Numbers
    } else if filled().all(|entry| entry.starts_with('[') && entry.ends_with(']')) {
        EntryKind::Lists
    } else {
        EntryKind::Categories
    }
}

fn number(entry: &str) -> Option<f64> {
    entry.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn means(
    numbers: impl Iterator<Item = Option<f64>>,
    member: &[usize],
    segments: usize,
) -> Vec<Described> {
    let mut sums = vec![(0.0, 0); segments + 1];
    for (number, &segment) in numbers.zip(member) {
        if let Some(value) = number {
            for group in [segment, segments] {
                sums[group].0 += value;
                sums[group].1 += 1;
            }
        }
    }
    let described = |(sum, customers): (f64, usize)| Described::Mean {
        mean: (customers > 0).then(|| sum / customers as f64),
        customers,
    };
    sums.into_iter().map(described).collect()
}

/// The groups of a forecast: all customers, each segment, each of the most used channels, and one
/// group for the other channels.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn groups(
    scored: &DataFrame,
    input: &Input,
    segments: &Segments,
    member: &[usize],
    kept: &[KeptColumn],
) -> Result<Groups, Error> {
    let labels = &segments.labels;
    let mut names = Groups::everybody().names;
    names.extend(labels.iter().map(|label| (Scope::Segment, label.clone())));
    // Position 0 is the group of all customers.
    let segment_of = member.iter().map(|segment| 1 + segment).collect();
    let named = channel_column(input, segments);
    let Some(channels) = kept.iter().find(|kept| Some(&kept.column) == named.as_ref()) else {
        return Ok(Groups { names, segment_of, channel_of: Vec::new() });
    };
    let used: Vec<&str> =
        channels.shares(labels.len()).iter().take(MOST_CHANNELS).map(|(c, _)| c.as_str()).collect();
    let text = scored.column(&channels.column).and_then(|c| c.cast(&DataType::String));
    let text = text.map_err(Error::engine("find the channels"))?;
    let text = text.str().map_err(Error::engine("find the channels"))?;
    let channel = |text: Option<&str>| {
        let channel = text.unwrap_or_default().trim();
        used.iter().position(|used| *used == channel).unwrap_or(used.len())
    };
    let channel_of: Vec<usize> = text.iter().map(|text| names.len() + channel(text)).collect();
    let others = names.len() + used.len();
    names.extend(used.iter().map(|channel| (Scope::Channel, (*channel).to_owned())));
    if channel_of.contains(&others) {
        names.push((Scope::Channel, "(other)".to_owned()));
    }
    Ok(Groups { names, segment_of, channel_of })
}

/// The column to keep that holds the channel: the one in the settings, else the first by name.
pub fn channel_column(input: &Input, segments: &Segments) -> Option<String> {
    named_or_found(&segments.channel_column, input, &["channel", "kanal"])
}

/// The same for the list of categories.
pub fn categories_column(input: &Input, segments: &Segments) -> Option<String> {
    named_or_found(&segments.categories_column, input, &["categor", "kategori"])
}

fn named_or_found(named: &Option<String>, input: &Input, words: &[&str]) -> Option<String> {
    let says_so = |name: &&String| {
        let name = name.to_lowercase();
        words.iter().any(|word| name.contains(word))
    };
    named.clone().or_else(|| input.columns.keep.iter().find(says_so).cloned())
}

/// For each entry of a column, or of its lists `[A, B]`: customers by segment. An entry that a list
/// names twice counts once. Returns `None` when there are too many distinct entries.
fn counts(
    text: &StringChunked,
    lists: bool,
    member: &[usize],
    segments: usize,
) -> Option<BTreeMap<String, Vec<f64>>> {
    // Whole texts first: far fewer lists are taken apart than there are rows.
    let mut by_text: FxHashMap<&str, Vec<f64>> = FxHashMap::default();
    for (text, &segment) in text.iter().zip(member) {
        let text = text.unwrap_or_default();
        by_text.entry(text).or_insert_with(|| vec![0.0; segments])[segment] += 1.0;
        if by_text.len() > MOST_TEXTS {
            return None;
        }
    }
    let mut counts: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (text, by_segment) in by_text {
        let mut entries: Vec<&str> = if lists {
            text.trim().trim_matches(['[', ']']).split(',').map(str::trim).collect()
        } else {
            vec![text.trim()]
        };
        entries.sort_unstable();
        entries.dedup();
        for entry in entries.into_iter().filter(|entry| !entry.is_empty()) {
            let sums = counts.entry(entry.to_owned()).or_insert_with(|| vec![0.0; segments]);
            sums.iter_mut().zip(&by_segment).for_each(|(sum, n)| *sum += n);
        }
    }
    (counts.len() <= MOST_ENTRIES).then_some(counts)
}

/// Entries with the share of customers who have them: the largest first, then by name.
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

    fn column(entries: &[&str]) -> StringChunked {
        entries.iter().map(|entry| Some(*entry)).collect()
    }

    #[test]
    fn category_lists_are_read_as_lists() {
        let lists = column(&["[ERKEK, KADIN]", "[KADIN]", "[]", "[KADIN, KADIN]"]);
        assert!(kind_of(&lists) == EntryKind::Lists);
        let counts = counts(&lists, true, &[0, 0, 0, 0], 1).expect("few entries");
        let found = shares(&counts, 4, |by_segment| by_segment[0]);
        assert_eq!(found, [("KADIN".to_owned(), 0.75), ("ERKEK".to_owned(), 0.25)]);
    }

    #[test]
    fn numbers_have_means_over_those_who_have_one() {
        let ages = column(&["30", "", " 40.5 ", "50"]);
        assert!(kind_of(&ages) == EntryKind::Numbers);
        let numbers = ages.iter().map(|entry| entry.and_then(number));
        let means = means(numbers, &[0, 0, 1, 0], 2);
        let mean = |mean, customers| Described::Mean { mean, customers };
        assert_eq!(
            means,
            [mean(Some(40.0), 2), mean(Some(40.5), 1), mean(Some(40.166666666666664), 3)]
        );
        assert!(kind_of(&column(&["NaN", "1"])) == EntryKind::Categories);
    }

    #[test]
    fn a_column_of_names_is_not_described() {
        let names: Vec<String> = (0..=MOST_ENTRIES).map(|i| format!("name {i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(counts(&column(&names), false, &vec![0; names.len()], 1).is_none());
    }
}
