//! Telephone numbers: read so that nothing else takes them for what they are not.

use std::sync::LazyLock;

use regex::Regex;

use super::Found;
use super::text::{after, before};

static FORM: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?:\+|00)\d{2}[ .-]?\d{2,4}(?:[ .-]?\d{2,4}){2,3}|[6789]\d{2}[ .-]?(?:\d{3}[ .-]?\d{3}|\d{2}[ .-]?\d{2}[ .-]?\d{2})|9\d[ .-]\d{3}[ .-]?\d{2}[ .-]?\d{2}";
    Regex::new(pattern).expect("the pattern is valid")
});

/// The whole text as one number: digits, with a leading plus if printed.
pub fn parse(text: &str) -> Option<String> {
    let mut all = find_all(text.trim());
    let only = all.pop().filter(|_| all.is_empty())?;
    (only.range.len() == text.trim().len()).then_some(only.value)
}

/// Numbers within a text.
pub fn find_all(text: &str) -> Vec<Found<String>> {
    let mut all = Vec::new();
    for found in FORM.find_iter(text) {
        let glued = |ch: Option<char>| ch.is_some_and(|ch| ch.is_alphanumeric() || matches!(ch, ',' | '/'));
        if glued(before(text, found.start())) || after(text, found.end()).is_some_and(char::is_alphanumeric) {
            continue;
        }
        let value = found.as_str().chars().filter(|ch| ch.is_ascii_digit() || *ch == '+').collect();
        all.push(Found::new(value, found.range()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for text in ["912345678", "91 234 56 78", "+34 612 345 678", "612 34 56 78"] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in ["12345678Z", "1.234,56", "28004"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
