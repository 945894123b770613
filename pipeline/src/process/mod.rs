//! START HERE: the way of a case, from files to a decision.
//!
//! The only place that knows the order of the stages:
//! intake → read (render, OCR, in a sandbox) → classify → extract → link → decide → record.

mod engine;

use std::path::PathBuf;
use std::time::Instant;

use chrono::NaiveDate;
use serde_json::json;
use tracing::Instrument as _;

use crate::dispatch::{DispatchError, given_up};
use crate::domain::{Case, CaseResult, Document, FileFinding, Finding, Mode, Outcome, Timings, Version};
use crate::intake::{CaseSource, SourceFile, hash_file};
use crate::link::{complete, corroborate, doubt_near_names};
use crate::read::SandboxError;
use crate::rules::{Flow, RecordSource, decide_with};
use crate::store::EventKind;
use crate::understand::FilePages;

pub use engine::{Engine, EngineError, ReadCase, ReadFile};

/// Why a case could not be processed at all.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(
        "no flow is known for this case: put it under a folder named after a flow, or name one with --flow"
    )]
    NoFlow,
    #[error("there is no flow {0}")]
    UnknownFlow(String),
    #[error("cannot read its files")]
    Read(#[from] DispatchError),
    #[error("cannot open its archives or draw its pages")]
    Open(#[from] SandboxError),
    #[error("cannot make a folder for the members of its archives")]
    Scratch(#[source] std::io::Error),
    #[error("cannot read {path}")]
    File { path: PathBuf, source: std::io::Error },
}

/// A decided case with what happened to it, for the store.
#[derive(Debug)]
pub struct Processed {
    pub result: CaseResult,
    pub events: Vec<(EventKind, serde_json::Value)>,
    /// Pages by file hash.
    pub page_counts: Vec<(String, u32)>,
}

/// What is done to find out what stands in a case's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Read,
    /// Nobody could read them: the case is decided with nothing read, which sends it to a person.
    GivenUp,
}

impl Engine {
    /// The whole way of one case. `today` stands in for a date of receipt that was not declared.
    ///
    /// # Errors
    /// When the flow is unknown or the sandbox itself fails; what cannot be read is a finding.
    pub async fn process(
        &self,
        source: &CaseSource,
        records: &dyn RecordSource,
        today: NaiveDate,
    ) -> Result<Processed, ProcessError> {
        self.process_with(source, Effort::Read, records, today, |_| {}).await
    }

    /// As [`Engine::process`], with or without reading; `carry` puts what people said into the documents before rules run.
    ///
    /// # Errors
    /// When the flow is unknown or, in reading, the sandbox itself fails.
    pub async fn process_with(
        &self,
        source: &CaseSource,
        effort: Effort,
        records: &dyn RecordSource,
        today: NaiveDate,
        carry: impl FnOnce(&mut Vec<Document>),
    ) -> Result<Processed, ProcessError> {
        let started = Instant::now();
        let flow = self.flow_of(source)?;
        let scratch;
        let readings = match effort {
            Effort::Read => {
                scratch = self.scratch_folder().map_err(ProcessError::Scratch)?;
                let reading = tracing::info_span!("read", files = source.files.len());
                self.read(source, scratch.path()).instrument(reading).await?
            }
            Effort::GivenUp => unread(source.clone()).await,
        };
        Ok(self.decide(flow, readings, records, today, carry, started).await)
    }

    fn flow_of(&self, source: &CaseSource) -> Result<&Flow, ProcessError> {
        let name = source.flow.as_deref().ok_or(ProcessError::NoFlow)?;
        self.flow(name).ok_or_else(|| ProcessError::UnknownFlow(name.to_owned()))
    }

    /// What comes after reading.
    async fn decide(
        &self,
        flow: &Flow,
        readings: ReadCase,
        records: &dyn RecordSource,
        today: NaiveDate,
        carry: impl FnOnce(&mut Vec<Document>),
        started: Instant,
    ) -> Processed {
        let ReadCase { source, files } = readings;
        let mut timings = Timings::default();
        for file in &files {
            timings.decode += file.outcome.timings.decode_us / 1000;
            timings.ocr += file.outcome.timings.ocr_us / 1000;
        }
        let pages: Vec<FilePages<'_>> = files.iter().map(ReadFile::pages).collect();
        let understanding = tracing::info_span!("understand", pages = page_count(&files));
        let documents = understanding.in_scope(|| self.understanding.documents(&pages, &mut timings));
        let mut case = Case {
            reference: source.reference.clone(),
            flow: flow.name.clone(),
            received_on: received_on(source.application.as_ref(), today),
            declared: source.application.unwrap_or_else(|| json!({})),
            documents,
            unreadable: unreadable(&source.findings, &files),
        };
        let deciding = Instant::now();
        if self.calibrated {
            corroborate(&mut case);
            let readings: Vec<_> = pages.iter().map(|file| (file.name, file.reading)).collect();
            complete(&mut case, &readings);
            doubt_near_names(&mut case, &readings);
        }
        carry(&mut case.documents);
        let deciding_by_rules = tracing::info_span!("decide", flow = flow.name);
        let decision = decide_with(flow, &case, records).instrument(deciding_by_rules).await;
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
            pages: page_count(&files),
            timings_ms: timings,
        };
        let events = events_of(&files, &result);
        let pages = |file: &ReadFile| (file.sha256.clone(), file.outcome.page_count);
        Processed { result, events, page_counts: files.iter().map(pages).collect() }
    }

    /// Runs the rules again on a result whose documents a person changed.
    ///
    /// # Errors
    /// When its flow is no longer there.
    pub async fn decide_again(
        &self,
        result: &mut CaseResult,
        declared: &serde_json::Value,
        records: &dyn RecordSource,
    ) -> Result<(), ProcessError> {
        let flow = self.flow(&result.flow).ok_or_else(|| ProcessError::UnknownFlow(result.flow.clone()))?;
        let decision = decide_with(flow, &Case::of(result, declared), records).await;
        result.outcome = decision.outcome;
        result.reasons = decision.reasons;
        result.outputs = decision.outputs;
        // Final is what a person makes of it.
        result.mode = None;
        result.rules.version.clone_from(&self.rules_version);
        Ok(())
    }
}

