//! The condition of `cltv select`: one SQL expression over the columns of the customers table, and
//! nothing else. SQL can also read files and ask servers; whoever writes a condition may not.

mod expression;
mod functions;

use polars::prelude::{Expr, Schema};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use self::expression::Translator;

/// Most bytes of a condition: room for a list of some fifty thousand identifiers.
const LONGEST: usize = 1 << 20;
/// Most operators, names and brackets. Polars needs memory in proportion to the square of a chain of
/// `OR`: 150 of them take 0.1 GB. Values and commas do not count, so a list can be long.
const MOST_PARTS: usize = 600;

/// Most bytes of a text or name in it: a text may be joined to the value of every customer, and memory
/// for a pattern grows faster than its length.
const LONGEST_TEXT: usize = 500;
/// A condition that can be computed.
pub(crate) struct Condition {
    pub(crate) met: Expr,
    /// The columns that it names, whether the table has them or not.
    pub(crate) columns: Vec<String>,
}

/// Reads a condition on the columns of a table: an expression of bounded size and depth.
///
/// # Errors
/// What is wrong with it, and what to do.
pub(crate) fn parse(condition: &str, schema: &Schema) -> Result<Condition, String> {
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
    let mut translator = Translator::new(schema);
    let met = translator.expression(&expression)?;
    Ok(Condition { met, columns: translator.named })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A condition on columns of any name.
    fn check(condition: &str) -> Result<(), String> {
        parse(condition, &Schema::default()).map(|_| ())
    }

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
                ["the run's customers", "not an SQL condition", "no function", "no meaning here"]
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
