//! What two documents agree on is hardly misread: raises the confidence of fields that say the same as
//! another document or as the applicant. Knows no rules; a field that disagrees keeps its confidence.

use std::collections::BTreeMap;

use crate::domain::{Case, Document, Field};
use crate::link::shared::{self, FIELDS, Kind, declared_text};
use crate::link::{NameMatch, compare_names, identifier};

impl Kind {
    /// The chance that a misreading gives just the value that the other place says, by how many values
    /// are near at hand: identifiers have check characters, a claim has few types.
    fn coincidence(self) -> f64 {
        match self {
            Kind::PersonName | Kind::PersonTaxId | Kind::Iban | Kind::Cups => 0.01,
            Kind::InvoiceNumber | Kind::BirthDate | Kind::Amount => 0.02,
            Kind::Months => 0.05,
            Kind::ClaimType => 0.2,
        }
    }
}

/// How likely what was declared is what the documents say, before looking.
const DECLARED_IS_RIGHT: f64 = 0.97;

/// A reading that is more likely wrong than this agrees by chance or by one and the same mistake.
const LEAST_CONFIDENCE: f64 = 0.3;

/// Agreement proves no more than this.
const MOST_CONFIDENCE: f64 = 0.999;

/// Fields that are compared with one declared value only.
const DECLARED: [(&str, &str, &str, Kind); 4] = [
    ("contract", "principal", "/loan/principal", Kind::Amount),
    ("contract", "term_months", "/loan/term_months", Kind::Months),
    ("claim_form", "claim_type", "/claim/type", Kind::ClaimType),
    ("claim_form", "amount_claimed", "/claim/amount_claimed", Kind::Amount),
];

