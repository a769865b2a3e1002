//! Which settings must be the same for a model to score, to follow another model, and for two runs
//! to be compared. The one list of them: every key of a pipeline file is classified here, and a new
//! key does not compile until it is.

use Question::{Comparison, Scoring, Succession};
use serde::Serialize;
use serde_json::{Value, json};

use crate::settings::calendar::Calendar;
use crate::settings::sections::{
    Cancelled, Columns, Input, LifetimeValue, Output, Rfm, Segments, Settings, Spend, Summary,
    Transactions, without_nulls,
};
use crate::settings::types::{InputKind, MonetaryKind};

/// A question that depends on settings being the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether a fitted model, its outlier limits and its edges hold for these settings.
    Scoring,
    /// Whether a model forecasts the same quantities as the champion that it would replace.
    Succession,
    /// Whether two runs can be compared.
    Comparison,
}

/// A setting on which the answer to some [`Question`] depends.
struct Definition {
    key: &'static str,
    name: &'static str,
    value: Value,
    questions: &'static [Question],
}

/// What the numbers mean.
const ALWAYS: &[Question] = &[Scoring, Succession, Comparison];
/// What the results are about, however the model was fitted.
const NOT_THE_FIT: &[Question] = &[Succession, Comparison];
/// How the model was fitted and its edges were found.
const FIT: &[Question] = &[Scoring];

/// The settings of `settings` that must be the same for a question, in a fixed order.
fn definitions(settings: &Settings, question: Question) -> Vec<Definition> {
    let all = all(settings).into_iter();
    all.filter(|definition| definition.questions.contains(&question)).collect()
}

/// A definition that two settings do not share.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its key in a pipeline file.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Its value in the first settings.
    pub first: Value,
    /// Its value in the second settings.
    pub second: Value,
}

/// The definitions of the first settings that are not those of the second. Those that only one of
/// them has come with another kind of input, which is a difference itself.
pub fn differences(first: &Settings, second: &Settings, question: Question) -> Vec<Difference> {
    let others = definitions(second, question);
    let differing = |Definition { key, name, value, .. }: Definition| {
        let second = others.iter().find(|other| other.key == key)?.value.clone();
        (second != value).then_some(Difference { key, name, first: value, second })
    };
    definitions(first, question).into_iter().filter_map(differing).collect()
}

/// Every classified setting. No pattern here may end in `..`: a key that is not named is a compile
/// error, and one that is bound to `_` has been classified as free.
fn all(settings: &Settings) -> Vec<Definition> {
    let Settings {
        name,
        input,
        // What the input must be like, not what it means.
        contract: _,
        transactions,
        outliers,
        summary,
        selection,
        purchases,
        calendar,
        spend,
        forecast,
        lifetime_value,
        // Intervals can be asked for at any time.
        uncertainty: _,
        segments,
        rfm,
        output,
        report: _,
        lineage: _,
        resources: _,
    } = settings;
    let mut all = vec![define("name", "pipeline", json!(name), &[Succession])];
    all.extend(of_summary(summary, input.kind));
    all.extend([
        define("forecast", "forecast", value(forecast), &[Succession]),
        of_lifetime_value(lifetime_value),
        of_segments(segments),
    ]);
    all.extend(of_input(input));
    all.extend([
        define("outliers", "handling of outliers", value(outliers), &[Scoring, Succession]),
        define("selection", "selection", value(selection), FIT),
        define("purchases", "model of orders", value(purchases), FIT),
        of_calendar(calendar),
        define("spend", "model of order values", of_spend(spend), FIT),
        // A newer index may take the place of an older one, and a factor that of another factor.
        define("spend.price_level", "kind of price level", json!(spend.price_level.kind()), FIT),
        define("spend.future_prices", "future prices", json!(spend.future_prices), NOT_THE_FIT),
        // What there is no money of does not compare with money.
        define("spend.model", "money in the results", json!(settings.has_money()), NOT_THE_FIT),
        of_rfm(rfm),
        of_output(output),
    ]);
    if !settings.has_money() {
        // Without money, the longest horizon takes the place of the lifetime value.
        let longest = json!(forecast.longest());
        all.push(define("forecast.horizons", "longest horizon", longest, ALWAYS));
    }
    if input.kind == InputKind::Transactions {
        all.extend(of_transactions(transactions));
    }
    all
}

/// How the model of order values is fitted to values at one level of prices.
fn of_spend(spend: &Spend) -> Value {
    let Spend { model, l2_penalty, price_level: _, future_prices: _ } = spend;
    json!({ "model": model, "l2_penalty": l2_penalty })
}

