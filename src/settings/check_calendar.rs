//! Rules on `[calendar]` that types cannot express.

use std::collections::BTreeMap;

use crate::settings::calendar::{Event, Factor, Season, SeasonName, Waves};
use crate::settings::sections::{Settings, Summary};
use crate::settings::types::{FrequencyKind, InputKind, PurchaseModelName};

/// Most waves of a year: shorter ones are no season.
const MOST_HARMONICS: u8 = 6;

/// Every fault of the section, each a sentence.
pub(super) fn check(settings: &Settings, faults: &mut Vec<String>) {
    let calendar = &settings.calendar;
    of_events(&calendar.events, faults);
    if let Some(Season::Waves(Waves { harmonics })) = calendar.season
        && !(1..=MOST_HARMONICS).contains(&harmonics)
    {
        faults.push(format!(
            "calendar.season: {harmonics} harmonics is not between 1 and {MOST_HARMONICS}"
        ));
    }
    let none = Season::Named(SeasonName::None);
    if calendar.index.is_some() && calendar.season.is_some_and(|season| season != none) {
        faults.push(
            "calendar.index is a season already: remove calendar.season, or the index".to_owned(),
        );
    }
    if calendar.index.as_ref().is_some_and(String::is_empty) {
        faults.push("calendar.index is empty: name a CSV file".to_owned());
    }
    if calendar.is_stated() && settings.purchases.model == PurchaseModelName::ParetoNbd {
        faults.push(
            "[calendar] is not worked out for pareto_nbd, whose customers leave in calendar time: \
             choose auto, bg_nbd, mbg_nbd or nbd"
                .to_owned(),
        );
    }
    if !calendar.must_estimate() {
        return;
    }
    if settings.input.kind == InputKind::Customers {
        faults.push(
            "[calendar] cannot be estimated from a customer export, which has no single orders: \
             give factors in calendar.index, or numbers as factors of events"
                .to_owned(),
        );
    }
    let Summary { frequency, min_orders, .. } = settings.summary;
    if frequency == FrequencyKind::Orders || min_orders > 1 {
        faults.push(
            "[calendar] is estimated from repeat orders of all customers: write summary.frequency = \
             \"repeat_orders\" and summary.min_orders = 1, or give factors"
                .to_owned(),
        );
    }
    if settings.selection.is_some() {
        faults.push(
            "[calendar] cannot be estimated beside [selection], whose window looks like a season: \
             give factors in calendar.index, or numbers as factors of events"
                .to_owned(),
        );
    }
    if settings.purchases.l2_penalty > 0.0 {
        faults.push(
            "[calendar] needs purchases.l2_penalty = 0 where it is estimated: a penalised estimate \
             has no standard errors"
                .to_owned(),
        );
    }
}

fn of_events(events: &[Event], faults: &mut Vec<String>) {
    let mut kinds: BTreeMap<&str, bool> = BTreeMap::new();
    for Event { name, from, to, factor } in events {
        if name.trim().is_empty() {
            faults.push("calendar.events: an event has no name".to_owned());
        }
        if from > to {
            faults.push(format!(
                "calendar.events: {name:?} ends on {to}, before it begins on {from}"
            ));
        }
        if let Factor::Known(factor) = factor
            && !(factor.is_finite() && (0.01..=100.0).contains(factor))
        {
            faults.push(format!(
                "calendar.events: the factor {factor} of {name:?} is not between 0.01 and 100"
            ));
        }
        let estimated = matches!(factor, Factor::Unknown(_));
        if kinds.insert(name.trim(), estimated).is_some_and(|before| before != estimated) {
            faults.push(format!(
                "calendar.events: {name:?} has a number as its factor in one entry and \"estimate\" \
                 in another; give them different names"
            ));
        }
    }
    for (i, event) in events.iter().enumerate() {
        let overlapping = |other: &&Event| {
            other.name.trim() == event.name.trim()
                && other.from <= event.to
                && event.from <= other.to
        };
        if events[..i].iter().any(|other| overlapping(&other)) {
            faults.push(format!(
                "calendar.events: {:?} has two entries that share days; make them one",
                event.name
            ));
        }
    }
}
