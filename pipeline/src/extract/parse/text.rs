//! Small helpers on text that all parsers share.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Lower case without accents, for comparisons: `Dirección` → `direccion`, `Año` → `ano`.
pub fn fold(text: &str) -> String {
    text.nfd().filter(|ch| !is_combining_mark(*ch)).flat_map(char::to_lowercase).collect()
}

/// Single spaces between words, none around.
pub fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Letters and digits in capitals, nothing else: `es12-3456 …` → `ES123456…`.
pub fn alphanumeric(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|ch| ch.to_ascii_uppercase()).collect()
}

/// Whether the character is drawn as an arithmetic minus: recognisers and fonts use several.
pub fn is_minus(ch: char) -> bool {
    matches!(ch, '-' | '\u{2212}' | '\u{2013}' | '\u{2014}' | '\u{2010}' | '\u{2011}' | '\u{ad}' | '\u{2012}')
}

/// The digit that a letter is misread for, by shape; digits are themselves.
pub fn digit_like(ch: char) -> Option<char> {
    Some(match ch {
        '0'..='9' => ch,
        'O' | 'o' | 'Q' | 'D' | 'U' | 'º' | '°' => '0',
        'I' | 'l' | 'i' | '|' | '!' | 'í' | '¡' => '1',
        'Z' | 'z' => '2',
        'A' => '4',
        'S' | 's' => '5',
        'G' | 'b' => '6',
        'T' | '?' => '7',
        'B' => '8',
        'g' | 'q' => '9',
        _ => return None,
    })
}

/// The capital letter that a digit is misread for, by shape; letters are their capitals.
pub fn letter_like(ch: char) -> Option<char> {
    Some(match ch {
        'A'..='Z' => ch,
        'a'..='z' => ch.to_ascii_uppercase(),
        '0' => 'O',
        '1' | '|' | '!' => 'I',
        '2' => 'Z',
        '4' => 'A',
        '5' => 'S',
        '6' => 'G',
        '7' => 'T',
        '8' => 'B',
        _ => return None,
    })
}

/// Letters within numbers put right where most of the token is digits: `2O26` → `2026`, `O1/O3` →
/// `01/03`. Tokens of words stay as they are. One character for one character.
pub fn digits_put_right(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for token in text.split_inclusive(char::is_whitespace) {
        let alphanumeric = token.chars().filter(|ch| ch.is_alphanumeric()).count();
        let digits = token.chars().filter(char::is_ascii_digit).count();
        let all_like = token.chars().filter(|ch| ch.is_alphanumeric()).all(|ch| digit_like(ch).is_some());
        if digits > 0 && digits * 2 >= alphanumeric && all_like {
            out.extend(token.chars().map(|ch| digit_like(ch).filter(|_| ch.is_alphanumeric()).unwrap_or(ch)));
        } else {
            out.push_str(token);
        }
    }
    out
}

/// The character just before a byte position.
pub(super) fn before(text: &str, at: usize) -> Option<char> {
    text.get(..at).and_then(|head| head.chars().next_back())
}

/// The character at a byte position.
pub(super) fn after(text: &str, at: usize) -> Option<char> {
    text.get(at..).and_then(|tail| tail.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_accents_and_case() {
        assert_eq!(fold("DirecciÓN del AÑO"), "direccion del ano");
    }

    #[test]
    fn digits_are_put_right_in_numbers_only() {
        assert_eq!(digits_put_right("O1/O3/2O26 Oslo SIS B12"), "01/03/2026 Oslo SIS 812");
        assert_eq!(digits_put_right("sol 12"), "sol 12");
    }
}
