//! Numbers in sentences and tables for people: separators between thousands, few digits.

/// 1234567.8 as 1,234,568.
pub fn whole(value: f64) -> String {
    let digits = grouped(&format!("{:.0}", value.abs()));
    if value < 0.0 && digits != "0" { format!("-{digits}") } else { digits }
}

/// 19945 as 19,945.
pub fn count(number: usize) -> String {
    grouped(&number.to_string())
}

/// 1234.5 as 1,234.50, with the currency if there is one.
pub fn money(value: f64, decimals: usize, currency: Option<&str>) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (before, after) =
        digits.split_at(digits.len() - if decimals > 0 { decimals + 1 } else { 0 });
    let is_zero = digits.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    let sign = if value < 0.0 && !is_zero { "-" } else { "" };
    let currency = currency.map_or(String::new(), |currency| format!(" {currency}"));
    format!("{sign}{}{after}{currency}", grouped(before))
}

/// Two decimals below a thousand, none above.
pub fn decimal(value: f64) -> String {
    if value.abs() >= 999.995 || value.fract() == 0.0 {
        whole(value)
    } else {
        money(value, 2, None)
    }
}

/// Five significant digits.
pub fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = (4.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(whole(1_234_567.8), "1,234,568");
        assert_eq!(whole(999.4), "999");
        assert_eq!(whole(-0.4), "0");
        assert_eq!(whole(-0.5), "0");
        assert_eq!(decimal(999.999), "1,000");
        assert_eq!(decimal(-0.001), "0.00");
        assert_eq!(whole(-1_000.0), "-1,000");
        assert_eq!(count(19_945), "19,945");
        assert_eq!(decimal(80.34), "80.34");
        assert_eq!(significant(0.242_594_5), "0.24259");
        assert_eq!(significant(76.172_36), "76.172");
        assert_eq!(money(1_234.5, 2, None), "1,234.50");
        assert_eq!(money(195.7, 0, Some("TRY")), "196 TRY");
        assert_eq!(money(-12_345.678, 1, Some("EUR")), "-12,345.7 EUR");
        assert_eq!(money(-0.2, 0, None), "0");
    }
}
