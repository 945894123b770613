//! Changes of what was read.

use serde_json::json;

use super::rows::{self, RowsError};
use super::value::{Expected, expected, normalise};
use crate::config::DocumentTypeConfig;
use crate::domain::{CaseResult, Document, DocumentType, Field, Value};
use crate::store::{Correction, EventKind};

/// What a person changes. Documents are told by their place in the result, from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The field has this value; without a place it keeps the one that it had.
    Correct { document: usize, field: String, input: String, place: Option<Place> },
    /// The field is right as read.
    Confirm { document: usize, field: String },
    /// The document does not carry the field.
    Remove { document: usize, field: String },
    /// The document is of another type; its fields as read under that type come with it.
    Retype { document: usize, reread: Box<Document> },
    /// The document is several.
    Split { document: usize, parts: Vec<Document> },
}

/// Where a value stands: a page of a file, and a box as fractions of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub file: String,
    pub page: u32,
    pub bounds: [f64; 4],
    /// The words there.
    pub raw: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("the case has no document {0}")]
    NoDocument(usize),
    #[error("a {document_type} has no field {field}")]
    NoField { document_type: String, field: String },
    #[error("this is no {kind}")]
    NoValue { field: String, kind: &'static str },
    #[error(transparent)]
    NoRows(#[from] RowsError),
    #[error("the document has no page {page} of {file}")]
    NoPlace { file: String, page: u32 },
    #[error("there is no document type {0}")]
    NoType(String),
}

/// A changed result, not yet decided anew, with what is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    pub result: CaseResult,
    pub corrections: Vec<Correction>,
    pub event: (EventKind, serde_json::Value),
}

/// Applies a change. `new_id` names the correction.
///
/// # Errors
/// When it names something that is not there, or the text is no value of the field's kind.
pub fn change(
    types: &[DocumentTypeConfig],
    mut result: CaseResult,
    change: Change,
    new_id: String,
) -> Result<Changed, ChangeError> {
    let index = change.document();
    let document = result.documents.get_mut(index).ok_or(ChangeError::NoDocument(index))?;
    let done = |result, corrections, event| Ok(Changed { result, corrections, event });
    match change {
        Change::Correct { field, input, place, .. } => {
            let correction = correct(types, document, &field, &input, place, new_id)?;
            rows::check_again(document);
            let event = field_event(EventKind::Corrected, index, &correction);
            done(result, vec![correction], event)
        }
        Change::Confirm { field, .. } => {
            let document_type = document.document_type.as_str().to_owned();
            let found = document.fields.get_mut(&field);
            let found = found.ok_or_else(|| ChangeError::NoField {
                document_type: document_type.clone(),
                field: field.clone(),
            })?;
            let before = as_text(&found.value);
            let machine_confidence = (!found.entered).then_some(found.confidence);
            found.confirmed = true;
            let correction = Correction {
                id: new_id,
                document_type,
                field,
                kind: "confirmed".to_owned(),
                after: Some(before.clone()),
                before: Some(before),
                machine_confidence,
            };
            let event = field_event(EventKind::Confirmed, index, &correction);
            done(result, vec![correction], event)
        }
        Change::Remove { field, .. } => {
            let document_type = document.document_type.as_str().to_owned();
            let found = document.fields.remove(&field);
            let found = found.ok_or_else(|| ChangeError::NoField {
                document_type: document_type.clone(),
                field: field.clone(),
            })?;
            let correction = Correction {
                id: new_id,
                document_type,
                field,
                kind: "removed".to_owned(),
                before: Some(as_text(&found.value)),
                after: None,
                machine_confidence: (!found.entered).then_some(found.confidence),
            };
            let event = field_event(EventKind::Corrected, index, &correction);
            done(result, vec![correction], event)
        }
        Change::Retype { reread, .. } => {
            known_type(types, &reread.document_type)?;
            let detail = json!({"document": index, "from": document.document_type, "to": reread.document_type,
                                "confidence": document.type_confidence});
            *document = *reread;
            document.type_confidence = 1.0;
            done(result, Vec::new(), (EventKind::Retyped, detail))
        }
        Change::Split { parts, .. } => {
            for part in &parts {
                known_type(types, &part.document_type)?;
            }
            let into: Vec<_> =
                parts.iter().map(|part| json!({"type": part.document_type, "parts": part.parts})).collect();
            let detail = json!({"document": index, "from": document.document_type, "into": into});
            drop(result.documents.splice(index..=index, parts));
            done(result, Vec::new(), (EventKind::Retyped, detail))
        }
    }
}

