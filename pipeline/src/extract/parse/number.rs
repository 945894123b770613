//! Decimal numbers and integers as people print them: which separator is the decimal one is decided
//! by the number's shape.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use rust_decimal::Decimal;

use super::Found;
use super::text::{after, before, is_minus};

/// An unsigned number as its digits and separators tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    pub value: Decimal,
    /// Printed places after the decimal separator.
    pub decimals: u32,
    /// Thousands were separated.
    pub grouped: bool,
    /// `1.234` may be one thousand or a number with three places; the value takes thousands.
    pub ambiguous: bool,
}

/// Longer runs of digits are identifiers, not quantities.
const MOST_DIGITS: usize = 15;

pub(super) static CORE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\d{1,3}(?:[ \u{a0}\u{202f}]?\.[ ]?\d{3})+[ ]?,[ ]?\d{1,2}",
        r"|\d{1,3}(?:[ ]?,[ ]?\d{3})+[ ]?\.[ ]?\d{1,2}",
        r"|\d{1,3}(?:[ \u{a0}\u{202f}\u{2009}'’]\d{3})+[.,]\d{1,6}",
        r"|\d+ ,\d{2}",
        r"|\d+(?:[.,'’]\d+)*",
    ))
    .expect("the pattern is valid")
});

/// Reads digits with separators, without sign or unit: `1.234,56`, `1 234.5`, `0,1234`, `12000`.
pub fn read_shape(core: &str) -> Option<Number> {
    let core: String = core.chars().filter(|ch| *ch != ' ' || !near_separator(core)).collect();
    let (mut parts, mut separators) = (vec![String::new()], Vec::new());
    for ch in core.chars() {
        match ch {
            '0'..='9' => parts.last_mut()?.push(ch),
            '.' | ',' | '\'' | '’' => separators.push(if ch == '’' { '\'' } else { ch }),
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => separators.push(' '),
            _ => return None,
        }
        if !ch.is_ascii_digit() {
            parts.push(String::new());
        }
    }
    let digits: usize = parts.iter().map(String::len).sum();
    if parts.iter().any(String::is_empty) || digits > MOST_DIGITS {
        return None;
    }
    let fraction = fraction_part(&parts, &separators);
    let whole = if fraction { parts.len() - 1 } else { parts.len() };
    let grouped = whole > 1;
    if grouped && !thousands(&parts[..whole], &separators[..whole - 1]) {
        return None;
    }
    let decimals = if fraction { parts.last()?.len() } else { 0 };
    let mut value: Decimal = parts.concat().parse().ok()?;
    value.set_scale(u32::try_from(decimals).ok()?).ok()?;
    let ambiguous = !fraction && separators.len() == 1 && matches!(separators[0], '.' | ',');
    Some(Number { value, decimals: value.scale(), grouped, ambiguous })
}

/// Whether spaces in it are the recogniser's, beside a separator, rather than thousands' spaces.
fn near_separator(core: &str) -> bool {
    [" .", ". ", " ,", ", "].iter().any(|pair| core.contains(pair))
}

fn fraction_part(parts: &[String], separators: &[char]) -> bool {
    let (Some(last), Some(separator)) = (parts.last(), separators.last()) else { return false };
    if !matches!(separator, '.' | ',') {
        return false;
    }
    if last.len() != 3 {
        return true;
    }
    let first = &parts[0];
    let mixed = separators[..separators.len() - 1].iter().any(|other| other != separator);
    mixed || first.starts_with('0') || first.len() > 3
}

fn thousands(parts: &[String], separators: &[char]) -> bool {
    let uniform = separators.windows(2).all(|pair| pair[0] == pair[1]);
    uniform && parts[0].len() <= 3 && parts[1..].iter().all(|part| part.len() == 3)
}

