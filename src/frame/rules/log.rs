//! Cleans an order log and sums it to one row per customer and day.
//!
//! The log is read once, in batches: valid lines are summed on the way, the others are set aside.
//! It is read again only when the date format of the first rows does not fit all rows, texts have
//! blanks around them, or the returns of a day outweigh its purchases.

use chrono::NaiveDate;
use polars::prelude::*;

use crate::error::Error;
use crate::frame::columns::{
    CUSTOMER_ID_TYPED, DAY, FILE, FIRST_ORDER, FIRST_ROW, LINES, ORDERS, PART, PARTS, RETURNS, ROW,
    ROWS_OF_A_FILE, RULE, VALUE, WHOLE, money,
};
use crate::frame::doubts::Doubt;
use crate::frame::doubts::dates::{Range, outside_stated};
use crate::frame::doubts::ids::{ID, Ids, WEIGHT, one_of};
use crate::frame::doubts::lines::{ids_on_first_lines, overlap, repeated_totals};
use crate::frame::input::dates::{self, DateFormat};
use crate::frame::input::load::unreadable;
use crate::frame::input::numbers::{Notations, numeric_columns};
use crate::frame::input::typed::{
    Blanks, has_blanks, is_decimal, is_protected, is_unusable, stripped, text, without_decimals,
    without_protection,
};
use crate::frame::rules::column_types::{self, WRONG_TYPE};
use crate::frame::rules::judged::{
    Cleaned, Rejected, Rule, count_by_rule, first_broken, is_sound, none_left, quarantine,
};
use crate::frame::rules::returns::{self, Moved, Purchases};
use crate::frame::rules::whole_orders::{self, order_or_line};
use crate::frame::{collected_together, day_literal, engine, query_bool, streamed};
use crate::settings::columns::CUSTOMER_ID;
use crate::settings::{Columns, DuplicateLines, Input, Returns, Settings, Transactions};

const LINE_VALUE: &str = "__line_value";
const LINE_QUANTITY: &str = "__line_quantity";
const LINE_PRICE: &str = "__line_price";
const ORDER_ID: &str = "__order_id";
/// Position of the last file with a line of the day, where there are several files.
const LAST_FILE: &str = "__last_file";
/// Lines of this value and above are rejected: their sums might not fit into integers.
const HIGHEST_VALUE: f64 = 1e12;

/// Cleans an order log and sums it by customer and day.
///
/// # Errors
/// [`Error::Input`] when it cannot be read, no date format can be chosen, or no line is valid.
pub fn clean(raw: LazyFrame, files: &[String], settings: &Settings) -> Result<Cleaned, Error> {
    let (raw, lines_read) = whole_orders::of(raw, settings)?;
    let place = &settings.input.path;
    let date = settings.input.columns.order_date.as_deref().unwrap_or_default();
    let setting = &settings.input.date_format;
    let engine = engine(&settings.resources, Engine::Streaming);
    let settle = || dates::settle(&raw, &[date], setting, place, engine);
    let guess = dates::glimpse(&raw, &[date], setting);
    let guessed = guess.is_some();
    let format = guess.map_or_else(settle, Ok)?;
    let numeric = numeric_columns(&settings.input);
    let number_format = &settings.input.number_format;
    let settle_numbers = || Notations::settle(&raw, &numeric, number_format, place);
    let glimpsed = Notations::glimpse(&raw, &numeric, number_format);
    let numbers_guessed = glimpsed.is_some();
    let notations = glimpsed.map_or_else(settle_numbers, Ok)?;
    let mut reading = Reading { format, notations, blanks: Blanks::Unexpected };
    let mut pass = Pass::through(&raw, &reading, files, settings)?;
    let broken = |rule: &str| pass.rejected.iter().any(|r| r.rule == rule);
    let dates_in_doubt = guessed && broken("unreadable_date");
    let numbers_in_doubt = numbers_guessed && broken("unreadable_value");
    let again = Reading {
        format: if dates_in_doubt { settle()? } else { reading.format.clone() },
        notations: if numbers_in_doubt { settle_numbers()? } else { reading.notations.clone() },
        blanks: pass.blanks(&settings.input).map_err(failed())?,
    };
    if again != reading {
        reading = again;
        pass = Pass::through(&raw, &reading, files, settings)?;
    }
    let lines = judged(&raw, &reading, settings)?.0.filter(is_sound()).with_column(plain_id());
    let mut aside = Aside::new();
    let mut doubts = pass.look(&mut aside, &lines, files.len(), settings)?;
    let Columns { order_id, value, .. } = &settings.input.columns;
    let value_of = settings.transactions.value_of;
    let repeated = repeated_totals(&raw, order_id.as_deref(), value, value_of);
    doubts.extend(repeated.map_err(failed())?);
    let customer = &settings.input.columns.customer_id;
    let blank = ids_on_first_lines(&raw, order_id.as_deref(), customer, value_of);
    doubts.extend(blank.map_err(failed())?);
    let moved = pass.net_returns(&mut aside, &lines, settings).map_err(failed())?;
    // Customers outside the selection are found later, and their lines are read once more then.
    let kept = settings.selection.is_some().then(|| lines.clone());
    pass.set_aside(aside, lines, files, settings).map_err(failed())?;
    let cleaned = pass.into_cleaned(doubts, moved, &settings.input)?;
    let lines_read = lines_read.map_or(cleaned.rows_read, |lines| lines as usize);
    Ok(Cleaned { lines_read, lines: kept, ..cleaned })
}

