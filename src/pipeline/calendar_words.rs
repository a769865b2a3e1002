//! What to say about the season, the trend and the events that a run follows.

use crate::model::FittedPurchases;
use crate::model::calendar::described::described;
use crate::results::calendar::{CalendarEntry, NotTaken, SeasonEntry, SeasonSource};
use crate::results::findings::Finding;
use crate::results::numbers::whole;
use crate::settings::{Factor, Settings};

/// The codes of these findings.
pub(crate) const CODES: [&str; 3] =
    ["calendar_not_estimated", "season_unproven", "calendar_followed"];

/// What the reader should know of the calendar.
pub(crate) fn findings(fitted: &FittedPurchases, settings: &Settings) -> Vec<Finding> {
    // Only the months ahead depend on the day, and no sentence has them.
    let entry = described(fitted.calendar.as_ref(), fitted.gate.clone(), 0);
    let found = [not_estimated(fitted, settings), unproven(&entry), followed(&entry)];
    found.into_iter().flatten().collect()
}

/// Something must be estimated, and is not.
fn not_estimated(fitted: &FittedPurchases, settings: &Settings) -> Option<Finding> {
    let stated = &settings.calendar;
    let events = stated.events.iter().any(|event| matches!(event.factor, Factor::Unknown(_)));
    let season = stated.must_estimate() && fitted.gate.as_ref()?.season == Some(NotTaken::NoFit);
    let nothing = fitted.calendar.as_ref().is_none_or(|fit| fit.coefficients.is_empty());
    (season || events && nothing).then(|| {
        Finding::warning(
            "calendar_not_estimated",
            "the season or the events that the pipeline asks for could not be estimated, so the \
             forecast does not know them"
                .to_owned(),
            "give factors in calendar.index, or numbers as factors of events",
        )
    })
}

/// An estimated season that no forecast of the past speaks for.
fn unproven(entry: &CalendarEntry) -> Option<Finding> {
    let season = entry.season.as_ref().filter(|season| season.source != SeasonSource::Index)?;
    let gate = entry.gate.as_ref()?;
    let [high, low] = season.peak_and_trough();
    let (variant, message) = match (gate.errors, gate.deviance) {
        (Some([without, with]), Some([before, after])) if after >= before => (
            "worse",
            format!(
                "the season that the pipeline asks for made forecasts of the past no better: they \
                 were off by {} % with it and by {} % without",
                whole(100.0 * with),
                whole(100.0 * without)
            ),
        ),
        (None, _) => (
            "untested",
            "the season that the pipeline asks for could not be tried on the past of this log"
                .to_owned(),
        ),
        _ => return None,
    };
    let [without, with] = gate.errors.unwrap_or_default();
    let finding = Finding::warning(
        "season_unproven",
        format!("{message}; {} is its strongest month and {} its weakest", high.0, low.0),
        "set calendar.season = \"auto\", which takes a season only where it helps",
    );
    let finding = match variant {
        "worse" => finding.with("with", with).with("without", without),
        _ => finding,
    };
    Some(
        finding
            .with_variant(variant)
            .with("high_month", high.0.to_lowercase())
            .with("low_month", low.0.to_lowercase()),
    )
}

/// What was taken because it makes forecasts better.
fn followed(entry: &CalendarEntry) -> Option<Finding> {
    let gate = entry.gate.as_ref()?;
    let ([without, with], [before, after]) = (gate.errors?, gate.deviance?);
    if after >= before {
        return None;
    }
    let tested = format!(
        "forecasts of half a year of the past, four weeks at a time, were off by {} % with it and by {} % \
         without",
        whole(100.0 * with),
        whole(100.0 * without)
    );
    let season = entry.season.as_ref().filter(|season| season.source != SeasonSource::Index);
    let finding = match (season, entry.trend) {
        (Some(season), None) => note("season", format!("{}; {tested}", of_season(season))),
        (None, Some(trend)) => {
            let variant = if trend.yearly < 1.0 { "trend_falling" } else { "trend_rising" };
            note(variant, format!("{}; {tested}", of_trend(trend.yearly)))
        }
        (Some(season), Some(trend)) => {
            let variant = if trend.yearly < 1.0 { "both_falling" } else { "both_rising" };
            let both = format!("{}, and {}", of_season(season), of_trend(trend.yearly));
            note(variant, format!("{both}; {tested}"))
        }
        (None, None) => return None,
    };
    let finding = match season.map(SeasonEntry::peak_and_trough) {
        Some([(high_month, high), (low_month, low)]) => finding
            .with("high_month", high_month.to_lowercase())
            .with("high", high)
            .with("low_month", low_month.to_lowercase())
            .with("low", low),
        None => finding,
    };
    let finding = match entry.trend {
        Some(trend) => finding.with("yearly", (trend.yearly - 1.0).abs()),
        None => finding,
    };
    Some(finding.with("with", with).with("without", without))
}

fn note(variant: &'static str, message: String) -> Finding {
    let remedy = "nothing needs to be done; [calendar] says how to leave it out";
    Finding::note("calendar_followed", message, remedy).with_variant(variant)
}

fn of_season(season: &SeasonEntry) -> String {
    let [(high_month, high), (low_month, low)] = season.peak_and_trough();
    format!(
        "the forecast follows a season: a day in {high_month} has {high:.1} and one in {low_month} \
         {low:.1} times the orders of an average day"
    )
}

fn of_trend(yearly: f64) -> String {
    let change = yearly - 1.0;
    let more = if change < 0.0 { "fewer" } else { "more" };
    format!(
        "the same customers order {} % {more} with every year, which the forecast follows",
        whole(100.0 * change.abs())
    )
}
