//! Letters that control a terminal, forge a line or turn the direction of writing, replaced.

/// What stands in the place of such a letter.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a letter may steer whatever shows it: control characters, line and paragraph separators,
/// and the marks that turn the direction of writing (Unicode Standard Annex 9, section 2).
pub fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Text on one line, with nothing in it that steers the terminal.
pub fn printable(text: &str) -> String {
    kept(text, |_| false)
}

/// As [`printable`], but tabs and line breaks stay.
pub fn printable_lines(text: &str) -> String {
    kept(text, |letter| matches!(letter, '\n' | '\t'))
}

fn kept(text: &str, keep: impl Fn(char) -> bool) -> String {
    let one = |c: char| if steers(c) && !keep(c) { REPLACEMENT } else { c };
    text.chars().map(one).collect()
}

/// Text for a log: a line break stays only before two blanks, as our own lists are written. So a
/// name with a line break in it cannot begin a line.
pub fn printable_list(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut safe = printable(lines.next().unwrap_or_default());
    for line in lines {
        safe.push(if line.starts_with("  ") { '\n' } else { REPLACEMENT });
        safe.push_str(&printable(line));
    }
    safe
}

/// A value for a message: quoted, on one line, and not long.
pub fn shown(value: &str) -> String {
    quoted(value, 40)
}

/// A text for a message: quoted, on one line, with at most `most` characters of it.
pub fn quoted(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(printable("exe\u{202e}vsc.csv"), "exe\u{fffd}vsc.csv");
        assert_eq!(printable_lines("a\r\n\tb\u{2028}"), "a\u{fffd}\n\tb\u{fffd}");
        assert_eq!(printable("üğışçö İ 🦶 עברית"), "üğışçö İ 🦶 עברית");
    }

    #[test]
    fn a_name_cannot_begin_a_line() {
        let list = "a: \n  - one\n  - two\nerror: forged";
        assert_eq!(printable_list(list), "a: \n  - one\n  - two\u{fffd}error: forged");
    }
}
