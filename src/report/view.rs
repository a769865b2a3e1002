//! The data and texts that every section of the page gets, and how it formats numbers.

use chrono::{Days, NaiveDate};

use crate::report::table::Cell;
use crate::report::texts::Words;
use crate::results::chart_data::ChartData;
use crate::results::forecast::Interval;
use crate::results::migration::Migration;
use crate::results::price_level::PriceLevelEntry;
use crate::results::run_document::RunDocument;
use crate::settings::Family;

/// Codes of the findings under which P(alive) means nothing.
const NOBODY_LEAVES: [&str; 3] =
    ["dropout_not_identified", "no_dropout_by_choice", "model_replaced"];
/// Shown in the page where a language has no text.
pub const MISSING: &str = "⟨?⟩";

/// A run, the texts to show it with, and whether identifiers may be shown.
pub struct View<'a> {
    /// run.json
    pub run: &'a RunDocument,
    /// figures.json
    pub charts: &'a ChartData,
    /// What became of an earlier run's customers; `None` without an earlier run.
    pub migration: Option<&'a Migration>,
    /// Texts and number formats.
    pub words: &'a Words,
    /// Whether identifiers of customers are shown.
    pub show_ids: bool,
}

impl View<'_> {
    /// A text of the page, or [`MISSING`]; a test makes sure that no text is missing. Where there is
    /// no money, a text that speaks of orders takes its place: `key-orders`.
    pub fn t(&self, key: &str) -> &str {
        let of_orders = || self.words.get(&format!("{key}-orders"));
        let own = if self.has_money() { None } else { of_orders() };
        own.or_else(|| self.words.get(key)).unwrap_or(MISSING)
    }

    /// Whether there is money in the run.
    pub fn has_money(&self) -> bool {
        self.run.settings.has_money()
    }

    /// An amount of money as a cell, which is empty when there is none.
    pub fn amount(&self, value: Option<f64>) -> Cell {
        value.map_or(Cell::none(), |value| Cell::Number(self.money(value), value))
    }

    /// What ranks the customers: an amount of money, or a number of orders.
    pub fn ranking(&self, value: f64) -> Cell {
        let shown = if self.has_money() { self.money(value) } else { self.number(value) };
        Cell::Number(shown, value)
    }

    /// A text with its placeholders filled from pairs of name and value; one without a value is
    /// left empty.
    pub fn fill(&self, key: &str, gaps: &[(&str, &str)]) -> String {
        let mut rest = self.t(key);
        let mut filled = String::new();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(before);
            filled.push_str(gaps.iter().find(|(gap, _)| *gap == name).map_or("", |(_, v)| *v));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// A number without decimals.
    pub fn whole(&self, value: f64) -> String {
        self.words.language.number(value, 0)
    }

    /// A number with decimals by its size: about three digits in all, and none from 100 on.
    pub fn number(&self, value: f64) -> String {
        let decimals = match value.abs() {
            v if v >= 100.0 || v == 0.0 => 0,
            v if v >= 10.0 => 1,
            v if v >= 0.1 => 2,
            _ => 4,
        };
        let shown = self.words.language.number(value, decimals);
        if value.fract() == 0.0 { self.whole(value) } else { shown }
    }

    /// A share, 0 to 1, in percent; with one decimal below 10 %.
    pub fn percent(&self, share: f64) -> String {
        self.words.language.percent(share, usize::from(share != 0.0 && share.abs() < 0.0995))
    }

    /// An amount of money, with its currency if the pipeline names one.
    pub fn money(&self, value: f64) -> String {
        let decimals = if value.abs() >= 1000.0 { 0 } else { 2 };
        match &self.run.settings.output.currency {
            Some(currency) => {
                format!("{}\u{a0}{currency}", self.words.language.number(value, decimals))
            }
            None => self.words.language.number(value, decimals),
        }
    }

    /// A number short enough for an axis label: 12k, 1.5M.
    pub fn short(&self, value: f64) -> String {
        let (scaled, unit) = match value.abs() {
            v if v >= 1e9 => (value / 1e9, "format.billion"),
            v if v >= 1e6 => (value / 1e6, "format.million"),
            v if v >= 1e4 => (value / 1e3, "format.thousand"),
            _ => (value, ""),
        };
        let decimals = (0..3).find(|d| {
            let scale = 10f64.powi(*d);
            ((scaled * scale).round() / scale - scaled).abs() <= 1e-9 * scaled.abs()
        });
        let number = self.words.language.number(scaled, decimals.unwrap_or(3) as usize);
        if unit.is_empty() { number } else { format!("{number}{}", self.t(unit)) }
    }

    /// The ends of an interval, each formatted by `say`.
    pub fn range(&self, interval: Interval, say: impl Fn(f64) -> String) -> String {
        format!("{}\u{a0}– {}", say(interval.low), say(interval.high))
    }

    /// A duration in the run's time unit.
    pub fn duration(&self, value: f64) -> String {
        let key = format!("units.{}", self.run.settings.summary.time_unit.plural());
        self.fill(
            &key,
            &[("n", &self.words.language.number(value, if value < 10.0 { 1 } else { 0 }))],
        )
    }

    /// The label of a horizon of `months` months.
    pub fn months(&self, months: u32) -> String {
        let key = if months == 1 { "units.month" } else { "units.months" };
        self.fill(key, &[("n", &months.to_string())])
    }

    /// A date such as 2021-06-01 in words; any other text as it is.
    pub fn day(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |date| self.words.language.date(date))
    }

    /// The day `days` days after the observation end.
    pub fn day_ahead(&self, days: f64) -> NaiveDate {
        self.run.as_of.checked_add_days(Days::new(days.round() as u64)).unwrap_or(self.run.as_of)
    }

    /// The name of a model in the page's language.
    pub fn model_name(&self, model: &str) -> String {
        let known = format!("models.{model}");
        let title = || {
            let family = Family::named(model);
            family.map_or_else(|| model.to_owned(), |family| family.title().to_owned())
        };
        self.words.get(&known).map_or_else(title, str::to_owned)
    }

    /// P(alive) as a cell, which is empty when P(alive) means nothing.
    pub fn alive(&self, share: f64) -> Cell {
        match self.knows_who_left() {
            true => Cell::Number(self.percent(share), share),
            false => Cell::none(),
        }
    }

    /// Whether P(alive) means anything: no finding of [`NOBODY_LEAVES`].
    pub fn knows_who_left(&self) -> bool {
        !self.run.warnings.iter().any(|finding| NOBODY_LEAVES.contains(&finding.code.as_ref()))
    }

    /// How prices moved, where order values were brought to the money of one day.
    pub fn money_of(&self) -> Option<&PriceLevelEntry> {
        self.run.spend.price_level.as_ref().filter(|prices| prices.used().is_some())
    }

    /// The longest horizon of the pipeline: its position and months.
    pub fn longest(&self) -> (usize, u32) {
        let horizons = self.run.settings.forecast.horizons.iter().enumerate();
        horizons.map(|(i, h)| (i, h.months)).max_by_key(|(_, m)| *m).unwrap_or_default()
    }

    /// Positions of the segments, highest first.
    pub fn best_first(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.charts.segments.len()).rev()
    }

    /// The position of a segment's colour: the highest segment has the first one.
    pub fn colour(&self, segment: usize) -> usize {
        self.charts.segments.len() - 1 - segment
    }
}
