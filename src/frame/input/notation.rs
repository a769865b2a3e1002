//! How numbers are written: which sign stands before the decimals, what separates thousands, and
//! what else surrounds the digits.
//!
//! A text such as `1.234` is 1.234 where the point is decimal, and 1234 where it separates
//! thousands. A text such as `12,50` can be read in one way only. So a column is decided by the
//! values that fit one notation.

use std::borrow::Cow;

use crate::settings::NUMBER_FORMATS;

/// The sign before the decimals. Thousands may be separated by the other of point and comma, by
/// blanks of any width, or by apostrophes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

impl DecimalMark {
    fn sign(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }

    /// An example of the notation, as `input.number_format` has it.
    pub fn example(self) -> &'static str {
        match self {
            Self::Point => "1,234.56",
            Self::Comma => "1.234,56",
        }
    }
}

/// The decimal mark that `input.number_format` names. Returns `None` for `auto`.
pub fn mark_of(format: &str) -> Option<DecimalMark> {
    match format.chars().rev().nth(2) {
        _ if !NUMBER_FORMATS.contains(&format) => None,
        Some(',') => Some(DecimalMark::Comma),
        _ => Some(DecimalMark::Point),
    }
}

/// What the text of a number says about the notation of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Nothing, or a word for a missing value.
    Missing,
    /// Digits only.
    Whole,
    /// Only with a decimal point, and written as Polars reads it: `12.50`.
    PlainPoint,
    /// Only with a decimal point, and written otherwise: `1,234.50`, `$12.50`, `(12.50)`.
    Point,
    /// Only with a decimal comma: `12,50`, `1.234,50`.
    Comma,
    /// `1.234`: 1.234 or 1234.
    EitherPoint,
    /// `1,234`: 1234 or 1.234.
    EitherComma,
    /// The same number either way, but not written as Polars reads it: `1 234`, `12 TL`.
    Same,
    /// No number.
    NoNumber,
    /// No number, but with digits or with the `###` of a narrow cell: a notation that is not read.
    Odd,
}

impl Class {
    /// All classes, by their number.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::Whole,
        Self::PlainPoint,
        Self::Point,
        Self::Comma,
        Self::EitherPoint,
        Self::EitherComma,
        Self::Same,
        Self::NoNumber,
        Self::Odd,
    ];
}

/// What a text says about the notation of its column.
pub fn classify(text: &str) -> Class {
    if let Some(class) = bare(text) {
        return class;
    }
    if is_missing(text) {
        return Class::Missing;
    }
    let (point, comma) = (read(text, DecimalMark::Point), read(text, DecimalMark::Comma));
    let trimmed = text.trim();
    let is_bare = || trimmed.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match (point, comma) {
        (None, None) if is_odd(trimmed) => Class::Odd,
        (None, None) => Class::NoNumber,
        (Some(_), None) if is_bare() && trimmed.parse::<f64>().is_ok() => Class::PlainPoint,
        (Some(_), None) => Class::Point,
        (None, Some(_)) => Class::Comma,
        (Some(point), Some(comma)) if point == comma => match trimmed.parse::<i64>() {
            Ok(_) => Class::Whole,
            Err(_) => Class::Same,
        },
        _ if text.contains('.') => Class::EitherPoint,
        _ => Class::EitherComma,
    }
}

/// Whether a text is a number in a notation that is not read.
fn is_odd(text: &str) -> bool {
    let begins = text.trim_start_matches(|letter: char| !letter.is_alphanumeric() && letter != '#');
    begins.starts_with(|letter: char| letter.is_ascii_digit()) || text.starts_with("###")
}

