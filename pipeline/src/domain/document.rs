use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Field, Finding, Page};

/// The name of a document type, such as `payslip`; `unknown` when nothing fits. Types are
/// configuration (`rules/documents/*.toml`), so this is no enum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentType(String);

impl DocumentType {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    pub fn is_unknown(&self) -> bool {
        self.0 == "unknown"
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One submitted logical document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    #[serde(rename = "type")]
    pub document_type: DocumentType,
    #[serde(serialize_with = "super::field::three_places")]
    pub type_confidence: f64,
    /// Every file and the pages of it that make the document up.
    pub parts: Vec<Part>,
    pub fields: BTreeMap<String, Field>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Name as submitted; a member of an archive is `archive.zip/member.pdf`.
    pub file: String,
    /// Lower-case hex.
    pub sha256: String,
    /// From 1.
    pub pages: Vec<u32>,
}

/// What reading one file gave: its pages in order, and what could not be read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FileReading {
    pub pages: Vec<Page>,
    pub findings: Vec<Finding>,
}
