//! The functions that a condition may call: of a few values or of a whole column, none with a result
//! longer than what it is given.

use polars::lazy::dsl::{max_horizontal, min_horizontal};
use polars::prelude::*;
use sqlparser::ast::{
    Expr as Sql, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

use super::nodes::used;
use crate::safe_text::printable::shown;

/// What a message names when a function is not among them. CEIL, FLOOR, TRIM and SUBSTR have nodes of their
/// own in the syntax tree.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "avg",
    "ceil",
    "char_length",
    "coalesce",
    "concat",
    "count",
    "date",
    "day",
    "ends_with",
    "exp",
    "floor",
    "greatest",
    "if",
    "ifnull",
    "least",
    "left",
    "length",
    "ln",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "max",
    "median",
    "min",
    "mod",
    "month",
    "nullif",
    "pow",
    "quantile_cont",
    "quantile_disc",
    "regexp_like",
    "right",
    "round",
    "rtrim",
    "sqrt",
    "starts_with",
    "stddev",
    "strpos",
    "substr",
    "sum",
    "trim",
    "upper",
    "variance",
    "year",
];

/// The name of a function, in lower case, and its arguments.
pub(super) fn parts(function: &Function) -> Result<(String, Vec<&Sql>), String> {
    let name = function.name.to_string().to_lowercase();
    let plain = function.over.is_none()
        && function.filter.is_none()
        && function.within_group.is_empty()
        && function.null_treatment.is_none()
        && matches!(function.parameters, FunctionArguments::None);
    let FunctionArguments::List(list) = &function.args else { return Err(unknown(&name)) };
    if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return Err(format!("{}: OVER, FILTER and DISTINCT have no meaning here", shown(&name)));
    }
    let value = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref value)) => Some(value),
        _ => None,
    };
    let values: Option<Vec<&Sql>> = list.args.iter().map(value).collect();
    values.map(|values| (name.clone(), values)).ok_or_else(|| wrong_values(&name))
}

/// What a function makes of its arguments, which are given as they are written and translated.
pub(super) fn call(name: &str, written: &[&Sql], values: &[Expr]) -> Result<Expr, String> {
    let result = match (name, values) {
        ("coalesce", [_, ..]) => Some(coalesce(values)),
        ("concat", [_, ..]) => Some(joined(values.to_vec())),
        ("greatest", [_, ..]) => max_horizontal(values).ok(),
        ("least", [_, ..]) => min_horizontal(values).ok(),
        ("round", [x]) => Some(rounded(x, 0)),
        ("round", [x, _]) => whole_number(written[1]).map(|decimals| rounded(x, decimals)),
        ("regexp_like", [x, pattern]) if matches!(written[1], Sql::Value(_)) => {
            Some(x.clone().str().contains(pattern.clone(), true))
        }
        ("regexp_like", [_, _]) => return Err("a pattern must be a text in quotes".to_owned()),
        ("if", [condition, yes, no]) => {
            Some(when(condition.clone()).then(yes.clone()).otherwise(no.clone()))
        }
        (_, [x, y]) => {
            used(x, 2)?;
            used(y, 4)?;
            of_two(name, x.clone(), y.clone())?
        }
        (_, [x]) => of_one(name, x.clone()),
        _ => None,
    };
    result.ok_or_else(|| match NAMES.contains(&name) {
        true => wrong_values(name),
        false => unknown(name),
    })
}

fn of_one(name: &str, x: Expr) -> Option<Expr> {
    Some(match name {
        "abs" => x.abs(),
        "avg" => x.mean(),
        "ceiling" => x.ceil(),
        "char_length" | "character_length" | "length" => x.str().len_chars().cast(DataType::Int64),
        "count" => x.count().cast(DataType::Int64),
        "date" => x.strict_cast(DataType::Date),
        "day" => x.dt().day().cast(DataType::Int64),
        "exp" => x.exp(),
        "ln" => x.log(lit(std::f64::consts::E)),
        "log10" => x.log(lit(10.0)),
        "log2" => x.log(lit(2.0)),
        "lower" => x.str().to_lowercase(),
        "ltrim" => x.str().strip_chars_start(lit(NULL)),
        "max" => x.max(),
        "median" => x.median(),
        "min" => x.min(),
        "month" => x.dt().month().cast(DataType::Int64),
        "rtrim" => x.str().strip_chars_end(lit(NULL)),
        "sqrt" => x.sqrt(),
        "stddev" | "stddev_samp" => x.std(1),
        "sum" => x.sum(),
        "upper" => x.str().to_uppercase(),
        "variance" | "var_samp" => x.var(1),
        "year" => x.dt().year().cast(DataType::Int64),
        _ => return None,
    })
}

