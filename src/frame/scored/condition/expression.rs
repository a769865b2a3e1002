//! From the syntax tree of a condition to the expression that Polars computes. What is not translated
//! here cannot be asked: files, other tables and functions that take much memory have no translation.

use chrono::{NaiveDate, NaiveDateTime};
use polars::prelude::*;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType as SqlType, DateTimeField,
    Expr as Sql, Ident, TrimWhereField, UnaryOperator, Value,
};

use super::functions;
use super::nodes::used;
use crate::safe_text::printable::shown;

/// Most texts that are joined in a condition: each may be as long as a customer's value.
const MOST_JOINED: usize = 8;

/// Translates one condition.
pub(super) struct Translator<'a> {
    /// The columns that it may name.
    schema: &'a Schema,
    /// The columns that it names, known or not.
    pub(super) named: Vec<String>,
    /// Texts that have been put together so far.
    joined: usize,
}

impl<'a> Translator<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        Self { schema, named: Vec::new(), joined: 0 }
    }

    pub(super) fn expression(&mut self, sql: &Sql) -> Result<Expr, String> {
        Ok(match sql {
            Sql::Nested(inner) => self.expression(inner)?,
            Sql::Identifier(name) => self.column(name),
            Sql::Value(value) => literal(&value.value)?,
            Sql::TypedString(text) => {
                let text_type = column_type(&text.data_type)?;
                of_type(&text_of(&text.value.value)?, &text_type)?
            }
            Sql::UnaryOp { op: UnaryOperator::Not, expr } => self.truth(expr)?.not(),
            Sql::UnaryOp { op, expr } => unary(*op, self.expression(expr)?)?,
            Sql::BinaryOp { left, op, right } => self.binary(left, op, right)?,
            Sql::IsNull(x) => self.expression(x)?.is_null(),
            Sql::IsNotNull(x) => self.expression(x)?.is_not_null(),
            Sql::IsTrue(x) => self.truth(x)?.fill_null(lit(false)),
            Sql::IsNotTrue(x) => self.truth(x)?.fill_null(lit(false)).not(),
            Sql::IsFalse(x) => self.truth(x)?.fill_null(lit(true)).not(),
            Sql::IsNotFalse(x) => self.truth(x)?.fill_null(lit(true)),
            Sql::IsDistinctFrom(a, b) => self.pair(a, b)?.map(|a, b| a.neq_missing(b)),
            Sql::IsNotDistinctFrom(a, b) => self.pair(a, b)?.map(|a, b| a.eq_missing(b)),
            Sql::Between { expr, negated, low, high } => {
                let value = self.expression(expr)?;
                used(&value, 2)?;
                let above = self.beside(value.clone(), expr, low)?.map(Expr::gt_eq);
                let below = self.beside(value, expr, high)?.map(Expr::lt_eq);
                negated_if(*negated, above.and(below))
            }
            Sql::InList { expr, list, negated } => negated_if(*negated, self.in_list(expr, list)?),
            Sql::Like { negated, any: false, expr, pattern, escape_char: None } => {
                negated_if(*negated, self.matches(expr, &like(&text(pattern)?, "(?s)"))?)
            }
            Sql::ILike { negated, any: false, expr, pattern, escape_char: None } => {
                negated_if(*negated, self.matches(expr, &like(&text(pattern)?, "(?is)"))?)
            }
            Sql::RLike { negated, expr, pattern, .. } => {
                negated_if(*negated, self.matches(expr, &text(pattern)?)?)
            }
            Sql::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())?
            }
            Sql::Cast { kind, expr, data_type, format: None, array: false } => {
                let to = column_type(data_type)?;
                if matches!(to, DataType::Datetime(..)) {
                    return Err("a CAST to a time is not possible here: use DATE".to_owned());
                }
                let from = self.expression(expr)?;
                match kind {
                    CastKind::TryCast | CastKind::SafeCast => from.cast(to),
                    CastKind::Cast | CastKind::DoubleColon => from.strict_cast(to),
                }
            }
            Sql::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.expression(expr)?.ceil()
            }
            Sql::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.expression(expr)?.floor()
            }
            Sql::Extract { field, expr, .. } => part_of_date(field, self.expression(expr)?)?,
            Sql::Position { expr, r#in } => {
                functions::position(self.expression(r#in)?, self.expression(expr)?)?
            }
            Sql::Substring { expr, substring_from, substring_for, .. } => {
                let text = self.expression(expr)?;
                let from = substring_from.as_ref().map(|from| self.expression(from)).transpose()?;
                let length = substring_for.as_ref().map(|n| self.expression(n)).transpose()?;
                functions::substring(text, from.unwrap_or(lit(1)), length)?
            }
            Sql::Trim { trim_where, trim_what: None, expr, trim_characters: None } => {
                let text = self.expression(expr)?.str();
                let blanks = lit(NULL);
                match trim_where {
                    None | Some(TrimWhereField::Both) => text.strip_chars(blanks),
                    Some(TrimWhereField::Leading) => text.strip_chars_start(blanks),
                    Some(TrimWhereField::Trailing) => text.strip_chars_end(blanks),
                }
            }
            Sql::Function(function) => {
                let (name, written) = functions::parts(function)?;
                if name == "concat" {
                    self.joins(written.len())?;
                }
                let values: Result<Vec<Expr>, String> =
                    written.iter().map(|value| self.expression(value)).collect();
                functions::call(&name, &written, &values?)?
            }
            Sql::Subquery(_)
            | Sql::Exists { .. }
            | Sql::InSubquery { .. }
            | Sql::AnyOp { .. }
            | Sql::AllOp { .. } => {
                return Err(
                    "it asks for another table: a condition knows only the columns of the \
                            run's customers"
                        .to_owned(),
                );
            }
            other => return Err(format!("{} has no meaning here", shown(&brief(other)))),
        })
    }

    /// A column; whole numbers as wide ones, which do not overflow at 128 or 32,768.
    fn column(&mut self, name: &Ident) -> Expr {
        self.named.push(name.value.clone());
        let column = col(name.value.as_str());
        match self.schema.get(&name.value) {
            Some(kind) if kind.is_integer() => column.cast(DataType::Int64),
            _ => column,
        }
    }

    /// What is true, false or NULL.
    fn truth(&mut self, sql: &Sql) -> Result<Expr, String> {
        let value = self.expression(sql)?;
        match self.type_of(&value) {
            Some(DataType::Null) => Ok(value.cast(DataType::Boolean)),
            Some(other) if other != DataType::Boolean => {
                Err(format!("{} is neither true nor false", shown(&brief(sql))))
            }
            _ => Ok(value),
        }
    }

    fn type_of(&self, expression: &Expr) -> Option<DataType> {
        expression.to_field(self.schema).ok().map(|field| field.dtype)
    }

    fn binary(&mut self, left: &Sql, op: &BinaryOperator, right: &Sql) -> Result<Expr, String> {
        use BinaryOperator as Op;
        let pattern = |options: &str| text(right).map(|pattern| like(&pattern, options));
        let case_free = || text(right).map(|pattern| format!("(?i){pattern}"));
        Ok(match op {
            Op::And => self.truth(left)?.and(self.truth(right)?),
            Op::Or => self.truth(left)?.or(self.truth(right)?),
            Op::Xor => self.truth(left)?.xor(self.truth(right)?),
            Op::Eq => self.pair(left, right)?.map(Expr::eq),
            Op::NotEq => self.pair(left, right)?.map(Expr::neq),
            Op::Lt => self.pair(left, right)?.map(Expr::lt),
            Op::LtEq => self.pair(left, right)?.map(Expr::lt_eq),
            Op::Gt => self.pair(left, right)?.map(Expr::gt),
            Op::GtEq => self.pair(left, right)?.map(Expr::gt_eq),
            Op::Spaceship => self.pair(left, right)?.map(|a, b| a.eq_missing(b)),
            Op::Plus => self.expression(left)? + self.expression(right)?,
            Op::Minus => self.expression(left)? - self.expression(right)?,
            Op::Multiply => self.expression(left)? * self.expression(right)?,
            Op::Divide => self.expression(left)?.true_div(self.expression(right)?),
            Op::Modulo => self.expression(left)? % self.expression(right)?,
            Op::StringConcat => {
                self.joins(1)?;
                functions::joined(vec![self.expression(left)?, self.expression(right)?])
            }
            Op::PGRegexMatch | Op::Regexp => self.matches(left, &text(right)?)?,
            Op::PGRegexNotMatch => self.matches(left, &text(right)?)?.not(),
            Op::PGRegexIMatch => self.matches(left, &case_free()?)?,
            Op::PGRegexNotIMatch => self.matches(left, &case_free()?)?.not(),
            Op::PGLikeMatch => self.matches(left, &pattern("(?s)")?)?,
            Op::PGNotLikeMatch => self.matches(left, &pattern("(?s)")?)?.not(),
            Op::PGILikeMatch => self.matches(left, &pattern("(?is)")?)?,
            Op::PGNotILikeMatch => self.matches(left, &pattern("(?is)")?)?.not(),
            other => return Err(format!("the operator {other} has no meaning here")),
        })
    }

    /// Two sides of a comparison.
    fn pair(&mut self, left: &Sql, right: &Sql) -> Result<Pair, String> {
        let value = self.expression(left)?;
        self.beside(value, left, right)
    }

    /// A value, which is translated already, and another one. A text beside a date is read as a date.
    fn beside(&mut self, value: Expr, written: &Sql, other: &Sql) -> Result<Pair, String> {
        let (mut a, mut b) = (value, self.expression(other)?);
        let (kind_a, kind_b) = (self.type_of(&a), self.type_of(&b));
        let numeric = |kind: &Option<DataType>| kind.as_ref().is_some_and(DataType::is_numeric);
        if let Some(date) = kind_a.clone().filter(is_date) {
            if let Ok(day) = text(other) {
                b = of_type(&day, &date)?;
            } else if numeric(&kind_b) {
                return Err(date_and_number());
            }
        } else if let Some(date) = kind_b.filter(is_date) {
            if let Ok(day) = text(written) {
                a = of_type(&day, &date)?;
            } else if numeric(&kind_a) {
                return Err(date_and_number());
            }
        }
        Ok(Pair(a, b))
    }

    /// A list of texts, numbers or dates is looked up, and can be long; any other is compared item by
    /// item. A NULL in it makes what is not found NULL.
    fn in_list(&mut self, value: &Sql, list: &[Sql]) -> Result<Expr, String> {
        let searched = self.expression(value)?;
        let is_null = |item: &&Sql| matches!(item, Sql::Value(v) if v.value == Value::Null);
        let items: Vec<&Sql> = list.iter().filter(|item| !is_null(item)).collect();
        let found = match self.looked_up(&searched, &items)? {
            Some(found) => found,
            None => {
                used(&searched, items.len())?;
                let mut any = lit(false);
                for item in &items {
                    any = any.or(self.beside(searched.clone(), value, item)?.map(Expr::eq));
                }
                any
            }
        };
        match items.len() < list.len() {
            true => Ok(found.or(lit(NULL).cast(DataType::Boolean))),
            false => Ok(found),
        }
    }

    /// Whether a value is in a list of constants of its kind; `None` for another list.
    fn looked_up(&self, value: &Expr, items: &[&Sql]) -> Result<Option<Expr>, String> {
        let kind = self.type_of(value);
        let texts: Option<Vec<String>> = items.iter().map(|item| text(item).ok()).collect();
        let (value, list) = match (kind.clone().filter(is_date), texts) {
            (Some(date), Some(days)) => (value.clone(), dates(&days, &date)?),
            (None, Some(texts)) => (value.clone(), Series::new("list".into(), texts)),
            (Some(_), None) => return Ok(None),
            (None, None) => {
                let Some(numbers) = numbers(items) else { return Ok(None) };
                match kind.filter(DataType::is_numeric) {
                    // Both sides need one type.
                    Some(kind) if !kind.is_integer() || *numbers.dtype() != DataType::Int64 => {
                        let numbers =
                            numbers.cast(&DataType::Float64).map_err(|e| e.to_string())?;
                        (value.clone().cast(DataType::Float64), numbers)
                    }
                    _ => (value.clone(), numbers),
                }
            }
        };
        Ok(Some(value.is_in(lit(list).implode(false), false)))
    }

    fn matches(&mut self, value: &Sql, pattern: &str) -> Result<Expr, String> {
        Ok(self.expression(value)?.str().contains(lit(pattern), true))
    }

    fn case(
        &mut self,
        operand: Option<&Sql>,
        conditions: &[CaseWhen],
        otherwise: Option<&Sql>,
    ) -> Result<Expr, String> {
        let mut result = match otherwise {
            Some(otherwise) => self.expression(otherwise)?,
            None => lit(NULL),
        };
        let searched = operand.map(|operand| self.expression(operand)).transpose()?;
        if let Some(searched) = &searched {
            used(searched, conditions.len())?;
        }
        for case in conditions.iter().rev() {
            let condition = match (&searched, operand) {
                (Some(searched), Some(operand)) => {
                    self.beside(searched.clone(), operand, &case.condition)?.map(Expr::eq)
                }
                _ => self.truth(&case.condition)?,
            };
            result = when(condition).then(self.expression(&case.result)?).otherwise(result);
        }
        Ok(result)
    }

    fn joins(&mut self, texts: usize) -> Result<(), String> {
        self.joined += texts;
        match self.joined > MOST_JOINED {
            true => Err(format!("it puts more than {MOST_JOINED} texts together")),
            false => Ok(()),
        }
    }
}

