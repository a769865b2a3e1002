//! A row a segment: what management asks about it, and the channel and categories it uses.

use polars::prelude::*;
use serde::Serialize;

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
    /// Mean monetary value.
    pub mean_monetary: f64,
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
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn profiles(scored: &DataFrame, settings: &Settings) -> Result<(Vec<Profile>, Profile), Error> {
    let profile = |label: &str, members: LazyFrame| {
        let members = members.collect().map_err(Error::engine("select a segment"))?;
        one(label, &members, settings).map_err(Error::engine("profile a segment"))
    };
    let segments = settings
        .segments
        .labels
        .iter()
        .map(|label| {
            let member = col(CLTV_SEGMENT).eq(lit(label.as_str()));
            profile(label, scored.clone().lazy().filter(member))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok((segments, profile("all", scored.clone().lazy())?))
}

fn one(label: &str, members: &DataFrame, settings: &Settings) -> PolarsResult<Profile> {
    let unit = settings.summary.time_unit;
    let customers = members.height();
    let sum = |name: &str| -> PolarsResult<f64> {
        Ok(members.column(name)?.f64()?.iter().flatten().sum())
    };
    let mean = |name: &str| Ok::<_, PolarsError>(sum(name)? / customers.max(1) as f64);
    let horizons = &settings.forecast.horizons;
    Ok(Profile {
        label: label.to_owned(),
        customers,
        total_cltv: sum(CLTV)?,
        mean_cltv: mean(CLTV)?,
        mean_frequency: mean(FREQUENCY)?,
        mean_recency: mean(&recency(unit))?,
        mean_age: mean(&age(unit))?,
        mean_monetary: mean(MONETARY_AVG)?,
        mean_p_alive: mean(P_ALIVE)?,
        expected_orders: horizons
            .iter()
            .map(|h| Ok((h.months, sum(&expected_orders(h.months))?)))
            .collect::<PolarsResult<_>>()?,
        main_channel: match channel_column(settings) {
            Some(column) => shares(members, &column, false)?.into_iter().next(),
            None => None,
        },
        categories: match categories_column(settings) {
            Some(column) => shares(members, &column, true)?,
            None => Vec::new(),
        },
    })
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

/// Values of a column, or entries of its lists `[A, B]`, with the share of customers that have
/// them: most first, then by name.
fn shares(members: &DataFrame, column: &str, lists: bool) -> PolarsResult<Vec<(String, f64)>> {
    let text = col(column).cast(DataType::String).str().strip_chars(lit("[] \t"));
    let customers = members.clone().lazy().with_row_index("customer", None);
    let entries = if lists {
        let options = ExplodeOptions { empty_as_null: true, keep_nulls: true };
        customers
            .select([col("customer"), text.str().split(lit(",")).alias("entry")])
            .explode(by_name(["entry"], true, false), options)
            .with_column(col("entry").str().strip_chars(lit(NULL)))
            .unique(None, UniqueKeepStrategy::Any)
    } else {
        customers.select([text.alias("entry")])
    };
    let counts = entries
        .filter(col("entry").is_not_null().and(col("entry").neq(lit(""))))
        .group_by([col("entry")])
        .agg([len().cast(DataType::Float64).alias("customers")])
        .sort_by_exprs(
            [col("customers"), col("entry")],
            SortMultipleOptions::default().with_order_descending_multi([true, false]),
        )
        .collect()?;
    let all = members.height().max(1) as f64;
    let names = counts.column("entry")?.str()?.iter().flatten().map(str::to_owned);
    let shares = counts.column("customers")?.f64()?.iter().flatten().map(|n| n / all);
    Ok(names.zip(shares).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn category_lists_are_read_as_lists() {
        let lists = ["[ERKEK, KADIN]", "[KADIN]", "[]", "[KADIN, KADIN]"];
        let frame =
            DataFrame::new_infer_height(vec![Column::new("c".into(), lists)]).expect("one column");
        let found = shares(&frame, "c", true).expect("lists");
        assert_eq!(found, [("KADIN".to_owned(), 0.75), ("ERKEK".to_owned(), 0.25)]);
    }
}
