//! International bank account numbers (ISO 13616) with their check digits (ISO 7064, mod 97-10).

use crate::domain::CharReading;

use super::repair::{Repaired, options_of, unique_among};
use super::text::{alphanumeric, digit_like, letter_like};
use super::{Found, codes_in, the_only};

/// Total length by country, from the SWIFT registry.
const LENGTHS: [(&str, usize); 60] = [
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GR", 27),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MT", 31),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("TR", 26),
];

/// Countries whose account part is digits only.
const DIGITS_ONLY: [&str; 16] =
    ["ES", "PT", "DE", "AT", "BE", "DK", "EE", "FI", "HR", "HU", "NO", "PL", "SE", "SI", "SK", "CZ"];

/// The whole text as one IBAN that passes its check. Spaces, dashes and an `IBAN` before it do not
/// matter.
pub fn parse(text: &str) -> Option<String> {
    the_only(find_all(text))
}

/// Account numbers of the right country and length within a text, each with its check `iban_mod97`.
/// Masked ones are left out.
pub fn find_all(text: &str) -> Vec<Found<String>> {
    codes_in(text, candidate_at, "iban_mod97", mod97_holds)
}

/// Compact value and the index of its last character.
fn candidate_at(chars: &[(usize, char)], at: usize) -> Option<(String, usize)> {
    let boundary = at == 0 || !chars[at - 1].1.is_alphanumeric() || ends_with_iban(chars, at);
    if !boundary || !chars[at].1.is_ascii_alphabetic() {
        return None;
    }
    let mut compact = String::new();
    let mut gap = 0;
    for (offset, (_, ch)) in chars.iter().enumerate().skip(at) {
        if ch.is_ascii_alphanumeric() {
            compact.push(ch.to_ascii_uppercase());
            gap = 0;
            let country: String = compact.chars().take(2).collect();
            let length = if compact.len() >= 2 { length_of(&country)? } else { usize::MAX };
            if compact.len() < length {
                continue;
            }
            let runs_on = chars.get(offset + 1).is_some_and(|(_, next)| next.is_ascii_alphanumeric());
            let value = settle(&compact)?;
            return (!runs_on).then_some((value, offset));
        }
        gap += 1;
        if !matches!(ch, ' ' | '-' | '.' | '\u{a0}' | '\u{2013}' | '/') || gap > 2 || compact.len() == 1 {
            return None;
        }
    }
    None
}

fn ends_with_iban(chars: &[(usize, char)], at: usize) -> bool {
    at >= 4 && chars[at - 4..at].iter().map(|(_, ch)| ch.to_ascii_uppercase()).eq("IBAN".chars())
}

/// Letters that stand where only digits can be become the digits they look like.
fn settle(compact: &str) -> Option<String> {
    let digits_only = DIGITS_ONLY.iter().any(|country| compact.starts_with(country));
    let mut settled = String::with_capacity(compact.len());
    let mut changed = 0;
    for (place, ch) in compact.chars().enumerate() {
        let digit_place = matches!(place, 2 | 3) || place > 3 && digits_only;
        let settled_char = if digit_place && !ch.is_ascii_digit() { digit_like(ch)? } else { ch };
        changed += usize::from(settled_char != ch);
        settled.push(settled_char);
    }
    let digits = settled.chars().filter(char::is_ascii_digit).count();
    (changed <= 4 && digits >= 8).then_some(settled)
}

fn length_of(country: &str) -> Option<usize> {
    LENGTHS.iter().find(|(code, _)| *code == country).map(|(_, length)| *length)
}

/// Whether country, length and check digits hold. Capitals and digits only, no spaces.
pub fn is_valid(compact: &str) -> bool {
    let country: String = compact.chars().take(2).collect();
    length_of(&country) == Some(compact.chars().count()) && mod97_holds(compact)
}

/// The check digits alone (ISO 7064): the rotated number leaves 1 modulo 97.
pub fn mod97_holds(compact: &str) -> bool {
    let rotated = compact.chars().skip(4).chain(compact.chars().take(4));
    let mut remainder: u32 = 0;
    for ch in rotated {
        let Some(value) = ch.to_digit(36) else { return false };
        remainder = if value < 10 { (remainder * 10 + value) % 97 } else { (remainder * 100 + value) % 97 };
    }
    remainder == 1
}