fn of_two(name: &str, x: Expr, y: Expr) -> Result<Option<Expr>, String> {
    Ok(Some(match name {
        "ends_with" => x.str().ends_with(y),
        "ifnull" => coalesce(&[x, y]),
        "left" => substring(x, lit(1), Some(y))?,
        "mod" => x % y,
        "nullif" => when(x.clone().eq(y)).then(lit(NULL)).otherwise(x),
        "pow" | "power" => x.cast(DataType::Float64).pow(y.cast(DataType::Float64)),
        "quantile_cont" => x.quantile(y, QuantileMethod::Linear),
        "quantile_disc" => x.quantile(y, QuantileMethod::Equiprobable),
        "right" => last_letters(x, y),
        "starts_with" => x.str().starts_with(y),
        "strpos" => position(x, y)?,
        _ => return Ok(None),
    }))
}

/// Texts put together; a missing one makes the whole missing.
pub(super) fn joined(texts: Vec<Expr>) -> Expr {
    concat_str(texts, "", false)
}

/// The place of a text in another, in bytes from 1; 0 where it does not occur.
pub(super) fn position(text: Expr, part: Expr) -> Result<Expr, String> {
    used(&text, 2)?;
    let found = text.clone().str().find_literal(part).cast(DataType::Int64) + lit(1);
    Ok(when(text.is_null()).then(lit(NULL)).otherwise(found.fill_null(lit(0))))
}

/// The part of a text from a character (1 is the first), of a length or to the end, as in the SQL
/// standard: places before the first count, but have no letter. NULL where a number is NULL.
pub(super) fn substring(text: Expr, from: Expr, length: Option<Expr>) -> Result<Expr, String> {
    used(&from, 8)?;
    let from = from.cast(DataType::Int64);
    let begin = at_least(from.clone(), 1);
    let (letters, missing) = match length {
        None => (lit(i64::from(u32::MAX)), from.is_null()),
        Some(length) => {
            used(&length, 4)?;
            let length = length.cast(DataType::Int64);
            let letters = at_least(from.clone() + length.clone() - begin.clone(), 0);
            (letters, from.is_null().or(length.is_null()))
        }
    };
    let part = text.str().slice(begin - lit(1), letters.fill_null(lit(0)));
    Ok(when(missing).then(lit(NULL)).otherwise(part))
}

/// So many letters from the end of a text.
fn last_letters(text: Expr, letters: Expr) -> Expr {
    let letters = at_least(letters.cast(DataType::Int64), 0);
    let length = text.clone().str().len_chars().cast(DataType::Int64);
    let begin = at_least(length - letters.clone(), 0);
    let part = text.str().slice(begin.fill_null(lit(0)), letters.clone().fill_null(lit(0)));
    when(letters.is_null()).then(lit(NULL)).otherwise(part)
}

fn at_least(number: Expr, least: i64) -> Expr {
    when(number.clone().lt(lit(least))).then(lit(least)).otherwise(number)
}

fn rounded(x: &Expr, decimals: u32) -> Expr {
    x.clone().round(decimals, RoundMode::HalfAwayFromZero)
}

fn whole_number(sql: &Sql) -> Option<u32> {
    match sql {
        Sql::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn wrong_values(name: &str) -> String {
    format!("{} is called with values that it does not take", shown(name))
}

fn unknown(name: &str) -> String {
    format!("there is no function {} here; there are {}", shown(name), NAMES.join(", "))
}
