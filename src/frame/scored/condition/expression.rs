//! From the syntax tree of a condition to the expression that Polars computes. What is not translated
//! here cannot be asked: files, other tables and functions that take much memory have no translation.

use chrono::{NaiveDate, NaiveDateTime};
use polars::prelude::*;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType as SqlType, DateTimeField,
    Expr as Sql, Ident, TrimWhereField, UnaryOperator, Value,
};

use super::functions;
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
            Sql::UnaryOp { op, expr } => unary(*op, self.expression(expr)?)?,
            Sql::BinaryOp { left, op, right } => self.binary(left, op, right)?,
            Sql::IsNull(x) => self.expression(x)?.is_null(),
            Sql::IsNotNull(x) => self.expression(x)?.is_not_null(),
            Sql::IsTrue(x) => self.expression(x)?.fill_null(lit(false)),
            Sql::IsNotTrue(x) => self.expression(x)?.fill_null(lit(false)).not(),
            Sql::IsFalse(x) => self.expression(x)?.fill_null(lit(true)).not(),
            Sql::IsNotFalse(x) => self.expression(x)?.fill_null(lit(true)),
            Sql::IsDistinctFrom(a, b) => self.pair(a, b)?.map(|a, b| a.neq_missing(b)),
            Sql::IsNotDistinctFrom(a, b) => self.pair(a, b)?.map(|a, b| a.eq_missing(b)),
            Sql::Between { expr, negated, low, high } => {
                let above = self.pair(expr, low)?.map(Expr::gt_eq);
                let below = self.pair(expr, high)?.map(Expr::lt_eq);
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
                functions::position(self.expression(r#in)?, self.expression(expr)?)
            }
            Sql::Substring { expr, substring_from, substring_for, .. } => {
                let text = self.expression(expr)?;
                let from = substring_from.as_ref().map(|from| self.expression(from)).transpose()?;
                let length = substring_for.as_ref().map(|n| self.expression(n)).transpose()?;
                functions::substring(text, from.unwrap_or(lit(1)), length)
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

    fn column(&mut self, name: &Ident) -> Expr {
        self.named.push(name.value.clone());
        col(name.value.as_str())
    }

    fn binary(&mut self, left: &Sql, op: &BinaryOperator, right: &Sql) -> Result<Expr, String> {
        use BinaryOperator as Op;
        let pattern = |options: &str| text(right).map(|pattern| like(&pattern, options));
        let case_free = || text(right).map(|pattern| format!("(?i){pattern}"));
        Ok(match op {
            Op::And => self.expression(left)?.and(self.expression(right)?),
            Op::Or => self.expression(left)?.or(self.expression(right)?),
            Op::Xor => self.expression(left)?.xor(self.expression(right)?),
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

    /// Two sides of a comparison. A text beside a date is read as a date.
    fn pair(&mut self, left: &Sql, right: &Sql) -> Result<Pair, String> {
        let (mut a, mut b) = (self.expression(left)?, self.expression(right)?);
        if let (Some(date), Ok(day)) = (self.date_type(&a), text(right)) {
            b = of_type(&day, &date)?;
        } else if let (Some(date), Ok(day)) = (self.date_type(&b), text(left)) {
            a = of_type(&day, &date)?;
        }
        Ok(Pair(a, b))
    }

    fn date_type(&self, expression: &Expr) -> Option<DataType> {
        let field = expression.to_field(self.schema).ok()?;
        matches!(field.dtype, DataType::Date | DataType::Datetime(..)).then_some(field.dtype)
    }

    fn in_list(&mut self, value: &Sql, list: &[Sql]) -> Result<Expr, String> {
        let value = self.expression(value)?;
        let date = self.date_type(&value);
        let texts: Result<Vec<String>, String> = list.iter().map(text).collect();
        if let (Ok(texts), None) = (&texts, &date) {
            let texts = Series::new("list".into(), texts);
            return Ok(value.is_in(lit(texts).implode(false), false));
        }
        let mut any = lit(false);
        for item in list {
            let item = match (&date, text(item)) {
                (Some(date), Ok(day)) => of_type(&day, date)?,
                _ => self.expression(item)?,
            };
            any = any.or(value.clone().eq(item));
        }
        Ok(any)
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
        for case in conditions.iter().rev() {
            let condition = match operand {
                Some(operand) => self.pair(operand, &case.condition)?.map(Expr::eq),
                None => self.expression(&case.condition)?,
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
        UnaryOperator::Not => Ok(value.not()),
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
            .map_err(|_| format!("{} is no number", shown(digits))),
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

/// A date or time in ISO form as a value of a date type.
fn of_type(text: &str, to: &DataType) -> Result<Expr, String> {
    let wrong = || format!("'{}' is no date: write it as '2021-05-31'", shown(text));
    let day = text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    match to {
        DataType::Date => Ok(lit(day.ok_or_else(wrong)?.date())),
        DataType::Datetime(..) => {
            let moment = day
                .or_else(|| text.replacen(' ', "T", 1).parse::<NaiveDateTime>().ok())
                .ok_or_else(wrong)?;
            // By way of the number of microseconds, which has no time zone: it is taken as UTC.
            let moment = lit(moment.and_utc().timestamp_micros());
            let DataType::Datetime(_, zone) = to else { unreachable!() };
            Ok(moment.cast(DataType::Datetime(TimeUnit::Microseconds, zone.clone())))
        }
        other => Err(format!("a text of type {other} has no meaning here")),
    }
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
