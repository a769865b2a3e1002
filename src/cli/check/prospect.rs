//! What a run would do with a file, as far as that is known before the models are fitted.

use std::path::Path;

use crate::cli::{memory, pipeline_text};
use crate::error::Error;
use crate::frame::guess::guess;
use crate::frame::guess::inspect::{Overview, Stated, inspect};
use crate::frame::summary::statistics::{Statistics, statistics};
use crate::model::CustomerPatterns;
use crate::model::fit::data::FEWEST_PATTERNS;
use crate::model::fit::purchases;
use crate::pipeline::notices::data_findings;
use crate::pipeline::prepare::{Prepared, prepare};
use crate::pipeline::remedies::with_remedy;
use crate::pipeline::selection::{self, advice};
use crate::results::findings::{Finding, Severity};
use crate::settings::{FrequencyKind, Overrides, Settings, load, parse};

/// What is known about a file.
pub struct Checked {
    /// Its columns.
    pub overview: Overview,
    /// The guessed lines of a pipeline file; `None` for a pipeline file, or without a guess.
    pub guessed: Option<String>,
    /// What a run would do, or the error that would end it.
    pub prospect: Result<Prospect, Error>,
}

/// What a run would do.
pub struct Prospect {
    /// The settings of the run.
    pub settings: Settings,
    /// The prepared input, from which the models would be fitted.
    pub prepared: Prepared,
    /// Its numbers in figures.
    pub statistics: Vec<Statistics>,
    /// Number of distinct purchase histories.
    pub histories: usize,
    /// Why a run is not possible; `None` where it is.
    pub fault: Option<String>,
    /// Why there is too little data for the models of the family; `None` when there is enough.
    pub too_little: Option<String>,
    /// Findings about the data.
    pub findings: Vec<Finding>,
    /// Findings about how customers came to be in the file.
    pub selection: Vec<Finding>,
    /// The lines of a pipeline file that correct for it; `None` without signs of a selection.
    pub lines: Option<Vec<String>>,
}

impl Prospect {
    /// Whether the file contradicts what the pipeline says about its selection.
    pub fn contradicts(&self) -> bool {
        self.selection.iter().any(|finding| finding.severity == Severity::Warning)
    }
}

pub(crate) fn check(file: &Path, overrides: &Overrides) -> Result<Checked, Error> {
    if file.extension().is_some_and(|extension| extension == "toml") {
        let settings = load(file, overrides)?;
        memory::guard(&settings);
        let input = &settings.input;
        let overview = inspect(&input.path, &Stated::from(input))?;
        return Ok(Checked { overview, guessed: None, prospect: prospect(settings) });
    }
    let path = overrides.input.clone().unwrap_or_else(|| file.display().to_string());
    let stated = stated(overrides, &path)?;
    let overview = inspect(&path, &stated)?;
    let guessed = guess(&overview).map(|guess| pipeline_text::input(&guess, &overview));
    let settings = |text: &String| {
        parse(text, overrides).map_err(|faults| Error::Settings { place: path.clone(), faults })
    };
    let (guessed, prospect) = match guessed {
        Err(error) => (None, Err(error)),
        Ok(text) => {
            let prospect = settings(&text).and_then(prospect);
            (Some(text), prospect)
        }
    };
    Ok(Checked { overview, guessed, prospect })
}

/// What the flags say about how the file is written.
pub(crate) fn stated(overrides: &Overrides, path: &str) -> Result<Stated, Error> {
    // A pipeline with the fewest columns, for the flags to be applied to.
    let text = "[input]\npath = \"-\"\n[input.columns]\ncustomer_id = \"id\"\n\
                first_order_date = \"first\"\nlast_order_date = \"last\"\norders = [\"orders\"]\n\
                value = [\"value\"]\n";
    let of_reading = |set: &&String| set.starts_with("input.") || set.starts_with("resources.");
    let only_input = Overrides {
        date_format: overrides.date_format.clone(),
        set: overrides.set.iter().filter(of_reading).cloned().collect(),
        ..Overrides::default()
    };
    let settings = parse(text, &only_input)
        .map_err(|faults| Error::Settings { place: path.to_owned(), faults })?;
    memory::guard(&settings);
    Ok(Stated::from(&settings.input))
}

pub(crate) fn prospect(settings: Settings) -> Result<Prospect, Error> {
    let prepared = prepare(&settings)?;
    let end = prepared.summary.observation_end;
    let stated = selection::stated(&settings, &prepared.histories, end).map_err(with_remedy)?;
    let patterns = CustomerPatterns::of(&prepared.histories).patterns;
    let fault = purchases::check_enough_data(&patterns).err().map(|e| with_remedy(e).to_string());
    Ok(Prospect {
        statistics: statistics(&prepared.input.cleaned.valid, &prepared.limits, &settings)?,
        histories: patterns.rows.len(),
        too_little: fault.clone().or_else(|| few(patterns.rows.len())),
        fault,
        findings: data_findings(&settings, &prepared, &[]),
        selection: selection::findings(&settings.summary, stated, &prepared.signs, end),
        lines: advice(&prepared.signs, end, settings.summary.time_unit),
        settings,
        prepared,
    })
}

/// That a run would end with a simpler model.
fn few(histories: usize) -> Option<String> {
    (histories < FEWEST_PATTERNS).then(|| {
        format!(
            "only {histories} distinct purchase histories (frequency, recency, T), at least \
             {FEWEST_PATTERNS} are needed to learn when customers leave: a run forecasts as if nobody \
             left, and warns"
        )
    })
}

/// The lines that correct for the selection, and the other keys that must change with them.
pub fn to_paste(lines: &[String], settings: &Settings) -> String {
    let mut text = format!(
        "\nTo correct for it, put this into the pipeline file:\n\n\
         {}\n",
        lines.join("\n")
    );
    if settings.summary.frequency == FrequencyKind::Orders {
        text.push_str("\nand in [summary]: frequency = \"repeat_orders\"\n");
    }
    if settings.purchases.l2_penalty > 0.0 {
        text.push_str("\nand in [purchases]: l2_penalty = 0\n");
    }
    text
}