struct Pair(Expr, Expr);

impl Pair {
    fn map(self, compare: impl Fn(Expr, Expr) -> Expr) -> Expr {
        compare(self.0, self.1)
    }
}

fn negated_if(negated: bool, condition: Expr) -> Expr {
    if negated { condition.not() } else { condition }
}

fn unary(op: UnaryOperator, value: Expr) -> Result<Expr, String> {
    match op {
        UnaryOperator::Minus => Ok(-value),
        UnaryOperator::Plus => Ok(value),
        other => Err(format!("the operator {other} has no meaning here")),
    }
}

fn literal(value: &Value) -> Result<Expr, String> {
    match value {
        Value::Boolean(truth) => Ok(lit(*truth)),
        Value::Null => Ok(lit(NULL)),
        Value::Number(digits, _) => digits
            .parse::<i64>()
            .map(lit)
            .or_else(|_| digits.parse::<f64>().map(lit))
            .map_err(|_| format!("{} is not a number", shown(digits))),
        _ => text_of(value).map(lit),
    }
}

/// The text of a literal.
fn text(sql: &Sql) -> Result<String, String> {
    match sql {
        Sql::Value(value) => text_of(&value.value),
        _ => Err("a pattern must be a text in quotes".to_owned()),
    }
}

fn text_of(value: &Value) -> Result<String, String> {
    match value {
        Value::SingleQuotedString(text) => Ok(text.clone()),
        other => Err(format!("{} is not a text in single quotes", shown(&other.to_string()))),
    }
}

