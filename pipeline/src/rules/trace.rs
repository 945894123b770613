//! What one rule read and what it gave. Everything that decides whether a verdict is certain is
//! recorded here while the script runs.

use std::collections::{BTreeMap, BTreeSet};

use rhai::Dynamic;

use crate::domain::Outcome;

/// How far a value that a rule asked for can be trusted. Ordered: the worst reading of a field counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// At or above its threshold, or confirmed by a person.
    Certain,
    /// Read, but below its threshold.
    Uncertain,
    /// The document is there and does not carry it.
    Absent,
}

/// What a rule found.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) code: String,
    /// Values for the message's placeholders.
    pub(super) details: BTreeMap<String, Dynamic>,
    /// The fields it rests on.
    pub(super) fields: Vec<String>,
    /// Every one of them is certain.
    pub(super) certain: bool,
}

/// One rule's reads, verdicts and outputs.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace {
    pub(super) reads: BTreeMap<String, Certainty>,
    /// Records that could not be consulted, or whose cell makes no sense.
    pub(super) unavailable: BTreeSet<String>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) outputs: BTreeMap<String, serde_json::Value>,
}

impl Trace {
    pub(super) fn read(&mut self, path: &str, certainty: Certainty) {
        match self.reads.get_mut(path) {
            Some(known) => *known = (*known).max(certainty),
            None => {
                self.reads.insert(path.to_owned(), certainty);
            }
        }
    }

    /// Records a verdict on `fields`, or on all that was read so far.
    pub(super) fn give(
        &mut self,
        outcome: Outcome,
        code: &str,
        details: BTreeMap<String, Dynamic>,
        fields: Option<Vec<String>>,
    ) {
        let fields = fields.unwrap_or_else(|| self.reads.keys().cloned().collect());
        let is_certain =
            |path: &String| self.reads.get(path).is_none_or(|certainty| *certainty == Certainty::Certain);
        let certain = fields.iter().all(is_certain) && self.unavailable.is_empty();
        self.verdicts.push(Verdict { outcome, code: code.to_owned(), details, fields, certain });
    }

    /// The fields that keep the rule from being certain.
    pub(super) fn open_fields(&self) -> impl Iterator<Item = (&str, Certainty)> {
        self.reads
            .iter()
            .filter(|(_, certainty)| **certainty != Certainty::Certain)
            .map(|(path, certainty)| (path.as_str(), *certainty))
    }

    pub(super) fn is_certain(&self) -> bool {
        self.open_fields().next().is_none() && self.unavailable.is_empty()
    }
}

/// Why a rule stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// It needs a document that is not there, and that has already been asked for.
    DocumentMissing,
    /// It needs a field that the document does not carry.
    FieldAbsent,
    /// It needs a record that has not been looked up yet: look it up and run the rule again.
    RecordWanted { table: String, key: String },
    /// The records cannot be consulted.
    RecordsUnavailable,
}

/// How the run of one rule ended.
#[derive(Debug, Clone)]
pub(super) enum End {
    Finished,
    /// A needed document is missing: there is nothing to say yet.
    Skipped,
    /// A needed field is absent or the records are unavailable.
    Undetermined,
    /// The script is wrong.
    Failed(String),
}

/// One rule's run.
#[derive(Debug, Clone)]
pub(super) struct RuleRun {
    pub(super) trace: Trace,
    pub(super) end: End,
}

impl RuleRun {
    /// Whether a better reading, or the records, could change what the rule gives.
    pub(super) fn is_undetermined(&self) -> bool {
        match self.end {
            End::Skipped => false,
            End::Undetermined => true,
            End::Finished | End::Failed(_) => !self.trace.is_certain(),
        }
    }
}