/// The identifier without what a spreadsheet or pandas put around it.
fn plain_id() -> Expr {
    plain(col(CUSTOMER_ID_TYPED)).alias(CUSTOMER_ID)
}

fn plain(id: Expr) -> Expr {
    without_decimals(without_protection(id))
}

/// Customers' days that are set aside, by rule, and the number of their lines.
type Aside = Vec<(&'static str, DataFrame)>;

/// How the texts of a log are read. Blanks around dates are always removed, because Polars reads
/// the ten bytes " 2010-01-1" as a date.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    format: DateFormat,
    notations: Notations,
    blanks: Blanks,
}

fn failed() -> impl FnOnce(PolarsError) -> Error {
    Error::engine("sum the order lines")
}

/// The result of reading the log once.
struct Pass {
    days: DataFrame,
    quarantine: DataFrame,
    rejected: Vec<Rejected>,
}

impl Pass {
    fn through(
        raw: &LazyFrame,
        reading: &Reading,
        files: &[String],
        settings: &Settings,
    ) -> Result<Self, Error> {
        let (judged, rules) = judged(raw, reading, settings)?;
        let several = files.len() > 1;
        let sound = judged.clone().filter(is_sound());
        let days = days(sound, &settings.input, &settings.transactions, several);
        let aside = quarantine(judged, &rules, files, settings);
        let mut answers =
            collected_together(vec![days, aside], engine(&settings.resources, Engine::Streaming))
                .map_err(|e| Error::input(&settings.input.path, unreadable(&e)))?;
        let quarantine = answers.pop().unwrap_or_default();
        let days = answers.pop().unwrap_or_default();
        let days = plain_ids(days, &settings.input, &settings.transactions, several);
        let days = days.map_err(failed())?;
        let rejected = count_by_rule(&quarantine).map_err(failed())?;
        Ok(Self { days, quarantine, rejected })
    }

    /// Whether blanks must be removed: some identifier or unreadable number has blanks around it.
    fn blanks(&self, input: &Input) -> PolarsResult<Blanks> {
        let columns = &input.columns;
        let numbers = columns.value.iter().chain(&columns.quantity).chain(&columns.unit_price);
        let any = numbers.map(|name| has_blanks(&format!("raw_{name}"))).reduce(Expr::or);
        let unread = col("rule").eq(lit("unreadable_value")).and(any.unwrap_or(lit(false)));
        let found = |frame: &DataFrame, is: Expr| {
            query_bool(&frame.clone().lazy(), is.any(true), Engine::Streaming)
        };
        let there = found(&self.days, has_blanks(CUSTOMER_ID))? || found(&self.quarantine, unread)?;
        Ok(if there { Blanks::TakenOff } else { Blanks::Unexpected })
    }

