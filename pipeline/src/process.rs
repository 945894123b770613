//! START HERE: the way of a case, from files to a decision.
//!
//! The only place that knows the order of the stages:
//! intake → read (render, OCR, in a sandbox) → classify → extract → decide → record.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::NaiveDate;
use futures_util::future::join_all;
use serde_json::json;

use crate::classify::{LogicalDocument, PageOfFile, group};
use crate::confidence::ConfidenceCurves;
use crate::config::{Bundle, BundleError, DocumentTypeConfig, DocumentTypesError, load_document_types};
use crate::domain::{
    Case, CaseResult, Document, Field, FileFinding, Finding, Mode, Outcome, Part, Timings, Value, Version,
};
use crate::extract::{FieldReading, extract};
use crate::intake::CaseSource;
use crate::read::{ReadOutcome, Sandbox};
use crate::rules::{Flow, FlowError, Records, decide};
use crate::store::EventKind;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    DocumentTypes(#[from] DocumentTypesError),
    #[error(transparent)]
    Flow(#[from] FlowError),
    #[error("calibration.json of the models is not valid")]
    Curves(#[from] serde_json::Error),
}

/// Why a case could not be processed at all.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("no flow is known for this case: put it under a folder named after a flow, or name one with --flow")]
    NoFlow,
    #[error("there is no flow {0}")]
    UnknownFlow(String),
    #[error("cannot read its files")]
    Read(#[from] crate::read::SandboxError),
}

/// Everything that processing needs: rules, document types, curves, the sandbox.
#[derive(Debug)]
pub struct Engine {
    flows: BTreeMap<String, Flow>,
    types: Vec<DocumentTypeConfig>,
    curves: ConfidenceCurves,
    sandbox: Sandbox,
    rules_version: String,
    models_version: String,
}

/// A decided case with what happened to it, for the store.
#[derive(Debug)]
pub struct Processed {
    pub result: CaseResult,
    pub events: Vec<(EventKind, serde_json::Value)>,
}

impl Engine {
    /// Loads and checks all configuration, so that mistakes in it show before the first case.
    ///
    /// # Errors
    /// When a rule, a document type or a curve cannot be understood.
    pub fn load(rules: &Bundle, models: &Bundle, sandbox: Sandbox) -> Result<Self, EngineError> {
        let names = rules.folders().into_iter().filter(|name| rules.find(&format!("{name}/flow.toml")).is_some());
        let flows = names.map(|name| Ok((name.to_owned(), Flow::load(rules, name)?))).collect::<Result<_, FlowError>>()?;
        let curves = match models.find("calibration.json") {
            Some(bytes) => serde_json::from_slice(bytes)?,
            None => ConfidenceCurves::identity(),
        };
        Ok(Self {
            flows,
            types: load_document_types(rules)?,
            curves,
            sandbox,
            rules_version: rules.version(),
            models_version: models.version(),
        })
    }

    /// Leaves scores as they are, as fitting the curves needs them.
    #[must_use]
    pub fn without_calibration(mut self) -> Self {
        self.curves = ConfidenceCurves::identity();
        self
    }

    pub fn flow_names(&self) -> Vec<&str> {
        self.flows.keys().map(String::as_str).collect()
    }

    pub fn flow(&self, name: &str) -> Option<&Flow> {
        self.flows.get(name)
    }

    /// The whole way of one case. `today` stands in for a date of receipt that was not declared.
    ///
    /// # Errors
    /// When the flow is unknown or the sandbox itself fails; what cannot be read is a finding.
    pub async fn process(&self, source: &CaseSource, records: &dyn Records, today: NaiveDate) -> Result<Processed, ProcessError> {
        let started = Instant::now();
        let name = source.flow.as_deref().ok_or(ProcessError::NoFlow)?;
        let flow = self.flow(name).ok_or_else(|| ProcessError::UnknownFlow(name.to_owned()))?;
        let files = self.sandbox.unpack(source).await?;
        let readings = join_all(files.files.iter().map(|file| self.sandbox.read(file))).await;
        let readings: Vec<ReadOutcome> = readings.into_iter().collect::<Result<_, _>>()?;
        let mut timings = Timings::default();
        for reading in &readings {
            timings.decode += reading.timings.decode_ms;
            timings.ocr += reading.timings.ocr_ms;
        }
        let documents = self.understand(&readings, &mut timings);
        let case = Case {
            reference: source.reference.clone(),
            flow: name.to_owned(),
            received_on: received_on(files.application.as_ref(), today),
            declared: files.application.unwrap_or_else(|| json!({})),
            documents,
            unreadable: unreadable(&files.findings, &readings),
        };
        let deciding = Instant::now();
        let decision = decide(flow, &case, records);
        timings.decide = milliseconds(deciding);
        timings.total = milliseconds(started);
        let result = CaseResult {
            mode: mode_of(decision.outcome),
            outcome: decision.outcome,
            reasons: decision.reasons,
            outputs: decision.outputs,
            findings: findings_of(case.unreadable),
            reference: case.reference,
            flow: case.flow,
            received_on: case.received_on,
            documents: case.documents,
            rules: Version { version: self.rules_version.clone() },
            models: Version { version: self.models_version.clone() },
            pages: page_count(&readings),
            timings_ms: timings,
        };
        let events = events_of(&readings, &result);
        Ok(Processed { result, events })
    }

    /// Groups the pages of files to documents and reads their fields.
    pub fn understand(&self, readings: &[ReadOutcome], timings: &mut Timings) -> Vec<Document> {
        let pages: Vec<PageOfFile<'_>> = readings
            .iter()
            .enumerate()
            .flat_map(|(file, reading)| reading.reading.pages.iter().map(move |page| PageOfFile { file, page }))
            .collect();
        let classifying = Instant::now();
        let drafts = group(&pages, &self.types);
        timings.classify += milliseconds(classifying);
        let extracting = Instant::now();
        let documents = drafts.iter().map(|draft| self.document_of(draft, readings)).collect();
        timings.extract += milliseconds(extracting);
        documents
    }

    fn document_of(&self, draft: &LogicalDocument<'_>, readings: &[ReadOutcome]) -> Document {
        let config = self.types.iter().find(|config| config.document_type == draft.document_type);
        let pages: Vec<_> = draft.pages.iter().map(|page| page.page).collect();
        let read = config.map(|config| extract(config, &pages)).unwrap_or_default();
        let fields = read.into_iter().filter_map(|(name, reading)| {
            let field = self.field_of(&name, reading, draft, readings)?;
            Some((name, field))
        });
        Document {
            document_type: draft.document_type.clone(),
            type_confidence: draft.type_confidence,
            fields: fields.collect(),
            parts: parts_of(draft, readings),
            findings: findings_on(draft, readings),
        }
    }

    fn field_of(&self, name: &str, reading: FieldReading, draft: &LogicalDocument<'_>, readings: &[ReadOutcome]) -> Option<Field> {
        let place = draft.pages.get(reading.page_index)?;
        let document_type = draft.document_type.as_str();
        let confidence = |score| self.curves.confidence(place.page.source, document_type, name, score);
        Some(Field {
            value: self.place_rows(reading.value, draft, readings),
            raw: reading.raw,
            confidence: confidence(reading.score),
            page: place.page.number,
            file: readings.get(place.file)?.name.clone(),
            bounds: reading.bounds.as_fractions(place.page.width, place.page.height),
            checks: reading.checks,
            repaired: reading.repaired,
            confirmed: false,
        })
    }

    /// Rows come with the index of their page in the document; here they get file and page.
    fn place_rows(&self, value: Value, draft: &LogicalDocument<'_>, readings: &[ReadOutcome]) -> Value {
        let Value::Transactions(mut rows) = value else { return value };
        for row in &mut rows {
            let index = usize::try_from(row.page).unwrap_or(1).saturating_sub(1);
            let Some(place) = draft.pages.get(index) else { continue };
            row.page = place.page.number;
            row.file = readings.get(place.file).map(|reading| reading.name.clone()).unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, reason = "a probability")]
            let score = row.confidence as f32;
            row.confidence = self.curves.confidence(place.page.source, draft.document_type.as_str(), "transactions", score);
        }
        Value::Transactions(rows)
    }
}

