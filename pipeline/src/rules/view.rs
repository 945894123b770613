//! What a script sees of a case: documents with typed getters that record every read. A script gets a
//! field's value only through these, so that no read goes unnoticed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use rhai::{Dynamic, EvalAltResult, Position};
use rust_decimal::Decimal;

use super::date::Date;
use super::documents::Prepared;
use super::flow::Thresholds;
use super::people;
use super::records::{Record, RecordsUnavailable, parse_invoices};
use super::trace::{Certainty, Stop, Trace};
use crate::domain::{Document, Field, Transaction, Value};
use crate::link::{fold_lookalikes, fold_text, identifier};

/// Result of a function that a script calls.
pub(super) type Scripted<T> = Result<T, Box<EvalAltResult>>;

/// Ends the script, saying why; a script cannot catch it.
pub(super) fn stop<T>(reason: Stop) -> Scripted<T> {
    Err(Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(reason), Position::NONE)))
}

/// Tells that the script itself is wrong.
pub(super) fn script_error<T>(problem: impl Into<String>) -> Scripted<T> {
    Err(problem.into().into())
}

/// What the rule needed of the records so far, by table and key.
pub(super) type LookedUp = BTreeMap<(String, String), Result<Option<Record>, RecordsUnavailable>>;

/// What all rules of one decision share.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) prepared: Prepared,
    pub(super) received_on: NaiveDate,
    pub(super) declared: serde_json::Value,
    pub(super) thresholds: Arc<Thresholds>,
}

/// The case as a rule's first argument.
#[derive(Debug, Clone)]
pub(super) struct CaseView {
    pub(super) material: Arc<Material>,
    pub(super) looked_up: Arc<LookedUp>,
    trace: Arc<Mutex<Trace>>,
}

/// One document of the case.
#[derive(Debug, Clone)]
pub(super) struct DocumentView {
    case: CaseView,
    index: usize,
}

/// A statement's rows, with how each of them may be trusted.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    document: DocumentView,
    path: Arc<str>,
}

/// One record of a table.
#[derive(Debug, Clone)]
pub(super) struct RecordView {
    case: CaseView,
    table: Arc<str>,
    cells: Arc<Record>,
}

impl CaseView {
    pub(super) fn new(material: Arc<Material>, looked_up: Arc<LookedUp>) -> Self {
        Self { material, looked_up, trace: Arc::default() }
    }

    pub(super) fn trace(&self) -> MutexGuard<'_, Trace> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was recorded.
    pub(super) fn into_trace(self) -> Trace {
        std::mem::take(&mut *self.trace())
    }

    pub(super) fn received_on(&self) -> Date {
        Date(self.material.received_on)
    }

    /// Whether a document of one of these types (`id_card|passport`) is there.
    pub(super) fn has(&self, types: &str) -> bool {
        self.material.prepared.chosen(types).is_some()
    }

    /// The document of one of these types; ends the rule when there is none.
    pub(super) fn document(&self, types: &str) -> Scripted<DocumentView> {
        match self.material.prepared.chosen(types) {
            Some(index) => Ok(DocumentView { case: self.clone(), index }),
            None => stop(Stop::DocumentMissing),
        }
    }

    /// All documents of a type without copies, the one that counts first.
    pub(super) fn all(&self, document_type: &str) -> Vec<DocumentView> {
        let indices = self.material.prepared.all(document_type);
        indices.map(|index| DocumentView { case: self.clone(), index }).collect()
    }

    /// What the applicant declared at this path (`loan.principal`), as text; `None` when not given.
    pub(super) fn declared(&self, path: &str) -> Option<String> {
        let value = path.split('.').try_fold(&self.material.declared, |value, key| value.get(key))?;
        let text = match value {
            serde_json::Value::String(text) => text.trim().to_owned(),
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Bool(truth) => truth.to_string(),
            _ => return None,
        };
        if text.is_empty() {
            return None;
        }
        self.trace().read(&declared_path(path), Certainty::Certain);
        Some(text)
    }