/// A number within a text: its core, with room for what stands around it.
pub(super) fn cores(text: &str) -> impl Iterator<Item = (Number, Range<usize>)> + '_ {
    CORE.find_iter(text).filter_map(move |core| {
        let range = core.range();
        let attached = |ch: char| ch.is_alphanumeric() || matches!(ch, '/' | ':' | '_' | '@');
        if before(text, range.start).is_some_and(attached) || glued_after(text, range.end) {
            return None;
        }
        Some((read_shape(core.as_str())?, range))
    })
}

fn glued_after(text: &str, end: usize) -> bool {
    let Some(next) = after(text, end) else { return false };
    if matches!(next, '/' | ':' | '*' | '_' | '@') || next.is_ascii_digit() {
        return true;
    }
    let following = text.get(end..).and_then(|tail| tail.chars().nth(1));
    matches!(next, '.' | ',') && following.is_some_and(|ch| ch.is_ascii_digit())
        || is_minus(next) && following.is_some_and(char::is_alphanumeric)
}

/// The whole text as one number, with an optional minus.
pub fn parse(text: &str) -> Option<Number> {
    let text = text.trim();
    let (negative, core) = match text.chars().next() {
        Some(ch) if is_minus(ch) => (true, text.trim_start_matches(is_minus).trim_start()),
        _ => (false, text.trim_start_matches('+').trim_start()),
    };
    let mut number = read_shape(core)?;
    if negative {
        number.value.set_sign_negative(true);
    }
    Some(number)
}

/// Unsigned numbers that stand on their own: not within a date, an identifier or a longer number. A
/// unit may follow at once (`312kWh`).
pub fn find_all(text: &str) -> Vec<Found<Number>> {
    cores(text).map(|(number, range)| Found::new(number, range)).collect()
}

/// The whole text as an integer, thousands separated or not.
pub fn parse_integer(text: &str) -> Option<i64> {
    let number = parse(text)?;
    if number.decimals > 0 {
        return None;
    }
    i64::try_from(number.value.mantissa()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes_decide_the_decimal_separator() {
        let cases = [
            ("1.234,56", "1234.56", false),
            ("1,234.56", "1234.56", false),
            ("1 234,56", "1234.56", false),
            ("1'234.50", "1234.50", false),
            ("1234,5", "1234.5", false),
            ("1.234", "1234", true),
            ("1.234.567", "1234567", false),
            ("1.234.56", "1234.56", false),
            ("0,145230", "0.145230", false),
            ("0.123", "0.123", false),
            ("12000", "12000", false),
            ("1. 234,56", "1234.56", false),
            ("1.234 ,56", "1234.56", false),
            ("12 345", "12345", false),
        ];
        for (text, value, ambiguous) in cases {
            let number = read_shape(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((number.value.to_string().as_str(), number.ambiguous), (value, ambiguous), "{text}");
        }
        for text in ["", ".", "1..2", "12.34.56", "1.2345.678", "12,345,6789.1", "02.05.1987"] {
            assert_eq!(read_shape(text).filter(|number| number.decimals != 4), None, "{text}");
        }
    }

    #[test]
    fn integers() {
        assert_eq!(parse_integer("12.345"), Some(12_345));
        assert_eq!(parse_integer("-7"), Some(-7));
        assert_eq!(parse_integer("7,5"), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,30}") {
            let _ = (parse(&text), find_all(&text), read_shape(&text));
        }

        #[test]
        fn a_spanish_number_round_trips(whole in 0u64..1_000_000_000, cents in 0u32..100) {
            let digits = whole.to_string();
            let mut grouped = String::new();
            for (index, ch) in digits.chars().enumerate() {
                if index > 0 && (digits.len() - index).is_multiple_of(3) { grouped.push('.'); }
                grouped.push(ch);
            }
            let number = read_shape(&format!("{grouped},{cents:02}")).unwrap();
            prop_assert_eq!(number.value, format!("{whole}.{cents:02}").parse::<Decimal>().unwrap());
        }
    }
}
