//! What is wrong with a pipeline file, told in words, with the line, and all of it at once.

use serde::de::DeserializeOwned;
use toml::Value;

/// Reads a section. A key that is wrong is named and left out, so that the others are looked at too.
pub(crate) fn section<T: DeserializeOwned>(
    value: &Value,
    name: &str,
    faults: &mut Vec<String>,
) -> Option<T> {
    let mut value = value.clone();
    let mut sound = true;
    loop {
        let error: toml::de::Error = match value.clone().try_into() {
            Ok(read) => return sound.then_some(read),
            Err(error) => error,
        };
        let text = error.to_string();
        let (message, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let key = rest.trim().strip_prefix("in `").and_then(|key| key.strip_suffix('`'));
        // A key that was left out is missing now.
        if sound || !message.starts_with("missing field") {
            faults.push(match key {
                Some(key) => format!("[{name}] {key}: {}", in_words(message)),
                None => format!("[{name}]: {}", in_words(message)),
            });
        }
        sound = false;
        if !key.is_some_and(|key| left_out(&mut value, key)) {
            return None;
        }
    }
}

/// Removes a key, `a` or `a.b`. Returns whether it was there.
fn left_out(value: &mut Value, key: &str) -> bool {
    let Some(table) = value.as_table_mut() else {
        return false;
    };
    match key.split_once('.') {
        Some((first, rest)) if table.get(first).is_some_and(Value::is_table) => {
            table.get_mut(first).is_some_and(|inner| left_out(inner, rest))
        }
        Some((first, _)) => table.remove(first).is_some(),
        None => table.remove(key).is_some(),
    }
}

/// The message of the reader in words of the file, not of the program.
fn in_words(message: &str) -> String {
    let message = message.trim();
    if let Some((found, wanted)) = split(message, ["invalid type: ", "invalid value: "]) {
        return format!("{} is not {}", found_in_words(found), wanted_in_words(wanted));
    }
    if let Some((found, wanted)) = split(message, ["unknown variant ", "unknown field "]) {
        let wanted = wanted.trim_start_matches("one of ").replace('`', "");
        return format!("\"{}\" is not one of {wanted}", found.trim_matches('`'));
    }
    match message.strip_prefix("missing field `").and_then(|field| field.strip_suffix('`')) {
        Some(field) => format!("{field} is missing"),
        None => message.to_owned(),
    }
}

fn split<'a>(message: &'a str, starts: [&str; 2]) -> Option<(&'a str, &'a str)> {
    starts.iter().find_map(|start| message.strip_prefix(start)?.split_once(", expected "))
}

fn found_in_words(found: &str) -> String {
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "a section".to_owned(),
        // integer `3`, floating point `1.5`, boolean `true`, string "text"
        _ => match found.split_once(['`', '"']) {
            Some((kind, value)) if kind.starts_with("string") => format!("\"{value}"),
            Some((_, value)) => value.trim_end_matches('`').to_owned(),
            None => found.to_owned(),
        },
    }
}

fn wanted_in_words(wanted: &str) -> &str {
    match wanted {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or above",
        "a string" => "a text in quotes",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "a map" => "a section",
        other if other.starts_with("struct ") => "a section",
        other => other,
    }
}

/// The faults with the line of the key that each begins with; keys that were `set` by a flag have none.
pub(crate) fn with_lines(text: &str, faults: Vec<String>, set: &[String]) -> Vec<String> {
    let is_set = |path: &String| {
        set.iter().any(|set| set.split('=').next().is_some_and(|key| key.trim() == path))
    };
    let line = |fault: &str| line_of(text, &path_of(fault).filter(|path| !is_set(path))?);
    let one = |fault: String| match line(&fault) {
        Some(line) => format!("line {line}: {fault}"),
        None => fault,
    };
    faults.into_iter().map(one).collect()
}

/// The key that a fault begins with: `a.b`, or `[a] b`.
fn path_of(fault: &str) -> Option<String> {
    let fault = fault.strip_prefix("unknown key ").unwrap_or(fault);
    let (section, rest) = match fault.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((section, rest)) => (format!("{section}."), rest),
        None => (String::new(), fault),
    };
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"._".contains(letter));
    let key = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches('.');
    Some(section + key)
}

/// The line of a key; `None` where the file has no such key.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut here = "";
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            here = header.trim();
        } else if here == section
            && line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
        {
            return Some(number + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code)]
    struct Section {
        number: f64,
        count: usize,
        text: String,
        list: Vec<String>,
        choice: Choice,
    }

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        #[default]
        One,
        Two,
        Three,
    }

    const TEXT: &str = "name = 'x'\n[part]\nnumber = \"big\"\ncount = -1\n  text=3\nlist = true\nchoice = \
                        \"four\"\n[other]\nnumber = 1\n";

    #[test]
    fn every_wrong_key_is_named_in_words_with_its_line() {
        let table: toml::Table = TEXT.parse().expect("TOML");
        let mut faults = Vec::new();
        assert!(section::<Section>(&table["part"], "part", &mut faults).is_none());
        faults.sort();
        assert_eq!(
            with_lines(TEXT, faults, &[]),
            [
                "line 7: [part] choice: \"four\" is not one of one, two, three",
                "line 4: [part] count: -1 is not a whole number of 0 or above",
                "line 6: [part] list: true is not a list",
                "line 3: [part] number: \"big\" is not a number",
                "line 5: [part] text: 3 is not a text in quotes",
            ]
        );
    }

    #[test]
    fn a_key_that_is_not_in_the_file_has_no_line() {
        let lines = |fault: &str, set: &[String]| with_lines(TEXT, vec![fault.to_owned()], set);
        for fault in ["part.other: 3 is not a list", "--set a: b", "the section [x] is missing", ""]
        {
            assert_eq!(lines(fault, &[]), [fault]);
        }
        let fault = "unknown key other.number: did you mean count?";
        assert_eq!(lines(fault, &[]), [format!("line 9: {fault}")]);
        assert_eq!(lines(fault, &["other.number = 3".to_owned()]), [fault]);
        assert_eq!(lines("name: 3 is not a text", &[]), ["line 1: name: 3 is not a text"]);
    }
}
