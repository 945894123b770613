//! What is printed on each type of document: its fields (the truth) and all else a real one carries.
//! Nothing here knows how it is laid out or rendered.

pub mod bank_statement;
pub mod claim_form;
pub mod contract;
pub mod energy_invoice;
pub mod identity;
pub mod payslip;
pub mod police_report;
pub mod repair_invoice;

use serde_json::{Map, Value, json};

use crate::dates::{Date, iso};

pub type Fields = Map<String, Value>;

/// One document before it has a layout's face.
#[derive(Debug, Clone)]
pub struct Doc {
    pub kind: &'static str,
    pub fields: Fields,
    pub extra: Value,
    pub signed: bool,
    pub date: Date,
    pub seed: u64,
}

impl Doc {
    /// The object that a template reads.
    pub fn data(&self, layout: &str, language: &str) -> Value {
        json!({
            "type": self.kind, "layout": layout, "language": language, "fields": self.fields, "extra": self.extra,
            "signed": self.signed, "date": iso(self.date), "seed": self.seed % 1_000_000,
        })
    }

    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The members of a JSON object that are not null.
pub fn fields(value: Value) -> Fields {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, v)| !v.is_null()).collect(),
        _ => Fields::new(),
    }
}
