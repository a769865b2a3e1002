//! Which column is what in a file that nobody described: by name, in English or Turkish, and by what
//! stands in it. A name counts only where the content bears it out.

pub mod cancellations;
mod choice;
mod export;
pub mod inspect;
pub mod words;

use choice::Choice;

use crate::error::Error;
use crate::frame::guess::inspect::{Column, Kind, Overview};
use crate::frame::guess::words::{Topic, Words};
use crate::settings::{Cancelled, Columns, InputKind};

/// An export has at least so many different identifiers a row; a log has fewer.
const LEAST_UNIQUE: f64 = 0.9;
/// A column with more different values is no attribute of an export's customers.
const MOST_ATTRIBUTES: usize = 50;

/// What to do about numbers such as 1.234.
const WITHOUT_POINTS: &str =
    "Write the numbers without points for thousands (1234), or with two decimals (1.23)";

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
    /// Why numbers of the guessed columns could be read wrongly: a point before three digits may stand
    /// for thousands.
    pub fn ambiguous(&self, overview: &Overview) -> Option<String> {
        let Columns { orders, value, quantity, unit_price, .. } = &self.columns;
        let numbers: Vec<&String> =
            orders.iter().chain(value).chain(quantity).chain(unit_price).collect();
        let doubtful =
            |column: &&Column| column.thousands_points && numbers.contains(&&column.name);
        let columns = overview.columns.iter().filter(doubtful);
        let names: Vec<String> = columns.map(|column| format!("{:?}", column.name)).collect();
        (!names.is_empty()).then(|| {
            format!(
                "every point in the numbers of {} has three digits after it: a run reads 1.234 as \
                 a little more than one, but it may be more than a thousand. {WITHOUT_POINTS}",
                names.join(", ")
            )
        })
    }

    /// What the guess of a key rests on.
    pub fn reason(&self, key: &str) -> &str {
        self.reasons.iter().find(|(known, _)| *known == key).map_or("", |(_, reason)| reason)
    }
}

/// Guesses; reads the rows again only for cancellations and for columns to keep of a log.
///
/// # Errors
/// [`Error::Input`] when the columns are neither those of a customer export nor those of an order
/// log, or those of an export whose dates are not those of the first and last order.
pub fn guess(overview: &Overview) -> Result<Guess, Error> {
    let named = Named::all(overview);
    if let Some(guess) = export::export(&named, overview)? {
        return Ok(guess);
    }
    match log(&named) {
        Some(guess) => cancellations::complete(guess, overview),
        None => Err(Error::input(&overview.path, unknown(overview))),
    }
}