    /// Looks for what is probably not what it seems, and puts aside the days that cannot be believed.
    ///
    /// # Errors
    /// [`Error::Input`] when the ids have lost their last digits.
    fn look(
        &mut self,
        aside: &mut Aside,
        lines: &LazyFrame,
        files: usize,
        settings: &Settings,
    ) -> Result<Vec<Doubt>, Error> {
        let input = &settings.input;
        let ids = self.ids(&input.guest_ids).map_err(failed())?;
        ids.check(&input.columns.customer_id).map_err(|fault| Error::input(&input.path, fault))?;
        let found = || -> PolarsResult<Vec<Doubt>> {
            let mut doubts = if files > 1 { self.overlap(lines, input)? } else { Vec::new() };
            let stated = one_of(CUSTOMER_ID, &input.guest_ids);
            self.put_aside(aside, "left_out_id", stated)?;
            if let Some(outside) = outside_stated(col(DAY), &settings.contract) {
                self.put_aside(aside, "date_out_of_range", outside)?;
            }
            let guests = self.put_aside(aside, "guest_id", one_of(CUSTOMER_ID, &ids.guests))?;
            let totals = self.put_aside(aside, "total_row", one_of(CUSTOMER_ID, &ids.totals))?;
            let days = [(self.days.column(DAY)?, Some(self.days.column(LINES)?))];
            if let Some(range) = Range::of_columns(&days, &settings.contract)? {
                let outside = self.days.clone().lazy().filter(range.excludes(col(DAY)));
                let example = one_day(&outside)?;
                let rows = self.put_aside(aside, "implausible_date", range.excludes(col(DAY)))?;
                doubts.extend((rows > 0).then(|| range.doubt(rows, example)));
            }
            doubts.extend(ids.doubts(guests, totals));
            Ok(doubts)
        };
        found().map_err(failed())
    }

    /// Looks at the ids. The share of the most frequent one is that in a sample of the days, which
    /// depends on the lines alone.
    fn ids(&self, stated: &[String]) -> PolarsResult<Ids> {
        const SAMPLE: i64 = 200_000;
        let weights = |days: LazyFrame| {
            let lines = col(LINES).cast(DataType::UInt64).sum().alias(WEIGHT);
            days.group_by([col(CUSTOMER_ID).alias(ID)]).agg([lines])
        };
        let days = || self.days.clone().lazy();
        let every = (self.days.height() as i64 / SAMPLE).max(1);
        let sample = days().filter((col(FIRST_ROW) % lit(every)).eq(lit(0)));
        Ids::of(self.days.column(CUSTOMER_ID)?, || weights(days()), weights(sample), stated)
    }

    /// Takes days out, to be set aside under a rule; returns the number of their lines.
    fn put_aside(
        &mut self,
        aside: &mut Aside,
        rule: &'static str,
        is: Expr,
    ) -> PolarsResult<usize> {
        let found = self.days.clone().lazy().filter(is.clone()).collect()?;
        if found.height() == 0 {
            return Ok(0);
        }
        self.days = self.days.clone().lazy().filter(is.not()).collect()?;
        let lines = found.column(LINES)?.cast(&DataType::UInt64)?.u64()?.sum().unwrap_or(0);
        aside.push((rule, found.select([CUSTOMER_ID, DAY])?));
        Ok(lines as usize)
    }

    /// Lines that stand in several files. Only days of customers with lines in several of them are
    /// looked at again.
    fn overlap(&mut self, lines: &LazyFrame, input: &Input) -> PolarsResult<Vec<Doubt>> {
        let first_file = col(FIRST_ROW).floor_div(lit(ROWS_OF_A_FILE as i64));
        let several = col(LAST_FILE).cast(DataType::Int64).neq(first_file);
        let days = self.days.clone().lazy().filter(several).select([col(CUSTOMER_ID), col(DAY)]);
        let days = days.collect()?;
        self.days.drop_in_place(LAST_FILE)?;
        if days.height() == 0 {
            return Ok(Vec::new());
        }
        let keys = [col(CUSTOMER_ID), col(DAY)];
        let semi = JoinArgs::new(JoinType::Semi);
        let lines = lines.clone().join(days.lazy(), keys.clone(), keys, semi);
        let mut names = vec![CUSTOMER_ID.to_owned(), DAY.to_owned(), LINE_VALUE.to_owned()];
        names.extend(input.columns.order_id.clone());
        Ok(overlap(lines, &names)?.into_iter().collect())
    }

