//! Rules on a pipeline that types cannot express; each fault is a sentence with its remedy.

use std::collections::BTreeSet;

use crate::error::nearest;
use crate::safe_text::redacted::redacted;
use crate::settings::columns::RFM_SCORES;
use crate::settings::prices::{FuturePrices, PriceSource, YEARLY};
use crate::settings::sections::{Purchases, RfmSegment, Selection, Settings, Spend};
use crate::settings::types::{
    CappedColumns, FrequencyKind, InputKind, MOST_STAGES, MonthLength, NUMBER_FORMATS,
    PurchaseModelName, ValueOf,
};
use crate::settings::{check_calendar, contract};

/// Returns the settings when they break no rule.
///
/// # Errors
/// Every fault, one sentence each.
pub(super) fn check(settings: Settings) -> Result<Settings, Vec<String>> {
    let mut faults = Vec::new();
    columns(&settings, &mut faults);
    contract::check(&settings.contract, settings.input.kind, settings.stated_end(), &mut faults);
    outliers(&settings, &mut faults);
    models(&settings, &mut faults);
    check_calendar::check(&settings, &mut faults);
    transactions(&settings, &mut faults);
    selection(&settings, &mut faults);
    uncertainty(&settings, &mut faults);
    horizons(&settings, &mut faults);
    segments(&settings, &mut faults);
    rfm(&settings, &mut faults);
    output(&settings, &mut faults);
    currency(settings.output.currency.as_deref(), &mut faults);
    without_secrets(&settings, &mut faults);
    if faults.is_empty() { Ok(settings) } else { Err(faults) }
}

fn columns(settings: &Settings, faults: &mut Vec<String>) {
    let columns = &settings.input.columns;
    let mut need = |present: bool, key: &str, example: &str| {
        if !present {
            faults.push(format!("input.columns.{key} is missing: write {key} = {example}"));
        }
    };
    need(!columns.customer_id.is_empty(), "customer_id", "\"master_id\"");
    match settings.input.kind {
        InputKind::Customers => {
            need(columns.first_order_date.is_some(), "first_order_date", "\"first_order_date\"");
            need(columns.last_order_date.is_some(), "last_order_date", "\"last_order_date\"");
            need(!columns.orders.is_empty(), "orders", "[\"orders_online\", \"orders_offline\"]");
            need(
                !columns.value.is_empty() || !settings.has_money(),
                "value",
                "[\"value_online\", \"value_offline\"], or spend.model = \"none\" for orders only",
            );
        }
        InputKind::Transactions => {
            need(columns.order_date.is_some(), "order_date", "\"InvoiceDate\"");
            let product = columns.quantity.is_some() && columns.unit_price.is_some();
            let without_money = !settings.has_money() && !columns.has_money();
            need(
                columns.value.len() == 1 || product || without_money,
                "value",
                "\"Total\", or quantity and unit_price, or spend.model = \"none\" for orders only",
            );
            if settings.input.columns.value.len() > 1 {
                faults.push("input.columns.value: an order log has one value column".to_owned());
            }
        }
    }
    // A name like those of temporary columns could be overwritten on the way.
    for name in settings.input_columns().iter().filter(|name| name.starts_with("__")) {
        faults.push(format!(
            "input.columns: {name:?} begins with two underscores, as this program's own columns do: \
             rename it in the file"
        ));
    }
    if settings.input.path.is_empty() {
        faults.push("input.path is empty: name a file, a glob or a folder".to_owned());
    }
    let format = settings.input.number_format.as_str();
    if format != "auto" && !NUMBER_FORMATS.contains(&format) {
        faults.push(format!(
            "input.number_format {format:?}: write 1234.56 as the file writes it, as {}, or \"auto\"",
            NUMBER_FORMATS.map(|known| format!("{known:?}")).join(", ")
        ));
    }
    let separator = &settings.input.separator;
    if separator != "auto" && (separator.len() != 1 || !separator.is_ascii()) {
        faults
            .push(format!("input.separator {separator:?}: write one ASCII character, or \"auto\""));
    }
}

