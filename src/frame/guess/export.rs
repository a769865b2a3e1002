//! Guesses the columns of a customer export, which has one row per customer.

use crate::error::Error;
use crate::frame::guess::choice::{Choice, Parts, identifier};
use crate::frame::guess::inspect::Overview;
use crate::frame::guess::named::{
    Guess, LEAST_UNIQUE, MOST_ATTRIBUTES, Named, Reasons, spoken, uniqueness, used,
};
use crate::frame::guess::words::Topic;
use crate::frame::input::kinds::ColumnKind;
use crate::settings::{Columns, InputKind, ValueOf};

/// Most distinct lists in a column to keep: lists combine entries, so there are more of them.
const MOST_LISTS: usize = 500;

/// Customer ids, dates of first and last order, order counts and values. `Ok(None)` when one of
/// them is missing: the file is not an export. Values only may be missing, where the dates are named
/// and nothing in the file could be money.
///
/// # Errors
/// [`Error::Input`] when it is an export, but a date is of single channels or not of orders.
pub(crate) fn export(named: &[Named<'_>], overview: &Overview) -> Result<Option<Guess>, Error> {
    let Some(id) = customer(named) else {
        return Ok(None);
    };
    let (orders, values) = (counts(named, id.best), values(named, id.best));
    let is_value = |one: &&Named<'_>| values.taken.iter().any(|v| v.column.name == one.column.name);
    // A column of values does not count orders as well.
    let orders = Parts {
        taken: orders.taken.into_iter().filter(|one| !is_value(one)).collect(),
        left: orders.left,
    };
    let refused = |fault| Error::input(&overview.path, fault);
    let without_money = values.taken.is_empty()
        && is_export(named, &id)
        && !named.iter().any(Named::could_be_money);
    if orders.taken.is_empty() || (values.taken.is_empty() && !without_money) {
        return match incomplete(named, &id, orders.taken.is_empty()) {
            Some(fault) => Err(refused(fault)),
            None => Ok(None),
        };
    }
    let Some((first, last)) = first_and_last(named).map_err(refused)? else {
        return Ok(None);
    };
    let names = |parts: &Parts<'_>| parts.taken.iter().map(|one| one.column.name.clone()).collect();
    let mut columns = Columns {
        customer_id: id.name(),
        first_order_date: Some(first.name()),
        last_order_date: Some(last.name()),
        orders: names(&orders),
        value: names(&values),
        ..Columns::default()
    };
    columns.keep = kept(named, &columns, overview);
    let (channel, categories) = spoken(&columns.keep);
    let reasons = reasons(&id, [&first, &last], &orders, &values);
    let (kind, cancelled) = (InputKind::Customers, None);
    let value_of = ValueOf::Line;
    Ok(Some(Guess { kind, columns, cancelled, value_of, channel, categories, reasons }))
}

/// What is missing in a file that can only be an export: one row per customer, with the dates of the
/// first and the last order.
fn incomplete(named: &[Named<'_>], id: &Choice<'_>, no_orders: bool) -> Option<String> {
    let what = if no_orders { "counts orders" } else { "holds what customers spent" };
    let columns: Vec<String> = named
        .iter()
        .map(|one| format!("{:?} ({})", one.column.name, one.column.kind.name()))
        .collect();
    is_export(named, id).then(|| {
        format!(
            "this is a customer export, one row per customer, but no column {what}; there are {}. Are \
             its numbers written in a way that is not read? `cltv check` shows each column",
            columns.join(", ")
        )
    })
}

/// Whether a file can only be an export: no customer comes twice, and there are dates that are named
/// as the first and the last.
fn is_export(named: &[Named<'_>], id: &Choice<'_>) -> bool {
    let dated = |topic: Topic| named.iter().any(|one| one.is_date() && one.words.about(topic));
    dated(Topic::First)
        && dated(Topic::Last)
        && id.best.column.repeated == 0
        && !id.best.words.about_any(&[Topic::Order, Topic::Invoice])
}

/// The column of customer ids: by name, if hardly any value repeats. Without such a name, the only
/// column of codes without blank or repeated values that is not about orders.
fn customer<'a>(named: &'a [Named<'a>]) -> Option<Choice<'a>> {
    if let Some(id) = identifier(named) {
        return (uniqueness(id.best.column) >= LEAST_UNIQUE).then_some(id);
    }
    Choice::only(named, |one| {
        let is_full = one.column.blank == 0 && one.column.repeated == 0;
        let of_orders = one.words.about_any(&[Topic::Order, Topic::Invoice]);
        one.is_code() && is_full && !of_orders
    })
}

fn reasons(
    id: &Choice<'_>,
    dates: [&Choice<'_>; 2],
    orders: &Parts<'_>,
    values: &Parts<'_>,
) -> Reasons {
    let twice = match id.best.column.repeated {
        0 => "no value occurs twice".to_owned(),
        again => {
            format!("{again} values occur more than once: of their rows only the first is used")
        }
    };
    let span = |date: &Choice<'_>| {
        let end = |value: &Option<String>| value.clone().unwrap_or_default();
        let column = date.best.column;
        date.remark(&format!("{} to {}", end(&column.lowest), end(&column.highest)))
    };
    let added = "added up: does one count orders that another has too?";
    let spent = "added up: what the customer spent on all those orders";
    vec![
        ("customer_id", id.remark(&twice)),
        ("first_order_date", span(dates[0])),
        ("last_order_date", span(dates[1])),
        ("orders", orders.remark(added)),
        ("value", values.remark(spent)),
        ("keep", "carried through to the output, and used for the advice".to_owned()),
    ]
}

/// Dates of the first and last order, by name. Without such names there must be exactly two columns
/// of dates; the one that begins earlier is the first.
fn first_and_last<'a>(named: &'a [Named<'a>]) -> Result<Option<(Choice<'a>, Choice<'a>)>, String> {
    let (first, last) = (dated(named, Topic::First)?, dated(named, Topic::Last)?);
    if let (Some(first), Some(last)) = (first, last) {
        if of_what(first.best).abs_diff(of_what(last.best)) > 1 {
            return Err(unlike(&first, &last));
        }
        let same = first.best.column.name == last.best.column.name;
        return Ok((!same).then_some((first, last)));
    }
    let mut dates: Vec<&Named<'_>> = named.iter().filter(|one| one.is_date()).collect();
    dates.sort_by(|a, b| a.column.lowest.cmp(&b.column.lowest));
    let alone = |best| Choice { best, others: Vec::new() };
    Ok(match dates.as_slice() {
        [first, last] if first.column.highest <= last.column.highest => {
            Some((alone(*first), alone(*last)))
        }
        _ => None,
    })
}

fn unlike(first: &Choice<'_>, last: &Choice<'_>) -> String {
    let [orders, other] =
        if of_what(first.best) == 0 { [first, last] } else { [last, first] }.map(Choice::name);
    format!(
        "{orders:?} is about orders and {other:?} is not: both the first and the last order of a \
         customer are needed. If {other:?} is the date of one, write a pipeline file with \
         [input.columns] (pipelines/README.md) and run `cltv check` on it"
    )
}

/// Rank of a date by its name: 0 for orders, 1 for nothing specific, 2 for something else, such as
/// a login.
fn of_what(one: &Named<'_>) -> u8 {
    let plain = [Topic::Date, Topic::First, Topic::Last, Topic::Customer];
    match one.words.about(Topic::Order) {
        true => 0,
        false if one.words.is_only_of(&plain) => 1,
        false => 2,
    }
}

/// The date of the first or last order over all channels.
fn dated<'a>(named: &'a [Named<'a>], topic: Topic) -> Result<Option<Choice<'a>>, String> {
    let passes = |one: &Named<'_>| one.is_date() && one.words.about(topic);
    let of_channel = |one: &Named<'_>| one.words.about(Topic::OneChannel);
    let rank = |one: &Named<'_>| (passes(one) && !of_channel(one)).then(|| of_what(one));
    let found = Choice::of(named, rank);
    let parts: Vec<String> = named
        .iter()
        .filter(|one| passes(one) && of_channel(one))
        .map(|one| format!("{:?}", one.column.name))
        .collect();
    let of_orders = found.as_ref().is_some_and(|choice| of_what(choice.best) < 2);
    if parts.is_empty() || of_orders {
        return Ok(found);
    }
    let which = if topic == Topic::First { "first" } else { "last" };
    let end = if topic == Topic::First { "earliest" } else { "latest" };
    Err(format!(
        "there is no date of the {which} order over all channels, only {}: add a column \
         {which}_order_date with the {end} of them",
        parts.join(", ")
    ))
}

/// Columns that count orders: by name, else the only one with whole numbers from 1.
fn counts<'a>(named: &'a [Named<'a>], id: &Named<'_>) -> Parts<'a> {
    let no_count =
        [Topic::Date, Topic::First, Topic::Last, Topic::Channel, Topic::Value, Topic::Mean];
    let may_count = |one: &Named<'_>| {
        one.column.kind == ColumnKind::Integer
            && one.is_not_negative()
            && !one.words.about_any(&no_count)
            && one.column.name != id.column.name
    };
    let by_name = |one: &&Named<'_>| {
        may_count(one)
            && one.words.about(Topic::Order)
            && (one.words.about(Topic::Count) || !one.words.about(Topic::Identifier))
    };
    let from_one = |one: &Named<'_>| {
        may_count(one)
            && !one.words.about(Topic::Aside)
            && one.column.range.is_some_and(|(low, _)| low >= 1.0)
    };
    parts_or(named.iter().filter(by_name).collect(), || Choice::only(named, from_one))
}

/// Columns with what customers spent: by name, else the only one with fractions.
fn values<'a>(named: &'a [Named<'a>], id: &Named<'_>) -> Parts<'a> {
    let no_value =
        [Topic::Date, Topic::First, Topic::Last, Topic::Mean, Topic::Count, Topic::Identifier];
    let by_topic = |topic: Topic| -> Vec<&'a Named<'a>> {
        let is_value = |one: &&Named<'_>| {
            one.is_number()
                && one.words.about(topic)
                && !one.words.about_any(&no_value)
                && one.column.name != id.column.name
        };
        named.iter().filter(is_value).collect()
    };
    let is_live = |one: &&Named<'_>| !one.words.about(Topic::Aside);
    // Names of totals and prices say less: they count only where no column is named a value.
    let mut by_name = by_topic(Topic::Value);
    if !by_name.iter().any(is_live) {
        let of_money = |one: &&Named<'_>| {
            !one.words.about(Topic::Order) || one.column.kind == ColumnKind::Number
        };
        let totals = by_topic(Topic::Total).into_iter().filter(of_money);
        by_name.extend(totals.filter(is_live));
    }
    let with_fractions = |one: &Named<'_>| {
        one.column.kind == ColumnKind::Number
            && !one.words.about_any(&no_value[..4])
            && !one.words.about(Topic::Aside)
    };
    parts_or(by_name, || Choice::only(named, with_fractions))
}

/// The columns by name, else the one from `other`.
fn parts_or<'a>(
    by_name: Vec<&'a Named<'a>>,
    other: impl FnOnce() -> Option<Choice<'a>>,
) -> Parts<'a> {
    let mut parts = Parts::of(by_name);
    if parts.taken.is_empty() {
        parts.taken.extend(other().map(|choice| choice.best));
    }
    parts
}

fn kept(named: &[Named<'_>], columns: &Columns, overview: &Overview) -> Vec<String> {
    let used = used(columns);
    let keep =
        named.iter().filter(|one| !used.contains(&one.column.name) && is_kept(one, overview));
    keep.map(|one| one.column.name.clone()).collect()
}

/// Whether a column describes customers and is worth keeping.
fn is_kept(one: &Named<'_>, overview: &Overview) -> bool {
    let most = match one.column.kind {
        ColumnKind::Text => MOST_ATTRIBUTES,
        ColumnKind::List => MOST_LISTS,
        _ => return false,
    };
    let by_name = one.words.about_any(&[Topic::Channel, Topic::Category, Topic::Attribute]);
    let few = one.column.distinct >= 2
        && one.column.distinct <= most
        && one.column.distinct * 2 <= overview.counted_rows;
    few || by_name
}
