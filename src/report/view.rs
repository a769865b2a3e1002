//! What every section of the page is given, and how it says numbers.

use chrono::{Days, NaiveDate};

use crate::report::table::Cell;
use crate::report::texts::Words;
use crate::results::chart_data::ChartData;
use crate::results::forecast::Interval;
use crate::results::migration::Migration;
use crate::results::run_document::RunDocument;

/// Findings by which P(alive) says nothing.
const NOBODY_LEAVES: [&str; 2] = ["dropout_not_identified", "no_dropout_by_choice"];
/// Stands in the page where a language has no text.
pub const MISSING: &str = "⟨?⟩";

/// A run, the words to tell it in, and what must not be told.
pub struct View<'a> {
    /// run.json
    pub run: &'a RunDocument,
    /// figures.json
    pub charts: &'a ChartData,
    /// What became of an earlier run's customers.
    pub migration: Option<&'a Migration>,
    /// Texts and number formats.
    pub words: &'a Words,
    /// Whether identifiers of customers are shown.
    pub show_ids: bool,
}

impl View<'_> {
    /// A text of the page; [`MISSING`] where there is none, which a test excludes.
    pub fn t(&self, key: &str) -> &str {
        self.words.get(key).unwrap_or(MISSING)
    }

    /// A text with its gaps filled.
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

    /// A whole number.
    pub fn whole(&self, value: f64) -> String {
        self.words.language.number(value, 0)
    }

    /// A number with as many decimals as its size asks for: three digits, or none beyond.
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

    /// A share, 0 to 1.
    pub fn percent(&self, share: f64) -> String {
        self.words.language.percent(share, usize::from(share != 0.0 && share.abs() < 0.0995))
    }

    /// A sum of money, with its currency where the pipeline names one.
    pub fn money(&self, value: f64) -> String {
        let decimals = if value.abs() >= 1000.0 { 0 } else { 2 };
        match &self.run.settings.output.currency {
            Some(currency) => {
                format!("{}\u{a0}{currency}", self.words.language.number(value, decimals))
            }
            None => self.words.language.number(value, decimals),
        }
    }

    /// A number in the room of an axis label: 12k, 1.5M.
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

    /// From one number to another.
    pub fn range(&self, interval: Interval, say: impl Fn(f64) -> String) -> String {
        format!("{}\u{a0}– {}", say(interval.low), say(interval.high))
    }

    /// A length in the run's time unit.
    pub fn duration(&self, value: f64) -> String {
        let key = format!("units.{}", self.run.settings.summary.time_unit.plural());
        self.fill(
            &key,
            &[("n", &self.words.language.number(value, if value < 10.0 { 1 } else { 0 }))],
        )
    }

    /// The label of a horizon of so many months.
    pub fn months(&self, months: u32) -> String {
        let key = if months == 1 { "units.month" } else { "units.months" };
        self.fill(key, &[("n", &months.to_string())])
    }

    /// A date as JSON has it, in words.
    pub fn day(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |date| self.words.language.date(date))
    }

    /// The day so many days after the observation end.
    pub fn day_ahead(&self, days: f64) -> NaiveDate {
        self.run.as_of.checked_add_days(Days::new(days.round() as u64)).unwrap_or(self.run.as_of)
    }

    /// The name of a model.
    pub fn model_name(&self, model: &str) -> String {
        let known = format!("models.{model}");
        self.words.get(&known).map_or(model.to_owned(), str::to_owned)
    }

    /// P(alive) as a cell; nothing where the data say nothing of it.
    pub fn alive(&self, share: f64) -> Cell {
        match self.knows_who_left() {
            true => Cell::Number(self.percent(share), share),
            false => Cell::none(),
        }
    }

    /// Whether P(alive) says anything.
    pub fn knows_who_left(&self) -> bool {
        !self.run.warnings.iter().any(|finding| NOBODY_LEAVES.contains(&finding.code.as_ref()))
    }

    /// The longest horizon of the pipeline: its position and months.
    pub fn longest(&self) -> (usize, u32) {
        let horizons = self.run.settings.forecast.horizons.iter().enumerate();
        horizons.map(|(i, h)| (i, h.months)).max_by_key(|(_, m)| *m).unwrap_or_default()
    }

    /// Positions of the segments, the best first.
    pub fn best_first(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.charts.segments.len()).rev()
    }

    /// The colour of a segment: the best has the first.
    pub fn colour(&self, segment: usize) -> usize {
        self.charts.segments.len() - 1 - segment
    }
}