fn outliers(settings: &Settings, faults: &mut Vec<String>) {
    let [low, high] = settings.outliers.quantiles;
    if !(0.0..=1.0).contains(&low) || !(0.0..=1.0).contains(&high) || low >= high {
        faults.push(format!(
            "outliers.quantiles [{low}, {high}]: two rising numbers between 0 and 1 are needed"
        ));
    }
    not_negative(settings.outliers.fence, "outliers.fence", faults);
    let columns = &settings.input.columns;
    let known: Vec<&str> =
        columns.orders.iter().chain(&columns.value).map(String::as_str).collect();
    if let CappedColumns::Only(chosen) = &settings.outliers.columns {
        for name in chosen.iter().filter(|name| !known.contains(&name.as_str())) {
            faults.push(format!(
                "outliers.columns: {name:?} is not an order or value column; those are {}",
                known.join(", ")
            ));
        }
    }
}

fn models(settings: &Settings, faults: &mut Vec<String>) {
    not_negative(settings.purchases.l2_penalty, "purchases.l2_penalty", faults);
    regular(settings, faults);
    not_negative(settings.spend.l2_penalty, "spend.l2_penalty", faults);
    if settings.spend.l2_penalty > 0.0 && !settings.has_money() {
        faults.push(
            "spend.l2_penalty is for a model of order values, and spend.model is \"none\": remove it"
                .to_owned(),
        );
    }
    prices(settings, faults);
    if settings.summary.min_orders == 0 {
        faults.push(
            "summary.min_orders is 0: everybody in the file ordered at least once; write 1"
                .to_owned(),
        );
    }
}

fn prices(settings: &Settings, faults: &mut Vec<String>) {
    let Spend { price_level, future_prices, .. } = &settings.spend;
    if let PriceSource::Yearly(yearly) = price_level
        && !YEARLY.contains(yearly)
    {
        faults.push(format!(
            "spend.price_level: a yearly factor of {yearly} is not between 0.5 and 10; 1.4 is +40 % a \
             year"
        ));
    }
    if price_level.is_given() && !settings.has_money() {
        faults.push(
            "spend.price_level is for a model of order values, and spend.model is \"none\": remove it"
                .to_owned(),
        );
    }
    if *future_prices == FuturePrices::Constant {
        return;
    }
    let why = if !settings.has_money() {
        "is for order values, and spend.model is \"none\": remove it"
    } else if *price_level == PriceSource::None {
        "has nothing to go on with, since spend.price_level is \"none\": write price_level = { yearly \
         = 1.4 }, or the path of an index"
    } else if *price_level == PriceSource::Auto && settings.input.kind == InputKind::Customers {
        "needs a price level, and one row per customer shows none: write price_level = { yearly = 1.4 \
         }, or the path of an index"
    } else {
        return;
    };
    faults.push(format!("spend.future_prices = \"continue\" {why}"));
}

fn transactions(settings: &Settings, faults: &mut Vec<String>) {
    let log = &settings.transactions;
    if let Some(cancelled) = &log.cancelled {
        // A column alone marks nothing, and a prefix alone has no column to be looked up in.
        let marked =
            cancelled.prefix.is_some() || !cancelled.equals.is_empty() || cancelled.not_blank;
        if marked != cancelled.column.is_some() {
            faults.push(
                "transactions.cancelled: a column goes with prefix, equals or not_blank: write { column = \
                 \"Invoice\", prefix = \"C\" }"
                    .to_owned(),
            );
        }
        if !marked && cancelled.column.is_none() && !cancelled.negative_quantity {
            faults.push(
                "transactions.cancelled says nothing: write { column = \"Invoice\", prefix = \
                 \"C\" } or { negative_quantity = true }"
                    .to_owned(),
            );
        }
        if cancelled.prefix.as_ref().is_some_and(String::is_empty) {
            faults.push(
                "transactions.cancelled.prefix is empty, which every line begins with".to_owned(),
            );
        }
        if cancelled.negative_quantity && settings.input.columns.quantity.is_none() {
            faults.push(
                "transactions.cancelled.negative_quantity needs input.columns.quantity; for \
                 negative values, write transactions.returns = \"drop\""
                    .to_owned(),
            );
        }
    }
    if log.value_of == ValueOf::Order && settings.input.columns.order_id.is_none() {
        faults.push(
            "transactions.value_of = \"order\" needs input.columns.order_id, which says which lines \
             are of one order"
                .to_owned(),
        );
    }
    if let (Some(calibration), Some(end)) = (log.calibration_end, log.observation_end)
        && calibration > end
    {
        faults.push(format!(
            "transactions.calibration_end {calibration} is after observation_end {end}"
        ));
    }
}