fn numbers(list: &[&Sql]) -> Option<Series> {
    let digits: Vec<String> = list.iter().map(|item| digits(item)).collect::<Option<_>>()?;
    let whole: Result<Vec<i64>, _> = digits.iter().map(|digits| digits.parse()).collect();
    if let Ok(whole) = whole {
        return Some(Series::new("list".into(), whole));
    }
    let all: Result<Vec<f64>, _> = digits.iter().map(|digits| digits.parse()).collect();
    all.ok().map(|all| Series::new("list".into(), all))
}

fn dates(texts: &[String], date: &DataType) -> Result<Series, String> {
    let moments: Vec<i64> =
        texts.iter().map(|text| microseconds(text)).collect::<Result<_, _>>()?;
    let moments = Series::new("list".into(), moments);
    let utc = moments.cast(&DataType::Datetime(TimeUnit::Microseconds, None));
    let of_type = match date {
        DataType::Datetime(_, zone) => {
            let zoned = DataType::Datetime(TimeUnit::Microseconds, zone.clone());
            moments.cast(&zoned).and_then(|zoned| zoned.cast(date))
        }
        _ => utc.and_then(|utc| utc.cast(date)),
    };
    of_type.map_err(|e| e.to_string())
}

fn is_date(kind: &DataType) -> bool {
    matches!(kind, DataType::Date | DataType::Datetime(..))
}

