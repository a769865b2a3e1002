//! The condition of `cltv select`: one SQL expression over the columns of the customers table, and
//! nothing else. SQL can also read files and ask servers; whoever writes a condition may not.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName,
    Query, Visit, Visitor,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::safe_text::printable::shown;

/// Most bytes of a condition: room for a list of some fifty thousand identifiers.
const LONGEST: usize = 1 << 20;
/// Most operators, names and brackets. Polars needs memory in proportion to the square of a chain of
/// `OR`: 150 of them take 0.1 GB. Values and commas do not count, so a list can be long.
const MOST_PARTS: usize = 600;

/// Most bytes of a text or name in it: a text may be joined to the value of every customer, and memory
/// for a pattern grows faster than its length.
const LONGEST_TEXT: usize = 500;
/// Most texts that are joined in a condition.
const MOST_JOINED: usize = 8;

/// Functions that a condition may call: those of one or a few values or of a column, whose result is
/// no longer than what they are given.
const FUNCTIONS: &[&str] = &[
    "abs",
    "avg",
    "cbrt",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "date",
    "date_part",
    "ends_with",
    "exp",
    "first",
    "floor",
    "greatest",
    "if",
    "ifnull",
    "last",
    "least",
    "left",
    "length",
    "ln",
    "log",
    "log10",
    "log1p",
    "log2",
    "lower",
    "ltrim",
    "max",
    "median",
    "min",
    "mod",
    "nullif",
    "octet_length",
    "pow",
    "power",
    "quantile_cont",
    "quantile_disc",
    "regexp_like",
    "reverse",
    "right",
    "round",
    "rtrim",
    "sign",
    "sqrt",
    "starts_with",
    "stddev",
    "stddev_samp",
    "strpos",
    "strptime",
    "substr",
    "substring",
    "sum",
    "trim",
    "upper",
    "var_samp",
    "variance",
];

/// Checks that a condition is an expression without subqueries, and of a bounded size and depth.
///
/// # Errors
/// What is wrong with it, and what to do.
pub(crate) fn check(condition: &str) -> Result<(), String> {
    if condition.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes: {}", shorter()));
    }
    let dialect = GenericDialect;
    let unreadable = |e: &dyn std::fmt::Display| format!("it is not an SQL condition: {e}");
    let tokens =
        Tokenizer::new(&dialect, condition).tokenize_with_location().map_err(|e| unreadable(&e))?;
    // Counted before anything is built from them: a long chain is a deep tree.
    let parts = tokens.iter().filter(|token| counts(&token.token)).count();
    if parts > MOST_PARTS {
        return Err(format!(
            "it has {parts} operators and names, at most {MOST_PARTS} are read: {}",
            shorter()
        ));
    }
    if tokens.iter().any(|token| token.token.to_string().len() > LONGEST_TEXT + 2) {
        return Err(format!("a text in it has more than {LONGEST_TEXT} bytes"));
    }
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let expression = parser.parse_expr().map_err(|e| unreadable(&e))?;
    if parser.peek_token().token != Token::EOF {
        return Err(format!(
            "it goes on after its end, with {}: write one condition",
            parser.peek_token().token
        ));
    }
    match expression.visit(&mut OnlyColumns { joined: 0 }) {
        ControlFlow::Break(fault) => Err(fault),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn shorter() -> &'static str {
    "write a list as customer_id IN ('a', 'b'), or select in several steps"
}

/// Whether a token adds to the size of the expression.
fn counts(token: &Token) -> bool {
    !matches!(
        token,
        Token::Whitespace(_)
            | Token::Comma
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::EOF
    )
}

/// Stops at whatever reads something else than the columns of a row, or takes much more memory than
/// they do.
struct OnlyColumns {
    /// Texts that have been put together so far.
    joined: usize,
}

impl Visitor for OnlyColumns {
    type Break = String;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<String> {
        refused("it asks for another table (SELECT, VALUES or TABLE)")
    }