    /// Takes returns off the purchases that they belong to, and puts aside what came back in full.
    fn net_returns(
        &mut self,
        aside: &mut Aside,
        lines: &LazyFrame,
        settings: &Settings,
    ) -> PolarsResult<Moved> {
        let outweighed = returns::outweighed(&self.days)?;
        let mut moved = Moved::default();
        let mut removed = outweighed.clone();
        if outweighed.height() > 0 && settings.transactions.returns == Returns::Net {
            let order_id = settings.input.columns.order_id.as_deref();
            let purchases = order_id.map(|order_id| purchases(lines, &outweighed, order_id));
            let netted =
                returns::net(&self.days, &outweighed, &purchases.transpose()?.unwrap_or_default())?;
            (self.days, removed, moved) = (netted.days, netted.removed, netted.moved);
        } else if outweighed.height() > 0 {
            let keys = [col(CUSTOMER_ID), col(DAY)];
            let anti = JoinArgs::new(JoinType::Anti);
            let there = outweighed.lazy();
            self.days = self.days.clone().lazy().join(there, keys.clone(), keys, anti).collect()?;
        }
        if removed.height() > 0 {
            aside.push(("returned", removed));
        }
        Ok(moved)
    }

    /// Moves the lines of days that were taken out to the quarantine.
    fn set_aside(
        &mut self,
        aside: Aside,
        lines: LazyFrame,
        files: &[String],
        settings: &Settings,
    ) -> PolarsResult<()> {
        if aside.is_empty() {
            return Ok(());
        }
        let rules: Vec<&str> = aside.iter().map(|(rule, _)| *rule).collect();
        let numbered = (1..)
            .zip(aside)
            .map(|(number, (_, days)): (i32, _)| days.lazy().with_column(lit(number).alias(RULE)));
        let days = concat(numbered.collect::<Vec<_>>(), UnionArgs::default())?;
        let lines = quarantine(lines_of(lines, days), &rules, files, settings);
        self.quarantine.vstack_mut(&streamed(lines)?)?;
        self.rejected = count_by_rule(&self.quarantine)?;
        Ok(())
    }

    fn into_cleaned(
        self,
        doubts: Vec<Doubt>,
        moved: Moved,
        input: &Input,
    ) -> Result<Cleaned, Error> {
        let Self { days, quarantine, rejected } = self;
        let place = &input.path;
        let sums = days
            .clone()
            .lazy()
            .select([
                col(LINES).cast(DataType::UInt64).sum(),
                col(RETURNS).cast(DataType::UInt64).sum(),
            ])
            .collect()
            .map_err(failed())?;
        let sum = |name: &str| -> PolarsResult<usize> {
            Ok(sums.column(name)?.u64()?.get(0).unwrap_or(0) as usize)
        };
        let rows_read = sum(LINES).map_err(failed())? + quarantine.height();
        if rows_read == 0 {
            return Err(Error::input(place, "the file has a header and no rows"));
        }
        if days.height() == 0 {
            return Err(Error::input(place, none_left(&quarantine, &rejected, input)));
        }
        let returns_netted = sum(RETURNS).map_err(failed())?;
        let valid = days.lazy();
        let lines_read = rows_read;
        Ok(Cleaned {
            valid,
            quarantine,
            lines: None,
            rejected,
            rows_read,
            lines_read,
            returns_netted,
            doubts,
            moved,
        })
    }
}

/// The lines of customers' days, in the order of the files, with the rule of each day.
pub(crate) fn lines_of(lines: LazyFrame, days: LazyFrame) -> LazyFrame {
    let keys = [col(CUSTOMER_ID), col(DAY)];
    lines
        .drop(cols([RULE]))
        .join(days, keys.clone(), keys, JoinArgs::new(JoinType::Inner))
        .sort([FILE, ROW], SortMultipleOptions::default())
}