/// Something that one place says.
#[derive(Debug)]
struct Saying {
    kind: Kind,
    text: String,
    confidence: f64,
    /// Document and fields; none for what was declared.
    place: Option<(usize, Vec<&'static str>)>,
}

/// Raises the confidence of every field that agrees with another document or the declared data, and of
/// a net pay that stands on the statement to the cent. Never lowers one.
pub fn corroborate(case: &mut Case) {
    let sayings = sayings_of(case);
    let mut raised: BTreeMap<(usize, &'static str), f64> = BTreeMap::new();
    for saying in &sayings {
        let Some((index, fields)) = &saying.place else { continue };
        let others = sayings.iter().filter(|other| is_elsewhere(saying, other) && agree(saying, other));
        let best = others.map(|other| other.confidence).fold(0.0, f64::max);
        for field in fields {
            let Some(own) = case.documents.get(*index).and_then(|document| document.fields.get(*field))
            else {
                continue;
            };
            raised.insert((*index, *field), agreed(own.confidence, best, saying.kind.coincidence()));
        }
    }
    for ((index, name), confidence) in raised {
        raise(case.documents.get_mut(index), name, confidence);
    }
    corroborate_net_pay(case);
}

fn sayings_of(case: &Case) -> Vec<Saying> {
    let mut sayings = Vec::new();
    for (index, document) in case.documents.iter().enumerate() {
        for (document_type, names, kind) in FIELDS {
            if document.document_type.as_str() == document_type {
                sayings.extend(said_in(index, document, names, kind));
            }
        }
        for (document_type, name, _, kind) in DECLARED {
            if document.document_type.as_str() == document_type {
                let saying = document.fields.get(name).and_then(|field| said_by(index, name, field, kind));
                sayings.extend(saying);
            }
        }
    }
    sayings.extend(declared_sayings(&case.declared));
    sayings
}

fn said_in(index: usize, document: &Document, names: &'static [&'static str], kind: Kind) -> Option<Saying> {
    let fields: Option<Vec<&Field>> = names.iter().map(|name| document.fields.get(*name)).collect();
    let fields = fields?;
    let texts: Option<Vec<&str>> = fields.iter().map(|field| field.value.as_text()).collect();
    let confidence = fields.iter().map(|field| trust(field)).fold(1.0, f64::min);
    Some(Saying { kind, text: texts?.join(" "), confidence, place: Some((index, names.to_vec())) })
}

fn said_by(index: usize, name: &'static str, field: &Field, kind: Kind) -> Option<Saying> {
    let text = match field.value.as_text() {
        Some(text) => text.to_owned(),
        None => field.value.as_integer()?.to_string(),
    };
    Some(Saying { kind, text, confidence: trust(field), place: Some((index, vec![name])) })
}

fn trust(field: &Field) -> f64 {
    if field.confirmed { 1.0 } else { field.confidence }
}

fn declared_sayings(declared: &serde_json::Value) -> Vec<Saying> {
    let said = shared::declared(declared).into_iter();
    let mut sayings: Vec<Saying> = said.map(|(kind, text)| declared_saying(kind, text)).collect();
    for (_, _, path, kind) in DECLARED {
        sayings.extend(declared_text(declared, path).map(|text| declared_saying(kind, text)));
    }
    sayings
}

fn declared_saying(kind: Kind, text: String) -> Saying {
    Saying { kind, text, confidence: DECLARED_IS_RIGHT, place: None }
}

fn is_elsewhere(saying: &Saying, other: &Saying) -> bool {
    let document = |saying: &Saying| saying.place.as_ref().map(|(index, _)| *index);
    document(saying) != document(other)
}

fn agree(saying: &Saying, other: &Saying) -> bool {
    if saying.kind != other.kind || other.confidence < LEAST_CONFIDENCE {
        return false;
    }
    let (left, right) = (saying.text.as_str(), other.text.as_str());
    match saying.kind {
        Kind::PersonName => compare_names(left, right) == NameMatch::Same,
        Kind::Cups => {
            let code = |text: &str| identifier(text).chars().take(20).collect::<String>();
            code(left) == code(right)
        }
        // Amounts of different things may be equal; only a document and its declared value compare.
        Kind::Amount | Kind::Months => {
            other.place.is_none() && decimal(left).is_some() && decimal(left) == decimal(right)
        }
        Kind::ClaimType => other.place.is_none() && left == right,
        Kind::BirthDate => left == right,
        Kind::PersonTaxId | Kind::Iban | Kind::InvoiceNumber => identifier(left) == identifier(right),
    }
}

fn decimal(text: &str) -> Option<rust_decimal::Decimal> {
    text.parse().ok()
}

/// The probability that a reading is right when another one with `other` says the same: both are
/// right, or both are wrong and coincide.
fn agreed(own: f64, other: f64, coincidence: f64) -> f64 {
    if own < LEAST_CONFIDENCE || other < LEAST_CONFIDENCE {
        return own;
    }
    let right = own * other;
    let wrong = (1.0 - own) * (1.0 - other) * coincidence;
    (right / (right + wrong)).min(MOST_CONFIDENCE).max(own)
}

fn raise(document: Option<&mut Document>, name: &str, confidence: f64) {
    if let Some(field) = document.and_then(|document| document.fields.get_mut(name)) {
        field.confidence = field.confidence.max(confidence);
    }
}

/// A deposit of the very net pay on a statement, to the cent, confirms the payslip's reading.
fn corroborate_net_pay(case: &mut Case) {
    let of_type = |name: &'static str| move |document: &&Document| document.document_type.as_str() == name;
    let statements = case.documents.iter().filter(of_type("bank_statement"));
    let rows = statements.filter_map(|document| document.fields.get("transactions")?.value.as_transactions());
    let deposits: Vec<(rust_decimal::Decimal, f64)> =
        rows.flatten().map(|row| (row.amount, row.confidence)).collect();
    for document in case.documents.iter_mut().filter(|document| document.document_type.as_str() == "payslip")
    {
        let Some(field) = document.fields.get_mut("net_pay") else { continue };
        let Some(net_pay) = field.value.as_decimal() else { continue };
        let same = deposits.iter().filter(|(amount, _)| *amount == net_pay);
        let best = same.map(|(_, confidence)| *confidence).fold(0.0, f64::max);
        field.confidence = agreed(field.confidence, best, Kind::Amount.coincidence()).max(field.confidence);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::link::fixtures::{case, document};

    fn confidence(case: &Case, document: usize, field: &str) -> f64 {
        case.documents[document].fields[field].confidence
    }

    #[test]
    fn documents_that_agree_confirm_each_other() {
        let mut case = case(
            vec![
                document("contract", &[("borrower_name", "Ana Gil Ruiz", 0.8), ("iban", "ES1", 0.9)]),
                document("payslip", &[("employee_name", "GIL RUIZ, ANA", 0.8), ("iban", "ES2", 0.9)]),
            ],
            json!({}),
        );
        corroborate(&mut case);
        assert!(confidence(&case, 0, "borrower_name") > 0.99);
        assert!(confidence(&case, 1, "employee_name") > 0.99);
        assert!((confidence(&case, 0, "iban") - 0.9).abs() < 1e-9, "what differs keeps its confidence");
    }

    #[test]
    fn declared_data_confirms_what_is_read() {
        let declared = json!({"applicant": {"given_names": "Ana", "surnames": "Gil Ruiz"}, "loan": {"principal": "900", "term_months": 12}});
        let mut case = case(
            vec![
                document("id_card", &[("given_names", "ANA", 0.7), ("surnames", "GIL RUIZ", 0.9)]),
                document("contract", &[("principal", "900.00", 0.8), ("term_months", "24", 0.8)]),
            ],
            declared,
        );
        corroborate(&mut case);
        assert!(confidence(&case, 0, "given_names") > 0.99);
        assert!(confidence(&case, 1, "principal") > 0.99);
        assert!((confidence(&case, 1, "term_months") - 0.8).abs() < 1e-9);
    }

    #[test]
    fn a_guess_is_not_confirmed_by_agreement() {
        let mut case = case(
            vec![document("contract", &[("iban", "ES1", 0.2)]), document("payslip", &[("iban", "ES1", 0.2)])],
            json!({}),
        );
        corroborate(&mut case);
        assert!((confidence(&case, 0, "iban") - 0.2).abs() < 1e-9);
    }

    #[test]
    fn fields_of_one_document_do_not_confirm_themselves() {
        let mut case = case(vec![document("contract", &[("iban", "ES1", 0.8)])], json!({}));
        corroborate(&mut case);
        assert!((confidence(&case, 0, "iban") - 0.8).abs() < 1e-9);
    }
}
