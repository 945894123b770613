//! The labels: what a perfect reader and a careful clerk would answer.

use serde_json::{Value, json};

use crate::dates::iso;
use crate::package::Package;
use crate::policy::Outcome;
use crate::scenario::Case;

pub fn truth(case: &Case, package: &Package) -> Value {
    let documents: Vec<Value> = case
        .documents
        .iter()
        .zip(&package.placed)
        .map(|(planned, placed)| {
            let parts: Vec<Value> =
                placed.parts.iter().map(|(file, pages)| json!({"file": file, "pages": pages})).collect();
            json!({
                "type": planned.doc.kind, "layout": planned.layout.name, "seen": planned.layout.seen,
                "rendering": placed.rendering.name(), "dpi": placed.dpi, "encrypted": placed.encrypted,
                "language": planned.layout.language(), "parts": parts, "fields": planned.printed(),
            })
        })
        .collect();
    let by_machine = case.decision.outcome != Outcome::Review;
    json!({
        "reference": case.reference, "flow": case.flow.name(), "received_on": iso(case.received_on),
        "outcome": case.decision.outcome.name(), "mode_possible": if by_machine { "e2e" } else { "person" },
        "reasons": case.decision.codes, "outputs": case.decision.outputs, "scenario": case.story, "documents": documents,
    })
}
