//! The model: what its parameters mean, whether it fits, and all findings of the run.

use maud::{Markup, html};

use crate::report::chart::Chart;
use crate::report::chart::columns::{ColumnChart, Series};
use crate::report::sections::checks;
use crate::report::sections::overview::notice;
use crate::report::table::{Cell, Table};
use crate::report::view::View;
use crate::results::candidate::{Candidate, Outcome};
use crate::results::chart_data::{DerivedQuantity, FitBin, Quantity};
use crate::results::model_check::all_held;

/// Terms of the glossary, in order.
const TERMS: [&str; 11] = [
    "cltv", "segment", "alive", "frequency", "recency", "age", "monetary", "interval", "rfm",
    "holdout", "selection",
];

/// Terms that are about money.
const OF_MONEY: [&str; 2] = ["cltv", "monetary"];

/// The section as HTML.
pub fn section(view: &View<'_>) -> Markup {
    let run = view.run;
    html! {
        (crate::report::sections::heading(view, "model"))
        p { (view.fill(if run.model.given { "model.given" } else { "model.fitted" }, &[
            ("model", &view.model_name(run.purchases.model.name())),
            ("id", &run.model.id), ("date", &view.words.language.date(run.model.fitted_until)),
        ])) }
        ul.meaning {
            @for quantity in &view.charts.derived { li { (derived_quantity(view, quantity)) } }
            @if let Some(k) = run.purchases.k { li { (regular(view, k)) } }
        }
        div.charts {
            @for chart in fit(view) { (chart.markup(view)) }
        }
        (parameters(view).markup("parameters-table", view.t("model.parameters")))
        @if run.purchases.comparison.len() > 1 {
            h3 { (view.t("model.comparison")) }
            p { (view.t("model.comparison_note")) }
            (comparison(view).markup("comparison-table", view.t("model.comparison")))
        }
        h3 #diagnostics { (view.t("model.diagnostics")) }
        @if run.warnings.is_empty() && all_held(&run.model_checks) { p { (view.t("model.nothing")) } }
        @for finding in &run.warnings { (notice(view, finding)) }
        (checks::list(view))
        h3 { (view.t("model.glossary")) }
        dl.glossary { @for term in TERMS.iter().filter(|term| view.has_money() || !OF_MONEY.contains(term)) {
            dt { (view.t(&format!("glossary.{term}.term"))) }
            dd { (view.t(&format!("glossary.{term}.meaning"))) }
        } }
    }
}

/// How regular customers are: Erlang-k waits have a relative standard deviation of 1/√k.
fn regular(view: &View<'_>, k: u8) -> Markup {
    let variation = f64::from(k).sqrt().recip();
    html! {
        span data-v=(variation) {
            (view.fill("model.meaning.regular", &[("value", &view.percent(variation))]))
        }
    }
}

/// A sentence with a number and its interval.
fn derived_quantity(view: &View<'_>, quantity: &Quantity) -> Markup {
    let say = |v: f64| match quantity.name {
        DerivedQuantity::TimeBetweenOrders | DerivedQuantity::Lifetime => view.duration(v),
        DerivedQuantity::LeaveAfterOrder => view.words.language.percent(v, 1),
        DerivedQuantity::MeanOrderValue => view.money(v),
    };
    let key = match quantity.name {
        DerivedQuantity::TimeBetweenOrders => "time_between_orders",
        DerivedQuantity::LeaveAfterOrder => "leave_after_order",
        DerivedQuantity::Lifetime => "lifetime",
        DerivedQuantity::MeanOrderValue => "mean_order_value",
    };
    let value = say(quantity.value);
    html! {
        span data-v=(quantity.value) { (view.fill(&format!("model.meaning.{key}"), &[("value", &value)])) }
        @if let Some([low, high]) = quantity.interval {
            " " span.range { (view.fill("model.meaning.interval", &[
                ("level", &view.percent(view.charts.level)), ("low", &say(low)), ("high", &say(high)),
            ])) }
        }
    }
}

/// Charts of the fit against the data; none when the expectation could not be computed.
fn fit(view: &View<'_>) -> Vec<Chart> {
    let fit = &view.charts.fit;
    let note = view.fill("model.chart.note", &[("draws", &view.whole(fit.draws as f64))]);
    let chart = |id: &str, key: &str, across: &str, bins: &[FitBin]| {
        ColumnChart {
            id,
            title: view.t(key).to_owned(),
            note: note.clone(),
            across: view.t(across),
            categories: bins.iter().map(|bin| name(view, bin)).collect(),
            series: vec![
                Series::new(
                    view.t("words.actual"),
                    7,
                    bins.iter().map(|b| b.observed as f64).collect(),
                ),
                Series::new(view.t("words.expected"), 4, bins.iter().map(|b| b.expected).collect()),
            ],
            stacked: false,
            say: &|v| view.whole(v),
        }
        .chart(view)
    };
    let drawn = [
        ("fit-frequency", "model.chart.frequency", "words.frequency", &fit.frequency),
        ("fit-silence", "model.chart.silence", "model.chart.days", &fit.silence_days),
    ];
    let there = drawn.into_iter().filter(|(_, _, _, bins)| !bins.is_empty());
    there.map(|(id, key, across, bins)| chart(id, key, across, bins)).collect()
}

