//! Comparisons of people and identifiers for scripts, on top of [`crate::link`].

use rhai::Engine;

use super::date::Date;
use crate::link::{self, NameMatch};

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("same_name", |left: &str, right: &str| {
            link::compare_names(left, right) == NameMatch::Same
        })
        .register_fn("partly_same_name", |left: &str, right: &str| {
            link::compare_names(left, right) == NameMatch::Partial
        })
        .register_fn("one_of_holders", |person: &str, holders: &str| {
            link::compare_with_holders(person, holders) == NameMatch::Same
        })
        .register_fn("partly_one_of_holders", |person: &str, holders: &str| {
            link::compare_with_holders(person, holders) == NameMatch::Partial
        })
        .register_fn("same_identifier", link::same_identifier)
        .register_fn("full_name", |given: &str, surnames: &str| {
            format!("{given} {surnames}").trim().to_owned()
        })
        .register_fn("is_tax_id", is_tax_id)
        .register_fn("valid_tax_id", valid_tax_id)
        .register_fn("valid_iban", valid_iban)
        .register_fn("valid_cups", valid_cups)
        .register_fn("cups_code", cups_code)
        .register_fn("month_like", month_like);
}

/// Whether the text has the form of a DNI or NIE: eight digits, or X, Y or Z and seven, and a letter.
fn is_tax_id(text: &str) -> bool {
    let characters: Vec<char> = link::identifier(text).chars().collect();
    let [first, middle @ .., last] = characters.as_slice() else { return false };
    middle.len() == 7
        && (first.is_ascii_digit() || matches!(first, 'X' | 'Y' | 'Z'))
        && middle.iter().all(char::is_ascii_digit)
        && last.is_ascii_uppercase()
}

/// The control letters by remainder (Real Decreto 1553/2005; Orden INT/2058/2008 for the NIE).
const TAX_ID_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Whether the letter of a DNI or NIE is right.
fn valid_tax_id(text: &str) -> bool {
    let code = link::identifier(text);
    if !is_tax_id(&code) {
        return false;
    }
    let digits: String = code
        .chars()
        .take(8)
        .map(|c| match c {
            'X' => '0',
            'Y' => '1',
            'Z' => '2',
            digit => digit,
        })
        .collect();
    let letter = digits.parse::<usize>().ok().and_then(|number| TAX_ID_LETTERS.get(number % 23));
    letter.is_some_and(|letter| code.ends_with(char::from(*letter)))
}

/// ISO 13616: moved to the end, letters as numbers, the remainder by 97 is 1. Spanish ones have 24
/// characters.
fn valid_iban(text: &str) -> bool {
    let code = link::identifier(text);
    let length_fits = if code.starts_with("ES") { code.len() == 24 } else { (15..=34).contains(&code.len()) };
    let has_country = code.chars().take(2).all(|c| c.is_ascii_uppercase());
    if !length_fits || !has_country || !code.is_ascii() {
        return false;
    }
    let turned = code.chars().skip(4).chain(code.chars().take(4));
    let remainder = turned.filter_map(|c| c.to_digit(36)).fold(0u32, |remainder, value| {
        let shifted = if value > 9 { remainder * 100 } else { remainder * 10 };
        (shifted + value) % 97
    });
    remainder == 1
}

/// The control letters of a CUPS (Boletín Oficial del Estado, procedure P.O. 10.8, annex).
const CUPS_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Whether both control letters of a CUPS follow from its 16 digits: the number's remainder by 529,
/// its quotient and remainder by 23 as letters.
fn valid_cups(text: &str) -> bool {
    let code = cups_code(text);
    let Some(digits) = code.strip_prefix("ES").filter(|rest| rest.len() == 18 && rest.is_ascii()) else {
        return false;
    };
    let (number, letters) = digits.split_at(16);
    let Some(remainder) = parse_digits(number).map(|number| number % 529) else { return false };
    let letter = |index: u64| usize::try_from(index).ok().and_then(|index| CUPS_LETTERS.get(index));
    let expected = [letter(remainder / 23), letter(remainder % 23)];
    letters.bytes().zip(expected).all(|(found, expected)| Some(&found) == expected)
}

