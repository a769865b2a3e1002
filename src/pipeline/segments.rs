//! CLTV and RFM segments of a run: their edges, members, profiles, and what to do about each.

use polars::prelude::DataFrame;

use crate::customers::Groups;
use crate::error::Error;
use crate::frame::scored::profile::{Profiles, profiles};
use crate::frame::scored::rfm::{self, RfmEdges};
use crate::frame::scored::{kept_columns, predictions, segment};
use crate::model_file::ModelFile;
use crate::pipeline::advise::advise;
use crate::pipeline::models::Fit;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::prices::money_since;
use crate::progress::Clock;
use crate::results::advice::Advice;
use crate::results::profiles::RfmProfile;
use crate::settings::{Settings, Ties};

/// Edges of the segments.
pub(crate) struct Edges {
    /// Rising edges of the segments by CLTV (or by expected orders, where there is no money), one more
    /// than there are segments.
    pub(crate) cltv: Vec<f64>,
    /// Edges of the RFM scores; `None` where equal values are ranked by row.
    pub(crate) rfm: Option<RfmEdges>,
}

/// The customers with predictions and segments.
pub(crate) struct Segmented {
    /// One row per customer, in input order.
    pub(crate) frame: DataFrame,
    /// Profiles of the CLTV segments and of all customers.
    pub(crate) profiles: Profiles,
    /// Profiles of the RFM segments.
    pub(crate) rfm: Vec<RfmProfile>,
    /// What to do about each CLTV segment.
    pub(crate) advice: Vec<Advice>,
    /// The groups that the company's forecast is made for.
    pub(crate) groups: Groups,
}

/// The edges of these customers, or those of an earlier fit, in the money of these customers.
///
/// # Errors
/// [`Error::Engine`], never for a summary.
pub(crate) fn find_edges(
    prepared: &Prepared,
    fit: &Fit,
    given: Option<&ModelFile>,
    settings: &Settings,
    clock: &mut Clock,
) -> Result<Edges, Error> {
    clock.enter("segment and advise");
    let values = fit.predictions.ranking();
    let cltv = match given {
        Some(given) => {
            let money = money_since(given, &prepared.prices, prepared.summary.observation_end);
            let edges: Vec<f64> = given.segments.edges.iter().map(|edge| edge * money).collect();
            segment::widened(&edges, values)
        }
        None => segment::edges(values, settings.segments.labels.len()),
    };
    let rfm = match (settings.rfm.ties, given.and_then(|given| given.rfm_edges.as_ref())) {
        (Ties::RowOrder, _) => None,
        (Ties::Together, Some(given)) => Some(given.clone()),
        (Ties::Together, None) => {
            Some(rfm::score_edges(&prepared.summary.frame, settings.has_money())?)
        }
    };
    Ok(Edges { cltv, rfm })
}

/// Joins the predictions to the customers, and segments, profiles and advises.
///
/// # Errors
/// [`Error::Engine`], never for finite predictions.
pub(crate) fn segment_customers(
    prepared: &Prepared,
    fit: &Fit,
    edges: &Edges,
    settings: &Settings,
) -> Result<Segmented, Error> {
    let summary = &prepared.summary.frame;
    let scored = predictions::attach(summary, &fit.predictions, settings)?;
    let ranking = settings.ranking_column();
    let scored = segment::segment(scored, &ranking, &settings.segments.labels, &edges.cltv)?;
    let profiles = profiles(&scored, fit.predictions.ranking_if_alive(), settings)?;
    let knows_dropout = fit.purchases.knows_dropout();
    let advice = advise(&profiles.segments, &profiles.company, knows_dropout, settings);
    let groups = kept_columns::groups(
        &scored,
        &settings.input,
        &settings.segments,
        &profiles.member,
        &profiles.kept_columns,
    )?;
    let scored = rfm::score(scored, summary, &profiles.member, edges.rfm.as_ref(), settings)?;
    Ok(Segmented { frame: scored.frame, profiles, rfm: scored.segments, advice, groups })
}
