//! Documents set in letters (`testdata/pages/<type>-<name>.txt`): the page, a line `----`, and the fields
//! that must be read from it.

use std::collections::BTreeMap;
use std::path::Path;

use super::read_document;
use crate::config::{Bundle, DocumentTypeConfig, load_document_types};
use crate::domain::{Page, Rect, TextSource, Value};
use crate::drawn;
use crate::extract::FieldReading;

/// Points: a letter of the typewriter that the pages are set with, and its lines.
const LETTER_WIDTH: f32 = 6.0;
const LETTER_HEIGHT: f32 = 10.0;
const LINE_HEIGHT: f32 = 14.0;

fn page_in_letters(text: &str) -> Page {
    set_in_letters(text, TextSource::Native, LETTER_HEIGHT)
}

/// Boxes of lines that are higher than the lines' distance overlap, as a detector's do.
fn set_in_letters(text: &str, source: TextSource, height: f32) -> Page {
    let mut words = Vec::new();
    for (line, letters) in text.lines().enumerate() {
        let mut column = 0;
        for word in letters.split(' ') {
            let length = word.chars().count();
            if length > 0 {
                let left = 20.0 + LETTER_WIDTH * column as f32;
                let top = 20.0 + LINE_HEIGHT * line as f32;
                let bounds = Rect::new(left, top, LETTER_WIDTH * length as f32, height);
                words.push(drawn::word(word, bounds));
            }
            column += length + 1;
        }
    }
    drawn::page(source, 720.0, 1020.0, words)
}

fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Transactions(rows) => format!("{} rows", rows.len()),
    }
}

fn differences(types: &[DocumentTypeConfig], file: &Path) -> Vec<String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).unwrap();
    let (page, expected) = text.split_once("\n----\n").unwrap();
    let document_type = name.split('-').next().unwrap();
    let config = types.iter().find(|config| config.document_type.as_str() == document_type).unwrap();
    let fields = read_document(config, &[&page_in_letters(page)]);
    let mut differences = Vec::new();
    for (field, value) in expected.lines().filter_map(|line| line.split_once(" = ")) {
        let read = fields.get(field).map(|reading| written(&reading.value));
        if read.as_deref() != Some(value) {
            differences.push(format!("{name}: {field} is {value}, read {read:?}"));
        }
    }
    differences
}

#[test]
fn fields_of_pages_in_letters() {
    let types = load_document_types(&Bundle::embedded_rules()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/pages");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "the pages in letters are missing");
    let differences: Vec<String> = files.iter().flat_map(|file| differences(&types, file)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn read_as(document_type: &str, page: &Page) -> BTreeMap<String, FieldReading> {
    let types = load_document_types(&Bundle::embedded_rules()).unwrap();
    let config = types.iter().find(|config| config.document_type.as_str() == document_type).unwrap();
    read_document(config, &[page])
}

#[test]
fn a_label_does_not_take_the_next_cells_number_for_its_own_end() {
    let text = "CONSUMER LOAN CONTRACT\n\nPrincipal sum:          7,400.00 EUR\nTerm:                   36 months\n\
                Nominal interest rate:  7.80 % per year, fixed\nAPR:                    8.82 %\n";
    let fields = read_as("contract", &set_in_letters(text, TextSource::Scan, LETTER_HEIGHT));
    assert_eq!(fields.get("term_months").map(|reading| written(&reading.value)).as_deref(), Some("36"));
}

#[test]
fn a_value_right_under_its_caption_is_read_though_their_boxes_overlap() {
    let text = "PARTE DE SINIESTRO\n\nDNI / NIE          POLIZA\n46185150T          PH789570892\n\n\
                DOMICILIO          TELEFONO\nCalle Mayor 1      657228540\n";
    let fields = read_as("claim_form", &set_in_letters(text, TextSource::Scan, LINE_HEIGHT + 0.3));
    let policy = fields.get("policy_number").map(|reading| written(&reading.value));
    assert_eq!(policy.as_deref(), Some("PH789570892"));
}

#[test]
fn dates_under_two_rows_of_captions_are_no_list() {
    let text = "Electricity bill\n\nBill number             Bill date            Customer number\n\
                Z4837012362             19 December 2025     06079285\n\
                CUPS                    Payment due          Contract\n\
                ES0288998898758311JK    9 January 2026       626611690\n";
    let fields = read_as("energy_invoice", &page_in_letters(text));
    let issued = &fields["issue_date"];
    assert_eq!(written(&issued.value), "2025-12-19");
    assert!(issued.score > 0.8, "{}", issued.score);
}

#[test]
fn surnames_without_given_names_are_no_sure_name() {
    let text = "RECIBO DE SALARIOS\n\nTRABAJADOR\nApellidos: Valcarce Otxoa      NIF: 12345678Z\n\n\
                Líquido a percibir     1.720,00\n";
    let fields = read_as("payslip", &page_in_letters(text));
    assert!(fields.get("employee_name").is_none_or(|name| name.score < 0.5), "{fields:?}");
    let whole = read_as(
        "payslip",
        &page_in_letters(&text.replace("Valcarce Otxoa", "Valcarce Otxoa    Nombre: Nerea")),
    );
    assert_eq!(written(&whole["employee_name"].value), "Nerea Valcarce Otxoa");
    assert!(whole["employee_name"].score > 0.8, "{}", whole["employee_name"].score);
}

#[test]
fn surnames_and_given_names_of_two_people_are_not_mixed() {
    let people = |lines: [&str; 4]| {
        let lines = lines.join("\n");
        let text = format!("RECIBO DE SALARIOS\n\nTRABAJADOR\n{lines}\n\nLíquido a percibir     1.720,00\n");
        let name = read_as("payslip", &page_in_letters(&text)).remove("employee_name");
        name.map(|reading| (written(&reading.value), reading.score))
    };
    let across = [
        "Apellidos: Valcarce Otxoa     Nombre: Nerea",
        "Apellidos: Leal Osuna         Nombre: Marta",
        "",
        "",
    ];
    let down = ["Nombre: Nerea", "Apellidos: Valcarce Otxoa", "Nombre: Marta", "Apellidos: Leal Osuna"];
    for lines in [across, down] {
        let name = people(lines);
        assert!(name.is_none(), "either may be meant: {name:?}");
    }
    let third = ["Nombre: Nerea", "Apellidos: Valcarce Otxoa", "Nombre: Marta", ""];
    assert!(people(third).is_none_or(|(_, score)| score < 0.5), "whose surnames they are is open");
}