/// The case with nothing read in its files.
async fn unread(source: CaseSource) -> ReadCase {
    let mut files = Vec::new();
    for SourceFile { name, path } in source.files.clone() {
        // That its bytes are gone may be why.
        let sha256 = hash_file(&path).await.unwrap_or_default();
        files.push(ReadFile { name, path, sha256, outcome: given_up() });
    }
    ReadCase { source, files }
}

fn received_on(declared: Option<&serde_json::Value>, today: NaiveDate) -> NaiveDate {
    let date = declared.and_then(|declared| declared["received_on"].as_str());
    date.and_then(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()).unwrap_or(today)
}

fn mode_of(outcome: Outcome) -> Option<Mode> {
    matches!(outcome, Outcome::Accept | Outcome::Reject).then_some(Mode::E2e)
}

/// Findings that no document can carry: on files without pages, and on pages that were not read.
fn unreadable(intake: &[(String, Finding)], files: &[ReadFile]) -> Vec<(String, Finding)> {
    let mut unreadable = intake.to_vec();
    for file in files {
        let was_read = |page: u32| file.outcome.reading.pages.iter().any(|read| read.number == page);
        let lost = |finding: &&Finding| match finding.page {
            Some(page) => !was_read(page),
            None => file.outcome.reading.pages.is_empty(),
        };
        let lost = file.outcome.reading.findings.iter().filter(lost);
        unreadable.extend(lost.map(|finding| (file.name.clone(), finding.clone())));
    }
    unreadable
}

fn findings_of(unreadable: Vec<(String, Finding)>) -> Vec<FileFinding> {
    unreadable.into_iter().map(|(file, finding)| FileFinding { file, finding }).collect()
}

fn page_count(files: &[ReadFile]) -> u32 {
    let pages: usize = files.iter().map(|file| file.outcome.reading.pages.len()).sum();
    u32::try_from(pages).unwrap_or(u32::MAX)
}

/// What the audit trail keeps: names, hashes and codes, no field value.
fn events_of(files: &[ReadFile], result: &CaseResult) -> Vec<(EventKind, serde_json::Value)> {
    let files: Vec<_> = files.iter().map(|file| json!({"name": file.name, "sha256": file.sha256})).collect();
    let documents: Vec<_> = result
        .documents
        .iter()
        .map(|document| json!({"type": document.document_type, "parts": document.parts}))
        .collect();
    let findings: Vec<_> = result
        .findings
        .iter()
        .map(|finding| json!({"file": finding.file, "code": finding.finding.code}))
        .collect();
    let reasons: Vec<_> = result
        .reasons
        .iter()
        .map(|reason| json!({"code": reason.code, "rule": reason.rule, "fields": reason.fields}))
        .collect();
    vec![
        (EventKind::Received, json!({"files": files, "received_on": result.received_on})),
        (
            EventKind::Read,
            json!({"documents": documents, "findings": findings, "models": result.models.version}),
        ),
        (
            EventKind::Decided,
            json!({"outcome": result.outcome, "reasons": reasons, "rules": result.rules.version}),
        ),
    ]
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