/// An IBAN out of recognised characters: as read if it holds, else the only combination of at most
/// `max_changes` runner-ups that does. Characters other than letters and digits are skipped.
pub fn repair(readings: &[CharReading], max_changes: usize) -> Option<Repaired> {
    let readings: Vec<&CharReading> =
        readings.iter().filter(|reading| reading.ch.is_alphanumeric()).collect();
    let skip = if alphanumeric_start(&readings) == "IBAN" { 4 } else { 0 };
    let readings = readings.get(skip..)?;
    let country: String = readings.iter().take(2).filter_map(|reading| letter_like(reading.ch)).collect();
    if length_of(&country)? != readings.len() {
        return None;
    }
    let digits_only = DIGITS_ONLY.contains(&country.as_str());
    let mut options = Vec::with_capacity(readings.len());
    for (place, reading) in readings.iter().enumerate() {
        let digit_place = matches!(place, 2 | 3) || place > 3 && digits_only;
        options.push(places_options(reading, place < 2, digit_place));
    }
    unique_among(&options, is_valid, max_changes)
}

fn alphanumeric_start(readings: &[&CharReading]) -> String {
    alphanumeric(&readings.iter().take(4).map(|reading| reading.ch).collect::<String>())
}

fn places_options(reading: &CharReading, letter: bool, digit: bool) -> Vec<char> {
    let mut options: Vec<char> = Vec::new();
    for ch in options_of(reading) {
        let settled = if letter {
            letter_like(ch)
        } else if digit {
            digit_like(ch)
        } else {
            Some(ch.to_ascii_uppercase()).filter(char::is_ascii_alphanumeric)
        };
        if let Some(settled) = settled.filter(|settled| !options.contains(settled)) {
            options.push(settled);
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accounts_in_all_their_forms() {
        for text in [
            "ES9121000418450200051332",
            "ES91 2100 0418 4502 0005 1332",
            "IBAN: ES91-2100-0418-4502-0005-1332",
            "IBAN ES91 2100 0418 45 0200051332 Titular",
            "es91 2100 0418 4502 0005 1332",
            "ES91 21OO 0418 4502 0005 I332",
            "IBANES9121000418450200051332",
        ] {
            assert_eq!(parse(text).as_deref(), Some("ES9121000418450200051332"), "{text}");
        }
        assert_eq!(parse("GB82 WEST 1234 5698 7654 32").as_deref(), Some("GB82WEST12345698765432"));
        assert_eq!(parse("DE89 3704 0044 0532 0130 00").as_deref(), Some("DE89370400440532013000"));
        for text in ["", "ES91 2100 **** **** **** 1332", "ES91 2100 0418 4502 0005 1333", "ES91 2100"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let wrong = find_all("ES91 2100 0418 4502 0005 1333");
        assert_eq!(wrong.len(), 1);
        assert!(!wrong[0].holds());
    }

    fn readings(text: &str) -> Vec<CharReading> {
        text.chars().map(|ch| CharReading { ch, probability: 0.99, alternatives: vec![] }).collect()
    }

    #[test]
    fn a_runner_up_repairs() {
        let mut chars = readings("ES91 2100 0418 4502 0005 1382");
        let at = chars.iter().position(|reading| reading.ch == '8' && reading.probability > 0.9).unwrap();
        assert_eq!(repair(&chars, 2), None);
        let last = chars.len() - 2;
        chars[at].alternatives = vec![('6', 0.1)];
        chars[last].alternatives = vec![('3', 0.3)];
        let found = repair(&chars, 2).unwrap();
        assert_eq!((found.text.as_str(), found.changes), ("ES9121000418450200051332", 1));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let _ = (parse(&text), find_all(&text), repair(&readings(&text), 1), is_valid(&text));
        }

        #[test]
        fn a_made_account_round_trips(account in "[0-9]{20}") {
            let made = (2..=98).map(|check| format!("ES{check:02}{account}")).find(|made| is_valid(made)).unwrap();
            let chunks: Vec<String> = made.as_bytes().chunks(4).map(|chunk| String::from_utf8(chunk.to_vec()).unwrap()).collect();
            prop_assert_eq!(parse(&chunks.join(" ")), Some(made));
        }
    }
}
