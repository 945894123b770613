use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Document, Finding};

/// A loan application or a claim with all its documents read: what rules decide on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub reference: String,
    pub flow: String,
    /// The date that every age and expiry check uses.
    pub received_on: NaiveDate,
    /// `application.json` as submitted; an empty object without one.
    pub declared: serde_json::Value,
    pub documents: Vec<Document>,
    /// Findings on files of which no page could be read, by file name.
    #[serde(default)]
    pub unreadable: Vec<(String, Finding)>,
}

impl Case {
    /// What rules decide on again, of a case that was processed.
    pub fn of(result: &CaseResult, declared: &serde_json::Value) -> Self {
        let unreadable =
            result.findings.iter().map(|finding| (finding.file.clone(), finding.finding.clone()));
        Self {
            reference: result.reference.clone(),
            flow: result.flow.clone(),
            received_on: result.received_on,
            declared: declared.clone(),
            documents: result.documents.clone(),
            unreadable: unreadable.collect(),
        }
    }
}

/// What the machine, or a person, decided. Ordered by strength: a later one wins over an earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Accept,
    RequestDocuments,
    Review,
    Reject,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Accept => "accept",
            Outcome::RequestDocuments => "request_documents",
            Outcome::Review => "review",
            Outcome::Reject => "reject",
        }
    }
}

/// How a case got its final outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No person touched it.
    E2e,
    /// A person decided or corrected with what the machine had read.
    Hybrid,
    /// The machine contributed no usable field; people keyed it.
    Manual,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::E2e => "e2e",
            Mode::Hybrid => "hybrid",
            Mode::Manual => "manual",
        }
    }
}

/// Why: a code, a message for people, the rule that gave it and the fields it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub code: String,
    pub message: String,
    pub rule: String,
    /// `document_type.field`.
    pub fields: Vec<String>,
}

/// The rules' verdict on a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub outcome: Outcome,
    pub reasons: Vec<Reason>,
    /// Whatever variables the rules set; decimals as strings.
    pub outputs: BTreeMap<String, serde_json::Value>,
}

/// Milliseconds of work by stage, summed over the case's files and pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timings {
    pub decode: u64,
    pub ocr: u64,
    pub classify: u64,
    pub extract: u64,
    pub decide: u64,
    /// Wall-clock from intake to decision.
    pub total: u64,
}

/// What a processed case gives to the outside (contract, section 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    pub reference: String,
    pub flow: String,
    pub outcome: Outcome,
    /// Absent (null) until the outcome is final.
    pub mode: Option<Mode>,
    pub received_on: NaiveDate,
    pub reasons: Vec<Reason>,
    pub outputs: BTreeMap<String, serde_json::Value>,
    pub documents: Vec<Document>,
    /// Files of which nothing could be read, with why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FileFinding>,
    pub rules: Version,
    pub models: Version,
    pub pages: u32,
    pub timings_ms: Timings,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFinding {
    pub file: String,
    #[serde(flatten)]
    pub finding: Finding,
}

/// `sha256:…` of what was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub version: String,
}