    /// A declared value of a type; one that does not parse leaves the rule undetermined.
    pub(super) fn declared_as<T>(
        &self,
        path: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Scripted<Option<T>> {
        let Some(text) = self.declared(path) else { return Ok(None) };
        if let Some(value) = parse(&text) {
            return Ok(Some(value));
        }
        self.trace().read(&declared_path(path), Certainty::Uncertain);
        stop(Stop::FieldAbsent)
    }

    /// The record with this key; `None` when there is none.
    pub(super) fn record(&self, table: &str, key: &str) -> Scripted<Option<RecordView>> {
        let wanted = (table.to_owned(), key.to_owned());
        match self.looked_up.get(&wanted) {
            None => stop(Stop::RecordWanted { table: wanted.0, key: wanted.1 }),
            Some(Err(_)) => {
                self.trace().unavailable.insert(table.to_owned());
                stop(Stop::RecordsUnavailable)
            }
            Some(Ok(None)) => Ok(None),
            Some(Ok(Some(record))) => Ok(Some(RecordView {
                case: self.clone(),
                table: table.into(),
                cells: Arc::new(record.clone()),
            })),
        }
    }
}

fn declared_path(path: &str) -> String {
    format!("declared.{path}")
}

impl DocumentView {
    fn document(&self) -> &Document {
        self.case.material.prepared.document(self.index)
    }

    pub(super) fn document_type(&self) -> &str {
        self.document().document_type.as_str()
    }

    fn path(&self, field: &str) -> String {
        format!("{}.{field}", self.document_type())
    }

    /// Whether the document carries the field; asking this is no read.
    pub(super) fn has(&self, field: &str) -> bool {
        self.document().fields.contains_key(field)
    }

    /// The value of a field that the rule needs; ends the rule when it is absent.
    pub(super) fn need<T>(&self, field: &str, as_type: impl Fn(&Value) -> Option<T>) -> Scripted<T> {
        if let Some(value) = self.look(field, as_type) {
            return Ok(value);
        }
        if self.case.material.prepared.is_incomplete(self.index) && !self.has(field) {
            return stop(Stop::DocumentMissing);
        }
        self.case.trace().read(&self.path(field), Certainty::Absent);
        stop(Stop::FieldAbsent)
    }

    /// The value of a field that may not be printed; `None` when it is absent.
    pub(super) fn if_given<T>(&self, field: &str, as_type: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.look(field, as_type)
    }

    fn look<T>(&self, field: &str, as_type: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let found = self.document().fields.get(field)?;
        let value = as_type(&found.value)?;
        let path = self.path(field);
        let certainty = self.certainty_of(found, &path);
        self.case.trace().read(&path, certainty);
        Some(value)
    }

    fn certainty_of(&self, field: &Field, path: &str) -> Certainty {
        certainty(field.confirmed, field.confidence, self.case.material.thresholds.of(path))
    }

    /// The rows of a table.
    pub(super) fn rows(&self, field: &str) -> Scripted<Rows> {
        self.need(field, |value| value.as_transactions().map(|_| ()))?;
        Ok(Rows { document: self.clone(), path: self.path(field).into() })
    }

    /// Whether the dates, and the Spanish tax id, in the machine-readable zone are the printed ones.
    /// Reads only what disagrees.
    pub(super) fn zone_agrees(&self) -> bool {
        let text = |name: &str| self.document().fields.get(name).and_then(|field| field.value.as_text());
        let Some(zone) = text("mrz") else { return true };
        let disagreeing: Vec<&str> = ["birth_date", "expiry_date", "document_number"]
            .into_iter()
            .filter(|name| text(name).is_some_and(|printed| !people::zone_says(zone, name, printed)))
            .collect();
        for name in disagreeing.iter().chain(disagreeing.first().map(|_| &"mrz")) {
            self.look(name, |_| Some(()));
        }
        disagreeing.is_empty()
    }

