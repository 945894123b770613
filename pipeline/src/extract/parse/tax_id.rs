//! Spanish tax ids: DNI and NIE with their letter (Real Decreto 1553/2005, Orden INT/2058/2008), the
//! NIF of legal persons (CIF) with its control character (Orden EHA/451/2008).

use crate::domain::CharReading;

use super::repair::{Repaired, options_of, unique_among};
use super::text::{digit_like, letter_like};
use super::{Found, bytes_of, the_only};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaxIdKind {
    /// Spanish national: eight digits and a letter.
    Dni,
    /// Foreigner: X, Y or Z, seven digits and a letter.
    Nie,
    /// Legal person.
    Cif,
}

/// A tax id in capitals without separators or country prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxId {
    pub number: String,
    pub kind: TaxIdKind,
}

impl TaxId {
    pub fn is_person(&self) -> bool {
        self.kind != TaxIdKind::Cif
    }
}

const DNI_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
const CIF_KINDS: &str = "ABCDEFGHJNPQRSUVW";

/// The check letter of a DNI's number.
pub fn dni_letter(number: u32) -> char {
    char::from(DNI_LETTERS[(number % 23) as usize])
}

/// The kind that a compact id has by its form, whether or not its control character holds.
pub fn kind_of(compact: &str) -> Option<TaxIdKind> {
    let chars: Vec<char> = compact.chars().collect();
    let digits = |range: std::ops::Range<usize>| {
        chars.get(range).is_some_and(|part| part.iter().all(char::is_ascii_digit))
    };
    let (first, last) = (chars.first()?, chars.last()?);
    match chars.len() {
        9 if digits(0..8) && last.is_ascii_uppercase() => Some(TaxIdKind::Dni),
        9 if "XYZ".contains(*first) && digits(1..8) && last.is_ascii_uppercase() => Some(TaxIdKind::Nie),
        9 if "KLM".contains(*first) && digits(1..8) && last.is_ascii_uppercase() => Some(TaxIdKind::Nie),
        9 if CIF_KINDS.contains(*first)
            && digits(1..8)
            && (last.is_ascii_digit() || ('A'..='J').contains(last)) =>
        {
            Some(TaxIdKind::Cif)
        }
        _ => None,
    }
}

/// Whether a compact id has a right form and control character.
pub fn is_valid(compact: &str) -> bool {
    match kind_of(compact) {
        Some(TaxIdKind::Dni | TaxIdKind::Nie) => person_holds(compact),
        Some(TaxIdKind::Cif) => cif_holds(compact),
        None => false,
    }
}

fn person_holds(compact: &str) -> bool {
    let mut digits = String::new();
    for (place, ch) in compact.chars().take(8).enumerate() {
        match ch {
            'X' | 'K' | 'L' | 'M' if place == 0 => digits.push('0'),
            'Y' if place == 0 => digits.push('1'),
            'Z' if place == 0 => digits.push('2'),
            digit => digits.push(digit),
        }
    }
    digits.parse().is_ok_and(|number| compact.ends_with(dni_letter(number)))
}

fn cif_holds(compact: &str) -> bool {
    let digits: Vec<u32> = compact.chars().skip(1).take(7).filter_map(|ch| ch.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
        .sum();
    let control = (10 - sum % 10) % 10;
    let letter = char::from(b"JABCDEFGHI"[control as usize]);
    let digit = char::from_digit(control, 10).unwrap_or('0');
    let (Some(first), Some(last)) = (compact.chars().next(), compact.chars().next_back()) else {
        return false;
    };
    match first {
        'A' | 'B' | 'E' | 'H' => last == digit,
        'N' | 'P' | 'Q' | 'R' | 'S' | 'W' => last == letter,
        _ => last == digit || last == letter,
    }
}

/// The whole text as one tax id whose control character holds.
pub fn parse(text: &str) -> Option<TaxId> {
    the_only(find_all(text))
}

/// Tax ids within a text, each with its check `tax_id_control`. Separators (`12.345.678-Z`) and an
/// `ES` before it are taken off.
pub fn find_all(text: &str) -> Vec<Found<TaxId>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut found: Vec<Found<TaxId>> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        match candidate_at(&chars, at) {
            Some((number, end)) if !is_valid(&number) && valid_within(&chars, at + 1, end) => at += 1,
            Some((number, end)) => {
                let range = bytes_of(&chars, at, end);
                let passed = is_valid(&number);
                if let Some(kind) = kind_of(&number) {
                    found
                        .push(Found::new(TaxId { number, kind }, range).with_check("tax_id_control", passed));
                }
                at = end + 1;
            }
            None => at += 1,
        }
    }
    found
}

