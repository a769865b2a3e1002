//! The columns of a file that nobody described, by their names.

use super::load::column_names;
use crate::error::Error;

/// The `[input]` part of a pipeline file for a data file.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read, or its columns are neither those of a customer
/// export nor those of an order log.
pub fn guess_input(path: &str) -> Result<String, Error> {
    let names = column_names(path)?;
    let columns = export(&names).map(|lines| ("customers", lines));
    let columns = columns.or_else(|| log(&names).map(|lines| ("transactions", lines)));
    let (kind, lines) = columns.ok_or_else(|| {
        Error::input(
            path,
            format!(
                "cannot tell which column is what; there are {}: write a pipeline file with \
                 [input.columns] and check that",
                names.join(", ")
            ),
        )
    })?;
    let quoted = |(key, value): &(&str, String)| format!("{key} = {value}\n");
    Ok(format!(
        "[input]\npath = {}\nkind = \"{kind}\"\n\n[input.columns]\n{}",
        text(path),
        lines.iter().map(quoted).collect::<String>()
    ))
}

type Lines = Vec<(&'static str, String)>;

/// One row a customer: two dates, order counts and values.
fn export(names: &[String]) -> Option<Lines> {
    let dates = |word: &str| matching(names, &[word, "date"]);
    let (first, last) = (shortest(&dates("first"))?, shortest(&dates("last"))?);
    let orders: Vec<&String> = names.iter().filter(|n| is_any(n, &["order"], &NO_COUNT)).collect();
    let values = ["value", "spend", "revenue", "amount"];
    let values: Vec<&String> = names.iter().filter(|n| is_any(n, &values, &["date"])).collect();
    let (orders, values) = (parts(orders), parts(values));
    if orders.is_empty() || values.is_empty() {
        return None;
    }
    Some(vec![
        ("customer_id", text(identifier(names)?)),
        ("first_order_date", text(first)),
        ("last_order_date", text(last)),
        ("orders", list(&orders)),
        ("value", list(&values)),
    ])
}

/// Channels without their total, where all share a word and only some name a channel: a total
/// beside its parts would count everything twice.
fn parts(columns: Vec<&String>) -> Vec<&String> {
    const CHANNELS: [&str; 5] = ["online", "offline", "store", "web", "shop"];
    let channels: Vec<&String> =
        columns.iter().copied().filter(|name| is_any(name, &CHANNELS, &[])).collect();
    if channels.len() > 1 { channels } else { columns }
}

/// Words in the name of a column that is about orders but does not count them.
const NO_COUNT: [&str; 6] = ["date", "channel", "value", "_id", "spend", "amount"];

/// One row an order or order line: a date, and a value or quantity and price.
fn log(names: &[String]) -> Option<Lines> {
    let one = |words: &[&str]| {
        let all: Vec<&String> = names.iter().filter(|n| is_any(n, words, &[])).collect();
        shortest(&all)
    };
    let mut lines = vec![
        ("customer_id", text(identifier(names)?)),
        ("order_date", text(one(&["date", "time"])?)),
    ];
    match (one(&["quantity", "qty"]), one(&["price"])) {
        (Some(quantity), Some(price)) => {
            lines.push(("quantity", text(quantity)));
            lines.push(("unit_price", text(price)));
        }
        (_, price) => {
            let value = one(&["value", "amount", "total", "revenue", "spend"]).or(price)?;
            lines.push(("value", text(value)));
        }
    }
    Some(lines)
}

fn identifier(names: &[String]) -> Option<&String> {
    let named = |words: &[&str]| shortest(&matching(names, words));
    let exact = names.iter().find(|name| name.eq_ignore_ascii_case("id"));
    named(&["customer", "id"]).or(named(&["master", "id"])).or(exact)
}

/// Names with all of the words.
fn matching<'a>(names: &'a [String], words: &[&str]) -> Vec<&'a String> {
    let has_all = |name: &&String| words.iter().all(|word| name.to_lowercase().contains(word));
    names.iter().filter(has_all).collect()
}

fn is_any(name: &str, words: &[&str], without: &[&str]) -> bool {
    let name = name.to_lowercase();
    words.iter().any(|word| name.contains(word)) && !without.iter().any(|word| name.contains(word))
}

fn shortest<'a>(names: &[&'a String]) -> Option<&'a String> {
    names.iter().copied().min_by_key(|name| name.len())
}

/// A TOML string.
fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

fn list(values: &[&String]) -> String {
    let all: Vec<String> = values.iter().map(|value| text(value)).collect();
    format!("[{}]", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_columns_of_an_export() {
        let flo = names(&[
            "master_id",
            "order_channel",
            "last_order_channel",
            "first_order_date",
            "last_order_date",
            "last_order_date_online",
            "order_num_total_ever_online",
            "order_num_total_ever_offline",
            "customer_value_total_ever_offline",
            "customer_value_total_ever_online",
        ]);
        let lines = export(&flo).expect("an export");
        assert_eq!(lines[0].1, "\"master_id\"");
        assert_eq!(lines[2].1, "\"last_order_date\"");
        assert_eq!(
            lines[3].1,
            "[\"order_num_total_ever_online\", \"order_num_total_ever_offline\"]"
        );
    }

    #[test]
    fn a_total_beside_its_parts_is_not_added() {
        let all = names(&["orders_total", "orders_online", "orders_offline"]);
        let chosen: Vec<&String> = parts(all.iter().collect());
        assert_eq!(chosen, ["orders_online", "orders_offline"]);
    }

    #[test]
    fn the_columns_of_a_log() {
        let retail = names(&["Invoice", "Quantity", "InvoiceDate", "Price", "Customer ID"]);
        assert_eq!(export(&retail), None);
        let lines = log(&retail).expect("a log");
        let keys: Vec<&str> = lines.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["customer_id", "order_date", "quantity", "unit_price"]);
        let plain = log(&names(&["Id", "Date", "Price"])).expect("a log");
        assert_eq!(plain[2], ("value", "\"Price\"".to_owned()));
        assert_eq!(log(&names(&["a", "b"])), None);
    }
}
