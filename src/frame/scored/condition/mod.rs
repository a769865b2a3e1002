//! The condition of `cltv select`: one SQL expression over the columns of the customers table, and
//! nothing else. SQL can also read files and ask servers; whoever writes a condition may not.

mod expression;
mod functions;
mod nodes;

use polars::prelude::{Expr, Schema};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use self::expression::Translator;

/// Most bytes of a condition: room for a list of some fifty thousand identifiers.
const LONGEST: usize = 1 << 20;
/// Most operators, names and brackets. Polars needs memory in proportion to the square of a chain of
/// `OR`: 150 of them take 0.1 GB. Values and commas do not count, so a list can be long.
const MOST_PARTS: usize = 600;

/// Most brackets in brackets. Beyond its own limit, the parser tries every way to read them.
const DEEPEST: usize = 20;

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
    if depth(&tokens) > DEEPEST {
        return Err(format!("its brackets are more than {DEEPEST} deep: {}", shorter()));
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

/// How deep brackets are in brackets.
fn depth(tokens: &[TokenWithSpan]) -> usize {
    let mut deepest = 0;
    let mut open = 0_usize;
    for token in tokens {
        match token.token {
            Token::LParen => open += 1,
            Token::RParen => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
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

    /// The rows for which a condition holds, of a table that has something of everything.
    fn met(condition: &str) -> Vec<i32> {
        use polars::prelude::*;
        let day = |text: &str| text.parse::<chrono::NaiveDate>().expect("a date");
        let table = df!(
            "row" => [1, 2, 3, 4],
            "n" => [Some(1_i64), Some(2), None, Some(-4)],
            "x" => [0.5, 2.0, 7.0, -4.0],
            "name" => [Some("Ayşe"), Some("a.b%c"), None, Some("axb")],
            "day" => ["2021-05-01", "2021-05-02", "2021-12-31", "2020-01-01"].map(day),
        )
        .expect("a table");
        let parsed = parse(condition, table.schema()).expect(condition);
        let rows = table.lazy().filter(parsed.met).collect().expect(condition);
        rows.column("row").expect("rows").i32().expect("numbers").iter().flatten().collect()
    }

    /// Worked out by hand from SQL's rules: a comparison with NULL is NULL, and NULL does not hold.
    #[test]
    fn conditions_mean_what_they_mean_in_sql() {
        for (condition, rows) in [
            ("n = 1", &[1][..]),
            ("n <> 1", &[2, 4]),
            ("NOT n = 1", &[2, 4]),
            ("n IS NULL OR n = 1", &[1, 3]),
            ("n IS NOT NULL", &[1, 2, 4]),
            ("(n = 1) IS TRUE", &[1]),
            ("(n = 1) IS NOT TRUE", &[2, 3, 4]),
            ("(n = 1) IS FALSE", &[2, 4]),
            ("(n = 1) IS NOT FALSE", &[1, 3]),
            ("n IS DISTINCT FROM 1", &[2, 3, 4]),
            ("n IS NOT DISTINCT FROM NULL", &[3]),
            ("n <=> NULL", &[3]),
            ("n IN (1, -4, 99)", &[1, 4]),
            ("n NOT IN (1, -4)", &[2]),
            ("x IN (0.5, 7)", &[1, 3]),
            ("n IN (1, x)", &[1, 2, 4]),
            ("name IN ('axb', 'Ayşe')", &[1, 4]),
            ("name NOT IN ('axb')", &[1, 2]),
            ("name NOT IN ('axb', NULL)", &[]),
            ("x BETWEEN 0.5 AND 2", &[1, 2]),
            ("x NOT BETWEEN 0.5 AND 2", &[3, 4]),
            ("day > '2021-05-01'", &[2, 3]),
            ("'2021-05-01' = day", &[1]),
            ("day BETWEEN '2021-05-01' AND DATE '2021-05-02'", &[1, 2]),
            ("day IN ('2020-01-01', '2021-05-02')", &[2, 4]),
            ("EXTRACT(YEAR FROM day) = 2020 OR MONTH(day) = 12", &[3, 4]),
            ("name LIKE 'a%'", &[2, 4]),
            ("name ILIKE 'A%'", &[1, 2, 4]),
            ("name LIKE 'a.b%'", &[2]),
            ("name LIKE 'a_b%'", &[2, 4]),
            ("name LIKE 'Ay_e'", &[1]),
            ("name NOT LIKE '%b%'", &[1]),
            ("name RLIKE '^a.b'", &[2, 4]),
            ("name !~ 'b'", &[1]),
            ("LENGTH(name) = 4 AND UPPER(name) = 'AYŞE'", &[1]),
            ("LEFT(name, 1) || RIGHT(name, 1) = 'ab'", &[4]),
            ("RIGHT(name, 0) = ''", &[1, 2, 4]),
            ("RIGHT(name, 9) = name AND RIGHT(name, LENGTH(name) - 1) = 'xb'", &[4]),
            ("SUBSTR(name, 0) = name AND SUBSTR(name, -1, 3) = LEFT(name, 1)", &[1, 2, 4]),
            ("LEFT(name, n) = 'A' OR LEFT(name, -1) <> ''", &[1]),
            ("SUBSTR(name, n, 2) IS NULL", &[3]),
            ("LENGTH(name) - 5 < 0 AND DAY(day) * 100 + YEAR(day) * 10000 > 20200000", &[1, 4]),
            ("n * 20000000 > 0 AND POW(46341, n) > 0", &[1, 2]),
            ("SUBSTR(name, 2, 2) = 'xb' OR SUBSTRING(name FROM 3) = 'şe'", &[1, 4]),
            ("STRPOS(name, 'x') = 2 OR POSITION('q' IN name) = 1", &[4]),
            ("TRIM('  a ') = 'a' AND n = 2", &[2]),
            ("COALESCE(n, 9) = 9", &[3]),
            ("IFNULL(name, 'none') = 'none'", &[3]),
            ("NULLIF(n, 2) IS NULL", &[2, 3]),
            ("CASE WHEN n > 1 THEN TRUE WHEN n < 0 THEN x < 0 END", &[2, 4]),
            ("CASE n WHEN 1 THEN 'a' ELSE 'b' END = 'b'", &[2, 3, 4]),
            ("IF(x > 1, n, -1) = 2", &[2]),
            ("CAST(n AS DOUBLE) / 4 = 0.5 AND n / 4 = 0.5", &[2]),
            ("n % 2 = 0 AND MOD(n, 4) = 0", &[4]),
            ("ABS(x) = 4 AND -x = 4 AND POW(x, 2) = 16 AND SQRT(-x) = 2", &[4]),
            ("ROUND(x) = 1 OR ROUND(x, 1) = 7", &[1, 3]),
            ("x = MAX(x) OR x < AVG(x) - STDDEV(x)", &[3, 4]),
            ("GREATEST(x, 2) = 2 AND LEAST(x, 0) = x", &[4]),
            ("n = 1 OR n = 2 AND x > 5", &[1]),
            ("TRUE AND NOT FALSE AND n > 0", &[1, 2]),
        ] {
            assert_eq!(met(condition), rows, "{condition}");
        }
    }

    /// Of one kind, they are looked up at once; numbers are compared whatever their type.
    #[test]
    fn lists_can_be_long() {
        let numbers: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
        assert_eq!(met(&format!("n IN ({})", numbers.join(", "))), [1, 2]);
        assert_eq!(met(&format!("x IN ({})", numbers.join(", "))), [2, 3]);
        assert_eq!(met(&format!("n IN (1.5, {})", numbers.join(", "))), [1, 2]);
        assert_eq!(met(&format!("n NOT IN (NULL, {})", numbers.join(", "))), [] as [i32; 0]);
        let days: Vec<String> = (1..29).map(|day| format!("'2021-05-{day:02}'")).collect();
        assert_eq!(met(&format!("day IN ({})", vec![days.join(", "); 1_000].join(", "))), [1, 2]);
    }

    /// What is used twice is computed twice: doubling must end.
    #[test]
    fn what_grows_without_bounds_is_refused() {
        let deep = |open: &str, close: &str, n: usize| {
            format!("{}n{} IS NULL", open.repeat(n), close.repeat(n))
        };
        for condition in [
            format!("n BETWEEN 1 AND 2{} IS NULL", " BETWEEN 1 AND 2".repeat(40)),
            deep("NULLIF(", ", 1)", 16),
            deep("CASE ", " WHEN 1 THEN 1 WHEN 3 THEN 2 WHEN 5 THEN 3 END", 12),
            deep("STRPOS(CAST(", " AS TEXT), 'x')", 10),
            deep("STRPOS(CAST(", " AS TEXT), 'x')", 40),
            deep("CAST(", " IN (x, 1, n) AS INT)", 16),
        ] {
            let fault = check(&condition).expect_err(&condition);
            let known = ["nested", "operators", "brackets"].iter().any(|why| fault.contains(why));
            assert!(known, "{condition}: {fault}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for (condition, words) in [
            ("day < 20210525", "a date is compared with a number"),
            ("day = '31.05.2021'", "31.05.2021"),
            ("(n AND 3) = 1", "neither true nor false"),
            ("NOT n", "neither true nor false"),
            ("x IS TRUE", "neither true nor false"),
            ("CAST(name AS TIMESTAMP) IS NULL", "use DATE"),
        ] {
            let table = Schema::from_iter([
                ("n".into(), polars::prelude::DataType::Int64),
                ("x".into(), polars::prelude::DataType::Float64),
                ("name".into(), polars::prelude::DataType::String),
                ("day".into(), polars::prelude::DataType::Date),
            ]);
            let fault = parse(condition, &table).err().expect(condition);
            assert!(fault.contains(words), "{condition}: {fault}");
        }
    }

    #[test]
    fn every_function_that_is_named_is_there() {
        for name in functions::NAMES {
            let calls = [1, 2, 3].map(|n| format!("{name}({})", vec!["'1'"; n].join(", ")));
            let known = calls.iter().any(|call| check(&format!("{call} IS NULL")).is_ok());
            assert!(known || *name == "round", "{name}");
        }
        assert_eq!(check("round(x) = 1"), Ok(()));
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
