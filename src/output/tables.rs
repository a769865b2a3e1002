//! The tables of a run.

use chrono::Days;
use polars::prelude::*;

use crate::error::Error;
use crate::frame::scored::predictions::{highest, rows};
use crate::frame::{as_text, numbers};
use crate::output::table_columns::TableColumns;
use crate::results::forecast::{ForecastRow, Interval};
use crate::results::profiles::{Described, Profile};
use crate::run::Run;
use crate::settings::columns::{
    CLTV, CUSTOMER_ID, DAYS_SINCE_LAST_ORDER, EXP_AVERAGE_VALUE, EXPECTED_MARGIN, FREQUENCY,
    MONETARY_AVG, P_ALIVE, RFM_SEGMENT, age, expected_orders, recency,
};
use crate::settings::{Segments, Settings};

/// Most entries of a column to keep that the profile of a segment lists.
const MOST_ENTRIES: usize = 20;
/// The customers under the column names that the pipeline asks for. Columns to keep are text with
/// blanks for gaps, whatever their type in the input: the next export must not change a column's
/// type, and no output column has nulls.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn renamed(scored: &DataFrame, settings: &Settings) -> Result<DataFrame, Error> {
    let one = |column: &Column| {
        let name = column.name().as_str();
        let kept = settings.input.columns.keep.iter().any(|keep| keep == name);
        let values = if kept { as_text(name, column.dtype()) } else { col(name) };
        values.alias(settings.output.rename.get(name).map_or(name, String::as_str))
    };
    let columns: Vec<Expr> = scored.columns().iter().map(one).collect();
    scored
        .clone()
        .lazy()
        .select(columns)
        .collect()
        .map_err(Error::engine("rename the output columns"))
}

/// The customers with the highest cltv (without money, the most expected orders), highest first; ties
/// are in input order.
///
/// # Errors
/// [`Error::Engine`], never for a scored frame.
pub fn top(run: &Run, settings: &Settings) -> Result<DataFrame, Error> {
    let ranking = numbers(&run.scored, &settings.ranking_column())?;
    let order = highest(&ranking, settings.output.top as usize);
    let top = rows(&run.scored, &order)?;
    renamed(&top, settings)
}

/// One row per segment, lowest first.
///
/// # Errors
/// [`Error::Engine`], never for a finished run.
pub fn segments(run: &Run, settings: &Settings) -> Result<DataFrame, Error> {
    let unit = settings.summary.time_unit;
    let has_money = settings.has_money();
    let numbers = |name: String, of: &dyn Fn(usize, &Profile) -> f64| {
        let values: Vec<f64> =
            run.profiles.segments.iter().enumerate().map(|(i, p)| of(i, p)).collect();
        Column::new(name.into(), values)
    };
    let texts = |name: &str, of: &dyn Fn(usize, &Profile) -> String| {
        let values: Vec<String> =
            run.profiles.segments.iter().enumerate().map(|(i, p)| of(i, p)).collect();
        Column::new(name.into(), values)
    };
    // A column of amounts, where there is money.
    let amounts = |name: &str, of: &dyn Fn(&Profile) -> Option<f64>| {
        let values: Vec<Option<f64>> = run.profiles.segments.iter().map(of).collect();
        has_money.then(|| Column::new(name.into(), values))
    };
    let customers: Vec<u64> = run.profiles.segments.iter().map(|p| p.customers as u64).collect();
    let ranked = if has_money { CLTV } else { "orders" };
    let mut columns = vec![
        texts("segment", &|_, p| p.label.clone()),
        numbers(format!("{ranked}_lower"), &|i, _| run.edges[i]),
        numbers(format!("{ranked}_upper"), &|i, _| run.edges[i + 1]),
        Column::new("customers".into(), customers),
    ];
    columns.extend(amounts(&format!("total_{CLTV}"), &|p| p.total_cltv));
    columns.extend(amounts(&format!("mean_{CLTV}"), &|p| p.mean_cltv));
    if let Some(margin) = settings.lifetime_value.margin {
        let of_total = |p: &Profile| p.total_cltv.map(|total| margin * total);
        columns.extend(amounts(&format!("total_{EXPECTED_MARGIN}"), &of_total));
        let of_mean = |p: &Profile| p.mean_cltv.map(|mean| margin * mean);
        columns.extend(amounts(&format!("mean_{EXPECTED_MARGIN}"), &of_mean));
    }
    columns.extend([
        numbers(format!("mean_{FREQUENCY}"), &|_, p| p.mean_frequency),
        numbers(format!("mean_{}", recency(unit)), &|_, p| p.mean_recency),
        numbers(format!("mean_{}", age(unit)), &|_, p| p.mean_age),
    ]);
    columns.extend(amounts(&format!("mean_{MONETARY_AVG}"), &|p| p.mean_monetary));
    columns.push(numbers(format!("mean_{P_ALIVE}"), &|_, p| p.mean_p_alive));
    for (h, horizon) in settings.forecast.horizons.iter().enumerate() {
        let total = |_: usize, p: &Profile| p.expected_orders[h].1;
        columns.push(numbers(format!("total_{}", expected_orders(horizon.months)), &total));
    }
    columns.extend([
        numbers(
            format!("share_of_expected_{}", if has_money { "value" } else { "orders" }),
            &|i, _| run.advice[i].share(),
        ),
        texts("main_channel", &|_, p| {
            p.main_channel.as_ref().map_or(String::new(), |(channel, _)| channel.clone())
        }),
        texts("top_categories", &|_, p| {
            let names: Vec<&str> = p.categories.iter().take(3).map(|(n, _)| n.as_str()).collect();
            names.join(", ")
        }),
        texts("suggested_action", &|i, _| run.advice[i].text.clone()),
    ]);
    DataFrame::new_infer_height(columns).map_err(Error::engine("make the segment table"))
}