fn date_and_number() -> String {
    "a date is compared with a number: write the date as '2021-05-31'".to_owned()
}

/// The digits of a number, with its sign.
fn digits(sql: &Sql) -> Option<String> {
    match sql {
        Sql::Value(value) => match &value.value {
            Value::Number(digits, _) => Some(digits.clone()),
            _ => None,
        },
        Sql::UnaryOp { op: UnaryOperator::Minus, expr } => digits(expr)
            .filter(|digits| !digits.starts_with('-'))
            .map(|digits| format!("-{digits}")),
        _ => None,
    }
}

/// The regular expression of a `LIKE` pattern: `%` stands for any text, `_` for one character.
fn like(pattern: &str, options: &str) -> String {
    let mut regex = format!("^{options}");
    for c in pattern.chars() {
        match c {
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            c if c.is_ascii_punctuation() => regex.extend(['\\', c]),
            c => regex.push(c),
        }
    }
    regex.push('$');
    regex
}

/// A date or time in ISO form as a value of a date type. Times have no zone of their own: they are taken
/// as UTC.
fn of_type(text: &str, to: &DataType) -> Result<Expr, String> {
    let moment = lit(microseconds(text)?);
    match to {
        DataType::Date => {
            let utc = DataType::Datetime(TimeUnit::Microseconds, None);
            Ok(moment.cast(utc).cast(DataType::Date))
        }
        DataType::Datetime(_, zone) => {
            Ok(moment.cast(DataType::Datetime(TimeUnit::Microseconds, zone.clone())))
        }
        other => Err(format!("a text of type {other} has no meaning here")),
    }
}

