//! What is said on several documents of a case: the person's name and tax id, accounts, supply points,
//! numbers that two papers share. Shows agreement; what a difference means is the rules' business.

use crate::config::{DocumentTypeConfig, FieldKind};
use crate::domain::{Document, Field};
use crate::extract::parse::tax_id;
use crate::link::{NameMatch, compare_with_holders, same_identifier};

/// What a value is about. Ordered as people look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kin {
    Name,
    TaxId,
    Iban,
    Cups,
    /// A number that several documents carry under one name, such as `policy_number`.
    Number(String),
}

impl Kin {
    /// `name`, `tax_id`, `iban`, `cups`, or the field's name.
    pub fn as_str(&self) -> &str {
        match self {
            Kin::Name => "name",
            Kin::TaxId => "tax_id",
            Kin::Iban => "iban",
            Kin::Cups => "cups",
            Kin::Number(field) => field,
        }
    }
}

/// How a mention compares with the first of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    Same,
    /// Shortened, or told apart by easily misread characters alone.
    Nearly,
    Different,
}

impl Agreement {
    pub fn as_str(self) -> &'static str {
        match self {
            Agreement::Same => "same",
            Agreement::Nearly => "nearly",
            Agreement::Different => "different",
        }
    }
}

/// One place where the value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Place of the document in the result; none for what was declared.
    pub document: Option<usize>,
    pub field: String,
    pub text: String,
    pub agreement: Agreement,
}

/// A value that several sources of the case give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub kin: Kin,
    /// At least two; the first is what the others are compared with: the identity document's.
    pub mentions: Vec<Mention>,
}

impl Link {
    /// The worst agreement of its mentions.
    pub fn agreement(&self) -> Agreement {
        self.mentions.iter().map(|mention| mention.agreement).max().unwrap_or(Agreement::Same)
    }
}

/// What the documents, and the declared data, say of the same thing.
pub fn linked(
    types: &[DocumentTypeConfig],
    documents: &[Document],
    declared: &serde_json::Value,
) -> Vec<Link> {
    let mut found: Vec<(Kin, Mention)> = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        found.extend(identity_of(index, document));
    }
    for (index, document) in documents.iter().enumerate() {
        let config = types.iter().find(|config| config.document_type == document.document_type);
        let Some(config) = config else { continue };
        // Who issues a paper is somebody else.
        let fields =
            config.fields.iter().filter(|field| !config.is_issuers(field) || !is_of_a_person(field.kind));
        found.extend(fields.filter_map(|field| {
            let kin = kin_of(field.kind, &field.name)?;
            let text = text_of(document.fields.get(&field.name))?;
            Some((kin, mention(Some(index), &field.name, text.to_owned())))
        }));
    }
    found.extend(declared_identity(declared));
    // Stable: the identity document stays first within its kin.
    found.sort_by(|left, right| left.0.cmp(&right.0));
    let groups = found.chunk_by(|left, right| left.0 == right.0);
    groups.filter(|group| group.len() > 1).map(compared).collect()
}

fn kin_of(kind: FieldKind, name: &str) -> Option<Kin> {
    match kind {
        FieldKind::Person | FieldKind::Party => Some(Kin::Name),
        FieldKind::TaxId | FieldKind::PersonTaxId => Some(Kin::TaxId),
        FieldKind::Iban => Some(Kin::Iban),
        FieldKind::Cups => Some(Kin::Cups),
        FieldKind::Identifier => Some(Kin::Number(name.to_owned())),
        _ => None,
    }
}

fn is_of_a_person(kind: FieldKind) -> bool {
    matches!(kin_of(kind, ""), Some(Kin::Name | Kin::TaxId))
}

/// Identity documents print the name in two fields, and their number may be the tax id.
fn identity_of(index: usize, document: &Document) -> Vec<(Kin, Mention)> {
    let text = |name: &str| text_of(document.fields.get(name));
    let Some(surnames) = text("surnames") else { return Vec::new() };
    let names = [text("given_names").unwrap_or_default(), surnames].join(" ");
    let mut found = vec![(Kin::Name, mention(Some(index), "surnames", names.trim().to_owned()))];
    let number = ["document_number", "personal_number"].into_iter().find_map(|name| {
        let number = text(name).filter(|number| tax_id::is_valid(number))?;
        Some((Kin::TaxId, mention(Some(index), name, number.to_owned())))
    });
    found.extend(number);
    found
}

fn declared_identity(declared: &serde_json::Value) -> Vec<(Kin, Mention)> {
    let text = |name: &str| declared["applicant"][name].as_str().map(str::trim).unwrap_or_default();
    let names = [text("given_names"), text("surnames")].join(" ");
    let said = [
        (Kin::Name, mention(None, "applicant.surnames", names.trim().to_owned())),
        (Kin::TaxId, mention(None, "applicant.tax_id", text("tax_id").to_owned())),
    ];
    said.into_iter().filter(|(_, mention)| !mention.text.is_empty()).collect()
}

