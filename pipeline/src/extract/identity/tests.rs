use std::collections::BTreeMap;

use crate::domain::{Page, Rect, TextSource, Value, Word};
use crate::drawn;

use super::{FieldReading, read};

fn page(texts: &[(&str, f32, f32, f32)]) -> Page {
    let mut words = Vec::new();
    for (text, left, top, height) in texts {
        let mut left = *left;
        for word in text.split(' ') {
            let width = 0.55 * height * word.chars().count() as f32;
            let bounds = Rect::new(left, *top, width, *height);
            words.push(Word { text: word.to_owned(), bounds, confidence: 0.95, bold: false, chars: vec![] });
            left += width + 0.3 * height;
        }
    }
    drawn::page(TextSource::Scan, 1000.0, 640.0, words)
}

fn front(number: &str) -> Page {
    let number = format!("DNI {number}");
    page(&[
        ("DOCUMENTO NACIONAL DE IDENTIDAD", 300.0, 20.0, 20.0),
        ("APELLIDOS / SURNAMES", 400.0, 80.0, 12.0),
        ("ESPAÑOLA", 400.0, 98.0, 20.0),
        ("ESPAÑOLA", 400.0, 124.0, 20.0),
        ("NOMBRE / NAME", 400.0, 160.0, 12.0),
        ("CARMEN", 400.0, 178.0, 20.0),
        ("SEXO / SEX", 400.0, 215.0, 12.0),
        ("NACIONALIDAD / NATIONALITY", 600.0, 215.0, 12.0),
        ("F", 400.0, 233.0, 20.0),
        ("ESP", 600.0, 233.0, 20.0),
        ("FECHA DE NACIMIENTO / DATE OF BIRTH", 400.0, 270.0, 12.0),
        ("01 01 1980", 400.0, 288.0, 20.0),
        ("EMISIÓN / ISSUE", 400.0, 325.0, 12.0),
        ("VALIDEZ / VALIDITY", 650.0, 325.0, 12.0),
        ("01 06 2015", 400.0, 343.0, 20.0),
        ("01 06 2025", 650.0, 343.0, 20.0),
        (&number, 100.0, 560.0, 24.0),
    ])
}

fn back() -> Page {
    back_named("ESPANOLA<ESPANOLA<<CARMEN<<<<<")
}

fn back_named(names: &str) -> Page {
    assert_eq!(names.len(), 30);
    page(&[
        ("DOMICILIO", 100.0, 40.0, 12.0),
        ("IDESPBAA000589599999999R<<<<<<", 60.0, 420.0, 24.0),
        ("8001014F2506012ESP<<<<<<<<<<<7", 60.0, 470.0, 24.0),
        (names, 60.0, 520.0, 24.0),
    ])
}

fn fields_of(pages: &[&Page]) -> BTreeMap<String, FieldReading> {
    let mut fields = BTreeMap::new();
    read(pages, &mut fields);
    fields
}

fn text<'f>(fields: &'f BTreeMap<String, FieldReading>, name: &str) -> &'f str {
    fields.get(name).and_then(|reading| reading.value.as_text()).unwrap_or_default()
}

fn failed(fields: &BTreeMap<String, FieldReading>) -> Vec<String> {
    fields
        .values()
        .flat_map(|reading| &reading.checks)
        .filter(|check| !check.passed)
        .map(|check| check.name.clone())
        .collect()
}

const EXPECTED: [(&str, &str); 9] = [
    ("document_number", "99999999R"),
    ("support_number", "BAA000589"),
    ("surnames", "ESPAÑOLA ESPAÑOLA"),
    ("given_names", "CARMEN"),
    ("sex", "F"),
    ("nationality", "ESP"),
    ("birth_date", "1980-01-01"),
    ("issue_date", "2015-06-01"),
    ("expiry_date", "2025-06-01"),
];

#[test]
fn both_sides_of_a_card_agree() {
    let (front, back) = (front("99999999R"), back());
    let fields = fields_of(&[&front, &back]);
    for (name, value) in EXPECTED {
        assert_eq!(text(&fields, name), value, "{name}");
    }
    assert_eq!(failed(&fields), Vec::<String>::new());
}

#[test]
fn the_front_alone() {
    let front = front("99999999R");
    let fields = fields_of(&[&front]);
    for (name, value) in EXPECTED.iter().filter(|(name, _)| *name != "support_number") {
        assert_eq!(text(&fields, name), *value, "{name}");
    }
    assert!(!fields.contains_key("mrz"));
}

#[test]
fn another_number_in_print_fails() {
    let (front, back) = (front("12345678Z"), back());
    let fields = fields_of(&[&front, &back]);
    assert!(failed(&fields).contains(&"mrz_agrees".to_owned()));
    assert!(matches!(fields["document_number"].value, Value::Text(_)));
}

#[test]
fn a_wrong_letter_fails() {
    let front = front("99999999T");
    let fields = fields_of(&[&front]);
    assert_eq!(failed(&fields), ["dni_letter"]);
}

/// Two letters that surnames have left room for are no name: what is printed stands, without it nothing does.
#[test]
fn a_given_name_of_which_hardly_anything_is_left_is_not_taken() {
    let (front, back) = (front("99999999R"), back_named("ESPANOLA<ESPANOLAEZKERRAGA<<CA"));
    let fields = fields_of(&[&front, &back]);
    assert_eq!(text(&fields, "given_names"), "CARMEN");
    assert_eq!(fields["given_names"].checks, []);
    assert!(!fields_of(&[&back]).contains_key("given_names"));
}

#[test]
fn a_given_name_that_may_be_cut_short_is_doubtful_alone() {
    let back = back_named("ESPANOLA<ESPANOLAEZKERR<<CARME");
    let alone = fields_of(&[&back]);
    assert_eq!(text(&alone, "given_names"), "CARME");
    assert!(alone["given_names"].score < 0.6, "{}", alone["given_names"].score);
    let both = fields_of(&[&front("99999999R"), &back]);
    assert_eq!(text(&both, "given_names"), "CARMEN");
}