/// For each day of a customer with returns, the purchases with the same order ids, and how much of each
/// came back.
fn purchases(lines: &LazyFrame, outweighed: &DataFrame, order_id: &str) -> PolarsResult<Purchases> {
    let keys = [col(CUSTOMER_ID), col(DAY)];
    let semi = || JoinArgs::new(JoinType::Semi);
    let lines = lines.clone().select([
        col(CUSTOMER_ID),
        col(DAY),
        col(LINE_VALUE),
        stripped(order_id).alias(ORDER_ID),
    ]);
    let lines = lines.filter(col(ORDER_ID).is_not_null().and(col(ORDER_ID).neq(lit(""))));
    let returned = lines
        .clone()
        .filter(col(LINE_VALUE).lt(lit(0.0)))
        .join(outweighed.clone().lazy(), keys.clone(), keys, semi())
        .select([col(CUSTOMER_ID), col(DAY), col(ORDER_ID), col(LINE_VALUE)]);
    let returned = streamed(returned)?.lazy();
    let by_order = [col(CUSTOMER_ID), col(ORDER_ID)];
    let bought = lines
        .filter(col(LINE_VALUE).gt(lit(0.0)))
        .join(returned.clone(), by_order.clone(), by_order.clone(), semi())
        .group_by(by_order.clone())
        .agg([col(DAY).min().alias(FIRST_ORDER)]);
    let amount = (lit(0.0) - col(LINE_VALUE)).sum() * lit(PARTS);
    let pairs = returned
        .join(bought, by_order.clone(), by_order, JoinArgs::new(JoinType::Inner))
        .group_by([
            col(CUSTOMER_ID),
            col(DAY).cast(DataType::Int32),
            col(FIRST_ORDER).cast(DataType::Int32),
        ])
        .agg([amount.round(0, RoundMode::HalfToEven).cast(DataType::Int64).alias(WHOLE)])
        .sort([CUSTOMER_ID, DAY, FIRST_ORDER], SortMultipleOptions::default());
    let pairs = streamed(pairs)?;
    let customers = pairs.column(CUSTOMER_ID)?.str()?.iter();
    let days = pairs.column(DAY)?.i32()?.iter().zip(pairs.column(FIRST_ORDER)?.i32()?.iter());
    let amounts = pairs.column(WHOLE)?.i64()?.iter();
    let mut purchases = Purchases::default();
    for ((customer, (day, bought)), amount) in customers.zip(days).zip(amounts) {
        if let (Some(customer), Some(day), Some(bought), Some(amount)) =
            (customer, day, bought, amount)
        {
            let own = purchases.entry((customer.to_owned(), day)).or_default();
            own.push((bought, i128::from(amount)));
        }
    }
    Ok(purchases)
}

/// The latest day of a frame.
fn one_day(days: &LazyFrame) -> PolarsResult<NaiveDate> {
    let day = days.clone().select([col(DAY).max().cast(DataType::Int32)]).collect()?;
    let day = day.column(DAY)?.i32()?.get(0).and_then(NaiveDate::from_epoch_days);
    Ok(day.unwrap_or_default())
}

/// The order lines with typed columns and the first rule that each breaks, and the rule names.
fn judged(
    raw: &LazyFrame,
    reading: &Reading,
    settings: &Settings,
) -> Result<(LazyFrame, Vec<&'static str>), Error> {
    let columns = &settings.input.columns;
    let schema = raw.clone().collect_schema().map_err(failed())?;
    let date = columns.order_date.as_deref().unwrap_or_default();
    let dtype = schema.get(date).unwrap_or(&DataType::String);
    let number = |name: &str| reading.notations.number(name, reading.blanks);
    let quantity = columns.quantity.as_deref().map_or(lit(1.0), number);
    // Without money, pieces (or one for each line) say what is bought and what comes back.
    let value = match (columns.value.first(), &columns.unit_price) {
        (Some(value), _) => number(value),
        (None, Some(price)) => quantity.clone() * number(price),
        (None, None) => quantity.clone(),
    };
    let typed = raw.clone().with_columns([
        text(&columns.customer_id, reading.blanks).alias(CUSTOMER_ID_TYPED),
        dates::unchecked(date, dtype, &reading.format).alias(DAY),
        value.alias(LINE_VALUE),
        quantity.alias(LINE_QUANTITY),
        columns.unit_price.as_deref().map_or(lit(0.0), number).alias(LINE_PRICE),
    ]);
    let rules = rules(settings, &schema);
    let names = rules.iter().map(|(name, _)| *name).collect();
    Ok((typed.with_column(first_broken(&rules).alias(RULE)), names))
}

