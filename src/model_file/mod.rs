//! A fit that can be kept: what model.json holds, enough to score a new export without fitting.
//!
//! No clock and no path: the same input and settings give the same bytes, and what is read back is
//! written again bit for bit.
//!
//! # Layout
//! * `fits`: the two fits as the file holds them. `registry`: a folder of models, one of which is in
//!   use: the champion.

mod fits;
#[cfg(feature = "cli")]
pub mod registry;

use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::customers::Histories;
use crate::error::Error;
use crate::frame::scored::rfm::RfmEdges;
use crate::frame::summary::CustomerSummary;
use crate::model::evaluate::stability::ReferenceDistribution;
use crate::model::{FittedPurchases, FittedSpend};
use crate::results::candidate::Candidate;
use crate::results::findings::Finding;
use crate::results::json_text::text;
use crate::results::named_values::NamedValues;
use crate::results::outlier_limits::OutlierLimits;
use crate::results::price_level::PriceLevelEntry;
use crate::results::version::Tool;
use crate::settings::comparability::{Difference, Question, differences};
use crate::settings::dates::plain_date;
use crate::settings::{
    Forecast, FrequencyKind, LifetimeValue, Settings, SpendModelName, TimeUnit, without_input,
};
use crate::storage::bounded::{SMALL, read};
use crate::storage::fingerprint::{Fingerprint, sha256};

pub use fits::{PurchasesFit, SpendFit};

/// Version of the layout of model.json.
pub const SCHEMA_VERSION: u32 = 2;
/// The columns that drift is told by; without money, all but the last.
const COLUMNS: [&str; 4] = ["frequency", "recency", "T", MONETARY];
const MONETARY: &str = "monetary_value";
/// Hexadecimal digits of a model's identifier.
const ID_DIGITS: usize = 12;

/// A model.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Version of this layout.
    pub schema_version: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// Name of the pipeline.
    pub pipeline: String,
    /// What it was fitted to.
    pub data: Data,
    /// Unit of recency, T and α.
    pub time_unit: TimeUnit,
    /// T was measured to here.
    #[serde(with = "plain_date")]
    pub observation_end: NaiveDate,
    /// What the purchase model counts.
    pub frequency: FrequencyKind,
    /// Customers with fewer orders were left out.
    pub min_orders: u32,
    /// The model of orders.
    pub purchases: PurchasesFit,
    /// The model of order values; null where there is no money.
    pub spend: Option<SpendFit>,
    /// Outlier limits, for later exports too.
    pub outlier_limits: Vec<OutlierLimits>,
    /// Horizons.
    pub forecast: Forecast,
    /// Discounting.
    pub lifetime_value: LifetimeValue,
    /// Segments, with their edges for later exports.
    pub segments: SegmentEdges,
    /// Edges of the RFM scores; none where equal values are ranked by row.
    pub rfm_edges: Option<RfmEdges>,
    /// How the customers' numbers were distributed, to tell drift by.
    pub distributions: Vec<ReferenceDistribution>,
    /// The pipeline's settings without paths.
    pub settings: Value,
    /// What the reader should know.
    pub warnings: Vec<Finding>,
}

/// What a model was fitted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Input files.
    pub files: usize,
    /// Their size together.
    pub bytes: u64,
    /// SHA-256 of the file; of several, that of their SHA-256, in reading order, one after the
    /// other.
    pub sha256: String,
    /// Rows read.
    pub rows: usize,
    /// First order of all.
    #[serde(with = "plain_date")]
    pub first_order: NaiveDate,
    /// Last order of all.
    #[serde(with = "plain_date")]
    pub last_order: NaiveDate,
}

/// Names and edges of the CLTV segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentEdges {
    /// Lowest first.
    pub labels: Vec<String>,
    /// One more than labels, rising.
    pub edges: Vec<f64>,
}

/// What a model.json is made from.
pub struct ModelFileParts<'a> {
    /// Rows read.
    pub rows_read: usize,
    /// The CLTV frame and the dates of the input.
    pub summary: &'a CustomerSummary,
    /// Outlier limits.
    pub limits: &'a [OutlierLimits],
    /// The customers that the models were fitted to.
    pub histories: &'a Histories,
    /// The model of orders.
    pub purchases: &'a FittedPurchases,
    /// The model of order values.
    pub spend: Option<&'a FittedSpend>,
    /// How prices moved.
    pub prices: Option<&'a PriceLevelEntry>,
    /// Edges of the CLTV segments.
    pub edges: Vec<f64>,
    /// Edges of the RFM scores.
    pub rfm_edges: Option<RfmEdges>,
    /// What the reader should know.
    pub findings: &'a [Finding],
}