fn unknown(overview: &Overview) -> String {
    let columns: Vec<String> =
        overview.columns.iter().map(|c| format!("{:?} ({})", c.name, c.kind.name())).collect();
    let such = |is: fn(&Column) -> bool| -> Option<String> {
        let names = overview.columns.iter().filter(|column| is(column));
        let names: Vec<String> = names.map(|column| format!("{:?}", column.name)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let comma = such(|column| column.decimal_comma).map_or(String::new(), |names| {
        format!("; {names} look like numbers with a decimal comma: write them with a point")
    });
    let thousands = such(|column| column.thousands_points).map_or(String::new(), |names| {
        format!("; {names}: is 1.234 more than a thousand? {WITHOUT_POINTS}")
    });
    let hint = comma + &thousands;
    format!(
        "cannot tell which column is what; there are {}{hint}. Write a pipeline file with \
         [input.columns] (pipelines/README.md) and check that",
        columns.join(", ")
    )
}

/// A column with the words of its name.
pub(crate) struct Named<'a> {
    pub(crate) column: &'a Column,
    pub(crate) words: Words,
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

/// The share of different values among the values of a column.
fn uniqueness(column: &Column) -> f64 {
    column.distinct as f64 / (column.distinct + column.repeated).max(1) as f64
}

/// The column of customer ids by name: customers before users and members, who may be others.
fn identifier<'a>(named: &'a [Named<'a>]) -> Option<Choice<'a>> {
    let no_id = [Topic::Date, Topic::Value, Topic::Channel, Topic::Order, Topic::Invoice];
    Choice::of(named, |one| {
        let words = &one.words;
        let full = words.about(Topic::Customer)
            && words.about(Topic::Identifier)
            && !words.about_any(&no_id);
        let rank = match (full, words.about(Topic::Account)) {
            (true, false) => 0,
            (true, true) => 1,
            (false, false) if words.is_only(Topic::Customer) => 2,
            (false, true) if words.is_only(Topic::Customer) => 3,
            (false, _) if words.is_only(Topic::Identifier) => 4,
            _ => return None,
        };
        one.is_code().then_some(rank)
    })
}

type Reasons = Vec<(&'static str, String)>;

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

/// Channel and categories among kept columns, where the settings would not find them: those look for
/// English names.
pub(crate) fn spoken(keep: &[String]) -> (Option<String>, Option<String>) {
    let one = |topic: Topic, english: &str| {
        let known = keep.iter().any(|name| name.to_lowercase().contains(english));
        let found = keep.iter().find(|name| Words::of(name).about(topic));
        found.filter(|_| !known).cloned()
    };
    (one(Topic::Channel, "channel"), one(Topic::Category, "categor"))
}

/// One row an order or order line: a date, and a value or quantity and price.
fn log(named: &[Named<'_>]) -> Option<Guess> {
    let date = order_date(named)?;
    let quantity = number(named, Topic::Quantity, &[Topic::Price, Topic::Value]);
    let price = number(named, Topic::Price, &[Topic::Sum]);
    let value = number(named, Topic::Value, &[])
        .or_else(|| number(named, Topic::Total, &[Topic::Count]))
        .or_else(|| Choice::only(named, |one| one.column.kind == Kind::Number));
    let order_id = order_id(named);
    let mut columns = match (&quantity, &price) {
        (Some(quantity), Some(price)) => Columns {
            quantity: Some(quantity.name()),
            unit_price: Some(price.name()),
            ..Columns::default()
        },
        _ => Columns { value: vec![value.as_ref()?.name()], ..Columns::default() },
    };
    columns.order_date = Some(date.name());
    columns.order_id = order_id.as_ref().map(Choice::name);
    let id = customer(named, &used(&columns))?;
    columns.customer_id = id.name();
    let line = Line { id, date, order_id, quantity, price, value };
    Some(Guess {
        kind: InputKind::Transactions,
        columns,
        cancelled: None,
        channel: None,
        categories: None,
        reasons: line.reasons(),
    })
}

/// The date of an order, before dates of nothing in particular, before any others.
fn order_date<'a>(named: &'a [Named<'a>]) -> Option<Choice<'a>> {
    let rank = |one: &Named<'_>| match one.words.about(Topic::Order) {
        true => Some(0),
        false if one.words.is_only(Topic::Date) => Some(1),
        false => one.words.about(Topic::Date).then_some(2),
    };
    Choice::of(named, |one| rank(one).filter(|_| one.is_date()))
        .or_else(|| Choice::only(named, |one| one.is_date()))
}

/// A column of numbers about a topic: such as speak of orders, of totals or of nothing else come
/// before others.
fn number<'a>(named: &'a [Named<'a>], topic: Topic, not: &[Topic]) -> Option<Choice<'a>> {
    let never = [Topic::Mean, Topic::Identifier, Topic::Article, Topic::Aside];
    Choice::of(named, |one| {
        let passes = one.is_number()
            && one.words.about(topic)
            && !one.words.about_any(not)
            && !one.words.about_any(&never);
        let plain = one.words.about_any(&[Topic::Order, Topic::Sum]) || one.words.is_only(topic);
        passes.then_some(u8::from(!plain))
    })
}

/// Who ordered: by name, else the only column of codes that repeat.
fn customer<'a>(named: &'a [Named<'a>], used: &[String]) -> Option<Choice<'a>> {
    let other = [Topic::Article, Topic::Order, Topic::Status, Topic::Channel, Topic::Category];
    let repeats = |one: &Named<'_>| {
        one.is_code()
            && !used.contains(&one.column.name)
            && !one.words.about_any(&other)
            && one.column.distinct > MOST_ATTRIBUTES
            && uniqueness(one.column) < LEAST_UNIQUE
    };
    identifier(named)
        .filter(|id| !used.contains(&id.name()))
        .or_else(|| Choice::only(named, repeats))
}

fn order_id<'a>(named: &'a [Named<'a>]) -> Option<Choice<'a>> {
    let no_order = [Topic::Date, Topic::Status, Topic::Channel, Topic::Customer, Topic::Value];
    Choice::of(named, |one| {
        let invoice = one.words.is_only(Topic::Invoice);
        let order = one.words.about_any(&[Topic::Order, Topic::Invoice]);
        let is_id = one.is_code()
            && (invoice || (order && one.words.about(Topic::Identifier)))
            && !one.words.about_any(&no_order);
        is_id.then_some(0)
    })
}

/// The columns of an order line.
struct Line<'a> {
    id: Choice<'a>,
    date: Choice<'a>,
    order_id: Option<Choice<'a>>,
    quantity: Option<Choice<'a>>,
    price: Option<Choice<'a>>,
    value: Option<Choice<'a>>,
}

impl Line<'_> {
    fn reasons(&self) -> Reasons {
        let id = self.id.best.column;
        let each = 1.0 / uniqueness(id).max(f64::MIN_POSITIVE);
        let rows = format!("{each:.1} rows each; {} rows without one are set aside", id.blank);
        let format = self.date.best.column.date_format.clone().unwrap_or_default();
        let remark = |choice: &Option<Choice<'_>>, text: &str| {
            choice.as_ref().map_or_else(|| text.to_owned(), |choice| choice.remark(text))
        };
        let line = "of a line; is it the line's total, not the price of one piece?";
        vec![
            ("customer_id", self.id.remark(&rows)),
            ("order_date", self.date.remark(&format)),
            ("order_id", remark(&self.order_id, "used where merge_same_day = false")),
            ("quantity", remark(&self.quantity, "times unit_price is the value of a line")),
            ("unit_price", remark(&self.price, &self.instead())),
            ("value", remark(&self.value, line)),
        ]
    }

    /// What could stand in place of quantity and price.
    fn instead(&self) -> String {
        let price = self.price.as_ref().map(Choice::name);
        match self.value.as_ref().map(Choice::name).filter(|value| Some(value) != price.as_ref()) {
            Some(value) => format!("or write value = {value:?} in place of both"),
            None => String::new(),
        }
    }
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
            thousands_points: false,
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
        export::export(&Named::all(&overview), &overview).expect("no reason to refuse")
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
