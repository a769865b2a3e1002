//! The texts of the report, one file per language, and how values are filled into them.
//!
//! A text is a template in which `{name}` or `{name:FORMAT}` is replaced by a fact. FORMAT is `0`,
//! `1` or `2` (decimals), `%` (a share as percent), `date` (a day), `text`, or the name of a table
//! of texts. With a table, a name is replaced by the text of that key (`{rules:rules}`), which can
//! have placeholders of its own, and a number gets the noun `one` or `many`
//! (`{months:count.month}`). Lists are joined with "and". Values from the data are inserted as they
//! are: the page escapes them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;

use crate::results::advice::Advice;
use crate::results::facts::{Fact, Facts};
use crate::results::findings::Finding;

pub use crate::report::locale::Language;

static ENGLISH: LazyLock<Words> =
    LazyLock::new(|| Words::read(Language::En, include_str!("texts/en.toml")));
static TURKISH: LazyLock<Words> =
    LazyLock::new(|| Words::read(Language::Tr, include_str!("texts/tr.toml")));

/// All texts of a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The language.
    pub language: Language,
    /// Texts by path, such as `plays.protect.title`.
    texts: BTreeMap<String, String>,
}

/// A finding in the language of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What was found, and what it means.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// Advice on a segment in the language of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Title, of two to four words.
    pub title: String,
    /// Size, value and activity of the segment; empty when nobody is in it.
    pub standing: String,
    /// What to do, through which channel, with what.
    pub action: String,
}

/// Texts that follow the action of a play: from each group, the first one whose facts are all
/// there.
const DETAILS: [&[&str]; 3] =
    [&["plays.channel"], &["plays.categories", "plays.category"], &["plays.suggest", "plays.add"]];

