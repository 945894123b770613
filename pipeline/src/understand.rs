//! From the pages of a case's files to its documents with fields: classify, extract, calibrate.
//! Knows no rules and no files.

use std::time::Instant;

use crate::classify::{LogicalDocument, PageOfFile, WordModel, group};
use crate::confidence::{ConfidenceModel, LEAST_CONFIDENCE, Proof, field_key, row_key};
use crate::config::DocumentTypeConfig;
use crate::domain::{Document, DocumentType, Field, FileReading, Finding, Part, Timings, Value};
use crate::extract::labels::evidence::Claim;
use crate::extract::labels::{ranked_claims, read_pages};
use crate::extract::{FieldReading, extract};

/// What was read in one file, with where it came from.
#[derive(Debug, Clone, Copy)]
pub struct FilePages<'a> {
    pub name: &'a str,
    /// Of the file's bytes, lower-case hex.
    pub sha256: &'a str,
    pub reading: &'a FileReading,
}

/// What the fields of a document could be, by name, the strongest first.
#[derive(Debug, Clone)]
pub struct DocumentRivals {
    pub document_type: String,
    pub fields: Vec<(String, Vec<Claim>)>,
}

/// Document types, what words tell of them and the confidence model: all that pages need to become documents.
#[derive(Debug, Clone)]
pub struct Understanding {
    types: Vec<DocumentTypeConfig>,
    words: WordModel,
    model: ConfidenceModel,
    least_confidence: f64,
}

impl Understanding {
    pub fn new(types: Vec<DocumentTypeConfig>, words: WordModel, model: ConfidenceModel) -> Self {
        Self { types, words, model, least_confidence: LEAST_CONFIDENCE }
    }

    /// Leaves scores as they are, as fitting the model needs them.
    #[must_use]
    pub fn without_calibration(mut self) -> Self {
        self.model = ConfidenceModel::identity();
        self.least_confidence = 0.0;
        self
    }

    /// All document types.
    pub fn types(&self) -> &[DocumentTypeConfig] {
        &self.types
    }

    /// The configuration of a document type.
    pub fn document_type(&self, name: &str) -> Option<&DocumentTypeConfig> {
        self.types.iter().find(|config| config.document_type.as_str() == name)
    }

