//! The document types as configuration: `rules/documents/<type>.toml`. What a type is called, which
//! phrases tell it, which fields it carries and how they are labelled. Knows nothing of pages.

use serde::Deserialize;

use super::{Bundle, BundleError};
use crate::domain::DocumentType;

#[derive(Debug, thiserror::Error)]
pub enum DocumentTypesError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("{file} does not follow the form of a document type")]
    Form { file: String, source: Box<toml::de::Error> },
    #[error("{file}: {problem}")]
    Meaning { file: String, problem: String },
}

/// Everything that the pipeline knows of one document type.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentTypeConfig {
    #[serde(rename = "type")]
    pub document_type: DocumentType,
    pub title: Titles,
    /// Phrases that speak for or against the type, for classification.
    #[serde(default, rename = "anchor")]
    pub anchors: Vec<Anchor>,
    /// The people and companies that a document of this type names.
    #[serde(default, rename = "party")]
    pub parties: Vec<Party>,
    #[serde(default, rename = "field")]
    pub fields: Vec<FieldConfig>,
    /// What must hold between fields of one document.
    #[serde(default, rename = "agreement")]
    pub agreements: Vec<Agreement>,
    /// Labels of things that are no field but look like one; they draw such values to themselves.
    #[serde(default)]
    pub other_labels: Vec<String>,
    /// Headings of tables whose amounts are never a field by themselves.
    #[serde(default)]
    pub other_sections: Vec<String>,
}

/// What people see.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Titles {
    pub es: String,
    pub en: String,
}

/// A phrase that tells a document type. Compared without case, accents and punctuation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    pub text: String,
    /// How telling: 1 a hint that other types share, 2 a label of this type, 4 a heading that names it.
    #[serde(default = "one")]
    pub weight: f32,
    /// The phrase speaks against the type.
    #[serde(default)]
    pub negative: bool,
}

/// A role on a document, such as the employer: where its block of name, tax id and address begins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    pub name: String,
    #[serde(default)]
    pub headings: Vec<String>,
    /// The issuer: what stands at the top of the first page without a heading is about it.
    #[serde(default)]
    pub letterhead: bool,
}

/// One field: its kind, its labels, and whom it is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldConfig {
    pub name: String,
    pub kind: FieldKind,
    /// Synonyms of the label. Compared without case, accents and punctuation; small OCR errors pass.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Labels that fit only in the block of the field's party, such as a bare `NIF`.
    #[serde(default)]
    pub party_labels: Vec<String>,
    /// Headings of a column whose total is the value.
    #[serde(default)]
    pub column_labels: Vec<String>,
    /// Labels of one end of a period, such as `desde`; its value is a single date.
    #[serde(default)]
    pub edge_labels: Vec<String>,
    /// Phrases that stand right after the value in running text, such as `meses`.
    #[serde(default)]
    pub labels_after: Vec<String>,
    /// Labels of look-alikes: their value is never this field's.
    #[serde(default)]
    pub not_labels: Vec<String>,
    /// A date that may stand without a label in the line of place and date over the signatures.
    #[serde(default)]
    pub dateline: bool,
    /// The title of the document may stand for its label: `Factura 2026/17 de 3 de marzo`.
    #[serde(default)]
    pub title: bool,
    /// The party that the field is about.
    #[serde(default)]
    pub party: Option<String>,
    /// For an enumeration or check boxes: the words that stand for each value.
    #[serde(default, rename = "choice")]
    pub choices: Vec<Choice>,
    /// A regular expression that the whole value must match (identifiers).
    #[serde(default)]
    pub pattern: Option<String>,
    /// Smallest and largest plausible value of a number or amount.
    #[serde(default)]
    pub minimum: Option<f64>,
    #[serde(default)]
    pub maximum: Option<f64>,
    /// The part of the code that reads the field instead of the labels: `mrz`, `statement`…
    #[serde(default)]
    pub reader: Option<String>,
}

/// What a value looks like and how it is normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// An amount of money with its cents.
    Money,
    /// The currency of the document's amounts.
    Currency,
    Date,
    /// First day of a period that is printed as two dates or as a month.
    PeriodStart,
    /// Last day of a period.
    PeriodEnd,
    Iban,
    Bic,
    /// DNI, NIE or the tax id of a company, told apart by the party.
    TaxId,
    /// DNI or NIE.
    PersonTaxId,
    /// CIF.
    CompanyTaxId,
    /// Spanish social security number.
    Naf,
    Cups,
    /// Name of a person.
    Person,
    /// Name of a company.
    Company,
    /// Name of a person or of a company.
    Party,
    /// A code of letters, digits and separators with at least one digit.
    Identifier,
    /// A whole number.
    Integer,
    /// A duration, as a number of months; years count twelve.
    Months,
    /// A rate in percent.
    Percent,
    /// A decimal number that keeps its digits, such as kWh or a price per unit.
    Quantity,
    /// The rest of the line or cell.
    Text,
    /// Several lines of running text.
    Paragraph,
    /// One of `choice`, by its words in the value or by a marked box.
    Choice,
    /// Whether a party signed.
    Signature,
    /// Read by code (`reader`).
    Reader,
}

/// One value of an enumeration with the words that stand for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub value: String,
    pub words: Vec<String>,
}

