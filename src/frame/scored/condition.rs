//! The condition of `cltv select`: one SQL expression over the columns of the customers table, and
//! nothing else. SQL can also read files and ask servers; whoever writes a condition may not.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, ObjectName, Query, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Most bytes of a condition: room for a list of some fifty thousand identifiers.
const LONGEST: usize = 1 << 20;
/// Most operators, names and brackets. Polars needs memory in proportion to the square of a chain of
/// `OR`: 150 of them take 0.1 GB. Values and commas do not count, so a list can be long.
const MOST_PARTS: usize = 600;

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
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let expression = parser.parse_expr().map_err(|e| unreadable(&e))?;
    if parser.peek_token().token != Token::EOF {
        return Err(format!(
            "it goes on after its end, with {}: write one condition",
            parser.peek_token().token
        ));
    }
    match expression.visit(&mut OnlyColumns) {
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

/// Stops at whatever reads something else than the columns of a row.
struct OnlyColumns;

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
            Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                match ["read_", "scan_"].iter().any(|reads| name.starts_with(reads)) {
                    true => refused("it reads a file"),
                    false => ControlFlow::Continue(()),
                }
            }
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                refused("it asks for another table")
            }
            _ => ControlFlow::Continue(()),
        }
    }
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
                fault.contains("the run's customers") || fault.contains("not an SQL condition"),
                "{condition}: {fault}"
            );
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
