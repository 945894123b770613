//! START HERE: the way of a case, from files to a decision.
//!
//! The only place that knows the order of the stages:
//! intake → read (render, OCR, in a sandbox) → classify → extract → link → decide → record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use chrono::NaiveDate;
use futures_util::future::join_all;
use serde_json::json;

use crate::classify::WordModel;
use crate::confidence::ConfidenceModel;
use crate::config::{Bundle, BundleError, DocumentTypesError, load_document_types};
use crate::dispatch::{Dispatch, DispatchError, FileToRead, Local, given_up};
use crate::domain::{Case, CaseResult, Document, FileFinding, Finding, Mode, Outcome, Timings, Version};
use crate::intake::{CaseSource, SourceFile, hash_file};
use crate::link::{complete, corroborate};
use crate::read::{FileOutcome, PageImage, ReadOptions, ReadingCache, Sandbox, SandboxError};
use crate::rules::{Flow, RecordSource, RulesError, decide_with};
use crate::store::{EventKind, Keyring};
use crate::understand::{FilePages, Understanding};

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    DocumentTypes(#[from] DocumentTypesError),
    #[error(transparent)]
    Flow(#[from] RulesError),
    #[error("calibration.json of the models is not valid")]
    Confidence(#[source] serde_json::Error),
    #[error("page-types.json of the models is not valid")]
    PageTypes(#[source] serde_json::Error),
}

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

/// Everything that processing needs: rules, document types, the confidence model, the sandbox.
#[derive(Debug)]
pub struct Engine {
    flows: BTreeMap<String, Flow>,
    understanding: Understanding,
    /// Opens archives and draws pages, here.
    sandbox: Sandbox,
    /// Has files read, here or elsewhere.
    dispatch: Arc<dyn Dispatch>,
    options: ReadOptions,
    /// Where members of archives are for as long as their case is worked on.
    scratch: Option<PathBuf>,
    cache: Option<ReadingCache>,
    calibrated: bool,
    rules_version: String,
    models_version: String,
    /// Of the models that reading rests on: confidence comes after it.
    reading_version: String,
}

/// A decided case with what happened to it, for the store.
#[derive(Debug)]
pub struct Processed {
    pub result: CaseResult,
    pub events: Vec<(EventKind, serde_json::Value)>,
    /// Pages by file hash.
    pub page_counts: Vec<(String, u32)>,
}

/// A case with its archives opened and its files read.
#[derive(Debug)]
pub struct ReadCase {
    pub source: CaseSource,
    pub files: Vec<ReadFile>,
}

/// A file with what was read in it.
#[derive(Debug)]
pub struct ReadFile {
    pub name: String,
    pub path: PathBuf,
    pub sha256: String,
    pub outcome: FileOutcome,
}

impl ReadFile {
    pub fn pages(&self) -> FilePages<'_> {
        FilePages { name: &self.name, sha256: &self.sha256, reading: &self.outcome.reading }
    }
}

impl Engine {
    /// Loads and checks all configuration, so that mistakes in it show before the first case.
    ///
    /// # Errors
    /// When a rule, a document type or the confidence model cannot be understood.
    pub fn load(
        rules: &Bundle,
        models: &Bundle,
        sandbox: Sandbox,
        options: ReadOptions,
    ) -> Result<Self, EngineError> {
        let names = Flow::names(rules).into_iter();
        let flows = names.map(|name| Flow::load(rules, &name).map(|flow| (name, flow)));
        let flows = flows.collect::<Result<_, RulesError>>()?;
        let model = match models.find("calibration.json") {
            Some(bytes) => serde_json::from_slice(bytes).map_err(EngineError::Confidence)?,
            None => ConfidenceModel::identity(),
        };
        let words = match models.find("page-types.json") {
            Some(bytes) => serde_json::from_slice(bytes).map_err(EngineError::PageTypes)?,
            None => WordModel::default(),
        };
        Ok(Self {
            flows,
            understanding: Understanding::new(load_document_types(rules)?, words, model),
            dispatch: Arc::new(Local(sandbox.clone())),
            sandbox,
            options,
            scratch: None,
            cache: None,
            calibrated: true,
            rules_version: rules.version(),
            models_version: models.version(),
            reading_version: models.only(|name| name.ends_with(".rten") || name == "alphabet.txt").version(),
        })
    }

    /// Opens the archives of a case and reads all its files, each in a child.
    ///
    /// # Errors
    /// When the sandbox itself fails or a file cannot be read from the disk.
    pub async fn read(&self, source: &CaseSource, scratch: &Path) -> Result<ReadCase, ProcessError> {
        let source = self.sandbox.expand(source.clone(), scratch).await?;
        let reading = source.files.iter().map(|file| self.read_file(file));
        let files = join_all(reading).await.into_iter().collect::<Result<_, _>>()?;
        Ok(ReadCase { source, files })
    }

    async fn read_file(&self, file: &SourceFile) -> Result<ReadFile, ProcessError> {
        let sha256 = hash_file(&file.path)
            .await
            .map_err(|source| ProcessError::File { path: file.path.clone(), source })?;
        let kept = self.cache.as_ref().and_then(|cache| cache.find(&sha256, &self.options));
        let outcome = match kept {
            Some(outcome) => outcome,
            None => self.read_anew(&file.path, &sha256).await?,
        };
        Ok(ReadFile { name: file.name.clone(), path: file.path.clone(), sha256, outcome })
    }

    /// The upright pictures of a file's pages.
    ///
    /// # Errors
    /// When the sandbox itself fails.
    pub async fn pictures(&self, file: &ReadFile) -> Result<Vec<PageImage>, ProcessError> {
        Ok(self.sandbox.pictures(&file.path, &self.options).await?)
    }

    /// Puts the members of a case's archives in the place of the archives.
    ///
    /// # Errors
    /// When the sandbox itself fails or `scratch` cannot be written.
    pub async fn expand(&self, source: &CaseSource, scratch: &Path) -> Result<CaseSource, ProcessError> {
        Ok(self.sandbox.expand(source.clone(), scratch).await?)
    }

    /// The upright picture of one page; `None` when it cannot be made.
    ///
    /// # Errors
    /// When the sandbox itself fails.
    pub async fn picture(&self, path: &Path, page: u32) -> Result<Option<PageImage>, ProcessError> {
        Ok(self.sandbox.picture(path, page, &self.options).await?)
    }

    /// What was read in a file, from the kept readings where it is there.
    ///
    /// # Errors
    /// When the sandbox itself fails or the file cannot be read from the disk.
    pub async fn reading(&self, path: &Path, sha256: &str) -> Result<FileOutcome, ProcessError> {
        match self.cache.as_ref().and_then(|cache| cache.find(sha256, &self.options)) {
            Some(outcome) => Ok(outcome),
            None => self.read_anew(path, sha256).await,
        }
    }

    async fn read_anew(&self, path: &Path, sha256: &str) -> Result<FileOutcome, ProcessError> {
        let outcome = self.dispatch.read(FileToRead { path, sha256, options: &self.options }).await?;
        if let Some(cache) = &self.cache {
            let kept = cache.keep(sha256, &self.options, &outcome);
            kept.map_err(|source| ProcessError::File { path: path.to_owned(), source })?;
        }
        Ok(outcome)
    }

    /// Keeps readings in this folder and takes them from there.
    #[must_use]
    pub fn with_cache(self, folder: PathBuf) -> Self {
        self.with_sealed_cache(folder, None)
    }

    /// As [`Engine::with_cache`]; what is kept is sealed where there are keys.
    #[must_use]
    pub fn with_sealed_cache(mut self, folder: PathBuf, keys: Option<Arc<Keyring>>) -> Self {
        self.cache = Some(self.readings_in(folder, keys));
        self
    }

    /// Readings kept in this folder, as this engine reads; sealed where there are keys.
    pub fn readings_in(&self, folder: PathBuf, keys: Option<Arc<Keyring>>) -> ReadingCache {
        ReadingCache::new(folder, self.reading_version.clone()).with_keys(keys)
    }

    /// What was asked for is read although nobody waits for it any more.
    pub fn reads_without_askers(&self) -> bool {
        self.dispatch.outlives_its_asker()
    }

    /// Has files read by others than children of this process.
    #[must_use]
    pub fn with_dispatch(mut self, dispatch: Arc<dyn Dispatch>) -> Self {
        self.dispatch = dispatch;
        self
    }

    /// Unpacks archives below this folder rather than where the system puts temporary files.
    #[must_use]
    pub fn with_scratch(mut self, folder: PathBuf) -> Self {
        self.scratch = Some(folder);
        self
    }

    /// A folder for the members of a case's archives; it goes with the value.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch_folder(&self) -> std::io::Result<tempfile::TempDir> {
        self.scratch.as_ref().map_or_else(tempfile::tempdir, tempfile::tempdir_in)
    }

    /// How many cases are worth having in work at a time.
    pub fn cases_ahead(&self) -> usize {
        self.dispatch.cases_ahead()
    }

    /// Leaves the extractors' scores as they are, as fitting the confidence model needs them: no model, and no
    /// raising by what other documents say.
    #[must_use]
    pub fn without_calibration(mut self) -> Self {
        self.calibrated = false;
        self.understanding = self.understanding.without_calibration();
        self
    }

    /// How pages become documents with fields.
    pub fn understanding(&self) -> &Understanding {
        &self.understanding
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
    pub async fn process(
        &self,
        source: &CaseSource,
        records: &dyn RecordSource,
        today: NaiveDate,
    ) -> Result<Processed, ProcessError> {
        self.process_with(source, records, today, |_| {}).await
    }

    /// As [`Engine::process`]; `carry` puts what people said into the documents before rules run.
    ///
    /// # Errors
    /// When the flow is unknown or the sandbox itself fails; what cannot be read is a finding.
    pub async fn process_with(
        &self,
        source: &CaseSource,
        records: &dyn RecordSource,
        today: NaiveDate,
        carry: impl FnOnce(&mut Vec<Document>),
    ) -> Result<Processed, ProcessError> {
        let started = Instant::now();
        let flow = self.flow_of(source)?;
        let scratch = self.scratch_folder().map_err(ProcessError::Scratch)?;
        let readings = self.read(source, scratch.path()).await?;
        Ok(self.decide(flow, readings, records, today, carry, started).await)
    }

    /// A case that nobody could process: decided with nothing read in its files, which sends it to a person.
    /// `carry` is as in [`Engine::process_with`].
    ///
    /// # Errors
    /// When the flow is unknown.
    pub async fn give_up(
        &self,
        source: &CaseSource,
        records: &dyn RecordSource,
        today: NaiveDate,
        carry: impl FnOnce(&mut Vec<Document>),
    ) -> Result<Processed, ProcessError> {
        let started = Instant::now();
        let flow = self.flow_of(source)?;
        let mut files = Vec::new();
        for SourceFile { name, path } in source.files.clone() {
            // That its bytes are gone may be why.
            let sha256 = hash_file(&path).await.unwrap_or_default();
            files.push(ReadFile { name, path, sha256, outcome: given_up() });
        }
        let readings = ReadCase { source: source.clone(), files };
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
        let documents = self.understanding.documents(&pages, &mut timings);
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
        }
        carry(&mut case.documents);
        let decision = decide_with(flow, &case, records).await;
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

    /// `sha256:…` of the rules in force.
    pub fn rules_version(&self) -> &str {
        &self.rules_version
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