fn selection(settings: &Settings, faults: &mut Vec<String>) {
    let Some(selection) = &settings.selection else {
        return;
    };
    // Besides contradictions, this refuses every case without a formula for the selection
    // probability.
    let window =
        selection.last_order_on_or_after.is_some() || selection.last_order_within_days.is_some();
    if selection.last_order_on_or_after.is_some() && selection.last_order_within_days.is_some() {
        faults.push(
            "selection: last_order_on_or_after and last_order_within_days say the same thing; \
             keep one"
                .to_owned(),
        );
    }
    if !window && selection.min_orders < 2 && !selection.both_channels {
        faults.push(
            "[selection] says nothing: write last_order_on_or_after = \"2020-05-30\" or \
             min_orders = 2, or remove the section"
                .to_owned(),
        );
    }
    if selection.last_order_within_days == Some(0) {
        faults.push("selection.last_order_within_days is 0: write 1 or more".to_owned());
    }
    if !(1..=2).contains(&selection.min_orders) {
        faults.push(format!(
            "selection.min_orders {}: the correction is worked out for 1 and 2 only; export \
             customers with two orders too",
            selection.min_orders
        ));
    }
    selection_beside_others(settings, selection, faults);
}

/// What a selection asks of other sections.
fn selection_beside_others(settings: &Settings, selection: &Selection, faults: &mut Vec<String>) {
    if settings.summary.min_orders > selection.least_orders() {
        faults.push(format!(
            "summary.min_orders {} leaves out customers that [selection] counts as in the file: \
             lower it to {}, or raise selection.min_orders",
            settings.summary.min_orders,
            selection.least_orders()
        ));
    }
    let two =
        settings.input.kind == InputKind::Customers && settings.input.columns.orders.len() == 2;
    if selection.both_channels && !two {
        faults.push(
            "selection.both_channels needs a customer export whose orders are counted in two \
             columns, one per channel: name both in input.columns.orders"
                .to_owned(),
        );
    }
    if selection.both_channels && settings.purchases.model == PurchaseModelName::ParetoNbd {
        faults.push(
            "selection.both_channels is not worked out for pareto_nbd: choose bg_nbd or mbg_nbd"
                .to_owned(),
        );
    }
    if settings.summary.frequency == FrequencyKind::Orders {
        faults.push(
            "[selection] needs summary.frequency = \"repeat_orders\": the probability of being \
             in the file is about repeat orders"
                .to_owned(),
        );
    }
    if settings.purchases.l2_penalty > 0.0 {
        faults.push(
            "[selection] needs purchases.l2_penalty = 0: a penalty would pull the corrected fit \
             to an arbitrary place"
                .to_owned(),
        );
    }
}

fn uncertainty(settings: &Settings, faults: &mut Vec<String>) {
    const MOST_DRAWS: u32 = 100_000;
    // Standard errors and Akaike's criterion hold at a maximum of the likelihood, which a penalty
    // moves away from.
    if let Some(uncertainty) = &settings.uncertainty {
        if !(0.01..=0.999).contains(&uncertainty.level) {
            faults.push(format!(
                "uncertainty.level {} is not between 0.01 and 0.999: write 0.9",
                uncertainty.level
            ));
        }
        if !(100..=MOST_DRAWS).contains(&uncertainty.draws) {
            faults.push(format!(
                "uncertainty.draws {} is not between 100 and {MOST_DRAWS}",
                uncertainty.draws
            ));
        }
        if settings.purchases.l2_penalty > 0.0 {
            faults.push(
                "[uncertainty] needs purchases.l2_penalty = 0: a penalised estimate has no \
                 standard errors"
                    .to_owned(),
            );
        }
    }
    if settings.purchases.model == PurchaseModelName::Auto && settings.purchases.l2_penalty > 0.0 {
        faults.push(
            "purchases.model = \"auto\" needs l2_penalty = 0: Akaike's criterion compares \
             likelihoods, not penalised ones"
                .to_owned(),
        );
    }
}

