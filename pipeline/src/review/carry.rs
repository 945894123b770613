//! What people said about documents outlives a new reading of the case.

use crate::domain::{CaseResult, Document};

/// Puts confirmed and entered fields, and types that a person gave, into the documents as they were
/// read anew. A document is the same when it is made of the same pages of the same bytes.
pub fn carry_over(before: &CaseResult, documents: &mut [Document]) {
    for old in &before.documents {
        let same = documents.iter_mut().find(|document| is_same(old, document));
        let Some(document) = same else { continue };
        // Fields without confirmation are the machine's; those of the new reading are as good.
        let confirmed = old.fields.iter().filter(|(_, field)| field.confirmed);
        let retyped = old.document_type != document.document_type && old.type_confidence >= 1.0;
        if retyped {
            *document = old.clone();
            continue;
        }
        if old.document_type == document.document_type {
            for (name, field) in confirmed {
                document.fields.insert(name.clone(), field.clone());
            }
        }
    }
}

fn is_same(left: &Document, right: &Document) -> bool {
    let pages = |document: &Document| -> Vec<(String, Vec<u32>)> {
        document.parts.iter().map(|part| (part.sha256.clone(), part.pages.clone())).collect()
    };
    pages(left) == pages(right)
}