fn rules(settings: &Settings, schema: &Schema) -> Vec<Rule> {
    let (contract, log) = (&settings.contract, &settings.transactions);
    let (id, value) = (|| col(CUSTOMER_ID_TYPED), || col(LINE_VALUE));
    let too_high = value().gt_eq(lit(HIGHEST_VALUE)).or(value().lt_eq(lit(-HIGHEST_VALUE)));
    let both_negative = col(LINE_QUANTITY).lt(lit(0.0)).and(col(LINE_PRICE).lt(lit(0.0)));
    // A line counts under the first rule that it breaks, so the order decides the counts.
    let mut rules = vec![
        ("missing_customer_id", id().is_null().or(id().eq(lit(""))).or(id().eq(lit("=\"\"")))),
        ("cancelled", cancelled(log)),
        ("unreadable_date", dates::is_plausible(col(DAY)).not()),
        ("unreadable_value", is_unusable(value()).or(unreadable_quantity(&settings.input))),
        ("value_out_of_range", too_high),
        ("negative_quantity_and_price", both_negative),
    ];
    if log.returns == Returns::Drop {
        rules.push(("return", value().lt(lit(0.0))));
    }
    if !log.keep_zero_value {
        rules.push(("no_value", value().eq(lit(0.0))));
    }
    if let Some(end) = log.observation_end {
        rules.push(("order_after_observation_end", col(DAY).gt(day_literal(end))));
    }
    if column_types::marks(contract) {
        rules.push(("wrong_type", col(WRONG_TYPE)));
    }
    if log.duplicate_lines == DuplicateLines::Drop {
        let own = |name: &&PlSmallStr| ![FILE, ROW, WRONG_TYPE].contains(&name.as_str());
        let line = schema.iter_names().filter(own).map(|name| col(name.clone())).collect();
        rules.push(("duplicate_line", as_struct(line).is_first_distinct().not()));
    }
    rules
}

/// Whether a quantity beside a value cannot be read: it may mark a cancellation.
fn unreadable_quantity(input: &Input) -> Expr {
    match (&input.columns.quantity, input.columns.value.is_empty()) {
        (Some(quantity), false) => {
            let is_filled = stripped(quantity).neq(lit("")).fill_null(lit(false));
            col(LINE_QUANTITY).is_null().and(is_filled)
        }
        _ => lit(false),
    }
}

/// Whether a line is a cancellation.
fn cancelled(transactions: &Transactions) -> Expr {
    let Some(cancelled) = &transactions.cancelled else {
        return lit(false);
    };
    let mut marks = Vec::new();
    if let Some(column) = &cancelled.column {
        let text = || stripped(column);
        marks.extend(cancelled.prefix.iter().map(|p| text().str().starts_with(lit(p.as_str()))));
        if cancelled.not_blank {
            marks.push(text().neq(lit("")).fill_null(lit(false)));
        }
        marks.extend(cancelled.equals.iter().map(|flag| text().eq(lit(flag.as_str()))));
    }
    if cancelled.negative_quantity {
        marks.push(col(LINE_QUANTITY).lt(lit(0.0)));
    }
    marks.into_iter().reduce(Expr::or).unwrap_or(lit(false))
}