/// The class of digits with at most one point among them, which most numbers are; `None` for any
/// other text.
fn bare(text: &str) -> Option<Class> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match digits.split_once('.') {
        _ if digits.is_empty() || digits.len() > 18 => None,
        None if is_digits(digits) => Some(Class::Whole),
        Some((whole, fraction)) if is_digits(whole) && is_digits(fraction) && digits.len() > 1 => {
            let is_group = fraction.len() == 3 && (1..=3).contains(&whole.len());
            let either = is_group && !whole.starts_with('0');
            Some(if either { Class::EitherPoint } else { Class::PlainPoint })
        }
        _ => None,
    }
}

/// Words that stand for a missing value.
const MISSING: &[&str] = &[
    "null", "none", "nan", "na", "n/a", "#n/a", "#yok", "nil", "-", "--", "\\n", "(null)",
    "(blank)", "yok", "<na>", "?", ".", "–", "—", "(bos)", "(boş)",
];

/// Whether a text is blank or a word for a missing value.
pub fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || (text.len() <= 7 && MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

/// Signs and codes of currencies. Longer ones come before those that they contain.
const CURRENCIES: &[&str] = &[
    "US$", "R$", "A$", "C$", "$", "€", "£", "¥", "₺", "₽", "₹", "₴", "₩", "₪", "₫", "฿", "₦", "₼",
    "₾", "₸", "TRY", "YTL", "TL", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "RUB", "UAH", "PLN",
    "CZK", "HUF", "RON", "BGN", "SEK", "NOK", "DKK", "INR", "BRL", "MXN", "CAD", "AUD", "NZD",
    "ZAR", "AED", "SAR", "KWD", "QAR", "BHD", "OMR", "EGP", "ILS", "KRW", "SGD", "HKD", "THB",
    "IDR", "MYR", "PHP", "VND", "AZN", "GEL", "KZT", "zł", "Kč", "Ft", "kr.", "kr", "Rs.", "Rs",
    "Fr.", "руб", "лв",
];

/// The parts of a number's text.
struct Parts<'a> {
    /// The mark before a dash in place of decimals, as in `12,-`.
    dashed: Option<char>,
    negative: bool,
    currency: Option<&'static str>,
    /// Digits with their marks and separators.
    digits: &'a str,
    /// Power of ten of a scientific notation, as text.
    exponent: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Takes off what surrounds the digits, from both ends until nothing is left to take off.
    fn of(text: &'a str) -> Option<Self> {
        let mut rest = unprotected(text.trim());
        let (mut negative, mut currency, mut dashed) = (false, None, None);
        loop {
            let before = rest.len();
            rest = rest.trim();
            if let Some(inner) = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')) {
                (rest, negative) = (inner, true);
            }
            if let Some(inner) = rest.strip_prefix('+') {
                rest = inner;
            }
            if let Some((inner, mark)) = without_dash(rest) {
                (rest, dashed) = (inner, Some(mark));
            }
            for end in [str::strip_prefix::<&[char]>, str::strip_suffix::<&[char]>] {
                if let Some(inner) = end(rest, MINUS) {
                    // Two signs, as in "--5" or "(-5)", are a mistake and no number.
                    if negative {
                        return None;
                    }
                    (rest, negative) = (inner, true);
                }
            }
            if let Some((inner, found)) = without_currency(rest) {
                let found = one_name(found);
                if currency.is_some_and(|known| known != found) {
                    return None;
                }
                (rest, currency) = (inner, Some(found));
            }
            if rest.len() == before {
                break;
            }
        }
        let (digits, exponent) = match rest.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, Some(exponent)),
            None => (rest, None),
        };
        Some(Self { dashed, negative, currency, digits, exponent })
    }
}

/// A text such as `12,-` or `12.--`, whose dash stands for no hundredths: what is before the mark,
/// and the mark.
fn without_dash(text: &str) -> Option<(&str, char)> {
    let before = text.trim_end_matches(MINUS);
    let mark = before.chars().next_back().filter(|mark| ".,".contains(*mark))?;
    let whole = &before[..before.len() - 1];
    (before.len() < text.len() && whole.ends_with(|letter: char| letter.is_ascii_digit()))
        .then_some((whole, mark))
}

