//! Documents and cases for the tests of this module.

use crate::domain::{Case, Document, DocumentType, Field, Part, Value};

/// A document on page 1 of a file that is called like its type, with text fields and their confidence.
pub(super) fn document(document_type: &str, fields: &[(&str, &str, f64)]) -> Document {
    let fields = fields.iter().map(|(name, text, confidence)| {
        let field = Field {
            value: Value::Text((*text).to_owned()),
            raw: (*text).to_owned(),
            confidence: *confidence,
            page: 1,
            file: document_type.to_owned(),
            bounds: [0.0; 4],
            checks: Vec::new(),
            repaired: false,
            confirmed: false,
            entered: false,
        };
        ((*name).to_owned(), field)
    });
    Document {
        document_type: DocumentType::new(document_type),
        type_confidence: 1.0,
        parts: vec![Part { file: document_type.to_owned(), sha256: String::new(), pages: vec![1] }],
        fields: fields.collect(),
        findings: Vec::new(),
    }
}

pub(super) fn case(documents: Vec<Document>, declared: serde_json::Value) -> Case {
    Case {
        reference: String::new(),
        flow: String::new(),
        received_on: "2026-03-14".parse().unwrap(),
        declared,
        documents,
        unreadable: Vec::new(),
    }
}
