//! Which column is what in a file that nobody described: by name, in English or Turkish, and by what
//! stands in it. A name counts only where the content bears it out.

use super::inspect::{Column, Kind, Overview};
use super::marks;
use super::names::{Topic, Words};
use crate::error::Error;
use crate::settings::{Cancelled, Columns, InputKind};

/// An export has at least so many different identifiers a row; a log has fewer.
const LEAST_UNIQUE: f64 = 0.9;
/// A column with more different values is no attribute of an export's customers.
const MOST_ATTRIBUTES: usize = 50;
/// The same of lists, of which there are as many as combinations.
const MOST_LISTS: usize = 500;

/// What a file was taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// One row a customer, or one an order line.
    pub kind: InputKind,
    /// Which column is what.
    pub columns: Columns,
    /// Which lines are cancellations.
    pub cancelled: Option<Cancelled>,
    /// Kept columns that hold the channel, where their names do not say so in English.
    pub channel: Option<String>,
    /// The same of categories.
    pub categories: Option<String>,
    /// For keys of `[input.columns]` and `transactions.cancelled`, what the guess rests on.
    pub reasons: Vec<(&'static str, String)>,
}

impl Guess {
    /// What the guess of a key rests on.
    pub fn reason(&self, key: &str) -> &str {
        self.reasons.iter().find(|(known, _)| *known == key).map_or("", |(_, reason)| reason)
    }
}

/// Guesses; reads the rows again only for cancellations and for columns to keep of a log.
///
/// # Errors
/// [`Error::Input`] when the columns are neither those of a customer export nor those of an order
/// log.
pub fn guess(overview: &Overview) -> Result<Guess, Error> {
    let named = Named::all(overview);
    if let Some(guess) = export(&named, overview) {
        return Ok(guess);
    }
    match log(&named) {
        Some(guess) => marks::complete(guess, overview),
        None => Err(Error::input(&overview.path, unknown(overview))),
    }
}

fn unknown(overview: &Overview) -> String {
    let columns: Vec<String> =
        overview.columns.iter().map(|c| format!("{:?} ({})", c.name, c.kind.name())).collect();
    let comma: Vec<String> = overview
        .columns
        .iter()
        .filter(|column| column.decimal_comma)
        .map(|column| format!("{:?}", column.name))
        .collect();
    let hint = match comma.as_slice() {
        [] => String::new(),
        names => format!(
            "; {} look like numbers with a decimal comma: write them with a point",
            names.join(", ")
        ),
    };
    format!(
        "cannot tell which column is what; there are {}{hint}. Write a pipeline file with \
         [input.columns] (pipelines/README.md) and check that",
        columns.join(", ")
    )
}

/// A column with the words of its name.
pub(super) struct Named<'a> {
    pub(super) column: &'a Column,
    pub(super) words: Words,
}

impl<'a> Named<'a> {
    fn all(overview: &'a Overview) -> Vec<Self> {
        let one = |column: &'a Column| Self { column, words: Words::of(&column.name) };
        overview.columns.iter().map(one).collect()
    }

    fn is_number(&self) -> bool {
        matches!(self.column.kind, Kind::Integer | Kind::Number)
    }

    fn is_not_negative(&self) -> bool {
        self.is_number() && self.column.range.is_some_and(|(low, _)| low >= 0.0)
    }

    fn is_code(&self) -> bool {
        matches!(self.column.kind, Kind::Integer | Kind::Text)
    }

    fn is_date(&self) -> bool {
        self.column.kind == Kind::Date
    }
}

/// The plainest of the columns that pass.
fn plainest<'a>(
    named: &'a [Named<'a>],
    passes: impl Fn(&Named<'_>) -> bool,
) -> Option<&'a Named<'a>> {
    named.iter().filter(|one| passes(one)).min_by_key(|one| one.words.length())
}

/// The only column that passes.
fn only<'a>(named: &'a [Named<'a>], passes: impl Fn(&Named<'_>) -> bool) -> Option<&'a Named<'a>> {
    let mut found = named.iter().filter(|one| passes(one));
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// The share of different values among the values of a column.
fn uniqueness(column: &Column) -> f64 {
    column.distinct as f64 / (column.distinct + column.repeated).max(1) as f64
}

/// The column of customer ids by name.
fn identifier<'a>(named: &'a [Named<'a>]) -> Option<&'a Named<'a>> {
    let not_id = [Topic::Date, Topic::Value, Topic::Channel, Topic::Count, Topic::Mean];
    let full = |one: &Named<'_>| {
        one.is_code()
            && one.words.about(Topic::Customer)
            && one.words.about(Topic::Identifier)
            && !one.words.about_any(&not_id[..3])
    };
    let is_only = |topic: Topic| move |one: &Named<'_>| one.is_code() && one.words.is_only(topic);
    plainest(named, full)
        .or_else(|| plainest(named, is_only(Topic::Customer)))
        .or_else(|| plainest(named, is_only(Topic::Identifier)))
}