/// Whether an id that holds begins further right: `N.I.F. 12345678-Z` is no company `F12345678`.
fn valid_within(chars: &[(usize, char)], from: usize, to: usize) -> bool {
    (from..=to).any(|at| candidate_at(chars, at).is_some_and(|(number, _)| is_valid(&number)))
}

/// Compact id and the index of its last character.
fn candidate_at(chars: &[(usize, char)], at: usize) -> Option<(String, usize)> {
    let first = chars[at].1;
    if !first.is_ascii_alphanumeric() || at > 0 && glued_before(chars, at) {
        return None;
    }
    let mut compact = String::new();
    let mut gaps = 0;
    let mut gap = 0;
    for (offset, (_, ch)) in chars.iter().enumerate().skip(at) {
        if ch.is_ascii_alphanumeric() {
            compact.push(ch.to_ascii_uppercase());
            gaps += usize::from(gap > 0);
            gap = 0;
        } else {
            gap += 1;
            if !matches!(ch, ' ' | '-' | '.' | '/' | '\u{a0}' | '\u{2013}' | '\u{2011}') || gap > 2 {
                return None;
            }
            continue;
        }
        let prefixed = compact.starts_with("ES") && compact.len() == 11;
        if compact.len() == 9 || prefixed {
            let body = if prefixed { compact.get(2..)? } else { compact.as_str() };
            let ends = chars.get(offset + 1).is_none_or(|(_, next)| !next.is_alphanumeric());
            if ends && gaps <= 4 && kind_of(body).is_some() && separated_sensibly(chars, at, offset) {
                return Some((body.to_owned(), offset));
            }
        }
        if compact.len() >= 11 {
            return None;
        }
    }
    None
}

fn glued_before(chars: &[(usize, char)], at: usize) -> bool {
    let before = chars[at - 1].1;
    let joined = matches!(before, '-' | '.' | '/') && at > 1 && chars[at - 2].1.is_ascii_digit();
    before.is_alphanumeric() || joined
}

