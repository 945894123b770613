//! Spanish social security numbers (número de afiliación): province, number, two control digits.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{after, before};
use super::{Found, the_only};

static FORM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(\d{2})[ ]?[/ .-]?[ ]?(\d{8})[ ]?[/ .-]?[ ]?(\d{2})").expect("the pattern is valid")
});

/// Whether twelve digits carry the right control: the first ten modulo 97, where a number below ten
/// million counts with seven digits.
pub fn is_valid(compact: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| compact.get(range).and_then(|part| part.parse::<u64>().ok());
    let (Some(province), Some(number), Some(control)) = (digits(0..2), digits(2..10), digits(10..12)) else {
        return false;
    };
    if compact.len() != 12 || !(1..=66).contains(&province) {
        return false;
    }
    let joined =
        if number < 10_000_000 { province * 10_000_000 + number } else { province * 100_000_000 + number };
    joined % 97 == control
}

/// The whole text as one number whose control holds, as twelve digits.
pub fn parse(text: &str) -> Option<String> {
    the_only(find_all(text))
}

/// Numbers within a text, each with its check `naf_control`.
pub fn find_all(text: &str) -> Vec<Found<String>> {
    let mut found = Vec::new();
    for captures in FORM.captures_iter(text) {
        let Some(all) = captures.get(0) else { continue };
        let glued = |ch: Option<char>| ch.is_some_and(char::is_alphanumeric);
        if glued(before(text, all.start())) || glued(after(text, all.end())) {
            continue;
        }
        let value: String = all.as_str().chars().filter(char::is_ascii_digit).collect();
        let passed = is_valid(&value);
        found.push(Found::new(value, all.range()).with_check("naf_control", passed));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_all_their_forms() {
        let control = 2_812_345_678_u64 % 97;
        let compact = format!("2812345678{control:02}");
        for text in [
            compact.clone(),
            format!("28/12345678/{control:02}"),
            format!("28 12345678 {control:02}"),
            format!("28-12345678-{control:02}"),
            format!("Nº S.S.: 28/12345678{control:02}"),
        ] {
            assert_eq!(parse(&text), Some(compact.clone()), "{text}");
        }
        assert_eq!(parse("281234567899"), None);
        assert_eq!(find_all("281234567899").len(), 1);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = (parse(&text), find_all(&text), is_valid(&text));
        }
    }
}
