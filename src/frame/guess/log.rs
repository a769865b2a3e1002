//! Guesses the columns of an order log, which has one row per order or order line.

use crate::frame::guess::choice::{Choice, identifier};
use crate::frame::guess::named::{
    Guess, LEAST_UNIQUE, MOST_ATTRIBUTES, Named, Reasons, uniqueness, used,
};
use crate::frame::guess::words::Topic;
use crate::frame::input::kinds::ColumnKind;
use crate::settings::{Columns, InputKind, ValueOf};

/// Least share of ids among the orders from which they are ids of orders.
const LEAST_UNIQUE_ORDERS: f64 = 0.98;

/// Customer ids, order dates, and quantity and price or a value. Returns `None` when one of them is
/// missing; values only may be, where nothing in the file could be money and customers come again.
pub(crate) fn log(named: &[Named<'_>]) -> Option<Guess> {
    let date = order_date(named)?;
    let quantity = number(named, Topic::Quantity, &[Topic::Price, Topic::Value]);
    let price = number(named, Topic::Price, &[Topic::Sum]);
    let value = number(named, Topic::Value, &[])
        .or_else(|| number(named, Topic::Total, &[Topic::Count]))
        .or_else(|| Choice::only(named, |one| one.column.kind == ColumnKind::Number));
    let order_id = order_id(named);
    // Quantity and price come first: a value could be of one piece or of the whole line.
    let mut columns = match (&quantity, &price) {
        (Some(quantity), Some(price)) => Columns {
            quantity: Some(quantity.name()),
            unit_price: Some(price.name()),
            ..Columns::default()
        },
        _ => match &value {
            Some(value) => Columns { value: vec![value.name()], ..Columns::default() },
            None if named.iter().any(Named::could_be_money) => return None,
            // Pieces tell what was bought from what came back.
            None => Columns { quantity: quantity.as_ref().map(Choice::name), ..Columns::default() },
        },
    };
    columns.order_date = Some(date.name());
    columns.order_id = order_id.as_ref().map(Choice::name);
    let orders = order_id.as_ref().map(|order| order.best.column.distinct);
    let id = person(named, &used(&columns), orders)?;
    if !columns.has_money() && id.best.column.repeated == 0 {
        return None;
    }
    columns.customer_id = id.name();
    let line = Line { id, date, order_id, quantity, price, value };
    Some(Guess {
        kind: InputKind::Transactions,
        columns,
        cancelled: None,
        value_of: ValueOf::Line,
        channel: None,
        categories: None,
        reasons: line.reasons(),
    })
}

/// The column of order dates: named after orders, else only after dates, else any other date.
pub(crate) fn order_date<'a>(named: &'a [Named<'a>]) -> Option<Choice<'a>> {
    let rank = |one: &Named<'_>| match one.words.about(Topic::Order) {
        _ if one.words.about(Topic::Afterwards) => Some(3),
        true => Some(0),
        false if one.words.is_only(Topic::Date) => Some(1),
        false => one.words.about(Topic::Date).then_some(2),
    };
    Choice::of(named, |one| rank(one).filter(|_| one.is_date()))
        .or_else(|| Choice::only(named, |one| one.is_date()))
}

/// A column of numbers about a topic. Names that are also about orders or totals, or about nothing
/// else, come first.
pub(crate) fn number<'a>(
    named: &'a [Named<'a>],
    topic: Topic,
    not: &[Topic],
) -> Option<Choice<'a>> {
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

/// The column of customer ids. Where another one than the first choice has an id for each person and
/// the first has one for each order, the other is taken.
fn person<'a>(
    named: &'a [Named<'a>],
    used: &[String],
    orders: Option<usize>,
) -> Option<Choice<'a>> {
    let first = customer(named, used)?;
    let of_orders = |one: &Named<'_>| {
        orders
            .is_some_and(|orders| one.column.distinct as f64 >= LEAST_UNIQUE_ORDERS * orders as f64)
    };
    if !of_orders(first.best) {
        return Some(first);
    }
    let is_person = |one: &Named<'_>| {
        one.is_code()
            && one.words.about(Topic::Customer)
            && one.words.about(Topic::Identifier)
            && !one.words.about_any(&[Topic::Date, Topic::Attribute])
            && one.column.distinct > MOST_ATTRIBUTES
            && !used.contains(&one.column.name)
            && !of_orders(one)
    };
    match Choice::of(named, |one| is_person(one).then_some(0)) {
        Some(found) => Some(Choice { best: found.best, others: vec![first.best] }),
        None => Some(first),
    }
}

/// The column of customer ids: by name, else the only column of codes that repeat.
pub(crate) fn customer<'a>(named: &'a [Named<'a>], used: &[String]) -> Option<Choice<'a>> {
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

/// The column of order ids, by name.
pub(crate) fn order_id<'a>(named: &'a [Named<'a>]) -> Option<Choice<'a>> {
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
pub(crate) struct Line<'a> {
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
        let quantity = match self.price {
            Some(_) => "times unit_price is the value of a line",
            None => "below 0 for what came back",
        };
        let line = "of a line; is it the line's total, not the price of one piece?";
        vec![
            ("customer_id", self.id.remark(&rows)),
            ("order_date", self.date.remark(&format)),
            ("order_id", remark(&self.order_id, "used where merge_same_day = false")),
            ("quantity", remark(&self.quantity, quantity)),
            ("unit_price", remark(&self.price, &self.instead())),
            ("value", remark(&self.value, line)),
        ]
    }

    /// The hint that a column of values could replace quantity and price, if there is one.
    fn instead(&self) -> String {
        let price = self.price.as_ref().map(Choice::name);
        match self.value.as_ref().map(Choice::name).filter(|value| Some(value) != price.as_ref()) {
            Some(value) => format!("or write value = {value:?} in place of both"),
            None => String::new(),
        }
    }
}