type Reasons = Vec<(&'static str, String)>;

/// One row a customer: two dates, order counts and values.
fn export(named: &[Named<'_>], overview: &Overview) -> Option<Guess> {
    let mut reasons = Reasons::new();
    let is_unique = |one: &Named<'_>| uniqueness(one.column) >= LEAST_UNIQUE;
    let all_unique =
        |one: &Named<'_>| one.is_code() && one.column.blank == 0 && one.column.repeated == 0;
    let id = identifier(named).filter(|one| is_unique(one));
    let id = id.or_else(|| only(named, all_unique))?;
    let again = id.column.repeated;
    reasons.push((
        "customer_id",
        match again {
            0 => "no value stands twice".to_owned(),
            _ => format!("{again} values stand twice: of those rows only the first is kept"),
        },
    ));
    let (first, last) = first_and_last(named)?;
    let span = |one: &Named<'_>| {
        let end = |value: &Option<String>| value.clone().unwrap_or_default();
        format!("{} to {}", end(&one.column.lowest), end(&one.column.highest))
    };
    reasons.extend([("first_order_date", span(first)), ("last_order_date", span(last))]);
    let (orders, values) = (counts(named, id), values(named, id));
    let orders: Vec<&Named<'_>> = orders
        .into_iter()
        .filter(|o| !values.iter().any(|v| v.column.name == o.column.name))
        .collect();
    if orders.is_empty() || values.is_empty() {
        return None;
    }
    reasons.push(("orders", "added up: does one count orders that another has too?".to_owned()));
    reasons.push(("value", "added up: what the customer spent on all those orders".to_owned()));
    let name = |one: &Named<'_>| one.column.name.clone();
    let columns = Columns {
        customer_id: name(id),
        first_order_date: Some(name(first)),
        last_order_date: Some(name(last)),
        orders: orders.into_iter().map(name).collect(),
        value: values.into_iter().map(name).collect(),
        ..Columns::default()
    };
    let used = used(&columns);
    let keep =
        named.iter().filter(|one| !used.contains(&one.column.name) && is_kept(one, overview));
    let keep: Vec<String> = keep.map(name).collect();
    let (channel, categories) = spoken(&keep);
    reasons.push(("keep", "carried through to the output, and used for the advice".to_owned()));
    let columns = Columns { keep, ..columns };
    Some(Guess {
        kind: InputKind::Customers,
        columns,
        cancelled: None,
        channel,
        categories,
        reasons,
    })
}

/// Dates of the first and last order, by name; of two columns of dates without such names, the one
/// that begins earlier is the first.
fn first_and_last<'a>(named: &'a [Named<'a>]) -> Option<(&'a Named<'a>, &'a Named<'a>)> {
    let by_name =
        |topic: Topic| plainest(named, |one: &Named<'_>| one.is_date() && one.words.about(topic));
    if let (Some(first), Some(last)) = (by_name(Topic::First), by_name(Topic::Last)) {
        return (first.column.name != last.column.name).then_some((first, last));
    }
    let mut dates: Vec<&Named<'_>> = named.iter().filter(|one| one.is_date()).collect();
    dates.sort_by(|a, b| a.column.lowest.cmp(&b.column.lowest));
    match dates.as_slice() {
        [first, last] if first.column.highest <= last.column.highest => Some((first, last)),
        _ => None,
    }
}

/// Columns that count orders: by name, else the only one with whole numbers from 1.
fn counts<'a>(named: &'a [Named<'a>], id: &Named<'_>) -> Vec<&'a Named<'a>> {
    let no_count =
        [Topic::Date, Topic::First, Topic::Last, Topic::Channel, Topic::Value, Topic::Mean];
    let is_whole = |one: &Named<'_>| one.column.kind == Kind::Integer && one.is_not_negative();
    let is_count = |one: &&Named<'_>| {
        is_whole(one)
            && one.words.about(Topic::Order)
            && (one.words.about(Topic::Count) || !one.words.about(Topic::Identifier))
            && !one.words.about_any(&no_count)
            && one.column.name != id.column.name
    };
    let by_name: Vec<&Named<'_>> = named.iter().filter(is_count).collect();
    let from_one = |one: &Named<'_>| {
        is_whole(one)
            && one.column.range.is_some_and(|(low, _)| low >= 1.0)
            && one.column.name != id.column.name
            && !one.words.about_any(&no_count)
    };
    if by_name.is_empty() { only(named, from_one).into_iter().collect() } else { parts(by_name) }
}

