//! The text of a pipeline file with guessed columns: each guess with the reason for it and what to
//! check.

use crate::frame::guess::inspect::Overview;
use crate::frame::guess::named::Guess;
use crate::safe_text::printable::steers;
use crate::settings::{InputKind, ValueOf};

/// Column at which a comment after a key begins, when the line is short enough.
const REMARKS: usize = 46;

/// The parts of a pipeline file that were guessed: `[input]`, and how cancellations are marked.
pub fn input(guess: &Guess, overview: &Overview) -> String {
    let mut lines = Lines::default();
    guessed(&mut lines, guess, overview);
    lines.text
}

/// Whether a pipeline has intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intervals {
    /// It has.
    Drawn,
    /// They are a comment.
    Left,
}

/// The parts of a pipeline file that are not guessed from its columns.
pub struct Frame<'a> {
    /// Name of the pipeline, and of its output folder.
    pub name: &'a str,
    /// The lines of `[selection]`; `None` when the file shows no sign of one.
    pub selection: Option<&'a [String]>,
    /// Whether `[uncertainty]` is there.
    pub intervals: Intervals,
}

/// The text of a whole pipeline file.
pub fn pipeline(guess: &Guess, overview: &Overview, frame: &Frame<'_>) -> String {
    let mut lines = Lines::default();
    // A line break in the path would end the comment that it is put into.
    let path: String = overview.path.chars().filter(|letter| !letter.is_control()).collect();
    lines.plain(&format!(
        "# Written by `cltv` from {path}.\n\
         # Columns were guessed by name and by content: check them, and the comments after the #.\n\
         # pipelines/README.md explains every key."
    ));
    lines.key("name", &quoted(frame.name), "");
    lines.plain("");
    guessed(&mut lines, guess, overview);
    if guess.kind == InputKind::Transactions {
        let last = guess.columns.order_date.as_ref();
        let last = overview.columns.iter().find(|column| Some(&column.name) == last);
        let last = last.and_then(|column| column.highest.clone()).unwrap_or_default();
        lines.plain(&format!(
            "# observation_end = {}   # set it (or --as-of) to the last day that the log covers;\n\
             # without it, that is the day of the last order",
            quoted(&last)
        ));
    }
    contract(&mut lines, guess);
    summary(&mut lines, guess.kind);
    selection(&mut lines, guess.kind, frame.selection);
    rest(&mut lines, guess, frame);
    lines.text
}

fn guessed(lines: &mut Lines, guess: &Guess, overview: &Overview) {
    lines.plain("[input]");
    lines.key("path", &quoted(&overview.path), "");
    match guess.kind {
        InputKind::Customers => lines.key("kind", "\"customers\"", "one row per customer"),
        InputKind::Transactions => {
            let remark = match guess.reason("kind") {
                "" => "one row per order or order line",
                shape => shape,
            };
            lines.key("kind", "\"transactions\"", remark);
        }
    }
    let stated = &overview.stated;
    for (key, value) in [
        ("date_format", &stated.date_format),
        ("number_format", &stated.number_format),
        ("separator", &stated.separator),
        ("encoding", &stated.encoding),
    ] {
        if value != "auto" {
            lines.key(key, &quoted(value), "");
        }
    }
    if let Some(sheet) = &stated.sheet {
        lines.key("sheet", &quoted(sheet), "");
    }
    lines.plain("\n[input.columns]");
    let columns = &guess.columns;
    let single = [
        ("customer_id", Some(&columns.customer_id)),
        ("first_order_date", columns.first_order_date.as_ref()),
        ("last_order_date", columns.last_order_date.as_ref()),
        ("order_date", columns.order_date.as_ref()),
        ("order_id", columns.order_id.as_ref()),
        ("quantity", columns.quantity.as_ref()),
        ("unit_price", columns.unit_price.as_ref()),
    ];
    for (key, name) in single {
        if let Some(name) = name {
            lines.key(key, &quoted(name), guess.reason(key));
        }
    }
    for (key, names) in
        [("orders", &columns.orders), ("value", &columns.value), ("keep", &columns.keep)]
    {
        // An order log has only one value column, which is written without a list.
        match (names.as_slice(), guess.kind) {
            ([], _) => {}
            ([name], InputKind::Transactions) if key == "value" => {
                lines.key(key, &quoted(name), guess.reason(key));
            }
            (names, _) => lines.key(key, &list(names), guess.reason(key)),
        }
    }
    if !columns.has_money() {
        lines.plain("# No column holds order values: orders and P(alive) only.");
    }
    if guess.kind == InputKind::Transactions {
        transactions(lines, guess);
    }
}

/// The section `[transactions]`.
fn transactions(lines: &mut Lines, guess: &Guess) {
    lines.plain("\n[transactions]");
    match &guess.cancelled {
        None => lines.plain(
            "# No mark of cancelled orders was found: negative lines are taken for returns.",
        ),
        Some(cancelled) => {
            let column = cancelled.column.as_deref().map_or(String::new(), quoted);
            let mark = match &cancelled.prefix {
                Some(prefix) => format!("prefix = {}", quoted(prefix)),
                None if cancelled.not_blank => "not_blank = true".to_owned(),
                None => format!("equals = {}", list(&cancelled.equals)),
            };
            let value = format!("{{ column = {column}, {mark} }}");
            lines.key("cancelled", &value, guess.reason("cancelled"));
        }
    }
    if guess.value_of == ValueOf::Order {
        lines.key("value_of", "\"order\"", guess.reason("value_of"));
    }
}