/// The name of a bin of whole numbers.
fn name(view: &View<'_>, bin: &FitBin) -> String {
    let from = view.whole(bin.from);
    match bin.to {
        Some(to) if to - bin.from <= 1.0 => from,
        Some(to) => format!("{from}–{}", view.whole(to - 1.0)),
        None => format!("{from}+"),
    }
}

fn parameters(view: &View<'_>) -> Table {
    let keys = ["parameter", "value", "error", "says"];
    let mut table = Table::new(keys.map(|key| view.t(&format!("model.{key}"))));
    let purchases = &view.run.purchases;
    for (name, value) in purchases.parameters.iter() {
        let known = !purchases.not_identified.iter().any(|unknown| unknown == name);
        let error = purchases.standard_errors.get(name).copied().flatten();
        let says = match (name, purchases.k) {
            ("alpha", Some(_)) => "alpha_of_regular",
            (name, _) => name,
        };
        table.row(parameter(view, (name, says), known.then_some(*value), error));
    }
    if let Some(k) = purchases.k {
        let [name, _, error, says] = parameter(view, ("k", "k"), Some(f64::from(k)), None);
        let value = Cell::Number(view.whole(f64::from(k)), f64::from(k));
        table.row([name, value, error, says]);
    }
    for (name, value) in view.run.spend.parameters.iter() {
        let error = view.run.spend.standard_errors.get(name).copied().flatten();
        table.row(parameter(view, (name, name), Some(*value), error));
    }
    table
}

/// A parameter, what its symbol says, its value and its standard error.
fn parameter(
    view: &View<'_>,
    (name, says): (&str, &str),
    value: Option<f64>,
    error: Option<f64>,
) -> [Cell; 4] {
    let said = format!("model.symbols.{says}");
    let exact = |v: f64| Cell::Number(view.words.language.number(v, 4), v);
    [
        Cell::text(view.t(&format!("model.names.{name}"))),
        value.map_or_else(|| Cell::text(view.t("model.unknown")), exact),
        error.map_or(Cell::none(), exact),
        Cell::text(view.words.get(&said).unwrap_or_default()),
    ]
}

/// Why a model predicts, or another one does.
fn why(view: &View<'_>, compared: &Candidate) -> String {
    let Some(outcome) = compared.outcome else {
        return String::new();
    };
    let key = match outcome {
        Outcome::Best => "best",
        Outcome::Named => "named",
        Outcome::InPlace => "in_place",
        Outcome::Other => "other",
        Outcome::Nbd => "nbd",
        Outcome::Failed => "failed",
    };
    let all = &view.run.purchases.comparison;
    let own = all.iter().find(|one| one.model == view.run.purchases.model).and_then(|one| one.aic);
    let difference = match (own, compared.aic) {
        (Some(own), Some(aic)) => view.words.language.number(aic - own, 1),
        _ => String::new(),
    };
    let text = view.fill(&format!("model.compared.{key}"), &[("difference", &difference)]);
    match compared.sample {
        None => text,
        Some(n) => {
            let sample = view.fill("model.compared.sample", &[("n", &view.whole(n))]);
            format!("{text} {sample}")
        }
    }
}

fn comparison(view: &View<'_>) -> Table {
    let keys = ["model", "log_likelihood", "aic", "leaves", "alive", "why"];
    let mut table = Table::new(keys.map(|key| view.t(&format!("model.compared.{key}"))));
    // A model whose fit found no optimum has no likelihood, and says nothing about who leaves.
    let number = |value: Option<f64>| {
        value.map_or(Cell::none(), |v| Cell::Number(view.words.language.number(v, 1), v))
    };
    for compared in &view.run.purchases.comparison {
        let leaves = match (compared.log_likelihood, compared.without_dropout) {
            (None, _) => "model.compared.no_optimum",
            (Some(_), true) => "words.no",
            (Some(_), false) => "words.yes",
        };
        table.row([
            Cell::text(view.model_name(compared.model.name())),
            number(compared.log_likelihood),
            number(compared.aic),
            Cell::text(view.t(leaves)),
            compared
                .share_alive
                .map_or(Cell::none(), |share| Cell::Number(view.percent(share), share)),
            Cell::text(why(view, compared)),
        ]);
    }
    table
}