/// Columns with what customers spent: by name, else the only one with fractions.
fn values<'a>(named: &'a [Named<'a>], id: &Named<'_>) -> Vec<&'a Named<'a>> {
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
    let by_name = match by_topic(Topic::Value) {
        none if none.is_empty() => {
            let of_money = |one: &&Named<'_>| {
                !one.words.about(Topic::Order) || one.column.kind == Kind::Number
            };
            by_topic(Topic::Total).into_iter().filter(of_money).collect()
        }
        found => found,
    };
    let with_fractions =
        |one: &Named<'_>| one.column.kind == Kind::Number && !one.words.about_any(&no_value[..4]);
    if by_name.is_empty() {
        only(named, with_fractions).into_iter().collect()
    } else {
        parts(by_name)
    }
}

/// Channels without their total, where all share a word and only some name a channel: a total
/// beside its parts would count everything twice.
fn parts<'a>(columns: Vec<&'a Named<'a>>) -> Vec<&'a Named<'a>> {
    let is_part = |one: &&Named<'_>| one.words.about(Topic::OneChannel);
    let channels: Vec<&Named<'_>> = columns.iter().copied().filter(is_part).collect();
    if channels.len() > 1 { channels } else { columns }
}

fn used(columns: &Columns) -> Vec<String> {
    let mut used = vec![columns.customer_id.clone()];
    let single = [
        &columns.first_order_date,
        &columns.last_order_date,
        &columns.order_date,
        &columns.order_id,
        &columns.quantity,
        &columns.unit_price,
    ];
    used.extend(single.into_iter().flatten().cloned());
    used.extend(columns.orders.iter().chain(&columns.value).cloned());
    used
}

/// Whether a column of an export says something about customers that is worth carrying along.
fn is_kept(one: &Named<'_>, overview: &Overview) -> bool {
    let most = match one.column.kind {
        Kind::Text => MOST_ATTRIBUTES,
        Kind::List => MOST_LISTS,
        _ => return false,
    };
    let by_name = one.words.about_any(&[Topic::Channel, Topic::Category, Topic::Attribute]);
    let few = one.column.distinct >= 2
        && one.column.distinct <= most
        && one.column.distinct * 2 <= overview.counted_rows;
    few || by_name
}

/// Channel and categories among kept columns, where the settings would not find them: those look for
/// English names.
pub(super) fn spoken(keep: &[String]) -> (Option<String>, Option<String>) {
    let one = |topic: Topic, english: &str| {
        let known = keep.iter().any(|name| name.to_lowercase().contains(english));
        let found = keep.iter().find(|name| Words::of(name).about(topic));
        found.filter(|_| !known).cloned()
    };
    (one(Topic::Channel, "channel"), one(Topic::Category, "categor"))
}

/// One row an order or order line: a date, and a value or quantity and price.
fn log(named: &[Named<'_>]) -> Option<Guess> {
    let date = plainest(named, |one| one.is_date() && one.words.about(Topic::Order))
        .or_else(|| plainest(named, |one| one.is_date() && one.words.about(Topic::Date)))
        .or_else(|| only(named, |one| one.is_date()))?;
    let number = |topic: Topic, not: &[Topic]| {
        plainest(named, |one: &Named<'_>| {
            one.is_number()
                && one.words.about(topic)
                && !one.words.about_any(not)
                && !one.words.about_any(&[Topic::Mean, Topic::Identifier, Topic::Article])
        })
    };
    let quantity = number(Topic::Quantity, &[Topic::Price, Topic::Value]);
    let price = number(Topic::Price, &[]);
    let value = number(Topic::Value, &[])
        .or_else(|| number(Topic::Total, &[Topic::Count]))
        .or_else(|| only(named, |one| one.column.kind == Kind::Number));
    let name = |one: &Named<'_>| one.column.name.clone();
    let mut columns = match (quantity, price) {
        (Some(quantity), Some(price)) => Columns {
            quantity: Some(name(quantity)),
            unit_price: Some(name(price)),
            ..Columns::default()
        },
        _ => Columns { value: vec![name(value?)], ..Columns::default() },
    };
    columns.order_date = Some(name(date));
    columns.order_id = order_id(named).map(name);
    let used = used(&columns);
    let other = [Topic::Article, Topic::Order, Topic::Status, Topic::Channel, Topic::Category];
    let repeats = |one: &Named<'_>| {
        one.is_code()
            && !used.contains(&one.column.name)
            && !one.words.about_any(&other)
            && one.column.distinct > MOST_ATTRIBUTES
            && uniqueness(one.column) < LEAST_UNIQUE
    };
    let id = identifier(named).filter(|one| !used.contains(&one.column.name));
    let id = id.or_else(|| only(named, repeats))?;
    columns.customer_id = name(id);
    let instead =
        match value.filter(|value| price.is_none_or(|p| p.column.name != value.column.name)) {
            Some(value) => format!("or write value = {:?} in place of both", value.column.name),
            None => String::new(),
        };
    let each = 1.0 / uniqueness(id.column).max(f64::MIN_POSITIVE);
    let reasons = vec![
        (
            "customer_id",
            format!("{:.1} rows each; {} rows without one are set aside", each, id.column.blank),
        ),
        ("order_date", date.column.date_format.clone().unwrap_or_default()),
        ("order_id", "used where merge_same_day = false".to_owned()),
        ("quantity", "times unit_price is the value of a line".to_owned()),
        ("unit_price", instead),
        ("value", "of a line; is it the line's total, not the price of one piece?".to_owned()),
    ];
    let (cancelled, channel, categories) = (None, None, None);
    Some(Guess { kind: InputKind::Transactions, columns, cancelled, channel, categories, reasons })
}