/// One row per RFM segment, with the number of its customers in each CLTV segment.
///
/// # Errors
/// [`Error::Engine`], never for a finished run.
pub fn rfm(run: &Run, segments: &Segments) -> Result<DataFrame, Error> {
    let mut columns = TableColumns::of(&run.rfm)
        .text(RFM_SEGMENT, |row| row.segment.clone())
        .count("customers", |row| row.customers)
        .number("share_of_customers", |row| row.share)
        .number(&format!("mean_{DAYS_SINCE_LAST_ORDER}"), |row| row.mean_days_since_last_order)
        .number("mean_orders", |row| row.mean_orders);
    if run.spend.is_some() {
        columns = columns
            .optional("mean_spend", |row| row.mean_spend)
            .optional(&format!("total_{CLTV}"), |row| row.total_cltv)
            .optional(&format!("mean_{CLTV}"), |row| row.mean_cltv);
    }
    for (k, label) in segments.labels.iter().enumerate() {
        columns = columns.count(&format!("customers_{label}"), |row| row.by_cltv_segment[k]);
    }
    columns.table()
}

/// Orders and revenue of every group in every period; with interval columns when the pipeline asks
/// for intervals.
///
/// # Errors
/// [`Error::Engine`], never for a finished run.
pub fn forecast(run: &Run) -> Result<DataFrame, Error> {
    // A period begins on the day after `from_day`, which belongs to the period before it.
    let as_of = run.audit.observation_end;
    let day = |days: f64| (as_of + Days::new(days.round() as u64)).to_string();
    let columns = TableColumns::of(&run.forecast)
        .text("scope", |row| row.scope.name().to_owned())
        .text("group", |row| row.group.clone())
        .text("period", |row| row.period.span.name().to_owned())
        .count("number", |row| row.period.number as usize)
        .text("from", |row| day(row.period.from_day.round() + 1.0))
        .text("to", |row| day(row.period.to_day))
        .number("expected_orders", |row| row.orders);
    let interval = |columns: TableColumns<'_, ForecastRow>,
                    name: &str,
                    of: fn(&ForecastRow) -> Option<Interval>| {
        if run.forecast.iter().all(|row| of(row).is_none()) {
            return columns.table();
        }
        columns
            .optional(&format!("{name}_low"), |row| of(row).map(|i| i.low))
            .optional(&format!("{name}_high"), |row| of(row).map(|i| i.high))
            .table()
    };
    let mut table = interval(columns, "orders", |row| row.orders_interval)?;
    if run.spend.is_none() {
        return Ok(table);
    }
    let revenue = TableColumns::of(&run.forecast).optional("expected_revenue", |row| row.revenue);
    let revenue = interval(revenue, "revenue", |row| row.revenue_interval)?;
    table.hstack_mut(revenue.columns()).map_err(Error::engine("make the forecast table"))?;
    Ok(table)
}

