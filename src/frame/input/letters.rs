//! Letters without accents and in lower case, so that words compare however they are written.

/// A character as a lower-case English letter, a digit, or a blank between words. Returns `None`
/// for combining accents, which follow the letter in a decomposed text.
pub fn folded(letter: char) -> Option<char> {
    let plain = match letter {
        'ı' | 'İ' | 'I' | 'î' | 'Î' => 'i',
        'ä' | 'Ä' | 'á' | 'Á' | 'à' | 'À' | 'ã' | 'å' => 'a',
        'é' | 'É' | 'è' | 'È' | 'ê' | 'Ê' | 'ë' => 'e',
        'í' | 'ì' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' => 'o',
        'ú' | 'ù' => 'u',
        'ñ' | 'Ñ' => 'n',
        'ş' | 'Ş' => 's',
        'ğ' | 'Ğ' => 'g',
        'ü' | 'Ü' | 'û' | 'Û' => 'u',
        'ö' | 'Ö' => 'o',
        'ç' | 'Ç' => 'c',
        'â' | 'Â' => 'a',
        '\u{300}'..='\u{36f}' => return None,
        other if other.is_alphanumeric() => return other.to_lowercase().next(),
        _ => ' ',
    };
    Some(plain)
}

/// A word in lower-case English letters and digits; other characters are left out.
pub fn folded_word(word: &str) -> String {
    word.chars().filter_map(folded).filter(|letter| *letter != ' ').collect()
}