impl Words {
    /// The texts of a language; its file is parsed once.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Tr => &TURKISH,
        }
    }

    /// Parses a file of texts. A faulty one would give no texts, but the files are part of the
    /// program, and tests read both.
    fn read(language: Language, toml: &str) -> Self {
        let mut texts = BTreeMap::new();
        flatten("", toml.parse().unwrap_or_default(), &mut texts);
        Self { language, texts }
    }

    /// The text with this path, placeholders included. Returns `None` when there is none.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Paths of all texts, in alphabetical order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// The text of a name in a table. A name without one, such as a name from a user's pipeline
    /// file, is returned as it is.
    pub fn name<'a>(&'a self, table: &str, name: &'a str) -> &'a str {
        self.get(&format!("{table}.{name}")).unwrap_or(name)
    }

    /// The text with this path, facts filled in.
    ///
    /// Returns `None` when there is no such text, or a fact is missing or of the wrong type.
    pub fn text(&self, path: &str, facts: &Facts) -> Option<String> {
        self.fill(self.get(path)?, facts, true)
    }

    /// A finding in this language.
    ///
    /// Returns `None` when there is no text for it; its own message is then shown.
    pub fn finding(&self, finding: &Finding) -> Option<Said> {
        let code = &finding.code;
        let shape = finding.variant().map(|variant| format!("findings.{code}-{variant}"));
        shape.into_iter().chain([format!("findings.{code}")]).find_map(|table| {
            Some(Said {
                message: self.text(&format!("{table}.message"), &finding.facts)?,
                remedy: self.text(&format!("{table}.remedy"), &finding.facts)?,
            })
        })
    }

    /// Advice in this language.
    ///
    /// Returns `None` when a fact is missing; its own text has to do.
    pub fn suggestion(&self, advice: &Advice) -> Option<Suggestion> {
        let (play, facts) = (advice.play.name(), &advice.facts);
        let said = |path: &&str| self.text(path, facts);
        // Where amounts are margin, or there are none, some texts have a shape of their own.
        let own = |path: &str, rest: &str| {
            let shape = facts.variant().map(|variant| format!("{path}-{variant}{rest}"));
            let shape = shape.filter(|shape| self.get(shape).is_some());
            self.text(&shape.unwrap_or_else(|| format!("{path}{rest}")), facts)
        };
        let standing = own("plays.standing", "").into_iter().chain(said(&"plays.alive"));
        let action = own(&format!("plays.{play}"), ".action")?;
        let details = DETAILS.iter().filter_map(|group| group.iter().find_map(said));
        Some(Suggestion {
            title: self.text(&format!("plays.{play}.title"), facts)?,
            standing: standing.collect::<Vec<_>>().join(" "),
            action: [action].into_iter().chain(details).collect::<Vec<_>>().join(" "),
        })
    }

    /// A template with facts filled in. `tables` says whether texts of a table may have
    /// placeholders; only the first level may, so that texts cannot refer to each other forever.
    fn fill(&self, template: &str, facts: &Facts, tables: bool) -> Option<String> {
        let mut parts = template.split('{');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (placeholder, literal) = part.split_once('}')?;
            let (name, format) = placeholder.split_once(':').unwrap_or((placeholder, "text"));
            text.push_str(&self.placed(facts.get(name)?, format, facts, tables)?);
            text.push_str(literal);
        }
        Some(text)
    }

    fn placed(&self, fact: &Fact, format: &str, facts: &Facts, tables: bool) -> Option<String> {
        let language = self.language;
        match (fact, format) {
            (Fact::Text(text), "text") => Some(text.clone()),
            (Fact::Text(text), "date") => Some(language.date(text.parse::<NaiveDate>().ok()?)),
            (Fact::Text(_) | Fact::List(_), "0" | "1" | "2" | "%" | "date" | "money") => None,
            (Fact::Text(name), table) => self.entry(table, name, facts, tables),
            (Fact::List(names), _) if names.is_empty() => None,
            (Fact::List(names), "text") => Some(language.list(names)),
            (Fact::List(names), table) => {
                let names = names.iter().map(|name| self.entry(table, name, facts, tables));
                Some(language.list(&names.collect::<Option<Vec<_>>>()?))
            }
            (Fact::Number(value), "text" | "0") => Some(language.number(*value, 0)),
            (Fact::Number(value), "1") => Some(language.number(*value, 1)),
            (Fact::Number(value), "2") => Some(language.number(*value, 2)),
            (Fact::Number(value), "money") => Some(self.amount(*value, facts)),
            (Fact::Number(share), "%") => Some(language.percent(*share, 0)),
            (Fact::Number(value), table) => self.counted(table, *value),
        }
    }

    /// An amount, with the currency if the facts name one.
    fn amount(&self, value: f64, facts: &Facts) -> String {
        let number = self.language.number(value, usize::from(value.abs() < 100.0));
        match facts.get("currency") {
            Some(Fact::Text(currency)) => format!("{number}\u{a0}{currency}"),
            _ => number,
        }
    }

    /// The text of a name in a table, facts filled in.
    fn entry(&self, table: &str, name: &str, facts: &Facts, tables: bool) -> Option<String> {
        match self.get(&format!("{table}.{name}")) {
            Some(text) if tables => self.fill(text, facts, false),
            Some(text) if text.contains('{') => None,
            _ => Some(self.name(table, name).to_owned()),
        }
    }

    /// A number with its noun.
    fn counted(&self, table: &str, value: f64) -> Option<String> {
        let number = self.language.number(value, 0);
        let noun = self.get(&format!("{table}.{}", if number == "1" { "one" } else { "many" }))?;
        Some(format!("{number} {noun}"))
    }
}

