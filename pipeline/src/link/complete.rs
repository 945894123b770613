//! What other documents of a case say and this one prints as well: fills a person's name, a tax id, an
//! account or a supply point that no label led to. Knows no rules and no layouts; a value that
//! is not printed on the document is never filled in.

use crate::domain::{Case, Check, Document, Field, FileReading, Page, Rect, Value};
use crate::extract::parse::{Found, name, tax_id};
use crate::link::shared::{self, Kind};
use crate::link::{NameMatch, compare_names, identifier};

/// Nobody but one person is expected on such a paper, so that a known name alone tells who it is.
const ABOUT_ONE_PERSON: [&str; 3] = ["payslip", "energy_invoice", "repair_invoice"];

/// Codes with check characters that documents of a case share. A number without them may be the wrong
/// number on both: a customer's, a contract's.
const CODES: [Kind; 2] = [Kind::Iban, Kind::Cups];

/// Shorter codes stand on many papers by chance.
const SHORTEST_CODE: usize = 6;
/// A source is worth following from here on.
const KNOWN: f64 = 0.75;
/// Readings as sure as this are left alone, whatever else is printed.
const CERTAIN: f64 = 0.95;
/// A known person, whom the document's own tax id names, is printed on it.
const BY_TAX_ID: f64 = 0.99;
/// A known code is printed on it.
const BY_CODE: f64 = 0.985;
/// A known name is printed on a paper that is about one person.
const BY_NAME: f64 = 0.97;

/// Somebody whom the case tells of.
#[derive(Debug, Clone)]
struct Person {
    name: Option<String>,
    tax_id: Option<String>,
}

/// Fills fields that are absent or in doubt with what the rest of the case knows and the document's own
/// pages print. `files` are the readings by file name.
pub fn complete(case: &mut Case, files: &[(&str, &FileReading)]) {
    for index in 0..case.documents.len() {
        let people = people_beside(case, index);
        let found = found_in(case, index, &people, files);
        if let Some(document) = case.documents.get_mut(index) {
            document.fields.extend(found);
        }
        // The name goes by the tax id, which may just have been found.
        let named = case.documents.get(index).and_then(|document| name_on(document, &people, files));
        if let Some(document) = case.documents.get_mut(index) {
            document.fields.extend(named);
        }
    }
}

/// Whom the other documents and the declared data tell of.
fn people_beside(case: &Case, index: usize) -> Vec<Person> {
    let documents = others(case, index).map(|document| Person {
        name: said_in(document, Kind::PersonName),
        tax_id: said_in(document, Kind::PersonTaxId).map(|text| identifier(&text)),
    });
    let said = shared::declared(&case.declared);
    let declared = |wanted| said.iter().find_map(|(kind, text)| (*kind == wanted).then(|| text.clone()));
    let applicant = Person {
        name: declared(Kind::PersonName),
        tax_id: declared(Kind::PersonTaxId).map(|text| identifier(&text)),
    };
    let mut people: Vec<Person> = documents.chain([applicant]).collect();
    people.retain(|person| person.name.is_some() || person.tax_id.is_some());
    people
}

fn others(case: &Case, index: usize) -> impl Iterator<Item = &Document> {
    case.documents.iter().enumerate().filter(move |(other, _)| *other != index).map(|(_, document)| document)
}

/// The one field of a document that says this.
fn field_of(document: &Document, kind: Kind) -> Option<&'static str> {
    match shared::fields_of(document.document_type.as_str(), kind)? {
        [field] => Some(field),
        _ => None,
    }
}

/// What a document says of a kind, when all its fields are there and known well enough.
fn said_in(document: &Document, kind: Kind) -> Option<String> {
    shared::said_in(document, kind, |field| field.confirmed || field.confidence >= KNOWN)
}

/// Whether a field is there and needs no help.
fn is_settled(document: &Document, name: &str) -> bool {
    document.fields.get(name).is_some_and(|field| field.confirmed || field.confidence >= CERTAIN)
}

