//! Makes a case for a rule test from the base case and what differs from it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::Flow;
use super::cases::{Base, GivenRecords};
use crate::domain::{
    Case, Check, Document, DocumentType, Field, Finding, FindingCode, Part, Transaction, Value,
};

/// How a test case differs from its base. Paths are `document_type.field`, `declared.…`,
/// `records.<table>.<column>` (of the first row) or `received_on`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Changes {
    /// New values by path.
    pub(super) set: BTreeMap<String, toml::Value>,
    /// Documents or paths that are not there.
    pub(super) remove: Vec<String>,
    /// Further documents, with `type`, optionally `like` (a type of the base whose fields it takes) and
    /// their own fields.
    pub(super) add: Vec<toml::Table>,
    /// Fields that were read with a confidence far below their threshold.
    pub(super) uncertain: Vec<String>,
    /// Confidences by path.
    pub(super) confidence: BTreeMap<String, f64>,
    /// Fields that a person confirmed.
    pub(super) confirmed: Vec<String>,
    /// Names of failed checks by path.
    pub(super) failed_checks: BTreeMap<String, Vec<String>>,
    /// The only side (`front` or `back`) of a card that came, by document type.
    pub(super) only_side: BTreeMap<String, String>,
    /// Files that could not be read.
    pub(super) unreadable: Vec<String>,
    /// Files without any text.
    pub(super) blank: Vec<String>,
    pub(super) records_unavailable: bool,
}

const SURE: f64 = 0.999;
const UNSURE: f64 = 0.3;

/// The case and its records.
pub(super) fn build(flow: &Flow, base: &Base, changes: &Changes) -> Result<(Case, GivenRecords), String> {
    let mut builder = Builder::new(flow, base);
    for table in &changes.add {
        builder.add(table)?;
    }
    for path in &changes.remove {
        builder.remove(path)?;
    }
    for (path, value) in &changes.set {
        builder.set(path, value)?;
    }
    for (path, confidence) in &changes.confidence {
        builder.field(path)?.confidence = *confidence;
    }
    for path in &changes.uncertain {
        builder.field(path)?.confidence = UNSURE;
    }
    for path in &changes.confirmed {
        builder.field(path)?.confirmed = true;
    }
    for (path, checks) in &changes.failed_checks {
        builder.field(path)?.checks.extend(checks.iter().map(|name| Check::new(name, false)));
    }
    for (document_type, side) in &changes.only_side {
        builder.keep_side(document_type, side)?;
    }
    builder.files(&changes.unreadable, FindingCode::Damaged, "The file is damaged.");
    builder.files(&changes.blank, FindingCode::BlankPage, "The page holds no text.");
    builder.records.unavailable = changes.records_unavailable;
    builder.finish()
}

struct Builder {
    case: Case,
    declared: toml::Table,
    records: GivenRecords,
    /// What could not be made of the base.
    problem: Option<String>,
}

impl Builder {
    fn new(flow: &Flow, base: &Base) -> Self {
        let mut problem = None;
        let mut documents = Vec::new();
        for (name, fields) in &base.documents {
            let two_sided = flow.config.documents.two_sided.contains(name);
            match document(name, fields, two_sided) {
                Ok(document) => documents.push(document),
                Err(error) => problem = Some(error),
            }
        }
        let case = Case {
            reference: "TEST".to_owned(),
            flow: flow.name.clone(),
            received_on: base.received_on,
            declared: serde_json::Value::Null,
            documents,
            unreadable: Vec::new(),
        };
        let records = GivenRecords { tables: base.records.clone(), unavailable: false };
        Self { case, declared: base.declared.clone(), records, problem }
    }

