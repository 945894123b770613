//! A name that was read from a picture and is one letter away from what the rest of the case says is
//! likelier misread than another person's, and one without its given name likelier cut short: such a
//! reading is in doubt. Knows no rules.

use crate::domain::{Case, Document, Field, FileReading, TextSource};
use crate::link::shared::{self, Kind};
use crate::link::{NameMatch, compare_names, letter_apart, name_words};

/// What is left of the confidence: a person looks at it.
const IN_DOUBT: f64 = 0.8;

/// A name of the case; no place for one that was declared.
struct Said {
    document: Option<usize>,
    name: String,
}

/// Lowers the confidence of names that were read by OCR and differ by one letter from a name of another document
/// or of the declared data, or are the end of one, and that are said nowhere else. `files` are the readings by
/// file name.
pub fn doubt_near_names(case: &mut Case, files: &[(&str, &FileReading)]) {
    let names = names_of(case);
    for (index, document) in case.documents.iter_mut().enumerate() {
        let Some(own) = names.iter().find(|said| said.document == Some(index)) else { continue };
        let others: Vec<&Said> = names.iter().filter(|said| said.document != Some(index)).collect();
        if others.iter().any(|other| compare_names(&own.name, &other.name) == NameMatch::Same) {
            continue;
        }
        for other in others {
            if let Some(word) = letter_apart(&own.name, &other.name) {
                doubt(document, |field| holds(field, &word) && is_picture(files, &field.file, field.page));
            }
            if lacks_given_name(&own.name, &other.name) {
                doubt(document, |field| !field.checks.iter().any(|check| check.passed));
            }
        }
    }
}

fn names_of(case: &Case) -> Vec<Said> {
    let name_on = |document| shared::said_in(document, Kind::PersonName, |_| true);
    let documents = case.documents.iter().enumerate();
    let printed = documents
        .filter_map(|(index, document)| Some(Said { document: Some(index), name: name_on(document)? }));
    let declared = shared::declared(&case.declared).into_iter();
    let declared = declared.filter(|(kind, _)| *kind == Kind::PersonName);
    printed.chain(declared.map(|(_, name)| Said { document: None, name })).collect()
}

/// Whether one is the end of the other: surnames without what stands before them. Text of a file is no surer
/// than a picture there, since it is cut, not misread; what a machine readable zone agrees with is whole.
fn lacks_given_name(own: &str, other: &str) -> bool {
    let (own, other) = (name_words(own), name_words(other));
    !own.is_empty() && own.len() < other.len() && other.ends_with(&own)
}

/// The fields of the person's name that `which` picks, unless a person saw them.
fn doubt(document: &mut Document, which: impl Fn(&Field) -> bool) {
    let names = shared::fields_of(document.document_type.as_str(), Kind::PersonName).unwrap_or_default();
    for name in names {
        let Some(field) = document.fields.get_mut(*name) else { continue };
        if !field.confirmed && which(field) {
            field.confidence = field.confidence.min(IN_DOUBT);
        }
    }
}

fn holds(field: &Field, word: &str) -> bool {
    field.value.as_text().is_some_and(|text| name_words(text).iter().any(|own| own == word))
}

fn is_picture(files: &[(&str, &FileReading)], file: &str, page: u32) -> bool {
    let reading = files.iter().find(|(name, _)| *name == file).map(|(_, reading)| reading);
    let source = reading.and_then(|reading| reading.pages.iter().find(|own| own.number == page));
    source.is_some_and(|page| page.source != TextSource::Native)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Check;
    use crate::drawn;
    use crate::link::fixtures::{case, document};

    fn read_from(source: TextSource) -> FileReading {
        FileReading { pages: vec![drawn::page(source, 600.0, 800.0, vec![])], ..FileReading::default() }
    }

    /// Which of the payslip's name, the contract's and the card's surnames are still sure; the contract alone
    /// is no picture.
    fn sure(payslip: &str, contract: &str, card: &str, declared: serde_json::Value) -> [bool; 3] {
        let mut case = case(
            vec![
                document("payslip", &[("employee_name", payslip, 0.98)]),
                document("contract", &[("borrower_name", contract, 0.97)]),
                document("id_card", &[("given_names", "Ana", 0.99), ("surnames", card, 0.96)]),
            ],
            declared,
        );
        let (scan, native) = (read_from(TextSource::Scan), read_from(TextSource::Native));
        doubt_near_names(&mut case, &[("payslip", &scan), ("contract", &native), ("id_card", &scan)]);
        let is_sure = |index: usize, name: &str| case.documents[index].fields[name].confidence > IN_DOUBT;
        [is_sure(0, "employee_name"), is_sure(1, "borrower_name"), is_sure(2, "surnames")]
    }

    #[test]
    fn a_name_one_letter_away_from_the_others_is_doubtful() {
        assert_eq!(sure("Ana Gil Muñioz", "Ana Gil Muñoz", "Gil Muñoz", json!({})), [false, true, true]);
        assert_eq!(sure("Gil Munoz, Ana", "Ana Gil Muñoz", "Gil Muñoz", json!({})), [true; 3]);
    }

    #[test]
    fn without_a_third_both_pictures_are_doubtful_and_text_of_a_file_is_not() {
        assert_eq!(sure("Ana Gil Rojas", "Luis Mora Paz", "Gil Roja", json!({})), [false, true, false]);
        assert_eq!(sure("Eva Sanz Rey", "Ana Gil Rojas", "Gil Roja", json!({})), [true, true, false]);
        let declared = json!({"applicant": {"given_names": "Ana", "surnames": "Gil Roja"}});
        assert_eq!(sure("Ana Gil Rojas", "Luis Mora Paz", "Gil Roja", declared), [false, true, true]);
    }

    #[test]
    fn surnames_alone_are_doubtful_where_the_rest_of_the_case_knows_more() {
        assert_eq!(sure("Gil Muñoz", "Ana Gil Muñoz", "Gil Muñoz", json!({})), [false, true, true]);
        assert_eq!(
            sure("Ana Gil Muñoz", "Gil Muñoz", "Gil Muñoz", json!({})),
            [true, false, true],
            "in letters too"
        );
        assert_eq!(sure("Ana Gil", "Ana Gil Muñoz", "Gil Muñoz", json!({})), [true; 3], "one surname of two");
    }

    #[test]
    fn a_name_that_a_check_bears_out_is_not_cut() {
        let card = document("id_card", &[("given_names", "Ana", 0.99), ("surnames", "Gil Ruiz", 0.99)]);
        let payslip = document("payslip", &[("employee_name", "Trabajadora Ana Gil Ruiz", 0.98)]);
        let sure_with = |checks: Vec<Check>| {
            let mut case = case(vec![card.clone(), payslip.clone()], json!({}));
            case.documents[0].fields.get_mut("surnames").unwrap().checks = checks;
            doubt_near_names(&mut case, &[]);
            case.documents[0].fields["surnames"].confidence > IN_DOUBT
        };
        assert!(!sure_with(vec![]));
        assert!(sure_with(vec![Check::new("mrz_agrees", true)]));
        assert!(!sure_with(vec![Check::new("mrz_agrees", false)]));
    }

    #[test]
    fn another_persons_name_stays_sure() {
        assert_eq!(sure("Luis Mora Paz", "Ana Gil Muñoz", "Gil Muñoz", json!({})), [true; 3]);
        assert_eq!(sure("Ana Gil Ros", "Ana Gil Paz", "Gil Paz", json!({})), [true; 3], "short words");
    }
}