impl ModelFile {
    /// What is worth keeping of a fit.
    pub fn of(parts: ModelFileParts<'_>, inputs: &[Fingerprint], settings: &Settings) -> Self {
        let ModelFileParts { summary, edges, rfm_edges, .. } = parts;
        let hashes: String = inputs.iter().map(|file| file.sha256.as_str()).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool::this(),
            pipeline: settings.name.clone(),
            data: Data {
                files: inputs.len(),
                bytes: inputs.iter().map(|file| file.bytes).sum(),
                sha256: if inputs.len() == 1 { hashes } else { sha256(hashes.as_bytes()) },
                rows: parts.rows_read,
                first_order: summary.first_order,
                last_order: summary.last_order,
            },
            time_unit: settings.summary.time_unit,
            observation_end: summary.observation_end,
            frequency: settings.summary.frequency,
            min_orders: settings.summary.min_orders,
            purchases: PurchasesFit::of(parts.purchases, settings),
            spend: parts.spend.map(|spend| SpendFit::of(spend, parts.prices, settings)),
            outlier_limits: parts.limits.to_vec(),
            forecast: settings.forecast.clone(),
            lifetime_value: settings.lifetime_value.clone(),
            segments: SegmentEdges { labels: settings.segments.labels.clone(), edges },
            rfm_edges,
            distributions: columns(parts.histories)
                .into_iter()
                .filter(|(name, _)| *name != MONETARY || parts.spend.is_some())
                .map(|(name, values)| ReferenceDistribution::of(name, values))
                .collect(),
            settings: settings.without_paths(),
            warnings: parts.findings.iter().map(Finding::without_facts).collect(),
        }
    }

    /// Customers that the model of orders was fitted to.
    pub fn customers(&self) -> usize {
        self.purchases.customers
    }

    /// Coefficients of the L2 penalties on the model of orders and on that of order values.
    pub fn penalties(&self) -> [f64; 2] {
        [self.purchases.l2_penalty, self.spend.as_ref().map_or(0.0, |spend| spend.l2_penalty)]
    }

    /// The models of orders that were compared, the best first.
    pub fn comparison(&self) -> &[Candidate] {
        self.purchases.comparison()
    }

    /// Whether each fit converged.
    pub fn converged(&self) -> Vec<(&'static str, bool)> {
        let spend = self.spend.as_ref().map(|s| ("order values", s.convergence.converged));
        [("orders", self.purchases.convergence.converged)].into_iter().chain(spend).collect()
    }

    /// The settings of the pipeline as typed values, with an input that has no path.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn typed_settings(&self) -> Result<Settings, Vec<String>> {
        without_input(&self.settings)
    }

    /// Refuses settings under which the parameters, limits and edges of this model mean something
    /// else.
    ///
    /// # Errors
    /// Each key that differs.
    pub fn agrees(&self, settings: &Settings) -> Result<(), Vec<String>> {
        let differing = differences(&self.typed_settings()?, settings, Question::Scoring);
        let fault = |Difference { key, .. }: Difference| {
            format!("{key} is not that of the model: fit again with it, or leave it as it is")
        };
        let faults: Vec<String> = differing.into_iter().map(fault).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// A setting of the pipeline; null where it has none.
    fn setting(&self, pointer: &str) -> Value {
        self.settings.pointer(pointer).cloned().unwrap_or_default()
    }

    /// Whether the settings say what stands beside them too.
    fn consistent(&self) -> bool {
        let copies = [
            ("/summary/time_unit", json!(self.time_unit)),
            ("/summary/frequency", json!(self.frequency)),
            ("/summary/min_orders", json!(self.min_orders)),
            ("/lifetime_value", json!(self.lifetime_value)),
            ("/segments/labels", json!(self.segments.labels)),
            ("/spend/model", json!(self.spend_model())),
        ];
        copies.iter().all(|(pointer, value)| self.setting(pointer) == *value)
    }

    fn spend_model(&self) -> SpendModelName {
        self.spend.as_ref().map_or(SpendModelName::None, SpendFit::model)
    }

    /// Whether limits are of columns that are read, and in order.
    fn limited(&self) -> bool {
        let read = |name: &str| {
            ["/input/columns/orders", "/input/columns/value"].iter().any(|pointer| {
                self.setting(pointer).as_array().is_some_and(|all| all.iter().any(|n| n == name))
            })
        };
        self.outlier_limits.iter().all(|limits| {
            let rising =
                limits.lower <= limits.upper && limits.lower_applied <= limits.upper_applied;
            rising && read(&limits.column)
        })
    }

    /// The price level of the fit; `None` where values stay as they were paid.
    pub fn price_level(&self) -> Option<&PriceLevelEntry> {
        self.spend.as_ref()?.price_level.as_ref()
    }

    /// The population stability index of each column against the customers of the fit; `money` is what
    /// values were multiplied by since then, because prices moved.
    pub fn stability_index(&self, histories: &Histories, money: f64) -> NamedValues<f64> {
        let now = columns(histories);
        let of = |distribution: &ReferenceDistribution| {
            let (name, values) = now.iter().find(|(name, _)| *name == distribution.column)?;
            let index = match *name == MONETARY && money != 1.0 {
                true => {
                    let then: Vec<f64> = values.iter().map(|value| value / money).collect();
                    distribution.stability_index(&then)
                }
                false => distribution.stability_index(values),
            };
            Some(((*name).to_owned(), index))
        };
        self.distributions.iter().filter_map(of).collect()
    }

    /// The ninth decile of the monetary values that it was fitted to. Returns `None` when it is 0.
    pub fn order_value(&self) -> Option<f64> {
        let values = self.distributions.iter().find(|one| one.column == MONETARY)?;
        values.edges.last().copied().filter(|value| *value > 0.0)
    }

    /// The text of its model.json.
    ///
    /// # Errors
    /// [`Error::Io`], never in practice.
    pub fn text(&self) -> Result<String, Error> {
        text(self)
    }

    /// Reads a model.json.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Settings`] when it is no model of this
    /// program or of another layout.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = read(path, SMALL).map_err(Error::io(path, "read the model"))?;
        Self::parse(&text).map_err(|fault| Error::Settings {
            place: path.display().to_string(),
            faults: vec![fault],
        })
    }

    /// Reads the bytes of a model.json.
    ///
    /// # Errors
    /// What is wrong with them, and what to do.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let other = |e: serde_json::Error| {
            format!("not a model.json of cltv: {e}; write it again with `cltv fit`")
        };
        let Version { schema_version } = serde_json::from_slice(bytes).map_err(other)?;
        if schema_version != SCHEMA_VERSION {
            return Err(format!(
                "the model has layout {schema_version}, this version of cltv reads layout \
                 {SCHEMA_VERSION}: write it again with `cltv fit`"
            ));
        }
        let model_file: Self = serde_json::from_slice(bytes).map_err(other)?;
        model_file.check()?;
        Ok(model_file)
    }

    /// What types cannot say.
    fn check(&self) -> Result<(), String> {
        let positive = |value: &f64| value.is_finite() && *value > 0.0;
        self.typed_settings().map_err(|faults| {
            format!("settings: {}; write the model again with `cltv fit`", faults.join("; "))
        })?;
        self.purchases.restored(&self.warnings)?;
        self.spend.as_ref().map(|spend| spend.restored(&self.warnings)).transpose()?;
        let columns = if self.spend.is_some() { &COLUMNS[..] } else { &COLUMNS[..3] };
        let SegmentEdges { labels, edges } = &self.segments;
        let rising = edges.windows(2).all(|pair| pair[0] <= pair[1]);
        let fault = if labels.is_empty() || edges.len() != labels.len() + 1 || !rising {
            "segments.edges must be rising, one more than there are labels"
        } else if !self.spend.iter().all(|spend| positive(&spend.observed_mean)) {
            "spend.observed_mean must be above 0"
        } else if !self
            .price_level()
            .is_none_or(|prices| prices.used().is_some_and(|(level, _)| level.is_sound()))
        {
            "spend.price_level must have a level above 0, and a day whose money it is"
        } else if !self.limited() {
            "outlier_limits must be of order and value columns, the lower limit below the upper one"
        } else if !self.consistent() {
            "the settings contradict the fields next to them"
        } else if self.distributions.len() != columns.len()
            || !self.distributions.iter().zip(columns).all(|(found, name)| found.column == *name)
        {
            "distributions must be of frequency, recency, T and, with money, monetary_value"
        } else if self.rfm_edges.as_ref().is_some_and(|edges| {
            !edges.is_sound() || edges.monetary.is_some() != self.spend.is_some()
        }) {
            "rfm_edges must have four rising edges for each score"
        } else if !self.distributions.iter().all(ReferenceDistribution::is_sound) {
            "distributions must have rising edges and a count for each bin"
        } else {
            return Ok(());
        };
        Err(format!("{fault}: the file was changed; write it again with `cltv fit`"))
    }

    /// The identifier of the model: the first digits of the SHA-256 of its file.
    pub fn id(text: &[u8]) -> String {
        let mut id = sha256(text);
        id.truncate(ID_DIGITS);
        id
    }

    /// The model of orders and the model of order values, as they were when they had been fitted.
    ///
    /// # Errors
    /// [`Error::Settings`], never for a model that was read by [`ModelFile::read`].
    pub fn fits(&self) -> Result<(FittedPurchases, Option<FittedSpend>), Error> {
        let fault = |fault| Error::Settings { place: "model.json".to_owned(), faults: vec![fault] };
        let purchases = self.purchases.restored(&self.warnings).map_err(fault)?;
        let spend = self.spend.as_ref().map(|spend| spend.restored(&self.warnings));
        Ok((purchases, spend.transpose().map_err(fault)?))
    }
}

/// The columns that drift is told by.
fn columns(histories: &Histories) -> [(&'static str, &[f64]); 4] {
    let values =
        [histories.frequency(), histories.recency(), histories.age(), histories.monetary_value()];
    std::array::from_fn(|i| (COLUMNS[i], values[i]))
}
