//! The models against 60-digit arithmetic, on a grid that includes extreme cases.

use std::io::Write;

use cltv::customers::{Histories, History, HistoryColumns};
use cltv::model::CustomerPatterns;
use cltv::model::PurchaseModel;
use cltv::model::SelectionRule;
use cltv::settings::Family;

use crate::support::project;

const TOLERANCE: f64 = 1e-10;

struct Row {
    text: String,
    family: Family,
    quantity: String,
    model: PurchaseModel,
    history: History,
    t: f64,
    n: u32,
    value: f64,
}

/// `tests/suite/model_reference.csv`, made by `scripts/model_reference.py` (mpmath 1.3, each value
/// computed in two ways): likelihood, P(alive), expected orders, order counts and P(selected) for x
/// up to 100,000, T up to 10,000, a + b < 1, a = 1, s = 1, α = β, t_x = T, and horizons from 1e-6
/// to 1e5.
fn rows() -> Vec<Row> {
    let path = project("tests/suite/model_reference.csv");
    let text = std::fs::read_to_string(path).expect("the reference values");
    text.lines().skip(1).map(row).collect()
}

fn row(text: &str) -> Row {
    let fields: Vec<&str> = text.split(',').collect();
    let number = |i: usize| fields[i].parse::<f64>().expect("a number");
    let family = match fields[0] {
        "bg_nbd" => Family::BgNbd,
        "mbg_nbd" => Family::MbgNbd,
        "pareto_nbd" => Family::ParetoNbd,
        other => panic!("no model {other}"),
    };
    Row {
        text: text.to_owned(),
        family,
        quantity: fields[1].to_owned(),
        model: family.model(&[number(2), number(3), number(4), number(5)]),
        history: History { frequency: number(6), recency: number(7), age: number(8) },
        t: number(9),
        n: number(10) as u32,
        value: number(11),
    }
}

fn ours(row: &Row) -> f64 {
    let History { frequency: x, recency: t_x, age } = row.history;
    match row.quantity.as_str() {
        "ln_likelihood" => {
            let histories = Histories::new(HistoryColumns {
                frequency: vec![x],
                recency: vec![t_x],
                age: vec![age],
                monetary_value: vec![1.0],
                spend_count: vec![1.0],
            });
            let patterns = CustomerPatterns::of(&histories.expect("valid")).patterns;
            row.family.log_likelihood(&patterns)(&row.model.parameters()).0
        }
        "p_alive" => row.model.p_alive(row.history),
        "expected_orders" => row.model.expected_orders(row.history, row.t).unwrap_or(f64::NAN),
        "new_customer" => row.model.expected_orders(History::NEW, row.t).unwrap_or(f64::NAN),
        "pmf" => row.model.distribution(row.history, row.t, row.n..row.n + 1)[0],
        "p_selected" => row
            .model
            .selection_probability(&SelectionRule::to(row.t), age)
            .map_or(f64::NAN, |selected| selected.at(age)[0]),
        other => panic!("no quantity {other}"),
    }
}

#[test]
fn agrees_with_the_reference_everywhere() {
    let rows = rows();
    assert!(rows.len() > 900);
    let mut errors: Vec<(f64, f64, &Row)> = rows
        .iter()
        .map(|row| {
            let value = ours(row);
            // Near 0, ln L is a sum of large terms that cancel: there, the relative error of L
            // counts.
            let near_zero = row.quantity == "ln_likelihood" && row.value.abs() < 1.0;
            let scale = if near_zero { 1.0 } else { row.value.abs() };
            let error = (value - row.value).abs() / scale;
            (if error.is_nan() { f64::INFINITY } else { error }, value, row)
        })
        .collect();
    errors.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (error, value, row) in errors.iter().take_while(|e| e.0 > TOLERANCE) {
        println!("{error:.1e} {value} {}", row.text);
    }
    let (worst, value, row) = &errors[0];
    // Written directly to stderr, past the capture of the test runner, so that every log has it.
    let line = format!("worst of {}: relative error {worst:.1e} for {}", rows.len(), row.text);
    writeln!(std::io::stderr(), "{line}").expect("a stderr");
    assert!(*worst < TOLERANCE, "relative error {worst:.1e}: {value} for {}", row.text);
}