/// Models of regular buyers, and their k.
fn regular(settings: &Settings, faults: &mut Vec<String>) {
    let Purchases { model, l2_penalty, k } = &settings.purchases;
    if let Some(k) = k {
        if !(1..=MOST_STAGES).contains(k) {
            faults.push(format!("purchases.k {k} is not between 1 and {MOST_STAGES}"));
        }
        if !model.is_regular() {
            faults.push(
                "purchases.k needs purchases.model = \"bg_cnbd_k\" or \"mbg_cnbd_k\"".to_owned(),
            );
        }
    }
    if !model.is_regular() || *k == Some(1) {
        return;
    }
    let mut refuse = |why: &str| {
        let name = model.title().unwrap_or_default();
        faults.push(format!("purchases.model: {name} {why}"));
    };
    if settings.selection.is_some() {
        refuse(
            "cannot be fitted with [selection]: the probability of being in the file is not derived \
             for regular buyers; choose bg_nbd or mbg_nbd",
        );
    }
    if *l2_penalty > 0.0 {
        refuse("needs l2_penalty = 0: k is chosen by likelihoods, not by penalised ones");
    }
    if settings.summary.frequency == FrequencyKind::Orders {
        refuse(
            "needs summary.frequency = \"repeat_orders\": the first order has no wait before it",
        );
    }
    if settings.input.kind == InputKind::Transactions && !settings.transactions.merge_same_day {
        refuse(
            "needs transactions.merge_same_day = true: orders of one day have no wait between them",
        );
    }
}

fn horizons(settings: &Settings, faults: &mut Vec<String>) {
    const MOST_MONTHS: u32 = 120;
    // A repeated horizon would give two output columns of the same name.
    let mut seen = BTreeSet::new();
    for horizon in &settings.forecast.horizons {
        if horizon.months == 0 || horizon.months > MOST_MONTHS {
            faults.push(format!(
                "forecast.horizons: {} months is not between 1 and {MOST_MONTHS}",
                horizon.months
            ));
        }
        if !seen.insert(horizon.months) {
            faults.push(format!("forecast.horizons: {} months appears twice", horizon.months));
        }
    }
    if settings.forecast.horizons.is_empty() {
        faults.push("forecast.horizons is empty: write [ { months = 6 } ]".to_owned());
    }
    let months = settings.lifetime_value.months;
    if months == 0 || months > MOST_MONTHS {
        faults.push(format!("lifetime_value.months {months} is not between 1 and {MOST_MONTHS}"));
    }
    not_negative(
        settings.lifetime_value.monthly_discount_rate,
        "lifetime_value.monthly_discount_rate",
        faults,
    );
    margin(settings, faults);
    for (key, length) in [
        ("forecast.weeks_per_month", settings.forecast.weeks_per_month),
        ("lifetime_value.weeks_per_month", settings.lifetime_value.weeks_per_month),
    ] {
        if let MonthLength::Weeks(weeks) = length
            && !(weeks.is_finite() && weeks > 0.0)
        {
            faults.push(format!("{key} {weeks} is not above 0"));
        }
    }
}

fn margin(settings: &Settings, faults: &mut Vec<String>) {
    let Some(margin) = settings.lifetime_value.margin else {
        return;
    };
    if !(margin > 0.0 && margin <= 1.0) {
        faults.push(format!(
            "lifetime_value.margin {margin} is not a share above 0 and at most 1: write 0.3 for 30 %"
        ));
    }
    if !settings.has_money() {
        faults.push(
            "lifetime_value.margin needs order values, and spend.model is \"none\": remove it"
                .to_owned(),
        );
    }
}