    fn pre_visit_relation(&mut self, _: &ObjectName) -> ControlFlow<String> {
        refused("it names another table")
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<String> {
        match expression {
            Expr::Function(function) => self.called(function),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                refused("it asks for another table")
            }
            Expr::Like { pattern, .. }
            | Expr::ILike { pattern, .. }
            | Expr::RLike { pattern, .. }
            | Expr::SimilarTo { pattern, .. } => is_text(pattern),
            Expr::BinaryOp { op: BinaryOperator::StringConcat, .. } => self.joins(1),
            Expr::BinaryOp { op, right, .. } if is_pattern(op) => is_text(right),
            Expr::Overlay { .. } => unknown("overlay"),
            // The engine panics on intervals that it does not know.
            Expr::Interval(_) => unknown("interval"),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl OnlyColumns {
    fn called(&mut self, function: &Function) -> ControlFlow<String> {
        let name = function.name.to_string().to_lowercase();
        if ["read_", "scan_"].iter().any(|reads| name.starts_with(reads)) {
            return refused("it reads a file");
        }
        if !FUNCTIONS.contains(&name.as_str()) {
            return unknown(&name);
        }
        let arguments = match &function.args {
            FunctionArguments::List(list) => list.args.as_slice(),
            FunctionArguments::None => &[],
            FunctionArguments::Subquery(_) => return refused("it asks for another table"),
        };
        let value = |argument: &FunctionArg| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
            _ => None,
        };
        match (name.as_str(), arguments.get(1).and_then(value)) {
            ("regexp_like", Some(pattern)) => is_text(&pattern),
            ("concat" | "concat_ws", _) => self.joins(arguments.len()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn joins(&mut self, texts: usize) -> ControlFlow<String> {
        self.joined += texts;
        match self.joined > MOST_JOINED {
            true => ControlFlow::Break(format!("it puts more than {MOST_JOINED} texts together")),
            false => ControlFlow::Continue(()),
        }
    }
}

fn is_pattern(operator: &BinaryOperator) -> bool {
    use BinaryOperator::{
        PGILikeMatch, PGLikeMatch, PGNotILikeMatch, PGNotLikeMatch, PGRegexIMatch, PGRegexMatch,
        PGRegexNotIMatch, PGRegexNotMatch, Regexp,
    };
    matches!(
        operator,
        PGRegexMatch
            | PGRegexIMatch
            | PGRegexNotMatch
            | PGRegexNotIMatch
            | PGLikeMatch
            | PGILikeMatch
            | PGNotLikeMatch
            | PGNotILikeMatch
            | Regexp
    )
}

/// Whether a pattern is a text, not one of each customer.
fn is_text(pattern: &Expr) -> ControlFlow<String> {
    match pattern {
        Expr::Value(_) => ControlFlow::Continue(()),
        _ => ControlFlow::Break("a pattern must be a text in quotes".to_owned()),
    }
}

fn unknown(function: &str) -> ControlFlow<String> {
    ControlFlow::Break(format!(
        "there is no function {} here; there are {}",
        shown(function),
        FUNCTIONS.join(", ")
    ))
}

fn refused(what: &str) -> ControlFlow<String> {
    ControlFlow::Break(format!("{what}: a condition knows only the columns of the run's customers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_over_columns() {
        for condition in [
            "cltv_segment = 'A' AND days_since_last_order > 90",
            "rfm_segment IN ('champions', 'loyal_customers') AND categories LIKE '%KADIN%'",
            "CAST(AGE AS DOUBLE) BETWEEN -1 AND 30 OR AGE IS NULL",
            "CASE WHEN cltv > 3 THEN TRUE ELSE UPPER(x) = 'A' END",
            "NOT (\"select\" = 'x' AND ((a + 2) * b) / 3 >= 1e3)",
        ] {
            assert_eq!(check(condition), Ok(()), "{condition}");
        }
        let list: Vec<String> = (0..20_000).map(|i| format!("'id{i}'")).collect();
        assert_eq!(check(&format!("customer_id IN ({})", list.join(", "))), Ok(()));
    }

    #[test]
    fn whatever_reads_something_else_is_refused() {
        for condition in [
            "customer_id IN (SELECT a FROM read_csv('/etc/passwd'))",
            "cltv > (SELECT max(a) FROM read_parquet('s3://bucket/a'))",
            "EXISTS (SELECT 1)",
            "customer_id IN (VALUES (1))",
            "cltv > ANY (SELECT 1)",
            "cltv > ALL (SELECT a FROM read_csv('x'))",
            "length(ARRAY(SELECT 1)) > 0",
            "coalesce((SELECT 1), cltv) > 0",
            "CASE WHEN TRUE THEN (SELECT TRUE FROM read_ipc('x')) END",
            "cltv BETWEEN 0 AND (SELECT 1)",
            "read_csv('/etc/passwd') = 'a'",
            "sum(cltv) OVER (ORDER BY (SELECT 1)) > 0",
            "cltv IN (WITH a AS (SELECT 1) SELECT * FROM a)",
        ] {
            let fault = check(condition).expect_err(condition);
            assert!(
                ["the run's customers", "not an SQL condition", "there is no function"]
                    .iter()
                    .any(|why| fault.contains(why)),
                "{condition}: {fault}"
            );
        }
    }

    #[test]
    fn what_takes_much_memory_is_refused() {
        let joined = vec!["customer_id"; 30].join(" || ");
        let long = "(a|b)*".repeat(100);
        for condition in [
            "LPAD(customer_id, 1000000000, 'x') = 'a'".to_owned(),
            "RPAD(customer_id, 1000000000) = 'a'".to_owned(),
            "REPLACE(customer_id, 'a', 'aaaaaaaa') = 'a'".to_owned(),
            "REPEAT(customer_id, 1000000) = 'a'".to_owned(),
            format!("{joined} = 'a'"),
            format!("CONCAT({}) = 'a'", vec!["x"; 30].join(", ")),
            format!("customer_id || '{}' = 'a'", "x".repeat(501)),
            "STRFTIME(day, '%c%c%c%c') = 'a'".to_owned(),
            format!("customer_id RLIKE '{long}'"),
            format!("customer_id ~ '{long}'"),
            format!("customer_id LIKE '{long}'"),
            format!("REGEXP_LIKE(customer_id, '{long}')"),
            "customer_id RLIKE other_id".to_owned(),
        ] {
            check(&condition).expect_err(&condition);
        }
        for condition in [
            "customer_id RLIKE '^a.*b$'",
            "REGEXP_LIKE(customer_id, '[0-9]+')",
            "UPPER(SUBSTR(customer_id, 1, 3)) || '-' = 'ABC-'",
            "cltv > 2 * AVG(cltv)",
            "FLOOR(cltv) = 3 AND TRIM(x) = 'a' AND POSITION('a' IN x) > 0",
        ] {
            assert_eq!(check(condition), Ok(()), "{condition}");
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let chain = |part: &str, by: &str, n: usize| vec![part; n].join(by);
        for condition in [
            chain("a = 'x'", " OR ", 1000),
            chain("cltv", "+", 5000) + " > 3",
            chain("cltv", "+", 200_000) + " > 3",
            format!("{}cltv > 3{}", "(".repeat(200), ")".repeat(200)),
            "NOT ".repeat(500) + "a",
            "-".repeat(550) + "1 > 0",
            format!("a = '{}'", "x".repeat(LONGEST)),
            chain("'a'", "||", 5000) + " = 'b'",
            "CASE WHEN a THEN ".repeat(150) + "b" + &" END".repeat(150),
        ] {
            check(&condition).expect_err(&condition[..40]);
        }
        assert_eq!(check(&chain("a = 'x'", " OR ", 140)), Ok(()));
    }

    #[test]
    fn more_than_one_condition_is_refused() {
        for condition in ["a = 1; DROP TABLE x", "a = 1, b = 2", "a = 1 b", ""] {
            check(condition).expect_err(condition);
        }
    }
}