/// A file of factors may be kept elsewhere; a model has those of its fit.
fn of_calendar(calendar: &Calendar) -> Definition {
    let Calendar { season, trend, index, events } = calendar;
    let index = index.is_some();
    let value = json!({ "season": season, "trend": trend, "index": index, "events": events });
    define("calendar", "calendar", value, FIT)
}

/// Margin changes what the lists say of a value, not the value.
fn of_lifetime_value(lifetime_value: &LifetimeValue) -> Definition {
    let LifetimeValue { months, weeks_per_month, monthly_discount_rate, margin: _ } =
        lifetime_value;
    let value = json!({
        "months": months,
        "weeks_per_month": weeks_per_month,
        "monthly_discount_rate": monthly_discount_rate,
    });
    define("lifetime_value", "lifetime value", value, ALWAYS)
}

fn define(
    key: &'static str,
    name: &'static str,
    value: Value,
    questions: &'static [Question],
) -> Definition {
    Definition { key, name, value, questions }
}

/// Where a file is and what its columns are called may change from quarter to quarter. How many
/// columns are added up may not, and neither may what distinguishes orders and gives their value.
fn of_input(input: &Input) -> [Definition; 2] {
    let Input {
        path: _,
        kind,
        date_format: _,
        number_format: _,
        separator: _,
        encoding: _,
        sheet: _,
        // Which ids are no customers may change from quarter to quarter, as columns may.
        guest_ids: _,
        columns,
    } = input;
    let Columns {
        customer_id: _,
        first_order_date: _,
        last_order_date: _,
        orders,
        value,
        order_date: _,
        quantity,
        unit_price,
        order_id,
        keep: _,
    } = columns;
    let columns = json!({
        "orders": orders.len(),
        "value": value.len(),
        "quantity": quantity.is_some(),
        "unit_price": unit_price.is_some(),
        "order_id": order_id.is_some(),
    });
    [
        define("input.kind", "kind of input", json!(kind), ALWAYS),
        define("input.columns", "set of columns for orders and values", columns, ALWAYS),
    ]
}

/// Every new export moves the observation end, so the analysis date is free.
fn of_summary(summary: &Summary, kind: InputKind) -> [Definition; 4] {
    let Summary { analysis_date: _, time_unit, frequency, monetary_value, min_orders } = summary;
    // A customer export has no single orders, so its mean is that of all of them.
    let monetary_value = match kind {
        InputKind::Customers => MonetaryKind::Orders,
        InputKind::Transactions => *monetary_value,
    };
    [
        define("summary.time_unit", "time unit", json!(time_unit), ALWAYS),
        define("summary.frequency", "frequency", json!(frequency), ALWAYS),
        define("summary.monetary_value", "monetary value", json!(monetary_value), ALWAYS),
        define("summary.min_orders", "least number of orders", json!(min_orders), ALWAYS),
    ]
}

fn of_segments(segments: &Segments) -> Definition {
    let Segments { labels, channel_column: _, categories_column: _ } = segments;
    define("segments.labels", "list of segments", json!(labels), ALWAYS)
}

fn of_rfm(rfm: &Rfm) -> Definition {
    // The names of the RFM segments belong to the run: they can be changed at any time.
    let Rfm { ties, segments: _ } = rfm;
    define("rfm.ties", "handling of equal values", json!(ties), FIT)
}

fn of_output(output: &Output) -> Definition {
    let Output { path: _, partition: _, mode: _, formats: _, top: _, rename: _, currency } = output;
    define("output.currency", "currency", json!(currency), &[Succession, Comparison])
}

/// What counts as an order in a log, and what it is worth.
fn of_transactions(transactions: &Transactions) -> [Definition; 6] {
    let Transactions {
        cancelled,
        returns,
        value_of,
        duplicate_lines,
        merge_same_day,
        keep_zero_value,
        observation_end: _,
        calibration_end: _,
    } = transactions;
    // Like other columns, the one that marks cancellations may be called otherwise.
    let cancelled = cancelled.as_ref().map(|cancelled| {
        let Cancelled { column: _, prefix, equals, negative_quantity, not_blank } = cancelled;
        json!({
            "prefix": prefix,
            "equals": equals,
            "negative_quantity": negative_quantity,
            "not_blank": not_blank,
        })
    });
    let define = |key, name, value| define(key, name, value, ALWAYS);
    [
        define("transactions.cancelled", "rule for cancellations", json!(cancelled)),
        define("transactions.returns", "handling of returns", json!(returns)),
        define("transactions.value_of", "meaning of a line's value", json!(value_of)),
        define("transactions.duplicate_lines", "handling of equal lines", json!(duplicate_lines)),
        define("transactions.merge_same_day", "merging of a day's orders", json!(merge_same_day)),
        define(
            "transactions.keep_zero_value",
            "keeping of orders without value",
            json!(keep_zero_value),
        ),
    ]
}

