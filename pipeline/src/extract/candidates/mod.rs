//! Everything on a page that could be the value of a field, by kind: typed values found by their form,
//! names and codes found between labels. Knows forms, not which field a value belongs to.

mod choices;
mod names;
mod scan;
mod typed;

pub use scan::Scan;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::labels::occurrence::Occurrence;
use super::labels::sheet::Sheet;
use super::parse::period::Period;
use crate::config::{DocumentTypeConfig, FieldKind};
use crate::domain::{Check, Rect};

/// A value that stands somewhere on a page.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The piece in which it begins, and the one in which it ends.
    pub piece: usize,
    pub last_piece: usize,
    /// Words `first..end` of the page.
    pub first: usize,
    pub end: usize,
    pub bounds: Rect,
    pub raw: String,
    pub value: Typed,
    /// How well its form fits its kind, 0 to 1.
    pub format: f32,
    pub checks: Vec<Check>,
    pub repaired: bool,
}

impl Candidate {
    /// A period told by its first and last day; a month alone may be any that is spoken of.
    pub fn is_explicit_period(&self) -> bool {
        matches!(self.value, Typed::Period(_)) && names_days(&self.raw)
    }
}

/// Whether a printed period has a first and a last day: a month alone has one or two numbers.
pub fn names_days(period: &str) -> bool {
    period.split(|ch: char| !ch.is_ascii_digit()).filter(|group| !group.is_empty()).count() >= 3
}

/// A value with its type, before it is normalised for a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    Money { amount: Decimal, currency: Option<&'static str> },
    Date(NaiveDate),
    Period(Period),
    Code(String),
    TaxId { number: String, person: bool },
    Number(Decimal),
    Months(i64),
    Text(String),
}

/// Kinds that are found in the same way share their candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Money,
    Date,
    Period,
    Iban,
    Bic,
    TaxId,
    Naf,
    Cups,
    Person,
    Company,
    Party,
    Identifier,
    Integer,
    Months,
    Percent,
    Quantity,
    Text,
    /// The enumeration of the field at this place of the configuration.
    Choice(usize),
}

impl Class {
    /// The class of a field, by its place in the configuration; `None` for kinds that other readers
    /// read.
    pub fn of(config: &DocumentTypeConfig, field: usize) -> Option<Self> {
        Some(match config.fields.get(field)?.kind {
            FieldKind::Money => Class::Money,
            FieldKind::Date => Class::Date,
            FieldKind::PeriodStart | FieldKind::PeriodEnd => Class::Period,
            FieldKind::Iban => Class::Iban,
            FieldKind::Bic => Class::Bic,
            FieldKind::TaxId | FieldKind::PersonTaxId | FieldKind::CompanyTaxId => Class::TaxId,
            FieldKind::Naf => Class::Naf,
            FieldKind::Cups => Class::Cups,
            FieldKind::Person => Class::Person,
            FieldKind::Company => Class::Company,
            FieldKind::Party => Class::Party,
            FieldKind::Identifier => Class::Identifier,
            FieldKind::Integer => Class::Integer,
            FieldKind::Months => Class::Months,
            FieldKind::Percent => Class::Percent,
            FieldKind::Quantity => Class::Quantity,
            FieldKind::Text => Class::Text,
            FieldKind::Choice => Class::Choice(field),
            FieldKind::Currency | FieldKind::Paragraph | FieldKind::Signature | FieldKind::Reader => {
                return None;
            }
        })
    }
}

/// All candidates of a class on a page.
pub fn find_candidates(
    config: &DocumentTypeConfig,
    class: Class,
    sheet: &Sheet,
    occurrences: &[Occurrence],
) -> Vec<Candidate> {
    let mut found = match class {
        Class::Person | Class::Company | Class::Party | Class::Identifier | Class::Text => {
            names::find(class, sheet, occurrences)
        }
        Class::Choice(field) => {
            config.fields.get(field).map_or_else(Vec::new, |field| choices::find(field, sheet, occurrences))
        }
        _ => typed::find(class, sheet),
    };
    found.sort_by_key(|candidate| (candidate.first, candidate.end));
    found.dedup_by(|later, kept| {
        later.first == kept.first && later.end == kept.end && later.value == kept.value
    });
    found
}
