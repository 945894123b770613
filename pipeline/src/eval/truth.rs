//! What is right: the labels of a case.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, thiserror::Error)]
#[error("the label file {name} is not valid: {message}")]
pub struct TruthError {
    pub name: String,
    pub message: String,
}

/// The labels of one case. Keys that scoring does not need are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct TruthCase {
    pub reference: String,
    pub flow: String,
    /// `accept`, `reject`, `request_documents` or `review`.
    pub outcome: String,
    #[serde(default)]
    pub reasons: Vec<String>,
    #[serde(default)]
    pub documents: Vec<TruthDocument>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct TruthDocument {
    #[serde(rename = "type")]
    pub document_type: String,
    pub layout: String,
    /// The layout was looked at while the extractors were built.
    pub seen: bool,
    /// `born_digital`, `scan`, `photo`, `fax` or `mixed`.
    pub rendering: String,
    pub parts: Vec<TruthPart>,
    /// Normalised values of the fields that the document prints.
    pub fields: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct TruthPart {
    pub file: String,
    pub pages: Vec<u32>,
}

impl TruthCase {
    /// Reads a label file.
    ///
    /// # Errors
    /// When it is no JSON of that shape.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, TruthError> {
        serde_json::from_slice(bytes)
            .map_err(|error| TruthError { name: name.to_owned(), message: error.to_string() })
    }
}
