//! Formats numbers, shares, days and lists for a language. Sentences are in [`super::texts`].

use chrono::{Datelike, NaiveDate};

pub use crate::settings::Language;

/// Shown instead of a number that is not finite.
const NOTHING: &str = "–";
/// From here on a number is written with an exponent, since not all of its digits are exact.
const VERY_LARGE: f64 = 1e15;
/// Letters of the short name of a month; the same in both languages.
const SHORT_MONTH: usize = 3;

const ENGLISH_MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
];
const TURKISH_MONTHS: [&str; 12] = [
    "Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim",
    "Kasım", "Aralık",
];

impl Language {
    /// Its code in BCP 47.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Tr => "tr",
        }
    }

    /// The thousands separator and the decimal mark.
    fn marks(self) -> (char, char) {
        match self {
            Self::En => (',', '.'),
            Self::Tr => ('.', ','),
        }
    }

    fn months(self) -> &'static [&'static str; 12] {
        match self {
            Self::En => &ENGLISH_MONTHS,
            Self::Tr => &TURKISH_MONTHS,
        }
    }

    /// Formats a number: 13740.46 with one decimal as 13,740.5, in Turkish 13.740,5. Ties go to the
    /// even digit, as in all texts of a run. A value that rounds to zero has no sign; one that is
    /// not finite is a dash.
    pub fn number(self, value: f64, decimals: usize) -> String {
        if !value.is_finite() {
            return NOTHING.to_owned();
        }
        let digits = self.digits(value.abs(), decimals);
        let signed = value < 0.0 && digits.contains(|digit: char| ('1'..='9').contains(&digit));
        if signed { format!("−{digits}") } else { digits }
    }

    /// Formats a share in percent: 0.8 without decimals as 80%, in Turkish %80.
    pub fn percent(self, share: f64, decimals: usize) -> String {
        let number = self.number(100.0 * share, decimals);
        if number == NOTHING {
            return number;
        }
        match (self, number.strip_prefix('−')) {
            (Self::En, _) => format!("{number}%"),
            (Self::Tr, None) => format!("%{number}"),
            (Self::Tr, Some(digits)) => format!("−%{digits}"),
        }
    }

    /// Formats a day as 1 June 2021, in Turkish 1 Haziran 2021.
    pub fn date(self, day: NaiveDate) -> String {
        format!("{} {} {}", day.day(), self.months()[day.month0() as usize], day.year())
    }

    /// Formats the month of a day as Jun 2021, in Turkish Haz 2021.
    pub fn month(self, day: NaiveDate) -> String {
        let name = self.months()[day.month0() as usize].chars().take(SHORT_MONTH);
        format!("{} {}", name.collect::<String>(), day.year())
    }

    /// Joins names, with an "and" before the last one.
    pub fn list<S: AsRef<str>>(self, names: &[S]) -> String {
        let and = match self {
            Self::En => " and ",
            Self::Tr => " ve ",
        };
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => [&rest.join(", "), and, last].concat(),
            _ => names.concat(),
        }
    }

    /// Formats a number that is not negative.
    fn digits(self, value: f64, decimals: usize) -> String {
        let (thousands, decimal) = self.marks();
        if value >= VERY_LARGE {
            return format!("{value:.1e}").replace('.', &decimal.to_string());
        }
        let text = format!("{value:.decimals$}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let mut grouped = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                grouped.push(thousands);
            }
            grouped.push(digit);
        }
        if fraction.is_empty() { grouped } else { format!("{grouped}{decimal}{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{En, Tr};
    use super::*;

    /// Separators and the place of the percent sign: CLDR 48, en and tr, numbers/symbols and
    /// percentFormats (`#,##0%` and `%#,##0`).
    #[test]
    fn numbers_in_both_languages() {
        let cases = [
            (13_740.46, 1, "13,740.5", "13.740,5"),
            (1_234_567.0, 0, "1,234,567", "1.234.567"),
            (999.6, 0, "1,000", "1.000"),
            (999.4, 0, "999", "999"),
            (0.0, 2, "0.00", "0,00"),
            (0.125, 2, "0.12", "0,12"),
            (-2.5, 0, "−2", "−2"),
            (-1_234.5, 1, "−1,234.5", "−1.234,5"),
            (-0.0, 1, "0.0", "0,0"),
            (-0.04, 1, "0.0", "0,0"),
            (999_999_999_999_999.0, 0, "999,999,999,999,999", "999.999.999.999.999"),
            (1.2e300, 0, "1.2e300", "1,2e300"),
            (-f64::MAX, 2, "−1.8e308", "−1,8e308"),
            (f64::MIN_POSITIVE, 2, "0.00", "0,00"),
            (f64::NAN, 0, "–", "–"),
            (f64::NEG_INFINITY, 0, "–", "–"),
        ];
        for (value, decimals, english, turkish) in cases {
            assert_eq!(En.number(value, decimals), english, "{value}");
            assert_eq!(Tr.number(value, decimals), turkish, "{value}");
        }
    }

    #[test]
    fn shares_in_both_languages() {
        let cases = [
            (0.8, "80%", "%80"),
            (1.0, "100%", "%100"),
            (12.345, "1,234%", "%1.234"),
            (0.004, "0%", "%0"),
            (-0.004, "0%", "%0"),
            (-0.25, "−25%", "−%25"),
            (f64::NAN, "–", "–"),
        ];
        for (share, english, turkish) in cases {
            assert_eq!(
                (En.percent(share, 0), Tr.percent(share, 0)),
                (english.into(), turkish.into())
            );
        }
    }

    #[test]
    fn days_in_both_languages() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a day");
        let june = day(2021, 6, 1);
        assert_eq!((En.date(june), Tr.date(june)), ("1 June 2021".into(), "1 Haziran 2021".into()));
        assert_eq!((En.month(june), Tr.month(june)), ("Jun 2021".into(), "Haz 2021".into()));
        let february = day(2020, 2, 29);
        assert_eq!(Tr.date(february), "29 Şubat 2020");
        assert_eq!(Tr.month(february), "Şub 2020");
        assert_eq!(Tr.month(day(1999, 8, 31)), "Ağu 1999");
        assert_eq!(En.date(day(2021, 12, 31)), "31 December 2021");
    }

    #[test]
    fn lists_in_both_languages() {
        assert_eq!(En.list(&["A", "B", "C"]), "A, B and C");
        assert_eq!(Tr.list(&["A", "B", "C"]), "A, B ve C");
        assert_eq!(Tr.list(&["A", "B"]), "A ve B");
        assert_eq!(En.list(&["A"]), "A");
        assert_eq!(En.list::<&str>(&[]), "");
    }

    #[test]
    fn languages_have_codes() {
        for language in [En, Tr] {
            assert_eq!(language.code().parse(), Ok(language));
        }
        let error = "de".parse::<Language>().expect_err("no such language");
        assert!(error.contains("\"de\"") && error.contains("en or tr"), "{error}");
    }
}