/// Codes and the person's tax id that are printed on a document and known from others.
fn found_in(
    case: &Case,
    index: usize,
    people: &[Person],
    files: &[(&str, &FileReading)],
) -> Vec<(String, Field)> {
    let Some(document) = case.documents.get(index) else { return Vec::new() };
    let mut found = Vec::new();
    for kind in CODES {
        let Some(name) = field_of(document, kind) else { continue };
        // Of two papers of one type the code may be the other's.
        let alike = others(case, index).any(|other| other.document_type == document.document_type);
        if alike || is_settled(document, name) {
            continue;
        }
        let known = others(case, index).filter_map(|other| said_in(other, kind));
        let printed = known.map(|text| identifier(&text)).find_map(|code| print_of(document, files, &code));
        found.extend(printed.map(|print| (name.to_owned(), print.field(BY_CODE))));
    }
    if let Some(field) = field_of(document, Kind::PersonTaxId)
        && !is_settled(document, field)
    {
        let ids = people.iter().filter_map(|person| person.tax_id.as_deref());
        let mut alone = ids.filter(|id| is_only_person(document, files, id));
        let print = alone.find_map(|id| print_of(document, files, id));
        found.extend(print.map(|print| (field.to_owned(), print.field(BY_CODE))));
    }
    found
}

/// The name of a known person, printed on the document, when the document is about this person.
fn name_on(
    document: &Document,
    people: &[Person],
    files: &[(&str, &FileReading)],
) -> Option<(String, Field)> {
    let field = field_of(document, Kind::PersonName)?;
    if is_settled(document, field) {
        return None;
    }
    let own = said_in(document, Kind::PersonTaxId).map(|text| identifier(&text));
    let mut by_tax_id = people.iter().filter(|person| own.is_some() && person.tax_id == own);
    let named = by_tax_id.find_map(|person| printed_name(document, files, person.name.as_deref()?));
    if let Some(print) = named {
        return Some((field.to_owned(), print.field(BY_TAX_ID)));
    }
    // Another's tax id speaks against the person; only a paper that has none is told by the name.
    let alone = ABOUT_ONE_PERSON.contains(&document.document_type.as_str());
    if !alone || own.is_some() || document.fields.contains_key(field) {
        return None;
    }
    let by_name = people.iter().find_map(|person| printed_name(document, files, person.name.as_deref()?));
    by_name.map(|print| (field.to_owned(), print.field(BY_NAME)))
}

/// A known value where a document prints it.
struct Print {
    text: String,
    file: String,
    page: u32,
    bounds: [f64; 4],
    value: String,
}

impl Print {
    fn field(self, confidence: f64) -> Field {
        Field {
            value: Value::Text(self.value),
            raw: self.text,
            confidence,
            page: self.page,
            file: self.file,
            bounds: self.bounds,
            checks: vec![Check::new("known_in_case", true)],
            repaired: false,
            confirmed: false,
            entered: false,
        }
    }
}

fn pages_of<'a>(
    document: &'a Document,
    files: &'a [(&str, &FileReading)],
) -> impl Iterator<Item = (&'a str, &'a Page)> {
    document.parts.iter().flat_map(move |part| {
        let reading = files.iter().find(|(name, _)| *name == part.file);
        let pages = reading.map(|(_, reading)| reading.pages.as_slice()).unwrap_or_default();
        let own = pages.iter().filter(|page| part.pages.contains(&page.number));
        own.map(|page| (part.file.as_str(), page))
    })
}

/// Longest run of words that one code is printed in: `ES12 3456 …`.
const CODE_WORDS: usize = 8;

fn print_of(document: &Document, files: &[(&str, &FileReading)], code: &str) -> Option<Print> {
    if code.len() < SHORTEST_CODE {
        return None;
    }
    let mut pages = pages_of(document, files);
    pages.find_map(|(file, page)| {
        let spelled: Vec<String> = page.words.iter().map(|word| identifier(&word.text)).collect();
        let (first, end) = (0..spelled.len()).find_map(|first| spelled_at(&spelled, first, code))?;
        let mut print = print_at(file, page, first, end)?;
        code.clone_into(&mut print.value);
        Some(print)
    })
}