/// A section `[contract]` for later files, commented out.
fn contract(lines: &mut Lines, guess: &Guess) {
    let columns = &guess.columns;
    let dates = [&columns.first_order_date, &columns.last_order_date, &columns.order_date];
    let dates = dates.into_iter().flatten().map(|name| (name, "date"));
    let counts = columns.orders.iter().map(|name| (name, "integer"));
    let numbers = columns.value.iter().chain(&columns.quantity).chain(&columns.unit_price);
    let required = dates.chain(counts).chain(numbers.map(|name| (name, "number")));
    let required: Vec<String> =
        required.map(|(name, kind)| format!("# {} = \"{kind}\"", quoted(name))).collect();
    lines.plain(&format!(
        "\n# What every new file must be like; remove the leading # to have it checked:\n\
         # [contract]\n\
         # fail_at = 0.2        # share of bad rows from which a run fails\n\
         # max_age_days = 7     # from the newest order to --as-of\n\
         # [contract.required]\n{}",
        required.join("\n")
    ));
}

fn summary(lines: &mut Lines, kind: InputKind) {
    lines.plain("\n[summary]");
    if kind == InputKind::Customers {
        let remark = "or the date of the export, or --as-of";
        lines.key("analysis_date", "\"last_order + 2d\"", remark);
    }
    lines.key("time_unit", "\"week\"", "");
    lines.key("frequency", "\"repeat_orders\"", "orders after the first, as the models have it");
}

fn selection(lines: &mut Lines, kind: InputKind, selection: Option<&[String]>) {
    match selection {
        Some(found) => {
            lines.plain(
                "\n# The file seems to hold only a part of the customers ever acquired: nobody in it \
                 is beyond these\n# limits, counted from the observation end. Remove the section if it \
                 holds everybody.",
            );
            lines.plain(&found.join("\n"));
        }
        None => {
            let who = match kind {
                InputKind::Customers => "file",
                InputKind::Transactions => "log",
            };
            lines.plain(&format!(
                "\n# No sign that customers are missing from the {who}: without [selection], it holds \
                 everybody\n# ever acquired."
            ));
        }
    }
}

fn rest(lines: &mut Lines, guess: &Guess, frame: &Frame<'_>) {
    lines.plain("\n[purchases]");
    lines.key("model", "\"auto\"", "the best of BG/NBD, MBG/NBD, Pareto/NBD and NBD");
    let has_money = guess.columns.has_money();
    if !has_money {
        lines.plain("\n[spend]");
        lines.key("model", "\"none\"", "\"gamma_gamma\" with a column of order values");
    }
    lines.plain("\n[forecast]");
    lines.key("horizons", "[{ months = 3 }, { months = 6 }]", "");
    if has_money {
        lines.plain("\n[lifetime_value]");
        lines.key("months", "6", "");
        lines.key("monthly_discount_rate", "0.01", "");
    }
    lines.plain(match frame.intervals {
        Intervals::Drawn => "\n[uncertainty]\nlevel = 0.9",
        Intervals::Left => {
            "\n# For intervals, remove the leading #:\n# [uncertainty]\n# level = 0.9"
        }
    });
    lines.plain("\n[segments]");
    lines.key("labels", "[\"D\", \"C\", \"B\", \"A\"]", "lowest first");
    if let Some(channel) = &guess.channel {
        lines.key("channel_column", &quoted(channel), "");
    }
    if let Some(categories) = &guess.categories {
        lines.key("categories_column", &quoted(categories), "lists as [A, B]");
    }
    lines.plain("\n[output]");
    lines.key("path", &quoted(&format!("output/{}", frame.name)), "");
    lines.key("formats", "[\"parquet\", \"csv\"]", "");
}

/// The text of a file, built line by line.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn plain(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds a key with a comment after it, or above it when the line is long.
    fn key(&mut self, key: &str, value: &str, remark: &str) {
        let line = format!("{key} = {value}");
        let length = line.chars().count();
        if remark.is_empty() {
            self.plain(&line);
        } else if length < REMARKS {
            self.plain(&format!("{line}{} # {remark}", " ".repeat(REMARKS - length)));
        } else {
            self.plain(&format!("# {key}: {remark}\n{line}"));
        }
    }
}

/// A TOML string on one line, with what would steer a terminal escaped.
fn quoted(value: &str) -> String {
    if !value.chars().any(steers) {
        return toml::Value::String(value.to_owned()).to_string();
    }
    let escaped = value.chars().map(|letter| match letter {
        '"' | '\\' => format!("\\{letter}"),
        letter if steers(letter) => format!("\\u{:04x}", u32::from(letter)),
        letter => letter.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn list(values: &[String]) -> String {
    let all: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    format!("[{}]", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_are_one_line_of_toml() {
        for name in
            ["plain", "it's \"so\"", "two\nlines", "\u{1b}[2J\u{9b}\\", "a\u{202e}\u{2028}b"]
        {
            let line = format!("key = {}", quoted(name));
            assert!(!line.chars().any(steers), "{line}");
            let table: toml::Table = line.parse().expect("TOML");
            assert_eq!(table["key"].as_str(), Some(name));
        }
    }
}