/// A section as a value, without keys that are not set.
fn value(section: &impl Serialize) -> Value {
    let mut value = json!(section);
    without_nulls(&mut value);
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Overrides, parse};

    const LOG: &str = "
        [input]
        path = \"log.csv\"
        kind = \"transactions\"
        [input.columns]
        customer_id = \"id\"
        order_date = \"date\"
        quantity = \"quantity\"
        unit_price = \"price\"
        ";

    fn log(set: &str) -> Settings {
        let overrides = Overrides { set: vec![set.to_owned()], ..Overrides::default() };
        parse(LOG, &overrides).expect("sound settings")
    }

    fn differing(set: &str, question: Question) -> Vec<&'static str> {
        let pairs = differences(&log("name=\"cltv\""), &log(set), question);
        pairs.into_iter().map(|difference| difference.key).collect()
    }

    #[test]
    fn what_an_order_is_must_be_the_same_for_every_question() {
        for (set, key) in [
            ("transactions.merge_same_day=false", "transactions.merge_same_day"),
            ("transactions.returns=\"drop\"", "transactions.returns"),
            ("transactions.keep_zero_value=true", "transactions.keep_zero_value"),
            ("transactions.duplicate_lines=\"drop\"", "transactions.duplicate_lines"),
            ("transactions.cancelled={negative_quantity=true}", "transactions.cancelled"),
            ("input.columns.order_id=\"invoice\"", "input.columns"),
        ] {
            for question in [Scoring, Succession, Comparison] {
                assert_eq!(differing(set, question), [key], "{question:?}");
            }
        }
    }

    #[test]
    fn questions_differ_in_what_they_fix() {
        for (set, scoring, succession, comparison) in [
            ("transactions.observation_end=2021-06-01", false, false, false),
            ("input.columns.order_date=\"day\"", false, false, false),
            ("uncertainty={draws=100}", false, false, false),
            ("purchases.l2_penalty=0.1", true, false, false),
            ("output.currency=\"TRY\"", false, true, true),
            ("forecast.horizons=[{months=2}]", false, true, false),
            ("name=\"other\"", false, true, false),
            ("purchases.model=\"nbd\"", true, false, false),
            ("spend.l2_penalty=0.1", true, false, false),
            ("spend.model=\"none\"", true, true, true),
            ("spend.price_level={yearly=1.4}", true, false, false),
            ("spend.future_prices=\"continue\"", false, true, true),
            ("lifetime_value.margin=0.3", false, false, false),
            ("selection={last_order_within_days=90}", true, false, false),
            ("rfm.ties=\"row_order\"", true, false, false),
            ("outliers.fence=3", true, true, false),
            ("segments.labels=[\"low\", \"high\"]", true, true, true),
            ("lifetime_value.months=12", true, true, true),
            ("summary.time_unit=\"day\"", true, true, true),
            ("summary.frequency=\"orders\"", true, true, true),
            ("summary.min_orders=2", true, true, true),
        ] {
            let fixed = [Scoring, Succession, Comparison].map(|q| !differing(set, q).is_empty());
            assert_eq!(fixed, [scoring, succession, comparison], "{set}");
        }
    }

    #[test]
    fn the_lines_of_a_log_mean_nothing_in_a_customer_export() {
        let log = log("name=\"cltv\"");
        let input = Input { kind: InputKind::Customers, ..log.input.clone() };
        let export = Settings { input, ..log.clone() };
        let merge_same_day = false;
        let transactions = Transactions { merge_same_day, ..log.transactions.clone() };
        let other = Settings { transactions, ..export.clone() };
        for question in [Scoring, Succession, Comparison] {
            assert_eq!(differences(&export, &other, question), []);
            for (first, second) in [(&log, &export), (&export, &log)] {
                let keys: Vec<_> =
                    differences(first, second, question).into_iter().map(|d| d.key).collect();
                assert!(keys.contains(&"input.kind"), "{question:?}: {keys:?}");
                assert!(!keys.iter().any(|key| key.starts_with("transactions")), "{keys:?}");
            }
        }
    }
}