fn text_of(field: Option<&Field>) -> Option<&str> {
    field?.value.as_text().filter(|text| !text.is_empty())
}

fn mention(document: Option<usize>, field: &str, text: String) -> Mention {
    Mention { document, field: field.to_owned(), text, agreement: Agreement::Same }
}

fn compared(group: &[(Kin, Mention)]) -> Link {
    let (kin, first) = &group[0];
    let mentions = group.iter().map(|(_, mention)| Mention {
        agreement: agreement(kin, &first.text, &mention.text),
        ..mention.clone()
    });
    Link { kin: kin.clone(), mentions: mentions.collect() }
}

fn agreement(kin: &Kin, first: &str, other: &str) -> Agreement {
    if *kin != Kin::Name {
        return if same_identifier(first, other) { Agreement::Same } else { Agreement::Different };
    }
    let compared = |person, holders| match compare_with_holders(person, holders) {
        NameMatch::Same => Agreement::Same,
        NameMatch::Partial | NameMatch::Lookalike => Agreement::Nearly,
        NameMatch::Different => Agreement::Different,
    };
    // Either side may name joint holders.
    compared(first, other).min(compared(other, first))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::config::{Bundle, load_document_types};
    use crate::domain::{DocumentType, Value};

    fn document(document_type: &str, fields: &[(&str, &str)]) -> Document {
        let field = |text: &str| Field {
            value: Value::Text(text.to_owned()),
            raw: String::new(),
            confidence: 1.0,
            page: 1,
            file: String::new(),
            bounds: [0.0; 4],
            checks: vec![],
            repaired: false,
            confirmed: false,
            entered: false,
        };
        let fields: BTreeMap<_, _> =
            fields.iter().map(|(name, text)| ((*name).to_owned(), field(text))).collect();
        let document_type = DocumentType::new(document_type);
        Document { document_type, type_confidence: 1.0, parts: vec![], fields, findings: vec![] }
    }

    #[test]
    fn values_on_several_documents_are_compared_with_the_identity_document() {
        let types = load_document_types(&Bundle::embedded_rules()).unwrap();
        let documents = [
            document("payslip", &[("employee_name", "GARCIA LOPEZ, ANA"), ("employee_tax_id", "00000000T")]),
            document(
                "id_card",
                &[("given_names", "Ana"), ("surnames", "García López"), ("document_number", "12345678Z")],
            ),
            document(
                "bank_statement",
                &[("iban", "ES9121000418450200051332"), ("account_holder", "Luis Pérez")],
            ),
            document("contract", &[("iban", "ES9121000418450200051332"), ("borrower_tax_id", "12345678Z")]),
        ];
        let links = linked(&types, &documents, &json!({"applicant": {"tax_id": "12.345.678-Z"}}));
        let shown: Vec<_> = links.iter().map(|link| (link.kin.as_str(), link.agreement().as_str())).collect();
        assert_eq!(shown, [("name", "different"), ("tax_id", "different"), ("iban", "same")]);
        let names: Vec<_> =
            links[0].mentions.iter().map(|mention| (mention.document, mention.agreement.as_str())).collect();
        assert_eq!(names, [(Some(1), "same"), (Some(0), "same"), (Some(2), "different")]);
        let tax_ids: Vec<_> =
            links[1].mentions.iter().map(|mention| (mention.document, mention.agreement.as_str())).collect();
        assert_eq!(tax_ids, [(Some(1), "same"), (Some(0), "different"), (Some(3), "same"), (None, "same")]);
    }

    #[test]
    fn the_customer_of_an_invoice_is_compared_and_its_issuer_is_not() {
        let types = load_document_types(&Bundle::embedded_rules()).unwrap();
        let invoice = [
            ("supplier_tax_id", "B58818501"),
            ("customer_name", "Ana García López"),
            ("customer_tax_id", "12345678Z"),
        ];
        let claim = [("claimant_name", "Ana García López"), ("claimant_tax_id", "12345678Z")];
        let documents = [document("claim_form", &claim), document("repair_invoice", &invoice)];
        let links = linked(&types, &documents, &json!({}));
        let shown: Vec<_> = links
            .iter()
            .map(|link| (link.kin.as_str(), link.mentions.len(), link.agreement().as_str()))
            .collect();
        assert_eq!(shown, [("name", 2, "same"), ("tax_id", 2, "same")]);
    }

    #[test]
    fn what_stands_once_is_linked_with_nothing() {
        let types = load_document_types(&Bundle::embedded_rules()).unwrap();
        let documents = [document("bank_statement", &[("iban", "ES9121000418450200051332")])];
        assert_eq!(linked(&types, &documents, &json!({})), []);
    }
}