/// Adds the texts of a table by their paths.
fn flatten(path: &str, table: toml::Table, texts: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = if path.is_empty() { key } else { format!("{path}.{key}") };
        match value {
            toml::Value::Table(table) => flatten(&path, table, texts),
            toml::Value::String(text) => {
                texts.insert(path, text);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [findings.left_out]
        message = "{customers:count.customer} are left out since {since:date}."
        remedy = "Look at {columns}, {columns:names} ({share:%}, {mean:1}, {mean:2}, {mean})."
        [findings.left_out-quietly]
        message = "{customers:0} are left out because of {why:reasons}."
        remedy = "None."
        [findings.open]
        message = "{customers"
        remedy = ""
        [findings.paid]
        message = "{mean:money}"
        remedy = "{small:money}"
        [reasons]
        old = "age over {limit:count.customer}"
        round = "{why:reasons}"
        [names]
        a = "Ä"
        [count.customer]
        one = "customer"
        many = "customers"
        "#;

    fn words(language: Language) -> Words {
        Words::read(language, FILE)
    }

    fn finding() -> Finding {
        Finding::note("left_out", "-".to_owned(), "-")
            .with("customers", 13_740.3)
            .with("since", "2021-06-01")
            .with("columns", vec!["a".to_owned(), "<b>".to_owned()])
            .with("share", 0.8)
            .with("mean", 1234.56)
    }

    #[test]
    fn facts_are_filled_in() {
        let said = words(Language::En).finding(&finding()).expect("all facts");
        assert_eq!(said.message, "13,740 customers are left out since 1 June 2021.");
        assert_eq!(said.remedy, "Look at a and <b>, Ä and <b> (80%, 1,234.6, 1,234.56, 1,235).");
        let said = words(Language::Tr).finding(&finding()).expect("all facts");
        assert_eq!(said.message, "13.740 customers are left out since 1 Haziran 2021.");
        assert_eq!(said.remedy, "Look at a ve <b>, Ä ve <b> (%80, 1.234,6, 1.234,56, 1.235).");
        let one = words(Language::En).finding(&finding().with("customers", 1usize));
        assert!(one.expect("all facts").message.starts_with("1 customer are"));
    }

    #[test]
    fn amounts_have_the_currency_that_the_facts_name() {
        let paid =
            Finding::note("paid", String::new(), "").with("mean", 1234.56).with("small", 6.94);
        let said = |finding: &Finding, language| {
            let said = words(language).finding(finding).expect("all facts");
            (said.message, said.remedy)
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(said(&paid, Language::En), pair("1,235", "6.9"));
        let paid = paid.with("currency", "TRY");
        assert_eq!(said(&paid, Language::Tr), pair("1.235\u{a0}TRY", "6,9\u{a0}TRY"));
    }

    #[test]
    fn a_shape_has_its_own_words_where_its_facts_suffice() {
        let words = words(Language::En);
        let quietly = finding().with_variant("quietly").with("why", "old").with("limit", 90u32);
        let said = words.finding(&quietly).expect("all facts");
        assert_eq!(said.message, "13,740 are left out because of age over 90 customers.");
        let unknown = quietly.clone().with("why", "{limit}");
        let said = words.finding(&unknown).expect("all facts");
        assert_eq!(said.message, "13,740 are left out because of {limit}.");
        let other = words.finding(&finding().with_variant("loudly")).expect("all facts");
        assert_eq!(Some(other), words.finding(&finding()));
        let round = words.finding(&quietly.with("why", "round"));
        assert_eq!(round, words.finding(&finding()));
    }

    #[test]
    fn without_a_fact_there_are_no_words() {
        let words = words(Language::En);
        let lacking = [
            Finding::note("unknown", String::new(), ""),
            Finding::note("left_out", String::new(), "").with("customers", 3.0),
            Finding::note("open", String::new(), "").with("customers", 3.0),
            finding().with("since", "yesterday"),
            finding().with("since", 3.0),
            finding().with("share", "80"),
            finding().with("columns", Vec::new()),
        ];
        for finding in lacking {
            assert_eq!(words.finding(&finding), None, "{finding:?}");
        }
        assert_eq!(words.get("findings.left_out"), None);
        assert_eq!(words.name("names", "a"), "Ä");
        assert_eq!(words.name("names", "b"), "b");
    }
}
