//! Which fields of which documents say the same thing: the one table by which documents are compared
//! and completed. Knows no rules.

use serde_json::Value as Json;

use crate::domain::{Document, Field};

/// What kind of thing a field says; only fields of one kind are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    PersonName,
    PersonTaxId,
    Iban,
    Cups,
    InvoiceNumber,
    BirthDate,
    ClaimType,
    Amount,
    Months,
}

/// The fields that are compared, by document type. A name in two fields is compared as a whole.
pub(super) const FIELDS: [(&str, &[&str], Kind); 26] = [
    ("id_card", &["given_names", "surnames"], Kind::PersonName),
    ("passport", &["given_names", "surnames"], Kind::PersonName),
    ("bank_statement", &["account_holder"], Kind::PersonName),
    ("payslip", &["employee_name"], Kind::PersonName),
    ("contract", &["borrower_name"], Kind::PersonName),
    ("claim_form", &["claimant_name"], Kind::PersonName),
    ("energy_invoice", &["holder_name"], Kind::PersonName),
    ("repair_invoice", &["customer_name"], Kind::PersonName),
    ("police_report", &["reporter_name"], Kind::PersonName),
    ("id_card", &["document_number"], Kind::PersonTaxId),
    ("passport", &["personal_number"], Kind::PersonTaxId),
    ("payslip", &["employee_tax_id"], Kind::PersonTaxId),
    ("contract", &["borrower_tax_id"], Kind::PersonTaxId),
    ("claim_form", &["claimant_tax_id"], Kind::PersonTaxId),
    ("energy_invoice", &["holder_tax_id"], Kind::PersonTaxId),
    ("repair_invoice", &["customer_tax_id"], Kind::PersonTaxId),
    ("police_report", &["reporter_tax_id"], Kind::PersonTaxId),
    ("bank_statement", &["iban"], Kind::Iban),
    ("contract", &["iban"], Kind::Iban),
    ("payslip", &["iban"], Kind::Iban),
    ("claim_form", &["cups"], Kind::Cups),
    ("energy_invoice", &["cups"], Kind::Cups),
    ("claim_form", &["invoice_number"], Kind::InvoiceNumber),
    ("energy_invoice", &["invoice_number"], Kind::InvoiceNumber),
    ("id_card", &["birth_date"], Kind::BirthDate),
    ("passport", &["birth_date"], Kind::BirthDate),
];

/// The fields of a document type that say this, together.
pub(super) fn fields_of(document_type: &str, kind: Kind) -> Option<&'static [&'static str]> {
    let mut rows = FIELDS.iter().filter(|(owner, ..)| *owner == document_type);
    rows.find_map(|(_, fields, said)| (*said == kind).then_some(*fields))
}

/// What a document says of a kind: its fields' texts joined, when all are there and known.
pub(super) fn said_in(document: &Document, kind: Kind, is_known: impl Fn(&Field) -> bool) -> Option<String> {
    let names = fields_of(document.document_type.as_str(), kind)?;
    let known = |name: &&str| document.fields.get(*name).filter(|field| is_known(field))?.value.as_text();
    let texts: Option<Vec<&str>> = names.iter().map(known).collect();
    Some(texts?.join(" "))
}

/// What the declared data say of the applicant and the supply point.
pub(super) fn declared(data: &Json) -> Vec<(Kind, String)> {
    let text = |path: &str| declared_text(data, path);
    let name = text("/applicant/given_names").zip(text("/applicant/surnames"));
    let said = [
        (Kind::PersonName, name.map(|(given, surnames)| format!("{given} {surnames}"))),
        (Kind::PersonTaxId, text("/applicant/tax_id")),
        (Kind::BirthDate, text("/applicant/birth_date")),
        (Kind::Cups, text("/claim/cups")),
    ];
    said.into_iter().filter_map(|(kind, text)| Some((kind, text?))).collect()
}

/// A declared text or number that is not blank.
pub(super) fn declared_text(data: &Json, path: &str) -> Option<String> {
    match data.pointer(path)? {
        Json::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