fn parse_digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The 20 characters that identify a supply point; the two after them name a meter.
fn cups_code(text: &str) -> String {
    link::identifier(text).chars().take(20).collect()
}

/// Whether a period from `start` to `end` is about one month: `least` to `most` days, both days
/// counted.
fn month_like(start: Date, end: Date, least: i64, most: i64) -> bool {
    (least..=most).contains(&(start.days_to(end) + 1))
}

/// Whether a zone (ICAO 9303-4 and -5: TD3 with two lines, TD1 with three) has a printed value at its
/// place. A place that is blank or unreadable contradicts nothing, nor does a zone of another form.
pub(super) fn zone_says(zone: &str, field: &str, printed: &str) -> bool {
    let lines: Vec<Vec<char>> = zone.lines().map(|line| line.trim().chars().collect()).collect();
    let at = |line: usize, from: usize, to: usize| -> Option<String> {
        lines.get(line)?.get(from..to).map(|characters| characters.iter().collect())
    };
    let is_card = lines.len() == 3;
    let found = match (field, is_card) {
        ("birth_date", true) => at(1, 0, 6),
        ("birth_date", false) => at(1, 13, 19),
        ("expiry_date", true) => at(1, 8, 14),
        ("expiry_date", false) => at(1, 21, 27),
        // Spanish cards carry the DNI or NIE in the optional data, their support number as the number.
        ("document_number", true) => at(0, 15, 24).filter(|number| is_tax_id(number) && is_tax_id(printed)),
        _ => None,
    };
    let Some(found) = found else { return true };
    if field == "document_number" {
        return link::same_identifier(&found, printed);
    }
    let is_permanent = printed.starts_with("9999");
    is_permanent || !found.chars().all(|c| c.is_ascii_digit()) || is_same_day(&found, printed)
}

/// `yymmdd` against `yyyy-mm-dd`.
fn is_same_day(short: &str, date: &str) -> bool {
    date.chars().filter(char::is_ascii_digit).skip(2).eq(short.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_hold_or_fail_their_checks() {
        assert!(valid_tax_id("12345678Z") && valid_tax_id("x1234567l") && !valid_tax_id("12345678A"));
        assert!(!is_tax_id("B12345674") && !is_tax_id("1234567") && is_tax_id("X1234567L"));
        assert!(valid_iban("ES91 2100 0418 4502 0005 1332") && valid_iban("DE89370400440532013000"));
        assert!(!valid_iban("ES9121000418450200051333") && !valid_iban("ES91"));
        assert!(valid_cups("ES1234123456789012JY") && valid_cups("ES1234123456789012JY0F"));
        assert!(!valid_cups("ES1234123456789012JX") && !valid_cups("ES12"));
        assert!(!valid_cups("ES+234123456789012JY"));
    }

    #[test]
    fn a_zone_contradicts_what_is_printed_otherwise() {
        let card =
            "IDESPBAA000589312345678Z<<<<<<\n8705028F3001011ESP<<<<<<<<<<<6\nGARCIA<LOPEZ<<MARIA<JOSE<<<<<<";
        assert!(zone_says(card, "birth_date", "1987-05-02") && !zone_says(card, "birth_date", "1987-05-03"));
        assert!(zone_says(card, "expiry_date", "2030-01-01") && zone_says(card, "expiry_date", "9999-01-01"));
        assert!(zone_says(card, "document_number", "12345678Z"));
        assert!(!zone_says(card, "document_number", "87654321X"));
        assert!(zone_says("P<ESP", "birth_date", "1987-05-03"), "a cut zone contradicts nothing");
    }

    #[test]
    fn a_month_has_28_to_31_days() {
        let day = |text: &str| Date(text.parse().unwrap());
        assert!(month_like(day("2026-02-01"), day("2026-02-28"), 28, 31));
        assert!(month_like(day("2026-01-21"), day("2026-02-20"), 28, 31));
        assert!(!month_like(day("2026-01-01"), day("2026-01-15"), 28, 31));
        assert!(!month_like(day("2026-01-01"), day("2026-03-31"), 28, 31));
    }
}