fn received_on(declared: Option<&serde_json::Value>, today: NaiveDate) -> NaiveDate {
    let date = declared.and_then(|declared| declared["received_on"].as_str());
    date.and_then(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()).unwrap_or(today)
}

fn mode_of(outcome: Outcome) -> Option<Mode> {
    matches!(outcome, Outcome::Accept | Outcome::Reject).then_some(Mode::E2e)
}

fn parts_of(draft: &LogicalDocument<'_>, readings: &[ReadOutcome]) -> Vec<Part> {
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for place in &draft.pages {
        match parts.last_mut() {
            Some((file, part)) if *file == place.file => part.pages.push(place.page.number),
            _ => {
                let Some(reading) = readings.get(place.file) else { continue };
                let part = Part { file: reading.name.clone(), sha256: reading.sha256.clone(), pages: vec![place.page.number] };
                parts.push((place.file, part));
            }
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// Findings on the pages of a document, and on its files as a whole.
fn findings_on(draft: &LogicalDocument<'_>, readings: &[ReadOutcome]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, reading) in readings.iter().enumerate() {
        let numbers: Vec<u32> =
            draft.pages.iter().filter(|place| place.file == index).map(|place| place.page.number).collect();
        if numbers.is_empty() {
            continue;
        }
        let concerns = |finding: &&Finding| finding.page.is_none_or(|page| numbers.contains(&page));
        findings.extend(reading.reading.findings.iter().filter(concerns).cloned());
    }
    findings
}

/// Findings that no document can carry: on files without pages, and on pages that were not read.
fn unreadable(intake: &[(String, Finding)], readings: &[ReadOutcome]) -> Vec<(String, Finding)> {
    let mut unreadable = intake.to_vec();
    for reading in readings {
        let was_read = |page: u32| reading.reading.pages.iter().any(|read| read.number == page);
        let lost = |finding: &&Finding| match finding.page {
            Some(page) => !was_read(page),
            None => reading.reading.pages.is_empty(),
        };
        let lost = reading.reading.findings.iter().filter(lost);
        unreadable.extend(lost.map(|finding| (reading.name.clone(), finding.clone())));
    }
    unreadable
}

fn findings_of(unreadable: Vec<(String, Finding)>) -> Vec<FileFinding> {
    unreadable.into_iter().map(|(file, finding)| FileFinding { file, finding }).collect()
}

fn page_count(readings: &[ReadOutcome]) -> u32 {
    let pages: usize = readings.iter().map(|reading| reading.reading.pages.len()).sum();
    u32::try_from(pages).unwrap_or(u32::MAX)
}

/// What the audit trail keeps: names, hashes and codes, no field value.
fn events_of(readings: &[ReadOutcome], result: &CaseResult) -> Vec<(EventKind, serde_json::Value)> {
    let files: Vec<_> = readings.iter().map(|reading| json!({"name": reading.name, "sha256": reading.sha256})).collect();
    let documents: Vec<_> =
        result.documents.iter().map(|document| json!({"type": document.document_type, "parts": document.parts})).collect();
    let findings: Vec<_> = result.findings.iter().map(|finding| json!({"file": finding.file, "code": finding.finding.code})).collect();
    let reasons: Vec<_> =
        result.reasons.iter().map(|reason| json!({"code": reason.code, "rule": reason.rule, "fields": reason.fields})).collect();
    vec![
        (EventKind::Received, json!({"files": files, "received_on": result.received_on})),
        (EventKind::Read, json!({"documents": documents, "findings": findings, "models": result.models.version})),
        (EventKind::Decided, json!({"outcome": result.outcome, "reasons": reasons, "rules": result.rules.version})),
    ]
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