impl Change {
    fn document(&self) -> usize {
        match self {
            Change::Correct { document, .. }
            | Change::Confirm { document, .. }
            | Change::Remove { document, .. }
            | Change::Retype { document, .. }
            | Change::Split { document, .. } => *document,
        }
    }
}

fn known_type(types: &[DocumentTypeConfig], name: &DocumentType) -> Result<(), ChangeError> {
    let known = name.is_unknown() || types.iter().any(|config| config.document_type == *name);
    if known { Ok(()) } else { Err(ChangeError::NoType(name.as_str().to_owned())) }
}

fn correct(
    types: &[DocumentTypeConfig],
    document: &mut Document,
    name: &str,
    input: &str,
    place: Option<Place>,
    new_id: String,
) -> Result<Correction, ChangeError> {
    let document_type = document.document_type.as_str().to_owned();
    let config = types.iter().find(|config| config.document_type == document.document_type);
    let expected = config.and_then(|config| expected(config, name)).ok_or_else(|| ChangeError::NoField {
        document_type: document_type.clone(),
        field: name.to_owned(),
    })?;
    let no_value = || ChangeError::NoValue { field: name.to_owned(), kind: expected.as_str() };
    let (value, checks) = match expected {
        // Which row is wrong must be told.
        Expected::Transactions => (Value::Transactions(rows::parse(input)?), Vec::new()),
        _ => normalise(&expected, input).ok_or_else(no_value)?,
    };
    if let Some(place) = &place {
        let on_document =
            |part: &crate::domain::Part| part.file == place.file && part.pages.contains(&place.page);
        if !document.parts.iter().any(on_document) {
            return Err(ChangeError::NoPlace { file: place.file.clone(), page: place.page });
        }
    }
    let before = document.fields.get(name);
    let correction = Correction {
        id: new_id,
        document_type,
        field: name.to_owned(),
        kind: if before.is_some() { "corrected" } else { "added" }.to_owned(),
        before: before.map(|field| as_text(&field.value)),
        after: Some(as_text(&value)),
        machine_confidence: before.filter(|field| !field.entered).map(|field| field.confidence),
    };
    // A value that is typed as it was read is the machine's, confirmed.
    let entered = before.is_none_or(|field| field.entered || field.value != value);
    let place = place.or_else(|| {
        before.map(|field| Place {
            file: field.file.clone(),
            page: field.page,
            bounds: field.bounds,
            raw: if entered { String::new() } else { field.raw.clone() },
        })
    });
    let place = place.unwrap_or_else(|| first_page(document));
    let field = Field {
        value,
        raw: place.raw,
        confidence: 1.0,
        page: place.page,
        file: place.file,
        bounds: place.bounds.map(|edge| edge.clamp(0.0, 1.0)),
        checks,
        repaired: false,
        confirmed: true,
        entered,
    };
    document.fields.insert(name.to_owned(), field);
    Ok(correction)
}

/// A value without a place stands nowhere on the document's first page.
fn first_page(document: &Document) -> Place {
    let part = document.parts.first();
    Place {
        file: part.map(|part| part.file.clone()).unwrap_or_default(),
        page: part.and_then(|part| part.pages.first().copied()).unwrap_or(1),
        bounds: [0.0; 4],
        raw: String::new(),
    }
}

fn as_text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What the history keeps: where and how, no value.
fn field_event(kind: EventKind, document: usize, correction: &Correction) -> (EventKind, serde_json::Value) {
    let detail = json!({
        "document": document, "type": correction.document_type, "field": correction.field,
        "kind": correction.kind, "correction": correction.id,
        "changed": correction.before != correction.after,
        "machine_confidence": correction.machine_confidence,
    });
    (kind, detail)
}
