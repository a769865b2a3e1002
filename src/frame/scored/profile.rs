//! One row per segment: customers, value, means, expected orders, main channel, categories.

use polars::prelude::*;

use crate::error::Error;
use crate::frame::numbers;
use crate::frame::scored::kept_columns;
use crate::results::profiles::{KeptColumn, Profile};
use crate::settings::Settings;
use crate::settings::columns::{
    CLTV, CLTV_SEGMENT, FREQUENCY, MONETARY_AVG, P_ALIVE, age, expected_orders, recency,
};

/// Profiles of the segments and of all customers, with the columns to keep described for each.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiles {
    /// One profile per segment, lowest first.
    pub segments: Vec<Profile>,
    /// The profile of all customers.
    pub company: Profile,
    /// Each column to keep, described by segment.
    pub kept_columns: Vec<KeptColumn>,
    /// For each customer, the position of its segment.
    pub member: Vec<usize>,
}

/// Profiles of the segments, lowest first, and of all customers. `if_alive` is what each customer
/// would bring without having left.
///
/// Sums are taken in row order, so that they do not depend on the number of cores.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn profiles(
    scored: &DataFrame,
    if_alive: &[f64],
    settings: &Settings,
) -> Result<Profiles, Error> {
    let labels = &settings.segments.labels;
    let member = segment_positions(scored, labels)?;
    let money = settings.has_money().then_some(0.0);
    let mut profiles: Vec<Profile> =
        labels.iter().map(|label| Profile::named(label, money)).collect();
    let mut company = Profile::named("all", money);
    for (&segment, worth) in member.iter().zip(if_alive) {
        for profile in [&mut profiles[segment], &mut company] {
            profile.customers += 1;
            *profile.total_if_alive.get_or_insert_default() += worth;
        }
    }
    // Fields of means hold sums until `sums_to_means`.
    let unit = settings.summary.time_unit;
    type Field = fn(&mut Profile) -> &mut f64;
    let mut fields: Vec<(String, Field)> = vec![
        (FREQUENCY.to_owned(), |p| &mut p.mean_frequency),
        (recency(unit), |p| &mut p.mean_recency),
        (age(unit), |p| &mut p.mean_age),
        (P_ALIVE.to_owned(), |p| &mut p.mean_p_alive),
    ];
    if settings.has_money() {
        fields.push((CLTV.to_owned(), |p| p.total_cltv.get_or_insert_default()));
        fields.push((MONETARY_AVG.to_owned(), |p| p.mean_monetary.get_or_insert_default()));
    }
    for (column, field) in fields {
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
    let sizes: Vec<usize> = profiles.iter().map(|profile| profile.customers).collect();
    let kept =
        kept_columns::describe(scored, &settings.input, &settings.segments, &member, &sizes)?;
    let column =
        |name: Option<String>| kept.iter().find(|kept| Some(&kept.column) == name.as_ref());
    let channels = column(kept_columns::channel_column(&settings.input, &settings.segments));
    let categories = column(kept_columns::categories_column(&settings.input, &settings.segments));
    for (group, profile) in profiles.iter_mut().chain([&mut company]).enumerate() {
        profile.main_channel = channels.and_then(|kept| kept.shares(group).first().cloned());
        profile.categories = categories.map_or(Vec::new(), |kept| kept.shares(group).to_vec());
    }
    Ok(Profiles { segments: profiles, company, kept_columns: kept, member })
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
    /// The profile of nobody; its amounts are `money`.
    fn named(label: &str, money: Option<f64>) -> Self {
        Self {
            label: label.to_owned(),
            customers: 0,
            total_cltv: money,
            mean_cltv: money,
            total_if_alive: Some(0.0),
            mean_frequency: 0.0,
            mean_recency: 0.0,
            mean_age: 0.0,
            mean_monetary: money,
            with_value: 0,
            mean_p_alive: 0.0,
            expected_orders: Vec::new(),
            main_channel: None,
            categories: Vec::new(),
        }
    }

    fn sums_to_means(&mut self) {
        let customers = self.customers.max(1) as f64;
        self.mean_cltv = self.total_cltv.map(|total| total / customers);
        for sum in [
            &mut self.mean_frequency,
            &mut self.mean_recency,
            &mut self.mean_age,
            &mut self.mean_p_alive,
        ] {
            *sum /= customers;
        }
        self.mean_monetary = self.mean_monetary.map(|sum| sum / self.with_value.max(1) as f64);
    }
}
