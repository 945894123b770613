//! Supply point codes (CUPS): `ES`, sixteen digits, two control letters and, with 22 characters, the
//! boundary point. The value is always the first twenty.

use crate::domain::CharReading;

use super::repair::{Repaired, options_of, unique_among};
use super::text::{digit_like, letter_like};
use super::{Found, codes_in, the_only};

const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Whether the code is twenty characters with the right control letters: the sixteen digits modulo
/// 529, its quotient and remainder by 23.
pub fn is_valid(compact: &str) -> bool {
    let (Some(country), Some(digits), Some(letters)) =
        (compact.get(..2), compact.get(2..18), compact.get(18..))
    else {
        return false;
    };
    let Ok(number) = digits.parse::<u64>() else { return false };
    let rest = number % 529;
    let expected = [LETTERS[(rest / 23) as usize], LETTERS[(rest % 23) as usize]];
    country == "ES" && !digits.starts_with('+') && letters.as_bytes() == expected
}

/// The whole text as one code whose control letters hold.
pub fn parse(text: &str) -> Option<String> {
    the_only(find_all(text))
}

/// Codes within a text, each with its check `cups_letters`. Letters among the digits that look like
/// digits are put right.
pub fn find_all(text: &str) -> Vec<Found<String>> {
    codes_in(text, candidate_at, "cups_letters", is_valid)
}

fn candidate_at(chars: &[(usize, char)], at: usize) -> Option<(String, usize)> {
    if !chars[at].1.eq_ignore_ascii_case(&'E') || at > 0 && chars[at - 1].1.is_alphanumeric() {
        return None;
    }
    let mut compact = Vec::new();
    let mut gap = 0;
    let mut end = at;
    for (offset, (_, ch)) in chars.iter().enumerate().skip(at) {
        if ch.is_ascii_alphanumeric() {
            compact.push(ch.to_ascii_uppercase());
            gap = 0;
            end = offset;
            if compact.len() == 20 {
                break;
            }
        } else {
            gap += 1;
            if !matches!(ch, ' ' | '-' | '.' | '\u{a0}') || gap > 1 {
                return None;
            }
        }
    }
    let value = settle(&compact)?;
    let end = with_boundary_point(chars, end)?;
    Some((value, end))
}

fn settle(compact: &[char]) -> Option<String> {
    if compact.len() != 20 {
        return None;
    }
    let mut changed = 0;
    let mut value = String::new();
    for (place, ch) in compact.iter().enumerate() {
        let settled = if (2..18).contains(&place) { digit_like(*ch)? } else { letter_like(*ch)? };
        changed += usize::from(settled != *ch);
        value.push(settled);
    }
    (value.starts_with("ES") && changed <= 3).then_some(value)
}

/// Past the two characters of a boundary point (`0F`, `1P`); `None` if the code runs on otherwise.
fn with_boundary_point(chars: &[(usize, char)], end: usize) -> Option<usize> {
    let alphanumeric = |at: usize| chars.get(at).is_some_and(|(_, ch)| ch.is_ascii_alphanumeric());
    if !alphanumeric(end + 1) {
        let spaced = matches!(chars.get(end + 1), Some((_, ' ')))
            && chars.get(end + 2).is_some_and(|(_, ch)| ch.is_ascii_digit())
            && chars.get(end + 3).is_some_and(|(_, ch)| "FPCRXYZ".contains(*ch))
            && !alphanumeric(end + 4);
        return Some(if spaced { end + 3 } else { end });
    }
    (alphanumeric(end + 2) && !alphanumeric(end + 3)).then_some(end + 2)
}

/// A code out of recognised characters: as read if it holds, else the only combination of at most
/// `max_changes` runner-ups that does.
pub fn repair(readings: &[CharReading], max_changes: usize) -> Option<Repaired> {
    let readings: Vec<&CharReading> =
        readings.iter().filter(|reading| reading.ch.is_ascii_alphanumeric()).collect();
    if !matches!(readings.len(), 20 | 22) {
        return None;
    }
    let mut options: Vec<Vec<char>> = Vec::new();
    for (place, reading) in readings.iter().take(20).enumerate() {
        let settle = if (2..18).contains(&place) { digit_like } else { letter_like };
        let mut here: Vec<char> = Vec::new();
        for settled in options_of(reading).into_iter().filter_map(settle) {
            if !here.contains(&settled) {
                here.push(settled);
            }
        }
        options.push(here);
    }
    unique_among(&options, is_valid, max_changes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made(number: u64) -> String {
        let rest = number % 529;
        let letter = |index: u64| char::from(LETTERS[usize::try_from(index).unwrap()]);
        format!("ES{number:016}{}{}", letter(rest / 23), letter(rest % 23))
    }

    #[test]
    fn codes_in_all_their_forms() {
        let code = made(21_000_123_456_789);
        let spaced = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
        for text in
            [code.clone(), spaced, format!("CUPS: {code}0F"), format!("{code} 1P"), code.to_lowercase()]
        {
            assert_eq!(parse(&text), Some(code.clone()), "{text}");
        }
        assert_eq!(parse("ES91 2100 0418 4502 0005 1332"), None);
        assert_eq!(parse(""), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let readings: Vec<CharReading> =
                text.chars().map(|ch| CharReading { ch, probability: 0.9, alternatives: vec![] }).collect();
            let _ = (parse(&text), find_all(&text), repair(&readings, 1), is_valid(&text));
        }

        #[test]
        fn a_made_code_round_trips(number in 0u64..10_000_000_000_000_000) {
            prop_assert_eq!(parse(&made(number)), Some(made(number)));
        }
    }
}
