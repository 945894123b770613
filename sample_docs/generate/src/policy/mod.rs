//! The policies, evaluated over what the documents print: what a careful clerk would decide. Written
//! apart from the product's rules, so that the truth does not share their mistakes.

pub mod energy;
pub mod insurance;
pub mod loan;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::dates::Date;
use crate::documents::Fields;
use crate::identifiers::{dni_letter, mrz_check, mrz_letters};
use crate::money::Cents;
use crate::records::Records;

/// One document as it was handed in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub kind: &'static str,
    pub fields: Fields,
    /// False when a side of an identity card is missing.
    pub complete: bool,
}

/// All that the policy may look at.
#[derive(Debug)]
pub struct View<'a> {
    pub documents: Vec<Seen>,
    pub application: &'a Value,
    pub received_on: Date,
    pub records: &'a Records,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Accept,
    RequestDocuments,
    Review,
    Reject,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::RequestDocuments => "request_documents",
            Self::Review => "review",
            Self::Reject => "reject",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Decision {
    pub outcome: Outcome,
    pub codes: BTreeSet<&'static str>,
    pub outputs: Map<String, Value>,
}

/// Failures gathered so far.
#[derive(Debug, Default)]
pub struct Findings {
    failures: Vec<(Outcome, &'static str)>,
    undetermined: bool,
    outputs: Map<String, Value>,
}

impl Findings {
    pub fn fail(&mut self, outcome: Outcome, code: &'static str) {
        self.failures.push((outcome, code));
    }

    pub fn check(&mut self, holds: bool, outcome: Outcome, code: &'static str) {
        if !holds {
            self.fail(outcome, code);
        }
    }

    /// A check that reads a field which a document that is there does not carry.
    pub fn undetermined(&mut self) {
        self.undetermined = true;
    }

    pub fn output(&mut self, name: &str, value: impl Into<Value>) {
        self.outputs.insert(name.to_owned(), value.into());
    }

    pub fn decide(mut self, accepted_because: &'static str) -> Decision {
        let strongest = self.failures.iter().map(|f| f.0).max().unwrap_or(Outcome::Accept);
        let outcome = if self.undetermined && strongest < Outcome::Review {
            self.failures.push((Outcome::Review, "UNCERTAIN_FIELD"));
            Outcome::Review
        } else {
            strongest
        };
        if outcome == Outcome::Accept {
            self.failures.push((Outcome::Accept, accepted_because));
        } else {
            self.outputs.clear();
        }
        Decision { outcome, codes: self.failures.iter().map(|f| f.1).collect(), outputs: self.outputs }
    }
}

impl View<'_> {
    pub fn of_kind(&self, kind: &str) -> Option<&Fields> {
        self.documents.iter().find(|d| d.kind == kind).map(|d| &d.fields)
    }

    /// Identity card or passport.
    pub fn identity(&self) -> Option<&Seen> {
        self.documents.iter().find(|d| d.kind == "id_card" || d.kind == "passport")
    }

    pub fn declared(&self, group: &str, key: &str) -> Option<&str> {
        self.application.get(group)?.get(key)?.as_str()
    }
}

pub fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

pub fn date(fields: &Fields, name: &str) -> Option<Date> {
    NaiveDate::parse_from_str(text(fields, name)?, "%Y-%m-%d").ok()
}

pub fn cents(value: &str) -> Cents {
    Cents::from_units(value.parse().unwrap_or(0.0))
}

pub fn money(fields: &Fields, name: &str) -> Option<Cents> {
    text(fields, name).map(cents)
}

pub fn number(fields: &Fields, name: &str) -> Option<i64> {
    text(fields, name)?.parse().ok()
}

/// Whether two names are one person's, whatever the order, case and accents.
pub fn same_name(left: &str, right: &str) -> bool {
    let words = |name: &str| -> BTreeSet<String> {
        mrz_letters(name).split('<').filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    words(left) == words(right)
}

/// Whether `person` is one of the holders.
pub fn is_holder(holders: &str, person: &str) -> bool {
    holders.split("; ").any(|holder| same_name(holder, person))
}

pub fn identity_name(fields: &Fields) -> String {
    format!(
        "{} {}",
        text(fields, "given_names").unwrap_or_default(),
        text(fields, "surnames").unwrap_or_default()
    )
}

/// The Spanish tax number an identity document carries, if it does.
pub fn identity_tax_id(seen: &Seen) -> Option<&str> {
    let name = if seen.kind == "passport" { "personal_number" } else { "document_number" };
    text(&seen.fields, name).filter(|number| looks_like_tax_id(number))
}

fn looks_like_tax_id(number: &str) -> bool {
    let bytes = number.as_bytes();
    bytes.len() == 9
        && (bytes[0].is_ascii_digit() || b"XYZ".contains(&bytes[0]))
        && bytes[1..8].iter().all(u8::is_ascii_digit)
        && bytes[8].is_ascii_alphabetic()
}

/// Letter, check digits, and agreement of the zone with the print.
pub fn identity_holds(seen: &Seen) -> bool {
    let letter_holds = identity_tax_id(seen).is_none_or(|number| {
        let digits = number[..8].replace('X', "0").replace('Y', "1").replace('Z', "2");
        digits.parse().is_ok_and(|n| number.ends_with(dni_letter(n)))
    });
    let Some(zone) = text(&seen.fields, "mrz") else { return letter_holds };
    letter_holds && zone_holds(zone) && zone_agrees(zone, &seen.fields)
}

fn zone_holds(zone: &str) -> bool {
    let lines: Vec<&str> = zone.lines().collect();
    let digit = |line: &str, from: usize, to: usize| line[to..=to] == mrz_check(&line[from..to]).to_string();
    match lines[..] {
        [first, second, _] => {
            let whole = format!("{}{}{}{}", &first[5..30], &second[0..7], &second[8..15], &second[18..29]);
            digit(first, 5, 14)
                && digit(second, 0, 6)
                && digit(second, 8, 14)
                && second[29..] == mrz_check(&whole).to_string()
        }
        [_, second] => {
            let whole = format!("{}{}{}", &second[0..10], &second[13..20], &second[21..43]);
            digit(second, 0, 9)
                && digit(second, 13, 19)
                && digit(second, 21, 27)
                && second[43..] == mrz_check(&whole).to_string()
        }
        _ => false,
    }
}

fn zone_agrees(zone: &str, fields: &Fields) -> bool {
    let lines: Vec<&str> = zone.lines().collect();
    let (birth, expiry) = if lines.len() == 3 {
        (&lines[1][0..6], &lines[1][8..14])
    } else {
        (&lines[1][13..19], &lines[1][21..27])
    };
    let short = |name: &str| date(fields, name).map(|d| d.format("%y%m%d").to_string());
    short("birth_date").is_none_or(|d| d == birth) && short("expiry_date").is_none_or(|d| d == expiry)
}