/// Spaces may part the letters from the digits, or thousands; other places make it two things.
fn separated_sensibly(chars: &[(usize, char)], from: usize, to: usize) -> bool {
    let run: Vec<char> = chars[from..=to].iter().map(|(_, ch)| *ch).collect();
    let text: String = run.iter().collect();
    let groups: Vec<&str> =
        text.split(|ch: char| !ch.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let numeric: Vec<usize> = groups
        .iter()
        .filter(|group| group.bytes().any(|byte| byte.is_ascii_digit()))
        .map(|group| group.len())
        .collect();
    match numeric.as_slice() {
        [_] => true,
        [head, middle @ .., tail] => {
            *head <= 3 && middle.iter().all(|size| *size == 3) && matches!(tail, 3 | 4)
                || *head >= 7 && middle.is_empty() && *tail == 1
        }
        [] => false,
    }
}

/// A tax id out of recognised characters: as read if it holds, else the only combination of at most
/// `max_changes` runner-ups that does. Characters other than letters and digits are skipped.
pub fn repair(readings: &[CharReading], max_changes: usize) -> Option<(TaxId, Repaired)> {
    let readings: Vec<&CharReading> =
        readings.iter().filter(|reading| reading.ch.is_ascii_alphanumeric()).collect();
    if readings.len() != 9 {
        return None;
    }
    let read = |digit_first: bool| -> Vec<Vec<char>> {
        let place = |(place, reading): (usize, &&CharReading)| match place {
            1..=7 => distinct(reading, digit_like),
            0 if digit_first => distinct(reading, digit_like),
            0 => distinct(reading, letter_like),
            _ => distinct(reading, |ch| Some(ch.to_ascii_uppercase()).filter(char::is_ascii_alphanumeric)),
        };
        readings.iter().enumerate().map(place).collect()
    };
    let digit_first = readings[0].ch.is_ascii_digit();
    let repaired = unique_among(&read(digit_first), is_valid, max_changes)
        .or_else(|| unique_among(&as_person(&read(digit_first)), is_valid, max_changes))?;
    let kind = kind_of(&repaired.text)?;
    Some((TaxId { number: repaired.text.clone(), kind }, repaired))
}

/// A person's id ends in a letter whatever was read.
fn as_person(options: &[Vec<char>]) -> Vec<Vec<char>> {
    let mut options = options.to_vec();
    if let Some(last) = options.last_mut() {
        *last = last.iter().filter_map(|ch| letter_like(*ch)).collect();
    }
    options
}

fn distinct(reading: &CharReading, settle: impl Fn(char) -> Option<char>) -> Vec<char> {
    let mut options: Vec<char> = Vec::new();
    for settled in options_of(reading).into_iter().filter_map(settle) {
        if !options.contains(&settled) {
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
    fn ids_in_all_their_forms() {
        let cases = [
            ("12345678Z", "12345678Z", TaxIdKind::Dni),
            ("12.345.678-Z", "12345678Z", TaxIdKind::Dni),
            ("12345678-z", "12345678Z", TaxIdKind::Dni),
            ("12345678 Z", "12345678Z", TaxIdKind::Dni),
            ("ES12345678Z", "12345678Z", TaxIdKind::Dni),
            ("X1234567L", "X1234567L", TaxIdKind::Nie),
            ("X-1234567-L", "X1234567L", TaxIdKind::Nie),
            ("Y1234567X", "Y1234567X", TaxIdKind::Nie),
            ("A58818501", "A58818501", TaxIdKind::Cif),
            ("A-58818501", "A58818501", TaxIdKind::Cif),
            ("A58.818.501", "A58818501", TaxIdKind::Cif),
            ("ES A58818501", "A58818501", TaxIdKind::Cif),
            ("NIF: A-58.818.501", "A58818501", TaxIdKind::Cif),
        ];
        for (text, number, kind) in cases {
            assert_eq!(parse(text), Some(TaxId { number: number.into(), kind }), "{text}");
        }
        for text in ["", "12345678A", "1234567", "A58818502", "912345678", "28 12345678 40"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let wrong = find_all("DNI 12345678A");
        assert_eq!(wrong.len(), 1);
        assert!(!wrong[0].holds());
    }

    #[test]
    fn ids_within_lines() {
        let ids = |text: &str| -> Vec<String> {
            find_all(text).into_iter().map(|found| found.value.number).collect()
        };
        assert_eq!(ids("D. Juan Pérez, con NIF 12345678Z y domicilio"), ["12345678Z"]);
        assert_eq!(ids("CIF B12345674 Tel. 912345678"), ["B12345674"]);
        assert_eq!(ids("ES91 2100 0418 4502 0005 1332"), Vec::<String>::new());
        assert_eq!(ids("28004 MADRID"), Vec::<String>::new());
    }

    #[test]
    fn a_runner_up_repairs() {
        let mut chars: Vec<CharReading> = "12345B78Z"
            .chars()
            .map(|ch| CharReading { ch, probability: 0.9, alternatives: vec![] })
            .collect();
        assert_eq!(repair(&chars, 1), None);
        chars[5].alternatives = vec![('6', 0.2)];
        let (id, repaired) = repair(&chars, 1).unwrap();
        assert_eq!((id.number.as_str(), repaired.changes), ("12345678Z", 1));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let readings: Vec<CharReading> =
                text.chars().map(|ch| CharReading { ch, probability: 0.9, alternatives: vec![] }).collect();
            let _ = (parse(&text), find_all(&text), repair(&readings, 1), is_valid(&text));
        }

        #[test]
        fn a_made_dni_round_trips(number in 0u32..100_000_000) {
            let made = format!("{number:08}{}", dni_letter(number));
            prop_assert_eq!(parse(&made).map(|id| id.number), Some(made.clone()));
        }
    }
}