fn order_id<'a>(named: &'a [Named<'a>]) -> Option<&'a Named<'a>> {
    let no_order = [Topic::Date, Topic::Status, Topic::Channel, Topic::Customer, Topic::Value];
    let is_id = |one: &Named<'_>| {
        let invoice = one.words.is_only(Topic::Invoice);
        let order = one.words.about(Topic::Order) || one.words.about(Topic::Invoice);
        one.is_code()
            && (invoice || (order && one.words.about(Topic::Identifier)))
            && !one.words.about_any(&no_order)
    };
    plainest(named, is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: Kind, distinct: usize, range: (f64, f64)) -> Column {
        Column {
            name: name.to_owned(),
            kind,
            date_format: None,
            blank: 0,
            unreadable: 0,
            distinct,
            repeated: 1000 - distinct,
            lowest: Some(range.0.to_string()),
            highest: Some(range.1.to_string()),
            example: None,
            decimal_comma: false,
            range: Some(range),
        }
    }

    /// A file of 1000 rows.
    fn file(columns: Vec<Column>) -> Overview {
        Overview {
            path: String::new(),
            files: 1,
            rows: 1000,
            columns,
            repeated_rows: 0,
            counted_rows: 1000,
            first_rows: Vec::new(),
        }
    }

    fn guessed_export(columns: Vec<Column>) -> Option<Guess> {
        let overview = file(columns);
        export(&Named::all(&overview), &overview)
    }

    #[test]
    fn a_total_beside_its_parts_is_not_added() {
        let overview = file(vec![
            column("orders_total", Kind::Integer, 9, (0.0, 9.0)),
            column("orders_online", Kind::Integer, 9, (0.0, 9.0)),
            column("orders_offline", Kind::Integer, 9, (0.0, 9.0)),
        ]);
        let named = Named::all(&overview);
        let names: Vec<&str> =
            parts(named.iter().collect()).iter().map(|one| one.column.name.as_str()).collect();
        assert_eq!(names, ["orders_online", "orders_offline"]);
    }

    #[test]
    fn an_export_without_telling_names() {
        let columns = vec![
            column("a", Kind::Text, 1000, (0.0, 0.0)),
            column("b", Kind::Date, 300, (2.0, 8.0)),
            column("c", Kind::Date, 300, (1.0, 7.0)),
            column("d", Kind::Integer, 9, (1.0, 9.0)),
            column("e", Kind::Number, 900, (0.5, 90.5)),
            column("f", Kind::Text, 4, (0.0, 0.0)),
        ];
        let found = guessed_export(columns).expect("an export").columns;
        assert_eq!(found.customer_id, "a");
        assert_eq!(found.first_order_date.as_deref(), Some("c"));
        assert_eq!((found.orders, found.value), (vec!["d".to_owned()], vec!["e".to_owned()]));
        assert_eq!(found.keep, ["f"]);
    }

    #[test]
    fn names_that_the_content_contradicts_do_not_count() {
        let columns = |kind| {
            vec![
                column("customer_id", Kind::Text, 1000, (0.0, 0.0)),
                column("first_order_date", kind, 300, (1.0, 7.0)),
                column("last_order_date", Kind::Date, 300, (2.0, 8.0)),
                column("orders", Kind::Integer, 9, (1.0, 9.0)),
                column("total_spend", Kind::Number, 900, (0.5, 90.5)),
            ]
        };
        assert!(guessed_export(columns(Kind::Date)).is_some());
        assert_eq!(guessed_export(columns(Kind::Text)), None);
    }

    #[test]
    fn the_columns_of_a_log() {
        let overview = file(vec![
            column("Id", Kind::Integer, 200, (1.0, 200.0)),
            column("Date", Kind::Date, 300, (1.0, 7.0)),
            column("Price", Kind::Number, 300, (1.0, 7.0)),
        ]);
        let found = log(&Named::all(&overview)).expect("a log").columns;
        assert_eq!(found.value, ["Price"]);
        assert_eq!(found.customer_id, "Id");
    }
}
