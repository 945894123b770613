//! Document type and pages in, typed fields out.
//!
//! Readers here see words with positions and know what the words of a document mean; they must not
//! know files, cases, rules or any issuer's template.

pub mod parse;
pub mod mrz;
pub mod identity;
pub mod statement;
pub mod candidates;
pub mod labels;
pub mod signature;
pub mod kinds;

use std::collections::BTreeMap;

use crate::config::DocumentTypeConfig;
use crate::domain::{Check, Page, Rect, Value};

/// One field as a reader found it, before calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldReading {
    pub value: Value,
    /// The text as it stands on the page.
    pub raw: String,
    /// 0 to 1, monotone evidence that the value is right; not a probability.
    pub score: f32,
    /// Index into the document's pages, from 0.
    pub page_index: usize,
    /// In page units.
    pub bounds: Rect,
    pub checks: Vec<Check>,
    /// A check digit chose among the recogniser's runner-ups.
    pub repaired: bool,
}

/// All fields of a document of this type, by name. `pages` are the document's, in reading order.
pub fn extract(config: &DocumentTypeConfig, pages: &[&Page]) -> BTreeMap<String, FieldReading> {
    let mut fields = kinds::read_document(config, pages);
    let named = |reader: &str| config.fields.iter().any(|field| field.reader.as_deref() == Some(reader));
    if named("statement") {
        statement::read(pages, &mut fields);
    }
    if named("identity") {
        identity::read(pages, &mut fields);
    }
    fields
}