/// One row per customer and day. Money is summed as whole units and billionths, two integers, so
/// the sum depends neither on the order of the lines nor on the number of cores.
fn days(lines: LazyFrame, input: &Input, transactions: &Transactions, several: bool) -> LazyFrame {
    let value = || col(LINE_VALUE);
    let position = col(FILE).cast(DataType::Int64) * lit(ROWS_OF_A_FILE as i64)
        + col(ROW).cast(DataType::Int64);
    let part = (value() - value().floor()) * lit(PARTS);
    let mut columns = vec![
        col(CUSTOMER_ID_TYPED).alias(CUSTOMER_ID),
        col(DAY),
        value().floor().cast(DataType::Int64).alias(WHOLE),
        (part + lit(0.5)).floor().cast(DataType::Int64).alias(PART),
        value().lt(lit(0.0)).cast(DataType::UInt32).alias(RETURNS),
        position.alias(FIRST_ROW),
    ];
    let keep = input.columns.keep.iter();
    columns.extend(keep.map(|name| col(name.as_str())));
    columns.extend(several.then(|| col(FILE).alias(LAST_FILE)));
    let sums = |counts: Vec<Expr>| sums(counts, input, several);
    let log = transactions;
    let days = [col(CUSTOMER_ID), col(DAY)];
    let summed = match &input.columns.order_id {
        _ if log.merge_same_day => lines
            .select(columns)
            .group_by(days)
            .agg(sums(vec![len().alias(LINES)]))
            .with_column(lit(1u32).alias(ORDERS)),
        // Summed by order first, so that an order of returns only is not counted as a purchase.
        Some(order_id) => {
            columns.push(order_or_line(order_id).alias(ORDER_ID));
            lines
                .select(columns)
                .group_by([col(CUSTOMER_ID), col(DAY), col(ORDER_ID)])
                .agg(sums(vec![len().alias(LINES)]))
                .with_column(is_purchase(money(WHOLE, PART), transactions).alias(ORDERS))
                .group_by(days)
                .agg(sums(vec![col(LINES).sum(), col(ORDERS).sum()]))
        }
        None => {
            columns.push(is_purchase(value(), transactions).alias(ORDERS));
            lines
                .select(columns)
                .group_by(days)
                .agg(sums(vec![len().alias(LINES), col(ORDERS).sum()]))
        }
    };
    summed.with_column(money(WHOLE, PART).alias(VALUE))
}

/// 1 for an order that counts as a purchase, 0 for one whose returns outweigh it.
fn is_purchase(value: Expr, transactions: &Transactions) -> Expr {
    let worth =
        if transactions.keep_zero_value { value.gt_eq(lit(0.0)) } else { value.gt(lit(0.0)) };
    worth.cast(DataType::UInt32)
}

/// Removes `="…"` around identifiers, and the `.0` from those that are decimals. Where only some are
/// written so, rows of the same customer and day are merged.
fn plain_ids(
    days: DataFrame,
    input: &Input,
    transactions: &Transactions,
    several: bool,
) -> PolarsResult<DataFrame> {
    let id = || col(CUSTOMER_ID);
    let answer = |question: Expr| query_bool(&days.clone().lazy(), question, Engine::Streaming);
    let protected = is_protected(id());
    if !answer(id().str().ends_with(lit(".0")).or(protected.clone()).any(true))? {
        return Ok(days);
    }
    if answer(protected.all(true))? {
        return streamed(days.lazy().with_column(plain(id()).alias(CUSTOMER_ID)));
    }
    let all = answer(is_decimal(id()).all(true))?;
    let renamed = if all { id().str().strip_suffix(lit(".0")) } else { plain(id()) };
    let renamed = days.lazy().with_column(renamed.alias(CUSTOMER_ID));
    if all {
        return streamed(renamed);
    }
    let orders = if transactions.merge_same_day { lit(1u32) } else { col(ORDERS).sum() };
    let counts = vec![col(LINES).sum(), orders.alias(ORDERS)];
    let summed = renamed.group_by([id(), col(DAY)]).agg(sums(counts, input, several));
    streamed(summed.with_column(money(WHOLE, PART).alias(VALUE)))
}

/// Sums over lines, and for each column to keep the alphabetically last of its entries.
fn sums(counts: Vec<Expr>, input: &Input, several: bool) -> Vec<Expr> {
    let mut sums = counts;
    sums.extend([WHOLE, PART, RETURNS].map(|name| col(name).sum()));
    sums.push(col(FIRST_ROW).min());
    sums.extend(several.then(|| col(LAST_FILE).max()));
    sums.extend(input.columns.keep.iter().map(|name| col(name.as_str()).max()));
    sums
}