/// The words from `first` that spell the code and nothing more; a label may be glued before it
/// (`NIF:12345678Z`).
fn spelled_at(words: &[String], first: usize, code: &str) -> Option<(usize, usize)> {
    let begins = |word: &str| code.starts_with(word);
    let glued = words[first].strip_suffix(code);
    if glued.is_some_and(|label| label.chars().all(char::is_alphabetic)) {
        return Some((first, first + 1));
    }
    let mut rest = code;
    if words[first].is_empty() || !begins(&words[first]) {
        return None;
    }
    for (index, word) in words.iter().enumerate().skip(first).take(CODE_WORDS) {
        rest = rest.strip_prefix(word.as_str())?;
        if rest.is_empty() {
            return Some((first, index + 1));
        }
    }
    None
}

/// Whether no other person's tax id stands on the document.
fn is_only_person(document: &Document, files: &[(&str, &FileReading)], id: &str) -> bool {
    pages_of(document, files).all(|(_, page)| {
        page.rows.iter().all(|row| {
            let words = row.segments.iter().filter_map(|segment| page.words.get(segment.first..segment.end));
            let text = words.flatten().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            let mut people = tax_id::find_all(&text).into_iter().filter(Found::holds);
            people.all(|found| !found.value.is_person() || found.value.number == id)
        })
    })
}

/// A person's name as the document prints it, in any order and case, over at most two words more than known.
fn printed_name(document: &Document, files: &[(&str, &FileReading)], known: &str) -> Option<Print> {
    let count = known.split_whitespace().count();
    if count < 2 {
        return None;
    }
    let mut pages = pages_of(document, files);
    pages.find_map(|(file, page)| {
        let lengths = count.saturating_sub(2).max(2)..=count + 2;
        lengths.into_iter().find_map(|length| {
            let last = page.words.len().checked_sub(length)?;
            (0..=last).find_map(|first| {
                let print = print_at(file, page, first, first + length)?;
                (compare_names(&print.text, known) == NameMatch::Same).then_some(print)
            })
        })
    })
}