/// Microseconds since 1970 of a date, or of a date and a time.
fn microseconds(text: &str) -> Result<i64, String> {
    let day = text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let moment = day.or_else(|| text.replacen(' ', "T", 1).parse::<NaiveDateTime>().ok());
    let fault = || {
        format!("{} is not a date: write it as '2021-05-31' or '2021-05-31 14:00:00'", shown(text))
    };
    moment.map(|moment| moment.and_utc().timestamp_micros()).ok_or_else(fault)
}

fn column_type(sql: &SqlType) -> Result<DataType, String> {
    Ok(match sql {
        SqlType::Boolean | SqlType::Bool => DataType::Boolean,
        SqlType::TinyInt(_) | SqlType::SmallInt(_) | SqlType::Int(_) | SqlType::Integer(_) => {
            DataType::Int32
        }
        SqlType::BigInt(_) => DataType::Int64,
        SqlType::Real | SqlType::Float4 => DataType::Float32,
        SqlType::Float(_)
        | SqlType::Float8
        | SqlType::Float64
        | SqlType::Double(_)
        | SqlType::DoublePrecision
        | SqlType::Numeric(_)
        | SqlType::Decimal(_) => DataType::Float64,
        SqlType::Text | SqlType::String(_) | SqlType::Varchar(_) | SqlType::Char(_) => {
            DataType::String
        }
        SqlType::Date => DataType::Date,
        SqlType::Timestamp(..) | SqlType::Datetime(_) => {
            DataType::Datetime(TimeUnit::Microseconds, None)
        }
        other => {
            return Err(format!(
                "the type {other} is not known: DOUBLE, BIGINT, TEXT, DATE and BOOLEAN are"
            ));
        }
    })
}

fn part_of_date(field: &DateTimeField, date: Expr) -> Result<Expr, String> {
    match field {
        DateTimeField::Year => Ok(date.dt().year()),
        DateTimeField::Month => Ok(date.dt().month()),
        DateTimeField::Day => Ok(date.dt().day()),
        other => Err(format!("{other} of a date is not known: YEAR, MONTH and DAY are")),
    }
}

fn brief(sql: &Sql) -> String {
    sql.to_string().chars().take(60).collect()
}