fn segments(settings: &Settings, faults: &mut Vec<String>) {
    let labels = &settings.segments.labels;
    if labels.is_empty() || labels.iter().any(|label| label.trim().is_empty()) {
        faults.push("segments.labels: at least one label, and no blank one".to_owned());
    }
    if labels.iter().collect::<BTreeSet<_>>().len() != labels.len() {
        faults.push("segments.labels: a label appears twice".to_owned());
    }
    let keep = &settings.input.columns.keep;
    for (key, column) in [
        ("segments.channel_column", &settings.segments.channel_column),
        ("segments.categories_column", &settings.segments.categories_column),
    ] {
        if let Some(column) = column
            && !keep.contains(column)
        {
            faults.push(format!("{key} {column:?} is not in input.columns.keep"));
        }
    }
}

/// Checks that every pair of scores belongs to exactly one segment.
fn rfm(settings: &Settings, faults: &mut Vec<String>) {
    let segments = &settings.rfm.segments;
    let names: BTreeSet<&str> = segments.iter().map(|s| s.name.trim()).collect();
    if names.len() != segments.len() || names.contains("") {
        faults.push("rfm.segments: a name is blank or appears twice".to_owned());
    }
    for segment in segments {
        for (key, [low, high]) in [("recency", segment.recency), ("frequency", segment.frequency)] {
            if low > high || !RFM_SCORES.contains(&low) || !RFM_SCORES.contains(&high) {
                faults.push(format!(
                    "rfm.segments: {key} = [{low}, {high}] of {:?} is no range from {} to {}",
                    segment.name,
                    RFM_SCORES.start(),
                    RFM_SCORES.end()
                ));
            }
        }
    }
    // A fault names the pair: in a list of ranges, a gap or an overlap is hard to see.
    for recency in RFM_SCORES {
        for frequency in RFM_SCORES {
            let here = |segment: &&RfmSegment| segment.holds(recency, frequency);
            let holders: Vec<&str> =
                segments.iter().filter(here).map(|s| s.name.as_str()).collect();
            let pair = format!("recency {recency} with frequency {frequency}");
            match holders.as_slice() {
                [_] => {}
                [] => faults.push(format!("rfm.segments: no segment has {pair}; add one")),
                several => faults.push(format!(
                    "rfm.segments: {pair} is in {}; keep it in one",
                    several.join(" and ")
                )),
            }
        }
    }
}

fn output(settings: &Settings, faults: &mut Vec<String>) {
    if settings.output.formats.is_empty() {
        faults.push("output.formats is empty: write [\"parquet\"]".to_owned());
    }
    let formats = &settings.output.formats;
    if formats.iter().enumerate().any(|(i, format)| formats[..i].contains(format)) {
        faults.push("output.formats: a format appears twice".to_owned());
    }
    if settings.output.path.as_os_str().is_empty() {
        faults.push("output.path is empty: name a folder".to_owned());
    }
    let plain = settings.output_columns();
    for name in settings.output.rename.keys().filter(|name| !plain.contains(name)) {
        let near = nearest(name, plain.iter().map(String::as_str));
        faults.push(format!(
            "output.rename.{name}: there is no such output column{}",
            near.map_or(String::new(), |near| format!("; did you mean {near}?"))
        ));
    }
    // Renaming can make two names equal, so the final names are compared.
    let mut seen = BTreeSet::new();
    for name in plain.iter().map(|name| settings.output.rename.get(name).unwrap_or(name)) {
        if !seen.insert(name) {
            faults.push(format!(
                "two output columns are named {name:?}: rename one, or leave it out of \
                 input.columns.keep"
            ));
        }
    }
}

/// Names that are published with every event, and in run.json, hold no passwords.
fn without_secrets(settings: &Settings, faults: &mut Vec<String>) {
    let lineage = &settings.lineage.namespace;
    for (key, text) in [("lineage.namespace", lineage), ("name", &settings.name)] {
        if redacted(text) != *text {
            faults.push(format!("{key}: an address with a password or a query: leave it out"));
        }
    }
}

fn currency(code: Option<&str>, faults: &mut Vec<String>) {
    let is_code = |code: &&str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
    if let Some(code) = code.filter(|code| !is_code(code)) {
        faults.push(format!(
            "output.currency {code:?}: write its three capital letters in ISO 4217, as \"TRY\""
        ));
    }
}

fn not_negative(value: f64, key: &str, faults: &mut Vec<String>) {
    if !(value.is_finite() && value >= 0.0) {
        faults.push(format!("{key} {value} is not a number of 0 or above"));
    }
}
