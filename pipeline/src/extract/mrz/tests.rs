use chrono::NaiveDate;
use proptest::prelude::*;

use crate::domain::{CharReading, Page, Rect, TextSource, Word};
use crate::drawn;

use super::find;

const DNI: [&str; 3] =
    ["IDESPBAA000589599999999R<<<<<<", "8001014F2506012ESP<<<<<<<<<<<7", "ESPANOLA<ESPANOLA<<CARMEN<<<<<"];
const PASSPORT: [&str; 2] =
    ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];

fn word(text: &str, top: f32, alternatives: &[(usize, char)]) -> Word {
    let chars = text
        .chars()
        .enumerate()
        .map(|(place, ch)| {
            let here = alternatives.iter().filter(|(at, _)| *at == place).map(|(_, ch)| (*ch, 0.1)).collect();
            CharReading { ch, probability: 0.9, alternatives: here }
        })
        .collect();
    let bounds = Rect::new(50.0, top, 15.0 * text.chars().count() as f32, 20.0);
    Word { text: text.to_owned(), bounds, confidence: 0.9, bold: false, chars }
}

fn page(words: Vec<Word>) -> Page {
    drawn::page(TextSource::Scan, 1000.0, 700.0, words)
}

fn page_of(lines: &[&str]) -> Page {
    page(lines.iter().enumerate().map(|(at, line)| word(line, 100.0 + 40.0 * at as f32, &[])).collect())
}

fn date(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

#[test]
fn a_spanish_card() {
    let page = page_of(&DNI);
    let mrz = find(&[&page]).unwrap();
    assert!(mrz.all_pass(), "{:?}", mrz.checks);
    assert_eq!((mrz.document_number.as_str(), mrz.optional.as_str()), ("BAA000589", "99999999R"));
    assert_eq!(
        (mrz.surnames.as_str(), mrz.given_names.as_str(), mrz.sex),
        ("ESPANOLA ESPANOLA", "CARMEN", 'F')
    );
    assert_eq!((mrz.birth_date, mrz.expiry_date), (date(1980, 1, 1), date(2025, 6, 1)));
    assert_eq!(mrz.lines, DNI);
}

#[test]
fn the_passport_of_the_standard() {
    let page = page_of(&PASSPORT);
    let mrz = find(&[&page]).unwrap();
    assert!(mrz.all_pass(), "{:?}", mrz.checks);
    assert_eq!((mrz.document_number.as_str(), mrz.optional.as_str()), ("L898902C3", "ZE184226B"));
    assert_eq!((mrz.surnames.as_str(), mrz.given_names.as_str()), ("ERIKSSON", "ANNA MARIA"));
    assert_eq!((mrz.nationality.as_str(), mrz.issuing_country.as_str()), ("UTO", "UTO"));
    assert_eq!(mrz.birth_date, date(1974, 8, 12));
}

#[test]
fn misread_lines_are_put_right() {
    // Lost and disguised fillers, letters for digits, lower case, spaces.
    let page = page_of(&[
        "IDESPBAAOOO589599999999R<<<<",
        "80O1O14F25060I2ESP<<<<«<<7",
        "ESPANOLA<ESPANOLA<<CARMEN<K<<<",
    ]);
    let mrz = find(&[&page]).unwrap();
    assert!(mrz.all_pass(), "{:?} {:?}", mrz.checks, mrz.lines);
    assert_eq!(mrz.lines, DNI);
}

#[test]
fn a_runner_up_repairs_a_digit() {
    let mut lines: Vec<Word> =
        DNI.iter().enumerate().map(|(at, line)| word(line, 100.0 + 40.0 * at as f32, &[])).collect();
    lines[1] = word("8007014F2506012ESP<<<<<<<<<<<7", 140.0, &[(3, '1')]);
    let page = page(lines);
    let mrz = find(&[&page]).unwrap();
    assert!(mrz.all_pass() && mrz.repaired);
    assert_eq!(mrz.birth_date, date(1980, 1, 1));
}

#[test]
fn a_wrong_digit_fails_its_check() {
    let page = page_of(&[DNI[0], "8007014F2506012ESP<<<<<<<<<<<7", DNI[2]]);
    let mrz = find(&[&page]).unwrap();
    assert!(!mrz.passes("mrz_birth_date") && mrz.passes("mrz_expiry_date"));
}

#[test]
fn text_is_no_zone() {
    let page =
        page_of(&["Extracto de cuenta corriente", "01/03/2026 RECIBO 12,00", "TOTAL A PERCIBIR 1.200,00"]);
    assert_eq!(find(&[&page]), None);
}

proptest! {
    #[test]
    fn never_panics(lines in proptest::collection::vec("[A-Z0-9<«K ]{10,50}", 1..4)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let page = page_of(&lines);
        let _ = find(&[&page]);
    }
}

#[test]
fn germany_is_a_single_letter_in_zones() {
    let lines = [
        "IRESPE109691503X6150676Q<<<<<<",
        "7109038F2608075D<<<<<<<<<<<<<2",
        "SCHAEFER<<JUERGEN<<<<<<<<<<<<<",
    ];
    let page = page_of(&lines);
    assert_eq!(find(&[&page]).unwrap().nationality, "DEU");
}