/// Signs for minus: the hyphen, its Unicode relatives, and the minus proper.
const MINUS: &[char] =
    &['-', '\u{2212}', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{fe63}', '\u{ff0d}'];

/// The content of `="…"`, by which spreadsheets keep a text from being changed, and of a text with
/// an apostrophe before it.
pub fn unprotected(text: &str) -> &str {
    let inner = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"'));
    inner.or_else(|| text.strip_prefix('\'')).unwrap_or(text).trim()
}

fn without_currency(text: &str) -> Option<(&str, &'static str)> {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    CURRENCIES.iter().find_map(|currency| {
        let length = currency.len();
        let front = text.get(..length).filter(|front| same(front, currency));
        let back = text.len().checked_sub(length).and_then(|at| text.get(at..));
        match (front, back) {
            (Some(_), _) => Some((&text[length..], *currency)),
            (None, Some(back)) if same(back, currency) => {
                Some((&text[..text.len() - length], *currency))
            }
            _ => None,
        }
    })
}

/// The currency sign next to a number. Returns `None` if the text is not a number.
pub fn currency_of(text: &str) -> Option<&'static str> {
    if text.bytes().all(|byte| byte.is_ascii_digit() || b".,- ".contains(&byte)) {
        return None;
    }
    let currency = Parts::of(text)?.currency?;
    let is_number = [DecimalMark::Point, DecimalMark::Comma].map(|mark| read(text, mark).is_some());
    is_number.contains(&true).then_some(currency)
}