    /// Reads given pages as a document of a given type, as a person says that it is one.
    pub fn read_as(&self, document_type: DocumentType, parts: &[Part], files: &[FilePages<'_>]) -> Document {
        let mut pages = Vec::new();
        for part in parts {
            let Some(file) = files.iter().position(|file| file.sha256 == part.sha256) else { continue };
            let all = files.get(file).map(|file| file.reading.pages.as_slice()).unwrap_or_default();
            for number in &part.pages {
                pages.extend(
                    all.iter().filter(|page| page.number == *number).map(|page| PageOfFile { file, page }),
                );
            }
        }
        self.document_of(&LogicalDocument { document_type, type_confidence: 1.0, pages }, files)
    }

    /// Groups the pages of files to documents and reads their fields.
    pub fn documents(&self, files: &[FilePages<'_>], timings: &mut Timings) -> Vec<Document> {
        let classifying = Instant::now();
        let drafts = group(&pages_of(files), &self.types, &self.words);
        timings.classify += milliseconds(classifying);
        let extracting = Instant::now();
        let documents = drafts.iter().map(|draft| self.document_of(draft, files)).collect();
        timings.extract += milliseconds(extracting);
        documents
    }

    /// For every document what each field that labels tell could be, before fields are weighed against
    /// each other.
    pub fn rivals(&self, files: &[FilePages<'_>]) -> Vec<DocumentRivals> {
        let drafts = group(&pages_of(files), &self.types, &self.words);
        let rivals = drafts.iter().filter_map(|draft| {
            let config = self.document_type(draft.document_type.as_str())?;
            let pages: Vec<_> = draft.pages.iter().map(|page| page.page).collect();
            let ranked = ranked_claims(config, &read_pages(config, &pages));
            let names = config.fields.iter().map(|field| field.name.clone());
            Some(DocumentRivals {
                document_type: draft.document_type.as_str().to_owned(),
                fields: names.zip(ranked).collect(),
            })
        });
        rivals.collect()
    }

    fn document_of(&self, draft: &LogicalDocument<'_>, files: &[FilePages<'_>]) -> Document {
        let config = self.types.iter().find(|config| config.document_type == draft.document_type);
        let pages: Vec<_> = draft.pages.iter().map(|page| page.page).collect();
        let read = config.map(|config| extract(config, &pages)).unwrap_or_default();
        let fields = read.into_iter().filter_map(|(name, reading)| {
            let field = self.field_of(&name, reading, draft, files)?;
            Some((name, field))
        });
        Document {
            document_type: draft.document_type.clone(),
            type_confidence: draft.type_confidence,
            fields: fields.collect(),
            parts: parts_of(draft, files),
            findings: findings_on(draft, files),
        }
    }

    fn field_of(
        &self,
        name: &str,
        reading: FieldReading,
        draft: &LogicalDocument<'_>,
        files: &[FilePages<'_>],
    ) -> Option<Field> {
        let place = draft.pages.get(reading.page_index)?;
        let key = field_key(draft.document_type.as_str(), name, &reading.value);
        let proof = Proof::of(&reading.checks, reading.repaired);
        let confidence = self.model.confidence(place.page.source, &key, reading.score, proof);
        // The rows of a table have their own confidence; that one is in doubt is no reason to drop all.
        let is_table = reading.value.as_transactions().is_some();
        if confidence < self.least_confidence && !is_table {
            return None;
        }
        Some(Field {
            value: self.place_rows(reading.value, draft, files),
            raw: reading.raw,
            confidence,
            page: place.page.number,
            file: files.get(place.file)?.name.to_owned(),
            bounds: reading.bounds.as_fractions(place.page.width, place.page.height),
            checks: reading.checks,
            repaired: reading.repaired,
            confirmed: false,
            entered: false,
        })
    }

    /// Rows come with the index of their page in the document; here they get file and page.
    fn place_rows(&self, value: Value, draft: &LogicalDocument<'_>, files: &[FilePages<'_>]) -> Value {
        let Value::Transactions(mut rows) = value else { return value };
        for row in &mut rows {
            let index = usize::try_from(row.page).unwrap_or(1).saturating_sub(1);
            let Some(place) = draft.pages.get(index) else { continue };
            row.page = place.page.number;
            row.file = files.get(place.file).map_or_else(String::new, |file| file.name.to_owned());
            #[expect(clippy::cast_possible_truncation, reason = "a probability")]
            let score = row.confidence as f32;
            let key = row_key(draft.document_type.as_str());
            row.confidence = self.model.confidence(place.page.source, &key, score, Proof::default());
        }
        Value::Transactions(rows)
    }
}

fn pages_of<'a>(files: &[FilePages<'a>]) -> Vec<PageOfFile<'a>> {
    let numbered = files.iter().enumerate();
    numbered
        .flat_map(|(file, pages)| pages.reading.pages.iter().map(move |page| PageOfFile { file, page }))
        .collect()
}

fn parts_of(draft: &LogicalDocument<'_>, files: &[FilePages<'_>]) -> Vec<Part> {
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for place in &draft.pages {
        match parts.last_mut() {
            Some((file, part)) if *file == place.file => part.pages.push(place.page.number),
            _ => {
                let Some(source) = files.get(place.file) else { continue };
                let part = Part {
                    file: source.name.to_owned(),
                    sha256: source.sha256.to_owned(),
                    pages: vec![place.page.number],
                };
                parts.push((place.file, part));
            }
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// Findings on the pages of a document, and on its files as a whole.
fn findings_on(draft: &LogicalDocument<'_>, files: &[FilePages<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, reading) in files.iter().enumerate() {
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

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "understand_tests.rs"]
mod tests;