/// Actual and expected repeat orders, one row per week.
///
/// # Errors
/// [`Error::Engine`], never for a finished run.
pub fn tracking(run: &Run) -> Result<DataFrame, Error> {
    TableColumns::of(&run.tracking)
        .text("from", |week| week.first_day.to_string())
        .text("to", |week| week.last_day.to_string())
        .text("period", |week| if week.holdout { "holdout" } else { "calibration" }.to_owned())
        .number("actual_repeat_orders", |week| week.actual)
        .number("expected_repeat_orders", |week| week.expected)
        .number("actual_cumulative", |week| week.actual_cumulative)
        .number("expected_cumulative", |week| week.expected_cumulative)
        .table()
}

/// The customers who are expected to order most in the next month.
///
/// # Errors
/// [`Error::Engine`], never for a finished run.
pub fn next_month(run: &Run) -> Result<DataFrame, Error> {
    TableColumns::of(&run.next_month)
        .text(CUSTOMER_ID, |(id, _)| id.clone())
        .number(&expected_orders(1), |(_, orders)| *orders)
        .table()
}

/// The columns to keep by segment and for all customers: one row per mean, or one row per entry
/// with its share.
///
/// # Errors
/// [`Error::Engine`], never for a finished run.
pub fn profiles(run: &Run, segments: &Segments) -> Result<DataFrame, Error> {
    struct Line {
        segment: String,
        column: String,
        entry: String,
        mean: Option<f64>,
        known: Option<f64>,
        share: Option<f64>,
    }
    let mut lines = Vec::new();
    let labels = segments.labels.iter().map(String::as_str).chain(["all"]);
    for (group, segment) in labels.enumerate() {
        for kept in &run.profiles.kept_columns {
            let line = |entry: &str, mean, known, share| Line {
                segment: segment.to_owned(),
                column: kept.column.clone(),
                entry: entry.to_owned(),
                mean,
                known,
                share,
            };
            match &kept.groups[group] {
                Described::Mean { mean, customers } => {
                    lines.push(line("", *mean, Some(*customers as f64), None));
                }
                Described::Shares(shares) => lines.extend(
                    shares
                        .iter()
                        .take(MOST_ENTRIES)
                        .map(|(e, share)| line(e, None, None, Some(*share))),
                ),
            }
        }
    }
    TableColumns::of(&lines)
        .text("segment", |line| line.segment.clone())
        .text("column", |line| line.column.clone())
        .text("entry", |line| line.entry.clone())
        .optional("mean", |line| line.mean)
        .optional("customers_with_a_number", |line| line.known)
        .optional("share_of_customers", |line| line.share)
        .table()
}

/// Columns of the top list that fit a terminal: the name before any renaming, and a short title. What
/// ranks the customers comes last: the lifetime value, the margin in it where the pipeline names one,
/// or P(alive) beside the expected orders where there is no money.
pub fn top_columns(settings: &Settings) -> Vec<(String, String)> {
    let last = settings.forecast.longest();
    let unit = settings.summary.time_unit;
    let mut columns = vec![
        (CUSTOMER_ID.to_owned(), "customer".to_owned()),
        (FREQUENCY.to_owned(), "frequency".to_owned()),
        (recency(unit), "recency".to_owned()),
        (age(unit), "T".to_owned()),
    ];
    let mut add = |name: String, title: &str| columns.push((name, title.to_owned()));
    let orders = (expected_orders(last), format!("orders {last} mo"));
    if settings.has_money() {
        add(MONETARY_AVG.to_owned(), "avg order");
        add(orders.0, &orders.1);
        add(EXP_AVERAGE_VALUE.to_owned(), "exp order");
        match settings.lifetime_value.margin {
            Some(_) => add(EXPECTED_MARGIN.to_owned(), "margin"),
            None => add(CLTV.to_owned(), "cltv"),
        }
    } else {
        add(P_ALIVE.to_owned(), "P(alive)");
        add(orders.0, &orders.1);
    }
    columns
}

/// The tables that a run always writes as CSV, with their file names.
pub(crate) fn small_tables(
    run: &Run,
    settings: &Settings,
) -> Result<Vec<(&'static str, DataFrame)>, Error> {
    let mut all = vec![
        ("segments.csv", segments(run, settings)?),
        ("top_customers.csv", top(run, settings)?),
        ("profiles.csv", profiles(run, &settings.segments)?),
        ("rfm.csv", rfm(run, &settings.segments)?),
        ("forecast.csv", forecast(run)?),
        ("next_month.csv", next_month(run)?),
    ];
    if !run.tracking.is_empty() {
        all.push(("tracking.csv", tracking(run)?));
    }
    Ok(all)
}