/// What must hold between fields; agreement raises their score, disagreement lowers it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "rule")]
pub enum Agreement {
    /// `total` is the sum of `parts`.
    Sum { total: String, parts: Vec<String> },
    /// Dates or amounts that do not fall from one to the next.
    Order { fields: Vec<String> },
    /// Two dates in order, less than `most_days` days apart.
    Period { start: String, end: String, most_days: i64 },
    /// `instalment` repays `principal` at `rate` percent a year in `term` months.
    Annuity { principal: String, rate: String, term: String, instalment: String },
    /// `total` lies between 1 and `most` times `term` × `instalment`.
    Instalments { total: String, term: String, instalment: String, most: f64 },
    /// `apr` is what the loan costs a year, with or without a fee at its start.
    EffectiveRate { apr: String, principal: String, rate: String, term: String, instalment: String },
    /// `quantity` × `price`, rounded to the cent, stands on the paper among the values that `amount` could have.
    Product { price: String, quantity: String, amount: String },
    /// `part` is one of the usual shares (`rates`, in percent) of `whole`.
    Share { whole: String, part: String, rates: Vec<f64> },
}

fn one() -> f32 {
    1.0
}

/// All document types of a bundle, by file name.
///
/// # Errors
/// When a file is missing its form, names an unknown party or gives a pattern that is no expression.
pub fn load_document_types(bundle: &Bundle) -> Result<Vec<DocumentTypeConfig>, DocumentTypesError> {
    let mut types = Vec::new();
    for name in bundle.names_in("documents").filter(|name| name.ends_with(".toml")) {
        types.push(parse_document_type(name, bundle.text(name)?)?);
    }
    Ok(types)
}

/// One document type from the text of its file.
pub fn parse_document_type(file: &str, text: &str) -> Result<DocumentTypeConfig, DocumentTypesError> {
    let config: DocumentTypeConfig = toml::from_str(text)
        .map_err(|source| DocumentTypesError::Form { file: file.to_owned(), source: Box::new(source) })?;
    match problem_of(&config) {
        Some(problem) => Err(DocumentTypesError::Meaning { file: file.to_owned(), problem }),
        None => Ok(config),
    }
}

fn problem_of(config: &DocumentTypeConfig) -> Option<String> {
    let is_field = |name: &String| config.fields.iter().any(|field| field.name == *name);
    for field in &config.fields {
        let name = &field.name;
        if let Some(party) = &field.party
            && !config.parties.iter().any(|known| known.name == *party)
        {
            return Some(format!("field {name} is about {party}, which is no [[party]]"));
        }
        if let Some(pattern) = &field.pattern
            && regex::Regex::new(pattern).is_err()
        {
            return Some(format!("the pattern of field {name} is no regular expression"));
        }
        if field.kind == FieldKind::Reader && field.reader.is_none() {
            return Some(format!("field {name} names no reader"));
        }
        if field.kind == FieldKind::Choice && field.choices.is_empty() {
            return Some(format!("field {name} has no choice"));
        }
    }
    let unknown = config.agreements.iter().flat_map(Agreement::fields).find(|name| !is_field(name));
    unknown.map(|name| format!("an agreement names {name}, which is no field"))
}

impl Agreement {
    /// The names of the fields it speaks of.
    pub fn fields(&self) -> Vec<&String> {
        match self {
            Agreement::Sum { total, parts } => std::iter::once(total).chain(parts).collect(),
            Agreement::Order { fields } => fields.iter().collect(),
            Agreement::Period { start, end, .. } => vec![start, end],
            Agreement::Annuity { principal, rate, term, instalment } => {
                vec![principal, rate, term, instalment]
            }
            Agreement::Instalments { total, term, instalment, .. } => vec![total, term, instalment],
            Agreement::Product { price, quantity, amount } => vec![price, quantity, amount],
            Agreement::Share { whole, part, .. } => vec![whole, part],
            Agreement::EffectiveRate { apr, principal, rate, term, instalment } => {
                vec![apr, principal, rate, term, instalment]
            }
        }
    }
}

impl DocumentTypeConfig {
    /// The configuration of a field.
    pub fn field(&self, name: &str) -> Option<&FieldConfig> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether the field is about the party that issues the document.
    pub fn is_issuers(&self, field: &FieldConfig) -> bool {
        self.parties.iter().any(|party| party.letterhead && Some(&party.name) == field.party.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_types_load() {
        let types = load_document_types(&Bundle::embedded_rules()).unwrap();
        let names: Vec<&str> = types.iter().map(|config| config.document_type.as_str()).collect();
        for name in [
            "bank_statement",
            "claim_form",
            "contract",
            "energy_invoice",
            "id_card",
            "passport",
            "payslip",
            "police_report",
            "repair_invoice",
        ] {
            assert!(names.contains(&name), "{name} is missing");
        }
    }

    #[test]
    fn a_field_of_an_unknown_party_is_refused() {
        let text = r#"
            type = "letter"
            title = { es = "Carta", en = "Letter" }
            [[field]]
            name = "sender"
            kind = "person"
            party = "sender"
        "#;
        let error = parse_document_type("documents/letter.toml", text).unwrap_err();
        assert!(error.to_string().contains("no [[party]]"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = r#"
            type = "letter"
            title = { es = "Carta", en = "Letter" }
            colour = "red"
        "#;
        assert!(parse_document_type("documents/letter.toml", text).is_err());
    }
}