/// One name for a currency that has several.
fn one_name(currency: &'static str) -> &'static str {
    match currency {
        "TL" | "TRY" | "YTL" => "₺",
        "USD" | "US$" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" | "Rs." | "Rs" => "₹",
        "RUB" | "руб" => "₽",
        "UAH" => "₴",
        "KRW" => "₩",
        "ILS" => "₪",
        "VND" => "₫",
        "THB" => "฿",
        "AZN" => "₼",
        "GEL" => "₾",
        "KZT" => "₸",
        "PLN" => "zł",
        "CZK" => "Kč",
        "HUF" => "Ft",
        "BGN" => "лв",
        "BRL" => "R$",
        "AUD" => "A$",
        "CAD" => "C$",
        "CHF" => "Fr.",
        "kr." => "kr",
        other => other,
    }
}

/// The number that a text is in a notation. Returns `None` when it is none.
pub fn read(text: &str, mark: DecimalMark) -> Option<f64> {
    let parts = Parts::of(text)?;
    if parts.dashed.is_some_and(|dashed| dashed != mark.sign()) {
        return None;
    }
    let (whole, fraction) = match parts.digits.split_once(mark.sign()) {
        Some((whole, fraction)) => (whole, fraction),
        None => (parts.digits, ""),
    };
    let whole = ungrouped(whole, mark)?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let exponent = match parts.exponent {
        None => "0",
        Some(exponent) if is_digits(exponent.trim_start_matches(['+', '-'])) => exponent,
        Some(_) => return None,
    };
    let sign = if parts.negative { "-" } else { "" };
    let number: f64 = format!("{sign}{whole}.{fraction}0e{exponent}").parse().ok()?;
    number.is_finite().then_some(number)
}

/// The digits before the decimals, without separators of thousands. Groups have three digits; all
/// but the first and the last may have two, as in India. One number has one kind of separator.
fn ungrouped(whole: &str, mark: DecimalMark) -> Option<Cow<'_, str>> {
    if whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Borrowed(whole));
    }
    let separates = |letter: char| {
        letter == mark.other().sign()
            || letter.is_whitespace()
            || "'\u{2019}\u{2018}\u{2bc}".contains(letter)
    };
    let separator =
        whole.chars().find(|letter| !letter.is_ascii_digit()).filter(|s| separates(*s))?;
    let groups: Vec<&str> = whole.split(separator).collect();
    let (first, rest) = groups.split_first()?;
    let (last, middle) = rest.split_last()?;
    let is_group = |group: &str, least: usize| {
        (least..=3).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit())
    };
    let sound = is_group(first, 1)
        && !first.starts_with('0')
        && middle.iter().all(|group| is_group(group, 2))
        && is_group(last, 3);
    sound.then(|| Cow::Owned(groups.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, expected) in [
            ("1234.50", 1234.5),
            ("1,234.50", 1234.5),
            ("12,34,567.5", 1234567.5),
            ("1 234.5", 1234.5),
            ("1\u{a0}234.5", 1234.5),
            ("1\u{202f}234\u{202f}567.5", 1234567.5),
            ("1'234.5", 1234.5),
            ("1\u{2019}234.5", 1234.5),
            ("$1,234.50", 1234.5),
            ("-$12.5", -12.5),
            ("$-12.5", -12.5),
            ("12.50 TL", 12.5),
            ("TRY 12.5", 12.5),
            ("₺12.5", 12.5),
            ("(12.50)", -12.5),
            ("($12.50)", -12.5),
            ("12.50-", -12.5),
            ("\u{2212}12.5", -12.5),
            ("=\"12.50\"", 12.5),
            (".5", 0.5),
            ("12.-", 12.0),
            ("1,234.--", 1234.0),
            ("CHF 1'234.-", 1234.0),
            ("5.", 5.0),
            ("1.5e3", 1500.0),
            ("+7", 7.0),
        ] {
            assert_eq!(read(text, DecimalMark::Point), Some(expected), "{text}");
            let swapped: String = text
                .chars()
                .map(|c| match c {
                    '.' => ',',
                    ',' => '.',
                    other => other,
                })
                .collect();
            assert_eq!(read(&swapped, DecimalMark::Comma), Some(expected), "{swapped}");
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "", "abc", "1.2.3", "1,23.5", "12,3456.7", "K11238", "--5", "$5 €", "1,2345", "e5", ".",
        ] {
            assert_eq!(read(text, DecimalMark::Point), None, "{text}");
        }
    }

    #[test]
    fn values_that_fit_one_notation_decide() {
        for (text, class) in [
            ("5", Class::Whole),
            ("12.50", Class::PlainPoint),
            ("0.123", Class::PlainPoint),
            ("1234.567", Class::PlainPoint),
            ("1,234.50", Class::Point),
            ("1,234,567", Class::Point),
            ("12,50", Class::Comma),
            ("1.234.567", Class::Comma),
            ("1.234", Class::EitherPoint),
            ("1,234", Class::EitherComma),
            ("12,-", Class::Comma),
            ("1 234", Class::Same),
            ("12 TL", Class::Same),
            ("yes", Class::NoNumber),
            ("1.235K", Class::Odd),
            ("1_234.56", Class::Odd),
            ("########", Class::Odd),
            ("NULL", Class::Missing),
            (" ", Class::Missing),
        ] {
            assert_eq!(classify(text), class, "{text}");
        }
    }

    #[test]
    fn the_same_currency_has_several_names() {
        assert_eq!(currency_of("12 TL"), currency_of("₺12"));
        assert_eq!(currency_of("TRY 5"), currency_of("5tl"));
        assert_ne!(currency_of("$5"), currency_of("€5"));
        assert_eq!(read("₺12,50 TL", DecimalMark::Comma), Some(12.5));
        for text in ["5", "gift", "fraud", "others", "TL"] {
            assert_eq!(currency_of(text), None, "{text}");
        }
    }

    #[test]
    fn the_key_names_a_mark() {
        assert_eq!(mark_of("1.234,56"), Some(DecimalMark::Comma));
        assert_eq!(mark_of("1 234.56"), Some(DecimalMark::Point));
        assert_eq!(mark_of("auto"), None);
    }
}