fn print_at(file: &str, page: &Page, first: usize, end: usize) -> Option<Print> {
    let words = page.words.get(first..end)?;
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let bounds = Rect::around(words.iter().map(|word| word.bounds))?;
    Some(Print {
        value: name::clean(&text),
        text,
        file: file.to_owned(),
        page: page.number,
        bounds: bounds.as_fractions(page.width, page.height),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Row, Segment, TextSource, Word};
    use crate::link::fixtures::{case, document};

    fn reading(rows: &[&str]) -> FileReading {
        let mut words = Vec::new();
        let mut arranged = Vec::new();
        for (line, row) in rows.iter().enumerate() {
            let (first, top) = (words.len(), 20.0 * line as f32);
            words.extend(row.split(' ').enumerate().map(|(column, text)| Word {
                text: text.to_owned(),
                bounds: Rect::new(60.0 * column as f32, top, 50.0, 10.0),
                confidence: 1.0,
                bold: false,
                chars: Vec::new(),
            }));
            let bounds = Rect::new(0.0, top, 500.0, 10.0);
            arranged.push(Row { bounds, segments: vec![Segment { bounds, first, end: words.len() }] });
        }
        let page = Page {
            number: 1,
            width: 600.0,
            height: 800.0,
            source: TextSource::Native,
            words,
            rows: arranged,
            marks: Vec::new(),
            rules: Vec::new(),
            boxes: vec![],
            rotation_degrees: 0.0,
        };
        FileReading { pages: vec![page], ..FileReading::default() }
    }

    fn completed(documents: Vec<Document>, declared: serde_json::Value, file: &str, rows: &[&str]) -> Case {
        let mut case = case(documents, declared);
        complete(&mut case, &[(file, &reading(rows))]);
        case
    }

    fn text<'a>(case: &'a Case, document: usize, field: &str) -> Option<&'a str> {
        case.documents[document].fields.get(field)?.value.as_text()
    }

    fn card() -> Document {
        let fields = [
            ("document_number", "12345678Z", 0.99),
            ("given_names", "Ana", 0.99),
            ("surnames", "Gil Ruiz", 0.99),
        ];
        document("id_card", &fields)
    }

    #[test]
    fn the_borrower_is_named_by_the_tax_id() {
        let contract = document("contract", &[("borrower_tax_id", "12345678Z", 0.99)]);
        let rows = ["REUNIDOS de una parte Luis Mora Paz", "y de otra D. ANA GIL RUIZ, con DNI 12345678-Z"];
        let case = completed(vec![card(), contract], json!({}), "contract", &rows);
        assert_eq!(text(&case, 1, "borrower_name"), Some("ANA GIL RUIZ"));
        let field = &case.documents[1].fields["borrower_name"];
        assert!(field.confidence >= CERTAIN && field.checks[0].passed);
        assert!(
            (field.bounds[0] - 0.4).abs() < 0.01 && (field.bounds[1] - 0.025).abs() < 0.01,
            "{:?}",
            field.bounds
        );
    }

    #[test]
    fn a_paper_about_another_person_stays_as_it_is() {
        let contract = document("contract", &[("borrower_tax_id", "87654321X", 0.99)]);
        let rows = ["Prestatario 87654321X", "Avalista Ana Gil Ruiz 12345678Z"];
        let case = completed(vec![card(), contract], json!({}), "contract", &rows);
        assert_eq!(text(&case, 1, "borrower_name"), None);
        assert_eq!(text(&case, 1, "borrower_tax_id"), Some("87654321X"));
    }

    #[test]
    fn a_tax_id_is_found_unless_another_persons_stands_beside_it() {
        let alone = ["Trabajador Ana Gil Ruiz", "12345678 - Z"];
        let case = completed(vec![card(), document("payslip", &[])], json!({}), "payslip", &alone);
        assert_eq!(text(&case, 1, "employee_tax_id"), Some("12345678Z"));
        assert_eq!(text(&case, 1, "employee_name"), Some("Ana Gil Ruiz"));
        let two = ["Ana Gil Ruiz 12345678Z", "Luis Mora Paz 87654321X"];
        let case = completed(vec![card(), document("contract", &[])], json!({}), "contract", &two);
        assert_eq!(text(&case, 1, "borrower_tax_id"), None);
        assert_eq!(text(&case, 1, "borrower_name"), None);
    }

    #[test]
    fn what_is_declared_is_found_on_an_invoice_that_is_about_one_person() {
        let declared = json!({"applicant": {"given_names": "Ana", "surnames": "Gil Ruiz"}});
        let invoice = document("energy_invoice", &[]);
        let case = completed(vec![invoice], declared, "energy_invoice", &["Titular: GIL RUIZ, ANA"]);
        assert_eq!(text(&case, 0, "holder_name"), Some("GIL RUIZ, ANA"));
    }

    #[test]
    fn a_certain_reading_is_left_alone_and_a_doubtful_one_gives_way() {
        let doubtful = [("borrower_tax_id", "12345678Z", 0.99), ("borrower_name", "Córdoba NIF", 0.8)];
        let case = completed(
            vec![card(), document("contract", &doubtful)],
            json!({}),
            "contract",
            &["Ana Gil Ruiz"],
        );
        assert_eq!(text(&case, 1, "borrower_name"), Some("Ana Gil Ruiz"));
        let certain = [("borrower_tax_id", "12345678Z", 0.99), ("borrower_name", "Eva Sanz Rey", 0.97)];
        let case =
            completed(vec![card(), document("contract", &certain)], json!({}), "contract", &["Ana Gil Ruiz"]);
        assert_eq!(text(&case, 1, "borrower_name"), Some("Eva Sanz Rey"));
    }

    #[test]
    fn an_account_is_found_in_groups_of_four() {
        let statement = document("bank_statement", &[("iban", "ES9121000418450200051332", 0.99)]);
        let rows = ["Domiciliación en ES91 2100 0418 4502 0005 1332 del banco"];
        let case = completed(vec![statement, document("contract", &[])], json!({}), "contract", &rows);
        assert_eq!(text(&case, 1, "iban"), Some("ES9121000418450200051332"));
    }
}