    fn finish(mut self) -> Result<(Case, GivenRecords), String> {
        self.case.declared = serde_json::to_value(&self.declared).map_err(|error| error.to_string())?;
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok((self.case, self.records)),
        }
    }

    fn add(&mut self, table: &toml::Table) -> Result<(), String> {
        let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
        let document_type = text("type").ok_or("an added document has no type")?.to_owned();
        let mut added = match text("like") {
            Some(other) => self.document(other)?.clone(),
            None => document(&document_type, &toml::Table::new(), false)?,
        };
        added.document_type = DocumentType::new(&document_type);
        for (name, value) in table.iter().filter(|(name, _)| !matches!(name.as_str(), "type" | "like")) {
            added.fields.insert(name.clone(), field(name, value)?);
        }
        for part in &mut added.parts {
            part.file = format!("second-{}", part.file);
        }
        self.case.documents.push(added);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), String> {
        let Some((document_type, field)) = path.split_once('.') else {
            self.document(path)?;
            self.case.documents.retain(|document| document.document_type.as_str() != path);
            return Ok(());
        };
        if document_type == "declared" {
            return remove_in(&mut self.declared, field);
        }
        if document_type == "records" {
            return self.remove_record(field);
        }
        let removed = self.document(document_type)?.fields.remove(field);
        removed.map(|_| ()).ok_or_else(|| format!("there is no {path} to remove"))
    }

    fn remove_record(&mut self, path: &str) -> Result<(), String> {
        let (table, column) = path.split_once('.').unwrap_or((path, ""));
        let rows =
            self.records.tables.get_mut(table).ok_or_else(|| format!("there are no records {table}"))?;
        if column.is_empty() {
            rows.clear();
        } else if let Some(row) = rows.first_mut() {
            row.remove(column);
        }
        Ok(())
    }

    fn set(&mut self, path: &str, value: &toml::Value) -> Result<(), String> {
        if path == "received_on" {
            self.case.received_on = as_date(value)?;
            return Ok(());
        }
        let (document_type, name) = path.split_once('.').ok_or_else(|| format!("{path} is no path"))?;
        match document_type {
            "declared" => {
                set_in(&mut self.declared, name, value.clone());
                Ok(())
            }
            "records" => {
                let (table, column) =
                    name.split_once('.').ok_or_else(|| format!("{path} names no column"))?;
                let rows = self.records.tables.get_mut(table);
                let row = rows
                    .and_then(|rows| rows.first_mut())
                    .ok_or_else(|| format!("{path}: no such record"))?;
                row.insert(column.to_owned(), as_text(value)?);
                Ok(())
            }
            _ => {
                let field = field(name, value)?;
                self.document(document_type)?.fields.insert(name.to_owned(), field);
                Ok(())
            }
        }
    }

    fn document(&mut self, document_type: &str) -> Result<&mut Document, String> {
        let is_it = |document: &&mut Document| document.document_type.as_str() == document_type;
        self.case
            .documents
            .iter_mut()
            .find(is_it)
            .ok_or_else(|| format!("there is no document {document_type}"))
    }

    fn field(&mut self, path: &str) -> Result<&mut Field, String> {
        let (document_type, name) = path.split_once('.').ok_or_else(|| format!("{path} is no path"))?;
        let field = self.document(document_type)?.fields.get_mut(name);
        field.ok_or_else(|| format!("there is no field {path}"))
    }

    /// Leaves what one side of a card carries: the front has no zone, on the back everything is read
    /// from the zone.
    fn keep_side(&mut self, document_type: &str, side: &str) -> Result<(), String> {
        let card = self.document(document_type)?;
        for part in &mut card.parts {
            part.pages.truncate(1);
        }
        match side {
            "front" => {
                card.fields.remove("mrz");
            }
            "back" => {
                let zone = card.fields.get("mrz").cloned().ok_or("the card has no mrz")?;
                for field in card.fields.values_mut() {
                    (field.page, field.bounds) = (zone.page, zone.bounds);
                }
            }
            _ => return Err(format!("{side} is no side of a card")),
        }
        Ok(())
    }

    fn files(&mut self, files: &[String], code: FindingCode, message: &str) {
        let findings = files.iter().map(|file| (file.clone(), Finding::new(code, message)));
        self.case.unreadable.extend(findings);
    }
}

fn document(document_type: &str, fields: &toml::Table, two_sided: bool) -> Result<Document, String> {
    let pages = if two_sided { vec![1, 2] } else { vec![1] };
    let file = format!("{document_type}.pdf");
    let mut read = BTreeMap::new();
    for (name, value) in fields {
        let mut field = field(name, value)?;
        field.file.clone_from(&file);
        if two_sided && name == "mrz" {
            field.page = 2;
        }
        read.insert(name.clone(), field);
    }
    Ok(Document {
        document_type: DocumentType::new(document_type),
        type_confidence: 1.0,
        parts: vec![Part { file, sha256: String::new(), pages }],
        fields: read,
        findings: Vec::new(),
    })
}

fn field(name: &str, value: &toml::Value) -> Result<Field, String> {
    let value = match value {
        toml::Value::Boolean(truth) => Value::Boolean(*truth),
        toml::Value::Integer(number) => Value::Integer(*number),
        toml::Value::Array(rows) => {
            Value::Transactions(rows.iter().map(transaction).collect::<Result<_, _>>()?)
        }
        other => Value::Text(as_text(other)?),
    };
    // The zone stands at the foot of its page, everything else above it.
    let bounds = if name == "mrz" { [0.1, 0.8, 0.8, 0.15] } else { [0.1, 0.1, 0.3, 0.03] };
    Ok(Field {
        raw: String::new(),
        value,
        confidence: SURE,
        page: 1,
        file: String::new(),
        bounds,
        checks: Vec::new(),
        repaired: false,
        confirmed: false,
        entered: false,
    })
}

/// `[date, description, amount, balance]`; balance and a confidence after it may be left out.
fn transaction(row: &toml::Value) -> Result<Transaction, String> {
    let cells = row.as_array().ok_or("a transaction is a list of date, description, amount, balance")?;
    let [date, description, amount, rest @ ..] = cells.as_slice() else {
        return Err("a transaction needs date, description and amount".to_owned());
    };
    let number = |cell: &toml::Value| {
        let text = as_text(cell)?;
        text.parse().map_err(|_| format!("{text} is no amount"))
    };
    Ok(Transaction {
        date: as_date(date)?,
        value_date: None,
        description: as_text(description)?,
        amount: number(amount)?,
        balance: rest.first().map(number).transpose()?,
        confidence: rest.get(1).and_then(toml::Value::as_float).unwrap_or(SURE),
        page: 1,
        file: String::new(),
        bounds: [0.0; 4],
    })
}

fn as_text(value: &toml::Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("{value} must stand in quotes"))
}

fn as_date(value: &toml::Value) -> Result<NaiveDate, String> {
    as_text(value)?.parse().map_err(|_| format!("{value} is no date like 2026-03-14"))
}

fn set_in(table: &mut toml::Table, path: &str, value: toml::Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((key, rest)) => {
            let inner = table.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(inner) = inner {
                set_in(inner, rest, value);
            }
        }
    }
}

fn remove_in(table: &mut toml::Table, path: &str) -> Result<(), String> {
    let missing = || format!("there is no declared.{path} to remove");
    match path.split_once('.') {
        None => table.remove(path).map(|_| ()).ok_or_else(missing),
        Some((key, rest)) => {
            let inner = table.get_mut(key).and_then(toml::Value::as_table_mut).ok_or_else(missing)?;
            remove_in(inner, rest)
        }
    }
}