    /// Names of the checks that failed on the document's fields, without those on `except`. Reads the
    /// fields that failed one; a check that a field passed has confirmed it.
    pub(super) fn failed_checks(&self, except: &[String]) -> Vec<String> {
        let mut failed = Vec::new();
        for (name, field) in self.document().fields.iter().filter(|(name, _)| !except.contains(name)) {
            let names = field.checks.iter().filter(|check| !check.passed).map(|check| check.name.clone());
            let earlier = failed.len();
            failed.extend(names);
            if failed.len() > earlier && !field.confirmed {
                let path = self.path(name);
                let certainty = self.certainty_of(field, &path);
                self.case.trace().read(&path, certainty);
            }
        }
        failed
    }
}

fn certainty(confirmed: bool, confidence: f64, threshold: f64) -> Certainty {
    if confirmed || confidence >= threshold { Certainty::Certain } else { Certainty::Uncertain }
}

impl Rows {
    pub(super) fn as_slice(&self) -> &[Transaction] {
        let field = self.path.rsplit('.').next().unwrap_or_default();
        let field = self.document.document().fields.get(field);
        field.and_then(|field| field.value.as_transactions()).unwrap_or_default()
    }

    fn is_certain(&self, row: &Transaction) -> bool {
        let field = self.path.rsplit('.').next().unwrap_or_default();
        let confirmed = self.document.document().fields.get(field).is_some_and(|field| field.confirmed);
        let threshold = self.document.case.material.thresholds.of(&self.path);
        certainty(confirmed, row.confidence, threshold) == Certainty::Certain
    }

    /// The rule rests on all of these rows.
    pub(super) fn rest_on_all<'a>(&self, rows: impl IntoIterator<Item = &'a Transaction>) {
        if !rows.into_iter().all(|row| self.is_certain(row)) {
            self.mark_uncertain();
        }
    }

    /// The rule rests on one of these rows: a certain one is enough.
    pub(super) fn rest_on_any<'a>(&self, rows: impl IntoIterator<Item = &'a Transaction>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_some() && !rows.any(|row| self.is_certain(row)) {
            self.mark_uncertain();
        }
    }

    fn mark_uncertain(&self) {
        self.document.case.trace().read(&self.path, Certainty::Uncertain);
    }
}

impl RecordView {
    /// A cell; an empty or unreadable one leaves the rule undetermined.
    pub(super) fn need<T>(&self, column: &str, parse: impl Fn(&str) -> Option<T>) -> Scripted<T> {
        if let Some(value) = self.cells.get(column).and_then(|cell| parse(cell)) {
            return Ok(value);
        }
        self.case.trace().unavailable.insert(format!("{}.{column}", self.table));
        stop(Stop::RecordsUnavailable)
    }

    /// Whether the customer has another invoice than `number` for the same period. A number that a
    /// reader may have taken for another is no other number.
    pub(super) fn has_other_invoice(&self, number: &str, start: Date, end: Date) -> Scripted<bool> {
        let Some(cell) = self.cells.get("invoices") else { return Ok(false) };
        let Some(invoices) = parse_invoices(cell) else {
            self.case.trace().unavailable.insert(format!("{}.invoices", self.table));
            return stop(Stop::RecordsUnavailable);
        };
        let folded = |number: &str| fold_lookalikes(&fold_text(&identifier(number)));
        let own = folded(number);
        Ok(invoices.iter().any(|invoice| {
            (invoice.period_start, invoice.period_end) == (start.0, end.0) && folded(&invoice.number) != own
        }))
    }

    /// A cell that may be empty.
    pub(super) fn if_given(&self, column: &str) -> Option<String> {
        self.cells.get(column).cloned()
    }
}

/// A decimal as people and files write it with a point.
pub(super) fn parse_decimal(text: &str) -> Option<Decimal> {
    text.trim().parse().ok()
}

pub(super) fn parse_date(text: &str) -> Option<Date> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().map(Date)
}
